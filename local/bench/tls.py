"""The local AWS over TLS, with a latency: each request waits before it goes on. It also receives the answers.

``GET /_bench/take`` returns the calls since the last time, each with the time from its arrival to its answer by the
clock of ``time.perf_counter``, and the answers that were PUT.

``python -m local.bench.tls PORT UPSTREAM MILLISECONDS FOLDER``, in the client environment.
"""

import http.client
import json
import ssl
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local import environments
from local.gateway import HOP_BY_HOP
from local.paths import ROOT
from local.processes import Child, clean_environment, free_port

AUTHORITY = "authority.pem"
# The certificate and its key.
SERVER = "server.pem"
TAKE = "/_bench/take"
ANSWERS = "/answers/"


@dataclass(frozen=True)
class Taken:
    """What arrived since the last time."""

    # Name, arrival and answer of each call.
    calls: list[tuple[str, float, float]]
    answers: list[dict[str, Any]]


class TlsGateway:
    """A running gateway."""

    def __init__(self, child: Child, port: int, authority: Path) -> None:
        self.child = child
        self.endpoint = f"https://127.0.0.1:{port}"
        context = ssl.create_default_context(cafile=str(authority))
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))

    def response_url(self, token: str) -> str:
        """A ResponseURL, with a query like that of CloudFormation's signed URLs."""
        return f"{self.endpoint}{ANSWERS}{token}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=5ec4e7{token}"

    def take(self) -> Taken:
        with self._opener.open(f"{self.endpoint}{TAKE}", timeout=30) as answer:
            taken = json.load(answer)
        return Taken([(name, started, ended) for name, started, ended in taken["calls"]], taken["answers"])

    def is_up(self) -> bool:
        try:
            self.take()
        except OSError:
            return False
        return True


def make_certificates(folder: Path) -> None:
    """Make the certificates in a folder."""
    python = environments.program("ministack", "python")
    command = [python, "-m", "local.bench.certificates", folder / AUTHORITY, folder / SERVER]
    child = Child("certificates", command, clean_environment(folder), folder / "certificates.log", ROOT)
    if child.process.wait(60) != 0:
        raise RuntimeError(f"no certificates: {child.tail()}")
    child.stop()


def start(folder: Path, upstream: str, milliseconds: int) -> TlsGateway:
    """Start a gateway with this latency. Its certificates are in the folder."""
    port = free_port()
    command = [environments.program("client", "python"), "-m", "local.bench.tls", port, upstream, milliseconds, folder]
    child = Child(f"TLS gateway with {milliseconds} ms", command, clean_environment(folder), folder / f"tls-{milliseconds}.log", ROOT)
    gateway = TlsGateway(child, port, folder / AUTHORITY)
    child.wait_until(gateway.is_up, "an answer")
    return gateway


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self._context = context

    def get_request(self) -> tuple[ssl.SSLSocket, Any]:
        connection, address = self.socket.accept()
        # The handshake runs in the thread of the connection, at the first read.
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, *_: object) -> None:
        """Ignore that a process was ended in the middle of a call."""


def server(port: int, upstream: str, milliseconds: float, certificate: Path) -> ThreadingHTTPServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    address = urlsplit(upstream)
    lock = threading.Lock()
    calls: list[tuple[str, float, float]] = []
    answers: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def setup(self) -> None:
            super().setup()
            self._upstream = http.client.HTTPConnection(address.hostname or "", address.port, timeout=300)

        def finish(self) -> None:
            super().finish()
            self._upstream.close()

        def do_POST(self) -> None:
            started = time.perf_counter()
            name = self.headers.get("X-Amz-Target", "").rpartition(".")[2] or "query"
            body = self._body()
            time.sleep(milliseconds / 1000)
            self._upstream.request("POST", self.path, body=body, headers=dict(self.headers.items()))
            response = self._upstream.getresponse()
            content = response.read()
            headers = [(header, value) for header, value in response.getheaders() if header.lower() not in HOP_BY_HOP]
            self._note(name, started)
            self._reply(response.status, headers, content)

        def do_PUT(self) -> None:
            started = time.perf_counter()
            body = self._body()
            time.sleep(milliseconds / 1000)
            with lock:
                answers.append(json.loads(body))
            self._note("answer", started)
            self._reply(200, [], b"")

        def do_GET(self) -> None:
            with lock:
                body = json.dumps({"calls": calls, "answers": answers}).encode()
                calls.clear()
                answers.clear()
            self._reply(200, [], body)

        def _note(self, name: str, started: float) -> None:
            with lock:
                calls.append((name, started, time.perf_counter()))

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return _Server(port, Handler, context)


def main(port: str, upstream: str, milliseconds: str, folder: str) -> None:
    server(int(port), upstream, float(milliseconds), Path(folder) / SERVER).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
