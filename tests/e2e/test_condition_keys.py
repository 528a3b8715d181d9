"""Condition keys that the function reads, or that the owner gives in Context: Strict passes if they hold.

The policies follow real ones: Session Manager's own sample grants by the aliases of the key, keys of an organization
usually admit by the organization's id, and just-in-time node access admits by a tag of the key.
"""

import copy
import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import seed
from local.package import package
from local.paths import KEY_ACCESS_TEMPLATE
from local.servers import ACCOUNT, OWNER
from local.simulator import ORGANIZATION_PATH
from local.stacks import Stack
from local.template import load
from tests.e2e import session
from tests.e2e.conftest import Account
from tests.e2e.events import invoke, sample, send
from tests.e2e.test_preflight import report

USER, NODE = seed.role_arn(seed.USER_ROLE), seed.role_arn(seed.NODE_ROLE)
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
ACTIONS = {seed.USER_ROLE: "kms:GenerateDataKey", seed.NODE_ROLE: "kms:Decrypt"}
ROLES = {"UserRoleNames": seed.USER_ROLE, "NodeRoleNames": seed.NODE_ROLE}
ORGANIZATION = "o-a1b2c3d4e5"
ALIAS = "alias/sessions/prod"
TAG = "SystemsManagerJustInTimeNodeAccessManaged"
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
# With every check on, only a condition key can be unknown.
STRICT = {"Preflight": "Strict", "DryRun": "true"}
# With these only the properties name who needs the key, and the function reads no role to find out.
NAMED = {"DiscoverUsers": "false", "DiscoverNodes": "false", "Users": USER, "Nodes": NODE}
READS = {"organizations:DescribeOrganization", "iam:GetRole", "iam:GetUser", "kms:ListAliases", "kms:ListResourceTags"}


@dataclass(frozen=True)
class Fact:
    """A condition that one read decides: the parameter and the action of that read, and conditions that hold and fail."""

    parameter: str
    action: str
    holds: dict[str, Any]
    fails: dict[str, Any]


