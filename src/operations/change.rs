//! The operations plan and apply: what would change in a document, and changing it.

use std::time::Duration;

use crate::intent::{Intent, Mode, Owner};
use crate::location::Location;
use crate::ports::{Environment, ReadPorts, WritePorts};
use crate::reconcile::{Establish, Outcome, Preview, ReconcileError, Step, establish, preview};
use crate::report::{Change, KeyAssessment, Report, ReportHeader, VersionSummary};

/// How long a refusal is asked again where nothing else is said: changes of policies and grants take up to about
/// five minutes to be seen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A change that is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    command: &'static str,
    intent: Intent,
    owner: Owner,
    digest: String,
    patience: Duration,
}

/// What came of the question what would be done.
#[derive(Clone, Debug)]
pub enum Proposal {
    /// There is nothing to do, or findings block: the report is the last word.
    Settled(Report),
    /// The plan, which [`Wanted::carry_out`] carries out.
    Open(Report),
}

/// Finds out what is to be done, and does it; the report is of what was done. Where findings block, or nothing
/// differs, nothing is.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn carry_out<P: WritePorts>(
    environment: Environment<'_, P>,
    wanted: &Wanted,
) -> Result<Report, ReconcileError> {
    match wanted.propose(environment).await? {
        Proposal::Settled(report) => Ok(report),
        Proposal::Open(planned) => wanted.carry_out(environment, planned).await,
    }
}

impl Wanted {
    /// The change that brings a document to an intent. `command` is what the report calls it; `digest` is of the
    /// properties asked with.
    #[must_use]
    pub fn new(command: &'static str, intent: Intent, owner: Owner, digest: String) -> Self {
        Self { command, intent, owner, digest, patience: PATIENCE }
    }

    /// The same, where a refusal may be asked again for this long before it counts.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// What would be done.
    ///
    /// # Errors
    /// See [`ReconcileError`]; findings that block are no error here.
    pub async fn preview<P: ReadPorts>(
        &self,
        environment: Environment<'_, P>,
    ) -> Result<Preview, ReconcileError> {
        // Boxed, like its sibling: the state of the whole way is large.
        Box::pin(preview(environment, self.request())).await
    }

    /// Does it.
    ///
    /// # Errors
    /// See [`ReconcileError`].
    pub async fn establish<P: WritePorts>(
        &self,
        environment: Environment<'_, P>,
    ) -> Result<Outcome, ReconcileError> {
        Box::pin(establish(environment, self.request())).await
    }

    /// What would be done, and whether there is anything left to decide.
    ///
    /// # Errors
    /// As [`Wanted::preview`].
    pub async fn propose<P: ReadPorts>(
        &self,
        environment: Environment<'_, P>,
    ) -> Result<Proposal, ReconcileError> {
        let preview = self.preview(environment).await?;
        let mut planned = self.planned(environment.location, &preview);
        if !preview.blocking.is_empty() {
            planned.notes.push("nothing was changed".to_owned());
            return Ok(Proposal::Settled(planned));
        }
        Ok(if preview.plan.is_empty() { Proposal::Settled(planned) } else { Proposal::Open(planned) })
    }

    /// Does what was proposed, and reports it.
    ///
    /// # Errors
    /// As [`Wanted::establish`].
    pub async fn carry_out<P: WritePorts>(
        &self,
        environment: Environment<'_, P>,
        planned: Report,
    ) -> Result<Report, ReconcileError> {
        let outcome = self.establish(environment).await?;
        Ok(self.done(planned, outcome))
    }

    /// The report of what would be done.
    #[must_use]
    pub fn planned(&self, location: &Location, preview: &Preview) -> Report {
        let key = preview.key.as_ref().map(|key| key.arn.to_string());
        let before = preview.observation.document.as_ref().map(|document| VersionSummary {
            latest: document.latest.number,
            default: document.default.number,
            kms_key_id: document.latest.kms_key_id.clone().unwrap_or_default().into(),
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
                    after = Some(VersionSummary { latest: 1, default: 1, kms_key_id: wanted.clone() });
                }
                Step::UpdateDocument { .. } => {
                    steps.push(format!("write version {next} of the document"));
                    steps.push(format!("make version {next} the default"));
                    after = Some(VersionSummary { latest: next, default: next, kms_key_id: wanted.clone() });
                }
                Step::Await { version } => {
                    steps.push(format!("wait until AWS has taken up version {version}"))
                }
                Step::Promote { version } => {
                    steps.push(format!("make version {version} the default"));
                    after = after.map(|after| VersionSummary { default: *version, ..after });
                }
                Step::DeleteRecord => steps.push("remove the record".to_owned()),
            }
        }
        let document = self.intent.document.to_string();
        let change = Change { document: document.clone(), done: false, before, after, steps };
        // Nothing is proven for encryption off, where nobody can be locked out.
        let key_assessment =
            (key.is_some() || !preview.assessment.findings.is_empty()).then(|| KeyAssessment {
                mode: if key.is_some() { self.intent.safeguards.mode } else { Mode::Off },
                assessment: preview.assessment.clone(),
                key_policy: None,
            });
        let header = ReportHeader {
            command: self.command.to_owned(),
            account: Some(location.account.clone()),
            regions: vec![location.region.clone()],
            document: Some(document),
            key,
        };
        Report { header, key_assessment, change: Some(change), ..Report::default() }
    }

    /// The report of what was done, from that of what was to be done.
    #[must_use]
    pub fn done(&self, planned: Report, outcome: Outcome) -> Report {
        let change = planned.change.map(|change| Change {
            done: outcome.changed,
            after: outcome.version.map(|version| VersionSummary {
                latest: version,
                default: version,
                kms_key_id: outcome.key.as_ref().map(ToString::to_string).unwrap_or_default(),
            }),
            ..change
        });
        Report { change, notes: outcome.notes, ..planned }
    }

    fn request(&self) -> Establish<'_> {
        Establish { owner: &self.owner, intent: &self.intent, digest: &self.digest, patience: self.patience }
    }
}
