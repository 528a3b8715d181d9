//! One case: from a line of JSON to the answer as a line of JSON.

use std::borrow::Cow;
use std::rc::Rc;

use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::input::{BorrowedText, CaseRequest, ContextValue, Input, MOST_VALUES, OnlyId};
use super::line::{Line, MOST_BYTES};
use super::output::{ErrorOutput, Output};
use super::policies::{self, Policies};
use super::quick::{self, Caches};
use kms_key_policy::{
    Action, Context, Grants, KeyArn, ParseError, PolicyKind, Principal, Request, RequestError, decide,
};

/// Why a line has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum CaseError {
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

/// Answers a line. Returns whether the line could be read.
pub(super) fn answer(line: Line<'_>, caches: &mut Caches, output: &mut Vec<u8>) -> bool {
    let bytes = match line {
        Line::Whole(bytes) => bytes,
        Line::TooLong => return fail(None, &CaseError::TooLong, output),
    };
    let Ok(text) = std::str::from_utf8(bytes) else { return fail(None, &CaseError::Encoding, output) };
    if let Some((case, policies)) = quick::read(text, caches)
        && let Ok(request) = request(&case)
    {
        decide_on(case.id, &request, &policies, output);
        return true;
    }
    answer_strictly(text, output)
}

/// Answers a line as [`answer`] does, but without the cache.
pub(super) fn answer_strictly(text: &str, output: &mut Vec<u8>) -> bool {
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
    match read(input) {
        Ok((request, policies)) => {
            decide_on(id, &request, &policies, output);
            true
        }
        Err(error) => fail(id, &error, output),
    }
}

/// The kind of a JSON value that is no object. The reader of cases would take an array for the members of an object.
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
    // An error message is one line, but the text that it quotes may have several.
    let error = error.to_string().replace(['\n', '\r'], " ");
    write_line(&ErrorOutput { id, error }, output);
    false
}

fn write_line(line: &impl Serialize, output: &mut Vec<u8>) {
    // Writing to memory cannot fail, and every key of an answer is a text.
    if serde_json::to_writer(&mut *output, line).is_ok() {
        output.push(b'\n');
    }
}

/// Reads the request of a case and its policies.
fn read(input: Input<'_>) -> Result<(Request, Policies), CaseError> {
    let case = CaseRequest {
        id: input.id,
        key_arn: input.key_arn,
        principal: input.principal,
        action: input.action,
        context: input.context,
        absent: input.absent,
        other_context: input.other_context,
    };
    let one = |kind, raw: &RawValue| policies::one(kind, raw.get()).map(Rc::new);
    let list = |kind, raw: Vec<&RawValue>| policies::list(kind, &texts(raw)).map(Rc::new);
    let levels = |kind, raw: Vec<Vec<&RawValue>>| {
        let texts: Vec<_> = raw.into_iter().map(texts).collect();
        policies::levels(kind, &texts).map(Rc::new)
    };
    let request = request(&case)?;
    let key_policy = one(PolicyKind::Key, input.key_policy)?;
    let grants = input.grants.map(|raw| policies::grants(raw.get()).map(Rc::new)).transpose()?;
    let (identity, session) = (input.identity_policies, input.session_policies);
    let (scps, rcps) = (input.service_control_policies, input.resource_control_policies);
    let policies = Policies {
        key_policy,
        grants,
        identity_policies: identity.map(|raw| list(PolicyKind::Identity, raw)).transpose()?,
        permissions_boundary: input
            .permissions_boundary
            .map(|raw| one(PolicyKind::Boundary, raw))
            .transpose()?,
        session_policies: session.map(|raw| list(PolicyKind::Session, raw)).transpose()?,
        service_control_policies: scps.map(|raw| levels(PolicyKind::ServiceControl, raw)).transpose()?,
        resource_control_policies: rcps.map(|raw| levels(PolicyKind::ResourceControl, raw)).transpose()?,
    };
    Ok((request, policies))
}

fn texts(raw: Vec<&RawValue>) -> Vec<&str> {
    raw.into_iter().map(RawValue::get).collect()
}

fn decide_on(id: Option<&RawValue>, request: &Request, policies: &Policies, output: &mut Vec<u8>) {
    let none = Grants::none();
    let answer = decide(request, &policies.layers(&none));
    let caveats = answer.caveats.iter().map(|caveat| Cow::Owned(caveat.to_string()));
    let warnings = caveats.chain(policies.warnings().map(Cow::Borrowed)).collect();
    write_line(&Output::new(id, &answer, warnings), output);
}

pub(super) fn request(case: &CaseRequest<'_>) -> Result<Request, CaseError> {
    let principal = Principal::parse(&case.principal.0)?;
    let action = Action::parse(&case.action.0)?;
    let key = KeyArn::parse(&case.key_arn.0)?;
    Ok(Request::new(principal, action, key, context(case)?))
}

/// Whether the names of the keys differ in more than their case. It answers for a few names in ASCII, faster than the
/// context could, and is false for all others.
fn are_distinct(case: &CaseRequest<'_>) -> bool {
    const FEW: usize = 16;
    let names =
        || case.context.0.iter().map(|(key, _)| key).chain(case.absent.iter().map(|BorrowedText(key)| key));
    let differs = |at: usize, name: &str| names().take(at).all(|other| !other.eq_ignore_ascii_case(name));
    names().count() <= FEW && names().enumerate().all(|(at, name)| name.is_ascii() && differs(at, name))
}

fn context(case: &CaseRequest<'_>) -> Result<Context, CaseError> {
    let mut context = Context::new(case.other_context.into());
    let are_distinct = are_distinct(case);
    let once = |context: &Context, key: &str| {
        if !are_distinct && context.names(key) { Err(CaseError::KeyTwice(key.to_owned())) } else { Ok(()) }
    };
    for (key, value) in &case.context.0 {
        once(&context, key)?;
        context = match value {
            ContextValue::One(value) => context.value(key, &**value),
            ContextValue::Many(values) => context.values(key, values.iter().map(|v| &**v)),
        };
    }
    if case.absent.len() > MOST_VALUES {
        return Err(CaseError::ManyAbsent);
    }
    for BorrowedText(key) in &case.absent {
        once(&context, key)?;
        context = context.absent(key);
    }
    Ok(context)
}
