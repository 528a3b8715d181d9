"""Compares what the constructs of deploy/cdk make with the templates, and their properties with the parameters.

A synthesized template is compared with the plain one resource by resource, for several choices of parameters, after the
functions of both are resolved.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from local.paths import KEY_ACCESS_TEMPLATE, ROOT, TEMPLATE
from local.template import CHOICES, KEY, PSEUDO, Resolver, load

LIBRARY = ROOT / "deploy" / "cdk" / "lib"
CONSTRUCTS = {"SessionKms": TEMPLATE, "SessionKmsKeyAccess": KEY_ACCESS_TEMPLATE}
PROPERTIES = {"SessionKms": LIBRARY / "session-kms-props.ts", "SessionKmsKeyAccess": LIBRARY / "session-kms-key-access-props.ts"}
CODE = {"CodeBucketPrefix": "example-bank-code", "CodeKey": "function.zip"}
ROLE = "arn:aws:iam::222222222222:role/session-kms-*"
# What the choices of local/template.py leave out, and values that no parameter of theirs needs.
MORE_CHOICES: dict[str, dict[str, dict[str, str]]] = {
    "SessionKms": {
        "every event": {
            "KmsKeyId": "mrk-11111111222233334444555555555555", "ConfigRuleNames": "one,two", "SecurityHub": "true", "KeyEventsAccounts": "222222222222",
            "AdditionalDocuments": "Team-?", "AdditionalKeyArns": f"{KEY},{KEY[:-1]}6", "Schedule": "rate(6 hours)", "ConfigRule": "true",
        },
        "one action": {
            "KmsKeyId": "alias/session-manager", "SecurityHub": "true",
            "SecurityHubActionArn": "arn:aws:securityhub:eu-west-1:123456789012:action/custom/session",
        },
        "reports here": {
            "KmsKeyId": KEY, "ReportDestinationArn": "event-bus/default", "AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
            "ReservedConcurrency": "5", "MaxRepairsPerHour": "60", "LogRetention": "30", "PermissionsBoundaryArn": "policy/boundary",
            "KeyArnParameterName": "/session/key-arn", "Architecture": "x86_64", "LogLevel": "WARN",
        },
        "encrypted reports": {
            "KmsKeyId": KEY, "ReportDestinationArn": "arn:aws:sns:eu-west-1:123456789012:reports", "ReportTopicKeyArn": KEY,
            "PermissionsBoundaryArn": "arn:aws:iam::aws:policy/PowerUserAccess",
        },
        "disabled": {"Encryption": "Disabled", "OnDelete": "Clear", "Preflight": "Off"},
        "grants here": {"KmsKeyId": KEY, "UserRoleNames": "Operator", "NodeRoleNames": "App", "GrantKeyArns": KEY, "GrantRegion": PSEUDO["AWS::Region"]},
        "grants elsewhere": {"KmsKeyId": KEY, "UserRoleNames": "Operator", "NodeRoleNames": "App", "GrantKeyArns": KEY, "GrantRegion": "us-east-1"},
        "consumers": {"CreateKey": "true", "ConsumerAccounts": "222222222222,333333333333", "Context": '{"aws:SourceVpce": null}'},
    },
    "SessionKmsKeyAccess": {
        "other function": {"FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:session-kms", "ProveAccounts": "false"},
    },
}
# What a template without a default for a parameter needs.
REQUIRED = {"SessionKmsKeyAccess": {"KeyArn": KEY, "ConsumerAccounts": "222222222222,333333333333", "ReaderArns": f"{ROLE},{ROLE}"}, "SessionKms": {}}
# The CDK names an element after its place in the app, and adds eight characters.
LOGICAL_ID = re.compile(r"^SessionKms(?:KeyAccess)?Template(?:Conditions)?(\w+)[0-9A-F]{8}$")
STACK_UUID = PSEUDO["AWS::StackId"].rsplit("/", 1)[1]
# The first three groups of the stack's id, and what tells the instances of a construct in one stack apart.
UNIQUE = re.compile(re.escape(STACK_UUID.rsplit("-", 2)[0]) + "-([0-9a-f]{8})")
PROPERTY = re.compile(r"/\*\*\n(?P<text>(?:   \*.*\n)+)   \*/\n  readonly (?P<name>\w+)(?P<optional>\??): (?P<type>.+);\n")


class ComparisonError(Exception):
    """A synthesized template is not built as expected, so it cannot be compared."""


def choices(construct: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The choices of parameters for a construct's template, by their names."""
    known = load(CONSTRUCTS[construct].read_text())["Parameters"]
    for name, parameters in (CHOICES | MORE_CHOICES[construct]).items():
        yield name, REQUIRED[construct] | {parameter: text for parameter, text in parameters.items() if parameter in known}


