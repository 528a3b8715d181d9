"""Writes values as Terraform's language (HCL), in the layout of ``terraform fmt``."""

import json
import re
from dataclasses import dataclass
from typing import Any

# No value: left out of lists and maps.
NULL = object()
# Longer expressions are put into several lines.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Expression:
    """An expression, as it is written."""

    text: str


@dataclass(frozen=True)
class Conditional:
    """One of two values."""

    condition: str
    then: Any
    otherwise: Any


def string(text: str) -> str:
    """A text as a literal without interpolation."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def rendered(value: Any, indent: int, is_block: bool = False) -> str:
    """A value at this indentation. A block has names in place of keys, and every value of it is there."""
    match value:
        case Expression():
            return value.text
        case Conditional(condition, then, otherwise):
            condition = f"({condition})" if " " in condition else condition
            return f"{condition} ? {rendered(then, indent)} : {rendered(otherwise, indent)}"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return string(value)
        case list():
            return _list(value, indent)
        case dict():
            return _map(value, indent, is_block)
    if value is NULL:
        return "null"
    raise ValueError(f"cannot write {value!r}")


def _may_lack(value: Any) -> bool:
    return value is NULL or (isinstance(value, Conditional) and NULL in (value.then, value.otherwise))


def _list(items: list[Any], indent: int) -> str:
    if any(map(_may_lack, items)):
        inner = _lines(items, indent)
        return f"[for item in [\n{inner}\n{' ' * indent}] : item if item != null]"
    line = f"[{', '.join(rendered(item, indent) for item in items)}]"
    if "\n" not in line and len(line) <= 100:
        return line
    return f"[\n{_lines(items, indent)}\n{' ' * indent}]"


def _lines(items: list[Any], indent: int) -> str:
    return "\n".join(f"{' ' * (indent + 2)}{rendered(item, indent + 2)}," for item in items)


def _map(entries: dict[str, Any], indent: int, is_block: bool) -> str:
    if not entries:
        return "{}"
    lacks = not is_block and any(isinstance(value, Conditional) and _may_lack(value) and not isinstance(value.then, dict) for value in entries.values())
    lines: list[str] = []
    group: list[tuple[str, str]] = []
    for key, value in entries.items():
        name = key if NAME.fullmatch(key) else string(key)
        text = rendered(value, indent + 2)
        if "\n" in text:
            lines += _aligned(group, indent)
            group = []
            lines.append(f"{' ' * (indent + 2)}{name} = {text}")
        else:
            group.append((name, text))
    lines += _aligned(group, indent)
    body = "{\n" + "\n".join(lines) + f"\n{' ' * indent}}}"
    return f"{{ for name, value in {body} : name => value if value != null }}" if lacks else body


def _aligned(group: list[tuple[str, str]], indent: int) -> list[str]:
    """Lines of a map that stand together, with their signs in one column."""
    width = max((len(name) for name, _ in group), default=0)
    return [f"{' ' * (indent + 2)}{name.ljust(width)} = {text}" for name, text in group]
