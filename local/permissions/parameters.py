"""What each parameter of template.yaml adds to the permissions of the function."""

from typing import Any

from local.paths import TEMPLATE
from local.permissions.statements import ACCOUNT, REGION, conditions_of, short
from local.template import OFF, Resolver, load

# These reads are of use only to another check.
NEEDED = {"ReadNetwork": "DiscoverNodes", "ReadSessionDocuments": "DiscoverUsers"}
# A value of each other parameter that adds permissions.
FOREIGN_KEY = "arn:aws:kms:eu-west-1:222222222222:key/11111111-2222-3333-4444-555555555555"
SAMPLES: dict[str, str] = {
    "KmsKeyId": FOREIGN_KEY,
    "StandbyKmsKeyId": FOREIGN_KEY,
    "AdditionalKeyArns": FOREIGN_KEY,
    "DocumentName": "Team-Sessions",
    "AdditionalDocuments": "Team-*",
    "KeyPolicyReaderRoleArn": "arn:aws:iam::222222222222:role/session-kms-key-ReaderRole",
    "ReportDestinationArn": "arn:aws:sns:eu-west-1:123456789012:session-kms",
    "ReportTopicKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/66666666-7777-8888-9999-000000000000",
    "ConfigRule": "true",
}


def shipped() -> dict[str, Any]:
    return load(TEMPLATE.read_text())


def statements(template: dict[str, Any], **parameters: str) -> list[dict[str, Any]]:
    """The statements of the function's role for these parameters."""
    return _statements(Resolver(template, {"KmsKeyId": "alias/session-manager"} | parameters))


def permissions(template: dict[str, Any], **parameters: str) -> set[tuple[str, str]]:
    """Every allowed pair of action and resource."""
    return _pairs(statements(template, **parameters))


class _Placed(Resolver):
    pseudo = Resolver.pseudo | {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT}


def relevant(template: dict[str, Any]) -> list[str]:
    """The parameters on which the permissions of the function depend, in the order of the template."""
    policies = template["Resources"]["FunctionRole"]["Properties"]["Policies"]
    named = {value["Ref"] for value in _walk(policies, template) if isinstance(value.get("Ref"), str)}
    named |= {name for name in template["Parameters"] for value in _walk(policies, template) if _substitutes(value, name)}
    return [name for name in template["Parameters"] if name in named]


def added(template: dict[str, Any], parameter: str) -> list[tuple[str, list[str]]]:
    """The actions that a parameter adds, and on what: each resource with its actions."""
    least: dict[str, str] = {"KmsKeyId": "alias/session-manager"} | (OFF if parameter in OFF else {})
    if parameter in NEEDED:
        least |= {NEEDED[parameter]: "true"}
    if parameter == "ReportTopicKeyArn":
        least |= {"ReportDestinationArn": SAMPLES["ReportDestinationArn"]}
    value = "true" if parameter in OFF else SAMPLES[parameter]
    without, given = (_Placed(template, least | more) for more in ({}, {parameter: value}))
    by_resource: dict[str, list[str]] = {}
    for action, resource in sorted(_pairs(_statements(given)) - _pairs(_statements(without))):
        # The template puts a key's ARN together again.
        whole = f"<{parameter}>" if resource.endswith(FOREIGN_KEY.rpartition(":")[2]) else resource
        shown = short(whole) if parameter in OFF else short(whole).replace(value, f"<{parameter}>")
        by_resource.setdefault(shown, []).append(action)
    return list(by_resource.items())


def _statements(resolver: Resolver) -> list[dict[str, Any]]:
    policies = resolver.resolve(resolver.template["Resources"]["FunctionRole"]["Properties"]["Policies"])
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def _pairs(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for statement in found
        for action in _list(statement["Action"])
        for resource in _list(statement["Resource"])
    }


def _walk(value: Any, template: dict[str, Any]) -> list[dict[str, Any]]:
    """Every object of a value, and of the conditions that it names."""
    if isinstance(value, list):
        return [found for item in value for found in _walk(item, template)]
    if not isinstance(value, dict):
        return []
    inner = [found for item in value.values() for found in _walk(item, template)]
    return [value, *inner, *(found for condition in conditions_of(value, template) for found in _walk(condition, template))]


def _substitutes(value: dict[str, Any], name: str) -> bool:
    text = value.get("Fn::Sub")
    return f"${{{name}}}" in (text[0] if isinstance(text, list) else text or "")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
