//! Compiles the text of a policy. The parser is strict, and every error has its position.

mod condition;
mod principal;
mod statement;

use std::borrow::Cow;

use crate::PolicyKind;
use crate::error::{
    JsonPath, MAX_KEY_POLICY_BYTES, MAX_OTHER_POLICY_BYTES, ParseError, ParseProblem, ParseResult,
};
use crate::index::Index;
use crate::json::{JsonReader, compact_length};
use crate::policy::{Policy, Pools, Statement};
use crate::text::{hash_folded, same_folded};
use crate::warning::{PolicyWarning, WarningKind};

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// `2008-10-17`, or no version. `${…}` stands for itself.
    Y2008,
    /// `2012-10-17`. The policy may have variables.
    Y2012,
}

impl Policy {
    /// Reads a policy from its JSON text.
    ///
    /// # Errors
    /// [`ParseError`] names the position and what is wrong there: broken JSON, a member twice in one object, an element
    /// that the grammar does not have or that excludes another, a text that is too long or has characters beyond
    /// Latin-1.
    pub fn parse(kind: PolicyKind, text: &str) -> Result<Self, ParseError> {
        let length = checked_length(kind, text)?;
        check_characters(text)?;
        let parser = Parser::new(kind, Version::Y2008).document(text, length)?;
        let parser = if parser.statements_read_as == Some(parser.version) || !text.contains('$') {
            parser
        } else {
            // The version came after the statements.
            Parser::new(kind, parser.version).document(text, length)?
        };
        Ok(parser.finish())
    }
}

/// The length of a policy, which is not too long.
#[derive(Debug, Clone, Copy)]
struct PolicyLength {
    /// The bytes that count.
    counted: usize,
    /// Whether the policy is short enough only because the white space between its values does not count.
    is_long_as_written: bool,
}

/// The length of a text as a policy of this kind. Of a key policy that is too long as it is written, what lies between
/// its values does not count: KMS gets a policy of the same meaning without it.
fn checked_length(kind: PolicyKind, text: &str) -> ParseResult<PolicyLength> {
    let (size, most) = match kind {
        PolicyKind::Key if text.len() > MAX_KEY_POLICY_BYTES => (compact_length(text), MAX_KEY_POLICY_BYTES),
        PolicyKind::Key => (text.len(), MAX_KEY_POLICY_BYTES),
        _ => (text.len(), MAX_OTHER_POLICY_BYTES),
    };
    if size > most {
        return Err(JsonPath::Root.error(ParseProblem::TooLong { size, kind, most }));
    }
    Ok(PolicyLength { counted: size, is_long_as_written: size < text.len() })
}

/// A policy may have tabs, line ends and Latin-1 characters (`PutKeyPolicy`, IAM policies).
fn check_characters(text: &str) -> ParseResult<()> {
    if !text.is_ascii()
        && let Some(c) = text.chars().find(|c| *c > '\u{ff}')
    {
        return Err(JsonPath::Root.error(ParseProblem::Character(c)));
    }
    Ok(())
}

/// The most names that are compared pair by pair.
const FEW_NAMES: usize = 8;

struct Parser<'t> {
    kind: PolicyKind,
    version: Version,
    /// The version under which the statements were read, or `None` before they are read.
    statements_read_as: Option<Version>,
    pools: Pools,
    statements: Vec<Statement>,
    warnings: Vec<PolicyWarning>,
    /// The names in the objects that are being read, to find a name that comes twice.
    names: Vec<Cow<'t, str>>,
}

impl<'t> Parser<'t> {
    fn new(kind: PolicyKind, version: Version) -> Self {
        Self {
            kind,
            version,
            statements_read_as: None,
            pools: Pools::default(),
            statements: Vec::new(),
            warnings: Vec::new(),
            names: Vec::new(),
        }
    }

    fn document(mut self, text: &'t str, length: PolicyLength) -> ParseResult<Self> {
        self.pools.reserve(length.counted);
        self.statements.reserve(length.counted / 256);
        if length.is_long_as_written {
            let (size, compact) = (text.len(), length.counted);
            self.warn(
                &JsonPath::Root,
                WarningKind::LongAsWritten { size, compact, most: MAX_KEY_POLICY_BYTES },
            );
        }
        let mut reader = JsonReader::new(text);
        let root = JsonPath::Root;
        let (mut version, mut id, mut statement) = (false, false, false);
        reader.object(&root, "a policy (an object)", |reader, name| {
            let path = root.member(&name);
            let seen = match &*name {
                "Version" => {
                    self.version = read_version(reader, &path)?;
                    &mut version
                }
                "Id" => {
                    reader.text(&path)?;
                    &mut id
                }
                "Statement" => {
                    self.statements_read_as = Some(self.version);
                    reader.one_or_many(&path, |reader, path| self.statement(reader, path))?;
                    &mut statement
                }
                _ => {
                    let known = "Version, Id, Statement";
                    return Err(root.error(ParseProblem::UnknownElement {
                        name: name.into(),
                        of: "a policy",
                        known,
                    }));
                }
            };
            if std::mem::replace(seen, true) {
                return Err(root.error(ParseProblem::Duplicate { name: name.into() }));
            }
            Ok(())
        })?;
        reader.end()?;
        if !statement {
            return Err(root.error(ParseProblem::Missing("Statement")));
        }
        Ok(self)
    }

    fn finish(mut self) -> Policy {
        self.warn_of_sids();
        let index = if Index::is_worth(self.statements.len()) {
            let buckets = self.statements.iter().enumerate().flat_map(|(at, statement)| {
                let at = u32::try_from(at).unwrap_or(u32::MAX);
                statement.buckets(&self.pools).into_iter().map(move |bucket| (bucket, at))
            });
            buckets.collect()
        } else {
            Vec::new()
        };
        Policy {
            kind: self.kind,
            index: Index::new(self.statements.len(), index),
            pools: self.pools,
            statements: self.statements,
            warnings: self.warnings,
        }
    }

    fn warn(&mut self, path: &JsonPath<'_>, kind: WarningKind) {
        self.warnings.push(PolicyWarning { path: path.to_string(), kind });
    }

    /// Fails if two of the names behind the first `mark` are the same. `ignores_case` says whether names are the same
    /// if only their case differs.
    fn distinct(&mut self, mark: usize, ignores_case: bool, path: &JsonPath<'_>) -> ParseResult<()> {
        let names = self.names.get_mut(mark..).unwrap_or_default();
        let same = |one: &str, other: &str| if ignores_case { same_folded(one, other) } else { one == other };
        let twice = if names.len() <= FEW_NAMES {
            let later = |at: usize| names.iter().skip(at + 1);
            let mut names = names.iter().enumerate();
            names.find_map(|(at, name)| later(at).find(|other| same(name, other)))
        } else {
            names.sort_by_cached_key(|name| (hash_folded(name), name.clone()));
            let mut pairs = names.iter().zip(names.iter().skip(1));
            pairs.find_map(|(one, other)| same(one, other).then_some(other))
        };
        if let Some(name) = twice {
            return Err(path.error(ParseProblem::Duplicate { name: name.clone().into_owned() }));
        }
        self.names.truncate(mark);
        Ok(())
    }
}

fn read_version(reader: &mut JsonReader<'_>, path: &JsonPath<'_>) -> ParseResult<Version> {
    match &*reader.text(path)? {
        "2008-10-17" => Ok(Version::Y2008),
        "2012-10-17" => Ok(Version::Y2012),
        other => {
            let expected = "`2012-10-17` and `2008-10-17`";
            Err(path.error(ParseProblem::Word { found: other.to_owned(), expected }))
        }
    }
}
