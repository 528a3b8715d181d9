"""Direct calls: what is there, can it be used, what would change, and change it, as JSON."""

import json
import re

import pytest

from local import seed
from tests.e2e.events import EventFailed, invoke, sample
from tests.e2e.watched import Watched

OTHER = "Team-Direct"


@pytest.fixture(scope="module")
def shared(servers):
    watched = Watched.of(servers, AdditionalDocuments="Team-?*")
    watched.account.aws.client("kms").create_alias(AliasName="alias/session-manager-standby", TargetKeyId=watched.account.keys.second)
    yield watched
    watched.logs_hold_no_secret()


@pytest.fixture
def watched(shared) -> Watched:
    shared.settle()
    if OTHER in shared.account.documents():
        shared.account.aws.client("ssm").delete_document(Name=OTHER)
    shared.account.aws.client("ssm").delete_parameters(Names=[f"/session-kms/{OTHER}"])
    seed.seed_document(shared.account.aws, name=OTHER)
    return shared


def call(watched: Watched, name: str, **changes) -> dict:
    """A sample call with some of its fields changed; None takes one away."""
    fields = sample(name, watched.stack, watched.account.keys.first) | changes
    report = invoke(watched.stack, {field: value for field, value in fields.items() if value is not None})
    assert report["command"] in (fields["action"], "event")
    return report


def test_status_tells_what_is_there(watched):
    before = watched.written()
    report = call(watched, "direct-status")
    found, = report["status"]
    assert report["fails"] is False
    assert found["versions"]["kmsKeyId"] == found["wanted"] == watched.account.keys.first
    assert watched.stack.name in found["owner"]
    watched.overwrite()
    report = call(watched, "direct-status")
    found, = report["status"]
    assert report["fails"] is True
    assert watched.stack.name in " ".join(found["problems"]), "who wants it otherwise"
    watched.account.aws.client("ssm").update_document_default_version(Name=seed.DOCUMENT, DocumentVersion="2")
    found, = call(watched, "direct-status")["status"]
    assert found["defaultKmsKeyId"] == watched.account.keys.first
    assert watched.written()[1] == before[1]


def test_status_of_a_document_that_is_not_there(watched):
    found, = call(watched, "direct-status", documentName="Team-Absent")["status"]
    assert (found["versions"], found["owner"], found["problems"]) == (None, None, [])


def test_check_proves_who_can_use_a_key(watched):
    report = call(watched, "direct-check", preflight=None)
    assert report["fails"] is False, report["summary"]
    before = watched.written()
    forgetful = seed.make_key(
        watched.account.aws, "for users only", seed.named_roles_policy("123456789012", GenerateDataKey=[seed.role_arn(seed.USER_ROLE)])
    )
    report = call(watched, "direct-check", kmsKeyId=forgetful, preflight=None)
    assert report["fails"] is True
    assert seed.role_arn(seed.NODE_ROLE) in json.dumps(report["remedies"]["keyPolicyStatements"])
    assert watched.written() == before


def test_check_in_strict_fails_where_something_is_unknown(watched):
    """The stack is not allowed dry runs, so one check is unknown."""
    assert call(watched, "direct-check")["fails"] is True
    assert call(watched, "direct-check", preflight="Enforce")["fails"] is False


def test_plan_tells_what_would_change_and_changes_nothing(watched):
    before = watched.written()
    report = call(watched, "direct-plan", onConflict="TakeOver", kmsKeyId=seed.SECOND_ALIAS, onKeyTrouble=None, standbyKmsKeyId=None)
    assert report["change"]["differs"] is True
    assert watched.account.keys.second in report["change"]["diff"]
    assert watched.written() == before


def test_plan_judges_the_standby_key_too(watched):
    report = call(watched, "direct-plan", documentName=OTHER)
    assert report["change"]["differs"] is True
    assert watched.account.keys.first in report["change"]["diff"]
    kms = watched.account.aws.client("kms")
    kms.disable_key(KeyId=watched.account.keys.second)
    with pytest.raises(EventFailed, match=watched.account.keys.second):
        call(watched, "direct-plan", documentName=OTHER)


def test_reconcile_without_a_key_puts_right_what_the_record_wants(watched):
    rival = watched.overwrite()
    told = watched.tell("direct-reconcile")
    assert (told.report["source"], told.result) == ("directCall", "repaired")
    now = watched.account.document()
    assert now.key == watched.account.keys.first
    assert now.keeps_all_of(rival)
    rival = watched.overwrite()
    report = invoke(watched.stack, {"action": "reconcile"})
    assert [document["document"] for document in report["documents"]] == [seed.DOCUMENT], "every one with a record"
    assert report["documents"][0]["result"] == "repaired"


def test_reconcile_with_a_key_sets_it_and_keeps_it(watched):
    before = watched.account.document(OTHER)
    report = call(watched, "direct-reconcile", documentName=OTHER, kmsKeyId=seed.FIRST_ALIAS)
    assert report["fails"] is False
    now = watched.account.document(OTHER)
    assert now.key == watched.account.keys.first
    assert now.keeps_all_of(before)
    report = call(watched, "direct-reconcile", documentName=OTHER, kmsKeyId=seed.FIRST_ALIAS)
    assert report["change"]["differs"] is False
    assert watched.account.document(OTHER) == now
    report = call(watched, "direct-reconcile", documentName=OTHER, encryption="Disabled")
    assert watched.account.document(OTHER).key == ""


def test_reconcile_leaves_what_a_stack_owns(watched):
    before = watched.written()
    with pytest.raises(EventFailed, match=watched.stack.name):
        call(watched, "direct-reconcile", kmsKeyId=watched.account.keys.second)
    assert watched.written() == before


@pytest.mark.parametrize(("fields", "named"), [
    ({"action": "reconcil"}, "action"),
    ({"action": None}, "action"),
    ({"action": "status", "kmsKeyId": "alias/session-manager"}, "kmsKeyId"),
    ({"action": "check"}, "kmsKeyId"),
    ({"action": "check", "kmsKeyId": "alias/session-manager", "encryption": "Disabled"}, "encryption"),
    ({"action": "plan", "kmsKeyId": "alias/session-manager", "preFlight": "Off"}, "preFlight"),
    ({"action": "plan", "kmsKeyId": "alias/session-manager", "onKeyTrouble": "Standby"}, "standbyKmsKeyId"),
    ({"action": "reconcile", "kmsKeyId": "alias/aws/ssm"}, "kmsKeyId"),
    ({"action": "reconcile", "users": ["arn:aws:iam::123456789012:role/Operator"]}, "users"),
    ({"action": "reconcile", "documentName": "no spaces please"}, "documentName"),
], ids=json.dumps)
def test_a_bad_call_is_an_error_that_names_the_field(shared, fields, named):
    with pytest.raises(EventFailed) as failed:
        invoke(shared.stack, fields)
    error = json.loads(str(failed.value))
    assert error["errorType"] == "BadCall"
    assert re.search(rf"\b{named}\b", error["errorMessage"])
    assert "\n" not in error["errorMessage"]
