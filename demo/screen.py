"""What the demo prints: headings, facts, diffs and checks, in colour where it is a terminal."""

import difflib
import json
import os
import shutil
import sys

from local.stacks import Stack

_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class Screen:
    """Writes to standard output and remembers what did not come out as expected."""

    def __init__(self):
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
        """A stack's status, with its outputs or the reasons of its failure."""
        good = status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        self.fact("stack", status, "green" if good else "red")
        if good:
            for name, value in stack.outputs().items():
                self.output(name, value)
        else:
            for reason in stack.failures():
                self.fact("reason", reason, "red")

    def output(self, name: str, value: str) -> None:
        """An output of a stack. Findings begin with their counts, and the rest of them is long."""
        self.fact(name, value.partition(";")[0] if name == "Findings" else value or "(none)")

    def statement(self, statement: dict) -> None:
        """A policy statement, as it would be pasted."""
        for line in json.dumps(statement, indent=2).splitlines():
            self.write(f"   {self.paint('│', 'dim')} {self.paint(line, 'green')}")

    def expect(self, good: bool, what: str) -> None:
        """A check of the demo: what must be so, and is or is not."""
        if good:
            self.write(f"   {self.paint('✓', 'green')} {what}")
        else:
            self.missed.append(what)
            self.write(f"   {self.paint('✗ not so:', 'red', 'bold')} {what}")

    def diff(self, before: dict, after: dict, before_name: str, after_name: str) -> None:
        """What changed in a document, as a unified diff."""
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


def _lines(content: dict) -> list[str]:
    return json.dumps(content, indent=2).splitlines()
