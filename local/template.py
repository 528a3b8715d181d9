"""Reads a template, resolves its functions for given parameters, and removes what the local AWS does not support.

It supports only the functions that the templates use. Any other raises an error, so no policy is resolved in part.
"""

import json
import re
from typing import Any

import yaml

PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "session-kms",
    "AWS::StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/session-kms/2f1c3a40-b5d6-11ef-9a3e-0a58a9feac02",
    "AWS::URLSuffix": "amazonaws.com",
}
ABSENT = object()
# Resource types that ministack does not support. Each depends on a parameter, and no resource needs its attributes.
LOCALLY_UNSUPPORTED = ("AWS::Config::ConfigRule", "AWS::Events::EventBusPolicy")

# Choices of parameters for the checks of what a template makes: each conditional part is present in one of them and absent
# in another.
KEY = "arn:aws:kms:eu-west-1:222222222222:key/11111111-2222-3333-4444-555555555555"
AUDIT_ROLES = "arn:aws:iam::123456789012:role/session-kms-audit-"
OFF = dict.fromkeys(
    (
        "DiscoverUsers", "ReadSessionDocuments", "DiscoverNodes", "ReadNetwork", "ReadKeyPolicy", "SimulateIdentities", "DryRun",
        "ReadOrganization", "ReadPrincipalTags", "ReadKeyTags", "ReadKeyAliases",
    ),
    "false",
)
# Parameters that a template lacks are ignored.
CHOICES = {
    "least": {"KmsKeyId": "alias/session-manager", "KeyArn": KEY, "AuditFunctionRoleArns": f"{AUDIT_ROLES}WorkerRole"} | OFF,
    "default": {"KmsKeyId": "alias/session-manager", "KeyArn": KEY, "AuditFunctionRoleArns": f"{AUDIT_ROLES}WorkerRole"},
    "most": {
        "KmsKeyId": KEY,
        "KeyArn": KEY,
        "AdditionalDocuments": "Team-*",
        "AdditionalKeyArns": "arn:aws:kms:eu-west-1:333333333333:key/11111111-2222-3333-4444-555555555555",
        "DryRun": "true",
        "UserRoleNames": "Operator,Admin",
        "NodeRoleNames": "App",
        "GrantKeyArns": KEY,
        "KeyPolicyReaderRoleArn": "arn:aws:iam::222222222222:role/reader",
        "OnKeyTrouble": "Standby",
        "StandbyKmsKeyId": KEY,
        "ReportDestinationArn": "arn:aws:events:eu-west-1:123456789012:event-bus/default",
        "ConfigRule": "true",
        "AuditFunctionRoleArns": f"{AUDIT_ROLES}WorkerRole,{AUDIT_ROLES}ReportRole",
        "ExternalId": "example-bank/audit",
        "OrganizationId": "o-a1b2c3d4e5",
        "KmsKeyArn": KEY,
        "ImportFindings": "true",
        "Accounts": "s3://example-bank-accounts/audit/accounts.txt",
        "Exclude": "333333333333,Root/Sandbox",
        "Exempt": "arn:aws:iam::*:role/BreakGlass",
        "Regions": "eu-west-1,us-east-1",
    },
    "created": {
        "CreateKey": "true", "UserRoleNames": "Operator", "NodeRoleNames": "App", "KeyArn": KEY,
        "ReportDestinationArn": "arn:aws:sns:eu-west-1:123456789012:session-kms",
        "AuditFunctionRoleArns": f"{AUDIT_ROLES}WorkerRole",
        "OrganizationalUnits": "Root/Workloads,ou-a1b2-11111111",
        "ExternalId": "example-bank/audit",
    },
}


class _Loader(yaml.CSafeLoader):
    """A YAML loader that reads CloudFormation's short forms into their long forms."""


