//! The remedy for the role of just-in-time node access: the tag of the key that its managed policy asks for.

use serde_json::json;

use crate::access::{JUST_IN_TIME_TAG, JUST_IN_TIME_VALUE};
use crate::preflight::observation::{AccessObservation, Read, Subject};
use crate::preflight::remedies::ResourceRemedy;

/// The tag to add, if the subject is that role and the key is known to lack the tag.
pub(in crate::preflight) fn tag_remedy(
    subject: &Subject,
    observation: &AccessObservation,
) -> Option<ResourceRemedy> {
    let tags = observation.attributes.resource_tags.as_ref().and_then(Read::known)?;
    let is_tagged =
        tags.0.iter().any(|(name, value)| name == JUST_IN_TIME_TAG && value == JUST_IN_TIME_VALUE);
    if is_tagged || !subject.principal.is_just_in_time_role() {
        return None;
    }
    let key = observation.arn();
    Some(ResourceRemedy {
        resource: key.to_string(),
        title: "Tag the key for just-in-time node access, by the command or in its template".to_owned(),
        command: Some(format!(
            "aws kms tag-resource --region {} --key-id {key} --tags \
             TagKey={JUST_IN_TIME_TAG},TagValue={JUST_IN_TIME_VALUE}",
            key.location().region
        )),
        snippet: json!({ "Tags": [{ "Key": JUST_IN_TIME_TAG, "Value": JUST_IN_TIME_VALUE }] }),
    })
}
