"""deploy/key-events.yaml, deployed in the account that owns a key: which sample events it forwards to consumers.

The local EventBridge accepts no events of AWS's own sources, so the tests read the patterns back and try them by
TestEventPattern.
"""

import copy
import fnmatch
import json
from typing import Any

import pytest

from local.paths import EVENTS
from local.servers import ACCOUNT, OWNER, REGION, LocalAws
from local.stacks import Stack
from local.template import PSEUDO, Resolver, load
from tests.e2e.test_deploy import CONSUMERS, KEY, KEY_EVENTS, SHIPPED, expanded
from tests.e2e.test_rules import changed


@pytest.fixture(scope="module")
def forwarding(servers: LocalAws) -> Stack:
    """A stack that forwards the events of a key to more accounts than a rule can have targets."""
    servers.reset()
    parameters = {"KeyArns": f"{KEY},{KEY}2", "ConsumerAccounts": ",".join(CONSUMERS)}
    stack = Stack(servers, "key-events", KEY_EVENTS.read_text(), parameters, account=OWNER)
    assert stack.create() == "CREATE_COMPLETE", stack.failures()
    return stack


def key_sample(name: str) -> dict[str, Any]:
    """A sample about a key, as it occurs in the owner's account."""
    return json.loads((EVENTS / f"{name}.json").read_text().replace(ACCOUNT, OWNER))


def rule_of(stack: Stack, consumer: str) -> dict[str, Any]:
    return stack.aws.client("events", OWNER).describe_rule(Name=stack.resource(f"Rule{consumer}")["PhysicalResourceId"])


def forwarded(stack: Stack, event: dict[str, Any]) -> bool:
    """Whether an event goes to all consumers or to none. Anything else is an error."""
    events = stack.aws.client("events", OWNER)
    answers = {events.test_event_pattern(EventPattern=rule_of(stack, consumer)["EventPattern"], Event=json.dumps(event))["Result"] for consumer in CONSUMERS}
    answer, = answers
    return answer


# The samples about an account's own key. Forwarded events are not forwarded again.
SAMPLES = sorted(
    path.stem for path in EVENTS.glob("key-*.json")
    if not path.stem.startswith("key-access-") and path.stem != "key-disable-call-forwarded"
)


def test_there_is_a_sample_of_each_forwarded_event() -> None:
    assert len(SAMPLES) == 16


@pytest.mark.parametrize("name", SAMPLES)
def test_what_happens_to_the_key_is_forwarded(forwarding: Stack, name: str) -> None:
    assert forwarded(forwarding, key_sample(name))
    # The second key of the list is forwarded too, and no key that is not in the list.
    another = json.dumps(key_sample(name))
    assert forwarded(forwarding, json.loads(another.replace(KEY, f"{KEY}2")))
    for other in (f"{KEY}3", KEY.replace(OWNER, ACCOUNT), KEY.replace("eu-west-1", "us-east-1"), ""):
        assert not forwarded(forwarding, json.loads(another.replace(KEY, other)))


def test_material_that_expired_is_forwarded_when_kms_deletes_it(forwarding: Stack) -> None:
    assert forwarded(forwarding, changed(key_sample("key-deleted-service-event"), "detail/eventName", "DeleteExpiredKeyMaterial"))


@pytest.mark.parametrize(("name", "path", "value"), [
    ("key-disable-call", "detail/errorCode", "AccessDenied"),
    ("key-disable-call", "detail/eventName", "Decrypt"),
    ("key-disable-call", "detail/eventName", "EnableKeyRotation"),
    ("key-disable-call", "detail/eventSource", "ssm.amazonaws.com"),
    ("key-retire-grant-call", "detail/userIdentity/invokedBy", "ec2-frontend-api.amazonaws.com"),
    ("key-disable-call", "detail/resources", None),
    ("key-disable-call", "source", "custom.kms"),
    ("key-disable-call", "detail-type", "AWS Console Action via CloudTrail"),
    ("key-deletion-event", "detail-type", "KMS CMK Rotation"),
    ("key-deletion-event", "resources", []),
    ("key-deletion-event", "source", "custom.kms"),
])
def test_an_event_that_differs_in_one_point_is_not_forwarded(forwarding: Stack, name: str, path: str, value: Any) -> None:
    assert forwarded(forwarding, key_sample(name))
    assert not forwarded(forwarding, changed(key_sample(name), path, value))


@pytest.mark.parametrize("call", ["CreateAlias", "UpdateAlias", "DeleteAlias"])
def test_aliases_of_the_key_are_forwarded(forwarding: Stack, call: Any) -> None:
    event = changed(key_sample("key-alias-update-call"), "detail/eventName", call)
    assert forwarded(forwarding, event)
    assert not forwarded(forwarding, json.loads(json.dumps(event).replace(KEY, f"{KEY}3"))), "aliases of other keys are nobody's business"


