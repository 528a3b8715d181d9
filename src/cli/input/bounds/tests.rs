use std::collections::BTreeMap;

use super::super::resolver::{Resolver, StackFacts};
use super::super::template::Template;
use super::*;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1-2";
const ROLE: &str = "arn:aws:iam::111122223333:role/App";

/// The bounds of a statement that is written in YAML; `!Ref P` is unknown in it.
fn bounds(statement: &str, is_key_given: bool) -> (Value, Value) {
    let text = format!(
        "Resources: {{Key: {{Type: AWS::KMS::Key}}}}\nParameters: {{P: {{}}}}\nValue: {{Statement: [{statement}]}}\n"
    );
    let template = Template::read("t", &text, None, &[]).unwrap();
    let key = KeyArn::parse(KEY).unwrap();
    let stack = StackFacts { partition: None, region: None, account: None, key: key.clone() };
    let decided = BTreeMap::new();
    let policy =
        Resolver::new(&template, &stack, &decided).resolve(template.root.get("Value").unwrap(), 0).unwrap();
    let rules = BoundRules {
        principals: ["*", "111122223333", "arn:aws:iam::111122223333:root", ROLE].map(str::to_owned).into(),
        key,
        is_key_given,
        hidden: vec!["aws:requestedregion"],
    };
    let Ok(bounds) = PolicyBounds::new(&policy, &rules) else { panic!("unknown whole") };
    let at = |bound| serde_json::from_str::<Value>(&bounds.text(|_| bound)).unwrap()["Statement"][0].clone();
    (at(Bound::Least), at(Bound::Most))
}

/// The bounds of an element of an Allow, and the same of a Deny, which are the other way round.
fn element(name: &str, written: &str, least: &Value, most: &Value) {
    for (effect, low, high) in [("Allow", least, most), ("Deny", most, least)] {
        let (found_least, found_most) = bounds(&format!("{{Effect: {effect}, {name}: {written}}}"), true);
        assert_eq!((&found_least[name], &found_most[name]), (low, high), "{effect} {name}: {written}");
    }
}

#[test]
fn an_unknown_principal_is_nobody_at_the_least_and_whoever_it_can_be_at_the_most() {
    let root = "arn:aws:iam::111122223333:root";
    let nobody = json!({ "Service": "none.invalid" });
    let all = json!(["*", "111122223333", root, ROLE]);
    element("Principal", "!Ref P", &nobody, &json!("*"));
    element("Principal", "{AWS: !Ref P}", &json!({ "AWS": [] }), &json!({ "AWS": all }));
    element(
        "Principal",
        "{AWS: [x, !Ref P]}",
        &json!({ "AWS": ["x"] }),
        &json!({ "AWS": ["x", "*", "111122223333", root, ROLE] }),
    );
    element(
        "Principal",
        "{AWS: !Sub 'arn:aws:iam::${P}:root'}",
        &json!({ "AWS": [] }),
        &json!({ "AWS": [root] }),
    );
    element(
        "Principal",
        "{AWS: !Sub 'arn:aws:iam::999999999999:${P}'}",
        &json!({ "AWS": [] }),
        &json!({ "AWS": [] }),
    );
    element(
        "Principal",
        "{Service: !Ref P}",
        &json!({ "Service": ["none.invalid"] }),
        &json!({ "Service": ["none.invalid"] }),
    );
    element("NotPrincipal", "{AWS: !Ref P}", &json!({ "AWS": all }), &json!({ "AWS": [] }));
    element("NotPrincipal", "!Ref P", &json!("*"), &nobody);
    element("Principal", "{AWS: [a, b]}", &json!({ "AWS": ["a", "b"] }), &json!({ "AWS": ["a", "b"] }));
}

#[test]
fn an_unknown_action_is_no_call_at_the_least_and_each_call_that_it_can_be_at_the_most() {
    let both = json!(["kms:GenerateDataKey", "kms:Decrypt"]);
    element("Action", "!Ref P", &json!(["kms:NoAction"]), &both);
    element(
        "Action",
        "[kms:List*, !Sub 'KMS:D${P}']",
        &json!(["kms:List*"]),
        &json!(["kms:List*", "kms:Decrypt"]),
    );
    element("Action", "!Sub 's3:${P}'", &json!(["kms:NoAction"]), &json!(["kms:NoAction"]));
    element("NotAction", "!Ref P", &both, &json!(["kms:NoAction"]));
}

#[test]
fn an_unknown_resource_is_no_key_at_the_least_and_every_key_at_the_most() {
    let none = json!(["arn:aws:none:::none"]);
    element("Resource", "!Ref P", &none, &json!(["*"]));
    element("Resource", "!Sub 'arn:aws:s3:::${P}'", &none, &none);
    element("Resource", "!Sub 'arn:aws:kms:eu-west-1:${P}:key/1-2'", &none, &json!(["*"]));
    element("NotResource", "!Ref P", &json!(["*"]), &none);
    element("Resource", "\"*\"", &json!("*"), &json!("*"));
}

#[test]
fn a_resource_cannot_be_compared_with_a_key_that_is_not_known() {
    for (resource, is_open) in [
        ("*", false),
        (KEY, false),
        ("arn:aws:s3:::b", false),
        ("arn:aws:kms:*:*:key/*", true),
        ("key/1", true),
    ] {
        let (least, most) = bounds(&format!("{{Effect: Allow, Resource: '{resource}'}}"), false);
        assert_eq!(least != most, is_open, "{resource}");
    }
}

