"""``make demo``: deploys the shipped template and the release build of the function on a local AWS.

The exit code is 0 only if every check of the demo holds. ``KEEP=1`` leaves the servers up.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

from demo.accounts import TwoAccounts
from demo.environment import ENVIRONMENT, write_environment
from demo.events import send_sample
from demo.lockouts import LockedOutFleets
from demo.screen import Screen
from local import seed
from local.package import package
from local.paths import BINARY, BINARY_NAME, ROOT, architecture
from local.processes import ProcessError, end_on_signals
from local.receiver import PORT
from local.servers import ACCOUNT, REGION, LocalAws, running
from local.stacks import Stack

STACK = "session-kms"


def main() -> int:
    end_on_signals()
    screen = Screen()
    keep = os.environ.get("KEEP", "") not in ("", "0")
    if not BINARY.exists():
        print(f"there is no {BINARY}: run `make demo`, which builds it", file=sys.stderr)
        return 2
    screen.title("session-kms", "One field of one document: which KMS key encrypts Session Manager sessions.")
    try:
        with running("demo", keep_folder=keep) as aws:
            walkthrough = Walkthrough(screen, aws)
            walkthrough.run()
            TwoAccounts(screen, aws).run()
            LockedOutFleets(screen, aws, walkthrough.keys).run()
            if keep:
                walkthrough.leave_up()
    except ProcessError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the servers have ended", file=sys.stderr)
        return 130
    _on_a_real_account(screen)
    if screen.missed:
        screen.write(screen.paint(f"{len(screen.missed)} of the demo's checks failed:", "red", "bold"))
        for what in screen.missed:
            screen.note(what)
        return 1
    return 0


class Walkthrough:
    """The steps of the demo. Each makes a change, shows its effect on the document, and checks it."""

    def __init__(self, screen: Screen, aws: LocalAws) -> None:
        self.screen = screen
        self.aws = aws
        self.keys: seed.Keys
        self.stack: Stack
        self.before: seed.Document
        self.original: seed.Document
        # ARN of a key whose policy names the roles that may use it.
        self.named = ""
        self.refusal = ""

    def run(self) -> None:
        self._an_account()
        self._create()
        self._change_the_key()
        self._a_wrong_key()
        self._somebody_locked_out()
        self._the_remedy()
        self._drift()
        self._a_key_about_to_go()
        self._delete()

    def leave_up(self) -> None:
        """Leave the servers running, and print how to use and end them."""
        screen = self.screen
        for child in self.aws.children:
            child.release()
        write_environment(self.aws, self.keys, self.stack.template)
        screen.step("KEEP=1: the servers stay up, with the account as it was at the beginning")
        screen.note("For the aws CLI, session-kms and the SDKs: endpoints, credentials, the keys, the packaged template")
        screen.write(f"source {_shown(ENVIRONMENT)}")
        screen.write()
        screen.note("The stack once more, and a look at the document:")
        screen.write(
            f'aws cloudformation deploy --stack-name {STACK} --template-file "$STACK_TEMPLATE" --s3-bucket "$STACK_BUCKET"'
            " --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --parameter-overrides"
            f' KmsKeyId={seed.FIRST_ALIAS} UserRoleNames={seed.USER_ROLE} NodeRoleNames={seed.NODE_ROLE} GrantKeyArns="$FIRST_KEY"'
        )
        screen.write(f"aws ssm get-document --name {seed.DOCUMENT} --query Content --output text")
        screen.write()
        screen.note("Or the sample events, without a stack: a receiver of the answers, the function, an event.")
        screen.write("python3 -m local cargo-lambda && export PATH=\"$PWD/target/venv/cargo-lambda/bin:$PATH\"")
        screen.write("python3 -m local.receiver")
        screen.write(f"AWS_ENDPOINT_URL=http://127.0.0.1:{PORT} cargo lambda watch --ignore-changes")
        screen.write(f"cargo lambda invoke {BINARY_NAME} --data-file events/custom-resource-create.json")
        screen.write()
        screen.note("To end the servers, in a shell that has read that file:")
        screen.write("end_local_aws")

    def _an_account(self) -> None:
        screen = self.screen
        screen.step(f"An account with a history ({ACCOUNT}, {REGION}; ministack and moto on this machine)")
        self.keys = seed.seed_keys(self.aws)
        seed.seed_document(self.aws)
        seed.seed_roles(self.aws)
        node, = seed.seed_fleet(self.aws, seed.NODE_ROLE)
        seed.seed_sessions(self.aws, f"arn:aws:sts::{ACCOUNT}:assumed-role/{seed.USER_ROLE}/alice")
        self.original = self.before = seed.read_document(self.aws)
        for line in self.original.text.splitlines():
            screen.write(f"   {screen.paint('│', 'dim')} {line}")
        screen.fact("first key", f"{self.keys.first}  ({seed.FIRST_ALIAS})")
        screen.fact("second key", self.keys.second)
        screen.fact("a signing key", self.keys.signing)
        screen.fact("a node", f"{node}, role {seed.NODE_ROLE}: may do what Systems Manager asks for, and nothing with KMS")
        screen.fact("a user", f"alice, role {seed.USER_ROLE}: started a session yesterday, and may do nothing with KMS either")
        screen.expect(self.original.key == "", "sessions are not encrypted with a key yet")

    def _create(self) -> None:
        self.screen.step(f"create-stack with KmsKeyId={seed.FIRST_ALIAS}, which lets the two roles use the key first")
        self.stack = Stack(
            self.aws, STACK, package(self.aws),
            {
                "KmsKeyId": seed.FIRST_ALIAS,
                "UserRoleNames": seed.USER_ROLE,
                "NodeRoleNames": seed.NODE_ROLE,
                "GrantKeyArns": f"{self.keys.first},{self.keys.second}",
                "Architecture": architecture(),
            },
        )
        status = self._timed(self.stack.create)
        now = self._show(status)
        self._explain_failures()
        self.screen.expect(status == "CREATE_COMPLETE", "the stack is there")
        self.screen.expect(now.key == self.keys.first, "the document names the first key, by its ARN and not by the alias")
        self._expect_the_rest_unchanged(now)

    def _change_the_key(self) -> None:
        self.screen.step("update-stack with KmsKeyId=<ARN of the second key>")
        status = self._timed(lambda: self.stack.update(KmsKeyId=self.keys.second))
        now = self._show(status)
        self._explain_failures()
        self.screen.expect(status == "UPDATE_COMPLETE", "the stack is updated")
        self.screen.expect(now.key == self.keys.second, "the document names the second key")
        self._expect_the_rest_unchanged(now)

    def _a_wrong_key(self) -> None:
        self.screen.step("update-stack with KmsKeyId=<ARN of the signing key>, which cannot encrypt sessions")
        known = len(self.stack.events())
        status = self._timed(lambda: self.stack.update(KmsKeyId=self.keys.signing))
        reasons = self.stack.failures(known)
        now = self._show(status)
        for reason in reasons:
            self.screen.fact("reason", reason, "yellow")
        self.screen.expect(status == "UPDATE_ROLLBACK_COMPLETE", "the stack has rolled back")
        self.screen.expect(any(self.keys.signing in reason for reason in reasons), "the reason names the key")
        self.screen.expect(now.key == self.keys.second, "the document still names the second key")
        self._expect_the_rest_unchanged(now)

    def _somebody_locked_out(self) -> None:
        screen = self.screen
        policy = seed.named_roles_policy(
            ACCOUNT, GenerateDataKey=[seed.role_arn(seed.USER_ROLE)], Decrypt=[seed.role_arn(seed.OTHER_NODE_ROLE)]
        )
        self.named = seed.make_key(self.aws, "Sessions, for named roles", policy)
        screen.step("update-stack with KmsKeyId=<ARN of a key whose policy forgets the nodes' role>")
        known = len(self.stack.events())
        status = self._timed(lambda: self.stack.update(KmsKeyId=self.named, GrantKeyArns=f"{self.keys.second},{self.named}"))
        self.refusal = " ".join(self.stack.failures(known))
        now = self._show(status)
        screen.fact("reason", self.refusal, "yellow")
        screen.expect(status == "UPDATE_ROLLBACK_COMPLETE", "the stack has rolled back")
        screen.expect(seed.role_arn(seed.NODE_ROLE) in self.refusal, "the reason names the role that would be locked out")
        screen.expect(bool(seed.statements_of(self.refusal)), "the reason has the statement that would admit the role")
        screen.expect(now.key == self.keys.second, "the document still names the second key: sessions go on")

    def _the_remedy(self) -> None:
        screen = self.screen
        screen.step("The statement is added to the key policy, and the same update-stack is tried again")
        for statement in seed.statements_of(self.refusal):
            screen.statement(statement)
            seed.add_to_key_policy(self.aws, self.named, statement)
        status = self._timed(lambda: self.stack.update(KmsKeyId=self.named, GrantKeyArns=f"{self.keys.second},{self.named}"))
        now = self._show(status)
        screen.expect(status == "UPDATE_COMPLETE", "the stack is updated")
        screen.expect(now.key == self.named, "the document names the key")
        self._expect_the_rest_unchanged(now)

    def _drift(self) -> None:
        screen = self.screen
        screen.step("Somebody's tool overwrites the whole document, without the key; CloudTrail reports it to the function")
        self._overwrite()
        overwritten = self._show_document()
        screen.expect(overwritten.key == "", "the key is gone")
        report = self._send_sample("document-update-call")
        now = self._show_document()
        screen.expect([document["result"] for document in report["documents"]] == ["repaired"], "the function says that it repaired the document")
        screen.expect(now.key == self.named, "the key is back")
        screen.expect(now.keeps_settings_of(overwritten), "their other changes are kept, the timeout too")
        screen.expect(report["alert"] is False, "the drift is repaired, so it is no alert")
        # From now on these are the other settings that the stack has to leave alone.
        self.original = overwritten

    def _overwrite(self) -> None:
        ssm = self.aws.client("ssm")
        inputs = self.before.content["inputs"] | {"kmsKeyId": "", "idleSessionTimeout": 45}
        version = ssm.update_document(
            Name=seed.DOCUMENT, Content=json.dumps(self.before.content | {"inputs": inputs}, indent=2), DocumentFormat="JSON",
            DocumentVersion="$LATEST",
        )["DocumentDescription"]["DocumentVersion"]
        ssm.update_document_default_version(Name=seed.DOCUMENT, DocumentVersion=version)

    def _a_key_about_to_go(self) -> None:
        screen, kms = self.screen, self.aws.client("kms")
        screen.step("Somebody schedules the deletion of the key")
        date = kms.schedule_key_deletion(KeyId=self.named, PendingWindowInDays=30)["DeletionDate"]
        report = self._send_sample("key-schedule-deletion-call")
        now = self._show_document()
        screen.expect(report["alert"] is True, "the report is an alert")
        screen.expect(date.astimezone(UTC).strftime("%Y-%m-%d") in " ".join(report["alerts"]), "the alert has the date")
        screen.expect(now.key == self.named, "the document stays, as OnKeyTrouble=Alert has it")
        screen.note("Somebody cancels it, and enables the key:")
        kms.cancel_key_deletion(KeyId=self.named)
        kms.enable_key(KeyId=self.named)
        screen.expect(self._send_sample("key-enable-call")["alert"] is False, "the alert is over")

    def _send_sample(self, event: str) -> dict[str, Any]:
        """Send the function a sample event, and print its report."""
        report = send_sample(self.stack, event, self.named)
        # The user agent is too long to print.
        agent = report.get("by", {}).get("userAgent", "")
        self.screen.fact("report", report["summary"].replace(f" ({agent})", ""), "green" if report["alert"] is False else "yellow")
        for alert in report["alerts"]:
            self.screen.fact("alert", alert, "yellow")
        return report

    def _delete(self) -> None:
        self.screen.step("delete-stack, with OnDelete=Restore")
        status = self._timed(self.stack.delete)
        now = self._show(status)
        self.screen.note("The policies of the two roles stay, as a key of the stack would: sessions may still use the key.")
        self.screen.expect(status == "DELETE_COMPLETE", "the stack is gone")
        self.screen.expect(now.key == self.original.key, "the key setting is what it was before the stack")
        self._expect_the_rest_unchanged(now)

    def _show(self, status: str) -> seed.Document:
        """Print the diff since the last step, the stack's status and its outputs."""
        now = self._show_document()
        style = "green" if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE") else "yellow"
        self.screen.fact("stack", status, style)
        if status != "DELETE_COMPLETE":
            for name, value in self.stack.outputs().items():
                self.screen.output(name, value)
        self.screen.expect(now.version == now.latest, f"version {now.version} is the default and the latest")
        return now

    def _show_document(self) -> seed.Document:
        """Print the diff since the document was last read."""
        now = seed.read_document(self.aws)
        self.screen.diff(
            self.before.content, now.content,
            f"{seed.DOCUMENT} version {self.before.version}", f"{seed.DOCUMENT} version {now.version}",
        )
        self.before = now
        return now

    def _explain_failures(self) -> None:
        if not self.stack.status().endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE")) or "ROLLBACK" in self.stack.status():
            for reason in self.stack.failures():
                self.screen.fact("reason", reason, "red")

    def _expect_the_rest_unchanged(self, now: seed.Document) -> None:
        self.screen.expect(now.keeps_settings_of(self.original), "every other setting is as it was: value, type and order")
        if now.content["description"] != self.original.content["description"]:
            self.screen.note("(the description got longer: content equal to an earlier version's is refused)")

    def _timed(self, action: Callable[[], str]) -> str:
        started = time.monotonic()
        result = action()
        self.screen.note(self.screen.paint(f"done in {time.monotonic() - started:.1f} s", "dim"))
        return result


def _on_a_real_account(screen: Screen) -> None:
    screen.write()
    screen.write(screen.paint("The same on a real account", "bold"))
    screen.note("make package      # some 12 minutes; installs cargo-lambda and sam, cross-compiles for arm64 without Docker")
    screen.note("target/venv/sam/bin/sam deploy --parameter-overrides KmsKeyId=<key ARN, or alias/...>")
    screen.note("In the account that owns a key for others: make package TEMPLATE=template-key-access.yaml")
    screen.write()


def _shown(path: Path) -> str:
    """A path from the project's folder if it is in it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    sys.exit(main())
