//! Answers with unknown keys against every completion: each unknown key is given each of many values, and what the
//! evaluator says without them must hold with them.
//!
//! Policies are drawn with variables of known and unknown keys, with defaults and with text around them, in every
//! operator that takes variables and in Resource, beside typed values and lists.

use std::io::Write;

use fastrand::Rng;
use kms_key_policy::{
    Action, Answer, Case, Caveat, Context, Decision, Dependency, Grants, KeyArn, Layers, OtherKeys, Policy,
    PolicyKind, Principal, Request, RequiredValue, decide,
};
use serde_json::{Value, json};

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/ab";
const PRINCIPALS: [&str; 3] = [
    "arn:aws:iam::111111111111:user/ab",
    "arn:aws:iam::111111111111:role/App",
    "arn:aws:sts::111111111111:assumed-role/App/one",
];
/// The keys that may be unknown.
const KEYS: [&str; 3] = ["aws:x", "aws:y", "aws:z"];
const NAMES: &str = "kms:EncryptionContextKeys";

/// Values for an unknown key whatever the policy says.
const TEXTS: [&str; 12] = ["", "a", "b", "ab", "q", "r", "A", "AB", "Q", "qq", "true", "111111111111"];
/// ARNs, numbers and addresses for the policies that compare with some.
const ARNS: [&str; 2] = ["arn:q:s:::ab", "arn:q:q:::q"];
const NUMBERS: [&str; 6] = ["1", "2", "1.5", "0", "3", "-1"];
const ADDRESSES: [&str; 4] = ["10.0.0.1", "10.1.0.1", "11.0.0.0", "2001:db8::1"];
/// ARNs that the role of a session may have.
const ROLES: [&str; 5] = [
    "arn:aws:iam::111111111111:role/App",
    "arn:aws:iam::111111111111:role/a/App",
    "arn:aws:iam::111111111111:role/q/App",
    "arn:aws:iam::111111111111:role/a/q/App",
    "arn:aws:iam::111111111111:role/q/a/App",
];

fn pick<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.usize(..of.len())]
}

/// A text with or without a variable. `others` are keys that the variable may be of.
fn text(rng: &mut Rng, others: &[&str]) -> String {
    let variable = match rng.u8(..8) {
        0..3 => {
            pick(rng, &["${aws:username}", "${aws:PrincipalAccount}", "${aws:known}", "${aws:known, 'b'}"])
                .to_owned()
        }
        3 => pick(rng, &["${aws:gone}", "${aws:gone, 'b'}", "${aws:gone, 'a'}", "${aws:many}"]).to_owned(),
        4 if !others.is_empty() => {
            let key = pick(rng, others);
            if rng.bool() { format!("${{{key}}}") } else { format!("${{{key}, 'b'}}") }
        }
        _ => return pick(rng, &["a", "b", "ab", "A", "", "${*}", "a${?}"]).to_owned(),
    };
    match rng.u8(..6) {
        0 => format!("a-{variable}"),
        1 => format!("{variable}-"),
        _ => variable,
    }
}

/// The same with wildcards.
fn pattern(rng: &mut Rng, others: &[&str]) -> String {
    let text = text(rng, others);
    match rng.u8(..6) {
        0 => format!("{text}*"),
        1 => format!("*{text}"),
        2 => format!("{text}-?"),
        3 => pick(rng, &["*", "?", "a*b", "a?"]).to_owned(),
        _ => text,
    }
}

fn arn(rng: &mut Rng, others: &[&str]) -> String {
    match rng.u8(..6) {
        0 => "arn:aws:iam::${aws:PrincipalAccount}:role/a/*".to_owned(),
        1 => "arn:*:s:*:*:ab".to_owned(),
        2 => format!("arn:aws:s:*:{}:*", text(rng, &[])),
        3 => pick(rng, &["arn:aws:iam::111111111111:role/App", "arn:aws:iam::*:role/*/App", "a"]).to_owned(),
        _ => format!("arn:aws:s:::{}", pattern(rng, others)),
    }
}

/// What is drawn.
#[derive(Debug, Clone, Copy)]
struct Setting {
    /// How many keys may be unknown.
    keys: usize,
    /// Policies that compare single texts only. Of these the values that are tried tell apart all that the policy does.
    plain: bool,
    /// The most values that are tried for a key.
    most: usize,
}

