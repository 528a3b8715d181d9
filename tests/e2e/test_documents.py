"""The documents: blocks run as they stand there or say why not, links lead somewhere, and names exist.

All pages share one account of the local AWS with one stack. The blocks of a page run in its order, in one shell. The README's
first hour has a test of its own (test_first_hour.py), which runs the other blocks of that page.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import docs, environments, seed
from local.documents import LINTED, Block, anchors, blocks, links, pages, quoted
from local.package import package
from local.paths import ALL_TEMPLATES, EVENTS, ROOT, TARGET, architecture
from local.servers import ACCOUNT, LocalAws
from local.stacks import Stack
from local.template import load
from tests.e2e import test_first_hour
from tests.e2e.conftest import Account

PAGES = pages()
ALL_BLOCKS = [block for page in PAGES for block in blocks(page)]
README = ROOT / "README.md"
SHELL = "sh"
# Languages that nothing here runs. A block needs no reason for it.
TEXT = ("text", "json", "yaml", "toml")
# A documentation test of the crate runs these.
RUST = "rust"
# Other languages, of which no test knows more than the reason that a block gives.
MARKED = ("hcl", "ts", "python", "powershell")
MARK = "=== ran"
SECONDS = 600
# Version 1 of the AWS CLI, which PyPI has, takes the payload as it is, and does not know the option.
CLI_VERSION_1 = """#!/bin/bash
arguments=()
while [ $# -gt 0 ]; do
  if [ "$1" = --cli-binary-format ]; then shift 2; else arguments+=("$1"); shift; fi
done
exec {aws} "${{arguments[@]}}"
"""
# What blocks print: the page, a part of the block, and a pattern in its output.
OUTPUTS = {
    ("CONTRIBUTING.md", "make help"): r"session-kms: make",
    ("deploy/README.md", "session-kms status"): r"arn:aws:kms:eu-west-1:123456789012:key/",
    ("docs/command-line.md", "session-kms keys"): r"arn:aws:kms:eu-west-1:123456789012:key/",
    ("docs/command-line.md", "--context aws:SourceVpce"): r"nothing was asked of AWS",
    ("docs/command-line.md", "session-kms evaluate"): r'"decision": ?"allowed"',
    ("docs/command-line.md", "session-kms release"): r"remove the record",
    ("docs/command-line.md", "session-kms key-report"): r"root|account 123456789012",
    ("docs/cross-account.md", "--account 222222222222\n"): r"nothing was asked of AWS",
    ("docs/cross-account.md", "aws:PrincipalOrgID"): r"nothing was asked of AWS",
    ("docs/operations.md", "reconcile"): r'"alert": ?false',
    ("docs/troubleshooting.md", 'echo "$key"'): r"^arn:aws:kms:eu-west-1:123456789012:key/",
    ("docs/troubleshooting.md", 'echo "$state"'): r"^PendingDeletion",
    ("docs/troubleshooting.md", '"encryption": "Disabled"'): r'"fails": ?false',
    ("docs/troubleshooting.md", "diff before.json open.json"): r'^< .*"kmsKeyId": ?"arn:aws:kms:(.*\n)+> .*"kmsKeyId": ?""',
    ("docs/troubleshooting.md", "update-document-default-version"): r'"kmsKeyId": ?""',
}
# Trouble that the next block is about: the page, a part of the block, and the commands that make it.
TROUBLE = {
    ("docs/troubleshooting.md", 'echo "$state"'): 'aws kms schedule-key-deletion --key-id "$key" > made.txt',
    ("docs/troubleshooting.md", "put-function-concurrency --function"): 'session-kms apply --key "$key" --take-over --yes > made.txt',
}


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def runnable(page: Path) -> list[Block]:
    """The blocks of commands that say no reason why they are not run."""
    return [block for block in blocks(page) if block.language == SHELL and not block.reason]


@dataclass
class Runs:
    """Runs pages, each once, and keeps what each block printed."""

    aws: LocalAws
    stack: Stack
    folder: Path
    outputs: dict[str, str] = field(default_factory=dict)
    done: set[Path] = field(default_factory=set)

    def run(self, page: Path) -> None:
        if page in self.done:
            return
        self.done.add(page)
        found = runnable(page)
        if found and not self._is_owned_by_the_stack():
            # The page before gave the document to another owner.
            status = self.stack.update(OnConflict="TakeOver", Revision=name_of(page))
            assert status == "UPDATE_COMPLETE", self.stack.failures()
        script = self.folder / "page.sh"
        script.write_text("".join(f"{_trouble(block)}\n{block.text}echo\necho '{MARK} {block.place}'\n" for block in found))
        result = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", str(script)], cwd=self.folder / "clone", env=self._settings(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False,
        )
        rest = result.stdout
        for block in found:
            output, mark, rest = rest.partition(f"{MARK} {block.place}\n")
            if mark:
                self.outputs[block.place] = output
        assert result.returncode == 0, f"{name_of(page)}: {result.stdout}"

    def _is_owned_by_the_stack(self) -> bool:
        found = self.aws.client("ssm").get_parameters_by_path(Path="/session-kms", Recursive=True)["Parameters"]
        return any("cloudformation" in json.dumps(json.loads(parameter["Value"])["owner"]) for parameter in found)

    def _settings(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        path = [str(self.folder / "bin"), str(environments.program("awscli", "aws").parent), str(TARGET / "debug"), own.get("PATH", os.defpath)]
        return own | self.aws.environment() | {"PATH": os.pathsep.join(path), "AWS_PAGER": "", "HOME": str(self.folder)}


def _trouble(block: Block) -> str:
    return "\n".join(commands for (page, part), commands in TROUBLE.items() if name_of(block.page) == page and part in block.text)


@pytest.fixture(scope="module")
def runs(servers: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    environments.ensure(("awscli",))
    folder = tmp_path_factory.mktemp("documents")
    clone = folder / "clone"
    clone.mkdir()
    for path in ROOT.iterdir():
        if path.name not in (".git", "target"):
            (clone / path.name).symlink_to(path)
    shim = folder / "bin" / "aws"
    shim.parent.mkdir()
    shim.write_text(CLI_VERSION_1.format(aws=environments.program("awscli", "aws")))
    shim.chmod(0o755)
    servers.reset()
    keys = seed.seed_keys(servers)
    account = Account(servers, keys, package(servers))
    seed.seed_document(servers)
    seed.seed_roles(servers)
    seed.seed_fleet(servers, seed.NODE_ROLE)
    seed.seed_sessions(servers, f"arn:aws:sts::{ACCOUNT}:assumed-role/{seed.USER_ROLE}/alice")
    stack = Stack(servers, "session-kms", account.template, {
        "KmsKeyId": keys.first, "UserRoleNames": seed.USER_ROLE, "NodeRoleNames": seed.NODE_ROLE, "GrantKeyArns": keys.first,
        "Architecture": architecture(),
    })
    assert stack.create() == "CREATE_COMPLETE", stack.failures()
    return Runs(servers, stack, folder)


@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page) and page != README], ids=name_of)
def test_the_commands_of_a_page_run(runs: Runs, page: Path) -> None:
    runs.run(page)


@pytest.mark.parametrize(("page", "part"), OUTPUTS)
def test_a_block_prints_what_the_page_says(runs: Runs, page: str, part: str) -> None:
    runs.run(ROOT / page)
    block, = [block for block in runnable(ROOT / page) if part in block.text]
    assert re.search(OUTPUTS[page, part], runs.outputs[block.place], re.MULTILINE), runs.outputs[block.place]


def test_each_block_that_can_run_has_run(runs: Runs) -> None:
    """Counted from the text itself: a block without a reason that nothing has run would be noticed."""
    for page in PAGES:
        if page != README:
            runs.run(page)
    by_first_hour = test_first_hour.blocks(README.read_text())
    for page in PAGES:
        lines = page.read_text().splitlines()
        for number, line in enumerate(lines, start=1):
            if line.strip() != f"```{SHELL}" or "<!-- not run: " in lines[number - 2]:
                continue
            if page == README:
                block, = [block for block in blocks(page) if block.line == number]
                assert block.text in by_first_hour, block.place
            else:
                assert f"{name_of(page)}:{number}" in runs.outputs


@pytest.mark.parametrize("block", ALL_BLOCKS, ids=lambda block: block.place)
def test_a_block_has_a_language_and_is_checked_or_says_why_not(block: Block) -> None:
    assert block.language in (SHELL, RUST, *TEXT, *MARKED), "name the language, or `text`"
    if block.language in (RUST, *TEXT):
        assert not block.reason, "nothing would run it"
    is_linted = block.page in LINTED.get(block.language, ())
    if block.language in MARKED and not is_linted:
        assert block.reason, "nothing runs it, so say why"
    match block.language:
        case "json":
            json.loads(block.text)
        case "yaml":
            assert load(block.text)
        case "rust":
            crate = block.page.parent
            assert '#[doc = include_str!("../README.md")]' in (crate / "src" / "lib.rs").read_text(), "no documentation test runs it"
        case "sh":
            subprocess.run(["bash", "-n"], input=_with_words(block.text), text=True, check=True)


def _with_words(text: str) -> str:
    """The commands with a word for each place that the reader fills in, such as ``<name or ARN>``."""
    return re.sub(r"<[A-Za-z][^<>\n]*>", "WORD", text)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(ROOT) or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert not lost


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if not re.match(r"[a-z]+:|#", link)]
    assert set(PAGES) - reached == set()


def test_each_way_to_deploy_says_what_was_validated() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text()
    ways = [way.lower() for way in re.findall(r"^## (.+)$", text[text.index("\n## SAM\n"):text.index("\n## What was validated\n")], re.MULTILINE)]
    table = text.partition("\n## What was validated\n")[2].partition("\n## ")[0]
    rows = [row.split(" | ") for row in re.findall(r"^\| (.+) \|$", table, re.MULTILINE)][2:]
    assert all(len(row) == 3 and all(cell.strip() for cell in row) for row in rows)
    named = [row[0].lower() for row in rows]
    assert len(ways) >= 4
    for way in ways:
        assert any(way in name or name in way for name in named), f"no row says what was validated of {way}"


def test_the_readme_is_short() -> None:
    assert README.stat().st_size <= 10_240


def test_the_images_show_what_they_are_made_from() -> None:
    assert {path.name for path in docs.IMAGES.iterdir()} == {*docs.DIAGRAMS, docs.SCREENSHOT.name}
    for name, draw in docs.DIAGRAMS.items():
        assert (docs.IMAGES / name).read_text() == draw().svg(), "run make docs"
    assert docs.source_of(docs.SCREENSHOT.read_bytes()) == docs.digest(docs.REPORT), "run make docs"
    assert docs.SCREENSHOT.stat().st_size <= 250_000


# Names of AWS that pages quote.
OTHERS = {
    "AccessType",
    "AttachRolePolicy",
    "CfnInclude",
    "CfnOutput",
    "DetachRolePolicy",
    "ExcludeManagementEventSources",
    "IamRole",
    "InvalidCiphertextException",
    "LicenseUrl",
    "NotEquals",
    "ReadmeUrl",
    "SourceCodeUrl",
    "TestEventPattern",
    "VpcConfig",
}
# A word of several words, such as the name of a parameter, an alarm, a metric or a statement.
NAME = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+")


def names() -> set[str]:
    """Every name in the templates and samples, and the types of the code."""

    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for name, item in value.items():
                yield name
                yield from walk(item)
        elif isinstance(value, list):
            for item in value:
                yield from walk(item)
        elif isinstance(value, str):
            yield value

    found = {name for path in ALL_TEMPLATES for name in walk(load(path.read_text()))}
    found |= {name for path in EVENTS.glob("*.json") for name in walk(json.loads(path.read_text()))}
    sources = "\n".join(path.read_text() for folder in ("src", "crates") for path in ROOT.glob(f"{folder}/**/*.rs"))
    found |= set(re.findall(r"\b(Session\w+)\b", (ROOT / "deploy" / "cdk" / "lib" / "index.ts").read_text()))
    return found | set(re.findall(r'\b(?:struct|enum|trait|type) (\w+)', sources)) | set(re.findall(r'"([A-Z][A-Za-z]+)"', sources))


def test_names_of_parameters_metrics_and_alarms_exist() -> None:
    known = names()
    found = {
        (name_of(page), word)
        for page in PAGES
        for text in quoted(page)
        for word in NAME.findall(text)
        if re.fullmatch(rf"{word}(?:=.*)?", text)
    }
    assert {(page, word) for page, word in found if word not in known | OTHERS} == set()
    assert {word for _, word in found} >= OTHERS, "nothing quotes these any more"
    assert not OTHERS & known, "these need no exception"


def test_files_and_targets_that_pages_name_exist() -> None:
    made = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    missing = []
    for page in PAGES:
        # Pages call what does not exist yet a widget.
        for text in (text for text in quoted(page) if "widget" not in text):
            if re.fullmatch(r"(?:src|tests|local|crates|deploy|docs|events|demo|benches|requirements|schemas)/[\w./-]*\w/?", text):
                # A crate's page names its own files.
                if not any((folder / text).exists() for folder in (ROOT, page.parent)):
                    missing.append((name_of(page), text))
            elif (target := re.match(r"make ([a-z-]+)(?: [A-Z]|$)", text)) and target[1] not in made:
                missing.append((name_of(page), text))
    assert not missing


def test_options_that_pages_name_exist() -> None:
    """Options of the command line, in texts that begin with its name."""
    known: dict[str, str] = {}
    for page in PAGES:
        for text in quoted(page):
            found = re.match(r"session-kms ([a-z-]+)(.*)", text)
            if found is None:
                continue
            command, rest = found.groups()
            if command == "help":
                continue
            if command not in known:
                result = subprocess.run([TARGET / "debug" / "session-kms", command, "--help"], capture_output=True, text=True, check=False)
                assert result.returncode == 0, f"{name_of(page)}: {text}"
                known[command] = result.stdout
            for option in re.findall(r"--[a-z-]+", rest):
                assert re.search(rf"{option}\b", known[command]), f"{name_of(page)}: {text}"


# Error texts of AWS, and texts of which the code has the parts only.
NOT_IN_THE_CODE = (
    "Modifying service token", "cannot be deleted as it is in use by", "Cannot update export", "as it is in use by",
    "The provided execution role does not have permissions", "Cannot exceed quota for PoliciesPerRole",
    "is not switched on, and", "is on and stays on, and", "depends on aws:SourceVpce", "cannot encrypt sessions: its state is",
    "does not exist; look for a typing error", "the document is half changed",
)


def test_error_texts_of_the_troubleshooting_page_are_texts_of_the_code() -> None:
    sources = [path.read_text() for folder in ("src", "crates") for path in ROOT.glob(f"{folder}/**/*.rs")] + [path.read_text() for path in ALL_TEMPLATES]
    # A long text goes on in the next line of the source.
    code = re.sub(r"\\\n\s*", "", "\n".join(sources)).replace("`", "")
    code = re.sub(r"\s+", " ", code)
    section = (ROOT / "docs" / "troubleshooting.md").read_text().partition("\n## By error text\n")[2].partition("\n## ")[0]
    texts = [text for line in section.splitlines() if line.startswith("| `") for text in re.findall(r"`([^`]+)`", line.split(" | ")[0])]
    assert len(texts) > 50
    parts = [part.strip(" ;:,()") for text in texts for part in text.split("…")]
    missing = [part for part in parts if len(part) > 5 and part not in code and not part.startswith(NOT_IN_THE_CODE)]
    assert not missing


def test_a_page_that_breaks_a_rule_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n<!-- not run: needs a node -->\n```sh\necho\n```\n\n```\nno language\n```\n\n[there](#a-page) [nowhere](#b) `OnDelite=Clear`\n"
    )
    marked, bare = blocks(page)
    assert (marked.reason, marked.line, marked.text) == ("needs a node", 4, "echo\n")
    assert bare.language == ""
    assert anchors(page) == {"a-page"}
    assert links(page) == ["#a-page", "#b"]
    assert quoted(page) == {"OnDelite=Clear"}
    assert "OnDelete" in names()
    assert "OnDelite" not in names()
    with pytest.raises(yaml.YAMLError):
        load("a: [")
