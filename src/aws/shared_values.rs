//! What many items of a list have in common, kept once.
//!
//! A fleet of thousands has a few hundred instance profiles, subnets and versions of the agent.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// The distinct values so far.
#[derive(Debug)]
pub(super) struct SharedValues<T: ?Sized>(HashSet<Arc<T>>);

impl<T: ?Sized> Default for SharedValues<T> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<T: ?Sized + Eq + Hash> SharedValues<T>
where
    for<'a> Arc<T>: From<&'a T>,
{
    /// The equal one of the values so far. If there is none, the value becomes one of them.
    pub(super) fn of(&mut self, value: &T) -> Arc<T> {
        if let Some(known) = self.0.get(value) {
            return Arc::clone(known);
        }
        let new = Arc::from(value);
        self.0.insert(Arc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_kept_once_and_others_stay_as_they_are() {
        let mut shared = SharedValues::default();
        let values: [Arc<str>; 3] = ["a", "b", "a"].map(|value| shared.of(value));
        assert_eq!(values.each_ref().map(|value| &**value), ["a", "b", "a"]);
        assert!(Arc::ptr_eq(&values[0], &values[2]));
    }
}
