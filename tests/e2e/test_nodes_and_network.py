"""Nodes as they really are: the role by which each works, its way to KMS, and who is not running now."""

import json
from typing import Any

import pytest

from local import fleets, seed
from local.servers import ACCOUNT, OWNER, REGION
from local.stacks import Stack
from tests.e2e.conftest import Account
from tests.e2e.test_preflight import report

HOST, BATCH, NODE = fleets.DEFAULT_HOST_ROLE_ARN, seed.role_arn("Batch"), seed.role_arn(seed.NODE_ROLE)
KMS = f"com.amazonaws.{REGION}.kms"


def may_decrypt(account: Account, *roles: str) -> None:
    for role in roles:
        fleets.put_role_policy(account.aws, role, "sessions", "kms:Decrypt", resource=account.keys.first)


def refusal(stack: Stack) -> str:
    """Create a stack that is refused, and return the reason."""
    assert stack.create() == "ROLLBACK_COMPLETE"
    return " ".join(stack.failures())


def findings(stack: Stack, check: str) -> list[dict[str, Any]]:
    """The findings of a check in the last report."""
    return [finding for finding in report(stack)["findings"] if finding["check"] == check]


def verdicts(stack: Stack, check: str) -> set[str]:
    return {finding["verdict"] for finding in findings(stack, check)}


def evidence(stack: Stack, check: str) -> str:
    return " ".join(f"{finding['subject']}: {finding['evidence']}" for finding in findings(stack, check))


@pytest.fixture
def managed(account: Account) -> Account:
    """An account with Default Host Management on, and an instance profile that has no permission for Systems Manager."""
    fleets.seed_default_host_management(account.aws)
    fleets.seed_application_profile(account.aws, "Batch")
    return account


def test_a_node_of_default_host_management_is_checked_by_the_role_of_default_host_management(managed: Account) -> None:
    node, = seed.seed_fleet(managed.aws, "Batch")
    may_decrypt(managed, "Batch")
    before = managed.document()
    stack = managed.stack()
    reason = refusal(stack)
    assert HOST in reason
    assert node in reason
    assert BATCH not in reason
    assert managed.document() == before
    assert [remedy["principals"] for remedy in report(stack)["remedies"]["identityPolicies"]] == [[HOST]]
    may_decrypt(managed, fleets.DEFAULT_HOST_ROLE)
    managed.deploy()
    assert managed.document().key == managed.keys.first


def test_the_role_of_a_profile_that_no_node_works_by_needs_no_access(managed: Account) -> None:
    seed.seed_fleet(managed.aws, "Batch")
    may_decrypt(managed, fleets.DEFAULT_HOST_ROLE)
    stack = managed.deploy()
    assert managed.document().key == managed.keys.first
    assert [access["principal"] for access in report(stack)["access"]] == [HOST]


def test_a_profile_that_may_work_with_systems_manager_is_checked_by_its_own_role(managed: Account) -> None:
    seed.seed_roles(managed.aws)
    seed.seed_fleet(managed.aws, seed.NODE_ROLE)
    may_decrypt(managed, fleets.DEFAULT_HOST_ROLE)
    reason = refusal(managed.stack())
    assert NODE in reason
    assert HOST not in reason
    may_decrypt(managed, seed.NODE_ROLE)
    managed.deploy()


def test_a_node_without_a_profile_works_by_default_host_management(managed: Account) -> None:
    node, = seed.seed_fleet(managed.aws, "")
    reason = refusal(managed.stack())
    assert HOST in reason
    assert node in reason
    may_decrypt(managed, fleets.DEFAULT_HOST_ROLE)
    managed.deploy()


def test_if_the_role_of_a_node_is_not_known_one_of_two_that_fails_is_unknown(managed: Account) -> None:
    seed.seed_fleet(managed.aws, "Batch")
    unknown = {"SimulateIdentities": "false", "DiscoverUsers": "false"}

    def key(*roles: str) -> str:
        return seed.make_key(managed.aws, "named roles", seed.named_roles_policy(ACCOUNT, Decrypt=list(roles)))

    reason = refusal(managed.stack(KmsKeyId=key(seed.role_arn("fleets/Nobody")), **unknown))
    assert BATCH in reason
    assert HOST in reason
    for role in (BATCH, HOST):
        stack = managed.deploy(KmsKeyId=key(role), **unknown)
        assert "fail" not in {finding["verdict"] for finding in report(stack)["findings"]}
        assert "unknown" in stack.outputs()["Findings"]
        assert stack.delete() == "DELETE_COMPLETE"


