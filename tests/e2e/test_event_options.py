"""What the parameters of events add: resources, permissions, and refusals of what does not fit together."""

import fnmatch
import itertools

import pytest
from botocore.exceptions import ClientError

from local.paths import TEMPLATE
from local.servers import ACCOUNT
from local.template import LOCALLY_UNKNOWN, PSEUDO, Resolver, load
from tests.e2e.test_optional_checks import FOREIGN_KEY, permissions, statements

SHIPPED = load(TEMPLATE.read_text())
BUS = f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/reports"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:session-kms"
ADDED = {
    ("ConfigRule", "true"): {"ComplianceRule", "ComplianceRulePermission"},
    ("ConfigRuleNames", "session-encryption"): {"ConfigCompliance"},
    ("SecurityHub", "true"): {"SecurityHubActions", "SecurityHubFindings"},
    ("KeyEventsAccounts", "222222222222"): {"KeyEventsPolicy"},
}


def resources(**parameters: str) -> set[str]:
    resolver = Resolver(SHIPPED, parameters)
    return {name for name in SHIPPED["Resources"] if resolver.exists(name)}


def resolved(name: str, **parameters: str) -> dict:
    return Resolver(SHIPPED, parameters).resolve(SHIPPED["Resources"][name]["Properties"])


@pytest.mark.parametrize(("parameter", "value"), ADDED)
def test_a_parameter_adds_exactly_its_resources(parameter, value):
    assert resources(**{parameter: value}) - resources() == ADDED[parameter, value]
    assert resources() <= resources(**{parameter: value})


@pytest.mark.parametrize(("parameters", "added"), [
    ({"ConfigRule": "true"}, {("config:PutEvaluations", "*")}),
    ({"ReportDestinationArn": BUS}, {("events:PutEvents", BUS)}),
    ({"ReportDestinationArn": TOPIC}, {("sns:Publish", TOPIC)}),
    ({"ConfigRuleNames": "a", "SecurityHub": "true", "KeyEventsAccounts": "222222222222", "AlarmTopicArn": TOPIC}, set()),
    ({"OnKeyTrouble": "Standby", "StandbyKmsKeyId": "alias/standby"}, set()),
    ({"OnKeyTrouble": "Clear"}, set()),
])
def test_a_parameter_adds_exactly_its_permissions(parameters, added):
    assert permissions(**parameters) - permissions() == added
    assert permissions() <= permissions(**parameters)


def test_a_second_key_of_another_account_is_looked_at_like_the_first():
    checks = {"DryRun": "true"}
    first = permissions(**checks, KmsKeyId=FOREIGN_KEY) - permissions(**checks)
    second = permissions(**checks, OnKeyTrouble="Standby", StandbyKmsKeyId=FOREIGN_KEY) - permissions(**checks)
    assert second == first
    assert {action for action, _ in first} == {"kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants", "kms:GenerateDataKey", "kms:Decrypt"}


def test_records_are_found_by_their_path_and_nothing_beside_it():
    found = [resource for statement in statements() if statement["Sid"] == "FindRecords" for resource in statement["Resource"]]
    assert found == [f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/session-kms", f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/session-kms/"]


def test_the_queue_takes_undelivered_events_of_the_stack_s_rules_only():
    allowed, = [statement for statement in resolved("FailedEventsPolicy")["PolicyDocument"]["Statement"] if statement["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Action"] == "sqs:SendMessage"
    pattern = allowed["Condition"]["ArnLike"]["aws:SourceArn"]
    assert PSEUDO["AWS::StackId"].rpartition("/")[2] in pattern
    names = {
        Resolver(SHIPPED, {}).resolve(resource["Properties"]["Name"])
        for resource in SHIPPED["Resources"].values() if resource["Type"] == "AWS::Events::Rule"
    }
    assert len(names) == 8
    for name in names:
        assert fnmatch.fnmatchcase(f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/{name}", pattern)
        assert len(name) <= 64


def test_other_accounts_may_forward_events_of_kms_only():
    statement = resolved("KeyEventsPolicy", KeyEventsAccounts="222222222222,333333333333")["Statement"]
    assert statement["Principal"] == {"AWS": ["222222222222", "333333333333"]}
    assert statement["Action"] == "events:PutEvents"
    assert statement["Resource"] == f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/default"
    assert statement["Condition"] == {"StringEquals": {"events:source": "aws.kms"}}


def test_only_aws_config_of_this_account_may_ask_for_an_evaluation():
    permission = resolved("ComplianceRulePermission")
    assert (permission["Principal"], permission["SourceAccount"]) == ("config.amazonaws.com", ACCOUNT)
    rule = resolved("ComplianceRule")
    assert rule["Source"]["Owner"] == "CUSTOM_LAMBDA"
    assert rule["Source"]["SourceIdentifier"] == permission["FunctionName"]
    assert "ComplianceRulePermission" in SHIPPED["Resources"]["ComplianceRule"]["DependsOn"], "AWS Config tries it at once"


def test_what_the_local_aws_does_not_know_can_be_left_out():
    unknown = {name for name, resource in SHIPPED["Resources"].items() if resource["Type"] in LOCALLY_UNKNOWN}
    assert unknown == {"ComplianceRule", "KeyEventsPolicy"}
    assert not unknown & resources(), "by default they are not there"


@pytest.mark.parametrize("parameters", [
    {"OnKeyTrouble": "Standby"},
    {"StandbyKmsKeyId": "alias/standby"},
    {"OnKeyTrouble": "Clear", "StandbyKmsKeyId": "alias/standby"},
    {"Encryption": "Disabled", "OnKeyTrouble": "Standby", "StandbyKmsKeyId": "alias/standby"},
    {"SecurityHubActionArn": f"arn:aws:securityhub:eu-west-1:{ACCOUNT}:action/custom/Repair"},
    {"StandbyKmsKeyId": "no key at all"},
    {"Schedule": "hourly"},
    {"Schedule": "rate(0 hours)"},
    {"MaxRepairsPerHour": "0"},
    {"MaxRepairsPerHour": "61"},
    {"ReportDestinationArn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:queue"},
    {"ReportDestinationArn": f"{TOPIC}.fifo"},
    {"AlarmTopicArn": BUS},
    {"KeyEventsAccounts": "222222222222, 333333333333"},
    {"SecurityHub": "yes"},
    {"LogLevel": "DEBUG"},
], ids=lambda parameters: "+".join(itertools.chain(*parameters.items()))[:60])
def test_what_does_not_fit_together_is_refused_before_anything_is_made(account, parameters):
    with pytest.raises(ClientError, match="ValidationError"):
        account.stack(**parameters).create()
