"""Asks the questions, one after the other, and prints a line for each."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from local.aws_check import stack
from local.aws_check.account import Account, progress
from local.aws_check.answer import Answer, NotSettledError, Question, Verdict, not_settled

# The exit codes, by the worst verdict.
SETTLED, DIFFERENT, NOT_SETTLED = 0, 1, 3


class OutOfTimeError(BaseException):
    """A question takes longer than its limit. No library takes it for an error of a call."""


def run(account: Account) -> int:
    """Make the stack, ask the questions, remove everything, and return the exit code."""
    questions = account.options.questions
    try:
        if any(question.needs_stack for question in questions):
            _make_stack(account)
        verdicts = []
        for question in questions:
            answer = ask(account, question)
            print(f"{question.name}: {answer} (assumed: {question.assumed})", flush=True)
            verdicts.append(answer.verdict)
        progress(", ".join(f"{verdicts.count(verdict)} {verdict.value}" for verdict in Verdict))
    finally:
        progress("removing what was made")
        is_clean = account.cleanup.run()
    return exit_code(verdicts, is_clean)


def exit_code(verdicts: list[Verdict], is_clean: bool = True) -> int:
    """1 if AWS differs in anything, else 3 if anything is not settled or was not removed, else 0."""
    if Verdict.DIFFERENT in verdicts:
        return DIFFERENT
    return SETTLED if is_clean and Verdict.NOT_SETTLED not in verdicts else NOT_SETTLED


def ask(account: Account, question: Question) -> Answer:
    """The answer to one question. Whatever goes wrong with it is an answer too."""
    seconds = min(question.seconds, account.options.limit or question.seconds)
    account.deadline = time.monotonic() + seconds
    try:
        with time_limit(seconds):
            return question.ask(account)
    except NotSettledError as error:
        return not_settled(str(error))
    except OutOfTimeError:
        return not_settled(f"it took longer than {seconds} s")
    except ClientError as error:
        return not_settled(f"{error.operation_name} failed: {error}")
    except BotoCoreError as error:
        return not_settled(f"AWS does not answer: {error}")
    except Exception as error:
        # An answer in another shape than expected must not end the run.
        return not_settled(f"the answer cannot be read ({type(error).__name__}: {error})")
    finally:
        account.deadline = None


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """End a block after so many seconds."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _make_stack(account: Account) -> None:
    parameters = {"Id": account.id, "ExternalId": account.external_id, "OtherAccountKeyArn": account.options.other_account_key}
    try:
        account.outputs = stack.create(account, account.id, stack.TEMPLATE.read_text(), **parameters)
    except (NotSettledError, ClientError, BotoCoreError) as error:
        account.outputs = str(error)
