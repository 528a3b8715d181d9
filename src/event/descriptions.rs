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
    /// What it says besides.
    pub(crate) form: CallForm,
    /// What it takes, the action first.
    pub(crate) properties: Vec<PropertyDescription>,
}

/// The forms of one action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallForm {
    /// It has one form, or this is the call that does not say what is wanted.
    Plain,
    /// The call says what is wanted.
    WithIntent,
    /// Terraform makes the call for a resource that it creates or updates.
    Terraform,
    /// Terraform makes the call for a resource that it destroys. Nothing else of the call keeps it from that.
    TerraformDestroy,
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

/// The direct calls, in the order of the actions, each form of an action once.
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
    calls.collect()
}

fn read(call: &Value) -> Vec<PropertyDescription> {
    described(|| drop(super::read(call, FunctionIdentity::default())))
}
