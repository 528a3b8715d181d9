//! Why condition keys are not known that one read would tell.

use crate::access::Tags;
use crate::preflight::observation::{AccessObservation, Read};

/// What is to be said of these condition keys, where a read that would tell them failed; empty where none did.
/// The caller is of this account, and these are the tags of its calls.
pub(in crate::preflight) fn unread(
    observation: &AccessObservation,
    account: &str,
    tags: Option<&Read<Tags>>,
    keys: &[String],
) -> String {
    let attributes = &observation.attributes;
    let organization = attributes.organization.as_ref().and_then(why);
    let of_own = |owner: &str| organization.filter(|_| owner == observation.account);
    let reads = [
        ("aws:principalorgid", "the organization is", of_own(account)),
        ("aws:resourceorgid", "the key's organization is", of_own(&observation.arn().location().account)),
        ("aws:principaltag/", "the tags of the principal's calls are", tags.and_then(why)),
        ("aws:resourcetag/", "the key's tags are", attributes.resource_tags.as_ref().and_then(why)),
        ("kms:resourcealiases", "the key's aliases are", attributes.aliases.as_ref().and_then(why)),
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

fn why<T>(read: &Read<T>) -> Option<&str> {
    match read {
        Read::Known(_) => None,
        Read::Unknown(why) => Some(why),
    }
}
