//! Which properties each reader reads: for the reference and the schemas, which so follow the code.

use serde_json::{Map, Value, json};

use super::question::Question as _;
use super::{FunctionIdentity, session_encryption};
use crate::intent::{KeyAccessQuestion, SessionKeyQuestion};
use cloudformation_custom_resource::{Properties, PropertyDescription, PropertyKind, described};

/// A direct call as its reader reads it.
#[derive(Clone, Debug)]
pub(crate) struct DirectCallDescription {
    /// The word of `action`.
    pub(crate) action: String,
    /// Whether it says what it wants, as `reconcile` may or may not do.
    pub(crate) has_intent: bool,
    /// What it takes, the action first.
    pub(crate) properties: Vec<PropertyDescription>,
}

/// The properties of `Custom::SessionEncryption`.
pub(crate) fn session_encryption() -> Vec<PropertyDescription> {
    described(|| drop(session_encryption::intent(&mut Properties::new(&Map::new()))))
}

/// The properties of `Custom::SessionKey`.
pub(crate) fn session_key() -> Vec<PropertyDescription> {
    described(|| drop(SessionKeyQuestion::read(&Map::new())))
}

/// The properties of `Custom::SessionKeyAccess`.
pub(crate) fn session_key_access() -> Vec<PropertyDescription> {
    described(|| drop(KeyAccessQuestion::read(&Map::new())))
}

/// The direct calls, in the order of the actions. An action that may come with an intent and without one is there twice.
pub(crate) fn direct_calls() -> Vec<DirectCallDescription> {
    let of_no_action = read(&json!({"action": null}));
    let Some(PropertyKind::Word(actions)) = of_no_action.into_iter().next().map(|property| property.kind)
    else {
        return Vec::new();
    };
    let calls = actions.into_iter().flat_map(|action| {
        let forms = [
            (CallForm::Plain, json!({"action": action})),
            (CallForm::WithIntent, json!({"action": action, "encryption": "Enabled"})),
            (CallForm::Terraform, json!({"action": action, "tf": {"action": "create"}})),
            (CallForm::TerraformDestroy, json!({"action": action, "tf": {"action": "delete"}})),
        ];
        let mut forms: Vec<_> = forms
            .into_iter()
            .map(|(form, call)| DirectCallDescription {
                action: action.clone(),
                form,
                properties: read(&call),
            })
            .collect();
        // Most actions are read in one way, whatever else the call says.
        forms.dedup_by(|later, earlier| later.properties == earlier.properties);
        forms
    });
    let mut calls: Vec<_> = calls.collect();
    calls.dedup_by(|with, without| with.properties == without.properties);
    for call in &mut calls {
        call.has_intent = call.properties.iter().any(|property| property.name == "encryption");
    }
    calls
}

fn read(call: &Value) -> Vec<PropertyDescription> {
    described(|| drop(super::read(call, FunctionIdentity::default())))
}
