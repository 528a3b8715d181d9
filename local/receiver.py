"""Receives the answers that the function PUTs to a ResponseURL, as CloudFormation's bucket does.

``python3 -m local.receiver`` listens on the port in events/*.json, and prints each answer.
"""

import argparse
import json
import queue
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

PORT = 9010


@dataclass(frozen=True)
class Answer:
    """One PUT, as it arrived."""

    path: str
    content_type: str | None
    body: bytes

    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


class Receiver:
    """An HTTP server on the loopback interface that accepts PUTs and queues them."""

    def __init__(self, port: int = 0) -> None:
        self.answers: queue.Queue[Answer] = queue.Queue()
        answers = self.answers

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answers.put(Answer(self.path, self.headers.get("Content-Type"), body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Log nothing: the path is a credential."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def url(self, token: str) -> str:
        """A ResponseURL of this receiver, with a query like that of CloudFormation's signed URLs."""
        return f"http://127.0.0.1:{self.port}/{token}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=5ec4e7{token}"

    def next(self, seconds: float = 60) -> Answer:
        """Wait for the next answer, and return it."""
        return self.answers.get(timeout=seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m local.receiver", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT)
    port = parser.parse_args().port
    try:
        receiver = Receiver(port)
    except OSError as error:
        print(f"cannot listen on port {port}: {error.strerror}", file=sys.stderr)
        return 1
    with receiver:
        print(f"waiting for answers on 127.0.0.1:{receiver.port}; Ctrl-C ends", flush=True)
        try:
            while True:
                print(json.dumps(receiver.answers.get().json(), indent=2), flush=True)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
