//! The greatest sizes of policies.

use kms_key_policy::{
    MAX_KEY_POLICY_BYTES, MAX_OTHER_POLICY_BYTES, ParseProblem, Policy, PolicyKind, PolicyWarning,
    WarningKind,
};

const KINDS: [PolicyKind; 5] = [
    PolicyKind::Identity,
    PolicyKind::Boundary,
    PolicyKind::Session,
    PolicyKind::ServiceControl,
    PolicyKind::ResourceControl,
];

/// A policy of this kind and of exactly so many bytes.
fn policy(kind: PolicyKind, bytes: usize) -> String {
    let principal = match kind {
        PolicyKind::Key | PolicyKind::ResourceControl => r#""Principal":"*","#,
        _ => "",
    };
    let start = format!(r#"{{"Statement":{{"Effect":"Allow",{principal}"Resource":"*","Action":["kms:*""#);
    let end = "]}}";
    let actions = r#","ec2:DescribeInstances""#;
    let mut text = start;
    while text.len() + actions.len() + end.len() <= bytes {
        text.push_str(actions);
    }
    text.extend(std::iter::repeat_n(' ', bytes - text.len() - end.len()));
    text + end
}

/// A key policy of exactly so many bytes, none of which is white space between values.
fn compact(bytes: usize) -> String {
    let (start, end) = (r#"{"Id":""#, r#"","Statement":[]}"#);
    format!("{start}{}{end}", "x ".repeat(bytes).split_at(bytes - start.len() - end.len()).0)
}

#[test]
fn the_limit_of_put_key_policy_is_for_key_policies_alone() {
    let most = MAX_KEY_POLICY_BYTES;
    for text in [policy(PolicyKind::Key, most), compact(most)] {
        assert!(Policy::parse(PolicyKind::Key, &text).unwrap().warnings().is_empty());
    }
    let error = Policy::parse(PolicyKind::Key, &compact(most + 1)).unwrap_err();
    let expected = ParseProblem::TooLong { size: most + 1, kind: PolicyKind::Key, most };
    assert_eq!(error.problem, expected);
    assert_eq!(
        error.to_string(),
        "$: has 32769 bytes, the white space between its values not counted; a key policy has at most 32768"
    );
}

#[test]
fn white_space_between_values_makes_no_key_policy_too_long() {
    let most = MAX_KEY_POLICY_BYTES;
    for blank in [" ", "\n", "\r\n", "\t"] {
        let text = compact(most).replace(',', &format!(",{}", blank.repeat(100_000)));
        let policy = Policy::parse(PolicyKind::Key, &text).unwrap();
        let kind = WarningKind::LongAsWritten { size: text.len(), compact: most, most };
        assert_eq!(policy.warnings(), [PolicyWarning { path: "$".to_owned(), kind }]);
    }
    // The quote behind a backslash ends no string.
    let escaped = format!("{{\"Id\":\"\\\"{}\",\"Statement\":[]}}", " ".repeat(most));
    assert!(Policy::parse(PolicyKind::Key, &escaped).is_err());
}

#[test]
fn other_policies_are_read_up_to_many_times_the_longest_of_aws() {
    for kind in KINDS {
        for bytes in [82_974, 135_200, MAX_OTHER_POLICY_BYTES] {
            assert!(Policy::parse(kind, &policy(kind, bytes)).is_ok(), "{kind} of {bytes} bytes");
        }
        let error = Policy::parse(kind, &policy(kind, MAX_OTHER_POLICY_BYTES + 1)).unwrap_err();
        assert_eq!(error.to_string(), format!("$: has 1048577 bytes; {kind} has at most 1048576"));
    }
}
