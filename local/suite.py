"""``make test``: every check of the project, one after the other, with a summary at the end.

A step that fails, or whose program is not there, does not keep the others from running, but for those that need
what it makes.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

from local import environments
from local.paths import BINARY_NAME, ROOT

END_TO_END = ["-m", "pytest", "-c", "tests/e2e/pytest.ini", "--rootdir", ".", "tests/e2e", "--durations=10"]


@dataclass(frozen=True)
class Step:
    """One check: its name, its command, and the steps that must have passed before."""

    name: str
    command: list[str]
    needs: tuple[str, ...] = ()


def steps() -> list[Step]:
    client = str(environments.program("client", "python"))
    return [
        Step("formatting", ["cargo", "fmt", "--all", "--check"]),
        Step("Python environments", [sys.executable, "-m", "local", "all"]),
        Step("browser", [sys.executable, "-m", "local.browser"]),
        Step("lints", ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        Step("unit, property and component tests", ["cargo", "test", "--locked", "--workspace", "--no-fail-fast"]),
        Step("release build", ["cargo", "build", "--release", "--locked", "--bin", BINARY_NAME]),
        # The validators of the template are among them.
        Step("end-to-end tests and validators", [client, *END_TO_END], needs=("Python environments", "release build")),
    ]


def main() -> int:
    results: dict[str, tuple[str, float]] = {}
    for step in steps():
        print(f"\n==> {step.name}: {' '.join(step.command)}", flush=True)
        missing = [needed for needed in step.needs if results[needed][0] != "passed"]
        if missing:
            print(f"not run: {' and '.join(missing)} failed", flush=True)
            results[step.name] = ("failed", 0)
            continue
        started = time.monotonic()
        results[step.name] = ("passed" if _passes(step.command) else "failed", time.monotonic() - started)
    return _summary(results)


def _passes(command: list[str]) -> bool:
    try:
        return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, env=_environment(), check=False).returncode == 0
    except OSError as error:
        # The program is not there, or may not be run.
        print(f"cannot be run: {error}", flush=True)
        return False


def _environment() -> dict:
    """Ours without what would lead tests to somebody's account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {"PYTHONDONTWRITEBYTECODE": "1"}


def _summary(results: dict[str, tuple[str, float]]) -> int:
    print("\n==> summary", flush=True)
    for name, (result, seconds) in results.items():
        print(f"  {result}  {seconds:5.0f} s  {name}")
    failed = sum(1 for result, _ in results.values() if result == "failed")
    print(f"  {len(results) - failed} of {len(results)} steps passed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
