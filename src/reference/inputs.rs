//! The inputs: what each reader takes, as a JSON Schema. The readers are run to find out which properties they read.

use serde_json::{Map, Value, json};

use super::texts::{Requirement, TextGroup};
use crate::event::descriptions::{self, CallForm, DirectCallDescription};
use cloudformation_custom_resource::{PropertyDescription, PropertyKind};

/// What CloudFormation itself reads of the properties of a custom resource.
const OF_CLOUDFORMATION: [(&str, &str); 2] = [
    ("ServiceToken", "The ARN of the function, or of a topic that it is subscribed to."),
    ("ServiceTimeout", "How many seconds CloudFormation waits for the answer."),
];

/// A reader, and what it reads.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    /// What it reads: `Custom::SessionKey`, or the action of a direct call.
    pub(super) title: String,
    /// Where the texts of its properties are.
    pub(super) group: TextGroup,
    /// The form of the call.
    pub(super) form: CallForm,
    /// The properties.
    pub(super) properties: Vec<PropertyDescription>,
}

impl Reader {
    fn resource(title: &str, group: TextGroup, properties: Vec<PropertyDescription>) -> Self {
        Self { title: title.to_owned(), group, form: CallForm::Plain, properties }
    }

    pub(super) fn session_encryption() -> Self {
        Self::resource("Custom::SessionEncryption", TextGroup::Encryption, descriptions::session_encryption())
    }

    pub(super) fn session_key() -> Self {
        Self::resource("Custom::SessionKey", TextGroup::Key, descriptions::session_key())
    }

    pub(super) fn session_key_access() -> Self {
        Self::resource("Custom::SessionKeyAccess", TextGroup::Access, descriptions::session_key_access())
    }

