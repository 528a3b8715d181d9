"""Stacks of a run. Each is removed at its end."""

import json
from typing import Any

from botocore.exceptions import ClientError

from local.aws_check.account import Account, progress
from local.aws_check.answer import NotSettledError
from local.aws_check.cleanup import CannotRemoveError, is_gone
from local.paths import ROOT

FOLDER = ROOT / "local" / "aws_check"
# The stack of the run.
TEMPLATE = FOLDER / "stack.yaml"
WAIT_SECONDS = 600
# The calls of this module, and those that CloudFormation makes for the resources of the stack with the user's permissions.
SETUP_ACTIONS = (
    "cloudformation:CreateStack", "cloudformation:DeleteStack", "cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents",
    "kms:CreateKey", "kms:PutKeyPolicy", "kms:TagResource", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
    "kms:ListResourceTags", "kms:ScheduleKeyDeletion", "kms:CreateAlias", "kms:ListAliases", "kms:DeleteAlias",
    "iam:CreateRole", "iam:GetRole", "iam:TagRole", "iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary",
    "iam:PutRolePolicy", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:DeleteRolePolicy", "iam:DeleteRole",
    "sqs:CreateQueue", "sqs:TagQueue", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes", "sqs:DeleteQueue",
    "events:PutRule", "events:TagResource", "events:DescribeRule", "events:PutTargets", "events:ListTargetsByRule", "events:RemoveTargets",
    "events:DeleteRule",
    "sts:AssumeRole",
)


def create(account: Account, name: str, template: str, **parameters: str) -> dict[str, str]:
    """Create a stack and return its outputs. If it fails, the error has the first reason."""
    status, reason = begin(account, name, template, **parameters)
    if status != "CREATE_COMPLETE":
        raise NotSettledError(f"stack {name} could not be made: {reason}")
    return outputs(account, name)


def begin(account: Account, name: str, template: str, **parameters: str) -> tuple[str, str]:
    """Create a stack; return its final status, and the first reason of a failure."""
    account.cleanup.add(
        f"stack {name}", lambda: delete(account, name), account.command(f"cloudformation delete-stack --stack-name {name}")
    )
    progress(f"making stack {name}")
    account.stack_ids[name] = account.client("cloudformation").create_stack(
        StackName=name, TemplateBody=template, Parameters=_parameters(parameters), Capabilities=["CAPABILITY_IAM"], OnFailure="ROLLBACK",
    )["StackId"]
    return wait(account, name)


def update(account: Account, name: str, template: str, **parameters: str) -> tuple[str, str]:
    """Update a stack; return its final status, and the first reason of a failure."""
    seen = len(events(account, name))
    account.client("cloudformation").update_stack(
        StackName=name, TemplateBody=template, Parameters=_parameters(parameters), Capabilities=["CAPABILITY_IAM"],
    )
    return wait(account, name, seen)


def wait(account: Account, name: str, seen: int = 0) -> tuple[str, str]:
    """Wait until an operation of a stack has ended. ``seen`` is the number of events that are older."""

    def ended() -> str | None:
        status = str(describe(account, name)["StackStatus"])
        return None if status.endswith("_IN_PROGRESS") else status

    status = account.wait_for(ended, WAIT_SECONDS)
    if status is None:
        raise NotSettledError(f"stack {name} takes too long")
    reasons = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason')}"
        for event in events(account, name)[seen:]
        if event["ResourceStatus"].endswith("_FAILED")
    ]
    return status, reasons[0] if reasons else status


def delete(account: Account, name: str) -> None:
    """Delete a stack, and wait until it is gone."""
    client = account.client("cloudformation")
    try:
        found = describe(account, name)
    except ClientError as error:
        if is_gone(error):
            return
        raise
    account.stack_ids[name] = found["StackId"]
    progress(f"removing stack {name}")
    client.delete_stack(StackName=found["StackId"])
    status = account.wait_for(lambda: _end_of_deletion(account, found["StackId"]), WAIT_SECONDS)
    if status != "DELETE_COMPLETE":
        raise CannotRemoveError(f"its status is {status or 'still DELETE_IN_PROGRESS'}")


def _end_of_deletion(account: Account, name: str) -> str | None:
    try:
        status = str(describe(account, name)["StackStatus"])
    except ClientError as error:
        if is_gone(error):
            return "DELETE_COMPLETE"
        raise
    return None if status.endswith("_IN_PROGRESS") else status


def describe(account: Account, name: str) -> dict[str, Any]:
    stacks: list[dict[str, Any]] = account.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return stacks[0]


def outputs(account: Account, name: str) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in describe(account, name).get("Outputs", [])}


def events(account: Account, name: str) -> list[dict[str, Any]]:
    """The events of a stack, oldest first."""
    pages = account.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=name)
    return [event for page in pages for event in page["StackEvents"]][::-1]


def template(resources: dict[str, Any], **sections: Any) -> str:
    """A template as text."""
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, **sections})


def _parameters(parameters: dict[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
