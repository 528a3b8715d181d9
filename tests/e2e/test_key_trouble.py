"""Trouble with the key: it is disabled, about to be deleted or without its material, and OnKeyTrouble says what follows."""

import os
from datetime import UTC, datetime

import pytest

from local import seed
from tests.e2e.direct import enveloped
from tests.e2e.watched import Watched

ALICE = "arn:aws:iam::123456789012:user/Alice"
# What else tells that a key is gone. KMS deletes no key before its waiting period is over, so it is about to be here.
GONE = ["key-deleted-service-event", "key-deletion-event"]


@pytest.fixture(scope="module")
def shared(servers):
    watched = Watched.of(servers)
    yield watched
    watched.logs_hold_no_secret()


@pytest.fixture
def watched(shared) -> Watched:
    shared.settle()
    return shared


@pytest.fixture
def standing_by(shared) -> Watched:
    shared.settle(OnKeyTrouble="Standby", StandbyKmsKeyId=shared.account.keys.second)
    return shared


@pytest.fixture
def kms(shared):
    return shared.account.aws.client("kms")


def bring_material(kms, key: str, material: bytes) -> None:
    """Import a key's material, as RFC 8017 wraps it (RSAES-PKCS1-v1_5)."""
    given = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm="RSAES_PKCS1_V1_5", WrappingKeySpec="RSA_2048")
    # The modulus stands in the public key's DER after 33 bytes of algorithm and lengths; the exponent is 65537.
    modulus = int.from_bytes(given["PublicKey"][33:289])
    padded = b"\x00\x02" + bytes(byte or 1 for byte in os.urandom(221)) + b"\x00" + material
    wrapped = pow(int.from_bytes(padded), 65537, modulus).to_bytes(256)
    kms.import_key_material(
        KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=wrapped, ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE"
    )


def test_a_disabled_key_is_an_alert_and_the_document_stays(watched, kms):
    before = watched.written()
    kms.disable_key(KeyId=watched.account.keys.first)
    told = watched.tell("key-disable-call")
    assert told.report["source"] == "keyCall"
    assert told.report["by"]["principal"] == ALICE
    assert told.report["alert"] is True
    assert told.document["keyTrouble"] is True
    assert watched.account.keys.first in told.alerts
    assert "disabled" in told.alerts.lower()
    assert watched.written() == before
    assert (told.metrics["KeyTrouble"], told.metrics["DriftFound"], told.metrics["DriftRepaired"]) == (1, 0, 0)
    assert watched.tell("schedule").document["keyTrouble"] is True, "it is told until it is over"
    kms.enable_key(KeyId=watched.account.keys.first)
    over = watched.tell("key-enable-call")
    assert (over.report["alert"], over.metrics["KeyTrouble"]) == (False, 0)
    assert watched.written() == before


def test_drift_is_not_repaired_to_a_key_that_cannot_be_used(watched, kms):
    kms.disable_key(KeyId=watched.account.keys.first)
    rival = watched.overwrite()
    told = watched.tell("document-update-call")
    assert told.result == "refused"
    assert watched.account.document() == rival
    assert (told.metrics["DriftFound"], told.metrics["RepairRefused"], told.metrics["KeyTrouble"]) == (1, 1, 1)
    kms.enable_key(KeyId=watched.account.keys.first)
    assert watched.tell("key-enable-call").result == "repaired"
    assert watched.account.document().key == watched.account.keys.first


def test_a_scheduled_deletion_is_an_alert_with_its_date(watched, kms):
    before = watched.written()
    deletion = kms.schedule_key_deletion(KeyId=watched.account.keys.first, PendingWindowInDays=30)["DeletionDate"]
    told = watched.tell("key-schedule-deletion-call")
    assert told.report["alert"] is True
    assert deletion.astimezone(UTC).strftime("%Y-%m-%d") in told.alerts
    assert (deletion - datetime.now(UTC)).days >= 29, "or the date would say little"
    assert told.metrics["KeyTrouble"] == 1
    assert watched.written() == before
    kms.cancel_key_deletion(KeyId=watched.account.keys.first)
    assert watched.tell("key-cancel-deletion-call").document["keyTrouble"] is True, "it is disabled now"
    kms.enable_key(KeyId=watched.account.keys.first)
    assert watched.tell("key-enable-call").report["alert"] is False


@pytest.mark.parametrize("name", GONE)
def test_a_key_that_goes_by_itself_is_an_alert(watched, kms, name):
    before = watched.written()
    kms.schedule_key_deletion(KeyId=watched.account.keys.first)
    told = watched.tell(name)
    assert told.report["source"] == ("keyCall" if name.endswith("service-event") else "keyEvent")
    assert told.report["alert"] is True
    assert told.metrics["KeyTrouble"] == 1
    assert watched.written() == before


def test_key_material_that_is_gone_is_an_alert_until_it_is_back(watched, kms):
    key, material = seed.make_key(watched.account.aws, "brought along", seed.key_policy(), Origin="EXTERNAL"), os.urandom(32)
    bring_material(kms, key, material)
    watched.ask(KmsKeyId=key, GrantKeyArns=f"{watched.account.keys.first},{watched.account.keys.second},{key}")
    before = watched.written()
    kms.delete_imported_key_material(KeyId=key)
    for name, source in (("key-delete-imported-material-call", "keyCall"), ("key-material-expiration-event", "keyEvent")):
        told = watched.tell(name, key)
        assert told.report["source"] == source
        assert told.document["keyTrouble"] is True
        assert "PendingImport" in told.alerts
        assert told.metrics["KeyTrouble"] == 1
    bring_material(kms, key, material)
    over = watched.tell("key-import-material-call", key)
    assert over.report["source"] == "keyCall"
    assert (over.document["keyTrouble"], over.report["alert"], over.metrics["KeyTrouble"]) == (False, False, 0)
    assert watched.written() == before


