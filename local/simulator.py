"""IAM's policy simulator, for the identity policies that ministack stores.

It evaluates one action on one resource, as the product asks it to, and knows only the condition keys of the request.
A condition key that the request lacks is reported as missing if a statement on this action and this resource uses it.
AWS does not say whether it reports those of other statements as well. A permissions boundary limits the identity
policies, and its condition keys are reported too.

ministack has no service control policies, so the managed policies whose path is ``ORGANIZATION_PATH`` stand for those of
the account. Each has to allow the call, and a condition key that only they use is never reported as missing. If they
refuse a call, the API reference says, the simulation ends, and there are no details.

Across accounts, the API reference says, a call is allowed only if both sides allow it, and the other side is not
simulated. So the decision is never "allowed" then, and EvalDecisionDetails holds the decision of the principal's own
policies. AWS does not publish the name that they have there.
"""

import re
from typing import Any
from xml.sax.saxutils import escape

from local.policy_evaluator import Context, Decision, Policy, Request, decide, missing_keys

ORGANIZATION_PATH = "/service-control-policies/"


def answer(iam: Any, form: dict[str, str]) -> bytes:
    """The answer to SimulatePrincipalPolicy. ``iam`` is a client with the rights of the account's root user."""
    principal = form["PolicySourceArn"]
    policies, boundary = identity_policies(iam, principal), permissions_boundary(iam, principal)
    request = Request(form["ActionNames.member.1"], form.get("ResourceArns.member.1", "*"), _context(form))
    is_across_accounts = request.resource.split(":")[4:5] not in ([], [""], form["PolicySourceArn"].split(":")[4:5])
    of_organization = [decide([policy], request) for policy in organization_policies(iam)]
    refused = next((decision for decision in of_organization if decision.result != "allowed"), None)
    if refused:
        return _rendered(request, Decision(refused.result), [], False, allowed_by_organization=False).encode()
    decision, missing = decide(policies, request), missing_keys([*policies, *boundary], request)
    allowed_by_boundary = None
    if boundary:
        limit = decide(boundary, request)
        allowed_by_boundary = limit.result == "allowed"
        if limit.result == "explicitDeny" or (not allowed_by_boundary and decision.result == "allowed"):
            decision = limit
    allowed_by_organization = True if of_organization else None
    return _rendered(request, decision, missing, is_across_accounts, allowed_by_organization, allowed_by_boundary).encode()


def organization_policies(iam: Any) -> list[Policy]:
    """The policies that stand for the account's service control policies."""
    policies = iam.list_policies(Scope="Local", PathPrefix=ORGANIZATION_PATH)["Policies"]
    # ministack does not filter by the path.
    return [_managed(iam, policy["Arn"], policy["PolicyName"]) for policy in policies if policy["Path"] == ORGANIZATION_PATH]


def identity_policies(iam: Any, principal: str) -> list[Policy]:
    """The policies of a role or user, and of the user's groups. The list is empty if there is no such principal."""
    kind, *_, name = principal.split(":")[5].split("/")
    try:
        policies = _policies_of(iam, kind, name)
        groups = iam.list_groups_for_user(UserName=name)["Groups"] if kind == "user" else []
    except iam.exceptions.NoSuchEntityException:
        return []
    return policies + [policy for group in groups for policy in _policies_of(iam, "group", group["GroupName"])]


def permissions_boundary(iam: Any, principal: str) -> list[Policy]:
    """The permissions boundary of a role or user, or an empty list if there is none."""
    boundary = boundary_arn(iam, principal)
    return [_managed(iam, boundary, "boundary")] if boundary else []


def boundary_arn(iam: Any, principal: str) -> str:
    """The ARN of the permissions boundary of a role or user, or an empty text."""
    kind, *_, name = principal.split(":")[5].split("/")
    try:
        entity = getattr(iam, f"get_{kind}")(**{f"{kind.capitalize()}Name": name})[kind.capitalize()]
    except iam.exceptions.NoSuchEntityException:
        return ""
    return str(entity.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""))


