"""A deployed stack that tests send events to, and the changes by others that these events report."""

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from local import seed
from local.package import package
from local.servers import ACCOUNT, LocalAws
from local.stacks import Stack
from tests.e2e.conftest import Account
from tests.e2e.events import SECRETS, metrics, sample, send

# A setting of the document that the other tool writes. No log may hold it.
OTHER_TOOL_SECRET = "export VAULT_TOKEN=hvs-7Q4"
# A sample that every stack ignores.
IGNORED = "document-update-call-failed"


def send_and_measure(stack: Stack, event: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Send the function an event, and return its report and its line of metrics."""
    start = _now()
    report = send(stack, event)
    end = _now()
    # The last line of an event's log may come late. It is then in the log of the next event.
    if not _metrics_between(stack, start, end):
        send(stack, sample(IGNORED, stack, ""))
    line, = _metrics_between(stack, start, end)
    return report, line


def _metrics_between(stack: Stack, start: int, end: int) -> list[dict[str, Any]]:
    """The lines of metrics whose timestamps are in this time, in ms.

    The local Lambda waits some milliseconds before it answers, so two events never share a line.
    """
    times = [json.loads(line)["_aws"]["Timestamp"] for line in stack.logs() if line.startswith("{") and '"_aws"' in line]
    return [line for line, at in zip(metrics(stack), times, strict=True) if start <= at < end]


def _now() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Outcome:
    """What the function did about an event."""

    report: dict[str, Any]
    metrics: dict[str, Any]

    @property
    def document(self) -> dict[str, Any]:
        """The part of the report on its only document."""
        document, = self.report["documents"]
        return document

    @property
    def result(self) -> str:
        return self.document["result"]

    @property
    def alerts(self) -> str:
        return " ".join(self.report["alerts"])


@dataclass
class Deployment:
    """An account and a stack, shared by the tests of a file. ``reset`` brings both into the wanted state."""

    account: Account
    stack: Stack
    revisions: Iterator[int] = field(default_factory=lambda: itertools.count(2))

    @classmethod
    def of(cls, aws: LocalAws, **parameters: str) -> Self:
        """Make an account with a node and a user, who may use both keys, and a stack that sets the first key."""
        aws.reset()
        account = Account(aws, seed.seed_keys(aws), package(aws))
        seed.seed_document(aws)
        seed.seed_roles(aws)
        seed.seed_fleet(aws, seed.NODE_ROLE)
        seed.seed_sessions(aws, f"arn:aws:sts::{ACCOUNT}:assumed-role/{seed.USER_ROLE}/alice")
        stack = account.deploy(
            UserRoleNames=seed.USER_ROLE, NodeRoleNames=seed.NODE_ROLE,
            GrantKeyArns=f"{account.keys.first},{account.keys.second}", **parameters,
        )
        return cls(account, stack)

    def reset(self, content: dict[str, Any] | None = None, **parameters: str) -> None:
        """Restore the initial state: a document with settings of others, usable keys, and a stack that has just been updated."""
        aws = self.account.aws
        if seed.DOCUMENT in self.account.documents():
            aws.client("ssm").delete_document(Name=seed.DOCUMENT)
        seed.seed_document(aws, content)
        for key in (self.account.keys.first, self.account.keys.second):
            self.enable_key(key)
        if self.stack.status() == "DELETE_COMPLETE":
            # The test before this one deleted the stack.
            self.assert_no_secret_in_logs()
            self.stack = self.account.deploy(**self.stack.parameters)
        self.update_stack(**{"KmsKeyId": self.account.keys.first, "OnKeyTrouble": "Alert", "StandbyKmsKeyId": ""} | parameters)
        assert self.account.document().key == self.stack.parameters["KmsKeyId"]

    def update_stack(self, **parameters: str) -> None:
        """Update the stack with a new Revision, so that the function gets a request."""
        status = self.stack.update(Revision=str(next(self.revisions)), **parameters)
        assert status == "UPDATE_COMPLETE", self.stack.failures()

    def enable_key(self, key: str) -> None:
        kms = self.account.aws.client("kms")
        state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        if state == "PendingDeletion":
            kms.cancel_key_deletion(KeyId=key)
        if state != "Enabled":
            kms.enable_key(KeyId=key)

    def overwrite(self, **inputs: Any) -> seed.Document:
        """Overwrite the whole document as another tool does, and make the new version the default."""
        ssm = self.account.aws.client("ssm")
        content = seed.PREFERENCES | {
            "description": f"Managed elsewhere, {next(self.revisions)}",
            "inputs": {"kmsKeyId": "", "idleSessionTimeout": "7", "shellProfile": {"windows": "", "linux": OTHER_TOOL_SECRET}} | inputs,
        }
        version = ssm.update_document(
            Name=seed.DOCUMENT, Content=json.dumps(content), DocumentFormat="JSON", DocumentVersion="$LATEST"
        )["DocumentDescription"]["DocumentVersion"]
        ssm.update_document_default_version(Name=seed.DOCUMENT, DocumentVersion=version)
        return self.account.document()

    def sample(self, name: str, key: str = "") -> dict[str, Any]:
        return sample(name, self.stack, key or self.account.keys.first)

    def send_sample(self, name: str, key: str = "") -> Outcome:
        """Send the function a sample event about the first key, or about the key given."""
        return self.send(self.sample(name, key))

    def send(self, event: dict[str, Any]) -> Outcome:
        return Outcome(*send_and_measure(self.stack, event))

    def record(self) -> dict[str, Any]:
        """The record of the document."""
        return json.loads(self.account.records()[f"/session-kms/{seed.DOCUMENT}"])

    def snapshot(self) -> tuple[Any, ...]:
        """The document and the version of its record. Any write changes one of them."""
        ssm = self.account.aws.client("ssm")
        document = self.account.document() if seed.DOCUMENT in self.account.documents() else None
        return document, ssm.get_parameter(Name=f"/session-kms/{seed.DOCUMENT}")["Parameter"]["Version"]

    def assert_no_secret_in_logs(self, *more: str) -> None:
        text = "\n".join(self.stack.logs())
        assert '"report"' in text, "without a report in the log this test would prove nothing"
        for secret in (OTHER_TOOL_SECRET, *SECRETS, *more):
            assert secret not in text, secret
