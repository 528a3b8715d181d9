"""Condition keys that one read tells, or that the owner knows: no verdict rests on them unknown, and Strict passes.

The policies are those of the real world: Session Manager's own sample grants by the aliases of the key, the commonest
key of an organization admits by the organization's id, just-in-time node access by a tag of the key.
"""

import copy
import json
from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError

from local import seed
from local.package import package
from local.paths import KEY_ACCESS_TEMPLATE
from local.servers import ACCOUNT, OWNER
from local.template import load
from tests.e2e import session
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
# Every check on, so that nothing but a condition key can be unknown.
STRICT = {"Preflight": "Strict", "DryRun": "true"}
# With these the properties alone say who needs the key, and no role is read to find out.
NAMED = {"DiscoverUsers": "false", "DiscoverNodes": "false", "Users": USER, "Nodes": NODE}
READS = {"organizations:DescribeOrganization", "iam:GetRole", "iam:GetUser", "kms:ListAliases", "kms:ListResourceTags"}


@dataclass(frozen=True)
class Fact:
    """What a policy asks for and one read tells: the condition, the parameter that allows the read, and its action."""

    parameter: str
    action: str
    holds: dict
    fails: dict


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
# Admits the function's own dry runs, whoever else the policy admits; nobody else has such a role.
DRY_RUNS = {
    "Sid": "DryRuns", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"], "Resource": "*",
    "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/session-kms-*"}},
}


def everybody(condition: dict) -> dict:
    """A statement of a key policy that admits whoever meets a condition."""
    return {
        "Sid": "Sessions", "Effect": "Allow", "Principal": "*", "Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"],
        "Resource": "*", "Condition": condition,
    }


def make_key(account, *statements: dict, owner: str = ACCOUNT) -> str:
    """A key with the alias and the tag; its policy leaves nothing to an account but to administer it."""
    key = make_bare_key(account, *statements, owner=owner)
    account.aws.client("kms", owner).tag_resource(KeyId=key, Tags=[{"TagKey": TAG, "TagValue": "true"}])
    account.aws.client("kms", owner).create_alias(AliasName=ALIAS, TargetKeyId=key)
    return key


def make_bare_key(account, *statements: dict, owner: str = ACCOUNT) -> str:
    """The same without alias and tag."""
    key = seed.make_key(account.aws, "Sessions", seed.named_roles_policy(owner), owner)
    seed.add_to_key_policy(account.aws, key, *statements, account=owner)
    return key


def give(account, condition: dict, owner: str = ACCOUNT) -> None:
    """What the user's and the node's role may do by policies of their own, on every key of an account."""
    for role, action in ACTIONS.items():
        statement = {"Effect": "Allow", "Action": action, "Resource": f"arn:aws:kms:*:{owner}:key/*", "Condition": condition}
        account.aws.client("iam").put_role_policy(
            RoleName=role, PolicyName="sessions-key", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        )


def operations(stack) -> set[str]:
    """Every operation of AWS that the function has asked for."""
    return {json.loads(line).get("operation") for line in stack.logs() if line.startswith("{")} - {None}


def is_refused(stack) -> str:
    """The reasons of a stack that is not to be there."""
    assert stack.create() == "ROLLBACK_COMPLETE"
    return " ".join(stack.failures())


@pytest.fixture
def organized(manned):
    """An account of an organization, whose roles are tagged and have no permission on keys yet."""
    manned.aws.tell(organizations={OWNER: ORGANIZATION, ACCOUNT: ORGANIZATION})
    for role in ACTIONS:
        manned.aws.client("iam").tag_role(RoleName=role, Tags=[{"Key": "sessions", "Value": "prod"}])
    return manned


@each_fact
@pytest.mark.parametrize("side", ["key policy", "identity policies"])
def test_strict_switches_a_key_on_that_a_condition_admits_to(organized, fact, side):
    if side == "key policy":
        key = make_key(organized, everybody(fact.holds), DRY_RUNS)
    else:
        give(organized, fact.holds)
        key = make_key(organized)
        # The account's own policies decide.
        organized.aws.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=seed.key_policy())
    stack = organized.deploy(KmsKeyId=key, **STRICT)
    assert organized.document().key == key
    assert "unknown" not in stack.outputs()["Findings"]
    assert fact.action in operations(stack)
    assert session.works(organized.aws, key), "as was said"


