//! The oracle of the decision table. Each entry of a list says by hand what it means, and the oracle combines the
//! entries by AWS's rules. It shares no code with the program.

/// What the key policy says about a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySide {
    /// It allows the call to the caller itself.
    Named,
    /// It leaves the call to the IAM policies of the account.
    Account,
    /// It says nothing about the call.
    Silent,
    /// It denies the call.
    Denied,
}

/// Whether a grant covers the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantSide {
    Nothing,
    Covers,
    /// The grants cannot be listed, and one may cover the call.
    Unseen,
}

/// What the caller's own policies say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnSide {
    Allows,
    /// Nothing allows.
    Silent,
    Denies,
    /// No service control policy allows.
    NotInOrganization,
    /// A policy allows, but the permissions boundary does not.
    Bounded,
}

/// What is known about a caller. Each list holds everything that may be the case.
#[derive(Clone, Debug)]
pub struct Situation {
    pub is_user: bool,
    /// Whether the caller and the key are of one account.
    pub same_account: bool,
    pub key: Vec<KeySide>,
    pub grant: Vec<GrantSide>,
    pub own: Vec<OwnSide>,
}

/// Whether a caller can use the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It can, whatever is the case.
    Can,
    /// It cannot, whatever is the case.
    Cannot,
    Unknown,
}

impl Situation {
    /// What is true, over everything that may be the case.
    pub fn truth(&self) -> Truth {
        let mut allowed = Vec::new();
        for &key in &self.key {
            for &grant in &self.grant {
                for &own in &self.own {
                    allowed.push(self.is_allowed(key, grant, own));
                }
            }
        }
        match (allowed.contains(&true), allowed.contains(&false)) {
            (true, false) => Truth::Can,
            (false, true) => Truth::Cannot,
            _ => Truth::Unknown,
        }
    }

    fn is_allowed(&self, key: KeySide, grant: GrantSide, own: OwnSide) -> bool {
        if key == KeySide::Denied || matches!(own, OwnSide::Denies | OwnSide::NotInOrganization) {
            return false;
        }
        let key_side = matches!(key, KeySide::Named | KeySide::Account) || grant != GrantSide::Nothing;
        if !self.same_account {
            // Both sides must allow. A listed grant that names the foreign caller makes an own Allow unnecessary.
            return key_side && own == OwnSide::Allows
                || grant == GrantSide::Covers && own == OwnSide::Silent;
        }
        match own {
            OwnSide::Allows => key_side,
            OwnSide::Silent => key == KeySide::Named || grant != GrantSide::Nothing,
            // A boundary does not limit what a key policy grants to a user by name.
            OwnSide::Bounded => key == KeySide::Named && self.is_user,
            OwnSide::Denies | OwnSide::NotInOrganization => false,
        }
    }
}

impl Truth {
    /// Whether a mode refuses a change because of a caller of whom this is true.
    pub fn refuses(self, mode: &str) -> bool {
        match mode {
            "Strict" => self != Self::Can,
            "Enforce" => self == Self::Cannot,
            _ => false,
        }
    }
}

#[test]
fn the_oracle_follows_awss_rules() {
    let situation = |same_account, key: &[KeySide], grant: &[GrantSide], own: &[OwnSide]| Situation {
        is_user: false,
        same_account,
        key: key.to_vec(),
        grant: grant.to_vec(),
        own: own.to_vec(),
    };
    for (same, key, grant, own, truth) in [
        (true, &[KeySide::Named][..], GrantSide::Nothing, &[OwnSide::Silent][..], Truth::Can),
        (true, &[KeySide::Account], GrantSide::Nothing, &[OwnSide::Silent], Truth::Cannot),
        (true, &[KeySide::Account], GrantSide::Nothing, &[OwnSide::Allows], Truth::Can),
        (true, &[KeySide::Silent], GrantSide::Nothing, &[OwnSide::Allows], Truth::Cannot),
        (true, &[KeySide::Silent], GrantSide::Covers, &[OwnSide::Silent], Truth::Can),
        (true, &[KeySide::Denied], GrantSide::Covers, &[OwnSide::Allows], Truth::Cannot),
        (true, &[KeySide::Named], GrantSide::Nothing, &[OwnSide::Denies], Truth::Cannot),
        (true, &[KeySide::Named], GrantSide::Nothing, &[OwnSide::Bounded], Truth::Cannot),
        (true, &[KeySide::Account, KeySide::Denied], GrantSide::Nothing, &[OwnSide::Allows], Truth::Unknown),
        (true, &[KeySide::Account, KeySide::Denied], GrantSide::Nothing, &[OwnSide::Silent], Truth::Cannot),
        (false, &[KeySide::Named], GrantSide::Nothing, &[OwnSide::Silent], Truth::Cannot),
        (false, &[KeySide::Named], GrantSide::Nothing, &[OwnSide::Allows], Truth::Can),
        (false, &[KeySide::Silent], GrantSide::Covers, &[OwnSide::Silent], Truth::Can),
        (false, &[KeySide::Account], GrantSide::Unseen, &[OwnSide::Silent], Truth::Cannot),
    ] {
        assert_eq!(situation(same, key, &[grant], own).truth(), truth, "{same} {key:?} {grant:?} {own:?}");
    }
}
