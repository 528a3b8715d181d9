"""Child processes that never outlive this process.

Each child leads its own process group: Ctrl-C reaches only this process, and the child's own children (function
processes) end with the child. A watcher process ends the group even if this process is killed: it reads a pipe that
closes when this process ends.
"""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

GRACE_SECONDS = 5

# Waits until its standard input closes, then ends the process group given as its argument.
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
    """A running program with its log file."""

    def __init__(self, name: str, command: list[Any], environment: dict[str, Any], log: Path, folder: Path | None = None) -> None:
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

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = 30) -> None:
        """Wait until a condition holds. It is an error if the child ends first or the time runs out."""
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
        """End the child, its own children and its watcher. A second call does nothing."""
        if self.released:
            return
        atexit.unregister(self.stop)
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE_SECONDS)
        # The child may have left function processes in its group.
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._dismiss_watcher()

    def release(self) -> None:
        """Let the child outlive this process."""
        atexit.unregister(self.stop)
        self._dismiss_watcher()
        self.released = True

    def _dismiss_watcher(self) -> None:
        # Kill the watcher before its pipe closes, or it would end the child.
        self._watcher.kill()
        self._watcher.wait()
        if self._watcher.stdin:
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

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


def clean_environment(folder: Path, **settings: str) -> dict[str, Any]:
    """Environment variables that keep only PATH of the caller's: no credentials, endpoints or profiles."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "NO_PROXY": "127.0.0.1,localhost",
        **settings,
    }
