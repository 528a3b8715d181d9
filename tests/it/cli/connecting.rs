//! How the binary reaches AWS: credentials, profiles, Regions and hosts, and what it says if one of them is wrong.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;

use session_kms::cli::Exit;

use super::offline;
use crate::stub::Stub;

const CONFIG: &str = "[profile corp]
sso_session = hub
sso_account_id = 111122223333
sso_role_name = Ops
region = eu-west-1
[sso-session hub]
sso_region = eu-west-1
sso_start_url = https://example.awsapps.com/start
[profile chain]
role_arn = arn:aws:iam::111122223333:role/Ops
source_profile = gone
[profile empty]
region = EU-WEST-1
[profile keys]
region = eu-west-1
aws_access_key_id = AKIAPROFILE
aws_secret_access_key = secret-of-the-profile
";

/// The home of somebody with these profiles. It is removed when the value is dropped.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("home-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join(".aws")).unwrap();
        fs::write(folder.join(".aws/config"), CONFIG).unwrap();
        Self(folder)
    }

    /// Runs the binary with these arguments and further variables of the environment.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_session-kms"))
            .args(arguments)
            .env_clear()
            .env("HOME", &self.0)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT"), ("AWS_SECRET_ACCESS_KEY", "secret")];
const REGION: (&str, &str) = ("AWS_REGION", "eu-west-1");

/// Arguments, variables of the environment, and words of the error.
type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a [&'a str]);

#[test]
fn missing_credentials_have_their_cause_and_their_cure() {
    let home = Home::new("credentials");
    let table: [Row<'_>; 6] = [
        (&["status"], &[REGION], &["there are no credentials", "AWS_PROFILE", "`aws sso login`", "`corp`"]),
        (
            &["status", "--profile", "copr"],
            &[REGION],
            &["there is no profile `copr`", "did you mean `corp`?"],
        ),
        (&["--profile", "copr", "status"], &[REGION], &["there is no profile `copr`"]),
        (&["keys"], &[REGION, ("AWS_PROFILE", "empty")], &["profile `empty` holds no credentials"]),
        (&["keys"], &[REGION, ("AWS_PROFILE", "chain")], &["`chain`", "source profile gone"]),
        (&["status", "--profile", "corp"], &[KEYS[0], KEYS[1]], &["`corp`", "IAM Identity Center"]),
    ];
    for (arguments, variables, words) in table {
        let (code, out, err) = home.run(arguments, variables);
        assert_eq!((code, out.as_str()), (Some(3), ""), "{arguments:?}: {err}");
        for word in words {
            assert!(err.contains(word), "{arguments:?}: {err}");
        }
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}

#[test]
fn verbose_shows_the_whole_error() {
    let home = Home::new("verbose");
    for arguments in [["status", "-v"], ["--verbose", "status"]] {
        let (code, _, err) = home.run(&arguments, &[REGION]);
        assert_eq!(code, Some(3), "{err}");
        assert!(
            err.contains("sts:GetCallerIdentity") && err.contains("no credentials found in chain"),
            "{err}"
        );
    }
}

#[test]
fn a_session_that_has_expired_is_told_from_a_key_that_is_not_known() {
    let home = Home::new("expired");
    for (code, words) in
        [("ExpiredToken", "has expired"), ("InvalidClientTokenId", "does not know the access key")]
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 8192]);
            let body = format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                 <Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
            );
            let head = "HTTP/1.1 403 Forbidden\r\ncontent-type: text/xml\r\nconnection: close\r\n";
            write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        });
        let variables = [KEYS[0], KEYS[1], REGION, ("AWS_ENDPOINT_URL", endpoint.as_str())];
        let (exit, _, err) = home.run(&["status"], &variables);
        server.join().unwrap();
        assert_eq!(exit, Some(3), "{err}");
        assert!(err.contains(words), "{err}");
    }
}

#[test]
fn a_host_that_does_not_answer_is_named_with_the_reason() {
    let home = Home::new("hosts");
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let refused = format!("http://{closed}");
    let variables = [KEYS[0], KEYS[1], REGION, ("AWS_ENDPOINT_URL", refused.as_str())];
    let (code, _, err) = home.run(&["status"], &variables);
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains(&format!("{closed} refuses connections")), "{err}");

    // A name below `invalid` never resolves.
    let unknown =
        [KEYS[0], KEYS[1], REGION, ("AWS_ENDPOINT_URL", "https://sts.eu-west-9.amazonaws.com.invalid")];
    let (code, _, err) = home.run(&["status", "--region", "eu-west-9"], &unknown);
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("no host sts.eu-west-9.amazonaws.com.invalid"), "{err}");
}

