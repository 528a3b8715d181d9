"""Several stacks and one document: the exported function, conflicts, taking over."""

from local import seed


def test_another_stack_uses_the_exported_function(account):
    owner = account.deploy(AdditionalDocuments="Team-*")
    seed.seed_document(account.aws, name="Team-A")
    original = account.document("Team-A")
    borrower = account.borrowing(owner, KmsKeyId=account.keys.second, DocumentName="Team-A")
    assert borrower.create() == "CREATE_COMPLETE", borrower.failures()
    assert account.document("Team-A").key == account.keys.second
    assert account.document().key == account.keys.first
    assert sorted(account.records()) == [f"/session-kms/{seed.DOCUMENT}", "/session-kms/Team-A"]
    assert borrower.delete() == "DELETE_COMPLETE"
    assert account.document("Team-A").key == ""
    assert account.document("Team-A").keeps_all_of(original)
    assert account.document().key == account.keys.first


def test_a_second_stack_fails_naming_the_first(account):
    owner = account.deploy()
    rival = account.stack(KmsKeyId=account.keys.second)
    assert rival.create() == "ROLLBACK_COMPLETE"
    assert owner.name in " ".join(rival.failures())
    assert account.document().key == account.keys.first
    # The rival's end must not touch what is the first one's.
    assert rival.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.first
    assert owner.update(Revision="2") == "UPDATE_COMPLETE"


def test_a_second_stack_takes_over_when_told_to(account):
    owner = account.deploy()
    rival = account.deploy(KmsKeyId=account.keys.second, OnConflict="TakeOver")
    assert account.document().key == account.keys.second
    # The first stack's end must not touch what is the second's now.
    assert owner.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.second
    assert rival.delete() == "DELETE_COMPLETE"
    assert account.records() == {}


def test_the_first_stack_is_refused_after_a_take_over(account):
    owner = account.deploy()
    rival = account.deploy(KmsKeyId=account.keys.second, OnConflict="TakeOver")
    known = len(owner.events())
    # The way back is refused too: what it goes back to is owning the document.
    assert owner.update(Revision="2").startswith("UPDATE_ROLLBACK_")
    assert rival.name in " ".join(owner.failures(known))
    assert account.document().key == account.keys.second
    assert owner.delete() == "DELETE_COMPLETE"
    assert account.document().key == account.keys.second


def test_two_borrowers_of_one_document(account):
    owner = account.deploy(AdditionalDocuments="Team-*")
    seed.seed_document(account.aws, name="Team-A")
    first = account.borrowing(owner, KmsKeyId=account.keys.second, DocumentName="Team-A")
    assert first.create() == "CREATE_COMPLETE"
    second = account.borrowing(owner, KmsKeyId=account.keys.first, DocumentName="Team-A")
    assert second.create() == "ROLLBACK_COMPLETE"
    assert first.name in " ".join(second.failures())
    assert account.document("Team-A").key == account.keys.second


def test_a_misspelt_safeguard_fails_the_stack(account):
    owner = account.deploy(AdditionalDocuments="Team-*")
    borrower = account.borrowing(owner, KmsKeyId=account.keys.second, DocumentName="Team-A", OnDelet="Retain")
    assert borrower.create() == "ROLLBACK_COMPLETE"
    assert "OnDelet" in " ".join(borrower.failures())
    assert account.documents() == [seed.DOCUMENT]
