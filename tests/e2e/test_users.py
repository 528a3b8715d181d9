"""Users are those whose sessions the key of the document encrypts, and whoever uses just-in-time node access."""

import json
from typing import Any

import pytest

from local import fleets, seed
from local.fleets import JUST_IN_TIME, TAG
from local.servers import ACCOUNT
from local.stacks import Stack
from tests.e2e.conftest import Account
from tests.e2e.test_nodes_and_network import evidence, findings, may_decrypt, refusal
from tests.e2e.test_preflight import report

USER = seed.role_arn(seed.USER_ROLE)
ALICE = f"arn:aws:sts::{ACCOUNT}:assumed-role/{seed.USER_ROLE}/alice"
PERMISSION_SET_ROLE = "AWSReservedSSO_Operators_0123456789abcdef"
PERMISSION_SET_ROLE_ARN = seed.role_arn(f"aws-reserved/sso.amazonaws.com/{PERMISSION_SET_ROLE}")
OF_THE_DOCUMENT = [
    {}, {"DocumentName": seed.DOCUMENT}, {"DocumentName": "AWS-StartInteractiveCommand"}, {"DocumentName": "AWS-StartNonInteractiveCommand"},
    {"DocumentName": "AWS-PasswordReset"},
]
NOT_OF_THE_DOCUMENT = [
    {"DocumentName": "AWS-StartPortForwardingSession"}, {"DocumentName": "AWS-StartPortForwardingSessionToRemoteHost"},
    {"DocumentName": "AWS-StartPortForwardingSessionToSocket"}, {"DocumentName": "AWS-StartSSHSession"},
    {"DocumentName": "AmazonECS-ExecuteInteractiveCommand", "Target": "ecs:cluster_0123456789abcdef_0123456789abcdef-1"},
    {"AccessType": "JustInTime"},
]


@pytest.fixture
def shells(account: Account) -> Account:
    """An account with a node that may use the key, and a user's role that may not."""
    seed.seed_roles(account.aws)
    seed.seed_fleet(account.aws, seed.NODE_ROLE)
    may_decrypt(account, seed.NODE_ROLE)
    return account


def seed_session_document(account: Account, name: str, session_type: str) -> None:
    content: dict[str, Any] = {"schemaVersion": "1.0", "description": "Of a team", "sessionType": session_type}
    content |= {"inputs": {"kmsKeyId": ""}} if session_type == "Standard_Stream" else {"properties": {"portNumber": "5432", "localPortNumber": "5432"}}
    seed.seed_document(account.aws, content, name)


@pytest.mark.parametrize("session", OF_THE_DOCUMENT, ids=lambda session: session.get("DocumentName", "none"))
def test_whoever_starts_a_session_that_the_document_encrypts_is_a_user(shells: Account, session: dict[str, Any]) -> None:
    seed.seed_sessions(shells.aws, ALICE, **session)
    assert USER in refusal(shells.stack())
    fleets.put_role_policy(shells.aws, seed.USER_ROLE, "key", "kms:GenerateDataKey", resource=shells.keys.first)
    shells.deploy()
    assert shells.document().key == shells.keys.first


@pytest.mark.parametrize("session", NOT_OF_THE_DOCUMENT, ids=lambda session: next(iter(session.values())))
def test_a_session_that_the_key_never_encrypts_makes_nobody_a_user(shells: Account, session: dict[str, Any]) -> None:
    seed.seed_sessions(shells.aws, ALICE, ALICE, **session)
    stack = shells.deploy()
    assert shells.document().key == shells.keys.first
    assert USER not in json.dumps(report(stack)["access"])
    assert "2 sessions; 2 of them do not count" in evidence(stack, "users")


def test_one_session_that_counts_is_enough(shells: Account) -> None:
    seed.seed_sessions(shells.aws, ALICE, DocumentName="AWS-StartSSHSession")
    seed.seed_sessions(shells.aws, ALICE)
    assert USER in refusal(shells.stack())


@pytest.mark.parametrize("session_type", ["Standard_Stream", "Port"])
def test_a_document_that_nobody_knows_is_read(shells: Account, session_type: str) -> None:
    seed_session_document(shells, "Team-Access", session_type)
    seed.seed_sessions(shells.aws, ALICE, DocumentName="Team-Access")
    stack = shells.deploy(Preflight="Strict", DryRun="true")
    assert shells.document().key == shells.keys.first
    assert USER not in json.dumps(report(stack)["access"])
    assert {finding["verdict"] for finding in findings(stack, "users")} == {"pass"}


def test_a_document_that_cannot_be_read_is_unknown(shells: Account) -> None:
    seed_session_document(shells, "Team-Access", "Port")
    seed.seed_sessions(shells.aws, ALICE, DocumentName="Team-Access")
    stack = shells.deploy(ReadSessionDocuments="false")
    assert shells.document().key == shells.keys.first
    assert "unknown" in {finding["verdict"] for finding in findings(stack, "users")}
    assert "Team-Access" in evidence(stack, "users")
    assert stack.delete() == "DELETE_COMPLETE"
    assert "ssm:GetDocument" in refusal(shells.stack(ReadSessionDocuments="false", Preflight="Strict", DryRun="true"))


