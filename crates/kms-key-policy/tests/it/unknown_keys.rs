//! Answers with unknown keys against the answers for every completion. A completion gives each unknown key one of many
//! values. What the evaluator says without the values must hold with them.

mod generate;
mod values;

use std::io::Write;

use fastrand::Rng;
use generate::{GeneratedCase, Settings, generate};
use kms_key_policy::{
    Action, Answer, Case, Caveat, Context, Decision, Dependency, Grants, KeyArn, Layers, OtherKeys, Policy,
    PolicyKind, Principal, Request, RequiredValue, decide,
};
use values::KeyValue;

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/ab";

impl GeneratedCase {
    fn answer(&self, completion: Option<&[&KeyValue]>) -> Answer<'_> {
        static ALLOWS: std::sync::LazyLock<[Policy; 1]> = std::sync::LazyLock::new(|| {
            let text = r#"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;
            [Policy::parse(PolicyKind::Identity, text).unwrap()]
        });
        static NONE: std::sync::LazyLock<Grants> = std::sync::LazyLock::new(Grants::none);
        let others = if completion.is_some() { OtherKeys::Absent } else { OtherKeys::Unknown };
        let mut context = Context::new(others)
            .value("aws:known", "ab")
            .value("aws:yes", "TRUE")
            .values("aws:many", ["a", "b"])
            .absent("aws:gone");
        for ((key, _), state) in self.unknown.iter().zip(completion.unwrap_or_default()) {
            context = match state {
                KeyValue::Absent => context.absent(key),
                KeyValue::One(value) => context.value(key, value.clone()),
                KeyValue::Many(values) => context.values(key, values.clone()),
            };
        }
        let principal = Principal::parse(self.principal).unwrap();
        let request = Request::new(
            principal,
            Action::parse("kms:Decrypt").unwrap(),
            KeyArn::parse(KEY).unwrap(),
            context,
        );
        let layers = Layers { identity_policies: Some(&*ALLOWS), ..Layers::of_key(&self.policy, &NONE) };
        decide(&request, &layers)
    }

    /// All completions, each with one value for each unknown key.
    fn completions(&self) -> Vec<Vec<&KeyValue>> {
        let mut all: Vec<Vec<&KeyValue>> = vec![Vec::new()];
        for (_, states) in &self.unknown {
            all = all
                .iter()
                .flat_map(|done| states.iter().map(move |s| done.iter().copied().chain([s]).collect()))
                .collect();
        }
        all
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.unknown.iter().position(|(name, _)| *name == key)
    }

    /// Whether a completion is within a case of `allowed_if`. `None` if this test cannot tell.
    fn is_within(&self, case: &Case, completion: &[&KeyValue]) -> Option<bool> {
        let mut all = true;
        for (key, wanted) in &case.0 {
            let state = completion[self.position(key)?];
            let other = |name: &String| self.position(name).map(|at| completion[at]);
            let one = match state {
                KeyValue::One(value) => Some(value.as_str()),
                KeyValue::Many(values) if values.len() == 1 => Some(values[0].as_str()),
                _ => None,
            };
            all &= match wanted {
                RequiredValue::Absent => *state == KeyValue::Absent,
                RequiredValue::Value(value) => one == Some(value.as_str()),
                RequiredValue::Values(values) => matches!(state, KeyValue::Many(list) if list == values),
                RequiredValue::Like(pattern) if pattern.contains('/') && !pattern.contains(':') => {
                    return None;
                }
                RequiredValue::Like(pattern) if pattern.starts_with("2001:") => return None,
                RequiredValue::Like(pattern) => one.is_some_and(|value| {
                    // Wildcards never leave one of the first five parts of an ARN.
                    let parts = |arn: &str| arn.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
                    let (pattern_parts, value_parts) = (parts(pattern), parts(value));
                    match pattern.starts_with("arn:") && pattern_parts.len() == 6 {
                        true if value_parts.len() < 6 => false,
                        true => pattern_parts.iter().zip(&value_parts).all(|(p, v)| is_like(p, v)),
                        false => is_like(pattern, value),
                    }
                }),
                // No text of these policies names these values, and only a lone wildcard covers them.
                RequiredValue::Other => {
                    one.is_some_and(|value| ["r", "qq"].contains(&value))
                        && !["?", "*", "Numeric", "Ip"].iter().any(|word| self.text.contains(word))
                }
                RequiredValue::SameAs(name) => *state != KeyValue::Absent && *state == *other(name)?,
                RequiredValue::OtherThan(name) => {
                    *state != KeyValue::Absent && *other(name)? != KeyValue::Absent && *state != *other(name)?
                }
            };
        }
        Some(all)
    }
}

/// Whether a pattern of an answer matches a text. Tries everything.
fn is_like(pattern: &str, text: &str) -> bool {
    let literals = [("${*}", "*"), ("${?}", "?"), ("${$}", "$")];
    if let Some((literal, rest)) = literals.into_iter().find_map(|(l, c)| Some((c, pattern.strip_prefix(l)?)))
    {
        return text.strip_prefix(literal).is_some_and(|text| is_like(rest, text));
    }
    let split = |text: &str| {
        let mut chars = text.chars();
        chars.next().map(|c| (c, chars.as_str().to_owned()))
    };
    let Some((c, rest)) = split(pattern) else { return text.is_empty() };
    let next = split(text);
    match c {
        '*' => is_like(&rest, text) || next.is_some_and(|(_, tail)| is_like(pattern, &tail)),
        c => next.is_some_and(|(t, tail)| (c == '?' || c == t) && is_like(&rest, &tail)),
    }
}

