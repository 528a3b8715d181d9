//! Making content differ from every earlier version, one step further after each refusal.

use crate::ports::AwsError;
use crate::session::{Content, DocumentFormat, marked, padded, unmarked};

/// How content is made to differ from every earlier version. AWS refuses a version that equals an earlier one, so each
/// refusal leads to the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Uniqueness {
    /// As it is.
    Plain,
    /// With white space or a comment at its end, after this refusal.
    Padded(AwsError),
    /// With a mark in its description, after this refusal.
    Marked(AwsError),
    /// In no further way in this format, after this refusal.
    Exhausted(AwsError),
}

impl Uniqueness {
    /// Takes note that AWS took the content for a duplicate.
    pub(super) fn was_refused(&mut self, error: AwsError) {
        *self = match self {
            Self::Plain => Self::Padded(error),
            Self::Padded(_) => Self::Marked(error),
            Self::Marked(_) | Self::Exhausted(_) => Self::Exhausted(error),
        };
    }

    /// The content in a form that AWS has not refused. It is `None` if YAML has no further form.
    ///
    /// # Errors
    /// AWS's refusal, if JSON has no further form.
    pub(super) fn applied_to(
        &mut self,
        content: &Content,
        version: u64,
    ) -> Result<Option<Content>, AwsError> {
        let plain = unmarked(content, version);
        loop {
            let (unique, next): (_, fn(AwsError) -> Self) = match self {
                Self::Plain => return Ok(Some(plain)),
                Self::Padded(_) => (padded(&plain, version), Self::Marked),
                Self::Marked(_) => (marked(&plain, version), Self::Exhausted),
                Self::Exhausted(_) if content.format() == DocumentFormat::Yaml => {
                    *self = Self::Plain;
                    return Ok(None);
                }
                Self::Exhausted(error) => return Err(error.clone()),
            };
            if unique.is_some() {
                return Ok(unique);
            }
            if let Self::Padded(error) | Self::Marked(error) = self {
                *self = next(error.clone());
            }
        }
    }
}
