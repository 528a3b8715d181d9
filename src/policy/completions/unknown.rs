//! The unknown keys that statements and grants in doubt look at, and what their values are compared with.

use super::values::{Probe, SetNeed, candidates, known};
use super::variable::variables;
use super::{Axis, Candidate};
use crate::policy::answer::Completion;
use crate::policy::context::{Entry, KeyState, SessionRole, View, lower};
use crate::policy::document::{Condition, Key, Policy, Pools, Run, hash_folded, is_multivalued};
use crate::policy::grant::Grant;
use crate::policy::layers::{Hit, Layers};
use crate::policy::operator::{Base, Quantifier};
use crate::policy::pattern::Pattern;
use crate::policy::request::{ENCRYPTION_CONTEXT, ENCRYPTION_KEYS, Request};
use crate::policy::tri::Tri;

/// The most unknown keys: with two values each, more would make too many combinations.
const MOST_KEYS: usize = 12;

/// The most comparisons of keys with each other that are looked into.
const MOST_LINKS: usize = 16;

/// The unknown keys in play.
#[derive(Debug, Default)]
pub(super) struct Unknowns {
    keys: Vec<Unknown>,
    /// Comparisons of a key with a variable whose key is unknown.
    links: Vec<Link>,
    /// Whether some comparison is beyond what [`candidates`] can cover.
    incomplete: bool,
}

#[derive(Debug)]
struct Unknown {
    name: String,
    lower: String,
    may_be_absent: bool,
    probes: Vec<Probe>,
    /// What is asked of lists of values; `None` where the key has one value.
    sets: Option<SetNeed>,
    role: Option<RolePaths>,
}

/// A session's role: the ARNs that it may have.
#[derive(Debug)]
struct RolePaths {
    plain: String,
    /// With what the policies write for them.
    with_path: Vec<(String, String)>,
}

/// A key that is compared with the whole value of another one.
#[derive(Debug)]
struct Link {
    subject: usize,
    variable: usize,
}

impl Unknowns {
    pub(super) fn collect(request: &Request, layers: &Layers<'_>, hits: &[Hit]) -> Self {
        let view = View::new(request);
        let mut unknowns = Self::default();
        for hit in hits {
            match *hit {
                Hit::Statement { place, index, applies: Tri::Maybe, .. } => {
                    if let Some(policy) = layers.policy(place) {
                        unknowns.add_statement(policy, index, &view);
                    }
                }
                Hit::Grant { index, applies: Tri::Maybe, .. } => {
                    if let Some(grant) = layers.grants.list.get(index) {
                        unknowns.add_grant(grant, &view);
                    }
                }
                Hit::Statement { .. } | Hit::Grant { .. } => {}
            }
        }
        unknowns.tie_encryption_context(request);
        unknowns.tie_links();
        unknowns
    }

