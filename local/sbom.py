"""The bill of materials of a release's file, by CycloneDX 1.6: what is linked into its program, with licences and checksums.

``bill`` makes one with the standard library alone. ``python -m local.sbom FILE...``, in the environment ``cyclonedx``, checks
files against the schema.

A bill says nothing of the time or the machine, so the same source gives the same bill.
"""

import json
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from local import crates
from local.crates import Crate, Linked
from local.notices import PARTS
from local.release_build import TARGETS, Program

SPECIFICATION = "1.6"
# The version of AWS-LC, whose source is in the crate aws-lc-sys.
AWS_LC = re.compile(r'^#define AWSLC_VERSION_NUMBER_STRING "([^"]+)"$', re.MULTILINE)


class Artefact(NamedTuple):
    """A file of a release, the SHA-256 of its content, and the program in it."""

    name: str
    digest: str
    version: str
    program: Program
    architecture: str


def bill(artefact: Artefact) -> dict[str, Any]:
    """The bill of materials of a file."""
    target = TARGETS[artefact.architecture]
    linked = crates.linked(artefact.program, target)
    root = f"{artefact.name}@{artefact.version}"
    components = [_component(crate, linked.licences[crate], target) for crate in sorted(linked.licences) if crate != linked.root]
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": root, "name": artefact.name, "version": artefact.version,
                "hashes": [{"alg": "SHA-256", "content": artefact.digest}],
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "properties": [{"name": "session-kms:program", "value": artefact.program.name}, {"name": "session-kms:target", "value": target}],
            },
        },
        "components": [*components, *_parts()],
        "dependencies": list(_dependencies(linked, root)),
    }
    # A serial number that is the same for the same content, and for no other.
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(content, sort_keys=True))
    return {**content, "serialNumber": f"urn:uuid:{serial}"}


def text(content: dict[str, Any]) -> bytes:
    """A bill as the content of a file."""
    return json.dumps(content, indent=1, sort_keys=True).encode() + b"\n"


def _component(crate: Crate, licence: str, target: str) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library", "bom-ref": _reference(crate), "name": crate.name, "version": crate.version,
        "licenses": [{"expression": licence}], "purl": _reference(crate),
    }
    checksum = crates.checksums().get(crate)
    if checksum:
        component["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    else:
        # A crate of this project is in no registry.
        del component["purl"]
    if crate.name == "aws-lc-sys":
        header = crates.folders(target)[crate] / "aws-lc" / "include" / "openssl" / "base.h"
        found = AWS_LC.search(header.read_text())
        if not found:
            raise ValueError(f"{header} does not say which version of AWS-LC this is")
        component["components"] = [{"type": "library", "bom-ref": f"aws-lc@{found[1]}", "name": "AWS-LC", "version": found[1]}]
    return component


def _parts() -> Iterator[dict[str, Any]]:
    for part in PARTS:
        yield {"type": "library", "bom-ref": part.file.removesuffix(".txt"), "name": part.name, "licenses": [{"expression": part.licence}]}


def _dependencies(linked: Linked, root: str) -> Iterator[dict[str, Any]]:
    for crate in sorted(linked.uses):
        used = sorted(_reference(other) for other in linked.uses[crate])
        if crate == linked.root:
            yield {"ref": root, "dependsOn": sorted([*used, *(part.file.removesuffix(".txt") for part in PARTS)])}
        else:
            yield {"ref": _reference(crate), "dependsOn": used}


def _reference(crate: Crate) -> str:
    return f"pkg:cargo/{crate.name}@{crate.version}"


def main(paths: list[str]) -> int:
    # Only the environment of the validator has this package.
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    validator = JsonStrictValidator(SchemaVersion.V1_6)
    problems = [(path, problem) for path in paths for problem in [validator.validate_str(Path(path).read_text())] if problem]
    for path, problem in problems:
        print(f"{path}: {str(problem)[:2000]}", file=sys.stderr)
    return 1 if problems or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
