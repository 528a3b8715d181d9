//! Signature version 4 of a request to S3, which signs the path as it is sent: a client that encodes it twice, or shortens
//! it, is refused by AWS. The secret of every access key is `secret`.

use sha2::{Digest as _, Sha256};

use crate::stub::wire::Incoming;

/// The size of the blocks of SHA-256.
const BLOCK: usize = 64;

/// Whether the request has the signature of its path, query, headers and content.
pub fn is_valid(incoming: &Incoming, content_digest: &str) -> bool {
    signature(incoming, content_digest).is_some_and(|(given, expected)| given == expected)
}

/// The signature that the request has, and the one that it must have.
fn signature(incoming: &Incoming, content_digest: &str) -> Option<(String, String)> {
    let authorization = incoming.header("authorization")?;
    let part = |name: &str| authorization.split_once(name)?.1.split(',').next().map(str::trim);
    let scope = part("Credential=")?.split_once('/')?.1;
    let signed = part("SignedHeaders=")?;
    let given = part("Signature=")?;
    let (path, query) = incoming.target.split_once('?').unwrap_or((&incoming.target, ""));
    let mut query: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    query.sort_unstable();
    let headers = signed.split(';').map(|name| Some(format!("{name}:{}\n", incoming.header(name)?.trim())));
    let headers: String = headers.collect::<Option<_>>()?;
    let request = [&incoming.method, path, &query.join("&"), &headers, signed, content_digest].join("\n");
    let time = incoming.header("x-amz-date")?;
    let text = ["AWS4-HMAC-SHA256", time, scope, &hex(&Sha256::digest(request))].join("\n");
    let mut key = b"AWS4secret".to_vec();
    for part in scope.split('/') {
        key = hmac(&key, part.as_bytes());
    }
    Some((given.to_owned(), hex(&hmac(&key, text.as_bytes()))))
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let padded = |with: u8| (0..BLOCK).map(move |at| key.get(at).copied().unwrap_or(0) ^ with);
    let inner = Sha256::digest(padded(0x36).chain(text.iter().copied()).collect::<Vec<_>>());
    Sha256::digest(padded(0x5c).chain(inner).collect::<Vec<_>>()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
