//! Comparisons of unknown keys with variables whose keys are unknown too.
//!
//! For two keys that must be equal, or must not be, the search tries the same values. There are enough of them for the
//! keys to differ in every combination that matters. For other comparisons (text around the variable, case that does
//! not matter, lists) it tries the values of both sides, and reports that it may be incomplete.

use super::collect::UnknownKeys;
use super::values::Comparand;
use super::variable;
use crate::pattern::symbols::{Symbol, Template, TemplateItem, in_lower_case, of_folded, of_text};

/// The most values of a key that are put into a comparison with another key.
const MOST_VALUES: usize = 8;

/// A comparison of an unknown key with a pattern that has variables of unknown keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    /// The key that is compared, by its position among the unknown keys.
    subject: usize,
    /// The variables, each by the policy's key and by its position among the unknown keys.
    variables: Vec<(u32, usize)>,
    template: Template,
    kind: RelationKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RelationKind {
    /// The pattern is the variable alone.
    Equal,
    /// The pattern is the variable alone, and both are compared as booleans.
    SameBool,
    /// Any other comparison.
    Other { ignores_case: bool },
}

impl Relation {
    pub(super) fn new(
        subject: usize,
        variables: Vec<(u32, usize)>,
        template: Template,
        ignores_case: bool,
        is_bool: bool,
        is_single: bool,
    ) -> Self {
        let is_variable = matches!(template.0.as_slice(), [TemplateItem::Variable { .. }]);
        let kind = match is_variable && is_single {
            true if is_bool => RelationKind::SameBool,
            true if !ignores_case => RelationKind::Equal,
            _ => RelationKind::Other { ignores_case },
        };
        Self { subject, variables, template, kind }
    }

    fn defaults(&self) -> impl Iterator<Item = &str> {
        self.template.0.iter().filter_map(|item| match item {
            TemplateItem::Variable { default, .. } => default.as_deref(),
            TemplateItem::Symbol(_) => None,
        })
    }
}

impl UnknownKeys {
    /// Gives keys that are compared with each other the values that matter to both. Returns the pairs of keys that are
    /// compared for equality.
    pub(super) fn tie_relations(&mut self) -> Vec<[usize; 2]> {
        let relations = std::mem::take(&mut self.relations);
        let mut equal = Vec::new();
        for relation in &relations {
            let variable = relation.variables.first().map(|(_, at)| *at);
            match (relation.kind, variable) {
                (RelationKind::Equal, Some(variable)) => {
                    for default in relation.defaults() {
                        self.push(relation.subject, Comparand::literal(default));
                    }
                    equal.push([relation.subject, variable]);
                }
                (RelationKind::SameBool, Some(variable)) => {
                    for word in ["true", "false"] {
                        for at in [relation.subject, variable] {
                            let symbols = of_folded(word);
                            self.push(at, Comparand::text(symbols, true, true));
                            self.keys
                                .get_mut(at)
                                .into_iter()
                                .for_each(|key| key.comparands.push_seed(word.to_owned()));
                        }
                    }
                }
                (RelationKind::Other { .. }, _) | (_, None) => {}
            }
        }
        self.share(&equal);
        for relation in &relations {
            if let RelationKind::Other { ignores_case } = relation.kind {
                self.incomplete = true;
                self.try_values(relation, ignores_case);
            }
        }
        self.share(&equal);
        equal
    }

    /// The number of keys that may have to be equal to this one, including itself.
    pub(super) fn keys_equal_to(&self, at: usize, equal: &[[usize; 2]]) -> usize {
        let mut group = vec![at];
        for _ in 0..equal.len() {
            for [one, other] in equal {
                match (group.contains(one), group.contains(other)) {
                    (true, false) => group.push(*other),
                    (false, true) => group.push(*one),
                    _ => {}
                }
            }
        }
        group.len()
    }

    /// Compares keys that may have to be equal with the same texts.
    fn share(&mut self, equal: &[[usize; 2]]) {
        for at in equal.iter().flatten() {
            let Some(key) = self.keys.get_mut(*at) else { continue };
            // The values that a key can have at all matter to the keys that may be equal to it.
            for symbols in key.comparands.limits.clone() {
                key.comparands.push(Comparand::text(symbols, false, false));
            }
            self.incomplete |= !key.comparands.are_texts();
        }
        for _ in 0..equal.len() {
            for [one, other] in equal {
                let both: Vec<_> = [one, other]
                    .iter()
                    .filter_map(|at| self.keys.get(**at))
                    .map(|k| k.comparands.clone())
                    .collect();
                for at in [one, other] {
                    let Some(key) = self.keys.get_mut(*at) else { continue };
                    both.iter().for_each(|comparands| key.comparands.extend(comparands));
                }
            }
        }
    }

    /// Tries the values of each side of a comparison on the other side.
    fn try_values(&mut self, relation: &Relation, ignores_case: bool) {
        let texts = |unknowns: &Self, at: usize| -> Vec<String> {
            let comparands =
                unknowns.keys.get(at).map(|key| key.comparands.list.as_slice()).unwrap_or_default();
            comparands
                .iter()
                .filter_map(Comparand::literal_text)
                .map(str::to_owned)
                .take(MOST_VALUES)
                .collect()
        };
        for text in texts(self, relation.subject) {
            for (key, at) in &relation.variables {
                let values =
                    variable::values(&relation.template, *key, &text, ignores_case).unwrap_or_default();
                for value in values.iter().take(MOST_VALUES) {
                    self.push(*at, hidden(of_text(value), false));
                }
            }
        }
        let other: String = self.unnamed(1).into_iter().collect();
        let mut fillings: Vec<Vec<(u32, Option<String>)>> = vec![Vec::new()];
        for (key, at) in &relation.variables {
            self.push(*at, hidden(of_text(&other), false));
            // The default stands for a key without a value.
            let choices: Vec<Option<String>> = texts(self, *at).into_iter().map(Some).chain([None]).collect();
            let longer = fillings.iter().flat_map(|filling| {
                choices.iter().map(|choice| filling.iter().cloned().chain([(*key, choice.clone())]).collect())
            });
            fillings = longer.take(MOST_VALUES * MOST_VALUES).collect();
        }
        for filling in &fillings {
            let texts: Vec<(u32, Option<&str>)> =
                filling.iter().map(|(key, text)| (*key, text.as_deref())).collect();
            if let Some(symbols) = variable::fill(&relation.template, &texts) {
                let symbols = if ignores_case { in_lower_case(&symbols) } else { symbols };
                self.push(relation.subject, hidden(symbols, ignores_case));
            }
        }
    }

    fn push(&mut self, at: usize, comparand: Comparand) {
        if let Some(key) = self.keys.get_mut(at) {
            key.comparands.push(comparand);
        }
    }
}

/// A comparison that no answer describes, because no policy writes it.
fn hidden(symbols: Vec<Symbol>, ignores_case: bool) -> Comparand {
    Comparand::text(symbols, ignores_case, false)
}
