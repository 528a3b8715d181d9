"""A key of another account: proven in its own account, and used from another through the deployed stacks."""

import json

import pytest
from botocore.exceptions import ClientError

from local import seed
from local.servers import ACCOUNT, OWNER
from local.stacks import Stack
from tests.e2e import session

USER, NODE = seed.role_arn(seed.USER_ROLE), seed.role_arn(seed.NODE_ROLE)
CONSUMER_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ROLES = {"UserRoleNames": seed.USER_ROLE, "NodeRoleNames": seed.NODE_ROLE}
EXTERNAL_ID = "example-bank-sessions"


def make_key(account, **actions: list[str]) -> str:
    """A key of the other account, whose policy admits those named to an action each."""
    return seed.make_key(account.aws, "Sessions of all accounts", seed.named_roles_policy(OWNER, **actions), OWNER)


def policy_of(account, key: str) -> str:
    return account.aws.client("kms", OWNER).get_key_policy(KeyId=key, PolicyName="default")["Policy"]


def deployed(stack: Stack) -> Stack:
    assert stack.create() == "CREATE_COMPLETE", stack.failures()
    return stack


def reader(owner: Stack, **parameters: str) -> dict:
    return {"KeyPolicyReaderRoleArn": owner.outputs()["ReaderRoleArn"], **parameters}


@pytest.fixture
def open_key(manned) -> str:
    """A key that leaves to the consumer's policies who in it may use the key."""
    return make_key(manned, GenerateDataKey=[CONSUMER_ROOT], Decrypt=[CONSUMER_ROOT], DescribeKey=[CONSUMER_ROOT])


@pytest.fixture
def forgetful_key(manned) -> str:
    """A key that names the users' role, and forgets the nodes'."""
    return make_key(manned, GenerateDataKey=[USER], DescribeKey=[CONSUMER_ROOT])


def test_a_key_that_admits_its_consumers_is_handed_out(manned, open_key):
    before = policy_of(manned, open_key)
    owner = deployed(manned.key_access(open_key, Users=USER, Nodes=NODE))
    outputs = owner.outputs()
    assert outputs["KeyArn"] == open_key
    assert outputs["ReaderRoleArn"].startswith(f"arn:aws:iam::{OWNER}:role/")
    assert outputs["Findings"].endswith(" passed"), "nothing else is said where nothing else is so"
    assert owner.delete() == "DELETE_COMPLETE"
    assert policy_of(manned, open_key) == before, "nothing was changed"


def test_a_key_that_refuses_a_principal_fails_the_stack_and_names_it_with_the_statement(manned, forgetful_key):
    owner = manned.key_access(forgetful_key, ProveAccounts="false", Users=USER, Nodes=NODE)
    assert owner.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(owner.failures())
    assert NODE in reason
    assert USER not in reason, "who is admitted is not complained about"
    statement, = seed.statements_of(reason)
    assert (statement["Principal"], statement["Action"]) == ({"AWS": [NODE]}, "kms:Decrypt")
    seed.add_to_key_policy(manned.aws, forgetful_key, statement, account=OWNER)
    owner.delete()
    deployed(owner)


def test_a_key_that_refuses_an_account_fails_the_stack_and_names_it_with_the_statement(manned, forgetful_key):
    owner = manned.key_access(forgetful_key)
    assert owner.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(owner.failures())
    assert ACCOUNT in reason
    statements = seed.statements_of(reason)
    assert sorted(statement["Action"] for statement in statements) == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert all(statement["Principal"] == {"AWS": [CONSUMER_ROOT]} for statement in statements)
    seed.add_to_key_policy(manned.aws, forgetful_key, *statements, account=OWNER)
    owner.delete()
    deployed(owner)


def test_what_depends_on_a_condition_is_not_allowed_unless_it_is_known_to_hold(manned):
    key = make_key(manned)
    statement = {
        "Sid": "Organization", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    }
    seed.add_to_key_policy(manned.aws, key, statement, account=OWNER)
    unknown = manned.key_access(key)
    assert unknown.create() == "ROLLBACK_COMPLETE"
    assert "aws:PrincipalOrgID" in " ".join(unknown.failures())
    deployed(manned.key_access(key, Require="NotDenied"))
    deployed(manned.key_access(key, Context='{"aws:PrincipalOrgID": "o-a1b2c3d4e5"}'))
    elsewhere = manned.key_access(key, Context='{"aws:PrincipalOrgID": "o-zzzzzzzzzz"}', Require="NotDenied")
    assert elsewhere.create() == "ROLLBACK_COMPLETE"


def test_a_function_that_is_there_already_is_asked(manned):
    existing = manned.deploy(Preflight="Warn")
    borrower = deployed(manned.key_access(manned.keys.first, ConsumerAccounts=seed.CONSUMER, FunctionArn=existing.outputs()["FunctionArn"]))
    kinds = {event["ResourceType"] for event in borrower.events()}
    assert "Custom::SessionKeyAccess" in kinds
    assert "AWS::Lambda::Function" not in kinds
    assert borrower.delete() == "DELETE_COMPLETE"


