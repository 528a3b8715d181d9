"""The sample events by ``cargo lambda invoke`` against ``cargo lambda watch``, as the README says.

AWS_ENDPOINT_URL is the receiver of answers, so that answers may go to it; the services have endpoints of
their own.
"""

import json
import os
import subprocess

import pytest

from local import environments, seed
from local.paths import BINARY_NAME, EVENTS, ROOT
from local.processes import Child, free_port
from local.receiver import PORT, Receiver

# Its first invocation builds the function (debug), for which a cold machine takes minutes.
BUILD_SECONDS = 1200


class Watch:
    """``cargo lambda watch`` and the way to send it events."""

    def __init__(self, folder, servers):
        environments.ensure(("cargo-lambda",))
        self.port = free_port()
        self.receiver = Receiver()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        self.environment["PATH"] = f"{environments.program('cargo-lambda', 'cargo').parent}:{os.environ['PATH']}"
        self.environment |= servers.environment() | {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.receiver.port}",
            "AWS_ENDPOINT_URL_EC2": servers.endpoint,
        }
        self.address = ["-A", "127.0.0.1", "-P", str(self.port)]
        self.child = Child(
            "cargo lambda watch", ["cargo", "lambda", "watch", "--ignore-changes", *self.address],
            self.environment, folder / "watch.log", ROOT,
        )

    def __enter__(self):
        self.receiver.__enter__()
        return self

    def __exit__(self, *_):
        self.child.stop()
        self.receiver.__exit__()

    def invoke(self, event) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["cargo", "lambda", "invoke", BINARY_NAME, *self.address, "--data-file", str(event)],
            cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False,
        )


@pytest.fixture(scope="module")
def watch(servers, tmp_path_factory):
    with Watch(tmp_path_factory.mktemp("watch"), servers) as running:
        yield running


def sent(watch, event, tmp_path) -> dict:
    """Send a sample event, and return the answer."""
    text = event.read_text()
    assert f"http://127.0.0.1:{PORT}/" in text
    # The receiver of this test has a port of its own: the one of the README may be taken.
    copy = tmp_path / event.name
    copy.write_text(text.replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{watch.receiver.port}"))
    result = watch.invoke(copy)
    assert result.returncode == 0, result.stdout + result.stderr + watch.child.tail()
    answer = watch.receiver.next()
    assert answer.content_type in (None, "")
    assert answer.path == json.loads(text)["ResponseURL"].split(f":{PORT}", 1)[1], "path and query come as they were"
    body = answer.json()
    assert body["Status"] == "SUCCESS", body
    return body


def test_the_sample_events_of_key_access(watch, account, tmp_path):
    for kind in ("create", "update", "delete"):
        body = sent(watch, EVENTS / f"key-access-{kind}.json", tmp_path)
        assert body["PhysicalResourceId"] == "session-kms:123456789012:eu-west-1:access:KeyAccess"
        assert kind == "delete" or body["Data"]["KeyArn"] == account.keys.first


def test_the_sample_events_one_after_the_other(watch, account, tmp_path):
    expected = {"create": account.keys.first, "update": account.keys.second, "delete": ""}
    assert sorted(path.stem for path in EVENTS.glob("custom-resource-*.json")) == sorted(f"custom-resource-{kind}" for kind in expected)
    original = account.document()
    for kind, key in expected.items():
        body = sent(watch, EVENTS / f"custom-resource-{kind}.json", tmp_path)
        assert body["PhysicalResourceId"] == f"session-kms:123456789012:eu-west-1:{seed.DOCUMENT}"
        assert account.document().key == key
        assert account.document().keeps_all_of(original)
    assert account.records() == {}
