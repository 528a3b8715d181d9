"""Tables and plots of the runs: docs/performance/README.md if the benchmark was complete, else under target/bench."""

import json
import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local.bench import plots
from local.bench.measure import Run, Setting
from local.bench.plots import Bar, Line
from local.bench.programs import BUILT, Program, versions
from local.bench.throttle import Throttle
from local.paths import ROOT

DOCUMENTATION = ROOT / "docs" / "performance"
# How many runs the documentation needs, of a program and of an account.
RUNS = 21
SCALE_RUNS = 5
FIGURES = "figures.json"
SCALE = "scale.json"
AUDIT = "audit.json"


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    name: str
    value: Callable[[Run], float]
    unit: str = "ms"


ROWS = (
    Row("start to first poll", lambda run: run.start),
    Row("first event to its first call", lambda run: run.reach),
    Row("first event (Create)", lambda run: run.first),
    Row("first event, without waiting for AWS", lambda run: run.first_own),
    Row("warm event (Create)", lambda run: run.warm),
    Row("warm event, without waiting for AWS", lambda run: run.warm_own),
    Row("warm event, nothing differs", lambda run: run.unchanged),
    Row("peak memory", lambda run: run.memory, "MB"),
)


def write(programs: list[Program], runs: dict[tuple[str, Setting], list[Run]], full: bool) -> None:
    """Keep the figures, print the tables, and write the page."""
    target = folder(full)
    settings = list(dict.fromkeys(setting for _, setting in runs))
    figures = {
        "about": _about(len(next(iter(runs.values())))),
        "packages": {program.name: program.package for program in programs},
        "settings": [
            asdict(setting)
            | {"rows": [[row.name, row.unit, *(statistics.median(map(row.value, runs[program.name, setting])) for program in programs)] for row in ROWS]}
            | {"calls": [statistics.median(run.calls for run in runs[program.name, setting]) for program in programs]}
            for setting in settings
        ],
    }
    (target / FIGURES).write_text(json.dumps(figures, indent=1) + "\n")
    (BUILT / "runs.json").write_text(
        json.dumps([{"program": name} | asdict(setting) | asdict(run) for (name, setting), several in runs.items() for run in several])
    )
    page(target)


def folder(full: bool) -> Path:
    """Where figures go: into the documentation if the benchmark was complete."""
    target = DOCUMENTATION if full else BUILT / "trial"
    target.mkdir(parents=True, exist_ok=True)
    return target


def page(target: Path) -> None:
    """Write the page and its plots from the figures in a folder, and print its tables."""
    parts = [
        "# Performance", "", "`make bench` writes this page. Compare ratios, not times: the times are those of one machine. "
        "[The evaluator and large accounts](evaluator.md) have a page of their own.", "",
    ]
    if (target / FIGURES).exists():
        parts += _peers(target, json.loads((target / FIGURES).read_text()))
    if (target / SCALE).exists():
        parts += _scale(target, json.loads((target / SCALE).read_text()))
    if (target / AUDIT).exists():
        parts += _audit(json.loads((target / AUDIT).read_text()))
    text = "\n".join(parts)
    (target / "README.md").write_text(text)
    print(text, flush=True)


def _peers(folder: Path, figures: dict[str, Any]) -> list[str]:
    about, packages = figures["about"], figures["packages"]
    names = list(packages)
    parts = [
        "## Beside the same job in Python and in Node.js", "", *_preliminary(about["runs"], RUNS),
        "The job is a custom resource that describes the key, reads the document and the record, writes the record, sets the one field in a "
        "new version, makes it the default, reads back, and answers by PUT. The peers are in `benches/peers/`: Python with boto3 and crhelper, "
        "Node.js with version 3 of the SDK in one file made by esbuild. Each run checks the document and the answer. The function does the "
        "same job without its checks of users and nodes, and makes more calls than the peers, because it believes that something is absent only "
        "after two reads, and reads the record back.", "",
        f"Median of {about['runs']} runs of each program in each setting; a run is a process of its own, and the programs take turns. Everything is "
        "over TLS on the loopback interface, with a latency added to each call of AWS and to the answer. All programs have the smallest "
        "runtime that speaks Lambda's Runtime API; Lambda's own runtimes for Python and Node.js load more. Each program trusts as many roots as it "
        "does in Lambda: the function five, which are in its binary there, Python and Node.js all that they bring. "
        f"The share of 7 % of a CPU, which a function of 128 MB has, is enforced by {about['throttle']}.", "",
        f"Machine: {about['machine']}. Versions: {'; '.join(about['versions'].values())}. Command: `make bench`.", "",
    ]
    for setting in figures["settings"]:
        share = "7 % of a CPU" if setting["throttled"] else "a whole CPU"
        head = ["", *names, *(f"{name} to {names[0]}" for name in names[1:])]
        parts += [f"### {share}, {setting['milliseconds']} ms a call", "", f"| {' | '.join(head)} |", "| --- |" + " --- |" * (len(head) - 1)]
        rows = [*setting["rows"], ["zip", "MB", *(packages[name] / 1e6 for name in names)]]
        parts += [_table_row(name, unit, values) for name, unit, *values in rows]
        parts += [f"| calls of the first event | {' | '.join(f'{calls:.0f}' for calls in setting['calls'])} |" + " |" * (len(names) - 1), ""]
        if setting["milliseconds"]:
            file = f"peers-{'small' if setting['throttled'] else 'whole'}.svg"
            groups = [
                (name, [_bar(program, value, unit, values[0]) for program, value in zip(names, values, strict=True)])
                for name, unit, *values in rows
            ]
            plots.bars(folder / file, f"{share}, {setting['milliseconds']} ms a call: times of the function (logarithmic)", groups)
            parts += [f"![{share}]({file})", ""]
    return parts


