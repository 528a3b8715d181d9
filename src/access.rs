//! Who needs what of the key, and whether they have it: a verdict for each principal and call, and the
//! statement that is missing.
//!
//! A session makes two calls: the user's client makes a data key, the node's agent opens it. Both need the
//! key's side (its policy, or a grant) and mostly their own side (identity policies, boundary, SCPs).

mod call;
mod context;
mod facts;
mod identity;
mod key_rules;
mod known_context;
mod principal;
mod session_tags;
mod simulator;
mod statement;

pub use call::{SessionCall, Side};
pub use context::{KeyFacts, Organization, Tags};
pub use facts::{CHALLENGE, encryption_contexts};
pub use identity::{IdentityVerdict, OwnSide, SimulatedDecision, Simulation, evaluate_identity};
pub use key_rules::{KeyRules, KeyRulesError, KeyVerdict, statement_name};
pub use known_context::{KnownContext, KnownContextError, KnownContextKey, KnownState};
pub use principal::{PrincipalArn, PrincipalArnError, PrincipalType, SessionOwner};
pub use session_tags::may_tag_sessions;
pub use simulator::{ContextEntry, SimulatedCall, asks_for_encryption_context};
pub use statement::{identity_policy, key_policy_statement};
