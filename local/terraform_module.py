"""Writes the parts of the Terraform module that follow from ``template.yaml``: ``python -m local.terraform_module [--check]``.

``deploy/terraform/parameters.tf`` has a variable for each parameter of the template, ``generated.tf`` has the conditions,
policies, rules, alarms and properties as locals, and the README has tables of the variables and outputs. The other files of the module are written by hand: they make resources of
these locals. With ``--check``, nothing is written, and a file that differs is an error.
"""

import difflib
import re
import sys
from pathlib import Path
from typing import Any

from local.hcl import NULL, Conditional, Expression, rendered, string
from local.paths import ROOT, TEMPLATE
from local.template import load

MODULE = ROOT / "deploy" / "terraform"
HEADER = "# Made from template.yaml by `make terraform`. Edit the template instead.\n"

# Parameters that the module does not have. Its README gives the reasons.
LEFT_OUT = ("KeyEventsAccounts",)
# Parameters whose text is a list with commas.
LISTS = ("AdditionalKeyArns", "ConfigRuleNames", "ConsumerAccounts", "GrantKeyArns", "NodeRoleNames", "UserRoleNames")
# A parameter of CloudFormation holds no more than this. A variable has no such limit.
LONGEST_PARAMETER = 4096
# Terraform's regular expressions (RE2) look at nothing but the text that they match, and repeat at most 1,000 times.
RE2 = {
    "KeyPolicyReaderExternalId": ("^$|^[A-Za-z0-9_+=,.@:/-]{2,}$", "length({0}) <= 1224"),
    "UserRoleNames": (r"^$|^[A-Za-z0-9_+=.@-]{1,64}(,[A-Za-z0-9_+=.@-]{1,64})*$", "alltrue([for name in {0} : !startswith(name, \"AWSReservedSSO_\")])"),
    "NodeRoleNames": (r"^$|^[A-Za-z0-9_+=.@-]{1,64}(,[A-Za-z0-9_+=.@-]{1,64})*$", "alltrue([for name in {0} : !startswith(name, \"AWSReservedSSO_\")])"),
    "KeyArnParameterName": (
        "^$|^(/?[A-Za-z0-9_.-]+|(/[A-Za-z0-9_.-]+){2,15})$",
        '!can(regex("^/?([aA][wW][sS]|[sS][sS][mM])", {0})) && !can(regex("^/session-kms/[^/]+$", {0}))',
    ),
}
# What a description says of stacks that is otherwise in Terraform.
DESCRIPTIONS = {
    "CreateKey": (
        "true creates a key, with yearly rotation and the alias alias/NAME/session-manager. Terraform refuses to destroy it "
        "(prevent_destroy), because that would make what it encrypted unreadable."
    ),
    "UserRoleNames": (
        "Names, without their paths, of the roles of this account that start sessions. The module attaches a managed policy with "
        "kms:GenerateDataKey to them before it switches the key on."
    ),
    "NodeRoleNames": (
        "Names, without their paths, of the roles of managed nodes (instance profiles, hybrid activations, Default Host Management). The "
        "module attaches a managed policy with kms:Decrypt to them before it switches the key on."
    ),
    "GrantKeyArns": (
        "ARNs of the keys in the two managed policies. They are needed if user_role_names or node_role_names are given without create_key. A "
        "policy cannot name an alias, so give the ARN of the key here even if kms_key_id is an alias. If they change, the old policies "
        "stay until the document has changed."
    ),
    "GrantRegion": (
        "For modules in several Regions of an account, which share the account's roles: the one Region whose module attaches the two "
        "policies, with the keys of all Regions in grant_key_arns. If it is empty, the module of each Region attaches its own policies."
    ),
    "Context": (
        "What is known of the condition keys of every call of every user and node, as a JSON object: a value, a list of values, or null for "
        "a condition key that no call has, for example jsonencode({ \"aws:SourceVpce\" = null }). The function takes it on trust, and the "
        "report says which verdicts rest on it."
    ),
    "KeyPolicy": (
        "The policy of another account's key as JSON text, if no role may read it. The key's grants, tags and aliases are unknown then."
    ),
    "DocumentName": (
        "The Session document to edit. Session Manager reads its regional preferences from SSM-SessionManagerRunShell. If you change this "
        "name, list the present one in additional_documents: after the change the function restores the old document."
    ),
    "CreateDocument": (
        "true creates a document that does not exist. With false such a name is refused as a typing error. The regional preferences, "
        "SSM-SessionManagerRunShell, are created in any case."
    ),
    "OnDelete": (
        "What destroying the module does: Restore sets the previous key setting again, Clear turns encryption off, Retain leaves the key set. "
        "The document is never deleted, and other settings never change."
    ),
    "OnConflict": (
        "Fail refuses a document that somebody else owns, and names the owner. TakeOver makes direct calls, and so Terraform, its owner."
    ),
    "Revision": "Any text. If you change it, Terraform calls the function again, which repairs drift.",
    "AdditionalDocuments": (
        "Name of a further document, or an IAM pattern of names (* and ?), that this function may manage: for stacks that use it as their "
        "ServiceToken, and while document_name changes. If it is empty, the function manages only document_name."
    ),
    "AdditionalKeyArns": (
        "ARNs of keys of other accounts that this function may read in addition to kms_key_id: for stacks that use it as their "
        "ServiceToken, and to restore such a key (on_delete Restore). The rules match the events of these keys too. An event pattern has "
        "2,048 characters by default, and a role 10,240 in its policies, enough for some 10 keys here."
    ),
    "KeyArnParameterName": (
        "Name of a parameter in Parameter Store that the module makes with the ARN of the key, for others, such as "
        "/session-kms/SSM-SessionManagerRunShell/key-arn. With encryption Disabled there is no such parameter. Empty for none."
    ),
    "ConsumerAccounts": (
        "Accounts that the policy of the created key admits, besides this account, to the actions that sessions need. Their own IAM policies "
        "decide which of their principals may use the key."
    ),
    "ConfigRuleNames": "Names of AWS Config rules whose non-compliance makes the function check and repair. Empty for none.",
    "Users": "ARNs of roles and users that start sessions and must be able to use the key, in addition to those in the session history.",
    "Nodes": "ARNs of roles of nodes that must be able to use the key, in addition to those of the present nodes.",
    "Exempt": "ARNs, * and ? allowed, of principals whose failure is reported and blocks nothing.",
}
REFERENCES = {
    "AWS::Partition": "local.partition",
    "AWS::Region": "local.region",
    "AWS::AccountId": "local.account",
    "AWS::StackName": "var.name",
    "Function": "local.function_name",
    "FunctionRole.Arn": "local.function_role_arn",
    "FunctionLogGroup.Arn": "local.log_group_arn",
    "FailedEvents.Arn": "local.failed_events_arn",
    "FailedEvents.QueueName": "local.failed_events_name",
    "SessionKey.KeyArn": "local.key_arn",
    "SessionKey.StandbyKeyArn": "local.standby_key_arn",
    "Key.Arn": "local.created_key_arn",
}
# The part of the stack's id that names things. In the module the variable `name` takes its place.
STACK_ID = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
# The policies of users and nodes name the present key too. In Terraform the old policies stay until the document has changed.
PRESENT_KEY = {"Fn::GetAtt": ["SessionKey", "PresentKeyArn"]}


