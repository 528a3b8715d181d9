//! The operation release: a document is given back, as the deletion of a stack does it.

use super::change::{steps, versions};
use crate::intent::{OnDelete, Owner, PreflightMode};
use crate::ports::{Environment, ReadPorts, WritePorts};
use crate::preflight::{Assessment, Check, Finding, Verdict};
use crate::reconcile::{ReconcileError, ReleasePreview, ReleaseRequest, preview_release, release};
use crate::report::{Change, KeyAssessment, Report, ReportHeader, VersionSummary};
use crate::session::DocumentName;

/// A release that somebody asks for.
#[derive(Clone, Debug)]
pub struct Release {
    /// The document.
    pub document: DocumentName,
    /// Who gives it back.
    pub owner: Owner,
    /// What to leave behind. `None` for what the owner said when it took the document.
    pub on_delete: Option<OnDelete>,
}

impl Release {
    /// What the release would do. The report is final if a finding blocks, or if there is nothing to give back.
    ///
    /// # Errors
    /// See [`ReconcileError`]. What would refuse the release is no error here: it is a finding that blocks.
    pub async fn planned<P: ReadPorts>(
        &self,
        environment: Environment<'_, P>,
    ) -> Result<ReleaseProposal, ReconcileError> {
        let preview = Box::pin(preview_release(environment, self.request())).await?;
        let document = self.document.to_string();
        let location = environment.location;
        let header = ReportHeader {
            command: "release".to_owned(),
            account: Some(location.account.clone()),
            regions: vec![location.region.clone()],
            document: Some(document.clone()),
            ..ReportHeader::default()
        };
        let ReleasePreview { observation, target, plan, refusal, notes } = preview;
        let before = versions(&observation);
        let (after, mut steps) = steps(&plan, before.as_ref(), target.as_ref());
        if target.is_some() {
            steps.push("remove the record".to_owned());
        }
        let is_final = refusal.is_some() || plan.is_empty();
        let key_assessment = refusal.map(|error| {
            let finding = Finding::new(Check::Document, Verdict::Fail, document.as_str(), error.to_string());
            let assessment = Assessment { findings: vec![finding], ..Assessment::default() };
            KeyAssessment { mode: PreflightMode::Off, assessment, key_policy: None }
        });
        let change = (!plan.is_empty()).then_some(Change { document, done: false, before, after, steps });
        let mut report = Report { header, key_assessment, change, notes, ..Report::default() };
        if is_final {
            report.notes.push("nothing was changed".to_owned());
            return Ok(ReleaseProposal::Final(Box::new(report)));
        }
        Ok(ReleaseProposal::Applicable(Box::new(report)))
    }

    /// Gives the document back, and reports what was done.
    ///
    /// # Errors
    /// See [`ReconcileError`].
    pub async fn apply<P: WritePorts>(
        &self,
        environment: Environment<'_, P>,
        planned: Report,
    ) -> Result<Report, ReconcileError> {
        let outcome = Box::pin(release(environment, self.request())).await?;
        let change = planned.change.map(|change| Change {
            done: true,
            after: change.after.zip(outcome.version).map(|(after, version)| VersionSummary {
                latest: version,
                default: if outcome.changed { version } else { after.default },
                ..after
            }),
            ..change
        });
        Ok(Report { change, notes: outcome.notes, ..planned })
    }

    fn request(&self) -> ReleaseRequest<'_> {
        ReleaseRequest { owner: &self.owner, document: &self.document, on_delete: self.on_delete }
    }
}

/// What a release would do, and whether there is anything left to decide.
#[derive(Clone, Debug)]
pub enum ReleaseProposal {
    /// Nothing is to be given back, or a finding blocks: the report is final.
    Final(Box<Report>),
    /// The plan, which [`Release::apply`] applies.
    Applicable(Box<Report>),
}
