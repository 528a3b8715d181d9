//! The types of condition values, read from their text.

pub(crate) mod binary;
pub(crate) mod date;
pub(crate) mod network;
pub(crate) mod number;

#[cfg(test)]
mod tests;
