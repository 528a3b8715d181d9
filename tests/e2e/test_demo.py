"""Runs the demo as a user does, and checks that no process of it stays behind."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import pytest

from demo.environment import END
from demo.environment import ENVIRONMENT as ENVIRONMENT_FILE
from local import environments
from local.paths import ROOT

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KEEP"))}


class Demo:
    """A demo, started as a terminal starts it. At the end of the context, it and its servers are killed."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._output = folder / "output"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "demo"], cwd=ROOT, env=ENVIRONMENT | settings, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                # A shell that runs the tests in the background makes their children ignore SIGINT.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  no other thread runs yet
            )
        # The process groups of its servers and of their watchers.
        self.groups: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for group in self.groups | {self.process.pid}:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        self.process.wait()

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_for_servers(self, seconds: float = 120) -> None:
        """Wait until the demo prints the account. Its servers are up then."""
        end = time.monotonic() + seconds
        while "An account with a history" not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < end, self.output
            time.sleep(0.05)
        tasks = Path(f"/proc/{self.process.pid}/task")
        self.groups = {int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()}
        assert self.groups

    def wait(self, seconds: float = 300) -> str:
        """Wait until the demo ends, and return its output."""
        self.process.wait(seconds)
        return self.output


def alive(group: int) -> bool:
    """Whether a process of the group runs. Zombies do not count: in a container nobody may reap them."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = entry.read_text(errors="replace").rpartition(")")[2].split()[:3]
        except OSError:
            # The process has ended meanwhile.
            continue
        if int(its_group) == group and state not in ("Z", "X"):
            return True
    return False


def gone(groups: set[int], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while any(alive(group) for group in groups):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _first_group(pattern: str, output: str) -> str:
    match = re.search(pattern, output)
    assert match, pattern
    return match[1]


def section(output: str, heading: str) -> str:
    """The output of one step of the demo."""
    return output.partition(heading)[2].partition("\n── ")[0]


def test_every_check_of_the_demo_holds(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        output = demo.wait()
    assert demo.process.returncode == 0, output
    assert "✗" not in output
    assert output.count("✓") == 58
    for text in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_COMPLETE"):
        assert text in output
    assert "sam deploy --parameter-overrides KmsKeyId=" in output
    assert '+    "kmsKeyId": "arn:aws:kms:' in output, "a diff of the document"
    assert '"Sid": "AllowSessionManagerNodes"' in output, "the statement that admits a node's role"
    assert output.count(":role/App: kms:Decrypt: neither the key policy nor a grant admits") == 2, "refused in one account and across two"
    refused = section(output, "create-stack, while nodes are in a VPC")
    assert re.search(r"reason .*vpc-\w+", refused), "a VPC that does not reach KMS"
    drift = section(output, "Somebody's tool overwrites the whole document")
    overwrite, _, repair = drift.partition("UpdateDocument by arn:aws:sts::123456789012:assumed-role/Deploy/terraform")
    assert '-    "kmsKeyId": "arn:aws:kms:' in overwrite, "the other tool removes the key"
    assert '+    "idleSessionTimeout": 45' in overwrite
    assert '+    "kmsKeyId": "arn:aws:kms:' in repair, "and the function restores it"
    assert re.search(r"alert\s.*PendingDeletion.*\d{4}-\d{2}-\d{2}", output), "a key about to be deleted, with the date"
    assert "\033[" not in output, "colour is for terminals"
    for secret in ("cfn-response", "ResponseURL", "X-Amz-Signature"):
        assert secret not in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_is_left_when_the_demo_is_stopped(number: signal.Signals, tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        demo.wait_for_servers()
        demo.process.send_signal(number)
        output = demo.wait(60)
        assert demo.process.returncode != 0, output
        assert gone(demo.groups)


def test_keep_leaves_the_servers_up_and_says_how_to_use_and_end_them(tmp_path: Path) -> None:
    environments.ensure(("awscli",))
    with Demo(tmp_path, KEEP="1") as demo:
        demo.wait_for_servers()
        output = demo.wait()
        assert demo.process.returncode == 0, output
        ending = _first_group(rf"(?m)^{END}\(\) (.*)$", ENVIRONMENT_FILE.read_text())
        groups = {int(group) for group in re.findall(r" -(\d+)", ending)}
        assert len(groups) == 3
        assert all(alive(group) for group in groups)
        source, create, read, end = (
            _first_group(rf"(?m)^({start}.*)$", output) for start in ("source ", "aws cloudformation deploy ", "aws ssm get-document ", END)
        )
        assert "KmsKeyId=alias/session-manager" in create
        # Credentials of somebody else, which the file has to remove.
        settings = {"PATH": f"{environments.program('awscli', 'aws').parent}:{os.environ['PATH']}", "AWS_SESSION_TOKEN": "other", "AWS_PROFILE": "other"}
        used = subprocess.run(
            ["bash", "-euc", "\n".join([source, create, read, end])], cwd=ROOT, env=ENVIRONMENT | settings, capture_output=True, text=True, check=False,
        )
        assert used.returncode == 0, used.stderr
        assert '"kmsKeyId": "arn:aws:kms:' in used.stdout
        assert gone(demo.groups), "no server runs that the demo did not name"
