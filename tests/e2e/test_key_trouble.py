"""Key trouble: the key is disabled, pending deletion or without material, and OnKeyTrouble decides what happens."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local import seed
from local.servers import LocalAws
from tests.e2e.deployment import Deployment
from tests.e2e.direct import in_sns_envelope

ALICE = "arn:aws:iam::123456789012:user/Alice"
# Other events that report a deleted key. KMS deletes a key only after a waiting period, so here it is pending deletion.
GONE = ["key-deleted-service-event", "key-deletion-event"]


@pytest.fixture(scope="module")
def shared(servers: LocalAws) -> Iterator[Deployment]:
    deployment = Deployment.of(servers)
    yield deployment
    deployment.assert_no_secret_in_logs()


@pytest.fixture
def deployment(shared: Deployment) -> Deployment:
    shared.reset()
    return shared


@pytest.fixture
def with_standby(shared: Deployment) -> Deployment:
    shared.reset(OnKeyTrouble="Standby", StandbyKmsKeyId=shared.account.keys.second)
    return shared


@pytest.fixture
def kms(shared: Deployment) -> Any:
    return shared.account.aws.client("kms")


def import_material(kms: Any, key: str, material: bytes) -> None:
    """Import key material, wrapped by RSAES-PKCS1-v1_5 (RFC 8017)."""
    parameters = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm="RSAES_PKCS1_V1_5", WrappingKeySpec="RSA_2048")
    # In the DER of the public key, the modulus follows 33 bytes of algorithm and lengths. The exponent is 65537.
    modulus = int.from_bytes(parameters["PublicKey"][33:289])
    padded = b"\x00\x02" + bytes(byte or 1 for byte in os.urandom(221)) + b"\x00" + material
    wrapped = pow(int.from_bytes(padded), 65537, modulus).to_bytes(256)
    kms.import_key_material(
        KeyId=key, ImportToken=parameters["ImportToken"], EncryptedKeyMaterial=wrapped, ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE"
    )


def test_a_disabled_key_is_an_alert_and_the_document_stays(deployment: Deployment, kms: Any) -> None:
    before = deployment.snapshot()
    kms.disable_key(KeyId=deployment.account.keys.first)
    outcome = deployment.send_sample("key-disable-call")
    assert outcome.report["source"] == "keyCall"
    assert outcome.report["by"]["principal"] == ALICE
    assert outcome.report["alert"] is True
    assert outcome.document["keyTrouble"] is True
    assert deployment.account.keys.first in outcome.alerts
    assert "disabled" in outcome.alerts.lower()
    assert deployment.snapshot() == before
    assert (outcome.metrics["KeyTrouble"], outcome.metrics["DriftFound"], outcome.metrics["DriftRepaired"]) == (1, 0, 0)
    assert deployment.send_sample("schedule").document["keyTrouble"] is True, "the schedule reports it until it is over"
    kms.enable_key(KeyId=deployment.account.keys.first)
    over = deployment.send_sample("key-enable-call")
    assert (over.report["alert"], over.metrics["KeyTrouble"]) == (False, 0)
    assert deployment.snapshot() == before


def test_drift_is_not_repaired_to_a_key_that_cannot_be_used(deployment: Deployment, kms: Any) -> None:
    kms.disable_key(KeyId=deployment.account.keys.first)
    overwritten = deployment.overwrite()
    outcome = deployment.send_sample("document-update-call")
    assert outcome.result == "refused"
    assert deployment.account.document() == overwritten
    assert (outcome.metrics["DriftFound"], outcome.metrics["RepairRefused"], outcome.metrics["KeyTrouble"]) == (1, 1, 1)
    kms.enable_key(KeyId=deployment.account.keys.first)
    assert deployment.send_sample("key-enable-call").result == "repaired"
    assert deployment.account.document().key == deployment.account.keys.first


def test_a_scheduled_deletion_is_an_alert_with_its_date(deployment: Deployment, kms: Any) -> None:
    before = deployment.snapshot()
    deletion = kms.schedule_key_deletion(KeyId=deployment.account.keys.first, PendingWindowInDays=30)["DeletionDate"]
    outcome = deployment.send_sample("key-schedule-deletion-call")
    assert outcome.report["alert"] is True
    assert deletion.astimezone(UTC).strftime("%Y-%m-%d") in outcome.alerts
    assert (deletion - datetime.now(UTC)).days >= 29, "the date is the real one"
    assert outcome.metrics["KeyTrouble"] == 1
    assert deployment.snapshot() == before
    kms.cancel_key_deletion(KeyId=deployment.account.keys.first)
    assert deployment.send_sample("key-cancel-deletion-call").document["keyTrouble"] is True, "it is disabled now"
    kms.enable_key(KeyId=deployment.account.keys.first)
    assert deployment.send_sample("key-enable-call").report["alert"] is False


@pytest.mark.parametrize("name", GONE)
def test_a_key_that_kms_deletes_is_an_alert(deployment: Deployment, kms: Any, name: str) -> None:
    before = deployment.snapshot()
    kms.schedule_key_deletion(KeyId=deployment.account.keys.first)
    outcome = deployment.send_sample(name)
    assert outcome.report["source"] == ("keyCall" if name.endswith("service-event") else "keyEvent")
    assert outcome.report["alert"] is True
    assert outcome.metrics["KeyTrouble"] == 1
    assert deployment.snapshot() == before


def test_deleted_key_material_is_an_alert_until_it_is_imported_again(deployment: Deployment, kms: Any) -> None:
    key, material = seed.make_key(deployment.account.aws, "imported material", seed.key_policy(), Origin="EXTERNAL"), os.urandom(32)
    import_material(kms, key, material)
    deployment.update_stack(KmsKeyId=key, GrantKeyArns=f"{deployment.account.keys.first},{deployment.account.keys.second},{key}")
    before = deployment.snapshot()
    kms.delete_imported_key_material(KeyId=key)
    for name, source in (("key-delete-imported-material-call", "keyCall"), ("key-material-expiration-event", "keyEvent")):
        outcome = deployment.send_sample(name, key)
        assert outcome.report["source"] == source
        assert outcome.document["keyTrouble"] is True
        assert "PendingImport" in outcome.alerts
        assert outcome.metrics["KeyTrouble"] == 1
    import_material(kms, key, material)
    over = deployment.send_sample("key-import-material-call", key)
    assert over.report["source"] == "keyCall"
    assert (over.document["keyTrouble"], over.report["alert"], over.metrics["KeyTrouble"]) == (False, False, 0)
    assert deployment.snapshot() == before


def test_a_call_that_comes_through_a_topic_is_an_alert_too(deployment: Deployment, kms: Any) -> None:
    kms.disable_key(KeyId=deployment.account.keys.first)
    outcome = deployment.send(in_sns_envelope(deployment.sample("key-disable-call")))
    assert (outcome.report["source"], outcome.report["by"]["principal"]) == ("keyCall", ALICE)
    assert (outcome.report["alert"], outcome.document["keyTrouble"], outcome.metrics["KeyTrouble"]) == (True, True, 1)


def test_a_finding_on_the_key_makes_the_function_check_it(deployment: Deployment, kms: Any) -> None:
    event = deployment.sample("security-hub-imported")
    finding, = event["detail"]["findings"]
    finding["Resources"] = [{"Type": "AwsKmsKey", "Id": deployment.account.keys.first, "Partition": "aws", "Region": "eu-west-1"}]
    assert deployment.send(event).document["keyTrouble"] is False
    kms.disable_key(KeyId=deployment.account.keys.first)
    outcome = deployment.send(event)
    assert outcome.report["source"] == "securityHub"
    assert (outcome.report["alert"], outcome.document["keyTrouble"], outcome.metrics["KeyTrouble"]) == (True, True, 1)
    assert deployment.account.keys.first in outcome.alerts


def test_an_event_on_another_key_reports_no_document(deployment: Deployment, kms: Any) -> None:
    kms.disable_key(KeyId=deployment.account.keys.first)
    outcome = deployment.send_sample("key-disable-call", deployment.account.keys.signing)
    assert outcome.report["documents"] == []
    assert outcome.report["alert"] is False
    assert outcome.metrics["KeyTrouble"] == 0


def test_the_standby_key_stands_in_until_the_first_is_back(with_standby: Deployment, kms: Any) -> None:
    first, second = with_standby.account.keys.first, with_standby.account.keys.second
    before = with_standby.account.document()
    kms.disable_key(KeyId=first)
    outcome = with_standby.send_sample("key-disable-call")
    assert outcome.result == "standIn"
    assert (outcome.report["alert"], outcome.document["keyTrouble"]) == (True, True)
    assert first in outcome.alerts
    assert second in outcome.alerts
    assert (outcome.metrics["KeyTrouble"], outcome.metrics["DriftFound"]) == (1, 0)
    now = with_standby.account.document()
    assert now.key == second
    assert now.version == now.latest
    assert now.keeps_settings_of(before)
    assert with_standby.record()["watch"]["standsInFor"] == first
    kms.enable_key(KeyId=first)
    outcome = with_standby.send_sample("key-enable-call")
    assert (outcome.result, outcome.report["alert"]) == ("returned", False)
    now = with_standby.account.document()
    assert now.key == first
    assert now.keeps_settings_of(before)
    assert "standsInFor" not in with_standby.record().get("watch", {})


def test_drift_from_the_standby_key_is_repaired_too(with_standby: Deployment, kms: Any) -> None:
    kms.schedule_key_deletion(KeyId=with_standby.account.keys.first)
    assert with_standby.send_sample("key-schedule-deletion-call").result == "standIn"
    before = with_standby.snapshot()
    assert with_standby.send_sample("schedule").report["changed"] is False
    assert with_standby.snapshot() == before, "the key changes once"
    overwritten = with_standby.overwrite()
    assert with_standby.send_sample("document-update-call").result == "repaired"
    now = with_standby.account.document()
    assert now.key == with_standby.account.keys.second
    assert now.keeps_settings_of(overwritten)


def test_a_standby_key_in_trouble_is_an_alert_before_it_is_needed(with_standby: Deployment, kms: Any) -> None:
    before = with_standby.snapshot()
    kms.disable_key(KeyId=with_standby.account.keys.second)
    outcome = with_standby.send_sample("key-disable-call", with_standby.account.keys.second)
    assert with_standby.account.keys.second in outcome.alerts
    assert outcome.metrics["KeyTrouble"] == 1
    kms.disable_key(KeyId=with_standby.account.keys.first)
    outcome = with_standby.send_sample("key-disable-call")
    assert with_standby.account.keys.first in outcome.alerts
    assert outcome.report["changed"] is False
    assert with_standby.snapshot() == before, "neither key can be used"


def test_with_clear_encryption_is_off_until_the_key_is_back(shared: Deployment, kms: Any) -> None:
    shared.reset(OnKeyTrouble="Clear")
    before = shared.account.document()
    kms.disable_key(KeyId=shared.account.keys.first)
    outcome = shared.send_sample("key-disable-call")
    assert (outcome.result, outcome.report["alert"]) == ("cleared", True)
    now = shared.account.document()
    assert now.key == ""
    assert now.keeps_settings_of(before)
    kms.enable_key(KeyId=shared.account.keys.first)
    assert shared.send_sample("key-enable-call").result == "returned"
    assert shared.account.document().key == shared.account.keys.first


def test_deleting_the_stack_while_a_key_stands_in_restores_the_first_setting(with_standby: Deployment, kms: Any) -> None:
    kms.disable_key(KeyId=with_standby.account.keys.first)
    assert with_standby.send_sample("key-disable-call").result == "standIn"
    # The next reset creates the stack again.
    assert with_standby.stack.delete() == "DELETE_COMPLETE"
    now = with_standby.account.document()
    assert now.key == ""
    assert now.content["inputs"]["idleSessionTimeout"] == seed.PREFERENCES["inputs"]["idleSessionTimeout"]
    assert with_standby.account.records() == {}
