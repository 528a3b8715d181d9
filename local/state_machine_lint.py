"""Checks the state machines of the templates with asl-validator: the Amazon States Language, its paths and its ARNs.

``python -m local.state_machine_lint [TEMPLATE...]``, in cfn-lint's environment, which has a reader of YAML. The definitions
are rendered for the choices of parameters of ``local/policy_lint.py``. asl-validator is a package of npm: it is installed
into target/asl-validator once, as its lock file says.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from local import npm
from local.paths import ALL_TEMPLATES, REQUIREMENTS, ROOT
from local.template import CHOICES, Resolver, has_loops, load

KINDS = ("AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine")
SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9]+)\}")


class LintError(Exception):
    """A definition cannot be rendered."""


def install() -> Path:
    """Install asl-validator unless it is there, and return the program."""
    return npm.install(REQUIREMENTS / "asl-validator") / "node_modules/.bin/asl-validator"


def definitions(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The definitions of a template's state machines, by a name made of resource and choice of parameters."""
    # No template makes a state machine in a loop, and such a template is no input of the resolver.
    machines = {} if has_loops(template) else {name: item for name, item in template["Resources"].items() if item["Type"] in KINDS}
    found = {}
    for choice, parameters in CHOICES.items():
        resolver = Resolver(template, {name: value for name, value in parameters.items() if name in template.get("Parameters", {})})
        for name, machine in machines.items():
            if resolver.exists(name):
                properties = machine["Properties"]
                found[f"{name} ({choice})"] = rendered(properties["Definition"], resolver.resolve(properties.get("DefinitionSubstitutions", {})))
    return found


def rendered(definition: dict[str, Any], substitutions: dict[str, Any]) -> dict[str, Any]:
    """A definition with its substitutions, each of which CloudFormation puts in as text. One that is missing is an error."""
    text = json.dumps(definition)
    missing = sorted(set(SUBSTITUTION.findall(text)) - set(substitutions))
    unused = sorted(set(substitutions) - set(SUBSTITUTION.findall(text)))
    if missing or unused:
        raise LintError(f"substitutions that are missing: {missing}, and that nothing uses: {unused}")
    return json.loads(SUBSTITUTION.sub(lambda match: str(substitutions[match[1]]), text))


def findings(definition: dict[str, Any]) -> str:
    """What asl-validator says about a definition, or an empty text."""
    result = subprocess.run(
        [str(install()), "--json-definition", json.dumps(definition)], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )
    return "" if result.returncode == 0 else (result.stdout + result.stderr).strip()


def main(*templates: Path) -> int:
    count = checked = 0
    for template in templates or ALL_TEMPLATES:
        for name, definition in definitions(load(template.read_text())).items():
            checked += 1
            if found := findings(definition):
                count += 1
                print(f"{template.name}: {name}: {found}")
    print(f"asl-validator: {checked} definitions, {count} with findings")
    return 1 if count or not checked else 0


if __name__ == "__main__":
    try:
        sys.exit(main(*[ROOT / name for name in sys.argv[1:]]))
    except (LintError, npm.NpmError, OSError) as error:
        print(error)
        sys.exit(1)
