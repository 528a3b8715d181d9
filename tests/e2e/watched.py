"""A stack that is told what happens to its document and its key, and the people who make it happen."""

import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Self

from local import seed
from local.package import package
from local.servers import ACCOUNT, LocalAws
from local.stacks import Stack
from tests.e2e.conftest import Account
from tests.e2e.events import SECRETS, metrics, sample, send

# What a rival's document holds besides, and no log may.
RIVAL_SECRET = "export VAULT_TOKEN=hvs-7Q4"
# A sample that no stack does anything about.
IGNORED = "document-update-call-failed"


def measured(stack: Stack, event) -> tuple[dict, dict]:
    """Hand the function an event: its report, and the one line of metrics on it."""
    begun = _now()
    report = send(stack, event)
    ended = _now()
    # What the function says last may come too late for the log of its event, and is then in the log of the next.
    if not _measured_between(stack, begun, ended):
        send(stack, sample(IGNORED, stack, ""))
    line, = _measured_between(stack, begun, ended)
    return report, line


def _measured_between(stack: Stack, begun: int, ended: int) -> list[dict]:
    """The metrics of that time, by their own clock. The local Lambda waits some milliseconds before it answers, so
    events that follow each other share none."""
    times = [json.loads(line)["_aws"]["Timestamp"] for line in stack.logs() if line.startswith("{") and '"_aws"' in line]
    return [line for line, at in zip(metrics(stack), times, strict=True) if begun <= at < ended]


def _now() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Told:
    """What the function made of an event."""

    report: dict
    metrics: dict

    @property
    def document(self) -> dict:
        """The part on the one document that was concerned."""
        document, = self.report["documents"]
        return document

    @property
    def result(self) -> str:
        return self.document["result"]

    @property
    def alerts(self) -> str:
        return " ".join(self.report["alerts"])


@dataclass
class Watched:
    """An account and a stack, shared by the tests of a file; each begins with everything as wanted."""

    account: Account
    stack: Stack
    revisions: itertools.count = field(default_factory=lambda: itertools.count(2))

    @classmethod
    def of(cls, aws: LocalAws, **parameters: str) -> Self:
        """An account with a node and a user, who may use both keys, and a stack that has the first one set."""
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

    def settle(self, content: dict | None = None, **parameters: str) -> None:
        """Begin anew: a document of people's settings, keys that work, and an owner who has just asked."""
        aws = self.account.aws
        if seed.DOCUMENT in self.account.documents():
            aws.client("ssm").delete_document(Name=seed.DOCUMENT)
        seed.seed_document(aws, content)
        for key in (self.account.keys.first, self.account.keys.second):
            self.mend(key)
        if self.stack.status() == "DELETE_COMPLETE":
            # A test deleted it.
            self.logs_hold_no_secret()
            self.stack = self.account.deploy(**self.stack.parameters)
        self.ask(**{"KmsKeyId": self.account.keys.first, "OnKeyTrouble": "Alert", "StandbyKmsKeyId": ""} | parameters)
        assert self.account.document().key == self.stack.parameters["KmsKeyId"]

    def ask(self, **parameters: str) -> None:
        """The owner asks again."""
        status = self.stack.update(Revision=str(next(self.revisions)), **parameters)
        assert status == "UPDATE_COMPLETE", self.stack.failures()

    def mend(self, key: str) -> None:
        kms = self.account.aws.client("kms")
        state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        if state == "PendingDeletion":
            kms.cancel_key_deletion(KeyId=key)
        if state != "Enabled":
            kms.enable_key(KeyId=key)

    def overwrite(self, **inputs) -> seed.Document:
        """What another tool does: the whole document, from what it believes, made the default."""
        ssm = self.account.aws.client("ssm")
        content = seed.PREFERENCES | {
            "description": f"Managed elsewhere, {next(self.revisions)}",
            "inputs": {"kmsKeyId": "", "idleSessionTimeout": "7", "shellProfile": {"windows": "", "linux": RIVAL_SECRET}} | inputs,
        }
        version = ssm.update_document(
            Name=seed.DOCUMENT, Content=json.dumps(content), DocumentFormat="JSON", DocumentVersion="$LATEST"
        )["DocumentDescription"]["DocumentVersion"]
        ssm.update_document_default_version(Name=seed.DOCUMENT, DocumentVersion=version)
        return self.account.document()

    def event(self, name: str, key: str = "") -> dict:
        return sample(name, self.stack, key or self.account.keys.first)

    def tell(self, name: str, key: str = "") -> Told:
        """Hand the function a sample event, and read its report and the one line of metrics on it."""
        return self.hand(self.event(name, key))

    def hand(self, event: dict) -> Told:
        return Told(*measured(self.stack, event))

    def record(self) -> dict:
        """What the function remembers of the document."""
        return json.loads(self.account.records()[f"/session-kms/{seed.DOCUMENT}"])

    def written(self) -> tuple:
        """What grows with every write: the versions of the document and of the record."""
        ssm = self.account.aws.client("ssm")
        document = self.account.document() if seed.DOCUMENT in self.account.documents() else None
        return document, ssm.get_parameter(Name=f"/session-kms/{seed.DOCUMENT}")["Parameter"]["Version"]

    def logs_hold_no_secret(self, *more: str) -> None:
        text = "\n".join(self.stack.logs())
        assert "looked after" in text or "alert" in text, "or the search would say nothing"
        for secret in (RIVAL_SECRET, *SECRETS, *more):
            assert secret not in text, secret
