"""The page of an audit in a real browser. The page is a golden file, which the report writes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.paths import ROOT
from tests.e2e.browser import Browser

PAGE = ROOT / "tests" / "golden" / "audit.html"
ROWS = json.loads((ROOT / "tests" / "golden" / "audit.json").read_text())["rows"]
HOSTILE = next(row["accountName"] for row in ROWS if row["account"] == "333344445555")
# How many fields a row has in the page's data.
FIELDS = 10
MANY = 50_000


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser) -> Browser:
    browser.open(PAGE.as_uri())
    return browser


def shown(browser: Browser) -> list[list[str]]:
    """The rows that the table shows: account, Region and state of each."""
    return browser.evaluate("""Array.from(document.querySelectorAll("#body tr[data-row]"), row => [
        row.querySelector("th button").innerText, row.children[2].innerText, row.children[3].innerText])""")


def settled(browser: Browser) -> None:
    browser.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(done)))")


def fill(browser: Browser, field: str, text: str) -> None:
    """Type a text into a field, key by key."""
    browser.evaluate(f"document.getElementById({json.dumps(field)}).select()")
    browser.click(f"#{field}")
    browser.send("Input.insertText", text=text)
    settled(browser)


def choose(browser: Browser, field: str, value: str) -> None:
    browser.evaluate(
        f"(() => {{ const field = document.getElementById({json.dumps(field)}); field.value = {json.dumps(value)};"
        "field.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )


def press(browser: Browser, key: str, code: int, text: str) -> None:
    event = {"key": key, "code": key, "windowsVirtualKeyCode": code}
    browser.send("Input.dispatchKeyEvent", type="keyDown", text=text, **event)
    browser.send("Input.dispatchKeyEvent", type="keyUp", **event)
    settled(browser)


def head(number: int) -> str:
    return f"#heads th:nth-child({number}) button"


def test_the_page_shows_every_row_and_the_heaviest_first(page: Browser) -> None:
    rows = shown(page)
    assert sorted((account, region) for account, region, _ in rows) == sorted((row["account"], row["region"]) for row in ROWS)
    assert [state for _, _, state in rows][:4] == ["every session fails", "somebody locked out", "drifted", "not encrypted"]
    assert rows[-1][2] == "Region not enabled"
    assert page.evaluate("document.getElementById('shown').innerText") == f"{len(ROWS)} of {len(ROWS)} accounts and Regions"


def test_totals_filter_by_state(page: Browser) -> None:
    totals = page.evaluate("Array.from(document.querySelectorAll('#states button'), tile => tile.innerText.split('\\n'))")
    assert ["2", "not encrypted"] in totals
    assert sum(int(count) for count, _ in totals) == len(ROWS)
    page.click("#states button:nth-child(4)")
    assert {state for _, _, state in shown(page)} == {"not encrypted"}
    assert page.evaluate("document.querySelector('#states button:nth-child(4)').getAttribute('aria-pressed')") == "true"
    page.click("#states button:nth-child(4)")
    assert len(shown(page)) == len(ROWS)


def test_rows_are_filtered_by_account_region_unit_and_key(page: Browser) -> None:
    fill(page, "account", "paymENTS")
    assert {account for account, _, _ in shown(page)} == {"111122223333"}
    choose(page, "region", "us-east-1")
    assert [row[:2] for row in shown(page)] == [["111122223333", "us-east-1"]]
    page.click("#filter button[type=reset]")
    settled(page)
    assert len(shown(page)) == len(ROWS)
    fill(page, "account", "4444")
    assert {account for account, _, _ in shown(page)} == {"222233334444", "333344445555", "444455556666"}
    page.click("#filter button[type=reset]")
    settled(page)
    # A unit stands for all units below it.
    choose(page, "unit", "Root/Workloads")
    assert {account for account, _, _ in shown(page)} == {"111122223333", "222233334444"}
    page.click("#filter button[type=reset]")
    settled(page)
    fill(page, "key", "kms:us-east-1:2222")
    assert [row[:2] for row in shown(page)] == [["222233334444", "us-east-1"]]
    fill(page, "key", "no such key")
    assert shown(page) == []
    assert page.evaluate("document.getElementById('shown').innerText").startswith("0 of ")


def test_what_has_changed_filters_too(page: Browser) -> None:
    tiles = page.evaluate("Array.from(document.querySelectorAll('#changes-list button'), tile => tile.innerText.split('\\n'))")
    assert ["1", "recovered"] in tiles
    place = next(at for at, (_, label) in enumerate(tiles, 1) if label == "recovered")
    page.click(f"#changes-list button:nth-child({place})")
    assert [row[:2] for row in shown(page)] == [["111122223333", "eu-west-1"]]
    page.click("#gone summary")
    assert "666677778888, eu-west-1" in page.evaluate("document.getElementById('gone').innerText")


def test_columns_sort_in_both_directions(page: Browser) -> None:
    page.click(head(1))
    accounts = [account for account, _, _ in shown(page)]
    assert accounts == sorted(accounts)
    assert page.evaluate("document.querySelector('#heads th').getAttribute('aria-sort')") == "ascending"
    page.click(head(1))
    assert [account for account, _, _ in shown(page)] == sorted(accounts, reverse=True)
    assert page.evaluate("document.querySelector('#heads th').getAttribute('aria-sort')") == "descending"
    page.click(head(3))
    regions = [region for _, region, _ in shown(page)]
    assert regions == sorted(regions)
    assert page.evaluate("document.querySelectorAll('#heads [aria-sort]').length") == 1


def test_a_row_opens_to_its_findings_and_remedies(page: Browser) -> None:
    row = "#body tr:nth-child(2)"
    assert page.evaluate(f"document.querySelector('{row} button').getAttribute('aria-expanded')") == "false"
    page.click(f"{row} button")
    assert page.evaluate(f"document.querySelector('{row} button').getAttribute('aria-expanded')") == "true"
    text = page.evaluate("document.querySelector('#body tr.open').innerText")
    for part in ("arn:aws:iam::111122223333:role/OnCall", "The key policy does not admit it.", "Add this statement to the key policy", "3 findings more"):
        assert part in text
    page.click(f"{row} button")
    assert page.evaluate("document.querySelectorAll('#body tr.open').length") == 0


def test_the_page_is_used_by_keyboard(page: Browser) -> None:
    page.evaluate("document.querySelector('#body th button').focus()")
    press(page, "Enter", 13, "\r")
    assert page.evaluate("document.querySelectorAll('#body tr.open').length") == 1
    page.evaluate(f"document.querySelector('{head(3)}').focus()")
    press(page, " ", 32, " ")
    regions = [region for _, region, _ in shown(page)]
    assert regions == sorted(regions)


def test_the_page_loads_nothing_and_has_no_problems(page: Browser) -> None:
    for at in range(len(ROWS)):
        page.evaluate(f"document.querySelectorAll('#body th button')[{at}].click()")
    assert page.evaluate("document.querySelectorAll('#body tr.open').length") == len(ROWS)
    assert [url for url in page.requests() if not url.startswith(("data:", "about:"))] == [PAGE.as_uri()]
    assert page.problems() == []


def test_texts_that_hold_markup_are_shown_as_text(page: Browser) -> None:
    fill(page, "account", "333344445555")
    page.click("#body tr[data-row] button")
    visible = "</script><script>alert(1)</script>"
    assert visible in HOSTILE
    assert page.evaluate("document.getElementById('body').innerText").count(visible) >= 3
    assert page.evaluate("document.getElementById('notes-section').innerText").count(visible) == 1
    assert page.evaluate("document.body.innerText.includes('\\u202e')") is False
    assert page.evaluate("Array.from(document.scripts, script => script.type)") == ["application/json", "application/json", ""]


def test_the_page_follows_the_reader_s_colour_scheme_and_fits_a_narrow_screen(page: Browser) -> None:
    seen = set()
    for scheme in ("light", "dark"):
        page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        seen.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(seen) == 2
    page.send("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_every_control_has_an_accessible_name(page: Browser) -> None:
    roles: dict[str, list[str]] = {}
    for node in page.send("Accessibility.getFullAXTree")["nodes"]:
        if not node.get("ignored"):
            roles.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    assert len(roles["table"]) == 1
    assert len(roles["columnheader"]) == 8
    for role in ("button", "searchbox", "combobox", "rowheader", "region", "search", "navigation"):
        assert roles[role], role
        assert all(name.strip() for name in roles[role]), role


def many(path: Path) -> Path:
    """The page with its rows again and again, up to 50,000."""
    block = re.compile(r'(<script type="application/json" id="data">)(.*?)(</script>)', re.DOTALL)
    html = PAGE.read_text()
    found = block.search(html)
    assert found
    data: dict[str, Any] = json.loads(found[2])
    data["rows"] = (data["rows"] * (MANY * FIELDS // len(data["rows"]) + 1))[: MANY * FIELDS]
    text = json.dumps(data).replace("<", "\\u003c")
    path.write_text(html[: found.start(2)] + text + html[found.end(2) :])
    return path


def test_a_page_of_50_000_rows_is_filtered_sorted_and_turned(browser: Browser, tmp_path: Path) -> None:
    browser.open(many(tmp_path / "many.html").as_uri())
    assert browser.evaluate("document.getElementById('shown').innerText") == "50,000 of 50,000 accounts and Regions"
    assert browser.evaluate("document.getElementById('page').innerText") == "Page 1 of 500"
    assert len(shown(browser)) == 100
    browser.click("#last")
    assert browser.evaluate("document.getElementById('page').innerText") == "Page 500 of 500"
    assert browser.evaluate("document.getElementById('next').disabled") is True
    browser.click("#back")
    assert browser.evaluate("document.getElementById('page').innerText") == "Page 499 of 500"
    browser.click(head(1))
    browser.click(head(1))
    assert {account for account, _, _ in shown(browser)} == {"555566667777"}
    browser.click("#states button:nth-child(1)")
    assert {state for _, _, state in shown(browser)} == {"every session fails"}
    # The details of most of these rows are not in the file, as in a page that has no room for all of them.
    browser.click("#body tr:nth-child(90) button")
    assert "no room for the findings" in browser.evaluate("document.querySelector('#body tr.open').innerText")
    fill(browser, "account", "1111")
    assert shown(browser) == []
    assert browser.problems() == []
