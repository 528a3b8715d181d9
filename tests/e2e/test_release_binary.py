"""The release build of the function carries what it needs to run, and nothing of the machine or the tests that it was built with."""

import os
import re
from pathlib import Path

import pytest

from local.elf import sections
from local.paths import BINARY, ROOT

# Sections that tell a debugger of the source code, or hold the names of functions that nothing calls by name.
DEBUG_SECTIONS = (".debug", ".zdebug", ".symtab", ".strtab", ".gdb_index", ".gnu_debugdata", ".note.rustc")
# What only tests and sample events hold. A part of each is enough to find it.
OF_TESTS = (
    b"open-sesame-42", b"AKIAEXAMPLE", b"AKIAIOSFODNN7EXAMPLE", b"ASIAIOSFODNN7EXAMPLE", b"wJalrXUtnFEMI", b"123456789012",
    b"210987654321", b"222222222222", b"1234abcd-12ab-34cd-56ef-1234567890ab", b"cfn-response/", b"X-Amz-Signature=",
    b"session-token-", b"evil.example",
)
# What credentials look like.
CREDENTIALS = {
    "an access key": rb"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])",
    "a private key": rb"-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----[\r\n]+[A-Za-z0-9+/=]{40}",
    "a pre-signed URL": rb"https?://[^\s\x00]*[?&](?:X-Amz-Signature|Signature|AWSAccessKeyId)=[A-Za-z0-9%+/]{8}",
    "a user name and a password in a URL": rb"https?://[A-Za-z0-9._-]+:[^@\s/\x00]+@[A-Za-z0-9]",
}
# Variables of the environment whose values must not have been compiled in. Short values are words that may stand anywhere.
SHORTEST_VALUE = 12


@pytest.fixture(scope="module")
def binary() -> bytes:
    return BINARY.read_bytes()


def test_it_has_no_debug_sections(binary: bytes) -> None:
    found = sections(binary)
    assert ".text" in {section.name for section in found}, "the sections are read"
    assert [section.name for section in found if section.name.startswith(DEBUG_SECTIONS)] == []


def test_it_holds_nothing_of_the_tests(binary: bytes) -> None:
    assert [text for text in OF_TESTS if text in binary] == []


@pytest.mark.parametrize("what", sorted(CREDENTIALS))
def test_it_holds_no_credentials(binary: bytes, what: str) -> None:
    assert [match.group()[:80] for match in re.finditer(CREDENTIALS[what], binary)] == []


def test_it_does_not_know_where_it_was_built(binary: bytes) -> None:
    """Messages of panics name the files of the libraries. They must not lead to the home of whoever built it."""
    homes = {str(ROOT), str(Path.home()), os.environ.get("CARGO_HOME", ""), os.environ.get("RUSTUP_HOME", "")} - {"", "/"}
    named = {
        match.group()
        for home in homes
        for match in re.finditer(re.escape(home.encode()) + rb"/[\w./-]{4,160}", binary)
    }
    assert sorted(named)[:5] == [], f"{len(named)} paths of this machine"


def test_it_holds_no_value_of_the_environment(binary: bytes) -> None:
    """A build script or `env!` could compile one in."""
    public = {"CARGO_PKG_NAME", "PATH", "PWD", "HOME", "OLDPWD", "_", "SHELL", "LANG", "TERM"}
    secretive = re.compile("KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL|COOKIE", re.IGNORECASE)
    values = {
        name: value
        for name, value in os.environ.items()
        if name not in public and secretive.search(name) and len(value) >= SHORTEST_VALUE
    }
    assert [name for name, value in values.items() if value.encode() in binary] == []
    assert b"CARGO_MANIFEST_DIR" not in binary
