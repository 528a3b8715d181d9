//! The state of the stub: plain values, usable without HTTP. A new service's state is one field here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::call::{Call, Caller, Location, Outcome, Refusal};
use super::config::Rules;
use super::ec2::{Associations, Instances, Vpcs};
use super::iam::Iam;
use super::kms::Keys;
use super::organizations::Tree;
use super::s3::Buckets;
use super::services;
use super::ssm::{Document, Documents, Fleet, Parameters};

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "eu-west-1";

/// Everything that the stub knows. Each field's type documents its switches.
#[derive(Clone, Debug)]
pub struct World {
    pub partition: String,
    /// The default account and Region, for [`World::ask`] and the helpers. Calls over HTTP have their own.
    pub location: Location,
    /// Principals by access key, beyond the 12-digit keys that are account roots.
    pub callers: BTreeMap<String, Caller>,
    /// The largest page of every paginated operation, so that a short list has several pages too.
    pub page_size: Option<usize>,
    pub documents: Documents,
    pub parameters: Parameters,
    pub keys: Keys,
    pub fleet: Fleet,
    pub iam: Iam,
    pub associations: Associations,
    pub instances: Instances,
    pub vpcs: Vpcs,
    pub rules: Rules,
    /// The id of the organization that the accounts are in, if they are in one.
    pub organization: Option<String>,
    /// The tree of its accounts.
    pub tree: Tree,
    /// The Regions of accounts that have others than usual, each with its state.
    pub account_regions: BTreeMap<String, Vec<(&'static str, &'static str)>>,
    pub buckets: Buckets,
    /// The Regions that are not enabled in an account. Services do not know the account's credentials there.
    pub not_enabled: BTreeSet<Location>,
    ticks: u32,
}

impl Default for World {
    fn default() -> Self {
        Self {
            partition: "aws".to_owned(),
            location: Location::new(ACCOUNT, REGION),
            callers: BTreeMap::new(),
            page_size: None,
            documents: Documents::default(),
            parameters: Parameters::default(),
            keys: Keys::default(),
            fleet: Fleet::default(),
            iam: Iam::default(),
            associations: Associations::default(),
            instances: Instances::default(),
            vpcs: Vpcs::default(),
            rules: Rules::default(),
            organization: None,
            tree: Tree::default(),
            account_regions: BTreeMap::new(),
            buckets: Buckets::default(),
            not_enabled: BTreeSet::new(),
            ticks: 0,
        }
    }
}

impl World {
    /// Executes a call.
    pub fn call(&mut self, call: &Call) -> Outcome {
        if self.not_enabled.contains(&call.location())
            && let Some(service) = services::service(call.service)
        {
            return Err(service.unknown_token());
        }
        match services::operation(call.service, &call.operation) {
            Some(operation) => (operation.run)(self, call),
            None => Err(Refusal::client(
                "UnknownOperationException",
                format!("`{}` is not implemented", call.operation),
            )),
        }
    }

    /// Executes a call as the default caller. Hooks use it to act as a concurrent writer, and tests to change state.
    pub fn ask(&mut self, service: &'static str, operation: &str, body: Value) -> Outcome {
        let call = Call {
            service,
            operation: operation.to_owned(),
            body,
            caller: self.caller(),
            region: self.location.region.clone(),
        };
        self.call(&call)
    }

    /// The default caller: the function's role in the default account. It is used if the access key is not registered.
    pub fn caller(&self) -> Caller {
        let account = self.location.account.clone();
        let arn = format!("arn:{}:sts::{account}:assumed-role/session-kms/session-kms", self.partition);
        Caller { account, arn }
    }

    /// The document of the default account and Region.
    pub fn document(&self, name: &str) -> Option<&Document> {
        self.documents.held.get(&(self.location.clone(), name.to_owned()))
    }

    /// Puts a document as it is, valid or not, in the default account and Region.
    pub fn put_document(&mut self, name: &str, document: Document) {
        self.documents.held.insert((self.location.clone(), name.to_owned()), document);
    }

    /// The value of a parameter of the default account and Region.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.held.get(&(self.location.clone(), name.to_owned())).map(super::ssm::Parameter::value)
    }

    /// A date that no two calls share, in epoch seconds; it does not depend on the machine's clock.
    pub fn now(&mut self) -> f64 {
        self.ticks += 1;
        1_767_225_600.0 + f64::from(self.ticks)
    }
}
