"""Each optional check is a parameter of the template that adds exactly its permissions."""

import re
from pathlib import Path
from typing import Any

import pytest

from local.paths import KEY_ACCESS_TEMPLATE, ROOT, TEMPLATE
from local.permissions import parameters as function
from local.permissions.parameters import NEEDED
from local.template import OFF, Resolver, load

STACKSET = ROOT / "deploy" / "stackset.yaml"
SHIPPED = load(TEMPLATE.read_text())
REGION_AND_ACCOUNT = "eu-west-1:123456789012"
KEYS = f"arn:aws:kms:{REGION_AND_ACCOUNT}:key/*"
ROLES = "arn:aws:iam::123456789012:role/*"
USERS = "arn:aws:iam::123456789012:user/*"
FOREIGN_KEY = "arn:aws:kms:eu-west-1:222222222222:key/11111111-2222-3333-4444-555555555555"
READER = "arn:aws:iam::222222222222:role/session-kms-key-ReaderRole-1A2B3C"

ADDED = {
    "DiscoverNodes": {
        ("ssm:DescribeInstanceInformation", "*"),
        ("ec2:DescribeIamInstanceProfileAssociations", "*"),
        ("ssm:GetServiceSetting", f"arn:aws:ssm:{REGION_AND_ACCOUNT}:servicesetting/ssm/managed-instance/default-ec2-instance-management-role"),
        ("iam:GetInstanceProfile", "arn:aws:iam::123456789012:instance-profile/*"),
        ("iam:GetRole", ROLES),
    },
    "ReadNetwork": {
        (f"ec2:Describe{things}", "*")
        for things in ("Instances", "VpcEndpoints", "Subnets", "RouteTables", "NatGateways", "SecurityGroups")
    },
    "DiscoverUsers": {("ssm:DescribeSessions", "*"), ("iam:GetRole", ROLES)},
    "ReadSessionDocuments": {("ssm:GetDocument", f"arn:aws:ssm:{REGION_AND_ACCOUNT}:document/*")},
    "ReadKeyPolicy": {("kms:GetKeyPolicy", KEYS), ("kms:ListGrants", KEYS)},
    "SimulateIdentities": {
        ("iam:SimulatePrincipalPolicy", ROLES),
        ("iam:SimulatePrincipalPolicy", USERS),
    },
    "DryRun": {("kms:GenerateDataKey", KEYS), ("kms:Decrypt", KEYS)},
    "ReadOrganization": {("organizations:DescribeOrganization", "*")},
    "ReadPrincipalTags": {("iam:GetRole", ROLES), ("iam:GetUser", USERS)},
    "ReadKeyTags": {("kms:ListResourceTags", KEYS)},
    "ReadKeyAliases": {("kms:ListAliases", "*")},
}


def statements(**parameters: str) -> list[dict[str, Any]]:
    """The statements of the function's role for these parameters."""
    return function.statements(SHIPPED, **parameters)


def permissions(**parameters: str) -> set[tuple[str, str]]:
    """Every allowed pair of action and resource."""
    return function.permissions(SHIPPED, **parameters)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("parameter", ADDED)
def test_a_check_adds_exactly_its_actions(parameter: str) -> None:
    others = OFF | {NEEDED[parameter]: "true"} if parameter in NEEDED else OFF
    none = permissions(**others)
    assert permissions(**others | {parameter: "true"}) - none == ADDED[parameter]
    assert none <= permissions(**others | {parameter: "true"})


@pytest.mark.parametrize("parameter", NEEDED)
def test_a_read_for_a_check_that_is_off_adds_nothing(parameter: str) -> None:
    assert permissions(**OFF | {parameter: "true"}) == permissions(**OFF)


def test_all_checks_together_add_no_more_than_each() -> None:
    on = dict.fromkeys(OFF, "true")
    assert permissions(**on) - permissions(**OFF) == set().union(*ADDED.values())


def test_without_any_check_the_function_describes_keys_and_no_more() -> None:
    actions = {action for action, _ in permissions(**OFF)}
    assert {action for action in actions if action.startswith("kms:")} == {"kms:DescribeKey"}
    assert not [action for action in actions if action.startswith(("iam:", "ec2:", "sts:", "organizations:"))]


def test_by_default_every_check_that_only_reads_is_on() -> None:
    assert permissions() == permissions(**dict.fromkeys(OFF, "true") | {"DryRun": "false"})


def test_the_reader_role_is_the_one_role_that_may_be_assumed() -> None:
    added = permissions(KeyPolicyReaderRoleArn=READER) - permissions()
    assert added == {("sts:AssumeRole", READER)}


def test_a_key_of_another_account_is_named_in_each_statement_about_keys() -> None:
    on = dict.fromkeys(OFF, "true") | {"KmsKeyId": FOREIGN_KEY}
    of_key = {action for action, resource in permissions(**on) if resource == FOREIGN_KEY}
    assert of_key == {"kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants", "kms:GenerateDataKey", "kms:Decrypt"}
    additional = permissions(**on, AdditionalKeyArns="arn:aws:kms:eu-west-1:333333333333:key/1-2") - permissions(**on)
    assert {action for action, _ in additional} == {"kms:DescribeKey", "kms:ListGrants", "kms:GenerateDataKey", "kms:Decrypt"}


