"""The demo as a user runs it, and that nothing of it stays behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.paths import ROOT

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KEEP"))}


# What the demo says to do with the aws CLI, by the library beneath it.
CREATE = """
import sys, boto3
stacks = boto3.client("cloudformation")
stacks.create_stack(
    StackName="again", TemplateURL=sys.argv[1], Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    Parameters=[dict(zip(("ParameterKey", "ParameterValue"), given.split("=", 1))) for given in sys.argv[2:]],
)
stacks.get_waiter("stack_create_complete").wait(StackName="again", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
print(stacks.describe_stacks(StackName="again")["Stacks"][0]["StackStatus"])
"""


def start(**settings) -> subprocess.Popen:
    """A demo as a terminal starts it: where the suite runs in a shell's background, its children ignore SIGINT."""
    return subprocess.Popen(
        [sys.executable, "-m", "demo"], cwd=ROOT, env=ENVIRONMENT | settings, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def servers_of(demo: subprocess.Popen) -> set[int]:
    """The process groups of the servers that a running demo started."""
    tasks = Path(f"/proc/{demo.pid}/task")
    return {int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()}


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
        return True
    except ProcessLookupError:
        return False


def gone(groups: set[int], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while any(alive(group) for group in groups):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_the_demo_tells_its_story_and_ends_well():
    demo = start()
    output, _ = demo.communicate(timeout=300)
    assert demo.returncode == 0, output
    assert "✗" not in output
    assert output.count("✓") >= 42
    for said in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_COMPLETE", "sam build && sam deploy --guided"):
        assert said in output
    assert '+    "kmsKeyId": "arn:aws:kms:' in output, "a diff of the document"
    assert '"Sid": "AllowSessionManagerNodes"' in output, "the statement that lets a node's role in"
    assert output.count(":role/App: kms:Decrypt: neither the key policy nor a grant admits") == 2, "refused in one account and across two"
    assert '-    "kmsKeyId": "arn:aws:kms:' in output, "the rival takes the key away"
    assert '+    "idleSessionTimeout": 45' in output
    assert output.count("UpdateDocument by arn:aws:sts::123456789012:assumed-role/Deploy/terraform") >= 1
    assert re.search(r"alert\s.*PendingDeletion.*\d{4}-\d{2}-\d{2}", output), "a key about to be deleted, with the date"
    assert "\033[" not in output, "colour is for terminals"
    for secret in ("cfn-response", "ResponseURL", "X-Amz-Signature"):
        assert secret not in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_is_left_when_the_demo_is_stopped(number):
    demo = start()
    # Its servers are up when it shows the account.
    for line in demo.stdout:
        if "An account with a history" in line:
            break
    groups = servers_of(demo)
    assert groups
    demo.send_signal(number)
    demo.communicate(timeout=60)
    assert demo.returncode != 0
    assert gone(groups)


def test_keep_leaves_the_servers_up_and_says_how_to_end_them():
    demo = start(KEEP="1")
    output, _ = demo.communicate(timeout=300)
    groups = {int(group) for group in re.findall(r"-(\d+)", re.search(r"^kill -- (.*)$", output, re.MULTILINE)[1])}
    try:
        assert demo.returncode == 0, output
        assert len(groups) == 3
        assert all(alive(group) for group in groups)
        settings = dict(line.removeprefix("export ").split("=", 1) for line in output.splitlines() if line.startswith("export "))
        given = [f"{name}={value}" for name, value in re.findall(r"ParameterKey=(\w+),ParameterValue=(\S+)", output)]
        assert "KmsKeyId=alias/session-manager" in given
        created = subprocess.run(
            [sys.executable, "-c", CREATE, re.search(r"--template-url (\S+)", output)[1], *given],
            env=ENVIRONMENT | settings, capture_output=True, text=True, check=False,
        )
        assert created.stdout.strip() == "CREATE_COMPLETE", created.stderr
    finally:
        for group in groups:
            os.killpg(group, signal.SIGTERM)
    assert gone(groups)
