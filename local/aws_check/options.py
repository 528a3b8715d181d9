"""What the user asked for, by environment variables, as other targets of the Makefile take their options."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.aws_check.answer import Question


class BadOptionError(Exception):
    """An option that cannot be used. The message says why."""


@dataclass(frozen=True)
class Options:
    """The options of a run."""

    questions: tuple[Question, ...]
    # Empty for the Region of the credentials' configuration.
    region: str = ""
    # A managed node for the question which version of its document a session reads.
    target: str = ""
    # A key of another account, for the questions across accounts.
    other_account_key: str = ""
    # The most seconds for a question; `None` for each question's own limit.
    limit: int | None = None
    is_confirmed: bool = False


def read(environment: Mapping[str, str], questions: tuple[Question, ...]) -> Options:
    """Read the options; an empty value counts as absent."""
    wanted = [name.strip() for name in environment.get("QUESTIONS", "").split(",") if name.strip()]
    known = {question.name: question for question in questions}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise BadOptionError(f"QUESTIONS: there is no question `{unknown[0]}`; there are {', '.join(known)}")
    limit = environment.get("LIMIT", "")
    if limit and not (limit.isascii() and limit.isdigit() and int(limit) > 0):
        raise BadOptionError("LIMIT: give the longest time for a question in whole seconds")
    key = environment.get("OTHER_ACCOUNT_KEY_ARN", "")
    if key and (len(key.split(":")) != 6 or ":key/" not in key):
        raise BadOptionError("OTHER_ACCOUNT_KEY_ARN: give the ARN of a key, arn:aws:kms:<Region>:<account>:key/<id>")
    return Options(
        questions=tuple(question for question in questions if not wanted or question.name in wanted),
        region=environment.get("REGION", ""),
        target=environment.get("TARGET", ""),
        other_account_key=key,
        limit=int(limit) if limit else None,
        is_confirmed=environment.get("YES", "") == "1",
    )
