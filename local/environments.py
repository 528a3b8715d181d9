"""Python environments under target/venv, one for each file of requirements/.

Each environment is made once. It is ready if its stamp file holds the hash of its requirements and of the Python that
made it. This module uses only the standard library, because it runs before anything is installed.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.paths import REQUIREMENTS, VENVS

STAMP = ".ready"
NAMES = tuple(sorted(path.stem for path in REQUIREMENTS.glob("*.txt")))
# The environments of the local AWS. The demo installs only these.
SERVERS = ("client", "ministack", "moto")


class SetUpError(Exception):
    """An environment could not be made."""


def program(environment: str, name: str) -> Path:
    """A program of an environment, for example ``program("moto", "moto_server")``."""
    return VENVS / environment / "bin" / name


def site_packages(environment: str) -> Path:
    """The folder that holds an environment's libraries."""
    return VENVS / environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def ensure(names: tuple[str, ...] = SERVERS) -> None:
    """Make the environments that are missing, some at a time, and print which, because it takes long."""
    if sys.version_info < (3, 11):  # noqa: UP036  the Makefile starts whatever python3 is installed
        raise SetUpError(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: call make with PYTHON=python3.11")
    VENVS.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        # The first error is raised when all environments are made or have failed.
        list(pool.map(_ensure_one, names))


def _ensure_one(name: str) -> None:
    with (VENVS / f".{name}.lock").open("w") as lock:
        # Two runs at once must not build the same environment.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_ready(name):
            _make(name)


def _requirements(name: str) -> Path:
    return REQUIREMENTS / f"{name}.txt"


def _fingerprint(name: str) -> str:
    content = _requirements(name).read_bytes() + sys.version.encode() + str(VENVS).encode()
    return hashlib.sha256(content).hexdigest()


def _is_ready(name: str) -> bool:
    stamp = VENVS / name / STAMP
    return stamp.exists() and stamp.read_text() == _fingerprint(name)


def _make(name: str) -> None:
    folder = VENVS / name
    count = sum(1 for line in _requirements(name).read_text().splitlines() if line and not line.startswith("#"))
    print(f"  setting up {name} ({count} packages, once)", flush=True)
    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)], name)
    # Nothing is compiled: every pinned package has a wheel or is pure Python.
    _run(
        [str(program(name, "python")), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
         "--no-deps", "--requirement", str(_requirements(name))],
        name,
    )
    (folder / STAMP).write_text(_fingerprint(name))
    print(f"  set up {name} in {time.monotonic() - started:.0f} s", flush=True)


def _run(command: list[str], name: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    result = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        output = (result.stdout + result.stderr).strip()
        raise SetUpError(f"setting up {name} failed in `{' '.join(command[:4])} ...`:\n{output}")
