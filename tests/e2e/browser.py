"""A headless Chromium, driven by its own protocol over two pipes: no driver, no port, nothing of anybody's profile."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from local import browser

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
)
SECONDS = 60
GRACE_SECONDS = 5
# The protocol is spoken on the descriptors 3 and 4, which the pipes may have, but the other way round.
LAUNCHER = """
import fcntl, os, sys
copies = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for copy, number in zip(copies, (3, 4)):
    os.dup2(copy, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


class BrowserError(Exception):
    """The browser is not there, ended, or refused a command."""


def program() -> str:
    """The browser's program."""
    found = browser.program()
    if not found:
        raise BrowserError("there is no Chromium: `python3 -m local.browser` brings one, or name it by SESSION_KMS_CHROMIUM")
    return found


class Browser:
    """A running browser with one page. What it does is kept in ``events``."""

    def __init__(self, profile: Path):
        self.events: list[dict] = []
        self._answers: dict[int, dict] = {}
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

    def send(self, method: str, **parameters) -> dict:
        """Send a command and wait for its answer."""
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
        """Load a page, to the end."""
        before = len(self.events)
        self.send("Page.navigate", url=url)
        loaded = lambda: any(event["method"] == "Page.loadEventFired" for event in self.events[before:])
        self._until(loaded, f"loading {url}")

    def evaluate(self, script: str):
        """The value of an expression in the page; a promise's, once it is kept."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in result:
            raise BrowserError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def click(self, selector: str) -> None:
        """Click with the mouse in the middle of the first element that matches."""
        box = self._box(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def requests(self) -> list[str]:
        """The URLs of all requests so far."""
        return [event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """What the browser found wrong with the page so far: errors of scripts, violations of its policy."""
        wrong = ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")
        return [json.dumps(event["params"]) for event in self.events if event["method"] in wrong]

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
        # By the protocol, so that it works where the page may run no script.
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        if not node:
            raise BrowserError(f"nothing matches {selector}")
        self.send("DOM.scrollIntoViewIfNeeded", nodeId=node)
        quad = self.send("DOM.getBoxModel", nodeId=node)["model"]["content"]
        return (quad[0] + quad[4]) / 2, (quad[1] + quad[5]) / 2

    def _until(self, done, what: str) -> None:
        end = time.monotonic() + SECONDS
        while not done():
            ready, _, _ = select.select([self._read], [], [], max(0.0, end - time.monotonic()))
            received = os.read(self._read, 1 << 16) if ready else b""
            if not received:
                why = "the browser ended" if ready else f"no answer within {SECONDS} s"
                raise BrowserError(f"{what}: {why}")
            *messages, self._rest = (self._rest + received).split(b"\0")
            for text in messages:
                message = json.loads(text)
                if "id" in message:
                    self._answers[message["id"]] = message
                else:
                    self.events.append(message)
