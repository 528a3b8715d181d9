//! The S3 of the stub: GetObject with a range, PutObject and ListObjectsV2, of buckets in paths. Objects hold text.

mod signature;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use super::call::{Call, Location, Outcome, Refusal};
use super::services::{Operation, Service};
use super::wire::{Incoming, Reply, Understood, Wire};
use super::world::World;

pub const OPERATIONS: &[&[Operation]] = &[&[
    Operation::read("GetObject", get),
    Operation::write("PutObject", put),
    Operation::read("ListObjectsV2", list),
]];

/// S3's protocol.
pub const S3: Wire = Wire { read, write };

/// All buckets.
#[derive(Clone, Debug, Default)]
pub struct Buckets {
    pub held: BTreeMap<String, Bucket>,
}

/// A bucket with its objects, by key.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub location: Location,
    pub objects: BTreeMap<String, String>,
    /// The type of each object that was put.
    pub types: BTreeMap<String, String>,
}

/// What the code that sends a caller to another Region says before the Region.
const EXPECTING: &str = "expecting '";

fn read(_: &Service, incoming: &Incoming) -> Understood {
    let malformed = |why: &str| Refusal::client("InvalidRequest", why);
    let digest: String = Sha256::digest(&incoming.body).iter().map(|byte| format!("{byte:02x}")).collect();
    if incoming.header("x-amz-content-sha256") != Some(&digest) {
        return Err(malformed("x-amz-content-sha256 is not the digest of the content"));
    }
    if !signature::is_valid(incoming, &digest) {
        let message = "The request signature we calculated does not match the signature you provided.";
        return Err(Refusal::server(403, "SignatureDoesNotMatch", message));
    }
    let (path, query) = incoming.target.split_once('?').unwrap_or((&incoming.target, ""));
    let path = path.strip_prefix('/').ok_or_else(|| malformed("no path"))?;
    let (bucket, key) = path.split_once('/').ok_or_else(|| malformed("no bucket in the path"))?;
    let key = decoded(key).ok_or_else(|| malformed("a key that is not encoded as S3 wants it"))?;
    let mut body = Map::new();
    body.insert("Bucket".to_owned(), bucket.into());
    let mut header = |name: &str, member: &str| {
        body.extend(incoming.header(name).map(|value| (member.to_owned(), value.into())));
    };
    let operation = match (incoming.method.as_str(), key.as_str()) {
        ("GET", "") => {
            for (name, value) in form_urlencoded::parse(query.as_bytes()) {
                body.insert(name.into_owned(), value.into_owned().into());
            }
            if body.remove("list-type") != Some("2".into()) {
                return Err(malformed("only the second version of the list is there"));
            }
            "ListObjectsV2"
        }
        ("GET", _) => {
            header("range", "Range");
            header("if-match", "IfMatch");
            "GetObject"
        }
        ("PUT", _) => {
            header("content-type", "ContentType");
            let text = std::str::from_utf8(&incoming.body);
            body.insert("Body".to_owned(), text.map_err(|_| malformed("the content is no text"))?.into());
            "PutObject"
        }
        _ => return Err(malformed("an operation that is not there")),
    };
    if operation != "ListObjectsV2" {
        if !query.is_empty() {
            return Err(malformed("a query that is not there"));
        }
        body.insert("Key".to_owned(), key.into());
    }
    Ok((operation.to_owned(), Value::Object(body)))
}

/// A key as it was before it was encoded. A slash and what has no meaning in a URL stand for themselves.
fn decoded(key: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = key.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            b'/' | b'-' | b'.' | b'_' | b'~' => bytes.push(byte),
            _ if byte.is_ascii_alphanumeric() => bytes.push(byte),
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok()
}

