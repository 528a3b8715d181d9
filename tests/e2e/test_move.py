"""A document moves to another function: the record and the key from before stay, and the document never changes.

CloudFormation refuses an update of a ServiceToken, so the function of a resource can only be changed by a second resource
that takes over the document while the first one goes.
"""

import json
from typing import Any

import pytest

from local import seed
from local.stacks import Stack
from tests.e2e.conftest import Account
from tests.e2e.events import sample, send

DOCUMENT = "Team-A"
RECORD = f"/session-kms/{DOCUMENT}"


def consumer_template(account: Account, function: Stack, logical_id: str, **more: Any) -> dict[str, Any]:
    """A stack's template with one resource, by the function of a stack, for a document of its own."""
    properties = {"ServiceToken": {"Fn::ImportValue": f"{function.name}-FunctionArn"}, "ServiceTimeout": 60, "DocumentName": DOCUMENT}
    return {
        "Resources": {logical_id: {"Type": "Custom::SessionEncryption", "Properties": properties | {"KmsKeyId": account.keys.first} | more}},
        "Outputs": {"PreviousKmsKeyId": {"Value": {"Fn::GetAtt": [logical_id, "PreviousKmsKeyId"]}}},
    }


@pytest.fixture
def functions(account: Account) -> list[Stack]:
    """Two stacks of the template, whose functions may manage further documents."""
    return [account.deploy(AdditionalDocuments="Team-*"), account.deploy(AdditionalDocuments="Team-*", DocumentName="Second-Sessions", CreateDocument="true")]


@pytest.fixture
def consumer(account: Account, functions: list[Stack]) -> Stack:
    """A stack whose document had another key before, by the first function."""
    inputs = seed.PREFERENCES["inputs"] | {"kmsKeyId": account.keys.second}
    seed.seed_document(account.aws, seed.PREFERENCES | {"inputs": inputs}, name=DOCUMENT)
    stack = Stack(account.aws, "consumer", json.dumps(consumer_template(account, functions[0], "SessionEncryption")))
    assert stack.create() == "CREATE_COMPLETE", stack.failures()
    assert stack.outputs()["PreviousKmsKeyId"] == account.keys.second
    return stack


def record(account: Account) -> dict[str, Any]:
    return json.loads(account.records()[RECORD])


def test_a_consumer_moves_to_another_function_with_its_record(account: Account, functions: list[Stack], consumer: Stack) -> None:
    before, record_before = account.document(DOCUMENT), record(account)
    moved = consumer_template(account, functions[1], "SessionEncryptionBySecond", OnConflict="TakeOver", OnDelete="Restore")
    assert consumer.update(json.dumps(moved)) == "UPDATE_COMPLETE", consumer.failures()
    assert account.document(DOCUMENT) == before, "there is no new version, so no session began with another key"
    assert consumer.outputs()["PreviousKmsKeyId"] == account.keys.second
    now = record(account)
    assert "SessionEncryptionBySecond" in json.dumps(now)
    assert '"SessionEncryption"' in json.dumps(record_before)
    assert '"SessionEncryption"' not in json.dumps(now), "the first resource owns nothing any more"
    assert [line for line in functions[0].logs() if "nothing was changed" in line], "the first function was asked to delete and did nothing"
    # Without TakeOver the resource is an owner as any other.
    kept = consumer_template(account, functions[1], "SessionEncryptionBySecond", OnDelete="Restore")
    assert consumer.update(json.dumps(kept)) == "UPDATE_COMPLETE", consumer.failures()
    assert account.document(DOCUMENT) == before
    assert consumer.delete() == "DELETE_COMPLETE"
    assert account.document(DOCUMENT).key == account.keys.second, "the key from before the first function"
    assert RECORD not in account.records()


