"""Events as AWS would send them to the function: samples of events/, made the demo's."""

import json

from local.paths import EVENTS
from local.stacks import Stack

SAMPLE_KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
# The function under the name that rules call.
ALIAS = "events"


def tell(stack: Stack, name: str, key: str) -> dict:
    """Hand the function a sample event about a key of the demo, and return its report."""
    text = (EVENTS / f"{name}.json").read_text()
    for sample, own in ((SAMPLE_KEY, key), (SAMPLE_KEY.rpartition("/")[2], key.rpartition("/")[2])):
        text = text.replace(sample, own)
    reply = stack.aws.client("lambda").invoke(FunctionName=stack.function(), Qualifier=ALIAS, Payload=text)
    report = json.load(reply["Payload"])
    if reply.get("FunctionError"):
        # It is shown, and no check on it holds.
        return {"summary": report["errorMessage"], "alerts": [], "alert": None, "documents": []}
    return report
