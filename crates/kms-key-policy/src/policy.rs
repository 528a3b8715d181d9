//! A policy in its compiled form.
//!
//! All elements of one type stand in one vector, and a statement holds ranges of the vectors. So parsing takes a
//! handful of allocations, and deciding takes none.

use std::marker::PhantomData;

use crate::condition_keys::{is_multivalued, present_name};
use crate::context::RequestView;
use crate::index::Index;
use crate::operator::Operator;
use crate::pattern::{ArnPattern, Pattern};
use crate::principal::PrincipalMatcher;
use crate::request::Request;
use crate::text::{folded, hash_folded, same_folded};
use crate::warning::PolicyWarning;
use crate::wildcard::Piece;

/// What a policy is attached to. The kind decides which elements the policy may have, and what its statements do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    /// The policy of the KMS key itself.
    Key,
    /// A policy of a user, a group or a role.
    Identity,
    /// A permissions boundary of a user or role.
    Boundary,
    /// A policy that was passed when a session began.
    Session,
    /// A service control policy of the caller's organization.
    ServiceControl,
    /// A resource control policy of the key owner's organization.
    ResourceControl,
}

impl PolicyKind {
    /// The short name in answers: `key`, `identity`, `boundary`, `session`, `scp` or `rcp`.
    #[must_use]
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Identity => "identity",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::ServiceControl => "scp",
            Self::ResourceControl => "rcp",
        }
    }

    /// Whether its statements have principals.
    pub(crate) const fn has_principals(self) -> bool {
        matches!(self, Self::Key | Self::ResourceControl)
    }
}

impl std::fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Key => "a key policy",
            Self::Identity => "an identity policy",
            Self::Boundary => "a permissions boundary",
            Self::Session => "a session policy",
            Self::ServiceControl => "a service control policy",
            Self::ResourceControl => "a resource control policy",
        })
    }
}

/// A compiled policy, which serves any number of decisions.
///
/// ```
/// use kms_key_policy::{Policy, PolicyKind};
///
/// let text = r#"{"Version": "2012-10-17", "Statement": [
///     {"Effect": "Allow", "Principal": {"AWS": "AROAEXAMPLEEXAMPLE"}, "Action": "kms:*", "Resource": "*"}]}"#;
/// let policy = Policy::parse(PolicyKind::Key, text)?;
/// assert!(policy.warnings()[0].to_string().starts_with("$.Statement[0].Principal.AWS: orphan principal"));
///
/// let error = Policy::parse(PolicyKind::Key, r#"{"Statement": [{"Effect": "Allow"}]}"#).unwrap_err();
/// assert_eq!(error.to_string(), "$.Statement[0]: has no Action");
/// # Ok::<(), kms_key_policy::ParseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) kind: PolicyKind,
    pub(crate) pools: Pools,
    pub(crate) statements: Vec<Statement>,
    pub(crate) index: Index,
    pub(crate) warnings: Vec<PolicyWarning>,
}

impl Policy {
    /// Warnings about elements that AWS accepts but that are probably mistakes, each with its position.
    #[must_use]
    pub fn warnings(&self) -> &[PolicyWarning] {
        &self.warnings
    }

    /// The names of the condition keys that the conditions and variables use, as they are written. A name may come more
    /// than once.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.pools.keys.iter().map(|key| key.written.of(&self.pools.text))
    }

    /// Whether a statement about the request's action names resources other than `*`, so that it matters which key the
    /// request is for.
    #[must_use]
    pub fn names_resources(&self, request: &Request) -> bool {
        let view = RequestView::new(request);
        let about_action = |statement: &&Statement| statement.action.covers_action(&view, &self.pools);
        self.statements.iter().filter(about_action).filter_map(|statement| statement.resource).any(
            |resource| {
                resource
                    .entries
                    .of(&self.pools.patterns)
                    .iter()
                    .any(|pattern| !matches!(pattern, Pattern::Any))
            },
        )
    }

    /// The Sid of the statement at `index`, counted from 0.
    pub(crate) fn sid(&self, index: usize) -> Option<&str> {
        let sid = self.statements.get(index)?.sid?;
        Some(sid.of(&self.pools.text))
    }
}

