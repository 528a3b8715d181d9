//! The quick reader of cases: it finds the end of a policy without reading it, and reads it only if it is new.
//!
//! It gives up on whatever is wrong or unusual: the strict reader has the last word, and all the errors. So a case that
//! it reads must be one that the strict reader reads to the same.

use std::rc::Rc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::cache::Cache;
use super::input::{BorrowedText, CaseRequest, ContextValue, KnownContext, MOST_VALUES, OtherContext};
use super::policies::{self, Parsed, Policies};
use super::scan::Scan;
use kms_key_policy::{Grants, Policy, PolicyKind};

type One = Parsed<Policy>;
type List = Parsed<Vec<Policy>>;
type Levels = Parsed<Vec<Vec<Policy>>>;

/// What a worker has read before: apart for each member of a case, so that no text is taken for one of another kind.
#[derive(Debug)]
pub(super) struct Caches {
    key: Cache<One>,
    grants: Cache<Grants>,
    identity: Cache<List>,
    boundary: Cache<One>,
    session: Cache<List>,
    service_control: Cache<Levels>,
    resource_control: Cache<Levels>,
}

/// What each half of a cache holds: some hundred policies. Compiled, a policy takes a few times its text, and twenty
/// times at the very worst.
const HALF: usize = 512 << 10;

/// What each half holds of the lists of identity policies, of which nearly every caller has one of its own.
const IDENTITY_HALF: usize = 4 << 20;

impl Caches {
    pub(super) fn new() -> Self {
        Self {
            key: Cache::new(HALF, Parsed::weight),
            grants: Cache::new(HALF, |_| 0),
            identity: Cache::new(IDENTITY_HALF, Parsed::weight),
            boundary: Cache::new(HALF, Parsed::weight),
            session: Cache::new(HALF, Parsed::weight),
            service_control: Cache::new(HALF, Parsed::weight),
            resource_control: Cache::new(HALF, Parsed::weight),
        }
    }
}

/// Reads a case, unless anything is wrong with it or unusual.
pub(super) fn read<'a>(text: &'a str, caches: &mut Caches) -> Option<(CaseRequest<'a>, Policies)> {
    let mut scan = Scan::new(text);
    let mut members = CaseMembers::default();
    if !scan.eat(b'{') {
        return None;
    }
    loop {
        members.read(&mut scan, caches)?;
        if scan.eat(b'}') {
            break;
        }
        if !scan.eat(b',') {
            return None;
        }
    }
    if scan.is_at_end() { members.whole() } else { None }
}

/// The members of a case that were read so far.
#[derive(Default)]
struct CaseMembers<'a> {
    id: Option<Option<&'a RawValue>>,
    key_arn: Option<BorrowedText<'a>>,
    principal: Option<BorrowedText<'a>>,
    action: Option<BorrowedText<'a>>,
    context: Option<KnownContext<'a>>,
    absent: Option<Vec<BorrowedText<'a>>>,
    other_context: Option<OtherContext>,
    key_policy: Option<Rc<One>>,
    grants: Option<Option<Rc<Grants>>>,
    identity: Option<Option<Rc<List>>>,
    boundary: Option<Option<Rc<One>>>,
    session: Option<Option<Rc<List>>>,
    service_control: Option<Option<Rc<Levels>>>,
    resource_control: Option<Option<Rc<Levels>>>,
}

impl<'a> CaseMembers<'a> {
    /// Reads the next member.
    fn read(&mut self, scan: &mut Scan<'a>, caches: &mut Caches) -> Option<()> {
        match scan.name()? {
            "id" => set(&mut self.id, strictly(scan)),
            "keyArn" => set(&mut self.key_arn, text(scan)),
            "principal" => set(&mut self.principal, text(scan)),
            "action" => set(&mut self.action, text(scan)),
            "context" => set(&mut self.context, context(scan)),
            "absent" => set(&mut self.absent, strictly(scan)),
            "otherContext" => set(&mut self.other_context, strictly(scan)),
            "keyPolicy" => set(&mut self.key_policy, one(PolicyKind::Key, &mut caches.key, scan)),
            "grants" => {
                let read = |text| policies::grants(text).ok();
                set(&mut self.grants, optional(scan, |scan| cached(&mut caches.grants, scan, read)))
            }
            "identityPolicies" => {
                let cache = &mut caches.identity;
                set(&mut self.identity, optional(scan, |scan| list(PolicyKind::Identity, cache, scan)))
            }
            "permissionsBoundary" => {
                let cache = &mut caches.boundary;
                set(&mut self.boundary, optional(scan, |scan| one(PolicyKind::Boundary, cache, scan)))
            }
            "sessionPolicies" => {
                let cache = &mut caches.session;
                set(&mut self.session, optional(scan, |scan| list(PolicyKind::Session, cache, scan)))
            }
            "serviceControlPolicies" => {
                let cache = &mut caches.service_control;
                let levels = optional(scan, |scan| levels(PolicyKind::ServiceControl, cache, scan));
                set(&mut self.service_control, levels)
            }
            "resourceControlPolicies" => {
                let cache = &mut caches.resource_control;
                let levels = optional(scan, |scan| levels(PolicyKind::ResourceControl, cache, scan));
                set(&mut self.resource_control, levels)
            }
            _ => None,
        }
    }

