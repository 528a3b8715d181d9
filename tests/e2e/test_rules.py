"""The template's rules, as deployed, on the sample events: each sample meets the one rule that is for it.

EventBridge takes no events of AWS's own sources from others, here as in an account, so the patterns are read back
from EventBridge and tried by TestEventPattern.
"""

import copy
import json

import pytest

from local import seed
from local.package import package
from local.paths import EVENTS
from local.servers import ACCOUNT
from tests.e2e.conftest import Account
from tests.e2e.events import sample

RULES = ["DocumentCalls", "KeyCalls", "KeyEvents", "RecordChanges", "ConfigCompliance", "SecurityHubActions", "SecurityHubFindings"]
FOREIGN_KEY = "arn:aws:kms:eu-west-1:222222222222:key/5678efab-12ab-34cd-56ef-1234567890ab"
MET = {
    "document-create-call": "DocumentCalls",
    "document-update-call": "DocumentCalls",
    "document-default-version-call": "DocumentCalls",
    "document-delete-call": "DocumentCalls",
    "key-disable-call": "KeyCalls",
    "key-disable-call-forwarded": "KeyCalls",
    "key-enable-call": "KeyCalls",
    "key-schedule-deletion-call": "KeyCalls",
    "key-cancel-deletion-call": "KeyCalls",
    "key-put-policy-call": "KeyCalls",
    "key-create-grant-call": "KeyCalls",
    "key-revoke-grant-call": "KeyCalls",
    "key-retire-grant-call": "KeyCalls",
    "key-delete-imported-material-call": "KeyCalls",
    "key-import-material-call": "KeyCalls",
    "key-deleted-service-event": "KeyCalls",
    "key-deletion-event": "KeyEvents",
    "key-material-expiration-event": "KeyEvents",
    "record-change": "RecordChanges",
    "config-compliance-change": "ConfigCompliance",
    "security-hub-custom-action": "SecurityHubActions",
    "security-hub-imported": "SecurityHubFindings",
}
# A schedule calls the function itself.
UNMET = ["document-update-call-by-function", "document-update-call-failed", "key-alias-update-call", "schedule", "scheduler"]


@pytest.fixture(scope="module")
def account(servers) -> Account:
    servers.reset()
    seed.seed_document(servers)
    return Account(servers, seed.seed_keys(servers), package(servers))


@pytest.fixture(scope="module")
def stack(account):
    """A stack that watches all that can be watched."""
    return account.deploy(
        OnKeyTrouble="Standby", StandbyKmsKeyId=account.keys.second, AdditionalKeyArns=FOREIGN_KEY, AdditionalDocuments="Team-?*",
        SecurityHub="true", ConfigRuleNames="session-encryption,another-rule",
    )


@pytest.fixture(scope="module")
def patterns(stack) -> dict[str, str]:
    return patterns_of(stack)


def patterns_of(stack, rules=RULES) -> dict[str, str]:
    events = stack.aws.client("events")
    return {rule: events.describe_rule(Name=stack.resource(rule)["PhysicalResourceId"])["EventPattern"] for rule in rules}


def met(account, patterns: dict[str, str], event: dict) -> list[str]:
    """The rules that an event meets."""
    # EventBridge asks for these of an event that is tried.
    assert {"id", "account", "source", "time", "region", "resources", "detail-type"} <= set(event)
    events = account.aws.client("events")
    return [
        rule for rule, pattern in patterns.items() if events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]
    ]


def changed(event: dict, path: str, value) -> dict:
    """An event with one value changed; None takes it away."""
    event = copy.deepcopy(event)
    *way, last = path.split("/")
    inner = event
    for step in way:
        inner = inner[int(step) if step.isdigit() else step]
    last = int(last) if last.isdigit() else last
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return event


def test_each_sample_of_an_event_meets_a_rule_or_none():
    events = [path.stem for path in EVENTS.glob("*.json") if "detail-type" in json.loads(path.read_text())]
    assert sorted(events) == sorted([*MET, *UNMET])


@pytest.mark.parametrize("name", MET)
def test_a_sample_meets_the_rule_for_it_and_no_other(account, stack, patterns, name):
    assert met(account, patterns, sample(name, stack, account.keys.first)) == [MET[name]]


@pytest.mark.parametrize("name", UNMET)
def test_what_is_no_business_of_ours_meets_no_rule(account, stack, patterns, name):
    assert met(account, patterns, sample(name, stack, account.keys.first)) == []


def test_the_call_by_the_function_differs_from_others_by_its_role_alone(account, stack, patterns):
    """Or the test above would say nothing of the role."""
    event = sample("document-update-call-by-function", stack, account.keys.first)
    path = "detail/userIdentity/sessionContext/sessionIssuer/arn"
    own = account.aws.client("iam").get_role(RoleName=stack.resource("FunctionRole")["PhysicalResourceId"])["Role"]["Arn"]
    assert event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == own
    for other in (f"{own}2", own.replace(ACCOUNT, "222222222222"), own.replace(":role/", ":role/team/")):
        assert met(account, patterns, changed(event, path, other)) == ["DocumentCalls"]


