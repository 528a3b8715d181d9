"""Stacks of the shipped template: the key set, changed, refused, cleared and given back."""

import pytest

from local import seed

ABSENT_KEY = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"


def test_create_sets_the_key_and_nothing_else(account):
    original = account.document()
    stack = account.deploy()
    now = account.document()
    assert now.key == account.keys.first
    assert now.keeps_all_of(original)
    assert now.version == now.latest == "2"
    outputs = stack.outputs()
    assert outputs["KeyArn"] == account.keys.first
    assert outputs["DocumentName"] == seed.DOCUMENT
    assert outputs["DocumentVersion"] == now.version
    assert outputs["PreviousKmsKeyId"] == ""
    assert stack.resource("SessionEncryption")["PhysicalResourceId"] == f"session-kms:123456789012:eu-west-1:{seed.DOCUMENT}"
    assert list(account.records()) == [f"/session-kms/{seed.DOCUMENT}"]


@pytest.mark.parametrize("reference", ["arn", "id", "alias", "alias-arn"])
def test_every_way_to_name_a_key_writes_its_arn(account, reference):
    name = {
        "arn": account.keys.first,
        "id": account.keys.first.rsplit("/", 1)[1],
        "alias": seed.FIRST_ALIAS,
        "alias-arn": f"arn:aws:kms:eu-west-1:123456789012:{seed.FIRST_ALIAS}",
    }[reference]
    stack = account.deploy(KmsKeyId=name)
    assert account.document().key == account.keys.first
    assert stack.outputs()["KeyArn"] == account.keys.first


def test_a_document_is_created_where_there_is_none(bare):
    bare.deploy()
    now = bare.document()
    assert now.key == bare.keys.first
    # All fields, as the console writes them.
    assert set(now.content) == {"schemaVersion", "description", "sessionType", "inputs"}
    assert set(now.content["inputs"]) == set(seed.PREFERENCES["inputs"]) - {"x-internal-ticket"}


def test_update_changes_the_key_in_place(account):
    original = account.document()
    stack = account.deploy()
    known = stack.resource("SessionEncryption")["PhysicalResourceId"]
    assert stack.update(KmsKeyId=account.keys.second) == "UPDATE_COMPLETE"
    now = account.document()
    assert now.key == account.keys.second
    assert now.keeps_all_of(original)
    assert stack.outputs()["PreviousKmsKeyId"] == "", "the key before the stack, not the one before the update"
    assert stack.resource("SessionEncryption")["PhysicalResourceId"] == known, "no replacement, so no Delete follows"


def test_there_and_back_again_takes_effect_each_time(account):
    stack = account.deploy()
    for key in (account.keys.second, account.keys.first, account.keys.second, account.keys.first):
        assert stack.update(KmsKeyId=key) == "UPDATE_COMPLETE", stack.failures()
        now = account.document()
        assert now.key == key
        assert now.version == now.latest


def test_a_new_revision_repairs_what_was_changed_by_hand_and_keeps_what_is_not_ours(account):
    stack = account.deploy()
    account.set_by_hand(kmsKeyId="", idleSessionTimeout=5)
    assert stack.update(Revision="2") == "UPDATE_COMPLETE"
    now = account.document()
    assert now.key == account.keys.first
    assert now.content["inputs"]["idleSessionTimeout"] == 5


def test_a_new_revision_writes_nothing_where_nothing_differs(account):
    stack = account.deploy()
    version = account.document().latest
    assert stack.update(Revision="2") == "UPDATE_COMPLETE"
    assert account.document().latest == version


@pytest.mark.parametrize("wrong", ["signing", "absent", "disabled", "pending-deletion", "other-region"])
def test_an_update_to_an_unfit_key_rolls_back_and_says_why(account, wrong):
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
    assert now.keeps_all_of(original)


def test_a_failed_create_leaves_the_document_alone(account):
    original = account.document()
    stack = account.stack(KmsKeyId=account.keys.signing)
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert account.document().text == original.text
    assert account.document().latest == original.latest
    assert account.records() == {}


def test_restore_gives_back_the_key_that_was_there_before(account):
    account.set_by_hand(kmsKeyId=account.keys.second)
    original = account.document()
    stack = account.deploy()
    assert stack.outputs()["PreviousKmsKeyId"] == account.keys.second
    assert stack.delete() == "DELETE_COMPLETE"
    now = account.document()
    assert now.key == account.keys.second
    assert now.keeps_all_of(original)
    assert now.version == now.latest
    assert account.records() == {}


@pytest.mark.parametrize("before", ["", None], ids=["empty", "absent"])
def test_restore_gives_back_encryption_off(bare, before):
    inputs = seed.PREFERENCES["inputs"] | {"kmsKeyId": before}
    if before is None:
        del inputs["kmsKeyId"]
    seed.seed_document(bare.aws, seed.PREFERENCES | {"inputs": inputs})
    original = bare.document()
    stack = bare.deploy()
    assert stack.delete() == "DELETE_COMPLETE"
    assert not bare.document().key
    assert bare.document().keeps_all_of(original)


