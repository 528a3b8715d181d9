"""What the deployed function logs: JSON, one line a decision, and nothing secret."""

import json

import pytest

from local import seed

SECRETS = [
    "exec bash --login", "PS1=", "shellProfile", "example-bank-session-logs", "OPS-1234", "runAsDefaultUser",
    "cfn-response", "ResponseURL", "X-Amz-Signature",
]


def lines(stack) -> list[dict]:
    """The function's own lines; the rest are Lambda's START, END and REPORT."""
    own = [line for line in stack.logs() if not line.startswith(("START ", "END ", "REPORT "))]
    return [json.loads(line) for line in own]


@pytest.fixture
def told(account):
    """A stack with a life behind it: created, changed, refused."""
    stack = account.deploy(LogLevel="TRACE")
    stack.update(KmsKeyId=account.keys.second)
    stack.update(KmsKeyId=account.keys.signing)
    return stack


def test_every_line_is_json_with_time_level_and_request_id(told):
    logged = lines(told)
    assert logged
    for line in logged:
        assert line["timestamp"]
        assert line["level"] in ("ERROR", "WARN", "INFO", "DEBUG", "TRACE")
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