def properties(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """The properties of a construct for some parameters of its template."""
    return {property_name(name): _typed(template["Parameters"][name], text) for name, text in parameters.items()}


def _typed(parameter: dict[str, Any], text: str) -> Any:
    if parameter.get("AllowedValues") == ["true", "false"]:
        return text == "true"
    if parameter["Type"] == "Number":
        return int(text)
    return text.split(",") if is_list(parameter) else text


def is_list(parameter: dict[str, Any]) -> bool:
    """Whether the value of a parameter is a list, which a text may hold too."""
    return parameter["Type"] == "CommaDelimitedList" or "separated by commas" in parameter["Description"]


def property_name(parameter: str) -> str:
    return parameter[0].lower() + parameter[1:]


def differences(plain: dict[str, Any], made: dict[str, Any], parameters: dict[str, str]) -> list[str]:
    """What differs between a plain template with these parameters and a synthesized one, by the name of the resource."""
    expected, found = _resources(plain, parameters | CODE), _as_in_the_template(_resources(_with_plain_ids(made), {}))
    return [
        f"{name}.{part}: {json.dumps(left)} in the template, {json.dumps(right)} in the CDK's"
        for name in sorted(expected.keys() | found.keys())
        for part, left, right in _parts(expected.get(name), found.get(name))
        if left != right
    ]


def _parts(left: dict[str, Any] | None, right: dict[str, Any] | None) -> list[tuple[str, Any, Any]]:
    if left is None or right is None:
        return [("exists", left is not None, right is not None)]
    return [(part, left.get(part), right.get(part)) for part in sorted(left.keys() | right.keys())]


def _resources(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Each resource that exists, with its properties resolved. Numbers are texts, as in the values of parameters."""
    resolver = Resolver(template, {name: text for name, text in parameters.items() if name in template["Parameters"]})
    exist = {name: item for name, item in template["Resources"].items() if resolver.exists(name)}
    result = {}
    for name, resource in exist.items():
        before = resource.get("DependsOn", [])
        result[name] = {f"Properties.{key}": item for key, item in _texts(resolver.resolve(resource["Properties"])).items()} | {
            "DependsOn": sorted(other for other in ([before] if isinstance(before, str) else before) if other in exist),
        } | {part: resource.get(part) for part in ("Type", "DeletionPolicy", "UpdateReplacePolicy")}
    return result


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        # The CDK leaves out what is empty.
        return {name: _texts(item) for name, item in value.items() if item not in ([], {})}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return value if isinstance(value, bool) else str(value)


def _with_plain_ids(made: dict[str, Any]) -> dict[str, Any]:
    """A synthesized template with the logical ids of the plain one."""
    text = json.dumps({section: made.get(section, {}) for section in ("Parameters", "Conditions", "Resources")})
    for name in [*made.get("Conditions", {}), *made["Resources"]]:
        match = LOGICAL_ID.match(name)
        if match is None:
            raise ComparisonError(f"an element has another name than expected: {name}")
        text = text.replace(json.dumps(name), json.dumps(match[1]))
    return json.loads(text)


def _as_in_the_template(resources: dict[str, Any]) -> dict[str, Any]:
    """Resources with the names of the plain template, which are unique only in an account where each stack has one construct."""
    text = json.dumps(resources)
    instances = set(UNIQUE.findall(text))
    if len(instances) > 1:
        raise ComparisonError(f"the names of one construct end differently: {', '.join(sorted(instances))}")
    for instance in instances:
        text = UNIQUE.sub(STACK_UUID, text).replace(f"/session-manager-{instance}", "/session-manager")
    return json.loads(text)


def drift(construct: str, declarations: str) -> list[str]:
    """What differs between the parameters of a template and the declared properties: names, defaults, words and types."""
    parameters = load(CONSTRUCTS[construct].read_text())["Parameters"]
    declared = {match["name"]: match for match in PROPERTY.finditer(declarations)}
    expected = {property_name(name): parameter for name, parameter in parameters.items()}
    found = [f"property {name} has no parameter" for name in declared.keys() - expected.keys() - {"code"}]
    for name, parameter in expected.items():
        if name not in declared:
            found.append(f"parameter {name[0].upper()}{name[1:]} has no property")
            continue
        found += [f"property {name}: {complaint}" for complaint in _property_drift(parameter, declared[name])]
    return sorted(found)


def _property_drift(parameter: dict[str, Any], declared: re.Match[str]) -> Iterator[str]:
    if bool(declared["optional"]) != ("Default" in parameter):
        yield "it should be optional if the parameter has a default, and only then"
    default = re.search(r"@default (.+)", declared["text"])
    wanted = _literal(parameter, parameter.get("Default", ""))
    if (default[1] if default else "''") != wanted:
        yield f"the default is {wanted} in the template, {default[1] if default else 'not given'} here"
    words = parameter.get("AllowedValues")
    members = [member.strip() for member in declared["type"].split("|")]
    if words == ["true", "false"]:
        expected = {"boolean"}
    elif words:
        expected = {_literal(parameter, word) for word in words}
    else:
        expected = {"number" if parameter["Type"] == "Number" else "string"}
    if is_list(parameter) != declared["type"].endswith("[]"):
        yield "it should be an array if the parameter is a list, and only then"
    if members == ["LogRetention"]:
        members = re.findall(r"^  \| (\d+)$", (LIBRARY / "property-types.ts").read_text(), re.MULTILINE)
    members = [member.strip("()[]") for member in members]
    # The names of types, such as IKey, have a capital letter.
    if {member for member in members if not member[0].isupper()} != expected:
        yield f"its type should have {' | '.join(sorted(expected))}, and has {' | '.join(members)}"


def _literal(parameter: dict[str, Any], value: Any) -> str:
    is_text = parameter["Type"] != "Number" and parameter.get("AllowedValues") != ["true", "false"]
    return f"'{value}'" if is_text else str(value)