def test_a_session_of_the_stack_s_own_document_counts(shells: Account) -> None:
    seed_session_document(shells, "Team-Access", "Standard_Stream")
    seed.seed_sessions(shells.aws, ALICE, DocumentName="Team-Access")
    assert USER in refusal(shells.stack(DocumentName="Team-Access"))


@pytest.fixture
def just_in_time(shells: Account) -> Account:
    """The same account with just-in-time node access, as its set-up makes it."""
    fleets.seed_just_in_time_access(shells.aws)
    return shells


def test_just_in_time_node_access_needs_the_tag_on_the_key(just_in_time: Account) -> None:
    account, key = just_in_time, just_in_time.keys.first
    before = account.document()
    stack = account.stack()
    assert seed.role_arn(JUST_IN_TIME) in refusal(stack)
    assert account.document() == before
    remedy, = [remedy for remedy in report(stack)["remedies"]["resources"] if remedy["resource"] == key]
    for text in ("aws kms tag-resource", TAG["TagKey"], key):
        assert text in remedy["command"]
    assert TAG["TagKey"] in json.dumps(remedy["snippet"])
    account.aws.client("kms").tag_resource(KeyId=key, Tags=[TAG])
    deployed = account.deploy()
    assert account.document().key == key
    assert [access["verdict"] for access in report(deployed)["access"] if access["principal"] == seed.role_arn(JUST_IN_TIME)] == ["pass"]


def test_a_key_with_another_value_of_the_tag_does_not_do(just_in_time: Account) -> None:
    just_in_time.aws.client("kms").tag_resource(KeyId=just_in_time.keys.first, Tags=[TAG | {"TagValue": "false"}])
    assert seed.role_arn(JUST_IN_TIME) in refusal(just_in_time.stack())


def test_the_key_of_the_stack_has_the_tag(just_in_time: Account) -> None:
    stack = just_in_time.deploy(CreateKey="true", NodeRoleNames=seed.NODE_ROLE)
    key = stack.outputs()["KeyArn"]
    assert just_in_time.document().key == key
    assert TAG in just_in_time.aws.client("kms").list_resource_tags(KeyId=key)["Tags"]


def test_without_reading_the_tags_of_keys_just_in_time_node_access_is_unknown(just_in_time: Account) -> None:
    stack = just_in_time.deploy(ReadKeyTags="false")
    assert [access["verdict"] for access in report(stack)["access"] if access["principal"] == seed.role_arn(JUST_IN_TIME)] == ["unknown"]


@pytest.fixture
def permission_set(shells: Account) -> Account:
    """The same account with a user of IAM Identity Center, who started a session."""
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    shells.aws.client("iam").create_role(
        RoleName=PERMISSION_SET_ROLE, Path="/aws-reserved/sso.amazonaws.com/", AssumeRolePolicyDocument=fleets.document(trust)
    )
    seed.seed_sessions(shells.aws, f"arn:aws:sts::{ACCOUNT}:assumed-role/{PERMISSION_SET_ROLE}/ann@example.com")
    return shells


def refused_permission_set(stack: Stack) -> dict[str, Any]:
    """Create a stack that is refused because of the permission set, and return the remedy."""
    reason = refusal(stack)
    assert PERMISSION_SET_ROLE_ARN in reason
    assert "permission set Operators" in reason
    assert "attach" not in reason
    remedy, = [remedy for remedy in report(stack)["remedies"]["identityPolicies"] if remedy["principals"] == [PERMISSION_SET_ROLE_ARN]]
    assert remedy["permissionSet"] == "Operators"
    assert "kms:GenerateDataKey" in json.dumps(remedy["policy"])
    return remedy


def test_a_role_of_identity_center_is_admitted_by_its_permission_set(permission_set: Account) -> None:
    remedy = refused_permission_set(permission_set.stack())
    # Identity Center puts the inline policy of the permission set into the role.
    permission_set.aws.client("iam").put_role_policy(
        RoleName=PERMISSION_SET_ROLE, PolicyName="AwsSSOInlinePolicy", PolicyDocument=json.dumps(remedy["policy"])
    )
    permission_set.deploy()
    assert permission_set.document().key == permission_set.keys.first


def test_a_role_of_identity_center_is_admitted_by_a_pattern_in_the_key_policy(permission_set: Account) -> None:
    statement = refused_permission_set(permission_set.stack())["instead"]
    patterns = json.dumps(statement["Condition"])
    assert "aws:PrincipalArn" in patterns
    assert PERMISSION_SET_ROLE not in patterns, "the name changes when the role is made again"
    seed.add_to_key_policy(permission_set.aws, permission_set.keys.first, statement)
    permission_set.deploy()
    assert permission_set.document().key == permission_set.keys.first
