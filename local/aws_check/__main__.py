"""``make aws-check``: settles, with an AWS account, what no documentation says.

Options, by environment variables or as ``make aws-check NAME=value``:

  REGION                 the Region to ask; by default that of the configuration of the aws CLI
  QUESTIONS              names of questions, separated by commas; by default all
  TARGET                 a managed node, for session-version
  OTHER_ACCOUNT_KEY_ARN  a key of another account that admits this one, for other-account-key and simulator-other-account
  LIMIT                  the most seconds for a question
  YES=1                  do not ask before it begins

Exit codes: 0 everything is as assumed, 1 something is different, 2 wrong options or no credentials, 3 something is not
settled or could not be removed. `make` itself exits with 2 and prints the code.

``--help`` also lists the questions, and the actions that each needs.
"""

import os
import sys
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.aws_check import options, runner, stack
from local.aws_check.account import Account, progress
from local.aws_check.questions import QUESTIONS
from local.processes import end_on_signals

BAD_INPUT = 2
CANCELLED = 130


def usage() -> str:
    """What ``--help`` prints."""
    lines = [str(__doc__).replace("``", "`"), "Actions for the stack of the questions that are marked with *:", f"  {', '.join(stack.SETUP_ACTIONS)}"]
    lines += ["Every run needs sts:GetCallerIdentity. The questions, and the actions that each needs besides:"]
    for question in QUESTIONS:
        mark = "*" if question.needs_stack else ""
        lines += [f"  {question.name}{mark}: {question.assumed}", f"      {', '.join(question.actions) or 'no more'}"]
    return "\n".join(lines)


def plan(account: Account) -> str:
    """What the run makes, and what it costs."""
    questions = account.options.questions
    lines = [f"Account {account.number}, Region {account.region}, as {account.caller}. {len(questions)} questions."]
    if any(question.needs_stack for question in questions):
        lines.append(
            f"Makes stack {account.id}: a KMS key with an alias, four roles that only this run can assume, a queue and three rules; "
            "and test documents, parameters and policies beside it."
        )
    if any(question.needs_stack or "kms:CreateKey" in question.actions for question in questions):
        lines.append(
            "A KMS key costs 1 USD a month, by the hour. At the end the run schedules each key that it made for deletion after 7 days; "
            "until then the key is listed as PendingDeletion."
        )
    if any("cloudformation:CreateStack" in question.actions for question in questions):
        lines.append("Makes some small stacks, one of them with a Lambda function, and one that fails on purpose.")
    lines.append(f"Everything has a name that begins with {account.id}, or belongs to such a stack, and is removed at the end. No document in use is touched.")
    return "\n".join(lines)


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    if arguments in (["--help"], ["-h"]):
        print(usage())
        return 0
    if arguments:
        return _refuse("it takes no arguments but --help; give options as REGION=, QUESTIONS=, TARGET=, OTHER_ACCOUNT_KEY_ARN=, LIMIT=, YES=1")
    try:
        chosen = options.read(environment, QUESTIONS)
    except options.BadOptionError as error:
        return _refuse(str(error))
    account = _account(chosen)
    if isinstance(account, str):
        return _refuse(account)
    progress(plan(account))
    if not chosen.is_confirmed:
        if not sys.stdin.isatty():
            return _refuse("there is no terminal to ask on; YES=1 starts it without a question")
        if input("Begin? [y/N] ").strip().lower() not in ("y", "yes"):
            return _refuse("nothing was made")
    return runner.run(account)


def _account(chosen: options.Options) -> Account | str:
    """The account, or why there is none."""
    try:
        session: Any = boto3.Session(region_name=chosen.region or None)
        if session.get_credentials() is None:
            return "there are no AWS credentials; configure them as for the aws CLI, for example by AWS_PROFILE"
        if not session.region_name:
            return "there is no Region; give REGION=eu-west-1"
        return Account(session, chosen)
    except (ClientError, BotoCoreError) as error:
        return f"AWS does not accept the credentials: {error}"


def _refuse(why: str) -> int:
    print(f"aws-check: {why}", file=sys.stderr)
    return BAD_INPUT


if __name__ == "__main__":
    end_on_signals()
    try:
        sys.exit(main(sys.argv[1:], os.environ))
    except KeyboardInterrupt:
        sys.exit(CANCELLED)
