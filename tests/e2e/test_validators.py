"""Checks that cfn-lint, SAM, parliament, checkov and asl-validator can refuse a template, and what the templates say of themselves.

``make lint``, which is a part of ``make test``, runs them over the templates as they are.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from local import environments, suite
from local.lint_exceptions import CHECKOV, PARLIAMENT
from local.paths import ALL_TEMPLATES, AUDIT_ROLE_TEMPLATE, AUDIT_TEMPLATE, EVENTS, KEY_ACCESS_TEMPLATE, ROOT, TEMPLATE, TEMPLATES
from local.template import load


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    environments.ensure(("cfn-lint", "checkov", "sam", "parliament"))


def run(*command: Any, **settings: Any) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | settings
    return subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def changed(tmp_path: Path, template: Path, old: str, new: str) -> Path:
    text = template.read_text()
    assert old in text
    path = tmp_path / template.name
    path.write_text(text.replace(old, new))
    return path


def cfn_lint(path: Path) -> subprocess.CompletedProcess[str]:
    # Several Regions, to find values that are valid in only one of them.
    return run(environments.program("cfn-lint", "cfn-lint"), "--regions", "eu-west-1", "us-gov-west-1", "cn-north-1", "--", path)


def sam_validate(path: Path) -> subprocess.CompletedProcess[str]:
    return run(environments.program("sam", "sam"), "validate", "--lint", "--region", "eu-west-1", "--template", path, SAM_CLI_TELEMETRY="0")


def parliament(*paths: Path) -> subprocess.CompletedProcess[str]:
    return run(environments.program("parliament", "python"), "-m", "local.policy_lint", *paths)


def state_machines(*paths: Path) -> subprocess.CompletedProcess[str]:
    return run(environments.program("cfn-lint", "python"), "-m", "local.state_machine_lint", *paths)


def checkov(path: Path) -> subprocess.CompletedProcess[str]:
    return run(environments.program("checkov", "python"), "-m", "local.security_lint", path)


# The intrinsic functions that CloudFormation allows in rules.
FUNCTIONS_IN_RULES = {
    "Fn::And", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::Equals", "Fn::Not", "Fn::Or", "Fn::RefAll", "Fn::ValueOf",
    "Fn::ValueOfAll",
}
each_template = pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)


def test_every_template_of_the_project_is_checked() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in ALL_TEMPLATES}
    assert {"template.yaml", "template-key-access.yaml", "deploy/stackset.yaml", "deploy/key-events.yaml", "deploy/code-bucket.yaml"} <= names
    assert {"deploy/audit.yaml", "deploy/audit-role.yaml"} <= names
    assert names >= {path.relative_to(ROOT).as_posix() for path in ROOT.glob("local/**/*.yaml") if "Resources:" in path.read_text()}
    commands = {step.name: " ".join(step.command) for step in suite.lint_steps()}
    for name in names:
        assert commands[f"SAM lints of {name}"].endswith(f"--template {name}")
    # These find the templates themselves.
    for module in ("region_lint", "policy_lint", "security_lint", "state_machine_lint"):
        assert [command for command in commands.values() if command.endswith(f"-m local.{module}")], module


BROKEN = [
    (cfn_lint, TEMPLATE, "RetentionInDays: !Ref", "RetentionInDay: !Ref"),
    (cfn_lint, KEY_ACCESS_TEMPLATE, "RetentionInDays: !Ref", "RetentionInDay: !Ref"),
    (sam_validate, TEMPLATE, "RetentionInDays: !Ref", "RetentionInDay: !Ref"),
    (sam_validate, KEY_ACCESS_TEMPLATE, "RetentionInDays: !Ref", "RetentionInDay: !Ref"),
    (parliament, TEMPLATE, "kms:DescribeKey", "kms:DescribeKeys"),
    (parliament, KEY_ACCESS_TEMPLATE, "kms:DescribeKey", "kms:DescribeKeys"),
    (parliament, ROOT / "deploy" / "code-bucket.yaml", "s3:GetObject", "s3:GetObjects"),
    # This role is made in a loop.
    (parliament, ROOT / "deploy" / "key-events.yaml", "Action: events:PutEvents", "Action: events:PutsEvents"),
    (parliament, AUDIT_ROLE_TEMPLATE, "ssm:DescribeSessions", "ssm:DescribeSession"),
    # A transition to a state that is not there, a state that nothing leads to, a path, a number, and a substitution.
    (state_machines, AUDIT_TEMPLATE, "            Next: Audit\n", "            Next: Audits\n"),
    (state_machines, AUDIT_TEMPLATE, "            Next: Report\n", "            End: true\n"),
    (state_machines, AUDIT_TEMPLATE, "ResultPath: $.run\n", "ResultPath: run\n"),
    (state_machines, AUDIT_TEMPLATE, "MaxAttempts: 6", "MaxAttempts: six"),
    (state_machines, AUDIT_TEMPLATE, "        Bucket: !Ref Bucket\n", ""),
    (checkov, AUDIT_TEMPLATE, "BlockPublicAcls: true", "BlockPublicAcls: false"),
    (checkov, TEMPLATE, "EnableKeyRotation: true", "EnableKeyRotation: false"),
    (checkov, KEY_ACCESS_TEMPLATE, "Service: lambda.amazonaws.com", "AWS: '*'"),
    (checkov, ROOT / "deploy" / "code-bucket.yaml", "BlockPublicAcls: true", "BlockPublicAcls: false"),
    (checkov, ROOT / "deploy" / "key-events.yaml", "Service: events.amazonaws.com\n                Action: sts", "AWS: '*'\n                Action: sts"),
]


@pytest.mark.parametrize(("check", "path", "old", "new"), BROKEN, ids=lambda value: getattr(value, "stem", getattr(value, "__name__", "")))
def test_each_check_can_fail(check: Any, path: Path, old: str, new: str, tmp_path: Path) -> None:
    result = check(changed(tmp_path, path, old, new))
    assert result.returncode == 1 if check in (parliament, checkov, state_machines) else result.returncode != 0, result.stdout + result.stderr


def test_a_template_that_checkov_cannot_read_fails(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("Resources:\n  Queue:\n    Type: Example::Nothing::Here\n")
    assert checkov(path).returncode != 0


# Not every Region has resources of this type.
ONLY_IN_SOME_REGIONS = """
Resources:
  Setup:
    Type: AWS::SSMQuickSetup::ConfigurationManager
    Properties:
      ConfigurationDefinitions:
        - Type: AWSQuickSetupType-SSMHostMgmt
          Parameters: {}
