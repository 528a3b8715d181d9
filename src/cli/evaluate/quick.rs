//! The quick reader of cases: it finds the end of a policy without reading it, and reads only policies that are new.
//!
//! It gives up on every case that is wrong or unusual, and leaves it to the strict reader, which reports the errors.
//!
//! INVARIANT: the strict reader reads each case that this one reads, and to the same request and policies.

use std::rc::Rc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::cache::Cache;
use super::input::{BorrowedText, CaseContext, CaseRequest, ContextValue, MOST_VALUES, OtherContext};
use super::policies::{self, Parsed, Policies};
use super::scan::Scan;
use kms_key_policy::{Grants, Policy, PolicyKind};

type One = Parsed<Policy>;
type List = Parsed<Vec<Policy>>;
type Levels = Parsed<Vec<Vec<Policy>>>;

/// What a worker has read before. Each member of a case has its own cache, since the same text means something else in
/// another member.
#[derive(Debug)]
pub(super) struct Caches {
    key_policy: Cache<One>,
    grants: Cache<Grants>,
    identity_policies: Cache<List>,
    permissions_boundary: Cache<One>,
    session_policies: Cache<List>,
    service_control_policies: Cache<Levels>,
    resource_control_policies: Cache<Levels>,
}

/// The bytes of each half of a cache, enough for some hundred policies. A compiled policy takes a few times as many bytes
/// as its text, and twenty times as many at worst.
const HALF: usize = 512 << 10;

/// The bytes of each half for lists of identity policies: nearly every caller has its own list.
const IDENTITY_HALF: usize = 4 << 20;

impl Caches {
    pub(super) fn new() -> Self {
        Self {
            key_policy: Cache::new(HALF, Parsed::weight),
            grants: Cache::new(HALF, |_| 0),
            identity_policies: Cache::new(IDENTITY_HALF, Parsed::weight),
            permissions_boundary: Cache::new(HALF, Parsed::weight),
            session_policies: Cache::new(HALF, Parsed::weight),
            service_control_policies: Cache::new(HALF, Parsed::weight),
            resource_control_policies: Cache::new(HALF, Parsed::weight),
        }
    }
}

/// Reads a case; `None` if anything about it is wrong or unusual.
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
    context: Option<CaseContext<'a>>,
    absent: Option<Vec<BorrowedText<'a>>>,
    other_context: Option<OtherContext>,
    key_policy: Option<Rc<One>>,
    grants: Option<Option<Rc<Grants>>>,
    identity_policies: Option<Option<Rc<List>>>,
    permissions_boundary: Option<Option<Rc<One>>>,
    session_policies: Option<Option<Rc<List>>>,
    service_control_policies: Option<Option<Rc<Levels>>>,
    resource_control_policies: Option<Option<Rc<Levels>>>,
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
            "keyPolicy" => set(&mut self.key_policy, one(PolicyKind::Key, &mut caches.key_policy, scan)),
            "grants" => {
                let read = |text| policies::grants(text).ok();
                set(&mut self.grants, optional(scan, |scan| cached(&mut caches.grants, scan, read)))
            }
            "identityPolicies" => {
                let cache = &mut caches.identity_policies;
                set(
                    &mut self.identity_policies,
                    optional(scan, |scan| list(PolicyKind::Identity, cache, scan)),
                )
            }
            "permissionsBoundary" => {
                let cache = &mut caches.permissions_boundary;
                set(
                    &mut self.permissions_boundary,
                    optional(scan, |scan| one(PolicyKind::Boundary, cache, scan)),
                )
            }
            "sessionPolicies" => {
                let cache = &mut caches.session_policies;
                set(&mut self.session_policies, optional(scan, |scan| list(PolicyKind::Session, cache, scan)))
            }
            "serviceControlPolicies" => {
                let cache = &mut caches.service_control_policies;
                let levels = optional(scan, |scan| levels(PolicyKind::ServiceControl, cache, scan));
                set(&mut self.service_control_policies, levels)
            }
            "resourceControlPolicies" => {
                let cache = &mut caches.resource_control_policies;
                let levels = optional(scan, |scan| levels(PolicyKind::ResourceControl, cache, scan));
                set(&mut self.resource_control_policies, levels)
            }
            _ => None,
        }
    }

    /// The case, if it has every member that it must have.
    fn whole(self) -> Option<(CaseRequest<'a>, Policies)> {
        let case = CaseRequest {
            id: self.id.flatten(),
            key_arn: self.key_arn?,
            principal: self.principal?,
            action: self.action?,
            context: self.context.unwrap_or_default(),
            absent: self.absent.unwrap_or_default(),
            other_context: self.other_context.unwrap_or_default(),
        };
        let policies = Policies {
            key_policy: self.key_policy?,
            grants: self.grants.flatten(),
            identity_policies: self.identity_policies.flatten(),
            permissions_boundary: self.permissions_boundary.flatten(),
            session_policies: self.session_policies.flatten(),
            service_control_policies: self.service_control_policies.flatten(),
            resource_control_policies: self.resource_control_policies.flatten(),
        };
        Some((case, policies))
    }
}

/// Sets a member; `None` if it is already set.
fn set<T>(member: &mut Option<T>, value: Option<T>) -> Option<()> {
    member.replace(value?).is_none().then_some(())
}

/// Reads a value with the strict reader. It is for members that are never large.
fn strictly<'a, T: Deserialize<'a>>(scan: &mut Scan<'a>) -> Option<T> {
    serde_json::from_str(scan.value()?).ok()
}

/// Reads a text.
fn text<'a>(scan: &mut Scan<'a>) -> Option<BorrowedText<'a>> {
    let json = scan.value()?;
    plain(json).map(|text| BorrowedText(text.into())).or_else(|| serde_json::from_str(json).ok())
}

/// The text of a JSON string, if it has no escapes.
fn plain(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    is_plain(text).then_some(text)
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte >= b' ' && byte != b'\\')
}

/// Reads a context.
fn context<'a>(scan: &mut Scan<'a>) -> Option<CaseContext<'a>> {
    let json = scan.value()?;
    plain_context(json).or_else(|| serde_json::from_str(json).ok())
}

/// Reads a context in which each key is a text without escapes and has one such value, as in most cases.
fn plain_context(json: &str) -> Option<CaseContext<'_>> {
    let mut scan = Scan::new(json);
    let mut known = CaseContext::default();
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

/// The next value, from the cache or read.
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