    /// The keys, as the policies write them.
    pub(super) fn names(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.name.clone()).collect()
    }

    /// The values to try for each key, and whether these are all that matter. `None` if there are too many keys.
    pub(super) fn axes(&self, request: &Request) -> Option<(Vec<Axis>, bool)> {
        if self.keys.len() > MOST_KEYS {
            return None;
        }
        let mut complete = !self.incomplete;
        let axes = self.keys.iter().map(|key| {
            let candidates = match &key.role {
                Some(role) => role.candidates(&key.name),
                None => {
                    let always = always_there(key, request);
                    let sets = key.sets.as_ref().map(|need| (need, always.as_slice()));
                    let (candidates, all) = candidates(&key.name, key.may_be_absent, &key.probes, sets);
                    complete &= all;
                    candidates
                }
            };
            Axis { name: key.name.clone(), candidates }
        });
        let axes = axes.collect();
        Some((axes, complete))
    }

    fn add_statement(&mut self, policy: &Policy, index: usize, view: &View<'_>) {
        let Some(statement) = policy.statements.get(index) else { return };
        let pools = &policy.pools;
        for condition in statement.conditions.of(&pools.conditions) {
            if condition.holds(statement.effect, pools, view) == Tri::Maybe {
                self.add_condition(condition, pools, view);
            }
        }
        let resources = statement.resource.map_or(Run::EMPTY, |r| r.entries);
        for pattern in resources.of(&pools.patterns) {
            let key = view.request.key.as_str();
            self.add_variables(pattern, Some(&[key.to_owned()]), None, pools, view);
        }
    }

    fn add_condition(&mut self, condition: &Condition, pools: &Pools, view: &View<'_>) {
        let Some(key) = pools.keys.get(condition.key as usize) else { return };
        let patterns = condition.values.of(&pools.patterns);
        let at = self.add_key(key, pools, view);
        if let Some(unknown) = at.and_then(|at| self.keys.get_mut(at)) {
            unknown.add_condition(condition, patterns, pools);
            if let KeyState::SessionRole(role) = view.state(key, pools) {
                unknown.add_role(role, patterns, pools);
            }
        }
        let known = match view.state(key, pools) {
            KeyState::Known { values, .. } => Some(values),
            _ => None,
        };
        // Ignoring case, and in lists, more than the value itself can match.
        let plain = matches!(condition.operator.base, Base::String | Base::StringLike | Base::Arn)
            && condition.operator.quantifier == Quantifier::Single;
        for pattern in patterns {
            self.add_variables(pattern, known.filter(|_| plain), at.filter(|_| plain), pools, view);
        }
    }

    /// Takes in the unknown keys of the variables in a pattern, that is compared with known values or an unknown key.
    fn add_variables(
        &mut self,
        pattern: &Pattern,
        known: Option<&[String]>,
        subject: Option<usize>,
        pools: &Pools,
        view: &View<'_>,
    ) {
        let keys = variables(pattern, pools);
        for key in &keys {
            let Some(variable) = self.add_variable(*key, pools, view) else { continue };
            let alone = keys.len() == 1;
            let (values, subject) = match (known, subject) {
                (Some(values), _) if alone => {
                    let values = values.iter().map(|value| pattern.value_of_variable(value, pools));
                    (values.collect::<Option<Vec<_>>>(), None)
                }
                (None, Some(subject)) if pattern.is_variable() => (Some(Vec::new()), Some(subject)),
                _ => (None, None),
            };
            match values {
                None => self.incomplete = true,
                Some(values) => {
                    if let Some(unknown) = self.keys.get_mut(variable) {
                        unknown.probes.extend(values.into_iter().flatten().map(Probe::Literal));
                    }
                    self.links.extend(subject.map(|subject| Link { subject, variable }));
                }
            }
        }
    }

    fn add_grant(&mut self, grant: &Grant, view: &View<'_>) {
        let constraints = &grant.constraints;
        for (name, value) in constraints.pairs() {
            let key = format!("kms:EncryptionContext:{name}");
            if let Some(unknown) = self.add_named(&key, view) {
                unknown.probes.push(Probe::Literal(value.clone()));
            }
        }
        if let Some(pairs) = &constraints.equals
            && let Some(unknown) = self.add_named(ENCRYPTION_KEYS, view)
        {
            let names: Vec<String> = pairs.iter().map(|(name, _)| name.clone()).collect();
            unknown.probes.extend(names.iter().cloned().map(Probe::Literal));
            let sets = unknown.sets.get_or_insert_default();
            sets.conditions += 1;
            sets.exact.push(names);
        }
        if let Some(arn) = &constraints.source_arn
            && let Some(unknown) = self.add_named("aws:SourceArn", view)
        {
            unknown.probes.push(Probe::Literal(arn.clone()));
        }
    }

    fn add_named(&mut self, name: &str, view: &View<'_>) -> Option<&mut Unknown> {
        let lower = lower(name);
        let state = view.find(hash_folded(&lower), &lower).1;
        let at = self.add(name, lower, state)?;
        self.keys.get_mut(at)
    }

    fn add_variable(&mut self, key: u32, pools: &Pools, view: &View<'_>) -> Option<usize> {
        let key = pools.keys.get(key as usize)?;
        self.add_key(key, pools, view)
    }

    fn add_key(&mut self, key: &Key, pools: &Pools, view: &View<'_>) -> Option<usize> {
        let name = key.written.of(&pools.text);
        self.add(name, key.lower.of(&pools.text).to_owned(), view.state(key, pools))
    }

    /// The position of a key, if it is unknown.
    fn add(&mut self, name: &str, lower: String, state: KeyState<'_>) -> Option<usize> {
        let may_be_absent = match state {
            KeyState::Unknown => true,
            KeyState::Present | KeyState::SessionRole(_) => false,
            KeyState::Known { .. } | KeyState::Absent => return None,
        };
        if let Some(at) = self.keys.iter().position(|key| key.lower == lower) {
            return Some(at);
        }
        let sets = is_multivalued(&lower).then(SetNeed::default);
        let name = name.to_owned();
        self.keys.push(Unknown { name, lower, may_be_absent, probes: Vec::new(), sets, role: None });
        Some(self.keys.len() - 1)
    }

    /// The names of the encryption context are the names of its keys: both are decided together.
    fn tie_encryption_context(&mut self, request: &Request) {
        let names: Vec<String> = self
            .keys
            .iter()
            .filter(|key| key.lower.starts_with(ENCRYPTION_CONTEXT))
            .filter_map(|key| key.name.get(ENCRYPTION_CONTEXT.len()..).map(str::to_owned))
            .collect();
        let Some(list) = self.keys.iter_mut().find(|key| key.is_encryption_keys()) else { return };
        list.may_be_absent &= always_there(list, request).is_empty();
        list.sets.get_or_insert_default().conditions += names.len();
        list.probes.extend(names.into_iter().map(Probe::Literal));
    }

    /// Keys that are compared with each other share the values to try, and each brings a value of its own.
    fn tie_links(&mut self) {
        if self.links.len() > MOST_LINKS {
            self.incomplete = true;
            return;
        }
        for (at, key) in self.keys.iter_mut().enumerate() {
            if self.links.iter().any(|link| link.variable == at || link.subject == at) {
                key.probes.push(Probe::Literal(format!("\u{1}{at}")));
                self.incomplete |= !key.probes.iter().all(|probe| matches!(probe, Probe::Literal(_)));
            }
        }
        for _ in 0..self.links.len() {
            for link in &self.links {
                let ends = [link.subject, link.variable];
                let shared: Vec<Probe> = ends
                    .iter()
                    .filter_map(|at| self.keys.get(*at))
                    .flat_map(|key| key.probes.clone())
                    .collect();
                for at in ends {
                    let Some(key) = self.keys.get_mut(at) else { continue };
                    for probe in &shared {
                        if !key.probes.contains(probe) {
                            key.probes.push(probe.clone());
                        }
                    }
                }
            }
        }
    }
}

