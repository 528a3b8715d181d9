"""Answers of EC2 about the network, where those of ministack differ from AWS's.

- DescribeVpcEndpoints: ministack stores neither policies nor private DNS nor security groups of endpoints, and knows no
  filters. The endpoints are those that were set (``PUT /_local/state``), with the names of the API reference.
- DescribeInstances: ministack gives every instance a public address, and no network interface. On AWS an instance has a
  public address only while it runs, in a subnet that gives one.
- DescribeSecurityGroups: ministack ignores the filter group-id.
"""

from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from local.policy_evaluator import UnsupportedError

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
NAMES = {"ec2": NAMESPACE}
# Filters of DescribeVpcEndpoints: the name of the filter to the name of the member.
FILTERS = {"vpc-id": "VpcId", "service-name": "ServiceName", "vpc-endpoint-state": "State", "vpc-endpoint-type": "VpcEndpointType"}


def filters_of(form: dict[str, str]) -> dict[str, list[str]]:
    """The filters of a request: name to values."""
    filters: dict[str, list[str]] = {}
    number = 1
    while name := form.get(f"Filter.{number}.Name"):
        filters[name] = [value for key, value in form.items() if key.startswith(f"Filter.{number}.Value.")]
        number += 1
    return filters


def describe_endpoints(endpoints: list[dict[str, Any]], form: dict[str, str]) -> bytes:
    """The answer to DescribeVpcEndpoints."""
    filters = filters_of(form)
    if unknown := set(filters) - set(FILTERS):
        raise UnsupportedError(f"the filters {sorted(unknown)} of DescribeVpcEndpoints are not supported here")
    found = [endpoint for endpoint in endpoints if all(endpoint[FILTERS[name]] in values for name, values in filters.items())]
    items = "".join(map(_endpoint, found))
    return (
        f'<DescribeVpcEndpointsResponse xmlns="{NAMESPACE}"><requestId>local</requestId>'
        f"<vpcEndpointSet>{items}</vpcEndpointSet></DescribeVpcEndpointsResponse>"
    ).encode()


def _endpoint(endpoint: dict[str, Any]) -> str:
    single = {
        "vpcEndpointId": endpoint["VpcEndpointId"],
        "vpcEndpointType": endpoint["VpcEndpointType"],
        "vpcId": endpoint["VpcId"],
        "serviceName": endpoint["ServiceName"],
        "state": endpoint["State"],
        "policyDocument": endpoint["PolicyDocument"],
        "privateDnsEnabled": str(endpoint["PrivateDnsEnabled"]).lower(),
        "requesterManaged": "false",
        "ownerId": endpoint["OwnerId"],
    }
    subnets = "".join(f"<item>{escape(subnet)}</item>" for subnet in endpoint["SubnetIds"])
    groups = "".join(f"<item><groupId>{escape(group)}</groupId><groupName>{escape(group)}</groupName></item>" for group in endpoint["Groups"])
    return (
        "<item>"
        + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in single.items())
        + f"<routeTableIdSet/><subnetIdSet>{subnets}</subnetIdSet><groupSet>{groups}</groupSet><ipAddressType>ipv4</ipAddressType>"
        "</item>"
    )


def with_named_groups(answer: bytes, form: dict[str, str]) -> bytes:
    """ministack's answer to DescribeSecurityGroups, with only the groups that the filter group-id names."""
    named = filters_of(form).get("group-id")
    if named is None:
        return answer
    root = _parsed(answer)
    for groups in root.iterfind("ec2:securityGroupInfo", NAMES):
        for group in list(groups):
            if _text(group, "groupId") not in named:
                groups.remove(group)
    return ElementTree.tostring(root)


def with_interfaces(answer: bytes, public_subnets: set[str]) -> bytes:
    """ministack's answer to DescribeInstances, with network interfaces, and with public addresses where AWS has them."""
    root = _parsed(answer)
    for instance in root.iterfind(".//ec2:instancesSet/ec2:item", NAMES):
        is_running = _text(instance, "instanceState/ec2:name") == "running"
        public = _text(instance, "ipAddress") if is_running and _text(instance, "subnetId") in public_subnets else ""
        if not public:
            _child(instance, "dnsName").text = None
            instance.remove(_child(instance, "ipAddress"))
        instance.append(_interface(instance, public))
    return ElementTree.tostring(root)


def _interface(instance: ElementTree.Element, public: str) -> ElementTree.Element:
    """The primary network interface of an instance."""
    interfaces = _element("networkInterfaceSet")
    interface = _element("item")
    interfaces.append(interface)
    interface.append(_element("networkInterfaceId", f"eni-{_text(instance, 'instanceId').removeprefix('i-')}"))
    for name in ("subnetId", "vpcId", "privateIpAddress"):
        interface.append(_element(name, _text(instance, name)))
    interface.append(_child(instance, "groupSet"))
    attachment = _element("attachment")
    attachment.append(_element("deviceIndex", "0"))
    interface.append(attachment)
    if public:
        association = _element("association")
        association.append(_element("publicIp", public))
        interface.append(association)
    interface.append(_element("ipv6AddressesSet"))
    return interfaces


def _parsed(answer: bytes) -> ElementTree.Element:
    ElementTree.register_namespace("", NAMESPACE)
    return ElementTree.fromstring(answer)


def _element(name: str, text: str | None = None) -> ElementTree.Element:
    element = ElementTree.Element(f"{{{NAMESPACE}}}{name}")
    element.text = text
    return element


def _child(element: ElementTree.Element, path: str) -> ElementTree.Element:
    found = element.find(f"ec2:{path}", NAMES)
    return _element(path) if found is None else found


def _text(element: ElementTree.Element, path: str) -> str:
    return _child(element, path).text or ""