fn write(_: &Service, operation: &str, request_id: &str, outcome: &Outcome) -> Reply {
    let mut headers = vec![("x-amz-request-id", request_id.to_owned())];
    match outcome {
        Ok(answer) => {
            let text = |member: &str| answer[member].as_str().map(str::to_owned);
            headers.extend(text("ETag").map(|tag| ("etag", tag)));
            headers.extend(text("ContentRange").map(|range| ("content-range", range)));
            let status = if operation == "GetObject" { 206 } else { 200 };
            Reply { status, headers, body: text("Body").unwrap_or_default() }
        }
        Err(Refusal { status, code, message }) => {
            let region = message.split_once(EXPECTING).and_then(|(_, rest)| rest.split('\'').next());
            headers.extend(region.map(|region| ("x-amz-bucket-region", region.to_owned())));
            let region = region.map(|region| format!("<Region>{region}</Region>")).unwrap_or_default();
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{}</Message>{region}\
                 <RequestId>{request_id}</RequestId></Error>",
                escaped(message)
            );
            Reply { status: *status, headers, body }
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The bucket, if the caller's request reaches it. Only its owner may use it.
fn bucket<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Bucket, Refusal> {
    let name = call.required("Bucket")?;
    let Some(bucket) = world.buckets.held.get_mut(name) else {
        return Err(Refusal::server(404, "NoSuchBucket", "The specified bucket does not exist"));
    };
    if bucket.location.region != call.region {
        let message = format!(
            "The authorization header is malformed; the region '{}' is wrong; {EXPECTING}{}'",
            call.region, bucket.location.region
        );
        return Err(Refusal::client("AuthorizationHeaderMalformed", message));
    }
    if bucket.location.account != call.caller.account {
        return Err(Refusal::server(403, "AccessDenied", "Access Denied"));
    }
    Ok(bucket)
}

fn get(world: &mut World, call: &Call) -> Outcome {
    call.only(&["Bucket", "Key", "Range", "IfMatch"])?;
    let bucket = bucket(world, call)?;
    let Some(content) = bucket.objects.get(call.required("Key")?) else {
        return Err(Refusal::server(404, "NoSuchKey", "The specified key does not exist."));
    };
    let tag = tag(content);
    if call.text("IfMatch")?.is_some_and(|wanted| wanted != tag) {
        let message = "At least one of the pre-conditions you specified did not hold";
        return Err(Refusal::server(412, "PreconditionFailed", message));
    }
    let range = call.required("Range")?;
    let range = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let range = range.and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    let Some((from, to)) = range.filter(|(from, to): &(usize, usize)| from <= to) else {
        return Err(Refusal::client("InvalidArgument", "the range is malformed"));
    };
    let size = content.len();
    if from >= size {
        return Err(Refusal::server(416, "InvalidRange", "The requested range is not satisfiable"));
    }
    let to = to.min(size - 1);
    // A range may end in the middle of a character, of which no test has one.
    let part =
        content.get(from..=to).ok_or_else(|| Refusal::client("InvalidArgument", "not in this stub"))?;
    Ok(json!({"Body": part, "ETag": tag, "ContentRange": format!("bytes {from}-{to}/{size}")}))
}

fn put(world: &mut World, call: &Call) -> Outcome {
    call.only(&["Bucket", "Key", "ContentType", "Body"])?;
    let bucket = bucket(world, call)?;
    let (key, body) = (call.required("Key")?, call.required("Body")?);
    if key.len() > 1024 {
        return Err(Refusal::client("KeyTooLongError", "Your key is too long"));
    }
    bucket.types.insert(key.to_owned(), call.required("ContentType")?.to_owned());
    bucket.objects.insert(key.to_owned(), body.to_owned());
    Ok(json!({"ETag": tag(body)}))
}

fn list(world: &mut World, call: &Call) -> Outcome {
    call.only(&["Bucket", "prefix", "delimiter", "continuation-token"])?;
    let most = world.page_size.unwrap_or(1000);
    let bucket = bucket(world, call)?;
    let prefix = call.text("prefix")?.unwrap_or_default();
    let mut entries = BTreeSet::new();
    for rest in bucket.objects.keys().filter_map(|key| key.strip_prefix(prefix)) {
        entries.insert(match (call.text("delimiter")?, rest.split_once('/')) {
            (Some("/"), Some((folder, _))) => format!("{prefix}{folder}/"),
            (None | Some("/"), _) => format!("{prefix}{rest}"),
            _ => return Err(Refusal::client("InvalidArgument", "not in this stub")),
        });
    }
    let after = call.text("continuation-token")?.unwrap_or_default().trim_start_matches("after+");
    let mut entries = entries.into_iter().filter(|entry| entry.as_str() > after);
    let page: Vec<_> = entries.by_ref().take(most).collect();
    let mut body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                    <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        .to_owned();
    if let (Some(_), Some(last)) = (entries.next(), page.last()) {
        body +=
            &format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(&format!("after+{last}")));
    }
    for entry in page {
        let entry_text = escaped(&entry);
        body += &if entry.ends_with('/') {
            format!("<CommonPrefixes><Prefix>{entry_text}</Prefix></CommonPrefixes>")
        } else {
            format!("<Contents><Key>{entry_text}</Key></Contents>")
        };
    }
    Ok(json!({"Body": body + "</ListBucketResult>"}))
}

fn tag(content: &str) -> String {
    let digest = Sha256::digest(Bytes::copy_from_slice(content.as_bytes()));
    format!("\"{}\"", digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>())
}

impl World {
    /// Adds a bucket to the default account, in this Region.
    pub fn add_bucket(&mut self, name: &str, region: &str) {
        let location = Location::new(&self.location.account, region);
        let bucket = Bucket { location, objects: BTreeMap::new(), types: BTreeMap::new() };
        self.buckets.held.insert(name.to_owned(), bucket);
    }

    /// Puts an object, whoever owns the bucket.
    pub fn put_object(&mut self, bucket: &str, key: &str, content: &str) {
        let bucket = self.buckets.held.get_mut(bucket).expect("the bucket was added");
        bucket.objects.insert(key.to_owned(), content.to_owned());
    }

    /// The content of an object.
    pub fn object(&self, bucket: &str, key: &str) -> Option<&str> {
        self.buckets.held.get(bucket)?.objects.get(key).map(String::as_str)
    }

    /// The keys of a bucket.
    pub fn keys_of(&self, bucket: &str) -> Vec<String> {
        self.buckets
            .held
            .get(bucket)
            .map(|bucket| bucket.objects.keys().cloned().collect())
            .unwrap_or_default()
    }
}
