"""Whom a grant admits, and what limits it."""

from typing import Any

from local.aws_check.account import Account
from local.aws_check.answer import Answer, NotSettledError, Question, as_assumed, different
from local.aws_check.permissions import dry_run, is_allowed, nothing

ACTIONS = ("kms:CreateGrant", "kms:RevokeGrant")
# How long a grant may take until every call sees it.
SECONDS = 60


class Grant:
    """A grant of kms:GenerateDataKey while a question needs it."""

    def __init__(self, account: Account, grantee: str) -> None:
        self.account, self.key, self.kms = account, account.output("KeyArn"), account.client("kms")
        self.grantee = grantee
        self.id = ""

    def __enter__(self) -> "Grant":
        self.id = self.kms.create_grant(KeyId=self.key, GranteePrincipal=self.grantee, Operations=["GenerateDataKey"])["GrantId"]
        return self

    def __exit__(self, *_: object) -> None:
        self.kms.revoke_grant(KeyId=self.key, GrantId=self.id)

    def admits(self, kms: Any) -> bool:
        """Whether the grant lets a caller use the key. It waits, since a grant is not effective everywhere at once."""
        return bool(self.account.wait_for(lambda: is_allowed(dry_run(kms, self.key)), SECONDS))


def _refused(account: Account, role: str, *statements: dict[str, Any]) -> Any:
    """A client in a session that may not use the key without a grant."""
    kms = account.as_role(role, "kms", *statements)
    if is_allowed(dry_run(kms, account.output("KeyArn"))):
        raise NotSettledError("a caller without a permission is allowed, so permissions do not count here")
    return kms


def limits(account: Account) -> Answer:
    plain, limited, bounded = _refused(account, "Bare"), _refused(account, "Bare", nothing()), _refused(account, "Bounded")
    with Grant(account, account.output("Bare")) as grant:
        if not grant.admits(plain):
            raise NotSettledError(f"a grant to a role does not admit its sessions within {SECONDS} s")
        by_session = not grant.admits(limited)
    with Grant(account, account.output("Bounded")) as grant:
        by_boundary = not grant.admits(bounded)
    return limiting(by_session, by_boundary)


def limiting(by_session: bool, by_boundary: bool) -> Answer:
    """The answer, from whether a session's policy, and a permissions boundary, limit a grant to the role."""
    words = {True: "limits", False: "does not limit"}
    return as_assumed(f"the policy of a session {words[by_session]} a grant to its role, and a permissions boundary {words[by_boundary]} it")


def to_account(account: Account) -> Answer:
    trusted, bare = _refused(account, "Trusted"), _refused(account, "Bare")
    with Grant(account, f"arn:{account.partition}:iam::{account.number}:root") as grant:
        return covered(grant.admits(trusted), is_allowed(dry_run(bare, grant.key)))


def covered(trusted: bool, bare: bool) -> Answer:
    """The answer, from whether a grant to the account admits a role whose own policy allows the call, and one without."""
    if bare:
        return different("a grant to an account admits every role of the account")
    covers = "admits roles whose own policies allow the call" if trusted else "admits no role of the account"
    return as_assumed(f"a grant to an account {covers}")


QUESTIONS = (
    Question(
        "grant-limits", "a session's policy or a permissions boundary may limit a grant to the role or not; the answer is unknown then", limits, ACTIONS,
        needs_stack=True, seconds=300,
    ),
    Question(
        "grant-to-account", "a grant to an account may cover roles whose own policies allow the call; the answer is unknown then, and never other roles",
        to_account, ACTIONS, needs_stack=True, seconds=180,
    ),
)
