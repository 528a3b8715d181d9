"""The templates keep the limits of AWS with every parameter at its longest.

Otherwise a stack would be refused only when somebody gives such a value, and perhaps after the key has been switched on.
"""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.paths import ROOT
from local.template import load
from tests.e2e.longest import ACCOUNT, PARAMETER_BYTES, REGION, STACK_NAME, Longest, accepts, bound, choices, rendered, resolvers, values
from tests.e2e.test_deploy import expanded

TEMPLATES = sorted([*ROOT.glob("template*.yaml"), *ROOT.glob("deploy/*.yaml")])
each_template = pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)


class Limit(NamedTuple):
    """A limit of AWS, in characters."""

    name: str
    most: int


INLINE_POLICIES = Limit("the inline policies of a role", 10_240)
MANAGED_POLICY = Limit("a managed policy", 6_144)
TRUST_POLICY = Limit("the trust policy of a role, by default", 2_048)
EVENT_PATTERN = Limit("an event pattern, by default", 2_048)
KEY_POLICY = Limit("a key policy", 32_768)
BUS_POLICY = Limit("the policy of an event bus", 10_240)
BUCKET_POLICY = Limit("a bucket policy", 20_480)
VARIABLES = Limit("the environment variables of a function", 4_096)
PARAMETER_VALUE = Limit("a parameter of a StackSet", PARAMETER_BYTES)
# Properties of resources that hold a name or a description.
TEXTS = {
    ("AWS::IAM::Role", "Description"): 1_000,
    ("AWS::IAM::Role", "PermissionsBoundary"): 2_048,
    ("AWS::IAM::ManagedPolicy", "Description"): 1_000,
    ("AWS::KMS::Key", "Description"): 8_192,
    ("AWS::KMS::Alias", "AliasName"): 256,
    ("AWS::Serverless::Function", "Description"): 256,
    ("AWS::Lambda::Alias", "Description"): 256,
    ("AWS::Lambda::EventInvokeConfig", "FunctionName"): 140,
    ("AWS::Lambda::Permission", "SourceArn"): 1_600,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::Events::Rule", "Name"): 64,
    ("AWS::Events::Rule", "Description"): 512,
    ("AWS::Events::Rule", "ScheduleExpression"): 256,
    ("AWS::Events::EventBusPolicy", "StatementId"): 64,
    ("AWS::Scheduler::Schedule", "Description"): 512,
    ("AWS::Scheduler::Schedule", "ScheduleExpression"): 256,
    ("AWS::CloudWatch::Alarm", "AlarmDescription"): 1_024,
    ("AWS::Config::ConfigRule", "Description"): 256,
    ("AWS::S3::Bucket", "BucketName"): 63,
    ("AWS::SSM::Parameter", "Name"): 1_011,
    ("AWS::SSM::Parameter", "Description"): 1_024,
    ("AWS::SSM::Parameter", "Value"): 4_096,
    ("AWS::CloudFormation::StackSet", "Description"): 1_024,
}


def compact(value: Any) -> int:
    """The characters of a value as JSON. IAM counts no white space, and the values hold none."""
    return len(json.dumps(value, separators=(",", ":")))


def policies_of_roles(resource: dict[str, Any]) -> Iterator[tuple[Limit, int]]:
    properties = resource["Properties"]
    match resource["Type"]:
        case "AWS::IAM::Role":
            yield TRUST_POLICY, compact(properties["AssumeRolePolicyDocument"])
            yield INLINE_POLICIES, sum(compact(policy["PolicyDocument"]) for policy in properties.get("Policies", []))
        case "AWS::IAM::Policy":
            yield INLINE_POLICIES, compact(properties["PolicyDocument"])
        case "AWS::IAM::ManagedPolicy":
            yield MANAGED_POLICY, compact(properties["PolicyDocument"])


