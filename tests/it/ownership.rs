//! Whose the document is: several stacks, and one stack whose requests meet, fail and go back.

mod concurrent_requests;
mod two_stacks;
mod updates;
