"""``make docs``: makes the parts of the documents that are made from something else, and writes them into the repository.

- ``docs/permissions.md``, from the templates (``local/permissions/``);
- ``docs/images/*.svg``, which ``local/diagrams/`` draws;
- ``docs/images/report.png``: the report of tests/golden/fleets.html, which a test of the command line makes, in a browser.

Tests compare all of these with what they are made from. The reference and the schemas are made by tests in Rust, before.
"""

import base64
import hashlib
import struct
import sys
import tempfile
import zlib
from pathlib import Path

from local import browser
from local.diagrams.handshake import handshake
from local.diagrams.pipeline import pipeline
from local.paths import ROOT
from local.permissions.page import PAGE, page
from tests.e2e.browser import Browser

IMAGES = ROOT / "docs" / "images"
DIAGRAMS = {"handshake.svg": handshake, "pipeline.svg": pipeline}
REPORT = ROOT / "tests" / "golden" / "fleets.html"
SCREENSHOT = IMAGES / "report.png"
WIDTH, SCALE = 1100, 1.5
# The name of the text in the picture that says which report it shows.
SOURCE = b"Source"


def main() -> int:
    PAGE.write_text(page())
    for name, draw in DIAGRAMS.items():
        (IMAGES / name).write_text(draw().svg())
    # The same report needs no new picture, which would have other bytes with each version of the browser.
    if not SCREENSHOT.exists() or source_of(SCREENSHOT.read_bytes()) != digest(REPORT):
        if browser.main():
            return 1
        SCREENSHOT.write_bytes(screenshot(REPORT))
    return 0


def digest(report: Path) -> str:
    return hashlib.sha256(report.read_bytes()).hexdigest()


def screenshot(report: Path) -> bytes:
    """A picture of the head of a report and of its table of principals, which names the report that it shows."""
    with tempfile.TemporaryDirectory() as folder:
        opened = Browser(Path(folder) / "profile")
        try:
            opened.send("Emulation.setDeviceMetricsOverride", width=WIDTH, height=900, deviceScaleFactor=SCALE, mobile=False)
            opened.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
            opened.open(report.as_uri())
            end = opened.evaluate("document.querySelector('section[aria-labelledby=access]').getBoundingClientRect().bottom + scrollY")
            clip = {"x": 0, "y": 0, "width": WIDTH, "height": end + 16, "scale": 1}
            data = opened.send("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        finally:
            opened.close()
    return with_source(base64.b64decode(data), digest(report))


def with_source(png: bytes, source: str) -> bytes:
    """A PNG with a text that says what it shows, before its last chunk."""
    content = b"tEXt" + SOURCE + b"\0" + source.encode()
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    return png[:-12] + chunk + png[-12:]


def source_of(png: bytes) -> str:
    """The text of ``with_source``, or nothing."""
    _, found, rest = png.partition(b"tEXt" + SOURCE + b"\0")
    return rest[:64].decode("ascii") if found else ""


if __name__ == "__main__":
    sys.exit(main())
