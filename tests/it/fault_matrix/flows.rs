//! The flows, in groups. A new flow is one entry in the list of its group.

/// The event of a file in `events/`.
macro_rules! sample {
    ($name:literal) => {
        || {
            let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/events/", $name, ".json"));
            serde_json::from_str(text).unwrap()
        }
    };
}

mod changes;
mod creates;
mod direct;
mod fleet;
mod keys;
mod terraform;
mod updates;

pub use changes::changes;
pub use creates::creates;
pub use direct::direct;
pub use keys::keys;
pub use terraform::terraform;
pub use updates::updates;
