"""The ready-made pieces for pipelines: pre-commit's hooks, the action of GitHub and the job of GitLab.

pre-commit runs the hooks in a repository. Nothing here can run GitHub or GitLab: their files are checked by the schemas that
check-jsonschema ships, and their script runs on sample policies.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import environments
from local.documents import blocks
from local.paths import ROOT, TARGET

PROGRAM = TARGET / "debug" / "session-kms"
DATA = ROOT / "tests" / "data" / "check"
SCRIPTS = ROOT / "deploy" / "pipelines"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
# The sample policy admits the node, and not the stranger.
NODE = "arn:aws:iam::222222222222:role/team/Node"
STRANGER = "arn:aws:iam::222222222222:role/Stranger"
# Each character that IAM allows in a path, apart from letters and digits.
SIGNS = r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"""


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    environments.ensure(("pipelines",))


def run(*command: Any, cwd: Path, **settings: Any) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_", "SESSION_KMS"))}
    path = os.pathsep.join([str(PROGRAM.parent), own.get("PATH", os.defpath)])
    variables = own | {"PATH": path} | {name: str(value) for name, value in settings.items()}
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )


def job() -> dict[str, Any]:
    """The job of GitLab."""
    return dict(yaml.safe_load((SCRIPTS / "gitlab.yml").read_text())[".session-kms"])


# --- The script of GitHub and GitLab ---------------------------------------------------------------------------------


