"""The statements that a template gives to its roles, each with the parameters that it depends on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.template import Resolver, has_loops, load, loops_unrolled

# Where a resource belongs to the stack's own place, its ARN is shown without this beginning.
REGION, ACCOUNT = "<Region>", "<account>"
NO_VALUE = {"Ref": "AWS::NoValue"}


@dataclass(frozen=True)
class Statement:
    """A statement of a role's policy."""

    role: str
    sid: str
    # Each action, and what it depends on beyond the statement itself.
    actions: dict[str, str]
    resources: list[str]
    # The condition keys of the statement, with their values.
    condition: dict[str, str]
    # What the whole statement depends on.
    needs: str


class PlaceResolver(Resolver):
    """Resolves a template for any place: parameters, account and Region become placeholders."""

    pseudo = Resolver.pseudo | {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}

    def __init__(self, template: dict[str, Any]) -> None:
        super().__init__(template, {name: f"<{name}>" for name in template["Parameters"]})
        # Where a template takes account and name out of an ARN, it takes them out of this text.
        for name in ("KmsKeyId", "StandbyKmsKeyId"):
            if name in self.parameters:
                self.parameters[name] = f"arn:aws:kms:{REGION}:{ACCOUNT}:<{name}>"
        if "Accounts" in self.parameters:
            self.parameters["Accounts"] = "s3://<object of Accounts>"

    def condition(self, name: str) -> bool:
        """Whatever a condition adds is shown. The exceptions choose between two forms of the same."""
        return name not in ("ReportsHere", "AdmitsOrganization")

    def _attribute(self, resource: str, attribute: str) -> str:
        match self.template["Resources"][resource]["Type"]:
            case "Custom::SessionKey":
                return "the key that the document has by now"
            case "AWS::KMS::Key":
                return "the key that the stack creates"
        arn = super()._attribute(resource, attribute)
        # The placeholder's name instead of an example's.
        return arn.replace("eu-west-1", REGION).replace("123456789012", ACCOUNT)


def read(text: str) -> dict[str, Any]:
    """A template with one round of each loop."""
    template = load(text)
    return loops_unrolled(template, {"ConsumerAccounts": "222222222222", "Regions": REGION}) if has_loops(template) else template


def roles(template: dict[str, Any]) -> list[str]:
    """The logical ids of the roles."""
    return [name for name, resource in template["Resources"].items() if resource["Type"] == "AWS::IAM::Role"]


def statements(template: dict[str, Any]) -> Iterator[Statement]:
    """The statements of all policies of roles, in the order of the template."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            for policy, needs in _unwrapped(template, resource["Properties"].get("Policies", [])):
                yield from _of_policy(template, name, policy["PolicyDocument"], needs)
        elif resource["Type"] == "AWS::IAM::Policy":
            role, = resource["Properties"]["Roles"]
            yield from _of_policy(template, role["Ref"], resource["Properties"]["PolicyDocument"], [])
        elif resource["Type"] == "AWS::IAM::ManagedPolicy":
            needs = [condition_text(template, {"Condition": resource["Condition"]})]
            yield from _of_policy(template, name, resource["Properties"]["PolicyDocument"], needs)


def _of_policy(template: dict[str, Any], role: str, document: dict[str, Any], outer: list[str]) -> Iterator[Statement]:
    resolver = PlaceResolver(template)
    for statement, needs in _unwrapped(template, document["Statement"]):
        actions = {}
        for action, inner in _unwrapped(template, _list(statement["Action"])):
            for name in _either(action) if isinstance(action, dict) else [action]:
                actions[name] = " and ".join(inner)
        resources = _list(resolver.resolve(statement["Resource"]))
        condition = resolver.resolve(statement.get("Condition", {}))
        values = {key: value for operator in condition.values() for key, value in operator.items()}
        shown = list(dict.fromkeys(map(short, resources)))
        yield Statement(role, statement["Sid"], actions, shown, values, _all_of(outer + needs))


def _either(action: dict[str, Any]) -> list[str]:
    """The two actions of which a parameter's value chooses one."""
    events, rest = action["Fn::Join"][0], action["Fn::Join"][1]["Fn::Split"][1]
    return [events, rest["Fn::Join"][0]]


def _unwrapped(template: dict[str, Any], items: list[Any]) -> Iterator[tuple[Any, list[str]]]:
    """Each item of a list without the condition around it, and what the condition asks for."""
    for item in items:
        if isinstance(item, dict) and "Fn::If" in item:
            name, given, otherwise = item["Fn::If"]
            if otherwise != NO_VALUE:
                raise ValueError(f"the page cannot show a choice between two values, which {name} makes")
            yield given, [condition_text(template, {"Condition": name})]
        else:
            yield item, []


def condition_text(template: dict[str, Any], condition: dict[str, Any]) -> str:
    """What a condition asks of the parameters, as the page says it."""
    (name, argument), = condition.items()
    match name, argument:
        case "Condition", str():
            return condition_text(template, template["Conditions"][argument])
        case "Fn::Equals", [{"Ref": parameter}, "true"]:
            return f"`{parameter}`"
        case "Fn::Equals", [{"Ref": "GrantRegion"}, _]:
            return ""
        case "Fn::Equals", [{"Ref": parameter}, ""]:
            return f"no `{parameter}`"
        case "Fn::Equals", [{"Ref": parameter}, value]:
            return f"`{parameter}={value}`"
        case "Fn::Not", [{"Fn::Equals": [{"Ref": parameter}, "" | 0]}]:
            return f"`{parameter}`"
        case "Fn::Not", [{"Condition": inner}]:
            return condition_text(template, {"Fn::Not": [template["Conditions"][inner]]})
        case "Fn::And", parts:
            return _all_of([condition_text(template, part) for part in parts])
        case "Fn::Or", parts:
            return " or ".join(filter(None, (condition_text(template, part) for part in parts)))
    raise ValueError(f"the page cannot say what {condition} asks for")


def _all_of(texts: list[str]) -> str:
    """Several demands as one. An alternative is left out if another demand meets it anyway."""
    demands = list(dict.fromkeys(filter(None, texts)))
    return " and ".join(text for text in demands if not (set(text.split(" or ")) & set(demands) - {text}))


def short(arn: str) -> str:
    """An ARN without its beginning if this is the stack's own place."""
    _, _, rest = arn.partition("arn:aws:")
    _, _, rest = rest.partition(":")
    for place in (f"{REGION}:{ACCOUNT}:", f":{ACCOUNT}:", ":::"):
        if rest.startswith(place):
            return rest.removeprefix(place)
    return arn


def conditions_of(value: dict[str, Any], template: dict[str, Any]) -> list[dict[str, Any]]:
    """The conditions of the template that an object names."""
    named = [value["Fn::If"][0]] if "Fn::If" in value else [value["Condition"]] if isinstance(value.get("Condition"), str) else []
    return [template["Conditions"][name] for name in named]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
