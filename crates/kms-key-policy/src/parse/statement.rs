//! Reads one statement of a policy.

use std::borrow::Cow;

use super::{Parser, Version};
use crate::PolicyKind;
use crate::error::{JsonPath, ParseProblem, ParseResult};
use crate::index::{ANY_ACTION, Index, MOST_ACTIONS};
use crate::json::{JsonKind, JsonReader};
use crate::operator::{Comparison, Operator};
use crate::pattern::{ArnCompletion, Pattern, Syntax};
use crate::policy::{Condition, Effect, Element, PoolRange, Pools, Statement, TextRange};
use crate::principal::{EVERYBODY, PrincipalMatcher};
use crate::text::hash;
use crate::warning::{PolicyWarning, WarningKind};

const ELEMENTS: &str =
    "Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition";

/// The elements of a statement that have been read so far.
#[derive(Default)]
struct StatementDraft {
    sid: Option<TextRange>,
    effect: Option<Effect>,
    principal: Option<Element<PrincipalMatcher>>,
    action: Option<Element<Pattern>>,
    resource: Option<Element<Pattern>>,
    conditions: Option<PoolRange<Condition>>,
}

impl<'t> Parser<'t> {
    pub(super) fn statement(&mut self, reader: &mut JsonReader<'t>, path: &JsonPath<'_>) -> ParseResult<()> {
        let mut draft = StatementDraft::default();
        reader.object(path, "a statement (an object)", |reader, name| {
            self.element(&mut draft, reader, &name, path)
        })?;
        let kind = self.kind;
        let missing = |element| path.error(ParseProblem::Missing(element));
        let effect = draft.effect.ok_or_else(|| missing("Effect"))?;
        let action = draft.action.ok_or_else(|| missing("Action"))?;
        if kind.has_principals() && draft.principal.is_none() {
            return Err(missing("Principal"));
        }
        let resource = draft.resource.filter(|r| !r.entries.of(&self.pools.patterns).is_empty());
        if resource.is_none() {
            if kind != PolicyKind::Key {
                return Err(missing("Resource"));
            }
            self.warn(path, WarningKind::NoResource);
        }
        let statement = Statement {
            sid: draft.sid,
            effect,
            principal: draft.principal,
            action,
            resource,
            conditions: draft.conditions.unwrap_or(PoolRange::EMPTY),
        };
        self.warn_of_effect(&statement, path);
        self.statements.push(statement);
        Ok(())
    }

    fn element(
        &mut self,
        draft: &mut StatementDraft,
        reader: &mut JsonReader<'t>,
        name: &str,
        statement: &JsonPath<'_>,
    ) -> ParseResult<()> {
        let path = &statement.member(name);
        let duplicate = || statement.error(ParseProblem::Duplicate { name: name.to_owned() });
        // `before` is set if the element, or the one that it excludes, has been read already.
        let exclusive =
            |before: Option<bool>, negated: bool, plain: &'static str, not: &'static str| match before {
                None => Ok(()),
                Some(was_negated) if was_negated == negated => Err(duplicate()),
                Some(_) => Err(statement.error(ParseProblem::Exclusive(plain, not))),
            };
        match name {
            "Sid" => {
                let sid = reader.text(path)?;
                let sid = self.pools.add_text(&sid);
                if draft.sid.replace(sid).is_some() {
                    return Err(duplicate());
                }
            }
            "Effect" => {
                if draft.effect.replace(read_effect(reader, path)?).is_some() {
                    return Err(duplicate());
                }
            }
            "Principal" | "NotPrincipal" => {
                let negated = name == "NotPrincipal";
                let before = draft.principal.map(|e| e.negated);
                exclusive(before, negated, "Principal", "NotPrincipal")?;
                if !self.kind.has_principals() || (negated && self.kind != PolicyKind::Key) {
                    let element = if negated { "NotPrincipal" } else { "Principal" };
                    return Err(statement.error(ParseProblem::NotInKind { element, kind: self.kind }));
                }
                let entries = self.principals(reader, path)?;
                draft.principal = Some(Element { negated, entries });
            }
            "Action" | "NotAction" => {
                let negated = name == "NotAction";
                exclusive(draft.action.map(|e| e.negated), negated, "Action", "NotAction")?;
                let entries = self.actions(reader, path)?;
                draft.action = Some(Element { negated, entries });
            }
            "Resource" | "NotResource" => {
                let negated = name == "NotResource";
                exclusive(draft.resource.map(|e| e.negated), negated, "Resource", "NotResource")?;
                let entries = self.resources(reader, path)?;
                draft.resource = Some(Element { negated, entries });
            }
            "Condition" => {
                if draft.conditions.is_some() {
                    return Err(duplicate());
                }
                draft.conditions = Some(self.conditions(reader, path)?);
            }
            _ => {
                let name = name.to_owned();
                return Err(statement.error(ParseProblem::UnknownElement {
                    name,
                    of: "a statement",
                    known: ELEMENTS,
                }));
            }
        }
        Ok(())
    }

