"""Paths of the project."""

import os
import platform
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
# The template for the account that owns a key.
KEY_ACCESS_TEMPLATE = ROOT / "template-key-access.yaml"
# The template for the account that audits an organization, and that of the role in each account.
AUDIT_TEMPLATE = ROOT / "deploy" / "audit.yaml"
AUDIT_ROLE_TEMPLATE = ROOT / "deploy" / "audit-role.yaml"
TEMPLATES = (TEMPLATE, KEY_ACCESS_TEMPLATE)
# Every template of the project. Other YAML files have no section of this name.
ALL_TEMPLATES = tuple(
    path
    for pattern in ("*.yaml", "deploy/**/*.yaml", "local/**/*.yaml")
    for path in sorted(ROOT.glob(pattern))
    if "\nResources:\n" in path.read_text()
)
EVENTS = ROOT / "events"
REQUIREMENTS = ROOT / "requirements"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
CARGO_HOME = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
VENVS = TARGET / "venv"
RUNS = TARGET / "local"

BINARY_NAME = "session-kms-lambda"
# The release build of this machine. SESSION_KMS_LAMBDA names the file of another build.
BINARY = Path(os.environ.get("SESSION_KMS_LAMBDA", TARGET / "release" / BINARY_NAME))


def architecture() -> str:
    """This machine's architecture, by the name that Lambda has for it."""
    return "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"


def release_flags(root: Path = ROOT, target: Path = TARGET, cargo_home: Path = CARGO_HOME) -> str:
    """The flags of rustc for the programs that are shipped. Their code names no folder of the machine that built them.

    Without an identifier of the build, which depends on debug information that is removed afterwards, two builds are equal.
    """
    folders = {cargo_home: "/cargo", root: "/session-kms"}
    if not target.is_relative_to(root):
        folders[target] = "/session-kms/target"
    return " ".join([*(f"--remap-path-prefix={folder}={name}" for folder, name in folders.items()), "-C", "link-arg=-Wl,--build-id=none"])
