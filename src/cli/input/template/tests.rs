use std::collections::BTreeMap;

use super::super::resolver::{Resolver, StackFacts, Stop};
use super::*;
use crate::key::KeyArn;

const TEMPLATE: &str = r#"
Parameters:
  Given: {Type: String}
  Open: {Type: String}
  Defaulted: {Type: String, Default: d}
  Many: {Type: CommaDelimitedList, Default: "a, b"}
  Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /path}
  Octal: {Type: String, Default: 0123}
  Dynamic: {Type: String, Default: "{{resolve:ssm:/x}}"}
Mappings:
  Map: {eu: {arn: here}, us: {arn: {Ref: Given}}}
Conditions:
  Met: !Equals [!Ref Given, g]
  Unmet: !Not [!Condition Met]
  Open: !Equals [!Ref Open, x]
  NeverOpen: !Equals [!Sub "a-${Open}", b]
  Either: !Or [!Condition Open, !Condition Met]
  Neither: !And [!Condition Open, !Condition Unmet]
  Circle: !Not [!Condition Circle]
Resources:
  Key: {Type: AWS::KMS::Key}
  Named: {Type: AWS::IAM::Role, Properties: {RoleName: R, Path: /p/}}
  Plain: {Type: AWS::IAM::User, Properties: {UserName: U}}
  Unnamed: {Type: AWS::IAM::Role}
  Bucket: {Type: AWS::S3::Bucket}
Value:
"#;

/// The value of YAML text at the end of the template, as JSON; what is unknown stands in `${…}`.
fn resolved(text: &str) -> Result<String, String> {
    let given = [("Given".to_owned(), "g".to_owned())];
    let template = Template::read("t.yaml", &format!("{TEMPLATE}  {text}\n"), None, &given).unwrap();
    let stack = StackFacts {
        partition: Some("aws".to_owned()),
        region: None,
        account: Some("111122223333".to_owned()),
        key: KeyArn::parse("arn:aws:kms:eu-west-1:111122223333:key/1-2").unwrap(),
    };
    let decided = BTreeMap::new();
    let resolver = Resolver::new(&template, &stack, &decided);
    match resolver.resolve(template.root.get("Value").unwrap(), 0) {
        Ok(value) => Ok(value.to_json().to_string()),
        Err(Stop::Error(error)) => Err(error.to_string()),
        Err(Stop::Undecided(undecided)) => Err(format!("undecided: {}", undecided.unknown.what)),
    }
}