    fn actions(
        &mut self,
        reader: &mut JsonReader<'t>,
        path: &JsonPath<'_>,
    ) -> ParseResult<PoolRange<Pattern>> {
        let start = self.pools.patterns.len();
        reader.one_or_many(path, |reader, path| {
            let text = reader.text(path)?;
            let pattern = match self.action(&text) {
                Some(pattern) => pattern,
                None if is_of_another_service(&text) => {
                    self.warn(path, WarningKind::InvalidAction(text.into_owned()));
                    Pattern::Never
                }
                None => return Err(path.error(ParseProblem::Action(text.into_owned()))),
            };
            self.pools.patterns.push(pattern);
            Ok(())
        })?;
        let actions = PoolRange::since(start, &self.pools.patterns);
        if actions.of(&self.pools.patterns).is_empty() {
            return Err(path.error(ParseProblem::Missing("action")));
        }
        Ok(actions)
    }

    /// Compiles an action in lower case: `service:name` with wildcards in the name, or `*`.
    fn action(&mut self, text: &str) -> Option<Pattern> {
        if text == "*" || text == "*:*" {
            return Some(Pattern::Any);
        }
        let (service, name) = text.split_once(':')?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if service.is_empty() || name.is_empty() || !service.bytes().all(plain) {
            return None;
        }
        let pattern = self.pools.compile_lower(text, Syntax { wildcards: true, variables: false });
        Some(pattern)
    }

    fn resources(
        &mut self,
        reader: &mut JsonReader<'t>,
        path: &JsonPath<'_>,
    ) -> ParseResult<PoolRange<Pattern>> {
        let variables = self.version == Version::Y2012;
        let completion = match self.kind {
            PolicyKind::Key => ArnCompletion::Never,
            PolicyKind::Identity | PolicyKind::Boundary => ArnCompletion::Always,
            PolicyKind::Session | PolicyKind::ServiceControl | PolicyKind::ResourceControl => {
                ArnCompletion::Undocumented
            }
        };
        let start = self.pools.patterns.len();
        reader.one_or_many(path, |reader, path| {
            let text = match reader.peek() {
                // A value that is no text names no resource, and so no key.
                JsonKind::Null | JsonKind::Number | JsonKind::Bool => Cow::Borrowed(reader.raw(path)?),
                _ => reader.text(path)?,
            };
            let pattern = if text == "*" {
                Pattern::Any
            } else if variables && has_early_variable(&text) {
                self.warn(path, WarningKind::EarlyVariable(text.into_owned()));
                Pattern::Never
            } else if let Some(pattern) = self.pools.compile_resource(&text, variables, completion) {
                pattern
            } else {
                self.warn(path, WarningKind::InvalidResource(text.into_owned()));
                Pattern::Never
            };
            self.pools.patterns.push(pattern);
            Ok(())
        })?;
        Ok(PoolRange::since(start, &self.pools.patterns))
    }

    /// Adds the warnings that need the whole statement.
    fn warn_of_effect(&mut self, statement: &Statement, path: &JsonPath<'_>) {
        if let Some(principal) = statement.principal {
            if principal.negated && statement.effect == Effect::Allow {
                self.warn(path, WarningKind::AllowNotPrincipal);
            }
            if principal.entries.of(&self.pools.principals).is_empty() {
                self.warn(path, WarningKind::NoPrincipal);
            }
        }
        if statement.effect == Effect::Deny {
            return;
        }
        for condition in statement.conditions.of(&self.pools.conditions) {
            let Some(key) = self.pools.keys.get(condition.key as usize) else { continue };
            let values = condition.values.of(&self.pools.patterns);
            if needs_service(condition.operator, values, key.lower.of(&self.pools.text)) {
                let kind = WarningKind::NeverInDirectCall(key.written.of(&self.pools.text).to_owned());
                self.warnings.push(PolicyWarning { path: path.member("Condition").to_string(), kind });
            }
        }
    }

