//! The condition keys that a session's calls certainly have or lack, according to the sources of amazon-ssm-agent and
//! session-manager-plugin. They serve both the policy evaluator and IAM's simulator.
//!
//! Clients call KMS directly, so the condition keys of calls through another service are absent: an Allow that
//! requires `kms:ViaService` allows nothing here. What depends on the user's network and device stays unknown.

use super::call::CallerKind;
use super::known_context::{KnownContext, KnownContextKey, KnownState};
use kms_key_policy::Action;

/// What is known of one condition key, or of all whose names have the same beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    /// The name; for [`FactState::AbsentBelow`] the beginning of names.
    pub(super) name: String,
    pub(super) state: FactState,
}

/// Whether a call has a condition key, and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FactState {
    /// It has these values, at least one.
    Values(Vec<String>),
    /// It has an unknown value.
    Present,
    /// It is absent.
    Absent,
    /// All condition keys whose names have this beginning are absent, unless another fact names them.
    AbsentBelow,
}

impl Fact {
    pub(super) fn new(name: impl Into<String>, state: FactState) -> Self {
        Self { name: name.into(), state }
    }

    pub(super) fn value(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self::new(name, FactState::Values(vec![value.into()]))
    }
}

/// What the owner states of a condition key.
impl From<&KnownContextKey> for Fact {
    fn from(known: &KnownContextKey) -> Self {
        let state = match known.state() {
            KnownState::Values(values) => FactState::Values(values.clone()),
            KnownState::Absent => FactState::Absent,
        };
        Self::new(known.name(), state)
    }
}

/// The state of a condition key, whose name is case-insensitive. A later fact wins over an earlier one.
pub(super) fn state_of<'a>(facts: &'a [Fact], name: &str) -> Option<&'a FactState> {
    let named = |fact: &&Fact| fact.state != FactState::AbsentBelow && fact.name.eq_ignore_ascii_case(name);
    let begins = |fact: &&Fact| fact.state == FactState::AbsentBelow && has_prefix(name, &fact.name);
    let fact = facts.iter().rev().find(named).or_else(|| facts.iter().find(begins))?;
    Some(&fact.state)
}

/// Whether a name begins with `prefix`, whatever the case.
pub(super) fn has_prefix(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
}

const SESSION_ID: &str = "aws:ssm:SessionId";
const TARGET_ID: &str = "aws:ssm:TargetId";
const RANDOM_CHALLENGE: &str = "aws:ssm:RandomChallenge";
/// The names in the encryption context of every session.
const CONTEXT_OF_SESSIONS: &[&str] = &[SESSION_ID, TARGET_ID];
/// A newer client adds a third name, and the node's agent then decrypts with the same three. So both contexts can come
/// on both sides.
const CONTEXT_OF_NEWER_CLIENTS: &[&str] = &[SESSION_ID, TARGET_ID, RANDOM_CHALLENGE];

/// The condition key that lists the names in the encryption context.
pub(super) const CONTEXT_KEYS: &str = "kms:EncryptionContextKeys";
/// The beginning of the condition keys that hold its values.
const CONTEXT_VALUE: &str = "kms:EncryptionContext:";
/// The condition key of the value that newer clients add.
pub const CHALLENGE: &str = "kms:EncryptionContext:aws:ssm:RandomChallenge";

