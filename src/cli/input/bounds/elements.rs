//! The elements of a statement that say whom and what it covers, widened or narrowed. NotPrincipal, NotAction and
//! NotResource are lists of the same kinds, handled the other way round.

use serde_json::{Map, Value, json};

use super::super::resolved::{Resolved, ResolvedValue};
use super::{BoundRules, Cover};
use crate::access::CallerKind;
use kms_key_policy::matches_wildcards;

/// A principal that nobody who is asked about is.
pub(super) const NO_SERVICE: &str = "none.invalid";
/// An action that no session calls.
pub(super) const NO_ACTION: &str = "kms:NoAction";
/// A resource that no key is.
const NO_RESOURCE: &str = "arn:aws:none:::none";

impl BoundRules {
    /// A list of principals that covers the most or the least.
    pub(super) fn principal(&self, principal: &Resolved, cover: Cover) -> Value {
        match &principal.value {
            ResolvedValue::Unknown(_) => match cover {
                Cover::Widest => json!("*"),
                Cover::Narrowest => json!({ "Service": NO_SERVICE }),
            },
            // A text is everybody, or it is no principal.
            ResolvedValue::Text(text) if text.as_known().is_none() => match cover {
                Cover::Widest if text.may_match("*") => json!("*"),
                _ => json!({ "Service": NO_SERVICE }),
            },
            ResolvedValue::Map(members) => {
                let members = members.iter().filter(|(_, list)| list.value != ResolvedValue::Absent);
                let bounded = members.map(|(kind, list)| (kind.clone(), self.principals(kind, list, cover)));
                Value::Object(bounded.collect::<Map<_, _>>())
            }
            _ => principal.to_json(),
        }
    }

    fn principals(&self, kind: &str, list: &Resolved, cover: Cover) -> Value {
        if list.unknowns().is_empty() {
            return list.to_json();
        }
        let mut bounded: Vec<Value> = Vec::new();
        for item in present(list) {
            match item.as_text() {
                _ if item.unknowns().is_empty() => bounded.push(item.to_json()),
                Some(text) if kind == "AWS" => {
                    if cover == Cover::Widest {
                        let may_be = self.principals.iter().filter(|principal| text.may_match(principal));
                        bounded.extend(may_be.map(|principal| json!(principal)));
                    }
                }
                // Nobody who is asked about is a service or a federated identity.
                Some(_) => bounded.push(json!(NO_SERVICE)),
                None => bounded.push(item.to_json()),
            }
        }
        Value::Array(bounded)
    }

    /// A list of actions that covers the most or the least.
    pub(super) fn actions(&self, actions: &Resolved, cover: Cover) -> Value {
        if actions.unknowns().is_empty() {
            return actions.to_json();
        }
        let mut bounded = Vec::new();
        for item in present(actions) {
            match item.as_text() {
                _ if item.unknowns().is_empty() => bounded.push(item.to_json()),
                Some(text) => {
                    let calls = [CallerKind::User, CallerKind::Node].map(|side| side.call().action());
                    let may_be = calls.iter().filter(|call| cover == Cover::Widest && text.may_match(call));
                    bounded.extend(may_be.map(|call| json!(call)));
                }
                None => bounded.push(item.to_json()),
            }
        }
        // A list without actions is malformed.
        if bounded.is_empty() {
            bounded.push(json!(NO_ACTION));
        }
        Value::Array(bounded)
    }

    /// A list of resources that covers the most or the least.
    pub(super) fn resources(&self, resources: &Resolved, cover: Cover) -> Value {
        let mut bounded = Vec::new();
        let mut is_open = false;
        for item in present(resources) {
            let Some(text) = item.as_text().filter(|_| item.value != ResolvedValue::Null) else {
                bounded.push(item.to_json());
                continue;
            };
            let is_certain = match text.as_known() {
                Some(text) => self.is_comparable(text),
                None => false,
            };
            if is_certain {
                bounded.push(item.to_json());
                continue;
            }
            is_open = true;
            // A variable is replaced by a text that is not known here.
            let may_cover = text.holds("${") || !self.is_key_given || text.may_match(self.key.as_str());
            if cover == Cover::Widest && may_cover {
                bounded.push(json!("*"));
            }
        }
        if !is_open {
            return resources.to_json();
        }
        // An empty list of resources makes a statement void, be it Resource or NotResource.
        if bounded.is_empty() {
            bounded.push(json!(NO_RESOURCE));
        }
        Value::Array(bounded)
    }

    /// Whether it is certain if a resource of a policy is the key.
    pub(in crate::cli) fn is_comparable(&self, resource: &str) -> bool {
        if self.is_key_given || resource == "*" || resource == self.key.as_str() {
            return true;
        }
        // Another service's resource is no key, whichever key it is. Everything else may be one.
        let mut parts = resource.split(':');
        let (arn, _, service) = (parts.next(), parts.next(), parts.next());
        let is_of_other_service = service.is_some_and(|service| !matches_wildcards(service, "kms"));
        arn == Some("arn") && is_of_other_service && !resource.contains("${")
    }
}

/// The items that are there. An unknown list is one unknown item.
fn present(list: &Resolved) -> impl Iterator<Item = &Resolved> {
    list.one_or_many().iter().filter(|item| item.value != ResolvedValue::Absent)
}
