"""Lambda's Runtime API for one process: it says when the process polls, and gives it events."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:bench"
REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
# The time that an event may take. At a small CPU share everything takes many times longer.
EVENT_SECONDS = 300


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Ignore that a connection ends when the process is killed."""


class RuntimeApi:
    """One process polls it. ``ask`` sends an event, and returns its result and how long it took."""

    def __init__(self) -> None:
        self.polled = threading.Event()
        self.polled_at = 0.0
        self._event: dict[str, Any] = {}
        self._ready = threading.Event()
        self._done = threading.Event()
        self._done_at = 0.0
        self._result: Any = None
        self._error: Any = None
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Send each answer at once and in one piece. Otherwise each takes 40 ms longer.
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                if not api.polled.is_set():
                    api.polled_at = time.perf_counter()
                    api.polled.set()
                api._ready.wait()
                api._ready.clear()
                body = json.dumps(api._event).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", REQUEST_ID)
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() + EVENT_SECONDS) * 1000))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
                api._done_at = time.perf_counter()
                api._result, api._error = (None, body) if self.path.endswith("/error") else (body, None)
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                api._done.set()

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def ask(self, event: dict[str, Any]) -> tuple[Any, float, float]:
        """Send an event. Returns its result, and when it was sent and when it was answered, by ``time.perf_counter``."""
        self._event = event
        self._done.clear()
        started = time.perf_counter()
        self._ready.set()
        if not self._done.wait(EVENT_SECONDS):
            raise TimeoutError(f"the process did not answer an event within {EVENT_SECONDS} s")
        if self._error:
            raise RuntimeError(f"the process failed: {self._error}")
        return self._result, started, self._done_at

    def close(self) -> None:
        # A poll that waits for an event ends with the process.
        self._server.shutdown()
        self._server.server_close()