@pytest.fixture
def private(account: Account) -> tuple[Account, fleets.Network, list[str]]:
    """Two nodes that may use the key, in a VPC without a way out that has endpoints for Session Manager and none for KMS."""
    seed.seed_roles(account.aws)
    may_decrypt(account, seed.NODE_ROLE)
    network = fleets.seed_private_network(account.aws, "ssm", "ssmmessages")
    return account, network, fleets.seed_private_nodes(account.aws, network, seed.NODE_ROLE, seed.NODE_ROLE)


Private = tuple[Account, fleets.Network, list[str]]


def test_nodes_that_cannot_reach_kms_are_refused_until_there_is_an_endpoint(private: Private) -> None:
    account, network, nodes = private
    before = account.document()
    stack = account.stack()
    reason = refusal(stack)
    assert network.vpc in reason
    assert network.subnet in reason
    assert "2 nodes" in reason
    assert any(node in reason for node in nodes)
    assert account.document() == before
    assert verdicts(stack, "network") == {"fail"}
    remedy, = [remedy for remedy in report(stack)["remedies"]["resources"] if remedy["resource"] == network.vpc]
    snippet = json.dumps(remedy["snippet"])
    assert KMS in snippet
    assert network.subnet in snippet
    fleets.add_endpoint(account.aws, network, "kms")
    account.deploy()
    assert account.document().key == account.keys.first


@pytest.mark.parametrize("target", [
    {"TransitGatewayId": "tgw-0123456789abcdef0"},
    {"VpcPeeringConnectionId": "pcx-0123456789abcdef0"},
    {"GatewayId": "vgw-0123456789abcdef0"},
], ids=lambda target: next(iter(target)))
def test_a_target_that_may_reach_kms_is_unknown_and_blocks_in_strict_only(private: Private, target: dict[str, str]) -> None:
    account, network, _ = private
    fleets.add_route(account.aws, network, **target)
    stack = account.deploy()
    assert verdicts(stack, "network") == {"unknown"}
    assert network.vpc in evidence(stack, "network")
    assert stack.delete() == "DELETE_COMPLETE"
    assert network.vpc in refusal(account.stack(Preflight="Strict", DryRun="true"))


def test_a_public_nat_gateway_is_a_route_to_the_internet(private: Private) -> None:
    account, network, _ = private
    ec2 = account.aws.client("ec2")
    public = ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.20.2.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=public)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    nat = ec2.create_nat_gateway(SubnetId=public)["NatGateway"]["NatGatewayId"]
    fleets.add_route(account.aws, network, NatGatewayId=nat)
    assert verdicts(account.deploy(), "network") == {"pass"}


def test_an_internet_gateway_is_no_route_to_the_internet_for_a_node_without_a_public_address(private: Private) -> None:
    account, network, _ = private
    ec2 = account.aws.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    fleets.add_route(account.aws, network, GatewayId=gateway)
    assert network.vpc in refusal(account.stack())


def test_an_endpoint_without_private_dns_is_unknown(private: Private) -> None:
    account, network, _ = private
    endpoint = fleets.add_endpoint(account.aws, network, "kms", PrivateDnsEnabled=False)
    stack = account.deploy()
    assert verdicts(stack, "network") == {"unknown"}
    assert endpoint in evidence(stack, "network")


def test_an_endpoint_whose_policy_forbids_the_key_is_refused_until_the_policy_allows_it(private: Private) -> None:
    account, network, _ = private
    endpoint = fleets.add_endpoint(account.aws, network, "kms")
    allow = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": account.keys.second}
    fleets.set_endpoint_policy(account.aws, endpoint, allow)
    stack = account.stack()
    reason = refusal(stack)
    assert endpoint in reason
    assert "kms:Decrypt" in reason
    remedy, = [remedy for remedy in report(stack)["remedies"]["resources"] if remedy["resource"] == endpoint]
    fleets.set_endpoint_policy(account.aws, endpoint, allow, remedy["snippet"])
    account.deploy()
    assert account.document().key == account.keys.first


