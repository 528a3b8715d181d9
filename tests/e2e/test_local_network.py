"""The local AWS itself: the network of EC2, Default Host Management and documents of sessions, as the gateway answers.

The tests of the product rely on it. None of the tests here needs the function.
"""

import json
from typing import Any

import pytest

from local import fleets, seed
from local.servers import ACCOUNT, REGION, LocalAws
from tests.e2e.test_local_aws import allow, as_role, assert_error, put_role_policy, simulate

READS = (
    "describe_instances", "describe_vpc_endpoints", "describe_subnets", "describe_route_tables", "describe_nat_gateways", "describe_security_groups",
)


def action(method: str) -> str:
    return "ec2:" + "".join(word.capitalize() for word in method.split("_"))


@pytest.fixture
def roles(aws: LocalAws) -> LocalAws:
    seed.seed_roles(aws)
    return aws


def instance(aws: LocalAws, node: str) -> dict[str, Any]:
    reservation, = aws.client("ec2").describe_instances(InstanceIds=[node])["Reservations"]
    found, = reservation["Instances"]
    return found


@pytest.mark.parametrize("method", READS)
def test_each_read_of_the_network_needs_its_permission(roles: LocalAws, method: Any) -> None:
    ec2 = as_role(roles, "ec2", seed.USER_ROLE)
    assert_error(getattr(ec2, method), "UnauthorizedOperation", action(method))
    put_role_policy(roles, seed.USER_ROLE, allow(action(method)))
    assert getattr(ec2, method)()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_endpoint_has_what_was_set_and_is_found_by_its_vpc(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    first, second = fleets.seed_private_network(aws, "ssmmessages", "kms"), fleets.seed_private_network(aws, "ssmmessages")
    assert len(ec2.describe_vpc_endpoints()["VpcEndpoints"]) == 3
    of_first = [{"Name": "vpc-id", "Values": [first.vpc]}]
    messages, kms = ec2.describe_vpc_endpoints(Filters=of_first)["VpcEndpoints"]
    assert (messages["ServiceName"], kms["ServiceName"]) == (f"com.amazonaws.{REGION}.ssmmessages", f"com.amazonaws.{REGION}.kms")
    assert (kms["VpcId"], kms["SubnetIds"], [group["GroupId"] for group in kms["Groups"]]) == (first.vpc, [first.subnet], [first.group])
    assert (kms["VpcEndpointType"], kms["State"], kms["PrivateDnsEnabled"]) == ("Interface", "available", True)
    fleets.set_endpoint_policy(aws, kms["VpcEndpointId"], allow("kms:Decrypt", Principal="*"))
    changed, = ec2.describe_vpc_endpoints(Filters=[*of_first, {"Name": "service-name", "Values": [kms["ServiceName"]]}])["VpcEndpoints"]
    assert json.loads(changed["PolicyDocument"])["Statement"][0]["Action"] == "kms:Decrypt"
    fleets.add_endpoint(aws, second, "kms-fips", PrivateDnsEnabled=False)
    other = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [second.vpc]}])["VpcEndpoints"][-1]
    assert (other["ServiceName"], other["PrivateDnsEnabled"]) == (f"com.amazonaws.{REGION}.kms-fips", False)


def test_a_security_group_is_found_by_its_id_and_has_what_it_admits(aws: LocalAws) -> None:
    network = fleets.seed_private_network(aws)
    ec2 = aws.client("ec2")
    assert len(ec2.describe_security_groups()["SecurityGroups"]) > 1
    found, = ec2.describe_security_groups(Filters=[{"Name": "group-id", "Values": [network.group]}])["SecurityGroups"]
    rule, = found["IpPermissions"]
    assert (found["GroupId"], rule["FromPort"], rule["IpRanges"]) == (network.group, 443, [{"CidrIp": fleets.CIDR}])
    ec2.revoke_security_group_ingress(GroupId=network.group, IpPermissions=[rule])
    found, = ec2.describe_security_groups(Filters=[{"Name": "group-id", "Values": [network.group]}])["SecurityGroups"]
    assert found["IpPermissions"] == []


