//! The name that somebody probably meant, at the end of an error.

use cloudformation_custom_resource::nearest;

/// `; did you mean …?`, or nothing.
pub(super) fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}