def test_the_first_function_can_go_after_the_move(account: Account, functions: list[Stack], consumer: Stack) -> None:
    moved = consumer_template(account, functions[1], "SessionEncryptionBySecond", OnConflict="TakeOver")
    assert consumer.update(json.dumps(moved)) == "UPDATE_COMPLETE", consumer.failures()
    assert functions[0].delete() == "DELETE_COMPLETE"
    assert account.document(DOCUMENT).key == account.keys.first
    content = account.document(DOCUMENT).content
    content["inputs"]["kmsKeyId"] = ""
    ssm = account.aws.client("ssm")
    version = ssm.update_document(Name=DOCUMENT, Content=json.dumps(content), DocumentFormat="JSON", DocumentVersion="$LATEST")
    ssm.update_document_default_version(Name=DOCUMENT, DocumentVersion=version["DocumentDescription"]["DocumentVersion"])
    send(functions[1], sample("document-update-call", functions[1], account.keys.first, document=DOCUMENT))
    assert account.document(DOCUMENT).key == account.keys.first, "the second function repairs it now"


def test_a_move_without_take_over_is_refused_and_changes_nothing(account: Account, functions: list[Stack], consumer: Stack) -> None:
    before, record_before = account.document(DOCUMENT), record(account)
    moved = consumer_template(account, functions[1], "SessionEncryptionBySecond")
    assert consumer.update(json.dumps(moved)) == "UPDATE_ROLLBACK_COMPLETE"
    assert account.document(DOCUMENT) == before
    assert record(account) == record_before


def test_a_move_that_is_rolled_back_leaves_the_key_if_the_second_resource_retains_it(account: Account, functions: list[Stack], consumer: Stack) -> None:
    """A rollback deletes the second resource, which owns the document by then. So a move changes nothing else."""
    before = account.document(DOCUMENT)
    moved = consumer_template(account, functions[1], "SessionEncryptionBySecond", OnConflict="TakeOver", OnDelete="Retain")
    fails = consumer_template(account, functions[1], "Fails", NoSuchProperty="x")["Resources"]["Fails"]
    moved["Resources"]["Fails"] = fails | {"DependsOn": "SessionEncryptionBySecond"}
    assert consumer.update(json.dumps(moved)).startswith("UPDATE_ROLLBACK_")
    assert account.document(DOCUMENT) == before
    assert RECORD not in account.records()
    # The first resource is in the stack again, and a request makes it the owner again.
    again = consumer_template(account, functions[0], "SessionEncryption", Revision="2")
    assert consumer.update(json.dumps(again)) == "UPDATE_COMPLETE", consumer.failures()
    assert account.document(DOCUMENT) == before
    assert '"SessionEncryption"' in json.dumps(record(account))


def test_a_move_in_three_updates_needs_no_two_resources_at_once(account: Account, functions: list[Stack], consumer: Stack) -> None:
    """For the case that CloudFormation refuses two resources of a stack with the same physical id."""
    before, record_before = account.document(DOCUMENT), record(account)
    kept = consumer_template(account, functions[0], "SessionEncryption", OnDelete="Retain", Revision="2")
    kept["Resources"]["SessionEncryption"]["DeletionPolicy"] = "Retain"
    assert consumer.update(json.dumps(kept)) == "UPDATE_COMPLETE", consumer.failures()
    assert consumer.update(json.dumps({"Resources": {"Wait": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})) == "UPDATE_COMPLETE"
    assert record(account)["owner"] == record_before["owner"], "the record still has its owner, which CloudFormation has forgotten"
    moved = consumer_template(account, functions[1], "SessionEncryptionBySecond", OnConflict="TakeOver", OnDelete="Restore")
    assert consumer.update(json.dumps(moved)) == "UPDATE_COMPLETE", consumer.failures()
    assert consumer.outputs()["PreviousKmsKeyId"] == account.keys.second
    assert account.document(DOCUMENT) == before
    assert consumer.delete() == "DELETE_COMPLETE"
    assert account.document(DOCUMENT).key == account.keys.second


def test_the_preferences_move_to_another_stack_of_the_template(account: Account) -> None:
    account.set_by_hand(kmsKeyId=account.keys.second)
    first = account.deploy()
    before = account.document()
    second = account.deploy(OnConflict="TakeOver")
    assert account.document() == before
    assert second.outputs()["PreviousKmsKeyId"] == account.keys.second
    # The rules of the first stack still invoke its function, which keeps what the record of the second one wants.
    for name in ("document-update-call", "schedule"):
        report = send(first, sample(name, first, account.keys.first))
        assert not report["alert"], report
    assert account.document() == before
    assert first.delete() == "DELETE_COMPLETE"
    assert account.document() == before
    assert second.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.second
