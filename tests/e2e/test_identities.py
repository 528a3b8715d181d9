"""The own sides of many roles and users: IAM's list of the account and IAM's simulator lead to the same verdicts."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local import seed
from local.paths import TARGET
from local.servers import ACCOUNT, REGION, LocalAws

# The command line, as the suite builds it.
COMMAND_LINE = Path(os.environ.get("SESSION_KMS", TARGET / "debug" / "session-kms"))
# As many of each kind, so that there are more principals than are simulated one by one.
COPIES = 6
ORGANIZATION = "o-a1b2c3d4e5"

ACTIONS = ["kms:GenerateDataKey", "kms:Decrypt"]
KEYS = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*"
REGIONAL = {"StringEquals": {"aws:RequestedRegion": REGION}}
ELSEWHERE = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
BY_SERVICE = {"StringEquals": {"kms:ViaService": f"ssm.{REGION}.amazonaws.com"}}
BY_TEAM = {"StringEquals": {"aws:PrincipalTag/team": "web"}}
BY_ENDPOINT = {"StringEquals": {"aws:SourceVpce": "vpce-0a1b2c3d4e5f60718"}}


def statement(effect: str, actions: Any = ACTIONS, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": actions, "Resource": resource} | more


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ALLOW = document(statement("Allow"))
READS = document(statement("Allow", ["s3:Get*", "ssm:*"]))
NOT_IAM = document({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"})
NOT_THE_KEY = document({"Effect": "Allow", "Action": ACTIONS, "NotResource": KEYS})


@dataclass(frozen=True)
class Kind:
    """A kind of role or user, and whether it can use the key if the account is in no organization."""

    name: str
    expected: str
    inline: tuple[str, ...] = ()
    managed: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    boundary: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def is_user(self) -> bool:
        return bool(self.group) or self.name.startswith("user")


KINDS = [
    Kind("inline", "pass", inline=(ALLOW,)),
    Kind("managed", "pass", managed=(ALLOW,)),
    Kind("both", "pass", inline=(READS,), managed=(READS, ALLOW)),
    Kind("nothing", "fail"),
    Kind("reads", "fail", inline=(READS,)),
    Kind("denied", "fail", inline=(ALLOW,), managed=(document(statement("Deny", "kms:*")),)),
    Kind("keys", "pass", inline=(document(statement("Allow", "kms:*", KEYS)),)),
    Kind("other-keys", "fail", inline=(document(statement("Allow", "kms:*", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/*")),)),
    Kind("not-iam", "pass", managed=(NOT_IAM,)),
    Kind("not-the-key", "fail", inline=(NOT_THE_KEY,)),
    Kind("regional", "pass", inline=(document(statement("Allow", Condition=REGIONAL)),)),
    Kind("elsewhere", "fail", inline=(document(statement("Allow", Condition=ELSEWHERE)),)),
    Kind("by-service", "fail", inline=(document(statement("Allow", Condition=BY_SERVICE)),)),
    Kind("team", "pass", inline=(document(statement("Allow", Condition=BY_TEAM)),), tags={"team": "web"}),
    Kind("other-team", "fail", inline=(document(statement("Allow", Condition=BY_TEAM)),), tags={"team": "db"}),
    Kind("by-endpoint", "unknown", inline=(document(statement("Allow", Condition=BY_ENDPOINT)),)),
    Kind("bounded", "pass", inline=(ALLOW,), boundary=document(statement("Allow", "*"))),
    Kind("out-of-bounds", "fail", inline=(ALLOW,), boundary=READS),
    Kind("boundary-denies", "fail", managed=(ALLOW,), boundary=document(statement("Allow", "*"), statement("Deny"))),
    Kind("user-inline", "pass", inline=(ALLOW,)),
    Kind("user-nothing", "fail"),
    Kind("user-in-group", "pass", group=(ALLOW,)),
    Kind("user-denied-by-group", "fail", inline=(ALLOW,), group=(document(statement("Deny", "kms:GenerateDataKey")),)),
    Kind("user-out-of-bounds", "fail", group=(ALLOW,), boundary=READS),
]


class Seeds:
    """Seeds the kinds, each several times."""

    def __init__(self, aws: LocalAws) -> None:
        self.iam = aws.client("iam")
        self.policies: dict[str, str] = {}
        # The kind of each principal, by its ARN.
        self.kinds: dict[str, Kind] = {}
        for kind in KINDS:
            for number in range(COPIES):
                self.kinds[self.principal(kind, f"{kind.name}-{number}")] = kind

    def principal(self, kind: Kind, name: str) -> str:
        word = "user" if kind.is_user else "role"
        whose = {f"{word.capitalize()}Name": name}
        options: dict[str, Any] = {"Path": "/team/", "Tags": [{"Key": key, "Value": value} for key, value in kind.tags.items()]}
        if kind.boundary:
            options["PermissionsBoundary"] = self.policy(kind.boundary)
        if not kind.is_user:
            trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
            options["AssumeRolePolicyDocument"] = document(trust)
        arn: str = getattr(self.iam, f"create_{word}")(**whose, **options)[word.capitalize()]["Arn"]
        for number, inline in enumerate(kind.inline):
            getattr(self.iam, f"put_{word}_policy")(**whose, PolicyName=f"inline-{number}", PolicyDocument=inline)
        for managed in kind.managed:
            getattr(self.iam, f"attach_{word}_policy")(**whose, PolicyArn=self.policy(managed))
        if kind.group:
            group = {"GroupName": f"group-of-{name}"}
            self.iam.create_group(**group)
            for number, inline in enumerate(kind.group):
                self.iam.put_group_policy(**group, PolicyName=f"inline-{number}", PolicyDocument=inline)
            self.iam.add_user_to_group(**group, UserName=name)
        return arn

    def policy(self, text: str) -> str:
        """The ARN of a managed policy with this text, whose default version is its second one."""
        if text not in self.policies:
            name = f"policy-{len(self.policies)}"
            arn = self.iam.create_policy(PolicyName=name, PolicyDocument=READS)["Policy"]["Arn"]
            self.iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
            self.policies[text] = arn
        return self.policies[text]


@pytest.fixture(scope="module")
def seeded(servers: LocalAws) -> tuple[Seeds, str]:
    servers.reset()
    return Seeds(servers), seed.make_key(servers, "sessions", seed.key_policy())


def check(aws: LocalAws, seeds: Seeds, key: str, *options: str, **settings: str) -> dict[str, Any]:
    """The report of `session-kms check` about all principals."""
    named = [word for arn, kind in seeds.kinds.items() for word in ("--user" if kind.is_user else "--node", arn)]
    command = [
        str(COMMAND_LINE), "check", "--format", "json", "--key", key, "--no-discover-users", "--no-discover-nodes", *named, *options,
    ]
    environment = os.environ | {name: str(value) for name, value in aws.environment().items()} | settings
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    return {access["principal"]: access["verdict"] for access in report["access"]}


def test_the_list_and_the_simulator_lead_to_the_verdicts_that_were_seeded(servers: LocalAws, seeded: tuple[Seeds, str]) -> None:
    seeds, key = seeded
    assert len(seeds.kinds) > 100
    listed, simulated = check(servers, seeds, key, "--list-policies"), check(servers, seeds, key)
    expected = {arn: kind.expected for arn, kind in seeds.kinds.items()}
    assert verdicts(listed) == expected
    assert verdicts(simulated) == expected
    # The list was read: it names the policy and the statement that decide.
    own = next(access["ownSide"] for access in listed["access"] if access["principal"].endswith("role/team/inline-0"))
    assert own == "kms:Decrypt: statement 0 of policy role_inline-0_inline-0 allows it"
    assert "(role_inline-0_inline-0)" in next(access["ownSide"] for access in simulated["access"] if access["principal"].endswith("role/team/inline-0"))


def test_in_an_organization_the_list_leaves_unknown_what_it_allows(servers: LocalAws, seeded: tuple[Seeds, str]) -> None:
    seeds, key = seeded
    servers.update_state(organizations={ACCOUNT: ORGANIZATION})
    try:
        listed = check(servers, seeds, key, "--list-policies")
    finally:
        servers.update_state(organizations={})
    assert verdicts(listed) == {arn: "fail" if kind.expected == "fail" else "unknown" for arn, kind in seeds.kinds.items()}
    own = next(access["ownSide"] for access in listed["access"] if access["principal"].endswith("role/team/inline-0"))
    assert "a control policy of the organization" in own
    assert ORGANIZATION in own


def test_without_the_permission_the_simulator_is_asked_and_the_report_says_so(servers: LocalAws, seeded: tuple[Seeds, str]) -> None:
    seeds, key = seeded
    actions = ["kms:*", "ssm:*", "ec2:*", "organizations:*", "iam:SimulatePrincipalPolicy", "iam:GetRole", "iam:GetUser"]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    role = seeds.iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    seeds.iam.put_role_policy(RoleName="auditor", PolicyName="reads", PolicyDocument=document(statement("Allow", actions)))
    sts = boto3.client(
        "sts", region_name=REGION, endpoint_url=servers.gateway, aws_access_key_id=ACCOUNT, aws_secret_access_key="test", config=Config(proxies={}),
    )
    given = sts.assume_role(RoleArn=role, RoleSessionName="audit")["Credentials"]
    settings = {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"], "AWS_SESSION_TOKEN": given["SessionToken"],
    }
    report = check(servers, seeds, key, "--list-policies", **settings)
    said = [finding for finding in report["findings"] if "iam:GetAccountAuthorizationDetails" in finding["evidence"]]
    assert [(finding["check"], finding["verdict"], finding["subject"]) for finding in said] == [("identities", "warning", ACCOUNT)]
    assert verdicts(report) == {arn: kind.expected for arn, kind in seeds.kinds.items()}
