"""Writes the parts of the Terraform module that follow from ``template.yaml``: ``python -m local.terraform_module [--check]``.

``deploy/terraform/parameters.tf`` has a variable for each parameter of the template, ``generated.tf`` has the conditions,
policies, rules, alarms and properties as locals, and the README has tables of the variables and outputs. The other files of
the module are written by hand: they make resources of these locals. With ``--check``, nothing is written, and a file that
differs is an error.
"""

import difflib
import re
import sys
from pathlib import Path
from typing import Any

from local.hcl import NULL, Conditional, Expression, rendered
from local.paths import ROOT, TEMPLATE
from local.template import load
from local.terraform_translator import Translator, camel, grouped, negated, snake
from local.terraform_variables import in_words_of_terraform, variables_file

MODULE = ROOT / "deploy" / "terraform"
HEADER = "# Made from template.yaml by `make terraform`. Edit the template instead.\n"

def generated_file(template: dict[str, Any]) -> str:
    """The locals that follow from the template's conditions and resources."""
    translator = Translator(template)
    resources = template["Resources"]
    conditions = {
        snake(name): Expression(translator.holds(condition))
        for name, condition in template["Conditions"].items()
        if name not in ("AdmitsKeyEvents",)
    }
    groups: list[tuple[str, dict[str, Any]]] = [
        ("The conditions of the template.", conditions),
        ("What the template's rules refuse: a message for each.", {"broken_rules": _broken_rules(translator)}),
        ("The input of the function: the properties of Custom::SessionEncryption.", {"properties": _input(translator)}),
        ("The policies of the function's role. A policy that is not wanted is null.", {"policies": _policies(translator)}),
        ("The environment of the function.", {"environment": translator.value(resources["Function"]["Properties"]["Environment"]["Variables"])}),
        ("The policy of the queue of failed events.", {"queue_policy": translator.value(resources["FailedEventsPolicy"]["Properties"]["PolicyDocument"])}),
        ("The policy of the key that the module creates.", {"created_key_policy": translator.value(resources["Key"]["Properties"]["KeyPolicy"])}),
        ("The policies of the roles that start sessions, and of the roles of nodes.", {
            "user_policy": translator.value(resources["UserPolicy"]["Properties"]["PolicyDocument"]),
            "node_policy": translator.value(resources["NodePolicy"]["Properties"]["PolicyDocument"]),
        }),
        ("The rules of EventBridge, by the ends of their names. A rule that is not wanted is null.", {"rules": _rules(translator)}),
        ("The alarms.", {"alarms": _alarms(translator)}),
    ]
    parts = [HEADER]
    for comment, names in groups:
        parts.append(f"# {comment}\nlocals {rendered(names, 0, is_block=True)}\n")
    return "\n".join(parts)


def _broken_rules(translator: Translator) -> Any:
    messages = []
    for rule in translator.template["Rules"].values():
        applies = translator.holds(rule["RuleCondition"])
        for assertion in rule["Assertions"]:
            holds = translator.holds(assertion["Assert"])
            message = in_words_of_terraform(assertion["AssertDescription"], translator.parameters)
            broken = " && ".join([grouped(applies), grouped(negated(holds))])
            messages.append(Conditional(broken, message, NULL))
    return messages


def _input(translator: Translator) -> dict[str, Any]:
    properties = dict(translator.template["Resources"]["SessionEncryption"]["Properties"])
    for name in ("ServiceToken", "ServiceTimeout", "Requires"):
        del properties[name]
    return {"action": "reconcile"} | {camel(name): translator.native(value) for name, value in properties.items()}


def _policies(translator: Translator) -> dict[str, Any]:
    policies = {}
    for policy in translator.template["Resources"]["FunctionRole"]["Properties"]["Policies"]:
        match policy:
            case {"Fn::If": [condition, {"PolicyName": name, "PolicyDocument": document}, {"Ref": "AWS::NoValue"}]}:
                policies[name] = Conditional(translator.condition(condition), translator.value(document), NULL)
            case {"PolicyName": name, "PolicyDocument": document}:
                policies[name] = translator.value(document)
            case _:
                raise ValueError(f"cannot translate the policy {policy}")
    return policies


