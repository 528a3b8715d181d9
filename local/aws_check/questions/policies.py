"""What IAM's policy language leaves open, tried with the policies of sessions and of the key."""

import json
from typing import Any

from botocore.exceptions import ClientError

from local.aws_check.account import Account, allow, error_code, policy_document
from local.aws_check.answer import Answer, NotSettledError, Question, as_assumed
from local.aws_check.permissions import dry_run, is_allowed, trial

GENERATE = "kms:GenerateDataKey"
# How long a changed key policy may take until every call sees it: AWS says some minutes.
POLICY_SECONDS = 300
# After the first call has seen a change, the others see it within so long.
SPREAD_SECONDS = 30


def _conditions(account: Account, **conditions: Any) -> dict[str, bool]:
    key = account.output("KeyArn")
    tried = {name: allow(GENERATE, key, Condition=condition) for name, condition in conditions.items()}
    return trial(account, "kms", lambda kms: dry_run(kms, key)(), allow(GENERATE, key), tried)


def plain_operator(account: Account) -> Answer:
    names = "kms:EncryptionContextKeys"
    return plain(**_conditions(
        account, equal={"StringEquals": {names: "aws:ssm:TargetId"}}, not_equal={"StringNotEquals": {names: "aws:ssm:TargetId"}},
    ))


def plain(equal: bool, not_equal: bool) -> Answer:
    """The answer, from whether a plain operator matches a key with two values of which one is the operator's."""
    words = {True: "matches", False: "does not match"}
    return as_assumed(f"with one equal value of two, plain StringEquals {words[equal]} and plain StringNotEquals {words[not_equal]}")


def lone_star(account: Account) -> Answer:
    result = _conditions(account, lone={"ArnLike": {"aws:PrincipalArn": "*"}})
    return as_assumed(f"a lone * as an ARN of a condition {'matches' if result['lone'] else 'does not match'} an ARN")


def incomplete_arn(account: Account) -> Answer:
    key = account.output("KeyArn")
    tried = {"incomplete": allow(GENERATE, f"arn:{account.partition}:kms")}
    try:
        result = trial(account, "kms", lambda kms: dry_run(kms, key)(), allow(GENERATE, key), tried)
    except ClientError as error:
        if error_code(error) == "MalformedPolicyDocument":
            return as_assumed("AWS refuses the policy of a session with an ARN of fewer than six parts")
        raise
    return as_assumed(f"an ARN of fewer than six parts in a session's policy {'is completed with wildcards' if result['incomplete'] else 'matches nothing'}")


def empty_text(account: Account) -> Answer:
    condition = {"ForAllValues:StringEquals": {"aws:TagKeys": "team"}}
    entry = {"ContextKeyName": "aws:TagKeys", "ContextKeyType": "stringList", "ContextKeyValues": [""]}
    answer = account.client("iam").simulate_custom_policy(
        PolicyInputList=[policy_document(allow("kms:TagResource", "*", Condition=condition))], ActionNames=["kms:TagResource"], ContextEntries=[entry],
    )
    result = answer["EvaluationResults"][0]["EvalDecision"]
    return as_assumed(f"for IAM's simulator an empty text {'counts as no value' if result == 'allowed' else 'is a value'} under ForAllValues")


def not_principal(account: Account) -> Answer:
    key, kms = account.output("KeyArn"), account.client("kms")
    asker, bare, trusted = (account.as_role(role, "kms") for role in ("Asker", "Bare", "Trusted"))
    if is_allowed(dry_run(bare, key)) or is_allowed(dry_run(trusted, key)):
        raise NotSettledError("a caller without a permission is allowed, so permissions do not count here")
    before = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]

    def put(*statements: dict[str, Any]) -> None:
        policy = json.loads(before)
        policy["Statement"] += statements
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))

    # The role Bare shows when a change is effective.
    sign = {"Effect": "Allow", "Principal": {"AWS": account.output("Bare")}, "Action": GENERATE, "Resource": "*"}
    try:
        put(sign, {"Effect": "Allow", "NotPrincipal": {"AWS": account.output("Asker")}, "Action": GENERATE, "Resource": "*"})
        if not account.wait_for(lambda: is_allowed(dry_run(bare, key)), POLICY_SECONDS):
            raise NotSettledError(f"a changed key policy is not effective within {POLICY_SECONDS} s")
        allows = bool(account.wait_for(lambda: is_allowed(dry_run(trusted, key)), SPREAD_SECONDS))
        put({"Effect": "Deny", "NotPrincipal": {"AWS": account.output("Asker")}, "Action": GENERATE, "Resource": "*"})
        if not account.wait_for(lambda: not is_allowed(dry_run(bare, key)), POLICY_SECONDS):
            raise NotSettledError(f"a changed key policy is not effective within {POLICY_SECONDS} s")
        return not_principals(allows, bool(account.wait_for(lambda: not is_allowed(dry_run(asker, key)), SPREAD_SECONDS)))
    except ClientError as error:
        if error_code(error) == "MalformedPolicyDocumentException":
            return as_assumed("KMS refuses a key policy with NotPrincipal")
        raise
    finally:
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=before)


def not_principals(allows: bool, denies_listed: bool) -> Answer:
    """The answer, from whether Allow admits a role that is not listed, and Deny refuses a session whose role alone is."""
    return as_assumed(
        f"Allow with NotPrincipal {'admits' if allows else 'does not admit'} who is not listed; Deny with NotPrincipal that lists a role and not its "
        f"account {'refuses' if denies_listed else 'spares'} the role's sessions"
    )


BOTH = "the evaluator answers *depends*, whichever it is"
QUESTIONS = (
    Question("plain-operator", f"how a plain operator treats several values is open: {BOTH}", plain_operator, (), needs_stack=True),
    Question("lone-star-arn", f"whether a lone * matches an ARN in a condition is open: {BOTH}", lone_star, (), needs_stack=True),
    Question("incomplete-arn", f"whether AWS completes a short ARN in a session's policy is open: {BOTH}", incomplete_arn, (), needs_stack=True),
    Question("empty-text", f"whether ForAllValues takes an empty text for no value is open: {BOTH}", empty_text, ("iam:SimulateCustomPolicy",)),
    Question(
        "not-principal", f"Allow with NotPrincipal, and Deny that lists a role without its account, are open: {BOTH}", not_principal,
        ("kms:GetKeyPolicy", "kms:PutKeyPolicy"), needs_stack=True, seconds=720,
    ),
)
