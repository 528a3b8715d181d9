"""How the programs of a release are built: by cargo-zigbuild, so that the machine's linker and C library have no part in them.

The same source gives the same bytes in every folder, for which ``release_flags`` takes the machine's folders out of the code.
``local/reproducible.py`` builds twice and compares.
"""

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local import environments
from local.elf import GLIBC
from local.paths import BINARY_NAME, CARGO_HOME, ROOT, TARGET, release_flags

# The target of Rust for each architecture of Lambda.
TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
# The Python environment that has cargo-zigbuild and zig.
ENVIRONMENT = "cargo-lambda"


@dataclass(frozen=True)
class Program:
    """A program of a release, and the options of cargo for it."""

    name: str
    features: tuple[str, ...]
    profile: str


FUNCTION = Program(BINARY_NAME, ("--no-default-features",), "release")
COMMAND_LINE = Program("session-kms", ("--features", "sso"), "fast")
PROGRAMS = (FUNCTION, COMMAND_LINE)


@dataclass(frozen=True)
class Place:
    """The folders of a build. They have no influence on what is built."""

    root: Path = ROOT
    target: Path = TARGET
    cargo_home: Path = CARGO_HOME

    def binary(self, program: Program, architecture: str) -> Path:
        """Where a program is after it was built here."""
        return self.target / TARGETS[architecture] / program.profile / program.name

    def variables(self) -> dict[str, str]:
        """The variables of this process, with cargo-zigbuild and zig in PATH and the flags of a release."""
        path = os.pathsep.join([str(environments.program(ENVIRONMENT, "cargo-zigbuild").parent), os.environ.get("PATH", os.defpath)])
        return {
            **os.environ, "PATH": path, "CARGO_HOME": str(self.cargo_home), "CARGO_TARGET_DIR": str(self.target),
            "RUSTFLAGS": release_flags(self.root, self.target, self.cargo_home),
        }


def command(program: Program, architecture: str) -> list[str]:
    """The command that builds a program, linked against the glibc of Lambda."""
    target = f"{TARGETS[architecture]}.{GLIBC[0]}.{GLIBC[1]}"
    return ["cargo", "zigbuild", "--locked", "--profile", program.profile, *program.features, "--bin", program.name, "--target", target]


def build(program: Program, architecture: str, place: Place | None = None) -> Path:
    """Build a program, and return its file. The output of cargo is shown."""
    place = place or Place()
    environments.ensure((ENVIRONMENT,))
    run(command(program, architecture), place.root, place.variables())
    return place.binary(program, architecture)


def run(arguments: list[str], folder: Path = ROOT, variables: Mapping[str, str] | None = None) -> None:
    """Show a command and run it."""
    print(f"  {shlex.join(arguments)}", flush=True)
    subprocess.run(arguments, cwd=folder, env=variables, stdin=subprocess.DEVNULL, check=True)
