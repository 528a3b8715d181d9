"""Decides by policies whether a call is allowed, with the condition keys that ministack does not know.

It is as much of IAM as the end-to-end tests need, for the local AWS alone: identity policies and a key policy,
their Deny and their Allow, and the conditions of ``OPERATORS``. There are no boundaries, no service control
policies and no policy variables; what it does not know is an error and never an answer. It shares nothing with the
evaluator of the product, which is tested against it.
"""

import fnmatch
import re
from dataclasses import dataclass, field

ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?")
# The condition keys of a call, in lower case, each with its values.
Context = dict[str, list[str]]


class Unsupported(Exception):
    """A policy says what is not played here."""


@dataclass(frozen=True)
class Policy:
    """A policy with the name that the simulator has for it."""

    name: str
    document: dict

    def statements(self) -> list[dict]:
        return as_list(self.document.get("Statement", []))


@dataclass(frozen=True)
class Request:
    """A call: what is done, on what, and what is known of it."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Caller:
    """Who calls. Without a role it is somebody of the account, and nobody knows whom."""

    account: str
    role: str = ""


@dataclass(frozen=True)
class Decision:
    """What policies come to: ``allowed``, ``implicitDeny`` or ``explicitDeny``."""

    word: str
    # The policies with a statement that decided.
    by: tuple[str, ...] = ()


def decide(policies: list[Policy], request: Request) -> Decision:
    """What identity policies come to."""
    for effect, word in (("Deny", "explicitDeny"), ("Allow", "allowed")):
        by = [
            policy.name
            for policy in policies
            if any(statement["Effect"] == effect and applies(statement, request) for statement in policy.statements())
        ]
        if by:
            return Decision(word, tuple(by))
    return Decision("implicitDeny")


def key_admits(policy: dict, caller: Caller, own: Decision, request: Request) -> bool:
    """Whether a key's policy and the caller's own policies together allow a call."""
    named = {"Allow": set(), "Deny": set()}
    for statement in as_list(policy.get("Statement", [])):
        how = _names(statement.get("Principal"), caller)
        # `Resource: *` in a key policy is the key itself.
        if how and applies(statement, request):
            named[statement["Effect"]].add(how)
    if named["Deny"] or own.word == "explicitDeny":
        return False
    # In the key's account whoever is named needs no policy of their own. An account that is named leaves it to them.
    if caller.account == request.resource.split(":")[4] and "caller" in named["Allow"]:
        return True
    return bool(named["Allow"]) and own.word == "allowed"


def missing_keys(policies: list[Policy], request: Request) -> list[str]:
    """The condition keys that statements on this call ask for and that it does not bring, as the policies spell them."""
    found = {}
    for policy in policies:
        for statement in policy.statements():
            if _is_about(statement, request):
                for keys in statement.get("Condition", {}).values():
                    found |= {key.lower(): key for key in keys}
    return [spelling for key, spelling in found.items() if key not in request.context]


def applies(statement: dict, request: Request) -> bool:
    return _is_about(statement, request) and all(
        _holds(operator, as_list(values), request.context.get(key.lower()))
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]


def _is_about(statement: dict, request: Request) -> bool:
    action = _matches(request.action.lower(), [pattern.lower() for pattern in as_list(statement.get("Action", statement.get("NotAction", [])))])
    resource = _matches(request.resource, as_list(statement.get("Resource", statement.get("NotResource", []))))
    return (action != ("NotAction" in statement)) and (resource != ("NotResource" in statement))


def _names(principal, caller: Caller) -> str:
    """How a Principal names the caller: ``caller``, ``account``, or not at all."""
    listed = as_list(principal.get("AWS", [])) if isinstance(principal, dict) else as_list(principal)
    for name in map(str, listed):
        account = ACCOUNT.fullmatch(name)
        if name == "*" or (caller.role and name == caller.role):
            return "caller"
        if account and account[1] == caller.account:
            return "account"
    return ""


def _holds(operator: str, wanted: list, values: list[str] | None) -> bool:
    """Whether a condition on one key holds. A key that the call does not have has no values."""
    wanted = [str(value).lower() if isinstance(value, bool) else str(value) for value in wanted]
    if any("${" in value for value in wanted):
        raise Unsupported(f"no policy variables are played here: {wanted}")
    quantifier, _, name = operator.rpartition(":")
    if name == "Null":
        return (values is None) == (wanted == ["true"])
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = "Not" in name
    compare = OPERATORS.get(name.replace("Not", "", 1))
    if compare is None or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise Unsupported(f"the condition operator {operator} is not played here")
    if values is None:
        return optional or quantifier == "ForAllValues" or (negated and not quantifier)
    fits = [any(compare(value, one) for one in wanted) != negated for value in values]
    return all(fits) if quantifier == "ForAllValues" else any(fits)


def _matches(value: str, patterns: list[str]) -> bool:
    return any(_like(value, pattern) for pattern in patterns)


def _like(value: str, pattern: str) -> bool:
    # Brackets are no wildcards to IAM.
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
