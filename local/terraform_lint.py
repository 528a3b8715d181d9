"""Checks the Terraform module and its examples: ``python -m local.terraform_lint [FOLDER...]``, in the environment ``terraform``.

- Each file is parsed by python-hcl2.
- Each resource, data source, argument, block and attribute is in the schema of the AWS provider, each required one is given,
  and none that the provider only computes.
- Each name that an expression uses is declared, and each variable and local is used.
- A call of the module gives arguments that it has, and uses outputs that it has, in documents too.
- The generated files are what ``template.yaml`` gives, every resource of the template has its counterpart, and conditions,
  policies, rules, alarms and figures are the same (``local/terraform_equality.py``).

With folders, copies of the module are checked, without examples and documents.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from local import terraform_equality, terraform_module
from local.documents import LINTED, blocks
from local.paths import ROOT
from local.terraform_module import MODULE
from local.terraform_schema import Argument, Body, SchemaError, prepare, schema_of
from local.terraform_tree import INDEX, Block, Node, TreeError, evaluated, functions, is_literal, paths, read, read_folder

# Arguments and blocks that Terraform itself adds to every resource, and roots of names that it declares.
META_ARGUMENTS = {"count", "for_each", "depends_on", "provider"}
META_BLOCKS = {"lifecycle"}
CONDITIONS = {"precondition", "postcondition"}
LIFECYCLE = {"create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by"}
ROOTS = {"each", "count", "self", "path", "terraform"}
# The functions of Terraform that the module and its examples use. Each exists from version 1.5 on.
FUNCTIONS = {
    "alltrue", "can", "compact", "concat", "contains", "filebase64sha256", "floor", "join", "jsondecode", "jsonencode", "length", "merge", "one",
    "regex", "replace", "setproduct", "sha1", "split", "startswith", "strcontains", "toset", "tostring", "try", "values",
}
TOP_LEVEL = {"terraform", "variable", "locals", "data", "resource", "output", "module", "provider"}


class Module:
    """A module: its blocks by what they declare."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blocks = blocks = read_folder(folder)
        self.variables = {block.labels[0]: block for block in blocks if block.kind == "variable"}
        self.outputs = {block.labels[0]: block for block in blocks if block.kind == "output"}
        self.calls = {block.labels[0]: block for block in blocks if block.kind == "module"}
        self.locals = {name for block in blocks if block.kind == "locals" for name in block.attributes}
        self.resources = {block.address(): block for block in blocks if block.kind in ("resource", "data")}


def problems_of_blocks(module: Module) -> Iterator[str]:
    """What is declared twice, or is no block of Terraform."""
    seen: set[str] = set()
    for block in module.blocks:
        if block.kind not in TOP_LEVEL:
            yield f"{block.place}: Terraform has no block `{block.kind}`"
        names = list(block.attributes) if block.kind == "locals" else [".".join(block.labels)]
        for name in names:
            declared = f"{block.kind} {name}"
            if declared in seen and block.kind != "terraform":
                yield f"{block.place}: {declared} is declared twice"
            seen.add(declared)


def problems_of_names(module: Module) -> Iterator[str]:
    """Names that are used and not declared, and those that are declared and not used."""
    used: set[tuple[str, ...]] = set()
    for block in module.blocks:
        for node in block.everywhere():
            for name in sorted(functions(node) - FUNCTIONS):
                yield f"{block.place}: the list of functions lacks `{name}`"
            for path in paths(node):
                used.add(path[:2])
                yield from (f"{block.place}: {problem}" for problem in _problems_of_path(module, block, path))
    for name, block in module.variables.items():
        # Terraform allows a variable in its own validation.
        others = (other for other in module.blocks if other is not block)
        if not any(path[:2] == ("var", name) for other in others for node in other.everywhere() for path in paths(node)):
            yield f"{block.place}: nothing uses var.{name}"
    for name in sorted(module.locals):
        if ("local", name) not in used:
            yield f"nothing uses local.{name}"


def _problems_of_path(module: Module, block: Block, path: tuple[str, ...]) -> Iterator[str]:
    match path:
        case ("var", name, *_):
            if name not in module.variables:
                yield f"there is no variable {name}"
        case ("local", name, *_):
            if name not in module.locals:
                yield f"there is no local {name}"
        case ("module", name, *rest):
            call = module.calls.get(name)
            if call is None:
                yield f"there is no module {name}"
            elif rest and rest[0] not in called(module, call).outputs:
                yield f"module {name} has no output {rest[0]}"
        case (root, *_) if root in ROOTS or root in _iterators(block):
            return
        case ("data", kind, name, *rest):
            yield from _problems_of_reference(module, "data", f"data.{kind}.{name}", kind, rest)
        case (kind, name, *rest) if kind.startswith("aws_"):
            yield from _problems_of_reference(module, "resource", f"{kind}.{name}", kind, rest)
        case _:
            yield f"`{'.'.join(path)}` is no name that Terraform knows here"


def _problems_of_reference(module: Module, what: str, address: str, kind: str, rest: list[str]) -> Iterator[str]:
    if address not in module.resources:
        yield f"there is no {address}"
        return
    schema = schema_of(what, kind)
    attributes = [name for name in rest if name != INDEX]
    is_many = {"count", "for_each"} & set(module.resources[address].attributes)
    if attributes and is_many and rest[0] != INDEX:
        yield f"{address} is made for each of several, and `{attributes[0]}` is asked of all"
    if attributes and schema is not None and attributes[0] not in schema.arguments:
        yield f"{address} has no attribute {attributes[0]}"


def _iterators(block: Block) -> set[str]:
    """The names that dynamic blocks give to their items."""
    names = {inner.labels[0] for inner in block.blocks if inner.kind == "dynamic"}
    return names.union(*(_iterators(inner) for inner in block.blocks))


