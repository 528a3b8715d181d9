//! The texts of the SDK, and what a person is told.

use super::*;

const CHAIN: &str = "other: the credential provider was not enabled: no credentials found in chain. Attempted:\n  \
                     Environment: the credential provider was not enabled: environment variable not set\n  \
                     Profile: the credential provider was not enabled";

fn told(texts: &str, selected: Option<&str>) -> String {
    let known = ["corp".to_owned(), "default".to_owned()];
    CredentialsProblem::of_chain(texts, selected, &known).to_string()
}

#[test]
fn each_cause_has_its_cure() {
    let table = [
        (CHAIN, None, "`aws configure` or `aws sso login`; the profiles here are `corp`, `default`"),
        (
            "an error occurred while loading credentials: failed to load IMDS session token: request forbidden",
            None,
            "failed to load IMDS session token: request forbidden; set AWS_PROFILE or give --profile NAME, or run",
        ),
        (CHAIN, Some("copr"), "there is no profile `copr`"),
        (CHAIN, Some("corp"), "profile `corp` holds no credentials; run `aws configure --profile corp`"),
        (
            "an error occurred while loading credentials: the SSO token has expired and cannot be refreshed",
            Some("corp"),
            "has expired, or was never made; run `aws sso login --profile corp`",
        ),
        ("provider error: failed to load the cached SSO token", None, "run `aws sso login`"),
        ("failed to read `/home/ann/.aws/sso/cache/0c.json`", Some("corp"), "`aws sso login --profile corp`"),
        (
            "service error: unhandled error (UnauthorizedException)",
            Some("corp"),
            "`aws sso login --profile corp`",
        ),
        ("cached Login token is expired", Some("my corp"), "run `aws login --profile 'my corp'`"),
        (
            "ProfileFile provider could not be built: This behavior requires following cargo feature(s) enabled: sso. ",
            Some("corp"),
            "--features sso",
        ),
        (
            "ProfileFile provider could not be built: This behavior requires following cargo feature(s) enabled: \
             credentials-login. ",
            Some("corp"),
            "takes its credentials from `aws login`, which session-kms cannot do; run `eval \"$(aws configure \
             export-credentials --profile corp --format env)\"` first",
        ),
        (
            "x\n  Profile: the credential provider was not enabled: profile `gone` was not defined: could not find \
             source profile gone referenced from corp\n  WebIdentityToken: none",
            Some("corp"),
            "profile `corp` gives no credentials: profile `gone` was not defined: could not find source profile gone \
             referenced from corp",
        ),
        (
            "AccessDenied: not authorized to perform sts:AssumeRole",
            Some("corp"),
            "gives no credentials: AccessDenied",
        ),
    ];
    for (texts, selected, words) in table {
        let told = told(texts, selected);
        assert!(told.contains(words), "{texts}: {told}");
    }
}

#[test]
fn a_refusal_of_the_credentials_has_its_cure_and_others_are_none() {
    let of_code =
        |code| CredentialsProblem::of_code(code, Some("corp"), Some("eu-south-1")).map(|p| p.to_string());
    assert!(of_code("ExpiredToken").unwrap().contains("has expired"));
    assert!(of_code("InvalidClientTokenId").unwrap().contains("Region eu-south-1 is enabled"));
    assert!(of_code("SignatureDoesNotMatch").unwrap().contains("clock"));
    assert_eq!(of_code("Throttling"), None);
}