FACTS = {
    "aliases": Fact(
        "ReadKeyAliases", "kms:ListAliases",
        {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/sessions/*"}},
        {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/backups/*"}},
    ),
    "organization": Fact(
        "ReadOrganization", "organizations:DescribeOrganization",
        {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}},
    ),
    "organization of the key": Fact(
        "ReadOrganization", "organizations:DescribeOrganization",
        {"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}},
        {"StringEquals": {"aws:ResourceOrgID": "o-zzzzzzzzzz"}},
    ),
    "tags of the key": Fact(
        "ReadKeyTags", "kms:ListResourceTags",
        {"StringEquals": {f"aws:ResourceTag/{TAG}": "true"}},
        {"StringEquals": {f"aws:ResourceTag/{TAG}": "false"}},
    ),
    "tags of the principal": Fact(
        "ReadPrincipalTags", "iam:GetRole",
        {"StringEquals": {"aws:PrincipalTag/sessions": "prod"}},
        {"StringEquals": {"aws:PrincipalTag/sessions": "test"}},
    ),
}
each_fact = pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
# Admits the dry runs of the function, and nobody else.
DRY_RUNS = {
    "Sid": "DryRuns", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"], "Resource": "*",
    "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/session-kms-*"}},
}


def allow_anyone_if(condition: dict[str, Any]) -> dict[str, Any]:
    """A statement of a key policy that admits anyone under a condition."""
    return {
        "Sid": "Sessions", "Effect": "Allow", "Principal": "*", "Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"],
        "Resource": "*", "Condition": condition,
    }


def make_key(account: Account, *statements: dict[str, Any], owner: str = ACCOUNT) -> str:
    """A key with the alias and the tag. Its policy lets an account only administer it."""
    key = make_plain_key(account, *statements, owner=owner)
    account.aws.client("kms", owner).tag_resource(KeyId=key, Tags=[{"TagKey": TAG, "TagValue": "true"}])
    account.aws.client("kms", owner).create_alias(AliasName=ALIAS, TargetKeyId=key)
    return key


def make_plain_key(account: Account, *statements: dict[str, Any], owner: str = ACCOUNT) -> str:
    """The same key without alias and tag."""
    key = seed.make_key(account.aws, "Sessions", seed.named_roles_policy(owner), owner)
    seed.add_to_key_policy(account.aws, key, *statements, account=owner)
    return key


def put_role_policies(account: Account, condition: dict[str, Any], owner: str = ACCOUNT) -> None:
    """Allow the user's and the node's role, by their own policies, to use every key of an account under a condition."""
    for role, action in ACTIONS.items():
        statement = {"Effect": "Allow", "Action": action, "Resource": f"arn:aws:kms:*:{owner}:key/*", "Condition": condition}
        account.aws.client("iam").put_role_policy(
            RoleName=role, PolicyName="sessions-key", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        )


def operations(stack: Stack) -> set[str]:
    """Every AWS operation in the function's log."""
    return {json.loads(line).get("operation") for line in stack.logs() if line.startswith("{")} - {None}


def refusal_reason(stack: Stack) -> str:
    """Create a stack that has to be refused, and return the reasons."""
    assert stack.create() == "ROLLBACK_COMPLETE"
    return " ".join(stack.failures())


@pytest.fixture
def member_account(populated: Account) -> Account:
    """An account of an organization. Its roles have a tag, and no permission on keys yet."""
    populated.aws.update_state(organizations={OWNER: ORGANIZATION, ACCOUNT: ORGANIZATION})
    for role in ACTIONS:
        populated.aws.client("iam").tag_role(RoleName=role, Tags=[{"Key": "sessions", "Value": "prod"}])
    return populated


@each_fact
@pytest.mark.parametrize("side", ["key policy", "identity policies"])
def test_strict_accepts_a_key_if_the_condition_holds(member_account: Account, fact: Fact, side: str) -> None:
    if side == "key policy":
        key = make_key(member_account, allow_anyone_if(fact.holds), DRY_RUNS)
    else:
        put_role_policies(member_account, fact.holds)
        key = make_key(member_account)
        # This key policy leaves the decision to the account's own policies.
        member_account.aws.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=seed.key_policy())
    stack = member_account.deploy(KmsKeyId=key, **STRICT)
    assert member_account.document().key == key
    assert "unknown" not in stack.outputs()["Findings"]
    assert fact.action in operations(stack)
    assert session.can_start(member_account.aws, key), "as the check said"


@each_fact
@pytest.mark.parametrize("side", ["key policy", "identity policies"])
def test_a_condition_that_was_read_and_does_not_hold_is_a_refusal(member_account: Account, fact: Fact, side: str) -> None:
    before = member_account.document()
    if side == "key policy":
        key = make_key(member_account, allow_anyone_if(fact.fails), DRY_RUNS)
    else:
        put_role_policies(member_account, fact.fails)
        key = member_account.keys.first
    reason = refusal_reason(member_account.stack(KmsKeyId=key))
    assert NODE in reason
    assert USER in reason
    assert member_account.document() == before
    assert not session.can_start(member_account.aws, key), "they would have been locked out"


@each_fact
@pytest.mark.parametrize("side", ["key policy", "identity policies"])
def test_without_the_permission_to_read_it_the_condition_is_unknown(member_account: Account, fact: Fact, side: str) -> None:
    if side == "key policy":
        key = make_key(member_account, allow_anyone_if(fact.holds), DRY_RUNS)
    else:
        put_role_policies(member_account, fact.holds)
        key = make_key(member_account)
        member_account.aws.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=seed.key_policy())
    before = member_account.document()
    off = NAMED | {"KmsKeyId": key, fact.parameter: "false"}
    reason = refusal_reason(member_account.stack(**off | STRICT))
    assert fact.action in reason, "the reason names the permission that is missing"
    assert member_account.document() == before
    # Enforce does not refuse what is unknown.
    stack = member_account.deploy(**off)
    assert member_account.document().key == key
    assert fact.action in stack.outputs()["Findings"]


def test_the_tags_of_a_user_are_read_as_those_of_a_role_are(member_account: Account) -> None:
    iam = member_account.aws.client("iam")
    iam.create_user(UserName="ann", Tags=[{"Key": "sessions", "Value": "prod"}])
    fact = FACTS["tags of the principal"]
    key = make_key(member_account, allow_anyone_if(fact.holds), DRY_RUNS)
    named = NAMED | {"KmsKeyId": key, "Users": ANN}
    reason = refusal_reason(member_account.stack(**named | STRICT, ReadPrincipalTags="false"))
    assert "iam:GetUser" in reason
    stack = member_account.deploy(**named | STRICT)
    assert {"iam:GetUser", "iam:GetRole"} <= operations(stack)
    assert stack.delete() == "DELETE_COMPLETE"
    iam.untag_user(UserName="ann", TagKeys=["sessions"])
    assert ANN in refusal_reason(member_account.stack(**named)), "a tag that is not there is absent"


def test_the_function_reads_only_what_a_policy_asks_for(member_account: Account) -> None:
    member_account.aws.client("iam").create_user(UserName="ann")
    member_account.aws.client("iam").put_user_policy(
        UserName="ann", PolicyName="key",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*"}]}),
    )
    named = NAMED | {"Users": f"{USER},{ANN}"}
    without_conditions = member_account.deploy(GrantKeyArns=member_account.keys.first, **ROLES, **named | STRICT)
    assert "kms:GetKeyPolicy" in operations(without_conditions)
    assert not operations(without_conditions) & READS
    assert without_conditions.delete() == "DELETE_COMPLETE"
    condition = {"StringEquals": {}, **FACTS["aliases"].holds}
    for name in ("organization", "tags of the key", "tags of the principal"):
        condition["StringEquals"] |= FACTS[name].holds["StringEquals"]
    member_account.aws.client("iam").tag_user(UserName="ann", Tags=[{"Key": "sessions", "Value": "prod"}])
    with_conditions = member_account.deploy(KmsKeyId=make_key(member_account, allow_anyone_if(condition), DRY_RUNS), **named | STRICT)
    assert operations(with_conditions) >= READS


# The organization of another account's key is unknown to this account. Tags of principals are tested above.
READ_FROM_THE_KEY_OR_ITS_ACCOUNT = ("aliases", "organization", "tags of the key")


@pytest.mark.parametrize("name", READ_FROM_THE_KEY_OR_ITS_ACCOUNT)
def test_strict_accepts_another_account_s_key_through_the_reader_role(member_account: Account, name: str) -> None:
    key = make_key(member_account, allow_anyone_if(FACTS[name].holds), owner=OWNER)
    # The function in the key's account reads aliases and tags. The organization of another account's principals has to be
    # given in Context.
    context = {"Context": json.dumps({"aws:PrincipalOrgID": ORGANIZATION})} if name == "organization" else {}
    owner = member_account.key_access(key, **context)
    assert owner.create() == "CREATE_COMPLETE", owner.failures()
    assert owner.outputs()["Findings"].endswith(" passed")
    settings = {"KmsKeyId": key, "KeyPolicyReaderRoleArn": owner.outputs()["ReaderRoleArn"], "GrantKeyArns": key, **ROLES}
    stack = member_account.deploy(**settings, **STRICT)
    assert member_account.document().key == key
    assert "unknown" not in stack.outputs()["Findings"]
    assert session.can_start(member_account.aws, key)


def test_the_key_s_account_knows_which_organization_its_key_is_in(member_account: Account) -> None:
    fact = FACTS["organization of the key"]
    key = make_key(member_account, allow_anyone_if(fact.holds), owner=OWNER)
    owner = member_account.key_access(key)
    assert owner.create() == "CREATE_COMPLETE", owner.failures()
    assert owner.outputs()["Findings"].endswith(" passed")
    assert fact.action in operations(owner)
    elsewhere = member_account.key_access(make_plain_key(member_account, allow_anyone_if(fact.fails), owner=OWNER))
    assert ACCOUNT in refusal_reason(elsewhere)


@pytest.mark.parametrize("name", ["aliases", "tags of the key"])
def test_identity_policies_may_ask_for_what_another_account_s_key_has(member_account: Account, name: str) -> None:
    fact = FACTS[name]
    root = {"Sid": "Accounts", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Resource": "*"}
    key = make_key(member_account, root | {"Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"]}, owner=OWNER)
    put_role_policies(member_account, fact.holds, OWNER)
    owner = member_account.key_access(key)
    assert owner.create() == "CREATE_COMPLETE", owner.failures()
    settings = {"KmsKeyId": key, "KeyPolicyReaderRoleArn": owner.outputs()["ReaderRoleArn"]}
    member_account.deploy(**settings, **STRICT)
    assert member_account.document().key == key
    assert session.can_start(member_account.aws, key)


@pytest.mark.parametrize("name", ["aliases", "tags of the key"])
def test_a_reader_role_that_may_not_read_it_leaves_it_unknown(member_account: Account, name: str) -> None:
    fact = FACTS[name]
    key = make_key(member_account, allow_anyone_if(fact.holds), owner=OWNER)
    owner = member_account.key_access(key)
    template = load(package(member_account.aws, KEY_ACCESS_TEMPLATE, OWNER))
    statements = template["Resources"]["ReaderRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    for statement in copy.copy(statements):
        if statement["Action"] == fact.action:
            statements.remove(statement)
        elif fact.action in statement["Action"]:
            statement["Action"].remove(fact.action)
    owner.template = json.dumps(template)
    assert owner.create() == "CREATE_COMPLETE", owner.failures()
    settings = {"KmsKeyId": key, "KeyPolicyReaderRoleArn": owner.outputs()["ReaderRoleArn"], "GrantKeyArns": key, **ROLES}
    assert fact.action in refusal_reason(member_account.stack(**settings, **STRICT))
    stack = member_account.deploy(**settings)
    assert fact.action in stack.outputs()["Findings"]


@pytest.mark.parametrize("name", ["aliases", "tags of the key"])
def test_for_a_key_without_aliases_and_tags_the_condition_is_known_to_fail(member_account: Account, name: str) -> None:
    """An absent condition key is known: the Allow does not apply."""
    reason = refusal_reason(member_account.stack(KmsKeyId=make_plain_key(member_account, allow_anyone_if(FACTS[name].holds), DRY_RUNS)))
    assert NODE in reason
    assert USER in reason
    assert FACTS[name].action not in reason


def test_an_account_in_no_organization_is_refused_by_the_organization_s_key(populated: Account) -> None:
    key = make_key(populated, allow_anyone_if(FACTS["organization"].holds), DRY_RUNS)
    reason = refusal_reason(populated.stack(KmsKeyId=key))
    assert NODE in reason
    assert USER in reason
    assert "organizations:DescribeOrganization" not in reason, "the function read it"


def test_strict_needs_context_for_an_endpoint_and_the_report_says_which_verdicts_rest_on_it(member_account: Account) -> None:
    key = make_key(member_account, allow_anyone_if({"StringEquals": {"aws:SourceVpce": ENDPOINT}}), DRY_RUNS)
    before = member_account.document()
    assert "aws:SourceVpce" in refusal_reason(member_account.stack(KmsKeyId=key, **STRICT))
    elsewhere = member_account.stack(KmsKeyId=key, Context=json.dumps({"aws:SourceVpce": "vpce-another"}))
    assert NODE in refusal_reason(elsewhere), "what Context gives can also refuse them"
    assert member_account.document() == before
    given = member_account.deploy(KmsKeyId=key, Context=json.dumps({"aws:SourceVpce": ENDPOINT, "aws:SourceVpc": None}), **STRICT)
    assert member_account.document().key == key
    access = report(given)["access"]
    assert {one["principal"] for one in access} == {USER, NODE}
    assert all("aws:SourceVpce" in json.dumps(one) for one in access), "each verdict rests on it"
    assert "aws:SourceVpc\"" not in json.dumps(access), "no verdict rests on the other key"
    # The record holds it, for repairs and for the schedule.
    assert any(ENDPOINT in record for record in member_account.records().values())
    assert send(given, sample("schedule", given, key))["alert"] is False
    # Another Context is checked again, although the document already names the key.
    other = json.dumps({"aws:SourceVpce": "vpce-another"})
    assert given.update(Context=other) == "UPDATE_ROLLBACK_COMPLETE"
    assert NODE in " ".join(given.failures())
    assert any(ENDPOINT in record for record in member_account.records().values())
    assert given.update(Context=other, Preflight="Warn") == "UPDATE_COMPLETE"
    report_of_schedule = send(given, sample("schedule", given, key))
    assert report_of_schedule["alert"] is True
    assert NODE in " ".join(report_of_schedule["alerts"])


def test_verdicts_that_do_not_rest_on_context_do_not_name_it(member_account: Account) -> None:
    stack = member_account.deploy(
        GrantKeyArns=member_account.keys.first, Context=json.dumps({"aws:SourceVpce": ENDPOINT}), **ROLES, **STRICT
    )
    assert "aws:SourceVpce" not in json.dumps(report(stack)["access"])


def test_null_says_that_no_call_has_the_condition_key(member_account: Account) -> None:
    deny = allow_anyone_if({"StringLike": {"aws:SourceVpce": "vpce-*"}}) | {"Sid": "NoEndpoints", "Effect": "Deny", "Action": "kms:Decrypt"}
    key = make_key(member_account, allow_anyone_if({"StringEquals": {"kms:CallerAccount": ACCOUNT}}), deny)
    reason = refusal_reason(member_account.stack(KmsKeyId=key, **STRICT))
    assert "aws:SourceVpce" in reason
    assert NODE in reason
    stack = member_account.deploy(KmsKeyId=key, Context=json.dumps({"aws:SourceVpce": None}), **STRICT)
    assert member_account.document().key == key
    by_principal = {one["principal"]: json.dumps(one) for one in report(stack)["access"]}
    assert "aws:SourceVpce" in by_principal[NODE]


def test_a_list_gives_every_value_of_a_condition_key(member_account: Account) -> None:
    paths = ["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/", "o-a1b2c3d4e5/r-ab12/ou-ab12-22222222/"]
    condition = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*/ou-ab12-22222222/*"}}
    key = make_key(member_account, allow_anyone_if(condition), DRY_RUNS)
    assert "aws:PrincipalOrgPaths" in refusal_reason(member_account.stack(KmsKeyId=key, **STRICT))
    member_account.deploy(KmsKeyId=key, Context=json.dumps({"aws:PrincipalOrgPaths": paths}), **STRICT)
    assert member_account.document().key == key


def test_the_simulator_gets_the_context_too(member_account: Account) -> None:
    put_role_policies(member_account, {"StringEquals": {"aws:SourceVpce": ENDPOINT}})
    assert "aws:SourceVpce" in refusal_reason(member_account.stack(**STRICT))
    member_account.deploy(Context=json.dumps({"aws:SourceVpce": ENDPOINT}), **STRICT)
    assert member_account.document().key == member_account.keys.first


def put_organization_policy(account: Account, denied_unless: dict[str, Any]) -> None:
    """A service control policy that denies everything but IAM unless a condition holds."""
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*", "Condition": denied_unless},
    ]
    account.aws.client("iam").create_policy(
        PolicyName="guardrail", Path=ORGANIZATION_PATH, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements})
    )


@pytest.mark.parametrize("denied_unless", [
    {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}},
    {"StringNotEquals": {"aws:ResourceAccount": ACCOUNT}, "Bool": {"aws:PrincipalIsAWSService": "false"}},
    {"StringNotEquals": {"aws:PrincipalTag/sessions": "prod"}},
    {"StringNotEquals": {"aws:ResourceOrgID": ORGANIZATION}},
], ids=["Region", "account", "tag", "organization"])
def test_a_service_control_policy_refuses_nobody_who_meets_it(member_account: Account, denied_unless: dict[str, Any]) -> None:
    put_organization_policy(member_account, denied_unless)
    member_account.deploy(GrantKeyArns=member_account.keys.first, **ROLES, **STRICT)
    assert member_account.document().key == member_account.keys.first


def test_a_service_control_policy_that_refuses_is_named_with_what_may_be_the_cause(member_account: Account) -> None:
    put_organization_policy(member_account, {"StringNotEquals": {"aws:SourceVpce": ENDPOINT}})
    before = member_account.document()
    granted = {"GrantKeyArns": member_account.keys.first, **ROLES}
    reason = refusal_reason(member_account.stack(**granted))
    assert USER in reason
    assert NODE in reason
    assert "conditions of service control policies that are not known here may be the cause" in reason
    assert "Exempt" in reason
    assert member_account.document() == before
    # The owner says what the policy asks for, or takes the risk.
    member_account.deploy(Context=json.dumps({"aws:SourceVpce": ENDPOINT}), **granted, **STRICT).delete()
    stack = member_account.deploy(Exempt=f"{USER},{NODE}", **granted)
    assert "service control policy" in stack.outputs()["Findings"]
    assert member_account.document().key == member_account.keys.first


def test_direct_calls_take_a_context(member_account: Account) -> None:
    key = make_key(member_account, allow_anyone_if({"StringEquals": {"aws:SourceVpce": ENDPOINT}}), DRY_RUNS)
    stack = member_account.deploy(Preflight="Warn", DryRun="true")
    call = {"action": "check", "kmsKeyId": key, "preflight": "Strict", "users": [USER], "nodes": [NODE], "discoverUsers": False, "discoverNodes": False}
    assert invoke(stack, call)["fails"] is True
    assert invoke(stack, call | {"context": {"aws:SourceVpce": ENDPOINT}})["fails"] is False
    assert invoke(stack, call | {"context": {"aws:SourceVpce": None}})["fails"] is True


@pytest.mark.parametrize(
    "context",
    ['{"aws:SourceVpce": {"id": "vpce-1"}}', '{"aws:SourceVpce": "vpce-1", "aws:sourcevpce": "vpce-2"}', '{"aws:SourceVpce": }'],
)
def test_a_context_that_cannot_be_read_is_refused(account: Account, context: Any) -> None:
    before = account.document()
    assert "Context" in refusal_reason(account.stack(Context=context))
    assert account.document() == before


def test_a_context_that_is_no_object_is_refused_before_anything_is_done(account: Account) -> None:
    with pytest.raises(ClientError, match="JSON object"):
        account.stack(Context="aws:SourceVpce=vpce-1").create()


def test_a_policy_that_lets_only_enclaves_decrypt_refuses_every_node(member_account: Account) -> None:
    """Neither the agent nor the plugin has an attestation document, so a session's calls lack its condition keys."""
    attested = {
        "Sid": "Enclaves", "Effect": "Allow", "Principal": {"AWS": NODE}, "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {"StringEqualsIgnoreCase": {"kms:RecipientAttestation:ImageSha384": "9fedcba8" * 12}},
    }
    users = allow_anyone_if({"StringEquals": {"kms:CallerAccount": ACCOUNT}}) | {"Action": "kms:GenerateDataKey"}
    key = make_key(member_account, attested, users)
    before = member_account.document()
    reason = refusal_reason(member_account.stack(KmsKeyId=key))
    assert f"{NODE}: kms:Decrypt" in reason
    assert USER not in reason
    assert member_account.document() == before