    /// The case, if nothing lacks that it must have.
    fn whole(self) -> Option<(CaseRequest<'a>, Policies)> {
        let asked = CaseRequest {
            id: self.id.flatten(),
            key_arn: self.key_arn?,
            principal: self.principal?,
            action: self.action?,
            context: self.context.unwrap_or_default(),
            absent: self.absent.unwrap_or_default(),
            other_context: self.other_context.unwrap_or_default(),
        };
        let policies = Policies {
            key: self.key_policy?,
            grants: self.grants.flatten(),
            identity: self.identity.flatten(),
            boundary: self.boundary.flatten(),
            session: self.session.flatten(),
            service_control: self.service_control.flatten(),
            resource_control: self.resource_control.flatten(),
        };
        Some((asked, policies))
    }
}

/// Takes a member, unless it comes twice.
fn set<T>(member: &mut Option<T>, value: Option<T>) -> Option<()> {
    member.replace(value?).is_none().then_some(())
}

/// Reads a value that is never large.
fn strictly<'a, T: Deserialize<'a>>(scan: &mut Scan<'a>) -> Option<T> {
    serde_json::from_str(scan.value()?).ok()
}

/// Reads a text.
fn text<'a>(scan: &mut Scan<'a>) -> Option<BorrowedText<'a>> {
    let json = scan.value()?;
    plain(json).map(|text| BorrowedText(text.into())).or_else(|| serde_json::from_str(json).ok())
}

/// What a JSON string of one piece holds, if that stands in it as it is.
fn plain(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    is_plain(text).then_some(text)
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte >= b' ' && byte != b'\\')
}

/// Reads a context.
fn context<'a>(scan: &mut Scan<'a>) -> Option<KnownContext<'a>> {
    let json = scan.value()?;
    plain_context(json).or_else(|| serde_json::from_str(json).ok())
}

/// A context of plain names with one plain text each, as most are.
fn plain_context(json: &str) -> Option<KnownContext<'_>> {
    let mut scan = Scan::new(json);
    let mut known = KnownContext::default();
    let mut more = scan.eat(b'{');
    while more {
        let name = scan.name().filter(|name| is_plain(name))?;
        let value = plain(scan.value()?)?;
        known.0.push((name.into(), ContextValue::One(value.into())));
        more = scan.eat(b',');
    }
    let is_whole = scan.eat(b'}') && scan.is_at_end() && known.0.len() <= MOST_VALUES;
    is_whole.then_some(known)
}

/// Reads a value that may be null.
fn optional<'a, T>(scan: &mut Scan<'a>, read: impl FnOnce(&mut Scan<'a>) -> Option<T>) -> Option<Option<T>> {
    if scan.eat_null() { Some(None) } else { read(scan).map(Some) }
}

fn one(kind: PolicyKind, cache: &mut Cache<One>, scan: &mut Scan<'_>) -> Option<Rc<One>> {
    cached(cache, scan, |text| policies::one(kind, text).ok())
}

fn list(kind: PolicyKind, cache: &mut Cache<List>, scan: &mut Scan<'_>) -> Option<Rc<List>> {
    cached(cache, scan, |text| {
        let texts = Scan::new(text).array(Scan::value)?;
        policies::list(kind, &texts).ok()
    })
}

fn levels(kind: PolicyKind, cache: &mut Cache<Levels>, scan: &mut Scan<'_>) -> Option<Rc<Levels>> {
    cached(cache, scan, |text| {
        let texts = Scan::new(text).array(|level| level.array(Scan::value))?;
        policies::levels(kind, &texts).ok()
    })
}

/// The value that is next, from the cache or read.
fn cached<'a, T>(
    cache: &mut Cache<T>,
    scan: &mut Scan<'a>,
    read: impl FnOnce(&'a str) -> Option<T>,
) -> Option<Rc<T>> {
    if let Some((value, length)) = cache.begins(scan.rest()) {
        scan.pass(length);
        return Some(value);
    }
    let text = scan.value()?;
    cache.get(text, || read(text))
}

#[cfg(test)]
mod tests;
