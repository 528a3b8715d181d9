//! Events that nobody should send: any bytes, any JSON, properties of the wrong type or size, hostile strings, key
//! policies that AWS would refuse. `arena` has the rules that hold after each of them.

mod anything;
pub mod arena;
mod damage;
mod key_policies;
mod logs;
mod properties;
pub mod samples;
