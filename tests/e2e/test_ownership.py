"""Several stacks: the exported function, two stacks for one document, and TakeOver."""

from local import seed
from tests.e2e.conftest import Account


def test_another_stack_uses_the_exported_function(account: Account) -> None:
    owner = account.deploy(AdditionalDocuments="Team-*")
    seed.seed_document(account.aws, name="Team-A")
    original = account.document("Team-A")
    importer = account.importing_stack(owner, KmsKeyId=account.keys.second, DocumentName="Team-A")
    assert importer.create() == "CREATE_COMPLETE", importer.failures()
    assert account.document("Team-A").key == account.keys.second
    assert account.document().key == account.keys.first
    assert sorted(account.records()) == [f"/session-kms/{seed.DOCUMENT}", "/session-kms/Team-A"]
    assert importer.delete() == "DELETE_COMPLETE"
    assert account.document("Team-A").key == ""
    assert account.document("Team-A").keeps_settings_of(original)
    assert account.document().key == account.keys.first


def test_a_second_stack_fails_naming_the_first(account: Account) -> None:
    owner = account.deploy()
    second = account.stack(KmsKeyId=account.keys.second)
    assert second.create() == "ROLLBACK_COMPLETE"
    assert owner.name in " ".join(second.failures())
    assert account.document().key == account.keys.first
    # Deleting the second stack must not change the first one's document.
    assert second.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.first
    assert owner.update(Revision="2") == "UPDATE_COMPLETE"


def test_a_second_stack_takes_over_if_its_parameters_say_so(account: Account) -> None:
    owner = account.deploy()
    second = account.deploy(KmsKeyId=account.keys.second, OnConflict="TakeOver")
    assert account.document().key == account.keys.second
    # Deleting the first stack must not change what the second one owns now.
    assert owner.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.second
    assert second.delete() == "DELETE_COMPLETE"
    assert account.records() == {}


def test_the_first_stack_is_refused_after_a_take_over(account: Account) -> None:
    owner = account.deploy()
    second = account.deploy(KmsKeyId=account.keys.second, OnConflict="TakeOver")
    known = len(owner.events())
    # The rollback is refused too, because the stack does not own the document any more.
    assert owner.update(Revision="2").startswith("UPDATE_ROLLBACK_")
    assert second.name in " ".join(owner.failures(known))
    assert account.document().key == account.keys.second
    assert owner.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.second


def test_two_importing_stacks_of_one_document(account: Account) -> None:
    owner = account.deploy(AdditionalDocuments="Team-*")
    seed.seed_document(account.aws, name="Team-A")
    first = account.importing_stack(owner, KmsKeyId=account.keys.second, DocumentName="Team-A")
    assert first.create() == "CREATE_COMPLETE"
    second = account.importing_stack(owner, KmsKeyId=account.keys.first, DocumentName="Team-A")
    assert second.create() == "ROLLBACK_COMPLETE"
    assert first.name in " ".join(second.failures())
    assert account.document("Team-A").key == account.keys.second


def test_a_misspelt_safeguard_fails_the_stack(account: Account) -> None:
    owner = account.deploy(AdditionalDocuments="Team-*")
    importer = account.importing_stack(owner, KmsKeyId=account.keys.second, DocumentName="Team-A", OnDelet="Retain")
    assert importer.create() == "ROLLBACK_COMPLETE"
    assert "OnDelet" in " ".join(importer.failures())
    assert account.documents() == [seed.DOCUMENT]
