//! What the proof of access needs and could not be read, as opposed to verdicts that are unknown for other reasons. Pure.
//!
//! The owner of a document is told at the request what could not be read, and goes on all the same or not. If something
//! cannot be read any more later, nobody is told unless this is compared.

use super::observation::{AccessObservation, Nodes, Read, Sessions};
use crate::access::OwnSide;

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What it is, in words that stay the same: `the policy of key 1234abcd`, with the first digits of the key's id.
    pub what: String,
    /// Why it could not be read.
    pub why: String,
    /// Whether users or nodes may be missing for this reason.
    pub hides_principals: bool,
}

impl AccessObservation {
    /// What could not be read, each thing once. What was not to be read does not count.
    pub(super) fn unread(&self) -> Vec<Unread> {
        let nodes = self.nodes.as_ref();
        let sessions = self.sessions.as_ref();
        let node_gaps = nodes.and_then(Read::known).map(|nodes: &Nodes| nodes.gaps.as_slice());
        let session_gaps = sessions.and_then(Read::known).map(|sessions: &Sessions| sessions.gaps.as_slice());
        let own_sides = self.subjects.iter().find_map(|subject| match &subject.own {
            OwnSide::Unknown(why) if is_call_of_iam(why) => Some(why.as_str()),
            _ => None,
        });
        let tags = self
            .subjects
            .iter()
            .find_map(|subject| subject.tags.as_ref().and_then(Read::why).filter(|why| is_call_of_iam(why)));
        let attributes = &self.attributes;
        let network = self.network.as_ref();
        let of_network = network.and_then(Read::known).and_then(|network| {
            [
                network.endpoints.why(),
                network.subnets.why(),
                network.route_tables.why(),
                network.nat_gateways.why(),
                network.security_groups.why(),
            ]
            .into_iter()
            .flatten()
            .next()
        });
        let id = self.key.arn.as_str().rsplit('/').next().unwrap_or_default();
        let key = id.trim_start_matches("mrk-").chars().take(8).collect::<String>();
        let of_key = |what: &str| format!("the {what} of key {key}");
        let always = str::to_owned;
        let reads = [
            (of_key("policy"), self.policy.why(), false),
            (of_key("grants"), self.grants.why(), false),
            (always("the managed nodes"), nodes.and_then(Read::why).or_else(|| first(node_gaps)), true),
            (
                always("the session history"),
                sessions.and_then(Read::why).or_else(|| first(session_gaps)),
                true,
            ),
            (always("the policies of users and nodes"), own_sides, false),
            (always("the tags of users and nodes"), tags, false),
            (always("the organization"), attributes.organization.as_ref().and_then(Read::why), false),
            (of_key("tags"), attributes.resource_tags.as_ref().and_then(Read::why), false),
            (of_key("aliases"), attributes.aliases.as_ref().and_then(Read::why), false),
            (always("the network of the nodes"), network.and_then(Read::why).or(of_network), false),
        ];
        let unread = reads.into_iter().filter_map(|(what, why, hides_principals)| {
            Some(Unread { what, why: why?.to_owned(), hides_principals })
        });
        unread.collect()
    }
}

fn first(gaps: Option<&[String]>) -> Option<&str> {
    gaps.and_then(|gaps| gaps.first()).map(String::as_str)
}

/// Whether a reason is that a call of IAM failed. Of some principals nothing can be asked, whatever the function may do.
fn is_call_of_iam(why: &str) -> bool {
    why.starts_with("iam:")
}
