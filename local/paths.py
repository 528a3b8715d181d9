"""Where things are in this project."""

import os
import platform
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
# For the account that owns a key.
KEY_ACCESS_TEMPLATE = ROOT / "template-key-access.yaml"
TEMPLATES = (TEMPLATE, KEY_ACCESS_TEMPLATE)
EVENTS = ROOT / "events"
REQUIREMENTS = ROOT / "requirements"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
VENVS = TARGET / "venv"
RUNS = TARGET / "local"

BINARY_NAME = "session-kms-lambda"
# The release build of this machine. A test of another build names its file here.
BINARY = Path(os.environ.get("SESSION_KMS_LAMBDA", TARGET / "release" / BINARY_NAME))


def architecture() -> str:
    """This machine's architecture in Lambda's words."""
    return "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
