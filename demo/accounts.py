"""The second part of the demo: a key of another account, whose policy is read through a reader role.

It uses two accounts of the local AWS. One owns the key. The other encrypts its sessions with it, and may neither read
nor change the key's policy.
"""

from demo.screen import Screen
from local import seed
from local.package import package
from local.paths import KEY_ACCESS_TEMPLATE, architecture
from local.servers import ACCOUNT, OWNER, LocalAws
from local.stacks import Stack

CONSUMER_STACK = "session-kms-central"
OWNER_STACK = "session-kms-key"
EXTERNAL_ID = "example-bank-sessions"


class TwoAccounts:
    """The steps of the demo in two accounts."""

    def __init__(self, screen: Screen, aws: LocalAws) -> None:
        self.screen = screen
        self.aws = aws
        self.key = ""
        self.owner: Stack
        self.consumer: Stack

    def run(self) -> None:
        self._key_of_another_account()
        self._refused()
        self._admitted()
        self._delete()

    def _key_of_another_account(self) -> None:
        screen = self.screen
        screen.step(f"Account {OWNER} owns a key: create-stack with template-key-access.yaml")
        self.key = seed.make_key(self.aws, "Sessions of all accounts", self._policy(), OWNER)
        self.owner = Stack(
            self.aws, OWNER_STACK, package(self.aws, KEY_ACCESS_TEMPLATE, OWNER),
            {
                "KeyArn": self.key,
                "ConsumerAccounts": ACCOUNT,
                "ProveAccounts": "false",
                "Users": seed.role_arn(seed.USER_ROLE),
                "ReaderArns": f"arn:aws:iam::{ACCOUNT}:role/{CONSUMER_STACK}-FunctionRole-*",
                "ExternalId": EXTERNAL_ID,
                "Architecture": architecture(),
            },
            account=OWNER,
        )
        status = self.owner.create()
        screen.stack(self.owner, status)
        screen.expect(status == "CREATE_COMPLETE", f"the key admits {seed.USER_ROLE} of account {ACCOUNT}, which its policy names")

    def _refused(self) -> None:
        screen = self.screen
        screen.step(f"Account {ACCOUNT}: create-stack with this key, by its ARN")
        self.consumer = Stack(
            self.aws, CONSUMER_STACK, package(self.aws),
            {
                "KmsKeyId": self.key,
                "UserRoleNames": seed.USER_ROLE,
                "NodeRoleNames": seed.NODE_ROLE,
                "GrantKeyArns": self.key,
                "KeyPolicyReaderRoleArn": self.owner.outputs()["ReaderRoleArn"],
                "KeyPolicyReaderExternalId": EXTERNAL_ID,
                "Architecture": architecture(),
            },
        )
        status = self.consumer.create()
        reason = " ".join(self.consumer.failures())
        screen.fact("stack", status, "yellow")
        screen.fact("reason", reason, "yellow")
        screen.expect(status == "ROLLBACK_COMPLETE", "the stack has rolled back")
        screen.expect(seed.role_arn(seed.NODE_ROLE) in reason, f"the reason names {seed.NODE_ROLE}, which the key policy does not")
        screen.expect(bool(seed.statements_of(reason)), "and has the statement that would admit it")
        screen.expect(seed.read_document(self.aws).key == "", "the document is as it was")

    def _admitted(self) -> None:
        screen = self.screen
        screen.step(f"Account {OWNER} adds that statement and proves it; account {ACCOUNT} tries again")
        for statement in seed.statements_of(" ".join(self.consumer.failures())):
            screen.statement(statement)
            seed.add_to_key_policy(self.aws, self.key, statement, account=OWNER)
        status = self.owner.update(Nodes=seed.role_arn(seed.NODE_ROLE), Revision="2")
        screen.stack(self.owner, status)
        screen.expect(status == "UPDATE_COMPLETE", f"the key admits {seed.NODE_ROLE} too")
        self.consumer.delete()
        status = self.consumer.create()
        screen.stack(self.consumer, status)
        screen.expect(status == "CREATE_COMPLETE", "the stack is there")
        screen.expect(seed.read_document(self.aws).key == self.key, f"the document names the key of account {OWNER}")

    def _delete(self) -> None:
        self.screen.step("delete-stack, in both accounts")
        self.screen.expect(self.consumer.delete() == "DELETE_COMPLETE", f"the stack of account {ACCOUNT} is gone")
        self.screen.expect(self.owner.delete() == "DELETE_COMPLETE", f"the stack of account {OWNER} is gone")
        self.screen.expect(seed.read_document(self.aws).key == "", "sessions are not encrypted with a key any more")

    def _policy(self) -> str:
        """A key policy that admits one role of the other account, and lets the function there describe the key."""
        return seed.named_roles_policy(OWNER, GenerateDataKey=[seed.role_arn(seed.USER_ROLE)], DescribeKey=[f"arn:aws:iam::{ACCOUNT}:root"])
