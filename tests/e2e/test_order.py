"""The order of a deployment: the key is switched on last, and while it changes, sessions can use the old and the new key."""

import json
from collections.abc import Callable

import boto3
import pytest

from local import seed
from local.servers import ACCOUNT, REGION, SECRET
from local.stacks import Stack
from local.template import load
from tests.e2e.conftest import Account

PARAMETER = f"/session-kms/{seed.DOCUMENT}/key-arn"


def keys_of(stack: Stack, policy: str) -> set[str]:
    """The keys that one of the stack's managed policies names."""
    iam = stack.aws.client("iam")
    arn = stack.resource(policy)["PhysicalResourceId"]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    statement, = (json.loads(document) if isinstance(document, str) else document)["Statement"]
    return set(statement["Resource"])


def writes(stack: Stack) -> list[str]:
    """The lines of the function's log on writing the document or the record."""
    return [line for line in stack.logs() if '"writing ' in line or "making the version" in line]


def refusing(template: str, name: str) -> str:
    """The template with a resource that cannot be made, as on AWS an alarm that a policy denies, or a Config rule without a recorder."""
    changed = load(template)
    refused = changed["Resources"][name]
    refused["Type"] = "Custom::Refused"
    refused["Properties"] = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, "ServiceTimeout": 60}
    return json.dumps(changed)


@pytest.mark.parametrize("on_delete", ["Restore", "Retain"])
@pytest.mark.parametrize("refused", ["Clock", "SilenceAlarm", "ComplianceRule", "KeyArnParameter", "UserPolicy"])
def test_if_another_resource_cannot_be_made_the_document_stays_as_it_is(populated: Account, refused: str, on_delete: str) -> None:
    before = populated.document()
    stack = populated.stack(
        refusing(populated.template, refused), UserRoleNames=seed.USER_ROLE, NodeRoleNames=seed.NODE_ROLE,
        GrantKeyArns=populated.keys.first, OnDelete=on_delete, KeyArnParameterName=PARAMETER, ConfigRule="true",
    )
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert any("Custom::Refused" in reason for reason in stack.failures()), stack.failures()
    assert populated.document() == before
    assert populated.records() == {}
    assert writes(stack) == []


def test_a_change_that_another_resource_fails_does_not_reach_the_document(populated: Account) -> None:
    stack = populated.deploy(UserRoleNames=seed.USER_ROLE, NodeRoleNames=seed.NODE_ROLE, GrantKeyArns=populated.keys.first)
    before, written = populated.document(), len(writes(stack))
    status = stack.update(refusing(populated.template, "KeyArnParameter"), KmsKeyId=populated.keys.second, KeyArnParameterName=PARAMETER)
    assert status == "UPDATE_ROLLBACK_COMPLETE", stack.failures()
    assert populated.document() == before
    assert len(writes(stack)) == written


def test_the_policies_name_both_keys_while_the_key_changes(populated: Account) -> None:
    stack = populated.deploy(UserRoleNames=seed.USER_ROLE, NodeRoleNames=seed.NODE_ROLE, GrantKeyArns=populated.keys.first)
    both = {populated.keys.first, populated.keys.second}
    policies = ("UserPolicy", "NodePolicy")
    assert [keys_of(stack, policy) for policy in policies] == [{populated.keys.first}] * 2
    assert stack.update(KmsKeyId=populated.keys.second, GrantKeyArns=populated.keys.second) == "UPDATE_COMPLETE", stack.failures()
    assert populated.document().key == populated.keys.second
    # The key from before goes with the next request.
    assert [keys_of(stack, policy) for policy in policies] == [both] * 2
    assert stack.update(Revision="2") == "UPDATE_COMPLETE"
    assert [keys_of(stack, policy) for policy in policies] == [{populated.keys.second}] * 2


def test_a_created_key_stays_in_the_policies_until_the_document_has_changed(populated: Account) -> None:
    stack = populated.deploy(CreateKey="true", UserRoleNames=seed.USER_ROLE, NodeRoleNames=seed.NODE_ROLE)
    created = populated.document().key
    assert keys_of(stack, "NodePolicy") == {created}
    after = {"CreateKey": "false", "KmsKeyId": populated.keys.first, "GrantKeyArns": populated.keys.first}
    assert stack.update(**after) == "UPDATE_COMPLETE", stack.failures()
    assert populated.document().key == populated.keys.first
    assert keys_of(stack, "UserPolicy") == keys_of(stack, "NodePolicy") == {created, populated.keys.first}


def test_an_update_that_is_refused_leaves_both_keys_in_the_policies_or_the_old_one(populated: Account) -> None:
    stack = populated.deploy(UserRoleNames=seed.USER_ROLE, NodeRoleNames=seed.NODE_ROLE, GrantKeyArns=populated.keys.first)
    kms = populated.aws.client("kms")
    kms.disable_key(KeyId=populated.keys.second)
    assert stack.update(KmsKeyId=populated.keys.second, GrantKeyArns=populated.keys.second) == "UPDATE_ROLLBACK_COMPLETE"
    assert populated.document().key == populated.keys.first
    assert populated.keys.first in keys_of(stack, "UserPolicy") & keys_of(stack, "NodePolicy")


@pytest.fixture
def parameter(account: Account) -> Callable[[], list[str]]:
    """Reads the values of the parameter. Stacks write parameters to the Parameter Store of the local CloudFormation."""
    ssm = boto3.client(
        "ssm", region_name=REGION, endpoint_url=account.aws.endpoint, aws_access_key_id=ACCOUNT, aws_secret_access_key=SECRET,
    )
    return lambda: [found["Value"] for found in ssm.get_parameters(Names=[PARAMETER])["Parameters"]]


def test_other_stacks_find_the_key_in_a_parameter(account: Account, parameter: Callable[[], list[str]]) -> None:
    kms = account.aws.client("kms")
    kms.create_alias(AliasName="alias/session-key", TargetKeyId=account.keys.first)
    stack = account.deploy(KmsKeyId="alias/session-key", KeyArnParameterName=PARAMETER)
    assert parameter() == [account.keys.first], "the ARN, and not the alias"
    assert stack.update(KmsKeyId=account.keys.second) == "UPDATE_COMPLETE", stack.failures()
    assert parameter() == [account.keys.second]
    assert stack.update(KmsKeyId="", Encryption="Disabled") == "UPDATE_COMPLETE", stack.failures()
    assert parameter() == []
    assert stack.update(KmsKeyId=account.keys.first, Encryption="Enabled") == "UPDATE_COMPLETE", stack.failures()
    assert stack.delete() == "DELETE_COMPLETE"
    assert parameter() == []


def test_there_is_no_such_parameter_by_default(account: Account) -> None:
    stack = account.deploy()
    assert "KeyArnParameter" not in {event["LogicalResourceId"] for event in stack.events()}
