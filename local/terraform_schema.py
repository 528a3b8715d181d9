"""The schema of Terraform's AWS provider, read from the package that HashiCorp has generated from it for TypeScript.

The provider itself is in no registry of packages. ``@cdktf/provider-aws`` has a file for each resource, whose source says of
each argument and block of the schema what it is, and whether it is required or only computed. Only the files of the
resources that a module uses are unpacked, into ``target/terraform-provider``.
"""

import base64
import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from local.paths import REQUIREMENTS, TARGET

PINNED = REQUIREMENTS / "terraform-provider.json"
FOLDER = TARGET / "terraform-provider"

SOURCE_MAP = "sourceMappingURL=data:application/json;base64,"
COMMENT = re.compile(r"^  // (\w+) - computed: (true|false), optional: (true|false), required: (true|false)$", re.MULTILINE)
CLASS = re.compile(r"^export class (\w+) extends cdktf\.(\w+)", re.MULTILINE)
ATTRIBUTE = re.compile(r"^ {4,6}(\w+): \{\n[^{}]*isBlock: (true|false),\n\s+type: \"(\w+)\",\n\s+storageClassType: \"(\w+)\"", re.MULTILINE)


class SchemaError(Exception):
    """The schema could not be had."""


@dataclass(frozen=True)
class Argument:
    """An argument, a block or an attribute of a resource."""

    is_required: bool
    is_settable: bool
    # The provider gives it a value if nobody else does.
    is_computed: bool = False
    is_block: bool = False
    # simple, list, set or map; the class of what it holds.
    form: str = "simple"
    holds: str = "string"


@dataclass
class Body:
    """What a resource or a block may hold."""

    arguments: dict[str, Argument] = field(default_factory=dict)
    blocks: dict[str, "Body"] = field(default_factory=dict)


def prepare(wanted: Iterable[tuple[str, str]]) -> None:
    """Unpack what is needed for these resources and data sources, given by kind and type, unless it is there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        # Two runs at once must not unpack into the same folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        pinned = json.loads(PINNED.read_text())
        stamp = FOLDER / ".ready"
        if not stamp.exists() or json.loads(stamp.read_text()) != pinned:
            for file in FOLDER.glob("*.ts"):
                file.unlink()
            stamp.write_text(json.dumps(pinned))
        missing = {path for kind, resource_type in wanted if not (path := _path(kind, resource_type)).exists()}
        if missing:
            _unpack(_package(pinned), missing)


@cache
def schema_of(kind: str, resource_type: str) -> Body | None:
    """The schema of a resource, or of a data source; None if the provider has none of this name."""
    prepare([(kind, resource_type)])
    source = _path(kind, resource_type).read_text()
    return read_source(source, resource_type) if source else None


def read_source(source: str, resource_type: str) -> Body:
    """The schema in the source of a class."""
    classes = {match[1]: (match[2], match.end()) for match in CLASS.finditer(source)}
    name = next((name for name, (base, _) in classes.items() if base in ("TerraformResource", "TerraformDataSource")), None)
    if name is None or f'tfResourceType = "{resource_type}"' not in source:
        raise SchemaError(f"the package has another file for {resource_type}")
    return _body(source, name, classes)


def _body(source: str, name: str, classes: dict[str, tuple[str, int]]) -> Body:
    """The body of a resource, or of a block whose fields are in the class ``NAMEOutputReference``."""
    start = classes[name if name in classes else f"{name}OutputReference"][1]
    following = source.find("\nexport ", start)
    text = source[start:following if following >= 0 else len(source)]
    body = Body()
    settable = {match[1]: match for match in ATTRIBUTE.finditer(text if name in classes else _function(source, name))}
    for comment in COMMENT.finditer(text):
        attribute, computed, optional, required = comment[1], *(comment[index] == "true" for index in (2, 3, 4))
        match = settable.get(attribute)
        if match is None:
            body.arguments[attribute] = Argument(is_required=False, is_settable=not computed and (optional or required), is_computed=computed)
            continue
        is_block, form, holds = match[2] == "true", match[3], match[4]
        body.arguments[attribute] = Argument(required, optional or required, computed, is_block, form, holds)
        if is_block:
            body.blocks[attribute] = _body(source, holds.removesuffix("List"), classes)
    return body


def _function(source: str, name: str) -> str:
    """The function that writes the fields of a block."""
    start = source.index(f"export function {name[0].lower()}{name[1:]}ToHclTerraform(")
    return source[start:source.index("\n}\n", start)]


def _path(kind: str, resource_type: str) -> Path:
    """The file with the source of a class, in TypeScript. It is empty if there is no such class."""
    prefix = "data-aws-" if kind == "data" else ""
    return FOLDER / f"{prefix}{resource_type.removeprefix('aws_').replace('_', '-')}.ts"


def _unpack(package: Path, paths: set[Path]) -> None:
    """Write the sources of classes into their files, in one pass over the package."""
    found = {}
    with tarfile.open(package) as archive:
        members = {f"package/lib/{path.stem}/index.js": path for path in paths}
        for member in archive:
            file = archive.extractfile(member) if member.name in members else None
            if file is not None:
                text = file.read().decode()
                start = text.index(SOURCE_MAP) + len(SOURCE_MAP)
                found[members[member.name]] = json.loads(base64.b64decode(text[start:].split()[0]))["sourcesContent"][0]
    for path in paths:
        partial = path.with_suffix(".partial")
        partial.write_text(found.get(path, ""))
        partial.rename(path)


def _package(pinned: dict[str, Any]) -> Path:
    """The package, downloaded once by npm and checked against its hash."""
    path = FOLDER / f"provider-{pinned['version']}.tgz"
    if not path.exists():
        partial = FOLDER / "download"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        npm = subprocess.run(
            ["npm", "pack", "--silent", f"{pinned['package']}@{pinned['version']}"], cwd=partial, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False,
        )
        files = list(partial.glob("*.tgz"))
        if npm.returncode != 0 or not files:
            raise SchemaError(f"npm cannot fetch {pinned['package']}: {npm.stderr.strip()}")
        files[0].rename(path)
        partial.rmdir()
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if pinned["integrity"] != f"sha512-{digest}":
        path.unlink()
        raise SchemaError(f"{pinned['package']} {pinned['version']} is not what {PINNED.name} pins")
    return path
