"""The release build in AWS's Runtime Interface Emulator: real deadlines, timeouts and crashes."""

import json
import os
import shutil
import signal
import socket
import stat
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from local import environments
from local.paths import BINARY, EVENTS, architecture
from local.processes import Child, clean_environment, free_port
from local.receiver import Receiver
from local.servers import LocalAws
from tests.e2e.conftest import Account

# Enough for a whole request on a busy machine. Tests of timeouts have less.
TIMEOUT_SECONDS = 20


class Hanging:
    """A server that accepts connections and never answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.called = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)

    def _take(self) -> None:
        held = []
        while not self._over.is_set():
            try:
                held.append(self._listener.accept()[0])
                self.called.set()
            except TimeoutError:
                continue
        for connection in held:
            connection.close()
        self._listener.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


class Emulator:
    """The emulator with the function. ``timeout`` is the time for an event in seconds."""

    def __init__(self, folder: Path, aws: LocalAws, timeout: int = TIMEOUT_SECONDS, **settings: Any) -> None:
        environments.ensure(("sam",))
        source = environments.site_packages("sam") / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{architecture()}"
        program = folder / "aws-lambda-rie"
        shutil.copy(source, program)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.bootstrap = folder / "bootstrap"
        shutil.copy(BINARY, self.bootstrap)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        environment = clean_environment(
            folder, AWS_LAMBDA_FUNCTION_NAME="session-kms", AWS_LAMBDA_FUNCTION_TIMEOUT=str(timeout),
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE="256", LOG_LEVEL="INFO",
        ) | aws.environment() | settings
        environment.pop("TMPDIR")
        self.child = Child(
            "aws-lambda-rie",
            [program, "--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", f"127.0.0.1:{free_port()}", self.bootstrap],
            environment, folder / "rie.log", folder,
        )
        self.child.wait_until(lambda: _listens(port), "listening")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.stop()

    def invoke(self, event: dict[str, Any]) -> str:
        """Send an event, and return what the emulator answers, even if that is a 502 after a crash."""
        request = urllib.request.Request(self.url, data=json.dumps(event).encode(), method="POST")
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def function_processes(self) -> list[int]:
        """The ids of the processes whose program is the function."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and (entry / "exe").readlink() == self.bootstrap.resolve():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def create(receiver_url: str, key: str) -> dict[str, Any]:
    event = json.loads((EVENTS / "custom-resource-create.json").read_text())
    event["ResponseURL"] = receiver_url
    event["ResourceProperties"]["KmsKeyId"] = key
    return event


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def services(receiver: Receiver) -> dict[str, Any]:
    """Endpoints with which the function may send answers to the receiver."""
    return {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{receiver.port}"}


def test_a_request_is_done_and_answered(account: Account, receiver: Receiver, tmp_path: Path) -> None:
    with Emulator(tmp_path, account.aws, **services(receiver)) as emulator:
        emulator.invoke(create(receiver.url("normal"), account.keys.first))
        assert receiver.next().json()["Status"] == "SUCCESS"
    assert account.document().key == account.keys.first


def test_the_answer_comes_before_the_time_is_up(account: Account, receiver: Receiver, tmp_path: Path) -> None:
    with Hanging() as hanging:
        settings = services(receiver) | {"AWS_ENDPOINT_URL_SSM": hanging.url}
        with Emulator(tmp_path, account.aws, timeout=4, **settings) as emulator:
            returned = emulator.invoke(create(receiver.url("timeout"), account.keys.first))
            assert hanging.called.is_set()
            answer = receiver.next().json()
            assert answer["Status"] == "FAILED"
            assert answer["Reason"]
            assert "timed out" not in returned, "the function ends by itself"


def test_after_a_timeout_the_next_request_is_served(account: Account, receiver: Receiver, tmp_path: Path) -> None:
    """The server never takes the answer, so the function fails. The next request starts a new process."""
    with Hanging() as hanging:
        settings = services(receiver) | {"AWS_ENDPOINT_URL": hanging.url}
        # The time suffices for the request itself.
        with Emulator(tmp_path, account.aws, timeout=10, **settings) as emulator:
            returned = emulator.invoke(create(f"{hanging.url}/answer", account.keys.first))
            assert "errorMessage" in returned or "timed out" in returned
            assert account.document().key == account.keys.first
            again = emulator.invoke({"none": "of ours"})
            assert "knows" in again


def test_after_a_crash_the_same_request_ends_in_the_wanted_state(account: Account, receiver: Receiver, tmp_path: Path) -> None:
    original = account.document()
    with Hanging() as hanging:
        settings = services(receiver) | {"AWS_ENDPOINT_URL_KMS": hanging.url}
        with Emulator(tmp_path, account.aws, timeout=4, **settings) as emulator:
            event = create(receiver.url("crash"), account.keys.first)
            returned = []
            request = threading.Thread(target=lambda: returned.append(emulator.invoke(event)))
            request.start()
            assert hanging.called.wait(30)
            processes = emulator.function_processes()
            assert processes
            for process in processes:
                os.kill(process, signal.SIGKILL)
            request.join(30)
            assert not request.is_alive()
            assert "error" in returned[0].lower()
            # The emulator starts the function again for the next event, and the function answers in time.
            emulator.invoke(create(receiver.url("after-crash"), account.keys.first))
            assert receiver.next().json()["Status"] == "FAILED"
    assert account.document() == original
    with Emulator(tmp_path, account.aws, **services(receiver)) as emulator:
        emulator.invoke(event)
        assert receiver.next().json()["Status"] == "SUCCESS"
    assert account.document().key == account.keys.first
