"""Tries whether a call is allowed.

Before a question believes an answer, it proves that permissions count at all: the same call has to be allowed with a
permission that certainly covers it, and denied without one.
"""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from local.aws_check.account import Account, error_code
from local.aws_check.answer import NotSettledError

DENIED = ("AccessDenied", "AccessDeniedException")
# A dry run that would succeed.
WOULD_SUCCEED = "DryRunOperationException"
# The encryption context of the dry runs. It has several names, as that of a session.
CONTEXT = {"aws:ssm:SessionId": "session-kms-00000000000000000", "aws:ssm:TargetId": "i-00000000000000000"}


def is_allowed(call: Callable[[], object]) -> bool:
    """Whether a call is allowed. A dry run is allowed if it would succeed."""
    try:
        call()
    except ClientError as error:
        code = error_code(error)
        if code in DENIED:
            return False
        if code == WOULD_SUCCEED:
            return True
        raise
    return True


def dry_run(kms: Any, key: str) -> Callable[[], object]:
    """What a user's client calls at the start of a session, as a dry run."""
    return lambda: kms.generate_data_key(KeyId=key, NumberOfBytes=64, EncryptionContext=CONTEXT, DryRun=True)


def trial(
    account: Account, service: str, call: Callable[[Any], object], certain: dict[str, Any], tried: dict[str, dict[str, Any]]
) -> dict[str, bool]:
    """Whether sessions of the role Asker may make a call, each with one statement as its policy.

    ``certain`` is a statement that certainly covers the call.
    """

    def may(statement: dict[str, Any]) -> bool:
        client = account.as_role("Asker", service, statement)
        return is_allowed(lambda: call(client))

    # A role that has just been made is not effective everywhere at once.
    if not account.wait_for(lambda: may(certain), 60):
        raise NotSettledError("the call is denied although a policy allows it")
    if may(nothing()):
        raise NotSettledError("the call is allowed without a permission, so permissions do not count here")
    return {name: may(statement) for name, statement in tried.items()}


def nothing() -> dict[str, Any]:
    """A statement that allows nothing of what the questions try."""
    return {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
