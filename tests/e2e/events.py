"""Events as a deployed function gets them: the samples of events/ made this stack's, its reports and its metrics."""

import json

from local import seed
from local.paths import EVENTS
from local.servers import ACCOUNT
from local.stacks import Stack

# What the samples are about.
SAMPLE_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SAMPLE_ROLE = "session-kms-FunctionRole"
ALIAS = "events"
METRICS = {"DriftFound", "DriftRepaired", "RepairRefused", "BreakerOpen", "KeyTrouble", "ChecksFailed", "Alerts", "Guarded", "Duration"}
# Of the seeded document's content, and of requests: what no log may hold.
SECRETS = [
    "exec bash --login", "PS1=", "shellProfile", "example-bank-session-logs", "OPS-1234", "runAsDefaultUser",
    "cfn-response", "ResponseURL", "X-Amz-Signature",
]


class EventFailed(AssertionError):
    """The function ended in an error."""


def sample(name: str, stack: Stack, key: str, document: str = seed.DOCUMENT) -> dict:
    """A sample event, about this key and document, with the function's role where the sample has it."""
    role = stack.resource("FunctionRole")["PhysicalResourceId"]
    text = (EVENTS / f"{name}.json").read_text()
    replaced = {SAMPLE_KEY: key, SAMPLE_KEY.rpartition("/")[2]: key.rpartition("/")[2], SAMPLE_ROLE: role, seed.DOCUMENT: document}
    for old, new in replaced.items():
        text = text.replace(old, new)
    return json.loads(text)


def send(stack: Stack, event) -> dict:
    """Hand an event to the function as its rules do, and return the report."""
    return invoke(stack, event, ALIAS)


def invoke(stack: Stack, event, qualifier: str = "$LATEST") -> dict:
    """Call the function and wait for what it returns."""
    client = stack.aws.client("lambda", stack.account)
    reply = client.invoke(FunctionName=stack.function(), Qualifier=qualifier, Payload=json.dumps(event))
    payload = reply["Payload"].read().decode()
    if reply.get("FunctionError"):
        raise EventFailed(payload)
    return json.loads(payload)


def metrics(stack: Stack) -> list[dict]:
    """What the function measured, oldest first: name to value, read as CloudWatch reads its log."""
    return [_measured(json.loads(line)) for line in stack.logs() if line.startswith("{") and '"_aws"' in line]


def _measured(line: dict) -> dict:
    directive, = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "session-kms"
    assert directive["Dimensions"] == [["FunctionName"]]
    assert isinstance(line["FunctionName"], str)
    assert isinstance(line["_aws"]["Timestamp"], int)
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units == {name: "Milliseconds" if name == "Duration" else "Count" for name in METRICS}
    return {name: line[name] for name in units}