/// One condition on one of `keys`.
fn condition(rng: &mut Rng, keys: &[&str], principal: &str, plain: bool) -> Value {
    let key = match rng.u8(..10) {
        0 => "aws:username",
        1 if principal.contains("assumed-role") => "aws:PrincipalArn",
        _ => pick(rng, keys),
    };
    let others: Vec<&str> = keys.iter().copied().filter(|other| *other != key && *other != NAMES).collect();
    let several = |rng: &mut Rng, make: &dyn Fn(&mut Rng) -> String| -> Vec<String> {
        (0..1 + rng.usize(..2)).map(|_| make(rng)).collect()
    };
    if key == NAMES {
        let quantifier = pick(rng, &["ForAllValues:", "ForAnyValue:"]);
        let base = pick(
            rng,
            &["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"],
        );
        return json!({ format!("{quantifier}{base}"): { key: several(rng, &|rng| pattern(rng, &others)) } });
    }
    let (operator, values) = match if plain { [0, 4, 7, 7, 11, 15][rng.usize(..6)] } else { rng.u8(..16) } {
        0..4 => (pick(rng, &["StringEquals", "StringNotEquals"]), several(rng, &|rng| text(rng, &others))),
        4..7 => (pick(rng, &["StringLike", "StringNotLike"]), several(rng, &|rng| pattern(rng, &others))),
        7..9 => (
            pick(rng, &["StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"]),
            several(rng, &|rng| text(rng, &others)),
        ),
        9..11 => (
            pick(rng, &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]),
            several(rng, &|rng| arn(rng, &others)),
        ),
        11 | 12 => {
            let words = ["true", "false", "${aws:yes}", "${aws:gone, 'false'}", "${aws:known}"];
            ("Bool", several(rng, &|rng| pick(rng, &words).to_owned()))
        }
        13 => (
            pick(rng, &["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericGreaterThanEquals"]),
            several(rng, &|rng| pick(rng, &["1", "2"]).to_owned()),
        ),
        14 => (
            pick(rng, &["IpAddress", "NotIpAddress"]),
            several(rng, &|rng| pick(rng, &["10.0.0.0/8", "10.0.0.0/16", "2001:db8::/32"]).to_owned()),
        ),
        _ => ("Null", vec![rng.bool().to_string()]),
    };
    let if_exists = if operator != "Null" && rng.u8(..5) == 0 { "IfExists" } else { "" };
    json!({ format!("{operator}{if_exists}"): { key: values } })
}

fn statement(rng: &mut Rng, keys: &[&str], principal: &str, plain: bool) -> Value {
    let mut conditions = serde_json::Map::new();
    for _ in 0..rng.usize(..3) {
        for (operator, block) in condition(rng, keys, principal, plain).as_object().unwrap() {
            conditions.entry(operator.clone()).or_insert_with(|| block.clone());
        }
    }
    let others: Vec<&str> = keys.iter().copied().filter(|key| *key != NAMES).collect();
    let (element, resource) = match rng.u8(..8) {
        0 => ("Resource", format!("arn:aws:kms:*:*:key/{}", pattern(rng, &others))),
        1 => ("NotResource", format!("arn:aws:kms:*:*:key/{}", text(rng, &others))),
        _ => ("Resource", "*".to_owned()),
    };
    json!({
        "Effect": if rng.u8(..3) == 0 { "Deny" } else { "Allow" },
        "Principal": "*", "Action": "kms:*", element: resource, "Condition": conditions,
    })
}

/// What is decided, and with which keys unknown.
struct Drawn {
    text: String,
    policy: Policy,
    principal: &'static str,
    /// The unknown keys, with the values to complete them by.
    unknown: Vec<(&'static str, Vec<State>)>,
}

/// What an unknown key is in a completion.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Absent,
    One(String),
    Many(Vec<String>),
}

