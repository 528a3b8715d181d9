//! Where the text of a checked key policy stands, for the formats that point at a line.

/// The file from which a key policy was read, and the places of its parts. Only a check of a file has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySource {
    /// The path of the file, as the command was given it.
    pub file: String,
    /// The place of the whole policy.
    pub policy: SourcePlace,
    /// The place of each statement, in the order of the policy. Empty if the places are not known.
    pub statements: Vec<SourcePlace>,
}

/// A place in a file. Lines and columns count from 1; a column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourcePlace {
    /// The line in which the part begins.
    pub line: u32,
    /// The column at which it begins.
    pub column: u32,
    /// The line in which it ends.
    pub end_line: u32,
}
