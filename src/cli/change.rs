//! What `plan`, `apply` and `clear` share: the options make one change, which is planned, or confirmed and made.

use clap::Args;
use serde_json::{Map, Value, json};

use super::error::CliError;
use super::options::TargetOptions;
use super::{Connection, Console};
use crate::intent::{Encryption, Intent, OnConflict, OnDelete, Owner, Safeguards};
use crate::operations::{ChangeRequest, Proposal};
use crate::ports::{Environment, FleetMemory, ReadPorts, WritePorts};
use crate::reconcile::digest;
use crate::report::{Change, Report, ReportFormat};

/// What to do about a document that a stack owns.
#[derive(Debug, Args)]
pub(super) struct ConflictOptions {
    /// Take the document over if a stack owns it.
    #[arg(long)]
    take_over: bool,
}

/// What to do about a document that does not exist.
#[derive(Debug, Args)]
pub(super) struct CreationOptions {
    /// Create a document that does not exist. Without --yes, apply asks.
    #[arg(long)]
    pub(super) create_document: bool,
}

/// Whether to ask before a change is made.
#[derive(Debug, Args)]
pub(super) struct ConfirmationOptions {
    /// Do not ask for confirmation.
    #[arg(long, short)]
    pub(super) yes: bool,
}

/// A change that a command asks for, and the Region of its document.
#[derive(Debug)]
pub(super) struct RequestedChange<'a> {
    wanted: ChangeRequest,
    region: Option<&'a str>,
}

impl<'a> RequestedChange<'a> {
    /// The change that brings a document to this encryption. `command` is its name in the report.
    pub(super) fn new(
        command: &'static str,
        target: &'a TargetOptions,
        encryption: Encryption,
        conflict: &ConflictOptions,
        create_document: bool,
        safeguards: Safeguards,
    ) -> Self {
        let intent = Intent {
            document: target.document.document.clone(),
            encryption,
            on_delete: OnDelete::default(),
            on_conflict: if conflict.take_over { OnConflict::TakeOver } else { OnConflict::Fail },
            create_document,
            safeguards,
        };
        let owner = Owner::command_line();
        let digest = digest(&properties(&intent));
        Self { wanted: ChangeRequest::new(command, intent, owner, digest), region: target.region.as_deref() }
    }

    /// Reports the plan, and writes nothing.
    pub(super) async fn plan<P: ReadPorts>(
        &self,
        console: &mut Console<'_>,
        connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
    ) -> Result<Report, CliError> {
        let Connection { ports, location } = connect(self.region).await?;
        let progress = console.progress();
        let memory = FleetMemory::default();
        let environment = Environment::new(&ports, &location).with_progress(&progress).with_memory(&memory);
        let preview = self.wanted.preview(environment).await?;
        Ok(self.wanted.planned(&location, &preview))
    }

    /// Shows the plan, asks the question, and makes the change. If findings block or nothing differs, the report is the
    /// plan.
    pub(super) async fn make<P: WritePorts>(
        mut self,
        question: &str,
        confirmation: &ConfirmationOptions,
        console: &mut Console<'_>,
        connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
    ) -> Result<Report, CliError> {
        let Connection { ports, location } = connect(self.region).await?;
        let environment = Environment::new(&ports, &location);
        if !confirmation.yes {
            // Whoever confirms sees that the document does not exist.
            self.wanted.create_document();
        }
        let memory = FleetMemory::default();
        let observing = environment.with_memory(&memory);
        let proposal = self.wanted.propose(observing.with_progress(&console.progress())).await?;
        let (planned, preview) = match proposal {
            Proposal::Final(report) => return Ok(*report),
            Proposal::Applicable(proposed) => *proposed,
        };
        // Whoever confirms takes time, in which everything may change.
        let preview = Some(&preview).filter(|_| confirmation.yes);
        if !confirmation.yes {
            let is_new = planned.change.as_ref().is_some_and(Change::creates);
            let question = if is_new {
                "Create the document, and encrypt its sessions with this key?"
            } else {
                question
            };
            let shown = planned.render(ReportFormat::Text { colour: console.colour });
            console.confirm(&shown, question)?;
        }
        let progress = console.progress();
        Ok(self.wanted.apply(environment.with_progress(&progress), planned, preview).await?)
    }
}

/// The properties that the digest is made of: equal requests have equal ones.
fn properties(intent: &Intent) -> Map<String, Value> {
    let safeguards = &intent.safeguards;
    let key = match &intent.encryption {
        Encryption::Enabled { key, .. } => key.as_str(),
        Encryption::Disabled => "",
    };
    let mut properties = json!({
        "KmsKeyId": key,
        "DocumentName": intent.document,
        "Preflight": safeguards.mode,
        "Users": safeguards.users,
        "Nodes": safeguards.nodes,
        "Exempt": safeguards.exempt,
        "DiscoverUsers": safeguards.discover_users,
        "DiscoverNodes": safeguards.discover_nodes,
        "KeyPolicy": safeguards.key_policy,
    });
    // Earlier versions did not know this property: without it their digests must stay as they were.
    if let (Value::Object(members), false) = (&mut properties, safeguards.context.is_empty()) {
        members.insert("Context".to_owned(), json!(safeguards.context));
    }
    match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}
