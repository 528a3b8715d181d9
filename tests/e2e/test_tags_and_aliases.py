"""Tags and aliases of a key: policies can ask for them, so somebody can lose access by a change of them."""

import json
from collections.abc import Iterator

import pytest

from local import fleets, seed
from local.fleets import JUST_IN_TIME, TAG
from local.servers import ACCOUNT, LocalAws
from tests.e2e.deployment import Deployment

NODE, JUST_IN_TIME_ARN = seed.role_arn(seed.NODE_ROLE), seed.role_arn(JUST_IN_TIME)
ALIAS = "alias/sessions/prod"


@pytest.fixture(scope="module")
def shared(servers: LocalAws) -> Iterator[Deployment]:
    deployment = Deployment.of(servers)
    yield deployment
    deployment.assert_no_secret_in_logs()


@pytest.fixture
def deployment(shared: Deployment) -> Deployment:
    shared.reset()
    return shared


def test_an_alias_that_no_policy_asks_for_concerns_nobody(deployment: Deployment) -> None:
    before = deployment.snapshot()
    outcome = deployment.send_sample("key-alias-update-call")
    assert outcome.report["alert"] is False
    assert deployment.snapshot() == before


def test_whoever_loses_access_with_an_alias_is_named(deployment: Deployment) -> None:
    aws, kms = deployment.account.aws, deployment.account.aws.client("kms")
    policy = json.loads(seed.named_roles_policy(ACCOUNT, GenerateDataKey=[seed.role_arn(seed.USER_ROLE)], Decrypt=[NODE]))
    policy["Statement"][-1]["Condition"] = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": ALIAS}}
    key = seed.make_key(aws, "by an alias", json.dumps(policy))
    kms.create_alias(AliasName=ALIAS, TargetKeyId=key)
    deployment.update_stack(KmsKeyId=key)
    before = deployment.snapshot()
    # The record names the key that gets the alias.
    kms.update_alias(AliasName=ALIAS, TargetKeyId=deployment.account.keys.second)
    lost = deployment.send_sample("key-alias-update-call", deployment.account.keys.second)
    assert lost.report["alert"] is True
    assert NODE in lost.alerts
    assert deployment.snapshot() == before, "the key stays"
    kms.update_alias(AliasName=ALIAS, TargetKeyId=key)
    assert deployment.send_sample("key-alias-update-call", key).report["alert"] is False
    assert deployment.snapshot() == before


def test_just_in_time_node_access_loses_the_key_with_its_tag(deployment: Deployment) -> None:
    account, key = deployment.account, deployment.account.keys.first
    kms = account.aws.client("kms")
    fleets.seed_just_in_time_access(account.aws)
    kms.tag_resource(KeyId=key, Tags=[TAG])
    assert deployment.send_sample("key-tag-resource-call").report["alert"] is False
    kms.untag_resource(KeyId=key, TagKeys=[TAG["TagKey"]])
    lost = deployment.send_sample("key-untag-resource-call")
    assert lost.report["alert"] is True
    assert JUST_IN_TIME_ARN in lost.alerts
    assert account.document().key == key, "the key stays"
    kms.tag_resource(KeyId=key, Tags=[TAG])
    assert deployment.send_sample("key-tag-resource-call").report["alert"] is False
