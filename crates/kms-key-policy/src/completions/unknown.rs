//! The unknown keys that statements and grants in doubt look at, and what their values are compared with.

use super::lists::{Lists, listed};
use super::relation::Relation;
use super::values::{Probe, Probes};
use super::variable;
use super::{Axis, Candidate, Choice};
use crate::context::{Entry, EntryState, KeyState, SessionRole, View, lower};
use crate::document::{Condition, Key, Policy, Pools, Run, hash_folded, is_multivalued};
use crate::grant::Grant;
use crate::layers::{Hit, Layers};
use crate::operator::{Base, Operator, Quantifier};
use crate::pattern::Pattern;
use crate::request::{ENCRYPTION_CONTEXT, ENCRYPTION_KEYS, Request};
use crate::symbols::{Symbol, Template, as_text, in_lower_case, of_folded, unnamed};
use crate::tri::Tri;

/// The most unknown keys: with two values each, more would make too many combinations.
const MOST_KEYS: usize = 12;

/// The unknown keys in play.
#[derive(Debug, Default)]
pub(super) struct Unknowns {
    pub(super) keys: Vec<Unknown>,
    /// Comparisons of a key with variables whose keys are unknown.
    pub(super) relations: Vec<Relation>,
    /// Whether some comparison is beyond what is tried.
    pub(super) incomplete: bool,
}

