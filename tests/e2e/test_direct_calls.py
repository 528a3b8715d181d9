"""Direct calls: status, check, plan and reconcile, answered as JSON."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from local import seed
from local.servers import LocalAws
from tests.e2e.deployment import Deployment
from tests.e2e.events import EventFailedError, invoke, sample

OTHER = "Team-Direct"


@pytest.fixture(scope="module")
def shared(servers: LocalAws) -> Iterator[Deployment]:
    deployment = Deployment.of(servers, AdditionalDocuments="Team-?*")
    deployment.account.aws.client("kms").create_alias(AliasName="alias/session-manager-standby", TargetKeyId=deployment.account.keys.second)
    yield deployment
    deployment.assert_no_secret_in_logs()


@pytest.fixture
def deployment(shared: Deployment) -> Deployment:
    shared.reset()
    if OTHER in shared.account.documents():
        shared.account.aws.client("ssm").delete_document(Name=OTHER)
    shared.account.aws.client("ssm").delete_parameters(Names=[f"/session-kms/{OTHER}"])
    seed.seed_document(shared.account.aws, name=OTHER)
    return shared


def call(deployment: Deployment, name: str, **changes: Any) -> dict[str, Any]:
    """Send a sample call with some fields changed. None removes a field."""
    fields = sample(name, deployment.stack, deployment.account.keys.first) | changes
    report = invoke(deployment.stack, {field: value for field, value in fields.items() if value is not None})
    assert report["command"] in (fields["action"], "event")
    return report


def test_status_reports_the_document_and_its_owner(deployment: Deployment) -> None:
    before = deployment.snapshot()
    report = call(deployment, "direct-status")
    found, = report["status"]
    assert report["fails"] is False
    assert found["versions"]["kmsKeyId"] == found["wanted"] == deployment.account.keys.first
    assert deployment.stack.name in found["owner"]
    deployment.overwrite()
    report = call(deployment, "direct-status")
    found, = report["status"]
    assert report["fails"] is True
    assert deployment.stack.name in " ".join(found["problems"]), "the problem names the owner"
    deployment.account.aws.client("ssm").update_document_default_version(Name=seed.DOCUMENT, DocumentVersion="2")
    found, = call(deployment, "direct-status")["status"]
    assert found["defaultKmsKeyId"] == deployment.account.keys.first
    assert deployment.snapshot()[1] == before[1]


def test_status_of_a_document_that_does_not_exist(deployment: Deployment) -> None:
    found, = call(deployment, "direct-status", documentName="Team-Absent")["status"]
    assert (found["versions"], found["owner"], found["problems"]) == (None, None, [])


def test_check_proves_who_can_use_a_key(deployment: Deployment) -> None:
    report = call(deployment, "direct-check", preflight=None)
    assert report["fails"] is False, report["summary"]
    before = deployment.snapshot()
    forgetful = seed.make_key(
        deployment.account.aws, "for users only", seed.named_roles_policy("123456789012", GenerateDataKey=[seed.role_arn(seed.USER_ROLE)])
    )
    report = call(deployment, "direct-check", kmsKeyId=forgetful, preflight=None)
    assert report["fails"] is True
    assert seed.role_arn(seed.NODE_ROLE) in json.dumps(report["remedies"]["keyPolicyStatements"])
    assert deployment.snapshot() == before


def test_check_in_strict_fails_if_something_is_unknown(deployment: Deployment) -> None:
    """No dry run is asked for, so nothing is unknown. What another account's role may do by its own policies is."""
    assert call(deployment, "direct-check")["fails"] is False
    foreign = "arn:aws:iam::222222222222:role/Operator"
    kms = deployment.account.aws.client("kms")
    kms.create_grant(KeyId=deployment.account.keys.first, GranteePrincipal=foreign, Operations=["GenerateDataKey"])
    assert call(deployment, "direct-check", users=[foreign])["fails"] is True
    assert call(deployment, "direct-check", users=[foreign], preflight="Enforce")["fails"] is False


def test_plan_reports_what_would_change_and_changes_nothing(deployment: Deployment) -> None:
    before = deployment.snapshot()
    report = call(deployment, "direct-plan", onConflict="TakeOver", kmsKeyId=seed.SECOND_ALIAS, onKeyTrouble=None, standbyKmsKeyId=None)
    assert report["change"]["differs"] is True
    assert deployment.account.keys.second in report["change"]["diff"]
    assert deployment.snapshot() == before


def test_plan_checks_the_standby_key_too(deployment: Deployment) -> None:
    report = call(deployment, "direct-plan", documentName=OTHER)
    assert report["change"]["differs"] is True
    assert deployment.account.keys.first in report["change"]["diff"]
    kms = deployment.account.aws.client("kms")
    kms.disable_key(KeyId=deployment.account.keys.second)
    report = call(deployment, "direct-plan", documentName=OTHER)
    assert report["fails"] is True
    unfit = next(finding for finding in report["blocking"] if finding["check"] == "keyFitness")
    assert unfit["subject"] == deployment.account.keys.second
    assert "Disabled" in unfit["evidence"]


