"""The archives of a release. The same files give the same bytes: times, owners and the order of files are fixed."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

# 1980-01-01, the first time that a zip can hold.
TIME = 315_532_800


def tar(folder: str, files: Mapping[str, bytes], programs: frozenset[str]) -> bytes:
    """A gzipped tar of files below one folder. ``programs`` are the names of those that can be executed."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as file:
        for name in sorted(files):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mtime, entry.mode = len(files[name]), TIME, 0o755 if name in programs else 0o644
            file.addfile(entry, io.BytesIO(files[name]))
    packed = io.BytesIO()
    # Neither the name nor the time of the file gets into the header.
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(plain.getvalue())
    return packed.getvalue()


def sums(folder: Path) -> str:
    """The SHA-256 of each file of a folder, as `sha256sum --check` reads them."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in paths)
