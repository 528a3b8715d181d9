"""Nobody is locked out: a stack is refused if users or nodes may not use the key."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import seed
from local.servers import ACCOUNT
from local.stacks import Stack
from tests.e2e import session
from tests.e2e.conftest import Account

USER, NODE = seed.role_arn(seed.USER_ROLE), seed.role_arn(seed.NODE_ROLE)
ROLES = {"UserRoleNames": seed.USER_ROLE, "NodeRoleNames": seed.NODE_ROLE}
# With these only the properties name who needs the key.
UNDISCOVERED = {"DiscoverUsers": "false", "DiscoverNodes": "false"}


def forgetful_key(account: Account) -> str:
    """A key whose policy names the users' role and not the nodes' role."""
    policy = seed.named_roles_policy(ACCOUNT, GenerateDataKey=[USER], Decrypt=[seed.role_arn(seed.OTHER_NODE_ROLE)])
    return seed.make_key(account.aws, "named roles", policy)


def attached(account: Account, role: str) -> set[str]:
    policies = account.aws.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return {policy["PolicyArn"] for policy in policies if ":aws:policy/" not in policy["PolicyArn"]}


def report(stack: Stack) -> dict[str, Any]:
    """The last report in the function's log."""
    lines = [json.loads(line) for line in stack.logs() if line.startswith("{")]
    return [line["report"] for line in lines if "report" in line][-1]


def test_a_node_role_that_the_key_policy_forgets_rolls_the_stack_back_and_is_named_with_the_statement(populated: Account) -> None:
    stack = populated.deploy(GrantKeyArns=populated.keys.first, **ROLES)
    key, before, known = forgetful_key(populated), populated.document(), len(stack.events())
    assert stack.update(KmsKeyId=key) == "UPDATE_ROLLBACK_COMPLETE"
    reason = " ".join(stack.failures(known))
    assert f"{NODE}: kms:Decrypt: neither the key policy nor a grant admits" in reason
    assert "the whole report is in the function's log" in reason
    assert seed.statements_of(reason) == [
        {"Sid": "AllowSessionManagerNodes", "Effect": "Allow", "Principal": {"AWS": [NODE]}, "Action": "kms:Decrypt", "Resource": "*"}
    ]
    assert populated.document() == before
    # The statement in the reason restores the access.
    seed.add_to_key_policy(populated.aws, key, *seed.statements_of(reason))
    assert stack.update(KmsKeyId=key) == "UPDATE_COMPLETE", stack.failures(known)
    assert populated.document().key == key
    assert session.can_start(populated.aws, key)


def test_roles_without_a_policy_of_their_own_are_refused_until_the_stack_attaches_one(populated: Account) -> None:
    before = populated.document()
    refused = populated.stack()
    assert refused.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(refused.failures())
    assert NODE in reason
    assert USER in reason
    assert populated.document() == before
    assert populated.records() == {}
    assert not session.can_start(populated.aws, populated.keys.first), "the key would have locked them out"
    # The log outlives the rolled-back stack, and its report has the policies to attach.
    remedies = {tuple(remedy["principals"]): remedy["policy"]["Statement"] for remedy in report(refused)["remedies"]["identityPolicies"]}
    assert "kms:GenerateDataKey" in json.dumps(remedies[USER,])
    assert "kms:Decrypt" in json.dumps(remedies[NODE,])
    populated.deploy(GrantKeyArns=populated.keys.first, **ROLES)
    assert populated.document().key == populated.keys.first
    assert session.can_start(populated.aws, populated.keys.first)


