"""Fixtures of the end-to-end tests: the local AWS, accounts in it, and stacks of the shipped template."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from local import seed
from local.package import package
from local.paths import BINARY, KEY_ACCESS_TEMPLATE, architecture
from local.processes import end_on_signals
from local.servers import ACCOUNT, LocalAws, running
from local.stacks import Stack
from local.template import without_locally_unsupported

WRITES_ENVIRONMENT = ("test_demo.py", "test_first_hour.py")


def pytest_configure(config: pytest.Config) -> None:
    end_on_signals()
    if not BINARY.exists():
        raise pytest.UsageError(f"there is no {BINARY}: run `make build` first")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep the tests of a file in one process: they share stacks. Those that write the demo's environment file share one too."""
    item.add_marker(pytest.mark.xdist_group("demo" if item.path.name in WRITES_ENVIRONMENT else item.path.name))


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.getoption("loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("pytest-xdist does not group the tests with this version of pytest")


@pytest.fixture(scope="session")
def servers() -> Iterator[LocalAws]:
    with running("e2e") as aws:
        yield aws


@pytest.fixture
def aws(servers: LocalAws) -> LocalAws:
    """The local AWS, without any resource."""
    servers.reset()
    return servers


@dataclass
class Account:
    """An account of the local AWS: reads its resources, and deploys stacks to it."""

    aws: LocalAws
    keys: seed.Keys
    template: str
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def stack(self, template: str | None = None, **parameters: str) -> Stack:
        """A stack of the shipped template that is not created yet. The default of KmsKeyId is the first key."""
        if "KmsKeyId" not in parameters and "CreateKey" not in parameters and parameters.get("Encryption") != "Disabled":
            parameters["KmsKeyId"] = self.keys.first
        template = template or self.template
        if parameters.get("ConfigRule") == "true" or parameters.get("KeyEventsAccounts"):
            template = without_locally_unsupported(template)
        return Stack(self.aws, f"session-kms-{next(self.numbers)}", template, {"Architecture": architecture()} | parameters)

    def deploy(self, template: str | None = None, **parameters: str) -> Stack:
        """Create a stack of the shipped template."""
        stack = self.stack(template, **parameters)
        status = stack.create()
        assert status == "CREATE_COMPLETE", stack.failures()
        return stack

    def key_access(self, key: str, **parameters: str) -> Stack:
        """A stack of template-key-access.yaml in the account that owns the key. It is not created yet."""
        owner = key.split(":")[4]
        template = package(self.aws, KEY_ACCESS_TEMPLATE, owner)
        defaults = {
            "KeyArn": key, "ConsumerAccounts": ACCOUNT, "ReaderArns": f"arn:aws:iam::{ACCOUNT}:role/*", "Architecture": architecture(),
        }
        return Stack(self.aws, f"session-kms-key-{next(self.numbers)}", template, defaults | parameters, account=owner)

    def importing_stack(self, owner: Stack, **properties: Any) -> Stack:
        """A stack that holds only the custom resource, and imports the function of another stack. It is not created yet."""
        template = {
            "Resources": {
                "SessionEncryption": {
                    "Type": "Custom::SessionEncryption",
                    "Properties": {
                        "ServiceToken": {"Fn::ImportValue": f"{owner.name}-FunctionArn"},
                        "ServiceTimeout": 60,
                        **properties,
                    },
                }
            },
            "Outputs": {"PreviousKmsKeyId": {"Value": {"Fn::GetAtt": ["SessionEncryption", "PreviousKmsKeyId"]}}},
        }
        return Stack(self.aws, f"importer-{next(self.numbers)}", json.dumps(template))

    def document(self, name: str = seed.DOCUMENT) -> seed.Document:
        return seed.read_document(self.aws, name)

    def documents(self) -> list[str]:
        return [item["Name"] for item in self.aws.client("ssm").list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"]]

    def records(self) -> dict[str, str]:
        """The records of the function, by parameter name."""
        answer = self.aws.client("ssm").get_parameters_by_path(Path="/session-kms", Recursive=True)
        return {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}

    def set_by_hand(self, **inputs: Any) -> None:
        """Change inputs of the document as a user of the console does: make a new version, and make it the default."""
        ssm = self.aws.client("ssm")
        content = self.document().content
        content["inputs"].update(inputs)
        version = ssm.update_document(
            Name=seed.DOCUMENT, Content=json.dumps(content), DocumentFormat="JSON", DocumentVersion="$LATEST"
        )["DocumentDescription"]["DocumentVersion"]
        ssm.update_document_default_version(Name=seed.DOCUMENT, DocumentVersion=version)


@pytest.fixture
def account_without_document(aws: LocalAws) -> Account:
    """An account with keys and no preferences document."""
    return Account(aws, seed.seed_keys(aws), package(aws))


@pytest.fixture
def account(account_without_document: Account) -> Account:
    """An account with keys and a preferences document that has many other settings."""
    seed.seed_document(account_without_document.aws)
    return account_without_document


@pytest.fixture
def populated(account: Account) -> Account:
    """The same account with a node and a user. Their roles have Session Manager's permissions, and none on keys."""
    seed.seed_roles(account.aws)
    seed.seed_fleet(account.aws, seed.NODE_ROLE)
    seed.seed_sessions(account.aws, f"arn:aws:sts::{ACCOUNT}:assumed-role/{seed.USER_ROLE}/alice")
    return account
