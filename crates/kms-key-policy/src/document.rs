//! A policy in its compiled form.
//!
//! Everything of one sort stands in one vector, and a statement holds ranges of them, so that parsing costs a handful
//! of allocations and deciding costs none.

use std::marker::PhantomData;

use super::condition_keys::present_name;
use super::glob::Piece;
use super::index::Index;
use super::operator::Operator;
use super::pattern::{ArnPattern, Pattern};
use super::principal::PrincipalMatcher;
use super::warning::PolicyWarning;

/// What a policy is attached to, which decides what its grammar has and how it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    /// The policy of the KMS key itself.
    Key,
    /// A policy of a user, a group or a role.
    Identity,
    /// A permissions boundary of a user or role.
    Boundary,
    /// A policy passed when a session began.
    Session,
    /// A service control policy of the caller's organization.
    ServiceControl,
    /// A resource control policy of the key owner's organization.
    ResourceControl,
}

impl PolicyKind {
    /// The short name that answers use: `key`, `identity`, `boundary`, `session`, `scp` or `rcp`.
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

    /// Whether its statements say whom they apply to.
    pub(super) const fn has_principals(self) -> bool {
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

/// A policy, compiled: strict in what it reads, ready for any number of decisions.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(super) kind: PolicyKind,
    pub(super) pools: Pools,
    pub(super) statements: Vec<Statement>,
    pub(super) index: Index,
    pub(super) warnings: Vec<PolicyWarning>,
}

impl Policy {
    /// What it is attached to.
    #[must_use]
    pub const fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// What AWS accepts and nobody wants, with the place of each.
    #[must_use]
    pub fn warnings(&self) -> &[PolicyWarning] {
        &self.warnings
    }

    /// How many statements it has.
    #[must_use]
    pub fn statement_count(&self) -> usize {
        self.statements.len()
    }

    /// The names of the condition keys that its conditions and variables look at, as they are written. A name may come
    /// more than once.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.pools.keys.iter().map(|key| key.written.of(&self.pools.text))
    }

    /// The Sid of the statement at `index`, from 0.
    #[must_use]
    pub fn sid(&self, index: usize) -> Option<&str> {
        let sid = self.statements.get(index)?.sid?;
        Some(sid.of(&self.pools.text))
    }
}

/// The vectors that statements hold ranges of.
#[derive(Debug, Clone, Default)]
pub(super) struct Pools {
    pub(super) text: String,
    pub(super) principals: Vec<PrincipalMatcher>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) pieces: Vec<Piece>,
    pub(super) arns: Vec<ArnPattern>,
    pub(super) keys: Vec<Key>,
    pub(super) conditions: Vec<Condition>,
}

impl Pools {
    /// Makes room for what a policy of so many bytes mostly holds.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes / 2);
        self.principals.reserve(bytes / 256);
        self.patterns.reserve(bytes / 80);
        self.conditions.reserve(bytes / 256);
        self.keys.reserve(bytes / 256);
    }

    pub(super) fn keep(&mut self, text: &str) -> Str {
        let start = self.text.len();
        self.text.push_str(text);
        Str::new(start, self.text.len())
    }

    /// The position of a condition key, taken in if it is new.
    pub(super) fn key(&mut self, name: &str) -> u32 {
        // Finding the key again only saves room: few of them are looked at, so that many keys cost linear time.
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
            let written = self.keep(name);
            let start = self.text.len();
            if let Some(present) = present {
                self.text.push_str(present);
            } else if name.is_ascii() {
                self.text.push_str(name);
                self.text.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
            } else {
                self.text.extend(folded(name));
            }
            let lower = Str::new(start, self.text.len());
            let multivalued = is_multivalued(lower.of(&self.text));
            self.keys.push(Key { hash, lower, written, multivalued });
        }
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

/// A statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement {
    pub(super) sid: Option<Str>,
    pub(super) effect: Effect,
    pub(super) principal: Option<Element<PrincipalMatcher>>,
    pub(super) action: Element<Pattern>,
    /// `None`: no Resource, and so no effect.
    pub(super) resource: Option<Element<Pattern>>,
    pub(super) conditions: Run<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// An element such as Action, or its negation such as NotAction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<T> {
    pub(super) negated: bool,
    pub(super) entries: Run<T>,
}

/// One condition: an operator, a key, and the values listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condition {
    pub(super) operator: Operator,
    pub(super) key: u32,
    pub(super) values: Run<Pattern>,
}

/// A condition key, looked up by its hash and then by its present name in lower case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) hash: u64,
    pub(super) lower: Str,
    pub(super) written: Str,
    pub(super) multivalued: bool,
}

/// A part of the policy's kept text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Str {
    start: u32,
    end: u32,
}

impl Str {
    /// INVARIANT: kept texts are shorter than a few times [`super::error::MAX_OTHER_BYTES`], so they fit 32 bits.
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
    }

    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Makes the part longer, where `next` follows it directly.
    pub(super) fn join(&mut self, next: Self) -> bool {
        let joined = self.end == next.start;
        if joined {
            self.end = next.end;
        }
        joined
    }
}

/// A range of one of the vectors in [`Pools`].
#[derive(Debug)]
pub(super) struct Run<T> {
    start: u32,
    end: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Run<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Run<T> {}

impl<T> Run<T> {
    pub(super) const EMPTY: Self = Self { start: 0, end: 0, of: PhantomData };

    /// What was pushed to `pool` since it had `start` elements.
    pub(super) fn since(start: usize, pool: &[T]) -> Self {
        let part = Str::new(start, pool.len());
        Self { start: part.start, end: part.end, of: PhantomData }
    }

    pub(super) fn of(self, pool: &[T]) -> &[T] {
        pool.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The FNV-1a hash of a text.
pub(super) fn hash(text: &str) -> u64 {
    hash_bytes(text.bytes())
}

/// The hash of a condition key's name, whatever its case.
pub(super) fn hash_folded(name: &str) -> u64 {
    if name.is_ascii() {
        return hash_bytes(name.bytes().map(|b| b.to_ascii_lowercase()));
    }
    let mut buffer = [0; 4];
    folded(name).fold(FNV_OFFSET, |hash, c| c.encode_utf8(&mut buffer).bytes().fold(hash, fnv_step))
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn hash_bytes(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(FNV_OFFSET, fnv_step)
}

fn fnv_step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

/// The characters of a text in lower case: character by character, without normalisation.
pub(super) fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Whether two texts differ in case at most.
pub(super) fn same_folded(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || (!one.is_ascii() && folded(one).eq(folded(other)))
}

/// Whether a condition key, named in lower case, holds a list of values by its nature [condition keys of IAM and KMS].
#[must_use]
pub fn is_multivalued(lower: &str) -> bool {
    matches!(
        lower,
        "kms:encryptioncontextkeys"
            | "kms:grantoperations"
            | "kms:resourcealiases"
            | "aws:calledvia"
            | "aws:principalorgpaths"
            | "aws:principalservicenameslist"
            | "aws:resourceorgpaths"
            | "aws:sourceorgpaths"
            | "aws:vpceorgpaths"
            | "aws:tagkeys"
    )
}