#[derive(Debug)]
pub(super) struct Unknown {
    pub(super) name: String,
    lower: String,
    pub(super) may_be_absent: bool,
    pub(super) probes: Probes,
    /// What is asked of lists of values; `None` where the key has one value.
    pub(super) lists: Option<Lists>,
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
        unknowns
    }

    /// The keys, as the policies write them.
    pub(super) fn names(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.name.clone()).collect()
    }

    /// The values to try for each key, and whether these are all that matter. `None` if there are too many keys.
    pub(super) fn axes(mut self, request: &Request) -> Option<(Vec<Axis>, bool)> {
        if self.keys.len() > MOST_KEYS {
            return None;
        }
        let equal = self.tie_relations();
        let others = self.unnamed(self.keys.len().max(1));
        let mut complete = !self.incomplete;
        let axes = self.keys.iter().enumerate().map(|(at, key)| {
            let equals =
                equal.iter().filter(|pair| pair.contains(&at)).flatten().copied().filter(|n| *n != at);
            let equals: Vec<usize> = equals.collect();
            let most = self.keys_equal_to(at, &equal);
            let (candidates, all) = key.candidates(request, &others, most);
            complete &= all;
            Axis { name: key.name.clone(), candidates, probes: key.probes.clone(), equals }
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
        let key = view.request.key.as_str().to_owned();
        for pattern in resources.of(&pools.patterns) {
            self.add_variables(pattern, &[&key], false, pools, view);
        }
    }

    fn add_condition(&mut self, condition: &Condition, pools: &Pools, view: &View<'_>) {
        let Some(key) = pools.keys.get(condition.key as usize) else { return };
        let operator = condition.operator;
        let at = self.add_key(key, pools, view);
        if operator.base == Base::Null {
            return;
        }
        if let Some(unknown) = at.and_then(|at| self.keys.get_mut(at)) {
            unknown.add_operator(operator);
        }
        let known = match view.state(key, pools) {
            KeyState::Known { values, .. } => values,
            _ => &[],
        };
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        for pattern in condition.values.of(&pools.patterns) {
            match at {
                Some(at) => self.add_pattern(at, operator, pattern, pools, view),
                None => self.add_variables(pattern, &known, operator.ignores_case(), pools, view),
            }
        }
    }

    /// Takes in what an unknown key is compared with.
    fn add_pattern(
        &mut self,
        at: usize,
        operator: Operator,
        pattern: &Pattern,
        pools: &Pools,
        view: &View<'_>,
    ) {
        let fold = operator.ignores_case();
        let probe = match pattern {
            Pattern::Number(number) => Some(Probe::Number(number.of(&pools.text).to_owned())),
            Pattern::Date(instant) => Some(Probe::Date(*instant)),
            Pattern::Network(network) => Some(Probe::Network(*network)),
            _ => None,
        };
        let template = pattern.template(pools, view);
        let symbols = template.as_ref().and_then(Template::symbols);
        if let (Some(template), None) = (&template, &symbols) {
            self.add_relation(at, operator, template, pools, view);
            return;
        }
        let Some(unknown) = self.keys.get_mut(at) else { return };
        match (probe, symbols) {
            (Some(probe), _) => unknown.probes.push(probe),
            (None, Some(symbols)) if fold => {
                as_text(&symbols).into_iter().for_each(|text| unknown.probes.push_seed(text));
                let symbols = in_lower_case(&symbols);
                unknown.probes.push(Probe::text(symbols, fold, true));
            }
            (None, Some(symbols)) => unknown.probes.push(Probe::text(symbols, fold, true)),
            // It matches no value at all.
            (None, None) => {}
        }
    }

    /// Takes in the unknown keys of the variables in a pattern that an unknown key is compared with.
    fn add_relation(
        &mut self,
        subject: usize,
        operator: Operator,
        template: &Template,
        pools: &Pools,
        view: &View<'_>,
    ) {
        let mut keys = Vec::new();
        for key in template.keys() {
            let Some(at) = self.add_variable(key, pools, view) else { continue };
            if !keys.contains(&(key, at)) {
                keys.push((key, at));
            }
        }
        let is_list = self.keys.get(subject).is_some_and(|key| key.lists.is_some());
        let is_bool = operator.base == Base::Bool;
        let is_single = operator.quantifier == Quantifier::Single && !is_list;
        let relation =
            Relation::new(subject, keys, template.clone(), operator.ignores_case(), is_bool, is_single);
        if !self.relations.contains(&relation) {
            self.relations.push(relation);
        }
    }

    /// Takes in the unknown keys of the variables in a pattern that known texts are compared with.
    fn add_variables(
        &mut self,
        pattern: &Pattern,
        known: &[&str],
        fold: bool,
        pools: &Pools,
        view: &View<'_>,
    ) {
        let Some(template) = pattern.template(pools, view) else { return };
        for key in template.keys() {
            let Some(at) = self.add_variable(key, pools, view) else { continue };
            for text in known {
                let values = variable::values(&template, key, text, fold);
                self.incomplete |= values.is_none();
                let Some(unknown) = self.keys.get_mut(at) else { continue };
                for value in values.into_iter().flatten() {
                    if fold {
                        unknown.probes.push_seed((*text).to_owned());
                        let symbols = of_folded(&value);
                        unknown.probes.push(Probe::text(symbols, fold, true));
                    } else {
                        unknown.probes.push(Probe::literal(&value));
                    }
                }
            }
        }
    }

    fn add_grant(&mut self, grant: &Grant, view: &View<'_>) {
        let constraints = &grant.constraints;
        for (name, value) in constraints.pairs() {
            let key = format!("kms:EncryptionContext:{name}");
            if let Some(unknown) = self.add_named(&key, view) {
                unknown.probes.push(Probe::literal(value));
            }
        }
        if let Some(pairs) = &constraints.equals
            && let Some(unknown) = self.add_named(ENCRYPTION_KEYS, view)
        {
            let names: Vec<String> = pairs.iter().map(|(name, _)| name.clone()).collect();
            names.iter().for_each(|name| unknown.probes.push(Probe::literal(name)));
            let lists = unknown.lists.get_or_insert_default();
            lists.conditions += 1;
            lists.exact.push(names);
        }
        if let Some(arn) = &constraints.source_arn
            && let Some(unknown) = self.add_named("aws:SourceArn", view)
        {
            unknown.probes.push(Probe::literal(arn));
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
        let (may_be_absent, role) = match state {
            KeyState::Unknown => (true, None),
            KeyState::Present => (false, None),
            KeyState::SessionRole(role) => (false, Some(role)),
            KeyState::Known { .. } | KeyState::Absent => return None,
        };
        if let Some(at) = self.keys.iter().position(|key| key.lower == lower) {
            return Some(at);
        }
        let lists = is_multivalued(&lower).then(Lists::default);
        let limits = role.map(|role| role.arns().to_vec()).unwrap_or_default();
        let seeds = role.map(|role: &SessionRole| role.arn.clone()).into_iter().collect();
        let probes = Probes { seeds, limits, ..Probes::default() };
        self.keys.push(Unknown { name: name.to_owned(), lower, may_be_absent, probes, lists });
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
        list.may_be_absent &= request.given_encryption_keys().next().is_none();
        list.lists.get_or_insert_default().conditions += names.len();
        names.iter().for_each(|name| list.probes.push(Probe::literal(name)));
    }

    /// Different characters that nothing names which a key is compared with.
    pub(super) fn unnamed(&self, count: usize) -> Vec<char> {
        let symbols: Vec<Symbol> = self.keys.iter().flat_map(|key| key.probes.symbols()).collect();
        unnamed(symbols.iter(), count)
    }
}

impl Unknown {
    pub(super) fn is_encryption_keys(&self) -> bool {
        self.lower == lower(ENCRYPTION_KEYS)
    }

    fn add_operator(&mut self, operator: Operator) {
        // The keys of AWS and KMS are known to have one value or a list; others may have either.
        let is_single = self.lower.starts_with("aws:") || self.lower.starts_with("kms:");
        if operator.quantifier != Quantifier::Single && (!is_single || self.lists.is_some()) {
            self.lists.get_or_insert_default().conditions += 1;
        }
        if operator.quantifier == Quantifier::All {
            // A list of nothing but an empty text is a case of its own.
            self.probes.push(Probe::text(Vec::new(), false, false));
        }
        if operator.base == Base::Arn {
            self.probes.push(Probe::any_arn());
        }
    }

    /// The values to try, and whether these are all that matter.
    fn candidates(&self, request: &Request, others: &[char], most: usize) -> (Vec<Candidate>, bool) {
        let (values, mut complete) = self.probes.values(others.get(..most).unwrap_or(others), most);
        let entry = |state| Entry::new(&self.name, state);
        let absent = Candidate { entry: entry(EntryState::Absent), choice: Choice::Absent };
        let mut candidates: Vec<Candidate> = self.may_be_absent.then_some(absent).into_iter().collect();
        match &self.lists {
            None => candidates.extend(values.into_iter().map(|value| {
                let state = EntryState::Known { values: vec![value.text.clone()], list: false };
                Candidate { entry: entry(state), choice: Choice::One(value) }
            })),
            Some(lists) => {
                let always: Vec<String> = if self.is_encryption_keys() {
                    request.given_encryption_keys().map(str::to_owned).collect()
                } else {
                    Vec::new()
                };
                complete &= listed(lists, &always, &values, |texts, choice| {
                    let state = EntryState::Known { values: texts, list: true };
                    candidates.push(Candidate { entry: entry(state), choice });
                });
            }
        }
        (candidates, complete)
    }
}
