"""Translates the functions of CloudFormation that ``template.yaml`` uses into expressions of Terraform.

A parameter becomes the variable of the module that stands for it, and a condition a local. Any function that the template
does not use raises an error.
"""

import re
from typing import Any

from local.hcl import NULL, Conditional, Expression, string

# Parameters whose text is a list with commas.
LISTS = ("AdditionalKeyArns", "ConfigRuleNames", "ConsumerAccounts", "GrantKeyArns", "NodeRoleNames", "UserRoleNames")
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
                return negated(self.holds(one))
            case "Fn::And", list(items):
                return " && ".join(grouped(self.holds(item)) for item in items)
            case "Fn::Or", list(items):
                return " || ".join(grouped(self.holds(item)) for item in items)
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


def grouped(expression: str) -> str:
    return f"({expression})" if " || " in expression or " && " in expression else expression


def negated(expression: str) -> str:
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
