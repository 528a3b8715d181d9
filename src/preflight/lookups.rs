//! Lookups: reads that give the value of a condition key. Each is made only if a policy asks for the key, and once a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::{Mutex, OnceCell};

use super::READS_AT_A_TIME;
use super::observation::{AccessObservation, Attributes, Read, Subject};
use crate::access::{
    AccountPolicies, CallerKind, KeyFacts, KnownContext, ListedPrincipal, PrincipalArn, PrincipalType, Tags,
    may_tag_sessions,
};
use crate::intent::Safeguards;
use crate::key::KeyDescription;
use crate::ports::{Environment, PreflightPorts, PrincipalTags};
use kms_key_policy::{Policy, PolicyKind};

/// The condition keys that policies ask for, that a read can give, and that Context does not give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RequestedReads {
    pub(super) principal_organization: bool,
    pub(super) resource_organization: bool,
    pub(super) principal_tags: bool,
    pub(super) resource_tags: bool,
    pub(super) aliases: bool,
}

impl RequestedReads {
    /// The reads that these condition keys ask for.
    pub(super) fn of<'n>(names: impl IntoIterator<Item = &'n str>, known: &KnownContext) -> Self {
        let mut asked = Self::default();
        for name in names {
            if known.get(name).is_some() {
                continue;
            }
            match name.to_ascii_lowercase().as_str() {
                "aws:principalorgid" => asked.principal_organization = true,
                "aws:resourceorgid" => asked.resource_organization = true,
                "kms:resourcealiases" => asked.aliases = true,
                name if name.starts_with("aws:principaltag/") => asked.principal_tags = true,
                name if name.starts_with("aws:resourcetag/") => asked.resource_tags = true,
                _ => {}
            }
        }
        asked
    }

    /// All reads.
    pub(super) fn everything() -> Self {
        Self {
            principal_organization: true,
            resource_organization: true,
            principal_tags: true,
            resource_tags: true,
            aliases: true,
        }
    }

    /// Whether these are all of the other reads, and perhaps more.
    pub(super) fn covers(self, other: Self) -> bool {
        let pairs = [
            (self.principal_organization, other.principal_organization),
            (self.resource_organization, other.resource_organization),
            (self.principal_tags, other.principal_tags),
            (self.resource_tags, other.resource_tags),
            (self.aliases, other.aliases),
        ];
        pairs.iter().all(|(own, other)| *own || !*other)
    }
}

/// A principal's tags, read once, or why they could not be read.
type TagsOfPrincipal = OnceCell<Result<PrincipalTags, String>>;

/// The reads of one run about one key.
pub(super) struct Lookups<'a, P> {
    pub(super) environment: Environment<'a, P>,
    pub(super) key: &'a KeyDescription,
    pub(super) safeguards: &'a Safeguards,
    organization: OnceCell<Read<Option<String>>>,
    resource_tags: OnceCell<Read<Tags>>,
    aliases: OnceCell<Read<Vec<String>>>,
    principals: Mutex<BTreeMap<PrincipalArn, Arc<TagsOfPrincipal>>>,
}

impl<'a, P: PreflightPorts> Lookups<'a, P> {
    pub(super) fn new(
        environment: Environment<'a, P>,
        key: &'a KeyDescription,
        safeguards: &'a Safeguards,
    ) -> Self {
        Self::with_attributes(environment, key, safeguards, &Attributes::default())
    }

    /// Lookups that begin with attributes that have been read before.
    fn with_attributes(
        environment: Environment<'a, P>,
        key: &'a KeyDescription,
        safeguards: &'a Safeguards,
        read: &Attributes,
    ) -> Self {
        Self {
            environment,
            key,
            safeguards,
            organization: OnceCell::new_with(read.organization.clone()),
            resource_tags: OnceCell::new_with(read.resource_tags.clone()),
            aliases: OnceCell::new_with(read.aliases.clone()),
            principals: Mutex::default(),
        }
    }

    /// The account that the program runs in.
    fn account(&self) -> &str {
        &self.environment.location.account
    }

    /// Reads what a key's policy asks for: attributes of the key, of the account and of the principals.
    pub(super) async fn read_for(&self, policy: &Read<String>, subjects: &mut [Subject]) {
        let parsed = policy.known().and_then(|policy| Policy::parse(PolicyKind::Key, policy).ok());
        let Some(policy) = parsed else { return };
        let asked = RequestedReads::of(policy.condition_keys(), &self.safeguards.context);
        let is_of_own_account = |subject: &Subject| subject.principal.account() == self.account();
        let has_own_principal = subjects.is_empty() || subjects.iter().any(is_of_own_account);
        let of_key = RequestedReads {
            principal_organization: asked.principal_organization && has_own_principal,
            ..asked
        };
        let of_principals = async {
            if !asked.principal_tags {
                return Vec::new();
            }
            let untagged = subjects.iter().enumerate().filter(|(_, subject)| subject.tags.is_none());
            let untagged = untagged.filter(|(_, subject)| is_of_own_account(subject));
            let untagged: Vec<_> =
                untagged.map(|(at, subject)| (at, subject.principal.clone(), subject.side)).collect();
            let read = |(at, principal, side): (usize, PrincipalArn, CallerKind)| async move {
                (at, self.tags_of(&principal, side).await)
            };
            stream::iter(untagged).map(read).buffered(READS_AT_A_TIME).collect().await
        };
        // Boxed: many calls in flight make for a large state.
        let ((), tags) = tokio::join!(Box::pin(self.read_of_key(of_key)), Box::pin(of_principals));
        for (at, tags) in tags {
            if let Some(subject) = subjects.get_mut(at) {
                subject.tags = Some(tags);
            }
        }
    }

