//! Two lists of the decision table: grants and own sides. Each entry says what is true of it.

use serde_json::{Value, json};

use super::arn;
use super::key_policies::{Caller, SESSION, TARGET};
use super::oracle::{GrantSide, OwnSide};
use crate::stub::{SimulatedAnswer, SimulatedDecision};

/// A name, the grants on a key, and everything that they may mean for the caller.
pub type GrantsCase = (&'static str, fn(Caller) -> Vec<Value>, fn(Caller) -> Vec<GrantSide>);

fn grant(grantee: &str, operations: Value, constraints: Value) -> Value {
    let mut grant = json!({
        "GrantId": "g1", "CreationDate": 1_600_000_000.0,
        "GranteePrincipal": grantee, "Operations": operations,
    });
    if !constraints.is_null() {
        grant["Constraints"] = constraints;
    }
    grant
}

pub const GRANTS: &[GrantsCase] = &[
    ("no grant", |_| vec![], |_| vec![GrantSide::Nothing]),
    (
        "a grant",
        |caller| vec![grant(&caller.arn(), json!(["Decrypt", "GenerateDataKey"]), Value::Null)],
        |_| vec![GrantSide::Covers],
    ),
    (
        "a grant of another operation",
        |caller| vec![grant(&caller.arn(), json!(["Encrypt", "DescribeKey"]), Value::Null)],
        |_| vec![GrantSide::Nothing],
    ),
    (
        "another's grant",
        |_| vec![grant(&arn("role/Other"), json!(["Decrypt", "GenerateDataKey"]), Value::Null)],
        |_| vec![GrantSide::Nothing],
    ),
    (
        "a grant for one target",
        |caller| {
            let subset = json!({"EncryptionContextSubset": {TARGET: "i-1"}});
            vec![grant(&caller.arn(), json!(["Decrypt", "GenerateDataKey"]), subset)]
        },
        |_| vec![GrantSide::Covers, GrantSide::Nothing],
    ),
    (
        "a grant for one session",
        |caller| {
            let equals = json!({"EncryptionContextEquals": {TARGET: "i-1", SESSION: "ann-1"}});
            vec![grant(&caller.arn(), json!(["Decrypt", "GenerateDataKey"]), equals)]
        },
        // A newer client adds the challenge, so the context cannot be equal.
        |_| vec![GrantSide::Nothing],
    ),
    (
        "a grant for another service's context",
        |caller| {
            let subset = json!({"EncryptionContextSubset": {"PARAMETER_ARN": "p"}});
            vec![grant(&caller.arn(), json!(["Decrypt", "GenerateDataKey"]), subset)]
        },
        |_| vec![GrantSide::Nothing],
    ),
];

/// A name, what the simulator says of the caller (`None` if the simulation is denied), and every possible own side.
pub type OwnSideCase = (&'static str, fn() -> Option<SimulatedAnswer>, &'static [OwnSide]);

fn asking_for(answer: SimulatedAnswer, key: &str) -> Option<SimulatedAnswer> {
    Some(SimulatedAnswer { asks_for: vec![key.to_owned()], ..answer })
}

/// Allowed if a condition key has these values, and otherwise not allowed.
fn allowed_with(key: &str, values: &[&str]) -> Option<SimulatedAnswer> {
    let values = values.iter().map(|&value| value.to_owned()).collect();
    Some(SimulatedAnswer {
        decisions: vec![(key.to_owned(), values, SimulatedDecision::Allowed)],
        asks_for: vec![key.to_owned()],
        ..SimulatedAnswer::default()
    })
}

/// The simulator does not say how a condition on an unknown key decides.
const ANY: &[OwnSide] = &[OwnSide::Allows, OwnSide::Silent, OwnSide::Denies];

pub const OWN_SIDES: &[OwnSideCase] = &[
    ("allowed", || Some(SimulatedAnswer::allowed("Kms")), &[OwnSide::Allows]),
    ("not allowed", || Some(SimulatedAnswer::default()), &[OwnSide::Silent]),
    ("denied", || Some(SimulatedAnswer::denied("NoKms")), &[OwnSide::Denies]),
    ("not simulated", || None, ANY),
    (
        "refused by the organization",
        || Some(SimulatedAnswer { organizations: Some(false), ..SimulatedAnswer::default() }),
        &[OwnSide::NotInOrganization],
    ),
    (
        "allowed within an organization and a boundary",
        || {
            let limits = (Some(true), Some(true));
            Some(SimulatedAnswer {
                organizations: limits.0,
                boundary: limits.1,
                ..SimulatedAnswer::allowed("Kms")
            })
        },
        &[OwnSide::Allows],
    ),
    (
        "refused by the organization unless tagged",
        || {
            Some(SimulatedAnswer {
                organization_wants: Some(("aws:PrincipalTag/Team".to_owned(), "ops".to_owned())),
                ..SimulatedAnswer::allowed("Kms")
            })
        },
        &[OwnSide::Allows],
    ),
    (
        "refused by the organization out of the Region",
        || {
            Some(SimulatedAnswer {
                organization_wants: Some(("aws:RequestedRegion".to_owned(), "eu-west-1".to_owned())),
                ..SimulatedAnswer::allowed("Kms")
            })
        },
        &[OwnSide::Allows],
    ),
    ("allowed to the tagged", || allowed_with("aws:PrincipalTag/team", &["ops"]), &[OwnSide::Allows]),
    (
        "allowed to those tagged otherwise",
        || allowed_with("aws:PrincipalTag/team", &["dev"]),
        &[OwnSide::Silent],
    ),
    ("allowed in an organization", || allowed_with("aws:PrincipalOrgID", &["o-1"]), &[OwnSide::Allows]),
    (
        "allowed by the key's alias",
        || allowed_with("kms:ResourceAliases", &["alias/session-1"]),
        &[OwnSide::Allows],
    ),
    ("allowed by the key's tag", || allowed_with("aws:ResourceTag/stage", &["prod"]), &[OwnSide::Allows]),
    ("allowed to enclaves", || allowed_with("kms:RecipientAttestation:PCR0", &["ab"]), &[OwnSide::Silent]),
    (
        "allowed with a challenge",
        || {
            allowed_with(
                "kms:EncryptionContextKeys",
                &["aws:ssm:SessionId", "aws:ssm:TargetId", "aws:ssm:RandomChallenge"],
            )
        },
        &[OwnSide::Silent],
    ),
    (
        "bounded, as the resource has it",
        || Some(SimulatedAnswer { boundary_of_resource: Some(false), ..SimulatedAnswer::default() }),
        &[OwnSide::Bounded],
    ),
    (
        "bounded",
        || Some(SimulatedAnswer { boundary: Some(false), ..SimulatedAnswer::default() }),
        &[OwnSide::Bounded],
    ),
    ("allowed in some network", || asking_for(SimulatedAnswer::allowed("Kms"), "aws:SourceVpce"), ANY),
    ("denied in some network", || asking_for(SimulatedAnswer::denied("NoKms"), "aws:SourceVpce"), ANY),
    (
        "allowed through a service",
        || asking_for(SimulatedAnswer::default(), "KMS:ViaService"),
        &[OwnSide::Silent],
    ),
    (
        "allowed, through another service too",
        || asking_for(SimulatedAnswer::allowed("Kms"), "kms:ViaService"),
        &[OwnSide::Allows],
    ),
];
