"""The deployed rules of the template: each sample event matches exactly the rule that is for it.

EventBridge accepts events of AWS's own sources only from AWS, so the tests read the patterns back and try them by
TestEventPattern.
"""

import copy
import json
from typing import Any

import pytest

from local import seed
from local.package import package
from local.paths import EVENTS
from local.servers import ACCOUNT, LocalAws
from local.stacks import Stack
from tests.e2e.conftest import Account
from tests.e2e.events import sample

RULES = [
    "DocumentCalls", "KeyCalls", "AliasCalls", "KeyEvents", "RecordChanges", "RecordDeletions", "ConfigCompliance", "SecurityHubActions",
    "SecurityHubFindings", "SecurityHubOcsfFindings",
]
FOREIGN_KEY = "arn:aws:kms:eu-west-1:222222222222:key/5678efab-12ab-34cd-56ef-1234567890ab"
MATCHED = {
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
    "key-tag-resource-call": "KeyCalls",
    "key-untag-resource-call": "KeyCalls",
    "key-alias-update-call": "AliasCalls",
    "key-deletion-event": "KeyEvents",
    "key-material-expiration-event": "KeyEvents",
    "record-change": "RecordChanges",
    "record-delete-call": "RecordDeletions",
    "config-compliance-change": "ConfigCompliance",
    "security-hub-custom-action": "SecurityHubActions",
    "security-hub-imported": "SecurityHubFindings",
    "security-hub-imported-v2": "SecurityHubOcsfFindings",
}
# Samples that match no rule. A schedule invokes the function without a pattern.
UNMATCHED = ["document-update-call-by-function", "document-update-call-failed", "schedule", "scheduler"]


@pytest.fixture(scope="module")
def account(servers: LocalAws) -> Account:
    servers.reset()
    seed.seed_document(servers)
    return Account(servers, seed.seed_keys(servers), package(servers))


@pytest.fixture(scope="module")
def stack(account: Account) -> Stack:
    """A stack with every rule."""
    return account.deploy(
        OnKeyTrouble="Standby", StandbyKmsKeyId=account.keys.second, AdditionalKeyArns=FOREIGN_KEY, AdditionalDocuments="Team-?*",
        SecurityHub="true", ConfigRuleNames="session-encryption,another-rule",
    )


@pytest.fixture(scope="module")
def patterns(stack: Stack) -> dict[str, str]:
    return patterns_of(stack)


def patterns_of(stack: Stack, rules: list[str] = RULES) -> dict[str, str]:
    events = stack.aws.client("events")
    return {rule: events.describe_rule(Name=stack.resource(rule)["PhysicalResourceId"])["EventPattern"] for rule in rules}


def matching_rules(account: Account, patterns: dict[str, str], event: dict[str, Any]) -> list[str]:
    """The rules whose patterns match an event."""
    # TestEventPattern requires these fields.
    assert {"id", "account", "source", "time", "region", "resources", "detail-type"} <= set(event)
    events = account.aws.client("events")
    return [
        rule for rule, pattern in patterns.items() if events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]
    ]


