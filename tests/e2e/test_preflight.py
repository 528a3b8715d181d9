"""Nobody is locked out: stacks refused and accepted by what users and nodes may do with the key."""

import json

import pytest
from botocore.exceptions import ClientError

from local import seed
from local.servers import ACCOUNT
from tests.e2e import session

USER, NODE = seed.role_arn(seed.USER_ROLE), seed.role_arn(seed.NODE_ROLE)
ROLES = {"UserRoleNames": seed.USER_ROLE, "NodeRoleNames": seed.NODE_ROLE}
# With these the properties alone say who needs the key.
UNDISCOVERED = {"DiscoverUsers": "false", "DiscoverNodes": "false"}


def forgetful_key(account) -> str:
    """A key whose policy names the users' role, and forgets the nodes'."""
    policy = seed.named_roles_policy(ACCOUNT, GenerateDataKey=[USER], Decrypt=[seed.role_arn(seed.OTHER_NODE_ROLE)])
    return seed.make_key(account.aws, "named roles", policy)


def attached(account, role: str) -> set[str]:
    policies = account.aws.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return {policy["PolicyArn"] for policy in policies if ":aws:policy/" not in policy["PolicyArn"]}


def report(stack) -> dict:
    """The last report in the function's log."""
    lines = [json.loads(line) for line in stack.logs() if line.startswith("{")]
    return json.loads([line["report"] for line in lines if "report" in line][-1])


def test_a_node_role_that_the_key_policy_forgets_rolls_the_stack_back_and_is_named_with_the_statement(manned):
    stack = manned.deploy(GrantKeyArns=manned.keys.first, **ROLES)
    key, before, known = forgetful_key(manned), manned.document(), len(stack.events())
    assert stack.update(KmsKeyId=key) == "UPDATE_ROLLBACK_COMPLETE"
    reason = " ".join(stack.failures(known))
    assert f"{NODE}: kms:Decrypt: neither the key policy nor a grant admits" in reason
    assert "the whole report is in the function's log" in reason
    assert seed.statements_of(reason) == [
        {"Sid": "AllowSessionManagerNodes", "Effect": "Allow", "Principal": {"AWS": [NODE]}, "Action": "kms:Decrypt", "Resource": "*"}
    ]
    assert manned.document() == before
    # Pasted as it is, the statement is the remedy.
    seed.add_to_key_policy(manned.aws, key, *seed.statements_of(reason))
    assert stack.update(KmsKeyId=key) == "UPDATE_COMPLETE", stack.failures(known)
    assert manned.document().key == key
    assert session.works(manned.aws, key)


def test_roles_without_a_policy_of_their_own_are_refused_until_the_stack_attaches_one(manned):
    before = manned.document()
    refused = manned.stack()
    assert refused.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(refused.failures())
    assert NODE in reason
    assert USER in reason
    assert manned.document() == before
    assert manned.records() == {}
    assert not session.works(manned.aws, manned.keys.first), "it would have locked them out"
    # The log outlives the rolled-back stack, and tells what to attach.
    remedies = {tuple(remedy["principals"]): remedy["policy"]["Statement"] for remedy in report(refused)["remedies"]["identityPolicies"]}
    assert "kms:GenerateDataKey" in json.dumps(remedies[USER,])
    assert "kms:Decrypt" in json.dumps(remedies[NODE,])
    manned.deploy(GrantKeyArns=manned.keys.first, **ROLES)
    assert manned.document().key == manned.keys.first
    assert session.works(manned.aws, manned.keys.first)


def test_one_stack_takes_an_account_from_nothing_to_encrypted(bare):
    seed.seed_roles(bare.aws)
    seed.seed_fleet(bare.aws, seed.NODE_ROLE)
    seed.seed_sessions(bare.aws, f"arn:aws:sts::{ACCOUNT}:assumed-role/{seed.USER_ROLE}/alice")
    stack = bare.deploy(CreateKey="true", ConsumerAccounts="222222222222", **ROLES)
    key = bare.document().key
    assert key == stack.outputs()["KeyArn"]
    assert session.works(bare.aws, key)
    kms = bare.aws.client("kms", "222222222222")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key, "the consumer is admitted"
    with pytest.raises(ClientError, match="AccessDenied"):
        bare.aws.client("kms", "333333333333").describe_key(KeyId=key)


def test_the_policies_stay_with_the_key_when_the_stack_goes(manned):
    stack = manned.deploy(GrantKeyArns=manned.keys.first, OnDelete="Retain", **ROLES)
    outputs = stack.outputs()
    assert attached(manned, seed.USER_ROLE) == {outputs["UserPolicyArn"]}
    assert attached(manned, seed.NODE_ROLE) == {outputs["NodePolicyArn"]}
    assert stack.delete() == "DELETE_COMPLETE"
    assert manned.document().key == manned.keys.first
    assert session.works(manned.aws, manned.keys.first), "sessions go on"


def test_a_deployment_that_is_refused_takes_its_policies_back(manned):
    stack = manned.stack(KmsKeyId=forgetful_key(manned), GrantKeyArns=manned.keys.first, **ROLES)
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert attached(manned, seed.USER_ROLE) == attached(manned, seed.NODE_ROLE) == set()


def test_a_role_that_is_taken_off_the_list_loses_the_policy(manned):
    stack = manned.deploy(GrantKeyArns=manned.keys.first, **ROLES | {"NodeRoleNames": f"{seed.NODE_ROLE},{seed.OTHER_NODE_ROLE}"})
    assert len(attached(manned, seed.OTHER_NODE_ROLE)) == 1
    assert stack.update(NodeRoleNames=seed.NODE_ROLE) == "UPDATE_COMPLETE", stack.failures()
    assert attached(manned, seed.OTHER_NODE_ROLE) == set()
    assert session.works(manned.aws, manned.keys.first)


