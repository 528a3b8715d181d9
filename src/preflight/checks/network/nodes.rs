//! The EC2 nodes by VPC, and by what distinguishes them there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::routes::NetworkSettings;
use crate::access::PrincipalArn;
use crate::ports::Instance;
use crate::preflight::observation::{InstanceNode, NodeCount};
use crate::preflight::remedies::listed;

/// How many reasons a finding lists.
pub(super) const FEW: usize = 5;

/// The nodes of one VPC.
#[derive(Debug, Default)]
pub(super) struct VpcNodes<'a> {
    /// Each node with its instance.
    pub(super) all: Vec<(&'a InstanceNode, &'a Instance)>,
    /// Nodes with the same place and the same roles can differ in nothing but their addresses and security groups.
    pub(super) alike: BTreeMap<(NetworkSettings<'a>, &'a [PrincipalArn]), NodeCount>,
}

/// The nodes by VPC, and those that are in no VPC that is known.
pub(super) fn by_vpc<'a>(
    nodes: &[&'a InstanceNode],
    instances: &'a [Instance],
) -> (BTreeMap<&'a str, VpcNodes<'a>>, NodeCount) {
    let by_id: BTreeMap<_, _> = instances.iter().map(|instance| (instance.id.as_str(), instance)).collect();
    let (mut vpcs, mut without): (BTreeMap<_, VpcNodes<'_>>, _) = (BTreeMap::new(), NodeCount::default());
    for &node in nodes {
        let instance = by_id.get(&*node.id).copied();
        match instance.and_then(|instance| Some((instance, instance.vpc.as_deref()?))) {
            Some((instance, vpc)) => {
                let of_vpc = vpcs.entry(vpc).or_default();
                of_vpc.all.push((node, instance));
                of_vpc.alike.entry((NetworkSettings::of(instance), &node.roles)).or_default().add(&node.id);
            }
            None => without.add(&node.id),
        }
    }
    (vpcs, without)
}

/// A handful of names, and how many more there are.
pub(super) fn few<T: fmt::Display>(names: &BTreeSet<T>) -> String {
    listed(names.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handful_is_named_and_the_rest_counted() {
        let named = |count: u32| few(&(1..=count).collect());
        assert_eq!([named(0), named(1), named(2), named(3)], ["", "1", "1 and 2", "1, 2 and 3"]);
        assert_eq!(named(5), "1, 2, 3, 4 and 5");
        assert_eq!(named(7), "1, 2, 3, 4, 5 and 2 more");
    }
}
