"""Fills an account with a preferences document, keys, roles, nodes and sessions, as real accounts have them.

The demo and the end-to-end tests start from it.
"""

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.servers import ACCOUNT, LocalAws

DOCUMENT = "SSM-SessionManagerRunShell"
# An account that uses this account's keys.
CONSUMER = "222222222222"

# Logging, run-as and a shell profile as the console writes them, and values as other tools leave them: a boolean as a
# string, a number instead of a string, an unknown setting.
PREFERENCES: dict[str, Any] = {
    "schemaVersion": "1.0",
    "description": "Document to hold regional settings for Session Manager",
    "sessionType": "Standard_Stream",
    "inputs": {
        "s3BucketName": "example-bank-session-logs",
        "s3KeyPrefix": "eu-west-1/",
        "s3EncryptionEnabled": True,
        "cloudWatchLogGroupName": "/ssm/sessions",
        "cloudWatchEncryptionEnabled": "true",
        "cloudWatchStreamingEnabled": True,
        "kmsKeyId": "",
        "runAsEnabled": True,
        "runAsDefaultUser": "ops",
        "idleSessionTimeout": 20,
        "maxSessionDuration": "60",
        "x-internal-ticket": "OPS-1234",
        "shellProfile": {
            "windows": "",
            "linux": "exec bash --login\nexport PS1='[\\u@prod \\W]\\$ '",
        },
    },
}


def key_policy() -> str:
    """A key policy that delegates to the account's IAM policies and admits another account."""
    root = f"arn:aws:iam::{ACCOUNT}:root"
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"},
                {
                    "Sid": "Consumers", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CONSUMER}:root"},
                    "Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"], "Resource": "*",
                },
                {
                    "Sid": "NobodyDeletesIt", "Effect": "Deny", "Principal": {"AWS": "*"},
                    "Action": "kms:ScheduleKeyDeletion", "Resource": "*",
                    "Condition": {"StringNotEquals": {"aws:PrincipalArn": root}},
                },
            ],
        }
    )


@dataclass(frozen=True)
class Keys:
    """The keys of the account, by ARN."""

    first: str
    second: str
    # A key for signatures, which cannot encrypt sessions.
    signing: str


FIRST_ALIAS = "alias/session-manager"
SECOND_ALIAS = "alias/session-manager-next"


def make_key(aws: LocalAws, description: str, policy: str, account: str = ACCOUNT, **kind: str) -> str:
    """Make a key that looks a year old. For a new key the product repeats refused checks for minutes."""
    key = aws.client("kms", account).create_key(Description=description, Policy=policy, **kind)["KeyMetadata"]["Arn"]
    aws.update_state(created={key: time.time() - 365 * 86_400})
    return key


def seed_keys(aws: LocalAws) -> Keys:
    kms = aws.client("kms")

    def make(description: str, **kind: str) -> str:
        return make_key(aws, description, key_policy(), **kind)

    keys = Keys(
        first=make("Session Manager sessions"),
        second=make("Session Manager sessions, next"),
        signing=make("Release signatures", KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY"),
    )
    kms.create_alias(AliasName=FIRST_ALIAS, TargetKeyId=keys.first)
    kms.create_alias(AliasName=SECOND_ALIAS, TargetKeyId=keys.second)
    return keys


def seed_document(aws: LocalAws, content: dict[str, Any] | None = None, name: str = DOCUMENT) -> None:
    aws.client("ssm").create_document(
        Name=name, DocumentType="Session", DocumentFormat="JSON", Content=json.dumps(content or PREFERENCES, indent=2)
    )


@dataclass(frozen=True)
class Document:
    """The default version of a preferences document."""

    version: str
    latest: str
    content: dict[str, Any]
    text: str

    @property
    def key(self) -> Any:
        return self.content["inputs"].get("kmsKeyId")

    def keeps_settings_of(self, original: "Document") -> bool:
        """Whether all settings but the key equal those of another version: values, types and order.

        The description may be longer: Systems Manager can refuse content that equals an earlier version, and the
        function then extends the description.
        """
        described = str(self.content.get("description", "")).startswith(str(original.content.get("description", "")))
        return described and self._rest() == original._rest()

    def _rest(self) -> str:
        rest = json.loads(self.text)
        rest.pop("description", None)
        rest["inputs"].pop("kmsKeyId", None)
        return json.dumps(rest)


def read_document(aws: LocalAws, name: str = DOCUMENT) -> Document:
    ssm = aws.client("ssm")
    description = ssm.describe_document(Name=name)["Document"]
    text = ssm.get_document(Name=name, DocumentFormat="JSON")["Content"]
    return Document(description["DefaultVersion"], description["LatestVersion"], json.loads(text), text)


# The roles of the account: of the user who starts sessions, and of nodes.
USER_ROLE = "Operator"
NODE_ROLE = "App"
OTHER_NODE_ROLE = "Database"


def role_arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def seed_roles(aws: LocalAws, account: str = ACCOUNT) -> None:
    """Make roles that have only Session Manager's own permissions, and none on keys."""
    iam = aws.client("iam", account)
    for name, service in ((USER_ROLE, ""), (NODE_ROLE, "ec2.amazonaws.com"), (OTHER_NODE_ROLE, "ec2.amazonaws.com")):
        principal = {"Service": service} if service else {"AWS": f"arn:aws:iam::{account}:root"}
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        if service:
            iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
            iam.create_instance_profile(InstanceProfileName=name)
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        else:
            allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "*"}]}
            iam.put_role_policy(RoleName=name, PolicyName="sessions", PolicyDocument=json.dumps(allow))


