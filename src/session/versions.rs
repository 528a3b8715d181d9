//! Which version of a document may be deleted if its history is full.

/// The version to delete if a document has as many versions as AWS allows: the oldest that is neither the default nor
/// the latest. It is only one at a time, because deleted history cannot be restored.
#[must_use]
pub fn oldest_prunable(versions: &[u64], default: u64, latest: u64) -> Option<u64> {
    versions.iter().copied().filter(|version| *version != default && *version != latest).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_and_the_latest_version_are_never_pruned() {
        assert_eq!(oldest_prunable(&[3, 1, 2, 4], 1, 4), Some(2));
        assert_eq!(oldest_prunable(&[7, 9], 7, 9), None);
        assert_eq!(oldest_prunable(&[], 1, 1), None);
    }
}
