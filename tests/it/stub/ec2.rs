//! The EC2 of the stub: instances with their profiles, and the network of VPCs. It only lists.

mod associations;
mod instances;
mod list;
mod regions;
mod vpcs;

pub use associations::Associations;
pub use instances::Instances;
pub use vpcs::Vpcs;

use super::services::Operation;

pub const OPERATIONS: &[&[Operation]] =
    &[associations::OPERATIONS, instances::OPERATIONS, vpcs::OPERATIONS, regions::OPERATIONS];
