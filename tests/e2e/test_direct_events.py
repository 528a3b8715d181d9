"""Unusual custom-resource events: duplicates, invented ids, late and forged events."""

import json
from typing import Any

import pytest

from local import seed
from tests.e2e.conftest import Account
from tests.e2e.direct import DOCUMENT, PHYSICAL_ID, Requests, in_sns_envelope


@pytest.fixture
def requests(account: Account) -> Requests:
    seed.seed_document(account.aws, name=DOCUMENT)
    return Requests(account.deploy(AdditionalDocuments="Team-*"))


def test_the_answer_has_every_attribute(account: Account, requests: Requests) -> None:
    answer = requests.send(requests.request("Create", {"KmsKeyId": seed.FIRST_ALIAS})).answer
    assert answer["PhysicalResourceId"] == PHYSICAL_ID
    assert answer["Data"] == {
        "KeyArn": account.keys.first, "KeyAccount": "123456789012", "DocumentName": DOCUMENT, "DocumentVersion": "2",
        "PreviousKmsKeyId": "", "Changed": "true", "Findings": answer["Data"]["Findings"],
    }
    assert "\n" not in answer["Data"]["Findings"]


def test_the_standby_key_is_an_attribute_if_there_is_one(account: Account, requests: Requests) -> None:
    standby = {"KmsKeyId": seed.FIRST_ALIAS, "OnKeyTrouble": "Standby", "StandbyKmsKeyId": seed.SECOND_ALIAS}
    answer = requests.send(requests.request("Create", standby)).answer
    assert answer["Data"]["StandbyKeyArn"] == account.keys.second


def test_a_request_through_a_topic_is_answered_at_its_address(account: Account, requests: Requests) -> None:
    event = requests.request("Create", {"KmsKeyId": account.keys.first})
    reply = requests.send_by_topic(event)
    assert reply.function_error is None
    assert reply.answer["Status"] == "SUCCESS"
    assert reply.answer["Data"]["KeyArn"] == account.keys.first
    assert account.document(DOCUMENT).key == account.keys.first
    text = "\n".join(requests.owner.logs()) + reply.payload
    for secret in ("X-Amz-Signature", event["ResponseURL"], "answers/"):
        assert secret not in text
    refused = requests.send_by_topic(requests.request("Update", {"KmsKeyId": account.keys.signing}, old={"KmsKeyId": account.keys.first}))
    assert refused.answer["Status"] == "FAILED"
    assert account.keys.signing in refused.answer["Reason"]


def test_a_direct_call_through_a_topic_gets_the_same_answer(account: Account, requests: Requests) -> None:
    requests.send(requests.request("Create", {"KmsKeyId": account.keys.first}))
    call = {"action": "status", "documentName": DOCUMENT}
    reply = requests.send_raw(in_sns_envelope(call))
    assert reply.function_error is None
    status = json.loads(reply.payload)
    assert status["command"] == "status"
    assert account.keys.first in reply.payload
    assert status == json.loads(requests.send_raw(call).payload)


def test_a_create_that_comes_twice_is_answered_twice_and_done_once(account: Account, requests: Requests) -> None:
    event = requests.request("Create", {"KmsKeyId": account.keys.first})
    first, second = requests.send(event), requests.send(event)
    assert first.answer["Status"] == second.answer["Status"] == "SUCCESS"
    assert first.answer["PhysicalResourceId"] == second.answer["PhysicalResourceId"]
    assert second.answer["Data"]["Changed"] == "false"
    assert second.answer["Data"]["PreviousKmsKeyId"] == first.answer["Data"]["PreviousKmsKeyId"] == ""
    assert account.document(DOCUMENT).latest == "2"


def test_a_delete_that_comes_twice_succeeds_twice(account: Account, requests: Requests) -> None:
    requests.send(requests.request("Create", {"KmsKeyId": account.keys.first}))
    event = requests.request("Delete", {"KmsKeyId": account.keys.first})
    assert [requests.send(event).answer["Status"] for _ in range(2)] == ["SUCCESS", "SUCCESS"]
    assert account.document(DOCUMENT).key == ""


def test_an_invented_id_before_anything_was_done(account: Account, requests: Requests) -> None:
    before = account.document(DOCUMENT)
    event = requests.request("Delete", {"KmsKeyId": account.keys.first}, physical_id="direct-SessionEncryption-1A2B3C4D5E6F")
    answer = requests.send(event).answer
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == "direct-SessionEncryption-1A2B3C4D5E6F"
    assert account.document(DOCUMENT) == before


