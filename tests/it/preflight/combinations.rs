//! Combinations of document, key state, mode and callers: what blocks, what is only reported, and that nothing is
//! written if something blocks.

use serde_json::{Value, json};

use super::key_policies::Caller;
use super::oracle::Truth;
use super::{
    BEFORE, KEY_ID, allow, arn, content, create, function, key_in_document, properties_naming, reset_with_key,
};
use crate::fixture::NAME;
use crate::stub::{ACCOUNT, Document, Format, SimulatedAnswer, Stub, World};

const MODES: [&str; 4] = ["Strict", "Enforce", "Warn", "Off"];

/// A document, and whether it can be edited.
type DocumentCase = (&'static str, fn(&mut World, &str), bool);

const DOCUMENTS: [DocumentCase; 6] = [
    ("no document", |world, _| drop(world.documents.held.pop_first()), true),
    ("another key", |_, _| {}, true),
    ("no key", |world, _| put(world, &content("")), true),
    ("the key already", |world, key| put(world, &content(key)), true),
    ("a parameter for a key", |world, _| put(world, &content("{{ key }}")), false),
    ("another schema", |world, _| put(world, &content(BEFORE).replace("1.0", "2.2")), false),
];

/// A key's state, and whether it can encrypt sessions.
type KeyCase = (&'static str, fn(&mut World, &str), bool);

const KEYS: [KeyCase; 8] = [
    ("Enabled", |_, _| {}, true),
    ("Disabled", |world, key| world.key(key).state = "Disabled", false),
    ("PendingDeletion", |world, key| world.key(key).state = "PendingDeletion", false),
    ("PendingImport", |world, key| world.key(key).state = "PendingImport", false),
    ("of another spec", |world, key| world.key(key).spec = "RSA_2048", false),
    ("of another usage", |world, key| world.key(key).usage = "GENERATE_VERIFY_MAC", false),
    ("AWS's", |world, key| world.key(key).manager = "AWS", false),
    ("expiring", |world, key| world.key(key).valid_to = Some(1_800_000_000.0), true),
];

fn put(world: &mut World, content: &str) {
    world.put_document(NAME, Document::session(Format::Json, content));
}

/// Sets what the simulator says of a principal, so that this is true of it on a key that delegates to IAM.
fn simulate(world: &mut World, caller: &str, truth: Truth) {
    let answer = match truth {
        Truth::Can => SimulatedAnswer::allowed("Kms"),
        Truth::Cannot => SimulatedAnswer::default(),
        Truth::Unknown => {
            let asks_for = vec!["aws:SourceVpce".to_owned()];
            SimulatedAnswer { asks_for, ..SimulatedAnswer::allowed("Kms") }
        }
    };
    world.simulates(caller, "*", "*", answer);
}

#[tokio::test]
async fn documents_and_keys_in_every_state_and_mode() {
    let stub = Stub::start().await;
    let function = function(&stub);
    let node = Caller::NodeRole.arn();
    let mut rows = 0;
    for (document, set_document, editable) in DOCUMENTS {
        for (state, set_state, fit) in KEYS {
            // All truths and modes if the document and the key are good, and otherwise the laxest modes.
            let good = editable && fit;
            let truths = [Truth::Can, Truth::Cannot, Truth::Unknown];
            for mode in if good { &MODES[..] } else { &MODES[2..] } {
                for truth in if good { &truths[..] } else { &truths[..1] } {
                    let key = stub.world(|world| {
                        let key = reset_with_key(world, ACCOUNT);
                        set_state(world, &key);
                        set_document(world, &key);
                        world.add_role("team/Node");
                        simulate(world, &node, *truth);
                        key
                    });
                    stub.forget_calls();
                    let answer =
                        create(&stub, &function, &properties_naming(&key, &[], &[&node], mode)).await;
                    let row = format!("{document}, {state}, {mode}, {truth:?}: {answer:?}");
                    let expected = good && !truth.refuses(mode);
                    assert_eq!(answer.success, expected, "{row}");
                    if expected {
                        assert_eq!(key_in_document(&stub).as_ref(), Some(&key), "{row}");
                    } else {
                        assert!(stub.writes().is_empty(), "{row}");
                    }
                    rows += 1;
                }
            }
        }
    }
    assert_eq!(rows, (4 * 2) * 4 * 3 + (6 * 8 - 4 * 2) * 2);
    assert_eq!(stub.violations(), Vec::<String>::new());
}

/// What may be true of each of four callers.
const TRUTHS: [Truth; 3] = [Truth::Can, Truth::Cannot, Truth::Unknown];

#[tokio::test]
async fn several_callers_some_of_them_exempt() {
    let stub = Stub::start().await;
    let function = function(&stub);
    let names = ["role/Node-1", "role/team/Node-2", "role/break-glass-1", "user/ann"].map(arn);
    let exempts =
        [json!([]), json!(["arn:aws:iam::*:role/break-glass-?"]), json!("*"), json!([arn("user/Ann")])];
    // Whom each of them exempts. Patterns are case-sensitive.
    let spared = [[false; 4], [false, false, true, false], [true; 4], [false; 4]];
    for row in 0..81 {
        let truths = [row % 3, row / 3 % 3, row / 9 % 3, row / 27 % 3].map(|truth: usize| TRUTHS[truth]);
        let mode = MODES[(row + row / 27) % 4];
        let (exempt, spared) = (&exempts[row % 4], spared[row % 4]);
        let key = stub.world(|world| {
            let key = reset_with_key(world, ACCOUNT);
            for (name, truth) in names.iter().zip(truths) {
                match name.split_once(":role/") {
                    Some((_, role)) => drop(world.add_role(role)),
                    None => drop(world.add_user("ann")),
                }
                simulate(world, name, truth);
            }
            key
        });
        let mut properties = properties_naming(&key, &[&names[3], &names[2]], &[&names[0], &names[1]], mode);
        properties["Exempt"] = exempt.clone();
        stub.forget_calls();
        let answer = create(&stub, &function, &properties).await;
        let blocking: Vec<&String> =
            (0..4).filter(|&one| truths[one].refuses(mode) && !spared[one]).map(|one| &names[one]).collect();
        let context = format!("{mode} {truths:?} {exempt}: {answer:?}");
        assert_eq!(answer.success, blocking.is_empty(), "{context}");
        if answer.success {
            assert_eq!(key_in_document(&stub).as_ref(), Some(&key), "{context}");
            assert_reported(&answer.data["Findings"], &truths, mode, &context);
        } else {
            assert!(stub.writes().is_empty(), "{context}");
            assert_eq!(key_in_document(&stub).as_deref(), Some(BEFORE), "{context}");
            // The reason names the first three who block and the number of the others, and nobody else.
            let (findings, _) = answer.reason.split_once("; the whole report").unwrap();
            let named = names.iter().filter(|name| findings.contains(&format!("{name}: "))).count();
            assert_eq!(named, blocking.len().min(3), "{context}");
            assert_eq!(answer.reason.contains("and 1 more"), blocking.len() > 3, "{context}");
            assert!(answer.reason.contains("request invocation-"), "{context}");
        }
    }
    assert_eq!(stub.violations(), Vec::<String>::new());
}

/// Checks that what does not block is still reported, and an unknown as unknown.
fn assert_reported(findings: &Value, truths: &[Truth], mode: &str, context: &str) {
    let counts = findings.as_str().unwrap().split(';').next().unwrap();
    let expected = |truth| mode != "Off" && truths.contains(&truth);
    assert_eq!(counts.contains("failed"), expected(Truth::Cannot), "{context}");
    assert_eq!(counts.contains("unknown"), expected(Truth::Unknown), "{context}");
}

#[tokio::test]
async fn a_refusal_holds_statements_to_paste() {
    let stub = Stub::start().await;
    let function = function(&stub);
    let node = Caller::NodeRole.arn();
    let key = stub.world(|world| {
        let key = reset_with_key(world, ACCOUNT);
        world.key(&key).policy =
            json!({"Statement": allow(json!({"AWS": arn("role/Other")}), Value::Null)}).to_string();
        world.add_role("team/Node");
        key
    });
    let properties = properties_naming(&key, &[], &[&node], "Enforce");
    let answer = create(&stub, &function, &properties).await;
    assert!(!answer.success);
    let json_after = |words: &str| -> Value {
        let (_, rest) = answer.reason.split_once(words).unwrap_or_else(|| panic!("{}", answer.reason));
        serde_json::Deserializer::from_str(rest).into_iter().next().unwrap().unwrap()
    };
    let statement = json_after("add to the list Statement of the key policy, for role/team/Node: ");
    let policy = json_after(&format!("attach as a policy to {node}: "));
    assert_eq!(policy["Statement"][0]["Resource"], key);
    assert_eq!(policy["Statement"][0]["Action"], "kms:Decrypt");
    // The statement, once pasted, admits the node.
    stub.world(|world| {
        let mut policy: Value = serde_json::from_str(&world.key(&key).policy).unwrap();
        policy["Statement"] = json!([policy["Statement"], statement]);
        world.key(&key).policy = policy.to_string();
    });
    let answer = create(&stub, &function, &properties).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(key_in_document(&stub), Some(key));
}

#[tokio::test]
async fn a_refusal_of_hundreds_fits_the_answer() {
    let stub = Stub::start().await;
    let function = function(&stub);
    let (key, nodes) = stub.world(|world| {
        let key = reset_with_key(world, ACCOUNT);
        world.key(&key).policy =
            json!({"Statement": allow(json!({"AWS": "999999999999"}), Value::Null)}).to_string();
        let nodes: Vec<_> =
            (0..300).map(|number| world.add_role(&format!("nodes/of-team-{number:03}"))).collect();
        (key, nodes)
    });
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let answer = create(&stub, &function, &properties_naming(&key, &[], &nodes, "Enforce")).await;
    assert!(!answer.success && answer.reason.contains("and 297 more"), "{}", answer.reason);
    // The statement for three hundred principals does not fit, and a part of it would be of no use.
    assert!(!answer.reason.contains("AllowSessionManagerNodes"), "{}", answer.reason);
    assert!(answer.reason.contains("UseSessionKeyAsNode"), "{}", answer.reason);
    assert!(
        answer.reason.contains("}; to see it all") && answer.reason.contains("request invocation-"),
        "{}",
        answer.reason
    );
    assert!(answer.body.contains(KEY_ID) && stub.violations().is_empty());
}
