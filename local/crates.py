"""The crates that are linked into the programs of a release, as cargo tree resolves them."""

import functools
import json
import re
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from local.paths import ROOT
from local.release_build import Program

LINE = re.compile(r"^(?P<depth>\d+)\|(?P<name>\S+) v(?P<version>\S+)[^|]*\|(?P<licence>.*?)(?: \(\*\))?$")


class Crate(NamedTuple):
    """A crate by its name and version. cargo knows no two of these with different content."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Linked:
    """The crates of one program, the program's own package first."""

    root: Crate
    licences: Mapping[Crate, str]
    # What each crate depends on.
    uses: Mapping[Crate, frozenset[Crate]]


@functools.cache
def linked(program: Program, target: str) -> Linked:
    """The crates that cargo links into a program for a target. Those that run only while it is built are left out."""
    command = [
        "cargo", "tree", "--locked", "--edges", "normal,no-proc-macro", *program.features, "--target", target,
        "--prefix", "depth", "--format", "|{p}|{l}",
    ]
    licences: dict[Crate, str] = {}
    uses: dict[Crate, set[Crate]] = {}
    above: list[Crate] = []
    for line in _output(command).splitlines():
        found = LINE.match(line)
        if not found:
            raise ValueError(f"a line of cargo tree is not as expected: {line}")
        crate, depth = Crate(found["name"], found["version"]), int(found["depth"])
        licences[crate] = expression(found["licence"])
        uses.setdefault(crate, set())
        # A dependency is one level below the crate that uses it.
        above[depth:] = [crate]
        if depth:
            uses[above[depth - 1]].add(crate)
    return Linked(above[0], licences, {crate: frozenset(used) for crate, used in uses.items()})


def expression(licence: str) -> str:
    """A licence as an SPDX expression. Older crates separate alternatives by a slash."""
    return " OR ".join(part.strip() for part in licence.split("/"))


@functools.cache
def checksums() -> Mapping[Crate, str]:
    """The SHA-256 of the archive of each crate of the registry, by Cargo.lock."""
    packages = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    return {Crate(package["name"], package["version"]): package["checksum"] for package in packages if "checksum" in package}


@functools.cache
def folders(target: str) -> Mapping[Crate, Path]:
    """Where the source of each crate for a target is on this machine."""
    metadata: dict[str, Any] = json.loads(_output(["cargo", "metadata", "--locked", "--format-version", "1", "--all-features", "--filter-platform", target]))
    return {Crate(package["name"], package["version"]): Path(package["manifest_path"]).parent for package in metadata["packages"]}


def _output(command: list[str]) -> str:
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout
