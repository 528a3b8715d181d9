//! Parameter Store: PutParameter, GetParameter, GetParametersByPath, DeleteParameter.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::call::{Call, Location, Outcome, Refusal};
use super::super::paging::{Asked, page};
use super::super::services::Operation;
use super::super::world::World;

pub const OPERATIONS: &[Operation] = &[
    Operation::write("PutParameter", put),
    Operation::read("GetParameter", get),
    Operation::read("GetParametersByPath", get_by_path),
    Operation::write("DeleteParameter", delete),
];

/// What a secure parameter shows without decryption.
const HIDDEN: &str = "AQICAHh-encrypted";

/// All parameters by owner and name.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    pub held: BTreeMap<(Location, String), Parameter>,
}

/// A parameter with its history, which starts at version 1 and is never empty.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub kind: String,
    pub advanced: bool,
    pub modified: f64,
    history: Vec<String>,
}

impl Parameter {
    /// The value of the latest version.
    pub fn value(&self) -> &str {
        self.history.last().expect("a parameter has a version")
    }

    /// The number of the latest version.
    pub fn version(&self) -> usize {
        self.history.len()
    }
}

/// Without Overwrite an existing name is refused, so that of two creators one wins.
fn put(world: &mut World, call: &Call) -> Outcome {
    let (name, value) = (call.required("Name")?, call.required("Value")?);
    let (overwrite, modified) = (call.flag("Overwrite")?, world.now());
    check_name(name)?;
    if overwrite && call.body.get("Tags").is_some_and(|tags| !tags.is_null()) {
        return Err(Refusal::validation("Invalid request: tags and overwrite can't be used together."));
    }
    let key = (call.location(), name.to_owned());
    let held = world.parameters.held.get(&key);
    if held.is_some() && !overwrite {
        return Err(Refusal::client(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        ));
    }
    let kind = match (call.text("Type")?, held) {
        (Some(kind @ ("String" | "StringList" | "SecureString")), _) => kind.to_owned(),
        (None, Some(held)) => held.kind.clone(),
        (None, None) => {
            return Err(Refusal::validation("A parameter type is required when you create a parameter."));
        }
        (Some(other), _) => {
            return Err(Refusal::client(
                "UnsupportedParameterType",
                format!("The parameter type `{other}` isn't supported."),
            ));
        }
    };
    let advanced = tier(call.text("Tier")?, held.is_some_and(|held| held.advanced), value)?;
    let mut history = held.map(|held| held.history.clone()).unwrap_or_default();
    history.push(value.to_owned());
    let version = history.len();
    world.parameters.held.insert(key, Parameter { kind, advanced, modified, history });
    Ok(json!({"Version": version, "Tier": if advanced { "Advanced" } else { "Standard" }}))
}

/// `Name` may be a name or an ARN, with `:version` behind it.
fn get(world: &mut World, call: &Call) -> Outcome {
    let asked = call.required("Name")?;
    let location = call.location();
    let arn = format!("arn:{}:ssm:{}:{}:parameter", world.partition, location.region, location.account);
    let path = asked.strip_prefix(&arn).unwrap_or(asked);
    let (name, selector) = match path.split_once(':') {
        Some((name, selector)) => (name, Some(selector)),
        None => (path, None),
    };
    let Some(held) = world.parameters.held.get(&(location, name.to_owned())) else {
        return Err(not_found(name));
    };
    let version = match selector {
        None => held.version(),
        Some(selector) => selector.parse().unwrap_or_default(),
    };
    let Some(value) = version.checked_sub(1).and_then(|index| held.history.get(index)) else {
        return Err(Refusal::client(
            "ParameterVersionNotFound",
            format!("Systems Manager could not find version {version} of {name}."),
        ));
    };
    let hidden = held.kind == "SecureString" && !call.flag("WithDecryption")?;
    Ok(json!({"Parameter": shown(&arn, name, held, version, if hidden { HIDDEN } else { value })}))
}

/// A parameter as answers show it.
fn shown(arn: &str, name: &str, held: &Parameter, version: usize, value: &str) -> Value {
    json!({
        "Name": name,
        "Type": held.kind,
        "Value": value,
        "Version": version,
        "LastModifiedDate": held.modified,
        "ARN": format!("{arn}{}{name}", if name.starts_with('/') { "" } else { "/" }),
        "DataType": "text",
    })
}

