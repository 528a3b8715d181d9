//! The operations plan and apply: what would change in a document, and changing it.

use std::time::Duration;

use crate::intent::{Intent, Owner, PreflightMode};
use crate::location::Location;
use crate::ports::{Environment, ReadPorts, WritePorts};
use crate::reconcile::{
    EstablishRequest, Observation, Outcome, Preview, ReconcileError, Step, establish, preview,
};
use crate::report::{Change, KeyAssessment, Report, ReportHeader, VersionSummary};
use crate::session::Target;

/// How long a refusal is asked about again if nothing else is said. Changes of policies and grants take up to about five
/// minutes to be seen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A change that somebody asks for.
#[derive(Clone, Debug)]
pub struct ChangeRequest {
    command: &'static str,
    intent: Intent,
    owner: Owner,
    digest: String,
    patience: Duration,
}

/// What a change would do, and whether there is anything left to decide.
#[derive(Clone, Debug)]
pub enum Proposal {
    /// Nothing differs, or findings block: the report is final.
    Final(Box<Report>),
    /// The plan, which [`ChangeRequest::apply`] applies, and what it rests on.
    Applicable(Box<(Report, Preview)>),
}

/// Plans a change and applies it. The report says what was done. Nothing is done if findings block or if nothing
/// differs.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn apply<P: WritePorts>(
    environment: Environment<'_, P>,
    request: &ChangeRequest,
) -> Result<Report, ReconcileError> {
    match request.propose(environment).await? {
        Proposal::Final(report) => Ok(*report),
        Proposal::Applicable(proposed) => {
            let (planned, preview) = *proposed;
            request.apply(environment, planned, Some(&preview)).await
        }
    }
}

impl ChangeRequest {
    /// The request to bring a document to an intent. `command` is its name in the report, and `digest` is the digest of
    /// the properties asked with.
    #[must_use]
    pub fn new(command: &'static str, intent: Intent, owner: Owner, digest: String) -> Self {
        Self { command, intent, owner, digest, patience: PATIENCE }
    }

    /// The request with another patience: how long a refusal may be asked about again before it counts.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Lets the change create a document that does not exist.
    pub fn create_document(&mut self) {
        self.intent.create_document = true;
    }

    /// What the change would do. Nothing is written.
    ///
    /// # Errors
    /// See [`ReconcileError`]. What would refuse the change is no error here: it is a finding that blocks.
    pub async fn preview<P: ReadPorts>(
        &self,
        environment: Environment<'_, P>,
    ) -> Result<Preview, ReconcileError> {
        // Boxed: the state of all that a preview awaits is large.
        Box::pin(preview(environment, self.establish())).await
    }

    /// What the change would do, and whether there is anything left to decide. Nothing is written.
    ///
    /// # Errors
    /// As [`ChangeRequest::preview`].
    pub async fn propose<P: ReadPorts>(
        &self,
        environment: Environment<'_, P>,
    ) -> Result<Proposal, ReconcileError> {
        let preview = self.preview(environment).await?;
        let mut planned = self.planned(environment.location, &preview);
        if !preview.blocking.is_empty() {
            planned.notes.push("nothing was changed".to_owned());
            return Ok(Proposal::Final(Box::new(planned)));
        }
        Ok(match preview.plan.as_ref().is_none_or(Vec::is_empty) {
            true => Proposal::Final(Box::new(planned)),
            false => Proposal::Applicable(Box::new((planned, preview))),
        })
    }

    /// Applies what was proposed, and reports what was done. `preview` is what the proposal rests on, if it was made a
    /// moment ago; otherwise everybody is checked again.
    ///
    /// # Errors
    /// See [`ReconcileError`].
    pub async fn apply<P: WritePorts>(
        &self,
        environment: Environment<'_, P>,
        planned: Report,
        preview: Option<&Preview>,
    ) -> Result<Report, ReconcileError> {
        let request = EstablishRequest { preview, ..self.establish() };
        // Boxed: the state of all that a change awaits is large.
        let outcome = Box::pin(establish(environment, request)).await?;
        Ok(done(planned, outcome))
    }

    /// The report of what would be done.
    #[must_use]
    pub fn planned(&self, location: &Location, preview: &Preview) -> Report {
        let key = preview.key.as_ref().map(|key| key.arn.to_string());
        let before = versions(&preview.observation);
        let wanted = Target::from(preview.key.as_ref().map(|key| &key.arn));
        let (after, steps) =
            steps(preview.plan.as_deref().unwrap_or_default(), before.as_ref(), Some(&wanted));
        let document = self.intent.document.to_string();
        let change = preview.plan.as_ref().map(|_| Change {
            document: document.clone(),
            done: false,
            before,
            after,
            steps,
        });
        // Nothing is checked for encryption off, which locks nobody out.
        let key_assessment =
            (key.is_some() || !preview.assessment.findings.is_empty()).then(|| KeyAssessment {
                mode: if key.is_some() { self.intent.safeguards.mode } else { PreflightMode::Off },
                assessment: preview.assessment.clone(),
                key_policy: None,
            });
        let header = ReportHeader {
            command: self.command.to_owned(),
            account: Some(location.account.clone()),
            regions: vec![location.region.clone()],
            document: Some(document),
            key,
            origin: None,
        };
        let notes = preview.notes(&self.intent.document);
        Report { header, key_assessment, change, notes, ..Report::default() }
    }

    fn establish(&self) -> EstablishRequest<'_> {
        EstablishRequest {
            owner: &self.owner,
            intent: &self.intent,
            digest: &self.digest,
            patience: self.patience,
            preview: None,
        }
    }
}

/// The versions of the document that is there.
pub(super) fn versions(observation: &Observation) -> Option<VersionSummary> {
    observation.document.as_ref().map(|document| VersionSummary {
        latest: document.latest.number,
        default: document.default.number,
        kms_key_id: document.latest.kms_key_id.clone().unwrap_or_default().into(),
    })
}

/// What a plan leads to, and its steps in words. `target` is what the document is to carry; `None` if it stays as it is.
pub(super) fn steps(
    plan: &[Step],
    before: Option<&VersionSummary>,
    target: Option<&Target>,
) -> (Option<VersionSummary>, Vec<String>) {
    let kms_key_id = target.map(|target| target.as_kms_key_id().to_owned()).unwrap_or_default();
    let next = before.map_or(1, |version| version.latest + 1);
    let (mut after, mut steps) = (before.cloned(), Vec::new());
    for step in plan {
        match step {
            Step::SaveRecord { .. } => steps.push("write the record".to_owned()),
            Step::CreateDocument(_) => {
                steps.push("create the document".to_owned());
                after = Some(VersionSummary { latest: 1, default: 1, kms_key_id: kms_key_id.clone() });
            }
            Step::UpdateDocument { .. } => {
                steps.push(format!("write version {next} of the document"));
                steps.push(format!("make version {next} the default"));
                after = Some(VersionSummary { latest: next, default: next, kms_key_id: kms_key_id.clone() });
            }
            Step::Await { version } => steps.push(format!("wait until AWS has taken up version {version}")),
            Step::Promote { version } => {
                steps.push(format!("make version {version} the default"));
                after = after.map(|after| VersionSummary { default: *version, ..after });
            }
            Step::DeleteRecord => steps.push("remove the record".to_owned()),
        }
    }
    (after, steps)
}

/// The report of what was done, from the report of what was to be done.
fn done(planned: Report, outcome: Outcome) -> Report {
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
