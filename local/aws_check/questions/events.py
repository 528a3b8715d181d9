"""What EventBridge accepts, and the real events beside the samples in events/."""

import json
from typing import Any

from botocore.exceptions import ClientError

from local.aws_check.account import Account, error_code
from local.aws_check.answer import Answer, NotSettledError, Question, as_assumed, different
from local.aws_check.cleanup import unless_gone
from local.aws_check.questions.documents import ACTIONS as DOCUMENT_ACTIONS
from local.aws_check.questions.documents import Document, content

API_CALL = "AWS API Call via CloudTrail"
# CloudTrail delivers most calls within some minutes.
CALL_SECONDS = 600
PARAMETER_SECONDS = 180
# What src/event reads of each kind of event.
ENVELOPE = ("/source", "/detail-type", "/account", "/region", "/time")
CALL = (*ENVELOPE, "/detail/eventName", "/detail/eventTime", "/detail/userIdentity/arn", "/detail/userAgent")
Event = dict[str, Any]


def value(event: Any, pointer: str) -> Any:
    """The value at a JSON pointer, or ``None``."""
    for name in pointer.split("/")[1:]:
        event = event.get(name) if isinstance(event, dict) else None
    return event


def has(event: Event, wanted: dict[str, str]) -> bool:
    """Whether an event has these texts, each by its JSON pointer. An empty text is one that is absent."""
    return all((value(event, pointer) or "") == text for pointer, text in wanted.items())


def absent(event: Event, pointers: tuple[str, ...]) -> list[str]:
    """The pointers at which an event has no text."""
    return [pointer for pointer in pointers if not isinstance(value(event, pointer), str)]


def patterns(account: Account) -> Answer:
    events, key = account.client("events"), account.arn("kms", "key/1-2")
    either = [
        {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [{"exists": False}]}}}},
        {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [{"anything-but": "arn:aws:iam::1:role/x"}]}}}},
    ]
    pattern = {
        "source": ["aws.kms"],
        "detail": {"$or": either, "requestParameters": {"$or": [{"name": ["x"]}, {"keyId": [{"prefix": "1"}]}]}, "resources": {"ARN": [key, ""]}},
    }
    event = {
        "id": "1", "source": "aws.kms", "detail-type": API_CALL, "account": account.number, "time": "2026-03-02T10:47:52Z", "region": account.region,
        "resources": [], "detail": {"userIdentity": {"type": "Root"}, "requestParameters": {"keyId": "1-2"}, "resources": [{"ARN": key}]},
    }
    name = f"{account.id}-pattern"
    account.cleanup.add(f"rule {name}", unless_gone(events.delete_rule, Name=name), account.command(f"events delete-rule --name {name}"))
    try:
        matches = bool(events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))["Result"])
        events.put_rule(Name=name, EventPattern=json.dumps(pattern), State="DISABLED")
    except ClientError as error:
        if error_code(error) == "InvalidEventPatternException":
            return different("EventBridge refuses a pattern with an empty text or with $or at two levels")
        raise
    return pattern_matches(matches)


def pattern_matches(matches: bool) -> Answer:
    if not matches:
        return different("a pattern with an empty text beside an ARN, and with $or, does not match an event with that ARN")
    return as_assumed("EventBridge takes an empty text beside an ARN, and $or at two levels, and matches by them")


class EventQueue:
    """The events that came into the queue of the stack. Each message is read once."""

    def __init__(self, account: Account) -> None:
        self.account, self.sqs, self.queue = account, account.client("sqs"), account.output("QueueUrl")
        self.events: list[Event] = []

    def find(self, seconds: float, wanted: dict[str, str]) -> Event | None:
        """The first event that has these texts, each by its JSON pointer."""
        def look() -> Event | None:
            messages = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=3600)
            self.events += [json.loads(message["Body"]) for message in messages.get("Messages", [])]
            for event in self.events:
                if has(event, wanted):
                    return event
            return None

        return self.account.wait_for(look, seconds, pause=0)


def event_queue(account: Account) -> EventQueue:
    return account.once("event queue", lambda: EventQueue(account))


def parameter(account: Account) -> Answer:
    queue, ssm, name = event_queue(account), account.client("ssm"), f"/{account.id}/event"
    account.cleanup.add(
        f"parameter {name}", unless_gone(ssm.delete_parameter, Name=name), account.command(f"ssm delete-parameter --name {name}")
    )
    ssm.put_parameter(Name=name, Value="1", Type="String")
    ssm.put_parameter(Name=name, Value="2", Type="String", Overwrite=True)
    ssm.delete_parameter(Name=name)
    found = {operation: queue.find(PARAMETER_SECONDS, {"/detail/name": name, "/detail/operation": operation}) for operation in ("Create", "Update", "Delete")}
    return parameter_events(found)


def parameter_events(found: dict[str, Event | None]) -> Answer:
    """The answer, from the events that came, by operation."""
    lacking = [operation for operation, event in found.items() if event is None]
    if len(lacking) == len(found):
        raise NotSettledError("no Parameter Store Change event came; they are best effort, so try again")
    wrong = {pointer for event in found.values() if event for pointer in absent(event, (*ENVELOPE, "/detail/name", "/detail/operation"))}
    if wrong:
        return different(f"a Parameter Store Change event has no {', '.join(sorted(wrong))}")
    late = f"; none came for {' and '.join(lacking)}" if lacking else ""
    return as_assumed(f"Parameter Store Change events are as the sample has them{late}")