fn draw(rng: &mut Rng, setting: Setting) -> Drawn {
    let principals = if setting.plain { &PRINCIPALS[..2] } else { &PRINCIPALS };
    let principal = principals[rng.usize(..principals.len())];
    let mut keys = KEYS[..setting.keys].to_vec();
    if !setting.plain && rng.u8(..6) == 0 {
        keys[setting.keys - 1] = NAMES;
    }
    let count = 1 + rng.usize(..3);
    let statements: Vec<Value> =
        (0..count).map(|_| statement(rng, &keys, principal, setting.plain)).collect();
    let json = json!({ "Version": "2012-10-17", "Statement": statements });
    let text = json.to_string();
    let policy = Policy::parse(PolicyKind::Key, &text).unwrap();
    let used: Vec<&str> = policy.condition_keys().collect();
    let used_keys = keys.iter().filter(|key| used.contains(key));
    let mut unknown: Vec<(&'static str, Vec<State>)> =
        used_keys.map(|key| (*key, states(&json, principal, key, setting.most))).collect();
    if principal.contains("assumed-role") && used.contains(&"aws:PrincipalArn") {
        unknown.push(("aws:PrincipalArn", ROLES.map(|role| State::One(role.to_owned())).to_vec()));
    }
    Drawn { text, policy, principal, unknown }
}

/// The values of a key that are tried: those that the policy names, with all that may stand for its variables and
/// wildcards, and some that it does not name. With more unknown keys there are fewer.
fn states(policy: &Value, principal: &str, key: &str, most: usize) -> Vec<State> {
    let text = policy.to_string();
    let has = |part: &str| text.contains(part);
    let mut named = Vec::new();
    strings(policy, &mut named);
    let mut patterns: Vec<String> = Vec::new();
    for pattern in &named {
        for filled in fillings(pattern.rsplit(":key/").next().unwrap(), principal) {
            if !patterns.contains(&filled) {
                patterns.push(filled);
            }
        }
    }
    let with = |pattern: &str, star: &str| -> String {
        pattern.replace('*', star).replace('?', "q").replace('\u{1}', "*").replace('\u{2}', "?")
    };
    let mut texts: Vec<String> = ["", "q", "r", "a"].map(str::to_owned).to_vec();
    for pattern in &patterns {
        // Under some operators wildcards stand for themselves.
        texts.extend([
            with(pattern, ""),
            with(pattern, "q"),
            pattern.replace('\u{1}', "*").replace('\u{2}', "?"),
        ]);
        if has("IgnoreCase") || has("Bool") {
            texts.extend([with(pattern, "").to_uppercase(), with(pattern, "").to_lowercase()]);
        }
    }
    // What two patterns match at once.
    let wild = || patterns.iter().filter(|pattern| pattern.contains(['*', '?']));
    texts.extend(wild().flat_map(|one| {
        patterns
            .iter()
            .flat_map(move |two| [with(&format!("{one}{two}"), ""), with(&format!("{two}{one}"), "")])
    }));
    if has("Arn") {
        texts.extend(ARNS.map(str::to_owned));
    }
    if has("Numeric") {
        texts.extend(NUMBERS.map(str::to_owned));
    }
    if has("Ip") {
        texts.extend(ADDRESSES.map(str::to_owned));
    }
    texts.extend(TEXTS.map(str::to_owned));
    let mut once: Vec<String> = Vec::new();
    for text in texts {
        if !once.contains(&text) {
            once.push(text);
        }
    }
    once.truncate(most);
    if key != NAMES {
        return [State::Absent].into_iter().chain(once.into_iter().map(State::One)).collect();
    }
    let pairs = once
        .iter()
        .enumerate()
        .flat_map(|(n, one)| once[n + 1..].iter().map(|two| State::Many(vec![one.clone(), two.clone()])));
    let singles = once.iter().map(|one| State::Many(vec![one.clone()]));
    [State::Absent].into_iter().chain(singles).chain(pairs.take(most)).collect()
}

/// The values of conditions and the resources of a policy.
fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|value| strings(value, found)),
        Value::Object(members) => {
            let looked_at = members
                .iter()
                .filter(|(name, _)| !["Effect", "Principal", "Action", "Version"].contains(&name.as_str()));
            looked_at.for_each(|(_, value)| strings(value, found));
        }
        _ => {}
    }
}

/// A pattern with values for its variables: the known ones, and some for each unknown one. Characters that stand for
/// themselves are marked.
fn fillings(pattern: &str, principal: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once("${") else { return vec![pattern.to_owned()] };
    let (name, after) = rest.split_once('}').unwrap();
    let (key, default) =
        name.split_once(", ").map_or((name, None), |(key, default)| (key, Some(default.trim_matches('\''))));
    let user = principal.split_once(":user/").map(|(_, user)| user);
    let values: Vec<&str> = match key {
        "*" => vec!["\u{1}"],
        "?" => vec!["\u{2}"],
        "aws:username" => user.into_iter().collect(),
        "aws:PrincipalAccount" => vec!["111111111111"],
        "aws:known" => vec!["ab"],
        "aws:yes" => vec!["TRUE"],
        "aws:gone" => default.into_iter().collect(),
        "aws:many" => Vec::new(),
        _ => ["", "a", "q"].into_iter().chain(default).collect(),
    };
    let filled = values.iter().map(|value| format!("{before}{value}{after}"));
    filled.flat_map(|filled| fillings(&filled, principal)).collect()
}

