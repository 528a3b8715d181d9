//! The state of KMS keys and aliases, with its switches.

use serde_json::{Value, json};

use super::super::call::{Caller, Location};
use super::super::world::World;

/// What a dry run answers to a caller without permission, or on a key that is not Enabled. AWS does not document it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DryRunOrder {
    /// AccessDenied comes before the key's state, as in a real call.
    AccessThenState,
    /// The key's state comes before AccessDenied.
    StateThenAccess,
    /// Only the permission counts, and not the key's state.
    AccessOnly,
    /// DryRun is ignored, as other local stubs do it, and the answer is a data key.
    Ignored,
}

/// All keys and aliases.
#[derive(Clone, Debug)]
pub struct Keys {
    pub dry_run: DryRunOrder,
    pub list: Vec<Key>,
    pub aliases: Vec<Alias>,
    pub ciphertexts: Vec<Ciphertext>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            dry_run: DryRunOrder::AccessThenState,
            list: Vec::new(),
            aliases: Vec::new(),
            ciphertexts: Vec::new(),
        }
    }
}

/// An alias of an account and Region.
#[derive(Clone, Debug)]
pub struct Alias {
    pub location: Location,
    /// With its `alias/`.
    pub name: String,
    pub key_id: String,
}

/// A data key that GenerateDataKey issued, so that Decrypt recognizes it.
#[derive(Clone, Debug)]
pub struct Ciphertext {
    pub blob: String,
    pub plaintext: String,
    pub key_arn: String,
    pub context: Value,
}

/// A KMS key. Its fields are KeyMetadata's, in AWS's words; tests change them freely.
#[derive(Clone, Debug)]
pub struct Key {
    pub location: Location,
    pub id: String,
    pub arn: String,
    pub state: &'static str,
    pub spec: &'static str,
    pub usage: &'static str,
    pub manager: &'static str,
    pub origin: &'static str,
    pub description: String,
    /// Epoch seconds; imported material that expires.
    pub valid_to: Option<f64>,
    /// Epoch seconds, with state PendingDeletion.
    pub deletion_date: Option<f64>,
    pub custom_key_store_id: Option<String>,
    /// `MultiRegionConfiguration` as DescribeKey shows it.
    pub multi_region: Option<Value>,
    /// The text that GetKeyPolicy returns. Only [`Key::allow`] and [`Key::deny`] decide about access.
    pub policy: String,
    /// As ListGrants returns them.
    pub grants: Vec<Value>,
    pub tags: Vec<(String, String)>,
    access: Vec<Access>,
}

#[derive(Clone, Debug)]
struct Access {
    who: String,
    action: String,
    allowed: bool,
}

impl Key {
    /// An enabled symmetric customer key, with the default policy that delegates to its account.
    pub fn new(location: &Location, id: &str) -> Self {
        let root = format!("arn:aws:iam::{}:root", location.account);
        let policy = json!({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": root},
            "Action": "kms:*",
            "Resource": "*",
        }]});
        Self {
            location: location.clone(),
            id: id.to_owned(),
            arn: format!("arn:aws:kms:{}:{}:key/{id}", location.region, location.account),
            state: "Enabled",
            spec: "SYMMETRIC_DEFAULT",
            usage: "ENCRYPT_DECRYPT",
            manager: "CUSTOMER",
            origin: "AWS_KMS",
            description: String::new(),
            valid_to: None,
            deletion_date: None,
            custom_key_store_id: None,
            multi_region: None,
            policy: policy.to_string(),
            grants: Vec::new(),
            tags: Vec::new(),
            access: Vec::new(),
        }
    }

    /// Allows an action or `*` to an account, a principal ARN or `*`. The last rule that matches decides.
    pub fn allow(&mut self, who: &str, action: &str) {
        self.access.push(Access { who: who.to_owned(), action: action.to_owned(), allowed: true });
    }

    /// The opposite of [`Key::allow`].
    pub fn deny(&mut self, who: &str, action: &str) {
        self.access.push(Access { who: who.to_owned(), action: action.to_owned(), allowed: false });
    }

    /// Whether the caller may do the action. Without a rule, the key's own account may and others may not.
    pub fn admits(&self, caller: &Caller, action: &str) -> bool {
        let matches = |rule: &&Access| {
            [caller.account.as_str(), caller.arn.as_str(), "*"].contains(&rule.who.as_str())
                && [action, "*"].contains(&rule.action.as_str())
        };
        match self.access.iter().rev().find(matches) {
            Some(rule) => rule.allowed,
            None => self.location.account == caller.account,
        }
    }
}

impl World {
    /// Adds a key to the default account and Region, and returns its ARN.
    pub fn add_key(&mut self, id: &str) -> String {
        let location = self.location.clone();
        self.add_key_at(&location, id)
    }

    /// Adds a key to another account or Region, and returns its ARN, which has the world's partition.
    pub fn add_key_at(&mut self, location: &Location, id: &str) -> String {
        let mut key = Key::new(location, id);
        key.arn = key.arn.replacen("arn:aws:", &format!("arn:{}:", self.partition), 1);
        key.policy = key.policy.replace("arn:aws:", &format!("arn:{}:", self.partition));
        let arn = key.arn.clone();
        self.keys.list.push(key);
        arn
    }

    /// The key with this ARN, to read and to change.
    pub fn key(&mut self, arn: &str) -> &mut Key {
        self.keys.list.iter_mut().find(|key| key.arn == arn).expect("the key was added")
    }

    /// Gives a key an alias (with its `alias/`) in the key's account and Region, or moves the alias to it.
    pub fn add_alias(&mut self, name: &str, key_arn: &str) {
        let key = self.key(key_arn);
        let alias = Alias { location: key.location.clone(), name: name.to_owned(), key_id: key.id.clone() };
        self.keys.aliases.retain(|known| known.location != alias.location || known.name != alias.name);
        self.keys.aliases.push(alias);
    }
}
