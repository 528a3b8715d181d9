//! Properties of the decisions on random policies and requests.

use std::sync::LazyLock;

use kms_key_policy::{
    Action, Answer, Caveat, Context, Decider, Decision, Grants, KeyArn, Layers, OtherKeys, Policy,
    PolicyKind, Principal, Request, decide, verdict,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const PRINCIPALS: [&str; 6] = [
    "arn:aws:iam::111111111111:role/App",
    "arn:aws:sts::111111111111:assumed-role/App/one",
    "arn:aws:iam::111111111111:user/ann",
    "arn:aws:iam::111111111111:root",
    "arn:aws:iam::222222222222:role/App",
    "arn:aws:iam::222222222222:root",
];

/// The condition of a statement, as JSON.
fn condition() -> impl Strategy<Value = Value> {
    let key = select(vec!["aws:x", "aws:y", "AWS:X", "kms:EncryptionContextKeys"]);
    let text = select(vec!["a", "b", "ab", "a*", "*b", "?", "a?*", "*", "", "${aws:y}", "${aws:x, 'a'}"]);
    let texts = vec(text, 0..3);
    let operator = select(vec![
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "StringEqualsIfExists",
        "StringNotLikeIfExists",
        "ForAllValues:StringLike",
        "ForAnyValue:StringEquals",
        "ForAnyValue:StringNotEquals",
        "NoSuchOperator",
    ]);
    let compares = (operator, key.clone(), texts).prop_map(|(o, k, v)| json!({ o: { k: v } }));
    let presence = (key, any::<bool>()).prop_map(|(k, absent)| json!({ "Null": { k: absent } }));
    prop_oneof![2 => Just(json!({})), 4 => compares, 1 => presence]
}

fn statement() -> impl Strategy<Value = Value> {
    let principal = prop_oneof![
        Just(json!("*")),
        select(PRINCIPALS.to_vec()).prop_map(|p| json!({ "AWS": p })),
        vec(select(PRINCIPALS.to_vec()), 1..3).prop_map(|p| json!({ "AWS": p })),
    ];
    let action = select(vec!["kms:Decrypt", "kms:*", "*", "kms:De*", "kms:Encrypt"]);
    let resource = select(vec!["*", KEY, "arn:aws:kms:*:111111111111:key/*", "arn:aws:kms:*:*:key/${aws:x}"]);
    let parts = (prop::bool::weighted(0.7), principal, any::<bool>(), action, resource, condition());
    parts.prop_map(|(allow, principal, negated, action, resource, condition)| {
        let element = if negated && !allow { "NotPrincipal" } else { "Principal" };
        let mut statement = json!({
            "Effect": if allow { "Allow" } else { "Deny" },
            "Action": action, "Resource": resource, "Condition": condition,
        });
        statement[element] = principal;
        statement
    })
}

/// A context that knows a value of each of the two keys, or knows that a key is absent, or does not know the key.
fn context() -> impl Strategy<Value = Context> {
    let state =
        || prop_oneof![Just(None), Just(Some("")), select(vec!["a", "b", "ab", "abb"]).prop_map(Some)];
    (state(), state(), any::<bool>()).prop_map(|(x, y, unknown)| {
        let context = Context::new(if unknown { OtherKeys::Unknown } else { OtherKeys::Absent });
        let with = |context: Context, key, state| match state {
            None => context,
            Some("") => context.absent(key),
            Some(value) => context.value(key, value),
        };
        with(with(context, "aws:x", x), "aws:y", y)
    })
}

fn request() -> impl Strategy<Value = Request> {
    (select(PRINCIPALS.to_vec()), context()).prop_map(|(principal, context)| asked(principal, context))
}

fn asked(principal: &str, context: Context) -> Request {
    let action = Action::parse("kms:Decrypt").unwrap();
    Request::new(Principal::parse(principal).unwrap(), action, KeyArn::parse(KEY).unwrap(), context)
}

fn policy(statements: &[Value]) -> Policy {
    let text = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    Policy::parse(PolicyKind::Key, &text).unwrap()
}

/// Decides with an identity policy that allows everything, and passes the answer to `look`.
fn with_answer<T>(request: &Request, key_policy: &Policy, look: impl FnOnce(Answer<'_>) -> T) -> T {
    static ALLOWS: LazyLock<[Policy; 1]> = LazyLock::new(|| {
        let text = r#"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;
        [Policy::parse(PolicyKind::Identity, text).unwrap()]
    });
    let grants = Grants::none();
    let layers = Layers { identity_policies: Some(&*ALLOWS), ..Layers::of_key(key_policy, &grants) };
    let answer = decide(request, &layers);
    assert_eq!(answer.decision, verdict(request, &layers), "a verdict is the decision");
    look(answer)
}

fn decision(request: &Request, policy: &Policy) -> (Decision, bool) {
    with_answer(request, policy, |answer| (answer.decision, answer.explicit))
}

/// Whether the answer is *depends* because the search could not try everything.
const fn is_unproven(caveat: &Caveat) -> bool {
    matches!(caveat, Caveat::NotProven(_) | Caveat::NotAllTried | Caveat::TooManyCombinations)
}

const fn rank(decision: Decision) -> u8 {
    match decision {
        Decision::Denied => 0,
        Decision::Depends => 1,
        Decision::Allowed => 2,
    }
}

fn single_or_list(value: &Value) -> Value {
    match value {
        Value::String(_) | Value::Bool(_) => json!([value]),
        Value::Array(list) if list.len() == 1 => list[0].clone(),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_statements_never_matters(
        statements in vec(statement(), 0..6).prop_flat_map(|s| (Just(s.clone()), Just(s).prop_shuffle())),
        request in request(),
    ) {
        let (one, other) = statements;
        prop_assert_eq!(decision(&request, &policy(&one)), decision(&request, &policy(&other)));
    }

    #[test]
    fn a_deny_never_adds_access_and_an_allow_never_removes_any(
        statements in vec(statement(), 0..5), more in statement(), request in request(),
    ) {
        let proven = |statements: &[Value]| with_answer(&request, &policy(statements), |answer| {
            (!answer.caveats.iter().any(is_unproven)).then_some(answer.decision)
        });
        let mut longer = statements.clone();
        longer.push(more.clone());
        let (Some(before), Some(after)) = (proven(&statements), proven(&longer)) else { return Ok(()) };
        if more["Effect"] == "Deny" {
            prop_assert!(rank(after) <= rank(before), "{before} became {after}");
        } else {
            prop_assert!(rank(after) >= rank(before), "{before} became {after}");
        }
    }

    #[test]
    fn sids_change_nothing(statements in vec(statement(), 0..5), sids in vec("[a-z]{0,3}", 5), request in request()) {
        let mut named = statements.clone();
        for (statement, sid) in named.iter_mut().zip(&sids) {
            statement["Sid"] = json!(sid);
        }
        prop_assert_eq!(decision(&request, &policy(&statements)), decision(&request, &policy(&named)));
    }

    #[test]
    fn a_single_value_is_a_list_of_one(statements in vec(statement(), 1..4), request in request()) {
        let mut changed = statements.clone();
        for statement in &mut changed {
            for element in ["Action", "Resource"] {
                statement[element] = single_or_list(&statement[element]);
            }
            for element in ["Principal", "NotPrincipal"] {
                if let Some(aws) = statement.get_mut(element).and_then(|p| p.get_mut("AWS")) {
                    *aws = single_or_list(aws);
                }
            }
            for block in statement["Condition"].as_object_mut().unwrap().values_mut() {
                for values in block.as_object_mut().unwrap().values_mut() {
                    *values = single_or_list(values);
                }
            }
        }
        prop_assert_eq!(decision(&request, &policy(&statements)), decision(&request, &policy(&changed)));
    }

    #[test]
    fn a_long_policy_is_decided_like_a_short_one(
        statements in vec(statement(), 1..5), at in any::<Index>(), request in request(),
    ) {
        let elsewhere = |n: usize| json!({
            "Effect": "Deny", "Principal": { "AWS": format!("arn:aws:iam::333333333333:role/R{n}") },
            "Action": ["kms:Decrypt", "kms:*"], "Resource": "*",
        });
        let location = at.index(statements.len());
        let mut long = statements.clone();
        long.splice(location..location, (0..40).map(elsewhere));
        let (short, long) = (policy(&statements), policy(&long));
        prop_assert_eq!(decision(&request, &short), decision(&request, &long));
        let deciding = |policy: &Policy, shift: bool| with_answer(&request, policy, |answer| {
            let key = |s: &Decider<'_>| match s {
                Decider::Statement { layer: PolicyKind::Key, index, .. } if shift && *index >= location => Some(index - 40),
                Decider::Statement { layer: PolicyKind::Key, index, .. } => Some(*index),
                _ => None,
            };
            answer.statements.iter().filter_map(key).collect::<Vec<_>>()
        });
        prop_assert_eq!(deciding(&short, false), deciding(&long, true));
    }
}

/// The decisions that the completions of an unknown context lead to.
#[derive(Debug, Default)]
struct Outcomes {
    allowed: bool,
    denied: bool,
    depends: bool,
}

const KEY_ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

/// Texts that match each combination of the texts of [`condition`] that can match together, also with another case.
const TEXTS: [&str; 25] = [
    "", "a", "b", "ab", "c", "aab", "acb", "ac", "cb", "cc", "A", "B", "AB", "AAB", "a*", "*b", "?", "a?*",
    "*", "A*", "*B", "A?*", "aB", "Ab", KEY_ID,
];

/// Decides on every completion of the keys that the statements name. Each key is absent or has one of [`TEXTS`]; the
/// list of names also has up to `longest` of them.
fn complete(statements: &[Value], principal: &str, longest: usize) -> Outcomes {
    let text = Value::from(statements.to_vec()).to_string().to_lowercase();
    let values = |key: &str| {
        let given = TEXTS.into_iter().map(Some).filter(|_| text.contains(key));
        [None].into_iter().chain(given).collect::<Vec<_>>()
    };
    let mut lists = vec![Vec::new()];
    if text.contains("kms:encryptioncontextkeys") {
        lists.extend(TEXTS.iter().map(|one| vec![*one]));
        let pairs = TEXTS
            .iter()
            .enumerate()
            .flat_map(|(n, one)| TEXTS.iter().skip(n + 1).map(|two| vec![*one, *two]));
        lists.extend(pairs.filter(|_| longest > 1));
    }
    let policy = policy(statements);
    let mut outcomes = Outcomes::default();
    for x in &values("aws:x") {
        for y in &values("aws:y") {
            for list in &lists {
                let mut context =
                    Context::new(OtherKeys::Absent).values("kms:EncryptionContextKeys", list.clone());
                for (key, value) in [("aws:x", x), ("aws:y", y)] {
                    context = value.iter().fold(context, |context, value| context.value(key, *value));
                }
                match decision(&asked(principal, context), &policy).0 {
                    Decision::Allowed => outcomes.allowed = true,
                    Decision::Denied => outcomes.denied = true,
                    Decision::Depends => outcomes.depends = true,
                }
            }
        }
    }
    outcomes
}

fn unknown(statements: &[Value], principal: &str) -> (Decision, bool) {
    let request = asked(principal, Context::new(OtherKeys::Unknown));
    with_answer(&request, &policy(statements), |answer| {
        (answer.decision, answer.caveats.iter().any(is_unproven))
    })
}

proptest! {
    // Each case decides on hundreds of completions.
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_certain_answer_holds_for_every_completion(
        statements in vec(statement(), 1..5), principal in select(PRINCIPALS.to_vec()),
    ) {
        let outcomes = complete(&statements, principal, 1);
        match unknown(&statements, principal).0 {
            Decision::Allowed => prop_assert!(!outcomes.denied && !outcomes.depends, "{outcomes:?}"),
            Decision::Denied => prop_assert!(!outcomes.allowed && !outcomes.depends, "{outcomes:?}"),
            Decision::Depends => {}
        }
    }

    #[test]
    fn it_depends_only_if_completions_lead_to_both(
        statements in vec(statement(), 1..3), principal in select(PRINCIPALS.to_vec()),
    ) {
        let (decision, unproven) = unknown(&statements, principal);
        if decision == Decision::Depends && !unproven {
            let outcomes = complete(&statements, principal, 2);
            prop_assert!(outcomes.depends || (outcomes.allowed && outcomes.denied), "{outcomes:?}");
        }
    }
}
