//! Collects the unknown keys that the decision may depend on, and what the policies compare them with.

use super::lists::{ListConstraints, listed};
use super::relation::Relation;
use super::values::{Comparand, Comparands};
use super::variable;
use super::{Axis, Candidate, Choice};
use crate::applicability::Applicability;
use crate::condition_keys::is_multivalued;
use crate::context::{ContextEntry, EntryState, KeyState, RequestView, SessionRole, lower};
use crate::grant::Grant;
use crate::layers::{ApplicableRule, Layers};
use crate::operator::{Comparison, Operator, Quantifier};
use crate::pattern::Pattern;
use crate::pattern::symbols::{Symbol, Template, as_text, in_lower_case, of_folded, unnamed};
use crate::policy::{Condition, ConditionKey, Policy, PoolRange, Pools};
use crate::request::{ENCRYPTION_CONTEXT, ENCRYPTION_KEYS, Request};
use crate::text::hash_folded;

/// The most unknown keys. More keys, with two values each, would make too many combinations.
const MOST_KEYS: usize = 12;

/// The unknown keys that the decision may depend on.
#[derive(Debug, Default)]
pub(super) struct UnknownKeys {
    pub(super) keys: Vec<UnknownKey>,
    /// Comparisons of a key with variables whose keys are unknown.
    pub(super) relations: Vec<Relation>,
    /// Whether the search does not try everything that some comparison may depend on.
    pub(super) incomplete: bool,
}

#[derive(Debug)]
pub(super) struct UnknownKey {
    pub(super) name: String,
    lower: String,
    pub(super) may_be_absent: bool,
    pub(super) comparands: Comparands,
    /// What conditions and grants ask of a list of values. `None` if the key has a single value.
    pub(super) lists: Option<ListConstraints>,
}

impl UnknownKeys {
    pub(super) fn collect(request: &Request, layers: &Layers<'_>, rules: &[ApplicableRule]) -> Self {
        let view = RequestView::new(request);
        let mut unknowns = Self::default();
        for rule in rules {
            match *rule {
                ApplicableRule::Statement { position, index, applies: Applicability::Unknown, .. } => {
                    if let Some(policy) = layers.policy(position) {
                        unknowns.add_statement(policy, index, &view);
                    }
                }
                ApplicableRule::Grant { index, applies: Applicability::Unknown, .. } => {
                    if let Some(grant) = layers.grants.list.get(index) {
                        unknowns.add_grant(grant, &view);
                    }
                }
                ApplicableRule::Statement { .. } | ApplicableRule::Grant { .. } => {}
            }
        }
        unknowns.tie_encryption_context(request);
        unknowns
    }

