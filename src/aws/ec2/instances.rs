//! Instances and their instance profiles, as EC2 lists them.

use std::sync::Arc;

use aws_smithy_xml::decode::{ScopedDecoder, XmlDecodeError};

use super::page::texts;
use super::{Listing, operation};
use crate::aws::shared_values::SharedValues;
use crate::aws::xml::{each, required, text, text_if_any, value};
use crate::ports::{Instance, InstanceProfile, NetworkInterface};

/// The instance profiles of instances.
pub(super) static ASSOCIATIONS: Listing<InstanceProfile> = Listing {
    operation: operation(
        "DescribeIamInstanceProfileAssociations",
        "ec2:DescribeIamInstanceProfileAssociations",
    ),
    page_size: "1000",
    set: "iamInstanceProfileAssociationSet",
    read: association,
};

/// Instances. The elements of the list are reservations, which hold them.
pub(super) static INSTANCES: Listing<Instance> = Listing {
    operation: operation("DescribeInstances", "ec2:DescribeInstances"),
    page_size: "1000",
    set: "reservationSet",
    read: reservation,
};

/// The network settings that instances have in common.
#[derive(Debug, Default)]
pub(super) struct SharedSettings {
    /// The ids of VPCs and subnets.
    ids: SharedValues<str>,
    security_groups: SharedValues<[String]>,
}

impl SharedSettings {
    /// Makes an instance share its settings with those before.
    pub(super) fn share(&mut self, instance: &mut Instance) {
        instance.vpc = instance.vpc.take().map(|vpc| self.ids.of(&vpc));
        for interface in &mut instance.interfaces {
            interface.subnet = interface.subnet.take().map(|subnet| self.ids.of(&subnet));
            interface.security_groups = self.security_groups.of(&interface.security_groups);
        }
    }
}

fn association(
    item: &mut ScopedDecoder<'_, '_>,
    into: &mut Vec<InstanceProfile>,
) -> Result<(), XmlDecodeError> {
    let (mut instance, mut arn) = (None, None);
    each(item, &["instanceId", "iamInstanceProfile"], |name, tag| {
        match name {
            "instanceId" => instance = Some(text(tag)?),
            _ => each(tag, &["arn"], |_, tag| {
                arn = Some(text(tag)?.into());
                Ok(())
            })?,
        }
        Ok(())
    })?;
    // If the association were skipped, the node would seem to have no role.
    into.push(InstanceProfile { instance: required(instance)?, arn: required(arn)? });
    Ok(())
}

fn reservation(item: &mut ScopedDecoder<'_, '_>, into: &mut Vec<Instance>) -> Result<(), XmlDecodeError> {
    let mut has_set = false;
    each(item, &["instancesSet"], |_, set| {
        has_set = true;
        each(set, &["item"], |_, item| {
            let (instance, state) = instance(item)?;
            if state != "terminated" && state != "shutting-down" {
                into.push(instance);
            }
            Ok(())
        })
    })?;
    required(has_set.then_some(()))
}

