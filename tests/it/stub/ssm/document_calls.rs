//! The document operations. The errors and their order follow the API reference. What AWS does not document (the scope
//! of DuplicateDocumentContent, the optimistic lock) is a switch of [`Documents`] or is marked inferred.

use serde_json::{Value, json};

use super::super::call::{Call, Outcome, Refusal};
use super::super::paging::{Asked, page};
use super::super::services::Operation;
use super::super::world::World;
use super::content::{self, Format};
use super::documents::{
    Document, Documents, DuplicateReading, Progress, Version, no_such_version, version_number,
};

pub const OPERATIONS: &[Operation] = &[
    Operation::write("CreateDocument", create),
    Operation::write("UpdateDocument", update),
    Operation::write("UpdateDocumentDefaultVersion", update_default),
    Operation::read("DescribeDocument", describe),
    Operation::read("GetDocument", get),
    Operation::read("ListDocumentVersions", list_versions),
    Operation::write("DeleteDocument", delete),
];

fn create(world: &mut World, call: &Call) -> Outcome {
    let name = call.required("Name")?.to_owned();
    let text = call.required("Content")?.to_owned();
    let kind = call.text("DocumentType")?.unwrap_or("Command").to_owned();
    let format = Format::asked(call.text("DocumentFormat")?)?;
    let (location, created) = (call.location(), world.now());
    check_name(&name)?;
    let documents = &mut world.documents;
    if documents.held.contains_key(&(location.clone(), name.clone())) {
        return Err(Refusal::client("DocumentAlreadyExists", "The specified document already exists."));
    }
    content::validate(&kind, format, &text)?;
    if documents.held.keys().filter(|(owner, _)| *owner == location).count() >= documents.document_limit {
        return Err(Refusal::client("DocumentLimitExceeded", "You can have at most 500 active documents."));
    }
    let progress = new_version_progress(documents, "Creating");
    let mut document = Document { kind, versions: Vec::new(), default: 1, next: 1 };
    document.push(format, text, call.text("VersionName")?.map(str::to_owned), created, progress);
    let answer = described(&call.caller.account, &name, &document, document.latest(), ("Creating", None));
    documents.held.insert((location, name), document);
    Ok(json!({"DocumentDescription": answer}))
}

fn update(world: &mut World, call: &Call) -> Outcome {
    let name = call.required("Name")?;
    let text = call.required("Content")?.to_owned();
    let format = Format::asked(call.text("DocumentFormat")?)?;
    let version_name = call.text("VersionName")?.map(str::to_owned);
    let created = world.now();
    let document = existing(world, call)?;
    // The optimistic lock: only the latest version can be updated, so a number that was the latest when it was read
    // fails after a write in between [inferred]. `$LATEST` always succeeds, and so does a request without a
    // version.
    let latest = document.latest().number;
    let base = match call.text("DocumentVersion")? {
        None | Some("$LATEST") => latest,
        Some("$DEFAULT") => document.default,
        Some(number) => version_number(number)?,
    };
    if base != latest {
        return Err(no_such_version());
    }
    content::validate(&document.kind, format, &text)?;
    let document = document.clone();
    let documents = &mut world.documents;
    if is_duplicate(documents.duplicates, &document, format, &text) {
        return Err(Refusal::client(
            "DuplicateDocumentContent",
            "The content of the association document matches another document. Change the \
            content of the document and try again.",
        ));
    }
    if version_name.is_some() && document.versions.iter().any(|version| version.name == version_name) {
        return Err(Refusal::client(
            "DuplicateDocumentVersionName",
            "The version name has already been used in this document.",
        ));
    }
    if document.versions.len() >= documents.version_limit {
        return Err(Refusal::client(
            "DocumentVersionLimitExceeded",
            "The document has too many versions. Delete one or more document versions and try again.",
        ));
    }
    let progress = new_version_progress(documents, "Updating");
    let held = existing(world, call)?;
    held.push(format, text, version_name, created, progress);
    Ok(
        json!({"DocumentDescription": described(&call.caller.account, name, held, held.latest(), ("Updating", None))}),
    )
}

/// Takes only numbers, and promotes only a version that is Active (which error code this has is inferred).
fn update_default(world: &mut World, call: &Call) -> Outcome {
    let (name, number) = (call.required("Name")?, version_number(call.required("DocumentVersion")?)?);
    let document = existing(world, call)?;
    let Some(version) = document.versions.iter().find(|version| version.number == number) else {
        return Err(no_such_version());
    };
    if !version.is_active() {
        return Err(Refusal::client(
            "InvalidDocumentVersion",
            "Only an Active document version can be the default version.",
        ));
    }
    let version_name = version.name.clone();
    document.default = number;
    let mut description = json!({"Name": name, "DefaultVersion": number.to_string()});
    put(&mut description, "DefaultVersionName", version_name);
    Ok(json!({"Description": description}))
}

fn describe(world: &mut World, call: &Call) -> Outcome {
    let name = call.required("Name")?;
    let document = existing(world, call)?;
    let version = document.select(call.text("DocumentVersion")?, call.text("VersionName")?)?;
    let status = version.show();
    let version = version.clone();
    Ok(json!({"Document": described(&call.caller.account, name, document, &version, status)}))
}

