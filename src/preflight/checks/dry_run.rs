//! The check *dry run*: both calls with DryRun, as the function's own role.
//!
//! It speaks of that role only. A success proves that the key policy lets the account's IAM decide, or names
//! the role; a denial proves nothing of others, since the function's role needs neither call. So neither
//! answer is a verdict on a user or a node.

use crate::access::CallerKind;
use crate::ports::DryRun;
use crate::preflight::finding::{Check, Finding, Verdict};
use crate::preflight::observation::Read;

/// The finding about one call.
pub(in crate::preflight) fn finding(side: CallerKind, key: &str, dry_run: &Read<DryRun>) -> Finding {
    let action = side.call().action();
    let (verdict, evidence) = match dry_run {
        Read::Known(DryRun::WouldSucceed) => (
            Verdict::Pass,
            format!("{action} would succeed for the function's own role; that says nothing of others"),
        ),
        Read::Known(DryRun::Denied(_)) => (
            Verdict::Unknown,
            format!(
                "the function's own role may not {action}, which it does not need; that says nothing of others"
            ),
        ),
        Read::Known(DryRun::WouldFail(answer)) => (Verdict::Fail, format!("{action} would fail: {answer}")),
        Read::Unknown(why) => (Verdict::Unknown, format!("{action} could not be tried: {why}")),
    };
    // In Strict this blocks, so it says what to do.
    let remedy = match dry_run {
        Read::Known(DryRun::Denied(_)) => Some("admit that role too, or do without the dry run".to_owned()),
        _ => None,
    };
    Finding { remedy, side: Some(side), ..Finding::new(Check::DryRun, verdict, key, evidence) }
}
