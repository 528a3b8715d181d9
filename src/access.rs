//! Who needs what of a key, and whether they have it: a verdict for each principal and call, and the statement that
//! is missing.
//!
//! A session makes two calls: the user's client creates a data key, and the node's agent decrypts it. Both need the
//! key's side to allow the call (its policy or a grant), and mostly their own side too (identity policies,
//! permissions boundary, service control policies).

mod account_policies;
mod call;
mod context;
mod endpoint_policy;
mod facts;
mod identity;
mod just_in_time;
mod key_rules;
mod known_context;
mod own_policies;
mod permission_set;
mod principal;
mod registration;
mod session_tags;
mod simulator;
mod statement;

pub use account_policies::{AccountPolicies, ListedEntity, ListedPolicies, ListedPrincipal};
pub use call::{CallerKind, SessionCall};
pub use context::{KeyFacts, Organization, Tags};
pub use endpoint_policy::{EndpointPolicy, EndpointVerdict};
pub use facts::{CHALLENGE, encryption_contexts};
pub use identity::{
    IdentityVerdict, KnownKeySide, OwnSide, SimulatedDecision, Simulation, evaluate_identity,
};
pub use just_in_time::{JUST_IN_TIME_ROLE, JUST_IN_TIME_TAG, JUST_IN_TIME_VALUE};
pub use key_rules::{
    DecidingRule, KeyAdmission, KeyCaller, KeyRules, KeyRulesError, KeyVerdict, OwnLayers, RuleApplies,
    SessionRule,
};
pub use known_context::{KnownContext, KnownContextError, KnownContextKey, KnownState};
pub use own_policies::OwnPolicies;
pub use permission_set::PermissionSet;
pub use principal::{PrincipalArn, PrincipalArnError, PrincipalType, SessionOwner, parse_principal_pattern};
pub(crate) use principal::{is_iam_name, is_iam_path};
pub use registration::{Registration, RegistrationCall, UPDATE_INSTANCE_INFORMATION};
pub use session_tags::may_tag_sessions;
pub use simulator::{ContextEntry, SimulatedCall, asks_for_encryption_context};
pub use statement::{identity_policy, key_policy_statement};
