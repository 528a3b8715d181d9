//! The formats of the report over an audit, one file a format. Each is written line by line, because an audit may have
//! 100,000 lines.

pub(super) mod asff;
pub(super) mod csv;
pub(super) mod html;
pub(super) mod json;
pub(super) mod ocsf;
pub(super) mod text;
mod time;
mod wording;
