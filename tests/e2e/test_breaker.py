"""The breaker: if another tool keeps overwriting the document, the function stops repairs and raises an alert."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.servers import ACCOUNT, LocalAws
from tests.e2e.deployment import Deployment, Outcome
from tests.e2e.events import invoke

LIMIT = 3
PRINCIPAL = f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/terraform"
USER_AGENT = "HashiCorp/1.0 Terraform/1.9.8"


@pytest.fixture(scope="module")
def shared(servers: LocalAws) -> Iterator[Deployment]:
    deployment = Deployment.of(servers, MaxRepairsPerHour=str(LIMIT))
    yield deployment
    deployment.assert_no_secret_in_logs()


@pytest.fixture
def deployment(shared: Deployment) -> Deployment:
    shared.reset()
    return shared


def overwrite_until_breaker_opens(deployment: Deployment) -> Outcome:
    """Overwrite the document until the breaker opens, and return that outcome."""
    for number in range(1, LIMIT + 1):
        deployment.overwrite()
        outcome = deployment.send_sample("document-update-call")
        assert (outcome.result, outcome.report["alert"]) == ("repaired", False), number
        assert len(deployment.record()["watch"]["repairs"]) == number
        assert outcome.metrics["BreakerOpen"] == 0
    deployment.overwrite()
    return deployment.send_sample("document-update-call")


def test_the_breaker_opens_and_the_alert_names_the_other_tool(deployment: Deployment) -> None:
    outcome = overwrite_until_breaker_opens(deployment)
    overwritten = deployment.account.document()
    assert overwritten.key == "", "the function leaves the document alone"
    assert (outcome.result, outcome.document["breakerOpen"], outcome.report["changed"]) == ("breakerOpen", True, False)
    assert outcome.report["alert"] is True
    assert PRINCIPAL in outcome.alerts
    assert USER_AGENT in outcome.alerts
    assert f"{LIMIT} times" in outcome.alerts
    assert (outcome.metrics["BreakerOpen"], outcome.metrics["DriftFound"], outcome.metrics["DriftRepaired"]) == (1, 1, 0)

    # No further event writes the document, whatever its source.
    for name in ("document-update-call", "config-compliance-change", "record-change", "security-hub-imported", "direct-reconcile"):
        more = deployment.send_sample(name)
        assert (more.result, more.report["changed"], more.metrics["BreakerOpen"]) == ("breakerOpen", False, 1), name
        assert more.report["alert"] is False, "there was an alert already"
        assert deployment.account.document() == overwritten
    hourly = deployment.send_sample("schedule")
    assert PRINCIPAL in hourly.alerts, "the schedule repeats the alert"
    assert deployment.account.document() == overwritten


def test_status_shows_an_open_breaker_and_the_owner_closes_it(deployment: Deployment) -> None:
    overwrite_until_breaker_opens(deployment)
    problems = " ".join(status(deployment)["problems"])
    assert "breaker is open" in problems
    assert PRINCIPAL in problems
    overwritten = deployment.account.document()
    deployment.update_stack()
    now = deployment.account.document()
    assert now.key == deployment.account.keys.first
    assert now.keeps_settings_of(overwritten)
    assert status(deployment)["problems"] == []
    assert set(deployment.record().get("watch", {})) <= {"unread"}, "only what its own request could not read"
    deployment.overwrite()
    assert deployment.send_sample("document-update-call").result == "repaired", "the count starts again"


def test_another_tool_that_writes_the_wanted_key_opens_no_breaker(deployment: Deployment) -> None:
    for _ in range(LIMIT + 2):
        deployment.overwrite(kmsKeyId=deployment.account.keys.first)
        outcome = deployment.send_sample("document-update-call")
        assert (outcome.result, outcome.metrics["BreakerOpen"]) == ("asWanted", 0)


def test_repairs_without_a_known_actor_open_the_breaker_too(deployment: Deployment) -> None:
    for _ in range(LIMIT):
        deployment.overwrite()
        assert deployment.send_sample("schedule").result == "repaired"
    deployment.overwrite()
    outcome = deployment.send_sample("schedule")
    assert (outcome.result, outcome.report["alert"]) == ("breakerOpen", True)
    assert "no event named" in outcome.alerts


def status(deployment: Deployment) -> dict[str, Any]:
    """The status of the document, by a direct call."""
    found, = invoke(deployment.stack, deployment.sample("direct-status"))["status"]
    return found