def sizes(resource: dict[str, Any]) -> Iterator[tuple[Limit, int]]:
    """What AWS limits of a resource, and how long it is."""
    properties = resource["Properties"]
    yield from policies_of_roles(resource)
    match resource["Type"]:
        case "AWS::Events::Rule" if "EventPattern" in properties:
            yield EVENT_PATTERN, compact(properties["EventPattern"])
        case "AWS::KMS::Key":
            yield KEY_POLICY, compact(properties["KeyPolicy"])
        case "AWS::Events::EventBusPolicy":
            yield BUS_POLICY, compact(properties["Statement"])
        case "AWS::S3::BucketPolicy":
            yield BUCKET_POLICY, compact(properties["PolicyDocument"])
        case "AWS::Serverless::Function":
            variables = properties["Environment"]["Variables"]
            yield VARIABLES, sum(len(name) + len(str(value)) for name, value in variables.items())
        case "AWS::CloudFormation::StackSet":
            for item in properties["Parameters"]:
                yield PARAMETER_VALUE, len(str(item["ParameterValue"]))
    for name, value in properties.items():
        if (resource["Type"], name) in TEXTS:
            yield Limit(f"{name} of {resource['Type']}", TEXTS[resource["Type"], name]), len(value)


@functools.cache
def longest(path: Path) -> dict[tuple[str, Limit], int]:
    """How long each resource becomes at most, for each limit."""
    found: dict[tuple[str, Limit], int] = {}
    for resolver in resolvers(path):
        for name, resource in rendered(resolver).items():
            for limit, size in sizes(resource):
                found[name, limit] = max(size, found.get((name, limit), 0))
    return found


# What the bounds of the parameters do not keep, with the test that holds instead.
EXCEPTIONS = {
    # Without an organization the trust policy lists the accounts, and CloudFormation cannot bound a list. A stack with
    # too many is refused before anybody relies on it, and AWS raises this limit on request.
    ("template-key-access", "ReaderRole", TRUST_POLICY): "test_a_reader_role_trusts_as_many_accounts_as_its_description_says",
}


@each_template
def test_every_parameter_has_a_longest_value(path: Path) -> None:
    for name, parameter in load(path.read_text())["Parameters"].items():
        assert bound(parameter) is not None, f"{name} has no MaxLength, no AllowedValues, and a pattern without an end"
        forms = values(name, parameter)
        assert forms, f"no form of {name} in LONGEST matches its pattern"
        assert all(accepts(parameter, value) for value in forms), name
        if parameter["Type"] == "String" and "AllowedValues" not in parameter:
            assert any(not accepts(parameter, f"{value}a") and not accepts(parameter, f"{value},{value.split(',')[0]}") for value in forms), (
                f"{name} may be longer than its forms in LONGEST"
            )


@each_template
def test_every_condition_holds_for_one_choice_and_not_for_another(path: Path) -> None:
    """Otherwise a part of the template would never be measured."""
    found = list(resolvers(path))
    for name in load(path.read_text()).get("Conditions", {}):
        assert {resolver.condition(name) for resolver in found} == {True, False}, name


@each_template
def test_nothing_is_longer_than_aws_accepts(path: Path) -> None:
    measured = longest(path)
    assert measured
    too_long = {
        f"{name}: {limit.name}": f"{size} of {limit.most}"
        for (name, limit), size in measured.items()
        if size > limit.most and (path.stem, name, limit) not in EXCEPTIONS
    }
    assert not too_long


def test_every_exception_is_one_and_has_its_test() -> None:
    for (stem, name, limit), test in EXCEPTIONS.items():
        path, = (path for path in TEMPLATES if path.stem == stem)
        assert longest(path)[name, limit] > limit.most
        assert test in globals()


def test_every_limit_is_measured_and_can_be_exceeded() -> None:
    """Without this a limit could be missed because a property has another name."""
    measured = {limit.name for path in TEMPLATES for _, limit in longest(path)}
    named = (INLINE_POLICIES, MANAGED_POLICY, TRUST_POLICY, EVENT_PATTERN, KEY_POLICY, BUS_POLICY, BUCKET_POLICY, VARIABLES, PARAMETER_VALUE)
    assert {limit.name for limit in named} <= measured
    assert {f"{name} of {kind}" for kind, name in TEXTS if kind != "AWS::SSM::Parameter"} - {"Description of AWS::CloudFormation::StackSet"} <= measured
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}, "Policies": [{"PolicyDocument": {"Statement": ["a" * 5_200]}}] * 2}}
    assert dict(sizes(role))[INLINE_POLICIES] > INLINE_POLICIES.most
    rule = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["a" * 2_040]}}}
    assert dict(sizes(rule))[EVENT_PATTERN] > EVENT_PATTERN.most