def rule_end(properties: dict[str, Any]) -> str:
    """The end of the name of a rule."""
    return properties["Name"]["Fn::Join"][1][-1]


def _rules(translator: Translator) -> dict[str, Any]:
    rules = {}
    for resource in translator.template["Resources"].values():
        if resource["Type"] != "AWS::Events::Rule":
            continue
        properties = resource["Properties"]
        rule = {
            "description": properties["Description"],
            "event_pattern": translator.value(properties["EventPattern"]) if "EventPattern" in properties else NULL,
            "schedule_expression": translator.value(properties["ScheduleExpression"]) if "ScheduleExpression" in properties else NULL,
        }
        condition = resource.get("Condition")
        rules[rule_end(properties)] = Conditional(translator.condition(condition), rule, NULL) if condition else rule
    return rules


def _alarms(translator: Translator) -> dict[str, Any]:
    alarms = {}
    for name, resource in translator.template["Resources"].items():
        if resource["Type"] != "AWS::CloudWatch::Alarm":
            continue
        properties = dict(resource["Properties"])
        dimensions = properties.pop("Dimensions")
        properties.pop("AlarmActions")
        alarm = {snake(key): translator.value(value) for key, value in properties.items()}
        alarm.setdefault("datapoints_to_alarm", NULL)
        alarm["dimensions"] = {dimension["Name"]: translator.value(dimension["Value"]) for dimension in dimensions}
        alarms[snake(name.removesuffix("Alarm"))] = alarm
    return alarms


def readme(text: str, files_of: dict[str, str]) -> str:
    """The README with tables of the variables and of the outputs that these files declare."""
    for kind, header in (("variable", "| name | default | what it is |\n| --- | --- | --- |\n"), ("output", "| name | what it is |\n| --- | --- |\n")):
        rows = ""
        for block in re.findall(rf'^{kind} ".*?^}}$', "\n".join(files_of.values()), re.MULTILINE | re.DOTALL):
            name = re.match(rf'{kind} "(\w+)"', block)
            description = re.search(r'^  description = "(.*)"$', block, re.MULTILINE)
            default = re.search(r"^  default     = (.*)$", block, re.MULTILINE)
            assert name
            assert description
            what = description[1].replace('\\"', '"').replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")
            columns = [f"`{name[1]}`", *([f"`{default[1]}`" if default else "required"] if kind == "variable" else []), what]
            rows += f"| {' | '.join(columns)} |\n"
        start, end = f"<!-- {kind}s, made by `make terraform` -->\n", f"<!-- end of the {kind}s -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}\n{header}{rows}\n{end}{after}"
    return text


def files() -> dict[Path, str]:
    """The files, each with what it has to hold."""
    template = load(TEMPLATE.read_text())
    generated = {MODULE / "parameters.tf": variables_file(template, HEADER), MODULE / "generated.tf": generated_file(template)}
    by_hand = {name: (MODULE / name).read_text() for name in ("variables.tf", "outputs.tf")}
    declaring = {"variables.tf": by_hand["variables.tf"], "parameters.tf": generated[MODULE / "parameters.tf"], "outputs.tf": by_hand["outputs.tf"]}
    path = MODULE / "README.md"
    return generated | {path: readme(path.read_text(), declaring)}


def differences() -> str:
    """What differs between the files and what they have to hold."""
    found: list[str] = []
    for path, wanted in files().items():
        present = path.read_text() if path.exists() else ""
        name = str(path.relative_to(ROOT))
        found += difflib.unified_diff(present.splitlines(), wanted.splitlines(), name, "wanted", lineterm="")
    return "\n".join(found)


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: python -m local.terraform_module [--check]", file=sys.stderr)
        return 2
    if arguments:
        if found := differences():
            print(f"{found}\nrun `make terraform`")
        return 1 if found else 0
    for path, text in files().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
