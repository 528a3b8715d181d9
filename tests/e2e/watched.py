"""A stack that is told what happens to its document and its key, and the people who make it happen."""

import itertools
import json
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
        known = len(metrics(self.stack))
        report = send(self.stack, event)
        measured, = metrics(self.stack)[known:]
        return Told(report, measured)

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
