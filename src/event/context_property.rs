//! The property Context of both custom resources and of direct calls: condition keys whose values the owner knows.

use crate::access::KnownContext;
use cloudformation_custom_resource::{ObjectOrText, Properties};

/// Reads Context, an object or its text. The result is empty if it is absent or wrong.
pub(super) fn context_property(reader: &mut Properties<'_>) -> KnownContext {
    let known = match reader.object_or_text("Context") {
        None => return KnownContext::default(),
        Some(ObjectOrText::Object(members)) => KnownContext::from_object(&members),
        Some(ObjectOrText::Text(text)) => KnownContext::from_text(&text),
    };
    known.unwrap_or_else(|problems| {
        for problem in problems {
            reader.reject("Context", problem.to_string());
        }
        KnownContext::default()
    })
}
