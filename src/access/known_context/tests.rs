use serde_json::json;

use super::*;

fn read(value: &Value) -> Result<KnownContext, String> {
    KnownContext::from_object(value.as_object().unwrap())
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

#[test]
fn a_value_a_list_and_null_are_read_and_written_back() {
    let value = json!({
        "aws:PrincipalOrgPaths": ["o-1/r-1/ou-1/", "o-1/r-1/ou-2/"],
        "aws:SourceVpce": "vpce-1",
        "aws:SourceVpc": null,
        "aws:UserAgent": "null",
        "aws:PrincipalTag/nothing": ["null"],
        "aws:MultiFactorAuthPresent": true,
        "aws:PrincipalTag/Cost Center": 7,
        "kms:EncryptionContext:aws:ssm:RandomChallenge": null,
    });
    let known = read(&value).unwrap();
    assert_eq!(known.get("AWS:sourcevpc").unwrap().state(), &KnownState::Absent);
    assert_eq!(known.get("aws:UserAgent").unwrap().state(), &KnownState::Absent);
    assert_eq!(
        known.get("aws:PrincipalTag/nothing").unwrap().state(),
        &KnownState::Values(vec!["null".to_owned()])
    );
    assert_eq!(known.get("aws:sourcevpce").unwrap().to_string(), "aws:SourceVpce is vpce-1");
    assert_eq!(known.get("aws:SourceVpc").unwrap().to_string(), "aws:SourceVpc is absent");
    assert_eq!(
        known.get("aws:PrincipalOrgPaths").unwrap().state(),
        &KnownState::Values(vec!["o-1/r-1/ou-1/".into(), "o-1/r-1/ou-2/".into()])
    );
    assert_eq!(
        known.get("aws:principaltag/cost center").unwrap().to_string(),
        "aws:PrincipalTag/Cost Center is 7"
    );
    let text = serde_json::to_string(&known).unwrap();
    assert_eq!(serde_json::from_str::<KnownContext>(&text).unwrap(), known);
    assert_eq!(KnownContext::from_text(&text).unwrap(), known);
}

#[test]
fn a_record_with_entries_that_are_no_longer_accepted_stays_readable() {
    let known: KnownContext = serde_json::from_str(
        r#"{"aws:SourceVpce":"vpce-1","aws:sourcevpce":"x","aws:SourceVpc":{},"aws:SourceIp":[]}"#,
    )
    .unwrap();
    assert_eq!(known.iter().map(ToString::to_string).collect::<Vec<_>>(), ["aws:SourceVpce is vpce-1"]);
}

#[test]
fn each_mistake_names_the_key_the_value_and_what_is_allowed() {
    for (value, words) in [
        (json!({"SourceVpce": "x"}), vec!["`SourceVpce`", "no condition key", "aws:SourceVpce"]),
        (json!({"aws:": "x"}), vec!["`aws:`"]),
        (json!({"aws:Principal*": "x"}), vec!["`aws:Principal*`", "wildcards"]),
        (json!({"aws:PrincipalTag/": "x"}), vec!["`aws:PrincipalTag/`"]),
        (json!({"aws:SourceVpce": {}}), vec!["`aws:SourceVpce`", "{}", "null"]),
        (json!({"aws:SourceVpce": []}), vec!["`aws:SourceVpce`", "[]", "null"]),
        (json!({"aws:SourceVpce": ["a", null]}), vec!["`aws:SourceVpce`", "list of texts"]),
        (json!({"aws:SourceIp": "10.0.0.0/8"}), vec!["`aws:SourceIp`", "10.0.0.0/8", "one IP address"]),
        (
            json!({"aws:MultiFactorAuthPresent": "maybe"}),
            vec!["`aws:MultiFactorAuthPresent`", "maybe", "`true`"],
        ),
        (
            json!({"aws:SourceVpce": "a", "AWS:SourceVPCE": "b"}),
            vec!["`aws:SourceVpce`", "twice", "`AWS:SourceVPCE`"],
        ),
        (json!({"kms:ViaService": "ssm.amazonaws.com"}), vec!["`kms:ViaService`", "absent"]),
        (
            json!({"kms:RecipientAttestation:ImageSha384": "x"}),
            vec!["kms:RecipientAttestation:ImageSha384", "absent"],
        ),
        (json!({"aws:SecureTransport": "false"}), vec!["`aws:SecureTransport`", "true"]),
        (
            json!({"kms:EncryptionContextKeys": ["a"]}),
            vec!["`kms:EncryptionContextKeys`", "aws:ssm:RandomChallenge"],
        ),
        (json!({"kms:EncryptionContext:aws:ssm:TargetId": null}), vec!["TargetId", "present"]),
        (json!({"kms:EncryptionContext:other": "x"}), vec!["`kms:EncryptionContext:other`", "absent"]),
        (json!({"aws:PrincipalAccount": "111122223333"}), vec!["`aws:PrincipalAccount`", "each principal"]),
        (json!({"kms:KeySpec": "RSA_2048"}), vec!["`kms:KeySpec`", "the key"]),
    ] {
        let message = read(&value).unwrap_err();
        for word in words {
            assert!(message.contains(word), "{value}: `{message}` does not hold {word}");
        }
    }
    for (text, word) in [
        (r#"{"aws:SourceVpce":"a","aws:SourceVpce":"b"}"#, "twice"),
        ("[]", "no JSON object"),
        ("{", "no JSON object"),
    ] {
        let message = KnownContext::from_text(text).unwrap_err().remove(0).to_string();
        assert!(message.contains(word), "{text}: {message}");
    }
}

#[test]
fn a_statement_that_agrees_with_every_session_is_accepted() {
    for value in [
        json!({"kms:ViaService": null, "aws:SecureTransport": "true", "aws:ViaAWSService": false}),
        json!({"aws:MultiFactorAuthPresent": "true"}),
        json!({"kms:EncryptionContext:aws:ssm:TargetId": "i-1"}),
        json!({"kms:EncryptionContext:aws:ssm:RandomChallenge": null}),
        json!({"kms:RecipientAttestation:ImageSha384": null}),
        json!({}),
    ] {
        assert!(read(&value).is_ok(), "{value}: {:?}", read(&value));
    }
}

#[test]
fn options_give_a_text_a_list_or_absent() {
    let options = |options: &[(&str, &str)]| {
        let options: Vec<_> =
            options.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        KnownContext::from_options(&options)
    };
    let paths = json!({"aws:PrincipalOrgPaths": ["a/", "b/"]});
    for (given, expected) in [
        (vec![("aws:SourceVpce", "vpce-1")], json!({"aws:SourceVpce": "vpce-1"})),
        (vec![("aws:SourceVpce", "null")], json!({"aws:SourceVpce": null})),
        (vec![("aws:PrincipalTag/a", "b=c")], json!({"aws:PrincipalTag/a": "b=c"})),
        (vec![("aws:PrincipalTag/a", "")], json!({"aws:PrincipalTag/a": ""})),
        (vec![("aws:PrincipalTag/a", "[draft")], json!({"aws:PrincipalTag/a": "[draft"})),
        (vec![("aws:PrincipalOrgPaths", r#"["a/","b/"]"#)], paths.clone()),
        (vec![("aws:PrincipalOrgPaths", "a/"), ("aws:principalorgpaths", "b/")], paths),
    ] {
        assert_eq!(options(&given).unwrap(), read(&expected).unwrap(), "{given:?}");
    }
    for wrong in [
        vec![("aws:SourceVpce", "null"), ("aws:SourceVpce", "vpce-1")],
        vec![("aws:SourceVpce", "[]")],
        vec![("SourceVpce", "x")],
    ] {
        assert!(options(&wrong).is_err(), "{wrong:?}");
    }
}
