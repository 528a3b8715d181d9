"""The destinations of reports, failures and alarms. A custom resource's signed answer address must reach none of them.

The local Lambda stores destinations and delivers failures, but it never delivers a success. That a report arrives at a
bus or topic is left to Lambda.
"""

import json
from typing import Any

import pytest

from local import seed
from local.paths import TEMPLATE
from local.servers import ACCOUNT
from local.stacks import Stack
from local.template import load
from tests.e2e.conftest import Account
from tests.e2e.deployment import send_and_measure
from tests.e2e.events import ALIAS, METRICS, invoke, metrics, sample

BUS = f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/default"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:session-kms"


def configurations(account: Account, stack: Stack) -> dict[str, dict[str, Any]]:
    """The destinations of each qualifier."""
    listed = account.aws.client("lambda").list_function_event_invoke_configs(FunctionName=stack.function())
    return {config["FunctionArn"].rpartition(":")[2]: config["DestinationConfig"] for config in listed["FunctionEventInvokeConfigs"]}


@pytest.mark.parametrize("destination", [BUS, TOPIC, ""])
def test_reports_go_to_the_destination_and_failures_to_the_queue(account: Account, destination: str) -> None:
    stack = account.deploy(ReportDestinationArn=destination)
    found = configurations(account, stack)
    assert set(found) == {ALIAS, "$LATEST"}
    assert found[ALIAS].get("OnSuccess", {}) == ({"Destination": destination} if destination else {})
    assert found[ALIAS]["OnFailure"] == found["$LATEST"]["OnFailure"]
    assert found[ALIAS]["OnFailure"]["Destination"].rpartition(":")[2] == stack.outputs()["FailedEventsUrl"].rpartition("/")[2]


def test_a_request_s_signed_answer_address_reaches_no_report_destination(account: Account) -> None:
    """A destination gets the event with the report, so CloudFormation invokes the function, not the alias."""
    stack = account.deploy(ReportDestinationArn=BUS)
    assert "OnSuccess" not in configurations(account, stack)["$LATEST"]
    unqualified = stack.outputs()["FunctionArn"]
    assert unqualified.rpartition(":")[2] == stack.function(), "other stacks get the function itself"
    template = load(TEMPLATE.read_text())["Resources"]
    for name, resource in template.items():
        if resource["Type"].startswith("Custom::"):
            assert resource["Properties"]["ServiceToken"] == {"Fn::GetAtt": ["Function", "Arn"]}, name
        if resource["Type"] == "AWS::Config::ConfigRule":
            # The events of AWS Config hold a result token.
            assert resource["Properties"]["Source"]["SourceIdentifier"] == {"Fn::GetAtt": ["Function", "Arn"]}
        if resource["Type"] == "AWS::Lambda::EventInvokeConfig":
            succeeds = "OnSuccess" in resource["Properties"]["DestinationConfig"]
            assert succeeds == (resource["Properties"]["Qualifier"] == ALIAS), name


def test_the_alias_always_is_the_latest_function(account: Account) -> None:
    client = account.aws.client("lambda")
    stack = account.deploy()
    assert client.get_alias(FunctionName=stack.function(), Name=ALIAS)["FunctionVersion"] == "$LATEST"
    assert stack.update(MaxRepairsPerHour="7", LogLevel="WARN") == "UPDATE_COMPLETE"
    called = client.get_function_configuration(FunctionName=stack.function(), Qualifier=ALIAS)["Environment"]["Variables"]
    role = account.aws.client("iam").get_role(RoleName=stack.resource("FunctionRole")["PhysicalResourceId"])["Role"]["Arn"]
    assert called == {
        "LOG_LEVEL": "WARN", "MAX_REPAIRS_PER_HOUR": "7", "FUNCTION_ROLE_ARN": role, "DOCUMENT_NAME": seed.DOCUMENT,
        "ADDITIONAL_DOCUMENTS": "", "DRY_RUN": "false",
    }


