"""``make bench``: measures the release build of the function: size, cold start, memory, time of a request.

The figures depend on the machine; compare their ratios. ``python -m local.bench``, in the client environment.
"""

import json
import statistics
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from local import seed
from local.package import archive
from local.paths import BINARY, EVENTS
from local.processes import clean_environment, end_on_signals
from local.receiver import Receiver
from local.servers import LocalAws, running

STARTS = 31
REQUESTS = 31


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Ignore that a connection ends when the function is killed."""


class RuntimeApi:
    """Lambda's Runtime API for one function process: reports when the function polls, and gives it events."""

    def __init__(self) -> None:
        self.polled = threading.Event()
        self.done = threading.Event()
        self._event: dict[str, Any] | None = None
        self._ready = threading.Event()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                api.polled.set()
                api._ready.wait()
                api._ready.clear()
                body = json.dumps(api._event).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 60_000))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:bench")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                api.done.set()

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def send(self, event: dict[str, Any]) -> None:
        self._event = event
        self.done.clear()
        self._ready.set()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Function:
    """A function process with its own Runtime API."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.api = RuntimeApi()
        environment = clean_environment(
            folder, AWS_LAMBDA_RUNTIME_API=self.api.address, AWS_LAMBDA_FUNCTION_NAME="bench", AWS_LAMBDA_FUNCTION_VERSION="$LATEST",
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE="256", LOG_LEVEL="ERROR",
        ) | settings
        started = time.perf_counter()
        self.process = subprocess.Popen([BINARY], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not self.api.polled.wait(30):
            self.end()
            raise TimeoutError("the function did not poll for its first event within 30 s")
        self.start_ms = (time.perf_counter() - started) * 1000

    def request_ms(self, event: dict[str, Any]) -> float:
        started = time.perf_counter()
        self.api.send(event)
        if not self.api.done.wait(60):
            raise TimeoutError("the function did not end a request within 60 s")
        return (time.perf_counter() - started) * 1000

    def end(self) -> float:
        """End the process, and return its peak memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        self.process.kill()
        self.process.wait()
        self.api.close()
        peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
        return int(peak.split()[1]) / 1024


def main() -> int:
    end_on_signals()
    with running("bench") as aws, Receiver() as receiver:
        keys = seed.seed_keys(aws)
        seed.seed_document(aws)
        settings = aws.environment() | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{receiver.port}"}
        starts = [_start_time(aws, settings) for _ in range(STARTS)]
        first, idle, change, memory = _requests(aws, settings, receiver, keys)
    _print_row("binary", f"{BINARY.stat().st_size / 1e6:.1f} MB")
    _print_row("zip", f"{len(archive()) / 1e6:.2f} MB")
    _print_row("start to first poll", _summary(starts))
    _print_row("first request (create)", f"{first:.1f} ms")
    _print_row("update, nothing differs", _summary(idle))
    _print_row("update, another key", _summary(change))
    _print_row("peak memory", f"{memory:.1f} MB")
    return 0


def _start_time(aws: LocalAws, settings: dict[str, Any]) -> float:
    function = Function(aws.folder, settings)
    function.end()
    return function.start_ms


def _requests(aws: LocalAws, settings: dict[str, Any], receiver: Receiver, keys: seed.Keys) -> tuple[float, list[float], list[float], float]:
    """Times in ms of a Create, of Updates that change nothing and of Updates to the other key; peak memory in MB."""
    create = json.loads((EVENTS / "custom-resource-create.json").read_text()) | {"ResponseURL": receiver.url("bench")}
    update = json.loads((EVENTS / "custom-resource-update.json").read_text()) | {"ResponseURL": receiver.url("bench")}

    def update_to(key: str) -> dict[str, Any]:
        return update | {"ResourceProperties": update["ResourceProperties"] | {"KmsKeyId": key}}

    function = Function(aws.folder, settings)
    try:
        first = _time_request(function, receiver, create)
        idle = [_time_request(function, receiver, update_to(keys.first)) for _ in range(REQUESTS)]
        change = [_time_request(function, receiver, update_to((keys.second, keys.first)[turn % 2])) for turn in range(REQUESTS)]
    finally:
        memory = function.end()
    return first, idle, change, memory


def _time_request(function: Function, receiver: Receiver, event: dict[str, Any]) -> float:
    took = function.request_ms(event)
    answer = receiver.next().json()
    if answer["Status"] != "SUCCESS":
        raise RuntimeError(f"a request of the benchmark failed: {answer['Reason']}")
    return took


def _summary(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} ms median of {len(times)} ({min(times):.1f} to {max(times):.1f})"


def _print_row(name: str, value: str) -> None:
    print(f"  {name:<26}{value}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
