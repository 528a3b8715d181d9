//! The types of what the function answers, from which the schemas are made.

pub(crate) use super::change_event::ChangeEventReport;
pub(crate) use super::direct::UnansweredCall;
pub(crate) use super::ignored::IgnoredEventReport;
pub(crate) use super::terraform::{NothingToRelease, TerraformAnswer};
