"""Whom a key would lock out, as real accounts have them: nodes in a VPC that does not reach KMS, nodes under Default
Host Management, and users of just-in-time node access.
"""

import itertools
import json
from dataclasses import dataclass
from typing import Any

from local.seed import role_arn, seed_fleet
from local.servers import ACCOUNT, REGION, LocalAws

CIDR = "10.20.0.0/16"
DEFAULT_HOST_SETTING = "/ssm/managed-instance/default-ec2-instance-management-role"
DEFAULT_HOST_ROLE = "AWSSystemsManagerDefaultEC2InstanceManagementRole"
DEFAULT_HOST_ROLE_ARN = role_arn(f"service-role/{DEFAULT_HOST_ROLE}")
JUST_IN_TIME = "SSM-JustInTimeAccessTokenRole"
# The tag of the keys that just-in-time node access may use.
TAG = {"TagKey": "SystemsManagerJustInTimeNodeAccessManaged", "TagValue": "true"}
# What an instance profile may do whose role is only for the software on the instance.
APPLICATION_ONLY = ("s3:GetObject",)


@dataclass(frozen=True)
class Network:
    """A VPC with one subnet and without a way out."""

    vpc: str
    subnet: str
    # The security group of the endpoints, which admits the VPC on port 443.
    group: str


def seed_private_network(aws: LocalAws, *services: str) -> Network:
    """Make a VPC without a way out, with endpoints for these services (``ssmmessages``, ``kms``)."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock=CIDR)["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.1.0/24", AvailabilityZone=f"{REGION}a")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="endpoints", Description="Endpoints of AWS services", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": CIDR}]}]
    )
    network = Network(vpc, subnet, group)
    for service in services:
        add_endpoint(aws, network, service)
    return network


def add_endpoint(aws: LocalAws, network: Network, service: str, **members: Any) -> str:
    """Make an interface endpoint for a service, and return its id. ``members`` replaces members of DescribeVpcEndpoints."""
    present = aws.state()["endpoints"]
    endpoint_id = f"vpce-{len(present):017x}"
    endpoint = {
        "VpcEndpointId": endpoint_id,
        "VpcEndpointType": "Interface",
        "VpcId": network.vpc,
        "ServiceName": f"com.amazonaws.{REGION}.{service}",
        "State": "available",
        "PolicyDocument": document({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}),
        "PrivateDnsEnabled": True,
        "SubnetIds": [network.subnet],
        "Groups": [network.group],
        "OwnerId": ACCOUNT,
    } | members
    aws.update_state(endpoints=[*present, endpoint])
    return endpoint_id


def set_endpoint_policy(aws: LocalAws, endpoint: str, *statements: dict[str, Any]) -> None:
    """Replace the policy of an endpoint."""
    changed = [
        item | {"PolicyDocument": document(*statements)} if item["VpcEndpointId"] == endpoint else item
        for item in aws.state()["endpoints"]
    ]
    aws.update_state(endpoints=changed)


def document(*statements: dict[str, Any]) -> str:
    """A policy document of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def add_route(aws: LocalAws, network: Network, **target: str) -> None:
    """Add a route to everywhere to the main route table of a VPC, for example by ``TransitGatewayId``."""
    ec2 = aws.client("ec2")
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])["RouteTables"]
    main, = [table for table in tables if any(association["Main"] for association in table["Associations"])]
    ec2.create_route(RouteTableId=main["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", **target)


def seed_private_nodes(aws: LocalAws, network: Network, *roles: str) -> list[str]:
    """Make a node in the VPC for each role, and return the ids of the nodes."""
    addresses = itertools.count(len(aws.state()["nodes"]) + 10)
    return [node for role in roles for node in seed_fleet(aws, role, SubnetId=network.subnet, PrivateIpAddress=f"10.20.1.{next(addresses)}")]


def seed_default_host_management(aws: LocalAws) -> None:
    """Turn Default Host Management on, with the role that its set-up makes, which may do nothing with KMS."""
    trust = {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}
    aws.client("iam").create_role(
        RoleName=DEFAULT_HOST_ROLE, Path="/service-role/", AssumeRolePolicyDocument=document(trust)
    )
    put_role_policy(aws, DEFAULT_HOST_ROLE, "node", "ssm:UpdateInstanceInformation", "ssmmessages:*")
    aws.client("ssm").update_service_setting(SettingId=DEFAULT_HOST_SETTING, SettingValue=f"service-role/{DEFAULT_HOST_ROLE}")


def seed_application_profile(aws: LocalAws, name: str, *actions: str) -> None:
    """Make an instance profile whose role may do these actions, by default only what the software on the instance needs.

    Such a node works by the role of Default Host Management, unless the actions include ssm:UpdateInstanceInformation.
    """
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    put_role_policy(aws, name, "application", *(actions or APPLICATION_ONLY))


def seed_just_in_time_access(aws: LocalAws) -> None:
    """Make the role of just-in-time node access, which may use only keys that have the tag."""
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "justintimeaccess.ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=JUST_IN_TIME, AssumeRolePolicyDocument=document(trust))
    allow = {
        "Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*",
        "Condition": {"StringEquals": {f"aws:ResourceTag/{TAG['TagKey']}": TAG["TagValue"]}},
    }
    iam.put_role_policy(RoleName=JUST_IN_TIME, PolicyName="sessions", PolicyDocument=document(allow))


def put_role_policy(aws: LocalAws, role: str, name: str, *actions: str, resource: str = "*") -> None:
    """Put an inline policy that allows actions."""
    allow = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    aws.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document(allow))
