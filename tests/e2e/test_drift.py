"""Drift: somebody changes the document, and an event of any source makes the function repair the key."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local import seed
from local.servers import LocalAws
from tests.e2e.deployment import Deployment
from tests.e2e.direct import in_sns_envelope
from tests.e2e.events import METRICS

DEPLOY = "arn:aws:sts::123456789012:assumed-role/Deploy/terraform"
ALICE = "arn:aws:iam::123456789012:user/Alice"
# Each sample that makes the function read the document, and the source in its report.
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
    "security-hub-imported-v2": "securityHub",
    "record-change": "recordChange",
    "sns-document-update-call": "documentCall",
    "direct-reconcile": "directCall",
}


@pytest.fixture(scope="module")
def shared(servers: LocalAws) -> Iterator[Deployment]:
    deployment = Deployment.of(servers)
    yield deployment
    deployment.assert_no_secret_in_logs()


@pytest.fixture
def deployment(shared: Deployment) -> Deployment:
    shared.reset()
    return shared


def test_an_overwritten_document_gets_its_key_back_and_keeps_the_other_settings(deployment: Deployment) -> None:
    overwritten = deployment.overwrite()
    outcome = deployment.send_sample("document-update-call")
    now = deployment.account.document()
    assert now.key == deployment.account.keys.first
    assert now.keeps_settings_of(overwritten)
    assert now.content["inputs"]["idleSessionTimeout"] == "7"
    assert now.version == now.latest == str(int(overwritten.latest) + 1)
    assert (outcome.result, outcome.document["changed"], outcome.document["alerts"]) == ("repaired", True, [])
    assert outcome.report["by"]["principal"] == DEPLOY
    assert "Terraform" in outcome.report["by"]["userAgent"]
    assert DEPLOY in outcome.report["summary"]
    assert outcome.document["drift"]
    watch = deployment.record()["watch"]
    assert len(watch["repairs"]) == 1
    assert watch["by"]["principal"] == DEPLOY
    assert {name: outcome.metrics[name] for name in METRICS - {"Duration"}} == {
        "DriftFound": 1, "DriftRepaired": 1, "RepairRefused": 0, "BreakerOpen": 0, "KeyTrouble": 0, "ChecksFailed": 0,
        "ChecksUnknown": 0, "Alerts": 0, "Guarded": 0,
    }


def test_another_key_is_drift_like_no_key(deployment: Deployment) -> None:
    deployment.overwrite(kmsKeyId=deployment.account.keys.second)
    outcome = deployment.send_sample("document-update-call")
    assert outcome.result == "repaired"
    assert deployment.account.keys.second in " ".join(outcome.document["drift"])
    assert deployment.account.document().key == deployment.account.keys.first


def test_a_default_version_that_was_moved_back_is_moved_forward(deployment: Deployment) -> None:
    before = deployment.account.document()
    deployment.account.aws.client("ssm").update_document_default_version(Name=seed.DOCUMENT, DocumentVersion="1")
    assert deployment.account.document().key == ""
    outcome = deployment.send_sample("document-default-version-call")
    assert outcome.result == "repaired"
    assert deployment.account.document() == before, "the version with the key is the default again, and there is no new version"


def test_a_deleted_document_comes_back_with_the_key(deployment: Deployment) -> None:
    deployment.account.aws.client("ssm").delete_document(Name=seed.DOCUMENT)
    outcome = deployment.send_sample("document-delete-call")
    assert outcome.result == "repaired"
    assert outcome.report["by"]["principal"] == ALICE
    assert "settings" in " ".join(outcome.document["drift"]), "the report says that the other settings are lost"
    now = deployment.account.document()
    assert now.key == deployment.account.keys.first
    assert now.version == now.latest


def test_a_document_that_somebody_recreated_keeps_its_settings(deployment: Deployment) -> None:
    deployment.account.aws.client("ssm").delete_document(Name=seed.DOCUMENT)
    seed.seed_document(deployment.account.aws, seed.PREFERENCES | {"inputs": {"s3BucketName": "another", "idleSessionTimeout": 9}})
    recreated = deployment.account.document()
    outcome = deployment.send_sample("document-create-call")
    assert outcome.result == "repaired"
    now = deployment.account.document()
    assert now.key == deployment.account.keys.first
    assert now.keeps_settings_of(recreated)


def test_other_settings_are_left_alone(deployment: Deployment) -> None:
    deployment.account.set_by_hand(idleSessionTimeout=5)
    before = deployment.snapshot()
    outcome = deployment.send_sample("document-update-call")
    assert (outcome.result, outcome.document["drift"]) == ("asWanted", [])
    assert deployment.snapshot() == before


@pytest.mark.parametrize("name", ["document-update-call-by-function", "document-update-call-failed"])
def test_own_calls_and_failed_calls_are_ignored(deployment: Deployment, name: str) -> None:
    # Without drift this test would prove nothing.
    deployment.overwrite()
    before = deployment.snapshot()
    report = deployment.send_sample(name).report
    assert report["ignored"]
    assert (report["alert"], report["changed"]) == (False, False)
    assert deployment.snapshot() == before
    assert any(report["ignored"] in line for line in deployment.stack.logs()), "the log says why"


def assert_repaired(deployment: Deployment, event: dict[str, Any], source: str) -> None:
    deployment.overwrite()
    outcome = deployment.send(event)
    assert (outcome.report["command"], outcome.report["source"]) == ("event", source)
    assert outcome.result == "repaired"
    assert deployment.account.document().key == deployment.account.keys.first
    assert (outcome.metrics["DriftFound"], outcome.metrics["DriftRepaired"]) == (1, 1)


@pytest.mark.parametrize(("name", "source"), SOURCES.items())
def test_an_event_of_every_source_repairs_the_document(deployment: Deployment, name: str, source: str) -> None:
    assert_repaired(deployment, deployment.sample(name), source)


# One sample is in an envelope already.
@pytest.mark.parametrize(("name", "source"), [item for item in SOURCES.items() if item[0] != "sns-document-update-call"])
def test_an_event_of_every_source_may_come_through_a_topic(deployment: Deployment, name: str, source: str) -> None:
    assert_repaired(deployment, in_sns_envelope(deployment.sample(name)), source)


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_is_written_if_nothing_differs(deployment: Deployment, name: str) -> None:
    before = deployment.snapshot()
    outcome = deployment.send_sample(name)
    assert (outcome.result, outcome.report["alert"], outcome.report["changed"]) == ("asWanted", False, False)
    assert deployment.snapshot() == before
    scheduled = outcome.report["source"] == "schedule"
    assert {name: outcome.metrics[name] for name in METRICS - {"Duration"} if outcome.metrics[name]} == (
        {"Guarded": 1} if scheduled else {}
    )


def test_an_event_that_comes_twice_repairs_once(deployment: Deployment) -> None:
    deployment.overwrite()
    assert deployment.send_sample("document-update-call").result == "repaired"
    before = deployment.snapshot()
    assert deployment.send_sample("document-update-call").result == "asWanted"
    assert deployment.snapshot() == before


def test_a_document_without_an_owner_is_left_alone(deployment: Deployment) -> None:
    event = deployment.sample("document-update-call")
    event["detail"]["requestParameters"]["name"] = "Team-Other"
    seed.seed_document(deployment.account.aws, name="Team-Other")
    outcome = deployment.send(event)
    assert outcome.result == "notOurs"
    assert deployment.account.document("Team-Other").key == ""


def test_a_document_that_lost_its_record_is_left_alone_with_an_alert(deployment: Deployment) -> None:
    deployment.account.aws.client("ssm").delete_parameter(Name=f"/session-kms/{seed.DOCUMENT}")
    overwritten = deployment.overwrite()
    for name in ("record-change", "schedule"):
        outcome = deployment.send_sample(name)
        assert outcome.result == "notOurs"
        assert (outcome.report["alert"], outcome.metrics["Alerts"]) == (True, 1), "without an alert nobody would learn that drift is not repaired any more"
        assert "Revision" in outcome.alerts
    assert deployment.account.document() == overwritten
    # The next request of the owner writes the record again. Each test begins with one.


def test_a_repair_that_would_lock_somebody_out_is_not_made(deployment: Deployment) -> None:
    overwritten = deployment.overwrite()
    kms = deployment.account.aws.client("kms")
    policy = kms.get_key_policy(KeyId=deployment.account.keys.first, PolicyName="default")["Policy"]
    denied = json.loads(policy)
    denied["Statement"].append(
        {"Effect": "Deny", "Principal": {"AWS": seed.role_arn(seed.USER_ROLE)}, "Action": "kms:GenerateDataKey", "Resource": "*"}
    )
    kms.put_key_policy(KeyId=deployment.account.keys.first, PolicyName="default", Policy=json.dumps(denied))
    try:
        outcome = deployment.send_sample("document-update-call")
    finally:
        kms.put_key_policy(KeyId=deployment.account.keys.first, PolicyName="default", Policy=policy)
    assert outcome.result == "refused"
    assert seed.role_arn(seed.USER_ROLE) in outcome.alerts
    assert deployment.account.document() == overwritten
    assert (outcome.metrics["RepairRefused"], outcome.metrics["DriftRepaired"]) == (1, 0)
    assert deployment.send_sample("schedule").result == "repaired", "the user may use the key again"
