"""Makes docs/permissions.md."""

from collections.abc import Iterable
from typing import Any

from local.paths import ROOT
from local.permissions import parameters
from local.permissions.commands import COMMANDS, READS
from local.permissions.deployment import CALLER, TYPES
from local.permissions.reasons import AUDIT, AUDIT_ROLE, FUNCTION, KEY_ACCESS, KEY_EVENTS, REASONS, UNKNOWN_WITHOUT
from local.permissions.statements import Statement, condition_text, read, statements
from local.template import OFF

PAGE = ROOT / "docs" / "permissions.md"
TEMPLATES = (FUNCTION, KEY_ACCESS, KEY_EVENTS, AUDIT_ROLE, AUDIT, "deploy/stackset.yaml", "deploy/code-bucket.yaml")
ROLE_NAMES = {"Role222222222222": "the role for each account"}
# What the two managed policies give is in a section of its own.
MANAGED = ("UserPolicy", "NodePolicy")


class PageError(Exception):
    """The templates and the tables of this package do not agree."""


def page() -> str:
    """The page, as it should be in docs/permissions.md."""
    templates = {name: read((ROOT / name).read_text()) for name in TEMPLATES}
    found = {(name, statement.role, statement.sid): statement for name, template in templates.items() for statement in statements(template)}
    _same("reasons for statements", found, REASONS)
    _same("types of resources", {resource["Type"] for template in templates.values() for resource in template["Resources"].values()}, TYPES)

    def of(template: str, *roles: str) -> list[str]:
        return _statements([(found[key], REASONS[key]) for key in found if key[0] == template and key[1] in roles])

    return "\n".join([
        "# Permissions", "",
        "`make docs` makes this page from the templates and from the tables in `local/permissions/`, and a test compares it with them.", "",
        "A resource is shown without the beginning of its ARN, `arn:<partition>:<service>:<Region>:<account>:`, where this is the stack's own "
        "place. `<Name>` stands for the value of a parameter, or for a place.", "",
        "## Users and nodes", "",
        "With an encrypted session, whoever starts it calls `kms:GenerateDataKey`, and the role of the node calls `kms:Decrypt`. "
        "[Concepts](concepts.md#the-preflight) says when the key's policy is enough. The stack can attach a policy with each of the two to "
        "roles of the account:", "",
        *of(FUNCTION, *MANAGED), "",
        "They are attached before the key is switched on, and name the key that the stack creates, the keys of `GrantKeyArns`, and the key that "
        "the document has by now. For a key that you have, they need `GrantKeyArns`, because a policy cannot name an alias. They stay when the "
        "stack is deleted, and when a first deployment is rolled back, because sessions may still use the key. With several Regions, `GrantRegion` "
        "names the one whose stack attaches them. `ConsumerAccounts` admits further accounts to a key that the stack creates.", "",
        "## Of the function", "",
        "`template.yaml` gives the function's role these statements, and no others. [SECURITY.md](../SECURITY.md#what-the-function-can-do-at-most) "
        "says what the function can do with them at most.", "",
        *of(FUNCTION, "FunctionRole"), "",
        "### What each parameter adds", "",
        "Each optional check, and each read that a condition may need, is a parameter that adds exactly its actions. Without them its result is "
        "unknown, which blocks only in `Strict`. So `Strict` needs every check, and the reads that the policies ask for.", "",
        *_parameters(templates[FUNCTION]), "",
        "## In the key's account", "",
        "`template-key-access.yaml` makes two roles. [Keys of other accounts](cross-account.md) has both sides.", "",
        *of(KEY_ACCESS, "FunctionRole", "ReaderRole"), "",
        "`deploy/key-events.yaml`:", "",
        *of(KEY_EVENTS, "Role222222222222"), "",
        "## The audit", "",
        "`deploy/audit-role.yaml` makes the role in each account. It can change nothing:", "",
        *of(AUDIT_ROLE, "AuditRole"), "",
        "`deploy/audit.yaml` makes the roles in the audit's account:", "",
        *of(AUDIT, "StateMachineRole", "WorkerRole", "ReportRole", "ScheduleRole"), "",
        "## To deploy", "",
        "CloudFormation acts with the permissions of whoever deploys, or with those of a service role (`sam deploy --role-arn`). With a service role "
        "you need `iam:PassRole` on it and the first two rows, and nothing else. The list follows from the resources of the templates, and has not "
        "been tried in an account. Roles, policies and functions have names that begin with that of the stack, so `session-kms-*` bounds them.", "",
        *_table(("who or what", "actions", "needed"), [(what, _joined(actions), "always") for what, actions in CALLER.items()]),
        *_rows(_deployment(templates)), "",
        "`lambda:InvokeFunction` is how CloudFormation calls a custom resource. You need no permission on the key itself and none on the document, "
        "because the function changes it. `AttachRolePolicy` and `DetachRolePolicy` are on the roles of `UserRoleNames` and `NodeRoleNames`.", "",
        "## To use the command line", "",
        "Actions on documents are on the preferences document, those on parameters on its record, `parameter/session-kms/<document>`. Commands also "
        "call sts:GetCallerIdentity, for which nobody needs a permission.", "",
        *_table(("command", "actions"), _commands()), "",
        "### The reads", "",
        f"{_joined(READS)}. They are those of the [function's](#of-the-function) optional checks.", "",
    ])


