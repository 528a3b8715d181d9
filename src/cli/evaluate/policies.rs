//! The policies and grants of a case, out of their texts, with their warnings as an answer shows them.

use std::borrow::Cow;
use std::rc::Rc;

use super::case::CaseError;
use kms_key_policy::{Grants, Layers, ParseError, Policy, PolicyKind};

/// What a text was read to, and its warnings.
#[derive(Debug)]
pub(super) struct Parsed<T> {
    pub(super) value: T,
    pub(super) warnings: Vec<String>,
}

impl<T> Parsed<T> {
    /// About how many bytes the warnings take, here and in the policies: many times the text at worst.
    pub(super) fn weight(&self) -> usize {
        const EACH: usize = 128;
        self.warnings.iter().map(|warning| EACH + 2 * warning.len()).sum()
    }
}

/// The policies and grants of a case. They are shared with other cases that have the same.
#[derive(Debug)]
pub(super) struct Policies {
    pub(super) key: Rc<Parsed<Policy>>,
    pub(super) grants: Option<Rc<Grants>>,
    pub(super) identity: Option<Rc<Parsed<Vec<Policy>>>>,
    pub(super) boundary: Option<Rc<Parsed<Policy>>>,
    pub(super) session: Option<Rc<Parsed<Vec<Policy>>>>,
    pub(super) service_control: Option<Rc<Parsed<Vec<Vec<Policy>>>>>,
    pub(super) resource_control: Option<Rc<Parsed<Vec<Vec<Policy>>>>>,
}

impl Policies {
    /// All that decides; `none` are the grants if the case names none.
    pub(super) fn layers<'p>(&'p self, none: &'p Grants) -> Layers<'p> {
        fn list<T>(read: Option<&Rc<Parsed<Vec<T>>>>) -> Option<&[T]> {
            read.map(|read| read.value.as_slice())
        }
        Layers {
            key_policy: &self.key.value,
            grants: self.grants.as_deref().unwrap_or(none),
            identity_policies: list(self.identity.as_ref()),
            permissions_boundary: self.boundary.as_ref().map(|read| &read.value),
            session_policies: list(self.session.as_ref()).unwrap_or_default(),
            service_control_policies: list(self.service_control.as_ref()).unwrap_or_default(),
            resource_control_policies: list(self.resource_control.as_ref()).unwrap_or_default(),
        }
    }

    pub(super) fn warnings(&self) -> impl Iterator<Item = &str> {
        fn of<T>(read: Option<&Rc<Parsed<T>>>) -> &[String] {
            read.map(|read| read.warnings.as_slice()).unwrap_or_default()
        }
        let all = [
            of(Some(&self.key)),
            of(self.identity.as_ref()),
            of(self.boundary.as_ref()),
            of(self.session.as_ref()),
            of(self.service_control.as_ref()),
            of(self.resource_control.as_ref()),
        ];
        all.into_iter().flatten().map(String::as_str)
    }
}

/// Reads a policy that stands alone.
pub(super) fn one(kind: PolicyKind, text: &str) -> Result<Parsed<Policy>, CaseError> {
    let mut warnings = Vec::new();
    let value = policy(kind, text, &mut warnings, String::new)?;
    Ok(Parsed { value, warnings })
}

/// Reads a list of policies.
pub(super) fn list(kind: PolicyKind, texts: &[&str]) -> Result<Parsed<Vec<Policy>>, CaseError> {
    let mut warnings = Vec::new();
    let policies = texts.iter().enumerate();
    let policies = policies.map(|(n, text)| policy(kind, text, &mut warnings, || format!("[{n}]")));
    Ok(Parsed { value: policies.collect::<Result<_, _>>()?, warnings })
}

/// Reads a list of policies for each level.
pub(super) fn levels(kind: PolicyKind, texts: &[Vec<&str>]) -> Result<Parsed<Vec<Vec<Policy>>>, CaseError> {
    let mut warnings = Vec::new();
    let levels = texts.iter().enumerate().map(|(level, texts)| {
        let policies = texts.iter().enumerate();
        let policies =
            policies.map(|(n, text)| policy(kind, text, &mut warnings, || format!("[{level}][{n}]")));
        policies.collect()
    });
    Ok(Parsed { value: levels.collect::<Result<_, CaseError>>()?, warnings })
}

/// Reads the grants.
pub(super) fn grants(text: &str) -> Result<Grants, CaseError> {
    Grants::parse(&unquoted(text)?).map_err(|error| CaseError::Policy { name: "grants".to_owned(), error })
}

/// Reads a policy at a place among those of its kind, and adds its warnings.
fn policy(
    kind: PolicyKind,
    text: &str,
    warnings: &mut Vec<String>,
    place: impl Fn() -> String,
) -> Result<Policy, CaseError> {
    let name = || format!("{}{}", member(kind), place());
    let failed = |error: ParseError| CaseError::Policy { name: name(), error };
    let policy = Policy::parse(kind, &unquoted(text)?).map_err(failed)?;
    if !policy.warnings().is_empty() {
        let name = name();
        warnings.extend(policy.warnings().iter().map(|warning| format!("{name}: {warning}")));
    }
    Ok(policy)
}

/// The member of a case in which policies of a kind stand.
const fn member(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Key => "keyPolicy",
        PolicyKind::Identity => "identityPolicies",
        PolicyKind::Boundary => "permissionsBoundary",
        PolicyKind::Session => "sessionPolicies",
        PolicyKind::ServiceControl => "serviceControlPolicies",
        PolicyKind::ResourceControl => "resourceControlPolicies",
    }
}

/// The text of a policy that is given as an object, or as its text.
fn unquoted(json: &str) -> Result<Cow<'_, str>, CaseError> {
    if !json.starts_with('"') {
        return Ok(Cow::Borrowed(json));
    }
    Ok(Cow::Owned(serde_json::from_str(json)?))
}
