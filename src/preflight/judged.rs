//! Both sides judged with what Context says and without it, so that a finding tells what of Context it rests on.

use super::checks::identities;
use super::checks::key_policy;
use super::finding::Finding;
use super::observation::{AccessObservation, Subject};
use crate::access::{IdentityVerdict, KeyRules, KeyVerdict, KnownContext, OwnSide};

/// The checks of the key's side and of the own side, where this is what Context says.
pub(super) struct Judge<'a> {
    pub(super) observation: &'a AccessObservation,
    pub(super) known: KnownContext,
    pub(super) rules: Result<KeyRules, String>,
}

/// What was found of one subject.
pub(super) struct Judged {
    pub(super) on_key: Finding,
    pub(super) key_side: Result<KeyVerdict, String>,
    pub(super) on_identity: Finding,
    pub(super) own: IdentityVerdict,
}

/// A judge with all that Context says, and one for each key of it that a policy asks for, without that key.
pub(super) struct Judges<'a> {
    pub(super) all: Judge<'a>,
    without_each: Vec<(String, Judge<'a>)>,
    /// Without any of them; `None` where there is none.
    without: Option<Judge<'a>>,
}

impl<'a> Judge<'a> {
    fn new(observation: &'a AccessObservation, known: KnownContext) -> Self {
        let rules = key_policy::rules(observation, &known);
        Self { observation, known, rules }
    }

    fn judge(&self, subject: &Subject) -> Judged {
        let key_side = key_policy::judge(&self.rules, self.observation, subject);
        let on_key = key_policy::finding(subject, self.observation, &key_side);
        let (on_identity, own) = identities::finding(subject, self, &key_side);
        Judged { on_key, key_side, on_identity, own }
    }
}

impl<'a> Judges<'a> {
    pub(super) fn new(observation: &'a AccessObservation) -> Self {
        let all = Judge::new(observation, observation.context.clone());
        let asked = asked(&all);
        let without_each = asked
            .iter()
            .map(|name| (name.clone(), Judge::new(observation, observation.context.without(name))));
        let without_each = without_each.collect();
        let without = (!asked.is_empty()).then(|| {
            let known = asked.iter().fold(observation.context.clone(), |known, name| known.without(name));
            Judge::new(observation, known)
        });
        Self { all, without_each, without }
    }

    /// The findings about a subject, which tell what of Context they rest on.
    pub(super) fn judge(&self, subject: &Subject) -> Judged {
        let mut judged = self.all.judge(subject);
        let on_key = self.rests_on(&judged.on_key, &|judge| judge.judge(subject).on_key);
        let on_identity = self.rests_on(&judged.on_identity, &|judge| judge.judge(subject).on_identity);
        judged.on_key.evidence.push_str(&on_key);
        judged.on_identity.evidence.push_str(&on_identity);
        judged
    }

    /// What of Context a finding rests on, in words: the keys without which the verdict would be another one. Empty
    /// where it rests on none.
    pub(super) fn rests_on(&self, found: &Finding, find: &dyn Fn(&Judge<'a>) -> Finding) -> String {
        let is_other = |judge: &Judge<'a>| find(judge).verdict != found.verdict;
        if !self.without.as_ref().is_some_and(is_other) {
            return String::new();
        }
        let alone: Vec<_> = self.without_each.iter().filter(|(_, judge)| is_other(judge)).collect();
        // Where no key is needed by itself, each of them is enough beside the others.
        let needed = if alone.is_empty() { self.without_each.iter().collect() } else { alone };
        let known: Vec<_> =
            needed.iter().filter_map(|(name, _)| self.all.known.get(name)).map(ToString::to_string).collect();
        format!(" (given that {}, as Context says)", known.join(" and "))
    }
}

/// The keys of Context that a policy asks for.
fn asked(judge: &Judge<'_>) -> Vec<String> {
    let mut names: Vec<&str> = judge.rules.iter().flat_map(KeyRules::condition_keys).collect();
    for subject in &judge.observation.subjects {
        names.extend(subject.told.iter().map(String::as_str));
        if let OwnSide::Given(policies) = &subject.own {
            names.extend(policies.iter().flat_map(kms_key_policy::Policy::condition_keys));
        }
    }
    // Whether a third name is in the encryption context turns what its list of names holds.
    let lists_names = names.iter().any(|name| name.to_ascii_lowercase().starts_with("kms:encryptioncontext"));
    let is_asked = |known: &str| {
        names.iter().any(|name| name.eq_ignore_ascii_case(known))
            || (lists_names && known.to_ascii_lowercase().starts_with("kms:encryptioncontext:"))
    };
    judge.known.iter().map(|known| known.name().to_owned()).filter(|name| is_asked(name)).collect()
}
