"""Checks the templates with checkov: settings that weaken security.

``python -m local.security_lint [TEMPLATE...]``, in checkov's own environment (``target/venv/checkov``). checkov knows SAM's
functions, and neither loops nor resources whose condition does not hold by default. So it gets each template with its loops
unrolled and with everything on. It downloads nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from local.lint_exceptions import CHECKOV, Setting
from local.paths import ALL_TEMPLATES
from local.template import has_loops, load, loops_unrolled

# checkov has no check on resources of these types.
WITHOUT_CHECKS = {"AWS::CloudFormation::StackSet"}
# The values of the loops.
LOOPS = {"ConsumerAccounts": "111111111111,222222222222", "Regions": "eu-west-1,us-east-1"}


def everything_on(value: Any) -> Any:
    """A part of a template with each conditional value as it is if its condition holds."""
    if isinstance(value, list):
        return [everything_on(item) for item in value if item != {"Ref": "AWS::NoValue"}]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Fn::If": [_, then, otherwise]}:
            return everything_on(otherwise if then == {"Ref": "AWS::NoValue"} else then)
    return {name: everything_on(item) for name, item in value.items()}


class CheckovError(Exception):
    """checkov did not run, or did not read a template."""


def report(template: Path, folder: Path) -> dict[str, Any]:
    """checkov's report on a template. A template that checkov cannot read, or has no check for, is an error."""
    parsed = load(template.read_text())
    if has_loops(parsed):
        parsed = loops_unrolled(parsed, LOOPS)
    parsed["Resources"] = {
        name: {part: everything_on(value) for part, value in resource.items() if part != "Condition"} for name, resource in parsed["Resources"].items()
    }
    path = folder / f"{template.stem}.json"
    path.write_text(json.dumps(parsed, indent=1))
    command = [
        str(Path(sys.executable).parent / "checkov"), "--framework", "cloudformation", "--skip-download", "--quiet", "--output", "json",
        "--soft-fail", "--file", str(path),
    ]
    # Without this, checkov looks for its configuration in the working directory and in the home directory.
    settings = {"HOME": str(folder), "PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(command, cwd=folder, env=settings, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise CheckovError(f"checkov failed on {template.name}:\n{result.stdout}{result.stderr}")
    answer = json.loads(result.stdout)
    if "results" not in answer:
        # No check had anything to look at.
        if {resource["Type"] for resource in parsed["Resources"].values()} <= WITHOUT_CHECKS:
            return {"results": {"failed_checks": []}, "summary": {"passed": 0, "failed": 0}}
        raise CheckovError(f"checkov checked nothing in {template.name}")
    if answer["summary"]["parsing_errors"]:
        raise CheckovError(f"checkov cannot read {template.name}: {answer['results'].get('parsing_errors')}")
    return answer


def main(*templates: Path) -> int:
    unexpected, checks, matched = 0, 0, set()
    with tempfile.TemporaryDirectory() as folder:
        for template in templates or ALL_TEMPLATES:
            answer = report(template, Path(folder))
            checks += answer["summary"]["passed"] + answer["summary"]["failed"]
            for finding in answer["results"]["failed_checks"]:
                name = finding["resource"].rpartition(".")[2]
                setting = Setting(template.name, name, finding["check_id"])
                if setting in CHECKOV:
                    matched.add(setting)
                    continue
                unexpected += 1
                print(f"{template.name}: {name}: {finding['check_id']} {finding['check_name']}")
    # Only a run over all templates can tell that an exception is not needed any more.
    unused = set() if templates else CHECKOV - matched
    for setting in sorted(unused):
        print(f"the exception {setting.check} for {setting.resource} in {setting.template} matches no finding")
    print(f"checkov: {checks} checks, {len(matched)} exceptions, {unexpected} findings")
    return 1 if unexpected or unused else 0


if __name__ == "__main__":
    sys.exit(main(*[Path(name).resolve() for name in sys.argv[1:]]))
