"""The HTML report in a real browser. The pages are golden files, which the command line writes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.e2e.browser import Browser

GOLDEN = ROOT / "tests" / "golden"
KEY_POLICY = ROOT / "tests" / "data" / "check" / "key-policy.json"
CELL = "table.matrix td details"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.close()


def page(name: str) -> str:
    return (GOLDEN / name).as_uri()


def matrix(browser: Browser) -> dict[str, list[str]]:
    """The matrix as the browser shows it: the verdicts of each principal."""
    return browser.evaluate("""Object.fromEntries(Array.from(document.querySelectorAll("table.matrix tbody tr"), row => [
        row.querySelector("th[scope=row]").title,
        Array.from(row.querySelectorAll("td"), cell => cell.querySelector("summary")?.innerText.trim() ?? "-"),
    ]))""")


def test_the_matrix_is_a_table_of_principals_by_action(browser: Browser) -> None:
    browser.open(page("check.html"))
    heads = browser.evaluate('Array.from(document.querySelectorAll("table.matrix th[scope=col]"), head => head.innerText)')
    assert heads == ["Principal", "kms:GenerateDataKey (users)", "kms:Decrypt (nodes)"]
    rows = matrix(browser)
    report = json.loads((GOLDEN / "check.json").read_text())
    for access in report["access"]:
        shown = rows[access["principal"]][access["side"] == "node"]
        assert access["verdict"] in shown.lower(), access
    assert all("FAIL" in cell for cell in rows["account 222222222222"])


def test_a_verdict_opens_to_its_deciding_statement(browser: Browser) -> None:
    browser.open(page("check.html"))
    contractor = 'tr:has(th[title$="role/Contractor"]) details'
    assert browser.evaluate(f"document.querySelector('{contractor}').open") is False
    browser.click(f"{contractor} summary")
    assert browser.evaluate(f"document.querySelector('{contractor}').open") is True
    text = browser.evaluate(f"document.querySelector('{contractor}').innerText")
    assert "denies it" in text
    assert "named by --user" in text
    statement = json.loads(browser.evaluate(f"document.querySelector('{contractor} pre').innerText"))
    assert statement == json.loads(KEY_POLICY.read_text())["Statement"][3]


def test_a_remedy_is_copied_whole(browser: Browser) -> None:
    browser.open(page("check.html"))
    browser.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.click("figure.copy button")
    assert browser.evaluate('document.querySelector("figure.copy button").innerText') in ("Copied", "Copy", "Selected")
    copied = json.loads(browser.evaluate("navigator.clipboard.readText()"))
    assert copied == json.loads((GOLDEN / "check.json").read_text())["remedies"]["keyPolicyStatements"][0]


@pytest.mark.parametrize("name", ["check.html", "everything.html"])
def test_the_report_loads_nothing_and_has_no_problems(browser: Browser, name: str) -> None:
    browser.open(page(name))
    assert [url for url in browser.requests() if not url.startswith(("data:", "about:"))] == [page(name)]
    assert browser.problems() == []


def test_names_that_hold_markup_are_shown_as_text(browser: Browser) -> None:
    browser.open(page("everything.html"))
    assert browser.evaluate("document.scripts.length") == 1
    assert browser.evaluate('document.body.innerText.includes("<script>alert(1)</script>")') is True


def test_the_report_can_be_read_without_scripts(browser: Browser) -> None:
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(page("check.html"))
    buttons = browser.send("DOM.getDocument", depth=-1)
    assert '"BUTTON"' not in json.dumps(buttons), "a button that does nothing is not shown"
    browser.click(f"{CELL} summary")
    root = browser.send("DOM.getDocument")["root"]["nodeId"]
    assert browser.send("DOM.querySelector", nodeId=root, selector=f"{CELL}[open]")["nodeId"]


def test_the_report_follows_the_reader_s_colour_scheme(browser: Browser) -> None:
    seen = set()
    for scheme in ("light", "dark"):
        browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.open(page("check.html"))
        seen.add(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(seen) == 2


@pytest.mark.parametrize("name", ["check.html", "everything.html", "fleets.html"])
def test_a_narrow_screen_shows_each_verdict_without_scrolling_sideways(browser: Browser, name: str) -> None:
    browser.send("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=True)
    browser.open(page(name))
    assert browser.evaluate("document.documentElement.scrollWidth") <= 400
    assert browser.evaluate("Array.from(document.querySelectorAll('.scroll'), box => box.scrollWidth - box.clientWidth)"
                            ".every(hidden => hidden <= 0)") is True
    edges = browser.evaluate("Array.from(document.querySelectorAll('.badge'), badge => badge.getBoundingClientRect())"
                             ".filter(box => box.width).map(box => [box.left, box.right])")
    assert edges
    assert all(left >= 0 and right <= 400 for left, right in edges), edges
    banner = browser.evaluate("document.querySelector('.banner p').getBoundingClientRect().bottom")
    assert banner <= 800, "the headline is on the first screen"
    heads = browser.evaluate("Array.from(document.querySelectorAll('table.matrix td[data-action]'), cell => "
                             "getComputedStyle(cell, '::before').content)")
    assert heads
    assert set(heads) <= {'"kms:GenerateDataKey"', '"kms:Decrypt"'}, "each verdict names its action"


def test_every_control_has_an_accessible_name(browser: Browser) -> None:
    browser.open(page("check.html"))
    nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
    roles: dict[str, list[str]] = {}
    for node in nodes:
        if not node.get("ignored"):
            roles.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    assert len(roles["table"]) == 1
    assert len(roles["columnheader"]) == 3
    for role in ("button", "DisclosureTriangle", "rowheader", "region"):
        assert roles[role], role
        assert all(name.strip() for name in roles[role]), role
