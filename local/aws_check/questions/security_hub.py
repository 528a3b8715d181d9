"""The findings of Security Hub in OCSF, which events of detail type `Findings Imported V2` carry. Nothing is made."""

from typing import Any

from botocore.exceptions import ClientError

from local.aws_check.account import Account, error_code
from local.aws_check.answer import Answer, NotSettledError, Question, as_assumed, different
from local.aws_check.questions.events import value

# What src/event/security_hub/ocsf.rs reads of every finding.
POINTERS = ("/finding_info/title", "/finding_info/uid", "/cloud/account/uid", "/cloud/region", "/status")


def finding(account: Account) -> Answer:
    hub = account.client("securityhub")
    try:
        findings = hub.get_findings_v2(MaxResults=20)["Findings"]
    except ClientError as error:
        raise NotSettledError(f"Security Hub does not answer GetFindingsV2 ({error_code(error)}); it has to be on in this account and Region") from error
    return shape(findings)


def shape(findings: list[dict[str, Any]]) -> Answer:
    """The answer, from findings of GetFindingsV2."""
    if not findings:
        raise NotSettledError("Security Hub has no finding yet")
    wrong = {pointer for one in findings for pointer in POINTERS if not isinstance(value(one, pointer), str)}
    if not all(isinstance(one.get("uid"), str) for found in findings for one in found.get("resources") or []):
        wrong.add("/resources/…/uid")
    compliance = [one for one in findings if one.get("class_uid") == 2003]
    words = {str(value(one, "/compliance/status")) for one in compliance}
    known = {"pass", "passed", "fail", "failed", "warning", "unknown", "other"}
    strange = {word for word in words if word.lower() not in known}
    if strange:
        wrong.add(f"/compliance/status in known words ({', '.join(sorted(strange))})")
    if wrong:
        return different(f"a finding has no {', '.join(sorted(wrong))}")
    return as_assumed(f"{len(findings)} findings are as events/security-hub-imported-v2.json has them; the event around them is not tried")


QUESTIONS = (
    Question(
        "security-hub-finding", "findings of Security Hub in OCSF are as events/security-hub-imported-v2.json has them", finding,
        ("securityhub:GetFindingsV2",),
    ),
)
