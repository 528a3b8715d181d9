"""The report over an audit in the formats of other tools: AWS's own model and the schema of OCSF accept each finding."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator

from local import environments
from local.paths import ROOT

GOLDEN = ROOT / "tests" / "golden"
ASFF = GOLDEN / "audit.asff.jsonl"
OCSF = GOLDEN / "audit.ocsf.jsonl"
# Reads findings, one a line, and prints what the schema says against each: run in the environment `ocsf`.
VALIDATE = """
import json, sys
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0"))
name = schemas.lookup_class_name_from_uid(class_uid=2003)
validator = Draft202012Validator(schemas.get_class_schema(class_name=name, profiles=["cloud"]))
print(json.dumps([[f"{list(error.path)}: {error.message}" for error in validator.iter_errors(json.loads(line))] for line in sys.stdin]))
"""
# What Security Hub documents of a finding, which its model does not have: the longest texts and lists.
LONGEST_TEXTS = {
    "Id": 512, "GeneratorId": 512, "Title": 256, "Description": 1024, "ProductName": 128, "CompanyName": 128,
    "Compliance.StatusReasons.Description": 1024, "Compliance.RelatedRequirements": 64, "Resources.Id": 512,
    "Remediation.Recommendation.Text": 512,
}
LONGEST_LISTS = {"Resources": 32, "Compliance.RelatedRequirements": 32, "Compliance.StatusReasons": 20, "FindingProviderFields.Types": 50}
VALUES = {
    "Compliance.Status": {"PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"},
    "RecordState": {"ACTIVE", "ARCHIVED"},
    "Workflow.Status": {"NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"},
    "FindingProviderFields.Severity.Label": {"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"},
    "Resources.Partition": {"aws", "aws-cn", "aws-us-gov"},
}
LARGEST = 240 * 1024
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
CONTROLS = ["SC-8(1)", "SC-12", "SC-13", "AC-17(2)"]


def lines(path: Any) -> list[dict[str, Any]]:
    # Not splitlines(): a text may hold other line ends of Unicode.
    return [json.loads(line) for line in path.read_text().split("\n") if line]


def values(finding: Any, path: str) -> Iterator[Any]:
    """The values at a path of names, of each member of a list."""
    if isinstance(finding, list):
        for member in finding:
            yield from values(member, path)
    elif not path:
        yield finding
    else:
        name, _, rest = path.partition(".")
        if name in finding:
            yield from values(finding[name], rest)


def security_hub_refuses(findings: list[dict[str, Any]]) -> str:
    model = Session().get_service_model("securityhub")
    return ParamValidator().validate({"Findings": findings}, model.operation_model("BatchImportFindings").input_shape).generate_report()


@pytest.fixture(scope="module")
def findings() -> list[dict[str, Any]]:
    return lines(ASFF)


def test_security_hub_s_model_accepts_the_findings(findings: list[dict[str, Any]]) -> None:
    assert security_hub_refuses(findings) == ""
    # The model knows all members: a misspelt one is found.
    shape = Session().get_service_model("securityhub").shape_for("AwsSecurityFinding")
    assert all(set(finding) <= set(shape.members) for finding in findings)
    assert security_hub_refuses([{name: value for name, value in findings[0].items() if name != "Resources"}])


def test_the_findings_keep_the_limits_of_security_hub(findings: list[dict[str, Any]]) -> None:
    assert 0 < len(findings) <= 100
    for finding in findings:
        assert len(json.dumps(finding)) <= LARGEST
        for path, longest in LONGEST_TEXTS.items():
            assert all(1 <= len(text) <= longest for text in values(finding, path)), (path, finding["Id"])
        for path, longest in LONGEST_LISTS.items():
            *parents, name = path.split(".")
            lists = [parent[name] for parent in values(finding, ".".join(parents))]
            assert all(1 <= len(members) <= longest for members in lists), (path, finding["Id"])
        for path, allowed in VALUES.items():
            assert set(values(finding, path)) <= allowed, path
        for path in ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt"):
            assert all(TIME.fullmatch(time) for time in values(finding, path)), path
        fields = [finding["ProductFields"], *values(finding, "Resources.Details.Other")]
        for of_fields in fields:
            assert len(of_fields) <= 50
            assert all(isinstance(value, str) and value for value in of_fields.values())
        assert any(text.startswith("AWS::::Account:") for text in values(finding, "Resources.Id"))


def test_the_findings_belong_to_the_account_that_imports_them(findings: list[dict[str, Any]]) -> None:
    for finding in findings:
        account, region = "999988887777", "eu-west-1"
        assert finding["AwsAccountId"] == account
        assert finding["ProductArn"] == f"arn:aws:securityhub:{region}:{account}:product/{account}/default"
        assert finding["Compliance"]["RelatedRequirements"] == [f"NIST.800-53.r5 {control}" for control in CONTROLS]
    assert len({finding["Id"] for finding in findings}) == len(findings)
    passed = [finding for finding in findings if finding["Compliance"]["Status"] == "PASSED"]
    assert passed
    assert all(finding["RecordState"] == "ARCHIVED" for finding in passed)


def ocsf_problems(text: str) -> list[list[str]]:
    environments.ensure(("ocsf",))
    python = environments.program("ocsf", "python")
    ran = subprocess.run([str(python), "-c", VALIDATE], input=text, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def test_the_schema_of_ocsf_accepts_the_findings() -> None:
    assert ocsf_problems(OCSF.read_text()) == [[] for _ in lines(OCSF)]
    for finding in lines(OCSF):
        assert finding["class_uid"] == 2003
        assert finding["metadata"]["version"] == "1.5.0"
        assert finding["type_uid"] == 200300 + finding["activity_id"]
        assert finding["compliance"]["requirements"] == CONTROLS


def test_the_schema_of_ocsf_finds_what_is_wrong() -> None:
    finding = lines(OCSF)[0]
    broken = [finding | {"severity_id": "high"}, finding | {"unheard_of": 1}, {name: finding[name] for name in finding if name != "compliance"}]
    assert all(ocsf_problems("\n".join(map(json.dumps, broken))))
