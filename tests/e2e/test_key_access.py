"""A key of another account: a stack in its own account checks it, and a stack in another account uses it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import seed
from local.paths import KEY_ACCESS_TEMPLATE
from local.servers import ACCOUNT, OWNER
from local.stacks import Stack
from local.template import load
from tests.e2e import session
from tests.e2e.conftest import Account

USER, NODE = seed.role_arn(seed.USER_ROLE), seed.role_arn(seed.NODE_ROLE)
CONSUMER_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ROLES = {"UserRoleNames": seed.USER_ROLE, "NodeRoleNames": seed.NODE_ROLE}
EXTERNAL_ID = "example-bank-sessions"


def make_key(account: Account, **actions: list[str]) -> str:
    """A key of the other account, whose policy admits principals to actions."""
    return seed.make_key(account.aws, "Sessions of all accounts", seed.named_roles_policy(OWNER, **actions), OWNER)


def policy_of(account: Account, key: str) -> str:
    return account.aws.client("kms", OWNER).get_key_policy(KeyId=key, PolicyName="default")["Policy"]


def deployed(stack: Stack) -> Stack:
    assert stack.create() == "CREATE_COMPLETE", stack.failures()
    return stack


def reader(owner: Stack, **parameters: str) -> dict[str, Any]:
    return {"KeyPolicyReaderRoleArn": owner.outputs()["ReaderRoleArn"], **parameters}


@pytest.fixture
def open_key(populated: Account) -> str:
    """A key that leaves it to the IAM policies of the consumer account who may use it."""
    return make_key(populated, GenerateDataKey=[CONSUMER_ROOT], Decrypt=[CONSUMER_ROOT], DescribeKey=[CONSUMER_ROOT])


@pytest.fixture
def forgetful_key(populated: Account) -> str:
    """A key whose policy names the users' role and not the nodes' role."""
    return make_key(populated, GenerateDataKey=[USER], DescribeKey=[CONSUMER_ROOT])


def test_a_key_that_admits_its_consumers_passes(populated: Account, open_key: str) -> None:
    before = policy_of(populated, open_key)
    owner = deployed(populated.key_access(open_key, Users=USER, Nodes=NODE))
    outputs = owner.outputs()
    assert outputs["KeyArn"] == open_key
    assert outputs["ReaderRoleArn"].startswith(f"arn:aws:iam::{OWNER}:role/")
    assert outputs["Findings"].endswith(" passed"), "Findings has no other verdict"
    assert owner.delete() == "DELETE_COMPLETE"
    assert policy_of(populated, open_key) == before, "nothing was changed"


def test_a_key_that_refuses_a_principal_fails_the_stack_and_names_it_with_the_statement(populated: Account, forgetful_key: str) -> None:
    owner = populated.key_access(forgetful_key, ProveAccounts="false", Users=USER, Nodes=NODE)
    assert owner.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(owner.failures())
    assert NODE in reason
    refusal, _, command = reason.partition("; to see it all: ")
    assert USER not in refusal, "the reason names only who is refused"
    assert f"--user {USER}" in command, "and the command asks for all"
    statement, = seed.statements_of(reason)
    assert (statement["Principal"], statement["Action"]) == ({"AWS": [NODE]}, "kms:Decrypt")
    seed.add_to_key_policy(populated.aws, forgetful_key, statement, account=OWNER)
    owner.delete()
    deployed(owner)


def test_a_key_that_refuses_an_account_fails_the_stack_and_names_it_with_the_statement(populated: Account, forgetful_key: str) -> None:
    owner = populated.key_access(forgetful_key)
    assert owner.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(owner.failures())
    assert ACCOUNT in reason
    statements = seed.statements_of(reason)
    assert sorted(statement["Action"] for statement in statements) == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert all(statement["Principal"] == {"AWS": [CONSUMER_ROOT]} for statement in statements)
    seed.add_to_key_policy(populated.aws, forgetful_key, *statements, account=OWNER)
    owner.delete()
    deployed(owner)


def test_what_depends_on_a_condition_is_not_allowed_unless_it_is_known_to_hold(populated: Account) -> None:
    key = make_key(populated)
    statement = {
        "Sid": "Organization", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    }
    seed.add_to_key_policy(populated.aws, key, statement, account=OWNER)
    unknown = populated.key_access(key)
    assert unknown.create() == "ROLLBACK_COMPLETE"
    assert "aws:PrincipalOrgID" in " ".join(unknown.failures())
    deployed(populated.key_access(key, Require="NotDenied"))
    deployed(populated.key_access(key, Context='{"aws:PrincipalOrgID": "o-a1b2c3d4e5"}'))
    elsewhere = populated.key_access(key, Context='{"aws:PrincipalOrgID": "o-zzzzzzzzzz"}', Require="NotDenied")
    assert elsewhere.create() == "ROLLBACK_COMPLETE"


def test_an_existing_function_can_be_used(populated: Account) -> None:
    existing = populated.deploy(Preflight="Warn")
    importer = deployed(populated.key_access(populated.keys.first, ConsumerAccounts=seed.CONSUMER, FunctionArn=existing.outputs()["FunctionArn"]))
    kinds = {event["ResourceType"] for event in importer.events()}
    assert "Custom::SessionKeyAccess" in kinds
    assert "AWS::Lambda::Function" not in kinds
    assert importer.delete() == "DELETE_COMPLETE"


def test_a_key_is_checked_only_in_its_own_account(populated: Account, open_key: str) -> None:
    existing = populated.deploy(Preflight="Warn")
    template: dict[str, Any] = {
        "Resources": {
            "KeyAccess": {
                "Type": "Custom::SessionKeyAccess",
                "Properties": {
                    "ServiceToken": existing.outputs()["FunctionArn"], "ServiceTimeout": 60, "KmsKeyId": populated.keys.first, "ConsumerAcounts": [ACCOUNT],
                },
            }
        }
    }
    misspelt = Stack(populated.aws, "misspelt", json.dumps(template))
    assert misspelt.create() == "ROLLBACK_COMPLETE"
    assert "ConsumerAcounts" in " ".join(misspelt.failures())
    properties = template["Resources"]["KeyAccess"]["Properties"]
    properties["ConsumerAccounts"] = properties.pop("ConsumerAcounts")
    properties["KmsKeyId"] = open_key
    # The function may describe the foreign key only if its stack names it.
    assert existing.update(AdditionalKeyArns=open_key) == "UPDATE_COMPLETE", existing.failures()
    foreign = Stack(populated.aws, "foreign", json.dumps(template))
    assert foreign.create() == "ROLLBACK_COMPLETE"
    assert f"another account's than {ACCOUNT}" in " ".join(foreign.failures())


def test_a_consumer_is_refused_and_then_admitted_through_the_reader_role(populated: Account, forgetful_key: str) -> None:
    before = populated.document()
    owner = deployed(populated.key_access(forgetful_key, ProveAccounts="false", Users=USER, ExternalId=EXTERNAL_ID))
    settings = reader(owner, KmsKeyId=forgetful_key, KeyPolicyReaderExternalId=EXTERNAL_ID, GrantKeyArns=forgetful_key, **ROLES)
    refused = populated.stack(**settings)
    assert refused.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(refused.failures())
    assert NODE in reason
    assert populated.document() == before
    seed.add_to_key_policy(populated.aws, forgetful_key, *seed.statements_of(reason), account=OWNER)
    assert owner.update(Nodes=NODE) == "UPDATE_COMPLETE", owner.failures()
    consumer = populated.deploy(**settings)
    assert populated.document().key == forgetful_key
    assert "sts:AssumeRole" not in consumer.outputs()["Findings"]
    assert consumer.delete() == "DELETE_COMPLETE"
    assert populated.document().key == ""


def test_users_and_nodes_of_one_account_begin_sessions_with_the_key_of_another(populated: Account, open_key: str) -> None:
    assert not session.can_start(populated.aws, open_key)
    owner = deployed(populated.key_access(open_key))
    populated.deploy(**reader(owner, KmsKeyId=open_key, GrantKeyArns=open_key, **ROLES))
    assert populated.document().key == open_key
    assert session.can_start(populated.aws, open_key)


@pytest.mark.parametrize("wrong", [{"KeyPolicyReaderExternalId": "another"}, {}], ids=["wrong", "missing"])
def test_without_the_external_id_the_key_policy_is_unknown(populated: Account, open_key: str, wrong: Any) -> None:
    owner = deployed(populated.key_access(open_key, ExternalId=EXTERNAL_ID))
    settings = reader(owner, KmsKeyId=open_key, GrantKeyArns=open_key, **ROLES, **wrong)
    strict = populated.stack(Preflight="Strict", **settings)
    assert strict.create() == "ROLLBACK_COMPLETE"
    assert "sts:AssumeRole" in " ".join(strict.failures())
    enforcing = populated.deploy(**settings)
    assert "sts:AssumeRole" in enforcing.outputs()["Findings"], "what is unknown is reported as unknown"


def test_the_check_moves_to_another_function_and_back(populated: Account, open_key: str) -> None:
    """CloudFormation refuses another ServiceToken, so each function has a resource of its own."""
    owner = deployed(populated.key_access(open_key))
    template = load(KEY_ACCESS_TEMPLATE.read_text())
    tokens = [resource["Properties"]["ServiceToken"] for resource in template["Resources"].values() if resource["Type"] == "Custom::SessionKeyAccess"]
    assert tokens == [{"Fn::GetAtt": ["Function", "Arn"]}, {"Ref": "FunctionArn"}]
    # A function of the same account, of a stack that only exists for this.
    other = deployed(populated.key_access(open_key))
    function = other.aws.client("lambda", OWNER).get_function(FunctionName=other.function())["Configuration"]["FunctionArn"]
    assert owner.update(FunctionArn=function) == "UPDATE_COMPLETE", owner.failures()
    assert owner.resource("KeyAccessByOtherFunction")["PhysicalResourceId"]
    assert owner.outputs()["KeyArn"] == open_key
    assert owner.outputs()["ReaderRoleArn"], "the consumers keep their reader role"
    assert owner.update(FunctionArn="") == "UPDATE_COMPLETE", owner.failures()
    assert owner.resource("KeyAccess")["PhysicalResourceId"]
    assert owner.outputs()["KeyArn"] == open_key


def test_a_function_that_the_reader_role_does_not_trust_reads_nothing(populated: Account, open_key: str) -> None:
    owner = deployed(populated.key_access(open_key, ReaderArns=f"arn:aws:iam::{ACCOUNT}:role/another-*"))
    stack = populated.stack(Preflight="Strict", **reader(owner, KmsKeyId=open_key, GrantKeyArns=open_key, **ROLES))
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert "sts:AssumeRole" in " ".join(stack.failures())


def test_an_account_that_is_no_consumer_cannot_assume_the_reader_role(populated: Account, open_key: str) -> None:
    owner = deployed(populated.key_access(open_key))
    with pytest.raises(ClientError, match="AccessDenied"):
        populated.aws.client("sts", "333333333333").assume_role(RoleArn=owner.outputs()["ReaderRoleArn"], RoleSessionName="stranger")


def test_a_key_that_the_function_may_not_describe_is_refused(populated: Account) -> None:
    key = make_key(populated, GenerateDataKey=[CONSUMER_ROOT], Decrypt=[CONSUMER_ROOT])
    before = populated.document()
    stack = populated.stack(KmsKeyId=key)
    assert stack.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(stack.failures())
    assert "AccessDenied" in reason
    assert "kms:DescribeKey" in reason
    assert populated.document() == before


def test_the_property_key_policy_is_evaluated_if_nothing_may_read_the_policy(populated: Account, open_key: str) -> None:
    given = policy_of(populated, open_key)
    forgets = json.loads(given)
    forgets["Statement"] = [statement for statement in forgets["Statement"] if statement["Action"] != "kms:Decrypt"]
    # The grants are unknown. One of them may admit the node, so only Strict refuses the key.
    refused = populated.stack(KmsKeyId=open_key, GrantKeyArns=open_key, KeyPolicy=json.dumps(forgets), Preflight="Strict", **ROLES)
    assert refused.create() == "ROLLBACK_COMPLETE"
    assert NODE in " ".join(refused.failures())
    stack = populated.deploy(KmsKeyId=open_key, GrantKeyArns=open_key, KeyPolicy=given, **ROLES)
    assert populated.document().key == open_key
    assert f"{NODE}: kms:Decrypt" not in stack.outputs()["Findings"]


def test_a_key_policy_that_cannot_be_read_is_refused(account: Account) -> None:
    stack = account.stack(KeyPolicy="{}")
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert "KeyPolicy" in " ".join(stack.failures())