impl Drawn {
    fn answer(&self, completion: Option<&[&State]>) -> Answer<'_> {
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
                State::Absent => context.absent(key),
                State::One(value) => context.value(key, value.clone()),
                State::Many(values) => context.values(key, values.clone()),
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

    /// All completions, each as the states of the unknown keys.
    fn completions(&self) -> Vec<Vec<&State>> {
        let mut all: Vec<Vec<&State>> = vec![Vec::new()];
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

    /// Whether a completion is of a case of `allowed_if`. `None` where this test cannot tell.
    fn is_of(&self, case: &Case, completion: &[&State]) -> Option<bool> {
        let mut all = true;
        for (key, wanted) in &case.0 {
            let state = completion[self.position(key)?];
            let other = |name: &String| self.position(name).map(|at| completion[at]);
            let one = match state {
                State::One(value) => Some(value.as_str()),
                State::Many(values) if values.len() == 1 => Some(values[0].as_str()),
                _ => None,
            };
            all &= match wanted {
                RequiredValue::Absent => *state == State::Absent,
                RequiredValue::Value(value) => one == Some(value.as_str()),
                RequiredValue::Values(values) => matches!(state, State::Many(list) if list == values),
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
                // Values that no text of these policies names or covers but by a lone wildcard.
                RequiredValue::Other => {
                    one.is_some_and(|value| ["r", "qq"].contains(&value))
                        && !["?", "*", "Numeric", "Ip"].iter().any(|word| self.text.contains(word))
                }
                RequiredValue::SameAs(name) => *state != State::Absent && *state == *other(name)?,
                RequiredValue::OtherThan(name) => {
                    *state != State::Absent && *other(name)? != State::Absent && *state != *other(name)?
                }
            };
        }
        Some(all)
    }
}

/// Whether a pattern of an answer matches a text, by trying everything.
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

/// How many cases and completions there were, and in how many cases the search was incomplete.
#[derive(Default)]
struct Counts {
    cases: usize,
    completions: usize,
    certain: usize,
    depends: usize,
    incomplete: usize,
}

fn check(drawn: &Drawn, plain: bool, counts: &mut Counts) -> Result<(), String> {
    let answer = drawn.answer(None);
    let completions = drawn.completions();
    counts.cases += 1;
    counts.completions += completions.len();
    let decided: Vec<(Decision, bool)> = completions
        .iter()
        .map(|completion| {
            let answer = drawn.answer(Some(completion));
            (answer.decision, answer.explicit)
        })
        .collect();
    let fail =
        |what: &str| Err(format!("{what}\n{} asks by {}\nanswer: {answer:?}", drawn.principal, drawn.text));
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
    for case in &answer.allowed_if {
        let holds = |(at, completion): (usize, &Vec<&State>)| {
            drawn.is_of(case, completion) != Some(true) || decided[at].0 == Decision::Allowed
        };
        if let Some(at) = completions.iter().enumerate().position(|(at, c)| !incomplete && !holds((at, c))) {
            return fail(&format!("case `{case}` is not enough: {:?} is {:?}", completions[at], decided[at]));
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
    for (key, states) in &drawn.unknown {
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

fn run(seed: u64, cases: usize, setting: Setting) {
    let mut rng = Rng::with_seed(seed);
    let mut counts = Counts::default();
    for _ in 0..cases {
        let problem = check(&draw(&mut rng, setting), setting.plain, &mut counts).err();
        assert!(problem.is_none(), "{}", problem.unwrap_or_default());
    }
    let Counts { cases, completions, certain, depends, incomplete } = counts;
    let keys = setting.keys;
    // Written past the capture of output, so that it shows where the test passes.
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
    run(1, 16_000, Setting { keys: 1, plain: true, most: 100 });
}

#[test]
fn one_unknown_key() {
    run(2, 28_000, Setting { keys: 1, plain: false, most: 24 });
}

#[test]
fn two_unknown_keys_among_plain_texts() {
    run(3, 1_000, Setting { keys: 2, plain: true, most: 40 });
}

#[test]
fn two_unknown_keys() {
    run(4, 6_000, Setting { keys: 2, plain: false, most: 10 });
}

#[test]
fn three_unknown_keys() {
    run(5, 600, Setting { keys: 3, plain: false, most: 8 });
}