/// The vectors that statements hold ranges of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pools {
    pub(crate) text: String,
    pub(crate) principals: Vec<PrincipalMatcher>,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) arns: Vec<ArnPattern>,
    pub(crate) keys: Vec<ConditionKey>,
    pub(crate) conditions: Vec<Condition>,
}

impl Pools {
    /// Reserves the memory that most policies of so many bytes need.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes / 2);
        self.principals.reserve(bytes / 256);
        self.patterns.reserve(bytes / 80);
        self.conditions.reserve(bytes / 256);
        self.keys.reserve(bytes / 256);
    }

    pub(crate) fn add_text(&mut self, text: &str) -> TextRange {
        let start = self.text.len();
        self.text.push_str(text);
        TextRange::new(start, self.text.len())
    }

    /// The position of a condition key, which is added if it is new.
    pub(crate) fn condition_key(&mut self, name: &str) -> u32 {
        // Finding a key again only saves memory. The limit keeps the time linear if there are many keys.
        const LOOK_BACK: usize = 16;
        let present = present_name(name);
        let hash = hash_folded(present.unwrap_or(name));
        let from = self.keys.len().saturating_sub(LOOK_BACK);
        let known = self
            .keys
            .iter()
            .skip(from)
            .position(|key| key.hash == hash && same_folded(key.written.of(&self.text), name));
        let at = known.map_or(self.keys.len(), |n| from + n);
        if known.is_none() {
            let written = self.add_text(name);
            let start = self.text.len();
            if let Some(present) = present {
                self.text.push_str(present);
            } else if name.is_ascii() {
                self.text.push_str(name);
                self.text.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
            } else {
                self.text.extend(folded(name));
            }
            let lower = TextRange::new(start, self.text.len());
            let multivalued = is_multivalued(lower.of(&self.text));
            self.keys.push(ConditionKey { hash, lower, written, multivalued });
        }
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

/// A statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) sid: Option<TextRange>,
    pub(crate) effect: Effect,
    pub(crate) principal: Option<Element<PrincipalMatcher>>,
    pub(crate) action: Element<Pattern>,
    /// `None` means that the statement has no Resource, and so no effect.
    pub(crate) resource: Option<Element<Pattern>>,
    pub(crate) conditions: PoolRange<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// An element such as Action, or its negation such as NotAction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<T> {
    pub(crate) negated: bool,
    pub(crate) entries: PoolRange<T>,
}

/// One condition: an operator, a key, and the listed values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition {
    pub(crate) operator: Operator,
    pub(crate) key: u32,
    pub(crate) values: PoolRange<Pattern>,
}

/// A condition key. It is found by its hash, and then by its present name in lower case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConditionKey {
    pub(crate) hash: u64,
    pub(crate) lower: TextRange,
    pub(crate) written: TextRange,
    pub(crate) multivalued: bool,
}

/// A range of the policy's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextRange {
    start: u32,
    end: u32,
}

impl TextRange {
    /// INVARIANT: the text of a policy is shorter than a few times [`crate::error::MAX_OTHER_POLICY_BYTES`], so that
    /// positions fit 32 bits.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
    }

    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Extends the range if `next` follows it directly. Says whether it did.
    pub(crate) fn join(&mut self, next: Self) -> bool {
        let joined = self.end == next.start;
        if joined {
            self.end = next.end;
        }
        joined
    }
}

/// A range of one of the vectors in [`Pools`].
#[derive(Debug)]
pub(crate) struct PoolRange<T> {
    start: u32,
    end: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for PoolRange<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for PoolRange<T> {}

impl<T> PoolRange<T> {
    pub(crate) const EMPTY: Self = Self { start: 0, end: 0, of: PhantomData };

    /// The elements that were pushed to `pool` since it had `start` elements.
    pub(crate) fn since(start: usize, pool: &[T]) -> Self {
        let part = TextRange::new(start, pool.len());
        Self { start: part.start, end: part.end, of: PhantomData }
    }

    pub(crate) fn of(self, pool: &[T]) -> &[T] {
        pool.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}
