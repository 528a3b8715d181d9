//! The characters of names and paths in IAM (IAM API reference, `CreateRole` and `CreateUser`).

/// Whether all characters may stand in the name of a role or a user. A name has at least one.
pub(crate) fn is_iam_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}

/// Whether all characters may stand in the path of a role or a user: U+0021 to U+007E. The text is what lies between the
/// first and the last slash of the path, and so may be empty.
pub(crate) fn is_iam_path(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}
