//! The address of an object or a folder in Amazon S3: `s3://bucket/key`.

use std::fmt;

use thiserror::Error;

use crate::quote::quoted;

/// A bucket and a key in it. The key of a folder is empty or ends with a slash.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectAddress {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
}

/// Why a text is no address in Amazon S3.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("is {given}, which {why}; it must be written `s3://BUCKET/{expected}`", given = quoted(.text))]
pub struct ObjectAddressError {
    text: String,
    why: &'static str,
    expected: &'static str,
}

/// The longest key, in bytes (S3 User Guide, "Naming Amazon S3 objects").
const LONGEST_KEY: usize = 1024;

impl ObjectAddress {
    /// Reads the address of an object.
    ///
    /// # Errors
    /// If the text is no such address, or is the address of a folder.
    pub fn parse(text: &str) -> Result<Self, ObjectAddressError> {
        let error = |why| ObjectAddressError { text: text.to_owned(), why, expected: "KEY" };
        let address = Self::read(text).map_err(error)?;
        if address.is_folder() { Err(error("names a folder and no object")) } else { Ok(address) }
    }

    /// Reads the address of a folder, with or without the slash at its end.
    ///
    /// # Errors
    /// If the text is no address in S3.
    pub fn parse_folder(text: &str) -> Result<Self, ObjectAddressError> {
        let error = |why| ObjectAddressError { text: text.to_owned(), why, expected: "FOLDER/" };
        let mut address = Self::read(text).map_err(error)?;
        if !address.is_folder() {
            address.key.push('/');
        }
        Ok(address)
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix("s3://").ok_or("does not begin with `s3://`")?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if !is_bucket(bucket) {
            return Err("names no bucket");
        }
        if key.len() > LONGEST_KEY {
            return Err("has a key of more than 1,024 bytes");
        }
        if key.chars().any(char::is_control) {
            return Err("has a control character in its key");
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// Whether it names a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.key.is_empty() || self.key.ends_with('/')
    }

    /// The address of what has this name in this folder.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        Self { bucket: self.bucket.clone(), key: format!("{}{name}", self.key) }
    }

    /// The folder that the object is in.
    #[must_use]
    pub fn folder(&self) -> Self {
        let key = self.key.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        Self { bucket: self.bucket.clone(), key }
    }

    /// The last part of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }
}

/// Whether a text is a bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or a digit at
/// both ends of each part. A name becomes a part of the host that is called.
fn is_bucket(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        part.bytes().all(|byte| is_inner(byte) || byte == b'-')
            && part.bytes().next().is_some_and(is_inner)
            && part.bytes().last().is_some_and(is_inner)
    };
    let is_ip_address = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (3..=63).contains(&text.len()) && text.split('.').all(is_part) && !(is_ip_address && text.contains('.'))
}

impl fmt::Display for ObjectAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_bucket_and_a_key() {
        let address = ObjectAddress::parse("s3://audit-results/runs/2026/pairs.json").unwrap();
        assert_eq!((address.bucket.as_str(), address.name()), ("audit-results", "pairs.json"));
        assert_eq!(address.to_string(), "s3://audit-results/runs/2026/pairs.json");
        assert_eq!(address.folder().to_string(), "s3://audit-results/runs/2026/");
        assert_eq!(address.folder().below("x.csv").to_string(), "s3://audit-results/runs/2026/x.csv");
        assert_eq!(ObjectAddress::parse("s3://bucket/key").unwrap().folder().to_string(), "s3://bucket/");
    }

    #[test]
    fn a_folder_ends_with_a_slash() {
        for (text, folder) in [
            ("s3://bucket", "s3://bucket/"),
            ("s3://bucket/", "s3://bucket/"),
            ("s3://bucket/reports", "s3://bucket/reports/"),
            ("s3://bucket/reports/", "s3://bucket/reports/"),
        ] {
            assert_eq!(ObjectAddress::parse_folder(text).unwrap().to_string(), folder);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        for (text, why) in [
            ("bucket/key", "does not begin"),
            ("https://bucket/key", "does not begin"),
            ("s3://", "names no bucket"),
            ("s3:///key", "names no bucket"),
            ("s3://ab/key", "names no bucket"),
            ("s3://Bucket/key", "names no bucket"),
            ("s3://bucket.evil.example@/key", "names no bucket"),
            ("s3://a..b/key", "names no bucket"),
            ("s3://-ab/key", "names no bucket"),
            ("s3://10.0.0.1/key", "names no bucket"),
            ("s3://bucket:443/key", "names no bucket"),
            ("s3://bucket/folder/", "names a folder"),
            ("s3://bucket", "names a folder"),
            ("s3://bucket/a\nb", "control character"),
        ] {
            let error = ObjectAddress::parse(text).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("s3://BUCKET/KEY"), "{text}: {error}");
        }
        let long = format!("s3://bucket/{}", "k".repeat(1025));
        assert!(ObjectAddress::parse(&long).unwrap_err().to_string().contains("1,024 bytes"));
    }
}