def _preliminary(runs: int, wanted: int) -> list[str]:
    return [f"**These figures are preliminary: they are of {runs} runs on a busy machine.**", ""] if runs < wanted else []


def _scale(folder: Path, scale: dict[str, Any]) -> list[str]:
    large = scale["large"]
    parts = [
        "## How cost grows", "", *_preliminary(scale["runs"], SCALE_RUNS),
        f"The release build of the function checks a key on a stub of AWS on the loopback interface; median of {scale['runs']} runs, each the first "
        "event of a process. Each dimension grows alone. The stub runs on the same machine, so its own time is in the figures, above all at 0 ms a call. "
        f"Machine: {scale['machine']}. Command: `make bench`.", "",
        f"A check of {large['nodes']:,} nodes in {large['vpcs']} VPCs, with {large['roles']} roles of nodes, {large['users']} roles of users, "
        f"{large['sessions']:,} sessions and a key policy of {large['policyBytes'] // 1000} KB makes {large['calls']:,.0f} calls. "
        f"With {large['milliseconds']} ms a call it takes {large['time'] / 1000:.1f} s, and {large['memory']:.1f} MB of memory at the peak.", "",
    ]
    for dimension in scale["dimensions"]:
        name, points = dimension["name"], dimension["points"]
        latencies = sorted({point["milliseconds"] for point in points})
        file = f"scale-{name.split()[-1] if name.startswith('bytes') else name.split()[0]}.svg".lower()
        drawn = [
            Line(f"{latency} ms a call", [(point["size"], point["time"] / 1000) for point in points if point["milliseconds"] == latency])
            for latency in latencies
        ]
        calls = {point["size"]: point["calls"] for point in points}
        plots.lines(folder / file, f"Time by {name}", name, "s", drawn, {size: f"{count:,.0f} calls" for size, count in calls.items()})
        parts += [f"### {name[0].upper()}{name[1:]}", "", dimension["bound"], ""]
        head = [name, "calls", *(f"{latency} ms a call" for latency in latencies), "peak memory"]
        parts += [f"| {' | '.join(head)} |", "| --- |" + " --- |" * (len(head) - 1)]
        for size, count in calls.items():
            of_size = {point["milliseconds"]: point for point in points if point["size"] == size}
            memory = max(point["memory"] for point in of_size.values())
            times = " | ".join(f"{of_size[latency]['time'] / 1000:.2f} s" for latency in latencies)
            parts.append(f"| {size:,} | {count:,.0f} | {times} | {f'{memory:.1f} MB' if memory else ''} |")
        parts += ["", f"![Time by {name}]({file})", ""]
    return parts


def _audit(audit: dict[str, Any]) -> list[str]:
    aggregation, page = audit["aggregation"], audit["page"]
    parts = [
        "## The report over an audit", "", *_preliminary(audit["runs"], SCALE_RUNS),
        f"`benches/audit.rs` reads the stored results of {aggregation['places']:,} accounts and Regions, compares them with the audit before, and "
        f"writes every format, in one process. All of it takes {aggregation['seconds']:.1f} s, and {aggregation['memory']:.0f} MB of memory at the peak. "
        f"Making the results is in the first two times. Machine: {audit['machine']}. Command: `make bench`.", "",
        "| part | time | bytes | peak memory until then |", "| --- | --- | --- | --- |",
    ]
    for name, seconds, size, memory in aggregation["steps"]:
        written = f"{size / 1e6:.1f} MB" if size else ""
        parts.append(f"| {name} | {seconds:.2f} s | {written} | {memory:.0f} MB |")
    parts += [
        "",
        f"The page of {page['rows']:,} rows has {page['bytes'] / 1e6:.1f} MB; Chromium shows it after {page['load']:.0f} ms. An interaction takes "
        f"{page['median']:.0f} ms in the median of all, from the event until the next frame is ready, and {page['longest']:.0f} ms at the most. "
        f"Median of {audit['runs']} runs:", "",
        "| interaction | time |", "| --- | --- |",
        *(f"| {name} | {milliseconds:.0f} ms |" for name, milliseconds in page["interactions"].items()),
        "",
    ]
    return parts


def _bar(program: str, value: float, unit: str, of_function: float) -> Bar:
    ratio = value / of_function
    return Bar(program, ratio, f"{_number(value)} {unit}" if ratio == 1 else f"{_number(value)} {unit}, {_ratio(ratio)}")


def _table_row(name: str, unit: str, values: list[float]) -> str:
    cells = [f"{_number(value)} {unit}" for value in values] + [_ratio(value / values[0]) for value in values[1:]]
    return f"| {name} | {' | '.join(cells)} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _ratio(ratio: float) -> str:
    return f"{ratio:.0f} times" if ratio >= 10 else f"{ratio:.1f} times" if ratio >= 1 else f"{ratio:.2f} times"


def _about(runs: int) -> dict[str, Any]:
    throttle = Throttle()
    method = throttle.method
    throttle.end()
    return {"runs": runs, "machine": machine(), "versions": versions(), "throttle": method}


def machine() -> str:
    """The processor, the cores and the system of this machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{processor}, {os.cpu_count()} cores, {system}"
