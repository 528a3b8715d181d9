//! The generated sections of `docs/reference.md`, as Markdown.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::inputs::{Reader, pascal};
use super::texts::{Requirement, TextGroup};
use super::{command_line, schemas};
use crate::event::descriptions::CallForm;
use cloudformation_custom_resource::{PropertyDescription, PropertyKind};

/// What each form of each action of a direct call does, and the schema of its answer.
const ACTIONS: [(&str, CallForm, &str, &str); 11] = [
    ("status", CallForm::Plain, "Says what the document has, and whether its key can be used.", "report"),
    (
        "check",
        CallForm::Plain,
        "Says whether everybody who needs the key can use it. Writes nothing.",
        "report",
    ),
    ("plan", CallForm::Plain, "Says what would change. Writes nothing.", "report"),
    (
        "reconcile",
        CallForm::Plain,
        "Repairs the document, or all documents, by their records.",
        "change-event-report",
    ),
    (
        "reconcile",
        CallForm::WithIntent,
        "Makes the document as the call says. All direct calls are one owner.",
        "report",
    ),
    (
        "reconcile",
        CallForm::Terraform,
        "Does the same for a resource of Terraform, and gives back the document of the input before. A refusal is an error.",
        "terraform-answer",
    ),
    (
        "reconcile",
        CallForm::TerraformDestroy,
        "Gives the document of a resource of Terraform back.",
        "terraform-answer",
    ),
    (
        "release",
        CallForm::Plain,
        "Gives back a document that direct calls own, as the deletion of a stack does.",
        "report",
    ),
    ("audit", CallForm::Plain, "Looks at one account and Region of an audit.", "audit-line"),
    ("auditPairs", CallForm::Plain, "Lists the accounts and Regions of an audit.", "audit-pairs-answer"),
    ("auditReport", CallForm::Plain, "Makes the report over the results of an audit.", "audit-report-answer"),
];

/// The sections by the names of their markers.
#[must_use]
pub fn sections() -> Vec<(&'static str, String)> {
    let schemas = schemas();
    let schema = |name: &str| schemas.iter().find(|(of, _)| *of == name).map(|(_, schema)| schema);
    let members = |name: &str| schema(name).map(members).unwrap_or_default();
    vec![
        ("properties of Custom::SessionEncryption", properties(&Reader::session_encryption())),
        ("properties of Custom::SessionKey", properties_of_key()),
        ("properties of Custom::SessionKeyAccess", properties(&Reader::session_key_access())),
        ("attributes of Custom::SessionEncryption", members("session-encryption-attributes")),
        ("attributes of Custom::SessionKey", members("session-key-attributes")),
        ("attributes of Custom::SessionKeyAccess", members("session-key-access-attributes")),
        ("direct calls", direct_calls()),
        ("fields of the calls of an audit", fields_of_audit()),
        ("command line", command_line::section()),
        ("members of a case", members("evaluate-case")),
        ("members of an answer", members("evaluate-answer")),
        ("schemas", list_of_schemas(&schemas)),
    ]
}

/// A text in a cell of a table.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn kind(property: &PropertyDescription) -> String {
    match &property.kind {
        PropertyKind::Text => "text".to_owned(),
        PropertyKind::Flag => "`true`, `false`".to_owned(),
        PropertyKind::Word(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        PropertyKind::Texts => "list of texts".to_owned(),
        PropertyKind::ObjectOrText => "object, or its text".to_owned(),
    }
}

fn row(group: TextGroup, property: &PropertyDescription) -> String {
    let text = group.text(&pascal(&property.name));
    let (default, meaning) = text.map_or(("", ""), |text| (text.default, text.meaning));
    let need = match text.map_or(Requirement::Reader, |text| text.need) {
        _ if property.is_required => Some("required".to_owned()),
        Requirement::Always => Some("required".to_owned()),
        Requirement::If(when) => Some(format!("required {when}")),
        Requirement::Reader => None,
    };
    let default = match (need, default) {
        (Some(need), "") => need,
        (Some(need), default) => format!("{need}; otherwise {default}"),
        (None, "") => "–".to_owned(),
        (None, default) => default.to_owned(),
    };
    format!("| `{}` | {} | {} | {} |\n", property.name, kind(property), cell(&default), cell(meaning))
}

const HEAD: &str = "| property | values | default | meaning |\n| --- | --- | --- | --- |\n";

fn properties(reader: &Reader) -> String {
    HEAD.to_owned()
        + &reader.properties.iter().map(|property| row(reader.group, property)).collect::<String>()
}

/// The properties that it shares with `Custom::SessionEncryption` mean the same, and are only named.
fn properties_of_key() -> String {
    let reader = Reader::session_key();
    let (own, shared): (Vec<_>, Vec<_>) = reader
        .properties
        .iter()
        .partition(|property| reader.group.own().iter().any(|text| text.name == pascal(&property.name)));
    let shared: Vec<_> = shared.into_iter().map(|property| format!("`{}`", property.name)).collect();
    let mut text = format!("As for `Custom::SessionEncryption`: {}. And:\n\n{HEAD}", shared.join(", "));
    text.extend(own.into_iter().map(|property| row(reader.group, property)));
    text
}

