"""Questions and answers."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.aws_check.account import Account


class Verdict(Enum):
    """What an answer means for the project."""

    AS_ASSUMED = "as assumed"
    DIFFERENT = "DIFFERENT from what is assumed"
    NOT_SETTLED = "not settled"


@dataclass(frozen=True)
class Answer:
    """What AWS does, in words."""

    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return f"{self.verdict.value}: {' '.join(self.text.split())}"


def as_assumed(text: str) -> Answer:
    return Answer(Verdict.AS_ASSUMED, text)


def different(text: str) -> Answer:
    return Answer(Verdict.DIFFERENT, text)


def not_settled(text: str) -> Answer:
    return Answer(Verdict.NOT_SETTLED, text)


class NotSettledError(Exception):
    """A question cannot be settled here. The message says why."""


@dataclass(frozen=True)
class Question:
    """A question about AWS."""

    name: str
    # What the project assumes.
    assumed: str
    ask: Callable[["Account"], Answer]
    # The actions that it needs, besides those for the stack.
    actions: tuple[str, ...]
    needs_stack: bool = False
    # The longest time that it takes.
    seconds: int = 120