def test_the_key_s_account_lets_the_reader_role_and_its_own_function_read_what_policies_ask_for() -> None:
    """AWS shows a key's policy, tags and aliases only to the key's own account."""
    template = load(KEY_ACCESS_TEMPLATE.read_text())

    def of(role: str) -> set[tuple[str, str]]:
        policies = Resolver(template, {"KeyArn": FOREIGN_KEY}).resolve(template["Resources"][role]["Properties"])["Policies"]
        return {
            (action, resource)
            for policy in policies
            if policy["PolicyName"] != "logs"
            for statement in policy["PolicyDocument"]["Statement"]
            for action in _list(statement["Action"])
            for resource in _list(statement["Resource"])
        }

    read = {(f"kms:{action}", FOREIGN_KEY) for action in ("DescribeKey", "GetKeyPolicy", "ListGrants", "ListResourceTags")}
    read.add(("kms:ListAliases", "*"))
    assert of("ReaderRole") == read
    assert of("FunctionRole") == read | {("organizations:DescribeOrganization", "*")}


def test_a_dry_run_is_limited_to_ids_that_no_session_has() -> None:
    """The function's role must not be able to read the data key of a session."""
    on = dict.fromkeys(OFF, "true") | {"AdditionalKeyArns": FOREIGN_KEY}
    tried = [statement for statement in statements(**on) if {"kms:GenerateDataKey", "kms:Decrypt"} & set(_list(statement["Action"]))]
    assert len(tried) == 2
    # This file holds the encryption context that the function sends.
    source = (TEMPLATE.parent / "src" / "aws" / "key_access.rs").read_text()
    for statement in tried:
        context = {key.removeprefix("kms:EncryptionContext:"): value for key, value in statement["Condition"]["StringEquals"].items()}
        assert set(context) == {"aws:ssm:SessionId", "aws:ssm:TargetId"}
        assert all(f'"{name}"' in source and f'"{value}"' in source for name, value in context.items())


def test_the_two_policies_allow_one_action_each_on_the_named_keys() -> None:
    def document(policy: str, **parameters: str) -> dict[str, Any]:
        return Resolver(SHIPPED, parameters).resolve(SHIPPED["Resources"][policy]["Properties"])

    keys = f"{FOREIGN_KEY},arn:aws:kms:{REGION_AND_ACCOUNT}:key/1-2"
    for policy, parameter, action in (("UserPolicy", "UserRoleNames", "kms:GenerateDataKey"), ("NodePolicy", "NodeRoleNames", "kms:Decrypt")):
        given = document(policy, **{parameter: "One,Two", "GrantKeyArns": keys})
        assert given["Roles"] == ["One", "Two"]
        statement, = given["PolicyDocument"]["Statement"]
        # The key from before is known to the function alone, and comes last.
        present = Resolver(SHIPPED, {}).resolve({"Fn::GetAtt": ["SessionKey", "PresentKeyArn"]})
        assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Allow", action, [*keys.split(","), present])
        created = f"arn:aws:kms:{REGION_AND_ACCOUNT}:key/Key"
        assert document(policy, **{parameter: "One", "CreateKey": "true"})["PolicyDocument"]["Statement"][0]["Resource"] == [created, present]
        both = document(policy, **{parameter: "One", "CreateKey": "true", "GrantKeyArns": FOREIGN_KEY})
        assert both["PolicyDocument"]["Statement"][0]["Resource"] == [created, FOREIGN_KEY, present]


def test_the_created_key_has_the_tag_that_just_in_time_node_access_asks_for() -> None:
    tags = Resolver(SHIPPED, {"CreateKey": "true"}).resolve(SHIPPED["Resources"]["Key"]["Properties"]["Tags"])
    assert tags == [{"Key": "SystemsManagerJustInTimeNodeAccessManaged", "Value": "true"}]


@pytest.mark.parametrize("path", [TEMPLATE, STACKSET], ids=lambda path: path.stem)
@pytest.mark.parametrize("name", ["UserRoleNames", "NodeRoleNames"])
def test_roles_of_identity_center_are_refused_with_the_reason(path: Path, name: str) -> None:
    """Nobody but IAM Identity Center can attach a policy to them."""
    parameter = load(path.read_text())["Parameters"][name]
    pattern = re.compile(parameter["AllowedPattern"])
    assert all(pattern.search(value) for value in ("", "Operator", "Operator,App", "Not-AWSReservedSSO_", "App,OfAWSReservedSSO_Admin"))
    role = "AWSReservedSSO_Admin_0123456789abcdef"
    for refused in (role, f"Operator,{role}", f"{role},Operator"):
        assert not pattern.search(refused)
    assert "IAM Identity Center alone" in parameter["ConstraintDescription"]
    assert "permission set" in parameter["ConstraintDescription"]


def test_the_created_key_admits_consumers_to_what_sessions_need() -> None:
    def policy(**parameters: str) -> list[dict[str, Any]]:
        return Resolver(SHIPPED, {"CreateKey": "true"} | parameters).resolve(SHIPPED["Resources"]["Key"]["Properties"]["KeyPolicy"])["Statement"]

    assert [statement["Sid"] for statement in policy()] == ["AccountDecides"]
    consumers = policy(ConsumerAccounts="222222222222,333333333333")[1]
    assert consumers["Principal"] == {"AWS": ["222222222222", "333333333333"]}
    assert sorted(consumers["Action"]) == ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
