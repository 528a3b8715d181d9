//! One case: a line of JSON in, an answer as a line of JSON out.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::input::{Input, MOST_VALUES, OnlyId, Values};
use super::line::{Line, MOST_BYTES};
use super::output::Output;
use crate::policy::{
    Action, Context, Grants, KeyArn, Layers, ParseError, Policy, PolicyKind, Principal, Request,
    RequestError, decide,
};

/// Why a line has no answer.
#[derive(Debug, thiserror::Error)]
enum CaseError {
    #[error("the line has more than {MOST_BYTES} bytes")]
    TooLong,
    #[error("the line is not UTF-8; write JSON as UTF-8")]
    Encoding,
    #[error("the line is no case: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the line is no case: it must be an object, and this is {0}")]
    NoObject(&'static str),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("more than {MOST_VALUES} keys are absent; use `otherContext`")]
    ManyAbsent,
    #[error("the context says more than one thing of `{0}`, whose case does not matter")]
    KeyTwice(String),
    #[error("{name}: {error}")]
    Policy { name: String, error: ParseError },
}

/// Answers a line, and says whether it could.
pub(super) fn answer(line: Line<'_>, output: &mut Vec<u8>) -> bool {
    let bytes = match line {
        Line::Whole(bytes) => bytes,
        Line::TooLong => return fail(None, &CaseError::TooLong, output),
    };
    let Ok(text) = std::str::from_utf8(bytes) else { return fail(None, &CaseError::Encoding, output) };
    if let Some(what) = other_than_object(text) {
        return fail(None, &CaseError::NoObject(what), output);
    }
    let input: Input<'_> = match serde_json::from_str(text) {
        Ok(input) => input,
        Err(error) => {
            let only_id = || serde_json::from_str::<OnlyId<'_>>(text).ok()?.id;
            let id = text.starts_with('{').then(only_id).flatten();
            return fail(id, &CaseError::Json(error), output);
        }
    };
    let id = input.id;
    match decide_on(&input, output) {
        Ok(()) => true,
        Err(error) => fail(id, &error, output),
    }
}

/// What a line of JSON is that is no object: the reader of cases would take an array for the members of one.
fn other_than_object(text: &str) -> Option<&'static str> {
    let what = match text.bytes().next()? {
        b'[' => "an array",
        b'"' => "a string",
        b'n' => "null",
        b't' | b'f' => "true or false",
        b'-' | b'0'..=b'9' => "a number",
        _ => return None,
    };
    serde_json::from_str::<IgnoredAny>(text).is_ok().then_some(what)
}

fn fail(id: Option<&RawValue>, error: &CaseError, output: &mut Vec<u8>) -> bool {
    #[derive(Serialize)]
    struct Failure<'a> {
        id: Option<&'a RawValue>,
        error: String,
    }
    // Error messages are one line: what they quote may not be.
    let error = error.to_string().replace(['\n', '\r'], " ");
    write_line(&Failure { id, error }, output);
    false
}

fn write_line(line: &impl Serialize, output: &mut Vec<u8>) {
    // Writing to memory does not fail, and what is written here has text for keys.
    if serde_json::to_writer(&mut *output, line).is_ok() {
        output.push(b'\n');
    }
}

