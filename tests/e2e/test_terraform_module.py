"""Checks the Terraform module as ``make lint`` does, and that each of its checks can fail."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local import environments, suite
from local.paths import ROOT
from local.terraform_module import MODULE

README = MODULE / "README.md"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    environments.ensure(("terraform",))


def lint(*arguments: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [str(environments.program("terraform", "python")), "-m", "local.terraform_lint", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def test_the_module_and_its_examples_are_clean() -> None:
    result = lint()
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 modules, 0 problems" in result.stdout
    assert [step for step in suite.lint_steps() if step.command[-2:] == ["-m", "local.terraform_lint"]]


BROKEN = [
    # A file that is no HCL, and what the schema of the provider does not have or requires.
    ("main.tf", 'resource "aws_lambda_alias" "events" {', 'resource "aws_lambda_alias" "events"', "cannot be parsed"),
    ("main.tf", "  memory_size       = 256", "  memory       = 256", "there is no argument `memory`"),
    ("main.tf", "  timeout                        = 120", '  timeout = "two minutes"', "`timeout` must be a number"),
    ("main.tf", "  handler           = \"bootstrap\"", "  arn = \"bootstrap\"", "`arn` is computed and cannot be set"),
    ("main.tf", "  dead_letter_config {\n", "  dead_letter_configs {\n", "there is no block `dead_letter_configs`"),
    ("main.tf", "  target_id = \"function\"\n  arn       = aws_lambda_alias.events.arn\n", "  target_id = \"function\"\n", "`arn` is required"),
    ("main.tf", "  architectures     = [var.architecture]", '  architectures     = "arm64"', "`architectures` must be a list"),
    ("invocation.tf", 'resource "aws_lambda_invocation"', 'resource "aws_lambda_invocations"', "the provider has no resource aws_lambda_invocations"),
    ("key.tf", "    prevent_destroy = true", "    prevents_destroy = true", "lifecycle has no argument `prevents_destroy`"),
    # Names.
    ("outputs.tf", "aws_sqs_queue.failed_events.url", "aws_sqs_queue.failed_events.address", "has no attribute address"),
    ("outputs.tf", "aws_sqs_queue.failed_events.url", "aws_sqs_queue.failed.url", "there is no aws_sqs_queue.failed"),
    ("key.tf", "value       = local.key_arn", "value       = local.key_arns", "there is no local key_arns"),
    ("main.tf", "retention_in_days = var.log_retention", "retention_in_days = var.log_days", "there is no variable log_days"),
    ("variables.tf", 'variable "tags"', 'variable "labels" {\n  type = string\n}\n\nvariable "tags"', "nothing uses var.labels"),
    ("key.tf", "aws_kms_key.this[0].key_id", "aws_kms_key.this.key_id", "is made for each of several"),
    ("main.tf", "filebase64sha256", "filebase64sha257", "the list of functions lacks `filebase64sha257`"),
    # What the template says otherwise.
    ("main.tf", "  maximum_retry_attempts       = 2\n", "  maximum_retry_attempts       = 1\n", "of the template has 2"),
    ("generated.tf", '"ssm:DeleteDocument"', '"ssm:DeleteDocuments"', "local.policies is not what the template gives"),
    ("generated.tf", 'operation = ["Create", "Update"]', 'operation = ["Create"]', "local.rules is not what the template gives"),
    ("generated.tf", "96000", "100000", "local.alarms is not what the template gives"),
    ("generated.tf", "onDelete                  = var.on_delete", 'onDelete                  = "Retain"', "local.properties is not what the template gives"),
    ("generated.tf", "!var.create_key)) ?", "var.create_key)) ?", "breaks 1 rules of the template, and 0 of the module"),
    ("parameters.tf", 'variable "dry_run"', 'variable "dry_runs"', "DryRun of the template"),
    ("key.tf", 'resource "aws_ssm_parameter" "key_arn"', 'resource "aws_ssm_parameter" "arn"', "stands for nothing in the template"),
]


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """What the lint says of a copy of the module for each case, in one run."""
    folder = tmp_path_factory.mktemp("modules")
    for number, (file, old, new, _) in enumerate(BROKEN):
        module = folder / f"case-{number}"
        shutil.copytree(MODULE, module, ignore=shutil.ignore_patterns("examples"))
        text = (module / file).read_text()
        assert old in text, (file, old)
        (module / file).write_text(text.replace(old, new))
    shutil.copytree(MODULE, folder / "unchanged", ignore=shutil.ignore_patterns("examples"))
    return lint(*sorted(folder.iterdir()))


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=[case[3] for case in BROKEN])
def test_each_check_can_fail(findings: subprocess.CompletedProcess[str], number: int) -> None:
    found = [text for text in re.split(r"^(?=case-|unchanged:|Terraform:)", findings.stdout, flags=re.MULTILINE) if text.startswith(f"case-{number}: ")]
    assert any(BROKEN[number][3] in text for text in found), found or findings.stderr


def test_only_the_broken_modules_have_findings(findings: subprocess.CompletedProcess[str]) -> None:
    assert findings.returncode == 1
    assert "unchanged:" not in findings.stdout


def test_the_readme_lists_every_variable_and_output() -> None:
    text = README.read_text()
    for kind, files in (("variable", ("variables.tf", "parameters.tf")), ("output", ("outputs.tf",))):
        declared = [name for file in files for name in re.findall(rf'^{kind} "(\w+)"', (MODULE / file).read_text(), re.MULTILINE)]
        section = text.split(f"## {kind.capitalize()}s")[1].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == declared
