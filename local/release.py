"""Makes what deploy/stackset.yaml deploys: template.yaml as plain CloudFormation, and the code, under names of their own.

``python -m local.release [FOLDER]``, in SAM's own environment (``target/venv/sam``), writes the template and prints its
path. A service-managed StackSet takes no template with a transform, so SAM's transform is applied here. Lambda reads code only
from a bucket of the stack's own Region, so the template gets two more parameters that name it.
"""

import copy
import hashlib
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from local.paths import TARGET, TEMPLATE
from local.template import load

RELEASE = TARGET / "deploy"
SAM_TAG = "lambda:createdBy"
# What the template says to the Serverless Application Repository, which takes it with SAM's transform.
REPOSITORY = "AWS::ServerlessRepo::Application"
CODE_PARAMETERS = {
    "CodeBucketPrefix": {
        "Description": "The code is in a bucket of this Region, whose name is this prefix, a hyphen and the Region.",
        "Type": "String",
        "AllowedPattern": "^[a-z0-9][a-z0-9-]{1,40}$",
        "ConstraintDescription": (
            "must be the beginning of a bucket's name, of letters, digits and hyphens, without the last hyphen and the Region"
        ),
    },
    "CodeKey": {
        "Description": "Key of the code in this bucket. Each release has its own key.",
        "Type": "String",
        "AllowedPattern": r"^.+\.zip$",
        "ConstraintDescription": "must be the key of a zip",
    },
}
CODE_LABELS = {"CodeBucketPrefix": "Buckets of the code", "CodeKey": "Code"}


class ReleaseError(Exception):
    """A part of the release is missing, or not as expected."""


def plain(template: dict[str, Any]) -> dict[str, Any]:
    """A SAM template with one function, as plain CloudFormation that reads the code from the Region's bucket."""
    # The transform needs a Region to find the partition. Its result is the same for all Regions.
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    # Only SAM's environment has this package, and tests import this module in another.
    from samtranslator.translator.transform import transform  # noqa: PLC0415

    template = copy.deepcopy(template)
    names = [name for name, resource in template["Resources"].items() if resource["Type"] == "AWS::Serverless::Function"]
    if len(names) != 1:
        raise ReleaseError(f"the template should have one function, it has {len(names)}")
    function = template["Resources"][names[0]]
    # Metadata only says how SAM builds the function.
    function.pop("Metadata", None)
    function["Properties"]["CodeUri"] = {"Bucket": {"Fn::Sub": "${CodeBucketPrefix}-${AWS::Region}"}, "Key": {"Ref": "CodeKey"}}
    template["Metadata"].pop(REPOSITORY, None)
    _add_code_parameters(template)
    result = transform(template, {}, SimpleNamespace(load=dict))
    properties = result["Resources"][names[0]]["Properties"]
    properties["Tags"] = [tag for tag in properties.get("Tags", []) if tag["Key"] != SAM_TAG]
    if not properties["Tags"]:
        del properties["Tags"]
    return result


def _add_code_parameters(template: dict[str, Any]) -> None:
    template["Parameters"] = CODE_PARAMETERS | template["Parameters"]
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    interface["ParameterGroups"].insert(0, {"Label": {"default": "Code"}, "Parameters": list(CODE_PARAMETERS)})
    interface["ParameterLabels"] |= {name: {"default": label} for name, label in CODE_LABELS.items()}


def write_template(folder: Path = RELEASE) -> Path:
    """Write the plain template. Its content is part of its name, so no other release overwrites it."""
    content = json.dumps(plain(load(TEMPLATE.read_text())), indent=1).encode() + b"\n"
    return _write(folder, f"template-{_digest(content)}.json", content)


def write_code(architecture: str, content: bytes, folder: Path = RELEASE) -> Path:
    """Write the zip of a function. Its content is part of its name."""
    return _write(folder, f"function-{architecture}-{_digest(content)}.zip", content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _write(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


def main(folder: str = str(RELEASE)) -> int:
    try:
        print(write_template(Path(folder)))
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