def test_clear_turns_encryption_off_whatever_was_before(account):
    account.set_by_hand(kmsKeyId=account.keys.second)
    original = account.document()
    stack = account.deploy(OnDelete="Clear")
    assert stack.delete() == "DELETE_COMPLETE"
    now = account.document()
    assert now.key == ""
    assert now.keeps_all_of(original)
    assert account.records() == {}


def test_retain_leaves_the_key_set(account):
    stack = account.deploy(OnDelete="Retain")
    version = account.document().latest
    assert stack.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.first
    assert account.document().latest == version
    assert account.records() == {}


def test_the_way_to_delete_can_be_changed_later(account):
    account.set_by_hand(kmsKeyId=account.keys.second)
    stack = account.deploy(OnDelete="Retain")
    assert stack.update(OnDelete="Restore") == "UPDATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.second


def test_delete_leaves_alone_what_somebody_changed_since(account):
    stack = account.deploy()
    account.set_by_hand(kmsKeyId=account.keys.second)
    assert stack.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.second


def test_delete_succeeds_where_the_document_is_gone(account):
    stack = account.deploy()
    account.aws.client("ssm").delete_document(Name=seed.DOCUMENT)
    assert stack.delete() == "DELETE_COMPLETE"
    assert account.documents() == []
    assert account.records() == {}


def test_a_stack_can_be_deleted_and_created_again(account):
    original = account.document()
    for _ in range(2):
        stack = account.deploy()
        assert account.document().key == account.keys.first
        assert stack.delete() == "DELETE_COMPLETE"
        assert account.document().key == ""
        assert account.document().keeps_all_of(original)


def test_disabled_clears_the_key_and_says_what_that_costs(account):
    account.set_by_hand(kmsKeyId=account.keys.second)
    stack = account.deploy(Encryption="Disabled")
    assert account.document().key == ""
    assert "KeyArn" not in stack.outputs()
    assert "password reset" in "\n".join(stack.logs())
    assert stack.update(Encryption="Enabled", KmsKeyId=account.keys.first) == "UPDATE_COMPLETE", stack.failures()
    assert account.document().key == account.keys.first
    assert stack.update(Encryption="Disabled", KmsKeyId="") == "UPDATE_COMPLETE", stack.failures()
    assert account.document().key == ""


def test_a_key_created_by_the_stack(account):
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


def test_from_a_given_key_to_one_of_the_stack_and_back(account):
    stack = account.deploy()
    assert stack.update(KmsKeyId="", CreateKey="true") == "UPDATE_COMPLETE", stack.failures()
    created = account.document().key
    assert created not in (account.keys.first, "")
    assert stack.update(KmsKeyId=account.keys.first, CreateKey="false") == "UPDATE_COMPLETE", stack.failures()
    assert account.document().key == account.keys.first
    assert account.aws.client("kms").describe_key(KeyId=created)["KeyMetadata"]["KeyState"] == "Enabled"


def test_another_document_name_gives_the_old_document_back(account):
    original = account.document()
    stack = account.deploy()
    assert stack.update(DocumentName="Team-Sessions", AdditionalDocuments=seed.DOCUMENT) == "UPDATE_COMPLETE", stack.failures()
    assert account.document("Team-Sessions").key == account.keys.first
    assert account.document().key == ""
    assert account.document().keeps_all_of(original)
    assert list(account.records()) == ["/session-kms/Team-Sessions"]


def test_a_document_written_in_yaml_stays_yaml(bare):
    ssm = bare.aws.client("ssm")
    text = 'schemaVersion: "1.0"\n# who may do what: see the wiki\ndescription: ours\nsessionType: Standard_Stream\ninputs:\n  s3BucketName: logs\n  kmsKeyId: ""\n  idleSessionTimeout: 20\n'
    ssm.create_document(Name=seed.DOCUMENT, DocumentType="Session", DocumentFormat="YAML", Content=text)
    bare.deploy()
    answer = ssm.get_document(Name=seed.DOCUMENT, DocumentFormat="YAML")
    assert answer["DocumentFormat"] == "YAML"
    assert f'kmsKeyId: {bare.keys.first}' in answer["Content"].replace('"', "").replace("'", "")
    assert "# who may do what: see the wiki" in answer["Content"]
    assert "idleSessionTimeout: 20" in answer["Content"]


def test_a_document_that_is_none_of_ours_to_edit_is_refused(bare):
    inputs = seed.PREFERENCES["inputs"] | {"kmsKeyId": "{{ key }}"}
    seed.seed_document(bare.aws, seed.PREFERENCES | {"inputs": inputs})
    before = bare.document()
    stack = bare.stack()
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert "kmsKeyId" in " ".join(stack.failures())
    assert bare.document().text == before.text
