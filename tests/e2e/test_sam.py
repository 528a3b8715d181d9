"""samconfig.toml and ``make package``: one short command builds, and one deploys.

``sam build`` takes minutes, so the deployments here start from a folder that looks as it leaves it, with the release build of
the function. The programs that ``make package`` starts are replaced by scripts that write down how they were called.
"""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from local import environments, sam_build, seed
from local.package import packaged
from local.paths import AUDIT_TEMPLATE, BINARY, KEY_ACCESS_TEMPLATE, ROOT, TEMPLATE, architecture
from local.servers import ACCOUNT, OWNER, REGION
from local.stacks import Stack
from local.template import load
from tests.e2e.conftest import Account

CONFIGURATION: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text())
# The environment of samconfig.toml for each template.
DEPLOYMENTS = {TEMPLATE: "default", KEY_ACCESS_TEMPLATE: "key-access", AUDIT_TEMPLATE: "audit"}
TARGET = "aarch64-unknown-linux-gnu"


def parameters_of(environment: str, command: str) -> dict[str, Any]:
    return CONFIGURATION[environment][command]["parameters"]


def build_folder(environment: str) -> str:
    """The folder in which SAM puts a template, from the folder of samconfig.toml."""
    return parameters_of(environment, "build").get("build_dir", ".aws-sam/build")


def test_the_configuration_fits_the_templates() -> None:
    assert set(CONFIGURATION) == {"version", *DEPLOYMENTS.values()}
    for template, environment in DEPLOYMENTS.items():
        deploy = parameters_of(environment, "deploy")
        assert ROOT / parameters_of(environment, "build")["template_file"] == template
        assert deploy.get("template_file", ".aws-sam/build/template.yaml") == f"{build_folder(environment)}/template.yaml"
        assert deploy["resolve_s3"] is True
        assert deploy["confirm_changeset"] is True, "somebody sees what will change"
        # --parameter-overrides of the command line would replace them, and the Region is whoever deploys.
        assert not {"parameter_overrides", "region", "profile"} & set(deploy)
        kinds = [resource["Type"] for resource in load(template.read_text())["Resources"].values()]
        assert "AWS::IAM::Role" in kinds
        names = [
            name
            for resource in load(template.read_text())["Resources"].values()
            for name in ("RoleName", "ManagedPolicyName", "UserName", "GroupName")
            if name in resource.get("Properties", {}) and resource["Type"].startswith("AWS::IAM::")
        ]
        assert deploy["capabilities"] == ("CAPABILITY_NAMED_IAM" if names else "CAPABILITY_IAM")
    assert len({build_folder(environment) for environment in DEPLOYMENTS.values()}) == len(DEPLOYMENTS)


def test_the_instructions_name_the_stacks_as_the_configuration_does() -> None:
    deploy, cross_account, readme = (ROOT / path for path in ("docs/deploy.md", "docs/cross-account.md", "README.md"))
    assert f"!ImportValue {parameters_of('default', 'deploy')['stack_name']}-FunctionArn" in deploy.read_text()
    assert "sam build && sam deploy --parameter-overrides KmsKeyId=" in deploy.read_text()
    assert "sam build --config-env key-access\nsam deploy --config-env key-access" in cross_account.read_text()
    for page in (deploy, cross_account, readme):
        assert "sam deploy" in page.read_text()
        assert "--guided" not in page.read_text(), f"it asks for every parameter: {page}"


