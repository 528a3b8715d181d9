"""Draws boxes, lines and texts as SVG, in colours for a light and for a dark page."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import Self

# Each colour by its use: for light pages, for dark pages.
COLOURS = {
    "page": ("#ffffff", "#10141b"),
    "card": ("#f0f2f6", "#1c2430"),
    "ink": ("#1b2330", "#e4e9f1"),
    "soft": ("#566275", "#a3afc1"),
    "line": ("#8b97aa", "#56637a"),
    "accent": ("#1f5fbf", "#7fb1ff"),
    "pure": ("#e3efff", "#172a45"),
    "pass": ("#14713d", "#62d394"),
    "pass-back": ("#e0f5e8", "#153524"),
    "fail": ("#b3201f", "#ff8d88"),
    "fail-back": ("#fdeaea", "#3b1a1b"),
}
STYLE = """
    text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: 14px; }
    text { fill: var(--ink); text-anchor: middle; }
    .page { fill: var(--page); }
    .under { fill: var(--page); }
    .card { fill: var(--card); stroke: var(--line); }
    .pure { fill: var(--pure); stroke: var(--accent); }
    .reads { fill: var(--pass-back); stroke: var(--pass); }
    .writes, .lockout { fill: var(--fail-back); stroke: var(--fail); }
    .name { font-size: 15px; font-weight: 600; }
    .soft { font-size: 12.5px; fill: var(--soft); }
    .call { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-weight: 600; }
    .fail-name { fill: var(--fail); font-weight: 600; }
    .begin { text-anchor: start; }
    .life, .loop { stroke: var(--line); stroke-dasharray: 4 5; fill: none; }
    .arrow { stroke: var(--accent); stroke-width: 2; fill: none; }
    .back { stroke: var(--accent); stroke-width: 1.5; stroke-dasharray: 6 4; fill: none; }
    .step { stroke: var(--soft); stroke-width: 1.5; fill: none; }
    .session { stroke: var(--pass); stroke-width: 4; fill: none; }
    .cross { stroke: var(--fail); stroke-width: 3.5; stroke-linecap: round; }
    .tip { fill: var(--accent); }
    .step-tip { fill: var(--soft); }
    .session-tip { fill: var(--pass); }"""
# Size of the heads of lines, by the class of a line.
HEADS = {"tip": 7, "step-tip": 8, "session-tip": 3.6}
HEAD_OF = {"arrow": "tip", "back": "tip", "step": "step-tip", "session": "session-tip"}


@dataclass
class Drawing:
    """A drawing. Each method adds a part and returns the drawing."""

    title: str
    description: str
    width: int
    height: int
    parts: list[str] = field(default_factory=list)

    def box(self, kind: str, x: float, y: float, width: float, height: float, lines: Iterable[tuple[str, str]] = (), begin: bool = False) -> Self:
        """A box with lines of text in its middle, or from its left edge on. A line is its class and its text."""
        self.parts.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>')
        given = list(lines)
        first = y + height / 2 - 9.5 * (len(given) - 1) + 5
        for number, (style, text) in enumerate(given):
            self.text(x + (14 if begin else width / 2), first + 19 * number, text, f"{style} begin".strip() if begin else style)
        return self

    def text(self, x: float, y: float, text: str, style: str = "") -> Self:
        """A text. What stands between two ``*`` is the name of a call or a setting, between ``_`` it is a title."""
        marked = escape(text, quote=False)
        for sign, name in (("*", "call"), ("_", "name")):
            pieces = marked.split(sign)
            marked = "".join(f'<tspan class="{name}">{piece}</tspan>' if number % 2 else piece for number, piece in enumerate(pieces))
        kind = f' class="{style}"' if style else ""
        self.parts.append(f'<text{kind} x="{x:g}" y="{y:g}">{marked}</text>')
        return self

    def line(self, kind: str, path: str, both: bool = False) -> Self:
        """A line along a path of SVG, with a head at its end or at both ends."""
        head = HEAD_OF.get(kind)
        heads = f' marker-end="url(#{head})"' if head else ""
        if head and both:
            heads += f' marker-start="url(#{head})"'
        self.parts.append(f'<path class="{kind}" d="{path}"{heads}/>')
        return self

    def svg(self) -> str:
        light, dark = (" ".join(f"--{name}: {colours[mode]};" for name, colours in COLOURS.items()) for mode in (0, 1))
        markers = "\n".join(
            f'    <marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="{size}" markerHeight="{size}" orient="auto-start-reverse">'
            f'<path class="{name}" d="M0 0 10 5 0 10z"/></marker>'
            for name, size in HEADS.items()
        )
        body = "\n".join(f"  {part}" for part in self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}" '
            'role="img" aria-labelledby="title desc">\n'
            f'  <title id="title">{escape(self.title, quote=False)}</title>\n  <desc id="desc">{escape(self.description, quote=False)}</desc>\n'
            f"  <style>\n    :root {{ color-scheme: light dark; {light} }}\n"
            f"    @media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}{STYLE}\n  </style>\n"
            f"  <defs>\n{markers}\n  </defs>\n"
            f'  <rect class="page" width="{self.width}" height="{self.height}" rx="12"/>\n{body}\n</svg>\n'
        )
