"""Installs packages of npm into a folder under target/, as their lock file says and without their scripts."""

import fcntl
import shutil
import subprocess
from pathlib import Path

from local.paths import TARGET


class NpmError(Exception):
    """npm could not install the packages."""


def install(source: Path) -> Path:
    """Install what a folder's lock file pins, unless it is there, and return the folder with ``node_modules``."""
    folder = TARGET / source.name
    folder.mkdir(parents=True, exist_ok=True)
    stamp, lock_file = folder / ".ready", source / "package-lock.json"
    with (folder / ".lock").open("w") as lock:
        # Two runs at once must not install into the same folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_bytes() == lock_file.read_bytes():
            return folder
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, folder / name)
        npm = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False,
        )
        if npm.returncode != 0:
            raise NpmError(f"npm cannot install the packages of {source.name}: {npm.stderr.strip()}")
        stamp.write_bytes(lock_file.read_bytes())
    return folder
