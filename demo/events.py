"""Sends sample events of events/ to the function, with a key of the demo in them."""

import json
from typing import Any

from local.paths import EVENTS
from local.stacks import Stack

SAMPLE_KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
# The function's alias that EventBridge rules invoke.
ALIAS = "events"


def send_sample(stack: Stack, name: str, key: str) -> dict[str, Any]:
    """Send the function a sample event about a key of the demo, and return its report."""
    text = (EVENTS / f"{name}.json").read_text()
    for sample, actual in ((SAMPLE_KEY, key), (SAMPLE_KEY.rpartition("/")[2], key.rpartition("/")[2])):
        text = text.replace(sample, actual)
    reply = stack.aws.client("lambda").invoke(FunctionName=stack.function(), Qualifier=ALIAS, Payload=text)
    report = json.load(reply["Payload"])
    if reply.get("FunctionError"):
        # The demo prints this, and each check of the report fails.
        return {"summary": report["errorMessage"], "alerts": [], "alert": None, "documents": []}
    return report