fn is_incomplete(answer: &Answer<'_>) -> bool {
    let incomplete =
        |c: &Caveat| matches!(c, Caveat::NotProven(_) | Caveat::NotAllTried | Caveat::TooManyCombinations);
    answer.caveats.iter().any(incomplete)
}

/// How many cases and completions there were, and how the cases came out.
#[derive(Default)]
struct Counts {
    cases: usize,
    completions: usize,
    certain: usize,
    depends: usize,
    incomplete: usize,
}

fn check(case: &GeneratedCase, plain: bool, counts: &mut Counts) -> Result<(), String> {
    let answer = case.answer(None);
    let completions = case.completions();
    counts.cases += 1;
    counts.completions += completions.len();
    let decided: Vec<(Decision, bool)> = completions
        .iter()
        .map(|completion| {
            let answer = case.answer(Some(completion));
            (answer.decision, answer.explicit)
        })
        .collect();
    let fail =
        |what: &str| Err(format!("{what}\n{} asks by {}\nanswer: {answer:?}", case.principal, case.text));
    let incomplete = is_incomplete(&answer);
    match answer.decision {
        Decision::Depends => {
            counts.depends += 1;
            assert!(!answer.depends_on.is_empty(), "{answer:?}");
        }
        certain => {
            counts.certain += 1;
            if let Some(at) = decided.iter().position(|(decision, _)| *decision != certain) {
                return fail(&format!("{:?} is {:?}", completions[at], decided[at]));
            }
            if incomplete {
                return fail("an incomplete search ends in no certain answer");
            }
        }
    }
    if answer.explicit && decided.iter().any(|(_, explicit)| !explicit) {
        return fail("not every completion is denied explicitly");
    }
    for allowed in &answer.allowed_if {
        let holds = |(at, completion): (usize, &Vec<&KeyValue>)| {
            case.is_within(allowed, completion) != Some(true) || decided[at].0 == Decision::Allowed
        };
        if let Some(at) = completions.iter().enumerate().position(|(at, c)| !incomplete && !holds((at, c))) {
            return fail(&format!(
                "case `{allowed}` is not enough: {:?} is {:?}",
                completions[at], decided[at]
            ));
        }
    }
    if incomplete {
        counts.incomplete += 1;
        return Ok(());
    }
    let all = |wanted| decided.iter().all(|(decision, _)| *decision == wanted);
    if plain && answer.decision == Decision::Depends && (all(Decision::Allowed) || all(Decision::Denied)) {
        return fail("every completion comes out alike");
    }
    let all_explicit = decided.iter().all(|(_, explicit)| *explicit);
    if plain && answer.decision == Decision::Denied && !answer.explicit && all_explicit {
        return fail("every completion is denied explicitly");
    }
    let depends_on: Vec<&str> = answer
        .depends_on
        .iter()
        .filter_map(|on| if let Dependency::Key(name) = on { Some(name.as_str()) } else { None })
        .collect();
    let mut stride = completions.len();
    for (key, states) in &case.unknown {
        stride /= states.len();
        let block = stride * states.len();
        let changes = (0..completions.len()).any(|at| {
            let first = at / block * block + at % stride;
            decided[at].0 != decided[first].0
        });
        let is_named = depends_on.contains(key);
        if answer.decision == Decision::Depends && (changes && !is_named || plain && is_named && !changes) {
            return fail(&format!(
                "`{key}` {} the answer",
                if changes { "changes" } else { "does not change" }
            ));
        }
    }
    Ok(())
}

fn run(seed: u64, cases: usize, settings: Settings) {
    let mut rng = Rng::with_seed(seed);
    let mut counts = Counts::default();
    for _ in 0..cases {
        let problem = check(&generate(&mut rng, settings), settings.plain, &mut counts).err();
        assert!(problem.is_none(), "{}", problem.unwrap_or_default());
    }
    let Counts { cases, completions, certain, depends, incomplete } = counts;
    let keys = settings.keys;
    // This bypasses the capture of output, so that the line shows if the test passes.
    let line = format!(
        "{cases} cases with up to {keys} unknown keys against {completions} completions: {certain} certain, {depends} \
         depend, the search was incomplete in {incomplete}\n"
    );
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    assert!(certain * 20 > cases && depends * 20 > cases, "both kinds come often enough");
    assert!(incomplete * 4 < cases, "an incomplete search is the exception");
}

#[test]
fn one_unknown_key_among_plain_texts() {
    run(1, 16_000, Settings { keys: 1, plain: true, most: 100 });
}

#[test]
fn one_unknown_key() {
    run(2, 28_000, Settings { keys: 1, plain: false, most: 24 });
}

#[test]
fn two_unknown_keys_among_plain_texts() {
    run(3, 1_000, Settings { keys: 2, plain: true, most: 40 });
}

#[test]
fn two_unknown_keys() {
    run(4, 6_000, Settings { keys: 2, plain: false, most: 10 });
}

#[test]
fn three_unknown_keys() {
    run(5, 600, Settings { keys: 3, plain: false, most: 8 });
}