/// An instance and the name of its state.
fn instance(item: &mut ScopedDecoder<'_, '_>) -> Result<(Instance, String), XmlDecodeError> {
    const NAMES: [&str; 9] = [
        "instanceId",
        "instanceState",
        "vpcId",
        "subnetId",
        "privateIpAddress",
        "ipAddress",
        "ipv6Address",
        "groupSet",
        "networkInterfaceSet",
    ];
    let (mut id, mut state, mut vpc, mut public_ip) = (None, None, None, None);
    let mut whole = no_interface();
    let mut interfaces: Vec<(u32, NetworkInterface)> = Vec::new();
    each(item, &NAMES, |name, tag| {
        match name {
            "instanceId" => id = text_if_any(tag)?,
            "instanceState" => each(tag, &["name"], |_, tag| {
                state = text_if_any(tag)?;
                Ok(())
            })?,
            "vpcId" => vpc = text_if_any(tag)?.map(Into::into),
            "subnetId" => whole.subnet = text_if_any(tag)?.map(Into::into),
            "privateIpAddress" => whole.private_ip = value(tag)?,
            "ipAddress" => public_ip = text_if_any(tag)?,
            "ipv6Address" => whole.has_ipv6 = text_if_any(tag)?.is_some(),
            "groupSet" => whole.security_groups = security_groups(tag)?,
            _ => each(tag, &["item"], |_, item| {
                interfaces.push(interface(item)?);
                Ok(())
            })?,
        }
        Ok(())
    })?;
    interfaces.sort_by_key(|(index, _)| *index);
    let mut interfaces: Vec<_> = interfaces.into_iter().map(|(_, interface)| interface).collect();
    // EC2 repeats the primary interface's values as the instance's own.
    if interfaces.is_empty() && whole.subnet.is_some() {
        interfaces.push(whole);
    }
    if let (Some(primary), Some(_)) = (interfaces.first_mut(), public_ip) {
        primary.has_public_ip = true;
    }
    // Most instances have one interface, and a list that grows has room for four.
    interfaces.shrink_to_fit();
    let state: String = required(state)?;
    let is_stopped = state == "stopped" || state == "stopping";
    Ok((Instance { id: required(id)?, is_stopped, vpc, interfaces }, state))
}

/// A network interface and its place among those of its instance.
fn interface(item: &mut ScopedDecoder<'_, '_>) -> Result<(u32, NetworkInterface), XmlDecodeError> {
    const NAMES: [&str; 7] = [
        "subnetId",
        "privateIpAddress",
        "association",
        "attachment",
        "groupSet",
        "privateIpAddressesSet",
        "ipv6AddressesSet",
    ];
    let mut index = u32::MAX;
    let mut interface = no_interface();
    each(item, &NAMES, |name, tag| {
        match name {
            "subnetId" => interface.subnet = text_if_any(tag)?.map(Into::into),
            "privateIpAddress" => interface.private_ip = value(tag)?,
            "association" => interface.has_public_ip |= has_public_ip(tag)?,
            "attachment" => each(tag, &["deviceIndex"], |_, tag| {
                index = value(tag)?.unwrap_or(u32::MAX);
                Ok(())
            })?,
            "groupSet" => interface.security_groups = security_groups(tag)?,
            "privateIpAddressesSet" => each(tag, &["item"], |_, item| {
                let (mut is_primary, mut has_public) = (false, false);
                each(item, &["primary", "association"], |name, tag| {
                    match name {
                        "primary" => is_primary = value(tag)?.unwrap_or_default(),
                        _ => has_public |= has_public_ip(tag)?,
                    }
                    Ok(())
                })?;
                match is_primary {
                    true => interface.has_public_ip |= has_public,
                    false => interface.has_secondary_public_ip |= has_public,
                }
                Ok(())
            })?,
            _ => each(tag, &["item"], |_, _| {
                interface.has_ipv6 = true;
                Ok(())
            })?,
        }
        Ok(())
    })?;
    Ok((index, interface))
}

fn security_groups(set: &mut ScopedDecoder<'_, '_>) -> Result<Arc<[String]>, XmlDecodeError> {
    let mut groups = Vec::new();
    texts(set, "groupId", &mut groups)?;
    Ok(groups.into())
}

fn has_public_ip(association: &mut ScopedDecoder<'_, '_>) -> Result<bool, XmlDecodeError> {
    let mut has_public_ip = false;
    each(association, &["publicIp"], |_, tag| {
        has_public_ip |= text_if_any(tag)?.is_some();
        Ok(())
    })?;
    Ok(has_public_ip)
}

fn no_interface() -> NetworkInterface {
    NetworkInterface {
        subnet: None,
        private_ip: None,
        has_public_ip: false,
        has_secondary_public_ip: false,
        has_ipv6: false,
        security_groups: Arc::default(),
    }
}
