"""deploy/cdk on the local AWS, and that its comparison with the templates finds what differs.

``python -m local.cdk`` makes the comparison itself, and tests the constructs.
"""

import copy
import json
from typing import Any

import pytest

from local import cdk, seed
from local.cdk_comparison import CONSTRUCTS, PROPERTIES, ComparisonError, choices, differences, drift, properties
from local.package import upload
from local.paths import architecture
from local.stacks import Stack
from local.template import PSEUDO
from tests.e2e.conftest import Account

UUID: dict[str, Any] = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
PLAIN: dict[str, Any] = {
    "Parameters": {"Reports": {"Type": "String", "Default": "false"}},
    "Conditions": {"HasReports": {"Fn::Equals": [{"Ref": "Reports"}, "true"]}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain", "Properties": {"MessageRetentionPeriod": 60}},
        "Rule": {
            "Type": "AWS::Events::Rule",
            "DependsOn": ["Queue", "Topic"],
            "Properties": {
                "Name": {"Fn::Join": ["-", ["session-kms", UUID, "schedule"]]},
                "Targets": [{"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Condition": "HasReports", "Properties": {}},
    },
}


def unique(instance: str = "0a1b2c3d") -> list[Any]:
    return [*({"Fn::Select": [index, {"Fn::Split": ["-", UUID]}]} for index in range(3)), instance]


def made() -> dict[str, Any]:
    """What the CDK makes of the plain template."""
    return {
        "Resources": {
            "SessionKmsTemplateQueue0123ABCD": {
                "Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain", "Properties": {"MessageRetentionPeriod": "60"},
            },
            "SessionKmsTemplateRule4567EF01": {
                "Type": "AWS::Events::Rule",
                "DependsOn": ["SessionKmsTemplateQueue0123ABCD"],
                "Properties": {
                    "Name": {"Fn::Join": ["-", ["session-kms", *unique(), "schedule"]]},
                    "Targets": [{"Arn": {"Fn::GetAtt": ["SessionKmsTemplateQueue0123ABCD", "Arn"]}}],
                },
            },
        },
    }


def test_a_template_with_other_names_is_the_same() -> None:
    assert PSEUDO["AWS::StackId"].count("-") >= 4
    assert differences(PLAIN, made(), {}) == []


@pytest.mark.parametrize(
    ("resource", "part", "value", "expected"),
    [
        ("Queue0123ABCD", "Properties", {"MessageRetentionPeriod": 61}, "Queue.Properties.MessageRetentionPeriod"),
        ("Queue0123ABCD", "Properties", {"MessageRetentionPeriod": 60, "KmsMasterKeyId": "alias/a"}, "Queue.Properties.KmsMasterKeyId"),
        ("Queue0123ABCD", "DeletionPolicy", "Delete", "Queue.DeletionPolicy"),
        ("Queue0123ABCD", "Type", "AWS::S3::Bucket", "Queue.Type"),
        ("Rule4567EF01", "DependsOn", [], "Rule.DependsOn"),
        ("Rule4567EF01", "Properties", {"Name": "schedule", "Targets": []}, "Rule.Properties.Name"),
    ],
)
def test_a_difference_is_found(resource: str, part: str, value: Any, expected: str) -> None:
    template = made()
    template["Resources"][f"SessionKmsTemplate{resource}"][part] = value
    assert any(difference.startswith(expected) for difference in differences(PLAIN, template, {}))


def test_a_resource_that_should_exist_is_missed() -> None:
    difference, = [item for item in differences(PLAIN, made(), {"Reports": "true"}) if item.startswith("Topic")]
    assert difference == "Topic.exists: true in the template, false in the CDK's"


def test_names_that_differ_within_a_construct_are_refused() -> None:
    template = made()
    rules = template["Resources"]
    rules["SessionKmsTemplateOther89ABCDEF"] = copy.deepcopy(rules["SessionKmsTemplateRule4567EF01"])
    rules["SessionKmsTemplateOther89ABCDEF"]["Properties"]["Name"] = {"Fn::Join": ["-", unique("ffffffff")]}
    with pytest.raises(ComparisonError, match="0a1b2c3d, ffffffff"):
        differences(PLAIN, template, {})


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_the_properties_are_those_of_the_parameters(construct: str) -> None:
    assert drift(construct, PROPERTIES[construct].read_text()) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("readonly onDelete?", "readonly whenDeleted?", "parameter OnDelete has no property"),
        ("readonly onDelete?", "readonly whenDeleted?", "property whenDeleted has no parameter"),
        ("@default 5", "@default 6", "property maxRepairsPerHour: the default is 5 in the template, 6 here"),
        ("'Fail' | 'TakeOver'", "'Fail'", "property onConflict: its type should have 'Fail' | 'TakeOver', and has 'Fail'"),
        ("readonly dryRun?: boolean", "readonly dryRun?: string", "property dryRun: its type should have boolean, and has string"),
        ("readonly consumerAccounts?: string[]", "readonly consumerAccounts?: string", "property consumerAccounts: it should be an array"),
        ("readonly kmsKeyId?", "readonly kmsKeyId", "property kmsKeyId: it should be optional"),
    ],
)
def test_a_property_that_drifts_is_found(old: str, new: str, expected: str) -> None:
    declarations = PROPERTIES["SessionKms"].read_text()
    assert old in declarations
    assert any(complaint.startswith(expected) for complaint in drift("SessionKms", declarations.replace(old, new)))


def test_every_choice_has_values_of_the_types_of_the_properties() -> None:
    template = {"Parameters": {
        "Flag": {"Type": "String", "AllowedValues": ["true", "false"]},
        "Count": {"Type": "Number"},
        "Names": {"Type": "String", "Description": "Names, separated by commas."},
    }}
    assert properties(template, {"Flag": "true", "Count": "5", "Names": "a,b"}) == {"flag": True, "count": 5, "names": ["a", "b"]}
    assert {"most", "other function"} <= {name for name, _ in choices("SessionKmsKeyAccess")}


def test_two_instances_of_a_stack_each_own_a_document(account: Account) -> None:
    bucket, key = upload(account.aws).removeprefix("s3://").split("/", 1)
    common = {"architecture": architecture(), "preflight": "Warn"}
    instances = {
        "Regional": common | {"kmsKeyId": account.keys.first},
        "Team": common | {"kmsKeyId": account.keys.second, "documentName": "Team-Sessions", "createDocument": True},
    }
    constructs = {name: {"construct": "SessionKms", "properties": values} for name, values in instances.items()}
    template, = cdk.synthesized(cdk.build(), [{"constructs": constructs, "validated": False, "code": {"bucket": bucket, "key": key}}])
    # These two sections ask whether the account was bootstrapped for the CDK.
    del template["Rules"], template["Parameters"]
    before = account.document().content
    stack = Stack(account.aws, "sessions", json.dumps(template))
    assert stack.create() == "CREATE_COMPLETE", stack.failures()
    assert account.document().content["inputs"] == before["inputs"] | {"kmsKeyId": account.keys.first}
    assert account.document("Team-Sessions").content["inputs"]["kmsKeyId"] == account.keys.second
    assert sorted(account.records()) == [f"/session-kms/{seed.DOCUMENT}", "/session-kms/Team-Sessions"]
    rules = [rule["Name"] for rule in account.aws.client("events").list_rules(NamePrefix="session-kms-")["Rules"]]
    assert len(rules) == len(set(rules)) == 2 * 7
    assert stack.delete() == "DELETE_COMPLETE", stack.failures()
    assert account.document().content["inputs"] == before["inputs"]
    assert account.records() == {}
