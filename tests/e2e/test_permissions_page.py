"""docs/permissions.md says what the templates give and what commands call, and a change of either shows."""

import json
import re
import subprocess

import pytest

from local import environments, seed
from local.paths import TARGET
from local.permissions import page as pages
from local.permissions.commands import ASK_NOTHING, COMMANDS, READS
from local.permissions.deployment import CALLER, TYPES
from local.permissions.page import PAGE, PageError, page
from local.permissions.parameters import permissions, shipped
from local.permissions.reasons import REASONS
from local.permissions.statements import read, statements
from local.template import OFF
from tests.e2e.conftest import Account

COMMAND = TARGET / "debug" / "session-kms"
# Reads of the function that a command does not make: `check` has no dry run.
NOT_OF_CHECK = {"kms:GenerateDataKey", "kms:Decrypt"}
# The caller's own identity.
NEEDS_NO_PERMISSION = {"sts:GetCallerIdentity"}


def known_actions() -> set[str]:
    """The actions that parliament knows."""
    environments.ensure(("parliament",))
    definition = json.loads((environments.site_packages("parliament") / "parliament" / "iam_definition.json").read_text())
    return {f"{service['prefix']}:{privilege['privilege']}" for service in definition for privilege in service["privileges"]}


def test_the_page_is_what_the_templates_say() -> None:
    assert PAGE.read_text() == page(), "run make docs"


def test_a_statement_without_a_reason_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "REASONS", {key: reason for key, reason in REASONS.items() if key[2] != "ReadNetwork"})
    with pytest.raises(PageError, match=r"without a row: \[.*ReadNetwork.*\]; rows for nothing: \[\]"):
        page()


def test_a_reason_without_a_statement_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "REASONS", REASONS | {("template.yaml", "FunctionRole", "StopInstances"): "no reason"})
    with pytest.raises(PageError, match=r"rows for nothing: \[.*StopInstances.*\]"):
        page()


def test_a_type_of_resource_that_nobody_may_make_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "TYPES", {name: actions for name, actions in TYPES.items() if name != "AWS::SQS::Queue"})
    with pytest.raises(PageError, match="AWS::SQS::Queue"):
        page()


def test_every_action_exists() -> None:
    of_commands = {action for command in COMMANDS.values() for action in command.actions} | set(READS)
    noted = {action for command in COMMANDS.values() for action in re.findall(r"\b[a-z0-9]+:[A-Z][A-Za-z]+", command.note)}
    of_types = {action for actions in [*TYPES.values(), *CALLER.values()] for action in actions}
    assert not (of_commands | noted | of_types) - known_actions()


def test_every_statement_of_the_page_is_in_the_role() -> None:
    """What the page shows for any place, the resolved template allows in one."""
    template = shipped()
    on = dict.fromkeys(OFF, "true") | {
        "ReportDestinationArn": "arn:aws:sns:eu-west-1:123456789012:session-kms", "ReportTopicKeyArn": seed.role_arn("any"), "ConfigRule": "true",
        "AdditionalKeyArns": seed.role_arn("any"), "KeyPolicyReaderRoleArn": seed.role_arn("any"),
    }
    of_bus = permissions(template, **on | {"ReportDestinationArn": "event-bus/default"})
    allowed = {action for action, _ in permissions(template, **on) | of_bus}
    shown = {
        action
        for statement in statements(read(json.dumps(template)))
        if statement.role == "FunctionRole"
        for action in statement.actions
    }
    assert shown == allowed


def test_the_reads_of_check_are_those_of_the_optional_checks() -> None:
    template = shipped()
    optional = {action for action, _ in permissions(template, **dict.fromkeys(OFF, "true")) - permissions(template, **OFF)}
    assert set(READS) == optional - NOT_OF_CHECK


def allowed(name: str) -> set[str]:
    """The actions that the page names for a command."""
    command = COMMANDS[name]
    reads = set(READS) if name in ("check", "key-report") else set()
    return {*command.actions, *reads, *(action for other in command.includes for action in allowed(other))}


def test_every_command_has_a_row() -> None:
    result = subprocess.run([COMMAND, "--help"], capture_output=True, text=True, check=True)
    names = set(re.findall(r"^  ([a-z-]+)  ", result.stdout.partition("Commands:")[2].partition("\nOptions:")[0], re.MULTILINE))
    assert set(COMMANDS) <= names <= set(COMMANDS) | set(ASK_NOTHING) | {"help"}


def test_commands_call_what_the_page_says(populated: Account) -> None:
    """Each command that calls AWS, on an account with a node and a user. `--verbose` names the calls."""
    key = populated.keys.first
    commands: dict[str, list[str]] = {
        "keys": [], "status": [], "check": ["--key", key], "plan": ["--key", key],
        "apply": ["--key", key, "--yes", "--preflight", "off"], "clear": ["--yes"], "release": ["--yes"], "key-report": ["--key", key],
    }
    assert set(COMMANDS) - set(commands) == {"audit", "evaluate"}
    settings = populated.aws.environment() | {"PATH": ""}
    for name, options in commands.items():
        result = subprocess.run([COMMAND, name, *options, "--verbose"], env=settings, capture_output=True, text=True, check=False)
        assert result.returncode in (0, 1), result.stderr
        called = set(re.findall(r"\b[a-z0-9]+:[A-Z][A-Za-z]+", "\n".join(line for line in result.stderr.splitlines() if "called AWS" in line)))
        assert called - NEEDS_NO_PERMISSION, f"{name}: {result.stderr}"
        assert called - NEEDS_NO_PERMISSION <= allowed(name), name