def test_one_stack_takes_an_account_from_nothing_to_encrypted(account_without_document: Account) -> None:
    seed.seed_roles(account_without_document.aws)
    seed.seed_fleet(account_without_document.aws, seed.NODE_ROLE)
    seed.seed_sessions(account_without_document.aws, f"arn:aws:sts::{ACCOUNT}:assumed-role/{seed.USER_ROLE}/alice")
    stack = account_without_document.deploy(CreateKey="true", ConsumerAccounts="222222222222", **ROLES)
    key = account_without_document.document().key
    assert key == stack.outputs()["KeyArn"]
    assert session.can_start(account_without_document.aws, key)
    kms = account_without_document.aws.client("kms", "222222222222")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key, "the consumer is admitted"
    with pytest.raises(ClientError, match="AccessDenied"):
        account_without_document.aws.client("kms", "333333333333").describe_key(KeyId=key)


def test_the_policies_stay_with_the_key_when_the_stack_goes(populated: Account) -> None:
    stack = populated.deploy(GrantKeyArns=populated.keys.first, OnDelete="Retain", **ROLES)
    outputs = stack.outputs()
    assert attached(populated, seed.USER_ROLE) == {outputs["UserPolicyArn"]}
    assert attached(populated, seed.NODE_ROLE) == {outputs["NodePolicyArn"]}
    assert stack.delete() == "DELETE_COMPLETE"
    assert populated.document().key == populated.keys.first
    assert session.can_start(populated.aws, populated.keys.first), "sessions can still start"


def test_the_policies_of_a_deployment_that_is_refused_stay(populated: Account) -> None:
    """With OnDelete Retain sessions may use the key, whatever fails after it was switched on."""
    stack = populated.stack(KmsKeyId=forgetful_key(populated), GrantKeyArns=populated.keys.first, **ROLES)
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert len(attached(populated, seed.USER_ROLE)) == len(attached(populated, seed.NODE_ROLE)) == 1


def test_a_role_that_is_taken_off_the_list_loses_the_policy(populated: Account) -> None:
    stack = populated.deploy(GrantKeyArns=populated.keys.first, **ROLES | {"NodeRoleNames": f"{seed.NODE_ROLE},{seed.OTHER_NODE_ROLE}"})
    assert len(attached(populated, seed.OTHER_NODE_ROLE)) == 1
    assert stack.update(NodeRoleNames=seed.NODE_ROLE) == "UPDATE_COMPLETE", stack.failures()
    assert attached(populated, seed.OTHER_NODE_ROLE) == set()
    assert session.can_start(populated.aws, populated.keys.first)


def test_strict_refuses_what_is_unknown(account: Account) -> None:
    before = account.document()
    stack = account.stack(Preflight="Strict", ReadKeyPolicy="false", Nodes=NODE)
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert "kms:GetKeyPolicy" in " ".join(stack.failures())
    assert account.document() == before


def test_warn_reports_and_switches_on(populated: Account) -> None:
    key = forgetful_key(populated)
    stack = populated.deploy(KmsKeyId=key, Preflight="Warn")
    assert populated.document().key == key
    assert f"{NODE}: kms:Decrypt: neither the key policy nor a grant admits" in stack.outputs()["Findings"]
    assert report(stack)["remedies"]["keyPolicyStatements"][0]["Principal"] == {"AWS": [NODE]}


def test_off_checks_only_the_key(populated: Account) -> None:
    key = forgetful_key(populated)
    stack = populated.deploy(KmsKeyId=key, Preflight="Off")
    assert populated.document().key == key
    operations = {json.loads(line).get("operation") for line in stack.logs() if line.startswith("{")} - {None}
    assert "kms:DescribeKey" in operations
    assert not operations & {"kms:GetKeyPolicy", "ssm:DescribeInstanceInformation", "ssm:DescribeSessions", "iam:SimulatePrincipalPolicy"}


@pytest.mark.parametrize("mode", ["Enforce", "Warn", "Off"])
def test_an_unfit_key_is_refused_in_every_mode(account: Account, mode: str) -> None:
    stack = account.stack(KmsKeyId=account.keys.signing, Preflight=mode)
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert "SIGN_VERIFY" in " ".join(stack.failures())


