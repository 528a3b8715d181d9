//! What has been read of users and nodes: in one invocation each list is read once, whatever is checked and however often.
//!
//! A fleet of thousands takes hundreds of calls to read. Neither the key nor the document changes who the nodes are. What
//! may change while somebody waits for it is not remembered: the key's side, and the principals' policies. An error is
//! not remembered either.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use tokio::sync::{Mutex, OnceCell};

use super::{
    AwsError, Environment, Fleet, Identities, Instance, InstanceProfile, Keys, ManagedNode, NatGateway,
    Network, PastSession, RouteTable, SecurityGroup, SessionDocument, Subnet, VpcEndpoint,
};
use crate::access::{AccountPolicies, PrincipalArn};
use crate::key::KeyDescription;

/// The memory of an invocation.
#[derive(Debug, Default)]
pub struct FleetMemory {
    // The long lists are shared, and not copied for each who asks.
    nodes: Remembered<(), Arc<Vec<ManagedNode>>>,
    instance_profiles: Remembered<(), Arc<Vec<InstanceProfile>>>,
    default_host_role: Remembered<(), Option<String>>,
    sessions: Remembered<(), Arc<Vec<PastSession>>>,
    session_documents: Remembered<String, Option<SessionDocument>>,
    role_arns: Remembered<String, Option<String>>,
    roles_of_profiles: Remembered<String, Option<String>>,
    /// Why IAM's list of the account could not be read, if it could not.
    unlisted_policies: OnceLock<String>,
    instances: Remembered<(), Arc<Vec<Instance>>>,
    vpc_endpoints: Remembered<Vec<String>, Vec<VpcEndpoint>>,
    subnets: Remembered<Vec<String>, Vec<Subnet>>,
    route_tables: Remembered<Vec<String>, Vec<RouteTable>>,
    nat_gateways: Remembered<Vec<String>, Vec<NatGateway>>,
    security_groups: Remembered<Vec<String>, Vec<SecurityGroup>>,
    keys: Option<Remembered<String, Option<KeyDescription>>>,
}

impl FleetMemory {
    /// A memory that also remembers what keys are. It is for an invocation that decides once for each document what
    /// becomes of it, and asks nobody meanwhile.
    #[must_use]
    pub fn with_keys() -> Self {
        Self { keys: Some(Remembered::default()), ..Self::default() }
    }
}

/// The values of one kind of read, by what was asked. Two who ask the same at the same time wait for one read.
struct Remembered<K, V>(Mutex<BTreeMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K, V> fmt::Debug for Remembered<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remembered").finish_non_exhaustive()
    }
}

impl<K: Ord, V: Clone> Remembered<K, V> {
    async fn get(&self, asked: K, read: impl Future<Output = Result<V, AwsError>>) -> Result<V, AwsError> {
        let cell = Arc::clone(self.0.lock().await.entry(asked).or_default());
        cell.get_or_try_init(|| read).await.cloned()
    }
}

/// The result of a read, to be shared.
async fn shared<T>(read: impl Future<Output = Result<T, AwsError>>) -> Result<Arc<T>, AwsError> {
    read.await.map(Arc::new)
}

/// A read of the environment: from the memory, if there is one.
macro_rules! remembered {
    ($environment:expr, $kind:ident, $asked:expr, $read:expr) => {
        match $environment.memory {
            // Boxed: the state of a read of many pages is large.
            Some(memory) => memory.$kind.get($asked, Box::pin($read)).await,
            None => Box::pin($read).await,
        }
    };
}

