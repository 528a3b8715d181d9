"""Stacks of the local AWS. Each operation waits until CloudFormation has finished it."""

import time
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local.package import store
from local.servers import ACCOUNT, LocalAws

WAIT_SECONDS = 180
# CloudFormation takes a larger template only from a bucket, as `sam deploy` gives it.
TEXT_BYTES = 51_200
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class StackError(Exception):
    """A stack operation was refused, or did not end in time."""


@dataclass
class Stack:
    """One stack of the local AWS."""

    aws: LocalAws
    name: str
    template: str
    parameters: dict[str, Any] = field(default_factory=dict)
    # A deleted stack can be found only by its id.
    id: str = ""
    account: str = ACCOUNT

    def create(self) -> str:
        """Create the stack, and return its final status."""
        answer = self.aws.client("cloudformation", self.account).create_stack(
            StackName=self.name, **self._template(), Parameters=self._parameters(),
            Capabilities=CAPABILITIES,
        )
        self.id = answer["StackId"]
        return self.wait()

    def update(self, template: str | None = None, **parameters: str) -> str:
        """Update parameters or the template, and return the final status."""
        self.parameters |= parameters
        self.template = template or self.template
        self.aws.client("cloudformation", self.account).update_stack(
            StackName=self.name, **self._template(), Parameters=self._parameters(),
            Capabilities=CAPABILITIES,
        )
        return self.wait()

    def delete(self) -> str:
        """Delete the stack, and return its final status."""
        self.aws.client("cloudformation", self.account).delete_stack(StackName=self.id or self.name)
        return self.wait()

    def wait(self) -> str:
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            status = self.status()
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.1)
        raise StackError(f"stack {self.name} is still {self.status()} after {WAIT_SECONDS} s")

    def status(self) -> str:
        try:
            return self._describe()["StackStatus"]
        except ClientError as error:
            if "does not exist" in str(error):
                return "DELETE_COMPLETE"
            raise

    def outputs(self) -> dict[str, Any]:
        return {output["OutputKey"]: output["OutputValue"] for output in self._describe().get("Outputs", [])}

    def parameter(self, name: str) -> str:
        """The present value of a parameter."""
        return next(item["ParameterValue"] for item in self._describe()["Parameters"] if item["ParameterKey"] == name)

    def events(self) -> list[dict[str, Any]]:
        """The stack's events, oldest first."""
        pages = self.aws.client("cloudformation", self.account).get_paginator("describe_stack_events").paginate(StackName=self.id or self.name)
        return [event for page in pages for event in page["StackEvents"]][::-1]

    def failures(self, since: int = 0) -> list[str]:
        """The reasons of failed resources, oldest first. ``since`` is the number of events to skip."""
        return [
            event.get("ResourceStatusReason", "")
            for event in self.events()[since:]
            if event["ResourceStatus"].endswith("_FAILED") and event["LogicalResourceId"] != self.name
        ]

    def resource(self, logical_id: str) -> dict[str, Any]:
        """Details of one resource, such as its physical id."""
        answer = self.aws.client("cloudformation", self.account).describe_stack_resource(StackName=self.id or self.name, LogicalResourceId=logical_id)
        return answer["StackResourceDetail"]

    def function(self) -> str:
        """The name of the function."""
        return self.resource("Function")["PhysicalResourceId"]

    def logs(self) -> list[str]:
        """Every line of the function's log group, oldest first."""
        logs = self.aws.client("logs", self.account)
        # Events still name the log group after a rollback, when the stack has no resources any more.
        group = next(
            event["PhysicalResourceId"]
            for event in self.events()
            if event["LogicalResourceId"] == "FunctionLogGroup" and event["ResourceStatus"] == "CREATE_COMPLETE"
        )
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        events = [event for page in pages for event in page["events"]]
        return [line for event in sorted(events, key=lambda event: event["timestamp"]) for line in event["message"].splitlines()]

    def _describe(self) -> dict[str, Any]:
        return self.aws.client("cloudformation", self.account).describe_stacks(StackName=self.id or self.name)["Stacks"][0]

    def _template(self) -> dict[str, Any]:
        content = self.template.encode()
        if len(content) <= TEXT_BYTES:
            return {"TemplateBody": self.template}
        bucket, key = store(self.aws, content, "template", self.account)
        return {"TemplateURL": f"{self.aws.endpoint}/{bucket}/{key}"}

    def _parameters(self) -> list[dict[str, Any]]:
        return [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]