fn decide_on(input: &Input<'_>, output: &mut Vec<u8>) -> Result<(), CaseError> {
    let principal = Principal::parse(&input.principal)?;
    let action = Action::parse(&input.action)?;
    let key = KeyArn::parse(&input.key_arn)?;
    let request = Request::new(principal, action, key, context(input)?);

    let key_policy = policy(PolicyKind::Key, "keyPolicy", input.key_policy)?;
    let grants = match input.grants {
        None => Grants::none(),
        Some(raw) => Grants::parse(&unquoted(raw)?)
            .map_err(|error| CaseError::Policy { name: "grants".to_owned(), error })?,
    };
    let list = |kind, name: &str, raw: &[&RawValue]| -> Result<Vec<Policy>, CaseError> {
        raw.iter().enumerate().map(|(n, raw)| policy(kind, &format!("{name}[{n}]"), raw)).collect()
    };
    let levels =
        |kind, name: &str, raw: &Option<Vec<Vec<&RawValue>>>| -> Result<Vec<Vec<Policy>>, CaseError> {
            let raw = raw.as_deref().unwrap_or_default();
            raw.iter().enumerate().map(|(n, raw)| list(kind, &format!("{name}[{n}]"), raw)).collect()
        };
    let identity = input.identity_policies.as_deref();
    let identity = identity.map(|raw| list(PolicyKind::Identity, "identityPolicies", raw)).transpose()?;
    let boundary = input.permissions_boundary;
    let boundary =
        boundary.map(|raw| policy(PolicyKind::Boundary, "permissionsBoundary", raw)).transpose()?;
    let session = input.session_policies.as_deref().unwrap_or_default();
    let session = list(PolicyKind::Session, "sessionPolicies", session)?;
    let scps = levels(PolicyKind::ServiceControl, "serviceControlPolicies", &input.service_control_policies)?;
    let rcps =
        levels(PolicyKind::ResourceControl, "resourceControlPolicies", &input.resource_control_policies)?;

    let layers = Layers {
        key_policy: &key_policy,
        grants: &grants,
        identity_policies: identity.as_deref(),
        permissions_boundary: boundary.as_ref(),
        session_policies: &session,
        service_control_policies: &scps,
        resource_control_policies: &rcps,
    };
    let answer = decide(&request, &layers);
    let list = |name: &str, policies: &[Policy]| -> Vec<String> {
        policies.iter().enumerate().flat_map(|(n, p)| warnings_of(&format!("{name}[{n}]"), p)).collect()
    };
    let mut warnings: Vec<String> = answer.caveats.iter().map(ToString::to_string).collect();
    warnings.extend(warnings_of("keyPolicy", &key_policy));
    warnings.extend(list("identityPolicies", identity.as_deref().unwrap_or_default()));
    warnings.extend(boundary.iter().flat_map(|p| warnings_of("permissionsBoundary", p)));
    warnings.extend(list("sessionPolicies", &session));
    for (name, levels) in [("serviceControlPolicies", &scps), ("resourceControlPolicies", &rcps)] {
        warnings
            .extend(levels.iter().enumerate().flat_map(|(n, level)| list(&format!("{name}[{n}]"), level)));
    }
    write_line(&Output::new(input.id, &answer, warnings), output);
    Ok(())
}

fn warnings_of(name: &str, policy: &Policy) -> Vec<String> {
    policy.warnings().iter().map(|warning| format!("{name}: {warning}")).collect()
}

fn context(input: &Input<'_>) -> Result<Context, CaseError> {
    let mut context = Context::new(input.other_context.into());
    let once = |context: &Context, key: &str| {
        if context.names(key) { Err(CaseError::KeyTwice(key.to_owned())) } else { Ok(()) }
    };
    for (key, value) in &input.context.0 {
        once(&context, key)?;
        context = match value {
            Values::One(value) => context.value(key, &**value),
            Values::Many(values) => context.values(key, values.iter().map(|v| &**v)),
        };
    }
    if input.absent.len() > MOST_VALUES {
        return Err(CaseError::ManyAbsent);
    }
    for key in &input.absent {
        once(&context, key)?;
        context = context.absent(key);
    }
    Ok(context)
}

fn policy(kind: PolicyKind, name: &str, raw: &RawValue) -> Result<Policy, CaseError> {
    Policy::parse(kind, &unquoted(raw)?).map_err(|error| CaseError::Policy { name: name.to_owned(), error })
}

/// The text of a policy that is given as an object, or as its text.
fn unquoted(raw: &RawValue) -> Result<Cow<'_, str>, CaseError> {
    if !raw.get().starts_with('"') {
        return Ok(Cow::Borrowed(raw.get()));
    }
    Ok(Cow::Owned(serde_json::from_str(raw.get())?))
}