def test_a_node_of_the_default_vpc_has_a_way_out_and_one_of_a_private_vpc_has_none(roles: LocalAws) -> None:
    ec2 = roles.client("ec2")
    network = fleets.seed_private_network(roles, "ssmmessages")
    (public,), (private,) = seed.seed_fleet(roles, seed.NODE_ROLE), fleets.seed_private_nodes(roles, network, seed.NODE_ROLE)
    for node, vpc, has_address, routes in (
        (public, instance(roles, public)["VpcId"], True, 2),
        (private, network.vpc, False, 1),
    ):
        found = instance(roles, node)
        interface, = found["NetworkInterfaces"]
        assert (found["VpcId"], interface["VpcId"], interface["SubnetId"]) == (vpc, vpc, found["SubnetId"])
        assert bool(found.get("PublicIpAddress")) is has_address
        assert ("Association" in interface) is has_address
        assert interface["Groups"] == found["SecurityGroups"]
        table, = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
        assert len(table["Routes"]) == routes
    assert instance(roles, private)["PrivateIpAddress"].startswith("10.20.1.")
    assert {subnet["OwnerId"] for subnet in ec2.describe_subnets()["Subnets"]} == {ACCOUNT}
    fleets.add_route(roles, network, TransitGatewayId="tgw-0123456789abcdef0")
    table, = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])["RouteTables"]
    assert table["Routes"][1]["TransitGatewayId"] == "tgw-0123456789abcdef0"


def test_a_stopped_node_is_no_managed_node_and_keeps_its_profile(roles: LocalAws) -> None:
    kept, stopped = seed.seed_fleet(roles, seed.NODE_ROLE, seed.OTHER_NODE_ROLE)
    seed.stop_nodes(roles, stopped)
    assert [node["InstanceId"] for node in roles.client("ssm").describe_instance_information()["InstanceInformationList"]] == [kept]
    found = instance(roles, stopped)
    assert (found["State"]["Name"], found.get("PublicIpAddress")) == ("stopped", None)
    associations = roles.client("ec2").describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    assert {association["InstanceId"]: association["State"] for association in associations} == {kept: "associated", stopped: "associated"}


def test_the_simulator_tells_by_which_role_a_node_works(roles: LocalAws) -> None:
    fleets.seed_application_profile(roles, "Batch")
    fleets.seed_default_host_management(roles)
    node = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0123456789abcdef0"
    for role, decision in (("Batch", "implicitDeny"), (seed.NODE_ROLE, "allowed")):
        assert simulate(roles, seed.role_arn(role), "ssm:UpdateInstanceInformation", node)["decision"] == decision
    assert simulate(roles, fleets.DEFAULT_HOST_ROLE_ARN, "ssm:UpdateInstanceInformation", node)["decision"] == "allowed"
    setting = roles.client("ssm").get_service_setting(SettingId=fleets.DEFAULT_HOST_SETTING)["ServiceSetting"]
    assert setting["SettingValue"] == f"service-role/{fleets.DEFAULT_HOST_ROLE}"
    assert roles.client("iam").get_role(RoleName=fleets.DEFAULT_HOST_ROLE)["Role"]["Arn"] == fleets.DEFAULT_HOST_ROLE_ARN


def test_a_document_is_read_with_its_permission_only(roles: LocalAws) -> None:
    seed.seed_document(roles, name="Team-Shell")
    ssm = as_role(roles, "ssm", seed.USER_ROLE)
    assert_error(lambda: ssm.get_document(Name="Team-Shell"), "AccessDeniedException", "ssm:GetDocument")
    put_role_policy(roles, seed.USER_ROLE, allow("ssm:GetDocument", f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/Team-*"))
    assert ssm.get_document(Name="Team-Shell")["DocumentType"] == "Session"
    assert_error(lambda: ssm.get_document(Name="Team-None"), "InvalidDocument")
    assert_error(lambda: ssm.get_document(Name=seed.DOCUMENT), "AccessDeniedException")


def test_a_session_has_the_members_that_were_set(aws: LocalAws) -> None:
    seed.seed_sessions(aws, "arn:aws:iam::123456789012:user/ann")
    seed.seed_sessions(aws, "arn:aws:iam::123456789012:user/bob", DocumentName="AWS-StartSSHSession", AccessType="JustInTime", Target="ecs:a_b_c")
    first, second = aws.client("ssm").describe_sessions(State="History")["Sessions"]
    assert (first["AccessType"], first.get("DocumentName")) == ("Standard", None)
    assert (second["AccessType"], second["DocumentName"], second["Target"]) == ("JustInTime", "AWS-StartSSHSession", "ecs:a_b_c")
    assert first["SessionId"] != second["SessionId"]
