"""The template's permissions suffice. Without a required one the stack fails; without an optional one a check is unknown."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from local import seed
from local.package import upload
from local.paths import TEMPLATE
from local.servers import ACCOUNT
from local.template import load
from tests.e2e.conftest import Account

SHIPPED = load(TEMPLATE.read_text())
# With every check on, nothing is unknown for lack of a permission.
ALL_CHECKS = {"Preflight": "Strict", "DryRun": "true", "UserRoleNames": seed.USER_ROLE, "NodeRoleNames": seed.NODE_ROLE}
OPTIONAL = [
    "kms:GetKeyPolicy", "kms:ListGrants", "kms:GenerateDataKey", "kms:Decrypt",
    "ssm:DescribeInstanceInformation", "ssm:GetServiceSetting", "ssm:DescribeSessions",
    "ec2:DescribeIamInstanceProfileAssociations", "ec2:DescribeInstances", "ec2:DescribeVpcEndpoints", "ec2:DescribeSubnets",
    "ec2:DescribeRouteTables", "iam:GetInstanceProfile", "iam:GetRole", "iam:SimulatePrincipalPolicy",
]
# Needed only if a policy asks for what they read. test_condition_keys.py tests that.
NEEDED_IF_A_POLICY_ASKS = ["kms:ListResourceTags", "kms:ListAliases", "iam:GetUser", "organizations:DescribeOrganization"]
# Needed only if a VPC of nodes has them. test_nodes_and_network.py tests that.
NEEDED_IF_THE_NETWORK_HAS_THEM = ["ec2:DescribeNatGateways", "ec2:DescribeSecurityGroups"]


def policies(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The policies of the function's role, conditional ones included."""
    for policy in template["Resources"]["FunctionRole"]["Properties"]["Policies"]:
        yield unwrapped(policy)