def test_an_invented_id_after_the_create_undoes_it(account: Account, requests: Requests) -> None:
    requests.send(requests.request("Create", {"KmsKeyId": account.keys.first}))
    event = requests.request("Delete", {"KmsKeyId": account.keys.first}, physical_id="direct-SessionEncryption-1A2B3C4D5E6F")
    assert requests.send(event).answer["Status"] == "SUCCESS"
    assert account.document(DOCUMENT).key == ""


def test_the_delete_after_a_failed_create(account: Account, requests: Requests) -> None:
    before = account.document(DOCUMENT)
    failed = requests.send(requests.request("Create", {"KmsKeyId": account.keys.signing})).answer
    assert failed["Status"] == "FAILED"
    answer = requests.send(requests.request("Delete", {"KmsKeyId": account.keys.signing}, physical_id=failed["PhysicalResourceId"])).answer
    assert answer["Status"] == "SUCCESS"
    assert account.document(DOCUMENT) == before


def test_the_update_back_after_a_failed_update(account: Account, requests: Requests) -> None:
    good, bad = {"KmsKeyId": account.keys.first}, {"KmsKeyId": account.keys.signing}
    requests.send(requests.request("Create", good))
    failed = requests.send(requests.request("Update", bad, old=good)).answer
    assert failed["Status"] == "FAILED"
    assert failed["PhysicalResourceId"] == PHYSICAL_ID, "another id would make CloudFormation delete"
    back = requests.send(requests.request("Update", good, old=bad)).answer
    assert back["Status"] == "SUCCESS"
    assert back["PhysicalResourceId"] == PHYSICAL_ID
    assert account.document(DOCUMENT).key == account.keys.first


def test_a_delete_with_properties_of_another_schema(account: Account, requests: Requests) -> None:
    requests.send(requests.request("Create", {"KmsKeyId": account.keys.first}))
    event = requests.request("Delete", {"KeyArn": "x", "Safeguard": {"of": ["another", "version"]}})
    assert requests.send(event).answer["Status"] == "SUCCESS"
    assert account.document(DOCUMENT).key == ""


def test_an_event_with_an_expired_answer_address_does_nothing(account: Account, requests: Requests) -> None:
    event = requests.request("Create", {"KmsKeyId": account.keys.first})
    date = event["ResponseURL"].split("X-Amz-Date=")[1][:16]
    event["ResponseURL"] = event["ResponseURL"].replace(date, "20240101T000000Z")
    before = account.document(DOCUMENT)
    reply = requests.send(event)
    assert reply.answer is None
    assert reply.function_error is None, "a retry would be late too"
    assert account.document(DOCUMENT) == before


def test_a_forged_event_sends_its_answer_nowhere(account: Account, requests: Requests) -> None:
    event = requests.request("Create", {"KmsKeyId": account.keys.first})
    event["ResponseURL"] = "https://answers.example.com/take?X-Amz-Signature=5ec4e7"
    before = account.document(DOCUMENT)
    reply = requests.send(event)
    assert reply.function_error
    assert "5ec4e7" not in reply.payload
    assert account.document(DOCUMENT) == before


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"KmsKeyId": "alias/aws/ssm"}, "KmsKeyId"),
        ({}, "KmsKeyId"),
        ({"KmsKeyId": "alias/session-manager", "Encryption": "On"}, "Encryption"),
        ({"KmsKeyId": "alias/session-manager", "OnDelete": "restore "}, "OnDelete"),
        ({"KmsKeyId": "alias/session-manager", "OnConflict": "Maybe"}, "OnConflict"),
        ({"KmsKeyId": "alias/session-manager", "DocumentName": "no spaces please"}, "DocumentName"),
        ({"KmsKeyId": ["alias/session-manager"]}, "KmsKeyId"),
        ({"KmsKeyId": "alias/session-manager", "Encryption": "Disabled"}, "KmsKeyId"),
        ({"KmsKeyId": "alias/session-manager", "PreFlight": "Strict"}, "PreFlight"),
    ],
)
def test_a_wrong_property_is_named_in_the_answer(account: Account, requests: Requests, properties: Any, named: str) -> None:
    before = account.document(DOCUMENT)
    answer = requests.send(requests.request("Create", properties)).answer
    assert answer["Status"] == "FAILED"
    assert named in answer["Reason"]
    assert account.document(DOCUMENT) == before


def test_a_request_that_cannot_be_read_is_answered(requests: Requests) -> None:
    event = requests.request("Create", {"KmsKeyId": "alias/session-manager"})
    event["ResourceProperties"] = "none"
    answer = requests.send(event).answer
    assert answer["Status"] == "FAILED"
    assert "ResourceProperties" in answer["Reason"]


@pytest.mark.parametrize("event", [{}, [], "text", {"source": "aws.nothing", "detail": {}}])
def test_an_unknown_event_is_an_error(requests: Requests, event: Any) -> None:
    reply = requests.send_raw(event)
    assert reply.function_error
