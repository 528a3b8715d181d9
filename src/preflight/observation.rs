//! What was observed for the checks. Each value may be unknown, and then there is a reason.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::network::NetworkObservation;
use crate::access::{CallerKind, KeyFacts, KnownContext, Organization, OwnSide, PrincipalArn, Tags};
use crate::intent::Safeguards;
use crate::key::{KeyArn, KeyDescription};
use crate::ports::DryRun;
use crate::session::DocumentName;

/// A value that was read, or why it could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read<T> {
    /// It was read.
    Known(T),
    /// It could not be read: the action that is missing, or what AWS said.
    Unknown(String),
}

impl<T> Read<T> {
    /// The value, if it is known.
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Why it could not be read, if it could not.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(why) => Some(why),
        }
    }
}

impl<T, E: std::fmt::Display> From<Result<T, E>> for Read<T> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(value) => Self::Known(value),
            Err(error) => Self::Unknown(error.to_string()),
        }
    }
}

/// The question who needs a key and can use it, if the sessions of a document are encrypted with it.
#[derive(Clone, Copy, Debug)]
pub struct AccessQuestion<'a> {
    /// The key.
    pub key: &'a KeyDescription,
    /// The document, which says whose sessions count.
    pub document: &'a DocumentName,
    /// What is checked.
    pub safeguards: &'a Safeguards,
}

/// Somebody who must be able to use the key.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Who.
    pub principal: PrincipalArn,
    /// As what.
    pub side: CallerKind,
    /// How it is known: named by a property, or found, with an example.
    pub source: String,
    /// How certain it is that it needs the key.
    pub need: Need,
    /// What is known of its own side.
    pub own: OwnSide,
    /// The condition keys that its own policies ask for and that Context gives.
    pub asked_of_context: Vec<String>,
    /// All tags that its calls have. `None` if no policy asks for one.
    pub tags: Option<Read<Tags>>,
}

/// How certain it is that somebody needs the key. The order of the variants is the order of their weight: the heaviest
/// one comes last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Only nodes that are stopped need it.
    StoppedOnly,
    /// It may need it. The text is why that is not known.
    Possible(String),
    /// It needs it.
    Certain,
}

/// A summary of the managed nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nodes {
    /// How many there are.
    pub count: usize,
    /// The nodes by the version of their agent, which is empty if it is not known.
    pub agents: BTreeMap<String, NodeCount>,
    /// Nodes whose role is not known.
    pub without_role: NodeCount,
    /// What could not be read of the nodes, and why.
    pub gaps: Vec<String>,
    /// The EC2 instances among them.
    pub instances: Vec<InstanceNode>,
    /// Lists of roles. The nodes of a list use one of its roles, and it is not known which. If none of them can use the
    /// key, these nodes certainly cannot.
    pub alternative_roles: Vec<Vec<PrincipalArn>>,
}

/// A managed node that is an EC2 instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceNode {
    /// `i-…`.
    pub id: Arc<str>,
    /// The roles that its agent may work by: one if that is known, none if nothing is. Nodes of one group share them.
    pub roles: Arc<[PrincipalArn]>,
}

/// How many nodes, and one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeCount {
    /// How many.
    pub count: usize,
    /// One of them; empty if there is none.
    pub example: String,
}

impl NodeCount {
    /// Counts one more node.
    pub(super) fn add(&mut self, id: &str) {
        self.count += 1;
        if self.example.is_empty() {
            id.clone_into(&mut self.example);
        }
    }

    /// Counts these nodes too.
    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        if self.example.is_empty() {
            self.example.clone_from(&other.example);
        }
    }

    /// The form of a word for this many: `node` or `nodes`, `reaches` or `reach`.
    pub(super) fn form<'w>(&self, of_one: &'w str, of_several: &'w str) -> &'w str {
        if self.count == 1 { of_one } else { of_several }
    }
}

/// Some nodes in words.
impl fmt::Display for NodeCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => write!(f, "node {}", self.example),
            count => write!(f, "{count} nodes (such as {})", self.example),
        }
    }
}

