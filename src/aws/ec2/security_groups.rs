//! Security groups, as EC2 lists them.

use aws_smithy_xml::decode::{ScopedDecoder, XmlDecodeError};

use super::page::texts;
use super::{Listing, operation};
use crate::aws::xml::{each, required, text_if_any, value};
use crate::ports::{InboundRule, SecurityGroup};

pub(super) static SECURITY_GROUPS: Listing<SecurityGroup> = Listing {
    operation: operation("DescribeSecurityGroups", "ec2:DescribeSecurityGroups"),
    page_size: "1000",
    set: "securityGroupInfo",
    read: security_group,
};

fn security_group(
    item: &mut ScopedDecoder<'_, '_>,
    into: &mut Vec<SecurityGroup>,
) -> Result<(), XmlDecodeError> {
    let (mut id, mut inbound, mut has_rules) = (None, Vec::new(), false);
    each(item, &["groupId", "ipPermissions"], |name, tag| {
        match name {
            "groupId" => id = text_if_any(tag)?,
            _ => {
                has_rules = true;
                each(tag, &["item"], |_, item| {
                    inbound.push(rule(item)?);
                    Ok(())
                })?;
            }
        }
        Ok(())
    })?;
    required(has_rules.then_some(()))?;
    into.push(SecurityGroup { id: required(id)?, inbound });
    Ok(())
}

fn rule(item: &mut ScopedDecoder<'_, '_>) -> Result<InboundRule, XmlDecodeError> {
    const NAMES: [&str; 7] =
        ["ipProtocol", "fromPort", "toPort", "groups", "ipRanges", "ipv6Ranges", "prefixListIds"];
    let (mut protocol, mut from, mut to) = (None, None, None);
    let (mut groups, mut blocks, mut prefix_lists) = (Vec::new(), Vec::new(), Vec::new());
    each(item, &NAMES, |name, tag| {
        match name {
            "ipProtocol" => protocol = text_if_any(tag)?,
            "fromPort" => from = value(tag)?,
            "toPort" => to = value(tag)?,
            "groups" => texts(tag, "groupId", &mut groups)?,
            "ipRanges" => texts(tag, "cidrIp", &mut blocks)?,
            "ipv6Ranges" => texts(tag, "cidrIpv6", &mut blocks)?,
            _ => texts(tag, "prefixListId", &mut prefix_lists)?,
        }
        Ok(())
    })?;
    // -1 stands for all.
    let port = |port: Option<i32>| port.and_then(|port| u16::try_from(port).ok());
    let ports = port(from).zip(port(to));
    Ok(InboundRule { protocol: required(protocol)?, ports, blocks, groups, prefix_lists })
}
