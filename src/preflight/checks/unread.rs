//! Why condition keys are not known although a read gives them.

use crate::access::Tags;
use crate::preflight::observation::{AccessObservation, Read};

/// Says of these condition keys which read failed that gives them. The text is empty if none failed. `account` is the
/// caller's account, and `tags` are the tags of its calls.
pub(in crate::preflight) fn unread(
    observation: &AccessObservation,
    account: &str,
    tags: Option<&Read<Tags>>,
    keys: &[String],
) -> String {
    let attributes = &observation.attributes;
    let organization = attributes.organization.as_ref().and_then(Read::why);
    let of_own = |owner: &str| organization.filter(|_| owner == observation.account);
    let reads = [
        ("aws:principalorgid", "the organization is", of_own(account)),
        ("aws:resourceorgid", "the key's organization is", of_own(&observation.arn().location().account)),
        ("aws:principaltag/", "the tags of the principal's calls are", tags.and_then(Read::why)),
        ("aws:resourcetag/", "the key's tags are", attributes.resource_tags.as_ref().and_then(Read::why)),
        ("kms:resourcealiases", "the key's aliases are", attributes.aliases.as_ref().and_then(Read::why)),
    ];
    let mut said = String::new();
    for (name, what, why) in reads {
        let asks = |key: &String| key.to_ascii_lowercase().starts_with(name);
        if let (true, Some(why)) = (keys.iter().any(asks), why) {
            said.push_str(&format!("; {what} not known: {why}"));
        }
    }
    said
}
