"""Removes what was made, last things first.

A resource is added before it is made: then nothing is forgotten if the run ends while AWS makes it. So removing
something that does not exist must be no error.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import ClientError


class CannotRemoveError(Exception):
    """Something could not be removed. The message says why."""


@dataclass
class _Item:
    what: str
    remove: Callable[[], object]
    # The command with which a user removes it.
    command: str


@dataclass
class Cleanup:
    """Everything that has to be removed."""

    items: list[_Item] = field(default_factory=list)

    def add(self, what: str, remove: Callable[[], object], command: str) -> None:
        self.items.append(_Item(what, remove, command))

    def run(self) -> bool:
        """Remove everything. Return whether nothing is left; what is left is printed with the command to remove it."""
        left: list[tuple[_Item, str]] = []
        while self.items:
            item = self.items.pop()
            try:
                item.remove()
            except Exception as error:
                # Whatever goes wrong with one thing, the others have to be removed.
                left.append((item, str(error)))
            except (KeyboardInterrupt, SystemExit):
                left += [(rest, "interrupted") for rest in (item, *reversed(self.items))]
                self.items.clear()
        for item, why in left:
            print(f"could not remove {item.what}: {why}\n  remove it with: {item.command}", file=sys.stderr, flush=True)
        return not left


def unless_gone(call: Callable[..., object], **parameters: object) -> Callable[[], None]:
    """A call that removes something. An error that says that there is no such thing does not count."""

    def remove() -> None:
        try:
            call(**parameters)
        except ClientError as error:
            if not is_gone(error):
                raise

    return remove


def is_gone(error: ClientError) -> bool:
    """Whether an error says that there is no such resource."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    # `InvalidDocument` alone means that there is no such document, and not InvalidDocumentContent.
    is_absent = code == "InvalidDocument" or any(name in code for name in ("NotFound", "NoSuchEntity", "NonExistent", "DoesNotExist"))
    return is_absent or "does not exist" in message or "is pending deletion" in message
