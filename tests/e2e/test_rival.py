"""A rival that overwrites the document again and again: after some repairs it is left alone, and somebody is told."""

import pytest

from local.servers import ACCOUNT
from tests.e2e.events import invoke
from tests.e2e.watched import Watched

LIMIT = 3
PRINCIPAL = f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/terraform"
USER_AGENT = "HashiCorp/1.0 Terraform/1.9.8"


@pytest.fixture(scope="module")
def shared(servers):
    watched = Watched.of(servers, MaxRepairsPerHour=str(LIMIT))
    yield watched
    watched.logs_hold_no_secret()


@pytest.fixture
def watched(shared) -> Watched:
    shared.settle()
    return shared


def fight(watched: Watched):
    """The rival overwrites until the document is left to it, and this returns what was told then."""
    for number in range(1, LIMIT + 1):
        watched.overwrite()
        told = watched.tell("document-update-call")
        assert (told.result, told.report["alert"]) == ("repaired", False), number
        assert len(watched.record()["watch"]["repairs"]) == number
        assert told.metrics["BreakerOpen"] == 0
    watched.overwrite()
    return watched.tell("document-update-call")


def test_the_breaker_opens_and_the_alert_names_the_rival(watched):
    told = fight(watched)
    rival = watched.account.document()
    assert rival.key == "", "left to the rival"
    assert (told.result, told.document["breakerOpen"], told.report["changed"]) == ("breakerOpen", True, False)
    assert told.report["alert"] is True
    assert PRINCIPAL in told.alerts
    assert USER_AGENT in told.alerts
    assert f"{LIMIT} times" in told.alerts
    assert (told.metrics["BreakerOpen"], told.metrics["DriftFound"], told.metrics["DriftRepaired"]) == (1, 1, 0)

    # No further event writes the document, whatever its source.
    for name in ("document-update-call", "config-compliance-change", "record-change", "security-hub-imported", "direct-reconcile"):
        more = watched.tell(name)
        assert (more.result, more.report["changed"], more.metrics["BreakerOpen"]) == ("breakerOpen", False, 1), name
        assert more.report["alert"] is False, "it was told once"
        assert watched.account.document() == rival
    hourly = watched.tell("schedule")
    assert PRINCIPAL in hourly.alerts, "and is told again by the clock"
    assert watched.account.document() == rival


def test_an_open_breaker_is_seen_from_outside_and_closed_by_the_owner(watched):
    fight(watched)
    problems = " ".join(status(watched)["problems"])
    assert "breaker is open" in problems
    assert PRINCIPAL in problems
    rival = watched.account.document()
    watched.ask()
    now = watched.account.document()
    assert now.key == watched.account.keys.first
    assert now.keeps_all_of(rival)
    assert status(watched)["problems"] == []
    assert watched.record().get("watch", {}) == {}
    watched.overwrite()
    assert watched.tell("document-update-call").result == "repaired", "it counts anew"


def test_a_rival_that_writes_what_is_wanted_meets_no_breaker(watched):
    for _ in range(LIMIT + 2):
        watched.overwrite(kmsKeyId=watched.account.keys.first)
        told = watched.tell("document-update-call")
        assert (told.result, told.metrics["BreakerOpen"]) == ("asWanted", 0)


def test_repairs_without_a_call_that_names_somebody_open_it_too(watched):
    for _ in range(LIMIT):
        watched.overwrite()
        assert watched.tell("schedule").result == "repaired"
    watched.overwrite()
    told = watched.tell("schedule")
    assert (told.result, told.report["alert"]) == ("breakerOpen", True)
    assert "no event named" in told.alerts


def status(watched: Watched) -> dict:
    """What a direct call tells of the document."""
    found, = invoke(watched.stack, watched.event("direct-status"))["status"]
    return found