def test_strict_refuses_what_is_unknown(account):
    before = account.document()
    stack = account.stack(Preflight="Strict", ReadKeyPolicy="false", Nodes=NODE)
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert "kms:GetKeyPolicy" in " ".join(stack.failures())
    assert account.document() == before


def test_warn_reports_and_switches_on(manned):
    key = forgetful_key(manned)
    stack = manned.deploy(KmsKeyId=key, Preflight="Warn")
    assert manned.document().key == key
    assert f"{NODE}: kms:Decrypt: neither the key policy nor a grant admits" in stack.outputs()["Findings"]
    assert report(stack)["remedies"]["keyPolicyStatements"][0]["Principal"] == {"AWS": [NODE]}


def test_off_asks_nobody(manned):
    key = forgetful_key(manned)
    stack = manned.deploy(KmsKeyId=key, Preflight="Off")
    assert manned.document().key == key
    operations = {json.loads(line).get("operation") for line in stack.logs() if line.startswith("{")} - {None}
    assert "kms:DescribeKey" in operations
    assert not operations & {"kms:GetKeyPolicy", "ssm:DescribeInstanceInformation", "ssm:DescribeSessions", "iam:SimulatePrincipalPolicy"}


@pytest.mark.parametrize("mode", ["Enforce", "Warn", "Off"])
def test_an_unfit_key_is_refused_in_every_mode(account, mode):
    stack = account.stack(KmsKeyId=account.keys.signing, Preflight=mode)
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert "SIGN_VERIFY" in " ".join(stack.failures())


@pytest.mark.parametrize("exempt", [f"{NODE},{USER}", "arn:aws:iam::*:role/App, arn:aws:iam::123456789012:role/Op*"], ids=["named", "patterns"])
def test_exempt_principals_are_reported_and_block_nothing(manned, exempt):
    stack = manned.deploy(Exempt=exempt)
    assert manned.document().key == manned.keys.first
    assert NODE in stack.outputs()["Findings"]
    assert all(access["exempt"] and access["verdict"] == "fail" for access in report(stack)["access"])


def test_exempting_one_does_not_exempt_the_other(manned):
    stack = manned.stack(Exempt=NODE)
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert USER in " ".join(stack.failures())


@pytest.mark.parametrize(("parameter", "principal"), [("Users", USER), ("Nodes", NODE)])
def test_whoever_is_named_is_proven_though_nobody_looked_for_them(account, parameter, principal):
    seed.seed_roles(account.aws)
    before = account.document()
    stack = account.stack(**{parameter: f"{principal},{seed.role_arn(seed.OTHER_NODE_ROLE)}"}, **UNDISCOVERED)
    assert stack.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(stack.failures())
    assert principal in reason
    assert seed.OTHER_NODE_ROLE in reason
    assert account.document() == before


def test_empty_lists_are_no_lists(account):
    stack = account.deploy(Users="", Nodes="", Exempt="", KeyPolicy="", **UNDISCOVERED)
    assert account.document().key == account.keys.first
    assert report(stack)["access"] == []


def test_an_agent_that_cannot_encrypt_is_refused(account):
    seed.seed_roles(account.aws)
    node, = seed.seed_fleet(account.aws, seed.NODE_ROLE, agent="2.3.372.0")
    stack = account.stack(GrantKeyArns=account.keys.first, NodeRoleNames=seed.NODE_ROLE)
    assert stack.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(stack.failures())
    assert "2.3.372.0" in reason
    assert node in reason


def test_going_back_does_not_fail_on_who_lost_access_meanwhile(manned):
    stack = manned.deploy(GrantKeyArns=manned.keys.first, **ROLES)
    iam = manned.aws.client("iam")
    for policy in attached(manned, seed.NODE_ROLE):
        iam.detach_role_policy(RoleName=seed.NODE_ROLE, PolicyArn=policy)
    assert stack.update(KmsKeyId=manned.keys.signing) == "UPDATE_ROLLBACK_COMPLETE", "and not UPDATE_ROLLBACK_FAILED"
    assert manned.document().key == manned.keys.first


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"NodeRoleNames": "App"}, "GrantKeyArns"),
        ({"UserRoleNames": "Operator", "KmsKeyId": seed.FIRST_ALIAS}, "cannot be granted on an alias"),
        ({"GrantKeyArns": "arn:aws:kms:eu-west-1:123456789012:key/1-2"}, "UserRoleNames and NodeRoleNames"),
        ({"ConsumerAccounts": "222222222222"}, "CreateKey"),
        ({"KeyPolicyReaderExternalId": "bank"}, "KeyPolicyReaderRoleArn"),
        ({"NodeRoleNames": "App, Database", "CreateKey": "true"}, "without spaces"),
        ({"GrantKeyArns": seed.FIRST_ALIAS, "NodeRoleNames": "App"}, "key ARNs"),
        ({"ConsumerAccounts": "22", "CreateKey": "true"}, "twelve digits"),
        ({"Preflight": "strict"}, "Preflight"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_parameters_that_make_no_sense_are_refused_before_anything_is_done(account, parameters, words):
    with pytest.raises(ClientError, match="ValidationError") as refused:
        account.stack(**parameters).create()
    assert words in str(refused.value)
