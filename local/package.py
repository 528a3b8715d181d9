"""Packages a template as ``aws cloudformation package`` does: uploads the code, and sets CodeUri to it.

Nothing else of the template changes. The archive holds what ``sam build`` makes: one file, ``bootstrap``.
"""

import functools
import hashlib
import io
import re
import zipfile
from pathlib import Path

from local.paths import BINARY, TEMPLATE
from local.servers import ACCOUNT, REGION, LocalAws

BUCKET = "session-kms-artifacts"
CODE_URI = re.compile(r"^(?P<indent>\s+)CodeUri: .*$", re.MULTILINE)


def archive(binary: Path = BINARY) -> bytes:
    """The zip for Lambda. The same binary gives the same bytes."""
    entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(entry, binary.read_bytes(), compresslevel=9)
    return buffer.getvalue()


def upload(aws: LocalAws, binary: Path = BINARY, account: str = ACCOUNT) -> str:
    """Put the archive into a bucket of the account, and return its s3:// address."""
    bucket, key = store(aws, _archive_of(binary, binary.stat().st_mtime_ns), "zip", account)
    return f"s3://{bucket}/{key}"


def bucket_of(account: str = ACCOUNT) -> str:
    """The name of the account's artifact bucket."""
    return f"{BUCKET}-{account}"


def store(aws: LocalAws, content: bytes, ending: str, account: str = ACCOUNT) -> tuple[str, str]:
    """Put content into the account's artifact bucket, and return bucket and key."""
    s3 = aws.client("s3", account)
    bucket = bucket_of(account)
    if bucket not in [known["Name"] for known in s3.list_buckets().get("Buckets", [])]:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    key = f"session-kms/{hashlib.sha256(content).hexdigest()}.{ending}"
    s3.put_object(Bucket=bucket, Key=key, Body=content)
    return bucket, key


@functools.lru_cache(maxsize=4)
def _archive_of(binary: Path, _modified: int) -> bytes:
    """The archive, made once for each build, because many tests upload it."""
    return archive(binary)


def packaged(template: str, code_uri: str) -> str:
    """The template with its one CodeUri set to the address of the uploaded code."""
    found = CODE_URI.findall(template)
    if len(found) != 1:
        raise ValueError(f"the template should have one CodeUri, it has {len(found)}")
    return CODE_URI.sub(rf"\g<indent>CodeUri: {code_uri}", template)


def package(aws: LocalAws, template: Path = TEMPLATE, account: str = ACCOUNT) -> str:
    """Upload the code, and return a shipped template whose CodeUri is its address."""
    return packaged(template.read_text(), upload(aws, account=account))
