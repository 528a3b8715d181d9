"""deploy/: the expressions of the StackSet, the plain template as a StackSet deploys it, and the instructions.

The local AWS has no StackSets. ministack's AWS::LanguageExtensions expands their loop over Regions, ``local/template.py``
resolves the rest, and the tests deploy each resulting stack as an ordinary stack.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import environments, release
from local.documents import blocks
from local.package import archive
from local.paths import BINARY, KEY_ACCESS_TEMPLATE, ROOT, TEMPLATE, architecture
from local.servers import ACCOUNT, OWNER, REGION
from local.stacks import Stack
from local.template import Resolver, load
from tests.e2e.conftest import Account
from tests.e2e.events import SAMPLE_KEY, send
from tests.e2e.test_validators import cfn_lint

DEPLOY = ROOT / "deploy"
STACKSET, KEY_EVENTS, CODE_BUCKET = (DEPLOY / f"{name}.yaml" for name in ("stackset", "key-events", "code-bucket"))
SHIPPED = load(TEMPLATE.read_text())
MULTI_REGION_KEY = "arn:aws:kms:{Region}:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
KEYS = {region: f"arn:aws:kms:{region}:111122223333:key/{number}234abcd-12ab-34cd-56ef-1234567890ab" for number, region in enumerate((REGION, "us-east-1"))}
CONSUMERS = ["222222222222", "333333333333", "444444444444", "555555555555", "666666666666", "777777777777"]
KEY = SAMPLE_KEY.replace(ACCOUNT, OWNER)
# Parameters that every test gives.
GIVEN = {
    "TemplateUrl": "https://example-bank-templates.s3.eu-west-1.amazonaws.com/template.json", "CodeBucketPrefix": "example-bank-code",
    "CodeKey": "function.zip", "OrganizationalUnitIds": "ou-a1b2-11111111,ou-a1b2-22222222", "Regions": f"{REGION},us-east-1",
}
EXPAND = """
import json, sys
from ministack.services.cloudformation import language_extensions
print(json.dumps(language_extensions.apply(*json.load(sys.stdin))))
"""
PLAIN = """
import sys
from pathlib import Path
from local import release
print(release.write_template(Path(sys.argv[1])))
"""


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    environments.ensure(("cfn-lint", "sam", "ministack"))


def python(environment: str, program: str, *arguments: Any, text: str = "") -> str:
    command = [environments.program(environment, "python"), "-c", program, *arguments]
    return subprocess.run([str(part) for part in command], cwd=ROOT, input=text, capture_output=True, text=True, check=True).stdout.strip()


def expanded(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """A template with its loops expanded."""
    defaults = {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items() if "Default" in parameter}
    return json.loads(python("ministack", EXPAND, text=json.dumps([template, defaults | parameters])))


def stacksets(mapping: dict[str, Any] | None = None, **parameters: Any) -> dict[str, dict[str, Any]]:
    """The properties of the StackSet of each Region. Their ``Parameters`` map names to values."""
    template = load(STACKSET.read_text())
    template["Mappings"]["ByRegion"] = mapping or template["Mappings"]["ByRegion"]
    template = expanded(template, GIVEN | parameters)
    resolver = Resolver(template, GIVEN | parameters)
    result = {}
    for resource in template["Resources"].values():
        assert resource["Type"] == "AWS::CloudFormation::StackSet"
        properties = resolver.resolve(resource["Properties"])
        group, = properties["StackInstancesGroup"]
        region, = group["Regions"]
        properties["Parameters"] = {item["ParameterKey"]: item["ParameterValue"] for item in properties["Parameters"]}
        result[region] = properties
    return result


def passed(name: str, **arguments: Any) -> dict[str, str]:
    """The value that the StackSet of each Region has for a parameter."""
    return {region: properties["Parameters"][name] for region, properties in stacksets(**arguments).items()}


@pytest.fixture(scope="module")
def plain_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(python("sam", PLAIN, tmp_path_factory.mktemp("release")))


@pytest.fixture(scope="module")
def plain(plain_path: Path) -> dict[str, Any]:
    return json.loads(plain_path.read_text())


@pytest.mark.parametrize("path", [STACKSET, KEY_EVENTS, CODE_BUCKET], ids=lambda path: path.stem)
def test_the_templates_of_an_organization_are_clean_and_the_check_can_fail(path: Path, tmp_path: Path) -> None:
    result = cfn_lint(path)
    assert result.returncode == 0, result.stdout
    broken = tmp_path / path.name
    broken.write_text(path.read_text().replace("        Properties:\n", "        Propertys:\n").replace("BucketEncryption:", "BucketEncrypted:"))
    assert cfn_lint(broken).returncode != 0


def test_the_loops_expand_to_clean_templates(tmp_path: Path) -> None:
    """With real values, cfn-lint needs no further exceptions."""
    for path, parameters in ((STACKSET, GIVEN | {"KmsKeyId": MULTI_REGION_KEY}), (KEY_EVENTS, {"KeyArns": KEY, "ConsumerAccounts": ",".join(CONSUMERS)})):
        template = expanded(load(path.read_text()), parameters)
        del template["Transform"]
        template["Metadata"].pop("cfn-lint", None)
        for name, value in parameters.items():
            template["Parameters"][name]["Default"] = value
        # Only the loop used some parameters, the mapping, and `Fn::Sub` for its variable.
        unused = ["-i", "W1020", "W2001", "W7001"]
        plain = tmp_path / f"{path.stem}.json"
        plain.write_text(json.dumps(template))
        result = subprocess.run(
            [environments.program("cfn-lint", "cfn-lint"), *unused, "--regions", REGION, "--", plain], capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", [STACKSET, KEY_EVENTS], ids=lambda path: path.stem)
def test_the_parameters_are_explained_on_the_console_page(path: Path) -> None:
    template = load(path.read_text())
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(interface["ParameterLabels"]) == sorted(template["Parameters"])
    assert all(parameter["Description"] for parameter in template["Parameters"].values())


def test_the_plain_template_is_the_shipped_one_without_sam(plain: dict[str, Any], plain_path: Path) -> None:
    assert cfn_lint(plain_path).returncode == 0
    text = json.dumps(plain)
    for leftover in ("Transform", "Serverless", "CodeUri", "BuildMethod", "BuildProperties", "lambda:createdBy", "SamTransform"):
        assert leftover not in text
    assert plain["Parameters"] == release.CODE_PARAMETERS | SHIPPED["Parameters"]
    for section in ("Description", "Rules", "Conditions", "Outputs"):
        assert plain[section] == SHIPPED[section]
    differing = {name for name in SHIPPED["Resources"] | plain["Resources"] if plain["Resources"].get(name) != SHIPPED["Resources"].get(name)}
    assert differing == {"Function"}
    function, source = plain["Resources"]["Function"], SHIPPED["Resources"]["Function"]
    assert set(function) == {"Type", "Properties"}
    assert function["Type"] == "AWS::Lambda::Function"
    code = {"S3Bucket": {"Fn::Sub": "${CodeBucketPrefix}-${AWS::Region}"}, "S3Key": {"Ref": "CodeKey"}}
    assert function["Properties"] | {"CodeUri": "."} == source["Properties"] | {"Code": code}
    interface = plain["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(interface["ParameterLabels"]) == sorted(plain["Parameters"])


def test_the_code_is_named_by_its_content(tmp_path: Path) -> None:
    first = release.write_code("arm64", b"one", tmp_path)
    assert first == release.write_code("arm64", b"one", tmp_path), "the same code has the same name"
    assert first.read_bytes() == b"one"
    assert release.write_code("arm64", b"two", tmp_path) != first


def test_each_region_has_a_stackset_that_reaches_later_accounts_too() -> None:
    found = stacksets(KmsKeyId="alias/session-manager", CallAs="DELEGATED_ADMIN", RetainStacksOnAccountRemoval="true", FailureTolerancePercentage="0")
    assert list(found) == GIVEN["Regions"].split(",")
    assert [properties["StackSetName"] for properties in found.values()] == ["session-kms-eu-west-1", "session-kms-us-east-1"]
    for properties in found.values():
        assert properties["PermissionModel"] == "SERVICE_MANAGED"
        assert properties["CallAs"] == "DELEGATED_ADMIN"
        assert properties["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": "true"}
        assert properties["ManagedExecution"] == {"Active": True}
        assert properties["OperationPreferences"] == {
            "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE", "MaxConcurrentPercentage": "10", "FailureTolerancePercentage": "0",
        }
        assert properties["Capabilities"] == ["CAPABILITY_IAM"]
        assert properties["TemplateURL"] == GIVEN["TemplateUrl"]
        group, = properties["StackInstancesGroup"]
        assert group["DeploymentTargets"] == {"OrganizationalUnitIds": GIVEN["OrganizationalUnitIds"].split(",")}
        assert "ParameterOverrides" not in group, "accounts that join later would not get them"


@pytest.mark.parametrize(("given", "keys"), [
    (MULTI_REGION_KEY, {region: MULTI_REGION_KEY.replace("{Region}", region) for region in KEYS}),
    ("alias/session-manager", dict.fromkeys(KEYS, "alias/session-manager")),
    (KEYS[REGION], dict.fromkeys(KEYS, KEYS[REGION])),
    ("", dict.fromkeys(KEYS, "")),
])
@pytest.mark.parametrize("name", ["KmsKeyId", "StandbyKmsKeyId", "AdditionalKeyArns"])
def test_one_value_serves_all_regions(name: str, given: Any, keys: dict[str, str]) -> None:
    assert passed(name, **{name: given}) == keys


def test_a_mapping_gives_each_region_its_own_and_no_other() -> None:
    names = ("KmsKeyId", "StandbyKmsKeyId", "AdditionalKeyArns", "KeyPolicyReaderRoleArn")
    mapping = {region: {name: f"{name} of {region}" for name in names} for region in KEYS}
    for name in names:
        assert passed(name, mapping=mapping) == {region: f"{name} of {region}" for region in KEYS}
        assert passed(name, mapping=mapping, Regions="eu-west-1,sa-east-1") == {REGION: f"{name} of {REGION}", "sa-east-1": ""}
        # A parameter overrides the mapping, for itself only.
        assert passed(name, mapping=mapping, **{name: "alias/given"}) == dict.fromkeys(KEYS, "alias/given")
        other = names[(names.index(name) + 1) % len(names)]
        assert passed(other, mapping=mapping, **{name: "alias/given"}) == {region: f"{other} of {region}" for region in KEYS}


@pytest.mark.parametrize(("name", "value"), [
    ("AlarmTopicArn", "arn:aws:sns:{Region}:111122223333:session-kms"),
    ("ReportDestinationArn", "arn:aws:events:{Region}:111122223333:event-bus/session-kms"),
    ("ReportDestinationArn", "event-bus/default"),
    ("ReportTopicKeyArn", MULTI_REGION_KEY),
])
def test_topics_and_buses_may_name_the_region(name: str, value: Any) -> None:
    assert passed(name, **{name: value}) == {region: value.replace("{Region}", region) for region in KEYS}
    assert passed(name, **{name: value.replace("{Region}", REGION)}) == dict.fromkeys(KEYS, value.replace("{Region}", REGION))
    assert passed(name) == dict.fromkeys(KEYS, "")


def test_a_list_of_further_keys_may_name_the_region_once() -> None:
    listed = f"{KEYS[REGION]},{KEYS['us-east-1']}"
    assert passed("AdditionalKeyArns", AdditionalKeyArns=listed) == dict.fromkeys(KEYS, listed)
    mixed = f"{KEYS[REGION]},{MULTI_REGION_KEY},{KEYS['us-east-1']}"
    assert passed("AdditionalKeyArns", AdditionalKeyArns=mixed) == {region: mixed.replace("{Region}", region) for region in KEYS}


def test_context_and_reads_are_the_same_in_all_regions() -> None:
    known = '{"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"], "aws:SourceVpce": null}'
    assert passed("Context", Context=known) == dict.fromkeys(KEYS, known)
    for name in ("ReadKeyAliases", "ReadNetwork", "ReadSessionDocuments"):
        assert passed(name, **{name: "false"}) == dict.fromkeys(KEYS, "false")


def test_an_account_that_fails_does_not_undo_the_others() -> None:
    """If more accounts fail than tolerated, the StackSet fails as a whole, and a new one is deleted with all its stacks."""
    for properties in stacksets(KmsKeyId="alias/session-manager").values():
        assert properties["OperationPreferences"]["FailureTolerancePercentage"] == "100"


def test_the_stackset_passes_on_parameters_that_the_template_has(plain: dict[str, Any]) -> None:
    parameters = load(STACKSET.read_text())["Parameters"]
    own = {"TemplateUrl", "OrganizationalUnitIds", "Regions", "CallAs", "MaxConcurrentPercentage", "FailureTolerancePercentage", "RetainStacksOnAccountRemoval"}
    given = stacksets(KmsKeyId=MULTI_REGION_KEY)[REGION]["Parameters"]
    assert set(given) == set(parameters) - own
    required = {name for name, parameter in plain["Parameters"].items() if "Default" not in parameter}
    assert required <= set(given)
    for name, value in given.items():
        taken, offered = plain["Parameters"][name], parameters[name]
        assert offered.get("Default") == taken.get("Default"), name
        assert offered.get("AllowedValues") == taken.get("AllowedValues"), name
        assert (offered.get("MinValue"), offered.get("MaxValue")) == (taken.get("MinValue"), taken.get("MaxValue")), name
        assert re.search(taken.get("AllowedPattern", ""), value), name


@pytest.mark.parametrize(("name", "good", "bad"), [
    ("KmsKeyId", [MULTI_REGION_KEY, KEYS[REGION], "alias/session-manager", ""], ["mrk-1234", "arn:aws:kms:{region}:111122223333:key/a", "alias/{Region} x"]),
    ("OrganizationalUnitIds", ["ou-a1b2-11111111", "r-a1b2"], ["o-a1b2c3d4e5", "123456789012"]),
    ("Regions", ["eu-west-1", "us-gov-west-1", "ap-southeast-2"], ["eu-west-1a", "EU", ""]),
    ("AlarmTopicArn", ["arn:aws-us-gov:sns:{Region}:111122223333:a", ""], ["arn:aws:sns:{Region}:111122223333:a.fifo"]),
    (
        "AdditionalKeyArns",
        ["", MULTI_REGION_KEY, f"{KEYS[REGION]},{MULTI_REGION_KEY}"],
        [f"{MULTI_REGION_KEY},{MULTI_REGION_KEY}", f"{KEYS[REGION]},", f"{KEYS[REGION]}, {MULTI_REGION_KEY}", "alias/session-manager"],
    ),
    (
        "ReportDestinationArn",
        ["event-bus/default", "arn:aws:events:{Region}:111122223333:event-bus/a", "arn:aws:sns:{Region}:111122223333:a"],
        ["event-bus/a", "arn:aws:events:{Region}::event-bus/default"],
    ),
    # A permissions boundary is a policy of the role's own account.
    ("PermissionsBoundaryArn", ["", "policy/Boundary", "arn:aws:iam::aws:policy/ReadOnlyAccess"], ["arn:aws:iam::111122223333:policy/Boundary", "Boundary"]),
    ("TemplateUrl", [GIVEN["TemplateUrl"]], ["s3://bucket/template.json"]),
    ("CodeBucketPrefix", ["example-bank-code", "a1"], ["example.bank", "Example", "-code", "a", ""]),
])
def test_misspelt_parameters_are_refused(name: str, good: list[str], bad: list[str]) -> None:
    pattern = re.compile(load(STACKSET.read_text())["Parameters"][name]["AllowedPattern"])
    assert all(pattern.search(value) for value in good)
    assert not any(pattern.search(value) for value in bad)


def test_the_bucket_and_what_reads_it_take_the_same_prefixes_and_no_dots() -> None:
    """With a dot in a bucket's name, the certificate of S3 is not valid for the bucket's address."""
    patterns = {
        load(STACKSET.read_text())["Parameters"]["CodeBucketPrefix"]["AllowedPattern"],
        load(CODE_BUCKET.read_text())["Parameters"]["BucketPrefix"]["AllowedPattern"],
        release.CODE_PARAMETERS["CodeBucketPrefix"]["AllowedPattern"],
    }
    pattern, = patterns
    assert re.search(pattern, "example-bank-code")
    assert not re.search(pattern, "example.bank.code")


@pytest.fixture
def code(account: Account) -> dict[str, Any]:
    """Put the code into the Region's bucket, and return the parameters that name it."""
    bucket = Stack(account.aws, "session-kms-code", CODE_BUCKET.read_text(), {"BucketPrefix": "example-bank-code", "OrganizationId": "o-a1b2c3d4e5"})
    assert bucket.create() == "CREATE_COMPLETE", bucket.failures()
    assert bucket.outputs()["BucketName"] == f"example-bank-code-{REGION}"
    account.aws.client("s3").put_object(Bucket=bucket.outputs()["BucketName"], Key="function.zip", Body=archive(BINARY))
    return {"CodeBucketPrefix": "example-bank-code", "CodeKey": "function.zip", "Architecture": architecture()}


