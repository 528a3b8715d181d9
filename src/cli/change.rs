//! What `plan`, `apply` and `clear` share: from the options to an intent, and from its outcome to a report.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::error::CliError;
use crate::intent::{Encryption, Intent, Mode, OnConflict, OnDelete, Owner};
use crate::place::Place;
use crate::reconcile::ports::AccessPorts;
use crate::reconcile::{Establish, Outcome, Preview, Step, digest, establish, preview};
use crate::report::{Asked, Change, Judged, Report, Version};

/// How long a refusal is asked again: changes of policies and grants take up to about five minutes to be seen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A change that is asked for.
#[derive(Debug)]
pub(super) struct Wanted {
    command: &'static str,
    intent: Intent,
    owner: Owner,
    digest: String,
}

impl Wanted {
    pub(super) fn new(command: &'static str, intent: Intent) -> Self {
        // The command line is one owner: what it set, it may change and clear.
        let owner =
            Owner { stack_id: "command-line".to_owned(), logical_resource_id: "session-kms".to_owned() };
        let digest = digest(&properties(&intent));
        Self { command, intent, owner, digest }
    }

    /// What would be done.
    pub(super) async fn preview<P: AccessPorts>(
        &self,
        ports: &P,
        home: &Place,
        progress: &dyn Fn(&str),
    ) -> Result<Preview, CliError> {
        Ok(preview(ports, home, self.request(), progress).await?)
    }

    /// Does it.
    pub(super) async fn establish<P: AccessPorts>(
        &self,
        ports: &P,
        home: &Place,
        progress: &dyn Fn(&str),
    ) -> Result<Outcome, CliError> {
        Ok(establish(ports, home, self.request(), progress).await?)
    }

    /// The report of what would be done.
    pub(super) fn planned(&self, home: &Place, preview: &Preview) -> Report {
        let key = preview.key.as_ref().map(|key| key.arn.to_string());
        let before = preview.observation.document.as_ref().map(|document| Version {
            latest: document.latest.number,
            default: document.default.number,
            kms_key_id: document.latest.kms_key_id.clone().unwrap_or_default(),
        });
        let wanted = key.clone().unwrap_or_default();
        let next = before.as_ref().map_or(1, |version| version.latest + 1);
        let mut after = before.clone();
        let mut steps = Vec::new();
        for step in &preview.plan {
            match step {
                Step::SaveRecord { .. } => steps.push("write the record".to_owned()),
                Step::CreateDocument(_) => {
                    steps.push("create the document".to_owned());
                    after = Some(Version { latest: 1, default: 1, kms_key_id: wanted.clone() });
                }
                Step::UpdateDocument { .. } => {
                    steps.push(format!("write version {next} of the document"));
                    steps.push(format!("make version {next} the default"));
                    after = Some(Version { latest: next, default: next, kms_key_id: wanted.clone() });
                }
                Step::Await { version } => {
                    steps.push(format!("wait until AWS has taken up version {version}"))
                }
                Step::Promote { version } => {
                    steps.push(format!("make version {version} the default"));
                    after = after.map(|after| Version { default: *version, ..after });
                }
                Step::DeleteRecord => steps.push("remove the record".to_owned()),
            }
        }
        let document = self.intent.document.to_string();
        let change = Change { document: document.clone(), done: false, before, after, steps };
        // Nothing is proven for encryption off, where nobody can be locked out.
        let judged = (key.is_some() || !preview.assessment.findings.is_empty()).then(|| Judged {
            mode: if key.is_some() { self.intent.safeguards.mode } else { Mode::Off },
            assessment: preview.assessment.clone(),
            key_policy: None,
        });
        let asked = Asked {
            command: self.command.to_owned(),
            account: Some(home.account.clone()),
            regions: vec![home.region.clone()],
            document: Some(document),
            key,
        };
        Report { asked, judged, change: Some(change), ..Report::default() }
    }

    /// The report of what was done.
    pub(super) fn done(&self, planned: Report, outcome: Outcome) -> Report {
        let change = planned.change.map(|change| Change {
            done: outcome.changed,
            after: outcome.version.map(|version| Version {
                latest: version,
                default: version,
                kms_key_id: outcome.key.as_ref().map(ToString::to_string).unwrap_or_default(),
            }),
            ..change
        });
        Report { change, notes: outcome.notes, ..planned }
    }

    fn request(&self) -> Establish<'_> {
        Establish { owner: &self.owner, intent: &self.intent, digest: &self.digest, patience: PATIENCE }
    }
}

/// An intent of the command line.
pub(super) fn intent(
    target: &super::options::Target,
    encryption: Encryption,
    on_conflict: OnConflict,
    safeguards: crate::intent::Safeguards,
) -> Intent {
    Intent {
        document: target.document.document.clone(),
        encryption,
        on_delete: OnDelete::default(),
        on_conflict,
        safeguards,
    }
}

/// What was asked, for its digest: equal for equal questions.
fn properties(intent: &Intent) -> Map<String, Value> {
    let safeguards = &intent.safeguards;
    let key = match &intent.encryption {
        Encryption::Enabled(key) => key.as_str(),
        Encryption::Disabled => "",
    };
    let properties = json!({
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
    match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}
