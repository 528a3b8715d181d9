"""What the deployed function logs: JSON, one line a decision, and nothing secret."""

import json

import pytest

from local import seed
from tests.e2e.events import SECRETS, metrics, sample
from tests.e2e.watched import measured


def lines(stack) -> list[dict]:
    """The function's own lines, less those that CloudWatch makes metrics of; the rest are Lambda's."""
    own = [json.loads(line) for line in stack.logs() if not line.startswith(("START ", "END ", "REPORT "))]
    return [line for line in own if "_aws" not in line]


@pytest.fixture
def told(account):
    """A stack with a life behind it: created, changed, refused."""
    stack = account.deploy(LogLevel="INFO")
    stack.update(KmsKeyId=account.keys.second)
    stack.update(KmsKeyId=account.keys.signing)
    return stack


def test_every_line_is_json_with_time_level_and_request_id(told):
    logged = lines(told)
    assert logged
    for line in logged:
        assert line["timestamp"]
        assert line["level"] in ("ERROR", "WARN", "INFO")
        assert line["message"]
        assert line["span"]["request_id"], line


def test_a_decision_tells_stack_document_and_both_keys(told, account):
    text = [json.dumps(line) for line in lines(told)]
    whole = [line for line in text if all(part in line for part in (told.id, seed.DOCUMENT, account.keys.first, account.keys.second))]
    assert whole, "no line tells of the change from the first key to the second, with stack and document"


def test_every_call_of_aws_is_there_with_its_duration(told):
    calls = [line for line in lines(told) if "operation" in line]
    operations = {line["operation"] for line in calls}
    assert {"kms:DescribeKey", "ssm:GetDocument", "ssm:UpdateDocument", "ssm:UpdateDocumentDefaultVersion"} <= operations
    assert all(isinstance(line["ms"], int) for line in calls)


def test_a_refusal_is_there_with_its_reason(told, account):
    assert any(account.keys.signing in json.dumps(line) and "SIGN_VERIFY" in json.dumps(line) for line in lines(told))


def test_nothing_secret_is_logged_at_the_finest_level(told):
    text = "\n".join(told.logs())
    for secret in SECRETS:
        assert secret not in text


def test_the_level_is_obeyed(account):
    stack = account.deploy(LogLevel="ERROR")
    assert all(line["level"] == "ERROR" for line in lines(stack))


def test_metrics_are_written_at_every_level(account):
    # Lambda drops lines below a level of its own, and a line of metrics has none: it must have no such level.
    stack = account.deploy(LogLevel="ERROR")
    logging = account.aws.client("lambda").get_function_configuration(FunctionName=stack.function())["LoggingConfig"]
    assert "ApplicationLogLevel" not in logging or logging["ApplicationLogLevel"] == "INFO"
    _, looked = measured(stack, sample("schedule", stack, account.keys.first))
    assert looked["Guarded"] == 1
    assert len(metrics(stack)) > 1, "the request that set the key is measured too"