@pytest.mark.parametrize("call", ["CreateGrant", "RetireGrant", "RevokeGrant"])
def test_grants_of_aws_services_are_no_news(account, stack, patterns, call):
    event = changed(sample("key-retire-grant-call", stack, account.keys.first), "detail/eventName", call)
    assert met(account, patterns, event) == ["KeyCalls"]
    assert met(account, patterns, changed(event, "detail/userIdentity/invokedBy", "ec2-frontend-api.amazonaws.com")) == []


def test_a_policy_that_a_service_puts_for_somebody_is_news(account, stack, patterns):
    event = sample("key-put-policy-call", stack, account.keys.first)
    assert met(account, patterns, changed(event, "detail/userIdentity/invokedBy", "cloudformation.amazonaws.com")) == ["KeyCalls"]


@pytest.mark.parametrize("identity", [
    {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/Alice"},
    {"type": "IAMUser", "sessionContext": {"attributes": {"mfaAuthenticated": "true"}}},
    {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"},
    {"type": "AWSService", "invokedBy": "ssm-quicksetup.amazonaws.com"},
])
def test_a_caller_without_a_role_is_noticed(account, stack, patterns, identity):
    event = changed(sample("document-update-call", stack, account.keys.first), "detail/userIdentity", identity)
    assert met(account, patterns, event) == ["DocumentCalls"]


@pytest.mark.parametrize(("name", "rules"), [
    ("Team-A", ["DocumentCalls"]),
    ("SSM-SessionManagerRunShell2", []),
    ("SSM-Other", []),
    ("team-a", []),
])
def test_which_documents_are_watched(account, stack, patterns, name, rules):
    event = sample("document-update-call", stack, account.keys.first)
    assert met(account, patterns, changed(event, "detail/requestParameters/name", name)) == rules
    record = changed(sample("record-change", stack, account.keys.first), "detail/name", f"/session-kms/{name}")
    assert met(account, patterns, record) == (["RecordChanges"] if rules else [])


@pytest.mark.parametrize("sample_name", ["key-disable-call", "key-deletion-event"])
def test_which_keys_are_watched(account, stack, patterns, sample_name):
    for key in (account.keys.first, account.keys.second, FOREIGN_KEY):
        assert met(account, patterns, sample(sample_name, stack, key)) == [MET[sample_name]]
    for key in (account.keys.signing, account.keys.first.replace("eu-west-1", "us-east-1"), f"{account.keys.first}0", ""):
        assert met(account, patterns, sample(sample_name, stack, key)) == []


def test_what_was_forwarded_is_of_the_key_s_account_and_of_no_other_key(account, stack, patterns):
    event = sample("key-disable-call-forwarded", stack, account.keys.first)
    assert (event["account"], event["detail"]["resources"][0]["ARN"]) == (FOREIGN_KEY.split(":")[4], FOREIGN_KEY)
    assert met(account, patterns, changed(event, "detail/resources/0/ARN", f"{FOREIGN_KEY}0")) == []


def test_an_alias_that_is_turned_is_no_news_whichever_resource_comes_first(account, stack, patterns):
    """It names the key, so that its call alone keeps it out."""
    event = sample("key-alias-update-call", stack, account.keys.first)
    assert account.keys.first in [resource["ARN"] for resource in event["detail"]["resources"]]
    assert met(account, patterns, changed(event, "detail/eventName", "DisableKey")) == ["KeyCalls"]


def test_material_that_expired_is_noticed_when_kms_deletes_it(account, stack, patterns):
    event = changed(sample("key-deleted-service-event", stack, account.keys.first), "detail/eventName", "DeleteExpiredKeyMaterial")
    assert met(account, patterns, event) == ["KeyCalls"]


@pytest.mark.parametrize("operation", ["Create", "Update", "Delete"])
def test_whatever_happens_to_the_record_is_noticed(account, stack, patterns, operation):
    event = changed(sample("record-change", stack, account.keys.first), "detail/operation", operation)
    assert met(account, patterns, event) == ["RecordChanges"]


@pytest.mark.parametrize("sample_name", ["security-hub-imported", "security-hub-custom-action"])
def test_a_finding_on_a_key_in_use_counts_and_on_another_not(account, stack, patterns, sample_name):
    event = sample(sample_name, stack, account.keys.first)
    for key in (account.keys.first, account.keys.second, FOREIGN_KEY):
        assert met(account, patterns, changed(event, "detail/findings/0/Resources/0/Id", key)) == [MET[sample_name]]
    for key in (account.keys.signing, f"{account.keys.first}0", ""):
        assert met(account, patterns, changed(event, "detail/findings/0/Resources/0/Id", key)) == []


@pytest.mark.parametrize(("name", "path", "value"), [
    ("document-update-call", "source", "custom.ssm"),
    ("document-update-call", "detail-type", "AWS Console Action via CloudTrail"),
    ("document-update-call", "detail/eventSource", "kms.amazonaws.com"),
    ("document-update-call", "detail/eventName", "AddTagsToResource"),
    ("document-update-call", "detail/eventName", "UpdateDocumentMetadata"),
    ("document-update-call", "detail/requestParameters", None),
    ("document-update-call", "detail/errorCode", "TooManyUpdates"),
    ("key-disable-call", "source", "custom.kms"),
    ("key-disable-call", "detail/eventName", "Decrypt"),
    ("key-disable-call", "detail/eventName", "EnableKeyRotation"),
    ("key-disable-call", "detail/errorCode", "AccessDenied"),
    ("key-disable-call", "detail/resources", None),
    ("key-disable-call", "detail/resources", []),
    ("key-deletion-event", "detail-type", "KMS CMK Rotation"),
    ("record-change", "detail/operation", "LabelParameterVersion"),
    ("record-change", "detail/name", "/session-kms-other/SSM-SessionManagerRunShell"),
    ("record-change", "detail-type", "Parameter Store Policy Action"),
    ("config-compliance-change", "detail/configRuleName", "session-encryption-2"),
    ("config-compliance-change", "detail/newEvaluationResult/complianceType", "COMPLIANT"),
    ("security-hub-imported", "detail/findings/0/RecordState", "ARCHIVED"),
    ("security-hub-imported", "detail/findings/0/Resources/0/Id", "arn:aws:s3:::example-bank"),
    ("security-hub-custom-action", "detail/findings/0/Resources/0/Id", "arn:aws:s3:::example-bank"),
    ("security-hub-custom-action", "detail-type", "Security Hub Insight Results"),
])
def test_an_event_that_differs_in_one_point_meets_no_rule(account, stack, patterns, name, path, value):
    event = sample(name, stack, account.keys.first)
    assert met(account, patterns, event)
    assert met(account, patterns, changed(event, path, value)) == []


def test_every_finding_of_several_counts(account, stack, patterns):
    event = sample("security-hub-imported", stack, account.keys.first)
    other = changed(event, "detail/findings/0/Resources/0/Id", "arn:aws:s3:::example-bank")["detail"]["findings"][0]
    assert met(account, patterns, changed(event, "detail/findings", [other, event["detail"]["findings"][0]])) == ["SecurityHubFindings"]


def test_a_named_custom_action_is_followed_whatever_the_finding(account, stack):
    event = sample("security-hub-custom-action", stack, account.keys.first)
    action, = event["resources"]
    named = account.deploy(SecurityHub="true", SecurityHubActionArn=action, DocumentName="Team-Named")
    patterns = patterns_of(named, ["SecurityHubActions", "SecurityHubFindings"])
    elsewhere = changed(event, "detail/findings/0/Resources/0/Id", "arn:aws:s3:::example-bank")
    assert met(account, patterns, elsewhere) == ["SecurityHubActions"]
    assert met(account, patterns, changed(event, "resources/0", f"{action}2")) == []


def test_with_encryption_off_no_key_is_watched_and_the_document_is(account, stack):
    off = account.deploy(Encryption="Disabled", DocumentName="Team-Off")
    patterns = patterns_of(off, ["DocumentCalls", "KeyCalls", "KeyEvents", "RecordChanges"])
    for name in ("key-disable-call", "key-deletion-event"):
        assert met(account, patterns, sample(name, off, account.keys.first)) == []
    event = sample("document-update-call", off, account.keys.first, document="Team-Off")
    assert met(account, patterns, event) == ["DocumentCalls"]


def test_another_key_is_watched_once_it_is_the_key(account, stack):
    moved = account.deploy(DocumentName="Team-Moved")
    event = sample("key-disable-call", moved, account.keys.second)
    assert met(account, patterns_of(moved, ["KeyCalls"]), event) == []
    assert moved.update(KmsKeyId=account.keys.second) == "UPDATE_COMPLETE", moved.failures()
    assert met(account, patterns_of(moved, ["KeyCalls"]), event) == ["KeyCalls"]


def test_the_clock_strikes_every_hour_unless_told_otherwise(account, stack):
    events = account.aws.client("events")
    clock = events.describe_rule(Name=stack.resource("Clock")["PhysicalResourceId"])
    assert (clock["ScheduleExpression"], clock.get("EventPattern", "")) == ("rate(1 hour)", "")
    assert stack.update(Schedule="cron(0 6 * * ? *)") == "UPDATE_COMPLETE"
    assert events.describe_rule(Name=clock["Name"])["ScheduleExpression"] == "cron(0 6 * * ? *)"


def test_each_rule_calls_the_alias_and_keeps_what_it_cannot_deliver(account, stack):
    events = account.aws.client("events")
    for rule in [*RULES, "Clock"]:
        name = stack.resource(rule)["PhysicalResourceId"]
        assert events.describe_rule(Name=name)["State"] == "ENABLED"
        target, = events.list_targets_by_rule(Rule=name)["Targets"]
        assert target["Arn"] == stack.outputs()["EventsFunctionArn"]
        assert target["DeadLetterConfig"]["Arn"].endswith(f":{stack.outputs()['FailedEventsUrl'].rpartition('/')[2]}")
        assert "Input" not in target and "InputTransformer" not in target, "the function wants the event itself"