def with_boundaries(iam: Any, listing: bytes) -> bytes:
    """ministack's answer to GetAccountAuthorizationDetails, with the permissions boundaries, which it leaves out."""

    def completed(found: re.Match[bytes]) -> bytes:
        boundary = boundary_arn(iam, found[1].decode())
        if not boundary:
            return found[0]
        arn = f"<PermissionsBoundaryArn>{boundary}</PermissionsBoundaryArn>"
        kind = "<PermissionsBoundaryType>Policy</PermissionsBoundaryType>"
        return found[0] + f"<PermissionsBoundary>{kind}{arn}</PermissionsBoundary>".encode()

    # The names come before the ARNs, and those of the roles in instance profiles too: there a boundary does no harm.
    return re.sub(rb"<Arn>(arn:aws:iam::\d{12}:(?:role|user)/[^<]*)</Arn>", completed, listing)


def _policies_of(iam: Any, kind: str, name: str) -> list[Policy]:
    whose = {f"{kind.capitalize()}Name": name}
    policies = [
        Policy(f"{kind}_{name}_{inline}", getattr(iam, f"get_{kind}_policy")(PolicyName=inline, **whose)["PolicyDocument"])
        for inline in getattr(iam, f"list_{kind}_policies")(**whose)["PolicyNames"]
    ]
    for attached in getattr(iam, f"list_attached_{kind}_policies")(**whose)["AttachedPolicies"]:
        policies.append(_managed(iam, attached["PolicyArn"], attached["PolicyName"]))
    return policies


def _managed(iam: Any, arn: str, name: str) -> Policy:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return Policy(name, iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _context(form: dict[str, str]) -> Context:
    """The condition keys that the request gives."""
    context: Context = {}
    number = 1
    while f"ContextEntries.member.{number}.ContextKeyName" in form:
        entry = f"ContextEntries.member.{number}"
        values = [value for name, value in form.items() if name.startswith(f"{entry}.ContextKeyValues.member.")]
        context[form[f"{entry}.ContextKeyName"].lower()] = values
        number += 1
    return context


def _rendered(
    request: Request,
    own: Decision,
    missing: list[str],
    is_across_accounts: bool,
    allowed_by_organization: bool | None = None,
    allowed_by_boundary: bool | None = None,
) -> str:
    def members(items: list[str]) -> str:
        return "".join(f"<member>{item}</member>" for item in items)

    resource = f"<EvalResourceName>{escape(request.resource)}</EvalResourceName>"
    matched = f"<MatchedStatements>{members([f'<SourcePolicyId>{escape(policy)}</SourcePolicyId>' for policy in own.by])}</MatchedStatements>"
    decision = "implicitDeny" if is_across_accounts and own.result == "allowed" else own.result
    details = f"<entry><key>IAM Policy</key><value>{own.result}</value></entry>" if is_across_accounts else ""
    details = "" if allowed_by_organization is False else f"<EvalDecisionDetails>{details}</EvalDecisionDetails>"
    organization = ""
    if allowed_by_organization is not None:
        allowed = str(allowed_by_organization).lower()
        organization = f"<OrganizationsDecisionDetail><AllowedByOrganizations>{allowed}</AllowedByOrganizations></OrganizationsDecisionDetail>"
    boundary = ""
    if allowed_by_boundary is not None:
        allowed = str(allowed_by_boundary).lower()
        detail = f"<AllowedByPermissionsBoundary>{allowed}</AllowedByPermissionsBoundary>"
        boundary = f"<PermissionsBoundaryDecisionDetail>{detail}</PermissionsBoundaryDecisionDetail>"
    # If the request names a resource, the API reference says, missing condition keys are part of its result.
    absent = f"<MissingContextValues>{members([escape(key) for key in missing])}</MissingContextValues>"
    specific = members([f"{resource}<EvalResourceDecision>{decision}</EvalResourceDecision>{matched}{absent}{details}"])
    result = (
        f"<EvalActionName>{escape(request.action)}</EvalActionName>{resource}<EvalDecision>{decision}</EvalDecision>"
        f"{matched}<MissingContextValues/>{organization}{boundary}{details}<ResourceSpecificResults>{specific}</ResourceSpecificResults>"
    )
    return (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult>'
        f"<EvaluationResults>{members([result])}</EvaluationResults><IsTruncated>false</IsTruncated>"
        "</SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
    )