@pytest.mark.parametrize("source", ["multi-Region key", "mapping"])
def test_a_stack_of_the_stackset_sets_the_key_of_its_region_and_restores_the_setting(
    account: Account, code: dict[str, Any], plain: dict[str, Any], source: str
) -> None:
    if source == "mapping":
        found = stacksets(mapping={REGION: {"KmsKeyId": account.keys.first}}, **code)
    else:
        found = stacksets(KmsKeyId=account.keys.first.replace(REGION, "{Region}"), **code)
    before = account.document().content
    stack = account.deploy(json.dumps(plain), **found[REGION]["Parameters"])
    inputs = account.document().content["inputs"]
    assert inputs == before["inputs"] | {"kmsKeyId": account.keys.first}
    assert send(stack, {"action": "status"})
    assert stack.delete() == "DELETE_COMPLETE"
    assert account.document().content["inputs"] == before["inputs"]


def test_a_region_without_a_key_is_refused_before_anything_is_made(account: Account, code: dict[str, Any], plain: dict[str, Any]) -> None:
    found = stacksets(mapping={"us-east-1": {"KmsKeyId": KEYS["us-east-1"]}}, **code)
    with pytest.raises(ClientError, match="Encryption Enabled needs a key"):
        account.stack(json.dumps(plain), **found[REGION]["Parameters"]).create()