/// These come with calls through another service, by an alias or of a root user's session, which no session makes.
const ABSENT: [&str; 13] = [
    "kms:ViaService",
    "kms:RequestAlias",
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:CalledViaAWSMCP",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:AssumedRoot",
];
/// Neither the agent nor the plugin sends a Recipient.
const RECIPIENT: &str = "kms:RecipientAttestation:";
/// A node's role has no second factor.
const ABSENT_ON_NODES: [&str; 2] = ["aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"];
/// The values that every call has.
const VALUES: [(&str, &str); 4] = [
    ("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
    ("aws:SecureTransport", "true"),
    ("aws:ViaAWSService", "false"),
    ("aws:PrincipalIsAWSService", "false"),
];

/// The names in each encryption context that a session can have; every one must be allowed. If the owner states that
/// no client adds the challenge, there is only one.
#[must_use]
pub fn encryption_contexts(known: &KnownContext) -> &'static [&'static [&'static str]] {
    match known.get(CHALLENGE).map(KnownContextKey::state) {
        Some(KnownState::Absent) => &[CONTEXT_OF_SESSIONS],
        Some(KnownState::Values(_)) | None => &[CONTEXT_OF_SESSIONS, CONTEXT_OF_NEWER_CLIENTS],
    }
}

/// Whether an encryption context has the name that newer clients add.
pub(super) fn is_of_newer_clients(names: &[&str]) -> bool {
    names.contains(&RANDOM_CHALLENGE)
}

/// What every call of a side has and lacks, apart from its encryption context.
pub(super) fn call_facts(side: CallerKind) -> Vec<Fact> {
    let of_nodes = ABSENT_ON_NODES.into_iter().filter(|_| side == CallerKind::Node);
    let absent = ABSENT.into_iter().chain(of_nodes).map(|name| Fact::new(name, FactState::Absent));
    // These condition keys come with other KMS operations only.
    let action = Action::parse(side.call().action());
    let of_others = action.iter().flat_map(Action::absent_keys).chain([RECIPIENT]).map(|name| {
        let state = if name.ends_with([':', '/']) { FactState::AbsentBelow } else { FactState::Absent };
        Fact::new(name, state)
    });
    let values = VALUES.into_iter().map(|(name, value)| Fact::value(name, value));
    absent.chain(of_others).chain(values).collect()
}

/// The facts about the names in the encryption context: these and no others.
pub(super) fn encryption_context_facts(names: &[&str]) -> Vec<Fact> {
    let list = FactState::Values(names.iter().map(|name| (*name).to_owned()).collect());
    let mut facts = vec![Fact::new(CONTEXT_KEYS, list), Fact::new(CONTEXT_VALUE, FactState::AbsentBelow)];
    if !is_of_newer_clients(names) {
        facts.push(Fact::new(CHALLENGE, FactState::Absent));
    }
    facts
}

/// The facts that the encryption context's values are present; the owner may state the values themselves.
pub(super) fn encryption_context_values(names: &[&str]) -> impl Iterator<Item = Fact> {
    names.iter().map(|name| Fact::new(format!("{CONTEXT_VALUE}{name}"), FactState::Present))
}

/// What is certain of a condition key in every session, if a statement contradicts it.
pub(super) fn contradiction(name: &str, stated: &KnownState) -> Option<String> {
    const OF_PRINCIPAL: [&str; 5] = [
        "aws:PrincipalArn",
        "aws:PrincipalAccount",
        "aws:PrincipalType",
        "aws:username",
        "kms:CallerAccount",
    ];
    const OF_KEY: [&str; 4] =
        ["aws:ResourceAccount", "aws:RequestedRegion", "kms:MultiRegion", "kms:MultiRegionKeyType"];
    const OF_FIT_KEY: [(&str, &str); 4] = [
        ("kms:KeySpec", "SYMMETRIC_DEFAULT"),
        ("kms:KeyUsage", "ENCRYPT_DECRYPT"),
        ("kms:CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"),
        ("kms:CustomerMasterKeyUsage", "ENCRYPT_DECRYPT"),
    ];
    let is = |other: &&str| other.eq_ignore_ascii_case(name);
    let has = |value: &str| matches!(stated, KnownState::Values(values) if values.as_slice() == [value]);
    if is(&CONTEXT_KEYS) {
        return Some(format!(
            "it lists {SESSION_ID}, {TARGET_ID} and, if a newer client adds it, {RANDOM_CHALLENGE}; say by \
             `{CHALLENGE}`: null that none does"
        ));
    }
    if is(&CHALLENGE) {
        return None;
    }
    if OF_PRINCIPAL.iter().any(is) {
        return Some("it follows from each principal; leave it out".to_owned());
    }
    if OF_KEY.iter().any(is) {
        return Some("it follows from the key; leave it out".to_owned());
    }
    if let Some((_, value)) = OF_FIT_KEY.iter().find(|(other, _)| is(other)) {
        return (!has(value)).then(|| format!("it is `{value}` of the key of every session"));
    }
    let mut facts: Vec<_> = encryption_context_values(CONTEXT_OF_SESSIONS).collect();
    facts.extend(call_facts(CallerKind::User));
    facts.extend(encryption_context_facts(CONTEXT_OF_SESSIONS));
    match (state_of(&facts, name)?, stated) {
        (FactState::Values(values), _) => match values.as_slice() {
            [value] if !has(value) => Some(format!("it is `{value}`")),
            _ => None,
        },
        (FactState::Present, KnownState::Absent) => Some("it is present".to_owned()),
        (FactState::Absent | FactState::AbsentBelow, KnownState::Values(_)) => {
            Some("it is absent".to_owned())
        }
        _ => None,
    }
}