@pytest.mark.parametrize("exempt", [f"{NODE},{USER}", "arn:aws:iam::*:role/App, arn:aws:iam::123456789012:role/Op*"], ids=["named", "patterns"])
def test_exempt_principals_are_reported_and_block_nothing(populated: Account, exempt: str) -> None:
    stack = populated.deploy(Exempt=exempt)
    assert populated.document().key == populated.keys.first
    assert NODE in stack.outputs()["Findings"]
    assert all(access["exempt"] and access["verdict"] == "fail" for access in report(stack)["access"])


def test_exempting_one_does_not_exempt_the_other(populated: Account) -> None:
    stack = populated.stack(Exempt=NODE)
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert USER in " ".join(stack.failures())


@pytest.mark.parametrize(("parameter", "principal"), [("Users", USER), ("Nodes", NODE)])
def test_named_principals_are_checked_without_discovery(account: Account, parameter: str, principal: Any) -> None:
    seed.seed_roles(account.aws)
    before = account.document()
    stack = account.stack(**{parameter: f"{principal},{seed.role_arn(seed.OTHER_NODE_ROLE)}"}, **UNDISCOVERED)
    assert stack.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(stack.failures())
    assert principal in reason
    assert seed.OTHER_NODE_ROLE in reason
    assert account.document() == before


def test_empty_lists_are_accepted(account: Account) -> None:
    stack = account.deploy(Users="", Nodes="", Exempt="", KeyPolicy="", **UNDISCOVERED)
    assert account.document().key == account.keys.first
    assert report(stack)["access"] == []


def test_an_agent_that_cannot_encrypt_is_refused(account: Account) -> None:
    seed.seed_roles(account.aws)
    node, = seed.seed_fleet(account.aws, seed.NODE_ROLE, agent="2.3.372.0")
    stack = account.stack(GrantKeyArns=account.keys.first, NodeRoleNames=seed.NODE_ROLE)
    assert stack.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(stack.failures())
    assert "2.3.372.0" in reason
    assert node in reason


def test_a_rollback_does_not_fail_if_somebody_lost_access_meanwhile(populated: Account) -> None:
    stack = populated.deploy(GrantKeyArns=populated.keys.first, **ROLES)
    iam = populated.aws.client("iam")
    for policy in attached(populated, seed.NODE_ROLE):
        iam.detach_role_policy(RoleName=seed.NODE_ROLE, PolicyArn=policy)
    assert stack.update(KmsKeyId=populated.keys.signing) == "UPDATE_ROLLBACK_COMPLETE", "and not UPDATE_ROLLBACK_FAILED"
    assert populated.document().key == populated.keys.first


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"NodeRoleNames": "App"}, "GrantKeyArns"),
        ({"UserRoleNames": "Operator", "KmsKeyId": seed.FIRST_ALIAS}, "cannot be granted on an alias"),
        ({"GrantKeyArns": "arn:aws:kms:eu-west-1:123456789012:key/1-2"}, "UserRoleNames and NodeRoleNames"),
        ({"ConsumerAccounts": "222222222222"}, "CreateKey"),
        ({"KeyPolicyReaderExternalId": "bank"}, "KeyPolicyReaderRoleArn"),
        ({"NodeRoleNames": "App, Database", "CreateKey": "true"}, "without spaces"),
        ({"UserRoleNames": "AWSReservedSSO_Operators_0123456789abcdef", "CreateKey": "true"}, "permission set"),
        ({"NodeRoleNames": "App,AWSReservedSSO_Operators_0123456789abcdef", "CreateKey": "true"}, "IAM Identity Center alone"),
        ({"GrantKeyArns": seed.FIRST_ALIAS, "NodeRoleNames": "App"}, "key ARNs"),
        ({"ConsumerAccounts": "22", "CreateKey": "true"}, "twelve digits"),
        ({"Preflight": "strict"}, "Preflight"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_parameters_that_make_no_sense_are_refused_before_anything_is_done(account: Account, parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match="ValidationError") as refused:
        account.stack(**parameters).create()
    assert words in str(refused.value)
