"""Does with a key what a session does: the user's client makes a data key, and the node's agent decrypts it."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local import seed
from local.servers import REGION, LocalAws

CONTEXT = {"aws:ssm:SessionId": "alice-0a1b2c3d4e5f60718", "aws:ssm:TargetId": "i-0123456789abcdef0"}


def can_start(aws: LocalAws, key: str) -> bool:
    """Whether the user's role and the node's role can start a session that this key encrypts."""
    try:
        made = _kms(aws, seed.USER_ROLE).generate_data_key(KeyId=key, NumberOfBytes=64, EncryptionContext=CONTEXT)
        opened = _kms(aws, seed.NODE_ROLE).decrypt(KeyId=key, CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return opened["Plaintext"] == made["Plaintext"]


def _kms(aws: LocalAws, role: str) -> Any:
    """A KMS client with the permissions of a role."""
    given = aws.client("sts").assume_role(RoleArn=seed.role_arn(role), RoleSessionName="session")["Credentials"]
    return boto3.client(
        "kms", region_name=REGION, endpoint_url=aws.gateway, aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"], aws_session_token=given["SessionToken"], config=Config(proxies={}),
    )
