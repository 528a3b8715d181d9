"""No statement of a role covers more resources than it needs.

An action has the resource ``*`` only if AWS has no resource for it. Every other pattern stands here with its reason.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local import environments
from local.paths import ALL_TEMPLATES, ROOT
from local.template import load

# The actions that have no resource in AWS's service authorization reference: a policy can name them with `*` alone.
WITHOUT_RESOURCES = {
    # Answers go to whichever evaluation the token of the question belongs to.
    "config:PutEvaluations",
    # Lists of what an account has in a Region. EC2 takes no resource for calls that describe.
    "ec2:DescribeIamInstanceProfileAssociations", "ec2:DescribeInstances", "ec2:DescribeNatGateways", "ec2:DescribeRegions",
    "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcEndpoints",
    # All roles, users, groups and policies of an account.
    "iam:GetAccountAuthorizationDetails",
    # A list, even if the call names a key.
    "kms:ListAliases",
    # It is about the caller's own organization.
    "organizations:DescribeOrganization", "organizations:ListRoots",
    "ssm:DescribeInstanceInformation", "ssm:DescribeSessions",
}
_IAM = "arn:${AWS::Partition}:iam::${AWS::AccountId}"
_KMS = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}"
_SSM = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}"
_RECORD = {"ssm:DeleteParameter", "ssm:GetParameter", "ssm:PutParameter"}
_UNITS = {"organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent"}
_TRIAL = {"ssm:GetParameter", "ssm:GetParametersByPath", "ssm:UpdateDocument"}
# The actions that may have a pattern of resources, each pattern with the reason why nothing narrower would do.
PATTERNS = {
    # The profiles and roles of nodes, and the roles and users who start sessions, are found at run time.
    f"{_IAM}:instance-profile/*": {"iam:GetInstanceProfile"},
    f"{_IAM}:role/*": {"iam:GetRole", "iam:SimulatePrincipalPolicy"},
    f"{_IAM}:user/*": {"iam:GetUser", "iam:SimulatePrincipalPolicy"},
    # A request may name any key, also by its alias or id, and which key was there before is found at run time. Conditions
    # limit kms:GenerateDataKey and kms:Decrypt to an encryption context that no session has.
    f"{_KMS}:key/*": {
        "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:GetKeyPolicy", "kms:ListGrants", "kms:ListResourceTags",
    },
    f"{_KMS}:alias/*": {"kms:DescribeKey"},
    # The documents with which people start sessions are found at run time. Reading them changes nothing.
    f"{_SSM}:document/*": {"ssm:GetDocument"},
    # The versions of one record.
    f"{_SSM}:parameter/session-kms/${{DocumentName}}:*": _RECORD,
    f"{_SSM}:parameter/session-kms/${{AdditionalDocuments}}:*": _RECORD,
    # The audit role reads every Region of its account. Whose key a document has is found at run time.
    "arn:${AWS::Partition}:kms:*:*:key/*": {"kms:DescribeKey", "kms:ListGrants"},
    "arn:${AWS::Partition}:kms:*:${AWS::AccountId}:key/*": {"kms:GetKeyPolicy", "kms:ListResourceTags"},
    "arn:${AWS::Partition}:ssm:*:${AWS::AccountId}:document/*": {"ssm:DescribeDocument", "ssm:GetDocument"},
    "arn:${AWS::Partition}:ssm:*:${AWS::AccountId}:parameter/session-kms/*": {"ssm:GetParameter"},
    "arn:${AWS::Partition}:ssm:*:${AWS::AccountId}:servicesetting/ssm/managed-instance/default-ec2-instance-management-role": {
        "ssm:GetServiceSetting",
    },
    # The audit role of every account, and what the audit asks about the accounts and units of the organization: they are
    # found at run time, and their ARNs have the id of the management account.
    "arn:${AWS::Partition}:iam::*:role/${AuditRoleName}": {"sts:AssumeRole"},
    "arn:${AWS::Partition}:organizations::*:root/${Organization}/*": _UNITS,
    "arn:${AWS::Partition}:organizations::*:ou/${Organization}/*": _UNITS,
    "arn:${AWS::Partition}:account::*:account/${Organization}/*": {"account:ListRegions"},
    # The results and reports of all runs, in a bucket for nothing else, and the executions of one state machine.
    "${Bucket.Arn}/runs/*": {"s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"},
    "${Bucket.Arn}/reports/*": {"s3:GetObject", "s3:PutObject"},
    "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${StateMachine.Name}/*": {
        "states:DescribeExecution", "states:RedriveExecution", "states:StopExecution",
    },
    # A stack that exists for minutes, to try what AWS does. Its name begins the names of its documents and parameters.
    f"{_SSM}:document/${{Id}}*": _TRIAL,
    f"{_SSM}:parameter/${{Id}}*": _TRIAL,
}
# The actions with a pattern. SNS needs this form of the action: it makes data keys in two ways, and the resource is one key.
ACTIONS = {"kms:GenerateDataKey*": '{"Ref": "ReportTopicKeyArn"}'}


class Grant(NamedTuple):
    """An action that a policy of a role allows on a resource."""

    template: str
    owner: str
    action: str
    resource: str


def branches(value: Any) -> Iterator[Any]:
    """The values that a part of a template can have, whichever conditions hold."""
    if isinstance(value, list):
        for item in value:
            yield from branches(item)
    elif isinstance(value, dict) and "Fn::If" in value:
        yield from branches(value["Fn::If"][1])
        yield from branches(value["Fn::If"][2])
    elif value != {"Ref": "AWS::NoValue"}:
        yield value


def text(value: Any) -> str:
    """A resource as the template writes it."""
    if isinstance(value, dict) and "Fn::Sub" in value:
        argument = value["Fn::Sub"]
        return argument if isinstance(argument, str) else argument[0]
    return value if isinstance(value, str) else json.dumps(value)


def statements(value: Any, owner: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The statements of identity policies. In the policy of a resource, which names principals, `*` is that resource."""
    if isinstance(value, list):
        for item in value:
            yield from statements(item, owner)
    elif isinstance(value, dict):
        if "Effect" in value and "Action" in value and "Principal" not in value:
            yield owner, value
        for item in value.values():
            yield from statements(item, owner)


