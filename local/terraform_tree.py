"""Reads files of Terraform: blocks, the names to which expressions refer, and the values of expressions.

The parser is python-hcl2. The evaluator knows only what the generated locals use, and refuses everything else.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError

Node = Any
# Stands in a path for an index or a splat.
INDEX = "[]"


class TreeError(Exception):
    """A file cannot be parsed, or an expression has no value here."""


@dataclass
class Block:
    """A block, such as ``resource "aws_iam_role" "function" { … }``."""

    kind: str
    labels: list[str]
    place: str
    attributes: dict[str, Node] = field(default_factory=dict)
    blocks: list["Block"] = field(default_factory=list)

    def address(self) -> str:
        """How expressions name a resource or a data source."""
        return ".".join((["data"] if self.kind == "data" else []) + self.labels)

    def everywhere(self) -> Iterator[Node]:
        """Every expression of the block, and of the blocks in it. The type of a variable is none."""
        yield from (node for name, node in self.attributes.items() if (self.kind, name) != ("variable", "type"))
        for block in self.blocks:
            yield from block.everywhere()


def read_folder(folder: Path) -> list[Block]:
    """The blocks of all files of a module."""
    return [block for path in sorted(folder.glob("*.tf")) for block in read(path.read_text(), path.name)]


@cache
def read(text: str, name: str) -> list[Block]:
    """The blocks of a file. Nobody changes them, so a text is parsed once."""
    try:
        tree = hcl2.parses_to_tree(text)
    except LarkError as error:
        first = str(error).splitlines()[0]
        raise TreeError(f"{name}: cannot be parsed: {first}") from error
    return _body(tree.children[0], name).blocks


def _body(body: Tree, name: str) -> Block:
    result = Block("", [], name)
    for node in body.children:
        if node.data == "attribute":
            key = _word(node.children[0])
            if key in result.attributes:
                raise TreeError(f"{name}: `{key}` is set twice")
            result.attributes[key] = node.children[-1]
        elif node.data == "block":
            words = [child for child in node.children if isinstance(child, Tree) and child.data in ("identifier", "keyword", "string")]
            inner = next(child for child in node.children if isinstance(child, Tree) and child.data == "body")
            labels = [_word(word) if word.data != "string" else literal(word) for word in words[1:]]
            place = f"{name}:{next(iter(node.scan_values(lambda token: token.line is not None))).line}"
            block = _body(inner, name)
            block.kind, block.labels, block.place = _word(words[0]), labels, place
            result.blocks.append(block)
    return result


def _word(node: Tree) -> str:
    return str(node.children[0])


def literal(node: Node) -> Any:
    """The value of a literal. Anything else is an error."""
    return evaluated(node, {})


def is_literal(node: Node) -> bool:
    """Whether a value needs nothing that is known only later."""
    later = any(True for kind in ("function_call", "conditional") for _ in node.find_data(kind))
    return not later and not any(True for _ in paths(node))


def functions(node: Node) -> set[str]:
    """The functions that an expression calls."""
    return {_word(call.children[0]) for call in node.find_data("function_call")}


def paths(node: Node, bound: frozenset[str] = frozenset()) -> Iterator[tuple[str, ...]]:
    """What an expression refers to: ``local.rules["a"].name`` is ("local", "rules", "[]", "name")."""
    if not isinstance(node, Tree):
        return
    path = _path(node)
    if path is not None:
        if path[0] not in bound:
            yield path
        # The expressions within the indexes.
        for index in node.find_data("braces_index"):
            for child in index.children:
                yield from paths(child, bound)
        return
    if node.data in ("for_tuple_expr", "for_object_expr"):
        intro = next(child for child in node.children if isinstance(child, Tree) and child.data == "for_intro")
        names = {_word(child) for child in intro.children if isinstance(child, Tree) and child.data == "identifier"}
        for child in intro.children:
            if isinstance(child, Tree) and child.data != "identifier":
                yield from paths(child, bound)
        for child in node.children:
            if child is not intro:
                yield from paths(child, bound | names)
        return
    if node.data == "object_elem":
        # A key that is a plain name is a text.
        key = node.children[0].children[0]
        if not _is_name(key):
            yield from paths(key, bound)
        yield from paths(node.children[-1], bound)
        return
    if node.data == "function_call":
        for child in node.children[1:]:
            yield from paths(child, bound)
        return
    if node.data in ("get_attr", "attr_splat", "full_splat"):
        # An attribute of something that is no name, such as the value of a function.
        return
    for child in node.children:
        yield from paths(child, bound)


def _is_name(node: Node) -> bool:
    return node.data in ("identifier", "keyword") or (node.data == "expr_term" and len(node.children) == 1 and _is_name_tree(node.children[0]))


def _is_name_tree(node: Node) -> bool:
    return isinstance(node, Tree) and node.data == "identifier"


def _path(node: Tree) -> tuple[str, ...] | None:
    """The names of an expression that only follows attributes and indexes."""
    match node.data:
        case "expr_term" if len(node.children) == 1:
            inner = node.children[0]
            return _path(inner) if isinstance(inner, Tree) else None
        case "identifier":
            return (_word(node),)
        case "get_attr_expr_term":
            base = _path(node.children[0])
            return None if base is None else (*base, *_attributes(node.children[1]))
        case "index_expr_term":
            base = _path(node.children[0])
            return None if base is None else (*base, INDEX)
        case "full_splat_expr_term" | "attr_splat_expr_term":
            base = _path(node.children[0])
            return None if base is None else (*base, INDEX, *_attributes(node.children[1]))
    return None


def _attributes(node: Tree) -> list[str]:
    if node.data == "get_attr":
        return [_word(node.children[1])]
    return [name for child in node.children if isinstance(child, Tree) for name in (_attributes(child) if child.data == "get_attr" else [INDEX])]


Scope = Mapping[str, Any]


def evaluated(node: Node, scope: Scope) -> Any:
    """The value of an expression. ``scope`` has the values of ``var``, ``local`` and other roots."""
    parts = [child for child in node.children if not (isinstance(child, Tree) and child.data == "new_line_or_comment")]
    trees = [child for child in parts if isinstance(child, Tree)]
    match node.data:
        case "expr_term" | "interpolation" | "braces_index":
            return evaluated(trees[0], scope)
        case "literal_value":
            return {"true": True, "false": False, "null": None}[_word(node)]
        case "int_lit":
            return int(_word(node))
        case "string":
            return _string(trees, scope)
        case "identifier":
            return _found(scope, _word(node))
        case "get_attr_expr_term":
            return _found(evaluated(trees[0], scope), _word(trees[1].children[1]))
        case "index_expr_term":
            return _found(evaluated(trees[0], scope), evaluated(trees[1], scope))
        case "tuple":
            return [evaluated(item, scope) for item in trees]
        case "object":
            return {_key(item.children[0], scope): evaluated(item.children[-1], scope) for item in trees}
        case "conditional":
            condition, then, otherwise = trees
            return evaluated(then if _boolean(evaluated(condition, scope)) else otherwise, scope)
        case "unary_op":
            return _unary(parts, scope)
        case "binary_op":
            return _binary(trees, scope)
        case "for_tuple_expr" | "for_object_expr":
            return _for(node.data, trees, scope)
        case "function_call":
            return _call(trees, scope)
    raise TreeError(f"cannot evaluate {node.data}")


def _found(container: Any, key: Any) -> Any:
    try:
        return container[key]
    except (KeyError, IndexError, TypeError) as error:
        raise TreeError(f"there is no {key}") from error


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TreeError(f"{value} is neither true nor false")
    return value


def _string(parts: list[Tree], scope: Scope) -> str:
    result = ""
    for part in parts:
        inner = part.children[0]
        if isinstance(inner, Tree):
            value = evaluated(inner, scope)
            if not isinstance(value, str):
                raise TreeError(f"{value!r} within a text")
            result += value
        elif inner.type == "STRING_CHARS":
            result += inner.encode().decode("unicode_escape") if "\\" in inner and inner.isascii() else str(inner)
        else:
            result += str(inner).replace("$${", "${").replace("%%{", "%{")
    return result


def _key(node: Tree, scope: Scope) -> str:
    inner = node.children[0]
    if _is_name(inner):
        token = next(iter(inner.scan_values(lambda token: isinstance(token, Token))))
        return str(token)
    return str(evaluated(inner, scope))


def _unary(parts: list[Any], scope: Scope) -> Any:
    value = evaluated(parts[1], scope)
    return not _boolean(value) if str(parts[0]) == "!" else -value


def _binary(trees: list[Tree], scope: Scope) -> Any:
    left, term = trees
    operator, right = (child for child in term.children if child.data != "new_line_or_comment")
    first = evaluated(left, scope)
    match _word(operator):
        case "&&":
            return _boolean(first) and _boolean(evaluated(right, scope))
        case "||":
            return _boolean(first) or _boolean(evaluated(right, scope))
        case "==":
            return _same(first, evaluated(right, scope))
        case "!=":
            return not _same(first, evaluated(right, scope))
        case ">":
            return first > evaluated(right, scope)
    raise TreeError(f"cannot evaluate {_word(operator)}")


def _same(first: Any, second: Any) -> bool:
    """Values of different types are never the same."""
    return type(first) is type(second) and first == second


def _for(kind: str, trees: list[Tree], scope: Scope) -> Any:
    intro, *rest = trees
    condition = rest.pop().children[-1] if rest[-1].data == "for_cond" else None
    intro_trees = [child for child in intro.children if isinstance(child, Tree) and child.data != "new_line_or_comment"]
    names, collection = [_word(child) for child in intro_trees[:-1]], evaluated(intro_trees[-1], scope)
    pairs = list(collection.items()) if isinstance(collection, dict) else list(enumerate(collection))
    items: list[Any] = []
    for key, value in pairs:
        inner = dict(scope) | dict(zip(names, (key, value) if len(names) == 2 else (value,), strict=True))
        if condition is None or _boolean(evaluated(condition, inner)):
            items.append(tuple(evaluated(tree, inner) for tree in rest))
    return dict(items) if kind == "for_object_expr" else [item for (item,) in items]


def _call(trees: list[Tree], scope: Scope) -> Any:
    name = _word(trees[0])
    arguments = [evaluated(child, scope) for child in trees[1].children if isinstance(child, Tree) and child.data != "new_line_or_comment"]
    known: dict[str, Callable[..., Any]] = {
        "compact": lambda items: [item for item in items if item],
        "join": lambda separator, items: separator.join(items),
        "length": len,
        "split": lambda separator, text: text.split(separator),
        "tostring": lambda value: {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value),
    }
    if name not in known:
        raise TreeError(f"cannot evaluate {name}")
    return known[name](*arguments)


class Locals(Mapping[str, Any]):
    """The locals of a module, evaluated when they are asked for."""

    def __init__(self, blocks: list[Block], variables: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        self._nodes = {name: node for block in blocks if block.kind == "locals" for name, node in block.attributes.items()}
        self._variables, self._values = variables, dict(given)

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = evaluated(self._nodes[name], {"var": self._variables, "local": self})
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)