class Project:
    """A folder as `sam build` leaves it: samconfig.toml, and each template with the code."""

    def __init__(self, folder: Path, account: Account) -> None:
        self.folder = folder
        self.account = account
        shutil.copy(ROOT / "samconfig.toml", folder)
        for template, environment in DEPLOYMENTS.items():
            built = folder / build_folder(environment)
            (built / "Function").mkdir(parents=True)
            (built / "template.yaml").write_text(packaged(template.read_text(), "Function"))
            shutil.copy(BINARY, built / "Function" / "bootstrap")

    def deploy(self, environment: str, *options: str, account: str = ACCOUNT, **parameters: str) -> subprocess.CompletedProcess[str]:
        """Call `sam deploy` as the README does. Nobody can answer its question, so it does not ask."""
        given = [f"{name}={value}" for name, value in (parameters | {"Architecture": architecture()}).items()]
        configuration = [] if environment == "default" else ["--config-env", environment]
        return self.sam("deploy", *configuration, *options, "--no-confirm-changeset", "--parameter-overrides", *given, account=account)

    def sam(self, *arguments: str, account: str = ACCOUNT) -> subprocess.CompletedProcess[str]:
        """Call SAM in the folder."""
        environments.ensure(("sam",))
        settings = self.account.aws.environment() | {"AWS_ACCESS_KEY_ID": account, "SAM_CLI_TELEMETRY": "0", "HOME": str(self.folder)}
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.run(
            [environments.program("sam", "sam"), *arguments],
            cwd=self.folder, env=own | settings, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )

    def stack(self, environment: str, account: str = ACCOUNT) -> Stack:
        return Stack(self.account.aws, parameters_of(environment, "deploy")["stack_name"], "", account=account)


@pytest.fixture
def project(populated: Account, tmp_path: Path) -> Project:
    return Project(tmp_path, populated)


