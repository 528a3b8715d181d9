"""The function as a rule of AWS Config: it is asked, and tells AWS Config what it found."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import seed
from local.servers import REGION
from tests.e2e.events import EventFailed, invoke, sample


def test_what_complies_and_what_does_not(account):
    stack = account.deploy(ConfigRule="true")
    event = sample("config-rule-scheduled", stack, account.keys.first)
    invoke(stack, event)
    account.set_by_hand(kmsKeyId="")
    before = account.document()
    invoke(stack, event)
    assert account.document() == before, "a rule tells, and repairs nothing"
    good, bad = account.aws.world()["evaluations"]
    assert good["ResultToken"] == bad["ResultToken"] == event["resultToken"]
    assert {evaluation["ComplianceType"] for evaluation in good["Evaluations"]} == {"COMPLIANT"}
    evaluation, = [evaluation for evaluation in bad["Evaluations"] if evaluation["ComplianceType"] == "NON_COMPLIANT"]
    assert seed.DOCUMENT in json.dumps(evaluation)
    assert 0 < len(evaluation["Annotation"]) <= 256
    assert event["resultToken"] not in "\n".join(stack.logs())


def test_a_change_of_the_document_is_judged_as_that_document(account):
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
    told = [evaluation for call in account.aws.world()["evaluations"] for evaluation in call["Evaluations"]]
    assert [evaluation["ComplianceType"] for evaluation in told] == ["COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "NOT_APPLICABLE"]
    assert {evaluation["ComplianceResourceType"] for evaluation in told} == {"AWS::SSM::Document"}
    assert [evaluation["ComplianceResourceId"] for evaluation in told] == [seed.DOCUMENT, seed.DOCUMENT, "Team-Other", seed.DOCUMENT]
    assert all(0 < len(evaluation["Annotation"]) <= 256 for evaluation in told)
    assert event["resultToken"] not in "\n".join(stack.logs())


def test_without_the_parameter_the_function_may_not_tell_aws_config(account):
    stack = account.deploy()
    with pytest.raises(EventFailed, match="config:PutEvaluations"):
        invoke(stack, sample("config-rule-scheduled", stack, account.keys.first))
    assert account.aws.world()["evaluations"] == []


def test_the_local_aws_config_asks_for_the_permission(account):
    """Or the test above would say nothing of the template."""
    iam = account.aws.client("iam")
    trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}
    role = iam.create_role(RoleName="rule", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    given = account.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="rule")["Credentials"]
    config = boto3.client(
        "config", region_name=REGION, endpoint_url=account.aws.front, aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"], aws_session_token=given["SessionToken"], config=Config(proxies={}),
    )
    told = {"ComplianceResourceType": "AWS::SSM::Document", "ComplianceResourceId": seed.DOCUMENT, "ComplianceType": "COMPLIANT"}
    call = {"Evaluations": [told | {"OrderingTimestamp": 1_770_000_000}], "ResultToken": "token"}
    with pytest.raises(ClientError, match="AccessDenied"):
        config.put_evaluations(**call)
    allowed = {"Statement": {"Effect": "Allow", "Action": "config:PutEvaluations", "Resource": "*"}}
    iam.put_role_policy(RoleName="rule", PolicyName="rule", PolicyDocument=json.dumps(allowed))
    assert config.put_evaluations(**call)["FailedEvaluations"] == []
    kept, = account.aws.world()["evaluations"]
    assert kept["ResultToken"] == "token"
    assert told.items() <= kept["Evaluations"][0].items()
