"""Plays the AWS provider of Terraform, whose resource ``aws_lambda_invocation`` with the CRUD lifecycle calls the function.

The provider adds ``tf`` to the input, with the action and the input before. It takes every answer that is no function error for
success, and shows the payload of an error.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local import seed
from local.servers import LocalAws
from tests.e2e.deployment import Deployment
from tests.e2e.events import EventFailedError, invoke, sample

DOCUMENT, OTHER = "Team-Terraform", "Team-Other"


class Resource:
    """The resource in Terraform's state."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.input: dict[str, Any] | None = None
        self.result: dict[str, Any] = {}

    def apply(self, **properties: Any) -> dict[str, Any]:
        """Create or update the resource. As the provider does it, the state holds the new input even if an update fails."""
        wanted = {"action": "reconcile", "documentName": DOCUMENT, "kmsKeyId": seed.FIRST_ALIAS, "onDelete": "Restore"} | properties
        action, previous = ("update" if self.input else "create"), self.input
        if previous:
            self.input = wanted
        self.result = self._call(wanted, action, previous)
        self.input = wanted
        return self.result

    def destroy(self) -> dict[str, Any]:
        assert self.input is not None
        answer = self._call(self.input, "delete", self.input)
        self.input = None
        return answer

    def _call(self, wanted: dict[str, Any], action: str, previous: dict[str, Any] | None) -> dict[str, Any]:
        return invoke(self.deployment.stack, wanted | {"tf": {"action": action, "prev_input": previous}})


@pytest.fixture(scope="module")
def shared(servers: LocalAws) -> Iterator[Deployment]:
    deployment = Deployment.of(servers, AdditionalDocuments="Team-*")
    yield deployment
    deployment.assert_no_secret_in_logs()


@pytest.fixture
def deployment(shared: Deployment) -> Deployment:
    shared.reset()
    ssm = shared.account.aws.client("ssm")
    for name in (DOCUMENT, OTHER):
        if name in shared.account.documents():
            ssm.delete_document(Name=name)
        ssm.delete_parameters(Names=[f"/session-kms/{name}"])
        seed.seed_document(shared.account.aws, name=name)
    return shared


def refused(resource: Resource, **properties: Any) -> dict[str, Any]:
    with pytest.raises(EventFailedError) as failed:
        resource.apply(**properties)
    error: dict[str, Any] = json.loads(str(failed.value))
    # Terraform shows all of it.
    assert len(str(failed.value)) < 8000
    return error


def test_create_update_refused_update_and_delete(deployment: Deployment) -> None:
    account, before = deployment.account, deployment.account.document(DOCUMENT)
    resource = Resource(deployment)

    created = resource.apply()
    assert (created["fails"], created["keyArn"], created["documentName"]) == (False, account.keys.first, DOCUMENT)
    assert created["previousKmsKeyId"] == before.key
    now = account.document(DOCUMENT)
    assert (now.key, now.keeps_settings_of(before)) == (account.keys.first, True)
    assert resource.apply()["changed"] is False

    updated = resource.apply(kmsKeyId=account.keys.second, revision="2")
    assert (updated["changed"], account.document(DOCUMENT).key) == (True, account.keys.second)

    # Nodes could not use this key.
    forgetful = seed.make_key(
        account.aws, "for users only", seed.named_roles_policy("123456789012", GenerateDataKey=[seed.role_arn(seed.USER_ROLE)])
    )
    error = refused(resource, kmsKeyId=forgetful)
    assert error["errorType"] == "Refused"
    for words in (seed.role_arn(seed.NODE_ROLE), "kms:Decrypt", f"session-kms check --key {forgetful}", "--document"):
        assert words in error["errorMessage"]
    assert account.document(DOCUMENT).key == account.keys.second, "sessions go on with the key from before"

    # The state holds the input that was refused.
    assert resource.apply(kmsKeyId=seed.FIRST_ALIAS)["changed"] is True
    resource.destroy()
    now = account.document(DOCUMENT)
    assert (now.key, now.keeps_settings_of(before)) == (before.key, True)
    assert f"/session-kms/{DOCUMENT}" not in account.records()


def test_an_update_to_another_document_gives_the_first_one_back(deployment: Deployment) -> None:
    account, before = deployment.account, deployment.account.document(DOCUMENT)
    resource = Resource(deployment)
    resource.apply()
    resource.apply(documentName=OTHER)
    assert account.document(OTHER).key == account.keys.first
    assert account.document(DOCUMENT).key == before.key
    resource.apply(documentName=OTHER, onDelete="Retain")
    resource.destroy()
    assert account.document(OTHER).key == account.keys.first


def test_a_document_of_a_stack_is_refused_and_not_given_back(deployment: Deployment) -> None:
    before = deployment.snapshot()
    resource = Resource(deployment)
    error = refused(resource, documentName=seed.DOCUMENT)
    assert error["errorType"] == "Refused"
    assert deployment.stack.name in error["errorMessage"]
    assert "onConflict" in error["errorMessage"]
    # As if a stack had taken the document over after it was created.
    resource.input = {"action": "reconcile", "documentName": seed.DOCUMENT, "kmsKeyId": 5, "unknown": True}
    resource.destroy()
    assert deployment.snapshot() == before


def test_a_bad_input_is_an_error_that_names_the_property(deployment: Deployment) -> None:
    error = refused(Resource(deployment), preFlight="Off")
    assert error["errorType"] == "BadCall"
    assert "preFlight" in error["errorMessage"]


@pytest.mark.parametrize("name", ["direct-terraform-create", "direct-terraform-update", "direct-terraform-delete"])
def test_each_sample_is_answered(deployment: Deployment, name: str) -> None:
    fields = sample(name, deployment.stack, deployment.account.keys.first) | {"documentName": DOCUMENT, "kmsKeyId": seed.FIRST_ALIAS}
    assert invoke(deployment.stack, fields)["fails"] is False
