"""The templates rendered with every parameter at its longest, for the tests of AWS's limits.

Nothing here asks how likely a value is: if a parameter accepts a text, somebody can give it.
"""

import re
import re._parser as regular_expressions  # type: ignore[import-not-found]
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botocore.session import Session

from local.template import PSEUDO, Resolver, load
from tests.e2e.test_deploy import expanded

# CloudFormation takes no longer value for any parameter.
PARAMETER_BYTES = 4096
ACCOUNT = "1" * 12
UUID = "12345678-1234-1234-1234-123456789012"


def _partitions() -> list[dict[str, Any]]:
    return Session().get_component("data_loader").load_data("partitions")["partitions"]


def _longest(texts: Iterator[str]) -> str:
    return max(texts, key=len)


# The longest partition and the longest Region, whether or not they go together.
PARTITION = _longest(partition["id"] for partition in _partitions())
REGION = _longest(name for partition in _partitions() for name in partition["regions"] if re.fullmatch(partition["regionRegex"], name))
STACK_NAME = "s" * 128
STACK_ID = f"arn:{PARTITION}:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK_NAME}/{UUID}"
# The names of an account's keys: a UUID, or `mrk-` and 32 hexadecimal digits, which is as long.
KEY_ARN = f"arn:{PARTITION}:kms:{REGION}:{ACCOUNT}:key/{UUID}"
LONGEST_PSEUDO = PSEUDO | {
    "AWS::Partition": PARTITION, "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::StackName": STACK_NAME, "AWS::StackId": STACK_ID,
}
# The longest names that CloudFormation makes for resources, or that AWS allows.
NAME_LENGTHS = {
    "AWS::IAM::Role": 64, "AWS::IAM::ManagedPolicy": 128, "AWS::Serverless::Function": 64, "AWS::Lambda::Function": 64, "AWS::SQS::Queue": 80,
    "AWS::Logs::LogGroup": 512, "AWS::S3::Bucket": 63, "AWS::KMS::Key": len(UUID), "AWS::KMS::Alias": 256, "AWS::Events::Rule": 64,
    "AWS::CloudWatch::Alarm": 255, "AWS::SSM::Parameter": 1011, "AWS::Events::EventBusPolicy": 64, "AWS::Config::ConfigRule": 128,
    "AWS::Serverless::StateMachine": 80, "AWS::Scheduler::ScheduleGroup": 64,
}


def filled(start: str, end: str = "") -> Callable[[int], str]:
    """A text of exactly the length asked for: a beginning, as many letters as fit, and an end."""
    return lambda length: start + "a" * (length - len(start) - len(end)) + end


