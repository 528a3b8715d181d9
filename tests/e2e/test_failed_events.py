"""Events that the function cannot handle end in the stack's queue."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.e2e.conftest import Account


def test_an_event_that_cannot_be_handled_is_tried_three_times_and_queued(account: Account) -> None:
    # The local AWS has no TLS, which the queue's policy requires, so this test removes the requirement.
    readable = account.template.replace("aws:SecureTransport: 'false'", "aws:SecureTransport: 'never'")
    assert readable != account.template
    stack = account.deploy(template=readable)
    event = {"none": "of ours"}
    account.aws.client("lambda").invoke(FunctionName=stack.function(), InvocationType="Event", Payload=json.dumps(event))
    messages = []
    for _ in range(12):
        answer = account.aws.client("sqs").receive_message(QueueUrl=stack.outputs()["FailedEventsUrl"], WaitTimeSeconds=5)
        messages += answer.get("Messages", [])
        if messages:
            break
    message, = messages
    body = json.loads(message["Body"])
    assert body["requestPayload"] == event
    assert body["requestContext"]["approximateInvokeCount"] == 3


def test_the_queue_refuses_callers_without_tls(account: Account) -> None:
    stack = account.deploy()
    with pytest.raises(ClientError, match="AccessDenied"):
        account.aws.client("sqs").receive_message(QueueUrl=stack.outputs()["FailedEventsUrl"])
