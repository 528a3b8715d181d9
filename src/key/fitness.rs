//! Whether a key can encrypt sessions at all, whoever the caller is: its state, spec, usage and manager.

use std::fmt;
use std::time::SystemTime;

use super::arn::KeyArn;

/// A key as DescribeKey returns it, in AWS's words. A text is empty if AWS left it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDescription {
    /// The key's ARN, whatever reference DescribeKey got.
    pub arn: KeyArn,
    /// `Enabled`, `Disabled`, `PendingDeletion`, `PendingImport`, `Unavailable`, …
    pub state: String,
    /// `SYMMETRIC_DEFAULT`, `RSA_2048`, …
    pub spec: String,
    /// `ENCRYPT_DECRYPT`, `SIGN_VERIFY`, …
    pub usage: String,
    /// `CUSTOMER` or `AWS`.
    pub manager: String,
    /// `AWS_KMS`, `EXTERNAL`, `AWS_CLOUDHSM`, `EXTERNAL_KEY_STORE`; `None` if it is unknown.
    pub origin: Option<String>,
    /// When the key was created.
    pub created: Option<SystemTime>,
    /// When the key will be deleted, RFC 3339, for a key in state `PendingDeletion`.
    pub deletion_date: Option<String>,
    /// When imported key material expires, RFC 3339.
    pub valid_to: Option<String>,
    /// The custom key store that holds the key, if one does.
    pub custom_key_store: Option<String>,
    /// Whether the key belongs to a multi-Region family, and as what.
    pub multi_region: MultiRegion,
}

/// A key's part in a multi-Region family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiRegion {
    /// The key exists in one Region.
    SingleRegion,
    /// The primary of its family.
    Primary,
    /// A replica, with a policy and a state of its own.
    Replica,
}

/// Why a key cannot encrypt any session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A key in this state encrypts nothing.
    State {
        /// The state.
        state: String,
        /// When the key will be deleted, RFC 3339, if a date is set.
        deletion_date: Option<String>,
    },
    /// Its spec is not `SYMMETRIC_DEFAULT`.
    Spec(String),
    /// Its usage is not `ENCRYPT_DECRYPT`.
    Usage(String),
    /// AWS manages it.
    AwsManaged,
}

/// A risk of a key that works today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caution {
    /// Its imported key material expires, at this time in RFC 3339.
    Expires(String),
    /// This custom key store holds it, and somebody can disconnect the store.
    CustomKeyStore(String),
    /// It is a multi-Region replica, with a policy and a state of its own.
    Replica,
}

/// Whether a key can encrypt sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitness {
    /// The reasons why it cannot; empty for a fit key.
    pub faults: Vec<Unfit>,
    /// The risks, which do not make it unfit.
    pub cautions: Vec<Caution>,
}

impl KeyDescription {
    /// The description of a key that nobody described: it is assumed fit, and its origin is unknown.
    #[must_use]
    pub fn assumed(arn: KeyArn) -> Self {
        Self {
            multi_region: if arn.id().starts_with("mrk-") {
                MultiRegion::Primary
            } else {
                MultiRegion::SingleRegion
            },
            arn,
            state: "Enabled".to_owned(),
            spec: "SYMMETRIC_DEFAULT".to_owned(),
            usage: "ENCRYPT_DECRYPT".to_owned(),
            manager: "CUSTOMER".to_owned(),
            origin: None,
            created: None,
            deletion_date: None,
            valid_to: None,
            custom_key_store: None,
        }
    }

    /// Whether it is a key that can never encrypt sessions: its spec, its usage and its manager stay as they are.
    #[must_use]
    pub fn is_of_wrong_kind(&self) -> bool {
        let mut faults = fitness(self).faults.into_iter();
        faults.any(|fault| !matches!(fault, Unfit::State { .. }))
    }
}

/// Decides whether a key can encrypt sessions. Session encryption needs an enabled, symmetric, customer managed
/// encryption key.
#[must_use]
pub fn fitness(key: &KeyDescription) -> Fitness {
    let mut faults = Vec::new();
    if key.manager == "AWS" {
        faults.push(Unfit::AwsManaged);
    }
    if key.spec != "SYMMETRIC_DEFAULT" {
        faults.push(Unfit::Spec(key.spec.clone()));
    }
    if key.usage != "ENCRYPT_DECRYPT" {
        faults.push(Unfit::Usage(key.usage.clone()));
    }
    // A key is Updating while another key of its family becomes the primary, and it works meanwhile.
    if !["Enabled", "Updating"].contains(&key.state.as_str()) {
        faults.push(Unfit::State { state: key.state.clone(), deletion_date: key.deletion_date.clone() });
    }
    let mut cautions = Vec::new();
    if let Some(valid_to) = &key.valid_to {
        cautions.push(Caution::Expires(valid_to.clone()));
    }
    if let Some(store) = &key.custom_key_store {
        cautions.push(Caution::CustomKeyStore(store.clone()));
    }
    if key.multi_region == MultiRegion::Replica {
        cautions.push(Caution::Replica);
    }
    Fitness { faults, cautions }
}

