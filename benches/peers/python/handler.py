"""The custom resource of ``make bench`` in Python: sets the key of one preferences document.

It does the part of the function's work that every implementation needs: find the key, change one field, make the new
version the default, read back, keep a record, answer. It proves nothing about users and nodes.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from crhelper import CfnResource

helper = CfnResource(json_logging=False, log_level="ERROR", boto_level="CRITICAL")
try:
    CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=3, read_timeout=8)
    kms = boto3.client("kms", config=CONFIG)
    ssm = boto3.client("ssm", config=CONFIG)
except Exception as error:
    helper.init_failure(error)


@dataclass(frozen=True)
class Document:
    """The default version of a document."""

    version: str
    latest: str
    content: dict[str, Any]

    @property
    def key(self) -> str:
        return self.content["inputs"].get("kmsKeyId") or ""


@helper.create
@helper.update
def set_key(event: dict[str, Any], context: Any) -> str:
    """Converge on the key that the resource names, and return the physical id."""
    properties = event["ResourceProperties"]
    name = properties.get("DocumentName", "SSM-SessionManagerRunShell")
    key = usable_key(properties["KmsKeyId"])
    owner = {"stackId": event["StackId"], "logicalResourceId": event["LogicalResourceId"]}
    before = read_document(name)
    record = read_record(name)
    if record and record["owner"] != owner:
        raise RuntimeError(f"document {name} is owned by {record['owner']['stackId']}")
    if not record or record["wanted"] != key:
        write_record(name, {"owner": owner, "wanted": key, "before": record["before"] if record else before.key}, bool(record))
    after = before
    if before.key != key or before.version != before.latest:
        write_document(name, before, key)
        after = read_document(name)
        if after.key != key or after.version != after.latest:
            raise RuntimeError(f"document {name} does not have the key after it was written")
    helper.Data.update({"KeyArn": key, "DocumentName": name, "DocumentVersion": after.version, "PreviousKmsKeyId": before.key})
    account, region = context.invoked_function_arn.split(":")[4], context.invoked_function_arn.split(":")[3]
    return f"session-kms:{account}:{region}:{name}"


@helper.delete
def leave(_event: dict[str, Any], _context: Any) -> None:
    """Leave the document as it is."""


def usable_key(name: str) -> str:
    """The ARN of a key that can encrypt sessions."""
    metadata = kms.describe_key(KeyId=name)["KeyMetadata"]
    if metadata["KeyState"] != "Enabled":
        raise RuntimeError(f"key {metadata['Arn']} is {metadata['KeyState']}")
    if metadata["KeySpec"] != "SYMMETRIC_DEFAULT" or metadata["KeyUsage"] != "ENCRYPT_DECRYPT":
        raise RuntimeError(f"key {metadata['Arn']} cannot encrypt sessions")
    return metadata["Arn"]


def read_document(name: str) -> Document:
    description = ssm.describe_document(Name=name)["Document"]
    version = description["DefaultVersion"]
    content = ssm.get_document(Name=name, DocumentVersion=version, DocumentFormat="JSON")["Content"]
    return Document(version, description["LatestVersion"], json.loads(content))


def write_document(name: str, before: Document, key: str) -> None:
    """Write a version with the key, and make it the default when it is active."""
    content = before.content | {"inputs": before.content["inputs"] | {"kmsKeyId": key}}
    # The number of the latest version makes the write fail if somebody else writes in between.
    version = ssm.update_document(Name=name, Content=json.dumps(content), DocumentFormat="JSON", DocumentVersion=before.latest)[
        "DocumentDescription"
    ]["DocumentVersion"]
    while (status := ssm.describe_document(Name=name, DocumentVersion=version)["Document"]["Status"]) in ("Creating", "Updating"):
        time.sleep(0.2)
    if status != "Active":
        raise RuntimeError(f"version {version} of document {name} is {status}")
    ssm.update_document_default_version(Name=name, DocumentVersion=version)


def read_record(name: str) -> dict[str, Any] | None:
    try:
        return json.loads(ssm.get_parameter(Name=f"/session-kms/{name}")["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return None


def write_record(name: str, record: dict[str, Any], overwrite: bool) -> None:
    ssm.put_parameter(Name=f"/session-kms/{name}", Value=json.dumps(record), Type="String", Overwrite=overwrite)
