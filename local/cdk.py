"""Builds deploy/cdk and checks it: the types, the tests, the templates that it synthesizes, and the examples of the documents.

``python -m local.cdk``, in cfn-lint's own environment (``target/venv/cfn-lint``). It needs Node.js 20 and SAM's environment. The
packages of npm are installed into target/cdk once, as the lock file says. Neither an AWS account nor the CDK's command takes
part.
"""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from local import environments, npm
from local.cdk_comparison import CODE, CONSTRUCTS, PROPERTIES, ComparisonError, choices, differences, drift, properties
from local.documents import LINTED, blocks
from local.paths import ROOT
from local.template import PSEUDO

SOURCE = ROOT / "deploy" / "cdk"
REGION = PSEUDO["AWS::Region"]
# The choices whose templates the CDK's own validation and cfn-lint check too. Together they have every resource.
VALIDATED = {
    ("SessionKms", "most"), ("SessionKms", "created"), ("SessionKms", "every event"), ("SessionKmsKeyAccess", "most"),
    ("SessionKmsKeyAccess", "other function"),
}
Templates = dict[str, dict[str, Any]]
# The CDK's own validation then fails on a finding.
STRICT = json.dumps({"@aws-cdk/core:validateAgainstDefaultRules": True})
PLAIN = """
import json
from local import release
from local.paths import TEMPLATES
from local.template import load
print(json.dumps([release.plain(load(path.read_text())) for path in TEMPLATES]))
"""


class CdkError(Exception):
    """The package cannot be built, or one of its programs fails."""


def build() -> Path:
    """Install the packages, and compile a copy of deploy/cdk under target/. Return its folder."""
    folder = npm.install(SOURCE)
    for name in ("lib", "test", "scripts", "examples", "dist"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("lib", "test", "scripts"):
        shutil.copytree(SOURCE / name, folder / name)
    for name in ("package.json", "tsconfig.json", "tsconfig.examples.json"):
        shutil.copy(SOURCE / name, folder / name)
    _run(folder, "node", "scripts/templates.mjs", str(ROOT))
    _run(folder, "node_modules/.bin/tsc")
    return folder


def version_drift() -> list[str]:
    """Whether the package has the version of the project."""
    package = json.loads((SOURCE / "package.json").read_text())["version"]
    project = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    return [] if package == project else [f"deploy/cdk/package.json has version {package}, and Cargo.toml {project}"]


def synthesized(folder: Path, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The templates of stacks with constructs, each as `Case` of deploy/cdk/test/synthesize.ts describes it."""
    return json.loads(_run(folder, "node", "dist/test/synthesize.js", text=json.dumps(cases)))


def compared(folder: Path) -> tuple[list[str], Templates]:
    """What differs between the templates and the synthesized ones, and some of the latter for cfn-lint."""
    plain = dict(zip(CONSTRUCTS, json.loads(_run(ROOT, str(environments.program("sam", "python")), "-c", PLAIN)), strict=True))
    cases = [
        (construct, name, parameters, region)
        for construct in CONSTRUCTS
        for name, parameters in choices(construct)
        # A stack may have a Region, or be for any.
        for region in ([None, REGION] if "GrantRegion" in parameters else [None])
    ]
    made = synthesized(folder, [
        {
            "constructs": {construct: {"construct": construct, "properties": properties(plain[construct], parameters)}},
            "validated": (construct, name) in VALIDATED,
            "code": {"bucket": f"{CODE['CodeBucketPrefix']}-{REGION}", "key": CODE["CodeKey"]},
        } | ({"region": region} if region else {})
        for construct, name, parameters, region in cases
    ])
    found, templates = [], {}
    for (construct, name, parameters, _), template in zip(cases, made, strict=True):
        found += [f"{construct} ({name}): {difference}" for difference in differences(plain[construct], template, parameters)]
        if (construct, name) in VALIDATED:
            templates[f"{construct} ({name})"] = template
    print(f"templates: {len(made)} compared, {len(found)} differences", flush=True)
    return found, templates


def examples(folder: Path) -> Templates:
    """Compile and run the examples of the documents, and return their templates."""
    (folder / "examples").mkdir()
    # Each example is an app. The zip that it names only has to exist.
    (folder / "examples" / "function-arm64.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    programs = []
    for document in LINTED["ts"]:
        for number, block in enumerate(blocks(document, "ts"), 1):
            programs.append(f"{document.stem.lower()}-{number}")
            (folder / "examples" / f"{programs[-1]}.ts").write_text(block.text)
    if not programs:
        raise CdkError("the documents have no example")
    _run(folder, "node_modules/.bin/tsc", "--project", "tsconfig.examples.json")
    templates: Templates = {}
    for program in programs:
        output = folder / "examples" / program
        _run(folder / "examples", "node", f"../dist/examples/{program}.js", CDK_OUTDIR=str(output), CDK_CONTEXT_JSON=STRICT)
        made = {f"example {program}, {path.name}": json.loads(path.read_text()) for path in output.glob("*.template.json")}
        if "Custom::Session" not in json.dumps(made):
            raise CdkError(f"the example {program} makes no custom resource of session-kms")
        templates |= made
    print(f"examples: {len(programs)} run", flush=True)
    return templates


def linted(templates: Templates) -> list[str]:
    """What cfn-lint says of templates."""
    with multiprocessing.Pool() as pool:
        matches = pool.map(_matches, templates.values())
    found = [f"{name}: {match}" for name, of_template in zip(templates, matches, strict=True) for match in of_template]
    print(f"cfn-lint: {len(templates)} templates, {len(found)} findings", flush=True)
    return found


def _matches(template: dict[str, Any]) -> list[str]:
    # Only cfn-lint's environment has this package, and tests import this module in another.
    from cfnlint.api import ManualArgs, lint  # noqa: PLC0415

    # A dependency on a construct names all of its resources, also those that a reference orders already (W3005).
    found = lint(json.dumps(template, indent=1), config=ManualArgs(regions=[REGION], ignore_checks=["W3005"]))
    return [f"{match.rule.id} {match.message}" for match in found]


def _run(folder: Path, *command: str, text: str = "", **settings: str) -> str:
    """What a program prints. It does not learn of any AWS account."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))} | settings
    result = subprocess.run(command, cwd=folder, env=environment, input=text, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise CdkError(f"`{' '.join(command[:3])}` failed:\n{(result.stdout + result.stderr).strip()}")
    return result.stdout


def main() -> int:
    folder = build()
    found = version_drift()
    for construct, path in PROPERTIES.items():
        found += [f"{path.name}: {complaint}" for complaint in drift(construct, path.read_text())]
    print(_run(folder, "node", "--test", "--test-reporter=dot", "dist/test/session-kms.test.js"), flush=True)
    different, templates = compared(folder)
    found += different + linted(templates | examples(folder))
    for finding in found:
        print(finding)
    print(f"deploy/cdk: {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CdkError, ComparisonError, npm.NpmError, OSError) as error:
        print(error)
        sys.exit(1)