def repeated(item: str) -> Callable[[int], str]:
    """As many items as fit, separated by commas."""
    return lambda length: ",".join([item] * ((length + 1) // (len(item) + 1)))


def listed(item: str) -> Callable[[int], str]:
    """As many items as fit, separated by commas, of which the last one fills what is left."""

    def value(length: int) -> str:
        whole = repeated(item)(length)
        return whole + "a" * (length - len(whole))

    return value


# For each parameter that takes free text, the forms of its longest value by the length allowed. Lists have two forms,
# because many short items and few long ones make texts of different lengths. Names that several templates share have
# the same form.
SHORT_KEY = f"arn:aws:kms:a:{ACCOUNT}:key/a"
LONG_ROLE = f"arn:{PARTITION}:iam::{ACCOUNT}:role/" + "a" * 576
SHORT_ROLE = f"arn:aws:iam::{ACCOUNT}:role/a"
KEY = filled(f"arn:{PARTITION}:kms:{REGION}:{ACCOUNT}:key/")
# Only the StackSets take this.
REGIONAL_KEY = filled(f"arn:{PARTITION}:kms:{{Region}}:{ACCOUNT}:key/")
KEYS = [listed(KEY_ARN), listed(SHORT_KEY), repeated(KEY_ARN)]
ROLES = [listed(LONG_ROLE), listed(SHORT_ROLE)]
ROLE_NAMES = [repeated("a" * 64), repeated("a")]
LONGEST: dict[str, list[Callable[[int], str]]] = {
    "KmsKeyId": [KEY, filled(f"arn:aws:kms:a:{ACCOUNT}:alias/"), lambda _: KEY_ARN, REGIONAL_KEY],
    "StandbyKmsKeyId": [KEY, filled(f"arn:aws:kms:a:{ACCOUNT}:alias/"), lambda _: KEY_ARN, REGIONAL_KEY],
    "KeyArn": [KEY],
    "KeyArns": KEYS,
    "AdditionalKeyArns": [*KEYS, REGIONAL_KEY],
    "GrantKeyArns": KEYS,
    "ReportTopicKeyArn": [KEY, lambda _: KEY_ARN, REGIONAL_KEY],
    "ConsumerAccounts": [repeated(ACCOUNT)],
    "KeyEventsAccounts": [repeated(ACCOUNT)],
    "UserRoleNames": ROLE_NAMES,
    "NodeRoleNames": ROLE_NAMES,
    "GrantRegion": [lambda _: REGION, lambda _: "us-isof-other-1"],
    "Users": ROLES,
    "Nodes": ROLES,
    "Exempt": ROLES,
    "ReaderArns": ROLES,
    "Context": [filled('{"', '": null}')],
    "KeyPolicy": [filled("")],
    "KeyPolicyReaderRoleArn": [filled(f"arn:{PARTITION}:iam::{ACCOUNT}:role/")],
    "KeyPolicyReaderExternalId": [filled("")],
    "ExternalId": [filled("")],
    "OrganizationId": [filled("o-")],
    "DocumentName": [filled("")],
    "AdditionalDocuments": [filled("")],
    "Revision": [filled("")],
    "Schedule": [filled("cron(", ")"), lambda _: "cron(0 0 1 1 ? 2026)"],
    "ConfigRuleNames": [repeated("a"), filled("")],
    # The Region of this ARN takes what the length leaves.
    "SecurityHubActionArn": [filled(f"arn:{PARTITION}:securityhub:", f":{ACCOUNT}:action/custom/{'a' * 20}")],
    "ReportDestinationArn": [
        filled(f"arn:{PARTITION}:events:{REGION}:{ACCOUNT}:event-bus/"), filled(f"arn:{PARTITION}:sns:{REGION}:{ACCOUNT}:"),
        filled(f"arn:{PARTITION}:sns:{{Region}}:{ACCOUNT}:"), lambda _: "event-bus/default",
    ],
    "AlarmTopicArn": [filled(f"arn:{PARTITION}:sns:{REGION}:{ACCOUNT}:"), filled(f"arn:{PARTITION}:sns:{{Region}}:{ACCOUNT}:")],
    "KeyArnParameterName": [filled("/")],
    "PermissionsBoundaryArn": [filled(f"arn:{PARTITION}:iam::{ACCOUNT}:policy/"), filled("policy/")],
    "FunctionArn": [filled(f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:")],
    "AuditRoleName": [filled("")],
    "AuditFunctionRoleArns": ROLES,
    "Accounts": [repeated(ACCOUNT), filled("s3://aaa/"), lambda _: "organization"],
    "OrganizationalUnits": [filled(""), repeated("a")],
    "Exclude": [filled(""), repeated("a")],
    "ScheduleExpression": [filled("cron(", ")"), lambda _: ""],
    "KmsKeyArn": [KEY],
    "BucketPrefix": [filled("")],
    "CodeBucketPrefix": [filled("")],
    "CodeKey": [filled("", ".zip")],
    "TemplateUrl": [filled("https://")],
    "OrganizationalUnitIds": [repeated("r-" + "a" * 32), repeated("r-aaaa")],
    "Regions": [repeated(REGION)],
}


def bound(parameter: dict[str, Any]) -> int | None:
    """How many characters a parameter takes at most: the least of its MaxLength, its pattern and its values; or None."""
    if "AllowedValues" in parameter:
        return max(len(str(value)) for value in parameter["AllowedValues"])
    if parameter["Type"] == "Number":
        return max(len(str(parameter[name])) for name in ("MinValue", "MaxValue")) if "MaxValue" in parameter else None
    if parameter["Type"] == "CommaDelimitedList":
        return PARAMETER_BYTES
    bounds = [int(parameter["MaxLength"])] if "MaxLength" in parameter else []
    if "AllowedPattern" in parameter:
        width = regular_expressions.parse(parameter["AllowedPattern"]).getwidth()[1]
        bounds += [width] if width < PARAMETER_BYTES else []
    return min(bounds) if bounds else None


def values(name: str, parameter: dict[str, Any]) -> list[str]:
    """The forms of the longest value that a parameter accepts. A form that is for another template is left out."""
    if "AllowedValues" in parameter:
        return [max(map(str, parameter["AllowedValues"]), key=len)]
    if parameter["Type"] == "Number":
        return [str(parameter["MaxValue"])]
    limit = bound(parameter)
    forms = [form(PARAMETER_BYTES if limit is None else limit) for form in LONGEST[name]]
    return [value for value in forms if accepts(parameter, value)]


def accepts(parameter: dict[str, Any], value: str) -> bool:
    """Whether CloudFormation accepts a value. Each item of a list has to match the pattern."""
    items = value.split(",") if parameter["Type"] == "CommaDelimitedList" else [value]
    pattern = parameter.get("AllowedPattern", r"[\s\S]*")
    return len(value) <= int(parameter.get("MaxLength", PARAMETER_BYTES)) and all(re.fullmatch(pattern, item) for item in items)


def choices(template: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Parameters at their longest with everything on, with everything off, and with each single one at another value.

    Some choices break the template's rules. They are no shorter than those that keep them.
    """
    parameters = template["Parameters"]
    longest = {name: values(name, parameter)[0] for name, parameter in parameters.items()}
    longest |= {name: "true" for name, parameter in parameters.items() if parameter.get("AllowedValues") == ["true", "false"]}
    longest |= {name: value for name, value in {"OnKeyTrouble": "Standby", "Encryption": "Enabled", "CreateKey": "false"}.items() if name in parameters}
    yield longest
    yield longest | {
        name: "false" if parameter.get("AllowedValues") == ["true", "false"] else str(parameter["Default"])
        for name, parameter in parameters.items()
        if "Default" in parameter
    }
    for name, parameter in parameters.items():
        others = [str(value) for value in parameter["AllowedValues"]] if "AllowedValues" in parameter else values(name, parameter)
        others += [str(parameter["Default"])] if "Default" in parameter else []
        for value in others:
            if value != longest[name]:
                yield longest | {name: value}


class Longest(Resolver):
    """Resolves a template to its longest: pseudo parameters, names and ARNs are as long as AWS makes them."""

    pseudo = LONGEST_PSEUDO

    def _reference(self, name: str) -> Any:
        resource = self.template["Resources"].get(name)
        return super()._reference(name) if resource is None else self._physical_id(resource)

    def _physical_id(self, resource: dict[str, Any]) -> str:
        kind = resource["Type"]
        match kind:
            case "AWS::IAM::ManagedPolicy":
                return f"arn:{PARTITION}:iam::{ACCOUNT}:policy/{self._name(resource)}"
            case "AWS::Lambda::Alias":
                return f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{'n' * 64}:{resource['Properties']['Name']}"
            case "AWS::Serverless::StateMachine":
                return f"arn:{PARTITION}:states:{REGION}:{ACCOUNT}:stateMachine:{self._name(resource)}"
            case "AWS::SQS::Queue":
                return f"https://sqs.{REGION}.{LONGEST_PSEUDO['AWS::URLSuffix']}/{ACCOUNT}/{self._name(resource)}"
        return f"session-kms:{ACCOUNT}:{REGION}:{'d' * 128}" if kind.startswith("Custom::") else self._name(resource)

    def _name(self, resource: dict[str, Any]) -> str:
        """The name that a template gives a resource, or one as long as CloudFormation makes it."""
        kind = resource["Type"]
        given = {
            "AWS::Logs::LogGroup": "LogGroupName", "AWS::Events::Rule": "Name", "AWS::S3::Bucket": "BucketName", "AWS::SSM::Parameter": "Name",
        }.get(kind)
        if given in resource.get("Properties", {}):
            return self.resolve(resource["Properties"][given])
        return "n" * NAME_LENGTHS[kind]

    def _attribute(self, name: Any, attribute: str) -> str:
        # In a loop over a list, the name itself is a function.
        resource = self.template["Resources"][self.resolve(name)]
        kind = resource["Type"]
        if kind.startswith("Custom::"):
            return self._custom_attribute(attribute)
        if attribute == "QueueName" or (kind, attribute) == ("AWS::Serverless::StateMachine", "Name"):
            return self._name(resource)
        if attribute != "Arn":
            raise ValueError(f"cannot resolve {name}.{attribute}")
        region = "" if kind in ("AWS::IAM::Role", "AWS::S3::Bucket") else REGION
        account = "" if kind == "AWS::S3::Bucket" else ACCOUNT
        service, form = {
            "AWS::IAM::Role": ("iam", "role/{}"), "AWS::Logs::LogGroup": ("logs", "log-group:{}:*"), "AWS::SQS::Queue": ("sqs", "{}"),
            "AWS::KMS::Key": ("kms", "key/{}"), "AWS::Serverless::Function": ("lambda", "function:{}"),
            "AWS::Lambda::Function": ("lambda", "function:{}"), "AWS::S3::Bucket": ("s3", "{}"),
        }[kind]
        return f"arn:{PARTITION}:{service}:{region}:{account}:{form.format(self._name(resource))}"

    @staticmethod
    def _custom_attribute(attribute: str) -> str:
        """An attribute of a custom resource. Its whole answer has 4,096 bytes at most."""
        lengths = {"DocumentName": 128, "DocumentVersion": 4, "KeyAccount": 12, "Changed": 5, "Findings": 3000}
        # The setting from before can be any text that a document holds.
        return "a" * lengths[attribute] if attribute in lengths else KEY_ARN


def loops_expanded(template: dict[str, Any]) -> dict[str, Any]:
    """A template whose loops have one round each. A loop's round is as long with any other value of that length."""
    if "Transform" not in template or "AWS::LanguageExtensions" not in template["Transform"]:
        return template
    given = next(choices(template)) | {"Regions": REGION, "ConsumerAccounts": ACCOUNT}
    return expanded(template, {name: value for name, value in given.items() if name in template["Parameters"]})


def resolvers(path: Path) -> Iterator["Longest"]:
    """A template's resolver for each choice of parameters."""
    template = loops_expanded(load(path.read_text()))
    return (Longest(template, parameters) for parameters in choices(template))


def rendered(resolver: "Longest") -> dict[str, dict[str, Any]]:
    """The resources that a stack has, resolved."""
    return {
        name: resource | {"Properties": resolver.resolve(resource.get("Properties", {}))}
        for name, resource in resolver.template["Resources"].items()
        if resolver.exists(name)
    }
