//! The check *key fitness*: the key is an enabled, symmetric, customer managed encryption key.

use crate::key::{KeyDescription, fitness};
use crate::preflight::finding::{Check, Finding, Verdict};

/// One finding for each fault and each caution. If there is neither, one finding that passes.
pub(crate) fn key_fitness(key: &KeyDescription) -> Vec<Finding> {
    let finding = |verdict, evidence: String, remedy| Finding {
        remedy,
        ..Finding::new(Check::KeyFitness, verdict, key.arn.as_str(), evidence)
    };
    let verdict = fitness(key);
    let faults = verdict
        .faults
        .iter()
        .map(|fault| finding(Verdict::Fail, fault.to_string(), Some(fault.remedy().to_owned())));
    let cautions =
        verdict.cautions.iter().map(|caution| finding(Verdict::Warning, caution.to_string(), None));
    let mut findings: Vec<_> = faults.chain(cautions).collect();
    if findings.is_empty() {
        let evidence = "an enabled, symmetric, customer managed encryption key".to_owned();
        findings.push(finding(Verdict::Pass, evidence, None));
    }
    findings
}