def test_a_call_that_a_topic_tells_of_is_an_alert_too(watched, kms):
    kms.disable_key(KeyId=watched.account.keys.first)
    told = watched.hand(enveloped(watched.event("key-disable-call")))
    assert (told.report["source"], told.report["by"]["principal"]) == ("keyCall", ALICE)
    assert (told.report["alert"], told.document["keyTrouble"], told.metrics["KeyTrouble"]) == (True, True, 1)


def test_a_finding_on_the_key_has_it_looked_at(watched, kms):
    event = watched.event("security-hub-imported")
    finding, = event["detail"]["findings"]
    finding["Resources"] = [{"Type": "AwsKmsKey", "Id": watched.account.keys.first, "Partition": "aws", "Region": "eu-west-1"}]
    assert watched.hand(event).document["keyTrouble"] is False
    kms.disable_key(KeyId=watched.account.keys.first)
    told = watched.hand(event)
    assert told.report["source"] == "securityHub"
    assert (told.report["alert"], told.document["keyTrouble"], told.metrics["KeyTrouble"]) == (True, True, 1)
    assert watched.account.keys.first in told.alerts


def test_an_event_on_another_key_concerns_no_document(watched, kms):
    kms.disable_key(KeyId=watched.account.keys.first)
    told = watched.tell("key-disable-call", watched.account.keys.signing)
    assert told.report["documents"] == []
    assert told.report["alert"] is False
    assert told.metrics["KeyTrouble"] == 0


def test_the_standby_key_stands_in_until_the_first_is_back(standing_by, kms):
    first, second = standing_by.account.keys.first, standing_by.account.keys.second
    before = standing_by.account.document()
    kms.disable_key(KeyId=first)
    told = standing_by.tell("key-disable-call")
    assert told.result == "standIn"
    assert (told.report["alert"], told.document["keyTrouble"]) == (True, True)
    assert first in told.alerts and second in told.alerts
    assert (told.metrics["KeyTrouble"], told.metrics["DriftFound"]) == (1, 0)
    now = standing_by.account.document()
    assert now.key == second
    assert now.version == now.latest
    assert now.keeps_all_of(before)
    assert standing_by.record()["watch"]["standsInFor"] == first
    kms.enable_key(KeyId=first)
    told = standing_by.tell("key-enable-call")
    assert (told.result, told.report["alert"]) == ("returned", False)
    now = standing_by.account.document()
    assert now.key == first
    assert now.keeps_all_of(before)
    assert "standsInFor" not in standing_by.record().get("watch", {})


def test_a_key_that_stands_in_is_kept_like_the_first(standing_by, kms):
    kms.schedule_key_deletion(KeyId=standing_by.account.keys.first)
    assert standing_by.tell("key-schedule-deletion-call").result == "standIn"
    before = standing_by.written()
    assert standing_by.tell("schedule").report["changed"] is False
    assert standing_by.written() == before, "it changes once"
    rival = standing_by.overwrite()
    assert standing_by.tell("document-update-call").result == "repaired"
    now = standing_by.account.document()
    assert now.key == standing_by.account.keys.second
    assert now.keeps_all_of(rival)


def test_a_standby_key_in_trouble_is_an_alert_before_it_is_needed(standing_by, kms):
    before = standing_by.written()
    kms.disable_key(KeyId=standing_by.account.keys.second)
    told = standing_by.tell("key-disable-call", standing_by.account.keys.second)
    assert standing_by.account.keys.second in told.alerts
    assert told.metrics["KeyTrouble"] == 1
    kms.disable_key(KeyId=standing_by.account.keys.first)
    told = standing_by.tell("key-disable-call")
    assert standing_by.account.keys.first in told.alerts
    assert told.report["changed"] is False
    assert standing_by.written() == before, "one key is as bad as the other"


def test_with_clear_encryption_is_off_until_the_key_is_back(shared, kms):
    shared.settle(OnKeyTrouble="Clear")
    before = shared.account.document()
    kms.disable_key(KeyId=shared.account.keys.first)
    told = shared.tell("key-disable-call")
    assert (told.result, told.report["alert"]) == ("cleared", True)
    now = shared.account.document()
    assert now.key == ""
    assert now.keeps_all_of(before)
    kms.enable_key(KeyId=shared.account.keys.first)
    assert shared.tell("key-enable-call").result == "returned"
    assert shared.account.document().key == shared.account.keys.first


def test_deleting_the_stack_while_a_key_stands_in_gives_the_first_setting_back(standing_by, kms):
    kms.disable_key(KeyId=standing_by.account.keys.first)
    assert standing_by.tell("key-disable-call").result == "standIn"
    # Whoever settles next gets another.
    assert standing_by.stack.delete() == "DELETE_COMPLETE"
    now = standing_by.account.document()
    assert now.key == ""
    assert now.content["inputs"]["idleSessionTimeout"] == seed.PREFERENCES["inputs"]["idleSessionTimeout"]
    assert standing_by.account.records() == {}
