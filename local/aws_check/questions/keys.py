"""KMS: dry runs, aliases, another account's key."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from local.aws_check.account import Account, allow, error_code
from local.aws_check.answer import Answer, NotSettledError, Question, as_assumed, different
from local.aws_check.permissions import CONTEXT, DENIED, WOULD_SUCCEED, dry_run, nothing, trial

# The most bytes of a key policy.
MOST_POLICY_BYTES = 32_768


def code_of(call: Callable[[], object]) -> str:
    """The code of the error in which a call ends; an empty text if it succeeds."""
    try:
        call()
    except ClientError as error:
        return error_code(error)
    return ""


def _decrypt(kms: Any, key: str) -> Callable[[], object]:
    return lambda: kms.decrypt(KeyId=key, EncryptionContext=CONTEXT, DryRun=True, DryRunModifiers=["IGNORE_CIPHERTEXT"])


def dry_runs(account: Account) -> Answer:
    key = account.output("KeyArn")
    allowed, refused = account.as_role("Asker", "kms"), account.as_role("Asker", "kms", nothing())
    # A role that has just been made is not effective everywhere at once.
    account.wait_for(lambda: code_of(dry_run(allowed, key)) not in DENIED, 60)
    codes = [code_of(call(kms, key)) for kms in (allowed, refused) for call in (dry_run, _decrypt)]
    return dry_run_codes(*codes)


def dry_run_codes(data_key: str, decrypt: str, refused_data_key: str, refused_decrypt: str) -> Answer:
    """The answer, from the errors of dry runs of an allowed and of a refused caller."""
    wrong = [f"{call} of an allowed caller ends in {code or 'no error'}" for call, code in
             (("GenerateDataKey", data_key), ("Decrypt without a ciphertext", decrypt)) if code != WOULD_SUCCEED]
    wrong += [f"{call} of a refused caller ends in {code or 'no error'}" for call, code in
              (("GenerateDataKey", refused_data_key), ("Decrypt without a ciphertext", refused_decrypt)) if code not in DENIED]
    if wrong and {refused_data_key, refused_decrypt} <= {WOULD_SUCCEED}:
        raise NotSettledError("a caller without a permission is allowed too, so permissions do not count here")
    if wrong:
        return different("; ".join(wrong))
    return as_assumed(f"a dry run ends in {WOULD_SUCCEED} if the call would succeed and in AccessDenied if not, Decrypt also without a ciphertext")


def dry_run_state(account: Account) -> Answer:
    key, kms = account.output("KeyArn"), account.client("kms")
    asker, refused = account.as_role("Asker", "kms"), account.as_role("Asker", "kms", nothing())
    if not account.wait_for(lambda: code_of(dry_run(asker, key)) == WOULD_SUCCEED, 60):
        raise NotSettledError("a dry run on an enabled key does not succeed")
    try:
        kms.disable_key(KeyId=key)
        changed = account.wait_for(lambda: code_of(dry_run(asker, key)) != WOULD_SUCCEED, 30)
        return state_codes(code_of(dry_run(asker, key)) if changed else WOULD_SUCCEED, code_of(dry_run(refused, key)))
    finally:
        kms.enable_key(KeyId=key)
        # The other questions need the key.
        account.wait_for(lambda: code_of(dry_run(asker, key)) == WOULD_SUCCEED, 60)


def state_codes(allowed: str, refused: str) -> Answer:
    """The answer, from the errors of dry runs on a disabled key, of an allowed and of a refused caller."""
    if allowed == "DisabledException":
        order = "before" if refused in DENIED else "after"
        return as_assumed(f"a dry run on a disabled key ends in DisabledException; permissions are checked {order} the key's state")
    if allowed == WOULD_SUCCEED:
        return as_assumed("a dry run does not look at the key's state; kms:DescribeKey reports it")
    return different(f"a dry run on a disabled key ends in {allowed or 'no error'}")


def alias(account: Account) -> Answer:
    key, name = account.output("KeyArn"), f"alias/{account.id}"

    def describe(kms: Any) -> object:
        return kms.describe_key(KeyId=name)

    tried = {"on_key": allow("kms:DescribeKey", key), "on_alias": allow("kms:DescribeKey", account.arn("kms", name))}
    return alias_permissions(**trial(account, "kms", describe, allow("kms:DescribeKey", "*"), tried))


def alias_permissions(on_key: bool, on_alias: bool) -> Answer:
    """The answer, from whether a permission on the key, or one on the alias, allows DescribeKey by the alias."""
    if not on_key:
        return different("a permission on the key does not allow kms:DescribeKey by an alias")
    also = "; one on the alias is enough too" if on_alias else " and one on the alias is not enough"
    return as_assumed(f"a permission on the key allows kms:DescribeKey by an alias{also}")


def other_account(account: Account) -> Answer:
    key = account.options.other_account_key
    if not key:
        raise NotSettledError("give a key of another account that admits this one: OTHER_ACCOUNT_KEY_ARN=arn:aws:kms:…")
    if key.split(":")[4] == account.number:
        raise NotSettledError("OTHER_ACCOUNT_KEY_ARN is a key of this account")
    kms = account.client("kms")
    calls: dict[str, Callable[[], object]] = {
        "DescribeKey": lambda: kms.describe_key(KeyId=key),
        "ListGrants": lambda: kms.list_grants(KeyId=key),
        "GetKeyPolicy": lambda: kms.get_key_policy(KeyId=key, PolicyName="default"),
        "ListAliases": lambda: kms.list_aliases(KeyId=key),
        "ListResourceTags": lambda: kms.list_resource_tags(KeyId=key),
    }
    return across_accounts({name: code_of(call) for name, call in calls.items()})


def across_accounts(codes: dict[str, str]) -> Answer:
    """The answer, from the errors of calls on another account's key; an empty text means that the call succeeded."""
    works = [name for name, code in codes.items() if not code]
    if "DescribeKey" not in works:
        raise NotSettledError(f"kms:DescribeKey on the other account's key ends in {codes['DescribeKey']}; admit this account in its key policy")
    wrong = [name for name in ("GetKeyPolicy", "ListAliases", "ListResourceTags") if name in works]
    if wrong:
        return different(f"{' and '.join(wrong)} work on another account's key")
    refused = ", ".join(f"{name} in {code}" for name, code in codes.items() if code)
    return as_assumed(f"{' and '.join(works)} work on another account's key; the others fail ({refused})")


