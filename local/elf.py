"""Reads 64-bit little-endian ELF files: their sections, where two of them differ, and the glibc that they need.

It reads bytes and starts no program, so it works for every architecture.
"""

import re
import struct
from typing import NamedTuple

# The version of glibc in Amazon Linux 2023, on which provided.al2023 is based.
GLIBC = (2, 34)
NEEDED = re.compile(rb"\0GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\0)")
# The field e_machine for each architecture of Lambda.
MACHINES = {"arm64": 183, "x86_64": 62}
# A section of this type, such as .bss, has no bytes in the file.
NO_BYTES = 8


class ElfError(Exception):
    """A file is not what a release needs."""


class Section(NamedTuple):
    """A section of an ELF file, and where its bytes are."""

    name: str
    kind: int
    offset: int
    size: int


def machine(file: bytes) -> int:
    """The number of the machine that the file is for."""
    _check(file)
    return int(struct.unpack_from("<H", file, 0x12)[0])


def sections(file: bytes) -> list[Section]:
    """The sections of a file, by the ELF specification."""
    _check(file)
    (table,) = struct.unpack_from("<Q", file, 0x28)
    size, count, names_index = struct.unpack_from("<HHH", file, 0x3A)
    headers = [struct.unpack_from("<IIQQQQIIQQ", file, table + index * size) for index in range(count)]
    names_at = headers[names_index][4]

    def name(offset: int) -> str:
        start = names_at + offset
        return file[start : file.index(b"\0", start)].decode()

    return [Section(name(header[0]), header[1], header[4], header[5]) for header in headers]


def needed_glibc(file: bytes) -> tuple[int, int]:
    """The newest version of glibc that the dynamic linker requires."""
    versions = [(int(major), int(minor)) for major, minor in NEEDED.findall(file)]
    if not versions:
        raise ElfError("the file names no version of glibc, so it is not a dynamically linked program for Linux")
    return max(versions)


def check(file: bytes, architecture: str) -> tuple[int, int]:
    """Check that a program is for an architecture and starts with Lambda's glibc. Return the glibc that it needs."""
    if machine(file) != MACHINES[architecture]:
        raise ElfError(f"the file is for machine {machine(file)}, and {architecture} is {MACHINES[architecture]}")
    found = needed_glibc(file)
    if found > GLIBC:
        raise ElfError(f"the file needs glibc {found[0]}.{found[1]}, newer than {GLIBC[0]}.{GLIBC[1]}")
    return found


def difference(one: bytes, other: bytes) -> str:
    """Where two files differ first, in words, with the bytes around. Empty if they are the same."""
    if one == other:
        return ""
    at = next((index for index, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), min(len(one), len(other)))
    within = [section.name for section in sections(one) if section.kind != NO_BYTES and section.offset <= at < section.offset + section.size]
    around = slice(max(at - 32, 0), at + 96)
    return (
        f"they have {len(one):,} and {len(other):,} bytes, and differ first at byte {at:,}, in {within[0] if within else 'no section'}:\n"
        f"  {one[around]!r}\n  {other[around]!r}"
    )


def _check(file: bytes) -> None:
    if file[:6] != b"\x7fELF\x02\x01":
        raise ElfError("the file is not a 64-bit little-endian ELF file")
