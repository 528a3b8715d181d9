"""The HTML report in a real browser: the pages that the golden tests pin are what the command line writes."""

import json

import pytest

from local.paths import ROOT
from tests.e2e.browser import Browser

GOLDEN = ROOT / "tests" / "golden"
KEY_POLICY = ROOT / "tests" / "data" / "check" / "key-policy.json"
CELL = "table.matrix td details"


@pytest.fixture
def browser(tmp_path):
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.close()


def page(name: str) -> str:
    return (GOLDEN / name).as_uri()


def matrix(browser) -> dict[str, list[str]]:
    """The matrix as it is shown: each principal's verdicts."""
    return browser.evaluate("""Object.fromEntries(Array.from(document.querySelectorAll("table.matrix tbody tr"), row => [
        row.querySelector("th[scope=row]").title,
        Array.from(row.querySelectorAll("td"), cell => cell.querySelector("summary")?.innerText.trim() ?? "-"),
    ]))""")


def test_the_matrix_is_a_table_of_principals_by_action(browser):
    browser.open(page("check.html"))
    heads = browser.evaluate('Array.from(document.querySelectorAll("table.matrix th[scope=col]"), head => head.innerText)')
    assert heads == ["Principal", "kms:GenerateDataKey (users)", "kms:Decrypt (nodes)"]
    rows = matrix(browser)
    report = json.loads((GOLDEN / "check.json").read_text())
    for access in report["access"]:
        shown = rows[access["principal"]][access["side"] == "node"]
        assert access["verdict"] in shown.lower(), access
    assert all("FAIL" in cell for cell in rows["account 222222222222"])


def test_a_verdict_opens_to_its_deciding_statement(browser):
    browser.open(page("check.html"))
    contractor = 'tr:has(th[title$="role/Contractor"]) details'
    assert browser.evaluate(f"document.querySelector('{contractor}').open") is False
    browser.click(f"{contractor} summary")
    assert browser.evaluate(f"document.querySelector('{contractor}').open") is True
    text = browser.evaluate(f"document.querySelector('{contractor}').innerText")
    assert "denies it" in text and "named by --user" in text
    statement = json.loads(browser.evaluate(f"document.querySelector('{contractor} pre').innerText"))
    assert statement == json.loads(KEY_POLICY.read_text())["Statement"][3]


def test_a_remedy_is_copied_whole(browser):
    browser.open(page("check.html"))
    browser.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.click("figure.copy button")
    assert browser.evaluate('document.querySelector("figure.copy button").innerText') in ("Copied", "Copy", "Selected")
    copied = json.loads(browser.evaluate("navigator.clipboard.readText()"))
    assert copied == json.loads((GOLDEN / "check.json").read_text())["remedies"]["keyPolicyStatements"][0]


@pytest.mark.parametrize("name", ["check.html", "everything.html"])
def test_nothing_is_loaded_and_nothing_is_wrong(browser, name):
    browser.open(page(name))
    assert [url for url in browser.requests() if not url.startswith(("data:", "about:"))] == [page(name)]
    assert browser.complaints() == []


def test_names_that_hold_mark_up_are_shown_as_they_are(browser):
    browser.open(page("everything.html"))
    assert browser.evaluate("document.scripts.length") == 1
    assert browser.evaluate('document.body.innerText.includes("<script>alert(1)</script>")') is True


def test_it_reads_as_well_without_scripts(browser):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(page("check.html"))
    buttons = browser.send("DOM.getDocument", depth=-1)
    assert '"BUTTON"' not in json.dumps(buttons), "what would do nothing is not shown"
    browser.click(f"{CELL} summary")
    root = browser.send("DOM.getDocument")["root"]["nodeId"]
    assert browser.send("DOM.querySelector", nodeId=root, selector=f"{CELL}[open]")["nodeId"]


def test_it_is_light_or_dark_as_the_reader_prefers(browser):
    seen = set()
    for scheme in ("light", "dark"):
        browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.open(page("check.html"))
        seen.add(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(seen) == 2


def test_every_control_has_a_name_for_those_who_cannot_see_it(browser):
    browser.open(page("check.html"))
    nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
    roles = {}
    for node in nodes:
        if not node.get("ignored"):
            roles.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    assert len(roles["table"]) == 1
    assert len(roles["columnheader"]) == 3
    for role in ("button", "DisclosureTriangle", "rowheader", "region"):
        assert roles[role] and all(name.strip() for name in roles[role]), role
