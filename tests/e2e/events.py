"""Sends sample events to a deployed function, and reads its reports and its metrics."""

import json
from typing import Any

from local import seed
from local.paths import EVENTS
from local.servers import ACCOUNT
from local.stacks import Stack

# The key and the role in the samples.
SAMPLE_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SAMPLE_ROLE = "session-kms-FunctionRole"
ALIAS = "events"
METRICS = {"DriftFound", "DriftRepaired", "RepairRefused", "BreakerOpen", "KeyTrouble", "ChecksFailed", "ChecksUnknown", "Alerts", "Guarded", "Duration"}
# Parts of the seeded document and of requests. No log may hold any of them.
SECRETS = [
    "exec bash --login", "PS1=", "shellProfile", "example-bank-session-logs", "OPS-1234", "runAsDefaultUser",
    "cfn-response", "ResponseURL", "X-Amz-Signature",
]


class EventFailedError(AssertionError):
    """The function returned an error."""


def sample(name: str, stack: Stack, key: str, document: str = seed.DOCUMENT) -> dict[str, Any]:
    """A sample event about this key and document. The function's role replaces the one in the sample."""
    role = stack.resource("FunctionRole")["PhysicalResourceId"]
    text = (EVENTS / f"{name}.json").read_text()
    replaced = {SAMPLE_KEY: key, SAMPLE_KEY.rpartition("/")[2]: key.rpartition("/")[2], SAMPLE_ROLE: role, seed.DOCUMENT: document}
    for old, new in replaced.items():
        text = text.replace(old, new)
    return json.loads(text)


def send(stack: Stack, event: Any) -> dict[str, Any]:
    """Send an event to the function's alias, as its rules do, and return the report."""
    return invoke(stack, event, ALIAS)


def invoke(stack: Stack, event: Any, qualifier: str = "$LATEST") -> dict[str, Any]:
    """Invoke the function, and return its answer."""
    client = stack.aws.client("lambda", stack.account)
    reply = client.invoke(FunctionName=stack.function(), Qualifier=qualifier, Payload=json.dumps(event))
    payload = reply["Payload"].read().decode()
    if reply.get("FunctionError"):
        raise EventFailedError(payload)
    return json.loads(payload)


def metrics(stack: Stack) -> list[dict[str, Any]]:
    """The metrics in the function's log, oldest first, each line as name to value."""
    return [_measured(json.loads(line)) for line in stack.logs() if line.startswith("{") and '"_aws"' in line]


def _measured(line: dict[str, Any]) -> dict[str, Any]:
    directive, = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "session-kms"
    assert directive["Dimensions"] == [["FunctionName"]]
    assert isinstance(line["FunctionName"], str)
    assert isinstance(line["_aws"]["Timestamp"], int)
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units == {name: "Milliseconds" if name == "Duration" else "Count" for name in METRICS}
    return {name: line[name] for name in units}