#[test]
fn a_condition_with_an_unknown_value_is_met_or_not_by_whether_the_request_has_its_key() {
    let is_there = json!({ "k": "false" });
    let is_absent = json!({ "k": "true" });
    // What the narrowest and the widest statement ask for; `None` stands for a statement that covers nobody.
    let cases: [(&str, &str, Option<Value>, Value); 13] = [
        ("StringEquals", "!Ref P", None, json!({ "StringEquals": {}, "Null": is_there })),
        (
            "StringEquals",
            "[a, !Ref P]",
            Some(json!({ "StringEquals": { "k": ["a"] } })),
            json!({ "StringEquals": {}, "Null": is_there }),
        ),
        (
            "ArnLikeIfExists",
            "!Ref P",
            Some(json!({ "ArnLikeIfExists": {}, "Null": is_absent })),
            json!({ "ArnLikeIfExists": {} }),
        ),
        (
            "StringNotEquals",
            "!Ref P",
            Some(json!({ "StringNotEquals": {}, "Null": is_absent })),
            json!({ "StringNotEquals": {} }),
        ),
        (
            "StringNotLike",
            "[a, !Ref P]",
            Some(json!({ "StringNotLike": {}, "Null": is_absent })),
            json!({ "StringNotLike": { "k": ["a"] } }),
        ),
        (
            "ForAllValues:StringEquals",
            "!Ref P",
            Some(json!({ "ForAllValues:StringEquals": {}, "Null": is_absent })),
            json!({ "ForAllValues:StringEquals": {} }),
        ),
        ("ForAnyValue:StringLike", "!Ref P", None, json!({ "ForAnyValue:StringLike": {}, "Null": is_there })),
        (
            "ForAnyValue:StringNotEquals",
            "!Ref P",
            None,
            json!({ "ForAnyValue:StringNotEquals": {}, "Null": is_there }),
        ),
        (
            "ForAllValues:StringNotEquals",
            "!Ref P",
            Some(json!({ "ForAllValues:StringNotEquals": {}, "Null": is_absent })),
            json!({ "ForAllValues:StringNotEquals": {} }),
        ),
        (
            "NotIpAddress",
            "!Ref P",
            Some(json!({ "NotIpAddress": {}, "Null": is_absent })),
            json!({ "NotIpAddress": {} }),
        ),
        ("Bool", "!Ref P", None, json!({ "Bool": {}, "Null": is_there })),
        ("Null", "!Ref P", None, json!({ "Null": {} })),
        (
            "StringEqual",
            "!Ref P",
            Some(json!({ "StringEqual": { "k": "unknown" } })),
            json!({ "StringEqual": { "k": "unknown" } }),
        ),
    ];
    for (operator, written, narrowest, widest) in cases {
        for effect in ["Allow", "Deny"] {
            let text = format!(
                "{{Effect: {effect}, Action: 'kms:*', Condition: {{'{operator}': {{k: {written}}}}}}}"
            );
            let (least, most) = bounds(&text, true);
            let (narrow, wide) = if effect == "Allow" { (least, most) } else { (most, least) };
            assert_eq!(wide["Condition"], widest, "{effect} {operator} {written}");
            match &narrowest {
                Some(narrowest) => {
                    assert_eq!(&narrow["Condition"], narrowest, "{effect} {operator} {written}")
                }
                None => assert_eq!(narrow, covers_nobody(effect), "{effect} {operator} {written}"),
            }
        }
    }
}

#[test]
fn unknown_conditions_are_met_at_the_widest_and_not_at_the_narrowest() {
    for condition in ["!Ref P", "{StringEquals: !Ref P}", "{Null: {k: 'true'}, StringEquals: {k: !Ref P}}"] {
        let (least, most) =
            bounds(&format!("{{Effect: Allow, Action: 'kms:*', Condition: {condition}}}"), true);
        assert_eq!(least, covers_nobody("Allow"), "{condition}");
        assert_eq!(most["Action"], "kms:*", "{condition}");
    }
    // A value that depends on what is not known of the key is as unknown as another.
    for condition in
        ["{StringEquals: {'aws:RequestedRegion': a}}", "{StringEquals: {k: '${aws:RequestedRegion}'}}"]
    {
        let (least, _) = bounds(&format!("{{Effect: Allow, Action: 'kms:*', Condition: {condition}}}"), true);
        assert_eq!(least, covers_nobody("Allow"), "{condition}");
    }
}

#[test]
fn an_unknown_statement_and_an_unknown_effect_can_be_a_deny_and_an_allow() {
    let (least, most) = bounds("!Ref P", true);
    assert_eq!((least, most), (covers_everybody("Deny"), covers_everybody("Allow")));
    let (least, most) = bounds("{Effect: !Ref P, Principal: {AWS: !Ref P}, Action: 'kms:*'}", true);
    assert_eq!((&least["Effect"], &most["Effect"]), (&json!("Deny"), &json!("Allow")));
    assert_eq!(least["Principal"], most["Principal"]);
    let (least, most) = bounds("!Ref AWS::NoValue", true);
    assert_eq!((&least, &most), (&covers_nobody("Deny"), &covers_nobody("Deny")));
}
