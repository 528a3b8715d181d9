//! The check *network*: the EC2 nodes can reach KMS.

use crate::preflight::assessment::ResourceRemedy;
use crate::preflight::finding::Finding;
use crate::preflight::network::NetworkObservation;
use crate::preflight::observation::{AccessObservation, Read};

/// The findings about the network of the EC2 nodes, and what to add for those that cannot reach KMS.
pub(in crate::preflight) fn findings(
    _observation: &AccessObservation,
    _network: &Read<NetworkObservation>,
) -> (Vec<Finding>, Vec<ResourceRemedy>) {
    (Vec::new(), Vec::new())
}
