//! What `plan`, `apply` and `clear` share: from the options to a change that is asked for, and the question
//! whether to make it.

use serde_json::{Map, Value, json};

use super::error::CliError;
use super::options::Target;
use super::{Connection, Console};
use crate::intent::{Encryption, Intent, OnConflict, OnDelete, OnKeyTrouble, Owner, Safeguards};
use crate::operations::{Proposal, Wanted};
use crate::ports::AccessPorts;
use crate::reconcile::digest;
use crate::report::{Report, ReportFormat};

/// A change that the command line asks for.
pub(super) fn wanted(
    command: &'static str,
    target: &Target,
    encryption: Encryption,
    on_conflict: OnConflict,
    safeguards: Safeguards,
) -> Wanted {
    let intent = Intent {
        document: target.document.document.clone(),
        encryption,
        on_delete: OnDelete::default(),
        on_conflict,
        on_key_trouble: OnKeyTrouble::Alert,
        safeguards,
    };
    // The command line is one owner: what it set, it may change and clear.
    let owner = Owner { stack_id: "command-line".to_owned(), logical_resource_id: "session-kms".to_owned() };
    let digest = digest(&properties(&intent));
    Wanted::new(command, intent, owner, digest)
}

/// Shows the plan, asks, and does it. Where findings block, or nothing differs, the plan is the report.
pub(super) async fn carry_out<P: AccessPorts>(
    wanted: &Wanted,
    yes: bool,
    question: &str,
    console: &mut Console<'_>,
    Connection { ports, location }: &Connection<P>,
) -> Result<Report, CliError> {
    let planned = match wanted.propose(ports, location, &console.progress()).await? {
        Proposal::Settled(report) => return Ok(report),
        Proposal::Open(planned) => planned,
    };
    if !yes {
        let shown = planned.render(ReportFormat::Text { colour: console.colour });
        console.confirm(&shown, question)?;
    }
    Ok(wanted.carry_out(ports, location, planned, &console.progress()).await?)
}

/// What was asked, for its digest: equal for equal questions.
fn properties(intent: &Intent) -> Map<String, Value> {
    let safeguards = &intent.safeguards;
    let key = match &intent.encryption {
        Encryption::Enabled(key) => key.as_str(),
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
    // Left out where there is none, as by versions that did not know it.
    if let (Value::Object(members), false) = (&mut properties, safeguards.context.is_empty()) {
        members.insert("Context".to_owned(), json!(safeguards.context));
    }
    match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}
