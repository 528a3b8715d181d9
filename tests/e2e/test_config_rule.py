"""The function as a rule of AWS Config: it evaluates the document, and reports the result to AWS Config."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import seed
from local.servers import REGION
from tests.e2e.conftest import Account
from tests.e2e.events import EventFailedError, invoke, sample


def test_a_document_with_its_key_complies_and_one_without_does_not(account: Account) -> None:
    stack = account.deploy(ConfigRule="true")
    event = sample("config-rule-scheduled", stack, account.keys.first)
    invoke(stack, event)
    account.set_by_hand(kmsKeyId="")
    before = account.document()
    invoke(stack, event)
    assert account.document() == before, "a rule only reads"
    good, bad = account.aws.state()["evaluations"]
    assert good["ResultToken"] == bad["ResultToken"] == event["resultToken"]
    assert {evaluation["ComplianceType"] for evaluation in good["Evaluations"]} == {"COMPLIANT"}
    evaluation, = [evaluation for evaluation in bad["Evaluations"] if evaluation["ComplianceType"] == "NON_COMPLIANT"]
    assert seed.DOCUMENT in json.dumps(evaluation)
    assert 0 < len(evaluation["Annotation"]) <= 256
    assert event["resultToken"] not in "\n".join(stack.logs())


def test_a_change_of_a_document_evaluates_that_document(account: Account) -> None:
    stack = account.deploy(ConfigRule="true")
    event = sample("config-rule-change", stack, account.keys.first)
    report = invoke(stack, event)
    assert (report["compliance"], report["resourceId"]) == ("COMPLIANT", seed.DOCUMENT)
    account.aws.client("kms").disable_key(KeyId=account.keys.first)
    report = invoke(stack, event)
    assert report["compliance"] == "NON_COMPLIANT"
    assert account.keys.first in report["annotation"]
    other = json.loads(json.dumps(event).replace(seed.DOCUMENT, "Team-Other"))
    assert invoke(stack, other)["compliance"] == "NOT_APPLICABLE"
    gone = event | {"eventLeftScope": True}
    assert invoke(stack, gone)["compliance"] == "NOT_APPLICABLE"
    evaluations = [evaluation for call in account.aws.state()["evaluations"] for evaluation in call["Evaluations"]]
    assert [evaluation["ComplianceType"] for evaluation in evaluations] == ["COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "NOT_APPLICABLE"]
    assert {evaluation["ComplianceResourceType"] for evaluation in evaluations} == {"AWS::SSM::Document"}
    assert [evaluation["ComplianceResourceId"] for evaluation in evaluations] == [seed.DOCUMENT, seed.DOCUMENT, "Team-Other", seed.DOCUMENT]
    assert all(0 < len(evaluation["Annotation"]) <= 256 for evaluation in evaluations)
    assert event["resultToken"] not in "\n".join(stack.logs())


def test_without_the_parameter_the_function_may_not_put_evaluations(account: Account) -> None:
    stack = account.deploy()
    with pytest.raises(EventFailedError, match="config:PutEvaluations"):
        invoke(stack, sample("config-rule-scheduled", stack, account.keys.first))
    assert account.aws.state()["evaluations"] == []


def test_the_local_aws_config_asks_for_the_permission(account: Account) -> None:
    """Otherwise the test above would prove nothing about the template."""
    iam = account.aws.client("iam")
    trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}
    role = iam.create_role(RoleName="rule", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    given = account.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="rule")["Credentials"]
    config = boto3.client(
        "config", region_name=REGION, endpoint_url=account.aws.gateway, aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"], aws_session_token=given["SessionToken"], config=Config(proxies={}),
    )
    evaluation = {"ComplianceResourceType": "AWS::SSM::Document", "ComplianceResourceId": seed.DOCUMENT, "ComplianceType": "COMPLIANT"}
    call = {"Evaluations": [evaluation | {"OrderingTimestamp": 1_770_000_000}], "ResultToken": "token"}
    with pytest.raises(ClientError, match="AccessDenied"):
        config.put_evaluations(**call)
    allowed = {"Statement": {"Effect": "Allow", "Action": "config:PutEvaluations", "Resource": "*"}}
    iam.put_role_policy(RoleName="rule", PolicyName="rule", PolicyDocument=json.dumps(allowed))
    assert config.put_evaluations(**call)["FailedEvaluations"] == []
    stored, = account.aws.state()["evaluations"]
    assert stored["ResultToken"] == "token"
    assert evaluation.items() <= stored["Evaluations"][0].items()
