"""The release build under AWS's own Runtime Interface Emulator: real deadlines, time-outs, crashes."""

import json
import os
import shutil
import signal
import socket
import stat
import threading
import urllib.error
import urllib.request

import pytest

from local import environments
from local.paths import BINARY, EVENTS, architecture
from local.processes import Child, clean_environment, free_port
from local.receiver import Receiver

# Enough for a whole request on a busy machine; a test of what comes when the time is up has less.
TIMEOUT_SECONDS = 20


class Hanging:
    """A server that takes connections and never says a word."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.called = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)

    def _take(self):
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

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


class Emulator:
    """The emulator with the function under it, which has so many seconds for an event."""

    def __init__(self, folder, aws, timeout=TIMEOUT_SECONDS, **settings):
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

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stop()

    def invoke(self, event: dict) -> str:
        """Send an event and return what the emulator says, its 502 after a crash included."""
        request = urllib.request.Request(self.url, data=json.dumps(event).encode(), method="POST")
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def function_processes(self) -> list[int]:
        """The processes that run the function, by the program they were started from."""
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.readlink(f"/proc/{entry}/exe") == str(self.bootstrap.resolve()):
                    found.append(int(entry))
            except OSError:
                continue
        return found


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def create(receiver_url: str, key: str) -> dict:
    event = json.loads((EVENTS / "custom-resource-create.json").read_text())
    event["ResponseURL"] = receiver_url
    event["ResourceProperties"]["KmsKeyId"] = key
    return event


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


def services(account, receiver) -> dict:
    """Endpoints under which answers may go to the receiver."""
    return {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{receiver.port}", "AWS_ENDPOINT_URL_EC2": account.aws.endpoint}


def test_a_request_is_done_and_answered(account, receiver, tmp_path):
    with Emulator(tmp_path, account.aws, **services(account, receiver)) as emulator:
        emulator.invoke(create(receiver.url("normal"), account.keys.first))
        assert receiver.next().json()["Status"] == "SUCCESS"
    assert account.document().key == account.keys.first


def test_the_answer_comes_before_the_time_is_up(account, receiver, tmp_path):
    with Hanging() as hanging:
        settings = services(account, receiver) | {"AWS_ENDPOINT_URL_SSM": hanging.url}
        with Emulator(tmp_path, account.aws, timeout=4, **settings) as emulator:
            returned = emulator.invoke(create(receiver.url("timeout"), account.keys.first))
            assert hanging.called.is_set()
            answer = receiver.next().json()
            assert answer["Status"] == "FAILED"
            assert answer["Reason"]
            assert "timed out" not in returned, "the function ends by itself"


def test_after_a_time_out_the_next_request_is_served(account, receiver, tmp_path):
    """Nobody takes the answer, so the function cannot end well; the next one starts afresh."""
    with Hanging() as hanging:
        settings = services(account, receiver) | {"AWS_ENDPOINT_URL": hanging.url}
        # The request itself is done in time.
        with Emulator(tmp_path, account.aws, timeout=10, **settings) as emulator:
            returned = emulator.invoke(create(f"{hanging.url}/answer", account.keys.first))
            assert "errorMessage" in returned or "timed out" in returned
            assert account.document().key == account.keys.first
            again = emulator.invoke({"none": "of ours"})
            assert "knows" in again


def test_after_a_crash_the_same_request_ends_in_the_wanted_state(account, receiver, tmp_path):
    original = account.document()
    with Hanging() as hanging:
        settings = services(account, receiver) | {"AWS_ENDPOINT_URL_KMS": hanging.url}
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
            # The emulator starts it again for the next event, which is served to the end: an answer in time.
            emulator.invoke(create(receiver.url("after-crash"), account.keys.first))
            assert receiver.next().json()["Status"] == "FAILED"
    assert account.document() == original
    with Emulator(tmp_path, account.aws, **services(account, receiver)) as emulator:
        emulator.invoke(event)
        assert receiver.next().json()["Status"] == "SUCCESS"
    assert account.document().key == account.keys.first
