"""Drift: somebody changes the document, a notice of any source says so or none does, and the key is put back."""

import json

import pytest

from local import seed
from tests.e2e.direct import enveloped
from tests.e2e.events import METRICS
from tests.e2e.watched import Watched

DEPLOY = "arn:aws:sts::123456789012:assumed-role/Deploy/terraform"
ALICE = "arn:aws:iam::123456789012:user/Alice"
# Each sample that has the document looked at, and what its report calls the source.
SOURCES = {
    "document-create-call": "documentCall",
    "document-update-call": "documentCall",
    "document-default-version-call": "documentCall",
    "document-delete-call": "documentCall",
    "schedule": "schedule",
    "scheduler": "schedule",
    "config-compliance-change": "configCompliance",
    "security-hub-custom-action": "securityHub",
    "security-hub-imported": "securityHub",
    "record-change": "recordChange",
    "sns-document-update-call": "documentCall",
    "direct-reconcile": "directCall",
}


@pytest.fixture(scope="module")
def shared(servers):
    watched = Watched.of(servers)
    yield watched
    watched.logs_hold_no_secret()


@pytest.fixture
def watched(shared) -> Watched:
    shared.settle()
    return shared


def test_an_overwritten_document_gets_its_key_back_and_keeps_what_the_rival_wrote(watched):
    rival = watched.overwrite()
    told = watched.tell("document-update-call")
    now = watched.account.document()
    assert now.key == watched.account.keys.first
    assert now.keeps_all_of(rival)
    assert now.content["inputs"]["idleSessionTimeout"] == "7"
    assert now.version == now.latest == str(int(rival.latest) + 1)
    assert (told.result, told.document["changed"], told.document["alerts"]) == ("repaired", True, [])
    assert told.report["by"]["principal"] == DEPLOY
    assert "Terraform" in told.report["by"]["userAgent"]
    assert DEPLOY in told.report["summary"]
    assert told.document["drift"]
    watch = watched.record()["watch"]
    assert len(watch["repairs"]) == 1
    assert watch["by"]["principal"] == DEPLOY
    assert {name: told.metrics[name] for name in METRICS - {"Duration"}} == {
        "DriftFound": 1, "DriftRepaired": 1, "RepairRefused": 0, "BreakerOpen": 0, "KeyTrouble": 0, "ChecksFailed": 0,
        "Alerts": 0, "Guarded": 0,
    }


def test_another_key_is_drift_like_no_key(watched):
    watched.overwrite(kmsKeyId=watched.account.keys.second)
    told = watched.tell("document-update-call")
    assert told.result == "repaired"
    assert watched.account.keys.second in " ".join(told.document["drift"])
    assert watched.account.document().key == watched.account.keys.first


def test_a_default_version_that_was_moved_back_is_moved_forward(watched):
    before = watched.account.document()
    watched.account.aws.client("ssm").update_document_default_version(Name=seed.DOCUMENT, DocumentVersion="1")
    assert watched.account.document().key == ""
    told = watched.tell("document-default-version-call")
    assert told.result == "repaired"
    assert watched.account.document() == before, "the version that has the key is the default again; none was added"


def test_a_deleted_document_comes_back_with_the_key(watched):
    watched.account.aws.client("ssm").delete_document(Name=seed.DOCUMENT)
    told = watched.tell("document-delete-call")
    assert told.result == "repaired"
    assert told.report["by"]["principal"] == ALICE
    assert "settings" in " ".join(told.document["drift"]), "what is lost is said"
    now = watched.account.document()
    assert now.key == watched.account.keys.first
    assert now.version == now.latest


def test_a_document_that_somebody_created_anew_keeps_its_settings(watched):
    watched.account.aws.client("ssm").delete_document(Name=seed.DOCUMENT)
    seed.seed_document(watched.account.aws, seed.PREFERENCES | {"inputs": {"s3BucketName": "another", "idleSessionTimeout": 9}})
    anew = watched.account.document()
    told = watched.tell("document-create-call")
    assert told.result == "repaired"
    now = watched.account.document()
    assert now.key == watched.account.keys.first
    assert now.keeps_all_of(anew)


def test_other_settings_are_left_alone(watched):
    watched.account.set_by_hand(idleSessionTimeout=5)
    before = watched.written()
    told = watched.tell("document-update-call")
    assert (told.result, told.document["drift"]) == ("asWanted", [])
    assert watched.written() == before


