//! The condition keys that a session's calls certainly have or lack (amazon-ssm-agent and session-manager-plugin
//! sources), once for the own evaluator and for IAM's simulator.
//!
//! Both calls are made directly, so what speaks of another service is absent: an Allow that demands
//! `kms:ViaService` grants nothing here. What depends on where and how somebody works stays unknown.

use super::call::Side;
use super::known_context::{KnownContext, KnownState};
use kms_key_policy::Action;

/// What is known of a condition key, or of all whose names begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    /// The name; the beginning of names for [`FactState::AbsentBelow`].
    pub(super) name: String,
    pub(super) state: FactState,
}

/// How it stands with a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FactState {
    /// It has these values, of which there is at least one.
    Values(Vec<String>),
    /// It has a value that nobody knows.
    Present,
    /// It is absent.
    Absent,
    /// All keys whose names begin so are absent, unless another fact names them.
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

/// What facts say of a key, whose name is case-insensitive; a later fact wins over an earlier one.
pub(super) fn state_of<'a>(facts: &'a [Fact], name: &str) -> Option<&'a FactState> {
    let named = |fact: &&Fact| fact.state != FactState::AbsentBelow && fact.name.eq_ignore_ascii_case(name);
    let begins = |fact: &&Fact| fact.state == FactState::AbsentBelow && is_below(name, &fact.name);
    let fact = facts.iter().rev().find(named).or_else(|| facts.iter().find(begins))?;
    Some(&fact.state)
}

/// Whether a name begins with these words, whatever their case.
pub(super) fn is_below(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
}

const SESSION_ID: &str = "aws:ssm:SessionId";
const TARGET_ID: &str = "aws:ssm:TargetId";
const RANDOM_CHALLENGE: &str = "aws:ssm:RandomChallenge";
/// The names in the encryption context of a session.
const OF_SESSION: &[&str] = &[SESSION_ID, TARGET_ID];
/// A newer client adds a third to its call, and the agent of the node then decrypts with the same three, so that
/// either may come on both sides alike.
const WITH_CHALLENGE: &[&str] = &[SESSION_ID, TARGET_ID, RANDOM_CHALLENGE];

/// The condition key that lists the names in the encryption context.
pub(super) const CONTEXT_KEYS: &str = "kms:EncryptionContextKeys";
/// What the condition keys of its values begin with.
const CONTEXT_VALUE: &str = "kms:EncryptionContext:";
/// The condition key of what newer clients add.
pub const CHALLENGE: &str = "kms:EncryptionContext:aws:ssm:RandomChallenge";

/// Speaks of another service or of an alias, and is in no call of a session.
const ABSENT: [&str; 11] = [
    "kms:ViaService",
    "kms:RequestAlias",
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
];
/// Neither agent nor plugin sends a Recipient.
const RECIPIENT: &str = "kms:RecipientAttestation:";
/// A role of a node has no second factor.
const ABSENT_ON_NODES: [&str; 2] = ["aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"];
/// What every call has.
const VALUES: [(&str, &str); 4] = [
    ("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
    ("aws:SecureTransport", "true"),
    ("aws:ViaAWSService", "false"),
    ("aws:PrincipalIsAWSService", "false"),
];

/// The names in the encryption contexts that a session can have, each of which must be allowed; one alone where it
/// is known that no client adds the challenge.
#[must_use]
pub fn encryption_contexts(known: &KnownContext) -> &'static [&'static [&'static str]] {
    match known.get(CHALLENGE).map(super::known_context::KnownContextKey::state) {
        Some(KnownState::Absent) => &[OF_SESSION],
        Some(KnownState::Values(_)) | None => &[OF_SESSION, WITH_CHALLENGE],
    }
}

/// Whether an encryption context has what newer clients add.
pub(super) fn is_of_newer_clients(names: &[&str]) -> bool {
    names.contains(&RANDOM_CHALLENGE)
}

/// What every call of a side has and lacks, but for its encryption context.
pub(super) fn of_call(side: Side) -> Vec<Fact> {
    let of_nodes = ABSENT_ON_NODES.into_iter().filter(|_| side == Side::Node);
    let absent = ABSENT.into_iter().chain(of_nodes).map(|name| Fact::new(name, FactState::Absent));
    // What KMS has for other operations alone.
    let action = Action::parse(side.call().action());
    let of_others = action.iter().flat_map(Action::absent_keys).chain([RECIPIENT]).map(|name| {
        let state = if name.ends_with([':', '/']) { FactState::AbsentBelow } else { FactState::Absent };
        Fact::new(name, state)
    });
    let values = VALUES.into_iter().map(|(name, value)| Fact::value(name, value));
    absent.chain(of_others).chain(values).collect()
}

/// The names in the encryption context, in which no other is.
pub(super) fn of_encryption_context(names: &[&str]) -> Vec<Fact> {
    let list = FactState::Values(names.iter().map(|name| (*name).to_owned()).collect());
    let mut facts = vec![Fact::new(CONTEXT_KEYS, list), Fact::new(CONTEXT_VALUE, FactState::AbsentBelow)];
    if !is_of_newer_clients(names) {
        facts.push(Fact::new(CHALLENGE, FactState::Absent));
    }
    facts
}

/// That the encryption context's values are there; what they are, others may know.
pub(super) fn present_in(names: &[&str]) -> impl Iterator<Item = Fact> {
    names.iter().map(|name| Fact::new(format!("{CONTEXT_VALUE}{name}"), FactState::Present))
}

/// How it certainly is with a condition key in every session, where somebody says otherwise.
pub(super) fn contradiction(name: &str, said: &KnownState) -> Option<String> {
    const OF_PRINCIPAL: [&str; 5] = [
        "aws:PrincipalArn",
        "aws:PrincipalAccount",
        "aws:PrincipalType",
        "aws:username",
        "kms:CallerAccount",
    ];
    const OF_KEY: [&str; 3] = ["aws:ResourceAccount", "aws:RequestedRegion", "kms:MultiRegion"];
    const OF_FIT_KEY: [(&str, &str); 4] = [
        ("kms:KeySpec", "SYMMETRIC_DEFAULT"),
        ("kms:KeyUsage", "ENCRYPT_DECRYPT"),
        ("kms:CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"),
        ("kms:CustomerMasterKeyUsage", "ENCRYPT_DECRYPT"),
    ];
    let is = |other: &&str| other.eq_ignore_ascii_case(name);
    let has = |value: &str| matches!(said, KnownState::Values(values) if values.as_slice() == [value]);
    if is(&CONTEXT_KEYS) {
        return Some(format!(
            "it lists {SESSION_ID}, {TARGET_ID} and, where a newer client adds it, {RANDOM_CHALLENGE}; say by \
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
    let mut facts: Vec<_> = present_in(OF_SESSION).collect();
    facts.extend(of_call(Side::User));
    facts.extend(of_encryption_context(OF_SESSION));
    match (state_of(&facts, name)?, said) {
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
