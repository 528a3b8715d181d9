//! The truth, told by hand and put together by AWS's rules as the facts have them. It shares no line with the code
//! under test: what an entry of a list means is written beside it, and this only combines.

/// How the key's policy stands to a caller, in one of the worlds that the known leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySide {
    /// It grants the call to the caller as such.
    Named,
    /// It leaves the call to the account's own policies.
    Account,
    /// It says nothing of it.
    Silent,
    /// It denies it.
    Denied,
}

/// Whether a grant covers the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantSide {
    Nothing,
    Covers,
    /// One that nobody could list may.
    Unseen,
}

/// What the caller's own side says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnSide {
    Allows,
    /// Nothing allows.
    Silent,
    Denies,
    /// No service control policy allows.
    NotInOrganization,
    /// It would allow, but for the permissions boundary.
    Bounded,
}

/// What everybody knows of a caller.
#[derive(Clone, Debug)]
pub struct Situation {
    pub is_user: bool,
    /// Caller and key are of one account.
    pub same_account: bool,
    /// Every way in which the key's policy may stand.
    pub key: Vec<KeySide>,
    pub grant: Vec<GrantSide>,
    pub own: Vec<OwnSide>,
}

/// What can be said of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It can, in every world.
    Can,
    /// It cannot, in any.
    Cannot,
    Unknown,
}

impl Situation {
    /// The truth over all worlds.
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
            // Both sides; a grant that names the foreign caller spares the own one, as far as it was seen.
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
    /// Whether a change is refused over a caller of whom this is true.
    pub fn refuses(self, mode: &str) -> bool {
        match mode {
            "Strict" => self != Self::Can,
            "Enforce" => self == Self::Cannot,
            _ => false,
        }
    }
}

#[test]
fn the_rules_are_awss() {
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
