"""Events that the function cannot answer end in the stack's queue."""

import json

import pytest
from botocore.exceptions import ClientError


def test_an_event_that_cannot_be_answered_is_tried_three_times_and_kept(account):
    # The local AWS has no TLS, which the queue's policy asks for, so its readers are let in here.
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
    kept = json.loads(message["Body"])
    assert kept["requestPayload"] == event
    assert kept["requestContext"]["approximateInvokeCount"] == 3


def test_the_queue_refuses_whoever_comes_without_tls(account):
    stack = account.deploy()
    with pytest.raises(ClientError, match="AccessDenied"):
        account.aws.client("sqs").receive_message(QueueUrl=stack.outputs()["FailedEventsUrl"])