def test_reconcile_without_a_key_repairs_what_the_record_wants(deployment: Deployment) -> None:
    overwritten = deployment.overwrite()
    outcome = deployment.send_sample("direct-reconcile")
    assert (outcome.report["source"], outcome.result) == ("directCall", "repaired")
    now = deployment.account.document()
    assert now.key == deployment.account.keys.first
    assert now.keeps_settings_of(overwritten)
    overwritten = deployment.overwrite()
    report = invoke(deployment.stack, {"action": "reconcile"})
    assert [document["document"] for document in report["documents"]] == [seed.DOCUMENT], "every document that has a record"
    assert report["documents"][0]["result"] == "repaired"


def test_reconcile_with_a_key_sets_it_once(deployment: Deployment) -> None:
    before = deployment.account.document(OTHER)
    report = call(deployment, "direct-reconcile", documentName=OTHER, kmsKeyId=seed.FIRST_ALIAS)
    assert report["fails"] is False
    now = deployment.account.document(OTHER)
    assert now.key == deployment.account.keys.first
    assert now.keeps_settings_of(before)
    report = call(deployment, "direct-reconcile", documentName=OTHER, kmsKeyId=seed.FIRST_ALIAS)
    assert report["change"]["differs"] is False
    assert deployment.account.document(OTHER) == now
    report = call(deployment, "direct-reconcile", documentName=OTHER, encryption="Disabled")
    assert deployment.account.document(OTHER).key == ""


def test_reconcile_refuses_a_document_that_a_stack_owns(deployment: Deployment) -> None:
    before = deployment.snapshot()
    report = call(deployment, "direct-reconcile", kmsKeyId=deployment.account.keys.second)
    assert report["fails"] is True
    assert deployment.stack.name in report["blocking"][0]["evidence"]
    assert deployment.snapshot() == before


def test_release_gives_back_what_a_direct_call_has_set(deployment: Deployment) -> None:
    before = deployment.account.document(OTHER)
    assert call(deployment, "direct-reconcile", documentName=OTHER, kmsKeyId=seed.FIRST_ALIAS)["fails"] is False
    report = call(deployment, "direct-release", documentName=OTHER)
    assert report["change"]["done"] is True, report["summary"]
    now = deployment.account.document(OTHER)
    assert (now.key, now.keeps_settings_of(before)) == (before.key, True)
    report = call(deployment, "direct-release")
    assert report["fails"] is True, "the stack's own document"
    assert deployment.stack.name in report["blocking"][0]["evidence"]


def test_status_says_that_sessions_fail_with_a_disabled_key(deployment: Deployment) -> None:
    deployment.account.aws.client("kms").disable_key(KeyId=deployment.account.keys.first)
    report = call(deployment, "direct-status")
    found, = report["status"]
    assert (report["fails"], found["sessionsFail"]) == (True, True)
    assert "its state is Disabled" in found["problems"][0]


@pytest.mark.parametrize(("fields", "named"), [
    ({"action": "status", "kmsKeyId": "alias/session-manager"}, "kmsKeyId"),
    ({"action": "check"}, "kmsKeyId"),
    ({"action": "check", "kmsKeyId": "alias/session-manager", "encryption": "Disabled"}, "encryption"),
    ({"action": "plan", "kmsKeyId": "alias/session-manager", "preFlight": "Off"}, "preFlight"),
    ({"action": "plan", "kmsKeyId": "alias/session-manager", "onKeyTrouble": "Standby"}, "standbyKmsKeyId"),
], ids=json.dumps)
def test_a_bad_question_is_answered_with_the_field_and_rings_no_alarm(shared: Deployment, fields: dict[str, Any], named: str) -> None:
    answer = invoke(shared.stack, fields)
    assert (answer["command"], answer["fails"], answer["error"]["type"]) == (fields["action"], True, "BadCall")
    assert re.search(rf"\b{named}\b", answer["summary"])


@pytest.mark.parametrize(("fields", "named"), [
    ({"action": "reconcil"}, "action"),
    ({"action": None}, "action"),
    ({"action": "release", "kmsKeyId": "alias/session-manager"}, "kmsKeyId"),
    ({"action": "reconcile", "kmsKeyId": "alias/aws/ssm"}, "kmsKeyId"),
    ({"action": "reconcile", "users": ["arn:aws:iam::123456789012:role/Operator"]}, "users"),
    ({"action": "reconcile", "documentName": "no spaces please"}, "documentName"),
], ids=json.dumps)
def test_a_bad_call_is_an_error_that_names_the_field(shared: Deployment, fields: dict[str, Any], named: str) -> None:
    with pytest.raises(EventFailedError) as failed:
        invoke(shared.stack, fields)
    error = json.loads(str(failed.value))
    assert error["errorType"] == "BadCall"
    assert re.search(rf"\b{named}\b", error["errorMessage"])
    assert "\n" not in error["errorMessage"]