def snake(name: str) -> str:
    """A name in snake_case: ``KmsKeyId`` is ``kms_key_id``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def camel(name: str) -> str:
    return name[0].lower() + name[1:]


class Translator:
    """Translates functions of CloudFormation into expressions of Terraform."""

    def __init__(self, template: dict[str, Any]) -> None:
        self.template = template
        self.parameters = template["Parameters"]

    def value(self, value: Any) -> Any:
        """A value, with texts for parameters: policies and patterns hold nothing else."""
        if value == STACK_ID:
            return Expression("var.name")
        if value in ({"Ref": "AWS::NoValue"}, PRESENT_KEY):
            return NULL
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        return {name: self.value(item) for name, item in value.items()}

    def native(self, value: Any) -> Any:
        """A value in which a parameter has its own type: a list, a number, true or false."""
        match value:
            case {"Ref": str(name)} if name in self.parameters:
                return Expression(f"var.{snake(name)}")
            case {"Fn::If": [condition, then, otherwise]}:
                return Conditional(self.condition(condition), self.native(then), self.native(otherwise))
        return self.value(value)

    def condition(self, name: str) -> str:
        return f"local.{snake(name)}"

    def holds(self, condition: Any) -> str:
        """A condition as an expression."""
        (name, argument), = condition.items()
        match name, argument:
            case "Condition", str(of):
                return self.condition(of)
            case "Fn::Equals", [{"Ref": str(parameter)}, str() | int() as literal] if parameter in self.parameters:
                return self._equals(parameter, literal)
            case "Fn::Equals", [left, right]:
                return f"{self.text(left)} == {self.text(right)}"
            case "Fn::Not", [one]:
                return _negated(self.holds(one))
            case "Fn::And", list(items):
                return " && ".join(_grouped(self.holds(item)) for item in items)
            case "Fn::Or", list(items):
                return " || ".join(_grouped(self.holds(item)) for item in items)
        raise ValueError(f"cannot translate the condition {name}")

    def text(self, value: Any) -> str:
        """A value as the expression of one text."""
        translated = self.value(value)
        match translated:
            case Expression():
                return translated.text
            case str():
                return string(translated)
            case Conditional(condition, then, otherwise):
                return f"{condition} ? {_inline(then)} : {_inline(otherwise)}"
        raise ValueError(f"no text: {value}")

    def _equals(self, parameter: str, literal: str | int) -> str:
        name = f"var.{snake(parameter)}"
        match self.kind(parameter), literal:
            case "bool", "true":
                return name
            case "bool", "false":
                return f"!{name}"
            case "list", "":
                return f"length({name}) == 0"
            case "number", _:
                return f"{name} == {literal}"
        return f"{name} == {string(str(literal))}"

    def kind(self, parameter: str) -> str:
        """The type of a parameter's variable."""
        definition = self.parameters[parameter]
        if definition.get("AllowedValues") == ["true", "false"]:
            return "bool"
        if definition["Type"] == "Number":
            return "number"
        return "list" if definition["Type"] == "CommaDelimitedList" or parameter in LISTS else "string"

    def _reference(self, name: str) -> str:
        if name in REFERENCES:
            return REFERENCES[name]
        if name not in self.parameters:
            raise ValueError(f"nothing of the module stands for {name}")
        variable = f"var.{snake(name)}"
        match self.kind(name):
            case "list":
                return f'join(",", {variable})'
            case "bool" | "number":
                return f"tostring({variable})"
        return variable

    def _call(self, name: str, argument: Any) -> Any:
        match name, argument:
            case "Ref", str(of):
                return Expression(self._reference(of))
            case "Fn::GetAtt", [resource, attribute]:
                return Expression(self._reference(f"{resource}.{attribute}"))
            case "Fn::If", [condition, then, otherwise]:
                return Conditional(self.condition(condition), self.value(then), self.value(otherwise))
            case "Fn::Split", [",", {"Ref": str(parameter)}] if parameter in LISTS:
                return Expression(f"var.{snake(parameter)}")
            case "Fn::Split", [separator, text]:
                return Expression(f"split({string(separator)}, {self.text(text)})")
            case "Fn::Join", [separator, {"Fn::Split": _} as parts]:
                return Expression(f"join({string(separator)}, {self.text(parts)})")
            case "Fn::Join", [separator, list(items)]:
                parts = ", ".join(_inline(item) for item in self.value(items) if item is not NULL)
                return Expression(f"join({string(separator)}, compact([{parts}]))")
            case "Fn::Select", [index, {"Fn::Split": _} as parts]:
                return Expression(f"{self.text(parts)}[{index}]")
            case "Fn::Sub", _:
                return self._substitute(argument)
        raise ValueError(f"cannot translate {name}")

    def _substitute(self, argument: Any) -> Any:
        text, names = argument if isinstance(argument, list) else (argument, {})
        parts = re.split(r"\$\{([A-Za-z0-9:.]+)\}", text)
        result = ""
        for index, part in enumerate(parts):
            if index % 2 == 0:
                result += string(part)[1:-1]
                continue
            expression = self.text(names[part]) if part in names else self._reference(part)
            result += f"${{{expression}}}"
        result = result.replace("session-kms-${var.name}", "${var.name}")
        return Expression(f'"{result}"')