def policy_size(account: Account) -> Answer:
    key, kms = account.output("KeyArn"), account.client("kms")
    policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    long = policy.replace("{", "{" + " " * MOST_POLICY_BYTES, 1)
    try:
        code = code_of(lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=long))
        stored = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    finally:
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    return counted_white_space(code, len(long), len(stored))


def counted_white_space(code: str, sent: int, stored: int) -> Answer:
    """The answer, from the error of a policy that is too long for its white space, and from the bytes sent and stored."""
    if code in ("LimitExceededException", "MalformedPolicyDocumentException", "ValidationException"):
        return different(f"a key policy that is too long only for its white space ends in {code}")
    if code:
        raise NotSettledError(f"PutKeyPolicy ends in {code}")
    return as_assumed(f"KMS takes a key policy that is too long only for its white space; of {sent} bytes it keeps {stored}")


QUESTIONS = (
    Question(
        "dry-run", "a dry run tells allowed from denied by its error, and Decrypt needs no ciphertext for it", dry_runs, (), needs_stack=True,
    ),
    Question(
        "dry-run-state", "a dry run on a disabled key ends in DisabledException, or does not look at the key's state", dry_run_state,
        ("kms:DisableKey", "kms:EnableKey"), needs_stack=True, seconds=240,
    ),
    Question("alias-permission", "IAM decides kms:DescribeKey by an alias on the key", alias, (), needs_stack=True),
    Question(
        "other-account-key", "DescribeKey and ListGrants work on another account's key; GetKeyPolicy, ListAliases and ListResourceTags do not",
        other_account, ("kms:DescribeKey", "kms:ListGrants", "kms:GetKeyPolicy", "kms:ListAliases", "kms:ListResourceTags"),
    ),
    Question(
        "policy-size", "white space between the values of a key policy does not count towards its 32,768 bytes", policy_size,
        ("kms:GetKeyPolicy", "kms:PutKeyPolicy"), needs_stack=True,
    ),
)