def changed(event: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """An event with one value changed. None removes it."""
    event = copy.deepcopy(event)
    *steps, last = path.split("/")
    inner: Any = event
    for step in steps:
        inner = inner[_index(step)]
    if value is None:
        del inner[_index(last)]
    else:
        inner[_index(last)] = value
    return event


def _index(step: str) -> Any:
    """A step of a path: an index of a list, or a name."""
    return int(step) if step.isdigit() else step


def test_every_sample_event_is_listed_here() -> None:
    events = [path.stem for path in EVENTS.glob("*.json") if "detail-type" in json.loads(path.read_text())]
    assert sorted(events) == sorted([*MATCHED, *UNMATCHED])


@pytest.mark.parametrize("name", MATCHED)
def test_a_sample_matches_its_rule_and_no_other(account: Account, stack: Stack, patterns: dict[str, str], name: str) -> None:
    assert matching_rules(account, patterns, sample(name, stack, account.keys.first)) == [MATCHED[name]]


@pytest.mark.parametrize("name", UNMATCHED)
def test_an_event_to_ignore_matches_no_rule(account: Account, stack: Stack, patterns: dict[str, str], name: str) -> None:
    assert matching_rules(account, patterns, sample(name, stack, account.keys.first)) == []


def test_the_call_by_the_function_differs_from_others_by_its_role_alone(account: Account, stack: Stack, patterns: dict[str, str]) -> None:
    """Otherwise the test above would prove nothing about the role."""
    event = sample("document-update-call-by-function", stack, account.keys.first)
    path = "detail/userIdentity/sessionContext/sessionIssuer/arn"
    own = account.aws.client("iam").get_role(RoleName=stack.resource("FunctionRole")["PhysicalResourceId"])["Role"]["Arn"]
    assert event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == own
    for other in (f"{own}2", own.replace(ACCOUNT, "222222222222"), own.replace(":role/", ":role/team/")):
        assert matching_rules(account, patterns, changed(event, path, other)) == ["DocumentCalls"]


@pytest.mark.parametrize("call", ["CreateGrant", "RetireGrant", "RevokeGrant"])
def test_grants_of_aws_services_match_no_rule(account: Account, stack: Stack, patterns: dict[str, str], call: Any) -> None:
    event = changed(sample("key-retire-grant-call", stack, account.keys.first), "detail/eventName", call)
    assert matching_rules(account, patterns, event) == ["KeyCalls"]
    assert matching_rules(account, patterns, changed(event, "detail/userIdentity/invokedBy", "ec2-frontend-api.amazonaws.com")) == []


def test_a_policy_that_a_service_puts_for_somebody_matches(account: Account, stack: Stack, patterns: dict[str, str]) -> None:
    event = sample("key-put-policy-call", stack, account.keys.first)
    assert matching_rules(account, patterns, changed(event, "detail/userIdentity/invokedBy", "cloudformation.amazonaws.com")) == ["KeyCalls"]


@pytest.mark.parametrize("identity", [
    {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/Alice"},
    {"type": "IAMUser", "sessionContext": {"attributes": {"mfaAuthenticated": "true"}}},
    {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"},
    {"type": "AWSService", "invokedBy": "ssm-quicksetup.amazonaws.com"},
])
def test_a_call_without_a_role_matches(account: Account, stack: Stack, patterns: dict[str, str], identity: dict[str, str]) -> None:
    event = changed(sample("document-update-call", stack, account.keys.first), "detail/userIdentity", identity)
    assert matching_rules(account, patterns, event) == ["DocumentCalls"]


@pytest.mark.parametrize(("name", "rules"), [
    ("Team-A", ["DocumentCalls"]),
    ("SSM-SessionManagerRunShell2", []),
    ("SSM-Other", []),
    ("team-a", []),
])
def test_rules_match_only_the_documents_of_the_stack(account: Account, stack: Stack, patterns: dict[str, str], name: str, rules: list[str]) -> None:
    event = sample("document-update-call", stack, account.keys.first)
    assert matching_rules(account, patterns, changed(event, "detail/requestParameters/name", name)) == rules
    record = changed(sample("record-change", stack, account.keys.first), "detail/name", f"/session-kms/{name}")
    assert matching_rules(account, patterns, record) == (["RecordChanges"] if rules else [])


@pytest.mark.parametrize("sample_name", ["key-disable-call", "key-deletion-event"])
def test_rules_match_only_the_keys_of_the_stack(account: Account, stack: Stack, patterns: dict[str, str], sample_name: str) -> None:
    for key in (account.keys.first, account.keys.second, FOREIGN_KEY):
        assert matching_rules(account, patterns, sample(sample_name, stack, key)) == [MATCHED[sample_name]]
    for key in (account.keys.signing, account.keys.first.replace("eu-west-1", "us-east-1"), f"{account.keys.first}0", ""):
        assert matching_rules(account, patterns, sample(sample_name, stack, key)) == []


def test_a_forwarded_event_matches_only_for_the_listed_key(account: Account, stack: Stack, patterns: dict[str, str]) -> None:
    event = sample("key-disable-call-forwarded", stack, account.keys.first)
    assert (event["account"], event["detail"]["resources"][0]["ARN"]) == (FOREIGN_KEY.split(":")[4], FOREIGN_KEY)
    assert matching_rules(account, patterns, changed(event, "detail/resources/0/ARN", f"{FOREIGN_KEY}0")) == []


@pytest.mark.parametrize("call", ["TagResource", "UntagResource"])
def test_a_change_of_the_tags_of_a_key_of_the_stack_matches(account: Account, stack: Stack, patterns: dict[str, str], call: Any) -> None:
    event = changed(sample("key-tag-resource-call", stack, account.keys.first), "detail/eventName", call)
    assert matching_rules(account, patterns, event) == ["KeyCalls"]
    # CloudFormation tags the keys of its stacks.
    assert matching_rules(account, patterns, changed(event, "detail/userIdentity/invokedBy", "cloudformation.amazonaws.com")) == ["KeyCalls"]
    assert matching_rules(account, patterns, changed(event, "detail/resources/0/ARN", account.keys.signing)) == []
    assert matching_rules(account, patterns, changed(event, "detail/errorCode", "AccessDenied")) == []


@pytest.mark.parametrize("call", ["CreateAlias", "UpdateAlias", "DeleteAlias"])
def test_a_change_of_an_alias_matches_whichever_key_it_names(account: Account, stack: Stack, patterns: dict[str, str], call: Any) -> None:
    """UpdateAlias does not name the key that loses the alias."""
    for key in (account.keys.first, account.keys.signing, FOREIGN_KEY):
        event = changed(sample("key-alias-update-call", stack, key), "detail/eventName", call)
        assert key in [resource["ARN"] for resource in event["detail"]["resources"]]
        assert matching_rules(account, patterns, event) == ["AliasCalls"]
        assert matching_rules(account, patterns, changed(event, "detail/errorCode", "AccessDenied")) == []
        assert matching_rules(account, patterns, changed(event, "source", "custom.kms")) == []
    assert matching_rules(account, patterns, changed(event, "detail/eventName", "ListAliases")) == []


def test_no_pattern_is_longer_than_a_rule_takes(account: Account, stack: Stack, patterns: dict[str, str]) -> None:
    """A pattern has 2,048 characters by default, and each key of AdditionalKeyArns has some 80 of them."""
    lengths = {rule: len(json.dumps(json.loads(pattern), separators=(",", ":"))) for rule, pattern in patterns.items()}
    further = (2048 - lengths["KeyCalls"]) // (len(FOREIGN_KEY) + len(',""'))
    assert max(lengths.values()) <= 2048
    assert 1 + further >= 10, "the description of AdditionalKeyArns says so"


def test_expired_material_that_kms_deletes_matches(account: Account, stack: Stack, patterns: dict[str, str]) -> None:
    event = changed(sample("key-deleted-service-event", stack, account.keys.first), "detail/eventName", "DeleteExpiredKeyMaterial")
    assert matching_rules(account, patterns, event) == ["KeyCalls"]


@pytest.mark.parametrize(("operation", "rules"), [("Create", ["RecordChanges"]), ("Update", ["RecordChanges"]), ("Delete", [])])
def test_whoever_writes_the_record_is_reported(account: Account, stack: Stack, patterns: dict[str, str], operation: str, rules: list[str]) -> None:
    """An event of Parameter Store does not say who made the change, and the function deletes the record of what it releases."""
    event = changed(sample("record-change", stack, account.keys.first), "detail/operation", operation)
    assert matching_rules(account, patterns, event) == rules


def test_a_record_that_others_delete_matches_and_one_that_the_function_deletes_does_not(account: Account, stack: Stack, patterns: dict[str, str]) -> None:
    event = sample("record-delete-call", stack, account.keys.first)
    own = account.aws.client("iam").get_role(RoleName=stack.resource("FunctionRole")["PhysicalResourceId"])["Role"]["Arn"]
    session: dict[str, Any] = {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": own}}}
    assert matching_rules(account, patterns, changed(event, "detail/userIdentity", session)) == []
    session["sessionContext"]["sessionIssuer"]["arn"] = f"{own}2"
    assert matching_rules(account, patterns, changed(event, "detail/userIdentity", session)) == ["RecordDeletions"]
    for name, rules in (("Team-A", ["RecordDeletions"]), ("SSM-Other", [])):
        record = f"/session-kms/{name}"
        several = changed(changed(event, "detail/requestParameters", {"names": ["/other", record]}), "detail/eventName", "DeleteParameters")
        assert matching_rules(account, patterns, several) == rules
        assert matching_rules(account, patterns, changed(event, "detail/requestParameters/name", record)) == rules
    assert matching_rules(account, patterns, changed(event, "detail/errorCode", "AccessDenied")) == []


@pytest.mark.parametrize(("sample_name", "resource"), [
    ("security-hub-imported", "Resources/0/Id"),
    ("security-hub-custom-action", "Resources/0/Id"),
    ("security-hub-imported-v2", "resources/0/uid"),
])
def test_a_finding_matches_on_a_key_of_the_stack_and_on_no_other(
    account: Account, stack: Stack, patterns: dict[str, str], sample_name: str, resource: str,
) -> None:
    event = sample(sample_name, stack, account.keys.first)
    for key in (account.keys.first, account.keys.second, FOREIGN_KEY):
        assert matching_rules(account, patterns, changed(event, f"detail/findings/0/{resource}", key)) == [MATCHED[sample_name]]
    for key in (account.keys.signing, f"{account.keys.first}0", ""):
        assert matching_rules(account, patterns, changed(event, f"detail/findings/0/{resource}", key)) == []


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
    ("security-hub-imported-v2", "detail-type", "Findings Imported V3"),
    ("record-delete-call", "detail/eventName", "PutParameter"),
    ("record-delete-call", "detail/requestParameters", None),
])
def test_an_event_that_differs_in_one_point_matches_no_rule(account: Account, stack: Stack, patterns: dict[str, str], name: str, path: str, value: Any) -> None:
    event = sample(name, stack, account.keys.first)
    assert matching_rules(account, patterns, event)
    assert matching_rules(account, patterns, changed(event, path, value)) == []


def test_one_finding_of_several_is_enough(account: Account, stack: Stack, patterns: dict[str, str]) -> None:
    event = sample("security-hub-imported", stack, account.keys.first)
    other = changed(event, "detail/findings/0/Resources/0/Id", "arn:aws:s3:::example-bank")["detail"]["findings"][0]
    assert matching_rules(account, patterns, changed(event, "detail/findings", [other, event["detail"]["findings"][0]])) == ["SecurityHubFindings"]


def test_a_named_custom_action_matches_on_any_finding(account: Account, stack: Stack) -> None:
    event = sample("security-hub-custom-action", stack, account.keys.first)
    action, = event["resources"]
    named = account.deploy(SecurityHub="true", SecurityHubActionArn=action, DocumentName="Team-Named", CreateDocument="true")
    patterns = patterns_of(named, ["SecurityHubActions", "SecurityHubFindings"])
    elsewhere = changed(event, "detail/findings/0/Resources/0/Id", "arn:aws:s3:::example-bank")
    assert matching_rules(account, patterns, elsewhere) == ["SecurityHubActions"]
    assert matching_rules(account, patterns, changed(event, "resources/0", f"{action}2")) == []


def test_with_encryption_off_rules_match_the_document_and_no_key(account: Account, stack: Stack) -> None:
    off = account.deploy(Encryption="Disabled", DocumentName="Team-Off")
    patterns = patterns_of(off, ["DocumentCalls", "KeyCalls", "KeyEvents", "RecordChanges"])
    for name in ("key-disable-call", "key-deletion-event"):
        assert matching_rules(account, patterns, sample(name, off, account.keys.first)) == []
    event = sample("document-update-call", off, account.keys.first, document="Team-Off")
    assert matching_rules(account, patterns, event) == ["DocumentCalls"]


def test_rules_match_another_key_after_it_became_the_key(account: Account, stack: Stack) -> None:
    moved = account.deploy(DocumentName="Team-Moved", CreateDocument="true")
    event = sample("key-disable-call", moved, account.keys.second)
    assert matching_rules(account, patterns_of(moved, ["KeyCalls"]), event) == []
    assert moved.update(KmsKeyId=account.keys.second) == "UPDATE_COMPLETE", moved.failures()
    assert matching_rules(account, patterns_of(moved, ["KeyCalls"]), event) == ["KeyCalls"]


def test_the_schedule_is_hourly_by_default(account: Account, stack: Stack) -> None:
    events = account.aws.client("events")
    rule = events.describe_rule(Name=stack.resource("Clock")["PhysicalResourceId"])
    assert (rule["ScheduleExpression"], rule.get("EventPattern", "")) == ("rate(1 hour)", "")
    assert stack.update(Schedule="cron(0 6 * * ? *)") == "UPDATE_COMPLETE"
    assert events.describe_rule(Name=rule["Name"])["ScheduleExpression"] == "cron(0 6 * * ? *)"


def test_each_rule_invokes_the_alias_and_queues_what_it_cannot_deliver(account: Account, stack: Stack) -> None:
    events = account.aws.client("events")
    for rule in [*RULES, "Clock"]:
        name = stack.resource(rule)["PhysicalResourceId"]
        assert events.describe_rule(Name=name)["State"] == "ENABLED"
        target, = events.list_targets_by_rule(Rule=name)["Targets"]
        assert target["Arn"] == stack.outputs()["EventsFunctionArn"]
        assert target["DeadLetterConfig"]["Arn"].endswith(f":{stack.outputs()['FailedEventsUrl'].rpartition('/')[2]}")
        assert not {"Input", "InputTransformer"} & set(target), "the function needs the event itself"