@each_fact
@pytest.mark.parametrize("side", ["key policy", "identity policies"])
def test_a_condition_that_is_read_and_does_not_hold_is_a_refusal_and_not_unknown(organized, fact, side):
    before = organized.document()
    if side == "key policy":
        key = make_key(organized, everybody(fact.fails), DRY_RUNS)
    else:
        give(organized, fact.fails)
        key = organized.keys.first
    reason = is_refused(organized.stack(KmsKeyId=key))
    assert NODE in reason and USER in reason
    assert organized.document() == before
    assert not session.works(organized.aws, key), "they would have been locked out"


@each_fact
@pytest.mark.parametrize("side", ["key policy", "identity policies"])
def test_without_its_permission_the_condition_is_unknown(organized, fact, side):
    if side == "key policy":
        key = make_key(organized, everybody(fact.holds), DRY_RUNS)
    else:
        give(organized, fact.holds)
        key = make_key(organized)
        organized.aws.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=seed.key_policy())
    before = organized.document()
    off = NAMED | {"KmsKeyId": key, fact.parameter: "false"}
    reason = is_refused(organized.stack(**off | STRICT))
    assert fact.action in reason, "the reason names the permission that is missing"
    assert organized.document() == before
    # Unknown is no refusal.
    stack = organized.deploy(**off)
    assert organized.document().key == key
    assert fact.action in stack.outputs()["Findings"]


def test_the_tags_of_a_user_are_read_as_those_of_a_role_are(organized):
    iam = organized.aws.client("iam")
    iam.create_user(UserName="ann", Tags=[{"Key": "sessions", "Value": "prod"}])
    fact = FACTS["tags of the principal"]
    key = make_key(organized, everybody(fact.holds), DRY_RUNS)
    named = NAMED | {"KmsKeyId": key, "Users": ANN}
    reason = is_refused(organized.stack(**named | STRICT, ReadPrincipalTags="false"))
    assert "iam:GetUser" in reason
    stack = organized.deploy(**named | STRICT)
    assert {"iam:GetUser", "iam:GetRole"} <= operations(stack)
    assert stack.delete() == "DELETE_COMPLETE"
    iam.untag_user(UserName="ann", TagKeys=["sessions"])
    assert ANN in is_refused(organized.stack(**named)), "a tag that is not there is absent"


def test_nothing_is_read_that_no_policy_asks_for(organized):
    organized.aws.client("iam").create_user(UserName="ann")
    organized.aws.client("iam").put_user_policy(
        UserName="ann", PolicyName="key",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*"}]}),
    )
    named = NAMED | {"Users": f"{USER},{ANN}"}
    quiet = organized.deploy(GrantKeyArns=organized.keys.first, **ROLES, **named | STRICT)
    assert "kms:GetKeyPolicy" in operations(quiet)
    assert not operations(quiet) & READS
    assert quiet.delete() == "DELETE_COMPLETE"
    condition = {"StringEquals": {}, **FACTS["aliases"].holds}
    for name in ("organization", "tags of the key", "tags of the principal"):
        condition["StringEquals"] |= FACTS[name].holds["StringEquals"]
    organized.aws.client("iam").tag_user(UserName="ann", Tags=[{"Key": "sessions", "Value": "prod"}])
    asked = organized.deploy(KmsKeyId=make_key(organized, everybody(condition), DRY_RUNS), **named | STRICT)
    assert operations(asked) >= READS


# Which organization another account's key is in is not known here, and tags of principals have been read above.
OF_THE_KEY = ("aliases", "organization", "tags of the key")


@pytest.mark.parametrize("name", OF_THE_KEY)
def test_strict_switches_another_account_s_key_on_through_the_reader_role(organized, name):
    key = make_key(organized, everybody(FACTS[name].holds), owner=OWNER)
    # Its own function reads aliases and tags; the organization of another account's principals is for the owner to say.
    context = {"Context": json.dumps({"aws:PrincipalOrgID": ORGANIZATION})} if name == "organization" else {}
    owner = organized.key_access(key, **context)
    assert owner.create() == "CREATE_COMPLETE", owner.failures()
    assert owner.outputs()["Findings"].endswith(" passed")
    settings = {"KmsKeyId": key, "KeyPolicyReaderRoleArn": owner.outputs()["ReaderRoleArn"], "GrantKeyArns": key, **ROLES}
    stack = organized.deploy(**settings, **STRICT)
    assert organized.document().key == key
    assert "unknown" not in stack.outputs()["Findings"]
    assert session.works(organized.aws, key)


