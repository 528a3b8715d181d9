"""Stacks of the shipped template: they set, change, refuse, clear and restore the key."""

from typing import Any

import pytest

from local import seed
from tests.e2e.conftest import Account

ABSENT_KEY = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"


def test_create_sets_the_key_and_nothing_else(account: Account) -> None:
    original = account.document()
    stack = account.deploy()
    now = account.document()
    assert now.key == account.keys.first
    assert now.keeps_settings_of(original)
    assert now.version == now.latest == "2"
    outputs = stack.outputs()
    assert outputs["KeyArn"] == account.keys.first
    assert outputs["DocumentName"] == seed.DOCUMENT
    assert outputs["LogGroupName"] == stack.resource("FunctionLogGroup")["PhysicalResourceId"]
    assert outputs["DocumentVersion"] == now.version
    assert outputs["PreviousKmsKeyId"] == ""
    assert stack.resource("SessionEncryption")["PhysicalResourceId"] == f"session-kms:123456789012:eu-west-1:{seed.DOCUMENT}"
    assert list(account.records()) == [f"/session-kms/{seed.DOCUMENT}"]


@pytest.mark.parametrize("reference", ["arn", "id", "alias", "alias-arn"])
def test_every_form_of_a_key_reference_writes_the_arn(account: Account, reference: str) -> None:
    name = {
        "arn": account.keys.first,
        "id": account.keys.first.rsplit("/", 1)[1],
        "alias": seed.FIRST_ALIAS,
        "alias-arn": f"arn:aws:kms:eu-west-1:123456789012:{seed.FIRST_ALIAS}",
    }[reference]
    stack = account.deploy(KmsKeyId=name)
    assert account.document().key == account.keys.first
    assert stack.outputs()["KeyArn"] == account.keys.first


def test_a_missing_document_is_created(account_without_document: Account) -> None:
    account_without_document.deploy()
    now = account_without_document.document()
    assert now.key == account_without_document.keys.first
    # The new document has all fields that the console writes.
    assert set(now.content) == {"schemaVersion", "description", "sessionType", "inputs"}
    assert set(now.content["inputs"]) == set(seed.PREFERENCES["inputs"]) - {"x-internal-ticket"}


def test_update_changes_the_key_in_place(account: Account) -> None:
    original = account.document()
    stack = account.deploy()
    physical_id = stack.resource("SessionEncryption")["PhysicalResourceId"]
    assert stack.update(KmsKeyId=account.keys.second) == "UPDATE_COMPLETE"
    now = account.document()
    assert now.key == account.keys.second
    assert now.keeps_settings_of(original)
    assert stack.outputs()["PreviousKmsKeyId"] == "", "the key before the stack, not before the update"
    assert stack.resource("SessionEncryption")["PhysicalResourceId"] == physical_id, "there was no replacement, so no Delete follows"


def test_changing_the_key_back_and_forth_takes_effect_each_time(account: Account) -> None:
    stack = account.deploy()
    for key in (account.keys.second, account.keys.first, account.keys.second, account.keys.first):
        assert stack.update(KmsKeyId=key) == "UPDATE_COMPLETE", stack.failures()
        now = account.document()
        assert now.key == key
        assert now.version == now.latest


def test_a_new_revision_repairs_the_key_and_keeps_other_settings_changed_by_hand(account: Account) -> None:
    stack = account.deploy()
    account.set_by_hand(kmsKeyId="", idleSessionTimeout=5)
    assert stack.update(Revision="2") == "UPDATE_COMPLETE"
    now = account.document()
    assert now.key == account.keys.first
    assert now.content["inputs"]["idleSessionTimeout"] == 5


def test_a_new_revision_writes_nothing_if_nothing_differs(account: Account) -> None:
    stack = account.deploy()
    version = account.document().latest
    assert stack.update(Revision="2") == "UPDATE_COMPLETE"
    assert account.document().latest == version


