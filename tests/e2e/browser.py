"""Drives a headless Chromium by the DevTools protocol over two pipes, without a driver, a port or a user's profile."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local import browser

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
)
SECONDS = 60
GRACE_SECONDS = 5
# Chromium reads commands from descriptor 3 and writes answers to 4. The pipes may already have these numbers, swapped.
LAUNCHER = """
import fcntl, os, sys
copies = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for copy, number in zip(copies, (3, 4)):
    os.dup2(copy, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


class BrowserError(Exception):
    """There is no browser, or it ended, or it refused a command."""


def program() -> str:
    """Path of the browser."""
    found = browser.program()
    if not found:
        raise BrowserError("there is no Chromium: `python3 -m local.browser` installs one, or SESSION_KMS_CHROMIUM names one")
    return found


class Browser:
    """A running browser with one page. ``events`` holds all events of the protocol."""

    def __init__(self, profile: Path) -> None:
        self.events: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._sent = 0
        self._rest = b""
        self._session: str | None = None
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        self._log = (profile.parent / f"{profile.name}.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, str(commands), str(answers),
             program(), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(commands, answers), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            start_new_session=True,
        )
        os.close(commands)
        os.close(answers)
        page = next(target for target in self.send("Target.getTargets")["targetInfos"] if target["type"] == "page")
        self._session = self.send("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command, and return its result."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        self._until(lambda: self._sent in self._answers, method)
        answer = self._answers.pop(self._sent)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, url: str) -> None:
        """Load a page, and wait until it is loaded."""
        before = len(self.events)
        self.send("Page.navigate", url=url)

        def loaded() -> bool:
            return any(event["method"] == "Page.loadEventFired" for event in self.events[before:])

        self._until(loaded, f"loading {url}")

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page. The value of a promise is what it resolves to."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in result:
            raise BrowserError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def click(self, selector: str) -> None:
        """Click the centre of the first element that matches."""
        box = self._box(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def requests(self) -> list[str]:
        """The URLs of all requests so far."""
        return [event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"]

    def problems(self) -> list[str]:
        """Errors of scripts, log entries (violations of the content security policy) and dialogs so far."""
        methods = ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")
        return [json.dumps(event["params"]) for event in self.events if event["method"] in methods]

    def close(self) -> None:
        """End the browser and all of its processes."""
        with contextlib.suppress(BrowserError, OSError, subprocess.TimeoutExpired):
            self._session = None
            self.send("Browser.close")
            self.process.wait(GRACE_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._write)
        os.close(self._read)
        self._log.close()

    def _box(self, selector: str) -> tuple[float, float]:
        # The protocol finds the element even if the page may run no script.
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        if not node:
            raise BrowserError(f"nothing matches {selector}")
        self.send("DOM.scrollIntoViewIfNeeded", nodeId=node)
        quad = self.send("DOM.getBoxModel", nodeId=node)["model"]["content"]
        return (quad[0] + quad[4]) / 2, (quad[1] + quad[5]) / 2

    def _until(self, done: Callable[[], object], what: str) -> None:
        end = time.monotonic() + SECONDS
        while not done():
            ready, _, _ = select.select([self._read], [], [], max(0.0, end - time.monotonic()))
            received = os.read(self._read, 1 << 16) if ready else b""
            if not received:
                reason = "the browser ended" if ready else f"no answer within {SECONDS} s"
                raise BrowserError(f"{what}: {reason}")
            *messages, self._rest = (self._rest + received).split(b"\0")
            for text in messages:
                message = json.loads(text)
                if "id" in message:
                    self._answers[message["id"]] = message
                else:
                    self.events.append(message)
