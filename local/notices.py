"""Writes THIRD_PARTY_NOTICES: the licences of everything that the programs of a release are linked from.

``python3 -m local.notices``, with any Python. The texts are those in the source of each crate. A text that several crates
have stands there once, and the terms of the Apache License stand there once for all. ``local/notices_by_hand/`` has what no
crate brings.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from local import crates
from local.crates import Crate
from local.paths import ROOT
from local.release_build import COMMAND_LINE, FUNCTION, PROGRAMS, TARGETS, Program

NOTICES = ROOT / "THIRD_PARTY_NOTICES"
BY_HAND = ROOT / "local" / "notices_by_hand"
# Names of files with a licence, a notice or a copyright.
FILE = re.compile(r"^(licen[sc]e|copying|copyright|notice|unlicense)(?![a-z])", re.IGNORECASE)
NO_TEXTS = (".rs", ".html")
# The terms of the Apache License, and what follows them: how to apply it, at times with the copyright of the crate.
APACHE = re.compile(r"^\s*Apache License\s+Version 2\.0, January 2004\b(?:.*?END OF TERMS AND CONDITIONS(?P<rest>.*)|.*)$", re.DOTALL)
COPYRIGHT = re.compile(r"^ *(Copyright (?!\[|\{|notice|owner|license).+?) *$", re.MULTILINE)
LINE = "=" * 100


class NoticeError(Exception):
    """The licence of a part is not known."""


class Part(NamedTuple):
    """Something other than a crate that is linked in, and the file with its licence."""

    name: str
    licence: str
    file: str


PARTS = (
    Part("the standard library of Rust, and the crates in it", "(MIT OR Apache-2.0) AND Unicode-3.0", "rust-standard-library.txt"),
    Part("libunwind of LLVM, from Zig", "Apache-2.0 WITH LLVM-exception", "llvm-libunwind.txt"),
    Part("the runtime of Zig's compiler", "MIT", "zig-compiler-runtime.txt"),
)
INTRODUCTION = """\
Third-party notices of session-kms

The function (session-kms-lambda) and the command line (session-kms) are linked from the parts below, beside their own code,
which is under the Apache License 2.0 (file LICENSE). `python3 -m local.notices` writes this file from the source of each
part. Where a part offers a choice of licences, its texts follow all the same, and Apache-2.0 is chosen if it is one of them.
"""


def notices() -> str:
    """The content of the file."""
    found = {program: _third_parties(program) for program in PROGRAMS}
    everything = found[FUNCTION] | found[COMMAND_LINE]
    table = [f"  {part.name}: {part.licence}" for part in PARTS]
    rows = [f"  {crate}: {licence}" for crate, licence in sorted(everything.items()) if crate in found[FUNCTION]]
    only = [f"  {crate}: {licence}" for crate, licence in sorted(everything.items()) if crate not in found[FUNCTION]]
    sections = [
        INTRODUCTION, "In both programs:\n\n" + "\n".join(table + rows) + "\n",
        "In the command line only:\n\n" + "\n".join(only) + "\n", *_texts(everything),
    ]
    return f"\n{LINE}\n\n".join(sections)


def _third_parties(program: Program) -> dict[Crate, str]:
    """The crates of a program that are not of this project, for all architectures, with their licences."""
    known = crates.checksums()
    return {
        crate: licence
        for target in TARGETS.values()
        for crate, licence in crates.linked(program, target).licences.items()
        if crate in known
    }


def _texts(everything: dict[Crate, str]) -> Iterator[str]:
    """Each licence text once, after the names of what is under it."""
    folders = {crate: folder for target in TARGETS.values() for crate, folder in crates.folders(target).items()}
    apache: dict[str, list[str]] = {}
    users: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for part in PARTS:
        _add(users, texts, (BY_HAND / part.file).read_text(), part.name)
    for crate, licence in sorted(everything.items()):
        content = list(_files(crate, folders[crate]))
        if not content and not re.search(r"\bApache-2\.0\b(?! WITH)", licence):
            raise NoticeError(f"`{crate}` is under {licence} and has no text of it: add local/notices_by_hand/{crate.name}.txt")
        if not content:
            apache[str(crate)] = []
        for text in content:
            terms = APACHE.match(text)
            if terms:
                apache.setdefault(str(crate), []).extend(COPYRIGHT.findall(terms["rest"] or ""))
            else:
                _add(users, texts, text, str(crate))
    copyrights = sorted({line for lines in apache.values() for line in lines})
    held = "".join(f"\n{line}" for line in copyrights)
    yield f"{_wrapped(sorted(apache))}\n\nThe terms of the Apache License 2.0 are in the file LICENSE. Copyrights that these name:\n{held}\n"
    for key in sorted(users, key=lambda key: users[key][0].lower()):
        yield f"{_wrapped(users[key])}\n\n{texts[key]}\n"


def _add(users: dict[str, list[str]], texts: dict[str, str], text: str, user: str) -> None:
    """Note that something is under a text. Texts that differ only in spaces are one."""
    key = " ".join(text.split())
    texts.setdefault(key, text)
    known = users.setdefault(key, [])
    if user not in known:
        known.append(user)


def _files(crate: Crate, folder: Path) -> Iterator[str]:
    """The texts of licences in a crate's source, or the one that was added by hand."""
    found = False
    for path in sorted(folder.rglob("*")):
        if FILE.match(path.name) and path.suffix not in NO_TEXTS and path.is_file():
            found = True
            yield _tidy(path.read_text(encoding="utf-8", errors="replace"))
    by_hand = BY_HAND / f"{crate.name}.txt"
    if not found and by_hand.exists():
        yield _tidy(by_hand.read_text())


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\f", "").lstrip("\ufeff").splitlines()).strip("\n")


def _wrapped(names: list[str]) -> str:
    lines = [""]
    for name in names:
        if lines[-1] and len(lines[-1]) + len(name) + 2 > len(LINE):
            lines.append("")
        lines[-1] += f"{', ' if lines[-1] else ''}{name}"
    return ",\n".join(lines) + ":"


def main() -> int:
    try:
        NOTICES.write_text(notices())
    except (NoticeError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
