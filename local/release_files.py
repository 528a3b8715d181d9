"""``make release``: makes the files of a release in ``target/release-files/VERSION``, and what StackSets take in ``target/deploy``.

``python3 -m local.release_files [ARCHITECTURE] [check]``, with any Python. Without an architecture it makes both. With `check`
it builds each program once more in another folder, and fails if the two differ. docs/release.md says what the files are.
"""

import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zlib
from pathlib import Path

from local import archives, elf, environments, notices, sbom
from local.commands import exit_code
from local.package import archive
from local.paths import CARGO_HOME, REQUIREMENTS, ROOT, TARGET
from local.paths import architecture as own_architecture
from local.release import RELEASE, ReleaseError, write_code
from local.release_build import COMMAND_LINE, ENVIRONMENT, FUNCTION, PROGRAMS, TARGETS, Place, build
from local.reproducible import DifferenceError, build_twice
from local.sam_build import rust_target

FILES = TARGET / "release-files"
# The templates that need no build, beside the plain one of the function.
TEMPLATES = tuple(ROOT / "deploy" / name for name in ("audit-role.yaml", "code-bucket.yaml", "key-events.yaml", "stackset.yaml"))
SCHEMAS = ROOT / "schemas"
SHELLS = {"bash": "session-kms.bash", "zsh": "_session-kms", "fish": "session-kms.fish"}
# Where cargo-deny keeps the databases that it has fetched.
ADVISORIES = CARGO_HOME / "advisory-dbs"
USAGE = f"usage: make release [ARCHITECTURE={'|'.join(TARGETS)}] [CHECK=1]"


def main(arguments: list[str]) -> int:
    check = "check" in arguments
    named = [argument for argument in arguments if argument != "check"]
    if not set(named) <= set(TARGETS):
        print(USAGE, file=sys.stderr)
        return 2
    architectures = named or list(TARGETS)
    return exit_code(lambda: make(architectures, check), DifferenceError, ReleaseError, elf.ElfError, notices.NoticeError)


def make(architectures: list[str], check: bool) -> None:
    """Make a release, and show what is in it."""
    environments.ensure((ENVIRONMENT, "cargo-deny", "cyclonedx", "sam"))
    print(advisories(), flush=True)
    folder = release(architectures, check)
    print(f"\nThe release is in {os.path.relpath(folder, ROOT)}:\n", flush=True)
    print((folder / "SHA256SUMS").read_text(), flush=True)


