//! Reads the policies and grants of a case from their texts, with the warnings that an answer shows.

use std::borrow::Cow;
use std::rc::Rc;

use super::case::CaseError;
use kms_key_policy::{Grants, Layers, ParseError, Policy, PolicyKind};

/// A value that was read from a text, and the warnings about it.
#[derive(Debug)]
pub(super) struct Parsed<T> {
    pub(super) value: T,
    pub(super) warnings: Vec<String>,
}

impl<T> Parsed<T> {
    /// About how many bytes the warnings take, here and in the policies. They can take many times as many as the text.
    pub(super) fn weight(&self) -> usize {
        const EACH: usize = 128;
        self.warnings.iter().map(|warning| EACH + 2 * warning.len()).sum()
    }
}

/// The policies and grants of a case. Cases with the same texts share them.
#[derive(Debug)]
pub(super) struct Policies {
    pub(super) key_policy: Rc<Parsed<Policy>>,
    pub(super) grants: Option<Rc<Grants>>,
    pub(super) identity_policies: Option<Rc<Parsed<Vec<Policy>>>>,
    pub(super) permissions_boundary: Option<Rc<Parsed<Policy>>>,
    pub(super) session_policies: Option<Rc<Parsed<Vec<Policy>>>>,
    pub(super) service_control_policies: Option<Rc<Parsed<Vec<Vec<Policy>>>>>,
    pub(super) resource_control_policies: Option<Rc<Parsed<Vec<Vec<Policy>>>>>,
}

impl Policies {
    /// The layers that decide. `none` stands for the grants if the case has none.
    pub(super) fn layers<'p>(&'p self, none: &'p Grants) -> Layers<'p> {
        fn list<T>(read: Option<&Rc<Parsed<Vec<T>>>>) -> Option<&[T]> {
            read.map(|read| read.value.as_slice())
        }
        Layers {
            key_policy: &self.key_policy.value,
            grants: self.grants.as_deref().unwrap_or(none),
            identity_policies: list(self.identity_policies.as_ref()),
            permissions_boundary: self.permissions_boundary.as_ref().map(|read| &read.value),
            session_policies: list(self.session_policies.as_ref()).unwrap_or_default(),
            service_control_policies: list(self.service_control_policies.as_ref()).unwrap_or_default(),
            resource_control_policies: list(self.resource_control_policies.as_ref()).unwrap_or_default(),
        }
    }

    pub(super) fn warnings(&self) -> impl Iterator<Item = &str> {
        fn of<T>(read: Option<&Rc<Parsed<T>>>) -> &[String] {
            read.map(|read| read.warnings.as_slice()).unwrap_or_default()
        }
        let all = [
            of(Some(&self.key_policy)),
            of(self.identity_policies.as_ref()),
            of(self.permissions_boundary.as_ref()),
            of(self.session_policies.as_ref()),
            of(self.service_control_policies.as_ref()),
            of(self.resource_control_policies.as_ref()),
        ];
        all.into_iter().flatten().map(String::as_str)
    }
}

/// Reads one policy.
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

/// Reads a list of policies for each level of the organization.
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

/// Reads a policy and adds its warnings. `place` is its index among those of its kind.
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

/// The member of a case that holds the policies of a kind.
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

/// The text of a policy, which is given as a JSON object or as a text.
fn unquoted(json: &str) -> Result<Cow<'_, str>, CaseError> {
    if !json.starts_with('"') {
        return Ok(Cow::Borrowed(json));
    }
    Ok(Cow::Owned(serde_json::from_str(json)?))
}
