//! Whether a condition is met by a request.

use crate::applicability::Applicability;
use crate::arn::ArnParts;
use crate::context::{KeyState, RequestView, SessionRole};
use crate::operator::{Comparison, Operator, Quantifier};
use crate::pattern::Pattern;
use crate::pattern::sample_texts::{self, SymbolPattern};
use crate::pattern::symbols::{in_lower_case, unnamed};
use crate::policy::{Condition, Effect, Pools};
use crate::value::binary;
use crate::value::date;
use crate::value::network::Network;
use crate::value::number::Number;

impl Condition {
    /// Whether the condition is met. The effect of its statement matters if the operator does not exist.
    pub(crate) fn holds(&self, effect: Effect, pools: &Pools, view: &RequestView<'_>) -> Applicability {
        let Some(key) = pools.keys.get(self.key as usize) else { return Applicability::DoesNotApply };
        if self.operator.comparison == Comparison::Unknown {
            return (effect == Effect::Deny).into();
        }
        let patterns = self.values.of(&pools.patterns);
        let state = view.state(key, pools);
        if self.operator.comparison == Comparison::Null {
            return presence(patterns, state);
        }
        let test = ConditionTest { operator: self.operator, patterns, pools, view };
        match state {
            KeyState::Absent | KeyState::Known { values: [], .. } => self.operator.without_key().into(),
            KeyState::Unknown | KeyState::Present => Applicability::Unknown,
            KeyState::SessionRole(role) => test.session_role(role),
            KeyState::Known { values, list } => match self.operator.quantifier {
                // No source says how a plain operator treats several values.
                Quantifier::Single if list => Applicability::Unknown,
                Quantifier::Single => Applicability::all(values.iter().map(|v| test.value(v))),
                // No source says whether an empty text counts as no value, for which ForAllValues is true.
                Quantifier::All if is_nothing(values) => {
                    Applicability::all(values.iter().map(|v| test.value(v))).or(Applicability::Unknown)
                }
                Quantifier::All => Applicability::all(values.iter().map(|v| test.value(v))),
                Quantifier::Any => Applicability::any(values.iter().map(|v| test.value(v))),
            },
        }
    }

    /// The reason why no source settles the condition if its key has a value, or `None` if the condition is settled.
    pub(crate) fn open_reason(&self, pools: &Pools, view: &RequestView<'_>) -> Option<OpenReason> {
        let key = pools.keys.get(self.key as usize)?;
        if matches!(self.operator.comparison, Comparison::Null | Comparison::Unknown) {
            return None;
        }
        let list = match view.state(key, pools) {
            KeyState::Absent | KeyState::Known { values: [], .. } => return None,
            KeyState::Known { values, .. }
                if self.operator.quantifier == Quantifier::All && is_nothing(values) =>
            {
                return Some(OpenReason::ForAllOnEmptyText);
            }
            KeyState::Known { list, .. } => list,
            KeyState::Present | KeyState::Unknown | KeyState::SessionRole(_) => key.multivalued,
        };
        if list && self.operator.quantifier == Quantifier::Single {
            return Some(OpenReason::PlainOnMultivalued);
        }
        let lone = self.values.of(&pools.patterns).iter().any(|p| matches!(p, Pattern::LoneStarArn));
        lone.then_some(OpenReason::LoneStarArn)
    }
}

/// Why no source settles a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenReason {
    PlainOnMultivalued,
    LoneStarArn,
    ForAllOnEmptyText,
}

/// Whether all of the values are empty texts.
fn is_nothing(values: &[String]) -> bool {
    values.iter().all(String::is_empty)
}

impl Operator {
    /// Whether the condition is met if its key is absent or an empty list.
    const fn without_key(self) -> bool {
        match self.quantifier {
            Quantifier::Single => self.negated || self.if_exists,
            Quantifier::All => true,
            Quantifier::Any => self.if_exists,
        }
    }
}

