//! Objects in Amazon S3.

use super::AwsError;
use crate::intent::ObjectAddress;

/// Objects, read.
pub trait ReadObjects {
    /// The bytes of an object from this one on, at most so many. With a version, it is an error if the object has been
    /// replaced since. `None` if there is no such object.
    async fn object_part(
        &self,
        object: &ObjectAddress,
        from: u64,
        most: usize,
        version: Option<&str>,
    ) -> Result<Option<ObjectPart>, AwsError>;

    /// The names of what is directly in a folder. Those of folders end with a slash.
    async fn folder(&self, folder: &ObjectAddress) -> Result<Vec<String>, AwsError>;
}

/// Objects, written.
pub trait WriteObjects {
    /// Writes an object, in place of one that is there.
    async fn put_object(
        &self,
        object: &ObjectAddress,
        content_type: &'static str,
        content: Vec<u8>,
    ) -> Result<(), AwsError>;
}

/// Some bytes of an object.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectPart {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The size of the whole object.
    pub size: u64,
    /// What tells this content from another one: its entity tag.
    pub version: String,
}

impl std::fmt::Debug for ObjectPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { bytes, size, version } = self;
        write!(f, "ObjectPart({} of {size} bytes, {version})", bytes.len())
    }
}
