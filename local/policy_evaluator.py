"""Evaluates policies for the local AWS, with the condition keys that ministack does not know.

It covers as much of IAM as the end-to-end tests need: the Allow and Deny statements of identity policies and of a key
policy, and the condition operators in ``OPERATORS``. It knows no permissions boundaries, no service control policies
and no policy variables. Whatever it does not know raises an error; it never guesses. It shares no code with the
evaluator of the product, which is tested against it.
"""

import fnmatch
import re
from dataclasses import dataclass, field
from typing import Any

ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?")
# The condition keys of a call, in lower case, each with its values.
Context = dict[str, list[str]]


class UnsupportedError(Exception):
    """A policy uses something that this evaluator does not support."""


@dataclass(frozen=True)
class Policy:
    """A policy, and the name under which the simulator reports it."""

    name: str
    document: dict[str, Any]

    def statements(self) -> list[dict[str, Any]]:
        return as_list(self.document.get("Statement", []))


@dataclass(frozen=True)
class Request:
    """A call: its action, its resource and its condition keys."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Caller:
    """The caller. Without a role, it is an unknown principal of the account."""

    account: str
    role: str = ""


@dataclass(frozen=True)
class Decision:
    """The result of policies: ``allowed``, ``implicitDeny`` or ``explicitDeny``."""

    result: str
    # Names of the policies whose statements decided.
    by: tuple[str, ...] = ()


def decide(policies: list[Policy], request: Request) -> Decision:
    """Decide a call by identity policies alone."""
    for effect, result in (("Deny", "explicitDeny"), ("Allow", "allowed")):
        by = [
            policy.name
            for policy in policies
            if any(statement["Effect"] == effect and applies(statement, request) for statement in policy.statements())
        ]
        if by:
            return Decision(result, tuple(by))
    return Decision("implicitDeny")


def key_policy_allows(policy: dict[str, Any], caller: Caller, own: Decision, request: Request) -> bool:
    """Whether a key policy and the decision of the caller's own policies together allow a call."""
    matches: dict[str, set[str]] = {"Allow": set(), "Deny": set()}
    for statement in as_list(policy.get("Statement", [])):
        match = _match_principal(statement.get("Principal"), caller)
        # `Resource: *` in a key policy means the key itself.
        if match and applies(statement, request):
            matches[statement["Effect"]].add(match)
    if matches["Deny"] or own.result == "explicitDeny":
        return False
    # A principal of the key's account that the key policy names needs no policy of its own. A key policy that names
    # an account leaves the decision to the principal's own policies.
    if caller.account == request.resource.split(":")[4] and "caller" in matches["Allow"]:
        return True
    return bool(matches["Allow"]) and own.result == "allowed"


def missing_keys(policies: list[Policy], request: Request) -> list[str]:
    """The condition keys that statements on this call use and that the call lacks, as the policies spell them."""
    found: dict[str, str] = {}
    for policy in policies:
        for statement in policy.statements():
            if _covers(statement, request):
                for keys in statement.get("Condition", {}).values():
                    found |= {key.lower(): key for key in keys}
    return [spelling for key, spelling in found.items() if key not in request.context]


def applies(statement: dict[str, Any], request: Request) -> bool:
    return _covers(statement, request) and all(
        _condition_holds(operator, as_list(values), request.context.get(key.lower()))
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _covers(statement: dict[str, Any], request: Request) -> bool:
    action = _matches(request.action.lower(), [pattern.lower() for pattern in as_list(statement.get("Action", statement.get("NotAction", [])))])
    resource = _matches(request.resource, as_list(statement.get("Resource", statement.get("NotResource", []))))
    return (action != ("NotAction" in statement)) and (resource != ("NotResource" in statement))


def _match_principal(principal: Any, caller: Caller) -> str:
    """How a Principal element matches the caller: ``caller``, ``account``, or an empty text if it does not."""
    listed = as_list(principal.get("AWS", [])) if isinstance(principal, dict) else as_list(principal)
    for name in map(str, listed):
        account = ACCOUNT.fullmatch(name)
        if name == "*" or (caller.role and name == caller.role):
            return "caller"
        if account and account[1] == caller.account:
            return "account"
    return ""


def _condition_holds(operator: str, wanted: list[Any], values: list[str] | None) -> bool:
    """Whether a condition on one key holds. ``values`` is None if the call lacks the key."""
    wanted = [str(value).lower() if isinstance(value, bool) else str(value) for value in wanted]
    if any("${" in value for value in wanted):
        raise UnsupportedError(f"policy variables are not supported here: {wanted}")
    quantifier, _, name = operator.rpartition(":")
    if name == "Null":
        return (values is None) == (wanted == ["true"])
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = "Not" in name
    compare = OPERATORS.get(name.replace("Not", "", 1))
    if compare is None or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise UnsupportedError(f"the condition operator {operator} is not supported here")
    if values is None:
        return optional or quantifier == "ForAllValues" or (negated and not quantifier)
    fits = [any(compare(value, one) for one in wanted) != negated for value in values]
    return all(fits) if quantifier == "ForAllValues" else any(fits)


def _matches(value: str, patterns: list[str]) -> bool:
    return any(_like(value, pattern) for pattern in patterns)


def _like(value: str, pattern: str) -> bool:
    # In IAM, brackets are no wildcards.
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def _ignoring_case(value: str, wanted: str) -> bool:
    return value.lower() == wanted.lower()


OPERATORS = {
    "StringEquals": str.__eq__,
    "StringEqualsIgnoreCase": _ignoring_case,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _ignoring_case,
}
