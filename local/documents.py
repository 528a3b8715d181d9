"""Reads Markdown pages of the project: fenced blocks, headings, links and names in backticks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.paths import ROOT

# Why a block is not run: an HTML comment on the line above it.
MARK = re.compile(r"^ *<!-- not run: (\S.*) -->$")
FENCE = re.compile(r"^( *)```(\w*)$")
LINK = re.compile(r"(?<!\\)\[(?:[^\[\]`]|`[^`]*`|\[[^\]]*\])*\]\(([^)\s]+)\)")
PATTERNS = ("*.md", "docs/**/*.md", "deploy/**/*.md", "crates/*/README.md", "events/*.md")
# It records what was true at each time.
HISTORY = ROOT / "CHANGELOG.md"
BUILT = ("node_modules", "target")
# The pages whose blocks of a language `make lint` checks: it compiles and runs TypeScript, and parses HCL.
LINTED = {
    "ts": (ROOT / "deploy" / "cdk" / "README.md", ROOT / "docs" / "deploy.md"),
    "hcl": (ROOT / "deploy" / "terraform" / "README.md", ROOT / "docs" / "deploy.md"),
}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    # The number of the line of its first fence, from 1.
    line: int
    language: str
    text: str
    # Why it is not run, or nothing.
    reason: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """The pages that describe the project as it is now."""
    found = {path for pattern in PATTERNS for path in ROOT.glob(pattern) if not set(BUILT) & set(path.relative_to(ROOT).parts)}
    return sorted(found - {HISTORY})


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """The fenced blocks of a page, or those in one language. One that never ends is an error."""
    return [block for block in _blocks(page, page.read_text().splitlines()) if language in (None, block.language)]


def _blocks(page: Path, lines: list[str]) -> Iterator[Block]:
    number = 0
    while number < len(lines):
        opened = FENCE.match(lines[number])
        if opened is None:
            if lines[number].lstrip().startswith("```"):
                raise ValueError(f"{page}:{number + 1}: this fence has more than a language: {lines[number]}")
            number += 1
            continue
        indent, language = opened.groups()
        end = lines.index(f"{indent}```", number + 1)
        mark = MARK.match(lines[number - 1]) if number else None
        text = "".join(f"{line.removeprefix(indent)}\n" for line in lines[number + 1:end])
        yield Block(page, number + 1, language, text, mark[1] if mark else "")
        number = end + 1


def prose(page: Path) -> str:
    """The page without its blocks."""
    lines = page.read_text().splitlines()
    for block in blocks(page):
        count = block.text.count("\n") + 2
        lines[block.line - 1:block.line - 1 + count] = [""] * count
    return "\n".join(lines)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and GitLab make them."""
    seen: dict[str, int] = {}
    found = set()
    for heading in re.findall(r"^#{1,6} (.+)$", prose(page), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        anchor = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = seen.get(anchor, 0)
        seen[anchor] = count + 1
        found.add(f"{anchor}-{count}" if count else anchor)
    return found


def links(page: Path) -> list[str]:
    """The targets of a page's links and images."""
    return LINK.findall(prose(page))


def quoted(page: Path) -> set[str]:
    """The texts in backticks, outside of blocks."""
    return set(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(page)))
