//! What a forged event cannot do: make the function send anything to another host, touch a document that cannot be its
//! own, or read more than it needs in the account of a key.

mod documents;
mod hosts;
mod reader_role;
