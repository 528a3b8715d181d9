"""The log of the deployed function: JSON, one line for each decision, and no secret."""

import json
from typing import Any

import pytest

from local import seed
from local.stacks import Stack
from tests.e2e.conftest import Account
from tests.e2e.deployment import send_and_measure
from tests.e2e.events import SECRETS, metrics, sample


def lines(stack: Stack) -> list[dict[str, Any]]:
    """The function's own lines, without those of metrics and those that Lambda writes."""
    own = [json.loads(line) for line in stack.logs() if not line.startswith(("START ", "END ", "REPORT "))]
    return [line for line in own if "_aws" not in line]


@pytest.fixture
def stack(account: Account) -> Stack:
    """A stack that was created and updated, and whose last update was refused."""
    stack = account.deploy(LogLevel="INFO")
    stack.update(KmsKeyId=account.keys.second)
    stack.update(KmsKeyId=account.keys.signing)
    return stack


def test_every_line_is_json_with_time_level_and_request_id(stack: Stack) -> None:
    logged = lines(stack)
    assert logged
    for line in logged:
        assert line["timestamp"]
        assert line["level"] in ("ERROR", "WARN", "INFO")
        assert line["message"]
        assert line["span"]["request_id"], line


def test_a_decision_names_stack_document_and_both_keys(stack: Stack, account: Account) -> None:
    text = [json.dumps(line) for line in lines(stack)]
    complete = [line for line in text if all(part in line for part in (stack.id, seed.DOCUMENT, account.keys.first, account.keys.second))]
    assert complete, "no line names stack, document, and the change from the first key to the second"


def test_every_aws_call_is_logged_with_its_duration(stack: Stack) -> None:
    calls = [line for line in lines(stack) if "operation" in line]
    operations = {line["operation"] for line in calls}
    assert {"kms:DescribeKey", "ssm:GetDocument", "ssm:UpdateDocument", "ssm:UpdateDocumentDefaultVersion"} <= operations
    assert all(isinstance(line["ms"], int) for line in calls)


def test_a_refusal_is_logged_with_its_reason(stack: Stack, account: Account) -> None:
    assert any(account.keys.signing in json.dumps(line) and "SIGN_VERIFY" in json.dumps(line) for line in lines(stack))


def test_nothing_secret_is_logged_at_the_finest_level(stack: Stack) -> None:
    text = "\n".join(stack.logs())
    for secret in SECRETS:
        assert secret not in text


def test_the_log_level_is_respected(account: Account) -> None:
    stack = account.deploy(LogLevel="ERROR")
    assert all(line["level"] == "ERROR" for line in lines(stack))


def test_metrics_are_written_at_every_level(account: Account) -> None:
    # Lambda drops lines below its own log level, and a line of metrics has no level. So Lambda's level must not be above INFO.
    stack = account.deploy(LogLevel="ERROR")
    logging = account.aws.client("lambda").get_function_configuration(FunctionName=stack.function())["LoggingConfig"]
    assert "ApplicationLogLevel" not in logging or logging["ApplicationLogLevel"] == "INFO"
    _, figures = send_and_measure(stack, sample("schedule", stack, account.keys.first))
    assert figures["Guarded"] == 1
    assert len(metrics(stack)) > 1, "the request that set the key is measured too"