def _inline(value: Any) -> str:
    match value:
        case Expression():
            return value.text
        case str():
            return string(value)
        case Conditional(condition, then, otherwise):
            return f"{condition} ? {_inline(then)} : {_inline(otherwise)}"
    if value is NULL:
        return "null"
    raise ValueError(f"not in one line: {value}")


def _grouped(expression: str) -> str:
    return f"({expression})" if " || " in expression or " && " in expression else expression


def _negated(expression: str) -> str:
    """The opposite of a condition, in the form in which one would write it."""
    if re.fullmatch(r"!\([^()]*(\([^()]*\)[^()]*)*\)", expression):
        return expression[2:-1]
    if re.fullmatch(r"\S+ != \S+", expression):
        return expression.replace(" != ", " == ")
    if re.fullmatch(r"\S+ == \S+|length\(\S+\) == 0", expression):
        return expression.replace(" == 0", " > 0") if expression.startswith("length(") else expression.replace(" == ", " != ")
    if expression.startswith("!") and " " not in expression:
        return expression[1:]
    return f"!({expression})" if " " in expression else f"!{expression}"


def in_words_of_terraform(text: str, parameters: dict[str, Any]) -> str:
    """A description with variables for parameters, and without stacks."""
    for name in sorted(parameters, key=len, reverse=True):
        if snake(name) != name.lower():
            text = re.sub(rf"\b{name}\b", snake(name), text)
    text = re.sub(r"\bEncryption (?=Enabled|Disabled)", "encryption ", text)
    text = text.replace("set Encryption to", "set encryption to")
    return text.replace("this stack", "this module").replace("the stack", "the module").replace("The stack", "The module")