def test_the_key_s_account_knows_which_organization_its_key_is_in(organized):
    fact = FACTS["organization of the key"]
    key = make_key(organized, everybody(fact.holds), owner=OWNER)
    owner = organized.key_access(key)
    assert owner.create() == "CREATE_COMPLETE", owner.failures()
    assert owner.outputs()["Findings"].endswith(" passed")
    assert fact.action in operations(owner)
    elsewhere = organized.key_access(make_bare_key(organized, everybody(fact.fails), owner=OWNER))
    assert ACCOUNT in is_refused(elsewhere)


@pytest.mark.parametrize("name", ["aliases", "tags of the key"])
def test_identity_policies_may_ask_for_what_another_account_s_key_has(organized, name):
    fact = FACTS[name]
    root = {"Sid": "Accounts", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Resource": "*"}
    key = make_key(organized, root | {"Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"]}, owner=OWNER)
    give(organized, fact.holds, OWNER)
    owner = organized.key_access(key)
    assert owner.create() == "CREATE_COMPLETE", owner.failures()
    settings = {"KmsKeyId": key, "KeyPolicyReaderRoleArn": owner.outputs()["ReaderRoleArn"]}
    organized.deploy(**settings, **STRICT)
    assert organized.document().key == key
    assert session.works(organized.aws, key)