def test_events_of_documents_and_of_other_accounts_are_not_forwarded(forwarding: Stack) -> None:
    for name in ("document-update-call", "record-change", "schedule", "key-disable-call-forwarded"):
        assert not forwarded(forwarding, key_sample(name))


def test_each_consumer_has_a_rule_and_a_role_for_its_bus_alone(forwarding: Stack) -> None:
    events, iam = (forwarding.aws.client(service, OWNER) for service in ("events", "iam"))
    queue = f"arn:aws:sqs:{REGION}:{OWNER}:{forwarding.outputs()['UndeliveredEventsUrl'].rpartition('/')[2]}"
    for consumer in CONSUMERS:
        rule = rule_of(forwarding, consumer)
        assert len(rule["Name"]) <= 64
        target, = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        bus = f"arn:aws:events:{REGION}:{consumer}:event-bus/default"
        role = iam.get_role(RoleName=forwarding.resource(f"Role{consumer}")["PhysicalResourceId"])["Role"]
        assert (target["Arn"], target["RoleArn"], target["DeadLetterConfig"]) == (bus, role["Arn"], {"Arn": queue})
        assert not {"Input", "InputTransformer"} & set(target), "the consumer's rule needs the event itself"
        policy = iam.get_role_policy(RoleName=role["RoleName"], PolicyName="bus")["PolicyDocument"]["Statement"]
        assert [(item["Effect"], item["Action"], item["Resource"]) for item in policy] == [("Allow", "events:PutEvents", bus)]
        trust, = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "events.amazonaws.com"}
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": OWNER}, "ArnEquals": {"aws:SourceArn": rule["Arn"]}}


def test_the_queue_takes_what_these_rules_could_not_deliver() -> None:
    """This reads the template, because the queue requires TLS and the local AWS has none."""
    parameters = {"KeyArns": KEY, "ConsumerAccounts": ",".join(CONSUMERS)}
    template = expanded(load(KEY_EVENTS.read_text()), parameters)
    resolver = Resolver(template, parameters)
    statements = resolver.resolve(template["Resources"]["UndeliveredEventsPolicy"]["Properties"])["PolicyDocument"]["Statement"]
    allowed, = [statement for statement in statements if statement["Effect"] == "Allow"]
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "events.amazonaws.com"}, "sqs:SendMessage")
    for consumer in CONSUMERS:
        rule = resolver.resolve(template["Resources"][f"Rule{consumer}"]["Properties"]["Name"])
        arn = f"arn:aws:events:{REGION}:{PSEUDO['AWS::AccountId']}:rule/{rule}"
        assert fnmatch.fnmatchcase(arn, allowed["Condition"]["ArnLike"]["aws:SourceArn"])
        assert not fnmatch.fnmatchcase(arn.replace("session-kms", "other"), allowed["Condition"]["ArnLike"]["aws:SourceArn"])


def test_a_forwarded_event_matches_the_rule_of_the_consumer() -> None:
    """Both sides have to name the same calls and events, or forwarded events match no rule."""
    resources = expanded(load(KEY_EVENTS.read_text()), {"KeyArns": KEY, "ConsumerAccounts": CONSUMERS[0]})["Resources"]
    pattern = resources[f"Rule{CONSUMERS[0]}"]["Properties"]["EventPattern"]
    calls, events = pattern["$or"]
    received = {name: copy.deepcopy(SHIPPED["Resources"][name]["Properties"]["EventPattern"]) for name in ("KeyCalls", "AliasCalls", "KeyEvents")}
    for side in (calls, received["KeyCalls"]):
        side["detail"].pop("resources")
    # The consumer has a rule of its own for aliases, which matches every key.
    calls["detail"]["$or"].remove({"eventName": received["AliasCalls"]["detail"]["eventName"]})
    assert calls | {"source": pattern["source"]} == received["KeyCalls"]
    assert (pattern["source"], events["detail-type"]) == (received["KeyEvents"]["source"], received["KeyEvents"]["detail-type"])


def test_an_account_can_join_and_leave(forwarding: Stack) -> None:
    assert forwarding.update(ConsumerAccounts=",".join([*CONSUMERS[1:], "888888888888"])) == "UPDATE_COMPLETE", forwarding.failures()
    names = [rule["Name"] for rule in forwarding.aws.client("events", OWNER).list_rules()["Rules"]]
    assert len(names) == len(CONSUMERS)
    assert not any(name.endswith(CONSUMERS[0]) for name in names)
    assert any(name.endswith("888888888888") for name in names)
    assert forwarding.update(ConsumerAccounts=",".join(CONSUMERS)) == "UPDATE_COMPLETE", forwarding.failures()