def test_an_event_gives_a_report_and_metrics(account: Account) -> None:
    stack = account.deploy()
    report, figures = send_and_measure(stack, sample("schedule", stack, account.keys.first))
    assert report["alert"] is False
    assert report["alerts"] == []
    assert report["summary"]
    assert set(figures) == METRICS
    assert figures["Guarded"] == 1
    assert all(figures[name] == 0 for name in METRICS - {"Duration", "Guarded"})
    assert 0 <= figures["Duration"] < 120_000


def test_a_call_without_the_alias_gets_the_same_answer(account: Account) -> None:
    stack = account.deploy()
    assert invoke(stack, sample("schedule", stack, account.keys.first))["alert"] is False


def test_only_rules_of_the_stack_may_call_the_alias(account: Account) -> None:
    stack = account.deploy()
    policy = json.loads(account.aws.client("lambda").get_policy(FunctionName=stack.function(), Qualifier=ALIAS)["Policy"])
    statement, = policy["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Resource"] == stack.outputs()["EventsFunctionArn"]
    (key, pattern), = statement["Condition"]["ArnLike"].items()
    assert key.lower() == "aws:sourcearn"
    assert pattern.endswith("-*")
    assert stack.id.rpartition("/")[2] in pattern
    for rule in ("DocumentCalls", "KeyCalls", "KeyEvents", "RecordChanges", "Clock"):
        name = stack.resource(rule)["PhysicalResourceId"]
        assert account.aws.client("events").describe_rule(Name=name)["Arn"].startswith(pattern[:-1])
        assert len(name) <= 64


def test_the_default_bus_is_that_of_the_stack_s_own_account(account: Account) -> None:
    """A StackSet gives all accounts the same parameter."""
    stack = account.deploy(ReportDestinationArn="event-bus/default")
    assert configurations(account, stack)[ALIAS]["OnSuccess"] == {"Destination": BUS}


@pytest.mark.parametrize("topic", [TOPIC, ""])
def test_alarms_watch_what_the_function_measures_and_what_lambda_does_with_events(account: Account, topic: str) -> None:
    stack = account.deploy(AlarmTopicArn=topic)
    alarms = {alarm["MetricName"]: alarm for alarm in account.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]}
    own = {name for name, alarm in alarms.items() if alarm["Namespace"] == "session-kms"}
    assert own == METRICS - {"DriftRepaired"}, "no alarm on repairs: there is one on drift"
    assert set(alarms) - own == {"Errors", "AsyncEventsDropped", "DestinationDeliveryFailures", "ApproximateNumberOfMessagesVisible"}
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == ([topic] if topic else []), name
        # The longest time that CloudWatch evaluates.
        assert alarm["Period"] * alarm["EvaluationPeriods"] <= (604_800 if alarm["Period"] >= 3600 else 86_400)
        dimension, = alarm["Dimensions"]
        assert dimension["Value"] == (
            stack.outputs()["FailedEventsUrl"].rpartition("/")[2] if dimension["Name"] == "QueueName" else stack.function()
        )
        if name not in ("Guarded", "Duration"):
            assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["TreatMissingData"]) == ("GreaterThanThreshold", 0, "notBreaching")


def test_an_alarm_fires_before_the_function_times_out(account: Account) -> None:
    stack = account.deploy()
    timeout = account.aws.client("lambda").get_function_configuration(FunctionName=stack.function())["Timeout"]
    alarm, = [alarm for alarm in account.aws.client("cloudwatch").describe_alarms()["MetricAlarms"] if alarm["MetricName"] == "Duration"]
    assert (alarm["Namespace"], alarm["Statistic"]) == ("session-kms", "Maximum")
    # The metric is in milliseconds.
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", timeout * 1000 * 0.8)
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(("schedule", "hours"), [("rate(1 hour)", 3), ("rate(12 hours)", 25)])
def test_a_missing_schedule_is_an_alarm(account: Account, schedule: str, hours: int) -> None:
    stack = account.deploy(Schedule=schedule)
    alarms = account.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    alarm, = [alarm for alarm in alarms if alarm["MetricName"] == "Guarded"]
    assert alarm["Statistic"] == "Sum"
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (3600, hours, hours)
    assert [figures["Guarded"] for figures in metrics(stack)] == [1, 1], "both requests of a new stack count too"
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["TreatMissingData"]) == ("LessThanThreshold", 1, "breaching")
