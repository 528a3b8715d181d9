"""The local AWS itself: what ``local/gateway.py`` adds, such as condition keys, the simulator and organizations.

The tests of the product rely on it. None of the tests here needs the function.
"""

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import seed
from local.policy_evaluator import Caller, Decision, Policy, Request, UnsupportedError, decide, key_policy_allows, missing_keys
from local.servers import ACCOUNT, OWNER, REGION, LocalAws
from local.simulator import ORGANIZATION_PATH
from local.stacks import Stack
from tests.e2e import session

ORGANIZATION = "o-a1b2c3d4e5"
ALIASES = {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/sessions/*"}}
OF_THE_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
USER, NODE = seed.role_arn(seed.USER_ROLE), seed.role_arn(seed.NODE_ROLE)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


@pytest.fixture
def roles(aws: LocalAws) -> LocalAws:
    seed.seed_roles(aws)
    return aws


def put_role_policy(aws: LocalAws, role: str, *statements: dict[str, Any], name: str = "key", account: str = ACCOUNT) -> None:
    aws.client("iam", account).put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document(*statements))


def put_organization_policy(aws: LocalAws, name: str, *statements: dict[str, Any]) -> None:
    """A service control policy of the account, as the simulator knows it."""
    aws.client("iam").create_policy(PolicyName=name, Path=ORGANIZATION_PATH, PolicyDocument=document(*statements))


def as_role(aws: LocalAws, service: str, role: str, account: str = ACCOUNT, by: str = ACCOUNT) -> Any:
    given = aws.client("sts", by).assume_role(RoleArn=seed.role_arn(role, account), RoleSessionName="session")["Credentials"]
    return boto3.client(
        service, region_name=REGION, endpoint_url=aws.gateway, aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"], aws_session_token=given["SessionToken"],
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )


def assert_error(call: Any, code: str, *words: str) -> None:
    with pytest.raises(ClientError) as error:
        call()
    assert error.value.response["Error"]["Code"] == code
    assert all(word in str(error.value) for word in words), error.value


def simulate(aws: LocalAws, principal: str, action: str, key: str, **context: Any) -> dict[str, Any]:
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


def test_the_organization_is_the_one_that_was_set_and_needs_the_permission(roles: LocalAws) -> None:
    assert_error(roles.client("organizations").describe_organization, "AWSOrganizationsNotInUseException")
    roles.update_state(organizations={ACCOUNT: ORGANIZATION, OWNER: ORGANIZATION})
    for account in (ACCOUNT, OWNER):
        organization = roles.client("organizations", account).describe_organization()["Organization"]
        assert (organization["Id"], organization["MasterAccountId"]) == (ORGANIZATION, ACCOUNT)
    assert_error(roles.client("organizations", "333333333333").describe_organization, "AWSOrganizationsNotInUseException")
    assert_error(lambda: as_role(roles, "organizations", seed.USER_ROLE).describe_organization(), "AccessDeniedException", "organizations:DescribeOrganization")
    put_role_policy(roles, seed.USER_ROLE, allow("organizations:DescribeOrganization"))
    assert as_role(roles, "organizations", seed.USER_ROLE).describe_organization()["Organization"]["Id"] == ORGANIZATION
    roles.reset()
    assert_error(roles.client("organizations").describe_organization, "AWSOrganizationsNotInUseException")


def test_aliases_and_tags_of_a_key_need_their_permissions(roles: LocalAws) -> None:
    only = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": ["kms:DescribeKey", "kms:PutKeyPolicy", "kms:ListResourceTags"], "Resource": "*"}
    kms = roles.client("kms")
    key = kms.create_key(Policy=document(only), Tags=[{"TagKey": "team", "TagValue": "ops"}])["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/sessions/prod", TargetKeyId=key)
    asks = as_role(roles, "kms", seed.USER_ROLE)
    assert_error(lambda: asks.list_aliases(KeyId=key), "AccessDeniedException", "kms:ListAliases")
    assert_error(lambda: asks.list_resource_tags(KeyId=key), "AccessDeniedException", "kms:ListResourceTags")
    put_role_policy(roles, seed.USER_ROLE, allow("kms:ListAliases"), allow("kms:ListResourceTags", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*"))
    assert [alias["AliasName"] for alias in asks.list_aliases(KeyId=key)["Aliases"]] == ["alias/sessions/prod"], "the key policy does not matter"
    assert asks.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "team", "TagValue": "ops"}]
    other = kms.create_key(Policy=document(only))["KeyMetadata"]["Arn"]
    assert asks.list_aliases(KeyId=other)["Aliases"] == []


def test_aliases_and_tags_of_another_account_s_key_are_read_through_a_role_there_only(aws: LocalAws) -> None:
    seed.seed_roles(aws)
    kms = aws.client("kms", OWNER)
    key = kms.create_key(Policy=seed.named_roles_policy(OWNER), Tags=[{"TagKey": "team", "TagValue": "ops"}])["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/sessions/prod", TargetKeyId=key)
    assert_error(lambda: aws.client("kms").list_aliases(KeyId=key), "NotFoundException")
    assert_error(lambda: aws.client("kms").list_resource_tags(KeyId=key), "NotFoundException")
    trust = allow("sts:AssumeRole", Principal={"AWS": ROOT})
    del trust["Resource"]
    aws.client("iam", OWNER).create_role(RoleName="Reader", AssumeRolePolicyDocument=document(trust))
    reads = as_role(aws, "kms", "Reader", OWNER)
    assert_error(lambda: reads.list_aliases(KeyId=key), "AccessDeniedException", "kms:ListAliases")
    put_role_policy(aws, "Reader", allow("kms:ListAliases"), allow("kms:ListResourceTags", key), account=OWNER)
    assert [alias["AliasName"] for alias in reads.list_aliases(KeyId=key)["Aliases"]] == ["alias/sessions/prod"]
    assert reads.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "team", "TagValue": "ops"}]


def test_roles_and_users_have_tags_and_roles_a_trust_policy(roles: LocalAws) -> None:
    iam = roles.client("iam")
    iam.tag_role(RoleName=seed.USER_ROLE, Tags=[{"Key": "team", "Value": "ops"}])
    iam.create_user(UserName="ann", Path="/people/", Tags=[{"Key": "team", "Value": "dev"}])
    asks = as_role(roles, "iam", seed.NODE_ROLE)
    assert_error(lambda: asks.get_role(RoleName=seed.USER_ROLE), "AccessDenied", "iam:GetRole")
    assert_error(lambda: asks.get_user(UserName="ann"), "AccessDenied", "iam:GetUser")
    put_role_policy(roles, seed.NODE_ROLE, allow("iam:GetRole", seed.role_arn("*")), allow("iam:GetUser", f"arn:aws:iam::{ACCOUNT}:user/*"))
    role = asks.get_role(RoleName=seed.USER_ROLE)["Role"]
    assert role["Tags"] == [{"Key": "team", "Value": "ops"}]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"
    assert asks.get_user(UserName="ann")["User"]["Tags"] == [{"Key": "team", "Value": "dev"}]


def test_the_simulator_uses_the_context_and_reports_missing_condition_keys(roles: LocalAws) -> None:
    key = seed.make_key(roles, "sessions", seed.key_policy())
    assert simulate(roles, NODE, "kms:Decrypt", key) == {"decision": "implicitDeny", "missing": [], "by": []}
    put_role_policy(
        roles, seed.NODE_ROLE,
        allow("kms:Decrypt", f"arn:aws:kms:*:{ACCOUNT}:key/*", Condition=ALIASES),
        allow("kms:Encrypt", Condition={"StringEquals": {"aws:PrincipalTag/team": "ops"}}),
        allow("kms:Decrypt", f"arn:aws:kms:*:{OWNER}:key/*", Condition={"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}}),
    )
    assert simulate(roles, NODE, "kms:Decrypt", key) == {"decision": "implicitDeny", "missing": ["kms:ResourceAliases"], "by": []}
    context = {"KMS:resourcealiases": ["alias/other", "alias/sessions/prod"]}
    assert simulate(roles, NODE, "kms:Decrypt", key, **context) == {"decision": "allowed", "missing": [], "by": ["role_App_key"]}
    assert simulate(roles, NODE, "kms:Decrypt", key, **{"kms:ResourceAliases": ["alias/other"]})["decision"] == "implicitDeny"
    put_role_policy(
        roles, seed.NODE_ROLE, allow("kms:*"),
        {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*", "Condition": OF_THE_ORGANIZATION},
        name="deny",
    )
    denied = simulate(roles, NODE, "kms:Decrypt", key, **context, **{"aws:PrincipalOrgID": ORGANIZATION})
    assert (denied["decision"], denied["by"]) == ("explicitDeny", ["role_App_deny"])
    assert simulate(roles, NODE, "kms:Decrypt", key, **context)["missing"] == ["aws:PrincipalOrgID"]


def test_the_simulator_allows_nothing_across_accounts_and_reports_the_principal_s_own_side(roles: LocalAws) -> None:
    key = f"arn:aws:kms:{REGION}:{OWNER}:key/1-2"
    put_role_policy(roles, seed.NODE_ROLE, allow("kms:Decrypt", key, Condition=ALIASES))
    entries = [{"ContextKeyName": "kms:ResourceAliases", "ContextKeyType": "stringList", "ContextKeyValues": ["alias/sessions/prod"]}]
    for context, own in (([], "implicitDeny"), (entries, "allowed")):
        answer = roles.client("iam").simulate_principal_policy(
            PolicySourceArn=NODE, ActionNames=["kms:Decrypt"], ResourceArns=[key], ContextEntries=context
        )
        result, = answer["EvaluationResults"]
        assert (result["EvalDecision"], result["EvalDecisionDetails"]) == ("implicitDeny", {"IAM Policy": own})
        assert result["ResourceSpecificResults"][0]["EvalDecisionDetails"] == {"IAM Policy": own}


def test_the_simulator_asks_the_policies_of_the_organization_first_and_never_lists_their_condition_keys(roles: LocalAws) -> None:
    own, foreign = (f"arn:aws:kms:{REGION}:{account}:key/1-2" for account in (ACCOUNT, OWNER))
    put_role_policy(roles, seed.NODE_ROLE, allow("kms:Decrypt", Condition=OF_THE_ORGANIZATION))
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": REGION}}
    put_organization_policy(roles, "regions", allow("*"), {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*", "Condition": elsewhere})

    def results(**context: str) -> list[dict[str, Any]]:
        entries = [{"ContextKeyName": key, "ContextKeyType": "string", "ContextKeyValues": [value]} for key, value in context.items()]
        return [
            roles.client("iam").simulate_principal_policy(
                PolicySourceArn=NODE, ActionNames=["kms:Decrypt"], ResourceArns=[key], ContextEntries=entries
            )["EvaluationResults"][0]
            for key in (own, foreign)
        ]

    for result in results():
        assert result["EvalDecision"] == "explicitDeny"
        assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
        assert "EvalDecisionDetails" not in result, "the simulation ended"
        assert result["ResourceSpecificResults"][0]["MissingContextValues"] == []
    for result in results(**{"aws:RequestedRegion": REGION}):
        assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}
        assert result["ResourceSpecificResults"][0]["MissingContextValues"] == ["aws:PrincipalOrgID"]
    put_organization_policy(roles, "nothing", allow("s3:*"))
    assert [result["EvalDecision"] for result in results(**{"aws:RequestedRegion": REGION})] == ["implicitDeny"] * 2


def test_the_simulator_reads_managed_policies_and_groups_and_needs_its_permission(roles: LocalAws) -> None:
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
    assert_error(lambda: asks.simulate_principal_policy(**ask), "AccessDenied", "iam:SimulatePrincipalPolicy")
    put_role_policy(roles, seed.USER_ROLE, allow("iam:SimulatePrincipalPolicy", f"arn:aws:iam::{ACCOUNT}:user/*"))
    assert asks.simulate_principal_policy(**ask)["EvaluationResults"][0]["EvalDecision"] == "implicitDeny"


def test_a_session_can_start_if_the_conditions_of_its_policies_hold(roles: LocalAws) -> None:
    key = seed.make_key(roles, "sessions", seed.key_policy())
    for role, action in ((seed.USER_ROLE, "kms:GenerateDataKey"), (seed.NODE_ROLE, "kms:Decrypt")):
        put_role_policy(roles, role, allow(action, f"arn:aws:kms:*:{ACCOUNT}:key/*", Condition=ALIASES))
    assert not session.can_start(roles, key)
    roles.client("kms").create_alias(AliasName="alias/sessions/prod", TargetKeyId=key)
    assert session.can_start(roles, key)
    elsewhere = {"StringNotEquals": {"kms:EncryptionContext:aws:ssm:TargetId": "i-1"}}
    seed.add_to_key_policy(roles, key, {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": elsewhere})
    assert not session.can_start(roles, key)


@pytest.mark.parametrize("owner", [ACCOUNT, OWNER])
def test_a_key_of_the_organization_admits_its_accounts(roles: LocalAws, owner: str) -> None:
    anyone = {
        "Effect": "Allow", "Principal": "*", "Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"], "Resource": "*",
        "Condition": OF_THE_ORGANIZATION,
    }
    key = seed.make_key(roles, "of all", seed.named_roles_policy(owner), owner)
    seed.add_to_key_policy(roles, key, anyone, account=owner)
    put_role_policy(roles, seed.USER_ROLE, allow("kms:GenerateDataKey", key))
    put_role_policy(roles, seed.NODE_ROLE, allow("kms:Decrypt", key))
    assert not session.can_start(roles, key)
    roles.update_state(organizations={ACCOUNT: "o-zzzzzzzzzz", OWNER: ORGANIZATION})
    assert not session.can_start(roles, key)
    roles.update_state(organizations={ACCOUNT: ORGANIZATION, OWNER: ORGANIZATION})
    assert session.can_start(roles, key)
    assert roles.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    if owner == OWNER:
        assert_error(lambda: roles.client("kms", "333333333333").describe_key(KeyId=key), "AccessDeniedException")


def test_a_dry_run_is_allowed_by_the_encryption_context_that_its_permission_names(roles: LocalAws) -> None:
    key, context = seed.make_key(roles, "sessions", seed.key_policy()), {"aws:ssm:SessionId": "session-kms-0", "aws:ssm:TargetId": "i-0"}
    named = {"StringEquals": {f"kms:EncryptionContext:{name}": value for name, value in context.items()}}
    put_role_policy(roles, seed.USER_ROLE, allow("kms:GenerateDataKey", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*", Condition=named))
    kms = as_role(roles, "kms", seed.USER_ROLE)
    assert_error(lambda: kms.generate_data_key(KeyId=key, NumberOfBytes=64, EncryptionContext=context, DryRun=True), "DryRunOperationException")
    assert_error(lambda: kms.generate_data_key(KeyId=key, NumberOfBytes=64, EncryptionContext=session.CONTEXT, DryRun=True), "AccessDeniedException")
    assert_error(lambda: kms.generate_data_key(KeyId=key, NumberOfBytes=64, DryRun=True), "AccessDeniedException")
    # A denial on a key that does not exist stays a denial.
    assert_error(lambda: kms.generate_data_key(KeyId=key[:-4] + "0000", NumberOfBytes=64), "AccessDeniedException")


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
def test_conditions(condition: Any, values: Any, holds: bool) -> None:
    policy = Policy("one", json.loads(document(allow("kms:Decrypt", Condition=condition))))
    request = Request("kms:Decrypt", "arn", {} if values is None else {"k": values})
    assert decide([policy], request).result == ("allowed" if holds else "implicitDeny")
    assert set(missing_keys([policy], request)) == set(next(iter(condition.values()))) - set(request.context)


@pytest.mark.parametrize(
    "condition",
    [{"NumericEquals": {"k": "1"}}, {"StringEquals": {"k": "${aws:username}"}}, {"ForEachValue:StringEquals": {"k": "1"}}],
    ids=json.dumps,
)
def test_what_the_evaluator_does_not_support_is_an_error(condition: Any) -> None:
    with pytest.raises(UnsupportedError):
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
def test_a_key_policy_and_the_caller_s_own(principal: Any, owner: Stack, own: str, admitted: bool) -> None:
    policy = json.loads(document(allow("kms:*", Principal=principal)))
    request = Request("kms:Decrypt", f"arn:aws:kms:{REGION}:{owner}:key/1-2")
    assert key_policy_allows(policy, Caller(ACCOUNT, NODE), Decision(own), request) is admitted
    policy["Statement"].append({"Effect": "Deny", "Principal": "*", "NotAction": "kms:Encrypt", "Resource": "*"})
    assert not key_policy_allows(policy, Caller(ACCOUNT, NODE), Decision(own), request)
