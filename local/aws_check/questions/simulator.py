"""The shape of the answers of IAM's simulator."""

from typing import Any

from local.aws_check.account import Account
from local.aws_check.answer import Answer, NotSettledError, Question, as_assumed, different

GENERATE = "kms:GenerateDataKey"
# The words by which src/aws/identities/simulation.rs knows the entry of identity policies in EvalDecisionDetails.
OTHERS = ("resource", "boundary", "boundaries", "organization", "control", "scp", "session")
IDENTITY = ("iam", "identity", "user", "group", "role", "managed")
# The policy of the stack's roles on kms:Encrypt asks for it.
TAG = "aws:PrincipalTag/session-kms-aws-check"
ACTIONS = ("iam:SimulatePrincipalPolicy",)


def _simulate(account: Account, role: str, key: str, action: str = GENERATE, **context: str) -> dict[str, Any]:
    """The result for a call of a role."""
    entries = [{"ContextKeyName": name, "ContextKeyType": "string", "ContextKeyValues": [value]} for name, value in context.items()]
    answer = account.client("iam").simulate_principal_policy(
        PolicySourceArn=account.output(role), ActionNames=[action], ResourceArns=[key], ContextEntries=entries,
    )
    results: list[dict[str, Any]] = answer["EvaluationResults"]
    return results[0]


def _specific(result: dict[str, Any]) -> list[dict[str, Any]]:
    return result.get("ResourceSpecificResults") or []


def missing_keys(account: Account) -> Answer:
    return missing(_simulate(account, "Trusted", account.output("KeyArn"), "kms:Encrypt"))


def missing(result: dict[str, Any]) -> Answer:
    """The answer, from the simulation of a call that needs a condition key which the simulator is not told."""
    def names(one: dict[str, Any]) -> bool:
        return TAG.lower() in [name.lower() for name in one.get("MissingContextValues") or []]

    places = ["at the top level"] if names(result) else []
    places += ["in the result of the resource"] if any(names(one) for one in _specific(result)) else []
    if result["EvalDecision"] == "allowed":
        return different("a call whose condition key is missing is allowed")
    if not places:
        return different("the simulator does not list the missing condition key, so a refusal by it would count as certain")
    return as_assumed(f"the simulator lists a missing condition key {' and '.join(places)}")


def boundary(account: Account) -> Answer:
    return limited(_simulate(account, "Bounded", account.output("KeyArn")))


def limited(result: dict[str, Any]) -> Answer:
    """The answer, from the simulation of a call that a permissions boundary does not allow."""
    def refuses(one: dict[str, Any]) -> bool:
        return (one.get("PermissionsBoundaryDecisionDetail") or {}).get("AllowedByPermissionsBoundary") is False

    places = ["at the top level"] if refuses(result) else []
    places += ["in the result of the resource"] if any(refuses(one) for one in _specific(result)) else []
    decision = result["EvalDecision"]
    if places:
        return as_assumed(f"the decision is {decision}, and the boundary's part in it stands {' and '.join(places)}")
    if decision == "allowed":
        return different("the simulator allows a call that the role's permissions boundary does not allow, and says nothing of the boundary")
    return as_assumed(f"the decision is {decision}, and nothing says that it is the permissions boundary's")


def organization(account: Account) -> Answer:
    key = account.output("KeyArn")
    return of_organization(
        _simulate(account, "Trusted", key), _simulate(account, "Trusted", key, **{"aws:RequestedRegion": account.region})
    )


def of_organization(without: dict[str, Any], with_region: dict[str, Any]) -> Answer:
    """The answer, from simulations of an allowed call without and with aws:RequestedRegion."""
    def allows(result: dict[str, Any]) -> bool | None:
        detail = result.get("OrganizationsDecisionDetail")
        return None if detail is None else bool(detail.get("AllowedByOrganizations"))

    match allows(without), allows(with_region):
        case None, None:
            raise NotSettledError("no service control policy applies to this account, so OrganizationsDecisionDetail is not part of the answer")
        case False, True:
            return as_assumed("service control policies that ask for the Region refuse the call unless the simulator is told the Region")
        case True, True:
            return as_assumed("AllowedByOrganizations is true; no service control policy asks for the Region here")
        case _, False:
            return as_assumed("service control policies refuse the call also if the simulator is told the Region")
    return different("OrganizationsDecisionDetail is part of one answer and not of the other")


def other_account(account: Account) -> Answer:
    key = account.options.other_account_key
    if not key:
        raise NotSettledError("give a key of another account: OTHER_ACCOUNT_KEY_ARN=arn:aws:kms:…")
    return across_accounts(_simulate(account, "Trusted", key))


def across_accounts(result: dict[str, Any]) -> Answer:
    """The answer, from the simulation of a call on another account's key that the identity policies allow."""
    details: dict[str, str] = {}
    for one in (result, *_specific(result)):
        details |= one.get("EvalDecisionDetails") or {}
    own = {name: decision for name, decision in details.items() if is_of_identity(name)}
    decision = result["EvalDecision"]
    if "allowed" in own.values():
        return as_assumed(f"EvalDecision is {decision}, and EvalDecisionDetails has the identity policies' decision as `{next(iter(own))}`")
    if own:
        return different(f"EvalDecisionDetails has `{next(iter(own))}` with {next(iter(own.values()))}, although the identity policies allow the call")
    if decision == "allowed":
        return as_assumed("EvalDecision is allowed, by the identity policies alone, and EvalDecisionDetails does not have them")
    found = f"has {', '.join(f'`{name}`' for name in sorted(details))}" if details else "is empty"
    return as_assumed(f"EvalDecision is {decision} and EvalDecisionDetails {found}, so the identity side across accounts is unknown")


def is_of_identity(name: str) -> bool:
    """Whether the name of a policy type means identity policies to session-kms."""
    name = name.lower()
    return any(word in name for word in IDENTITY) and not any(word in name for word in OTHERS)


QUESTIONS = (
    Question(
        "simulator-missing-keys", "a missing condition key stands at the top level or in the result of the resource", missing_keys, ACTIONS, needs_stack=True,
    ),
    Question(
        "simulator-boundary", "a refusal by the permissions boundary stands at the top level or in the result of the resource, or is an implicitDeny",
        boundary, ACTIONS, needs_stack=True,
    ),
    Question(
        "simulator-organization", "a service control policy that asks for the Region refuses a simulated call unless aws:RequestedRegion is given",
        organization, ACTIONS, needs_stack=True,
    ),
    Question(
        "simulator-other-account", "across accounts EvalDecisionDetails has the identity policies' decision, or the identity side is unknown",
        other_account, ACTIONS, needs_stack=True,
    ),
)