#[test]
fn functions_are_resolved_as_far_as_they_can_be_known() {
    for (text, expected) in [
        ("!Ref Given", r#""g""#),
        ("!Ref Defaulted", r#""d""#),
        ("!Ref Open", r#""${!Ref Open}""#),
        ("!Ref Many", r#"["a","b"]"#),
        ("!Ref Stored", r#""${!Ref Stored}""#),
        ("!Ref Octal", r#""${`0123` without quotes}""#),
        ("!Ref Dynamic", r#""${{{resolve:ssm:/x}}}""#),
        ("!Ref Nothing", r#""${!Ref Nothing}""#),
        ("!Ref Key", r#""1-2""#),
        ("!GetAtt Key.Arn", r#""arn:aws:kms:eu-west-1:111122223333:key/1-2""#),
        ("!Ref Named", r#""R""#),
        ("!GetAtt Named.Arn", r#""arn:aws:iam::111122223333:role/p/R""#),
        ("!GetAtt [Plain, Arn]", r#""arn:aws:iam::111122223333:user/U""#),
        ("!GetAtt Unnamed.Arn", r#""arn:aws:iam::111122223333:role/${!GetAtt Unnamed.Arn}""#),
        ("!GetAtt Bucket.Arn", r#""${!GetAtt Bucket.Arn}""#),
        ("!Ref AWS::AccountId", r#""111122223333""#),
        ("!Ref AWS::Region", r#""${!Ref AWS::Region}""#),
        ("!Ref AWS::URLSuffix", r#""amazonaws.com""#),
        ("!Ref AWS::StackName", r#""${!Ref AWS::StackName}""#),
        ("[a, !Ref AWS::NoValue]", r#"["a"]"#),
        ("!Sub 'x-${Given}-${!aws:username}-${Open}'", r#""x-g-${aws:username}-${!Ref Open}""#),
        (
            "!Sub ['${A}${AWS::AccountId}${Named.Arn}', {A: !Ref Given}]",
            r#""g111122223333arn:aws:iam::111122223333:role/p/R""#,
        ),
        ("!Sub 'a${'", r#""a${""#),
        ("!Join ['-', [a, !Ref Given, !Ref AWS::NoValue, !Ref Open]]", r#""a-g-${!Ref Open}""#),
        ("!Join [',', !Ref Many]", r#""a,b""#),
        ("!Select [1, !Ref Many]", r#""b""#),
        ("!Select [2, !Ref Many]", r#""${!Select}""#),
        ("!Select [0, !Split ['/', x/y]]", r#""x""#),
        ("!Split ['/', !Ref Open]", r#""${!Ref Open}""#),
        ("!FindInMap [Map, eu, arn]", r#""here""#),
        ("!FindInMap [Map, us, arn]", r#""g""#),
        ("!FindInMap [Map, !Ref Open, arn]", r#""${!Ref Open}""#),
        ("!FindInMap [Map, asia, arn]", r#""${!FindInMap Map.asia.arn}""#),
        ("!FindInMap [Map, asia, arn, {DefaultValue: z}]", r#""z""#),
        ("!ImportValue other", r#""${!ImportValue other}""#),
        ("!Base64 x", r#""${!Base64 x}""#),
        ("{Fn::Transform: {Name: M}}", r#""${!Transform}""#),
        ("{a: 1, Fn::Transform: {Name: M}}", r#""${Fn::Transform}""#),
        ("!If [Met, a, b]", r#""a""#),
        ("!If [Unmet, a, b]", r#""b""#),
        ("!If [NeverOpen, a, b]", r#""b""#),
        ("!If [Either, a, b]", r#""a""#),
        ("!If [Neither, a, b]", r#""b""#),
        ("'a{{resolve:ssm:x}}b'", r#""a${{{resolve:ssm:x}}}b""#),
        ("!Sub 'a{{resolve:ssm:${Open}}}b'", r#""a${{{resolve:ssm:}}}${!Ref Open}b""#),
    ] {
        assert_eq!(resolved(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_decided_or_is_malformed_stops_the_resolver() {
    for (text, expected) in [
        ("!If [Open, a, b]", "undecided: !Ref Open"),
        ("!If [Unmat, a, b]", "line 27: the template has no condition `Unmat`; did you mean `Unmet`?"),
        ("!If [Circle, a, b]", "conditions refer to each other in a circle"),
        ("!If [Met, a]", "Fn::If takes a condition and two values"),
        ("!Sub {a: b}", "Fn::Sub takes a text"),
        ("!Join [a]", "Fn::Join takes"),
        ("{Ref: [a]}", "Ref takes a name, not a list"),
    ] {
        let problem = resolved(text).unwrap_err();
        assert!(problem.contains(expected), "{text}: {problem}");
    }
}

#[test]
fn a_macro_over_the_key_is_found_and_harmless_ones_are_not() {
    let over_key = |text: &str| {
        let template = Template::read("t", text, None, &[]).unwrap();
        template.macro_over_key().map(|(name, line)| format!("{name} {line}"))
    };
    let key = "Resources:\n  Key: {Type: AWS::KMS::Key}\n";
    for (head, expected) in [
        ("", None),
        ("Transform: AWS::Serverless-2016-10-31\n", None),
        ("Transform: [AWS::LanguageExtensions, Mine]\n", Some("Transform Mine 1")),
        ("Fn::Transform: {Name: AWS::Include}\n", Some("Fn::Transform 1")),
    ] {
        assert_eq!(over_key(&format!("{head}{key}")).as_deref(), expected, "{head}");
    }
    let inside =
        "Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      Fn::Transform: {Name: M}\n";
    assert_eq!(over_key(inside).as_deref(), Some("Fn::Transform 5"));
}