impl Unknown {
    fn is_encryption_keys(&self) -> bool {
        self.lower == lower(ENCRYPTION_KEYS)
    }

    fn add_condition(&mut self, condition: &Condition, patterns: &[Pattern], pools: &Pools) {
        let operator = condition.operator;
        // The keys of AWS and KMS are known to have one value or a list; others may have either.
        let single = self.lower.starts_with("aws:") || self.lower.starts_with("kms:");
        if operator.quantifier != Quantifier::Single && (!single || self.sets.is_some()) {
            self.sets.get_or_insert_default().conditions += 1;
        }
        if operator.base == Base::Arn {
            self.probes.push(Probe::any_arn());
        }
        self.probes.extend(patterns.iter().filter_map(|p| Probe::new(operator.base, p, pools)));
    }

    fn add_role(&mut self, role: &SessionRole, patterns: &[Pattern], pools: &Pools) {
        let plain = role.arn.clone();
        let paths = self.role.get_or_insert_with(|| RolePaths { plain, with_path: Vec::new() });
        for pattern in patterns {
            let shown = pattern.shown(pools, "*", "?").unwrap_or_default();
            for arn in role.arns_in(pattern, pools) {
                if !paths.with_path.iter().any(|(known, _)| *known == arn) {
                    paths.with_path.push((arn, shown.clone()));
                }
            }
        }
    }
}

impl RolePaths {
    fn candidates(&self, name: &str) -> Vec<Candidate> {
        let candidate = |arn: &str, shown| Candidate { entry: Entry::new(name, known(arn)), shown };
        let plain = candidate(&self.plain, Completion::Value(self.plain.clone()));
        let with_path = self.with_path.iter().map(|(arn, shown)| {
            let exact = arn == shown;
            candidate(
                arn,
                if exact { Completion::Value(arn.clone()) } else { Completion::Like(shown.clone()) },
            )
        });
        [plain].into_iter().chain(with_path).collect()
    }
}

/// The names that the list of the encryption context's keys holds in any case, since the request has values for them.
fn always_there(key: &Unknown, request: &Request) -> Vec<String> {
    if key.is_encryption_keys() {
        request.given_encryption_keys().map(str::to_owned).collect()
    } else {
        Vec::new()
    }
}