@pytest.mark.parametrize("name", ["document-update-call-by-function", "document-update-call-failed"])
def test_own_calls_and_failed_calls_are_ignored(watched, name):
    # There is something to repair, so that to do nothing says something.
    watched.overwrite()
    before = watched.written()
    report = watched.tell(name).report
    assert report["ignored"]
    assert (report["alert"], report["changed"]) == (False, False)
    assert watched.written() == before
    assert any(report["ignored"] in line for line in watched.stack.logs()), "the log says why"


def is_put_right(watched: Watched, event: dict, source: str) -> None:
    watched.overwrite()
    told = watched.hand(event)
    assert (told.report["command"], told.report["source"]) == ("event", source)
    assert told.result == "repaired"
    assert watched.account.document().key == watched.account.keys.first
    assert (told.metrics["DriftFound"], told.metrics["DriftRepaired"]) == (1, 1)


@pytest.mark.parametrize(("name", "source"), SOURCES.items())
def test_every_source_has_the_document_put_right(watched, name, source):
    is_put_right(watched, watched.event(name), source)


# One of them is in an envelope already.
@pytest.mark.parametrize(("name", "source"), [item for item in SOURCES.items() if item[0] != "sns-document-update-call"])
def test_every_source_may_come_by_a_topic(watched, name, source):
    is_put_right(watched, enveloped(watched.event(name)), source)


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_is_written_where_nothing_differs(watched, name):
    before = watched.written()
    told = watched.tell(name)
    assert (told.result, told.report["alert"], told.report["changed"]) == ("asWanted", False, False)
    assert watched.written() == before
    scheduled = told.report["source"] == "schedule"
    assert {name: told.metrics[name] for name in METRICS - {"Duration"} if told.metrics[name]} == (
        {"Guarded": 1} if scheduled else {}
    )


def test_an_event_that_comes_twice_repairs_once(watched):
    watched.overwrite()
    assert watched.tell("document-update-call").result == "repaired"
    before = watched.written()
    assert watched.tell("document-update-call").result == "asWanted"
    assert watched.written() == before


def test_what_is_no_business_of_ours_is_left_alone(watched):
    event = watched.event("document-update-call")
    event["detail"]["requestParameters"]["name"] = "Team-Other"
    seed.seed_document(watched.account.aws, name="Team-Other")
    told = watched.hand(event)
    assert told.result == "notOurs"
    assert watched.account.document("Team-Other").key == ""


def test_a_document_without_its_record_is_nobody_s(watched):
    watched.account.aws.client("ssm").delete_parameter(Name=f"/session-kms/{seed.DOCUMENT}")
    rival = watched.overwrite()
    for name in ("record-change", "schedule"):
        told = watched.tell(name)
        assert told.result == "notOurs"
        assert (told.report["alert"], told.metrics["Alerts"]) == (True, 1), "or nobody would learn that nothing is guarded any more"
        assert "Revision" in told.alerts
    assert watched.account.document() == rival
    # The owner's next request makes it the owner's again; the next test begins with one.


def test_a_repair_that_would_lock_somebody_out_is_not_made(watched):
    rival = watched.overwrite()
    kms = watched.account.aws.client("kms")
    policy = kms.get_key_policy(KeyId=watched.account.keys.first, PolicyName="default")["Policy"]
    denied = json.loads(policy)
    denied["Statement"].append(
        {"Effect": "Deny", "Principal": {"AWS": seed.role_arn(seed.USER_ROLE)}, "Action": "kms:GenerateDataKey", "Resource": "*"}
    )
    kms.put_key_policy(KeyId=watched.account.keys.first, PolicyName="default", Policy=json.dumps(denied))
    try:
        told = watched.tell("document-update-call")
    finally:
        kms.put_key_policy(KeyId=watched.account.keys.first, PolicyName="default", Policy=policy)
    assert told.result == "refused"
    assert seed.role_arn(seed.USER_ROLE) in told.alerts
    assert watched.account.document() == rival
    assert (told.metrics["RepairRefused"], told.metrics["DriftRepaired"]) == (1, 0)
    assert watched.tell("schedule").result == "repaired", "they may again"