/// Lists what is below a path, on the next level or on all levels. Implements no filters.
fn get_by_path(world: &mut World, call: &Call) -> Outcome {
    call.only(&["Path", "Recursive", "WithDecryption", "MaxResults", "NextToken"])?;
    let (path, recursive, decrypt) =
        (call.required("Path")?, call.flag("Recursive")?, call.flag("WithDecryption")?);
    if !path.starts_with('/') {
        return Err(Refusal::validation(format!(
            "The parameter doesn't meet the parameter name requirements. `{path}` must begin with a forward slash."
        )));
    }
    let location = call.location();
    let arn = format!("arn:{}:ssm:{}:{}:parameter", world.partition, location.region, location.account);
    let prefix = format!("{}/", path.trim_end_matches('/'));
    let below = world.parameters.held.iter().filter(|((owner, name), _)| {
        let rest = name.strip_prefix(&prefix);
        *owner == location && rest.is_some_and(|rest| recursive || !rest.contains('/'))
    });
    let asked = Asked {
        limit: call.number("MaxResults")?,
        token: call.text("NextToken")?,
        least: 1,
        most: 10,
        bad_token: "InvalidNextToken",
        cap: world.page_size,
    };
    let (below, next) = page(below.collect(), &asked)?;
    let below = below.into_iter().map(|((_, name), held)| {
        let hidden = held.kind == "SecureString" && !decrypt;
        shown(&arn, name, held, held.version(), if hidden { HIDDEN } else { held.value() })
    });
    let mut answer = json!({"Parameters": below.collect::<Vec<_>>()});
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}

fn delete(world: &mut World, call: &Call) -> Outcome {
    let name = call.required("Name")?;
    match world.parameters.held.remove(&(call.location(), name.to_owned())) {
        Some(_) => Ok(json!({})),
        None => Err(not_found(name)),
    }
}

impl World {
    /// Creates or overwrites a text parameter of the default account and Region.
    pub fn put_parameter(&mut self, name: &str, value: &str) {
        let body = json!({"Name": name, "Value": value, "Type": "String", "Overwrite": true});
        self.ask("ssm", "PutParameter", body).expect("a valid parameter");
    }
}

/// Standard parameters hold 4 KB, advanced ones 8 KB. Intelligent-Tiering takes the tier that the value needs. An
/// advanced parameter cannot become a standard one.
fn tier(asked: Option<&str>, was_advanced: bool, value: &str) -> Result<bool, Refusal> {
    let advanced = match asked {
        None => was_advanced,
        Some("Standard") if was_advanced => {
            return Err(Refusal::validation(
                "This parameter uses the advanced-parameter tier. You can't downgrade a \
                parameter from the advanced-parameter tier to the standard-parameter tier.",
            ));
        }
        Some("Standard") => false,
        Some("Advanced") => true,
        Some("Intelligent-Tiering") => was_advanced || value.len() > 4096,
        Some(other) => {
            return Err(Refusal::validation(format!("Value '{other}' at 'tier' is not a tier")));
        }
    };
    let (name, most) = if advanced { ("Advanced", 8192) } else { ("Standard", 4096) };
    if value.is_empty() {
        return Err(Refusal::validation(
            "Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ));
    }
    if value.len() > most {
        return Err(Refusal::validation(format!(
            "{name} tier parameters support a maximum parameter value of {most} characters."
        )));
    }
    Ok(advanced)
}

/// A name has letters, digits and `_.-`. A hierarchy starts with a slash and has at most 15 levels, none of them empty.
/// The names of AWS's own parameters are reserved.
fn check_name(name: &str) -> Result<(), Refusal> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte);
    let levels: Vec<&str> = name.strip_prefix('/').unwrap_or(name).split('/').collect();
    let first = levels.first().map(|level| level.to_ascii_lowercase()).unwrap_or_default();
    let reserved = first.starts_with("aws") || first.starts_with("ssm");
    let hierarchy = levels.len() == 1 || name.starts_with('/');
    if name.len() > 1011 || !name.bytes().all(known) || levels.contains(&"") || reserved || !hierarchy {
        return Err(Refusal::validation(format!(
            "Parameter name: `{name}` is not a valid name: a fully qualified name starts with a \
            slash, holds a-zA-Z0-9_.-/ and no prefix \"aws\" or \"ssm\"."
        )));
    }
    if levels.len() > 15 {
        return Err(Refusal::client(
            "HierarchyLevelLimitExceededException",
            "A hierarchy can have a maximum of 15 levels.",
        ));
    }
    Ok(())
}

fn not_found(name: &str) -> Refusal {
    Refusal::client("ParameterNotFound", format!("Parameter {name} not found."))
}
