use std::net::IpAddr;

use super::*;
use crate::aws::ec2::instances::{ASSOCIATIONS, INSTANCES};
use crate::aws::ec2::security_groups::SECURITY_GROUPS;
use crate::aws::ec2::vpcs::{NAT_GATEWAYS, ROUTE_TABLES, SUBNETS, VPC_ENDPOINTS};
use crate::ports::{EndpointState, EndpointType, InstanceProfile, RouteState};

type AssociationsPage = Page<InstanceProfile>;

fn of(inside: &str) -> Result<AssociationsPage, XmlDecodeError> {
    answered(&ASSOCIATIONS, inside)
}

fn answered<T>(listing: &Listing<T>, inside: &str) -> Result<Page<T>, XmlDecodeError> {
    let xmlns = "http://ec2.amazonaws.com/doc/2016-11-15/";
    let answer = format!("{}Response", listing.operation.name);
    page(
        listing,
        format!(r#"<?xml version="1.0" encoding="UTF-8"?><{answer} xmlns="{xmlns}">{inside}</{answer}>"#)
            .as_bytes(),
    )
}

/// The items of a list of one element.
fn items<T>(listing: &Listing<T>, item: &str) -> Result<Vec<T>, XmlDecodeError> {
    let set = listing.set;
    answered(listing, &format!("<{set}><item>{item}</item></{set}>")).map(|page| page.items)
}

#[test]
fn associations_are_read_and_other_elements_skipped() {
    let answer = of("<requestId>r</requestId>
        <iamInstanceProfileAssociationSet>
            <item>
                <associationId>iip-assoc-1</associationId>
                <iamInstanceProfile><id>AIPA1</id><arn>arn:aws:iam::123456789012:instance-profile/a&amp;b/P</arn></iamInstanceProfile>
                <state>associated</state>
                <instanceId>i-1</instanceId>
            </item>
            <item>
                <instanceId>i-2</instanceId>
                <iamInstanceProfile><arn>arn:aws:iam::123456789012:instance-profile/P</arn></iamInstanceProfile>
            </item>
        </iamInstanceProfileAssociationSet>
        <nextToken>token==</nextToken>");
    let association = |instance: &str, profile: &str| InstanceProfile {
        instance: instance.to_owned(),
        arn: format!("arn:aws:iam::123456789012:instance-profile/{profile}").into(),
    };
    assert_eq!(
        answer.unwrap(),
        AssociationsPage {
            items: vec![association("i-1", "a&b/P"), association("i-2", "P")],
            next_token: Some("token==".to_owned()),
        }
    );
}

#[test]
fn the_last_page_has_no_token() {
    for inside in [
        "<iamInstanceProfileAssociationSet/>",
        "<iamInstanceProfileAssociationSet/><nextToken/>",
        "<iamInstanceProfileAssociationSet></iamInstanceProfileAssociationSet><nextToken></nextToken>",
    ] {
        assert_eq!(of(inside).unwrap(), AssociationsPage { items: Vec::new(), next_token: None }, "{inside}");
    }
}

#[test]
fn an_answer_without_associations_is_an_error() {
    for inside in [
        "",
        "<iamInstanceProfileAssociationSet><item><instanceId>i-1</instanceId></item></iamInstanceProfileAssociationSet>",
        "<iamInstanceProfileAssociationSet><item><iamInstanceProfile><arn>a</arn></iamInstanceProfile></item></iamInstanceProfileAssociationSet>",
    ] {
        assert!(of(inside).is_err(), "{inside}");
    }
    for body in ["", "{}", "<html>sign in here</html>", "<Response><Errors/></Response>"] {
        assert!(page(&ASSOCIATIONS, body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn a_refusal_has_code_and_message() {
    let body = b"<?xml version=\"1.0\"?><Response><Errors><Error><Code>UnauthorizedOperation</Code>\
        <Message>You &lt;may&gt; not</Message></Error></Errors><RequestID>r</RequestID></Response>";
    let (code, message) = refusal(body).unwrap();
    assert_eq!((code.as_deref(), message.as_deref()), (Some("UnauthorizedOperation"), Some("You <may> not")));
}

#[test]
fn an_answer_that_is_cut_off_or_of_another_operation_is_an_error() {
    let whole = "<DescribeSubnetsResponse><subnetSet><item><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>\
        <availabilityZone>eu-west-1a</availabilityZone><ownerId>123456789012</ownerId></item></subnetSet>\
        </DescribeSubnetsResponse>";
    assert_eq!(page(&SUBNETS, whole.as_bytes()).unwrap().items.len(), 1);
    for end in 0..whole.len() {
        assert!(page(&SUBNETS, &whole.as_bytes()[..end]).is_err(), "the first {end} bytes");
    }
    assert!(page(&ROUTE_TABLES, whole.as_bytes()).is_err());
}

#[test]
fn an_instance_has_its_interfaces_in_their_order() {
    let found = items(
        &INSTANCES,
        "<reservationId>r-1</reservationId><ownerId>123456789012</ownerId><groupSet/>
        <instancesSet>
            <item><instanceId>i-gone</instanceId><instanceState><code>48</code><name>terminated</name></instanceState></item>
            <item>
                <instanceId>i-1</instanceId><instanceState><code>80</code><name>stopped</name></instanceState>
                <privateIpAddress>10.0.0.4</privateIpAddress><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>
                <groupSet><item><groupId>sg-1</groupId><groupName>one</groupName></item></groupSet>
                <networkInterfaceSet>
                    <item>
                        <subnetId>subnet-2</subnetId><privateIpAddress>10.0.1.4</privateIpAddress>
                        <association><publicIp>198.51.100.1</publicIp></association>
                        <groupSet/><attachment><deviceIndex>1</deviceIndex></attachment>
                        <privateIpAddressesSet><item><privateIpAddress>10.0.1.4</privateIpAddress></item></privateIpAddressesSet>
                        <ipv6AddressesSet><item><ipv6Address>2001:db8::4</ipv6Address></item></ipv6AddressesSet>
                    </item>
                    <item>
                        <subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><privateIpAddress>10.0.0.4</privateIpAddress>
                        <groupSet><item><groupId>sg-1</groupId></item><item><groupId>sg-2</groupId></item></groupSet>
                        <attachment><attachmentId>a</attachmentId><deviceIndex>0</deviceIndex></attachment>
                        <ipv6AddressesSet/>
                    </item>
                </networkInterfaceSet>
            </item>
        </instancesSet>",
    )
    .unwrap();
    let [instance] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((instance.id.as_str(), instance.vpc.as_deref()), ("i-1", Some("vpc-1")));
    assert!(instance.is_stopped);
    let [primary, second] = instance.interfaces.as_slice() else { panic!("{instance:?}") };
    assert_eq!(primary.subnet.as_deref(), Some("subnet-1"));
    assert_eq!(primary.private_ip, Some(IpAddr::from([10, 0, 0, 4])));
    assert_eq!(*primary.security_groups, ["sg-1", "sg-2"]);
    assert!(!primary.has_public_ip && !primary.has_ipv6);
    assert!(second.has_public_ip && second.has_ipv6);
}

#[test]
fn an_instance_without_a_list_of_interfaces_has_the_one_that_it_repeats() {
    let instance = |rest: &str| {
        let item = "<instanceId>i-1</instanceId><instanceState><name>running</name></instanceState>";
        items(&INSTANCES, &format!("<instancesSet><item>{item}{rest}</item></instancesSet>"))
            .map(|found| found.into_iter().next().unwrap())
    };
    let found = instance(
        "<vpcId>vpc-1</vpcId><subnetId>subnet-1</subnetId><ipAddress>198.51.100.1</ipAddress><privateIpAddress/>",
    );
    let found = found.unwrap();
    assert!(found.interfaces.len() == 1 && found.interfaces[0].has_public_ip, "{found:?}");
    assert!(instance("").unwrap().interfaces.is_empty());
    assert!(instance("<privateIpAddress>ten</privateIpAddress>").is_err());
    assert!(items(&INSTANCES, "<reservationId>r-1</reservationId>").is_err(), "no instances at all");
    assert!(
        items(&INSTANCES, "<instancesSet><item><instanceId>i-1</instanceId></item></instancesSet>").is_err()
    );
}

#[test]
fn an_endpoint_has_its_type_its_state_and_its_policy() {
    let item = |kind: &str, state: &str, rest: &str| {
        format!(
            "<vpcEndpointId>vpce-1</vpcEndpointId><vpcEndpointType>{kind}</vpcEndpointType><vpcId>vpc-1</vpcId>\
            <state>{state}</state>{rest}"
        )
    };
    let rest = "<serviceName>com.amazonaws.eu-west-1.kms</serviceName><privateDnsEnabled>true</privateDnsEnabled>\
        <policyDocument>{ &quot;Statement&quot;: [] }</policyDocument>\
        <subnetIdSet><item>subnet-1</item><item>subnet-2</item></subnetIdSet>\
        <groupSet><item><groupId>sg-1</groupId><groupName>g</groupName></item></groupSet>";
    let found = items(&VPC_ENDPOINTS, &item("Interface", "available", rest)).unwrap();
    let [endpoint] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(endpoint.endpoint_type, EndpointType::Interface);
    assert_eq!(endpoint.state, EndpointState::Available);
    assert!(endpoint.has_private_dns);
    assert_eq!(endpoint.policy.as_deref(), Some(r#"{ "Statement": [] }"#));
    assert_eq!((endpoint.subnets.len(), endpoint.security_groups.len()), (2, 1));
    for (kind, state, expected) in [
        ("Gateway", "available", (EndpointType::Gateway, EndpointState::Available)),
        ("GatewayLoadBalancer", "pendingAcceptance", (EndpointType::Other, EndpointState::Pending)),
        ("Interface", "Failed", (EndpointType::Interface, EndpointState::Gone)),
        ("ServiceNetwork", "new-word", (EndpointType::Other, EndpointState::Pending)),
    ] {
        let found = items(&VPC_ENDPOINTS, &item(kind, state, "")).unwrap();
        assert_eq!((found[0].endpoint_type, found[0].state), expected, "{kind} {state}");
    }
    assert!(items(&VPC_ENDPOINTS, "<vpcEndpointId>vpce-1</vpcEndpointId>").is_err());
}

#[test]
fn a_route_table_has_its_routes_and_subnets() {
    let found = items(
        &ROUTE_TABLES,
        "<routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><routeSet>
            <item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId><state>active</state></item>
            <item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><natGatewayId>nat-1</natGatewayId><state>blackhole</state></item>
            <item><destinationIpv6CidrBlock>::/0</destinationIpv6CidrBlock><egressOnlyInternetGatewayId>eigw-1</egressOnlyInternetGatewayId><state>active</state></item>
            <item><destinationPrefixListId>pl-1</destinationPrefixListId><gatewayId>vpce-1</gatewayId><state>active</state></item>
            <item><destinationCidrBlock>10.1.0.0/16</destinationCidrBlock><newThingId>new-1</newThingId><state>filtered</state></item>
            <item><destinationCidrBlock>10.2.0.0/16</destinationCidrBlock><instanceId>i-1</instanceId><networkInterfaceId>eni-1</networkInterfaceId><state>active</state></item>
        </routeSet><associationSet>
            <item><main>true</main></item>
            <item><main>false</main><subnetId>subnet-1</subnetId></item>
            <item><main>false</main><gatewayId>igw-1</gatewayId></item>
        </associationSet>",
    )
    .unwrap();
    let [table] = found.as_slice() else { panic!("{found:?}") };
    assert!(table.is_main && table.subnets == ["subnet-1"]);
    let routes: Vec<_> = table
        .routes
        .iter()
        .map(|route| (route.destination.as_str(), route.target.as_str(), route.state))
        .collect();
    assert_eq!(
        routes,
        [
            ("10.0.0.0/16", "local", RouteState::Active),
            ("0.0.0.0/0", "nat-1", RouteState::Blackhole),
            ("::/0", "eigw-1", RouteState::Active),
            ("pl-1", "vpce-1", RouteState::Active),
            ("10.1.0.0/16", "", RouteState::Unknown),
            ("10.2.0.0/16", "eni-1", RouteState::Active),
        ]
    );
    assert!(items(&ROUTE_TABLES, "<vpcId>vpc-1</vpcId>").is_err(), "no routes at all");
}

#[test]
fn nat_gateways_and_security_groups_are_read() {
    let nat = |rest: &str| items(&NAT_GATEWAYS, &format!("<natGatewayId>nat-1</natGatewayId>{rest}"));
    for (rest, expected) in [
        ("<state>available</state><subnetId>subnet-1</subnetId>", (true, true, Some("subnet-1"))),
        ("<state>pending</state><connectivityType>public</connectivityType>", (true, false, None)),
        ("<state>available</state><connectivityType>private</connectivityType>", (false, true, None)),
    ] {
        let found = nat(rest).unwrap();
        assert_eq!(
            (found[0].is_public, found[0].is_available, found[0].subnet.as_deref()),
            expected,
            "{rest}"
        );
    }
    assert!(nat("").is_err());
    let found = items(
        &SECURITY_GROUPS,
        "<groupId>sg-1</groupId><ipPermissions>
            <item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>444</toPort>
                <groups><item><userId>1</userId><groupId>sg-2</groupId></item></groups>
                <ipRanges><item><cidrIp>10.0.0.0/8</cidrIp><description>d</description></item></ipRanges>
                <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges>
                <prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds></item>
            <item><ipProtocol>-1</ipProtocol><groups/><ipRanges/></item>
        </ipPermissions><ipPermissionsEgress><item><ipProtocol>-1</ipProtocol></item></ipPermissionsEgress>",
    )
    .unwrap();
    let [group] = found.as_slice() else { panic!("{found:?}") };
    let [first, all] = group.inbound.as_slice() else { panic!("{group:?}") };
    assert_eq!((first.protocol.as_str(), first.ports), ("tcp", Some((443, 444))));
    assert_eq!((first.blocks.len(), first.groups.len(), first.prefix_lists.len()), (2, 1, 1));
    assert_eq!((all.protocol.as_str(), all.ports), ("-1", None));
    assert!(items(&SECURITY_GROUPS, "<groupId>sg-1</groupId>").is_err(), "no rules at all");
}