    pub(super) fn warn_of_sids(&mut self) {
        let text = &self.pools.text;
        let single = self.statements.len() == 1;
        let path_of =
            |at: usize| if single { "$.Statement.Sid".to_owned() } else { format!("$.Statement[{at}].Sid") };
        let sids = self.statements.iter().enumerate();
        let mut sids: Vec<(&str, usize)> = sids.filter_map(|(at, s)| Some((s.sid?.of(text), at))).collect();
        if self.kind != PolicyKind::Key {
            let odd = sids.iter().filter(|(sid, _)| !sid.bytes().all(|b| b.is_ascii_alphanumeric()));
            self.warnings.extend(odd.map(|(sid, at)| PolicyWarning {
                path: path_of(*at),
                kind: WarningKind::SidCharacters((*sid).to_owned()),
            }));
        }
        sids.sort_unstable();
        let pairs = sids.iter().zip(sids.iter().skip(1));
        let twice = pairs.filter(|((one, _), (other, _))| one == other && !one.is_empty());
        self.warnings.extend(twice.map(|(_, (sid, at))| PolicyWarning {
            path: path_of(*at),
            kind: WarningKind::SidTwice((*sid).to_owned()),
        }));
    }
}

impl Statement {
    /// The buckets of the index that the statement belongs to.
    pub(super) fn buckets(&self, pools: &Pools) -> Vec<u64> {
        let selectors: Vec<u64> = match self.principal {
            Some(Element { negated: false, entries }) => {
                entries.of(&pools.principals).iter().map(|p| p.selector(&pools.text)).collect()
            }
            _ => vec![EVERYBODY],
        };
        let entries = self.action.entries.of(&pools.patterns);
        let exact = entries.iter().map(|action| match action {
            Pattern::Exact(text) => Some(hash(text.of(&pools.text))),
            _ => None,
        });
        let actions: Option<Vec<u64>> =
            if self.action.negated || entries.len() > MOST_ACTIONS { None } else { exact.collect() };
        let actions = actions.unwrap_or_else(|| vec![ANY_ACTION]);
        let selectors = selectors.into_iter().filter(|selector| *selector != 0);
        selectors.flat_map(|s| actions.iter().map(move |action| Index::bucket(s, *action))).collect()
    }
}

fn read_effect(reader: &mut JsonReader<'_>, path: &JsonPath<'_>) -> ParseResult<Effect> {
    match &*reader.text(path)? {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => {
            let found = other.to_owned();
            Err(path.error(ParseProblem::Word { found, expected: "`Allow` and `Deny`" }))
        }
    }
}

/// Whether a malformed action names another service than KMS, so that it cannot be about a key.
fn is_of_another_service(action: &str) -> bool {
    let service = action.split_once(':').map(|(service, _)| service.trim());
    service.is_some_and(|s| !s.is_empty() && !s.contains(['*', '?']) && !s.eq_ignore_ascii_case("kms"))
}

/// Whether `${` comes before the fifth colon.
fn has_early_variable(text: &str) -> bool {
    text.split_once("${").is_some_and(|(before, _)| before.bytes().filter(|b| *b == b':').count() < 5)
}

/// Whether a condition is met only by calls that a service makes for somebody.
fn needs_service(operator: Operator, values: &[Pattern], lower: &str) -> bool {
    let only = |wanted: bool| values.iter().all(|value| matches!(value, Pattern::Bool(b) if *b == wanted));
    match lower {
        "aws:viaawsservice" => operator.comparison == Comparison::Bool && !operator.if_exists && only(true),
        "kms:viaservice" | "aws:sourcearn" | "aws:sourceaccount" | "aws:sourceorgid"
        | "aws:sourceorgpaths" | "aws:calledvia" | "aws:calledviafirst" | "aws:calledvialast" => {
            operator.needs_key() || (operator.comparison == Comparison::Null && only(false))
        }
        _ => false,
    }
}