def called(module: Module, call: Block) -> Module:
    """The module that a call names by the path of its folder."""
    return Module((module.folder / evaluated(call.attributes["source"], {})).resolve())


def problems_of_calls(module: Module) -> Iterator[str]:
    """Arguments that a called module does not have, and those that it needs."""
    for name, call in module.calls.items():
        variables = called(module, call).variables
        given = set(call.attributes) - {"source", "version", "providers"} - META_ARGUMENTS
        for argument in sorted(given - set(variables)):
            yield f"{call.place}: module {name} has no variable {argument}"
        for variable, block in variables.items():
            if "default" not in block.attributes and variable not in given:
                yield f"{call.place}: module {name} needs {variable}"


def problems_of_resources(module: Module) -> Iterator[str]:
    """What the schema of the provider does not have, and what it requires."""
    for address, block in module.resources.items():
        schema = schema_of(block.kind, block.labels[0])
        if schema is None:
            yield f"{block.place}: the provider has no {block.kind} {block.labels[0]}"
            continue
        yield from (f"{block.place}: {address}: {problem}" for problem in _problems_of_body(block, schema, is_resource=True))


def _problems_of_body(block: Block, schema: Body, is_resource: bool = False) -> Iterator[str]:
    given = set()
    for name, node in block.attributes.items():
        if is_resource and name in META_ARGUMENTS:
            continue
        argument = schema.arguments.get(name)
        if argument is None:
            yield f"there is no argument `{name}`"
        elif argument.is_block:
            yield f"`{name}` is a block"
        elif not argument.is_settable:
            yield f"`{name}` is computed and cannot be set"
        elif problem := _problem_of_literal(node, argument):
            yield f"`{name}` {problem}"
        given.add(name)
    for inner in block.blocks:
        if is_resource and inner.kind in META_BLOCKS:
            yield from _problems_of_lifecycle(inner)
            continue
        name, body = inner.kind, inner
        if inner.kind == "dynamic":
            name = inner.labels[0]
            body = next(content for content in inner.blocks if content.kind == "content")
        argument = schema.arguments.get(name)
        if argument is None or not argument.is_block:
            yield f"there is no block `{name}`"
            continue
        given.add(name)
        yield from (f"{name}: {problem}" for problem in _problems_of_body(body, schema.blocks[name]))
    for name, argument in schema.arguments.items():
        if argument.is_required and name not in given:
            yield f"`{name}` is required"


def _problems_of_lifecycle(block: Block) -> Iterator[str]:
    for name in sorted(set(block.attributes) - LIFECYCLE):
        yield f"lifecycle has no argument `{name}`"
    for inner in block.blocks:
        if inner.kind not in CONDITIONS or set(inner.attributes) != {"condition", "error_message"}:
            yield f"lifecycle has no block `{inner.kind}` with these arguments"


def _problem_of_literal(node: Node, argument: Argument) -> str | None:
    """A literal of a type that Terraform does not convert into the one of the argument."""
    if not is_literal(node):
        return None
    value = evaluated(node, {})
    if value is None:
        return None
    wanted = {"list": list, "set": list, "map": dict}.get(argument.form)
    if argument.form == "simple":
        wanted = {"stringMap": dict, "stringList": list}.get(argument.holds)
    if wanted is not None:
        return None if isinstance(value, wanted) else f"must be a {argument.form}"
    if isinstance(value, (list, dict)):
        return f"must be a {argument.holds}"
    if argument.holds == "number" and not str(value).lstrip("-").isdigit():
        return "must be a number"
    return "must be true or false" if argument.holds == "boolean" and value not in (True, False, "true", "false") else None


EXAMPLES = MODULE / "examples"


def problems(folder: Path) -> list[str]:
    """Everything that is wrong with a module."""
    module = Module(folder)
    prepare((block.kind, block.labels[0]) for block in module.resources.values())
    found = list(problems_of_blocks(module))
    for check in (problems_of_names, problems_of_calls, problems_of_resources):
        found += check(module)
    return found


def problems_of_documents() -> Iterator[str]:
    """Blocks of Terraform in documents that cannot be parsed, or that call the module by names that it does not have."""
    variables = Module(MODULE).variables
    for path in LINTED["hcl"]:
        examples = blocks(path, "hcl")
        for example in examples:
            for block in read(example.text, path.name):
                unknown = set(block.attributes) - set(variables) - {"source"} if block.kind == "module" else set()
                yield from (f"{path.name}: the module has no variable {name}" for name in sorted(unknown))
        if not examples:
            yield f"{path.name} has no example"


def all_problems(folder: Path) -> list[str]:
    """The problems of the module in a folder, and in what it is not equal to the template."""
    try:
        return problems(folder) + terraform_equality.problems(read_folder(folder))
    except TreeError as error:
        return [str(error)]


def main(arguments: list[str]) -> int:
    """Check copies of the module, or the module, its examples and its documents."""
    found = [f"{folder.name}: {problem}" for folder in map(Path, arguments) for problem in all_problems(folder)]
    examples = [] if arguments else sorted(path for path in EXAMPLES.iterdir() if path.is_dir())
    if not arguments:
        found += all_problems(MODULE)
        found += [f"{example.relative_to(ROOT)}: {problem}" for example in examples for problem in problems(example)]
        found += problems_of_documents()
        if differing := terraform_module.differences():
            found.append(f"{differing}\nrun `make terraform`")
    for problem in found:
        print(problem)
    print(f"Terraform: {len(arguments) or 1 + len(examples)} modules, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SchemaError, TreeError, OSError) as error:
        print(error)
        sys.exit(1)
