"""The parameters for events: the resources and permissions that they add, and combinations that are refused."""

import fnmatch
import itertools
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.paths import TEMPLATE
from local.servers import ACCOUNT
from local.template import LOCALLY_UNSUPPORTED, PSEUDO, Resolver, load
from tests.e2e.conftest import Account
from tests.e2e.test_optional_checks import FOREIGN_KEY, permissions, statements

SHIPPED = load(TEMPLATE.read_text())
BUS = f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/reports"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:session-kms"
TOPIC_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/5678efab-12ab-34cd-56ef-1234567890ab"
ADDED = {
    ("ConfigRule", "true"): {"ComplianceRule", "ComplianceRulePermission"},
    ("ConfigRuleNames", "session-encryption"): {"ConfigCompliance"},
    ("SecurityHub", "true"): {"SecurityHubActions", "SecurityHubFindings", "SecurityHubOcsfFindings"},
    ("KeyArnParameterName", "/session-kms/document/key-arn"): {"KeyArnParameter"},
    ("KeyEventsAccounts", "222222222222"): {"KeyEventsPolicy"},
}


def resources(**parameters: str) -> set[str]:
    resolver = Resolver(SHIPPED, parameters)
    return {name for name in SHIPPED["Resources"] if resolver.exists(name)}


def resolved(name: str, **parameters: str) -> dict[str, Any]:
    return Resolver(SHIPPED, parameters).resolve(SHIPPED["Resources"][name]["Properties"])


@pytest.mark.parametrize(("parameter", "value"), ADDED)
def test_a_parameter_adds_exactly_its_resources(parameter: str, value: Any) -> None:
    assert resources(**{parameter: value}) - resources() == ADDED[parameter, value]
    assert resources() <= resources(**{parameter: value})