@pytest.mark.parametrize(("given", "principals", "conditions"), [
    ({}, CONSUMERS[:2], {}),
    ({"ExternalId": "session-kms"}, CONSUMERS[:2], {"sts:ExternalId": "session-kms"}),
    ({"OrganizationId": "o-a1b2c3d4e5"}, "*", {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}),
    ({"OrganizationId": "o-a1b2c3d4e5", "ExternalId": "session-kms"}, "*", {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "sts:ExternalId": "session-kms"}),
])
def test_the_reader_role_trusts_the_roles_named_of_the_accounts_or_the_organization(given: Any, principals: Any, conditions: dict[str, str]) -> None:
    reader = "arn:aws:iam::*:role/StackSet-session-kms-*"
    parameters = {"KeyArn": KEY, "ConsumerAccounts": ",".join(CONSUMERS[:2]), "ReaderArns": reader} | given
    template = load(KEY_ACCESS_TEMPLATE.read_text())
    trust, = Resolver(template, parameters).resolve(template["Resources"]["ReaderRole"]["Properties"])["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"AWS": principals}, "sts:AssumeRole")
    # IAM accepts no operator without a condition key.
    assert trust["Condition"] == {"ArnLike": {"aws:PrincipalArn": [reader]}} | ({"StringEquals": conditions} if conditions else {})


def test_the_code_is_read_by_the_organization_only() -> None:
    parameters = {"BucketPrefix": "example-bank-code", "OrganizationId": "o-a1b2c3d4e5"}
    template = load(CODE_BUCKET.read_text())
    # Any ARN of the bucket will do here.
    text = json.dumps(template["Resources"]["CodePolicy"]).replace('{"Fn::GetAtt": ["Code", "Arn"]}', '"arn"').replace("${Code.Arn}", "arn")
    policy = Resolver(template, parameters).resolve(json.loads(text)["Properties"])["PolicyDocument"]
    allowed, = [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"]
    assert (allowed["Action"], allowed["Resource"]) == ("s3:GetObject", "arn/*")
    assert allowed["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}


def test_the_instructions_name_only_existing_parameters() -> None:
    text = (DEPLOY / "README.md").read_text()
    named = set(re.findall(r"\b([A-Z][A-Za-z]+)=", "\n".join(block.text for block in blocks(DEPLOY / "README.md"))))
    # Arguments of make, and of the commands on stack instances.
    known = {"TEMPLATE", "ARCHITECTURE", "Name", "Values", "Accounts", "AccountFilterType", "ConcurrencyMode", "OutputKey"}
    for path in [*DEPLOY.glob("*.yaml"), *ROOT.glob("template*.yaml")]:
        known |= set(load(path.read_text())["Parameters"])
    assert {"KmsKeyId", "KeyArns", "ConsumerAccounts"} <= named <= known
    for mentioned in re.findall(r"`([a-z-]+\.yaml)`", text):
        assert (DEPLOY / mentioned).exists() or (ROOT / mentioned).exists(), mentioned
