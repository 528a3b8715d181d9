//! Input as people have it: encodings, what the AWS CLI prints, long policies, the ARNs of sessions, and paths of IAM.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use session_kms::cli::Exit;

use super::{Terminal, data, offline, on, sent};
use crate::fixture::Fixture;
use crate::stub::{ACCOUNT, SimulatedAnswer};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const NODE: &str = "arn:aws:iam::222222222222:role/team/Node";
const OTHER: &str = "arn:aws:iam::111122223333:role/Other";
/// Each character that IAM allows in a path.
const PATH: &str = r##"!"#$%&'()*+,-.0/9:;<=>?@A-Z[\]^_`a-z{|}~"##;

/// A folder of a test.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("session-kms-inputs-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn text(name: &str) -> String {
    fs::read_to_string(data(name)).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The ways in which a program may write a text.
fn ways(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let utf_16 =
        |text: String, to_bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to_bytes).collect();
    let marked = format!("\u{feff}{text}");
    vec![
        ("with a mark", marked.clone().into_bytes()),
        ("of PowerShell", utf_16(marked.replace('\n', "\r\n"), u16::to_le_bytes)),
        ("big endian", utf_16(marked, u16::to_be_bytes)),
        ("little endian without a mark", utf_16(text.to_owned(), u16::to_le_bytes)),
        ("big endian without a mark", utf_16(text.to_owned(), u16::to_be_bytes)),
    ]
}

#[tokio::test]
async fn each_file_is_read_in_each_encoding_and_from_standard_input() {
    let folder = folder("encodings");
    let (policy, own, grants) = ("key-policy.json", "uses-s3.json", "grants.json");
    for given in [policy, own, grants] {
        let as_string = json!(text(given)).to_string();
        let mut all = ways(&text(given));
        all.push(("a JSON string", as_string.clone().into_bytes()));
        all.extend(ways(&as_string).into_iter().take(2));
        if given == policy {
            all.push((
                "get-key-policy",
                json!({"Policy": text(given), "PolicyName": "default"}).to_string().into(),
            ));
        }
        if given == own {
            let document: Value = serde_json::from_str(&text(own)).unwrap();
            let printed = json!({"RoleName": "Other", "PolicyDocument": document});
            all.push(("get-role-policy", printed.to_string().into()));
            let printed = json!({"PolicyVersion": {"Document": document, "VersionId": "v1"}});
            all.push(("get-policy-version", printed.to_string().into()));
        }
        for (way, bytes) in all {
            let file = folder.join("input.json");
            fs::write(&file, &bytes).unwrap();
            for source in [path(&file), "-"] {
                let file_of = |name: &str| if name == given { source.to_owned() } else { data(name) };
                let (policy, own, grants) =
                    (file_of(policy), format!("{OTHER}={}", file_of(own)), file_of(grants));
                let options = ["--node", OTHER, "--identity-policy", &own, "--grants", &grants];
                let check = [&["check", "--key", KEY, "--policy", &policy], &options[..]].concat();
                let ran = sent(&check, &bytes).await;
                assert_eq!((ran.exit, ran.err.as_str()), (Exit::Good, ""), "{given} {way}, {source}");
                assert!(
                    ran.out.contains("the one asked about can use the key"),
                    "{given} {way}: {}",
                    ran.out
                );
            }
        }
    }
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn what_is_no_text_is_named_with_its_place() {
    for (bytes, words) in [
        (&b"{\"Id\": \"K\xf6nig\"}"[..], "byte 0xF6 at position 9 is not UTF-8; save it as UTF-8"),
        (b"\xff\xfe{\0\0\xd8", "the UTF-16 at position 4 is half a character"),
        (b"\xff\xfe{\0}", "it ends in the middle of a character"),
        (b"\xff\xfe\0\0{\0\0\0", "it is UTF-32"),
    ] {
        let ran = sent(&["check", "--key", KEY, "--policy", "-"], bytes).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""));
        let message = format!("session-kms: `standard input` cannot be read as text: {words}");
        assert!(ran.err.starts_with(&message), "{}", ran.err);
    }
    // The place of an error in a JSON string is that of the text in it.
    let string = json!("{\"Statement\": [}").to_string();
    let ran = sent(&["check", "--key", KEY, "--policy", "-"], string.as_bytes()).await;
    assert!(ran.err.ends_with("; places are counted in the text of the JSON string\n"), "{}", ran.err);
}