@pytest.mark.parametrize(("parameters", "added"), [
    ({"ConfigRule": "true"}, {("config:PutEvaluations", "*")}),
    ({"ReportDestinationArn": BUS}, {("events:PutEvents", BUS)}),
    ({"ReportDestinationArn": TOPIC}, {("sns:Publish", TOPIC)}),
    ({"ReportDestinationArn": "event-bus/default"}, {("events:PutEvents", f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/default")}),
    (
        {"ReportDestinationArn": TOPIC, "ReportTopicKeyArn": TOPIC_KEY},
        {("sns:Publish", TOPIC), ("kms:GenerateDataKey*", TOPIC_KEY), ("kms:Decrypt", TOPIC_KEY)},
    ),
    ({"ConfigRuleNames": "a", "SecurityHub": "true", "KeyEventsAccounts": "222222222222", "AlarmTopicArn": TOPIC}, set()),
    ({"KeyArnParameterName": "/session-kms/document/key-arn"}, set()),
    ({"OnKeyTrouble": "Standby", "StandbyKmsKeyId": "alias/standby"}, set()),
    ({"OnKeyTrouble": "Clear"}, set()),
])
def test_a_parameter_adds_exactly_its_permissions(parameters: dict[str, Any], added: set[tuple[str, str]]) -> None:
    assert permissions(**parameters) - permissions() == added
    assert permissions() <= permissions(**parameters)


def test_the_key_of_the_topic_is_used_by_sns_only() -> None:
    added = [statement for statement in statements(ReportDestinationArn=TOPIC, ReportTopicKeyArn=TOPIC_KEY) if statement["Resource"] == TOPIC_KEY]
    statement, = added
    assert list(statement["Condition"]) == ["StringLike"]
    condition = statement["Condition"]["StringLike"]
    pattern = condition["kms:ViaService"]
    for service in ("sns.eu-west-1.amazonaws.com", "sns.eu-west-1.amazonaws.com.cn"):
        assert fnmatch.fnmatchcase(service, pattern)
    for service in ("sns.us-east-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"):
        assert not fnmatch.fnmatchcase(service, pattern)


@pytest.mark.parametrize(("given", "boundary"), [
    ("policy/team/Boundary", f"arn:aws:iam::{ACCOUNT}:policy/team/Boundary"),
    (f"arn:aws:iam::{ACCOUNT}:policy/Boundary", f"arn:aws:iam::{ACCOUNT}:policy/Boundary"),
    ("arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws:iam::aws:policy/PowerUserAccess"),
    ("", None),
])
def test_a_boundary_without_an_account_is_of_the_stack_s_account(given: Any, boundary: str | None) -> None:
    assert resolved("FunctionRole", PermissionsBoundaryArn=given).get("PermissionsBoundary") == boundary


@pytest.mark.parametrize(("region", "policies"), [("", {"UserPolicy", "NodePolicy"}), ("eu-west-1", {"UserPolicy", "NodePolicy"}), ("us-east-1", set())])
def test_one_region_of_an_account_attaches_the_policies(region: str, policies: set[str]) -> None:
    given = {"UserRoleNames": "Operator", "NodeRoleNames": "App", "GrantKeyArns": FOREIGN_KEY, "GrantRegion": region}
    assert resources(**given) - resources() == policies
    # The request refers to the policies that exist, so it waits for them.
    assert len(resolved("SessionEncryption", **given)["Requires"]) == len(policies)


def test_the_standby_key_of_another_account_needs_the_same_permissions_as_the_first() -> None:
    checks = {"DryRun": "true"}
    first = permissions(**checks, KmsKeyId=FOREIGN_KEY) - permissions(**checks)
    second = permissions(**checks, OnKeyTrouble="Standby", StandbyKmsKeyId=FOREIGN_KEY) - permissions(**checks)
    assert second == first
    assert {action for action, _ in first} == {"kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants", "kms:GenerateDataKey", "kms:Decrypt"}


def test_the_function_may_list_the_path_of_records_and_no_other() -> None:
    found = [resource for statement in statements() if statement["Sid"] == "FindRecords" for resource in statement["Resource"]]
    assert found == [f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/session-kms", f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/session-kms/"]


def test_the_queue_takes_undelivered_events_of_the_stack_s_rules_only() -> None:
    allowed, = [statement for statement in resolved("FailedEventsPolicy")["PolicyDocument"]["Statement"] if statement["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Action"] == "sqs:SendMessage"
    pattern = allowed["Condition"]["ArnLike"]["aws:SourceArn"]
    assert PSEUDO["AWS::StackId"].rpartition("/")[2] in pattern
    names = {
        Resolver(SHIPPED, {}).resolve(resource["Properties"]["Name"])
        for resource in SHIPPED["Resources"].values() if resource["Type"] == "AWS::Events::Rule"
    }
    assert len(names) == 11
    for name in names:
        assert fnmatch.fnmatchcase(f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/{name}", pattern)
        assert len(name) <= 64


def test_other_accounts_may_forward_events_of_kms_only() -> None:
    statement = resolved("KeyEventsPolicy", KeyEventsAccounts="222222222222,333333333333")["Statement"]
    assert statement["Principal"] == {"AWS": ["222222222222", "333333333333"]}
    assert statement["Action"] == "events:PutEvents"
    assert statement["Resource"] == f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/default"
    # Without the second condition, a call that names no source would be allowed.
    assert statement["Condition"] == {"ForAllValues:StringEquals": {"events:source": "aws.kms"}, "Null": {"events:source": "false"}}


def test_only_aws_config_of_this_account_may_ask_for_an_evaluation() -> None:
    permission = resolved("ComplianceRulePermission")
    assert (permission["Principal"], permission["SourceAccount"]) == ("config.amazonaws.com", ACCOUNT)
    rule = resolved("ComplianceRule")
    assert rule["Source"]["Owner"] == "CUSTOM_LAMBDA"
    assert rule["Source"]["SourceIdentifier"] == permission["FunctionName"]
    assert "ComplianceRulePermission" in SHIPPED["Resources"]["ComplianceRule"]["DependsOn"], "AWS Config invokes the function at once"


def test_what_the_local_aws_does_not_support_can_be_left_out() -> None:
    unknown = {name for name, resource in SHIPPED["Resources"].items() if resource["Type"] in LOCALLY_UNSUPPORTED}
    assert unknown == {"ComplianceRule", "KeyEventsPolicy"}
    assert not unknown & resources(), "the default parameters create none of them"


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
    {"ReportTopicKeyArn": TOPIC_KEY},
    {"ReportDestinationArn": TOPIC, "ReportTopicKeyArn": "alias/aws/sns"},
    {"ReportDestinationArn": "event-bus/reports"},
    {"PermissionsBoundaryArn": "Boundary"},
    {"GrantRegion": "EU"},
    {"AlarmTopicArn": BUS},
    {"KeyEventsAccounts": "222222222222, 333333333333"},
    {"SecurityHub": "yes"},
    {"LogLevel": "DEBUG"},
], ids=lambda parameters: "+".join(itertools.chain(*parameters.items()))[:60])
def test_parameters_that_contradict_each_other_are_refused_before_anything_is_made(account: Account, parameters: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        account.stack(**parameters).create()