def test_a_reader_role_trusts_as_many_accounts_as_its_description_says() -> None:
    """The guide and the description of OrganizationId say 110 accounts, for one pattern of roles and no external id."""
    path = ROOT / "template-key-access.yaml"
    template = load(path.read_text())
    assert "110\n" in path.read_text() or "110 " in template["Parameters"]["OrganizationId"]["Description"]

    def trust(**parameters: str) -> int:
        return dict(sizes(rendered(Longest(template, next(choices(template)) | parameters))["ReaderRole"]))[TRUST_POLICY]

    few = {"OrganizationId": "", "ExternalId": "", "ReaderArns": f"arn:aws:iam::{ACCOUNT}:role/session-kms-FunctionRole-*"}
    assert trust(ConsumerAccounts=",".join([ACCOUNT] * 110), **few) <= TRUST_POLICY.most
    # With an organization the accounts are not in the policy, and everything else may be at its longest.
    assert trust() <= TRUST_POLICY.most


@each_template
def test_the_template_has_no_more_parts_than_cloudformation_accepts(path: Path) -> None:
    template = load(path.read_text())
    assert path.stat().st_size <= 1_000_000
    assert len(template["Description"].encode()) <= 1_024
    parts = {"Parameters": 200, "Outputs": 200, "Resources": 500, "Mappings": 200}
    for section, most in parts.items():
        assert len(template.get(section, {})) <= most
        assert all(len(name) <= 255 for name in template.get(section, {}))
    for parameter in template["Parameters"].values():
        assert len(parameter["Description"]) <= 4_000
        assert len(str(parameter.get("Default", ""))) <= PARAMETER_BYTES
    resolver = next(iter(resolvers(path)))
    for output in template.get("Outputs", {}).values():
        assert len(output["Description"].encode()) <= 1_024
        assert len(resolver.resolve(output.get("Export", {"Name": ""})["Name"])) <= 255


@pytest.mark.parametrize(("name", "parameter", "items"), [
    # The guide and the description say 100 accounts. There are not yet so many Regions.
    ("key-events", "ConsumerAccounts", [f"{number:012}" for number in range(100)]),
    ("stackset", "Regions", [f"{REGION[:-1]}{number:02}" for number in range(60)]),
])
def test_an_expanded_loop_keeps_the_limits_of_a_template(name: str, parameter: str, items: list[str]) -> None:
    template = load((ROOT / "deploy" / f"{name}.yaml").read_text())
    whole = expanded(template, next(choices(template)) | {parameter: ",".join(items)})
    assert len(items) <= len(whole["Resources"]) <= 500
    assert compact(whole) <= 1_000_000


def test_the_guide_says_how_long_the_name_of_the_stack_of_the_stacksets_may_be() -> None:
    most = 128 - len(f"-{REGION}")
    assert f"at most {most} characters" in " ".join((ROOT / "deploy" / "README.md").read_text().split())
    stackset = next(iter(resolvers(ROOT / "deploy" / "stackset.yaml")))
    (resource,) = rendered(stackset).values()
    assert len(resource["Properties"]["StackSetName"]) - len(STACK_NAME) == 128 - most


def test_the_guides_say_that_the_template_is_deployed_from_a_bucket() -> None:
    """CloudFormation takes a template of more than 51,200 bytes only from a bucket."""
    assert (ROOT / "template.yaml").stat().st_size > 51_200
    for guide in (ROOT / "docs" / "deploy.md", ROOT / "deploy" / "README.md"):
        assert re.search(r"51,200 bytes", guide.read_text()), guide


def test_the_template_takes_whatever_the_stackset_takes() -> None:
    """A `{Region}` in a value becomes a Region, which may be longer."""
    taken = load((ROOT / "template.yaml").read_text())["Parameters"]
    for name, offered in load((ROOT / "deploy" / "stackset.yaml").read_text())["Parameters"].items():
        limit = bound(offered)
        if name in taken and limit is not None:
            longer = len(REGION) - len("{Region}") if "Region\\}" in offered.get("AllowedPattern", "") else 0
            most = bound(taken[name])
            assert most is None or limit + longer <= most, name