@pytest.mark.parametrize("wrong", ["signing", "absent", "disabled", "pending-deletion", "other-region"])
def test_an_update_to_an_unfit_key_rolls_back_and_says_why(account: Account, wrong: Any) -> None:
    kms = account.aws.client("kms")
    original = account.document()
    key, why = {
        "signing": (account.keys.signing, ["SIGN_VERIFY"]),
        "absent": (ABSENT_KEY, ["finds no key"]),
        "disabled": (account.keys.second, ["Disabled", "disabled"]),
        "pending-deletion": (account.keys.second, ["PendingDeletion"]),
        "other-region": (account.keys.second.replace("eu-west-1", "us-east-1"), ["us-east-1"]),
    }[wrong]
    if wrong == "disabled":
        kms.disable_key(KeyId=key)
    if wrong == "pending-deletion":
        kms.schedule_key_deletion(KeyId=key)
    stack = account.deploy()
    known = len(stack.events())
    assert stack.update(KmsKeyId=key) == "UPDATE_ROLLBACK_COMPLETE"
    reason = " ".join(stack.failures(known))
    assert key in reason
    assert any(word in reason for word in why), reason
    now = account.document()
    assert now.key == account.keys.first
    assert now.keeps_settings_of(original)


def test_a_failed_create_leaves_the_document_alone(account: Account) -> None:
    original = account.document()
    stack = account.stack(KmsKeyId=account.keys.signing)
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert account.document().text == original.text
    assert account.document().latest == original.latest
    assert account.records() == {}


def test_restore_restores_the_key_from_before(account: Account) -> None:
    account.set_by_hand(kmsKeyId=account.keys.second)
    original = account.document()
    stack = account.deploy()
    assert stack.outputs()["PreviousKmsKeyId"] == account.keys.second
    assert stack.delete() == "DELETE_COMPLETE"
    now = account.document()
    assert now.key == account.keys.second
    assert now.keeps_settings_of(original)
    assert now.version == now.latest
    assert account.records() == {}


@pytest.mark.parametrize("before", ["", None], ids=["empty", "absent"])
def test_restore_turns_encryption_off_if_it_was_off(account_without_document: Account, before: Any) -> None:
    inputs = seed.PREFERENCES["inputs"] | {"kmsKeyId": before}
    if before is None:
        del inputs["kmsKeyId"]
    seed.seed_document(account_without_document.aws, seed.PREFERENCES | {"inputs": inputs})
    original = account_without_document.document()
    stack = account_without_document.deploy()
    assert stack.delete() == "DELETE_COMPLETE"
    assert not account_without_document.document().key
    assert account_without_document.document().keeps_settings_of(original)


def test_clear_turns_encryption_off_even_if_there_was_a_key_before(account: Account) -> None:
    account.set_by_hand(kmsKeyId=account.keys.second)
    original = account.document()
    stack = account.deploy(OnDelete="Clear")
    assert stack.delete() == "DELETE_COMPLETE"
    now = account.document()
    assert now.key == ""
    assert now.keeps_settings_of(original)
    assert account.records() == {}


def test_retain_leaves_the_key_set(account: Account) -> None:
    stack = account.deploy(OnDelete="Retain")
    version = account.document().latest
    assert stack.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.first
    assert account.document().latest == version
    assert account.records() == {}


def test_on_delete_can_be_changed_later(account: Account) -> None:
    account.set_by_hand(kmsKeyId=account.keys.second)
    stack = account.deploy(OnDelete="Retain")
    assert stack.update(OnDelete="Restore") == "UPDATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.second


def test_delete_leaves_alone_a_key_that_somebody_changed_since(account: Account) -> None:
    stack = account.deploy()
    account.set_by_hand(kmsKeyId=account.keys.second)
    assert stack.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.second


def test_delete_succeeds_if_the_document_is_gone(account: Account) -> None:
    stack = account.deploy()
    account.aws.client("ssm").delete_document(Name=seed.DOCUMENT)
    assert stack.delete() == "DELETE_COMPLETE"
    assert account.documents() == []
    assert account.records() == {}


def test_a_stack_can_be_deleted_and_created_again(account: Account) -> None:
    original = account.document()
    for _ in range(2):
        stack = account.deploy()
        assert account.document().key == account.keys.first
        assert stack.delete() == "DELETE_COMPLETE"
        assert account.document().key == ""
        assert account.document().keeps_settings_of(original)


