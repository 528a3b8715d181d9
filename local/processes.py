"""Child processes that never outlive this one.

Each child leads a process group of its own, so that a Ctrl-C meant for us does not reach it first, and so
that what it starts itself (function processes) is ended with it. A watcher ends the group even when this
process is killed: it reads a pipe that closes with us.
"""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

GRACE_SECONDS = 5

# Waits for the end of its standard input, then ends the process group it is told.
_WATCHER = """
import os, signal, sys
sys.stdin.buffer.read()
for sent in (signal.SIGTERM, signal.SIGKILL):
    try:
        os.killpg(int(sys.argv[1]), sent)
    except ProcessLookupError:
        break
    import time
    time.sleep(1)
"""


class ProcessError(Exception):
    """A child process ended, or did not become ready in time."""


class Child:
    """A running program, its log file, and its end."""

    def __init__(self, name: str, command: list, environment: dict, log: Path, folder: Path | None = None):
        self.name = name
        self.log = log
        self.released = False
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command], env=environment, cwd=folder,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )
        self._watcher = subprocess.Popen(
            [sys.executable, "-S", "-c", _WATCHER, str(self.process.pid)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        atexit.register(self.stop)

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until(self, ready, what: str, seconds: float = 30) -> None:
        """Wait for a condition, for the child's early end, or for the time to run out."""
        end = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                raise ProcessError(f"{self.name} ended with code {self.process.returncode}:\n{self.tail()}")
            if time.monotonic() > end:
                raise ProcessError(f"{self.name}: {what} not within {seconds:.0f} s:\n{self.tail()}")
            time.sleep(0.05)

    def tail(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """End the child, what it started, and its watcher. Can be called again."""
        if self.released:
            return
        atexit.unregister(self.stop)
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        # Its group may hold function processes that it left behind.
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._dismiss_watcher()

    def release(self) -> None:
        """Let the child run on without us."""
        atexit.unregister(self.stop)
        self._dismiss_watcher()
        self.released = True

    def _dismiss_watcher(self) -> None:
        # Killed before its pipe closes: it must not act any more.
        self._watcher.kill()
        self._watcher.wait()
        self._watcher.stdin.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into an ordinary exit, so that everything is cleaned up."""

    def leave(number, _frame):
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


def clean_environment(folder: Path, **settings: str) -> dict:
    """An environment that holds nothing of the caller's but the path: no credentials, endpoints, profiles."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "NO_PROXY": "127.0.0.1,localhost",
        **settings,
    }
