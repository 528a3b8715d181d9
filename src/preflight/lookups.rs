//! Lookups: reads that tell a condition key, made only where a policy asks for it, and each once a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::{Mutex, OnceCell};

use super::gather::AT_A_TIME;
use crate::access::{KeyFacts, KnownContext, PrincipalArn, PrincipalType, Side, Tags, may_tag_sessions};
use crate::intent::Safeguards;
use crate::key::KeyDescription;
use crate::location::Location;
use crate::ports::{AccessPorts, PrincipalTags};
use crate::preflight::{AccessObservation, Attributes, Read, Subject};
use kms_key_policy::{Policy, PolicyKind};

/// Which condition keys policies ask for that one read tells, and that Context does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) principal_organization: bool,
    pub(crate) resource_organization: bool,
    pub(crate) principal_tags: bool,
    pub(crate) resource_tags: bool,
    pub(crate) aliases: bool,
}

impl Asked {
    /// What these condition keys ask for.
    pub(crate) fn of<'n>(names: impl IntoIterator<Item = &'n str>, known: &KnownContext) -> Self {
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
}

/// What IAM says of a principal, read once; or why it does not.
type OfPrincipal = OnceCell<Result<PrincipalTags, String>>;

/// The reads of one run about one key.
pub(crate) struct Lookups<'a, P> {
    pub(crate) ports: &'a P,
    pub(crate) location: &'a Location,
    pub(crate) key: &'a KeyDescription,
    pub(crate) safeguards: &'a Safeguards,
    organization: OnceCell<Read<Option<String>>>,
    resource_tags: OnceCell<Read<Tags>>,
    aliases: OnceCell<Read<Vec<String>>>,
    principals: Mutex<BTreeMap<PrincipalArn, Arc<OfPrincipal>>>,
}

impl<'a, P: AccessPorts> Lookups<'a, P> {
    pub(crate) fn new(
        ports: &'a P,
        location: &'a Location,
        key: &'a KeyDescription,
        safeguards: &'a Safeguards,
    ) -> Self {
        Self::after(ports, location, key, safeguards, &Attributes::default())
    }

    /// The same where some of it has been read.
    pub(crate) fn after(
        ports: &'a P,
        location: &'a Location,
        key: &'a KeyDescription,
        safeguards: &'a Safeguards,
        read: &Attributes,
    ) -> Self {
        Self {
            ports,
            location,
            key,
            safeguards,
            organization: OnceCell::new_with(read.organization.clone()),
            resource_tags: OnceCell::new_with(read.resource_tags.clone()),
            aliases: OnceCell::new_with(read.aliases.clone()),
            principals: Mutex::default(),
        }
    }

    /// Reads what a key's policy asks for, of the key, of the account and of the principals.
    pub(crate) async fn read_for(&self, policy: &Read<String>, subjects: &mut [Subject]) {
        let parsed = policy.known().and_then(|policy| Policy::parse(PolicyKind::Key, policy).ok());
        let Some(policy) = parsed else { return };
        let asked = Asked::of(policy.condition_keys(), &self.safeguards.context);
        let is_at_home = |subject: &Subject| subject.principal.account() == self.location.account;
        let somebody_is = subjects.is_empty() || subjects.iter().any(is_at_home);
        let of_key = Asked { principal_organization: asked.principal_organization && somebody_is, ..asked };
        let of_principals = async {
            if !asked.principal_tags {
                return Vec::new();
            }
            let untagged = subjects.iter().enumerate().filter(|(_, subject)| subject.tags.is_none());
            let untagged = untagged.filter(|(_, subject)| is_at_home(subject));
            let untagged: Vec<_> =
                untagged.map(|(at, subject)| (at, subject.principal.clone(), subject.side)).collect();
            let read = |(at, principal, side): (usize, PrincipalArn, Side)| async move {
                (at, self.tags_of(&principal, side).await)
            };
            stream::iter(untagged).map(read).buffered(AT_A_TIME).collect().await
        };
        let ((), tags) = tokio::join!(self.read_of_key(of_key), of_principals);
        for (at, tags) in tags {
            if let Some(subject) = subjects.get_mut(at) {
                subject.tags = Some(tags);
            }
        }
    }

    /// Reads of the key and of the account what is asked for and has not been read.
    pub(crate) async fn read_of_key(&self, asked: Asked) {
        let is_own_key = self.key.arn.location().account == self.location.account;
        let organization = asked.principal_organization || (asked.resource_organization && is_own_key);
        tokio::join!(
            async {
                if organization {
                    self.organization
                        .get_or_init(|| async { Read::from(self.ports.organization_id().await) })
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

    /// What has been read of the key and of the account.
    pub(crate) fn attributes(&self) -> Attributes {
        Attributes {
            organization: self.organization.get().cloned(),
            resource_tags: self.resource_tags.get().cloned(),
            aliases: self.aliases.get().cloned(),
        }
    }

    /// What is known of a principal's call by now.
    pub(crate) fn facts(&self, principal: &PrincipalArn, side: Side, tags: Option<&Read<Tags>>) -> KeyFacts {
        let mut facts = self.attributes().facts(self.key, &self.location.account, &self.safeguards.context);
        if let Some(tags) = tags.and_then(Read::known) {
            facts.principal_tags.insert((principal.clone(), side), tags.clone());
        }
        facts
    }

    /// All tags that calls of a principal of the own account have.
    pub(crate) async fn tags_of(&self, principal: &PrincipalArn, side: Side) -> Read<Tags> {
        let cell = Arc::clone(self.principals.lock().await.entry(principal.clone()).or_default());
        let read = cell
            .get_or_init(|| async {
                match self.ports.principal_tags(principal).await {
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
                Some(trust) if side == Side::User && may_tag_sessions(trust) => Read::Unknown(format!(
                    "the trust policy of {principal} allows sts:TagSession, and tags of a session win over the \
                     role's"
                )),
                None if side == Side::User && principal.principal_type() == PrincipalType::Role => {
                    Read::Unknown(format!(
                        "IAM tells no trust policy of {principal}, so that its sessions may have tags of their own"
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
        Read::from(self.ports.key_tags(&self.key.arn, reader).await.map(Tags))
    }

    async fn read_aliases(&self) -> Read<Vec<String>> {
        if let Some(why) = self.unreadable("aliases") {
            return Read::Unknown(why);
        }
        Read::from(self.ports.key_aliases(&self.key.arn, self.safeguards.reader.as_ref()).await)
    }

    /// Why nothing of this kind can be read of the key: KMS shows it to the key's own account only.
    fn unreadable(&self, what: &str) -> Option<String> {
        let owner = &self.key.arn.location().account;
        (*owner != self.location.account && self.safeguards.reader.is_none()).then(|| {
            format!(
                "the key belongs to account {owner}, and only that account may list its {what}; set \
                 KeyPolicyReaderRoleArn, or say by Context what they are"
            )
        })
    }
}

/// Reads what the policy of an observation asks for and has not been read: it may be another policy by now.
pub(crate) async fn read_what_is_asked<P: AccessPorts>(
    ports: &P,
    location: &Location,
    safeguards: &Safeguards,
    observation: &mut AccessObservation,
) {
    let key = observation.key.clone();
    let lookups = Lookups::after(ports, location, &key, safeguards, &observation.attributes);
    lookups.read_for(&observation.policy, &mut observation.subjects).await;
    observation.attributes = lookups.attributes();
}