def parameters_file(template: dict[str, Any]) -> str:
    """The variables that stand for parameters."""
    translator = Translator(template)
    parts = [HEADER]
    for name, definition in template["Parameters"].items():
        if name not in LEFT_OUT:
            parts.append(_variable(translator, name, definition))
    return "\n".join(parts)


def _variable(translator: Translator, name: str, definition: dict[str, Any]) -> str:
    kind = translator.kind(name)
    description = DESCRIPTIONS.get(name) or in_words_of_terraform(definition["Description"], translator.parameters)
    default = definition["Default"]
    value: Any = default
    if kind == "bool":
        value = default == "true"
    elif kind == "list":
        value = default.split(",") if default else []
    type_name = "list(string)" if kind == "list" else kind
    lines = [f'variable "{snake(name)}" {{', f"  description = {string(description)}", f"  type        = {type_name}", f"  default     = {rendered(value, 2)}",
             "  nullable    = false"]
    for condition, message in _validations(translator, name, definition):
        lines += ["", "  validation {", f"    condition     = {condition}", f"    error_message = {string(message)}", "  }"]
    return "\n".join([*lines, "}", ""])


def _validations(translator: Translator, name: str, definition: dict[str, Any]) -> list[tuple[str, str]]:
    """The conditions of a variable, each with its message, which has to be a sentence."""
    kind, variable = translator.kind(name), f"var.{snake(name)}"
    text = f'join(",", {variable})' if kind == "list" else variable
    found = []
    allowed = definition.get("AllowedValues")
    if allowed and kind != "bool":
        words = ", ".join(map(str, allowed))
        found.append((f"contains({rendered(Expression('[' + ', '.join(_literal(one) for one in allowed) + ']'), 4)}, {variable})",
                      f"The value of {snake(name)} must be one of {words}."))
    if "MinValue" in definition:
        low, high = definition["MinValue"], definition["MaxValue"]
        found.append((f"{variable} >= {low} && {variable} <= {high} && floor({variable}) == {variable}",
                      f"The value of {snake(name)} must be a whole number from {low} to {high}."))
    if definition.get("MaxLength", LONGEST_PARAMETER) < LONGEST_PARAMETER:
        longest = definition["MaxLength"]
        found.append((f"length({text}) <= {longest}", f"The value of {snake(name)} must have at most {longest:,} characters."))
    if "AllowedPattern" in definition:
        pattern, more = RE2.get(name, (definition["AllowedPattern"], ""))
        if "(?" in pattern or re.search(r"\{(\d+,)?\d{4,}\}", pattern):
            raise ValueError(f"Terraform cannot read the pattern of {name}")
        condition = f"can(regex({string(pattern)}, {text}))"
        if kind == "list":
            condition += f' && alltrue([for item in {variable} : !strcontains(item, ",")])'
        if more:
            condition += " && " + more.format(variable)
        constraint = in_words_of_terraform(definition["ConstraintDescription"], translator.parameters).replace(", separated by commas without spaces", "")
        found.append((condition, f"The value of {snake(name)} {constraint.strip()}."))
    return found


def _literal(value: Any) -> str:
    return string(value) if isinstance(value, str) else str(value)


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
            broken = " && ".join([_grouped(applies), _grouped(_negated(holds))])
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
            assert name and description
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
    generated = {MODULE / "parameters.tf": parameters_file(template), MODULE / "generated.tf": generated_file(template)}
    by_hand = {name: (MODULE / name).read_text() for name in ("variables.tf", "outputs.tf")}
    declaring = {"variables.tf": by_hand["variables.tf"], "parameters.tf": generated[MODULE / "parameters.tf"], "outputs.tf": by_hand["outputs.tf"]}
    path = MODULE / "README.md"
    return generated | {path: readme(path.read_text(), declaring)}


def differences() -> str:
    """What differs between the files and what they have to hold."""
    found = []
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
