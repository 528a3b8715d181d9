"""The audit of an organization, from the shipped templates to the report: 210 accounts and Regions, in every state that an
audit tells apart. What the report says is compared with what was seeded.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from local import estate as seeded
from local.estate import Estate, locked_out, seed_estate
from local.servers import ACCOUNT, REGION, LocalAws
from tests.e2e.audits import Audit, Run, deploy, kill_functions

ACCOUNTS = 42
PAIRS = ACCOUNTS * len(seeded.REGIONS)
PAYLOAD_BYTES = 262_144


@pytest.fixture(scope="module")
def clean(servers: LocalAws) -> Iterator[LocalAws]:
    servers.reset()
    yield servers
    servers.reset()


@pytest.fixture(scope="module")
def audit(clean: LocalAws) -> Audit:
    return deploy(
        clean, "session-kms-audit", Regions=",".join(seeded.REGIONS), ExternalId=seeded.EXTERNAL_ID, MaxConcurrency="8",
        ImportFindings="true", ScheduleExpression="cron(0 6 * * ? *)",
    )


@pytest.fixture(scope="module")
def estate(audit: Audit) -> Estate:
    return seed_estate(audit.aws, ACCOUNTS, audit.stack.outputs()["FunctionRoleArns"])


@pytest.fixture(scope="module")
def first_run(audit: Audit, estate: Estate) -> Run:
    """A run that was killed twice on its way: first the functions' processes, then the run itself."""
    assert len(estate.places) == PAIRS
    run = audit.start()
    run.wait_for_results(PAIRS // 4)
    assert kill_functions(audit.aws) > 0
    run.wait_for_results(PAIRS // 2)
    run.stop()
    assert run.status() == "ABORTED"
    run.redrive()
    return run


@pytest.fixture(scope="module")
def first_report(audit: Audit, first_run: Run) -> dict[str, Any]:
    return json.loads(audit.beside(first_run.output()["report"], "report.json"))


def rows(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of a report, by account and Region. Each is there once."""
    found = {f"{row['account']}/{row['region']}": row for row in report["rows"]}
    assert len(found) == len(report["rows"])
    return found


def differences(estate: Estate, report: dict[str, Any]) -> list[str]:
    """What a report says otherwise than what was seeded."""
    found, wrong = rows(report), []
    for place in estate.places:
        row, kind = found.pop(place.id, None), place.kind
        if row is None:
            wrong.append(f"{place.id} ({kind.name}) has no row")
            continue
        document = row["document"]
        said = (
            row["state"], (row.get("unreadable") or {}).get("reason", ""), [item["principal"] for item in row["lockedOut"]],
            len(row["keys"]) if document else None, row["accountName"], row["organizationalUnit"],
        )
        expected = (kind.state, kind.reason, locked_out(place), kind.keys, place.name, place.unit)
        if said != expected:
            wrong.append(f"{place.id} ({kind.name}): {said}, not {expected}: {json.dumps(row)}")
        elif place.key and document and place.key not in (document["kmsKeyId"], document.get("defaultKmsKeyId")):
            wrong.append(f"{place.id} ({kind.name}) has another key: {document}")
    return [*wrong, *(f"{place} was not seeded" for place in found)]


def test_a_run_that_was_killed_and_redriven_has_every_account_and_region_once_and_right(estate: Estate, first_report: dict[str, Any]) -> None:
    assert differences(estate, first_report) == []
    states = Counter(row["state"] for row in first_report["rows"])
    # Every state is among them.
    assert set(states) == {"encrypted", "unknown", "unencrypted", "drifted", "lockedOut", "sessionsFail", "unreadable"}


def test_a_redrive_repeats_only_what_had_no_result(audit: Audit, first_run: Run, first_report: dict[str, Any]) -> None:
    run = first_run.map_run()
    assert run["redriveCount"] == 1
    assert run["itemCounts"]["succeeded"] == len(first_report["rows"]) == PAIRS
    manifest, = [key for key in audit.keys("runs/") if "/results/" in key and key.endswith("manifest.json")]
    results = json.loads(audit.read(f"s3://{audit.bucket()}/{manifest}"))["ResultFiles"]
    assert not results["FAILED"]
    assert not results["PENDING"]


def test_only_addresses_pass_from_state_to_state(first_run: Run, first_report: dict[str, Any]) -> None:
    """With 100,000 accounts and Regions the payloads and the history of a run are as large as with 210."""
    assert first_report["rows"]
    events = first_run.history()
    texts = [detail[name] for event in events for detail in event.values() if isinstance(detail, dict) for name in ("input", "output") if name in detail]
    assert max(len(text) for text in texts) < PAYLOAD_BYTES // 16
    assert len(events) < 100


def test_the_findings_of_each_run_are_in_security_hub(audit: Audit, first_run: Run) -> None:
    output = first_run.output()
    findings = [json.loads(line) for line in audit.beside(output["report"], "asff.jsonl").splitlines()]
    # More than one call of Security Hub takes.
    assert len(findings) > 100
    assert sorted(audit.imported(), key=lambda finding: str(finding["Id"])) == sorted(findings, key=lambda finding: str(finding["Id"]))
    assert {finding["AwsAccountId"] for finding in findings} == {ACCOUNT}


def test_the_next_run_says_what_has_changed(audit: Audit, estate: Estate, first_report: dict[str, Any]) -> None:
    assert not first_report["changes"]
    one, two, three = estate.of_kind(seeded.ENCRYPTED)[:3]
    four, = estate.of_kind(seeded.UNENCRYPTED)[:1]
    estate.disable_key(one)
    estate.clear(two)
    estate.encrypt(four)
    report = json.loads(audit.beside(audit.start().output()["report"], "report.json"))
    assert differences(estate, report) == []
    changes = {name: [f"{change['account']}/{change['region']}" for change in listed] for name, listed in report["changes"].items() if isinstance(listed, list)}
    assert changes["newlyUnencrypted"] == [two.id]
    assert changes["newlyLockedOut"] == [one.id]
    assert changes["recovered"] == [four.id]
    assert not changes["gone"]
    assert not changes["new"]
    assert rows(report)[three.id]["since"] < rows(report)[one.id]["since"]
    # The last report is named for whoever looks for it.
    latest = json.loads(audit.read(f"s3://{audit.bucket()}/reports/latest.json"))
    assert latest["previous"]
    assert latest["summary"] > latest["previous"]


def test_a_run_can_be_started_for_some_accounts_and_their_enabled_regions(audit: Audit, estate: Estate, first_report: dict[str, Any]) -> None:
    assert first_report["rows"]
    accounts = estate.accounts()[:3]
    output = audit.start(accounts=accounts, regions="enabled").output()
    found = rows(json.loads(audit.beside(output["report"], "report.json")))
    expected = [place.id for place in estate.places if place.account in accounts and place.kind != seeded.REGION_NOT_ENABLED]
    is_enabled = {place.id for place in estate.places if place.region in enabled_regions(estate, place.account)}
    assert sorted(found) == sorted(place for place in expected if place in is_enabled)


def enabled_regions(estate: Estate, account: str) -> list[str]:
    return estate.aws.state()["enabled_regions"][account]


def test_the_input_of_a_run_changes_neither_the_role_nor_where_results_are_written(audit: Audit, estate: Estate, first_report: dict[str, Any]) -> None:
    assert first_report["rows"]
    run = audit.start(
        accounts=[estate.accounts()[0]], regions=[REGION], roleName="Administrator", externalId="x", action="reconcile", output="s3://elsewhere/pairs.json",
    )
    output = run.output()
    assert output["report"].startswith(f"s3://{audit.bucket()}/reports/")
    pairs = json.loads(audit.read(f"s3://{audit.bucket()}/runs/{run.arn.rpartition(':')[2]}/pairs.json"))
    assert [(pair["action"], pair["roleName"], pair["externalId"]) for pair in pairs] == [("audit", seeded.AUDIT_ROLE, seeded.EXTERNAL_ID)]


def test_a_run_with_bad_input_fails_and_says_what_is_wrong(audit: Audit, first_report: dict[str, Any]) -> None:
    assert first_report["rows"]
    run = audit.start(accounts=["12345"])
    assert run.wait() == "FAILED"
    assert "12345" in run.failure()