impl<P: Fleet> Environment<'_, P> {
    /// As [`Fleet::nodes`].
    pub(crate) async fn nodes(&self) -> Result<Arc<Vec<ManagedNode>>, AwsError> {
        remembered!(self, nodes, (), shared(self.ports.nodes()))
    }

    /// As [`Fleet::instance_profiles`].
    pub(crate) async fn instance_profiles(&self) -> Result<Arc<Vec<InstanceProfile>>, AwsError> {
        remembered!(self, instance_profiles, (), shared(self.ports.instance_profiles()))
    }

    /// As [`Fleet::default_host_role`].
    pub(crate) async fn default_host_role(&self) -> Result<Option<String>, AwsError> {
        remembered!(self, default_host_role, (), self.ports.default_host_role())
    }

    /// As [`Fleet::sessions`]. Of several times the first one counts: they differ by how long the invocation runs.
    pub(crate) async fn sessions(&self, since: SystemTime) -> Result<Arc<Vec<PastSession>>, AwsError> {
        remembered!(self, sessions, (), shared(self.ports.sessions(since)))
    }

    /// As [`Fleet::session_document`].
    pub(crate) async fn session_document(&self, name: &str) -> Result<Option<SessionDocument>, AwsError> {
        remembered!(self, session_documents, name.to_owned(), self.ports.session_document(name))
    }
}

impl<P: Keys> Environment<'_, P> {
    /// As [`Keys::describe`]. That there is no such key is believed if a second read agrees.
    pub(crate) async fn described(&self, key: &str) -> Result<Option<KeyDescription>, AwsError> {
        let read = async {
            match self.ports.describe(key).await? {
                None => self.ports.describe(key).await,
                described => Ok(described),
            }
        };
        match self.memory.and_then(|memory| memory.keys.as_ref()) {
            Some(keys) => keys.get(key.to_owned(), Box::pin(read)).await,
            None => Box::pin(read).await,
        }
    }
}

impl<P: Identities> Environment<'_, P> {
    /// As [`Identities::account_policies`]. The error is text, and a list that could not be read is not asked for again.
    pub(crate) async fn account_policies(
        &self,
        wanted: &BTreeSet<PrincipalArn>,
    ) -> Result<AccountPolicies, String> {
        let known = self.memory.map(|memory| &memory.unlisted_policies);
        if let Some(why) = known.and_then(OnceLock::get) {
            return Err(why.clone());
        }
        let read = Box::pin(self.ports.account_policies(wanted)).await.map_err(|error| error.to_string());
        if let (Some(known), Err(why)) = (known, &read) {
            known.get_or_init(|| why.clone());
        }
        read
    }

    /// As [`Identities::role_arn`].
    pub(crate) async fn role_arn(&self, name: &str) -> Result<Option<String>, AwsError> {
        remembered!(self, role_arns, name.to_owned(), self.ports.role_arn(name))
    }

    /// As [`Identities::role_of_profile`].
    pub(crate) async fn role_of_profile(&self, name: &str) -> Result<Option<String>, AwsError> {
        remembered!(self, roles_of_profiles, name.to_owned(), self.ports.role_of_profile(name))
    }
}

impl<P: Network> Environment<'_, P> {
    /// As [`Network::instances`].
    pub(crate) async fn instances(&self) -> Result<Arc<Vec<Instance>>, AwsError> {
        remembered!(self, instances, (), shared(self.ports.instances()))
    }

    /// As [`Network::vpc_endpoints`].
    pub(crate) async fn vpc_endpoints(&self, vpcs: &[String]) -> Result<Vec<VpcEndpoint>, AwsError> {
        remembered!(self, vpc_endpoints, vpcs.to_vec(), self.ports.vpc_endpoints(vpcs))
    }

    /// As [`Network::subnets`].
    pub(crate) async fn subnets(&self, vpcs: &[String]) -> Result<Vec<Subnet>, AwsError> {
        remembered!(self, subnets, vpcs.to_vec(), self.ports.subnets(vpcs))
    }

    /// As [`Network::route_tables`].
    pub(crate) async fn route_tables(&self, vpcs: &[String]) -> Result<Vec<RouteTable>, AwsError> {
        remembered!(self, route_tables, vpcs.to_vec(), self.ports.route_tables(vpcs))
    }

    /// As [`Network::nat_gateways`].
    pub(crate) async fn nat_gateways(&self, vpcs: &[String]) -> Result<Vec<NatGateway>, AwsError> {
        remembered!(self, nat_gateways, vpcs.to_vec(), self.ports.nat_gateways(vpcs))
    }

    /// As [`Network::security_groups`].
    pub(crate) async fn security_groups(&self, ids: &[String]) -> Result<Vec<SecurityGroup>, AwsError> {
        remembered!(self, security_groups, ids.to_vec(), self.ports.security_groups(ids))
    }
}
