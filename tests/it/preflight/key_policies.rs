//! Two lists of the decision table: callers and key policies. Each entry says what is true of it.

use serde_json::{Value, json};

use super::oracle::KeySide;
use super::{allow, arn};
use crate::stub::ACCOUNT;

/// Whose access the row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    NodeRole,
    UserRole,
    User,
}

pub const CALLERS: [Caller; 3] = [Caller::NodeRole, Caller::UserRole, Caller::User];

impl Caller {
    pub fn arn(self) -> String {
        arn(match self {
            Self::NodeRole => "role/team/Node",
            Self::UserRole => "role/Ops",
            Self::User => "user/ann",
        })
    }

    pub fn is_node(self) -> bool {
        self == Self::NodeRole
    }

    pub fn action(self) -> &'static str {
        if self.is_node() { "kms:Decrypt" } else { "kms:GenerateDataKey" }
    }

    fn other_action(self) -> &'static str {
        if self.is_node() { "kms:GenerateDataKey" } else { "kms:Decrypt" }
    }
}

/// A name, the statements of a key policy for a caller, and everything that they may mean for the caller.
pub type KeyPolicyCase = (&'static str, fn(Caller) -> Vec<Value>, fn(Caller) -> Vec<KeySide>);

fn deny(principal: Value, condition: Value) -> Value {
    let mut statement = allow(principal, condition);
    statement["Effect"] = "Deny".into();
    statement
}

fn to_account(condition: Value) -> Value {
    allow(json!({"AWS": arn("root")}), condition)
}

fn to(caller: Caller, condition: Value) -> Value {
    allow(json!({"AWS": caller.arn()}), condition)
}

fn without(mut statement: Value, member: &str) -> Value {
    statement.as_object_mut().unwrap().shift_remove(member);
    statement
}

fn with(mut statement: Value, member: &str, value: Value) -> Value {
    statement[member] = value;
    statement
}

const VIA: &str = "ssm.eu-west-1.amazonaws.com";
pub const SESSION: &str = "aws:ssm:SessionId";
pub const TARGET: &str = "aws:ssm:TargetId";
const CHALLENGE: &str = "aws:ssm:RandomChallenge";

pub const KEY_POLICIES: &[KeyPolicyCase] = &[
    ("delegates", |_| vec![to_account(Value::Null)], |_| vec![KeySide::Account]),
    ("names the caller", |caller| vec![to(caller, Value::Null)], |_| vec![KeySide::Named]),
    (
        "names another",
        |_| vec![allow(json!({"AWS": arn("role/Other")}), Value::Null)],
        |_| vec![KeySide::Silent],
    ),
    ("admits everybody", |_| vec![allow(json!("*"), Value::Null)], |_| vec![KeySide::Named]),
    (
        "admits everybody of the account",
        |_| vec![allow(json!({"AWS": "*"}), json!({"StringEquals": {"kms:CallerAccount": ACCOUNT}}))],
        |_| vec![KeySide::Named],
    ),
    (
        "admits everybody of another account",
        |_| vec![allow(json!("*"), json!({"StringEquals": {"kms:CallerAccount": "999999999999"}}))],
        |_| vec![KeySide::Silent],
    ),
    (
        "admits an organization",
        |_| vec![allow(json!("*"), json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}))],
        |_| vec![KeySide::Named],
    ),
    (
        "admits by the role's ARN",
        |caller| vec![allow(json!("*"), json!({"ArnLike": {"aws:PrincipalArn": caller.arn()}}))],
        |_| vec![KeySide::Named],
    ),
    (
        "names the caller through a service",
        |caller| vec![to(caller, json!({"StringEquals": {"kms:ViaService": VIA}}))],
        |_| vec![KeySide::Silent],
    ),
    (
        "delegates through a service",
        |_| vec![to_account(json!({"StringLike": {"kms:ViaService": "ssm.*"}}))],
        |_| vec![KeySide::Silent],
    ),
    (
        "delegates where a source account is named",
        |_| vec![to_account(json!({"StringEquals": {"aws:SourceAccount": ACCOUNT}}))],
        |_| vec![KeySide::Silent],
    ),
    (
        "delegates with a session id",
        |_| vec![to_account(json!({"Null": {"kms:EncryptionContext:aws:ssm:SessionId": "false"}}))],
        |_| vec![KeySide::Account],
    ),
    (
        "names the caller for one target",
        |caller| vec![to(caller, json!({"StringEquals": {"kms:EncryptionContext:aws:ssm:TargetId": "i-1"}}))],
        |_| vec![KeySide::Named, KeySide::Silent],
    ),
    (
        "names the caller for another's context",
        |caller| vec![to(caller, json!({"StringLike": {"kms:EncryptionContext:PARAMETER_ARN": "*"}}))],
        |_| vec![KeySide::Silent],
    ),
    (
        "whitelists two context keys",
        |_| {
            vec![to_account(
                json!({"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": [SESSION, TARGET]}}),
            )]
        },
        // Newer clients add a third key, and the agent then decrypts with it.
        |_| vec![KeySide::Silent],
    ),
    (
        "denies other context keys than two",
        |_| {
            let others =
                json!({"ForAnyValue:StringNotEquals": {"kms:EncryptionContextKeys": [SESSION, TARGET]}});
            vec![to_account(Value::Null), deny(json!("*"), others)]
        },
        |_| vec![KeySide::Denied],
    ),
    (
        "whitelists three context keys",
        |_| {
            let keys = json!([SESSION, TARGET, CHALLENGE]);
            vec![to_account(json!({"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": keys}}))]
        },
        |_| vec![KeySide::Account],
    ),
    (
        "wants the session id among the context keys",
        |_| vec![to_account(json!({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": SESSION}}))],
        |_| vec![KeySide::Account],
    ),
    (
        "wants the challenge among the context keys",
        |_| vec![to_account(json!({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": CHALLENGE}}))],
        // Older agents and clients do not send the challenge.
        |_| vec![KeySide::Silent],
    ),
    (
        "delegates and denies the caller",
        |caller| vec![to_account(Value::Null), deny(json!({"AWS": caller.arn()}), Value::Null)],
        |_| vec![KeySide::Denied],
    ),
    (
        "names the caller and denies everybody else",
        |caller| {
            let others = json!({"ArnNotEquals": {"aws:PrincipalArn": caller.arn()}});
            vec![to(caller, Value::Null), deny(json!("*"), others)]
        },
        |_| vec![KeySide::Named],
    ),
    (
        "names the caller and denies all but another",
        |caller| {
            let others = json!({"ArnNotEquals": {"aws:PrincipalArn": arn("role/Other")}});
            vec![to(caller, Value::Null), deny(json!("*"), others)]
        },
        |_| vec![KeySide::Denied],
    ),
    (
        "delegates and denies other networks",
        |_| {
            let others = json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}});
            vec![to_account(Value::Null), deny(json!("*"), others)]
        },
        |_| vec![KeySide::Account, KeySide::Denied],
    ),
    (
        "names the caller in a network",
        |caller| vec![to(caller, json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}}))],
        |_| vec![KeySide::Named, KeySide::Silent],
    ),
    (
        "delegates in a network",
        |_| vec![to_account(json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))],
        |_| vec![KeySide::Account, KeySide::Silent],
    ),
    (
        "names the caller in a network and outside of it",
        |caller| {
            vec![
                to(caller, json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}})),
                to(caller, json!({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}})),
            ]
        },
        |_| vec![KeySide::Named],
    ),
    (
        "delegates to the tagged",
        |_| vec![to_account(json!({"StringEquals": {"aws:PrincipalTag/team": "ops"}}))],
        |_| vec![KeySide::Account],
    ),
    (
        "delegates to a second factor",
        |_| vec![to_account(json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}))],
        |caller| {
            if caller.is_node() { vec![KeySide::Silent] } else { vec![KeySide::Account, KeySide::Silent] }
        },
    ),
    (
        "denies without a second factor",
        |_| {
            let without = json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}});
            vec![to_account(Value::Null), deny(json!("*"), without)]
        },
        |caller| {
            if caller.is_node() { vec![KeySide::Denied] } else { vec![KeySide::Account, KeySide::Denied] }
        },
    ),
    (
        "denies what is not encrypted in transit",
        |_| {
            vec![to_account(Value::Null), deny(json!("*"), json!({"Bool": {"aws:SecureTransport": "false"}}))]
        },
        |_| vec![KeySide::Account],
    ),
    (
        "delegates without a Resource",
        |_| vec![without(to_account(Value::Null), "Resource")],
        |_| vec![KeySide::Silent],
    ),
    (
        "denies without a Resource",
        |caller| {
            let denial = deny(json!({"AWS": caller.arn()}), Value::Null);
            vec![to_account(Value::Null), without(denial, "Resource")]
        },
        |_| vec![KeySide::Account],
    ),
    (
        "names a principal that was deleted",
        |_| vec![allow(json!({"AWS": "AROAEXAMPLEEXAMPLEEXA"}), Value::Null)],
        |_| vec![KeySide::Silent],
    ),
    (
        "names roles by a pattern",
        |_| vec![allow(json!({"AWS": [arn("role/*"), arn("user/*")]}), Value::Null)],
        |_| vec![KeySide::Silent],
    ),
    (
        "delegates the other side's call",
        |caller| {
            vec![with(to_account(Value::Null), "Action", json!([caller.other_action(), "kms:DescribeKey"]))]
        },
        |_| vec![KeySide::Silent],
    ),
    (
        "names the caller for its call alone",
        |caller| vec![with(to(caller, Value::Null), "Action", caller.action().into())],
        |_| vec![KeySide::Named],
    ),
    (
        "delegates by patterns",
        |_| vec![with(to_account(Value::Null), "Action", json!(["KMS:GenerateDataKey*", "kms:De?rypt"]))],
        |_| vec![KeySide::Account],
    ),
    (
        "delegates all but the call",
        |caller| {
            let all_but = without(to_account(Value::Null), "Action");
            vec![with(all_but, "NotAction", caller.action().into())]
        },
        |_| vec![KeySide::Silent],
    ),
    (
        "admits another organization",
        |_| vec![allow(json!("*"), json!({"StringEquals": {"aws:PrincipalOrgID": "o-2"}}))],
        |_| vec![KeySide::Silent],
    ),
    (
        "admits by the organization's paths",
        |_| {
            let paths = json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/r-1/*"}});
            vec![allow(json!("*"), paths)]
        },
        |_| vec![KeySide::Named, KeySide::Silent],
    ),
    (
        "delegates to those tagged otherwise",
        |_| vec![to_account(json!({"StringEquals": {"aws:PrincipalTag/Team": "dev"}}))],
        |_| vec![KeySide::Silent],
    ),
    (
        "denies those without another tag",
        |_| {
            let untagged = json!({"Null": {"aws:PrincipalTag/cleared": "true"}});
            vec![to_account(Value::Null), deny(json!("*"), untagged)]
        },
        |_| vec![KeySide::Denied],
    ),
    (
        "delegates by the key's alias",
        |_| {
            let by_alias = json!({"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/session-*"}});
            vec![to_account(by_alias)]
        },
        |_| vec![KeySide::Account],
    ),
    (
        "delegates by an alias that the key has not",
        |_| {
            let by_alias = json!({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/session"}});
            vec![to_account(by_alias)]
        },
        |_| vec![KeySide::Silent],
    ),
    (
        "names the caller by the key's tag",
        |caller| vec![to(caller, json!({"StringEquals": {"aws:ResourceTag/stage": "prod"}}))],
        |_| vec![KeySide::Named],
    ),
    (
        "names the caller by a tag that the key has not",
        |caller| vec![to(caller, json!({"StringEquals": {"aws:ResourceTag/owner": "me"}}))],
        |_| vec![KeySide::Silent],
    ),
    (
        "lets enclaves alone decrypt",
        |caller| {
            let attested = json!({"StringEqualsIgnoreCase": {"kms:RecipientAttestation:ImageSha384": "ab"}});
            vec![to(caller, attested)]
        },
        |_| vec![KeySide::Silent],
    ),
];