def test_disabled_clears_the_key_and_logs_the_consequence(account: Account) -> None:
    account.set_by_hand(kmsKeyId=account.keys.second)
    stack = account.deploy(Encryption="Disabled")
    assert account.document().key == ""
    assert "KeyArn" not in stack.outputs()
    assert "password reset" in "\n".join(stack.logs())
    assert stack.update(Encryption="Enabled", KmsKeyId=account.keys.first) == "UPDATE_COMPLETE", stack.failures()
    assert account.document().key == account.keys.first
    assert stack.update(Encryption="Disabled", KmsKeyId="") == "UPDATE_COMPLETE", stack.failures()
    assert account.document().key == ""


def test_a_key_created_by_the_stack(account: Account) -> None:
    kms = account.aws.client("kms")
    stack = account.deploy(CreateKey="true")
    key = account.document().key
    assert stack.outputs()["KeyArn"] == key
    assert key == stack.resource("Key")["PhysicalResourceId"] or key.endswith(stack.resource("Key")["PhysicalResourceId"])
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert kms.describe_key(KeyId=f"alias/{stack.name}/session-manager")["KeyMetadata"]["Arn"] == key
    assert stack.delete() == "DELETE_COMPLETE"
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled", "the key outlives the stack"
    assert account.document().key == ""


def test_from_a_given_key_to_one_of_the_stack_and_back(account: Account) -> None:
    stack = account.deploy()
    assert stack.update(KmsKeyId="", CreateKey="true") == "UPDATE_COMPLETE", stack.failures()
    created = account.document().key
    assert created not in (account.keys.first, "")
    assert stack.update(KmsKeyId=account.keys.first, CreateKey="false") == "UPDATE_COMPLETE", stack.failures()
    assert account.document().key == account.keys.first
    assert account.aws.client("kms").describe_key(KeyId=created)["KeyMetadata"]["KeyState"] == "Enabled"


def test_another_document_name_restores_the_old_document(account: Account) -> None:
    original = account.document()
    stack = account.deploy()
    moved = {"DocumentName": "Team-Sessions", "AdditionalDocuments": seed.DOCUMENT}
    assert stack.update(**moved) == "UPDATE_ROLLBACK_COMPLETE", "a name that is mistyped is refused"
    assert "document Team-Sessions does not exist" in stack.failures()[0]
    assert account.document().key == account.keys.first
    assert stack.update(**moved, CreateDocument="true") == "UPDATE_COMPLETE", stack.failures()
    assert account.document("Team-Sessions").key == account.keys.first
    assert account.document().key == ""
    assert account.document().keeps_settings_of(original)
    assert list(account.records()) == ["/session-kms/Team-Sessions"]


def test_a_document_written_in_yaml_stays_yaml(account_without_document: Account) -> None:
    ssm = account_without_document.aws.client("ssm")
    text = (
        'schemaVersion: "1.0"\n# who may do what: see the wiki\ndescription: ours\nsessionType: Standard_Stream\n'
        'inputs:\n  s3BucketName: logs\n  kmsKeyId: ""\n  idleSessionTimeout: 20\n'
    )
    ssm.create_document(Name=seed.DOCUMENT, DocumentType="Session", DocumentFormat="YAML", Content=text)
    account_without_document.deploy()
    answer = ssm.get_document(Name=seed.DOCUMENT, DocumentFormat="YAML")
    assert answer["DocumentFormat"] == "YAML"
    assert f'kmsKeyId: {account_without_document.keys.first}' in answer["Content"].replace('"', "").replace("'", "")
    assert "# who may do what: see the wiki" in answer["Content"]
    assert "idleSessionTimeout: 20" in answer["Content"]


def test_a_document_with_a_parameterised_key_is_refused(account_without_document: Account) -> None:
    inputs = seed.PREFERENCES["inputs"] | {"kmsKeyId": "{{ key }}"}
    seed.seed_document(account_without_document.aws, seed.PREFERENCES | {"inputs": inputs})
    before = account_without_document.document()
    stack = account_without_document.stack()
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert "kmsKeyId" in " ".join(stack.failures())
    assert account_without_document.document().text == before.text
