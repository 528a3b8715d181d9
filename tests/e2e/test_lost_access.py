"""Lost access to the key: an alert names who lost it and the statement that would admit them. The key stays."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local import seed
from local.servers import ACCOUNT, LocalAws
from tests.e2e.deployment import Deployment

USER, NODE, OTHER_NODE = (seed.role_arn(role) for role in (seed.USER_ROLE, seed.NODE_ROLE, seed.OTHER_NODE_ROLE))
CAROL = f"arn:aws:sts::{ACCOUNT}:assumed-role/KeyAdministration/carol"
# Only key policies hold this text.
PRIVATE = "clearance-7Q4"


@pytest.fixture(scope="module")
def shared(servers: LocalAws) -> Iterator[Deployment]:
    deployment = Deployment.of(servers)
    yield deployment
    deployment.assert_no_secret_in_logs(PRIVATE)


@pytest.fixture
def deployment(shared: Deployment) -> Deployment:
    shared.reset()
    return shared


def policy(*nodes: str) -> str:
    """A key policy that names the user and these nodes, and another role under a condition that no log may hold."""
    named = json.loads(seed.named_roles_policy(ACCOUNT, GenerateDataKey=[USER], Decrypt=list(nodes)))
    named["Statement"].append(
        {
            "Sid": "Auditors", "Effect": "Allow", "Principal": {"AWS": seed.role_arn(seed.OTHER_NODE_ROLE)}, "Action": "kms:Verify",
            "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": PRIVATE}},
        }
    )
    return json.dumps(named)


def put_key_policy(deployment: Deployment, key: str, text: str) -> dict[str, Any]:
    """Put a key policy, and return the event that reports it."""
    deployment.account.aws.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=text)
    return put_call_event(deployment, key, text)


def put_call_event(deployment: Deployment, key: str, text: str) -> dict[str, Any]:
    event = deployment.sample("key-put-policy-call", key)
    event["detail"]["requestParameters"]["policy"] = text
    return event


@pytest.fixture
def named(deployment: Deployment) -> str:
    """A key whose policy names the user's and the node's role. The document names the key."""
    key = seed.make_key(deployment.account.aws, "for named roles", policy(NODE))
    deployment.update_stack(KmsKeyId=key)
    return key


def test_a_key_policy_that_forgets_the_nodes_is_an_alert_with_the_statement(deployment: Deployment, named: str) -> None:
    before = deployment.snapshot()
    outcome = deployment.send(put_key_policy(deployment, named, policy(OTHER_NODE)))
    assert outcome.report["source"] == "keyCall"
    assert outcome.report["by"]["principal"] == CAROL
    assert (outcome.report["alert"], outcome.report["changed"]) == (True, False)
    assert NODE in outcome.alerts
    assert named in outcome.alerts
    assert CAROL in outcome.alerts
    assert USER not in outcome.alerts, "the alert names only who lost access"
    assert any(finding["verdict"] == "fail" and NODE in json.dumps(finding) for finding in outcome.document["findings"])
    statement, = outcome.document["remedies"]["keyPolicyStatements"]
    assert NODE in json.dumps(statement)
    assert "kms:Decrypt" in json.dumps(statement["Action"])
    assert outcome.metrics["ChecksFailed"] >= 1
    assert outcome.metrics["KeyTrouble"] == 0, "the key itself can be used"
    assert deployment.snapshot() == before
    assert NODE in deployment.send_sample("schedule").alerts, "the schedule reports it too"

    # The statement in the report restores the access.
    seed.add_to_key_policy(deployment.account.aws, named, statement)
    policy_now = deployment.account.aws.client("kms").get_key_policy(KeyId=named, PolicyName="default")["Policy"]
    again = deployment.send(put_call_event(deployment, named, policy_now))
    assert (again.report["alert"], again.metrics["ChecksFailed"]) == (False, 0)
    assert deployment.snapshot() == before


def test_a_policy_is_evaluated_as_the_event_carries_it(deployment: Deployment, named: str) -> None:
    """For a key of another account, only its events may hold the key policy."""
    deployment.update_stack(KeyPolicy=policy(NODE))
    outcome = deployment.send(put_call_event(deployment, named, policy()))
    assert NODE in outcome.alerts
    assert deployment.send(put_call_event(deployment, named, policy(NODE, OTHER_NODE))).report["alert"] is False
    deployment.update_stack(KeyPolicy="")


def test_a_policy_that_locks_out_the_function_too_is_an_alert(deployment: Deployment, named: str) -> None:
    """The policy in the sample admits only administrators, so the grants cannot be read any more."""
    event = deployment.sample("key-put-policy-call", named)
    outcome = deployment.send(put_key_policy(deployment, named, event["detail"]["requestParameters"]["policy"]))
    assert "kms:DescribeKey" in outcome.alerts
    assert NODE in outcome.alerts, "both are named, since their grants are unknown"
    assert USER in outcome.alerts
    assert outcome.metrics["KeyTrouble"] == 0, "the state of the key is unknown, which is no key trouble"
    assert outcome.metrics["Alerts"] >= 1, "an alarm fires all the same"
    findings = {(finding["subject"], finding["verdict"]) for finding in outcome.document["findings"] if finding["check"] == "keyPolicy"}
    assert findings == {(NODE, "unknown"), (USER, "unknown")}, "unknown is never a pass"
    assert deployment.account.document().key == named


def test_lost_access_never_switches_to_the_standby_key(deployment: Deployment, named: str) -> None:
    """Otherwise whoever may edit one key's policy could choose the key of all sessions."""
    deployment.update_stack(OnKeyTrouble="Standby", StandbyKmsKeyId=deployment.account.keys.second)
    outcome = deployment.send(put_key_policy(deployment, named, policy(OTHER_NODE)))
    assert (outcome.report["alert"], outcome.report["changed"]) == (True, False)
    assert deployment.account.document().key == named


@pytest.mark.parametrize("name", ["key-revoke-grant-call", "key-retire-grant-call"])
def test_a_removed_grant_is_an_alert_until_there_is_one_again(deployment: Deployment, named: str, name: str) -> None:
    kms = deployment.account.aws.client("kms")
    key = seed.make_key(deployment.account.aws, "for a named role and a grant", policy(OTHER_NODE))
    granted = {"KeyId": key, "GranteePrincipal": NODE, "RetiringPrincipal": USER, "Operations": ["Decrypt"]}
    grant = kms.create_grant(**granted)["GrantId"]
    deployment.update_stack(KmsKeyId=key)
    before = deployment.snapshot()
    assert deployment.send_sample(name, key).report["alert"] is False, "the grant of this event was another one"
    (kms.revoke_grant if "revoke" in name else kms.retire_grant)(KeyId=key, GrantId=grant)
    outcome = deployment.send_sample(name, key)
    assert NODE in outcome.alerts
    assert outcome.document["remedies"]["keyPolicyStatements"]
    assert outcome.metrics["ChecksFailed"] >= 1
    kms.create_grant(**granted)
    again = deployment.send_sample("key-create-grant-call", key)
    assert again.report["source"] == "keyCall"
    assert (again.report["alert"], again.metrics["ChecksFailed"]) == (False, 0)
    assert deployment.snapshot() == before


def test_an_exempt_principal_is_no_alert(deployment: Deployment, named: str) -> None:
    deployment.update_stack(Exempt=NODE)
    outcome = deployment.send(put_key_policy(deployment, named, policy(OTHER_NODE)))
    assert (outcome.report["alert"], outcome.metrics["ChecksFailed"]) == (False, 0)
    deployment.update_stack(Exempt="", KmsKeyId=deployment.account.keys.first)
