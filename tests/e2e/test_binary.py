"""The release build of the function: its size, its C library, its symbols and its entropy."""

import io
import subprocess
import tomllib
import zipfile

import pytest

from local import elf
from local.package import archive
from local.paths import BINARY, ROOT, architecture
from local.release_build import FUNCTION, TARGETS, command

ZIP_LIMIT = 4_000_000


@pytest.fixture(scope="module")
def binary() -> bytes:
    return BINARY.read_bytes()


def test_the_archive_is_small() -> None:
    content = archive()
    assert len(content) < ZIP_LIMIT
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        entry, = file.infolist()
    assert entry.filename == "bootstrap"
    assert entry.external_attr >> 16 & 0o111, "bootstrap is executable"


def test_the_archive_is_the_same_for_the_same_binary() -> None:
    assert archive() == archive()


def test_the_c_library_of_lambda_is_new_enough(binary: bytes) -> None:
    assert elf.check(binary, architecture()) <= (2, 34)


def test_symbols_are_stripped(binary: bytes) -> None:
    assert b".symtab\0" not in binary
    assert b".debug_info\0" not in binary


def test_aws_lc_is_built_without_jitter_entropy() -> None:
    """Jitter entropy is the slowest part of a cold start. The output of AWS-LC's build script holds its environment."""
    outputs = [path.read_text() for path in BINARY.parent.glob("build/aws-lc-sys-*/output")]
    assert outputs
    assert all("'AWS_LC_SYS_NO_JITTER_ENTROPY': '1'" in text for text in outputs)


def test_every_build_tool_leaves_the_command_line_out() -> None:
    """cargo gets an option. cargo-lambda and SAM read Cargo.toml."""
    of_make = [line for line in (ROOT / "Makefile").read_text().splitlines() if "cargo build" in line]
    assert of_make
    assert all("--no-default-features" in line for line in of_make)
    assert all("--no-default-features" in command(FUNCTION, name) for name in TARGETS)
    for_lambda = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["metadata"]["lambda"]
    assert for_lambda["build"]["no_default_features"] is True
    assert for_lambda["watch"]["no_default_features"] is True


def test_the_function_does_not_depend_on_clap() -> None:
    command = ["cargo", "tree", "--locked", "--edges", "normal", "--no-default-features", "--prefix", "none"]
    crates = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert any(crate.startswith("lambda_runtime ") for crate in crates)
    assert not [crate for crate in crates if crate.startswith("clap")]


def test_every_build_tool_leaves_jitter_entropy_out() -> None:
    """cargo reads .cargo/config.toml. cargo-lambda and SAM read Cargo.toml."""
    for_cargo = tomllib.loads((ROOT / ".cargo" / "config.toml").read_text())["env"]
    for_lambda = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["metadata"]["lambda"]["build"]["env"]
    assert for_cargo["AWS_LC_SYS_NO_JITTER_ENTROPY"] == for_lambda["AWS_LC_SYS_NO_JITTER_ENTROPY"] == "1"