fn direct_calls() -> String {
    let mut text = "| action | what it does | fields | answer |\n| --- | --- | --- | --- |\n".to_owned();
    for reader in Reader::direct_calls() {
        let (title, form) = (&reader.title, reader.form);
        let action = ACTIONS.iter().find(|(action, of, ..)| action == title && *of == form);
        let (_, _, does, answer) = action.copied().unwrap_or(("", form, "", ""));
        let when = match form {
            CallForm::Plain if title == "reconcile" => " with neither `kmsKeyId` nor `encryption`",
            CallForm::Plain | CallForm::WithIntent => "",
            CallForm::Terraform => " with `tf`, whose `action` is `create` or `update`",
            CallForm::TerraformDestroy => " with `tf`, whose `action` is `delete`",
        };
        let names = reader.properties.iter().filter(|property| property.name != "action");
        let names = names.map(|property| format!("`{}`", property.name)).collect::<Vec<_>>().join(", ");
        let fields = match form {
            CallForm::TerraformDestroy => format!("{names}; all others are ignored"),
            CallForm::Terraform => {
                "those of `Custom::SessionEncryption` in camelCase, and `tf`, which Terraform adds".to_owned()
            }
            _ if reader.has_intent() => "those of `Custom::SessionEncryption` in camelCase".to_owned(),
            _ => names,
        };
        let _ = writeln!(text, "| `{title}`{when} | {does} | {fields} | `{answer}` |");
    }
    text
}

/// The fields that only the calls of an audit have, or that mean something else there.
fn fields_of_audit() -> String {
    let mut text = HEAD.replace("property", "field");
    let readers = Reader::direct_calls();
    let of_audit = readers.iter().filter(|reader| reader.group == TextGroup::Audit);
    let mut seen: Vec<&str> = Vec::new();
    for property in of_audit.flat_map(|reader| &reader.properties) {
        let is_own = TextGroup::Audit.own().iter().any(|text| text.name == pascal(&property.name));
        if is_own && !seen.contains(&property.name.as_str()) {
            seen.push(&property.name);
            // Whether it is required depends on the call, and the schema says it for each.
            text.push_str(&row(TextGroup::Audit, property));
        }
    }
    text
}

/// The members of an object, or of the objects that it may be, as a table.
fn members(schema: &Value) -> String {
    let alternatives = schema.get("anyOf").and_then(Value::as_array);
    let objects: Vec<&Value> = alternatives.map_or_else(|| vec![schema], |parts| parts.iter().collect());
    let mut text = "| member | values | meaning |\n| --- | --- | --- |\n".to_owned();
    let mut seen: Vec<&str> = Vec::new();
    for object in objects {
        let required: Vec<_> = texts(object.get("required")).collect();
        let properties = object.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if seen.contains(&name.as_str()) {
                continue;
            }
            seen.push(name);
            let optional = if required.contains(&name.as_str()) { "" } else { "; may be absent" };
            let description = property.get("description").and_then(Value::as_str).unwrap_or_default();
            let _ = writeln!(
                text,
                "| `{name}` | {}{optional} | {} |",
                kind_of_schema(property),
                cell(description)
            );
        }
    }
    text
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// What a schema takes, in a few words.
fn kind_of_schema(schema: &Value) -> String {
    let words: Vec<_> = texts(schema.get("enum")).map(|word| format!("`{word}`")).collect();
    if !words.is_empty() {
        return words.join(", ");
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        many => texts(many).filter(|kind| *kind != "null").collect(),
    };
    let words = types.iter().map(|kind| match *kind {
        "string" => "text",
        "boolean" => "`true`, `false`",
        "integer" | "number" => "number",
        "array" => "list",
        kind => kind,
    });
    let words = words.collect::<Vec<_>>().join(" or ");
    if words.is_empty() { of_reference(schema) } else { words }
}

/// What a schema takes that only refers to others.
fn of_reference(schema: &Value) -> String {
    let no_text = Map::new();
    let schema = schema.as_object().unwrap_or(&no_text);
    let name = |schema: &Value| {
        schema
            .get("$ref")
            .and_then(Value::as_str)
            .map(|path| path.rsplit('/').next().unwrap_or_default().to_owned())
    };
    let of_parts = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten().find_map(name);
    match schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|path| path.rsplit('/').next())
        .map(ToOwned::to_owned)
        .or(of_parts)
        .as_deref()
    {
        Some("ObjectOrItsText") => "object, or its text".to_owned(),
        Some("GrantsOrText") => "object or list, or its text".to_owned(),
        Some("OtherContext") => "`unknown`, `absent`".to_owned(),
        Some(_) => "object".to_owned(),
        None => "any JSON".to_owned(),
    }
}

fn list_of_schemas(schemas: &[(&str, Value)]) -> String {
    let mut text = "| schema | of |\n| --- | --- |\n".to_owned();
    for (name, schema) in schemas {
        let title = schema.get("title").and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(text, "| [`{name}`](../schemas/{name}.schema.json) | {title} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_text_and_every_text_an_action() {
        let readers = Reader::direct_calls();
        let read: Vec<_> = readers.iter().map(|reader| (reader.title.as_str(), reader.form)).collect();
        let texts: Vec<_> = ACTIONS.iter().map(|(action, form, ..)| (*action, *form)).collect();
        assert_eq!(read, texts);
        let schemas = schemas();
        for (action, _, _, answer) in ACTIONS {
            assert!(schemas.iter().any(|(name, _)| *name == answer), "{action} answers with {answer}");
        }
    }
}
