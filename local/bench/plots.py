"""Plots as SVG, without a library: ratios as bars, and lines over a size."""

import math
from dataclasses import dataclass
from html import escape
from pathlib import Path

COLOURS = ("#0b6e4f", "#3465a4", "#c17d11")
TEXT = "#222222"
GRID = "#d8d8d8"
FONT = "font-family='Helvetica, Arial, sans-serif'"


@dataclass(frozen=True)
class Bar:
    """One bar: whose it is, its ratio, and the text beside it."""

    name: str
    ratio: float
    text: str


@dataclass(frozen=True)
class Line:
    """One line: its name, and its points."""

    name: str
    points: list[tuple[float, float]]


def bars(file: Path, title: str, groups: list[tuple[str, list[Bar]]]) -> None:
    """Write groups of bars on a logarithmic axis of ratios. Bars begin at 1, and a ratio below 1 goes to the left."""
    ratios = [bar.ratio for _, group in groups for bar in group]
    low, high = math.floor(math.log10(min(*ratios, 1))), math.ceil(math.log10(max(*ratios, 1)))
    left, right, top, thick, gap = 250, 140, 62, 17, 16
    width, span = 900, 900 - left - right
    names = [bar.name for bar in groups[0][1]]
    height = top + sum(len(group) * thick + gap for _, group in groups) + 34

    def x(ratio: float) -> float:
        return left + span * (math.log10(ratio) - low) / (high - low)

    parts = [_text(20, 26, title, size=15, bold=True), *_legend(names, 20, 46)]
    bottom = height - 30
    for power in range(low, high + 1):
        position = x(10**power)
        parts.append(_line(position, top - 4, position, bottom, TEXT if power == 0 else GRID))
        parts.append(_text(position, bottom + 16, f"{10**power:g}", anchor="middle", size=11))
    y = top
    for label, group in groups:
        parts.append(_text(left - 12, y + len(group) * thick / 2 + 4, label, anchor="end"))
        for bar in group:
            colour = COLOURS[names.index(bar.name)]
            start, end = sorted((x(1), x(bar.ratio)))
            parts.append(f"<rect x='{start:.1f}' y='{y + 1}' width='{max(end - start, 2):.1f}' height='{thick - 3}' fill='{colour}'/>")
            parts.append(_text(max(end, x(1)) + 6, y + thick - 5, bar.text, size=11))
            y += thick
        y += gap
    _write(file, width, height, title, parts)


def lines(file: Path, title: str, across: str, up: str, drawn: list[Line], notes: dict[float, str]) -> None:
    """Write lines over a size, from zero. ``notes`` stand below the axis, at their sizes."""
    left, right, top, bottom = 74, 30, 70, 76
    width, height = 700, 380
    most_x = max(x for line in drawn for x, _ in line.points)
    step = _step(max(y for line in drawn for _, y in line.points))
    most_y = step * math.ceil(max(y for line in drawn for _, y in line.points) / step * 1.0001)
    base = height - bottom

    def at(x: float, y: float) -> tuple[float, float]:
        return left + (width - left - right) * x / most_x, base - (base - top) * y / most_y

    parts = [_text(20, 26, title, size=15, bold=True), *_legend([line.name for line in drawn], 20, 46)]
    for number in range(round(most_y / step) + 1):
        _, y = at(0, number * step)
        parts += [_line(left, y, width - right, y, GRID), _text(left - 8, y + 4, f"{number * step:g}", anchor="end", size=11)]
    parts.append(_text(left - 8, top - 10, up, anchor="end", size=11))
    last = -100.0
    for size, note in sorted(notes.items()):
        x, _ = at(size, 0)
        # Names that would overlap are left out.
        if x - last < 62:
            continue
        last = x
        parts += [_text(x, base + 18, f"{size:,.0f}", anchor="middle", size=11), _text(x, base + 34, note, anchor="middle", size=10)]
    parts.append(_text((left + width - right) / 2, height - 14, across, anchor="middle"))
    for number, line in enumerate(drawn):
        points = [at(x, y) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f"<polyline points='{path}' fill='none' stroke='{COLOURS[number]}' stroke-width='2'/>")
        parts += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{COLOURS[number]}'/>" for x, y in points]
    _write(file, width, height, title, parts)


def _step(most: float) -> float:
    """A round distance of grid lines, of which some five reach the largest value."""
    rough = most / 5 if most > 0 else 1
    power = 10 ** math.floor(math.log10(rough))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough))


def _legend(names: list[str], x: float, y: float) -> list[str]:
    parts = []
    for number, name in enumerate(names):
        parts.append(f"<rect x='{x:.0f}' y='{y - 10}' width='12' height='12' fill='{COLOURS[number]}'/>")
        parts.append(_text(x + 18, y, name, size=12))
        x += 40 + 7.2 * len(name)
    return parts


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 12, bold: bool = False) -> str:
    weight = " font-weight='bold'" if bold else ""
    return f"<text x='{x:.1f}' y='{y:.1f}' {FONT} font-size='{size}' fill='{TEXT}' text-anchor='{anchor}'{weight}>{escape(text)}</text>"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}'/>"


def _write(file: Path, width: int, height: int, title: str, parts: list[str]) -> None:
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img' aria-label='{escape(title)}'>"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([head, f"<rect width='{width}' height='{height}' fill='white'/>", *parts, "</svg>", ""]))
