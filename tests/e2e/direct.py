"""Sends custom-resource requests to a deployed function by ``lambda invoke``, and reads the answers from a bucket."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.paths import EVENTS
from local.servers import ACCOUNT, REGION, SECRET
from local.stacks import Stack

BUCKET = "cloudformation-custom-resource-response-euwest1"
DOCUMENT = "Team-Direct"
PHYSICAL_ID = f"session-kms:{ACCOUNT}:{REGION}:{DOCUMENT}"


def in_sns_envelope(event: Any) -> dict[str, Any]:
    """An event in the envelope in which an SNS topic delivers it."""
    envelope = json.loads((EVENTS / "sns-document-update-call.json").read_text())
    envelope["Records"][0]["Sns"]["Message"] = json.dumps(event)
    return envelope


@dataclass
class Reply:
    """The result of an invocation: what Lambda returned, and the answer in the bucket (None if there is none)."""

    function_error: str | None
    payload: str
    answer: Any


@dataclass
class Requests:
    """Makes custom-resource requests of one invented stack, and sends them to a deployed function."""

    owner: Stack
    stack_id: str = field(default_factory=lambda: f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/direct/{uuid.uuid4()}")

    def __post_init__(self) -> None:
        aws = self.owner.aws
        self._s3 = boto3.client(
            "s3", region_name=REGION, endpoint_url=aws.endpoint, aws_access_key_id=ACCOUNT, aws_secret_access_key=SECRET,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, proxies={}),
        )
        self._s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.function = self.owner.function()

    def request(
        self, request_type: str, properties: dict[str, Any], old: dict[str, Any] | None = None, physical_id: str | None = PHYSICAL_ID
    ) -> dict[str, Any]:
        token = self.owner.outputs()["FunctionArn"]
        event = {
            "RequestType": request_type,
            "ServiceToken": token,
            "ResponseURL": self._s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": f"answers/{uuid.uuid4()}"}, ExpiresIn=7200),
            "StackId": self.stack_id,
            "RequestId": str(uuid.uuid4()),
            "ResourceType": "Custom::SessionEncryption",
            "LogicalResourceId": "SessionEncryption",
            "ResourceProperties": {"ServiceToken": token, "ServiceTimeout": "60", "DocumentName": DOCUMENT} | properties,
        }
        if old is not None:
            event["OldResourceProperties"] = {"ServiceToken": token, "ServiceTimeout": "60", "DocumentName": DOCUMENT} | old
        if request_type != "Create":
            event["PhysicalResourceId"] = physical_id
        return event

    def send(self, event: dict[str, Any]) -> Reply:
        reply = self.send_raw(event)
        reply.answer = self._answer(event)
        return reply

    def send_by_topic(self, event: dict[str, Any]) -> Reply:
        """Send a request as it arrives if the service token is a topic."""
        reply = self.send_raw(in_sns_envelope(event))
        reply.answer = self._answer(event)
        return reply

    def send_raw(self, event: Any) -> Reply:
        """Send anything, and read no answer from the bucket."""
        reply = self.owner.aws.client("lambda").invoke(FunctionName=self.function, Payload=json.dumps(event))
        return Reply(reply.get("FunctionError"), reply["Payload"].read().decode(), None)

    def _answer(self, event: dict[str, Any]) -> dict[str, Any] | None:
        key = event["ResponseURL"].split("?")[0].split(f"/{BUCKET}/")[-1]
        try:
            body = self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except ClientError:
            return None
        # CloudFormation's limit.
        assert len(body) <= 4096
        answer = json.loads(body)
        # CloudFormation accepts no other answer.
        assert answer["Status"] in ("SUCCESS", "FAILED")
        assert answer["Status"] == "SUCCESS" or answer["Reason"]
        assert answer["PhysicalResourceId"]
        assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")} == {
            name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")
        }
        # Delete the object, so that an event that is sent twice needs two answers.
        self._s3.delete_object(Bucket=BUCKET, Key=key)
        return answer
