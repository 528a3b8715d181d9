//! What is wrong with the credentials, and what to do about it. The SDK's types for this are private, so its texts are
//! read; a text that is not known is repeated.

use std::error::Error;
use std::fmt;

use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_types::os_shim_internal::{Env, Fs};

use crate::aws::hosts;
use crate::quote::shell_word;
use cloudformation_custom_resource::nearest;

/// What is wrong with the credentials. `profile` is the profile that was asked for by name; `None` is the default one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialsProblem {
    /// There are none, and no profile was asked for. The profiles that there are.
    None(Vec<String>),
    /// There is no such profile.
    UnknownProfile {
        /// Its name.
        profile: String,
        /// The profiles that there are.
        known: Vec<String>,
    },
    /// The profile has no credentials in it.
    EmptyProfile(String),
    /// The login at IAM Identity Center has expired, or was never made.
    LoginExpired(Option<String>),
    /// The login with `aws login` has expired.
    ConsoleLoginExpired(Option<String>),
    /// The profile needs a part that this program was built without.
    NeedsFeature(Option<String>),
    /// The profile was made by `aws login`, whose tokens this program cannot read.
    NeedsExport(Option<String>),
    /// The session token has expired.
    SessionExpired(Option<String>),
    /// AWS does not know the access key, or not in this Region.
    UnknownKey {
        /// The Region.
        region: Option<String>,
    },
    /// The signature is wrong.
    WrongSecret,
    /// Anything else, in the SDK's words.
    Other {
        /// The profile.
        profile: Option<String>,
        /// The SDK's words.
        texts: String,
    },
}

impl CredentialsProblem {
    /// What the texts of the SDK's errors say. `selected` is the profile that was asked for, and `known` are those that
    /// there are.
    pub(super) fn of_chain(texts: &str, selected: Option<&str>, known: &[String]) -> Self {
        let holds = |parts: &[&str]| parts.iter().any(|part| texts.contains(part));
        let profile = selected.map(str::to_owned);
        if holds(&["cargo feature(s) enabled"]) {
            let is_known = holds(&["enabled: sso", "enabled: credentials-process"]);
            return if is_known { Self::NeedsFeature(profile) } else { Self::NeedsExport(profile) };
        }
        if holds(&["SSO token", "sso/cache", "sso\\cache", "UnauthorizedException"]) {
            return Self::LoginExpired(profile);
        }
        if holds(&["Login token"]) {
            return Self::ConsoleLoginExpired(profile);
        }
        // The texts of a profile that names another profile, which is the one that is missing.
        if holds(&["could not find source profile"]) {
            if let Some(selected) = selected.filter(|selected| !known.iter().any(|name| name == selected)) {
                return Self::UnknownProfile { profile: selected.to_owned(), known: known.to_vec() };
            }
            return Self::Other { profile, texts: of_profile(texts) };
        }
        if holds(&["ProfileFile provider could not be built"]) {
            return Self::Other { profile, texts: of_profile(texts) };
        }
        if !holds(&["no credentials found in chain", "was not enabled"]) {
            let said = texts.rsplit("an error occurred while loading credentials: ").next().unwrap_or(texts);
            return Self::Other { profile, texts: said.trim().to_owned() };
        }
        match selected {
            None => Self::None(known.to_vec()),
            Some(selected) if known.iter().any(|name| name == selected) => {
                Self::EmptyProfile(selected.to_owned())
            }
            Some(selected) => Self::UnknownProfile { profile: selected.to_owned(), known: known.to_vec() },
        }
    }

    /// What AWS's error code says about the credentials; `None` if it says nothing about them.
    pub(super) fn of_code(code: &str, selected: Option<&str>, region: Option<&str>) -> Option<Self> {
        match code {
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
                Some(Self::SessionExpired(selected.map(str::to_owned)))
            }
            "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" => {
                Some(Self::UnknownKey { region: region.map(str::to_owned) })
            }
            "SignatureDoesNotMatch" | "InvalidSignatureException" => Some(Self::WrongSecret),
            _ => None,
        }
    }
}