    /// The direct calls. `reconcile` is there in each of its forms.
    pub(super) fn direct_calls() -> Vec<Self> {
        let calls = descriptions::direct_calls().into_iter();
        calls
            .map(|DirectCallDescription { action, form, properties }| {
                let group =
                    if action.starts_with("audit") { TextGroup::Audit } else { TextGroup::Encryption };
                Self { title: action, group, form, properties }
            })
            .collect()
    }

    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let resources = [Self::session_encryption(), Self::session_key(), Self::session_key_access()];
        resources.into_iter().chain(Self::direct_calls()).collect()
    }

    /// Whether it says what is wanted of a document.
    pub(super) fn has_intent(&self) -> bool {
        self.properties.iter().any(|property| pascal(&property.name) == "Encryption")
    }

    /// The properties of a resource as CloudFormation sends them.
    pub(super) fn resource_schema(&self) -> Map<String, Value> {
        let mut schema = self.schema();
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            for (name, description) in OF_CLOUDFORMATION {
                properties.insert(
                    name.to_owned(),
                    json!({"description": description, "type": ["string", "number"]}),
                );
            }
        }
        schema.insert("description".to_owned(), self.description().into());
        schema
    }

    /// The call as JSON.
    pub(super) fn call_schema(&self) -> Map<String, Value> {
        let mut schema = self.schema();
        let action = json!({
            "description": "The action, in any case.",
            "type": "string",
            "pattern": any_case(&[&self.title]),
        });
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.insert("action".to_owned(), action);
            if let Some(actions) = self.form.of_terraform() {
                properties.insert("tf".to_owned(), terraform(actions));
            }
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.insert(0, "action".into());
            required.extend(self.form.of_terraform().map(|_| "tf".into()));
        }
        // Whatever else the input holds, Terraform can destroy what it has made.
        if self.form == CallForm::TerraformDestroy {
            schema.insert("additionalProperties".to_owned(), true.into());
            if let Some(Value::Object(properties)) = schema.get_mut("properties") {
                properties.retain(|name, _| name == "action" || name == "tf");
            }
        }
        schema
    }

    fn description(&self) -> String {
        format!(
            "The properties of {}, as CloudFormation sends them: without intrinsic functions, numbers and booleans as such or \
             as text, words in any case.",
            self.title
        )
    }

    fn schema(&self) -> Map<String, Value> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for property in &self.properties {
            let need = self.group.text(&pascal(&property.name)).map_or(Requirement::Reader, |text| text.need);
            let in_pairs = property.name == "roleName" && self.title == "auditPairs";
            let is_required = property.is_required || need == Requirement::Always || in_pairs;
            if is_required {
                required.push(Value::from(property.name.clone()));
            }
            properties.insert(property.name.clone(), self.property_schema(property, is_required));
        }
        let mut schema = Map::new();
        schema.insert("type".to_owned(), "object".into());
        schema.insert("properties".to_owned(), Value::Object(properties));
        schema.insert("required".to_owned(), required.into());
        schema.insert("additionalProperties".to_owned(), false.into());
        schema.extend(self.conditions());
        schema
    }

    fn property_schema(&self, property: &PropertyDescription, is_required: bool) -> Value {
        let mut schema = Map::new();
        let text = self.group.text(&pascal(&property.name));
        if let Some(text) = text {
            let default = match text.default {
                "" => String::new(),
                default => format!(" Default: {default}."),
            };
            schema.insert("description".to_owned(), format!("{}{default}", text.meaning).into());
        }
        let kind = match &property.kind {
            // The readers take a number or a boolean like its text, and null like an absent property.
            PropertyKind::Text if is_required => {
                json!({"type": ["string", "number", "boolean"], "minLength": 1})
            }
            PropertyKind::Text => json!({"type": ["string", "number", "boolean", "null"]}),
            PropertyKind::Flag => any_case_or_null(&["true", "false"], &json!({"type": ["boolean", "null"]})),
            PropertyKind::Word(words) => {
                let words: Vec<_> = words.iter().map(String::as_str).collect();
                any_case_or_null(&words, &json!({"enum": words_and_null(&words)}))
            }
            PropertyKind::Texts => json!({
                "type": ["array", "string", "number", "boolean", "null"],
                "items": {"type": ["string", "number", "boolean"]},
            }),
            PropertyKind::ObjectOrText => json!({"type": ["object", "string", "null"]}),
        };
        if let Value::Object(kind) = kind {
            schema.extend(kind);
        }
        Value::Object(schema)
    }

    /// What the readers say about several properties together.
    fn conditions(&self) -> Map<String, Value> {
        let named = |name: &str| {
            let property = self.properties.iter().find(|property| pascal(&property.name) == name);
            property.map(|property| property.name.clone()).unwrap_or_default()
        };
        let is = |name: &str, word: &str| {
            let name = named(name);
            json!({"properties": {&name: {"type": "string", "pattern": any_case(&[word])}}, "required": [&name]})
        };
        let absent = |name: &str| json!({"properties": {named(name): {"enum": [null, ""]}}});
        let given = |name: &str| {
            let name = named(name);
            json!({"properties": {&name: {"not": {"enum": [null, ""]}}}, "required": [&name]})
        };
        let conditions = if self.has_intent() {
            json!({
                "if": is("Encryption", "Disabled"),
                "then": {"allOf": [absent("KmsKeyId"), absent("StandbyKmsKeyId")]},
                "else": {
                    "allOf": [
                        given("KmsKeyId"),
                        {
                            "if": is("OnKeyTrouble", "Standby"),
                            "then": given("StandbyKmsKeyId"),
                            "else": absent("StandbyKmsKeyId"),
                        },
                    ],
                },
            })
        } else if self.group == TextGroup::Access {
            json!({"anyOf": [given("ConsumerAccounts"), given("Users"), given("Nodes")]})
        } else {
            Value::Null
        };
        match conditions {
            Value::Object(conditions) => conditions,
            _ => Map::new(),
        }
    }
}

impl CallForm {
    /// What Terraform says that it does, if it makes the call.
    fn of_terraform(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Plain | Self::WithIntent => None,
            Self::Terraform => Some(&["create", "update"]),
            Self::TerraformDestroy => Some(&["delete"]),
        }
    }
}

/// The member that Terraform adds to the input of a resource `aws_lambda_invocation`.
fn terraform(actions: &[&str]) -> Value {
    json!({
        "description": "What Terraform adds to the input: what it does with its resource, and the input before.",
        "type": "object",
        "properties": {"action": {"type": "string", "pattern": any_case(actions)}},
        "required": ["action"],
    })
}

/// A name as CloudFormation spells it.
pub(super) fn pascal(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn words_and_null(words: &[&str]) -> Vec<Value> {
    words.iter().map(|word| Value::from(*word)).chain([Value::Null]).collect()
}

/// A schema for words that are taken in any case, or for what `also` takes. Editors offer the words of `also`.
fn any_case_or_null(words: &[&str], also: &Value) -> Value {
    json!({"anyOf": [also, {"type": "string", "pattern": any_case(words)}]})
}

/// A regular expression for words in any case. JSON Schema has no flag for it.
fn any_case(words: &[&str]) -> String {
    let any_case = |word: &&str| -> String {
        word.chars()
            .map(|letter| format!("[{}{}]", letter.to_ascii_uppercase(), letter.to_ascii_lowercase()))
            .collect()
    };
    let words: Vec<String> = words.iter().map(any_case).collect();
    format!("^({})$", words.join("|"))
}