#[tokio::test]
async fn lists_and_lines_of_an_audit_are_read_in_each_encoding() {
    let folder = folder("audit");
    let line = json!({"account": "111122223333", "region": "eu-west-1", "auditedAt": "2020-03-01T12:00:00Z",
        "state": "unreadable", "unreadable": {"reason": "throttled", "message": "ä"}, "document": null, "owner": null,
        "wanted": null, "drifted": false, "keys": [], "lockedOut": [], "network": null, "problems": [], "unknown": [],
        "findings": []});
    let file = folder.join("audit.jsonl");
    for (way, bytes) in ways(&format!("{line}\n")) {
        fs::write(&file, bytes).unwrap();
        let ran =
            offline(&["audit", "--from", path(&file), "--since", path(&file), "--format", "json"]).await;
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{way}: {}", ran.err));
        assert_eq!(report["rows"][0]["account"], "111122223333", "{way}");
        // Lines are appended in UTF-8.
        let ran = offline(&["audit", "--resume", path(&file)]).await;
        assert_eq!(ran.err.contains("it is not UTF-8"), way != "with a mark", "{way}: {}", ran.err);
    }
    let fixture = Fixture::empty().await;
    for (way, bytes) in ways(&format!("# own\n{ACCOUNT},Ännchen\n")) {
        fs::write(&file, bytes).unwrap();
        let ran =
            on(&fixture, &["audit", "--accounts", path(&file), "--format", "json"], &Terminal::None).await;
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{way}: {}", ran.err));
        assert_eq!(report["rows"][0]["accountName"], "Ännchen", "{way}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_policy_that_is_long_for_its_white_space_is_read_with_a_warning() {
    let long = text("key-policy.json").replace('\n', &format!("\n{}", " ".repeat(1000)));
    assert!(long.len() > 32_768);
    let ran =
        sent(&["check", "--key", KEY, "--policy", "-", "--node", NODE, "--format", "json"], long.as_bytes())
            .await;
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    let findings = report["findings"].as_array().unwrap();
    let warns = |finding: &&Value| {
        let evidence = finding["evidence"].as_str().unwrap_or_default();
        evidence.contains(&format!("has {} bytes as it is written, and ", long.len()))
    };
    let warning = findings.iter().find(warns).unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!(warning["verdict"], "warning");
    let too_long = json!({"Id": " ".repeat(32_768), "Statement": []}).to_string();
    let ran = sent(&["check", "--key", KEY, "--policy", "-"], too_long.as_bytes()).await;
    assert!(ran.err.contains("the white space between its values not counted"), "{}", ran.err);
}

#[tokio::test]
async fn a_session_is_answered_with_the_arn_of_its_role_wherever_a_role_is_named() {
    let policy = data("key-policy.json");
    let session = "arn:aws:sts::111122223333:assumed-role/App/ann";
    let own = format!("{session}={policy}");
    for option in [
        ["--user", session],
        ["--node", session],
        ["--exempt", "arn:aws:sts::111122223333:assumed-role/App/*"],
        ["--identity-policy", &own],
    ] {
        let ran = offline(&[&["check", "--key", KEY, "--policy", &policy], &option[..]].concat()).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{option:?}");
        let answer = "give the ARN of the role, `arn:aws:iam::111122223333:role/App`, with its path";
        assert!(ran.err.contains(option[0]) && ran.err.contains(answer), "{}", ran.err);
    }
    for arguments in
        [["check", "--key", KEY, "--reader-role", session], ["audit", "--user", session, "--node", NODE]]
    {
        let ran = offline(&arguments).await;
        assert!(ran.exit == Exit::BadInput && ran.err.contains(":role/App`"), "{}", ran.err);
    }
}

/// What a format shows, as its reader sees it.
fn shown(format: &str, out: &str) -> String {
    let mut text = out.to_owned();
    if format == "markdown" {
        // Outside of code, a backslash takes the meaning from a sign.
        for sign in ["\\", "`", "*", "_", "[", "]", "~"] {
            text = text.replace(&format!("\\{sign}"), sign);
        }
        text = text.replace('\u{200b}', "");
    }
    if format != "text" {
        let signs = [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&#39;", "'"),
            ("&#124;", "|"),
            ("&#96;", "`"),
            ("&#92;", "\\"),
            ("&#42;", "*"),
            ("&#95;", "_"),
            ("&#91;", "["),
            ("&#126;", "~"),
            ("&amp;", "&"),
        ];
        for (written, sign) in signs {
            text = text.replace(written, sign);
        }
    }
    text
}

#[tokio::test]
async fn every_character_of_a_path_reaches_aws_and_the_reports() {
    let fixture = Fixture::empty().await;
    let (user, node) = fixture.stub.world(|world| {
        let (user, node) = (world.add_user(&format!("{PATH}/Ann")), world.add_role(&format!("{PATH}/Node")));
        for principal in [&user, &node] {
            world.simulates(principal, "*", "*", SimulatedAnswer::allowed("Kms"));
        }
        world.tag(&node, "Team", "ops");
        (user, node)
    });
    let base = ["check", "--key", &fixture.k1, "--user", &user, "--node", &node];
    let undiscovered = ["--no-discover-users", "--no-discover-nodes", "--format"];
    for format in ["json", "text", "markdown", "html"] {
        let ran = on(&fixture, &[&base[..], &undiscovered, &[format]].concat(), &Terminal::None).await;
        assert_eq!(ran.exit, Exit::Good, "{format}: {}{}", ran.out, ran.err);
        if format == "json" {
            let report: Value = serde_json::from_str(&ran.out).unwrap();
            let access = report["access"].as_array().unwrap();
            let passing = |arn: &String| {
                access.iter().any(|access| access["principal"] == *arn && access["verdict"] == "pass")
            };
            assert!(access.len() == 2 && passing(&user) && passing(&node), "{report:#}");
        } else {
            for name in [format!("user/{PATH}/Ann"), format!("role/{PATH}/Node")] {
                let out = shown(format, &ran.out);
                assert!(out.contains(&name), "{format} lacks {name}: {out}");
            }
        }
    }
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_path_with_an_equals_sign_keeps_its_own_policy() {
    let role = "arn:aws:iam::111122223333:role/a=b/Other";
    let own = format!("{role}={}", data("uses-key.json"));
    let policy = data("key-policy.json");
    let check = ["check", "--key", KEY, "--policy", &policy, "--node", role, "--identity-policy", &own];
    let ran = offline(&check).await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Good, ""));
    assert!(ran.out.contains("the one asked about can use the key"), "{}", ran.out);
}
