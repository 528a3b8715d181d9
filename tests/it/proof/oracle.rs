//! The truth, told by hand and put together by AWS's rules as the facts have them. It shares no line with the code
//! under test: what an entry of a list means is written beside it, and this only combines.

/// How the key's policy stands to a caller, in one of the worlds that the known leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
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
pub enum Grant {
    Nothing,
    Covers,
    /// One that nobody could list may.
    Unseen,
}

/// What the caller's own side says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
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
    pub key: Vec<Key>,
    pub grant: Vec<Grant>,
    pub own: Vec<Own>,
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

    fn is_allowed(&self, key: Key, grant: Grant, own: Own) -> bool {
        if key == Key::Denied || matches!(own, Own::Denies | Own::NotInOrganization) {
            return false;
        }
        let key_side = matches!(key, Key::Named | Key::Account) || grant != Grant::Nothing;
        if !self.same_account {
            // Both sides; a grant that names the foreign caller spares the own one, as far as it was seen.
            return key_side && own == Own::Allows || grant == Grant::Covers && own == Own::Silent;
        }
        match own {
            Own::Allows => key_side,
            Own::Silent => key == Key::Named || grant != Grant::Nothing,
            // A boundary does not limit what a key policy grants to a user by name.
            Own::Bounded => key == Key::Named && self.is_user,
            Own::Denies | Own::NotInOrganization => false,
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
    let situation = |same_account, key: &[Key], grant: &[Grant], own: &[Own]| Situation {
        is_user: false,
        same_account,
        key: key.to_vec(),
        grant: grant.to_vec(),
        own: own.to_vec(),
    };
    for (same, key, grant, own, truth) in [
        (true, &[Key::Named][..], Grant::Nothing, &[Own::Silent][..], Truth::Can),
        (true, &[Key::Account], Grant::Nothing, &[Own::Silent], Truth::Cannot),
        (true, &[Key::Account], Grant::Nothing, &[Own::Allows], Truth::Can),
        (true, &[Key::Silent], Grant::Nothing, &[Own::Allows], Truth::Cannot),
        (true, &[Key::Silent], Grant::Covers, &[Own::Silent], Truth::Can),
        (true, &[Key::Denied], Grant::Covers, &[Own::Allows], Truth::Cannot),
        (true, &[Key::Named], Grant::Nothing, &[Own::Denies], Truth::Cannot),
        (true, &[Key::Named], Grant::Nothing, &[Own::Bounded], Truth::Cannot),
        (true, &[Key::Account, Key::Denied], Grant::Nothing, &[Own::Allows], Truth::Unknown),
        (true, &[Key::Account, Key::Denied], Grant::Nothing, &[Own::Silent], Truth::Cannot),
        (false, &[Key::Named], Grant::Nothing, &[Own::Silent], Truth::Cannot),
        (false, &[Key::Named], Grant::Nothing, &[Own::Allows], Truth::Can),
        (false, &[Key::Silent], Grant::Covers, &[Own::Silent], Truth::Can),
        (false, &[Key::Account], Grant::Unseen, &[Own::Silent], Truth::Cannot),
    ] {
        assert_eq!(situation(same, key, &[grant], own).truth(), truth, "{same} {key:?} {grant:?} {own:?}");
    }
}