def seed_fleet(aws: LocalAws, *roles: str, agent: str = "3.3.2299.0", **launch: Any) -> list[str]:
    """Make a managed EC2 node for each role, besides those that are there, and return the ids of the new nodes.

    ``launch`` holds parameters of RunInstances, such as SubnetId. An empty name makes a node without an instance
    profile. By default the nodes are in the default VPC, which has a way to the internet.
    """
    ec2 = aws.client("ec2")
    _open_default_vpc(ec2)
    nodes = []
    for role in roles:
        profile = {"IamInstanceProfile": {"Name": role}} if role else {}
        answer = ec2.run_instances(ImageId="ami-0123456789abcdef0", InstanceType="t3.micro", MinCount=1, MaxCount=1, **profile, **launch)
        nodes.append(answer["Instances"][0]["InstanceId"])
    made = [
        {"InstanceId": node, "PingStatus": "Online", "AgentVersion": agent, "PlatformType": "Linux", "ResourceType": "EC2Instance"}
        for node in nodes
    ]
    aws.update_state(nodes=[*aws.state()["nodes"], *made])
    return nodes


def _open_default_vpc(ec2: Any) -> None:
    """Give the main route table of the default VPC its route to the internet gateway, which ministack leaves out."""
    vpc, = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    of_vpc = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    table, = ec2.describe_route_tables(Filters=[*of_vpc, {"Name": "association.main", "Values": ["true"]}])["RouteTables"]
    if any(route.get("DestinationCidrBlock") == "0.0.0.0/0" for route in table["Routes"]):
        return
    gateway, = [
        gateway["InternetGatewayId"]
        for gateway in ec2.describe_internet_gateways()["InternetGateways"]
        if vpc["VpcId"] in [attachment["VpcId"] for attachment in gateway["Attachments"]]
    ]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)


def stop_nodes(aws: LocalAws, *nodes: str) -> None:
    """Stop nodes. Systems Manager does not list them any more."""
    aws.client("ec2").stop_instances(InstanceIds=list(nodes))
    aws.update_state(nodes=[node for node in aws.state()["nodes"] if node["InstanceId"] not in nodes])


def seed_sessions(aws: LocalAws, *owners: str, **members: str) -> None:
    """Make a session of yesterday for each owner, given by ARN, besides those that are there.

    ``members`` holds further members of the sessions, such as DocumentName, Target and AccessType.
    """
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    present = aws.state()["sessions"]
    made = [
        {
            "SessionId": f"session-{number:017x}", "Owner": owner, "Status": "Terminated", "StartDate": yesterday,
            "Target": "i-0123456789abcdef0", "AccessType": "Standard",
        } | members
        for number, owner in enumerate(owners, len(present))
    ]
    aws.update_state(sessions=[*present, *made])


def named_roles_policy(account: str, **actions: list[str]) -> str:
    """A key policy that lets the account only administer the key, and admits principals to the actions given.

    Each argument is an action of KMS, for example ``GenerateDataKey``, with a list of ARNs.
    """
    root = f"arn:aws:iam::{account}:root"
    administration = ["kms:Describe*", "kms:Get*", "kms:List*", "kms:Put*", "kms:CreateGrant", "kms:RevokeGrant", "kms:ScheduleKeyDeletion"]
    statements = [{"Sid": "Administration", "Effect": "Allow", "Principal": {"AWS": root}, "Action": administration, "Resource": "*"}]
    statements += [
        {"Sid": f"Allow{action}", "Effect": "Allow", "Principal": {"AWS": roles}, "Action": f"kms:{action}", "Resource": "*"}
        for action, roles in actions.items()
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def add_to_key_policy(aws: LocalAws, key: str, *statements: dict[str, Any], account: str = ACCOUNT) -> None:
    """Add statements to a key policy, as a security team does with those of a report."""
    kms = aws.client("kms", account)
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"] += statements
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))


def statements_of(reason: str) -> list[dict[str, Any]]:
    """The key policy statements in the reason of a refusal."""
    statements = []
    for part in re.split(r"add to (?:the list Statement of )?the key policy(?:, for [^{]*)?: ", reason)[1:]:
        statement, _ = json.JSONDecoder().raw_decode(part)
        statements.append(statement)
    return statements
