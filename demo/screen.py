"""Prints the demo: headings, facts, diffs and checks, in colour if standard output is a terminal."""

import difflib
import json
import os
import shutil
import sys
from typing import Any

from local.stacks import Stack

_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class Screen:
    """Writes to standard output, and collects the checks that failed."""

    def __init__(self) -> None:
        self.coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self.width = min(shutil.get_terminal_size((100, 24)).columns, 110)
        self.missed: list[str] = []
        self._step = 0

    def paint(self, text: str, *styles: str) -> str:
        if not self.coloured or not styles:
            return text
        return f"\033[{';'.join(_COLOURS[style] for style in styles)}m{text}\033[0m"

    def write(self, text: str = "") -> None:
        print(text, flush=True)

    def title(self, text: str, below: str) -> None:
        self.write()
        self.write(self.paint(text, "bold"))
        self.write(self.paint(below, "dim"))

    def step(self, text: str) -> None:
        self._step += 1
        heading = f"── {self._step}. {text} "
        self.write()
        self.write(self.paint(heading + "─" * max(3, self.width - len(heading)), "bold", "cyan"))

    def note(self, text: str) -> None:
        self.write(f"   {text}")

    def fact(self, name: str, value: str, *styles: str) -> None:
        self.write(f"   {self.paint(f'{name:<18}', 'dim')} {self.paint(value, *styles)}")

    def stack(self, stack: Stack, status: str) -> None:
        """Print a stack's status, and its outputs or the reasons of its failure."""
        good = status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        self.fact("stack", status, "green" if good else "red")
        if good:
            for name, value in stack.outputs().items():
                self.output(name, value)
        else:
            for reason in stack.failures():
                self.fact("reason", reason, "red")

    def output(self, name: str, value: str) -> None:
        """Print an output of a stack. Of Findings it prints only the counts, because the rest is long."""
        self.fact(name, value.partition(";")[0] if name == "Findings" else value or "(none)")

    def statement(self, statement: dict[str, Any]) -> None:
        """Print a policy statement as JSON."""
        for line in json.dumps(statement, indent=2).splitlines():
            self.write(f"   {self.paint('│', 'dim')} {self.paint(line, 'green')}")

    def expect(self, good: bool, what: str) -> None:
        """Print a check of the demo, and whether it holds."""
        if good:
            self.write(f"   {self.paint('✓', 'green')} {what}")
        else:
            self.missed.append(what)
            self.write(f"   {self.paint('✗ failed:', 'red', 'bold')} {what}")

    def diff(self, before: dict[str, Any], after: dict[str, Any], before_name: str, after_name: str) -> None:
        """Print what changed in a document, as a unified diff."""
        lines = list(
            difflib.unified_diff(_lines(before), _lines(after), before_name, after_name, n=2, lineterm="")
        )
        if not lines:
            self.note(self.paint("the document is unchanged", "dim"))
        for line in lines:
            self.write(f"   {self.paint('│', 'dim')} {self._paint_diff(line)}")

    def _paint_diff(self, line: str) -> str:
        if line.startswith(("---", "+++")):
            return self.paint(line, "bold")
        if line.startswith("@@"):
            return self.paint(line, "dim")
        if line.startswith("+"):
            return self.paint(line, "green")
        if line.startswith("-"):
            return self.paint(line, "red")
        return line


def _lines(content: dict[str, Any]) -> list[str]:
    return json.dumps(content, indent=2).splitlines()
