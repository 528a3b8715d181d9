//! Whose the document is: several stacks, and one stack whose requests meet, fail and go back.

mod changes;
mod meeting;
mod stacks;