def check(folder: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    return run(SCRIPTS / "check.sh", cwd=folder, **variables)


def test_the_script_prints_the_report_and_writes_the_findings(tmp_path: Path) -> None:
    shutil.copy(DATA / "key-policy.json", tmp_path / "key policy.json")
    shown = {"SESSION_KMS_POLICY": "key policy.json", "SESSION_KMS_KEY": KEY, "GITHUB_STEP_SUMMARY": tmp_path / "summary.md"}
    for nodes, code, level in ((NODE, 0, None), (f"{NODE}\n  {STRANGER}\n", 1, "error")):
        result = check(tmp_path, SESSION_KMS_NODES=nodes, **shown)
        assert result.returncode == code, result.stdout
        assert NODE.rpartition(":")[2] in result.stdout
        assert (tmp_path / "summary.md").read_text().startswith("#")
        findings, = json.loads((tmp_path / "session-kms.sarif").read_text())["runs"]
        levels = {finding["level"] for finding in findings["results"]}
        assert (level in levels) == (level is not None)
        assert ("error" in levels) == (code == 1)


def test_a_finding_stands_at_the_line_of_its_statement(tmp_path: Path) -> None:
    policy = tmp_path / "policies" / "key.json"
    policy.parent.mkdir()
    shutil.copy(DATA / "key-policy.json", policy)
    denied = "arn:aws:iam::222222222222:role/Contractor"
    result = check(tmp_path, SESSION_KMS_POLICY="policies/key.json", SESSION_KMS_KEY=KEY, SESSION_KMS_USERS=denied)
    assert result.returncode == 1, result.stdout
    findings, = json.loads((tmp_path / "session-kms.sarif").read_text())["runs"]
    place = next(finding for finding in findings["results"] if finding["level"] == "error")["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "policies/key.json"
    lines = policy.read_text().splitlines()
    statement = lines[place["region"]["startLine"] - 1:place["region"]["endLine"]]
    assert any("NotContractors" in line for line in statement)
    assert not any("Office" in line for line in statement)


def test_the_script_passes_each_value_on_as_it_is(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "session-kms"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    arn = f"arn:aws:iam::111122223333:role/{SIGNS}/App"
    variables = {
        "TEMPLATE": "a b/*.yaml", "LOGICAL_ID": "Key", "KEY": KEY, "ACCOUNT_ID": "1", "REGION": "r",
        "PREFLIGHT": "strict", "PARAMETERS": "A=1 B=*", "USERS": f"{arn} {arn}\n", "NODES": f"\n{arn}",
        "ACCOUNTS": "111122223333", "EXEMPT": "*a", "SARIF": "out.sarif",
    }
    path = os.pathsep.join([str(program.parent), os.defpath])
    result = check(tmp_path, PATH=path, **{f"SESSION_KMS_{name}": value for name, value in variables.items()})
    expected = [
        "check", "--template=a b/*.yaml", "--logical-id=Key", f"--key={KEY}", "--account-id=1", "--region=r",
        "--preflight=strict", "--parameter=A=1", "--parameter=B=*", f"--user={arn}", f"--user={arn}", f"--node={arn}", "--account=111122223333", "--exempt=*a",
    ]
    assert result.stdout.splitlines() == [*expected, *expected, "--format", "sarif", "--output", "out.sarif"], result.stdout


def test_the_script_takes_the_program_of_a_release_only_if_its_sum_is_right(tmp_path: Path) -> None:
    archive = tmp_path / "session-kms-0.1.0-x86_64-unknown-linux-gnu.tar.gz"
    # A debug build is too large to be packed for each run.
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\nexec {PROGRAM} "$@"\n')
    program.chmod(0o755)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(program, "session-kms-0.1.0-x86_64-unknown-linux-gnu/session-kms")
    right = hashlib.sha256(archive.read_bytes()).hexdigest()
    shown = {"SESSION_KMS_POLICY": DATA / "key-policy.json", "SESSION_KMS_KEY": KEY, "SESSION_KMS_NODES": NODE, "PATH": os.defpath}
    for address in (archive, archive.as_uri()):
        result = check(tmp_path, SESSION_KMS_ARCHIVE=address, SESSION_KMS_SHA256=right, **shown)
        assert result.returncode == 0, result.stdout
    for wrong in ("0" * 64, ""):
        result = check(tmp_path, SESSION_KMS_ARCHIVE=archive, SESSION_KMS_SHA256=wrong, **shown)
        assert result.returncode != 0
        assert NODE not in result.stdout


def test_the_script_says_what_is_missing(tmp_path: Path) -> None:
    for variables, words in (
        ({}, "name what to check"),
        ({"SESSION_KMS_POLICY": "gone.json", "SESSION_KMS_KEY": KEY}, "gone.json"),
        ({"SESSION_KMS_POLICY": "gone.json", "PATH": os.defpath}, "there is no program session-kms"),
    ):
        result = check(tmp_path, **variables)
        assert (result.returncode, words in result.stdout) == (2, True), result.stdout
        assert not (tmp_path / "session-kms.sarif").exists()


def test_github_and_gitlab_give_the_script_all_of_its_variables() -> None:
    script = (SCRIPTS / "check.sh").read_text()
    read = set(re.findall(r"SESSION_KMS_[A-Z0-9_]*[A-Z0-9]", script))
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    step, = action["runs"]["steps"]
    assert read == set(step["env"]) == set(job()["variables"])
    # Each input is a variable, and no text of an input is a part of a command.
    assert set(step["env"].values()) == {f"${{{{ inputs.{name} }}}}" for name in action["inputs"]}
    assert "${{" not in step["run"]
    script_of_action = step["run"].strip('"').replace("$GITHUB_ACTION_PATH", str(ROOT))
    assert Path(script_of_action).samefile(SCRIPTS / "check.sh")


def test_the_job_of_gitlab_is_the_script(tmp_path: Path) -> None:
    lines, = job()["script"]
    assert lines == f"bash <<'SESSION_KMS'\n{(SCRIPTS / 'check.sh').read_text()}SESSION_KMS\n"
    shown = {"SESSION_KMS_POLICY": DATA / "key-policy.json", "SESSION_KMS_KEY": KEY, "SESSION_KMS_NODES": f"{NODE} {STRANGER}"}
    # GitLab gives a job its lines by the shell that the image has.
    result = run("sh", "-c", lines, cwd=tmp_path, **{**job()["variables"], **shown})
    assert result.returncode == 1, result.stdout
    assert (tmp_path / job()["variables"]["SESSION_KMS_SARIF"]).exists()


# --- The hooks of pre-commit -----------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")
    result = run("git", *identity, *arguments, cwd=folder, GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull)
    assert result.returncode == 0, result.stdout
    return result.stdout.strip()


def repository(folder: Path) -> str:
    """Commits all files of a folder, and returns the commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A repository with the hooks, as a configuration of pre-commit names it."""
    folder = tmp_path_factory.mktemp("hooks")
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", folder)
    shutil.copytree(SCRIPTS, folder / "deploy" / "pipelines")
    return {"repo": str(folder), "rev": repository(folder)}


def pre_commit(folder: Path, hooks: dict[str, str], *configured: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{**hooks, "hooks": list(configured)}]}))
    repository(folder)
    program = environments.program("pipelines", "pre-commit")
    return run(program, "run", "--all-files", "--verbose", cwd=folder, PRE_COMMIT_HOME=folder.parent / "pre-commit")


def test_a_commit_with_a_policy_that_locks_somebody_out_is_stopped(tmp_path: Path, hooks: dict[str, str]) -> None:
    for name, (nodes, code, words, reports) in enumerate((
        ([NODE], 0, "Passed", 2),
        ([NODE, STRANGER], 1, "role/Stranger", 2),
        (["arn:aws:sts::222222222222:assumed-role/Stranger/i-1"], 1, "arn:aws:iam::222222222222:role/Stranger", 0),
    )):
        folder = tmp_path / str(name) / "repository"
        (folder / "policies").mkdir(parents=True)
        for file in ("one.json", "the other.json"):
            shutil.copy(DATA / "key-policy.json", folder / "policies" / file)
        (folder / "unrelated.json").write_text("{}")
        arguments = ["--key", KEY, *(f"--node={node}" for node in nodes)]
        result = pre_commit(folder, hooks, {"id": "session-kms-policy", "files": "^policies/", "args": arguments})
        assert (result.returncode, words in result.stdout) == (code, True), result.stdout
        # Each file has a report, and the other one is not checked.
        assert len(re.findall(rf"(?m)^ *key +{KEY}$", result.stdout)) == reports, result.stdout


