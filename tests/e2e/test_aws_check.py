"""``make aws-check`` on the local AWS.

The local AWS answers some questions otherwise than AWS does, and most of those about permissions it does not answer at
all. What counts here is that the check sees what is there, says what it could not settle, and leaves nothing behind.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.aws_check import runner
from local.aws_check.account import PREFIX, Account, error_code
from local.aws_check.answer import Answer, NotSettledError, Question, as_assumed
from local.aws_check.cleanup import unless_gone
from local.aws_check.options import Options
from local.aws_check.questions import QUESTIONS
from local.aws_check.questions.documents import Document
from local.paths import ROOT
from local.servers import LocalAws

ASSUMED, DIFFERENT, OPEN = "as assumed: ", "DIFFERENT from what is assumed: ", "not settled: "
# What the servers answer. moto has the documents and the parameters; it checks no permissions. ministack checks those on
# keys, and decides a call by an alias on the alias; it knows neither boundaries nor grants, and delivers no event of moto.
EXPECTED = {
    "duplicate-content": ASSUMED + "AWS refuses the content of any earlier version, compared by bytes",
    "document-lock": ASSUMED + "an update that names an older version than the latest fails with InvalidDocumentVersion",
    "stored-text": ASSUMED,
    "default-version": ASSUMED,
    "deleted-version": ASSUMED,
    "session-version": OPEN + "give a managed node",
    "default-host-role": OPEN + "Default Host Management is off",
    "just-in-time-owner": OPEN + "none of the 0 sessions",
    "parameter-versions": ASSUMED,
    "parameter-version-arn": OPEN + "the call is allowed without a permission",
    "parameter-path-arn": OPEN + "the call is allowed without a permission",
    "dry-run": OPEN + "a caller without a permission is allowed too",
    "dry-run-state": ASSUMED + "a dry run on a disabled key ends in DisabledException",
    "alias-permission": DIFFERENT + "a permission on the key does not allow kms:DescribeKey by an alias",
    "other-account-key": OPEN + "give a key of another account",
    "policy-size": ASSUMED + "KMS takes a key policy that is too long only for its white space",
    "grant-limits": OPEN + "a grant to a role does not admit its sessions",
    "grant-to-account": ASSUMED + "a grant to an account admits no role of the account",
    "plain-operator": OPEN + "the call is allowed without a permission",
    "lone-star-arn": OPEN + "the call is allowed without a permission",
    "incomplete-arn": OPEN + "the call is allowed without a permission",
    "empty-text": ASSUMED,
    "not-principal": ASSUMED,
    "role-delay": ASSUMED + "a permission that a role gets was effective after 0 s",
    "key-policy-delay": ASSUMED + "a statement that a key policy gets was effective after 0 s",
    "simulator-missing-keys": ASSUMED + "the simulator lists a missing condition key in the result of the resource",
    "simulator-boundary": DIFFERENT + "the simulator allows a call",
    "simulator-organization": OPEN + "no service control policy applies",
    "simulator-other-account": OPEN + "give a key of another account",
    "event-patterns": ASSUMED,
    "parameter-event": OPEN + "no Parameter Store Change event came",
    "document-call-event": OPEN + "no record came",
    "failed-call-event": OPEN + "no record came",
    "key-call-event": OPEN + "no record came",
    "security-hub-finding": OPEN + "Security Hub does not answer GetFindingsV2",
    "allowed-pattern-list": ASSUMED,
    "imported-export": DIFFERENT + "an export that another stack imports can change",
    "retain-on-failure": ASSUMED,
    "retained-key-tags": ASSUMED,
    "latest-alias": ASSUMED,
    "service-token": DIFFERENT + "the ServiceToken of a custom resource can change",
}
# What a run has to have told before it begins.
KEY_COST = "A KMS key costs 1 USD a month"


def environment(aws: LocalAws, tmp_path: Path, **options: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", **aws.environment(), **options}


def start(variables: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local.aws_check", *arguments], cwd=ROOT, env=variables, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )


def run(variables: dict[str, str], *arguments: str) -> tuple[int, list[str], str]:
    """The exit code, the lines of the output, and the other output."""
    process = start(variables, *arguments)
    output, errors = process.communicate(timeout=600)
    assert "Traceback" not in output + errors, errors
    return process.returncode, output.splitlines(), errors


def assert_nothing_is_left(aws: LocalAws, keys: int) -> None:
    """Everything is gone but ``keys`` keys, which wait for their deletion."""
    states = [aws.client("kms").describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] for key in aws.client("kms").list_keys()["Keys"]]
    assert states == ["PendingDeletion"] * keys
    assert aws.client("ssm").list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"] == []
    assert aws.client("ssm").describe_parameters()["Parameters"] == []
    assert {stack["StackStatus"] for stack in aws.client("cloudformation").list_stacks()["StackSummaries"]} <= {"DELETE_COMPLETE"}
    assert aws.client("iam").list_roles()["Roles"] == []
    assert aws.client("sqs").list_queues().get("QueueUrls", []) == []
    assert aws.client("events").list_rules()["Rules"] == []
    assert aws.client("lambda").list_functions()["Functions"] == []


def test_every_question_has_one_line_and_everything_is_removed(aws: LocalAws, tmp_path: Path) -> None:
    code, lines, errors = run(environment(aws, tmp_path, YES="1", LIMIT="12"))
    assert [line.partition(":")[0] for line in lines] == [question.name for question in QUESTIONS] == list(EXPECTED)
    for line, question in zip(lines, QUESTIONS, strict=True):
        name, _, answer = line.partition(": ")
        assert answer.startswith(EXPECTED[name]), line
        assert line.endswith(f"(assumed: {question.assumed})")
    assert code == runner.DIFFERENT
    assert errors.startswith(f"Account {aws.environment()['AWS_ACCESS_KEY_ID']}, Region eu-west-1, as arn:aws:iam::")
    assert KEY_COST in errors
    assert f"{sum(answer.startswith(ASSUMED) for answer in EXPECTED.values())} as assumed, 4 DIFFERENT" in errors
    assert "could not remove" not in errors
    assert_nothing_is_left(aws, keys=2)


@pytest.mark.parametrize(
    ("questions", "code"), [("document-lock, stored-text", 0), ("document-lock,just-in-time-owner", 3), ("just-in-time-owner,imported-export", 1)]
)
def test_only_the_questions_asked_are_answered_and_the_exit_code_tells_the_worst(aws: LocalAws, tmp_path: Path, questions: str, code: int) -> None:
    answered, lines, errors = run(environment(aws, tmp_path, YES="1", QUESTIONS=questions))
    assert answered == code
    assert sorted(line.partition(":")[0] for line in lines) == sorted(name.strip() for name in questions.split(","))
    assert KEY_COST not in errors, "none of them makes a key"
    assert_nothing_is_left(aws, keys=0)


def test_without_credentials_or_a_terminal_or_with_wrong_options_it_makes_nothing(aws: LocalAws, tmp_path: Path) -> None:
    whole = environment(aws, tmp_path, YES="1")
    without = {name: value for name, value in whole.items() if name not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    no_region = {name: value for name, value in whole.items() if "REGION" not in name}
    refusals: list[tuple[dict[str, str], str]] = [
        (without, "there are no AWS credentials; configure them as for the aws CLI, for example by AWS_PROFILE"),
        (no_region, "there is no Region; give REGION=eu-west-1"),
        (whole | {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9"}, "AWS does not accept the credentials: Could not connect"),
        (whole | {"QUESTIONS": "duplicate"}, "QUESTIONS: there is no question `duplicate`; there are duplicate-content, "),
        (whole | {"LIMIT": "soon"}, "LIMIT: give the longest time for a question in whole seconds"),
        (whole | {"OTHER_ACCOUNT_KEY_ARN": "alias/x"}, "OTHER_ACCOUNT_KEY_ARN: give the ARN of a key"),
        (whole | {"YES": ""}, "there is no terminal to ask on; YES=1 starts it without a question"),
    ]
    for variables, why in refusals:
        code, lines, errors = run(variables)
        assert (code, lines) == (2, [])
        last = errors.splitlines()[-1]
        assert last.startswith(f"aws-check: {why}"), errors
    assert run(whole, "--yes")[0] == 2
    assert_nothing_is_left(aws, keys=0)


def test_help_needs_no_credentials_and_lists_every_question_with_its_actions(tmp_path: Path) -> None:
    code, lines, _ = run({"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, "--help")
    assert code == 0
    text = "\n".join(lines)
    for question in QUESTIONS:
        assert re.search(rf"^  {question.name}\*?: ", text, re.MULTILINE)
        assert all(action in text for action in question.actions)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_everything_is_removed_after_an_interruption(aws: LocalAws, tmp_path: Path, sent: signal.Signals) -> None:
    process = start(environment(aws, tmp_path, YES="1", QUESTIONS="document-lock,parameter-event"))
    assert process.stdout is not None
    assert process.stdout.readline().startswith("document-lock: ")
    # It now waits for an event that never comes.
    end = time.monotonic() + 30
    while not aws.client("events").list_rules()["Rules"] and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(sent)
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, output) == (128 + sent, "")
    assert "Traceback" not in errors
    assert "removing stack" in errors
    assert_nothing_is_left(aws, keys=1)


@pytest.fixture
def account(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Account:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return Account(boto3.Session(), Options(QUESTIONS[:1]))


def asking(account: Account, ask: Any, seconds: int = 60) -> tuple[Answer, bool]:
    """The answer to a question of the test, and whether everything could be removed."""
    return runner.ask(account, Question("test", "nothing", ask, (), seconds=seconds)), account.cleanup.run()


def test_a_question_that_fails_in_the_middle_is_a_line_and_leaves_nothing(aws: LocalAws, account: Account) -> None:
    def fails(error: BaseException) -> Any:
        def ask(account: Account) -> Answer:
            document = Document(account, "{\"schemaVersion\": \"1.0\", \"sessionType\": \"Standard_Stream\", \"inputs\": {}}")
            assert document.name.startswith(PREFIX)
            assert aws.client("ssm").describe_document(Name=document.name)
            raise error

        return ask

    def sleeps(_account: Account) -> Answer:
        time.sleep(30)
        return as_assumed("never")

    def refused(account: Account) -> Answer:
        account.client("ssm").get_document(Name="no-such-document")
        return as_assumed("never")

    cases = [
        (fails(KeyError("Document")), "not settled: the answer cannot be read (KeyError: 'Document')"),
        (fails(NotSettledError("there is no node")), "not settled: there is no node"),
        (refused, "not settled: GetDocument failed: An error occurred (InvalidDocument)"),
    ]
    for ask, line in cases:
        answer, is_clean = asking(account, ask)
        assert (str(answer).startswith(line), is_clean) == (True, True), answer
    answer, _ = asking(account, sleeps, seconds=1)
    assert str(answer) == "not settled: it took longer than 1 s"
    assert_nothing_is_left(aws, keys=0)


def test_what_is_gone_needs_no_removal_and_what_cannot_be_removed_is_named(
    aws: LocalAws, account: Account, capfd: pytest.CaptureFixture[str]
) -> None:
    ssm = account.client("ssm")
    document = Document(account, "{\"schemaVersion\": \"1.0\", \"sessionType\": \"Standard_Stream\", \"inputs\": {}}")
    aws.client("ssm").delete_document(Name=document.name)
    account.cleanup.add("parameter /x", unless_gone(ssm.delete_parameter, Name="/x"), "aws ssm delete-parameter --name /x")

    def denied() -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "you may not"}}, "DeleteTopic")

    account.cleanup.add("topic x", unless_gone(denied), "aws sns delete-topic --topic-arn x")

    def interrupted() -> None:
        raise KeyboardInterrupt

    assert not account.cleanup.run()
    errors = capfd.readouterr().err
    assert "could not remove topic x: " in errors
    assert "remove it with: aws sns delete-topic --topic-arn x" in errors
    assert document.name not in errors
    assert "/x" not in errors
    account.cleanup.add("first", lambda: None, "remove first")
    account.cleanup.add("second", interrupted, "remove second")
    assert not account.cleanup.run()
    errors = capfd.readouterr().err
    assert "remove it with: remove second" in errors
    assert "remove it with: remove first" in errors


def test_without_its_stack_a_question_says_why(aws: LocalAws, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: kms:CreateKey"}}, "CreateStack")

    monkeypatch.setattr(account.client("cloudformation"), "create_stack", denied)
    account.options = Options(tuple(question for question in QUESTIONS if question.name == "dry-run"))
    assert runner.run(account) == runner.NOT_SETTLED
    assert "kms:CreateKey" in str(account.outputs)
    with pytest.raises(NotSettledError, match=r"there is no stack for this question: .*kms:CreateKey"):
        account.output("KeyArn")
    assert_nothing_is_left(aws, keys=0)


def test_the_result_of_one_attempt_serves_several_questions_and_its_failure_too(account: Account) -> None:
    calls: list[int] = []

    def fails() -> int:
        calls.append(1)
        raise NotSettledError("there is no trail")

    for _ in range(2):
        with pytest.raises(NotSettledError, match="there is no trail"):
            account.once("fails", fails)
    assert account.once("works", lambda: len(calls)) == account.once("works", lambda: 7) == 1
    with pytest.raises(ClientError) as refused:
        account.client("ssm").get_document(Name="no-such-document")
    assert error_code(refused.value) == "InvalidDocument"


def test_the_page_and_the_makefile_know_every_question_and_option() -> None:
    page = (ROOT / "docs" / "aws-behaviour.md").read_text()
    section = page.partition("## Not proven without an AWS account\n")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
    assert named == [question.name for question in QUESTIONS]
    target = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("aws-check: ## "))
    for option in ("REGION", "QUESTIONS", "TARGET", "OTHER_ACCOUNT_KEY_ARN", "LIMIT", "YES"):
        assert f"{option}=" in target
