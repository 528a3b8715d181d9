//! The definition of wildcards, in a form that is slow and obvious.

/// Whether `pattern` matches the whole of `value`, by the table of all prefixes of both.
pub(crate) fn matches_by_definition(pattern: &str, value: &str) -> bool {
    let value: Vec<char> = value.chars().collect();
    let mut row = vec![false; value.len() + 1];
    row[0] = true;
    for symbol in pattern.chars() {
        let before = row.clone();
        for at in 0..row.len() {
            row[at] = match symbol {
                '*' => before[at] || (at > 0 && row[at - 1]),
                '?' => at > 0 && before[at - 1],
                c => at > 0 && before[at - 1] && value[at - 1] == c,
            };
        }
    }
    row[value.len()]
}
