//! The description of a document, edited in the text so that its quotes, escapes and lines stay as they are.

use std::ops::Range;

use serde_json::Value;

use super::content::{Content, DocumentFormat, quoted, spliced};
use super::{json, yaml};

/// How a text writes the description.
pub(super) enum DescriptionSource {
    /// Not at all.
    Absent,
    /// As nothing, or as `null`.
    Null {
        /// The bytes in place of which a text may stand.
        replaced: Range<usize>,
        /// What has to stand before such a text.
        before_text: &'static str,
    },
    /// As a text that can be made longer in place.
    Text {
        /// The byte after the last character of the text, before a closing quote.
        end: usize,
        /// The bytes that may be replaced, and what with, so that the description is null.
        null: (Range<usize>, &'static str),
        /// The bytes of the whole member.
        member: Range<usize>,
    },
    /// As a number, a boolean, a list or an object in JSON.
    NotText(Range<usize>),
    /// As anything else.
    Other,
}

impl Content {
    /// The content with this text at the end of its description. `None` if that cannot be done in place.
    ///
    /// `alone` is the whole description of a content without one, and `in_place_of_null` that of a content whose
    /// description is null.
    pub(super) fn with_description_ending_in(
        &self,
        ending: &str,
        alone: &str,
        in_place_of_null: &str,
    ) -> Option<Self> {
        let before = self.description()?;
        let (text, description) = match self.description_source() {
            DescriptionSource::Absent => (self.with_new_description(alone)?, alone.to_owned()),
            DescriptionSource::Null { replaced, before_text } => {
                let value = format!("{before_text}{}", quoted(in_place_of_null));
                (spliced(self.text(), replaced, &value)?, in_place_of_null.to_owned())
            }
            DescriptionSource::Text { end, .. } => {
                let was = before.as_ref()?.as_str()?;
                (spliced(self.text(), end..end, ending)?, format!("{was}{ending}"))
            }
            DescriptionSource::NotText(_) | DescriptionSource::Other => return None,
        };
        self.with_text(text).if_described_as(Some(&description.into()), self)
    }

    /// The content without this ending of its description. `None` if the text does not hold it as it is.
    pub(super) fn without_description_ending(&self, ending: &str) -> Option<Self> {
        let before = self.description()??;
        let DescriptionSource::Text { end, .. } = self.description_source() else { return None };
        let start = end.checked_sub(ending.len())?;
        let text =
            (self.text().get(start..end)? == ending).then(|| spliced(self.text(), start..end, ""))??;
        let left = before.as_str()?.strip_suffix(ending)?.to_owned();
        self.with_text(text).if_described_as(Some(&left.into()), self)
    }

    /// The content without its description.
    pub(super) fn without_description(&self) -> Option<Self> {
        let DescriptionSource::Text { member, .. } = self.description_source() else { return None };
        self.with_text(spliced(self.text(), member, "")?).if_described_as(None, self)
    }

    /// The content with a description that is null.
    pub(super) fn with_null_description(&self) -> Option<Self> {
        let DescriptionSource::Text { null: (replaced, null), .. } = self.description_source() else {
            return None;
        };
        self.with_text(spliced(self.text(), replaced, null)?).if_described_as(Some(&Value::Null), self)
    }

    /// The content with a text in place of a description in JSON that is neither text nor null. The text holds the source
    /// of the description between these two.
    pub(super) fn with_quoted_description(&self, begin: &str, end: &str) -> Option<Self> {
        let DescriptionSource::NotText(span) = self.description_source() else { return None };
        let description = format!("{begin}{}{end}", self.text().get(span.clone())?);
        let text = spliced(self.text(), span, &quoted(&description))?;
        self.with_text(text).if_described_as(Some(&description.into()), self)
    }

    /// The content in JSON with this source of a description, which is neither text nor null, in place of a text.
    pub(super) fn with_unquoted_description(&self, source: &str) -> Option<Self> {
        let is_json = self.format() == DocumentFormat::Json;
        let DescriptionSource::Text { null: (span, _), .. } = self.description_source() else { return None };
        let value: Value =
            serde_json::from_str(source).ok().filter(|value: &Value| is_json && !value.is_string())?;
        self.with_text(spliced(self.text(), span, source)?).if_described_as(Some(&value), self)
    }

    /// The description: its value, or `None` in it if there is no such member. `None` if the content cannot be read.
    pub(super) fn description(&self) -> Option<Option<Value>> {
        Some(self.read().ok()?.as_object()?.get("description").cloned())
    }

    fn description_source(&self) -> DescriptionSource {
        match self.format() {
            DocumentFormat::Json => json::description(self.text()),
            DocumentFormat::Yaml => yaml::description(self.text()),
        }
    }

    fn with_new_description(&self, description: &str) -> Option<String> {
        match self.format() {
            DocumentFormat::Json => {
                let root = json::Object::read(self.text(), json::whole(self.text())).ok()?;
                self.put(&root, "description", &quoted(description))
            }
            DocumentFormat::Yaml => yaml::set(self.text(), &["description"], description),
        }
    }

    /// The content, if it has this description and otherwise the values of another.
    fn if_described_as(self, description: Option<&Value>, other: &Self) -> Option<Self> {
        let apart = |content: &Self| {
            let mut value = content.read().ok()?;
            let description = value.as_object_mut()?.shift_remove("description");
            Some((value, description))
        };
        let ((mine, described), (others, _)) = (apart(&self)?, apart(other)?);
        (mine == others && described.as_ref() == description).then_some(self)
    }
}