impl fmt::Display for CredentialsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None(known) => {
                write!(f, "there are no credentials; {CURE}")?;
                list(f, known)
            }
            Self::UnknownProfile { profile, known } => {
                write!(f, "there is no profile `{profile}`")?;
                if let Some(near) = nearest(profile, known.iter().map(String::as_str)) {
                    write!(f, "; did you mean `{near}`?")?;
                }
                write!(f, "; give another with --profile or AWS_PROFILE, or make it with `aws configure --profile {}`", shell_word(profile))?;
                list(f, known)
            }
            Self::EmptyProfile(profile) => write!(
                f,
                "profile `{profile}` holds no credentials; run `aws configure --profile {}`, or `aws configure sso \
                 --profile {}`",
                shell_word(profile),
                shell_word(profile)
            ),
            Self::LoginExpired(profile) => write!(
                f,
                "the login at IAM Identity Center has expired, or was never made; run `aws sso login{}`",
                option(profile.as_deref())
            ),
            Self::ConsoleLoginExpired(profile) => write!(
                f,
                "the login has expired, or was never made; run `aws login{}`",
                option(profile.as_deref())
            ),
            Self::NeedsFeature(profile) => write!(
                f,
                "the profile{} takes its credentials from IAM Identity Center or from a process, which this build of \
                 session-kms cannot do; install it with `cargo install --locked --bin session-kms --features sso --path \
                 .`, or {} first",
                named(profile.as_deref()),
                export(profile.as_deref())
            ),
            Self::NeedsExport(profile) => write!(
                f,
                "the profile{} takes its credentials from `aws login`, which session-kms cannot do; {} first",
                named(profile.as_deref()),
                export(profile.as_deref())
            ),
            Self::SessionExpired(profile) => write!(
                f,
                "the session of the credentials has expired; get new credentials: `aws sso login{}` for a profile of IAM \
                 Identity Center, or assume the role again",
                option(profile.as_deref())
            ),
            Self::UnknownKey { region } => write!(
                f,
                "AWS does not know the access key or the session token; check the credentials, and that {} is enabled in \
                 the account",
                region.as_ref().map_or_else(|| "the Region".to_owned(), |region| format!("Region {region}"))
            ),
            Self::WrongSecret => f.write_str(
                "AWS does not accept the signature; check the secret access key, and the clock of this machine",
            ),
            Self::Other { profile: None, texts } => write!(f, "there are no credentials: {texts}; {CURE}"),
            Self::Other { profile: Some(profile), texts } => {
                write!(f, "profile `{profile}` gives no credentials: {texts}")
            }
        }
    }
}

/// What to do if there are no credentials and no profile was asked for.
const CURE: &str = "set AWS_PROFILE or give --profile NAME, or run `aws configure` or `aws sso login`";

/// ` --profile NAME`, for a command of the AWS CLI.
fn option(profile: Option<&str>) -> String {
    profile.map(|profile| format!(" --profile {}", shell_word(profile))).unwrap_or_default()
}

/// The command by which the AWS CLI puts its credentials into the environment.
fn export(profile: Option<&str>) -> String {
    format!("run `eval \"$(aws configure export-credentials{} --format env)\"`", option(profile))
}

/// The name of a profile behind a noun.
fn named(profile: Option<&str>) -> String {
    profile.map(|profile| format!(" `{profile}`")).unwrap_or_default()
}

fn list(f: &mut fmt::Formatter<'_>, known: &[String]) -> fmt::Result {
    match known {
        [] => Ok(()),
        [one] => write!(f, "; the one profile here is `{one}`"),
        known => write!(f, "; the profiles here are `{}`", known.join("`, `")),
    }
}

/// What the texts say of profiles, without the list of the other sources of credentials that were tried.
fn of_profile(texts: &str) -> String {
    let line =
        texts.lines().find(|line| line.contains("profile `") || line.contains("provider could not be built"));
    let line = line.unwrap_or(texts);
    let from = ["profile `", "provider could not be built: "].iter().find_map(|part| line.find(part));
    from.and_then(|from| line.get(from..)).unwrap_or(line).trim().to_owned()
}

/// The texts of an error and its causes, with AWS's words if AWS refused to let a role be assumed.
pub(super) fn texts_with_refusals(error: &(dyn Error + 'static)) -> String {
    let refusal = hosts::chain(error).find_map(|error| {
        let refused = |code: Option<&str>, message: Option<&str>| {
            Some(format!("{}: {}", code?, message.unwrap_or("AWS says no more")))
        };
        if let Some(error) = error.downcast_ref::<AssumeRoleError>() {
            return refused(error.code(), error.message());
        }
        let error = error.downcast_ref::<AssumeRoleWithWebIdentityError>()?;
        refused(error.code(), error.message())
    });
    refusal.unwrap_or_else(|| hosts::texts(error))
}

/// The names of the profiles in the files of the AWS CLI, sorted; empty if they cannot be read.
pub(super) async fn profiles() -> Vec<String> {
    let loaded = aws_config::profile::load(&Fs::real(), &Env::real(), &EnvConfigFiles::default(), None).await;
    let mut names: Vec<String> = loaded.iter().flat_map(ProfileSet::profiles).map(str::to_owned).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
#[path = "problem/tests.rs"]
mod tests;