def statements(template: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The lists of statements of the function's role."""
    for policy in policies(template):
        yield policy["PolicyDocument"]["Statement"]


def unwrapped(item: Any) -> Any:
    """A policy, statement or action, without the condition around it."""
    return item["Fn::If"][1] if "Fn::If" in item else item


def actions(statement: dict[str, Any]) -> list[str]:
    """The actions of a statement. The list is empty if a parameter decides the action."""
    action = unwrapped(statement)["Action"]
    if isinstance(action, dict):
        return []
    return [action] if isinstance(action, str) else [unwrapped(item) for item in action]


def without(action: str) -> dict[str, Any]:
    """The shipped template without one action in the function's role."""
    template = copy.deepcopy(SHIPPED)
    for listed in statements(template):
        for statement in filter(actions, list(listed)):
            given = unwrapped(statement)["Action"]
            left = [item for item in ([given] if isinstance(given, str) else given) if unwrapped(item) != action]
            if left:
                unwrapped(statement)["Action"] = left
            else:
                listed.remove(statement)
    role = template["Resources"]["FunctionRole"]["Properties"]
    role["Policies"] = [policy for policy in role["Policies"] if unwrapped(policy)["PolicyDocument"]["Statement"]]
    return template


def deployable(account: Account, template: dict[str, Any]) -> str:
    template["Resources"]["Function"]["Properties"]["CodeUri"] = upload(account.aws)
    return json.dumps(template)


def test_every_action_on_keys_is_needed_or_optional() -> None:
    # The actions for reports are on the key of their topic.
    listed = [statement for policy in policies(SHIPPED) if policy["PolicyName"] != "reports" for statement in policy["PolicyDocument"]["Statement"]]
    of_keys = {action for statement in listed for action in actions(statement) if action.startswith("kms:")}
    assert of_keys == {"kms:DescribeKey"} | {action for action in OPTIONAL + NEEDED_IF_A_POLICY_ASKS if action.startswith("kms:")}


@pytest.mark.parametrize("action", NEEDED_IF_A_POLICY_ASKS + NEEDED_IF_THE_NETWORK_HAS_THEM)
def test_if_nothing_asks_for_it_a_read_needs_no_permission(populated: Account, action: str) -> None:
    stack = populated.deploy(template=deployable(populated, without(action)), GrantKeyArns=populated.keys.first, **ALL_CHECKS)
    assert populated.document().key == populated.keys.first
    assert "unknown" not in stack.outputs()["Findings"]


def test_without_describing_keys_the_stack_fails_with_access_denied(account: Account) -> None:
    before = account.document()
    stack = account.stack(template=deployable(account, without("kms:DescribeKey")))
    assert stack.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(stack.failures())
    assert "AccessDenied" in reason
    assert "kms:DescribeKey" in reason, "the reason names the permission that is missing"
    # The role might have been made seconds before, so the request is tried again for some 35 seconds.
    assert len([line for line in stack.logs() if "trying again, since the role may be seconds old" in line]) == 17
    assert account.document() == before


def test_strict_accepts_the_key_with_every_action(populated: Account) -> None:
    """The control of the test below: its other changes of the template are harmless."""
    stack = populated.deploy(template=deployable(populated, without("none:Such")), GrantKeyArns=populated.keys.first, **ALL_CHECKS)
    assert populated.document().key == populated.keys.first
    assert "unknown" not in stack.outputs()["Findings"]
    assert stack.delete() == "DELETE_COMPLETE"


# Grants can only admit. This key policy admits everybody, so nothing depends on the grants.
@pytest.mark.parametrize("action", [action for action in OPTIONAL if action != "kms:ListGrants"])
def test_without_an_optional_action_a_check_is_unknown(populated: Account, action: str) -> None:
    template = deployable(populated, without(action))
    before = populated.document()
    strict = populated.stack(template=template, GrantKeyArns=populated.keys.first, **ALL_CHECKS)
    assert strict.create() == "ROLLBACK_COMPLETE", "what is unknown blocks in Strict"
    assert action in " ".join(strict.failures()), "the reason names the permission that is missing"
    assert populated.document() == before
    enforcing = populated.deploy(template=template, GrantKeyArns=populated.keys.first, **ALL_CHECKS | {"Preflight": "Enforce"})
    assert populated.document().key == populated.keys.first
    findings = enforcing.outputs()["Findings"]
    assert "unknown" in findings
    assert action in findings


def test_without_listing_grants_a_principal_that_needs_one_is_unknown(populated: Account) -> None:
    policy = seed.named_roles_policy(ACCOUNT, GenerateDataKey=[seed.role_arn(seed.USER_ROLE)])
    key = seed.make_key(populated.aws, "named roles", policy)
    populated.aws.client("kms").create_grant(KeyId=key, GranteePrincipal=seed.role_arn(seed.NODE_ROLE), Operations=["Decrypt"])
    # This key does not admit the function, which makes the dry runs.
    enforcing = ALL_CHECKS | {"Preflight": "Enforce", "DryRun": "false", "KmsKeyId": key, "GrantKeyArns": key}
    without_grants = populated.deploy(template=deployable(populated, without("kms:ListGrants")), **enforcing)
    assert "kms:ListGrants" in without_grants.outputs()["Findings"]
    assert without_grants.delete() == "DELETE_COMPLETE"
    with_grants = populated.deploy(**enforcing)
    assert populated.document().key == key
    assert "kms:ListGrants" not in with_grants.outputs()["Findings"]
    assert seed.NODE_ROLE not in with_grants.outputs()["Findings"]


def test_the_function_may_edit_only_the_documents_of_its_parameters() -> None:
    """moto checks no permissions on documents, so this reads the policy itself."""
    scopes = [
        resource
        for policy in policies(SHIPPED)
        if policy["PolicyName"] in ("document", "record")
        for statement in policy["PolicyDocument"]["Statement"]
        for resource in unwrapped(statement)["Resource"]
    ]
    text = json.dumps(scopes)
    assert len(scopes) == 8
    assert "${DocumentName}" in text
    assert "document/*" not in text
    assert "parameter/*" not in text
    assert all(resource != "*" for resource in scopes)
