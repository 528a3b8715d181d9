//! A direct call: `{"action": "status" | "check" | "plan" | "reconcile" | "release" | "audit" | "auditPairs" |
//! "auditReport", …}`, with the properties of `Custom::SessionEncryption` in camelCase, or of an audit.

use serde_json::{Map, Value};

use super::organization_call::{self, OrganizationCall};
use super::terraform::{self, TerraformCall};
use super::{Event, audit_call, session_encryption};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::intent::{AuditQuestion, Intent, OnDelete};
use crate::session::DocumentName;
use cloudformation_custom_resource::{Properties, PropertyProblems, UnknownProperties};

/// What somebody asks for. A call to reconcile what the records want, without an intent, is a [`ChangeEvent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DirectCall {
    /// Report what is there.
    Status {
        /// The document.
        document: DocumentName,
    },
    /// Report whether those who need the key can use it. The intent names a key.
    Check(Box<Intent>),
    /// Report what would change.
    Plan(Box<Intent>),
    /// Make the document as the intent wants it.
    Reconcile(Box<Intent>),
    /// Give the document back, as the deletion of a stack does it.
    Release {
        /// The document.
        document: DocumentName,
        /// What to leave behind. `None` for what was said when the document was taken.
        on_delete: Option<OnDelete>,
    },
    /// Do what a resource of Terraform wants.
    Terraform(TerraformCall),
    /// Say in one line what is so in an account and Region.
    Audit(Box<AuditQuestion>),
    /// List the accounts and Regions of an audit, or make its report.
    Organization(Box<OrganizationCall>),
}

/// The words of `action`.
#[derive(Clone, Copy)]
enum DirectAction {
    Status,
    Check,
    Plan,
    Reconcile,
    Release,
    Audit,
    AuditPairs,
    AuditReport,
}

const ACTIONS: [(&str, DirectAction); 8] = [
    ("status", DirectAction::Status),
    ("check", DirectAction::Check),
    ("plan", DirectAction::Plan),
    ("reconcile", DirectAction::Reconcile),
    ("release", DirectAction::Release),
    ("audit", DirectAction::Audit),
    ("auditPairs", DirectAction::AuditPairs),
    ("auditReport", DirectAction::AuditReport),
];

pub(super) fn read(fields: &Map<String, Value>) -> Event {
    let mut reader = Properties::camel_case(fields).hiding(&["ExternalId"]);
    let Some(action) = reader.word("Action", &ACTIONS) else {
        if fields.get("action").is_none_or(Value::is_null) {
            let actions = ACTIONS.map(|(action, _)| format!("`{action}`")).join(", ");
            reader.reject("Action", format!("is null; it must be one of {actions}"));
        }
        // The reader has found a problem, so this call is never returned. Without the action nobody can say which
        // properties belong to the call, so the others are ignored.
        let document = DocumentName::default();
        let call = reader.finish(UnknownProperties::Ignore).map(|_| DirectCall::Status { document });
        return direct_call(fields, call, false);
    };
    let has_intent = ["encryption", "kmsKeyId"].iter().any(|name| fields.contains_key(*name));
    let call = match action {
        DirectAction::Status => {
            let document = session_encryption::document_name(&mut reader).unwrap_or_default();
            reader.reject_others("is not taken by action `status`, which takes `documentName` alone");
            reader.finish(UnknownProperties::Refuse).map(|_| DirectCall::Status { document })
        }
        DirectAction::Reconcile if fields.contains_key(terraform::TERRAFORM) => {
            terraform::read(reader, fields)
        }
        DirectAction::Reconcile if !has_intent => match reconcile_by_record(reader) {
            Ok(change) => return Event::ChangeEvent(change),
            Err(problems) => Err(problems),
        },
        DirectAction::Reconcile => with_intent(reader, DirectCall::Reconcile),
        DirectAction::Release => {
            let document = session_encryption::document_name(&mut reader).unwrap_or_default();
            let on_delete = session_encryption::on_delete_word(&mut reader);
            reader
                .reject_others("is not taken by action `release`, which takes `documentName` and `onDelete`");
            reader.finish(UnknownProperties::Refuse).map(|_| DirectCall::Release { document, on_delete })
        }
        DirectAction::Plan => with_intent(reader, DirectCall::Plan),
        DirectAction::Audit => {
            let question = Box::new(audit_call::question(&mut reader));
            reader.finish(UnknownProperties::Refuse).map(|_| DirectCall::Audit(question))
        }
        DirectAction::AuditPairs => {
            let call = OrganizationCall::Pairs(organization_call::pairs(&mut reader, fields));
            reader.finish(UnknownProperties::Refuse).map(|_| DirectCall::Organization(Box::new(call)))
        }
        DirectAction::AuditReport => {
            let call = OrganizationCall::Report(organization_call::report(&mut reader));
            reader.finish(UnknownProperties::Refuse).map(|_| DirectCall::Organization(Box::new(call)))
        }
        DirectAction::Check => {
            let encryption = fields.get("encryption").and_then(Value::as_str);
            if encryption.is_some_and(|word| word.eq_ignore_ascii_case("Disabled")) {
                reader.reject(
                    "Encryption",
                    "is `Disabled`; action `check` is about a key, so it must be `Enabled` or left out",
                );
            }
            with_intent(reader, DirectCall::Check)
        }
    };
    // An audit has no report to answer with what is wrong: whoever runs many of them must see the error.
    let is_question = matches!(action, DirectAction::Status | DirectAction::Check | DirectAction::Plan);
    direct_call(fields, call, is_question)
}

fn direct_call(
    fields: &Map<String, Value>,
    call: Result<DirectCall, PropertyProblems>,
    is_question: bool,
) -> Event {
    let mut properties = fields.clone();
    properties.remove("action");
    properties.remove(terraform::TERRAFORM);
    Event::DirectCall { properties, call, is_question }
}

fn with_intent(
    mut reader: Properties<'_>,
    call: fn(Box<Intent>) -> DirectCall,
) -> Result<DirectCall, PropertyProblems> {
    let intent = Box::new(session_encryption::intent(&mut reader));
    reader.finish(UnknownProperties::Refuse).map(|_| call(intent))
}

/// Make one document, or all, as their records want them.
fn reconcile_by_record(mut reader: Properties<'_>) -> Result<ChangeEvent, PropertyProblems> {
    let document = session_encryption::document_name(&mut reader);
    reader.reject_others(
        "is not taken by action `reconcile` without `kmsKeyId` or `encryption`; it then repairs by the \
         record, and takes `documentName` alone",
    );
    reader.finish(UnknownProperties::Refuse).map(|_| ChangeEvent {
        source: ChangeSource::DirectCall,
        what: "reconcile".to_owned(),
        scope: document.map_or(Scope::Everything, Scope::Document),
        actor: None,
        at: None,
        detail: None,
    })
}

#[cfg(test)]
mod tests;