def _short_form(loader: Any, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1)} if name == "Fn::GetAtt" else {name: value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


def load(text: str) -> dict[str, Any]:
    """The template, with every function in its long form."""
    return yaml.load(text, _Loader)


def without_locally_unsupported(text: str) -> str:
    """The template as JSON, without the resources that ministack does not support."""
    template = load(text)
    unsupported = [name for name, resource in template["Resources"].items() if resource["Type"] in LOCALLY_UNSUPPORTED]
    for name in unsupported:
        del template["Resources"][name]
    rest = json.dumps(template)
    for name in unsupported:
        rest = rest.replace(json.dumps({"Ref": name}), json.dumps({"Ref": "AWS::NoValue"}))
    return rest


def loops_unrolled(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """The template with each loop (``Fn::ForEach``) replaced by its rounds, over the items of a list parameter.

    It needs no transform any more. Names that a function makes, such as that of an attribute's resource in a loop, become
    plain.
    """
    return {name: value for name, value in _unrolled(template, parameters).items() if name != "Transform"}


def _unrolled(value: Any, parameters: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_unrolled(item, parameters) for item in value]
    if not isinstance(value, dict):
        return value
    result: dict[str, Any] = {}
    for name, item in value.items():
        if not name.startswith("Fn::ForEach::"):
            result[name] = _unrolled(item, parameters)
            continue
        variable, collection, body = item
        for text in parameters[collection["Ref"]].split(","):
            result |= _unrolled(_with_variable(body, variable, text), parameters)
    return result


def has_loops(template: dict[str, Any]) -> bool:
    """Whether the template makes some of its resources in a loop."""
    return any(name.startswith("Fn::ForEach::") for name in template["Resources"])


def _with_variable(value: Any, variable: str, text: str) -> Any:
    """A part of a template with the variable of a loop replaced by its text."""
    if isinstance(value, list):
        return [_with_variable(item, variable, text) for item in value]
    if isinstance(value, str):
        return value.replace(f"&{{{variable}}}", re.sub("[^A-Za-z0-9]", "", text)).replace(f"${{{variable}}}", text)
    if not isinstance(value, dict):
        return value
    if value == {"Ref": variable}:
        return text
    replaced = {_with_variable(name, variable, text): _with_variable(item, variable, text) for name, item in value.items()}
    match replaced:
        case {"Fn::Sub": str(whole)} if "${" not in whole:
            return whole
    return replaced


class Resolver:
    """Resolves a template's functions for one choice of parameters."""

    # The values of pseudo parameters.
    pseudo = PSEUDO

    def __init__(self, template: dict[str, Any], parameters: dict[str, Any]) -> None:
        self.template = template
        self.parameters = {name: str(definition.get("Default", "")) for name, definition in template["Parameters"].items()} | parameters

    def condition(self, name: str) -> bool:
        return self._holds(self.template["Conditions"][name])

    def exists(self, logical_id: str) -> bool:
        """Whether the stack has a resource."""
        condition = self.template["Resources"][logical_id].get("Condition")
        return condition is None or self.condition(condition)

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {name: self.resolve(item) for name, item in value.items()}
        return {name: item for name, item in resolved.items() if item is not ABSENT}

    def _holds(self, condition: Any) -> bool:
        (name, argument), = condition.items()
        match name:
            case "Condition":
                return self.condition(argument)
            case "Fn::Equals":
                left, right = self.resolve(argument)
                return str(left) == str(right)
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::And":
                return all(self._holds(item) for item in argument)
            case "Fn::Or":
                return any(self._holds(item) for item in argument)
        raise ValueError(f"cannot decide the condition {name}")

    def _call(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._reference(argument)
            case "Fn::GetAtt":
                return self._attribute(*argument)
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolve(then if self.condition(condition) else otherwise)
            case "Fn::Join":
                separator, items = argument
                return separator.join(self.resolve(items))
            case "Fn::Split":
                separator, text = argument
                return self.resolve(text).split(separator)
            case "Fn::Select":
                index, items = argument
                return self.resolve(items)[int(index)]
            case "Fn::Sub":
                return self._substitute(argument)
        raise ValueError(f"cannot resolve {name}")

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return ABSENT
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            value = self.parameters[name]
            is_list = self.template["Parameters"][name]["Type"] == "CommaDelimitedList"
            return value.split(",") if is_list else value
        # The references of most resources are names.
        is_arn = self.template["Resources"].get(name, {}).get("Type") == "AWS::Serverless::StateMachine"
        return self._attribute(name, "Arn") if is_arn else name

    def _attribute(self, resource: str, attribute: str) -> str:
        kind = self.template["Resources"][resource]["Type"]
        if kind == "Custom::SessionKey" and attribute.endswith("KeyArn"):
            return f"arn:aws:kms:{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        if (kind, attribute) in (("AWS::Serverless::StateMachine", "Name"), ("AWS::SQS::Queue", "QueueName")):
            return resource
        if attribute != "Arn":
            raise ValueError(f"cannot resolve {resource}.{attribute}")
        service, form = {
            "AWS::Logs::LogGroup": ("logs", "log-group:{}:*"),
            "AWS::SQS::Queue": ("sqs", "{}"),
            "AWS::KMS::Key": ("kms", "key/{}"),
            "AWS::Serverless::Function": ("lambda", "function:{}"),
            "AWS::Lambda::Function": ("lambda", "function:{}"),
            "AWS::S3::Bucket": ("s3", "{}"),
            "AWS::IAM::Role": ("iam", "role/{}"),
            "AWS::Events::Rule": ("events", "rule/{}"),
            "AWS::Serverless::StateMachine": ("states", "stateMachine:{}"),
        }[kind]
        region = "" if service in ("s3", "iam") else self.pseudo["AWS::Region"]
        account = "" if service == "s3" else self.pseudo["AWS::AccountId"]
        return f"arn:aws:{service}:{region}:{account}:{form.format(resource)}"

    def _substitute(self, argument: Any) -> str:
        text, names = argument if isinstance(argument, list) else (argument, {})

        def one(match: re.Match[str]) -> str:
            name = match.group(1)
            if name in names:
                return str(self.resolve(names[name]))
            resource, _, attribute = name.partition(".")
            return self._attribute(resource, attribute) if attribute else str(self._reference(name))

        return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", one, text)
