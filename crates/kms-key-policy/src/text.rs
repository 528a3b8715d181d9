//! Hashes of names, and their comparison whatever the case.

/// The FNV-1a hash of a text.
pub(crate) fn hash(text: &str) -> u64 {
    hash_bytes(text.bytes())
}

/// The hash of a condition key's name, whatever the case of the name.
pub(crate) fn hash_folded(name: &str) -> u64 {
    if name.is_ascii() {
        return hash_bytes(name.bytes().map(|b| b.to_ascii_lowercase()));
    }
    let mut buffer = [0; 4];
    folded(name).fold(FNV_OFFSET, |hash, c| c.encode_utf8(&mut buffer).bytes().fold(hash, fnv_step))
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn hash_bytes(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(FNV_OFFSET, fnv_step)
}

fn fnv_step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

/// The text in lower case, character by character, without normalisation.
pub(crate) fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Whether two texts are the same, or differ only in their case.
pub(crate) fn same_folded(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || (!one.is_ascii() && folded(one).eq(folded(other)))
}