/// Whether a `Null` condition is met: `true` asks that the key is absent.
fn presence(patterns: &[Pattern], state: KeyState<'_>) -> Applicability {
    let wants = |absent: bool| patterns.iter().any(|p| matches!(p, Pattern::Bool(b) if *b == absent)).into();
    match state {
        KeyState::Absent | KeyState::Known { values: [], .. } => wants(true),
        KeyState::Known { .. } | KeyState::Present | KeyState::SessionRole(_) => wants(false),
        KeyState::Unknown if wants(true) == wants(false) => wants(true),
        KeyState::Unknown => Applicability::Unknown,
    }
}

/// The comparison of one value of the request with all values that the condition lists.
struct ConditionTest<'a> {
    operator: Operator,
    patterns: &'a [Pattern],
    pools: &'a Pools,
    view: &'a RequestView<'a>,
}

impl ConditionTest<'_> {
    /// Whether one value of the request meets the condition.
    fn value(&self, value: &str) -> Applicability {
        if self.operator.comparison == Comparison::Arn && ArnParts::split(value).is_none() {
            return Applicability::DoesNotApply;
        }
        let matched = Applicability::any(self.patterns.iter().map(|pattern| self.one(pattern, value)));
        if self.operator.negated { matched.not() } else { matched }
    }

    fn one(&self, pattern: &Pattern, value: &str) -> Applicability {
        let (pools, view) = (self.pools, self.view);
        match (self.operator.comparison, pattern) {
            (Comparison::String | Comparison::StringLike, _) => pattern.matches_like(value, pools, view),
            (Comparison::StringIgnoreCase, _) => pattern.matches_folded(value, pools, view),
            (Comparison::Arn, _) => pattern.matches_arn(value, pools, view),
            (Comparison::Numeric(order), Pattern::Number(listed)) => {
                match (Number::parse(value), Number::parse(listed.of(&pools.text))) {
                    (Some(value), Some(listed)) => order.holds(value.compare(&listed)).into(),
                    _ => Applicability::DoesNotApply,
                }
            }
            (Comparison::Date(order), Pattern::Date(listed)) => {
                date::parse(value).is_some_and(|value| order.holds(value.cmp(listed))).into()
            }
            (Comparison::Bool, Pattern::Bool(listed)) => (read_bool(value) == Some(*listed)).into(),
            (Comparison::Bool, Pattern::Pieces { .. }) => match pattern.filled_text(pools, view) {
                Ok(listed) => {
                    let listed = read_bool(&listed);
                    (listed.is_some() && read_bool(value) == listed).into()
                }
                Err(outcome) => outcome,
            },
            (Comparison::IpAddress, Pattern::Network(listed)) => {
                Network::parse(value).is_some_and(|value| listed.contains(&value)).into()
            }
            (Comparison::Binary, Pattern::Binary(listed)) => {
                binary::same_bytes(value, listed.of(&pools.text)).into()
            }
            _ => Applicability::DoesNotApply,
        }
    }

    /// Whether the condition is met by every ARN that the role may have.
    fn session_role(&self, role: &SessionRole) -> Applicability {
        let ignores_case = self.operator.ignores_case();
        let mut texts = role.arns().map(|symbols| (symbols, false)).to_vec();
        for template in self.patterns.iter().filter_map(|p| p.template(self.pools, self.view)) {
            let Some(symbols) = template.symbols() else { return Applicability::Unknown };
            texts.push((if ignores_case { in_lower_case(&symbols) } else { symbols }, ignores_case));
        }
        let forms: Vec<SymbolPattern<'_>> = texts
            .iter()
            .map(|(symbols, ignores_case)| SymbolPattern { symbols, ignores_case: *ignores_case })
            .collect();
        let others = unnamed(texts.iter().flat_map(|(symbols, _)| symbols), 1);
        let (samples, complete) = sample_texts::find(&forms, &others, 1);
        let possible = samples.iter().filter(|sample| sample.matches.iter().take(2).any(|matches| *matches));
        let mut outcomes = possible.map(|sample| self.value(&sample.text));
        match outcomes.next() {
            Some(first) if complete && outcomes.all(|outcome| outcome == first) => first,
            _ => Applicability::Unknown,
        }
    }
}

pub(crate) fn read_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
