//! The lists of the table: grants and own sides. Each entry has its truth beside it.

use serde_json::{Value, json};

use super::arn;
use super::lists::{Caller, SESSION, TARGET};
use super::oracle::{Grant, Own};
use crate::stub::{SimulatedAnswer, SimulatedDecision};

/// The grants on a key, and every way in which they may stand to the caller.
pub type Grants = (&'static str, fn(Caller) -> Vec<Value>, fn(Caller) -> Vec<Grant>);

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

pub const GRANTS: &[Grants] = &[
    ("no grant", |_| vec![], |_| vec![Grant::Nothing]),
    (
        "a grant",
        |caller| vec![grant(&caller.arn(), json!(["Decrypt", "GenerateDataKey"]), Value::Null)],
        |_| vec![Grant::Covers],
    ),
    (
        "a grant of another operation",
        |caller| vec![grant(&caller.arn(), json!(["Encrypt", "DescribeKey"]), Value::Null)],
        |_| vec![Grant::Nothing],
    ),
    (
        "another's grant",
        |_| vec![grant(&arn("role/Other"), json!(["Decrypt", "GenerateDataKey"]), Value::Null)],
        |_| vec![Grant::Nothing],
    ),
    (
        "a grant for one target",
        |caller| {
            let subset = json!({"EncryptionContextSubset": {TARGET: "i-1"}});
            vec![grant(&caller.arn(), json!(["Decrypt", "GenerateDataKey"]), subset)]
        },
        |_| vec![Grant::Covers, Grant::Nothing],
    ),
    (
        "a grant for one session",
        |caller| {
            let equals = json!({"EncryptionContextEquals": {TARGET: "i-1", SESSION: "ann-1"}});
            vec![grant(&caller.arn(), json!(["Decrypt", "GenerateDataKey"]), equals)]
        },
        // Equal it cannot be where a newer client adds the challenge.
        |_| vec![Grant::Nothing],
    ),
    (
        "a grant for another service's context",
        |caller| {
            let subset = json!({"EncryptionContextSubset": {"PARAMETER_ARN": "p"}});
            vec![grant(&caller.arn(), json!(["Decrypt", "GenerateDataKey"]), subset)]
        },
        |_| vec![Grant::Nothing],
    ),
];

/// What the simulator says of the caller, `None` where nobody may ask it; and every way in which the own side may be.
pub type OwnSide = (&'static str, fn() -> Option<SimulatedAnswer>, &'static [Own]);

fn asking_for(answer: SimulatedAnswer, key: &str) -> Option<SimulatedAnswer> {
    Some(SimulatedAnswer { asks_for: vec![key.to_owned()], ..answer })
}

/// Allowed where a condition key has these values, and not allowed without.
fn turning(key: &str, values: &[&str]) -> Option<SimulatedAnswer> {
    let values = values.iter().map(|&value| value.to_owned()).collect();
    Some(SimulatedAnswer {
        given: vec![(key.to_owned(), values, SimulatedDecision::Allowed)],
        asks_for: vec![key.to_owned()],
        ..SimulatedAnswer::default()
    })
}

/// Not every answer of the simulator tells which way a condition on something unknown turns.
const ANY: &[Own] = &[Own::Allows, Own::Silent, Own::Denies];

pub const OWN_SIDES: &[OwnSide] = &[
    ("allowed", || Some(SimulatedAnswer::allowed("Kms")), &[Own::Allows]),
    ("not allowed", || Some(SimulatedAnswer::default()), &[Own::Silent]),
    ("denied", || Some(SimulatedAnswer::denied("NoKms")), &[Own::Denies]),
    ("not simulated", || None, ANY),
    (
        "refused by the organization",
        || Some(SimulatedAnswer { organizations: Some(false), ..SimulatedAnswer::default() }),
        &[Own::NotInOrganization],
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
        &[Own::Allows],
    ),
    (
        "refused by the organization unless tagged",
        || {
            Some(SimulatedAnswer {
                organization_wants: Some(("aws:PrincipalTag/Team".to_owned(), "ops".to_owned())),
                ..SimulatedAnswer::allowed("Kms")
            })
        },
        &[Own::Allows],
    ),
    (
        "refused by the organization out of the Region",
        || {
            Some(SimulatedAnswer {
                organization_wants: Some(("aws:RequestedRegion".to_owned(), "eu-west-1".to_owned())),
                ..SimulatedAnswer::allowed("Kms")
            })
        },
        &[Own::Allows],
    ),
    ("allowed to the tagged", || turning("aws:PrincipalTag/team", &["ops"]), &[Own::Allows]),
    ("allowed to those tagged otherwise", || turning("aws:PrincipalTag/team", &["dev"]), &[Own::Silent]),
    ("allowed in an organization", || turning("aws:PrincipalOrgID", &["o-1"]), &[Own::Allows]),
    ("allowed by the key's alias", || turning("kms:ResourceAliases", &["alias/session-1"]), &[Own::Allows]),
    ("allowed by the key's tag", || turning("aws:ResourceTag/stage", &["prod"]), &[Own::Allows]),
    ("allowed to enclaves", || turning("kms:RecipientAttestation:PCR0", &["ab"]), &[Own::Silent]),
    (
        "allowed with a challenge",
        || {
            turning(
                "kms:EncryptionContextKeys",
                &["aws:ssm:SessionId", "aws:ssm:TargetId", "aws:ssm:RandomChallenge"],
            )
        },
        &[Own::Silent],
    ),
    (
        "bounded, as the resource has it",
        || {
            Some(SimulatedAnswer {
                boundary: Some(false),
                boundary_of_resource: true,
                ..SimulatedAnswer::default()
            })
        },
        &[Own::Bounded],
    ),
    (
        "bounded",
        || Some(SimulatedAnswer { boundary: Some(false), ..SimulatedAnswer::default() }),
        &[Own::Bounded],
    ),
    ("allowed in some network", || asking_for(SimulatedAnswer::allowed("Kms"), "aws:SourceVpce"), ANY),
    ("denied in some network", || asking_for(SimulatedAnswer::denied("NoKms"), "aws:SourceVpce"), ANY),
    (
        "allowed through a service",
        || asking_for(SimulatedAnswer::default(), "KMS:ViaService"),
        &[Own::Silent],
    ),
    (
        "allowed, through another service too",
        || asking_for(SimulatedAnswer::allowed("Kms"), "kms:ViaService"),
        &[Own::Allows],
    ),
];
