//! The IAM policy language as KMS key policies use it: parse, match, decide, explain.
//!
//! A [`Policy`] is read once from its JSON text into a compiled form, strictly and with the place of every error; what
//! AWS accepts and nobody wants is among its [warnings](Policy::warnings). A [`Request`] says who wants to do what with
//! which key, and in what [`Context`]: each condition key has values, is absent, is there with an unknown value, or is
//! unknown altogether. [`decide`] puts the [`Layers`] together (key policy, grants, identity policies, permissions
//! boundary, session policies, service and resource control policies) and gives an [`Answer`]: allowed, denied, or
//! depends; with the statements that decided, what it depends on, the values under which it would be allowed, and the
//! layers that lack an Allow. [`verdict`] gives the decision alone; [`key_side`] asks for the key's side alone.
//!
//! ```
//! use kms_key_policy::{
//!     Action, Context, Decision, Grants, KeyArn, Layers, Others, Policy, PolicyKind, Principal, Request, decide,
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
//!     Context::new(Others::Unknown).absent("kms:ViaService"),
//! );
//! let grants = Grants::none();
//! let answer = decide(&request, &Layers::of_key(&key_policy, &grants));
//! assert_eq!(answer.decision, Decision::Depends);
//! assert_eq!(answer.allowed_if[0].to_string(), "`aws:PrincipalOrgID` is `o-a1b2c3d4e5`");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it goes
//! - Text to form: `json` reads, `parse` knows the grammar, `document` is the form: vectors of one sort each, with
//!   ranges of them in the statements. Patterns (`pattern`, `glob`) are cut into pieces, values are typed (`value`).
//! - A decision: `index` finds the statements that may matter, `statement` and `condition` say whether each applies, in
//!   three values, `layers` puts them together, `decide` gives the reasons.
//! - Where something stays in doubt: `completions` tries a value of every kind that the policies can tell apart, which
//!   `symbols` and `sample` find, and `open` names what no source settles.
//! - What a condition key's name alone tells: `condition_keys`.
//!
//! # Invariants
//! - No I/O, no clock, no environment; nothing of sessions.
//! - *Depends* only if values of what is unknown lead to both answers, or no source settles what AWS does, or (with a
//!   [caveat](Caveat)) there is more to try than the bounds allow. A search that has not tried all never ends in allowed
//!   or denied.
//! - Matching never takes a choice back; what nests in a policy is bounded by its grammar; every search is bounded.
//! - Arbitrary bytes never panic.

mod answer;
mod applicability;
mod arn;
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
