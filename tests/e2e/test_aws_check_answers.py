"""The answers of ``make aws-check`` to what AWS may return, in each shape that the project is built for or fears."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.aws_check import runner
from local.aws_check.answer import Answer, NotSettledError, Verdict, as_assumed, different, not_settled
from local.aws_check.options import BadOptionError, read
from local.aws_check.permissions import WOULD_SUCCEED
from local.aws_check.questions import (
    QUESTIONS,
    cloudformation,
    delays,
    documents,
    events,
    fleet,
    grants,
    keys,
    parameters,
    policies,
    security_hub,
    sessions,
    simulator,
)
from local.paths import EVENTS

SAME, OTHER, OPEN = Verdict.AS_ASSUMED, Verdict.DIFFERENT, Verdict.NOT_SETTLED
DENIED = "AccessDeniedException"
ROLE = "arn:aws:iam::123456789012:role/Default"


def answer(ask: Callable[[], Answer]) -> Answer:
    """The answer, as the runner would print it."""
    try:
        return ask()
    except NotSettledError as error:
        return not_settled(str(error))


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def without(event: Any, pointer: str) -> Any:
    """A copy of an event without one member."""
    copy = json.loads(json.dumps(event))
    *path, last = pointer.split("/")[1:]
    holder = copy
    for name in path:
        holder = holder[name]
    del holder[last]
    return copy


def document_record(pointer: str = "") -> Answer:
    event = sample("document-update-call")
    event["detail"]["userIdentity"].update(arn="arn:aws:sts::123456789012:assumed-role/Asker/x", sessionContext={"sessionIssuer": {"arn": ROLE}})
    return events.document_record(without(event, pointer) if pointer else event, ROLE)


def key_records(pointer: str = "", key: str = "") -> Answer:
    tag, policy = sample("key-tag-resource-call"), sample("key-put-policy-call")
    key = key or tag["detail"]["resources"][0]["ARN"]
    for event in (tag, policy):
        event["detail"]["userIdentity"].setdefault("arn", ROLE)
        event["detail"].setdefault("userAgent", "aws-cli")
        event["detail"]["resources"] = [{"ARN": tag["detail"]["resources"][0]["ARN"]}]
    return events.key_records(tag, without(policy, pointer) if pointer else policy, key)


def session(owner: str, access_type: str = "JustInTime") -> dict[str, str]:
    return {"SessionId": "s", "Owner": owner, "AccessType": access_type}


def simulated(decision: str, details: dict[str, str] | None = None, specific: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    result: dict[str, Any] = {"EvalActionName": "kms:GenerateDataKey", "EvalDecision": decision, **more}
    if details is not None:
        result["EvalDecisionDetails"] = details
    if specific is not None:
        result["ResourceSpecificResults"] = [{"EvalResourceName": "k", "EvalResourceDecision": decision, "EvalDecisionDetails": specific}]
    return result


def boundary(allows: bool) -> dict[str, Any]:
    return {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": allows}}


def organization(allows: bool | None) -> dict[str, Any]:
    return simulated("allowed") if allows is None else simulated("allowed", OrganizationsDecisionDetail={"AllowedByOrganizations": allows})


def finding(**changes: Any) -> dict[str, Any]:
    one: dict[str, Any] = sample("security-hub-imported-v2")["detail"]["findings"][0]
    return one | changes


ANY = {"earlier": True, "same": True, "spaced": False, "reordered": False, "marked": False, "yaml_earlier": True}
TAG: dict[str, Any] = {"MissingContextValues": ["AWS:principalTag/session-kms-aws-check"]}
PARAMETER = {operation: sample("record-change") for operation in ("Create", "Update", "Delete")}
CASES: list[tuple[Callable[[], Answer], Verdict, str]] = [
    (lambda: documents.duplicates(**ANY), SAME, "the content of any earlier version, compared by bytes;"),
    (lambda: documents.duplicates(**ANY | {"spaced": True}), SAME, "by meaning or without white space"),
    (lambda: documents.duplicates(**ANY | {"spaced": True, "reordered": True}), SAME, "compared by meaning;"),
    (lambda: documents.duplicates(**ANY | {"earlier": False, "yaml_earlier": False}), SAME, "the content of the latest version alone"),
    (lambda: documents.duplicates(**ANY | {"yaml_earlier": False}), SAME, "YAML of an earlier version is accepted"),
    (lambda: documents.duplicates(**dict.fromkeys(ANY, False)), SAME, "no duplicate at all;"),
    (lambda: documents.duplicates(**ANY | {"marked": True}), OTHER, "nothing makes a content unique"),
    (lambda: documents.lock("InvalidDocumentVersion"), SAME, "fails with InvalidDocumentVersion"),
    (lambda: documents.lock(""), OTHER, "succeeds"),
    (lambda: documents.lock("ConflictException"), OTHER, "fails with ConflictException"),
    (lambda: sessions.read("Starting session\r\nsession-kms-version-1\r\n"), SAME, "the default version"),
    (lambda: sessions.read("session-kms-version-2"), SAME, "the latest version"),
    (lambda: sessions.read("session-kms-version-1 session-kms-version-2"), OTHER, "both"),
    (lambda: sessions.read("Cannot perform start session: EOF"), OPEN, "neither text"),
    (lambda: fleet.host_role("service-role/Host", [{"InstanceId": "i-1"}, {"InstanceId": "i-2", "IamRole": ""}]), SAME, "is empty"),
    (lambda: fleet.host_role("service-role/Host", [{"InstanceId": "i-1", "IamRole": "service-role/Host"}]), SAME, "names the role"),
    (lambda: fleet.host_role("Host", [{"InstanceId": "i-1", "IamRole": "Other"}]), OTHER, "is Other"),
    (lambda: fleet.host_role("Host", []), OPEN, "no managed EC2 node"),
    (lambda: fleet.owner([session("arn:aws:sts::1:assumed-role/SSM-JustInTimeAccessTokenRole/ann")]), SAME, "a session of SSM-JustInTime"),
    (lambda: fleet.owner([session("arn:aws:iam::1:user/ann")]), SAME, "the person who asked (user)"),
    (lambda: fleet.owner([session("arn:aws:iam::1:user/ann", "Standard")]), OPEN, "none of the 1 sessions"),
    (lambda: parameters.version_arn(True, False), SAME, "the ARN of the parameter"),
    (lambda: parameters.version_arn(False, True), SAME, "the ARN with the version"),
    (lambda: parameters.version_arn(True, True), SAME, "either ARN"),
    (lambda: parameters.version_arn(False, False), OTHER, "neither"),
    (lambda: parameters.path_arn(True, False), SAME, "without a slash"),
    (lambda: parameters.path_arn(False, True), SAME, "with a slash"),
    (lambda: parameters.path_arn(True, True), SAME, "either ARN"),
    (lambda: parameters.path_arn(False, False), OTHER, "neither"),
    (lambda: parameters.version_numbers([2, 3], (1, "x"), "ParameterVersionNotFound"), SAME, "also with the same value"),
    (lambda: parameters.version_numbers([1, 2], (1, "x"), "ParameterVersionNotFound"), OTHER, "[1, 2]"),
    (lambda: parameters.version_numbers([2, 3], (3, "y"), "ParameterVersionNotFound"), OTHER, "does not come back"),
    (lambda: parameters.version_numbers([2, 3], (1, "x"), ""), OTHER, "no error"),
    (lambda: keys.dry_run_codes(WOULD_SUCCEED, WOULD_SUCCEED, DENIED, DENIED), SAME, "also without a ciphertext"),
    (lambda: keys.dry_run_codes(WOULD_SUCCEED, "InvalidCiphertextException", DENIED, DENIED), OTHER, "Decrypt without a ciphertext of an allowed caller"),
    (lambda: keys.dry_run_codes("", WOULD_SUCCEED, DENIED, DENIED), OTHER, "no error"),
    (lambda: keys.dry_run_codes(WOULD_SUCCEED, WOULD_SUCCEED, "NotFoundException", DENIED), OTHER, "of a refused caller ends in NotFoundException"),
    (lambda: keys.dry_run_codes(WOULD_SUCCEED, WOULD_SUCCEED, WOULD_SUCCEED, WOULD_SUCCEED), OPEN, "permissions do not count"),
    (lambda: keys.state_codes("DisabledException", DENIED), SAME, "permissions are checked before"),
    (lambda: keys.state_codes("DisabledException", "DisabledException"), SAME, "permissions are checked after"),
    (lambda: keys.state_codes(WOULD_SUCCEED, DENIED), SAME, "does not look at the key's state"),
    (lambda: keys.state_codes("KMSInternalException", DENIED), OTHER, "KMSInternalException"),
    (lambda: keys.alias_permissions(True, False), SAME, "is not enough"),
    (lambda: keys.alias_permissions(True, True), SAME, "is enough too"),
    (lambda: keys.alias_permissions(False, True), OTHER, "does not allow"),
    (lambda: keys.counted_white_space("", 40_000, 40_000), SAME, "of 40000 bytes it keeps 40000"),
    (lambda: keys.counted_white_space("LimitExceededException", 40_000, 2_000), OTHER, "ends in LimitExceededException"),
    (lambda: keys.across_accounts({"DescribeKey": "", "ListGrants": "", "GetKeyPolicy": DENIED}), SAME, "DescribeKey and ListGrants work"),
    (lambda: keys.across_accounts({"DescribeKey": "", "GetKeyPolicy": ""}), OTHER, "GetKeyPolicy work"),
    (lambda: keys.across_accounts({"DescribeKey": DENIED, "GetKeyPolicy": DENIED}), OPEN, "admit this account"),
    (lambda: grants.limiting(True, False), SAME, "session limits a grant to its role, and a permissions boundary does not limit it"),
    (lambda: grants.covered(True, False), SAME, "admits roles whose own policies"),
    (lambda: grants.covered(False, False), SAME, "admits no role"),
    (lambda: grants.covered(True, True), OTHER, "every role"),
    (lambda: policies.plain(True, False), SAME, "StringEquals matches and plain StringNotEquals does not match"),
    (lambda: policies.not_principals(False, True), SAME, "Allow with NotPrincipal does not admit who is not listed"),
    (lambda: delays.delay(4, 35, "a permission"), SAME, "after 4 s this time"),
    (lambda: delays.delay(36, 35, "a permission"), OTHER, "longer than 35 s"),
    (lambda: simulator.missing(simulated("implicitDeny", **TAG)), SAME, "at the top level"),
    (lambda: simulator.missing(simulated("implicitDeny", ResourceSpecificResults=[TAG])), SAME, "in the result of the resource"),
    (lambda: simulator.missing(simulated("implicitDeny", ResourceSpecificResults=[{}])), OTHER, "does not list"),
    (lambda: simulator.missing(simulated("allowed", **TAG)), OTHER, "is allowed"),
    (lambda: simulator.limited(simulated("implicitDeny", **boundary(False))), SAME, "at the top level"),
    (lambda: simulator.limited(simulated("allowed", ResourceSpecificResults=[boundary(False)])), SAME, "in the result of the resource"),
    (lambda: simulator.limited(simulated("implicitDeny", **boundary(True))), SAME, "nothing says"),
    (lambda: simulator.limited(simulated("allowed", **boundary(True))), OTHER, "says nothing of the boundary"),
    (lambda: simulator.of_organization(organization(False), organization(True)), SAME, "unless the simulator is told the Region"),
    (lambda: simulator.of_organization(organization(True), organization(True)), SAME, "no service control policy asks for the Region"),
    (lambda: simulator.of_organization(organization(False), organization(False)), SAME, "also if the simulator is told"),
    (lambda: simulator.of_organization(organization(None), organization(None)), OPEN, "no service control policy applies"),
    (lambda: simulator.of_organization(organization(None), organization(True)), OTHER, "one answer and not of the other"),
    (lambda: simulator.across_accounts(simulated("implicitDeny", {"IAM Policy": "allowed", "Resource Policy": "implicitDeny"})), SAME, "`IAM Policy`"),
    (lambda: simulator.across_accounts(simulated("implicitDeny", specific={"identity-policy": "allowed"})), SAME, "`identity-policy`"),
    (lambda: simulator.across_accounts(simulated("implicitDeny", {"IAM Policy": "implicitDeny"})), OTHER, "although the identity policies allow"),
    (lambda: simulator.across_accounts(simulated("implicitDeny", {"Permissions Boundary Role": "allowed"})), SAME, "is unknown"),
    (lambda: simulator.across_accounts(simulated("implicitDeny")), SAME, "EvalDecisionDetails is empty"),
    (lambda: simulator.across_accounts(simulated("allowed")), SAME, "by the identity policies alone"),
    (lambda: events.pattern_matches(True), SAME, "matches by them"),
    (lambda: events.pattern_matches(False), OTHER, "does not match"),
    (lambda: events.parameter_events(PARAMETER), SAME, "as the sample has them"),
    (lambda: events.parameter_events(PARAMETER | {"Update": None}), SAME, "none came for Update"),
    (lambda: events.parameter_events(dict.fromkeys(PARAMETER)), OPEN, "best effort"),
    (lambda: events.parameter_events(PARAMETER | {"Delete": without(sample("record-change"), "/detail/name")}), OTHER, "/detail/name"),
    (document_record, SAME, "the role that issued the session"),
    (lambda: document_record("/detail/requestParameters/name"), OTHER, "has no /detail/requestParameters/name"),
    (lambda: document_record("/detail/userIdentity/sessionContext/sessionIssuer/arn"), OTHER, "sessionIssuer"),
    (key_records, SAME, "PutKeyPolicy has the policy as text"),
    (lambda: key_records("/detail/requestParameters/policy"), OTHER, "PutKeyPolicy: /detail/requestParameters/policy"),
    (lambda: key_records(key="arn:aws:kms:eu-west-1:123456789012:key/other"), OTHER, "/detail/resources/…/ARN"),
    (lambda: security_hub.shape([finding()]), SAME, "1 findings are as"),
    (lambda: security_hub.shape([finding(compliance={"status": "Warning"})]), SAME, "1 findings"),
    (lambda: security_hub.shape([finding(compliance={"status": "Strange"})]), OTHER, "Strange"),
    (lambda: security_hub.shape([finding(finding_info={"uid": "u"})]), OTHER, "/finding_info/title"),
    (lambda: security_hub.shape([finding(resources=[{"name": "x"}])]), OTHER, "/resources/…/uid"),
    (lambda: security_hub.shape([]), OPEN, "no finding yet"),
    (lambda: cloudformation.list_pattern(False, True), SAME, "for each element"),
    (lambda: cloudformation.list_pattern(False, False), OTHER, "for the whole text"),
    (lambda: cloudformation.list_pattern(True, True), OTHER, "is ignored"),
    (lambda: cloudformation.export_update("UPDATE_ROLLBACK_COMPLETE"), SAME, "refuses to change"),
    (lambda: cloudformation.export_update("UPDATE_COMPLETE"), OTHER, "can change"),
    (lambda: cloudformation.after_rollback("Enabled"), SAME, "stays"),
    (lambda: cloudformation.after_rollback("PendingDeletion"), OTHER, "PendingDeletion"),
    (lambda: cloudformation.tags_after_rollback(["aws:cloudformation:stack-name"]), SAME, "keeps the tag"),
    (lambda: cloudformation.tags_after_rollback(["team"]), OTHER, "by its description"),
    (lambda: cloudformation.alias_status("CREATE_COMPLETE"), SAME, "may point to $LATEST"),
    (lambda: cloudformation.alias_status("Alias: $LATEST is not supported"), OTHER, "cannot be made"),
    (lambda: cloudformation.alias_status("Role: you may not"), OPEN, "you may not"),
    (lambda: cloudformation.token_update("UPDATE_ROLLBACK_COMPLETE", "Resource: Modifying service token is not allowed."), SAME, "Modifying"),
    (lambda: cloudformation.token_update("UPDATE_COMPLETE", "UPDATE_COMPLETE"), OTHER, "can change"),
]


@pytest.mark.parametrize(("ask", "verdict", "words"), CASES, ids=[f"{number}: {words}" for number, (_, _, words) in enumerate(CASES)])
def test_an_answer(ask: Callable[[], Answer], verdict: Verdict, words: str) -> None:
    found = answer(ask)
    assert found.verdict == verdict, found
    assert words in found.text


def test_the_plugin_gets_a_terminal_and_no_more_than_its_time() -> None:
    assert sessions.run(["/bin/sh", "-c", "test -t 0 && echo session-kms-version-2"], 30).strip() == "session-kms-version-2"
    assert "begun" in sessions.run(["/bin/sh", "-c", "echo begun; sleep 60"], 1.5)


def test_an_answer_is_one_line() -> None:
    assert str(different("a\n  b")) == "DIFFERENT from what is assumed: a b"
    assert str(as_assumed("x")) == "as assumed: x"


@pytest.mark.parametrize(
    ("verdicts", "is_clean", "code"),
    [([SAME, SAME], True, 0), ([SAME, OPEN], True, 3), ([OPEN, OTHER], True, 1), ([SAME], False, 3), ([OTHER], False, 1), ([], True, 0)],
)
def test_the_exit_code(verdicts: list[Verdict], is_clean: bool, code: int) -> None:
    assert runner.exit_code(verdicts, is_clean) == code


def test_options_come_from_the_environment_and_wrong_ones_are_refused() -> None:
    chosen = read({"QUESTIONS": " stored-text ,document-lock", "LIMIT": "60", "YES": "1", "TARGET": "i-1", "REGION": "eu-west-1"}, QUESTIONS)
    assert [question.name for question in chosen.questions] == ["document-lock", "stored-text"]
    assert (chosen.limit, chosen.is_confirmed, chosen.target, chosen.region) == (60, True, "i-1", "eu-west-1")
    everything = read({"QUESTIONS": "", "LIMIT": "", "YES": "0"}, QUESTIONS)
    assert (everything.questions, everything.limit, everything.is_confirmed) == (QUESTIONS, None, False)
    for wrong in ({"LIMIT": "0"}, {"LIMIT": "-1"}, {"LIMIT": "²"}, {"QUESTIONS": "stored"}, {"OTHER_ACCOUNT_KEY_ARN": "1234"}):
        with pytest.raises(BadOptionError):
            read(wrong, QUESTIONS)


def test_questions_have_names_of_their_own() -> None:
    assert len({question.name for question in QUESTIONS}) == len(QUESTIONS)
