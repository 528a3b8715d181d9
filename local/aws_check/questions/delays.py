"""How long changes of permissions take until they are effective."""

import json
import time

from local.aws_check.account import Account, allow, policy_document
from local.aws_check.answer import Answer, NotSettledError, Question, as_assumed, different
from local.aws_check.cleanup import unless_gone
from local.aws_check.permissions import dry_run, is_allowed

# So long the function repeats a call that its role is denied.
ROLE_SECONDS = 35
# So long the check of who can use a new key is repeated: half of the function's timeout.
KEY_POLICY_SECONDS = 60
# A change is effective if so many calls in a row, a second apart, see it.
CALLS = 5
POLICY = "delay"


def role(account: Account) -> Answer:
    iam, key, name = account.client("iam"), account.output("KeyArn"), account.output("BareName")
    kms = account.as_role("Bare", "kms")

    def describe() -> object:
        return kms.describe_key(KeyId=key)

    if is_allowed(describe):
        raise NotSettledError("the call is allowed without a permission, so permissions do not count here")
    account.cleanup.add(
        f"policy {POLICY} of role {name}", unless_gone(iam.delete_role_policy, RoleName=name, PolicyName=POLICY),
        f"aws iam delete-role-policy --role-name {name} --policy-name {POLICY}",
    )
    iam.put_role_policy(RoleName=name, PolicyName=POLICY, PolicyDocument=policy_document(allow("kms:DescribeKey", key)))
    begun, last_denied = time.monotonic(), 0.0
    in_a_row = 0
    while in_a_row < CALLS:
        if is_allowed(describe):
            in_a_row += 1
        else:
            in_a_row, last_denied = 0, time.monotonic() - begun
        time.sleep(1)
    return delay(last_denied, ROLE_SECONDS, "a permission that a role gets")


def key_policy(account: Account) -> Answer:
    kms, key = account.client("kms"), account.output("KeyArn")
    bare = account.as_role("Bare", "kms")
    if is_allowed(dry_run(bare, key)):
        raise NotSettledError("the call is allowed without a permission, so permissions do not count here")
    before = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    policy = json.loads(before)
    policy["Statement"].append({"Effect": "Allow", "Principal": {"AWS": account.output("Bare")}, "Action": "kms:GenerateDataKey", "Resource": "*"})
    try:
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
        begun = time.monotonic()
        if not account.wait_for(lambda: is_allowed(dry_run(bare, key)), 300, pause=1):
            raise NotSettledError("a changed key policy is not effective within 300 s")
        return delay(time.monotonic() - begun, KEY_POLICY_SECONDS, "a statement that a key policy gets")
    finally:
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=before)


def delay(seconds: float, assumed: int, what: str) -> Answer:
    """The answer, from how long a change took. One measurement proves no upper limit."""
    if seconds > assumed:
        return different(f"{what} was effective after {seconds:.0f} s, which is longer than {assumed} s")
    return as_assumed(f"{what} was effective after {seconds:.0f} s this time")


QUESTIONS = (
    Question(
        "role-delay", f"IAM takes at most some {ROLE_SECONDS} s until a changed role is effective", role, ("iam:PutRolePolicy", "iam:DeleteRolePolicy"),
        needs_stack=True,
    ),
    Question(
        "key-policy-delay", f"KMS takes at most some {KEY_POLICY_SECONDS} s until the changed policy of a new key is effective", key_policy,
        ("kms:GetKeyPolicy", "kms:PutKeyPolicy"), needs_stack=True, seconds=360,
    ),
)