def grants(path: Path) -> Iterator[Grant]:
    for name, resource in load(path.read_text())["Resources"].items():
        for owner, statement in statements(resource, name):
            assert not {"NotAction", "NotResource"} & set(statement), owner
            for action in branches(statement["Action"]):
                for on in branches(statement["Resource"]):
                    yield Grant(str(path.relative_to(ROOT)), owner, text(action), text(on))


GRANTS = [grant for path in ALL_TEMPLATES for grant in grants(path)]


def is_pattern(value: str) -> bool:
    return "*" in value or "?" in value


def test_the_roles_are_read() -> None:
    owners = {(grant.template, grant.owner) for grant in GRANTS}
    assert {("template.yaml", "FunctionRole"), ("template-key-access.yaml", "ReaderRole"), ("template-key-access.yaml", "FunctionRole")} <= owners
    assert len(GRANTS) > 80


def test_only_actions_without_resources_cover_every_resource() -> None:
    covered = {grant.action for grant in GRANTS if grant.resource == "*"}
    assert covered == WITHOUT_RESOURCES


def test_every_other_pattern_of_resources_has_its_reason() -> None:
    used: dict[str, set[str]] = {}
    for grant in GRANTS:
        if grant.resource != "*" and is_pattern(grant.resource):
            used.setdefault(grant.resource, set()).add(grant.action)
    assert used == PATTERNS


def test_no_action_is_a_pattern_without_its_reason() -> None:
    assert {(grant.action, grant.resource) for grant in GRANTS if is_pattern(grant.action)} == set(ACTIONS.items())


@pytest.mark.parametrize("action", sorted(WITHOUT_RESOURCES))
def test_aws_has_no_resource_for_the_action(action: str) -> None:
    """parliament brings the service authorization reference. An action with resources names their types there."""
    definition = environments.site_packages("parliament") / "parliament" / "iam_definition.json"
    service, _, name = action.partition(":")
    types = {
        kind["resource_type"]
        for entry in json.loads(definition.read_text())
        if entry["prefix"] == service
        for privilege in entry["privileges"]
        if privilege["privilege"] == name
        for kind in privilege["resource_types"]
    }
    assert types == {""}, "a narrower resource is possible"
