//! The report over an audit: reading results, counting, comparing, and the formats.

#[path = "../../benches/support/audit_lines.rs"]
mod audit_lines;
mod collected;
mod formats;
mod properties;
mod reading;
mod samples;
