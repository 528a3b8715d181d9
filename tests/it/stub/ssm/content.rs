//! What SSM accepts as a document's content, and its conversion from YAML to JSON.

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Number, Value};

use super::super::call::Refusal;

/// The size limit of a document: 64 KB.
const MOST_BYTES: usize = 64 * 1024;

/// How a document's content is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Yaml,
}

impl Format {
    /// The format that a request names, and otherwise JSON, as in CreateDocument, UpdateDocument and GetDocument.
    pub fn asked(text: Option<&str>) -> Result<Self, Refusal> {
        match text {
            None | Some("JSON") => Ok(Self::Json),
            Some("YAML") => Ok(Self::Yaml),
            Some(other) => Err(Refusal::validation(format!(
                "Value '{other}' at 'documentFormat' is not one of the formats of this document type"
            ))),
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        }
    }

    /// The content as a value.
    pub fn parse(self, content: &str) -> Result<Value, Refusal> {
        let parsed = match self {
            Self::Json => serde_json::from_str(content.trim_start_matches('\u{feff}')).ok(),
            Self::Yaml => from_yaml(content),
        };
        parsed.ok_or_else(|| invalid(&format!("the content is not valid {}", self.word())))
    }
}

/// Refuses what CreateDocument and UpdateDocument refuse.
///
/// Session documents in real accounts hold string booleans, numeric timeouts, a null `kmsKeyId`, unknown keys and
/// templates. All of that is accepted.
pub fn validate(kind: &str, format: Format, content: &str) -> Result<(), Refusal> {
    if content.len() > MOST_BYTES {
        return Err(Refusal::client("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB."));
    }
    let document = format.parse(content)?;
    if !document.is_object() {
        return Err(invalid("the content is not an object"));
    }
    if kind != "Session" {
        return Ok(());
    }
    if document.get("schemaVersion") != Some(&Value::from("1.0")) {
        return Err(Refusal::client(
            "InvalidDocumentSchemaVersion",
            "The version of the document schema is not supported.",
        ));
    }
    let session_types = ["Standard_Stream", "InteractiveCommands", "NonInteractiveCommands", "Port"];
    match document.get("sessionType").and_then(Value::as_str) {
        Some(session_type) if session_types.contains(&session_type) => {}
        _ => return Err(invalid("sessionType is missing or unknown")),
    }
    match document.get("inputs") {
        None => Ok(()),
        Some(Value::Object(inputs)) => match inputs.get("kmsKeyId") {
            None | Some(Value::Null | Value::String(_)) => Ok(()),
            Some(_) => Err(invalid("inputs.kmsKeyId is not a string")),
        },
        Some(_) => Err(invalid("inputs is not an object")),
    }
}

/// What GetDocument answers: the text itself in its own format, and YAML converted if the request asks for JSON. A JSON
/// document that is asked for as YAML stays as it is, because JSON is YAML.
pub fn converted(content: &str, held: Format, asked: Format) -> Result<String, Refusal> {
    match (held, asked) {
        (Format::Yaml, Format::Json) => {
            let value = held.parse(content)?;
            Ok(serde_json::to_string_pretty(&value).unwrap_or_default())
        }
        _ => Ok(content.to_owned()),
    }
}

fn invalid(why: &str) -> Refusal {
    Refusal::client("InvalidDocumentContent", format!("The content for the document is not valid: {why}."))
}

fn from_yaml(text: &str) -> Option<Value> {
    let mut documents = Yaml::load_from_str(text).ok()?;
    (documents.len() == 1).then(|| documents.remove(0)).as_ref().and_then(to_json)
}

fn to_json(node: &Yaml<'_>) -> Option<Value> {
    match node {
        Yaml::Value(Scalar::Null) => Some(Value::Null),
        Yaml::Value(Scalar::Boolean(value)) => Some(Value::Bool(*value)),
        Yaml::Value(Scalar::Integer(value)) => Some(Value::from(*value)),
        Yaml::Value(Scalar::FloatingPoint(value)) => Number::from_f64(value.into_inner()).map(Value::Number),
        Yaml::Value(Scalar::String(value)) => Some(Value::from(value.as_ref())),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(entries) => {
            let entries =
                entries.iter().map(|(key, value)| Some((key.as_str()?.to_owned(), to_json(value)?)));
            entries.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        Yaml::Tagged(_, inner) => to_json(inner),
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => None,
    }
}
