"""The local AWS itself, where the front plays what neither server does: condition keys, the simulator, organizations.

What the tests of the product rest on. None of them needs the function.
"""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import seed
from local.permissions import Caller, Decision, Policy, Request, Unsupported, decide, key_admits, missing_keys
from local.servers import ACCOUNT, OWNER, REGION, LocalAws
from tests.e2e import session

ORGANIZATION = "o-a1b2c3d4e5"
ALIASES = {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/sessions/*"}}
OF_THE_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
USER, NODE = seed.role_arn(seed.USER_ROLE), seed.role_arn(seed.NODE_ROLE)


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more) -> dict:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


@pytest.fixture
def roles(aws) -> LocalAws:
    seed.seed_roles(aws)
    return aws


def give(aws: LocalAws, role: str, *statements: dict, name: str = "key", account: str = ACCOUNT) -> None:
    aws.client("iam", account).put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document(*statements))


def as_role(aws: LocalAws, service: str, role: str, account: str = ACCOUNT, by: str = ACCOUNT):
    given = aws.client("sts", by).assume_role(RoleArn=seed.role_arn(role, account), RoleSessionName="session")["Credentials"]
    return boto3.client(
        service, region_name=REGION, endpoint_url=aws.front, aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"], aws_session_token=given["SessionToken"],
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )


def refused(call, code: str, *words: str) -> None:
    with pytest.raises(ClientError) as error:
        call()
    assert error.value.response["Error"]["Code"] == code
    assert all(word in str(error.value) for word in words), error.value


def simulate(aws: LocalAws, principal: str, action: str, key: str, **context) -> dict:
    entries = [
        {"ContextKeyName": name, "ContextKeyType": "stringList", "ContextKeyValues": value}
        if isinstance(value, list)
        else {"ContextKeyName": name, "ContextKeyType": "string", "ContextKeyValues": [value]}
        for name, value in context.items()
    ]
    answer = aws.client("iam").simulate_principal_policy(PolicySourceArn=principal, ActionNames=[action], ResourceArns=[key], ContextEntries=entries)
    result, = answer["EvaluationResults"]
    specific, = result["ResourceSpecificResults"]
    by = [found["SourcePolicyId"] for found in result["MatchedStatements"]]
    return {"decision": result["EvalDecision"], "missing": specific["MissingContextValues"], "by": by}


def test_the_organization_is_the_one_that_was_told_and_the_permission_is_needed(roles):
    refused(roles.client("organizations").describe_organization, "AWSOrganizationsNotInUseException")
    roles.tell(organizations={ACCOUNT: ORGANIZATION, OWNER: ORGANIZATION})
    for account in (ACCOUNT, OWNER):
        organization = roles.client("organizations", account).describe_organization()["Organization"]
        assert (organization["Id"], organization["MasterAccountId"]) == (ORGANIZATION, ACCOUNT)
    refused(roles.client("organizations", "333333333333").describe_organization, "AWSOrganizationsNotInUseException")
    refused(lambda: as_role(roles, "organizations", seed.USER_ROLE).describe_organization(), "AccessDeniedException", "organizations:DescribeOrganization")
    give(roles, seed.USER_ROLE, allow("organizations:DescribeOrganization"))
    assert as_role(roles, "organizations", seed.USER_ROLE).describe_organization()["Organization"]["Id"] == ORGANIZATION
    roles.reset()
    refused(roles.client("organizations").describe_organization, "AWSOrganizationsNotInUseException")


def test_aliases_and_tags_of_a_key_are_shown_to_whoever_may_ask(roles):
    only = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": ["kms:DescribeKey", "kms:PutKeyPolicy", "kms:ListResourceTags"], "Resource": "*"}
    kms = roles.client("kms")
    key = kms.create_key(Policy=document(only), Tags=[{"TagKey": "team", "TagValue": "ops"}])["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/sessions/prod", TargetKeyId=key)
    asks = as_role(roles, "kms", seed.USER_ROLE)
    refused(lambda: asks.list_aliases(KeyId=key), "AccessDeniedException", "kms:ListAliases")
    refused(lambda: asks.list_resource_tags(KeyId=key), "AccessDeniedException", "kms:ListResourceTags")
    give(roles, seed.USER_ROLE, allow("kms:ListAliases"), allow("kms:ListResourceTags", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*"))
    assert [alias["AliasName"] for alias in asks.list_aliases(KeyId=key)["Aliases"]] == ["alias/sessions/prod"], "no key's policy is asked"
    assert asks.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "team", "TagValue": "ops"}]
    other = kms.create_key(Policy=document(only))["KeyMetadata"]["Arn"]
    assert asks.list_aliases(KeyId=other)["Aliases"] == []


def test_aliases_and_tags_of_another_account_s_key_are_read_through_a_role_there_only(aws):
    seed.seed_roles(aws)
    kms = aws.client("kms", OWNER)
    key = kms.create_key(Policy=seed.named_roles_policy(OWNER), Tags=[{"TagKey": "team", "TagValue": "ops"}])["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/sessions/prod", TargetKeyId=key)
    refused(lambda: aws.client("kms").list_aliases(KeyId=key), "NotFoundException")
    refused(lambda: aws.client("kms").list_resource_tags(KeyId=key), "NotFoundException")
    trust = allow("sts:AssumeRole", Principal={"AWS": ROOT})
    del trust["Resource"]
    aws.client("iam", OWNER).create_role(RoleName="Reader", AssumeRolePolicyDocument=document(trust))
    reads = as_role(aws, "kms", "Reader", OWNER)
    refused(lambda: reads.list_aliases(KeyId=key), "AccessDeniedException", "kms:ListAliases")
    give(aws, "Reader", allow("kms:ListAliases"), allow("kms:ListResourceTags", key), account=OWNER)
    assert [alias["AliasName"] for alias in reads.list_aliases(KeyId=key)["Aliases"]] == ["alias/sessions/prod"]
    assert reads.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "team", "TagValue": "ops"}]


def test_roles_and_users_have_their_tags_and_roles_their_trust(roles):
    iam = roles.client("iam")
    iam.tag_role(RoleName=seed.USER_ROLE, Tags=[{"Key": "team", "Value": "ops"}])
    iam.create_user(UserName="ann", Path="/people/", Tags=[{"Key": "team", "Value": "dev"}])
    asks = as_role(roles, "iam", seed.NODE_ROLE)
    refused(lambda: asks.get_role(RoleName=seed.USER_ROLE), "AccessDenied", "iam:GetRole")
    refused(lambda: asks.get_user(UserName="ann"), "AccessDenied", "iam:GetUser")
    give(roles, seed.NODE_ROLE, allow("iam:GetRole", seed.role_arn("*")), allow("iam:GetUser", f"arn:aws:iam::{ACCOUNT}:user/*"))
    role = asks.get_role(RoleName=seed.USER_ROLE)["Role"]
    assert role["Tags"] == [{"Key": "team", "Value": "ops"}]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"
    assert asks.get_user(UserName="ann")["User"]["Tags"] == [{"Key": "team", "Value": "dev"}]


def test_the_simulator_knows_what_it_is_told_and_says_what_it_was_not(roles):
    key = seed.make_key(roles, "sessions", seed.key_policy())
    assert simulate(roles, NODE, "kms:Decrypt", key) == {"decision": "implicitDeny", "missing": [], "by": []}
    give(
        roles, seed.NODE_ROLE,
        allow("kms:Decrypt", f"arn:aws:kms:*:{ACCOUNT}:key/*", Condition=ALIASES),
        allow("kms:Encrypt", Condition={"StringEquals": {"aws:PrincipalTag/team": "ops"}}),
        allow("kms:Decrypt", f"arn:aws:kms:*:{OWNER}:key/*", Condition={"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}}),
    )
    assert simulate(roles, NODE, "kms:Decrypt", key) == {"decision": "implicitDeny", "missing": ["kms:ResourceAliases"], "by": []}
    told = {"KMS:resourcealiases": ["alias/other", "alias/sessions/prod"]}
    assert simulate(roles, NODE, "kms:Decrypt", key, **told) == {"decision": "allowed", "missing": [], "by": ["role_App_key"]}
    assert simulate(roles, NODE, "kms:Decrypt", key, **{"kms:ResourceAliases": ["alias/other"]})["decision"] == "implicitDeny"
    give(
        roles, seed.NODE_ROLE, allow("kms:*"),
        {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*", "Condition": OF_THE_ORGANIZATION},
        name="deny",
    )
    denied = simulate(roles, NODE, "kms:Decrypt", key, **told, **{"aws:PrincipalOrgID": ORGANIZATION})
    assert (denied["decision"], denied["by"]) == ("explicitDeny", ["role_App_deny"])
    assert simulate(roles, NODE, "kms:Decrypt", key, **told)["missing"] == ["aws:PrincipalOrgID"]


def test_the_simulator_allows_nothing_across_accounts_and_tells_the_own_side(roles):
    key = f"arn:aws:kms:{REGION}:{OWNER}:key/1-2"
    give(roles, seed.NODE_ROLE, allow("kms:Decrypt", key, Condition=ALIASES))
    entries = [{"ContextKeyName": "kms:ResourceAliases", "ContextKeyType": "stringList", "ContextKeyValues": ["alias/sessions/prod"]}]
    for context, own in (([], "implicitDeny"), (entries, "allowed")):
        answer = roles.client("iam").simulate_principal_policy(
            PolicySourceArn=NODE, ActionNames=["kms:Decrypt"], ResourceArns=[key], ContextEntries=context
        )
        result, = answer["EvaluationResults"]
        assert (result["EvalDecision"], result["EvalDecisionDetails"]) == ("implicitDeny", {"IAM Policy": own})
        assert result["ResourceSpecificResults"][0]["EvalDecisionDetails"] == {"IAM Policy": own}


def test_the_simulator_sees_managed_policies_groups_and_its_permission_is_needed(roles):
    iam = roles.client("iam")
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="operators")
    iam.add_user_to_group(GroupName="operators", UserName="ann")
    policy = iam.create_policy(PolicyName="Sessions", PolicyDocument=document(allow("kms:GenerateDataKey", Condition=ALIASES)))["Policy"]["Arn"]
    iam.attach_group_policy(GroupName="operators", PolicyArn=policy)
    key, ann = seed.make_key(roles, "sessions", seed.key_policy()), f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert simulate(roles, ann, "kms:GenerateDataKey", key)["missing"] == ["kms:ResourceAliases"]
    assert simulate(roles, ann, "kms:GenerateDataKey", key, **{"kms:ResourceAliases": ["alias/sessions/prod"]})["by"] == ["Sessions"]
    assert simulate(roles, f"arn:aws:iam::{ACCOUNT}:user/nobody", "kms:GenerateDataKey", key)["decision"] == "implicitDeny"
    asks = as_role(roles, "iam", seed.USER_ROLE)
    ask = {"PolicySourceArn": ann, "ActionNames": ["kms:GenerateDataKey"], "ResourceArns": [key]}
    refused(lambda: asks.simulate_principal_policy(**ask), "AccessDenied", "iam:SimulatePrincipalPolicy")
    give(roles, seed.USER_ROLE, allow("iam:SimulatePrincipalPolicy", f"arn:aws:iam::{ACCOUNT}:user/*"))
    assert asks.simulate_principal_policy(**ask)["EvaluationResults"][0]["EvalDecision"] == "implicitDeny"


def test_a_session_works_where_the_conditions_of_its_policies_hold(roles):
    key = seed.make_key(roles, "sessions", seed.key_policy())
    for role, action in ((seed.USER_ROLE, "kms:GenerateDataKey"), (seed.NODE_ROLE, "kms:Decrypt")):
        give(roles, role, allow(action, f"arn:aws:kms:*:{ACCOUNT}:key/*", Condition=ALIASES))
    assert not session.works(roles, key)
    roles.client("kms").create_alias(AliasName="alias/sessions/prod", TargetKeyId=key)
    assert session.works(roles, key)
    elsewhere = {"StringNotEquals": {"kms:EncryptionContext:aws:ssm:TargetId": "i-1"}}
    seed.add_to_key_policy(roles, key, {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": elsewhere})
    assert not session.works(roles, key)


@pytest.mark.parametrize("owner", [ACCOUNT, OWNER])
def test_a_key_of_the_organization_admits_its_accounts(roles, owner):
    everybody = {
        "Effect": "Allow", "Principal": "*", "Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"], "Resource": "*",
        "Condition": OF_THE_ORGANIZATION,
    }
    key = seed.make_key(roles, "of all", seed.named_roles_policy(owner), owner)
    seed.add_to_key_policy(roles, key, everybody, account=owner)
    give(roles, seed.USER_ROLE, allow("kms:GenerateDataKey", key))
    give(roles, seed.NODE_ROLE, allow("kms:Decrypt", key))
    assert not session.works(roles, key)
    roles.tell(organizations={ACCOUNT: "o-zzzzzzzzzz", OWNER: ORGANIZATION})
    assert not session.works(roles, key)
    roles.tell(organizations={ACCOUNT: ORGANIZATION, OWNER: ORGANIZATION})
    assert session.works(roles, key)
    assert roles.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    if owner == OWNER:
        refused(lambda: roles.client("kms", "333333333333").describe_key(KeyId=key), "AccessDeniedException")


def test_a_dry_run_is_allowed_by_the_encryption_context_that_its_permission_names(roles):
    key, context = seed.make_key(roles, "sessions", seed.key_policy()), {"aws:ssm:SessionId": "session-kms-0", "aws:ssm:TargetId": "i-0"}
    named = {"StringEquals": {f"kms:EncryptionContext:{name}": value for name, value in context.items()}}
    give(roles, seed.USER_ROLE, allow("kms:GenerateDataKey", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*", Condition=named))
    kms = as_role(roles, "kms", seed.USER_ROLE)
    refused(lambda: kms.generate_data_key(KeyId=key, NumberOfBytes=64, EncryptionContext=context, DryRun=True), "DryRunOperationException")
    refused(lambda: kms.generate_data_key(KeyId=key, NumberOfBytes=64, EncryptionContext=session.CONTEXT, DryRun=True), "AccessDeniedException")
    refused(lambda: kms.generate_data_key(KeyId=key, NumberOfBytes=64, DryRun=True), "AccessDeniedException")
    # Nothing can be decided anew about what is not there.
    refused(lambda: kms.generate_data_key(KeyId=key[:-4] + "0000", NumberOfBytes=64), "AccessDeniedException")


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        ({"StringEquals": {"k": ["a", "b"]}}, ["b"], True),
        ({"StringEquals": {"k": "a"}}, None, False),
        ({"StringNotEquals": {"k": ["a", "b"]}}, ["b"], False),
        ({"StringNotEquals": {"k": "a"}}, None, True),
        ({"StringEqualsIfExists": {"k": "a"}}, None, True),
        ({"StringEqualsIgnoreCase": {"k": "A"}}, ["a"], True),
        ({"StringLike": {"k": "a[b]*"}}, ["a[b]c"], True),
        ({"ForAnyValue:StringLike": {"k": "a*"}}, ["b", "ab"], True),
        ({"ForAnyValue:StringLike": {"k": "a*"}}, None, False),
        ({"ForAnyValue:StringNotLike": {"k": "a*"}}, ["b", "ab"], True),
        ({"ForAnyValue:StringNotLike": {"k": "a*"}}, None, False),
        ({"ForAllValues:StringLike": {"k": "a*"}}, ["b", "ab"], False),
        ({"ForAllValues:StringLike": {"k": "a*"}}, None, True),
        ({"Null": {"k": True}}, None, True),
        ({"Null": {"k": "false"}}, None, False),
        ({"Bool": {"k": False}}, ["false"], True),
        ({"ArnLike": {"k": "arn:aws:iam::*:role/a*"}}, ["arn:aws:iam::1:role/ab"], True),
        ({"StringEquals": {"k": "a", "other": "b"}}, ["a"], False),
    ],
    ids=json.dumps,
)
def test_conditions(condition, values, holds):
    policy = Policy("one", json.loads(document(allow("kms:Decrypt", Condition=condition))))
    request = Request("kms:Decrypt", "arn", {} if values is None else {"k": values})
    assert decide([policy], request).word == ("allowed" if holds else "implicitDeny")
    assert set(missing_keys([policy], request)) == set(next(iter(condition.values()))) - set(request.context)


@pytest.mark.parametrize(
    "condition",
    [{"NumericEquals": {"k": "1"}}, {"StringEquals": {"k": "${aws:username}"}}, {"ForEachValue:StringEquals": {"k": "1"}}],
    ids=json.dumps,
)
def test_what_is_not_played_is_no_answer(condition):
    with pytest.raises(Unsupported):
        decide([Policy("one", json.loads(document(allow("kms:Decrypt", Condition=condition))))], Request("kms:Decrypt", "arn", {"k": ["1"]}))


@pytest.mark.parametrize(
    ("principal", "owner", "own", "admitted"),
    [
        ("*", ACCOUNT, "implicitDeny", True),
        ({"AWS": NODE}, ACCOUNT, "implicitDeny", True),
        ({"AWS": [USER, ROOT]}, ACCOUNT, "implicitDeny", False),
        ({"AWS": ACCOUNT}, ACCOUNT, "allowed", True),
        ({"AWS": USER}, ACCOUNT, "allowed", False),
        ({"Service": "ec2.amazonaws.com"}, ACCOUNT, "allowed", False),
        ("*", ACCOUNT, "explicitDeny", False),
        ("*", OWNER, "implicitDeny", False),
        ("*", OWNER, "allowed", True),
        ({"AWS": NODE}, OWNER, "allowed", True),
    ],
    ids=str,
)
def test_a_key_policy_and_the_caller_s_own(principal, owner, own, admitted):
    policy = json.loads(document(allow("kms:*", Principal=principal)))
    request = Request("kms:Decrypt", f"arn:aws:kms:{REGION}:{owner}:key/1-2")
    assert key_admits(policy, Caller(ACCOUNT, NODE), Decision(own), request) is admitted
    policy["Statement"].append({"Effect": "Deny", "Principal": "*", "NotAction": "kms:Encrypt", "Resource": "*"})
    assert not key_admits(policy, Caller(ACCOUNT, NODE), Decision(own), request)
