"""What a session does with a key: the user's client makes a data key, the node's agent decrypts it."""

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local import seed
from local.servers import REGION, LocalAws

CONTEXT = {"aws:ssm:SessionId": "alice-0a1b2c3d4e5f60718", "aws:ssm:TargetId": "i-0123456789abcdef0"}


def works(aws: LocalAws, key: str) -> bool:
    """Whether the user's role and the node's role can begin a session with this key."""
    try:
        made = _kms(aws, seed.USER_ROLE).generate_data_key(KeyId=key, NumberOfBytes=64, EncryptionContext=CONTEXT)
        read = _kms(aws, seed.NODE_ROLE).decrypt(KeyId=key, CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDeniedException", error
        return False
    return read["Plaintext"] == made["Plaintext"]


def _kms(aws: LocalAws, role: str):
    """KMS as a role: with the role's own permissions."""
    given = aws.client("sts").assume_role(RoleArn=seed.role_arn(role), RoleSessionName="session")["Credentials"]
    return boto3.client(
        "kms", region_name=REGION, endpoint_url=aws.front, aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"], aws_session_token=given["SessionToken"], config=Config(proxies={}),
    )
