"""Somebody lost access to the key: who it is, and what would let them in, is told; the key stays the same."""

import json

import pytest

from local import seed
from local.servers import ACCOUNT
from tests.e2e.watched import Watched

USER, NODE, OTHER_NODE = (seed.role_arn(role) for role in (seed.USER_ROLE, seed.NODE_ROLE, seed.OTHER_NODE_ROLE))
CAROL = f"arn:aws:sts::{ACCOUNT}:assumed-role/KeyAdministration/carol"
# Stands in policies of keys only.
PRIVATE = "clearance-7Q4"


@pytest.fixture(scope="module")
def shared(servers):
    watched = Watched.of(servers)
    yield watched
    watched.logs_hold_no_secret(PRIVATE)


@pytest.fixture
def watched(shared) -> Watched:
    shared.settle()
    return shared


def policy(*nodes: str) -> str:
    """Names the user and these nodes, and somebody under a condition that is nobody else's business."""
    named = json.loads(seed.named_roles_policy(ACCOUNT, GenerateDataKey=[USER], Decrypt=list(nodes)))
    named["Statement"].append(
        {
            "Sid": "Auditors", "Effect": "Allow", "Principal": {"AWS": seed.role_arn(seed.OTHER_NODE_ROLE)}, "Action": "kms:Verify",
            "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": PRIVATE}},
        }
    )
    return json.dumps(named)


def put(watched: Watched, key: str, text: str) -> dict:
    """Put a key policy, and return the event on it."""
    watched.account.aws.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=text)
    return put_call(watched, key, text)


def put_call(watched: Watched, key: str, text: str) -> dict:
    event = watched.event("key-put-policy-call", key)
    event["detail"]["requestParameters"]["policy"] = text
    return event


@pytest.fixture
def named(watched) -> str:
    """A key whose policy names the user's and the node's role, in use."""
    key = seed.make_key(watched.account.aws, "for named roles", policy(NODE))
    watched.ask(KmsKeyId=key)
    return key


def test_a_key_policy_that_forgets_the_nodes_is_an_alert_with_the_statement(watched, named):
    before = watched.written()
    told = watched.hand(put(watched, named, policy(OTHER_NODE)))
    assert told.report["source"] == "keyCall"
    assert told.report["by"]["principal"] == CAROL
    assert (told.report["alert"], told.report["changed"]) == (True, False)
    assert NODE in told.alerts and named in told.alerts and CAROL in told.alerts
    assert USER not in told.alerts, "who still may is not named"
    assert any(finding["verdict"] == "fail" and NODE in json.dumps(finding) for finding in told.document["findings"])
    statement, = told.document["remedies"]["keyPolicyStatements"]
    assert NODE in json.dumps(statement)
    assert "kms:Decrypt" in json.dumps(statement["Action"])
    assert told.metrics["ChecksFailed"] >= 1
    assert told.metrics["KeyTrouble"] == 0, "the key itself is well"
    assert watched.written() == before
    assert NODE in watched.tell("schedule").alerts, "the clock tells it too"

    # The statement is what would let them in.
    seed.add_to_key_policy(watched.account.aws, named, statement)
    kept = watched.account.aws.client("kms").get_key_policy(KeyId=named, PolicyName="default")["Policy"]
    again = watched.hand(put_call(watched, named, kept))
    assert (again.report["alert"], again.metrics["ChecksFailed"]) == (False, 0)
    assert watched.written() == before


def test_a_policy_is_judged_as_the_event_carries_it(watched, named):
    """Another account's key policy can be read from its events only."""
    watched.ask(KeyPolicy=policy(NODE))
    told = watched.hand(put_call(watched, named, policy()))
    assert NODE in told.alerts
    assert watched.hand(put_call(watched, named, policy(NODE, OTHER_NODE))).report["alert"] is False
    watched.ask(KeyPolicy="")


def test_a_policy_that_locks_out_the_function_too_is_an_alert(watched, named):
    """As the sample has it: administrators only. Whether a grant admits the others cannot be read any more."""
    event = watched.event("key-put-policy-call", named)
    told = watched.hand(put(watched, named, event["detail"]["requestParameters"]["policy"]))
    assert "kms:DescribeKey" in told.alerts
    assert NODE in told.alerts and USER in told.alerts, "named, since no grant of theirs can be seen"
    assert told.metrics["KeyTrouble"] == 0, "which says nothing of the key"
    assert told.metrics["Alerts"] >= 1, "and yet an alarm rings"
    findings = {(finding["subject"], finding["verdict"]) for finding in told.document["findings"] if finding["check"] == "keyPolicy"}
    assert findings == {(NODE, "unknown"), (USER, "unknown")}, "not known is never a pass"
    assert watched.account.document().key == named


def test_lost_access_never_brings_the_standby_key(watched, named):
    """Or whoever may edit one key's policy would choose the key of all sessions."""
    watched.ask(OnKeyTrouble="Standby", StandbyKmsKeyId=watched.account.keys.second)
    told = watched.hand(put(watched, named, policy(OTHER_NODE)))
    assert (told.report["alert"], told.report["changed"]) == (True, False)
    assert watched.account.document().key == named


@pytest.mark.parametrize("name", ["key-revoke-grant-call", "key-retire-grant-call"])
def test_a_grant_that_is_gone_is_an_alert_until_there_is_one_again(watched, named, name):
    kms = watched.account.aws.client("kms")
    key = seed.make_key(watched.account.aws, "for a named role and a grant", policy(OTHER_NODE))
    granted = {"KeyId": key, "GranteePrincipal": NODE, "RetiringPrincipal": USER, "Operations": ["Decrypt"]}
    grant = kms.create_grant(**granted)["GrantId"]
    watched.ask(KmsKeyId=key)
    before = watched.written()
    assert watched.tell(name, key).report["alert"] is False, "another grant was"
    (kms.revoke_grant if "revoke" in name else kms.retire_grant)(KeyId=key, GrantId=grant)
    told = watched.tell(name, key)
    assert NODE in told.alerts
    assert told.document["remedies"]["keyPolicyStatements"]
    assert told.metrics["ChecksFailed"] >= 1
    kms.create_grant(**granted)
    again = watched.tell("key-create-grant-call", key)
    assert again.report["source"] == "keyCall"
    assert (again.report["alert"], again.metrics["ChecksFailed"]) == (False, 0)
    assert watched.written() == before


def test_whoever_is_exempt_is_no_alert(watched, named):
    watched.ask(Exempt=NODE)
    told = watched.hand(put(watched, named, policy(OTHER_NODE)))
    assert (told.report["alert"], told.metrics["ChecksFailed"]) == (False, 0)
    watched.ask(Exempt="", KmsKeyId=watched.account.keys.first)