    /// The names of the keys, as the policies write them.
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
            Axis { name: key.name.clone(), candidates, comparands: key.comparands.clone(), equals }
        });
        let axes = axes.collect();
        Some((axes, complete))
    }

    fn add_statement(&mut self, policy: &Policy, index: usize, view: &RequestView<'_>) {
        let Some(statement) = policy.statements.get(index) else { return };
        let pools = &policy.pools;
        for condition in statement.conditions.of(&pools.conditions) {
            if condition.holds(statement.effect, pools, view) == Applicability::Unknown {
                self.add_condition(condition, pools, view);
            }
        }
        let resources = statement.resource.map_or(PoolRange::EMPTY, |r| r.entries);
        let key = view.request.key.as_str().to_owned();
        for pattern in resources.of(&pools.patterns) {
            self.add_variables(pattern, &[&key], false, pools, view);
        }
    }

    fn add_condition(&mut self, condition: &Condition, pools: &Pools, view: &RequestView<'_>) {
        let Some(key) = pools.keys.get(condition.key as usize) else { return };
        let operator = condition.operator;
        let at = self.add_key(key, pools, view);
        if operator.comparison == Comparison::Null {
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

    /// Adds what an unknown key is compared with.
    fn add_pattern(
        &mut self,
        at: usize,
        operator: Operator,
        pattern: &Pattern,
        pools: &Pools,
        view: &RequestView<'_>,
    ) {
        let ignores_case = operator.ignores_case();
        let comparand = match pattern {
            Pattern::Number(number) => Some(Comparand::Number(number.of(&pools.text).to_owned())),
            Pattern::Date(instant) => Some(Comparand::Date(*instant)),
            Pattern::Network(network) => Some(Comparand::Network(*network)),
            _ => None,
        };
        let template = pattern.template(pools, view);
        let symbols = template.as_ref().and_then(Template::symbols);
        if let (Some(template), None) = (&template, &symbols) {
            self.add_relation(at, operator, template, pools, view);
            return;
        }
        let Some(unknown) = self.keys.get_mut(at) else { return };
        match (comparand, symbols) {
            (Some(comparand), _) => unknown.comparands.push(comparand),
            (None, Some(symbols)) if ignores_case => {
                as_text(&symbols).into_iter().for_each(|text| unknown.comparands.push_seed(text));
                let symbols = in_lower_case(&symbols);
                unknown.comparands.push(Comparand::text(symbols, ignores_case, true));
            }
            (None, Some(symbols)) => unknown.comparands.push(Comparand::text(symbols, ignores_case, true)),
            // The pattern matches no value.
            (None, None) => {}
        }
    }

    /// Adds the unknown keys of the variables in a pattern that is compared with an unknown key.
    fn add_relation(
        &mut self,
        subject: usize,
        operator: Operator,
        template: &Template,
        pools: &Pools,
        view: &RequestView<'_>,
    ) {
        let mut keys = Vec::new();
        for key in template.keys() {
            let Some(at) = self.add_variable(key, pools, view) else { continue };
            if !keys.contains(&(key, at)) {
                keys.push((key, at));
            }
        }
        let is_list = self.keys.get(subject).is_some_and(|key| key.lists.is_some());
        let is_bool = operator.comparison == Comparison::Bool;
        let is_single = operator.quantifier == Quantifier::Single && !is_list;
        let relation =
            Relation::new(subject, keys, template.clone(), operator.ignores_case(), is_bool, is_single);
        if !self.relations.contains(&relation) {
            self.relations.push(relation);
        }
    }

    /// Adds the unknown keys of the variables in a pattern that is compared with known texts.
    fn add_variables(
        &mut self,
        pattern: &Pattern,
        known: &[&str],
        ignores_case: bool,
        pools: &Pools,
        view: &RequestView<'_>,
    ) {
        let Some(template) = pattern.template(pools, view) else { return };
        for key in template.keys() {
            let Some(at) = self.add_variable(key, pools, view) else { continue };
            for text in known {
                let values = variable::values(&template, key, text, ignores_case);
                self.incomplete |= values.is_none();
                let Some(unknown) = self.keys.get_mut(at) else { continue };
                for value in values.into_iter().flatten() {
                    if ignores_case {
                        unknown.comparands.push_seed((*text).to_owned());
                        let symbols = of_folded(&value);
                        unknown.comparands.push(Comparand::text(symbols, ignores_case, true));
                    } else {
                        unknown.comparands.push(Comparand::literal(&value));
                    }
                }
            }
        }
    }

    fn add_grant(&mut self, grant: &Grant, view: &RequestView<'_>) {
        let constraints = &grant.constraints;
        for (name, value) in constraints.pairs() {
            let key = format!("kms:EncryptionContext:{name}");
            if let Some(unknown) = self.add_named(&key, view) {
                unknown.comparands.push(Comparand::literal(value));
            }
        }
        if let Some(pairs) = &constraints.equals
            && let Some(unknown) = self.add_named(ENCRYPTION_KEYS, view)
        {
            let names: Vec<String> = pairs.iter().map(|(name, _)| name.clone()).collect();
            names.iter().for_each(|name| unknown.comparands.push(Comparand::literal(name)));
            let lists = unknown.lists.get_or_insert_default();
            lists.conditions += 1;
            lists.exact.push(names);
        }
        if let Some(arn) = &constraints.source_arn
            && let Some(unknown) = self.add_named("aws:SourceArn", view)
        {
            unknown.comparands.push(Comparand::literal(arn));
        }
    }

    fn add_named(&mut self, name: &str, view: &RequestView<'_>) -> Option<&mut UnknownKey> {
        let lower = lower(name);
        let state = view.find(hash_folded(&lower), &lower).1;
        let at = self.add(name, lower, state)?;
        self.keys.get_mut(at)
    }

    fn add_variable(&mut self, key: u32, pools: &Pools, view: &RequestView<'_>) -> Option<usize> {
        let key = pools.keys.get(key as usize)?;
        self.add_key(key, pools, view)
    }

    fn add_key(&mut self, key: &ConditionKey, pools: &Pools, view: &RequestView<'_>) -> Option<usize> {
        let name = key.written.of(&pools.text);
        self.add(name, key.lower.of(&pools.text).to_owned(), view.state(key, pools))
    }

    /// The position of a key, or `None` if the key is known.
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
        let lists = is_multivalued(&lower).then(ListConstraints::default);
        let limits = role.map(|role| role.arns().to_vec()).unwrap_or_default();
        let seeds = role.map(|role: &SessionRole| role.arn.clone()).into_iter().collect();
        let comparands = Comparands { seeds, limits, ..Comparands::default() };
        self.keys.push(UnknownKey { name: name.to_owned(), lower, may_be_absent, comparands, lists });
        Some(self.keys.len() - 1)
    }

    /// The names in `kms:EncryptionContextKeys` are those of the keys of the encryption context. The search gives both
    /// their values together.
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
        names.iter().for_each(|name| list.comparands.push(Comparand::literal(name)));
    }

    /// Different characters that no comparison names.
    pub(super) fn unnamed(&self, count: usize) -> Vec<char> {
        let symbols: Vec<Symbol> = self.keys.iter().flat_map(|key| key.comparands.symbols()).collect();
        unnamed(symbols.iter(), count)
    }
}

impl UnknownKey {
    pub(super) fn is_encryption_keys(&self) -> bool {
        self.lower == lower(ENCRYPTION_KEYS)
    }

    fn add_operator(&mut self, operator: Operator) {
        // Each key of AWS and KMS is known to have either one value or a list. Other keys may have either.
        let is_single = self.lower.starts_with("aws:") || self.lower.starts_with("kms:");
        if operator.quantifier != Quantifier::Single && (!is_single || self.lists.is_some()) {
            self.lists.get_or_insert_default().conditions += 1;
        }
        if operator.quantifier == Quantifier::All {
            // No source says what a list of one empty text does, so it is tried too.
            self.comparands.push(Comparand::text(Vec::new(), false, false));
        }
        if operator.comparison == Comparison::Arn {
            self.comparands.push(Comparand::any_arn());
        }
    }

    /// The values to try, and whether these are all that matter.
    fn candidates(&self, request: &Request, others: &[char], most: usize) -> (Vec<Candidate>, bool) {
        let (values, mut complete) = self.comparands.values(others.get(..most).unwrap_or(others), most);
        let entry = |state| ContextEntry::new(&self.name, state);
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
