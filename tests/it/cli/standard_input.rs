//! Files that are read from standard input, as `-`.

use std::fs;

use session_kms::cli::Exit;

use super::{data, piped};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const NODE: &str = "arn:aws:iam::222222222222:role/team/Node";
const OTHER: &str = "arn:aws:iam::111122223333:role/Other";

fn text(name: &str) -> String {
    fs::read_to_string(data(name)).unwrap()
}

#[tokio::test]
async fn each_file_may_come_from_standard_input() {
    let (policy, own, s3) = (data("key-policy.json"), data("uses-key.json"), data("uses-s3.json"));
    let (own_file, own_input) = (format!("{NODE}={own}"), format!("{NODE}=-"));
    let other = format!("{OTHER}={s3}");
    let key = ["check", "--key", KEY];
    let table: [(&[&str], &str); 3] = [
        (&["--policy", "-", "--node", NODE, "--identity-policy", &own_file], "key-policy.json"),
        (&["--policy", &policy, "--node", NODE, "--identity-policy", &own_input], "uses-key.json"),
        (
            &["--policy", &policy, "--node", OTHER, "--identity-policy", &other, "--grants", "-"],
            "grants.json",
        ),
    ];
    for (options, input) in table {
        let ran = piped(&[&key[..], options].concat(), &text(input)).await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Good, ""), "{options:?}");
        assert!(ran.out.contains("the one asked about can use the key"), "{}", ran.out);
    }
}

#[tokio::test]
async fn standard_input_is_read_once_and_its_faults_are_named() {
    let own = format!("{NODE}=-");
    let policy = data("key-policy.json");
    let table: [(&[&str], &str, &str); 4] = [
        (&["--policy", "-", "--grants", "-"], "key-policy.json", "read once only"),
        (&["--policy", "-", "--node", NODE, "--identity-policy", &own], "key-policy.json", "read once only"),
        (&["--policy", "-"], "malformed.json", "`standard input` is no key policy: "),
        (
            &["--policy", &policy, "--grants", "-"],
            "malformed.json",
            "`standard input` is no list of grants: ",
        ),
    ];
    for (options, input, words) in table {
        let ran = piped(&[&["check", "--key", KEY], options].concat(), &text(input)).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{options:?}");
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}