def test_one_command_deploys_the_stack_and_exports_the_function(project: Project) -> None:
    keys = project.account.keys
    result = project.deploy(
        "default", KmsKeyId=keys.first, UserRoleNames=seed.USER_ROLE, NodeRoleNames=seed.NODE_ROLE, GrantKeyArns=f"{keys.first},{keys.second}",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    stack = project.stack("default")
    assert stack.status() == "CREATE_COMPLETE"
    assert project.account.document().key == keys.first
    exports = project.account.aws.client("cloudformation").list_exports()["Exports"]
    assert {item["Name"]: item["Value"] for item in exports}["session-kms-FunctionArn"] == stack.outputs()["FunctionArn"]
    again = project.deploy("default", KmsKeyId=keys.second)
    assert again.returncode == 0, again.stdout + again.stderr
    assert project.account.document().key == keys.second, "the same command updates the stack"
    assert stack.parameter("UserRoleNames") == seed.USER_ROLE, "a parameter that is not given keeps its value"


def test_without_a_key_the_command_says_what_to_give(project: Project) -> None:
    result = project.deploy("default")
    assert result.returncode != 0
    assert "Give KmsKeyId, or set CreateKey to true." in result.stdout + result.stderr


def test_the_template_for_the_keys_account_has_a_stack_of_its_own(project: Project) -> None:
    root = f"arn:aws:iam::{ACCOUNT}:root"
    key = seed.make_key(
        project.account.aws, "Sessions of all accounts", seed.named_roles_policy(OWNER, GenerateDataKey=[root], Decrypt=[root], DescribeKey=[root]), OWNER,
    )
    result = project.deploy(
        "key-access", account=OWNER, KeyArn=key, ConsumerAccounts=ACCOUNT, ReaderArns=f"arn:aws:iam::{ACCOUNT}:role/session-kms-FunctionRole-*",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert project.stack("key-access", OWNER).outputs()["KeyArn"] == key


def test_an_application_for_the_repository_of_serverless_applications_is_packaged(project: Project) -> None:
    project.account.aws.client("s3").create_bucket(Bucket="applications", CreateBucketConfiguration={"LocationConstraint": REGION})
    result = project.sam("package", "--s3-bucket", "applications")
    assert result.returncode == 0, result.stdout + result.stderr
    template = load((project.folder / parameters_of("default", "publish")["template_file"]).read_text())
    assert template["Metadata"]["AWS::ServerlessRepo::Application"] == load(TEMPLATE.read_text())["Metadata"]["AWS::ServerlessRepo::Application"]
    address = template["Resources"]["Function"]["Properties"]["CodeUri"]
    assert address.startswith("s3://applications/session-kms/")
    assert project.account.aws.client("s3").head_object(Bucket="applications", Key=address.removeprefix("s3://applications/"))


# A program that adds its name and arguments to a list. `rustup` knows the targets in a file as well.
PROGRAM = """#!/bin/sh
echo "$(basename "$0") $*" >> {folder}/calls
"""
RUSTUP = PROGRAM + """
case "$2" in
  list) cat {folder}/targets ;;
  add) echo "$3" >> {folder}/targets ;;
  remove) sed -i "/$3/d" {folder}/targets ;;
esac
"""


class Programs:
    """A folder with rustup, cargo and sam, in place of the real ones."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, targets: str) -> None:
        self.folder = folder
        (folder / "targets").write_text(targets)
        for name, text in (("rustup", RUSTUP), ("cargo", PROGRAM), ("sam", PROGRAM), ("cargo-lambda", PROGRAM)):
            self.write(name, text)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        monkeypatch.delenv(sam_build.RUSTUP, raising=False)
        monkeypatch.setattr(environments, "ensure", lambda names: None)
        monkeypatch.setattr(environments, "program", lambda environment, name: folder / name)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text.replace("{folder}", str(self.folder)))
        (self.folder / name).chmod(0o755)

    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def targets(self) -> str:
        return (self.folder / "targets").read_text()


def test_a_package_leaves_rustup_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    programs = Programs(tmp_path, monkeypatch, "x86_64-unknown-linux-gnu\n")
    assert sam_build.main(["arm64", "template.yaml"]) == 0
    assert programs.calls() == [
        "rustup target list --installed", f"rustup target add {TARGET}",
        "cargo lambda build --release --arm64 --bin session-kms-lambda", "sam build --parameter-overrides Architecture=arm64",
        f"rustup target remove {TARGET}",
    ]
    assert programs.targets() == "x86_64-unknown-linux-gnu\n"
    said = capfd.readouterr().out
    assert f"Adding the target {TARGET}" in said
    assert f"Removing the target {TARGET}" in said


def test_a_target_that_was_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Programs(tmp_path, monkeypatch, f"{TARGET}\n")
    assert sam_build.main(["arm64", "template.yaml"]) == 0
    assert not [call for call in programs.calls() if re.match(r"rustup target (add|remove)", call)]
    assert programs.targets() == f"{TARGET}\n"


def test_a_build_that_fails_leaves_rustup_as_it_was_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    programs = Programs(tmp_path, monkeypatch, "x86_64-unknown-linux-gnu\n")
    programs.write("cargo", PROGRAM + "echo 'error: no linker' >&2; exit 101\n")
    assert sam_build.main(["arm64", "template.yaml"]) == 1
    assert programs.targets() == "x86_64-unknown-linux-gnu\n"
    said = capfd.readouterr()
    assert "error: no linker" in said.err, "what cargo says is not hidden"
    assert "failed: cargo lambda build" in said.err
    assert "sam deploy" not in said.out


def test_a_package_says_where_the_programs_are_and_what_to_run_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    Programs(tmp_path, monkeypatch, f"{TARGET}\nx86_64-unknown-linux-gnu\n")
    assert sam_build.main(["x86_64", "template-key-access.yaml"]) == 0
    said = capfd.readouterr().out
    assert f"{tmp_path}/sam deploy --config-env key-access --parameter-overrides " in said
    assert "Architecture=x86_64" in said
    assert f'export PATH="{tmp_path}:' in said
    assert f"cargo-lambda  {tmp_path}/cargo-lambda" in said


@pytest.mark.parametrize("arguments", [["arm", "template.yaml"], ["arm64", "deploy/stackset.yaml"], []])
def test_a_wrong_architecture_or_template_is_refused_before_anything_is_built(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert sam_build.main(arguments) == 2
    assert "ARCHITECTURE=arm64|x86_64" in capfd.readouterr().err


def test_sam_builds_the_function_as_it_was_built_before() -> None:
    """The options of cargo-lambda come from these settings of the template."""
    for template in DEPLOYMENTS:
        content = load(template.read_text())
        functions = [resource for resource in content["Resources"].values() if resource["Type"] == "AWS::Serverless::Function"]
        assert functions
        for function in functions:
            assert function["Metadata"] == {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": "session-kms-lambda"}}
            properties = content.get("Globals", {}).get("Function", {}) | function["Properties"]
            assert properties["Runtime"] == "provided.al2023"
            # From the folder of the template, that of the project.
            assert (template.parent / properties["CodeUri"]).resolve() == ROOT
