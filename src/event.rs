//! What arrives, one file a source. Each turns JSON into an intent, and does nothing else.

pub mod custom_resource;
pub mod key_access;