"""


def test_cfn_lint_checks_every_region_of_every_partition(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(ONLY_IN_SOME_REGIONS)
    assert run(environments.program("cfn-lint", "cfn-lint"), "--regions", "us-east-1", "--", path).returncode == 0
    result = run(environments.program("cfn-lint", "python"), "-m", "local.region_lint", path)
    assert result.returncode == 1
    refused = re.findall(r"^template\.yaml:.* does not exist in .* \((.*)\)$", result.stdout, re.MULTILINE)
    assert {"cn-north-1", "us-gov-west-1", "eu-central-2"} <= set(refused)
    assert "us-east-1" not in refused
    known = run(environments.program("cfn-lint", "python"), "-c", "from cfnlint.helpers import REGIONS; print(*REGIONS)").stdout.split()
    assert f"{len(known)} Regions" in result.stdout
    partitions = Session().get_component("data_loader").load_data("partitions")["partitions"]
    assert len(partitions) >= 8
    for partition in partitions:
        assert set(known) & set(partition["regions"]), partition["id"]


def test_every_exception_has_a_reason() -> None:
    lines = (ROOT / "local" / "lint_exceptions.py").read_text().splitlines()
    listed = [number for number, line in enumerate(lines) if line.startswith(("    Policy(", "    Setting("))]
    assert len(listed) == len(CHECKOV) + len(PARLIAMENT)
    for number in listed:
        assert lines[number - 1].lstrip().startswith(("#", "Policy(", "Setting(")), lines[number]
    for path in ALL_TEMPLATES:
        ignored = json.dumps(load(path.read_text()).get("Metadata", {}).get("cfn-lint", {}))
        assert ignored in ("{}", '{"config": {"ignore_checks": ["W1031"]}}')


@each_template
def test_no_arn_names_a_partition(path: Path) -> None:
    template = load(path.read_text())
    # Descriptions and patterns show what an ARN looks like.
    for parameter in template["Parameters"].values():
        del parameter["Description"]
        parameter.pop("AllowedPattern", None)
    assert not re.search(r"arn:aws[a-z-]*:", json.dumps(template))


def functions_in(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(functions_in, value))
    if isinstance(value, dict):
        return {name for name in value if name.startswith("Fn::")}.union(*map(functions_in, value.values()))
    return set()


@each_template
def test_the_template_is_within_the_limits_of_cloudformation(path: Path) -> None:
    template = load(path.read_text())
    assert len(template["Parameters"]) <= 200
    assert path.stat().st_size <= 1_000_000, "CloudFormation accepts no larger template"
    for parameter in template["Parameters"].values():
        assert len(parameter["Description"]) <= 4000
    assert functions_in(template.get("Rules", {})) <= FUNCTIONS_IN_RULES


@each_template
def test_the_console_page_of_the_template_is_complete(path: Path) -> None:
    template = load(path.read_text())
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    assert sorted(interface["ParameterLabels"]) == sorted(template["Parameters"])
    assert all(parameter["Description"] for parameter in template["Parameters"].values())
    assert all(output["Description"] for output in template["Outputs"].values())


def test_the_request_waits_for_permissions() -> None:
    resources = load(TEMPLATE.read_text())["Resources"]
    for name in ("SessionKey", "SessionEncryption"):
        assert resources[name]["Properties"]["ServiceTimeout"] <= 3600
    assert {"FunctionRole", "FunctionLogGroup", "FunctionInvokeConfig", "FailedEventsPolicy"} <= set(resources["SessionKey"]["DependsOn"])


def needs(value: Any, resources: dict[str, Any]) -> set[str]:
    """The resources that a part of a template refers to."""
    if isinstance(value, list):
        return {name for item in value for name in needs(item, resources)}
    if not isinstance(value, dict):
        return set()
    found = {name for item in value.values() for name in needs(item, resources)}
    if isinstance(reference := value.get("Ref"), str):
        found.add(reference)
    if "Fn::GetAtt" in value:
        found.add(value["Fn::GetAtt"][0])
    if "Fn::Sub" in value:
        text = value["Fn::Sub"] if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"][0]
        found |= set(re.findall(r"\$\{(\w+)", text))
    return found & set(resources)


def before(name: str, resources: dict[str, Any]) -> set[str]:
    """The resources that CloudFormation creates before this one, and deletes after it."""
    found: set[str] = set()
    todo = [name]
    while todo:
        resource = resources[todo.pop()]
        listed = resource.get("DependsOn", [])
        depends = {listed} if isinstance(listed, str) else set(listed)
        new = (depends | needs(resource["Properties"], resources)) - found
        found |= new
        todo += new
    return found


def test_the_key_is_switched_on_after_everything_that_can_fail() -> None:
    resources = load(TEMPLATE.read_text())["Resources"]
    assert before("SessionEncryption", resources) == set(resources) - {"SessionEncryption"}


def test_only_a_reference_orders_conditional_resources() -> None:
    for path in TEMPLATES:
        resources = load(path.read_text())["Resources"]
        for name, resource in resources.items():
            listed = resource.get("DependsOn", [])
            for other in [listed] if isinstance(listed, str) else listed:
                condition = resources[other].get("Condition")
                assert condition is None or condition == resource.get("Condition"), f"{name} depends on {other}"


def test_the_key_and_the_policies_outlive_the_stack_and_a_deployment_that_is_rolled_back() -> None:
    resources = load(TEMPLATE.read_text())["Resources"]
    for name in ("Key", "UserPolicy", "NodePolicy"):
        assert resources[name]["DeletionPolicy"] == resources[name]["UpdateReplacePolicy"] == "Retain"


@each_template
def test_the_report_outlives_a_deployment_that_is_rolled_back(path: Path) -> None:
    group = load(path.read_text())["Resources"]["FunctionLogGroup"]
    assert group["DeletionPolicy"] == "Retain"
    assert "AWS::StackId" in json.dumps(group["Properties"]["LogGroupName"]), "otherwise the next deployment would find the name in use"


def test_the_sample_requests_have_the_properties_that_the_template_sends() -> None:
    types = {"custom-resource": "Custom::SessionEncryption", "session-key": "Custom::SessionKey", "key-access": "Custom::SessionKeyAccess"}
    for path in [EVENTS / f"{name}-{kind}.json" for name in types for kind in ("create", "delete", "update")]:
        event = json.loads(path.read_text())
        kind = event["RequestType"]
        name, _, suffix = path.stem.rpartition("-")
        assert suffix == kind.lower()
        assert event["ResourceType"] == types[name]
        properties = load((KEY_ACCESS_TEMPLATE if name == "key-access" else TEMPLATE).read_text())["Resources"][event["LogicalResourceId"]]["Properties"]
        # Conditional properties may be absent.
        always = {name for name, value in properties.items() if "AWS::NoValue" not in json.dumps(value)}
        assert always <= set(event["ResourceProperties"]) <= set(properties), "the properties that the template sends"
        assert ("PhysicalResourceId" in event) == (kind != "Create")
        assert ("OldResourceProperties" in event) == (kind == "Update")
        assert event["ResourceProperties"]["ServiceToken"] == event["ServiceToken"]