def _calls(account: Account) -> tuple[Document, str]:
    """Make the calls whose records the questions wait for, once for all of them: the document, and a call's error."""

    def make() -> tuple[Document, str]:
        kms, key, code = account.client("kms"), account.output("KeyArn"), ""
        document = Document(account, json.dumps(content(20)))
        by_role = account.as_role("Asker", "ssm")
        by_role.update_document(Name=document.name, Content=json.dumps(content(30)), DocumentFormat="JSON", DocumentVersion="1")
        try:
            by_role.update_document(Name=document.name, Content="no content", DocumentFormat="JSON", DocumentVersion="$LATEST")
        except ClientError as error:
            code = error_code(error)
        kms.tag_resource(KeyId=key, Tags=[{"TagKey": "session-kms-aws-check", "TagValue": account.id}])
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        return document, code

    return account.once("calls", make)


def _call_record(account: Account, wanted: dict[str, str]) -> Event:
    """The record of a call. If none at all came for an earlier question, it does not wait as long again."""
    queue, waited = event_queue(account), account.once("waited for calls", lambda: [False])
    event = queue.find(30 if waited[0] else CALL_SECONDS, wanted)
    waited[0] = True
    if event is None:
        raise NotSettledError("no record came; this needs a CloudTrail trail that logs write management events, of KMS too")
    return event


def document_call(account: Account) -> Answer:
    document, _ = _calls(account)
    event = _call_record(account, {"/detail/requestParameters/name": document.name, "/detail/errorCode": ""})
    return document_record(event, account.output("Asker"))


def document_record(event: Event, role: str) -> Answer:
    """The answer, from the record of UpdateDocument by a role."""
    issuer = "/detail/userIdentity/sessionContext/sessionIssuer/arn"
    wrong = absent(event, (*CALL, "/detail/requestParameters/name", issuer))
    if wrong:
        return different(f"the record of UpdateDocument has no {', '.join(wrong)}")
    if value(event, issuer) != role:
        return different("the session issuer in the record is not the ARN of the role, so the rule would not leave out the function's own calls")
    return as_assumed("the record of UpdateDocument is as the sample has it, with the document's name and the role that issued the session")


def failed_call(account: Account) -> Answer:
    document, code = _calls(account)
    event = _call_record(account, {"/detail/requestParameters/name": document.name, "/detail/errorCode": code})
    return as_assumed(f"the record of a failed call has errorCode, here {value(event, '/detail/errorCode')}")


def key_call(account: Account) -> Answer:
    found = {name: _call_record(account, {"/source": "aws.kms", "/detail/eventName": name}) for name in ("TagResource", "PutKeyPolicy")}
    return key_records(found["TagResource"], found["PutKeyPolicy"], account.output("KeyArn"))


def key_records(tag: Event, policy: Event, key: str) -> Answer:
    """The answer, from the records of TagResource and PutKeyPolicy on a key."""
    wrong = [f"{name}: {pointer}" for name, event in (("TagResource", tag), ("PutKeyPolicy", policy)) for pointer in absent(event, CALL)]
    for name, event in (("TagResource", tag), ("PutKeyPolicy", policy)):
        arns = [one.get("ARN") for one in value(event, "/detail/resources") or [] if isinstance(one, dict)]
        if key not in arns:
            wrong.append(f"{name}: /detail/resources/…/ARN")
    if not isinstance(value(policy, "/detail/requestParameters/policy"), str):
        wrong.append("PutKeyPolicy: /detail/requestParameters/policy")
    if wrong:
        return different(f"records of KMS lack {', '.join(wrong)}")
    return as_assumed("the records of TagResource and PutKeyPolicy name the key by its ARN, and PutKeyPolicy has the policy as text")


CALL_ACTIONS = (*DOCUMENT_ACTIONS, "kms:TagResource", "kms:GetKeyPolicy", "kms:PutKeyPolicy", "sqs:ReceiveMessage")
QUESTIONS = (
    Question(
        "event-patterns", "a rule's pattern may have an empty text beside ARNs, and `$or` at two levels", patterns,
        ("events:TestEventPattern", "events:PutRule", "events:DeleteRule"),
    ),
    Question(
        "parameter-event", "Parameter Store Change events are as events/record-change.json has them", parameter,
        ("ssm:PutParameter", "ssm:DeleteParameter", "sqs:ReceiveMessage"), needs_stack=True, seconds=3 * PARAMETER_SECONDS + 60,
    ),
    Question(
        "document-call-event", "records of CloudTrail are as events/document-update-call.json has them", document_call, CALL_ACTIONS, needs_stack=True,
        seconds=CALL_SECONDS + 120,
    ),
    Question("failed-call-event", "the record of a failed call has errorCode", failed_call, CALL_ACTIONS, needs_stack=True, seconds=300),
    Question(
        "key-call-event", "records of KMS name the key by its ARN in `resources`, and PutKeyPolicy has the policy as text", key_call, CALL_ACTIONS,
        needs_stack=True, seconds=CALL_SECONDS + 120,
    ),
)
