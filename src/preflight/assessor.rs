//! Assesses both sides of each subject twice: with what Context says, and without. A finding can then say which parts of
//! Context it rests on.

use super::checks::{identities, key_policy};
use super::finding::{Finding, Verdict};
use super::observation::{AccessObservation, Subject};
use crate::access::{IdentityVerdict, KeyRules, KeyVerdict, KnownContext, OwnSide};

/// An observation, and the condition keys that are taken for known.
pub(super) struct Assumption<'a> {
    pub(super) observation: &'a AccessObservation,
    pub(super) known: KnownContext,
    pub(super) rules: Result<KeyRules, String>,
    /// If the key's side is not known: the rules of a key policy that admits everybody.
    pub(super) permissive: Option<KeyRules>,
}

/// What was found of one subject, whatever its need.
pub(super) struct SubjectAssessment {
    pub(super) on_key: Finding,
    pub(super) key_side: Result<KeyVerdict, String>,
    pub(super) on_identity: Finding,
    pub(super) own: IdentityVerdict,
}

/// Assesses subjects under all that Context says, and under less of it.
pub(super) struct Assessor<'a> {
    /// Everything that Context says.
    pub(super) all: Assumption<'a>,
    /// For each key of Context that a policy asks for, everything but that key.
    without_each: Vec<(String, Assumption<'a>)>,
    /// Nothing that a policy asks for. `None` if no policy asks for any.
    without_any: Option<Assumption<'a>>,
}

impl<'a> Assumption<'a> {
    fn new(observation: &'a AccessObservation, known: KnownContext) -> Self {
        let rules = key_policy::rules(observation, &known);
        let permissive = match rules {
            Ok(_) => None,
            Err(_) => key_policy::most_permissive(observation, &known),
        };
        Self { observation, known, rules, permissive }
    }

    fn assess(&self, subject: &Subject) -> SubjectAssessment {
        let key_side = key_policy::assess(&self.rules, self.observation, subject);
        let on_key = key_policy::finding(subject, self.observation, &key_side);
        let (on_identity, own) = identities::finding(subject, self, &key_side);
        SubjectAssessment { on_key, key_side, on_identity, own }
    }
}

impl SubjectAssessment {
    /// Both sides together.
    pub(super) fn verdict(&self) -> Verdict {
        self.on_key.verdict.and(self.on_identity.verdict)
    }
}

impl<'a> Assessor<'a> {
    pub(super) fn new(observation: &'a AccessObservation) -> Self {
        let all = Assumption::new(observation, observation.context.clone());
        let asked = asked(&all);
        let without_each = asked
            .iter()
            .map(|name| (name.clone(), Assumption::new(observation, observation.context.without(name))))
            .collect();
        let without_any = (!asked.is_empty()).then(|| {
            let known = asked.iter().fold(observation.context.clone(), |known, name| known.without(name));
            Assumption::new(observation, known)
        });
        Self { all, without_each, without_any }
    }

    /// The findings about a subject. Each says which parts of Context it rests on.
    pub(super) fn assess(&self, subject: &Subject) -> SubjectAssessment {
        let mut assessment = self.all.assess(subject);
        let on_key = self.rests_on(&assessment.on_key, &|other| other.assess(subject).on_key);
        let on_identity = self.rests_on(&assessment.on_identity, &|other| other.assess(subject).on_identity);
        assessment.on_key.evidence.push_str(&on_key);
        assessment.on_identity.evidence.push_str(&on_identity);
        assessment
    }

    /// The parts of Context that a finding rests on, in words: the keys without which the verdict would be another one.
    /// The text is empty if the finding rests on none. `find` makes the finding under another assumption.
    pub(super) fn rests_on(&self, found: &Finding, find: &dyn Fn(&Assumption<'a>) -> Finding) -> String {
        let is_other = |assumption: &Assumption<'a>| find(assumption).verdict != found.verdict;
        if !self.without_any.as_ref().is_some_and(is_other) {
            return String::new();
        }
        let alone: Vec<_> = self.without_each.iter().filter(|(_, assumption)| is_other(assumption)).collect();
        // If no key is needed by itself, each of them is enough beside the others.
        let needed = if alone.is_empty() { self.without_each.iter().collect() } else { alone };
        let known: Vec<_> =
            needed.iter().filter_map(|(name, _)| self.all.known.get(name)).map(ToString::to_string).collect();
        format!(" (given that {}, as Context says)", known.join(" and "))
    }
}

/// The keys of Context that a policy asks for.
fn asked(assumption: &Assumption<'_>) -> Vec<String> {
    let mut names: Vec<&str> = assumption.rules.iter().flat_map(KeyRules::condition_keys).collect();
    for subject in &assumption.observation.subjects {
        names.extend(subject.asked_of_context.iter().map(String::as_str));
        match &subject.own {
            OwnSide::Given(policies) => {
                names.extend(policies.iter().flat_map(kms_key_policy::Policy::condition_keys));
            }
            OwnSide::Listed(policies) => names.extend(policies.condition_keys()),
            OwnSide::Unknown(_) | OwnSide::Simulated(_) => {}
        }
    }
    // A further name in the encryption context also changes the list of its names.
    let lists_names = names.iter().any(|name| name.to_ascii_lowercase().starts_with("kms:encryptioncontext"));
    let is_asked = |known: &str| {
        names.iter().any(|name| name.eq_ignore_ascii_case(known))
            || (lists_names && known.to_ascii_lowercase().starts_with("kms:encryptioncontext:"))
    };
    assumption.known.iter().map(|known| known.name().to_owned()).filter(|name| is_asked(name)).collect()
}