def test_a_key_of_another_account_is_proven_there_and_nowhere_else(manned, open_key):
    existing = manned.deploy(Preflight="Warn")
    template = {
        "Resources": {
            "KeyAccess": {
                "Type": "Custom::SessionKeyAccess",
                "Properties": {
                    "ServiceToken": existing.outputs()["FunctionArn"], "ServiceTimeout": 60, "KmsKeyId": manned.keys.first, "ConsumerAcounts": [ACCOUNT],
                },
            }
        }
    }
    misspelt = Stack(manned.aws, "misspelt", json.dumps(template))
    assert misspelt.create() == "ROLLBACK_COMPLETE"
    assert "ConsumerAcounts" in " ".join(misspelt.failures())
    properties = template["Resources"]["KeyAccess"]["Properties"]
    properties["ConsumerAccounts"] = properties.pop("ConsumerAcounts")
    properties["KmsKeyId"] = open_key
    # The function may describe the foreign key only where its stack names it.
    assert existing.update(AdditionalKeyArns=open_key) == "UPDATE_COMPLETE", existing.failures()
    foreign = Stack(manned.aws, "foreign", json.dumps(template))
    assert foreign.create() == "ROLLBACK_COMPLETE"
    assert f"another account's than {ACCOUNT}" in " ".join(foreign.failures())


def test_a_consumer_is_refused_and_then_admitted_through_the_reader_role(manned, forgetful_key):
    before = manned.document()
    owner = deployed(manned.key_access(forgetful_key, ProveAccounts="false", Users=USER, ExternalId=EXTERNAL_ID))
    settings = reader(owner, KmsKeyId=forgetful_key, KeyPolicyReaderExternalId=EXTERNAL_ID, GrantKeyArns=forgetful_key, **ROLES)
    refused = manned.stack(**settings)
    assert refused.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(refused.failures())
    assert NODE in reason
    assert manned.document() == before
    seed.add_to_key_policy(manned.aws, forgetful_key, *seed.statements_of(reason), account=OWNER)
    assert owner.update(Nodes=NODE) == "UPDATE_COMPLETE", owner.failures()
    consumer = manned.deploy(**settings)
    assert manned.document().key == forgetful_key
    assert "sts:AssumeRole" not in consumer.outputs()["Findings"]
    assert consumer.delete() == "DELETE_COMPLETE"
    assert manned.document().key == ""


def test_users_and_nodes_of_one_account_begin_sessions_with_the_key_of_another(manned, open_key):
    assert not session.works(manned.aws, open_key)
    owner = deployed(manned.key_access(open_key))
    manned.deploy(**reader(owner, KmsKeyId=open_key, GrantKeyArns=open_key, **ROLES))
    assert manned.document().key == open_key
    assert session.works(manned.aws, open_key)


@pytest.mark.parametrize("wrong", [{"KeyPolicyReaderExternalId": "another"}, {}], ids=["wrong", "missing"])
def test_without_the_external_id_the_key_policy_stays_unknown(manned, open_key, wrong):
    owner = deployed(manned.key_access(open_key, ExternalId=EXTERNAL_ID))
    settings = reader(owner, KmsKeyId=open_key, GrantKeyArns=open_key, **ROLES, **wrong)
    strict = manned.stack(Preflight="Strict", **settings)
    assert strict.create() == "ROLLBACK_COMPLETE"
    assert "sts:AssumeRole" in " ".join(strict.failures())
    enforcing = manned.deploy(**settings)
    assert "sts:AssumeRole" in enforcing.outputs()["Findings"], "unknown is reported, never a pass"


def test_a_function_that_is_not_named_reads_nothing(manned, open_key):
    owner = deployed(manned.key_access(open_key, ReaderArns=f"arn:aws:iam::{ACCOUNT}:role/another-*"))
    stack = manned.stack(Preflight="Strict", **reader(owner, KmsKeyId=open_key, GrantKeyArns=open_key, **ROLES))
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert "sts:AssumeRole" in " ".join(stack.failures())


def test_an_account_that_is_no_consumer_cannot_assume_the_reader_role(manned, open_key):
    owner = deployed(manned.key_access(open_key))
    with pytest.raises(ClientError, match="AccessDenied"):
        manned.aws.client("sts", "333333333333").assume_role(RoleArn=owner.outputs()["ReaderRoleArn"], RoleSessionName="stranger")


def test_a_key_that_the_function_may_not_describe_is_refused(manned):
    key = make_key(manned, GenerateDataKey=[CONSUMER_ROOT], Decrypt=[CONSUMER_ROOT])
    before = manned.document()
    stack = manned.stack(KmsKeyId=key)
    assert stack.create() == "ROLLBACK_COMPLETE"
    reason = " ".join(stack.failures())
    assert "AccessDenied" in reason
    assert "kms:DescribeKey" in reason
    assert manned.document() == before


def test_a_key_policy_that_is_handed_in_is_judged_where_nothing_may_read_it(manned, open_key):
    given = policy_of(manned, open_key)
    forgets = json.loads(given)
    forgets["Statement"] = [statement for statement in forgets["Statement"] if statement["Action"] != "kms:Decrypt"]
    # Whether a grant admits the node is not known, so it is not known to be refused.
    refused = manned.stack(KmsKeyId=open_key, GrantKeyArns=open_key, KeyPolicy=json.dumps(forgets), Preflight="Strict", **ROLES)
    assert refused.create() == "ROLLBACK_COMPLETE"
    assert NODE in " ".join(refused.failures())
    stack = manned.deploy(KmsKeyId=open_key, GrantKeyArns=open_key, KeyPolicy=given, **ROLES)
    assert manned.document().key == open_key
    assert f"{NODE}: kms:Decrypt" not in stack.outputs()["Findings"]


def test_a_key_policy_that_is_none_is_refused(account):
    stack = account.stack(KeyPolicy="{}")
    assert stack.create() == "ROLLBACK_COMPLETE"
    assert "KeyPolicy" in " ".join(stack.failures())
