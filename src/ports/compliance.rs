//! What a custom rule of AWS Config reports.

use super::AwsError;

/// AWS Config.
pub trait Compliance {
    /// Reports whether one resource complies (config:PutEvaluations).
    async fn report_compliance(&self, report: &ComplianceReport<'_>) -> Result<(), AwsError>;
}

/// A verdict on one resource.
#[derive(Clone, Copy, Debug)]
pub struct ComplianceReport<'a> {
    /// `AWS::SSM::Document`, `AWS::::Account`.
    pub resource_type: &'a str,
    /// The resource, as AWS Config names it.
    pub resource_id: &'a str,
    /// The verdict.
    pub compliance: ComplianceType,
    /// Why, in at most 256 characters.
    pub annotation: &'a str,
    /// The moment that the verdict is about, in RFC 3339, as AWS Config gave it.
    pub ordering: &'a str,
    /// What AWS Config wants back to know its question; not to be logged.
    pub result_token: &'a str,
    /// Whether AWS Config only tries the rule.
    pub test_mode: bool,
}

/// AWS Config's verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComplianceType {
    /// `COMPLIANT`
    Compliant,
    /// `NON_COMPLIANT`
    NonCompliant,
    /// `NOT_APPLICABLE`: the resource is not one that the rule is about.
    NotApplicable,
}

impl ComplianceType {
    /// AWS Config's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compliant => "COMPLIANT",
            Self::NonCompliant => "NON_COMPLIANT",
            Self::NotApplicable => "NOT_APPLICABLE",
        }
    }
}
