"""The release build itself: what Lambda's limits and its C library ask of it."""

import io
import re
import subprocess
import tomllib
import zipfile

import pytest

from local import suite
from local.package import archive
from local.paths import BINARY, ROOT, TARGET

ZIP_LIMIT = 4_000_000
# The C library of Amazon Linux 2023, on which provided.al2023 is built.
GLIBC = (2, 34)


@pytest.fixture(scope="module")
def binary() -> bytes:
    return BINARY.read_bytes()


def needed_glibc(binary: bytes) -> tuple[int, int]:
    """The newest symbol version that the dynamic linker will look for."""
    versions = [(int(major), int(minor)) for major, minor in re.findall(rb"\0GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\0)", binary)]
    assert versions, "a dynamically linked program names the versions it needs"
    return max(versions)


def test_the_archive_is_small():
    content = archive()
    assert len(content) < ZIP_LIMIT
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        entry, = file.infolist()
    assert entry.filename == "bootstrap"
    assert entry.external_attr >> 16 & 0o111, "bootstrap is executable"


def test_the_archive_is_the_same_for_the_same_binary():
    assert archive() == archive()


def test_the_c_library_of_lambda_is_new_enough(binary):
    assert needed_glibc(binary) <= GLIBC


def test_symbols_are_stripped(binary):
    assert b".symtab\0" not in binary
    assert b".debug_info\0" not in binary


def test_aws_lc_is_built_without_jitter_entropy():
    """The cold start's most costly part; its build script tells what it was given."""
    said = [path.read_text() for path in TARGET.glob("release/build/aws-lc-sys-*/output")]
    assert said
    assert all("'AWS_LC_SYS_NO_JITTER_ENTROPY': '1'" in text for text in said)


def test_every_way_of_building_leaves_the_command_line_out():
    """cargo gets the option, cargo-lambda and with it SAM read it from Cargo.toml."""
    built = [line for line in (ROOT / "Makefile").read_text().splitlines() if "cargo build" in line]
    assert built and all("--no-default-features" in line for line in built)
    assert all("--no-default-features" in step.command for step in suite.steps() if "build" in step.command)
    for_lambda = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["metadata"]["lambda"]
    assert for_lambda["build"]["no_default_features"] and for_lambda["watch"]["no_default_features"]


def test_the_function_does_not_depend_on_the_parser_of_options():
    command = ["cargo", "tree", "--locked", "--edges", "normal", "--no-default-features", "--prefix", "none"]
    crates = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert any(crate.startswith("lambda_runtime ") for crate in crates)
    assert not [crate for crate in crates if crate.startswith("clap")]


def test_every_way_of_building_leaves_jitter_entropy_out():
    """cargo reads the one file, cargo-lambda and with it SAM the other."""
    for_cargo = tomllib.loads((ROOT / ".cargo" / "config.toml").read_text())["env"]
    for_lambda = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["metadata"]["lambda"]["build"]["env"]
    assert for_cargo["AWS_LC_SYS_NO_JITTER_ENTROPY"] == for_lambda["AWS_LC_SYS_NO_JITTER_ENTROPY"] == "1"
