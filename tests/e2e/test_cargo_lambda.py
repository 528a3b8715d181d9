"""Sends the sample events by ``cargo lambda invoke`` to ``cargo lambda watch``, as docs/deploy.md says.

AWS_ENDPOINT_URL is the receiver of answers, because the function answers only to that origin. Each service has its
own endpoint.
"""

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from local import environments, seed
from local.paths import BINARY_NAME, EVENTS, ROOT
from local.processes import Child, free_port
from local.receiver import PORT, Receiver
from local.servers import LocalAws
from tests.e2e.conftest import Account

# The first invocation builds the function (debug), which can take minutes.
BUILD_SECONDS = 1200


class Watch:
    """A running ``cargo lambda watch``, and a receiver of the answers."""

    def __init__(self, folder: Path, servers: LocalAws) -> None:
        environments.ensure(("cargo-lambda",))
        self.port = free_port()
        self.receiver = Receiver()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        self.environment["PATH"] = f"{environments.program('cargo-lambda', 'cargo').parent}:{os.environ['PATH']}"
        self.environment |= servers.environment() | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.receiver.port}"}
        self.address = ["-A", "127.0.0.1", "-P", str(self.port)]
        self.child = Child(
            "cargo lambda watch", ["cargo", "lambda", "watch", "--ignore-changes", *self.address],
            self.environment, folder / "watch.log", ROOT,
        )

    def __enter__(self) -> Self:
        self.receiver.__enter__()
        # It listens only after it has read the workspace, which takes seconds where the dependencies' sources are not at hand.
        self.child.wait_until(lambda: listens(self.port), "listening", BUILD_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self.child.stop()
        self.receiver.__exit__()

    def invoke(self, event: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["cargo", "lambda", "invoke", BINARY_NAME, *self.address, "--data-file", str(event)],
            cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False,
        )


def listens(port: int) -> bool:
    """Whether something accepts connections on this port."""
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


@pytest.fixture(scope="module")
def watch(servers: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    with Watch(tmp_path_factory.mktemp("watch"), servers) as running:
        yield running


def answer_to(watch: Watch, event: Any, tmp_path: Path) -> dict[str, Any]:
    """Send a sample event, and return the answer."""
    text = event.read_text()
    assert f"http://127.0.0.1:{PORT}/" in text
    # The receiver of this test has its own port, because the port in the samples may be in use.
    copy = tmp_path / event.name
    copy.write_text(text.replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{watch.receiver.port}"))
    result = watch.invoke(copy)
    assert result.returncode == 0, result.stdout + result.stderr + watch.child.tail()
    answer = watch.receiver.next()
    assert answer.content_type in (None, "")
    assert answer.path == json.loads(text)["ResponseURL"].split(f":{PORT}", 1)[1], "path and query are unchanged"
    body = answer.json()
    assert body["Status"] == "SUCCESS", body
    return body


def test_every_other_sample_event_finds_its_account(watch: Watch, account: Account) -> None:
    """The ARN by which cargo-lambda invokes the function names no account."""
    events = [path for path in sorted(EVENTS.glob("*.json")) if "ResponseURL" not in path.read_text()]
    assert len(events) > 30
    for event in events:
        result = watch.invoke(event)
        output = result.stdout + result.stderr
        for words in ("names no account", "NoAccount", "sts:GetCallerIdentity"):
            assert words not in output, f"{event.name}: {output}"


def test_the_sample_events_of_key_access(watch: Watch, account: Account, tmp_path: Path) -> None:
    for kind in ("create", "update", "delete"):
        body = answer_to(watch, EVENTS / f"key-access-{kind}.json", tmp_path)
        assert body["PhysicalResourceId"] == "session-kms:123456789012:eu-west-1:access:KeyAccess"
        assert kind == "delete" or body["Data"]["KeyArn"] == account.keys.first


def test_the_sample_events_one_after_the_other(watch: Watch, account: Account, tmp_path: Path) -> None:
    expected = {"create": account.keys.first, "update": account.keys.second, "delete": ""}
    assert sorted(path.stem for path in EVENTS.glob("custom-resource-*.json")) == sorted(f"custom-resource-{kind}" for kind in expected)
    original = account.document()
    for kind, key in expected.items():
        body = answer_to(watch, EVENTS / f"custom-resource-{kind}.json", tmp_path)
        assert body["PhysicalResourceId"] == f"session-kms:123456789012:eu-west-1:{seed.DOCUMENT}"
        assert account.document().key == key
        assert account.document().keeps_settings_of(original)
    assert account.records() == {}
