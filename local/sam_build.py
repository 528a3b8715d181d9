"""``make package``: builds a template and its function for ``sam deploy``, shows what cargo does, and says what to run next.

``python3 -m local.sam_build ARCHITECTURE TEMPLATE``, with any Python. SAM starts cargo-lambda too, but keeps its output to
itself. So cargo-lambda runs first, with the options that SAM gives it, and SAM then finds everything built.

cargo-lambda adds the Rust target of the architecture to the user's toolchain if it is not there. Here that is said, and what
was added is removed at the end.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from local import environments
from local.commands import exit_code
from local.paths import AUDIT_TEMPLATE, BINARY_NAME, KEY_ACCESS_TEMPLATE, ROOT, TEMPLATE, release_flags
from local.release_build import TARGETS

# The options of cargo-lambda as SAM gives them, besides the function's name.
OPTIONS = {"arm64": ["--release", "--arm64"], "x86_64": ["--release"]}
# The environment of samconfig.toml for each template, as options of sam.
AUDIT = str(AUDIT_TEMPLATE.relative_to(ROOT))
CONFIGURATIONS: dict[str, list[str]] = {
    TEMPLATE.name: [], KEY_ACCESS_TEMPLATE.name: ["--config-env", "key-access"], AUDIT: ["--config-env", "audit"],
}
# What a first deployment has to say.
PARAMETERS = {
    TEMPLATE.name: ["KmsKeyId=<key ARN, or alias/...>"],
    KEY_ACCESS_TEMPLATE.name: ["KeyArn=<key ARN>", "ConsumerAccounts=<account ids>", "ReaderArns=<ARNs of the function roles>"],
    AUDIT: ["Regions=<Regions, or enabled>", "ExternalId=<a text of your own>"],
}
# The environment variable from which cargo-lambda and this module take the name of rustup.
RUSTUP = "RUSTUP"


def main(arguments: list[str]) -> int:
    architecture, template = (*arguments, "", "")[:2]
    if architecture not in TARGETS or template not in CONFIGURATIONS:
        print(f"usage: make package ARCHITECTURE={'|'.join(TARGETS)} TEMPLATE={'|'.join(CONFIGURATIONS)}", file=sys.stderr)
        return 2
    return exit_code(lambda: package(architecture, template))


def package(architecture: str, template: str) -> None:
    """Build everything, and say how to deploy it."""
    environments.ensure(("cargo-lambda", "sam"))
    with rust_target(TARGETS[architecture]):
        build(architecture, template)
    print(next_steps(architecture, template), flush=True)


def build(architecture: str, template: str) -> None:
    """Build the function by cargo-lambda, and then the template by SAM."""
    print(f"Building the function for {architecture} (the first time takes some 12 minutes on two cores)", flush=True)
    _run(["cargo", "lambda", "build", *OPTIONS[architecture], "--bin", BINARY_NAME], variables())
    print(f"Building {template}", flush=True)
    sam = str(environments.program("sam", "sam"))
    _run([sam, "build", *CONFIGURATIONS[template], "--parameter-overrides", f"Architecture={architecture}"], variables())


@contextlib.contextmanager
def rust_target(target: str) -> Iterator[None]:
    """Give the active toolchain of rustup a target, and take it away at the end if it was not there before.

    Without rustup nothing is done: a toolchain of a distribution has the targets that it has.
    """
    rustup = shutil.which(os.environ.get(RUSTUP, "rustup"))
    if rustup is None or target in _installed(rustup):
        yield
        return
    print(f"Adding the target {target} to the active toolchain of rustup for this build", flush=True)
    try:
        _run([rustup, "target", "add", target])
        yield
    finally:
        print(f"Removing the target {target} again. To keep it for later builds: rustup target add {target}", flush=True)
        _run([rustup, "target", "remove", target])


def variables() -> dict[str, str]:
    """The variables of this process, with cargo-lambda in PATH and the flags of a release."""
    path = os.pathsep.join([str(environments.program("cargo-lambda", "cargo-lambda").parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "RUSTFLAGS": release_flags(), "SAM_CLI_TELEMETRY": "0"}


def next_steps(architecture: str, template: str) -> str:
    """Where the programs are, and the commands that deploy what was built."""
    sam, cargo_lambda = (_shown(environments.program(name, name)) for name in ("sam", "cargo-lambda"))
    given = [*PARAMETERS[template], *([f"Architecture={architecture}"] if architecture != "arm64" else [])]
    deploy = " ".join([sam, "deploy", *CONFIGURATIONS[template], "--parameter-overrides", *(f"'{value}'" if " " in value else value for value in given)])
    return "\n".join([
        "",
        f"sam           {sam}",
        f"cargo-lambda  {cargo_lambda}  (call it as `cargo lambda`, with its folder in PATH)",
        "",
        "To deploy what was built, with the name and the options of samconfig.toml:",
        f"  {deploy}",
        "To call both programs without their paths in this shell:",
        f'  export PATH="{Path(sam).absolute().parent}:{Path(cargo_lambda).absolute().parent}:$PATH"',
    ])


def _installed(rustup: str) -> list[str]:
    command = [rustup, "target", "list", "--installed"]
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> None:
    subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=True)


def _shown(program: Path) -> str:
    """A program's path from the project's folder if it is in it."""
    return str(program.relative_to(ROOT)) if program.is_relative_to(ROOT) else str(program)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
