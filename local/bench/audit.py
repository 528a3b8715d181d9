"""The report over an audit: ``python -m local.bench.audit``, in the client environment.

``benches/audit.rs`` reads, compares and writes 100,000 accounts and Regions. Then a browser opens the page of 50,000, and
each interaction is timed: from the event until the next frame is ready.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from local.bench import results
from local.bench.programs import BUILT
from local.paths import TARGET
from local.processes import end_on_signals
from tests.e2e.browser import Browser

ROWS = 50_000
# Runs in the page: does something, and waits until the browser has laid out and is about to paint the frame after it.
TIMED = """(async () => {
    const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    const byId = id => document.getElementById(id);
    const fill = (id, value) => { byId(id).value = value; byId(id).dispatchEvent(new Event("input", { bubbles: true })); };
    await frame();
    const started = performance.now();
    %s;
    document.body.getBoundingClientRect();
    await frame();
    return performance.now() - started;
})()"""
SORT = "document.querySelector('#heads th:nth-child({}) button').click()"
# What a reader does, in this order, so that each column is sorted for the first time too.
INTERACTIONS = (
    *((f"sort by {name}", SORT.format(column)) for column, name in enumerate(
        ("account", "organizational unit", "Region", "state", "key", "locked out", "findings", "since"), 1)),
    ("sort the other way", SORT.format(8)),
    ("type a letter of an account", "fill('account', 't')"),
    ("type more of it", "fill('account', 'team-0')"),
    ("choose a Region", "fill('region', byId('region').options[3].value)"),
    ("choose an organizational unit", "fill('unit', 'Root/Workloads')"),
    ("type a part of a key", "fill('key', '0000')"),
    ("show all again", "document.querySelector('#filter button[type=reset]').click()"),
    ("show one state", "document.querySelector('#states button:nth-child(2)').click()"),
    ("show one change", "document.querySelector('#changes-list button:not([disabled])').click()"),
    ("show all again", "document.querySelector('#filter button[type=reset]').click()"),
    ("turn the page", "byId('next').click()"),
    ("go to the last page", "byId('last').click()"),
    ("open a row", "document.querySelector('#body tr:nth-child(5) button').click()"),
    ("close it", "document.querySelector('#body tr:nth-child(5) button').click()"),
)


def main() -> int:
    end_on_signals()
    count = int(os.environ.get("RUNS") or results.SCALE_RUNS)
    full = count >= results.SCALE_RUNS
    program = _program()
    BUILT.mkdir(parents=True, exist_ok=True)
    aggregations = [json.loads(_output(program, "--json")) for _ in range(count)]
    page = BUILT / "audit.html"
    _output(program, "--page", str(page), str(ROWS))
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(Path(folder) / "profile")
        try:
            loads = [_load(browser, page) for _ in range(count)]
            times: dict[str, list[float]] = {}
            for _ in range(count):
                browser.open(page.as_uri())
                for name, script in INTERACTIONS:
                    times.setdefault(name, []).append(float(browser.evaluate(TIMED % script)))
            problems = browser.problems()
        finally:
            browser.close()
    if problems:
        raise RuntimeError(f"the page has problems: {problems[:3]}")
    medians = {name: statistics.median(of_name) for name, of_name in times.items()}
    everything = [time for of_name in times.values() for time in of_name]
    figures = {
        "runs": count,
        "machine": results.machine(),
        "aggregation": _median(aggregations),
        "page": {
            "rows": ROWS, "bytes": page.stat().st_size, "load": statistics.median(loads), "median": statistics.median(everything),
            "longest": max(everything), "interactions": medians,
        },
    }
    target = results.folder(full)
    (target / results.AUDIT).write_text(json.dumps(figures, indent=1) + "\n")
    results.page(target)
    return 0


def _load(browser: Browser, page: Path) -> float:
    """Milliseconds until the page is loaded and shows its rows."""
    browser.open(page.as_uri())
    return float(browser.evaluate("performance.getEntriesByType('navigation')[0].loadEventStart"))


def _median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run of the median time."""
    return sorted(runs, key=lambda run: float(run["seconds"]))[len(runs) // 2]


def _output(program: Path, *arguments: str) -> str:
    return subprocess.run([str(program), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout


def _program() -> Path:
    """The benchmark as ``cargo bench --no-run`` has built it, the newest if there are several."""
    named = os.environ.get("SESSION_KMS_AUDIT")
    built = [Path(named)] if named else [path for path in (TARGET / "release" / "deps").glob("audit-*") if not path.suffix]
    if not built:
        raise FileNotFoundError("there is no benchmark `audit`: run `cargo bench --locked --no-run`")
    return max(built, key=lambda path: path.stat().st_mtime)


if __name__ == "__main__":
    sys.exit(main())
