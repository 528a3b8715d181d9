"""What the end-to-end tests share: the local AWS, an account with a history, stacks of the shipped template."""

import itertools
import json
from dataclasses import dataclass, field

import pytest

from local import seed
from local.package import package
from local.paths import BINARY, KEY_ACCESS_TEMPLATE, architecture
from local.processes import end_on_signals
from local.servers import ACCOUNT, LocalAws, running
from local.stacks import Stack
from local.template import known_locally


def pytest_configure(config):
    end_on_signals()
    if not BINARY.exists():
        raise pytest.UsageError(f"there is no {BINARY}: run `make build` first")


@pytest.fixture(scope="session")
def servers():
    with running("e2e") as aws:
        yield aws


@pytest.fixture
def aws(servers) -> LocalAws:
    """The local AWS with nothing in it."""
    servers.reset()
    return servers


@dataclass
class Account:
    """An account of the local AWS, what is in it, and the way to deploy stacks to it."""

    aws: LocalAws
    keys: seed.Keys
    template: str
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def stack(self, template: str | None = None, **parameters: str) -> Stack:
        """A stack of the shipped template that is not created yet. KmsKeyId defaults to the first key."""
        if "KmsKeyId" not in parameters and "CreateKey" not in parameters and parameters.get("Encryption") != "Disabled":
            parameters["KmsKeyId"] = self.keys.first
        template = template or self.template
        if parameters.get("ConfigRule") == "true" or parameters.get("KeyEventsAccounts"):
            template = known_locally(template)
        return Stack(self.aws, f"session-kms-{next(self.numbers)}", template, {"Architecture": architecture()} | parameters)

    def deploy(self, template: str | None = None, **parameters: str) -> Stack:
        """A stack of the shipped template that is there."""
        stack = self.stack(template, **parameters)
        status = stack.create()
        assert status == "CREATE_COMPLETE", stack.failures()
        return stack

    def key_access(self, key: str, **parameters: str) -> Stack:
        """A stack of the key account's template, in the account that owns the key, that is not created yet."""
        owner = key.split(":")[4]
        template = package(self.aws, KEY_ACCESS_TEMPLATE, owner)
        defaults = {
            "KeyArn": key, "ConsumerAccounts": ACCOUNT, "ReaderArns": f"arn:aws:iam::{ACCOUNT}:role/*", "Architecture": architecture(),
        }
        return Stack(self.aws, f"session-kms-key-{next(self.numbers)}", template, defaults | parameters, account=owner)

    def borrowing(self, owner: Stack, **properties) -> Stack:
        """A stack with nothing but the custom resource, on the function that another stack exports."""
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
        return Stack(self.aws, f"borrower-{next(self.numbers)}", json.dumps(template))

    def document(self, name: str = seed.DOCUMENT) -> seed.Document:
        return seed.read_document(self.aws, name)

    def documents(self) -> list[str]:
        return [item["Name"] for item in self.aws.client("ssm").list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"]]

    def records(self) -> dict[str, str]:
        """What the function remembers, by parameter name."""
        answer = self.aws.client("ssm").get_parameters_by_path(Path="/session-kms", Recursive=True)
        return {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}

    def set_by_hand(self, **inputs) -> None:
        """Change inputs of the document as somebody with the console would: a new version, made the default."""
        ssm = self.aws.client("ssm")
        content = self.document().content
        content["inputs"].update(inputs)
        version = ssm.update_document(
            Name=seed.DOCUMENT, Content=json.dumps(content), DocumentFormat="JSON", DocumentVersion="$LATEST"
        )["DocumentDescription"]["DocumentVersion"]
        ssm.update_document_default_version(Name=seed.DOCUMENT, DocumentVersion=version)


@pytest.fixture
def bare(aws) -> Account:
    """An account with keys, and no preferences document."""
    return Account(aws, seed.seed_keys(aws), package(aws))


@pytest.fixture
def account(bare) -> Account:
    """An account with keys and a preferences document full of other settings."""
    seed.seed_document(bare.aws)
    return bare


@pytest.fixture
def manned(account) -> Account:
    """An account with a node and a user besides, who have Session Manager's permissions and none on keys."""
    seed.seed_roles(account.aws)
    seed.seed_fleet(account.aws, seed.NODE_ROLE)
    seed.seed_sessions(account.aws, f"arn:aws:sts::{ACCOUNT}:assumed-role/{seed.USER_ROLE}/alice")
    return account
