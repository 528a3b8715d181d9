//! Decides whether the policies of an AWS KMS key allow a call, as IAM does: allowed, denied, or depends on what.
//!
//! [`Policy::parse`] reads a policy from its JSON text. It is strict: an error has the position and says what is wrong
//! there, and a [warning](Policy::warnings) says what AWS accepts but is probably a mistake. A [`Request`] says who
//! calls what on which key, and in which [`Context`]: each condition key has values, is absent, is present with an
//! unknown value, or is unknown. [`Layers`] holds all policies that matter to the request: key policy, grants, identity
//! policies, permissions boundary, session policies, service control policies and resource control policies.
//!
//! [`decide()`] returns an [`Answer`]. Besides the decision it has the statements that decided, the unknown condition
//! keys that the decision depends on, the values of these keys under which the call would be allowed, and the layers
//! that lack an Allow. [`verdict`] returns the decision alone. [`key_side`] asks the key policy and the grants alone.
//!
//! ```
//! use kms_key_policy::{
//!     Action, Context, Decision, Grants, KeyArn, Layers, OtherKeys, Policy, PolicyKind, Principal, Request, decide,
//! };
//!
//! let key_policy = Policy::parse(
//!     PolicyKind::Key,
//!     r#"{"Version": "2012-10-17", "Statement": {
//!         "Sid": "Organization", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
//!         "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}}"#,
//! )?;
//! let request = Request::new(
//!     Principal::parse("arn:aws:iam::111122223333:role/App")?,
//!     Action::parse("kms:Decrypt")?,
//!     KeyArn::parse("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")?,
//!     Context::new(OtherKeys::Unknown).absent("kms:ViaService"),
//! );
//! let grants = Grants::none();
//! let answer = decide(&request, &Layers::of_key(&key_policy, &grants));
//! assert_eq!(answer.decision, Decision::Depends);
//! assert_eq!(answer.allowed_if[0].to_string(), "`aws:PrincipalOrgID` is `o-a1b2c3d4e5`");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Modules
//! | step | modules |
//! | --- | --- |
//! | Read a policy or a list of grants | `json` reads JSON, `parse` knows the grammar, `policy` holds the compiled form, `pattern` and `wildcard` compile and match patterns, `value` holds numbers, dates, addresses and binary values, `grant` reads grants, `error` and `warning` say what is wrong |
//! | Describe a call | `request`, `principal`, `arn`, `context`, and `condition_keys` with what follows from the name of a condition key |
//! | Evaluate the statements | `index` finds the statements that may apply, `statement`, `condition` and `operator` say whether each does, in the three values of `applicability` |
//! | Combine the layers | `layers` combines the statements and grants of all policies, `decide` finds the reasons, `answer` holds both |
//! | See from the key | `callers` lists whom the key policy and the grants name, and decides for groups of callers |
//! | Try unknown keys | `unknown_keys` tries a value of every kind that the policies can tell apart, with texts from `pattern::sample_texts`, and `open_questions` finds what no source settles |
//!
//! # Invariants
//! - The crate does no I/O and reads neither a clock nor the environment.
//! - The decision is *depends* only if different values of what is unknown lead to different decisions, if no source
//!   settles what AWS does, or if there is more to try than the limits allow. In the last case the answer has a
//!   [caveat](Caveat). A search that has not tried everything never ends in allowed or denied.
//! - No pattern makes a match slow, the grammar limits how deeply a policy can nest, and every search is bounded.
//! - No input panics.

mod answer;
mod applicability;
mod arn;
mod callers;
mod condition;
mod condition_keys;
mod context;
mod decide;
mod error;
mod grant;
mod index;
mod json;
mod layers;
mod open_questions;
mod operator;
mod parse;
mod pattern;
mod policy;
mod principal;
mod request;
mod statement;
mod text;
mod unknown_keys;
mod value;
mod warning;
mod wildcard;

pub use answer::{
    Admitted, Answer, Case, Caveat, Decider, Decision, Dependency, MOST_CASES, MissingAllow, OpenQuestion,
    RequiredValue,
};
pub use arn::{AccountId, KeyArn};
pub use callers::{
    CallerGroup, GroupRequest, GroupSide, KeyRule, NamedCaller, RuleEffect, group_side, key_rules,
};
pub use condition_keys::is_multivalued;
pub use context::{Context, OtherKeys};
pub use decide::{KeySide, KeySideDecision, decide, key_side, verdict};
pub use error::{MAX_KEY_POLICY_BYTES, MAX_OTHER_POLICY_BYTES, ParseError, ParseProblem, RequestError};
pub use grant::Grants;
pub use layers::Layers;
pub use policy::{Policy, PolicyKind};
pub use principal::{Principal, PrincipalKind};
pub use request::{Action, Request};
pub use warning::{PolicyWarning, WarningKind};
pub use wildcard::matches_wildcards;

/// Runs the example of the README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
