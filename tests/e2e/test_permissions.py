"""The template's own permissions are enough; what is needed is needed, and what is optional makes a check unknown."""

import copy
import json

import pytest

from local import seed
from local.package import upload
from local.paths import TEMPLATE
from local.servers import ACCOUNT
from local.template import load

SHIPPED = load(TEMPLATE.read_text())
# Every check on, so that nothing is unknown for want of a permission.
ALL_CHECKS = {"Preflight": "Strict", "DryRun": "true", "UserRoleNames": seed.USER_ROLE, "NodeRoleNames": seed.NODE_ROLE}
OPTIONAL = [
    "kms:GetKeyPolicy", "kms:ListGrants", "kms:GenerateDataKey", "kms:Decrypt",
    "ssm:DescribeInstanceInformation", "ssm:GetServiceSetting", "ssm:DescribeSessions",
    "ec2:DescribeIamInstanceProfileAssociations", "iam:GetInstanceProfile", "iam:GetRole", "iam:SimulatePrincipalPolicy",
]
# Asked for where a policy asks: what is unknown without them is in test_condition_keys.py.
WHERE_ASKED = ["kms:ListResourceTags", "kms:ListAliases", "iam:GetUser", "organizations:DescribeOrganization"]


def policies(template: dict):
    """The policies of the function's role, whatever decides whether they are there."""
    for policy in template["Resources"]["FunctionRole"]["Properties"]["Policies"]:
        yield unwrapped(policy)


def statements(template: dict):
    """The lists of statements of the function's role."""
    for policy in policies(template):
        yield policy["PolicyDocument"]["Statement"]


def unwrapped(item: dict) -> dict:
    """The policy or statement itself, where a condition decides whether it is there."""
    return item["Fn::If"][1] if "Fn::If" in item else item


def actions(statement: dict) -> list[str]:
    """None where the action follows from a parameter."""
    action = unwrapped(statement)["Action"]
    if isinstance(action, dict):
        return []
    return [action] if isinstance(action, str) else action


def without(action: str) -> dict:
    """The shipped template less one action, wherever its role has it."""
    template = copy.deepcopy(SHIPPED)
    for listed in statements(template):
        for statement in filter(actions, list(listed)):
            left = [other for other in actions(statement) if other != action]
            if left:
                unwrapped(statement)["Action"] = left
            else:
                listed.remove(statement)
    role = template["Resources"]["FunctionRole"]["Properties"]
    role["Policies"] = [policy for policy in role["Policies"] if unwrapped(policy)["PolicyDocument"]["Statement"]]
    return template


def deployable(account, template: dict) -> str:
    template["Resources"]["Function"]["Properties"]["CodeUri"] = upload(account.aws)
    return json.dumps(template)


def test_every_action_on_keys_is_needed_or_optional():
    # What reports need is on their topic's key.
    listed = [statement for policy in policies(SHIPPED) if policy["PolicyName"] != "reports" for statement in policy["PolicyDocument"]["Statement"]]
    of_keys = {action for statement in listed for action in actions(statement) if action.startswith("kms:")}
    assert of_keys == {"kms:DescribeKey"} | {action for action in OPTIONAL + WHERE_ASKED if action.startswith("kms:")}


@pytest.mark.parametrize("action", WHERE_ASKED)
def test_what_no_policy_asks_for_is_needed_by_nobody(manned, action):
    stack = manned.deploy(template=deployable(manned, without(action)), GrantKeyArns=manned.keys.first, **ALL_CHECKS)
    assert manned.document().key == manned.keys.first
    assert "unknown" not in stack.outputs()["Findings"]


def test_without_describing_keys_the_stack_fails_with_access_denied(account):
    before = account.document()
    stack = account.stack(template=deployable(account, without("kms:DescribeKey")))
    assert stack.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(stack.failures())
    assert "AccessDenied" in reason
    assert "kms:DescribeKey" in reason, "the reason names the permission that is missing"
    assert account.document() == before


def test_strict_is_content_with_every_action(manned):
    """The control of the test below: what it does to the template besides is harmless."""
    stack = manned.deploy(template=deployable(manned, without("none:Such")), GrantKeyArns=manned.keys.first, **ALL_CHECKS)
    assert manned.document().key == manned.keys.first
    assert "unknown" not in stack.outputs()["Findings"]
    assert stack.delete() == "DELETE_COMPLETE"


# Grants only ever admit: where the key policy admits everybody, they need not be read.
@pytest.mark.parametrize("action", [action for action in OPTIONAL if action != "kms:ListGrants"])
def test_without_an_optional_action_a_check_is_unknown(manned, action):
    template = deployable(manned, without(action))
    before = manned.document()
    strict = manned.stack(template=template, GrantKeyArns=manned.keys.first, **ALL_CHECKS)
    assert strict.create() == "ROLLBACK_COMPLETE", "what is unknown blocks in Strict"
    assert action in " ".join(strict.failures()), "the reason names the permission that is missing"
    assert manned.document() == before
    enforcing = manned.deploy(template=template, GrantKeyArns=manned.keys.first, **ALL_CHECKS | {"Preflight": "Enforce"})
    assert manned.document().key == manned.keys.first
    findings = enforcing.outputs()["Findings"]
    assert "unknown" in findings
    assert action in findings


def test_without_listing_grants_whoever_needs_one_is_unknown(manned):
    policy = seed.named_roles_policy(ACCOUNT, GenerateDataKey=[seed.role_arn(seed.USER_ROLE)])
    key = seed.make_key(manned.aws, "named roles", policy)
    manned.aws.client("kms").create_grant(KeyId=key, GranteePrincipal=seed.role_arn(seed.NODE_ROLE), Operations=["Decrypt"])
    # The dry runs are the function's own, which this key does not admit.
    enforcing = ALL_CHECKS | {"Preflight": "Enforce", "DryRun": "false", "KmsKeyId": key, "GrantKeyArns": key}
    blind = manned.deploy(template=deployable(manned, without("kms:ListGrants")), **enforcing)
    assert "kms:ListGrants" in blind.outputs()["Findings"]
    assert blind.delete() == "DELETE_COMPLETE"
    seeing = manned.deploy(**enforcing)
    assert manned.document().key == key
    assert "kms:ListGrants" not in seeing.outputs()["Findings"]
    assert seed.NODE_ROLE not in seeing.outputs()["Findings"]


def test_a_document_that_was_not_put_in_its_care_is_out_of_reach():
    """Systems Manager's stand-in checks no permissions on documents, so this reads the policy itself."""
    scopes = [
        resource
        for policy in policies(SHIPPED)
        if policy["PolicyName"] in ("document", "record")
        for statement in policy["PolicyDocument"]["Statement"]
        for resource in unwrapped(statement)["Resource"]
    ]
    text = json.dumps(scopes)
    assert len(scopes) == 6
    assert "${DocumentName}" in text
    assert "document/*" not in text
    assert "parameter/*" not in text
    assert all(resource != "*" for resource in scopes)