/// Without a version it returns the default one; without a format, JSON.
fn get(world: &mut World, call: &Call) -> Outcome {
    let name = call.required("Name")?;
    let asked = Format::asked(call.text("DocumentFormat")?)?;
    let document = existing(world, call)?;
    let kind = document.kind.clone();
    let version = document.select(call.text("DocumentVersion")?, call.text("VersionName")?)?;
    let status = version.show();
    let text = content::converted(&version.content, version.format, asked)?;
    let mut answer = summary(name, version, status);
    answer["Content"] = text.into();
    answer["DocumentType"] = kind.into();
    answer["DocumentFormat"] = asked.word().into();
    Ok(answer)
}

/// Lists the newest version first, with 50 a page at most.
fn list_versions(world: &mut World, call: &Call) -> Outcome {
    let name = call.required("Name")?;
    let cap = world.page_size;
    let document = existing(world, call)?;
    let default = document.default;
    let versions = document.versions.iter_mut().rev().map(|version| {
        let status = version.show();
        let mut item = summary(name, version, status);
        item["DocumentFormat"] = version.format.word().into();
        item["IsDefaultVersion"] = (version.number == default).into();
        item
    });
    let asked = Asked {
        limit: call.number("MaxResults")?,
        token: call.text("NextToken")?,
        least: 1,
        most: 50,
        bad_token: "InvalidNextToken",
        cap,
    };
    let (versions, next) = page(versions.collect(), &asked)?;
    let mut answer = json!({"DocumentVersions": versions});
    put(&mut answer, "NextToken", next);
    Ok(answer)
}

/// With a version it deletes that version; without one, the whole document.
fn delete(world: &mut World, call: &Call) -> Outcome {
    let name = call.required("Name")?;
    let (version, version_name) = (call.text("DocumentVersion")?, call.text("VersionName")?);
    let document = existing(world, call)?;
    if version.is_none() && version_name.is_none() {
        world.documents.held.remove(&(call.location(), name.to_owned()));
        return Ok(json!({}));
    }
    let number = document.select(version, version_name)?.number;
    if number == document.default {
        return Err(Refusal::client(
            "InvalidDocumentOperation",
            "Default version of the document can't be deleted.",
        ));
    }
    document.versions.retain(|version| version.number != number);
    Ok(json!({}))
}

/// The document that `Name` names; `InvalidDocument` is the code for a missing one.
fn existing<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Document, Refusal> {
    let name = call.required("Name")?;
    let document = world.documents.held.get_mut(&(call.location(), name.to_owned()));
    document.ok_or_else(|| {
        Refusal::client("InvalidDocument", format!("Document with name {name} does not exist."))
    })
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let reserved =
        ["aws", "amazon", "amzn"].iter().any(|prefix| name.to_ascii_lowercase().starts_with(prefix));
    if (3..=128).contains(&name.len()) && name.bytes().all(known) && !reserved {
        return Ok(());
    }
    Err(Refusal::validation(format!(
        "Value '{name}' at 'name' failed to satisfy constraint: Member must satisfy regular \
        expression pattern: ^[a-zA-Z0-9_\\-.]{{3,128}}$, without a reserved prefix"
    )))
}

fn is_duplicate(reading: DuplicateReading, document: &Document, format: Format, text: &str) -> bool {
    let value = |format: Format, text: &str| format.parse(text).ok();
    match reading {
        DuplicateReading::LatestOnly => document.latest_content() == text,
        DuplicateReading::AnyVersionBytes => document.versions.iter().any(|version| version.content == text),
        DuplicateReading::AnyVersionNormalised => {
            let new = value(format, text);
            document.versions.iter().any(|version| value(version.format, &version.content) == new)
        }
    }
}

fn new_version_progress(documents: &mut Documents, shown: &'static str) -> Progress {
    Progress::Pending { shown, left: documents.settle_after, failure: documents.fail_next.take() }
}

/// What every answer says about a version.
fn summary(name: &str, version: &Version, (status, information): (&str, Option<String>)) -> Value {
    let mut answer = json!({
        "Name": name,
        "DocumentVersion": version.number.to_string(),
        "CreatedDate": version.created,
        "Status": status,
    });
    put(&mut answer, "VersionName", version.name.clone());
    put(&mut answer, "StatusInformation", information);
    answer
}

/// A DocumentDescription.
fn described(
    owner: &str,
    name: &str,
    document: &Document,
    version: &Version,
    status: (&str, Option<String>),
) -> Value {
    let content = version.format.parse(&version.content).unwrap_or_default();
    let mut answer = summary(name, version, status);
    answer["Owner"] = owner.into();
    answer["DocumentType"] = document.kind.as_str().into();
    answer["DocumentFormat"] = version.format.word().into();
    answer["LatestVersion"] = document.latest().number.to_string().into();
    answer["DefaultVersion"] = document.default.to_string().into();
    answer["PlatformTypes"] = json!(["Windows", "Linux", "MacOS"]);
    put(&mut answer, "SchemaVersion", content["schemaVersion"].as_str().map(str::to_owned));
    put(&mut answer, "Description", content["description"].as_str().map(str::to_owned));
    answer
}

/// Leaves out members without a value, instead of answering `null`.
fn put(answer: &mut Value, member: &str, value: Option<String>) {
    if let Some(value) = value {
        answer[member] = value.into();
    }
}
