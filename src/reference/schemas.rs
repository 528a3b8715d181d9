//! The JSON Schemas of what people write and read. Draft 2020-12.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::attributes::{SessionEncryptionAttributes, SessionKeyAccessAttributes, SessionKeyAttributes};
use super::inputs::Reader;
use crate::audit::{AuditLine, AuditReportJson, AuditSummary};
use crate::cli::evaluate::{ErrorOutput, Input, Output};
use crate::function::answers::{
    ChangeEventReport, IgnoredEventReport, NothingToRelease, TerraformAnswer, UnansweredCall,
};
use crate::operations::{AuditReportAnswer, PairsAnswer};
use crate::report::ReportJson;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schemas by their names, which are those of the files `schemas/<name>.schema.json` too.
///
/// Inputs are closed as their readers are. Outputs are closed too, so that a member without a schema is noticed. A later
/// version may write more members.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        named(
            "session-encryption",
            "Properties of Custom::SessionEncryption",
            Reader::session_encryption().resource_schema(),
        ),
        named("session-key", "Properties of Custom::SessionKey", Reader::session_key().resource_schema()),
        named(
            "session-key-access",
            "Properties of Custom::SessionKeyAccess",
            Reader::session_key_access().resource_schema(),
        ),
        named(
            "session-encryption-attributes",
            "Attributes of Custom::SessionEncryption",
            output::<SessionEncryptionAttributes>(),
        ),
        named("session-key-attributes", "Attributes of Custom::SessionKey", output::<SessionKeyAttributes>()),
        named(
            "session-key-access-attributes",
            "Attributes of Custom::SessionKeyAccess",
            output::<SessionKeyAccessAttributes>(),
        ),
        named("direct-call", "A direct call of the function", direct_call()),
        named(
            "direct-call-error",
            "The answer to a direct call that has no report",
            output::<UnansweredCall<'_>>(),
        ),
        named("terraform-answer", "The answer to a call of Terraform", terraform_answer()),
        named("report", "A report of session-kms", output::<ReportJson<'_>>()),
        named("change-event-report", "The report on a change event", change_event_report()),
        named("audit-line", "One account and Region of an audit", output::<AuditLine>()),
        named("audit-report", "The report over an audit", output::<AuditReportJson<'_>>()),
        named("audit-summary", "What of an audit is kept for the next one", output::<AuditSummary>()),
        named("audit-pairs-answer", "The answer to auditPairs", output::<PairsAnswer<'_>>()),
        named("audit-report-answer", "The answer to auditReport", output::<AuditReportAnswer<'_>>()),
        named("evaluate-case", "A line of the input of evaluate", input::<Input<'_>>()),
        named("evaluate-answer", "A line of the output of evaluate", evaluate_answer()),
    ]
}

/// A schema with its head.
fn named(name: &'static str, title: &str, mut body: Map<String, Value>) -> (&'static str, Value) {
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), DRAFT.into());
    schema.insert("$id".to_owned(), format!("urn:session-kms:schema:{name}").into());
    schema.insert("title".to_owned(), title.into());
    body.retain(|name, _| name != "$schema" && name != "title");
    schema.extend(body);
    (name, Value::Object(schema))
}

/// The schema of what is written as this type.
fn output<T: JsonSchema>() -> Map<String, Value> {
    object(SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>())
}

/// The schema of what is read as this type.
fn input<T: JsonSchema>() -> Map<String, Value> {
    object(SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>())
}

fn object(mut schema: Schema) -> Map<String, Value> {
    Strict.transform(&mut schema);
    match schema.to_value() {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

/// Closes objects, and drops the sizes of Rust's integers, which no JSON Schema knows.
struct Strict;

impl Transform for Strict {
    fn transform(&mut self, schema: &mut Schema) {
        let is_of_rust = |format: &str| format.starts_with("uint") || format.starts_with("int");
        if schema.get("format").and_then(Value::as_str).is_some_and(is_of_rust) {
            schema.remove("format");
        }
        if let Some(Value::String(description)) = schema.get_mut("description") {
            *description = one_line(description);
        }
        if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
        transform_subschemas(self, schema);
    }
}

/// The text of a comment without its line ends, and without the brackets of links to types.
fn one_line(comment: &str) -> String {
    comment.split_whitespace().collect::<Vec<_>>().join(" ").replace("[`", "`").replace("`]", "`")
}

/// One schema out of several, with the definitions of all.
fn any_of(description: &str, schemas: Vec<Map<String, Value>>) -> Map<String, Value> {
    let mut definitions = Map::new();
    let parts: Vec<_> = schemas
        .into_iter()
        .map(|mut schema| {
            if let Some(Value::Object(of_schema)) = schema.shift_remove("$defs") {
                definitions.extend(of_schema);
            }
            schema.retain(|name, _| name != "$schema" && name != "title");
            Value::Object(schema)
        })
        .collect();
    let mut schema = Map::new();
    schema.insert("description".to_owned(), description.into());
    schema.insert("anyOf".to_owned(), parts.into());
    if !definitions.is_empty() {
        schema.insert("$defs".to_owned(), Value::Object(definitions));
    }
    schema
}

fn change_event_report() -> Map<String, Value> {
    any_of(
        "The report on a change event, with what became of each document, or why the event was ignored. Several messages of a \
         topic have a list of such reports.",
        vec![output::<ChangeEventReport<'_>>(), output::<IgnoredEventReport<'_>>()],
    )
}

fn terraform_answer() -> Map<String, Value> {
    any_of(
        "The answer to a call that Terraform makes for a resource, or that there was nothing to release.",
        vec![output::<TerraformAnswer<'_>>(), output::<NothingToRelease<'_>>()],
    )
}

fn evaluate_answer() -> Map<String, Value> {
    any_of(
        "The answer to a case, or why its line could not be read.",
        vec![output::<Output<'_>>(), output::<ErrorOutput<'_>>()],
    )
}

fn direct_call() -> Map<String, Value> {
    let calls = Reader::direct_calls().iter().map(Reader::call_schema).collect();
    let mut schema = any_of(
        "A direct call of the function: an action, with the properties of Custom::SessionEncryption in camelCase, or of an \
         audit. Words are taken in any case.",
        calls,
    );
    // Whatever the action, an editor knows that there is one.
    schema.extend(match json!({"type": "object", "required": ["action"]}) {
        Value::Object(of_all) => of_all,
        _ => Map::new(),
    });
    schema
}