def _same(what: str, found: Iterable[Any], rows: Iterable[Any]) -> None:
    missing, unused = set(found) - set(rows), set(rows) - set(found)
    if missing or unused:
        raise PageError(f"{what}: without a row: {sorted(missing)}; rows for nothing: {sorted(unused)}")


def _statements(found: list[tuple[Statement, str]]) -> list[str]:
    """A table of statements. The roles have a column if there are several."""
    several = len({statement.role for statement, _ in found}) > 1
    rows = []
    for statement, why in found:
        actions = ", ".join(f"{action} (with {needs})" if needs else action for action, needs in _short_names(statement.actions).items())
        on = ", ".join(map(_code, statement.resources))
        if statement.condition:
            on += ", if " + " and ".join(f"`{key}` is `{value}`" for key, value in statement.condition.items())
        row = (f"`{statement.sid}`", actions, on, why, statement.needs or "always")
        rows.append((ROLE_NAMES.get(statement.role, f"`{statement.role}`"), *row) if several else row)
    head = ("statement", "actions", "on", "why", "parameter")
    return _table(("role", *head) if several else head, rows)


def _code(resource: str) -> str:
    """A resource as the page shows it. What has no ARN in the template is said in words."""
    return resource if resource.startswith("the ") else f"`{resource}`"


def _short_names(actions: dict[str, str]) -> dict[str, str]:
    """The actions, the first of each service with the service's name."""
    short, last = {}, ""
    for action, needs in actions.items():
        service, _, name = action.partition(":")
        short[name if service == last else action] = needs
        last = service
    return short


def _joined(actions: Iterable[str]) -> str:
    return ", ".join(_short_names(dict.fromkeys(actions, "")))


def _parameters(template: dict[str, Any]) -> list[str]:
    relevant = parameters.relevant(template)
    _same("parameters of the function's permissions", relevant, [*OFF, *parameters.SAMPLES])
    unknown = UNKNOWN_WITHOUT.keys()
    _same("parameters of checks", unknown, [*OFF, "KeyPolicyReaderRoleArn"])
    rows = []
    for name in sorted(relevant, key=lambda name: (name not in unknown, relevant.index(name))):
        default = template["Parameters"][name].get("Default", "")
        adds = "; ".join(f"{_joined(actions)} on `{resource}`" for resource, actions in parameters.added(template, name))
        needed = parameters.NEEDED.get(name)
        rows.append((
            f"`{name}`" + (f", with `{needed}`" if needed else ""), f"`{default}`" if default else "empty", adds, UNKNOWN_WITHOUT.get(name, ""),
        ))
    return _table(("parameter", "default", "adds", "unknown without it"), rows)


def _deployment(templates: dict[str, dict[str, Any]]) -> list[tuple[str, ...]]:
    """A row for each type of resource, with what it is needed for."""
    rows: list[tuple[str, ...]] = []
    for kind, actions in TYPES.items():
        needs = [
            need
            for name, template in templates.items()
            if (need := _need(name, template, kind))
        ]
        rows.append((f"`{kind}`", _joined(actions), "; ".join(needs)))
    return rows


def _need(name: str, template: dict[str, Any], kind: str) -> str:
    resources = [resource for resource in template["Resources"].values() if resource["Type"] == kind]
    if not resources:
        return ""
    conditions = [
        condition_text(template, {"Condition": resource["Condition"]}) if "Condition" in resource else "" for resource in resources
    ]
    is_always = "" in conditions or any(f"no {condition}" in conditions for condition in conditions)
    return f"`{name}`" if is_always else f"`{name}`: {' or '.join(dict.fromkeys(conditions))}"


def _commands() -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, command in COMMANDS.items():
        included = f"those of {' and '.join(f'`{other}`' for other in command.includes)}" if command.includes else ""
        own = "" if name == "audit" else _joined(command.actions)
        rows.append((f"`{name}`", "; ".join(filter(None, (included, own, command.note)))))
    return rows


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [*_rows([head]), *_rows([("---",) * len(head)]), *_rows(rows)]


def _rows(rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in rows]
