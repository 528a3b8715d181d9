//! The receiver behind response URLs. S3's part is a pre-signed PUT, which any change of the URL or of the content
//! type breaks. CloudFormation's part is one valid response for each request. What S3 refuses gets 403; what only
//! CloudFormation would refuse gets 200, as in AWS. Both are violations.

use std::collections::{BTreeMap, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use super::received::ReceivedResponse;
use crate::ids::Ids;

/// An HTTP request, read whole.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The method, such as `PUT`.
    pub method: String,
    /// Path and query, byte for byte as they were received.
    pub target: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// Parses an HTTP/1.1 request; `None` as long as bytes are missing.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
        let mut lines = head.lines();
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        let request =
            Self { method, target, headers: headers.collect(), body: bytes.get(end + 4..)?.to_vec() };
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        (request.body.len() >= length).then_some(request)
    }

    /// The value of a header.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What a PUT meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutFault {
    /// This HTTP status; the response is not accepted.
    Status(u16),
    /// The response is accepted; the HTTP answer waits until it is released.
    Held,
    /// The connection is closed; the response is not accepted.
    CutBefore,
    /// The response is accepted, and the connection is closed.
    CutAfter,
}

/// What the server has to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Answer with this status and this body; the body is XML if it is not empty.
    Respond {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: String,
    },
    /// Wait until the URL is released, then acknowledge and answer with 200.
    Hold,
    /// Close the connection.
    Cut,
}

/// The response URLs that were issued, by path and query.
#[derive(Debug, Default)]
pub struct ResponseReceiver {
    issued: BTreeMap<String, IssuedUrl>,
    violations: Vec<String>,
}

#[derive(Debug)]
struct IssuedUrl {
    ids: Ids,
    expires: Option<u64>,
    puts: usize,
    /// How many responses are no violation: more than one only after a second delivery.
    allowed: usize,
    responses: Vec<ReceivedResponse>,
    /// Whether the sender has seen a 200 for the last response, and so has no reason to repeat it.
    acknowledged: bool,
    faults: VecDeque<PutFault>,
    released: bool,
}

impl ResponseReceiver {
    /// Where the paths of response URLs start.
    pub const PATH: &'static str = "/cfn-response/";

    /// Issues a URL for the response to the request with these ids. Its path and query hold what a client might be
    /// tempted to decode or to encode again. It is valid for two hours, or for as long as `Expires` in `query` says.
    pub fn expect(&mut self, endpoint: &str, ids: &Ids, query: Option<&str>) -> String {
        let path = [&ids.stack_id, &ids.logical_resource_id, &ids.request_id].map(|id| percent_encoded(id));
        let path = path.join("%7C");
        let serial = self.issued.len() + 1;
        let query = query.map_or_else(
            || {
                let expires = now() + 7200;
                format!(
                    "AWSAccessKeyId=ASIAEXAMPLE&Signature=a%2Bb%2Fc%3D{serial}&x-amz-security-token=t%3Ao~k%20en&Expires={expires}"
                )
            },
            str::to_owned,
        );
        let expires = query.split('&').find_map(|pair| pair.strip_prefix("Expires=")?.parse().ok());
        let target = format!("{}{path}-{serial}?{query}", Self::PATH);
        let issued = IssuedUrl {
            ids: ids.clone(),
            expires,
            puts: 0,
            allowed: 1,
            responses: Vec::new(),
            acknowledged: false,
            faults: VecDeque::new(),
            released: false,
        };
        let url = format!("{endpoint}{target}");
        self.issued.insert(target, issued);
        url
    }

    /// Allows one more response: the request is delivered again, as Lambda does after an error.
    pub fn redelivered(&mut self, url: &str) {
        self.at(url).allowed += 1;
    }

    /// What the next PUTs to the URL meet, one fault for each PUT, in this order.
    pub fn put_faults(&mut self, url: &str, faults: &[PutFault]) {
        self.at(url).faults.extend(faults);
    }

    /// Lets the PUTs that [`PutFault::Held`] holds go on.
    pub fn release(&mut self, url: &str) {
        self.at(url).released = true;
    }

    /// Whether the PUTs to this path and query may go on.
    pub fn is_released(&self, target: &str) -> bool {
        self.issued.get(target).is_some_and(|issued| issued.released)
    }

