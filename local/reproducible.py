"""Builds programs of a release in two folders, and compares them byte for byte.

``python3 -m local.reproducible``, with any Python, builds the function for this machine, which the end-to-end tests then run.
The other folder holds a copy of the project, and has its own target folder and its own name for cargo's folder. Both builds
run at once: most of a build is the work of one core on the whole program. With `all` it does so for both programs and both
architectures.
"""

import contextlib
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from local import elf, environments
from local.commands import exit_code
from local.paths import CARGO_HOME, ROOT, TARGET, architecture
from local.release_build import ENVIRONMENT, FUNCTION, PROGRAMS, TARGETS, Place, Program, command, run
from local.sam_build import rust_target

ELSEWHERE = TARGET / "reproducible"
# What belongs to no build, in the project's folder and in any folder.
LEFT_OUT = {".git", ".aws-sam", "target"}
LEFT_OUT_ANYWHERE = {"node_modules", "__pycache__"}
# What cargo looks for in its folder. Its locks are not shared.
OF_CARGO = ("registry", "git", "config.toml", "config", "credentials.toml")


class DifferenceError(Exception):
    """Two builds of the same source differ."""


def elsewhere(root: Path = ROOT, folder: Path = ELSEWHERE, cargo_home: Path = CARGO_HOME) -> Place:
    """A copy of the project in another folder. What was built there before stays, so that only changes are built again."""
    source, cargo = folder / "copy-of-the-project", folder / "cargo"
    shutil.rmtree(source, ignore_errors=True)
    # The times of the files are kept: cargo compares them.
    shutil.copytree(root, source, symlinks=True, ignore=_left_out(root, folder))
    cargo.mkdir(parents=True, exist_ok=True)
    for name in OF_CARGO:
        link, original = cargo / name, cargo_home / name
        if original.exists() and not link.is_symlink():
            link.symlink_to(original)
    return Place(source, folder / "target", cargo)


def _left_out(root: Path, folder: Path) -> Callable[[str, list[str]], set[str]]:
    """What of each folder is not copied: what belongs to no build, and the folders of builds."""
    builds = {TARGET, folder}

    def of(path: str, names: list[str]) -> set[str]:
        names_of_builds = {build.name for build in builds if build.parent == Path(path)}
        return names_of_builds | LEFT_OUT_ANYWHERE | (LEFT_OUT if Path(path) == root else set())

    return of


def compare(one: Path, other: Path) -> None:
    """Fail if two builds of a program differ, and say where."""
    differing = elf.difference(one.read_bytes(), other.read_bytes())
    if differing:
        raise DifferenceError(f"the builds differ: {one} and {other}\n{differing}")


def build_twice(programs: Iterable[tuple[Program, str]]) -> list[Path]:
    """Build programs here and elsewhere, and compare them. Return the files that were built here."""
    environments.ensure((ENVIRONMENT,))
    here, there = Place(), elsewhere()
    built = []
    for program, name in programs:
        started = time.monotonic()
        # Two processes of cargo must not unpack the same crates.
        run(["cargo", "fetch", "--locked", "--target", TARGETS[name]])
        arguments, log = command(program, name), there.target.with_suffix(".log")
        print(f"  {shlex.join(arguments)}  (here, and in {there.root})", flush=True)
        with log.open("wb") as output:
            second = subprocess.Popen(
                arguments, cwd=there.root, env=there.variables(), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )
            try:
                subprocess.run(arguments, cwd=here.root, env=here.variables(), stdin=subprocess.DEVNULL, check=True)
                if second.wait() != 0:
                    raise DifferenceError(f"the build in {there.root} failed:\n{log.read_text()[-4000:]}")
            finally:
                if second.poll() is None:
                    second.terminate()
                    second.wait()
        compare(here.binary(program, name), there.binary(program, name))
        print(f"  {program.name} for {name} is the same in both folders, after {time.monotonic() - started:.0f} s", flush=True)
        built.append(here.binary(program, name))
    return built


def main(arguments: list[str]) -> int:
    return exit_code(build_everything_twice if arguments == ["all"] else lambda: build_twice([(FUNCTION, architecture())]), DifferenceError)


def build_everything_twice() -> None:
    """Build both programs for both architectures in two folders."""
    with contextlib.ExitStack() as targets:
        for target in TARGETS.values():
            targets.enter_context(rust_target(target))
        build_twice((program, name) for name in TARGETS for program in PROGRAMS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
