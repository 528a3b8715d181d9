//! The declaration of a flow: a world, and the event that comes to it.

use serde_json::Value;

use crate::stub::World;

/// The key that the samples in `events/` are about.
pub const K1: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
/// Another key of the account.
pub const K2: &str = "arn:aws:kms:eu-west-1:123456789012:key/22222222-2222-4222-8222-222222222222";
/// A second preferences document.
pub const OTHER_DOCUMENT: &str = "Team-Preferences";

/// A flow.
#[derive(Clone, Copy)]
pub struct Flow {
    /// Its name, unique among all flows.
    pub name: &'static str,
    /// Whether there is a document at first. It carries the key `alias/old`.
    pub has_document: bool,
    /// What else there is at first: principals, nodes, keys.
    pub world: fn(&mut World),
    /// What has happened before the event, in this order.
    pub before: &'static [Step],
    /// The event.
    pub event: FlowEvent,
    /// Whether the event comes in an envelope of SNS.
    pub in_topic: bool,
    /// The states of the documents after the event, as [`super::stage::Stage::state`] writes them.
    pub wanted: &'static [&'static str],
    /// Those after a request that failed and that CloudFormation then undid.
    pub undone: &'static [&'static str],
}

/// What has happened before the event.
#[derive(Clone, Copy)]
pub enum Step {
    /// The stack `demo` has created its resource with these properties, or has updated it to them.
    Deployed(fn() -> Value),
    /// Others have changed something.
    Changed(fn(&mut World)),
    /// The function has handled this event.
    Handled(fn() -> Value),
}

/// What arrives.
#[derive(Clone, Copy)]
pub enum FlowEvent {
    /// A Create of `Custom::SessionEncryption`.
    Create(fn() -> Value),
    /// An Update to these properties, from those that were deployed last.
    Update(fn() -> Value),
    /// A Delete of what was deployed.
    Delete,
    /// The Delete of a Create that never answered.
    DeleteByMadeUpId,
    /// The Create of a resource of this type that changes nothing.
    Question(&'static str, fn() -> Value),
    /// An event of EventBridge.
    Change(fn() -> Value),
    /// A direct call, which somebody waits for.
    Call(fn() -> Value),
    /// A question of AWS Config.
    Rule(fn() -> Value),
}

impl Flow {
    /// Whether the event asks something and must change nothing.
    pub fn only_asks(&self) -> bool {
        match self.event {
            FlowEvent::Question(..) | FlowEvent::Rule(_) => true,
            FlowEvent::Call(call) => {
                ["status", "check", "plan"].iter().any(|action| call()["action"] == *action)
            }
            _ => false,
        }
    }

    /// A flow on the document, with nothing deployed. It has to be given a name, an event and states.
    pub const PLAIN: Self = Self {
        name: "",
        has_document: true,
        world: |_| {},
        before: &[],
        event: FlowEvent::DeleteByMadeUpId,
        in_topic: false,
        wanted: &[],
        undone: &[],
    };
}
