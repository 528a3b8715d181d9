"""Builds deploy/cdk and checks it: the types, the tests, the templates that it synthesizes, and the examples of the documents.

``python -m local.cdk``, in cfn-lint's own environment (``target/venv/cfn-lint``). It needs Node.js 20 and SAM's environment. The
packages of npm are installed into target/cdk once, as the lock file says. Neither an AWS account nor the CDK's command takes
part.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from cfnlint.api import ManualArgs, lint

from local import environments, npm
from local.cdk_comparison import CONSTRUCTS, PROPERTIES, ComparisonError, choices, differences, drift, properties
from local.paths import ROOT

SOURCE = ROOT / "deploy" / "cdk"
DOCUMENTS = (SOURCE / "README.md", ROOT / "docs" / "deploy.md")
EXAMPLE = re.compile(r"^```ts\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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


def compared(folder: Path) -> list[str]:
    """What differs between the templates and the synthesized ones, and what cfn-lint says of the latter."""
    plain = dict(zip(CONSTRUCTS, json.loads(_run(ROOT, str(environments.program("sam", "python")), "-c", PLAIN)), strict=True))
    cases = [
        (construct, name, parameters, region)
        for construct in CONSTRUCTS
        for name, parameters in choices(construct)
        # A stack may have a Region, or be for any.
        for region in ([None, "eu-west-1"] if "GrantRegion" in parameters else [None])
    ]
    made = _synthesized(folder, [
        {"construct": construct, "properties": properties(plain[construct], parameters)} | ({"region": region} if region else {})
        for construct, _, parameters, region in cases
    ])
    found = []
    for (construct, name, parameters, _), template in zip(cases, made, strict=True):
        found += [f"{construct} ({name}): {difference}" for difference in differences(plain[construct], template, parameters)]
        found += [f"{construct} ({name}): {finding}" for finding in _linted(template)]
    print(f"templates: {len(made)} compared, {len(found)} findings", flush=True)
    return found


def _synthesized(folder: Path, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The templates of stacks with one construct each."""
    return json.loads(_run(folder, "node", "dist/test/synthesize.js", text=json.dumps(cases)))


def _linted(template: dict[str, Any]) -> list[str]:
    matches = lint(json.dumps(template, indent=1), config=ManualArgs(regions=["eu-west-1"]))
    return [f"{match.rule.id} {match.message}" for match in matches]


def examples(folder: Path) -> list[str]:
    """Compile and run the examples of the documents, and return what cfn-lint says of their templates."""
    (folder / "examples").mkdir()
    # Each example is an app. The zip that it names only has to exist.
    (folder / "examples" / "function-arm64.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    programs = []
    for document in DOCUMENTS:
        for number, code in enumerate(EXAMPLE.findall(document.read_text()), 1):
            programs.append(f"{document.stem.lower()}-{number}")
            (folder / "examples" / f"{programs[-1]}.ts").write_text(code)
    if not programs:
        raise CdkError("the documents have no example")
    _run(folder, "node_modules/.bin/tsc", "--project", "tsconfig.examples.json")
    found = []
    for program in programs:
        output = folder / "examples" / program
        _run(folder / "examples", "node", f"../dist/examples/{program}.js", CDK_OUTDIR=str(output), CDK_CONTEXT_JSON=STRICT)
        templates = [json.loads(path.read_text()) for path in output.glob("*.template.json")]
        if not any("Custom::Session" in json.dumps(template) for template in templates):
            raise CdkError(f"the example {program} makes no custom resource")
        found += [f"example {program}: {finding}" for template in templates for finding in _linted(template)]
    print(f"examples: {len(programs)} run, {len(found)} findings", flush=True)
    return found


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
    print(_run(folder, "node", "--test", "--test-reporter=dot", "dist/test/"), flush=True)
    found += compared(folder)
    found += examples(folder)
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