@pytest.mark.parametrize("name", ["aliases", "tags of the key"])
def test_a_reader_role_that_may_not_read_it_leaves_it_unknown(organized, name):
    fact = FACTS[name]
    key = make_key(organized, everybody(fact.holds), owner=OWNER)
    owner = organized.key_access(key)
    template = load(package(organized.aws, KEY_ACCESS_TEMPLATE, OWNER))
    statements = template["Resources"]["ReaderRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    for statement in copy.copy(statements):
        if statement["Action"] == fact.action:
            statements.remove(statement)
        elif fact.action in statement["Action"]:
            statement["Action"].remove(fact.action)
    owner.template = json.dumps(template)
    assert owner.create() == "CREATE_COMPLETE", owner.failures()
    settings = {"KmsKeyId": key, "KeyPolicyReaderRoleArn": owner.outputs()["ReaderRoleArn"], "GrantKeyArns": key, **ROLES}
    assert fact.action in is_refused(organized.stack(**settings, **STRICT))
    stack = organized.deploy(**settings)
    assert fact.action in stack.outputs()["Findings"]


@pytest.mark.parametrize("name", ["aliases", "tags of the key"])
def test_a_key_without_aliases_and_tags_is_read_as_such(organized, name):
    """Absent is an answer: the Allow does not apply."""
    reason = is_refused(organized.stack(KmsKeyId=make_bare_key(organized, everybody(FACTS[name].holds), DRY_RUNS)))
    assert NODE in reason and USER in reason
    assert FACTS[name].action not in reason


def test_an_account_in_no_organization_is_refused_by_the_organization_s_key(manned):
    key = make_key(manned, everybody(FACTS["organization"].holds), DRY_RUNS)
    reason = is_refused(manned.stack(KmsKeyId=key))
    assert NODE in reason and USER in reason
    assert "organizations:DescribeOrganization" not in reason, "it was told"


def test_strict_needs_the_owner_s_word_on_an_endpoint_and_the_report_says_what_rests_on_it(organized):
    key = make_key(organized, everybody({"StringEquals": {"aws:SourceVpce": ENDPOINT}}), DRY_RUNS)
    before = organized.document()
    assert "aws:SourceVpce" in is_refused(organized.stack(KmsKeyId=key, **STRICT))
    elsewhere = organized.stack(KmsKeyId=key, Context=json.dumps({"aws:SourceVpce": "vpce-another"}))
    assert NODE in is_refused(elsewhere), "what is given counts against them too"
    assert organized.document() == before
    given = organized.deploy(KmsKeyId=key, Context=json.dumps({"aws:SourceVpce": ENDPOINT, "aws:SourceVpc": None}), **STRICT)
    assert organized.document().key == key
    access = report(given)["access"]
    assert {one["principal"] for one in access} == {USER, NODE}
    assert all("aws:SourceVpce" in json.dumps(one) for one in access), "whose verdict rests on it"
    assert "aws:SourceVpc\"" not in json.dumps(access), "nothing rests on the other"
    # It is remembered, for repairs and for the schedule.
    assert any(ENDPOINT in record for record in organized.records().values())
    assert send(given, sample("schedule", given, key))["alert"] is False
    # Other words of the owner are proven again, although the key is on already.
    other = json.dumps({"aws:SourceVpce": "vpce-another"})
    assert given.update(Context=other) == "UPDATE_ROLLBACK_COMPLETE"
    assert NODE in " ".join(given.failures())
    assert any(ENDPOINT in record for record in organized.records().values())
    assert given.update(Context=other, Preflight="Warn") == "UPDATE_COMPLETE"
    told = send(given, sample("schedule", given, key))
    assert told["alert"] is True
    assert NODE in " ".join(told["alerts"])


def test_verdicts_that_rest_on_nothing_given_do_not_say_so(organized):
    stack = organized.deploy(
        GrantKeyArns=organized.keys.first, Context=json.dumps({"aws:SourceVpce": ENDPOINT}), **ROLES, **STRICT
    )
    assert "aws:SourceVpce" not in json.dumps(report(stack)["access"])


def test_null_says_that_no_call_has_the_key(organized):
    deny = everybody({"StringLike": {"aws:SourceVpce": "vpce-*"}}) | {"Sid": "NoEndpoints", "Effect": "Deny", "Action": "kms:Decrypt"}
    key = make_key(organized, everybody({"StringEquals": {"kms:CallerAccount": ACCOUNT}}), deny)
    reason = is_refused(organized.stack(KmsKeyId=key, **STRICT))
    assert "aws:SourceVpce" in reason
    assert NODE in reason
    stack = organized.deploy(KmsKeyId=key, Context=json.dumps({"aws:SourceVpce": None}), **STRICT)
    assert organized.document().key == key
    by_principal = {one["principal"]: json.dumps(one) for one in report(stack)["access"]}
    assert "aws:SourceVpce" in by_principal[NODE]


def test_a_list_gives_every_value_of_a_key(organized):
    paths = ["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/", "o-a1b2c3d4e5/r-ab12/ou-ab12-22222222/"]
    condition = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*/ou-ab12-22222222/*"}}
    key = make_key(organized, everybody(condition), DRY_RUNS)
    assert "aws:PrincipalOrgPaths" in is_refused(organized.stack(KmsKeyId=key, **STRICT))
    organized.deploy(KmsKeyId=key, Context=json.dumps({"aws:PrincipalOrgPaths": paths}), **STRICT)
    assert organized.document().key == key


def test_what_is_given_is_told_to_the_simulator_too(organized):
    give(organized, {"StringEquals": {"aws:SourceVpce": ENDPOINT}})
    assert "aws:SourceVpce" in is_refused(organized.stack(**STRICT))
    organized.deploy(Context=json.dumps({"aws:SourceVpce": ENDPOINT}), **STRICT)
    assert organized.document().key == organized.keys.first


def test_direct_calls_take_a_context(organized):
    key = make_key(organized, everybody({"StringEquals": {"aws:SourceVpce": ENDPOINT}}), DRY_RUNS)
    stack = organized.deploy(Preflight="Warn", DryRun="true")
    call = {"action": "check", "kmsKeyId": key, "preflight": "Strict", "users": [USER], "nodes": [NODE], "discoverUsers": False, "discoverNodes": False}
    assert invoke(stack, call)["fails"] is True
    assert invoke(stack, call | {"context": {"aws:SourceVpce": ENDPOINT}})["fails"] is False
    assert invoke(stack, call | {"context": {"aws:SourceVpce": None}})["fails"] is True


@pytest.mark.parametrize("context", ['{"aws:SourceVpce": {"id": "vpce-1"}}', '{"aws:SourceVpce": "vpce-1", "aws:sourcevpce": "vpce-2"}', '{"aws:SourceVpce": }'])
def test_a_context_that_is_none_is_refused(account, context):
    before = account.document()
    assert "Context" in is_refused(account.stack(Context=context))
    assert account.document() == before


def test_a_context_that_is_no_object_is_refused_before_anything_is_done(account):
    with pytest.raises(ClientError, match="JSON object"):
        account.stack(Context="aws:SourceVpce=vpce-1").create()


def test_a_policy_that_lets_only_enclaves_decrypt_refuses_every_node(organized):
    """Neither agent nor plugin has an attestation document, so the key of its hash is absent in a session's call."""
    attested = {
        "Sid": "Enclaves", "Effect": "Allow", "Principal": {"AWS": NODE}, "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {"StringEqualsIgnoreCase": {"kms:RecipientAttestation:ImageSha384": "9fedcba8" * 12}},
    }
    key = make_key(organized, attested, everybody({"StringEquals": {"kms:CallerAccount": ACCOUNT}}) | {"Action": "kms:GenerateDataKey"})
    before = organized.document()
    reason = is_refused(organized.stack(KmsKeyId=key))
    assert f"{NODE}: kms:Decrypt" in reason
    assert USER not in reason
    assert organized.document() == before