impl Unfit {
    /// How to get a fit key.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::State { state, .. } => match state.as_str() {
                "Disabled" => "enable the key (kms:EnableKey), or choose another",
                "PendingDeletion" => {
                    "cancel its deletion and enable it (kms:CancelKeyDeletion, kms:EnableKey), or choose another"
                }
                "PendingImport" => "import its key material (kms:ImportKeyMaterial), or choose another",
                "Unavailable" => {
                    "connect its custom key store (kms:ConnectCustomKeyStore), or choose another"
                }
                _ => "wait until its state is Enabled, or choose another",
            },
            Self::Spec(_) | Self::Usage(_) => {
                "choose a key of spec SYMMETRIC_DEFAULT and usage ENCRYPT_DECRYPT; both are fixed at creation"
            }
            Self::AwsManaged => {
                "choose a customer managed key; the policy of an AWS managed key cannot be changed"
            }
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State { state, deletion_date: Some(date) } => {
                write!(f, "its state is {state}, not Enabled: it will be deleted on {date}")
            }
            Self::State { state, deletion_date: None } => write!(f, "its state is {state}, not Enabled"),
            Self::Spec(spec) => write!(f, "its spec is {spec}, not SYMMETRIC_DEFAULT"),
            Self::Usage(usage) => write!(f, "its usage is {usage}, not ENCRYPT_DECRYPT"),
            Self::AwsManaged => {
                f.write_str("AWS manages it, and its policy admits calls through one service only")
            }
        }
    }
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expires(date) => {
                write!(f, "its imported key material expires on {date}; sessions fail from then on")
            }
            Self::CustomKeyStore(store) => {
                write!(f, "custom key store {store} holds it; sessions fail while the store is disconnected")
            }
            Self::Replica => {
                f.write_str("it is a multi-Region replica, with a policy and a state of its own")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::example_key;
    use super::*;

    #[test]
    fn an_enabled_symmetric_customer_key_is_fit() {
        assert_eq!(fitness(&example_key()), Fitness { faults: vec![], cautions: vec![] });
        let updating = KeyDescription { state: "Updating".into(), ..example_key() };
        assert_eq!(fitness(&updating), Fitness { faults: vec![], cautions: vec![] });
    }

    #[test]
    fn each_other_state_is_unfit() {
        for state in [
            "Creating",
            "Disabled",
            "PendingDeletion",
            "PendingImport",
            "PendingReplicaDeletion",
            "Unavailable",
        ] {
            let verdict = fitness(&KeyDescription { state: state.into(), ..example_key() });
            assert_eq!(verdict.faults, vec![Unfit::State { state: state.into(), deletion_date: None }]);
            assert!(!verdict.faults[0].remedy().is_empty());
        }
    }

    #[test]
    fn each_fault_is_named() {
        let verdict = fitness(&KeyDescription {
            manager: "AWS".into(),
            spec: "RSA_2048".into(),
            usage: "SIGN_VERIFY".into(),
            ..example_key()
        });
        assert_eq!(
            verdict.faults,
            vec![Unfit::AwsManaged, Unfit::Spec("RSA_2048".into()), Unfit::Usage("SIGN_VERIFY".into())]
        );
    }

    #[test]
    fn a_key_of_the_wrong_kind_stays_so_and_one_in_the_wrong_state_need_not() {
        for (spec, usage, manager, state, expected) in [
            ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "CUSTOMER", "Enabled", false),
            ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "CUSTOMER", "Disabled", false),
            ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "CUSTOMER", "PendingDeletion", false),
            ("RSA_2048", "SIGN_VERIFY", "CUSTOMER", "Enabled", true),
            ("RSA_2048", "ENCRYPT_DECRYPT", "CUSTOMER", "Enabled", true),
            ("HMAC_256", "GENERATE_VERIFY_MAC", "CUSTOMER", "Disabled", true),
            ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS", "Enabled", true),
        ] {
            let key = KeyDescription {
                spec: spec.into(),
                usage: usage.into(),
                manager: manager.into(),
                state: state.into(),
                ..example_key()
            };
            assert_eq!(key.is_of_wrong_kind(), expected, "{key:?}");
        }
    }

    #[test]
    fn cautions_do_not_make_a_key_unfit() {
        let verdict = fitness(&KeyDescription {
            origin: Some("EXTERNAL".into()),
            valid_to: Some("2027-01-01T00:00:00Z".into()),
            custom_key_store: Some("cks-1".into()),
            multi_region: MultiRegion::Replica,
            ..example_key()
        });
        assert!(verdict.faults.is_empty());
        assert_eq!(verdict.cautions.len(), 3);
    }

    #[test]
    fn a_key_that_nobody_described_is_assumed_fit() {
        for (id, multi_region) in [("1-2", MultiRegion::SingleRegion), ("mrk-12", MultiRegion::Primary)] {
            let arn = KeyArn::parse(&format!("arn:aws:kms:eu-west-1:111122223333:key/{id}")).unwrap();
            let key = KeyDescription::assumed(arn);
            assert_eq!(
                (key.multi_region, key.origin.as_ref()),
                (multi_region, None),
                "its origin is unknown"
            );
            assert_eq!(fitness(&key).faults, []);
        }
    }
}