def version() -> str:
    """The version of this project."""
    return str(tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"])


def advisories(database: Path = ADVISORIES) -> str:
    """Check the dependencies for known vulnerabilities if there is a database of them, and say whether they were checked."""
    if not database.is_dir() or not any(database.iterdir()):
        return f"Vulnerable versions: not checked, because there is no advisory database in {database} (`cargo deny fetch db` gets it)"
    program = str(environments.program("cargo-deny", "cargo-deny"))
    subprocess.run([program, "--locked", "check", "--disable-fetch", "advisories"], cwd=ROOT, stdin=subprocess.DEVNULL, check=True)
    return "Vulnerable versions: checked by cargo-deny, none found"


def release(architectures: list[str], check: bool) -> Path:
    """Build everything, and write the files of the release."""
    if notices.NOTICES.read_text() != notices.notices():
        raise ReleaseError("THIRD_PARTY_NOTICES is not up to date: run `make notices`, read the changes and commit them")
    with contextlib.ExitStack() as targets:
        for architecture in architectures:
            targets.enter_context(rust_target(TARGETS[architecture]))
        for architecture in architectures:
            print(f"Building for {architecture} (the first time takes some 15 minutes on two cores)", flush=True)
            if check:
                build_twice([(program, architecture) for program in PROGRAMS])
            else:
                for program in PROGRAMS:
                    build(program, architecture)
        shared = shared_files(command_line(architectures))
    return write(architectures, shared)


def write(architectures: list[str], shared: dict[str, bytes], place: Place | None = None, files: Path = FILES, deploy: Path = RELEASE) -> Path:
    """Write the files of a release from the programs that were built in a place."""
    place = place or Place()
    folder = files / version()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    contents = {path.name: path.read_bytes() for path in (*TEMPLATES, ROOT / "LICENSE", notices.NOTICES)}
    contents["toolchain.txt"] = toolchain().encode()
    contents |= {name: content for name, content in shared.items() if name.startswith("schemas/")}
    template = plain_template(deploy)
    contents["template.json"] = template.read_bytes()
    for architecture in architectures:
        contents |= artefacts(architecture, shared, place)
        print(f"code      {os.path.relpath(write_code(architecture, contents[f'function-{architecture}.zip'], deploy), ROOT)}")
    print(f"template  {os.path.relpath(template, ROOT)}")
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    bills = sorted(str(path) for path in folder.glob("*.cdx.json"))
    subprocess.run([environments.program("cyclonedx", "python"), "-m", "local.sbom", *bills], cwd=ROOT, stdin=subprocess.DEVNULL, check=True)
    (folder / "SHA256SUMS").write_text(archives.sums(folder))
    return folder


def artefacts(architecture: str, shared: dict[str, bytes], place: Place) -> dict[str, bytes]:
    """The archives of both programs, and a bill of materials for each."""
    for program in PROGRAMS:
        try:
            found = elf.check(place.binary(program, architecture).read_bytes(), architecture)
        except elf.ElfError as error:
            raise ReleaseError(f"{place.binary(program, architecture)}: {error}") from error
        print(f"{program.name} for {architecture} needs glibc {found[0]}.{found[1]}", flush=True)
    name = f"session-kms-{version()}-{TARGETS[architecture]}"
    of_command_line = shared | {
        "session-kms": place.binary(COMMAND_LINE, architecture).read_bytes(),
        "LICENSE": (ROOT / "LICENSE").read_bytes(), notices.NOTICES.name: notices.NOTICES.read_bytes(),
    }
    made = {
        (FUNCTION, f"function-{architecture}.zip"): archive(place.binary(FUNCTION, architecture)),
        (COMMAND_LINE, f"{name}.tar.gz"): archives.tar(name, of_command_line, frozenset({"session-kms"})),
    }
    contents = {}
    for (program, file), content in made.items():
        contents[file] = content
        artefact = sbom.Artefact(file, hashlib.sha256(content).hexdigest(), version(), program, architecture)
        contents[f"{file}.cdx.json"] = sbom.text(sbom.bill(artefact))
    return contents


def command_line(architectures: list[str]) -> list[str]:
    """A command that starts the command line on this machine. What it writes does not depend on the machine."""
    own = own_architecture()
    if own in architectures and sys.platform == "linux":
        return [str(Place().binary(COMMAND_LINE, own))]
    return ["cargo", "run", "--locked", "--quiet", "--bin", COMMAND_LINE.name, "--"]


def shared_files(program: list[str], schemas: Path = SCHEMAS) -> dict[str, bytes]:
    """The files that are the same for each architecture: completions and man pages, as the command line writes them, and schemas."""
    files = {f"completions/{name}": _output([*program, "completions", shell]) for shell, name in SHELLS.items()}
    with tempfile.TemporaryDirectory() as folder:
        _output([*program, "man", folder])
        files |= {f"man/man1/{path.name}": path.read_bytes() for path in sorted(Path(folder).rglob("*.1"))}
    files |= {f"schemas/{path.name}": path.read_bytes() for path in sorted(schemas.glob("*.schema.json"))}
    missing = [kind for kind in ("completions", "man", "schemas") if not any(name.startswith(f"{kind}/") for name in files)]
    if missing:
        raise ReleaseError(f"the release would have no {' and no '.join(missing)}")
    return files


def plain_template(folder: Path) -> Path:
    """The template without SAM's transform, which only SAM's environment has."""
    python = environments.program("sam", "python")
    written = subprocess.run([python, "-m", "local.release", folder], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
    return Path(written.stdout.strip())


def toolchain() -> str:
    """What built the release. With the same versions, the same source gives the same files."""
    pinned = [line for line in (REQUIREMENTS / f"{ENVIRONMENT}.txt").read_text().splitlines() if line.startswith(("cargo-zigbuild", "ziglang"))]
    compiler = _output(["rustc", "--version"]).decode().strip()
    return "\n".join([compiler, *pinned, f"Python {platform.python_version()}", f"zlib {zlib.ZLIB_RUNTIME_VERSION}", ""])


def _output(command: list[str]) -> bytes:
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