def test_without_files_no_hook_checks_anything(tmp_path: Path, hooks: dict[str, str]) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "policy.json").write_text("{}")
    result = pre_commit(folder, hooks, {"id": "session-kms-policy"}, {"id": "session-kms-template"})
    assert result.returncode == 0
    assert result.stdout.count("no files to check") == 2, result.stdout


def test_the_hook_knows_which_options_have_no_value(tmp_path: Path) -> None:
    found = run(PROGRAM, "check", "--help", cwd=tmp_path).stdout
    flags = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)$", found, re.MULTILINE)) - {"--help", "--version"}
    known = set(re.findall(r"--[a-z-]+(?= \||\))", (SCRIPTS / "pre-commit.sh").read_text()))
    assert flags
    assert flags <= known, flags - known


def test_the_hook_and_the_script_take_the_key_of_a_template(tmp_path: Path) -> None:
    template = ROOT / "tests" / "data" / "templates" / "key.yaml"
    # Nobody knows whom the policy admits before its parameter has a value.
    given = {"account-id": "111122223333", "region": "eu-west-1", "parameter": "AdminRole=arn:aws:iam::111122223333:role/Admin"}
    options = [f"--{name}={value}" for name, value in given.items()]
    of_hook = run(SCRIPTS / "pre-commit.sh", "template", *options, "--node", STRANGER, template, cwd=tmp_path)
    names = {"account-id": "ACCOUNT_ID", "region": "REGION", "parameter": "PARAMETERS"}
    variables = {f"SESSION_KMS_{names[name]}": value for name, value in given.items()}
    of_script = check(tmp_path, SESSION_KMS_TEMPLATE=template, SESSION_KMS_NODES=STRANGER, **variables)
    for result in (of_hook, of_script):
        assert result.returncode == 1, result.stdout
        assert "role/Stranger" in result.stdout


def test_the_worst_result_of_all_files_counts(tmp_path: Path) -> None:
    hook = SCRIPTS / "pre-commit.sh"
    policy = DATA / "key-policy.json"
    options = ["--key", KEY, "--node", STRANGER]
    for files, code in (([policy], 1), ([policy, "gone.json", policy], 2), ([], 2)):
        assert run(hook, "policy", *options, *files, cwd=tmp_path).returncode == code
    assert run(hook, "policy", "--key", cwd=tmp_path).returncode == 2
    assert run(hook, "policy", *options, policy, cwd=tmp_path, SESSION_KMS="gone").returncode == 2


# --- The schemas -----------------------------------------------------------------------------------------------------

SCHEMAS = (("action.yml", "vendor.github-actions"), ("deploy/pipelines/gitlab.yml", "vendor.gitlab-ci"))


@pytest.mark.parametrize(("file", "schema"), SCHEMAS)
def test_a_file_that_breaks_the_schema_is_found(tmp_path: Path, file: str, schema: str) -> None:
    program = environments.program("pipelines", "check-jsonschema")
    content = yaml.safe_load((ROOT / file).read_text())
    broken = tmp_path / "broken.yml"
    broken.write_text(yaml.safe_dump(content | {"runs": {"using": "magic"}, ".session-kms": {"script": 7}}))
    for path, code in ((ROOT / file, 0), (broken, 1)):
        result = run(program, "--builtin-schema", schema, path, cwd=tmp_path)
        assert result.returncode == code, result.stdout


def test_the_workflow_of_the_documentation_is_one(tmp_path: Path) -> None:
    files = [block.text.removeprefix("# ").split("\n", 1) for block in blocks(ROOT / "docs" / "pipelines.md", "yaml")]
    schemas = {".github/workflows/session-key.yml": "vendor.github-workflows", ".gitlab-ci.yml": "vendor.gitlab-ci"}
    checked = 0
    for name, text in files:
        file = tmp_path / Path(name).name
        file.write_text(text)
        if name in schemas:
            program = environments.program("pipelines", "check-jsonschema")
            result = run(program, "--builtin-schema", schemas[name], file, cwd=tmp_path)
        else:
            result = run(environments.program("pipelines", "pre-commit"), "validate-config", file, cwd=tmp_path)
        assert result.returncode == 0, result.stdout
        checked += 1
    assert checked == 3
    workflow = yaml.safe_load(dict(files)[".github/workflows/session-key.yml"])
    given = next(step["with"] for step in workflow["jobs"]["session-key"]["steps"] if "archive" in step.get("with", {}))
    assert set(given) <= set(yaml.safe_load((ROOT / "action.yml").read_text())["inputs"])