    /// Reads the attributes of the key and of the account that are asked for and have not been read.
    pub(super) async fn read_of_key(&self, asked: RequestedReads) {
        let is_own_key = self.key.arn.location().account == self.account();
        let organization = asked.principal_organization || (asked.resource_organization && is_own_key);
        tokio::join!(
            async {
                if organization {
                    self.organization
                        .get_or_init(|| async { Read::from(self.environment.ports.organization_id().await) })
                        .await;
                }
            },
            async {
                if asked.resource_tags {
                    self.resource_tags.get_or_init(|| self.read_resource_tags()).await;
                }
            },
            async {
                if asked.aliases {
                    self.aliases.get_or_init(|| self.read_aliases()).await;
                }
            },
        );
    }

    /// The attributes of the key and of the account that have been read.
    pub(super) fn attributes(&self) -> Attributes {
        Attributes {
            organization: self.organization.get().cloned(),
            resource_tags: self.resource_tags.get().cloned(),
            aliases: self.aliases.get().cloned(),
        }
    }

    /// What is known of a principal's call so far.
    pub(super) fn facts(
        &self,
        principal: &PrincipalArn,
        side: CallerKind,
        tags: Option<&Read<Tags>>,
    ) -> KeyFacts {
        let mut facts = self.attributes().facts(self.key, self.account(), &self.safeguards.context);
        if let Some(tags) = tags.and_then(Read::known) {
            facts.principal_tags.insert((principal.clone(), side), tags.clone());
        }
        facts
    }

    /// Takes the tags in IAM's list of the account for read.
    pub(super) async fn remember_tags(&self, policies: &AccountPolicies) {
        let mut principals = self.principals.lock().await;
        for ListedPrincipal { principal, tags, trust_policy, .. } in policies.principals() {
            let read = PrincipalTags { tags: tags.clone(), trust_policy: trust_policy.clone() };
            principals.insert(principal.clone(), Arc::new(OnceCell::new_with(Some(Ok(read)))));
        }
    }

    /// All tags that the calls of a principal of the own account have.
    pub(super) async fn tags_of(&self, principal: &PrincipalArn, side: CallerKind) -> Read<Tags> {
        let cell = Arc::clone(self.principals.lock().await.entry(principal.clone()).or_default());
        let read = cell
            .get_or_init(|| async {
                match self.environment.ports.principal_tags(principal).await {
                    Ok(Some(tags)) => Ok(tags),
                    Ok(None) => Err(format!("IAM finds no {principal}")),
                    Err(error) => Err(error.to_string()),
                }
            })
            .await;
        match read {
            Err(why) => Read::Unknown(why.clone()),
            Ok(found) => match &found.trust_policy {
                // The role of a node is assumed by AWS's own services, which pass no tags.
                Some(trust) if side == CallerKind::User && may_tag_sessions(trust) => Read::Unknown(format!(
                    "the trust policy of {principal} allows sts:TagSession, and tags of a session win over the \
                     role's"
                )),
                None if side == CallerKind::User && principal.principal_type() == PrincipalType::Role => {
                    Read::Unknown(format!(
                        "IAM gives no trust policy of {principal}, so that its sessions may have tags of their own"
                    ))
                }
                _ => Read::Known(Tags(found.tags.clone())),
            },
        }
    }

    async fn read_resource_tags(&self) -> Read<Tags> {
        if let Some(why) = self.unreadable("tags") {
            return Read::Unknown(why);
        }
        let reader = self.safeguards.reader.as_ref();
        Read::from(self.environment.ports.key_tags(&self.key.arn, reader).await.map(Tags))
    }

    async fn read_aliases(&self) -> Read<Vec<String>> {
        if let Some(why) = self.unreadable("aliases") {
            return Read::Unknown(why);
        }
        Read::from(self.environment.ports.key_aliases(&self.key.arn, self.safeguards.reader.as_ref()).await)
    }

    /// Why this cannot be read of the key. KMS shows it to nobody but the key's own account.
    fn unreadable(&self, what: &str) -> Option<String> {
        let owner = &self.key.arn.location().account;
        (owner != self.account() && self.safeguards.reader.is_none()).then(|| {
            format!(
                "the key belongs to account {owner}, and only that account may list its {what}; set \
                 KeyPolicyReaderRoleArn, or say by Context what they are (--reader-role or --context on the command line)"
            )
        })
    }
}

/// Reads what the policy of an observation asks for and what has not been read, because the policy may have changed.
pub(crate) async fn read_attributes<P: PreflightPorts>(
    environment: Environment<'_, P>,
    safeguards: &Safeguards,
    observation: &mut AccessObservation,
) {
    let key = observation.key.clone();
    let lookups = Lookups::with_attributes(environment, &key, safeguards, &observation.attributes);
    lookups.read_for(&observation.policy, &mut observation.subjects).await;
    observation.attributes = lookups.attributes();
}