def test_the_policy_of_an_endpoint_is_evaluated_for_another_account_s_key_too(private: Private) -> None:
    account, network, _ = private
    key = seed.make_key(account.aws, "of another account", seed.named_roles_policy(OWNER, Decrypt=[NODE], DescribeKey=[f"arn:aws:iam::{ACCOUNT}:root"]), OWNER)
    fleets.put_role_policy(account.aws, seed.NODE_ROLE, "foreign", "kms:Decrypt", resource=key)
    own = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": f"arn:aws:kms:*:{ACCOUNT}:key/*"}
    endpoint = fleets.add_endpoint(account.aws, network, "kms", PolicyDocument=fleets.document(own))
    assert endpoint in refusal(account.stack(KmsKeyId=key))
    fleets.set_endpoint_policy(account.aws, endpoint, own, own | {"Resource": key})
    account.deploy(KmsKeyId=key)


def test_a_security_group_that_does_not_admit_the_nodes_is_a_warning(private: Private) -> None:
    account, network, _ = private
    ec2 = account.aws.client("ec2")
    closed = ec2.create_security_group(GroupName="closed", Description="Admits nobody", VpcId=network.vpc)["GroupId"]
    fleets.add_endpoint(account.aws, network, "kms", Groups=[closed])
    stack = account.deploy()
    assert "warning" in verdicts(stack, "network")
    assert closed in evidence(stack, "network")


def test_an_endpoint_in_another_availability_zone_only_is_a_warning(private: Private) -> None:
    account, network, _ = private
    other = account.aws.client("ec2").create_subnet(VpcId=network.vpc, CidrBlock="10.20.2.0/24", AvailabilityZone=f"{REGION}b")
    fleets.add_endpoint(account.aws, network, "kms", SubnetIds=[other["Subnet"]["SubnetId"]])
    stack = account.deploy()
    assert "warning" in verdicts(stack, "network")
    assert f"{REGION}a" in evidence(stack, "network")


def test_without_reading_the_network_it_is_unknown(private: Private) -> None:
    account, _, _ = private
    stack = account.deploy(ReadNetwork="false")
    assert account.document().key == account.keys.first
    assert verdicts(stack, "network") == {"unknown"}
    assert "ec2:DescribeInstances" in evidence(stack, "network")
    assert stack.delete() == "DELETE_COMPLETE"
    assert "ec2:DescribeInstances" in refusal(account.stack(ReadNetwork="false", Preflight="Strict", DryRun="true"))


def test_without_nodes_on_ec2_nothing_is_asked_about_networks(account: Account) -> None:
    seed.seed_roles(account.aws)
    may_decrypt(account, seed.NODE_ROLE)
    node = {
        "InstanceId": "mi-0123456789abcdef0", "PingStatus": "Online", "AgentVersion": "3.3.2299.0", "PlatformType": "Linux",
        "ResourceType": "ManagedInstance", "IamRole": seed.NODE_ROLE,
    }
    account.aws.update_state(nodes=[node])
    stack = account.deploy()
    assert [access["principal"] for access in report(stack)["access"]] == [NODE]
    operations = {json.loads(line).get("operation") for line in stack.logs() if line.startswith("{")}
    assert "ssm:DescribeInstanceInformation" in operations
    assert not operations & {"ec2:DescribeVpcEndpoints", "ec2:DescribeRouteTables", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"}


def test_the_role_of_stopped_instances_is_a_warning_that_blocks_in_strict_only(account: Account) -> None:
    seed.seed_roles(account.aws)
    seed.seed_fleet(account.aws, seed.NODE_ROLE)
    stopped = seed.seed_fleet(account.aws, seed.OTHER_NODE_ROLE, seed.OTHER_NODE_ROLE)
    seed.stop_nodes(account.aws, *stopped)
    may_decrypt(account, seed.NODE_ROLE)
    stack = account.deploy()
    assert account.document().key == account.keys.first
    found = " ".join(finding["evidence"] for finding in report(stack)["findings"] if finding["subject"] == seed.role_arn(seed.OTHER_NODE_ROLE))
    assert "2 stopped instances" in found
    assert any(node in found for node in stopped)
    assert "fail" not in {finding["verdict"] for finding in report(stack)["findings"]}
    assert stack.delete() == "DELETE_COMPLETE"
    assert seed.role_arn(seed.OTHER_NODE_ROLE) in refusal(account.stack(Preflight="Strict", DryRun="true"))
    may_decrypt(account, seed.OTHER_NODE_ROLE)
    account.deploy(Preflight="Strict", DryRun="true")
    assert account.document().key == account.keys.first
