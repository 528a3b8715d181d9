//! The types of condition values, read from their text.

pub(super) mod binary;
pub(super) mod date;
pub(super) mod network;
pub(super) mod number;

#[cfg(test)]
mod tests;
