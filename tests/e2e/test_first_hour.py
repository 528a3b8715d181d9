"""Runs the commands of "The first hour" in the README, as they stand there and in their order.

The clone is this project, and its release build is not built again. Everything else happens as for a reader: the demo leaves
its local AWS up, the aws CLI and the command line use it by the file that the demo writes, and the last command ends it.
"""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.environment import END, ENVIRONMENT
from local import environments, seed
from local.paths import BINARY, ROOT, TARGET
from tests.e2e.browser import Browser
from tests.e2e.test_demo import gone
from tests.e2e.test_report import matrix

SECTION = "The first hour"
MARK = "=== end of block"
SECONDS = 1200
# Variables that could lead a command to an AWS account, and a setting of the demo.
FOREIGN = ("AWS_", "KEEP")


def blocks(text: str) -> list[str]:
    """The commands of the section: its blocks of ``sh``."""
    section = text.partition(f"\n## {SECTION}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@dataclass
class Hour:
    """What the commands of each block printed, and the report that they wrote."""

    outputs: list[str]
    report: Path
    # Leaders of the process groups of the local AWS.
    groups: list[int]

    @property
    def key(self) -> str:
        """The key that the first status names."""
        key, = self.keys(1)
        return key

    def keys(self, block: int) -> list[str]:
        """What the reports of a block say of the key."""
        return re.findall(r"(?m)^ *key +(\S.*)$", self.outputs[block])


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hour]:
    environments.ensure(("awscli",))
    folder = tmp_path_factory.mktemp("hour")
    script = folder / "hour.sh"
    commands = "".join(f"{block}echo '{MARK}'\n" for block in blocks((ROOT / "README.md").read_text()))
    if ROOT / "target" != TARGET:
        # CARGO_TARGET_DIR names another folder.
        commands = commands.replace("source target/", f"source {TARGET}/")
    script.write_text(commands)
    own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    path = os.pathsep.join([str(environments.program("awscli", "aws").parent), str(TARGET / "debug"), own.get("PATH", os.defpath)])
    settings = {
        "PATH": path, "TMPDIR": str(folder), "SESSION_KMS_LAMBDA": str(BINARY),
        # No profile of whoever runs the tests.
        "AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
    }
    before = ENVIRONMENT.read_text() if ENVIRONMENT.exists() else None
    groups: list[int] = []
    try:
        result = subprocess.run(
            ["bash", "-eu", str(script)], cwd=ROOT, env=own | settings, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False,
        )
        groups = _groups(before)
        assert result.returncode == 0, result.stdout
        report, = folder.glob("tmp*/report.html")
        yield Hour(result.stdout.split(f"{MARK}\n"), report, groups)
    finally:
        for group in groups or _groups(before):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        if before is None:
            ENVIRONMENT.unlink(missing_ok=True)
        else:
            ENVIRONMENT.write_text(before)


def _groups(before: str | None) -> list[int]:
    """The process groups in the file that the demo has written, if it has."""
    text = ENVIRONMENT.read_text() if ENVIRONMENT.exists() else ""
    if text == (before or ""):
        return []
    ending, = re.findall(rf"(?m)^{END}\(\) .*$", text)
    return [int(group) for group in re.findall(r" -(\d+)", ending)]


def test_the_section_has_the_steps_of_a_first_hour() -> None:
    found = blocks((ROOT / "README.md").read_text())
    steps = [
        "KEEP=1 make demo", "deploy KmsKeyId=alias/session-manager", "put-key-policy", "describe-stack-events", "--policy mended.json",
        "session-kms release",
    ]
    assert len(found) == len(steps)
    for step, block in zip(steps, found, strict=True):
        assert step in block


def test_the_stack_sets_the_key(hour: Hour) -> None:
    assert "Successfully created/updated stack - session-kms" in hour.outputs[1]
    assert hour.key.startswith("arn:aws:kms:eu-west-1:123456789012:key/")


def test_a_key_that_forgets_the_nodes_is_refused_and_the_first_one_stays(hour: Hour) -> None:
    assert "\nrefused\n" in hour.outputs[2]
    assert hour.keys(2) == [hour.key]


def test_the_refusal_names_who_would_be_locked_out_with_the_statement_and_the_command_for_the_report(hour: Hour) -> None:
    refusal = next(line for line in hour.outputs[3].splitlines() if "kms:Decrypt" in line)
    assert f"{seed.role_arn(seed.NODE_ROLE)}: kms:Decrypt" in refusal
    statement, = seed.statements_of(refusal)
    assert statement["Principal"] == {"AWS": [seed.role_arn(seed.NODE_ROLE)]}
    assert "session-kms check --key arn:aws:kms:" in refusal
    assert "✘" in hour.outputs[3]
    assert "exit code 1" in hour.outputs[3]


def test_the_statement_mends_the_policy(hour: Hour) -> None:
    offline, _, deployed = hour.outputs[4].partition("Waiting for changeset")
    assert "nothing was asked of AWS" in offline
    assert "✘" not in offline
    assert "Successfully created/updated stack - session-kms" in deployed


def test_the_report_opens_in_a_browser_and_shows_that_everybody_can_use_the_key(hour: Hour, tmp_path: Path) -> None:
    browser = Browser(tmp_path / "profile")
    try:
        browser.open(hour.report.as_uri())
        verdict = browser.evaluate("document.querySelector('.banner').className")
        rows = matrix(browser)
        problems = browser.problems()
    finally:
        browser.close()
    user, node = rows[seed.role_arn(seed.USER_ROLE)], rows[seed.role_arn(seed.NODE_ROLE)]
    assert ("pass" in user[0], "pass" in node[1]) == (True, True), rows
    assert verdict == "banner pass"
    assert not problems


def test_the_document_is_given_back_and_nothing_is_left(hour: Hour) -> None:
    keys = hour.keys(5)
    assert hour.key in keys, "the command line sets the key"
    assert not keys[-1].startswith("arn:"), "and gives the document back as it was"
    assert "nobody" in hour.outputs[5].rpartition("owner")[2]
    assert len(hour.groups) == 3
    assert gone(set(hour.groups)), "the local AWS has ended"