    /// The number of PUTs to the URL, accepted or not.
    pub fn puts(&mut self, url: &str) -> usize {
        self.at(url).puts
    }

    /// The valid responses to the URL.
    pub fn responses(&mut self, url: &str) -> Vec<ReceivedResponse> {
        self.at(url).responses.clone()
    }

    /// Everything that S3 or CloudFormation would not have accepted.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Receives a request.
    pub fn receive(&mut self, request: &HttpRequest) -> Reaction {
        let Some(issued) = self.issued.get_mut(&request.target) else {
            let why = "the path or the query is not what was given out";
            return self.refuse(403, "SignatureDoesNotMatch", why);
        };
        issued.puts += 1;
        let name = issued.ids.logical_resource_id.clone();
        if request.method != "PUT" {
            let why = format!("{name}: the method is {}", request.method);
            return self.refuse(403, "SignatureDoesNotMatch", &why);
        }
        // The URL is signed for an empty content type.
        if let Some(found) = request.header("content-type").filter(|found| !found.is_empty()) {
            let why = format!("{name}: the content type is `{found}`");
            return self.refuse(403, "SignatureDoesNotMatch", &why);
        }
        if request.header("transfer-encoding").is_some() {
            return self.refuse(501, "NotImplemented", &format!("{name}: a transfer encoding"));
        }
        match request.header("content-length") {
            None => return self.refuse(411, "MissingContentLength", &format!("{name}: no content-length")),
            Some(length) if length != request.body.len().to_string() => {
                return self.refuse(
                    400,
                    "IncompleteBody",
                    &format!("{name}: the content-length is {length}"),
                );
            }
            Some(_) => {}
        }
        if issued.expires.is_some_and(|expires| expires < now()) {
            return self.refuse(403, "AccessDenied", &format!("{name}: Request has expired"));
        }
        let fault = issued.faults.pop_front();
        let wrong = match (fault, ReceivedResponse::read(&issued.ids, &request.body)) {
            (_, Err(wrong)) => wrong,
            (Some(PutFault::Status(_) | PutFault::CutBefore), Ok(_)) => Vec::new(),
            (Some(PutFault::Held | PutFault::CutAfter) | None, Ok(response)) => issued.accept(response),
        };
        self.violations.extend(wrong.into_iter().map(|wrong| format!("{name}: {wrong}")));
        match fault {
            Some(PutFault::Status(status)) => xml(status, "Fault"),
            Some(PutFault::Held) => Reaction::Hold,
            Some(PutFault::CutBefore | PutFault::CutAfter) => Reaction::Cut,
            None => {
                self.acknowledge(&request.target);
                Reaction::Respond { status: 200, body: String::new() }
            }
        }
    }

    /// The sender has received a 200 for the last response to this path and query. Call it for a released PUT.
    pub fn acknowledge(&mut self, target: &str) {
        if let Some(issued) = self.issued.get_mut(target) {
            issued.acknowledged = true;
        }
    }

    fn refuse(&mut self, status: u16, code: &str, why: &str) -> Reaction {
        self.violations.push(why.to_owned());
        xml(status, code)
    }

    #[expect(clippy::expect_used, reason = "a test that asks for a URL of somebody else must fail at once")]
    fn at(&mut self, url: &str) -> &mut IssuedUrl {
        let target = url.find(Self::PATH).and_then(|start| url.get(start..)).expect("a response URL");
        self.issued.get_mut(target).expect("a response URL of this receiver")
    }
}

impl IssuedUrl {
    /// Adds a valid response and returns what is wrong with it all the same. The same response again, because nobody
    /// acknowledged it, is still one response.
    fn accept(&mut self, response: ReceivedResponse) -> Vec<String> {
        if !self.acknowledged && self.responses.last() == Some(&response) {
            return Vec::new();
        }
        if self.responses.len() >= self.allowed {
            return vec!["the request has been answered already".to_owned()];
        }
        self.acknowledged = false;
        self.responses.push(response);
        Vec::new()
    }
}

/// A part of a path as S3 signs it. The slash stays.
fn percent_encoded(text: &str) -> String {
    let stays = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    let encode = |byte: u8| if stays(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs())
}

/// S3's error document.
fn xml(status: u16, code: &str) -> Reaction {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
    Reaction::Respond { status, body }
}

#[cfg(test)]
mod tests;