/// A summary of the session history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    /// How many sessions were looked at.
    pub count: usize,
    /// How many of them the document's key does not encrypt, by why.
    pub left_out: BTreeMap<LeftOut, usize>,
    /// The documents of which it is not known whether the key encrypts their sessions.
    pub unknown_documents: Vec<UnknownDocument>,
    /// What could not be read of them, and why.
    pub gaps: Vec<String>,
    /// Owners whose policies cannot be checked, each once.
    pub others: Vec<OtherOwner>,
}

/// Why the key of the document in question does not encrypt a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It forwards ports, for SSH too.
    Port,
    /// It is of ECS Exec.
    EcsExec,
    /// It follows the setting of another document.
    OtherDocument,
    /// It was approved just in time, so that the role of just-in-time node access calls KMS.
    JustInTime,
}

/// A document of which it is not known whether the key encrypts its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDocument {
    /// Its name or ARN.
    pub name: String,
    /// How many of the sessions are of it.
    pub sessions: usize,
    /// Why it is not known.
    pub why: String,
}

/// An owner of sessions whose policies cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherOwner {
    /// Its ARN, a role's without the path.
    pub arn: String,
    /// Why they cannot be checked.
    pub why: String,
}

/// Attributes of the account and the key. Each is `None` unless a policy asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// The id of the own account's organization, if it is in one.
    pub organization: Option<Read<Option<String>>>,
    /// The key's tags.
    pub resource_tags: Option<Read<Tags>>,
    /// The names of the key's aliases.
    pub aliases: Option<Read<Vec<String>>>,
}

impl Attributes {
    /// What is known of the calls on a key, whoever makes them. `account` is the account that the program runs in.
    #[must_use]
    pub fn facts(&self, key: &KeyDescription, account: &str, known: &KnownContext) -> KeyFacts {
        fn of<T: Clone>(read: Option<&Read<T>>) -> Option<T> {
            read.and_then(Read::known).cloned()
        }
        let organization = of(self.organization.as_ref());
        let mut facts = KeyFacts::from(key).with_known_context(known);
        facts.organization = organization.map(|id| Organization { account: account.to_owned(), id });
        facts.resource_tags = of(self.resource_tags.as_ref());
        facts.aliases = of(self.aliases.as_ref());
        facts
    }
}

/// Everything that the access checks use.
#[derive(Clone, Debug)]
pub struct AccessObservation {
    /// The key.
    pub key: KeyDescription,
    /// The account whose sessions it encrypts.
    pub account: String,
    /// Further condition keys of every call: the property Context.
    pub context: KnownContext,
    /// Attributes that a policy asks for.
    pub attributes: Attributes,
    /// The key's policy, as text.
    pub policy: Read<String>,
    /// The key's grants, as ListGrants returns them.
    pub grants: Read<Vec<Value>>,
    /// What the function's own role may, by side. Empty if that is not to be tried.
    pub dry_runs: Vec<(CallerKind, Read<DryRun>)>,
    /// Who must be able to use the key.
    pub subjects: Vec<Subject>,
    /// Why the policies of many subjects could not be listed, so that IAM's simulator was asked about each. `None` if they
    /// were listed, or if they were not to be.
    pub unlisted_policies: Option<String>,
    /// The managed nodes. `None` if they are not to be discovered.
    pub nodes: Option<Read<Nodes>>,
    /// The network of the EC2 nodes. `None` if there are none, or if nodes are not to be discovered.
    pub network: Option<Read<NetworkObservation>>,
    /// The session history. `None` if users are not to be discovered.
    pub sessions: Option<Read<Sessions>>,
}

impl AccessObservation {
    /// The key's ARN.
    #[must_use]
    pub fn arn(&self) -> &KeyArn {
        &self.key.arn
    }

    /// What is known of the calls on the key, if Context says this.
    #[must_use]
    pub(super) fn facts(&self, known: &KnownContext) -> KeyFacts {
        let mut facts = self.attributes.facts(&self.key, &self.account, known);
        for subject in &self.subjects {
            if let Some(Read::Known(tags)) = &subject.tags {
                facts.principal_tags.insert((subject.principal.clone(), subject.side), tags.clone());
            }
        }
        facts
    }
}
