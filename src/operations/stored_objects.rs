//! Objects that hold the results of an audit, read by parts: one file of results may be larger than the memory.

use super::AuditFailure;
use crate::audit::{Audit, ResultManifest, ResultReader};
use crate::intent::ObjectAddress;
use crate::ports::{AwsError, AwsErrorKind, ReadObjects};

/// How much of an object is read at a time.
const PART: usize = 8 << 20;
/// The largest object that is held as a whole: the list of 100,000 accounts and Regions has some 30 MB.
const LARGEST: u64 = 256 << 20;

/// The results of a Map Run, as the manifest of the ResultWriter of Step Functions names them. Each account and Region is in
/// the audit once.
///
/// # Errors
/// If the manifest or a file that it names is not there, cannot be read, or is no such file.
pub async fn stored_audit<P: ReadObjects>(
    ports: &P,
    manifest: &ObjectAddress,
) -> Result<Audit, AuditFailure> {
    let text = required_object(ports, manifest, "the manifest of the results").await?;
    let not_one = |why: String| AuditFailure::NotReadable { object: manifest.clone(), why };
    let read = ResultManifest::parse(&text);
    let ResultManifest { bucket, files } =
        read.map_err(|error| not_one(format!("it is no manifest of a ResultWriter: {error}")))?;
    // Whoever may write the manifest must not choose what else is read.
    if bucket != manifest.bucket {
        return Err(not_one("it names another bucket than its own".to_owned()));
    }
    let mut audit = Audit::default();
    for file in files.iter().filter(|file| file.size > 0) {
        let object = ObjectAddress { bucket: bucket.clone(), key: file.key.clone() };
        let mut reader = ResultReader::default();
        let mut take =
            |part: &[u8]| reader.push(part).into_iter().for_each(|result| audit.fold_result(result));
        if !each_part(ports, &object, &mut take).await? {
            return Err(AuditFailure::Missing { what: "a file of results", object });
        }
        reader.finish().into_iter().for_each(|result| audit.fold_result(result));
    }
    Ok(audit)
}

/// All of an object that must be there.
///
/// # Errors
/// If it is not there, cannot be read, or is too large.
pub async fn required_object<P: ReadObjects>(
    ports: &P,
    object: &ObjectAddress,
    what: &'static str,
) -> Result<Vec<u8>, AuditFailure> {
    let found = whole_object(ports, object).await?;
    found.ok_or_else(|| AuditFailure::Missing { what, object: object.clone() })
}

/// All of an object; `None` if there is none.
pub(super) async fn whole_object<P: ReadObjects>(
    ports: &P,
    object: &ObjectAddress,
) -> Result<Option<Vec<u8>>, AuditFailure> {
    let Some(first) = ports.object_part(object, 0, PART, None).await? else { return Ok(None) };
    if first.size > LARGEST {
        let why = format!("it has {} bytes, and at most {LARGEST} are read", first.size);
        return Err(AuditFailure::NotReadable { object: object.clone(), why });
    }
    let progress = Progress { read: bytes(&first.bytes), size: first.size, version: first.version };
    let mut content = first.bytes;
    rest(ports, object, progress, &mut |part| content.extend_from_slice(part)).await?;
    Ok(Some(content))
}

/// Takes each part of an object. The result is `false` if there is none.
async fn each_part<P: ReadObjects>(
    ports: &P,
    object: &ObjectAddress,
    take: &mut impl FnMut(&[u8]),
) -> Result<bool, AwsError> {
    let Some(first) = ports.object_part(object, 0, PART, None).await? else { return Ok(false) };
    take(&first.bytes);
    let read = bytes(&first.bytes);
    rest(ports, object, Progress { read, size: first.size, version: first.version }, take).await?;
    Ok(true)
}

struct Progress {
    read: u64,
    size: u64,
    version: String,
}

async fn rest<P: ReadObjects>(
    ports: &P,
    object: &ObjectAddress,
    Progress { mut read, size, version }: Progress,
    take: &mut impl FnMut(&[u8]),
) -> Result<(), AwsError> {
    while read < size {
        let part = ports.object_part(object, read, PART, Some(&version)).await?;
        let Some(part) = part.filter(|part| !part.bytes.is_empty()) else {
            return Err(AwsError {
                operation: "s3:GetObject",
                on: object.to_string(),
                kind: AwsErrorKind::NoAnswer(format!("only {read} of {size} bytes came")),
            });
        };
        take(&part.bytes);
        read += bytes(&part.bytes);
    }
    Ok(())
}

fn bytes(part: &[u8]) -> u64 {
    u64::try_from(part.len()).unwrap_or(u64::MAX)
}