#[tokio::test]
async fn a_profile_that_is_asked_for_counts_before_the_credentials_of_the_environment() {
    let home = Home::new("profile");
    let stub = Stub::start().await;
    let endpoint = stub.endpoint().clone();
    let (code, out, err) = tokio::task::spawn_blocking(move || {
        let variables = [KEYS[0], KEYS[1], ("AWS_ENDPOINT_URL", endpoint.as_str())];
        home.run(&["status", "--profile", "keys", "--verbose", "--format", "json"], &variables)
    })
    .await
    .unwrap();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("called AWS operation=\"ssm:GetDocument\""), "{err}");
    assert!(!format!("{out}{err}").contains("secret"), "{out}{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["regions"][0], "eu-west-1", "the profile's Region: {report:#}");
    assert_eq!(report["commandLine"], "session-kms status --profile keys --verbose --format json");
}

#[tokio::test]
async fn the_address_that_is_asked_for_counts_before_those_of_the_environment() {
    let home = Home::new("endpoint");
    let stub = Stub::start().await;
    let endpoint = stub.endpoint().clone();
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    // The address of all services, those of the SDK's clients, and those of services that have no client.
    let names = ["", "_KMS", "_SSM", "_STS", "_IAM", "_EC2", "_ACCOUNT"]
        .map(|name| format!("AWS_ENDPOINT_URL{name}"));
    let (ran, without) = tokio::task::spawn_blocking(move || {
        let mut variables = vec![KEYS[0], KEYS[1], REGION];
        variables.extend(names.iter().map(|name| (name.as_str(), closed.as_str())));
        let audit =
            ["audit", "--endpoint-url", endpoint.as_str(), "--regions", "enabled", "--format", "json"];
        (home.run(&audit, &variables), home.run(&audit[..1], &variables))
    })
    .await
    .unwrap();
    let report: serde_json::Value = serde_json::from_str(&ran.1).unwrap_or_else(|_| panic!("{}", ran.2));
    assert_ne!(report["rows"][0]["state"], "unreadable", "{report:#}");
    for call in ["GetCallerIdentity", "ListRegions", "GetDocument"] {
        assert!(!stub.calls_of(call).is_empty(), "{call}");
    }
    assert!(without.0 == Some(3) && without.2.contains("refuses connections"), "{}", without.2);
}

#[test]
fn what_can_be_no_region_is_refused_wherever_it_is_set() {
    let home = Home::new("regions");
    for region in ["EU-WEST-1", "a,b", "nonsense", ""] {
        let (code, _, err) = home.run(&["status"], &[KEYS[0], KEYS[1], ("AWS_REGION", region)]);
        assert_eq!(code, Some(2), "{region}: {err}");
        assert!(err.contains(&format!("`{region}` is no Region")) && err.contains("eu-west-1"), "{err}");
    }
    let (code, _, err) = home.run(&["status", "--profile", "empty"], &[]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("`EU-WEST-1` is no Region"), "{err}");
    let (code, _, err) = home.run(&["status"], &KEYS);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("no Region is set"), "{err}");
}

#[tokio::test]
async fn every_command_refuses_what_can_be_no_region() {
    let key = ["--key", "alias/session"];
    let commands: [&[&str]; 6] = [
        &["status"],
        &["keys"],
        &["clear"],
        &["plan", key[0], key[1]],
        &["apply", key[0], key[1]],
        &["check", key[0], key[1]],
    ];
    for command in commands {
        for region in ["EU-WEST-1", "a,b", "nonsense", ""] {
            let ran = offline(&[command, &["--region", region]].concat()).await;
            assert_eq!(ran.exit, Exit::BadInput, "{command:?} {region}");
            assert!(ran.err.contains("is no Region") && ran.err.contains("us-gov-west-1"), "{}", ran.err);
        }
        // Regions are new sometimes, so no list refuses them.
        let ran = offline(&[command, &["--region", "eusc-de-east-9"]].concat()).await;
        assert!(ran.err.contains("no Region is set"), "it went on to connect: {}", ran.err);
    }
}
