//! The receiver behind ResponseURLs: S3's part (a pre-signed PUT, which any change of the URL or of the content type
//! breaks) and CloudFormation's (one valid answer a request). What S3 refuses gets 403; what only CloudFormation would
//! refuse gets 200, as in AWS. Both are violations.

use std::collections::{BTreeMap, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use super::super::wire::{Incoming, Reply};
use super::answer::{Answer, Ids};

/// Where ResponseURLs start.
pub const PATH: &str = "/cfn-response/";

/// What a PUT meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutFault {
    /// This HTTP status; the answer is not taken.
    Status(u16),
    /// The answer is taken; the HTTP answer waits until it is released.
    Held,
    /// The connection is closed; the answer is not taken.
    CutBefore,
    /// The answer is taken, and the connection is closed.
    CutAfter,
}

/// What becomes of a PUT.
#[derive(Debug)]
pub enum Taken {
    Reply(Reply),
    Held,
    Cut,
}

/// The URLs given out, by path and query.
#[derive(Debug, Default)]
pub struct Receiver {
    given: BTreeMap<String, Given>,
    violations: Vec<String>,
}

#[derive(Debug)]
struct Given {
    ids: Ids,
    expires: Option<u64>,
    puts: usize,
    /// Answers that are no violation; more than one only after a second delivery.
    allowed: usize,
    answers: Vec<Answer>,
    /// The sender has seen a 200 for the last answer, and has no reason to repeat it.
    acknowledged: bool,
    faults: VecDeque<PutFault>,
    released: bool,
}

impl Receiver {
    /// Gives out a URL. Its path and query hold what a client might be tempted to decode or to encode again.
    pub fn expect(&mut self, endpoint: &str, ids: &Ids, query: Option<&str>) -> String {
        let path = [&ids.stack_id, &ids.logical_resource_id, &ids.request_id]
            .map(|id| id.replace(':', "%3A").replace('|', "%7C"));
        let path = path.join("%7C");
        let serial = self.given.len() + 1;
        let expires = query.is_none().then(|| now() + 7200);
        let query = match (query, expires) {
            (Some(query), _) => query.to_owned(),
            (None, expires) => format!(
                "AWSAccessKeyId=ASIAEXAMPLE&Signature=a%2Bb%2Fc%3D{serial}&x-amz-security-token=t%3Ao~k%20en&Expires={}",
                expires.unwrap_or_default()
            ),
        };
        let expires =
            expires.or_else(|| query.split('&').find_map(|pair| pair.strip_prefix("Expires=")?.parse().ok()));
        let target = format!("{PATH}{path}-{serial}?{query}");
        let given = Given {
            ids: ids.clone(),
            expires,
            puts: 0,
            allowed: 1,
            answers: Vec::new(),
            acknowledged: false,
            faults: VecDeque::new(),
            released: false,
        };
        let url = format!("{endpoint}{target}");
        self.given.insert(target, given);
        url
    }

    pub fn redelivered(&mut self, url: &str) {
        self.at(url).allowed += 1;
    }

    pub fn put_faults(&mut self, url: &str, faults: &[PutFault]) {
        self.at(url).faults.extend(faults);
    }

    pub fn release(&mut self, url: &str) {
        self.at(url).released = true;
    }

    pub fn released(&self, target: &str) -> bool {
        self.given.get(target).is_some_and(|given| given.released)
    }

    pub fn puts(&mut self, url: &str) -> usize {
        self.at(url).puts
    }

    pub fn answers(&mut self, url: &str) -> Vec<Answer> {
        self.at(url).answers.clone()
    }

    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Takes a PUT.
    pub fn take(&mut self, incoming: &Incoming) -> Taken {
        let Some(given) = self.given.get_mut(&incoming.target) else {
            return self.refuse(
                403,
                "SignatureDoesNotMatch",
                "the path or the query is not what was given out",
            );
        };
        given.puts += 1;
        let name = given.ids.logical_resource_id.clone();
        if incoming.method != "PUT" {
            return self.refuse(
                403,
                "SignatureDoesNotMatch",
                &format!("{name}: the method is {}", incoming.method),
            );
        }
        // The URL is signed for an empty content type.
        if let Some(found) = incoming.header("content-type").filter(|found| !found.is_empty()) {
            return self.refuse(
                403,
                "SignatureDoesNotMatch",
                &format!("{name}: the content type is `{found}`"),
            );
        }
        if incoming.header("content-length").is_none() {
            return self.refuse(411, "MissingContentLength", &format!("{name}: no content-length"));
        }
        if given.expires.is_some_and(|expires| expires < now()) {
            return self.refuse(403, "AccessDenied", &format!("{name}: Request has expired"));
        }
        let fault = given.faults.pop_front();
        match fault {
            Some(PutFault::Status(status)) => return Taken::Reply(xml(status, "Fault")),
            Some(PutFault::CutBefore) => return Taken::Cut,
            Some(PutFault::Held | PutFault::CutAfter) | None => {}
        }
        let wrong = given.accept(&incoming.body);
        self.violations.extend(wrong.into_iter().map(|wrong| format!("{name}: {wrong}")));
        match fault {
            Some(PutFault::Held) => Taken::Held,
            Some(_) => Taken::Cut,
            None => Taken::Reply(self.acknowledge(&incoming.target)),
        }
    }

    /// S3's answer to a PUT that it took.
    pub fn acknowledge(&mut self, target: &str) -> Reply {
        if let Some(given) = self.given.get_mut(target) {
            given.acknowledged = true;
        }
        Reply { status: 200, headers: Vec::new(), body: String::new() }
    }

    fn refuse(&mut self, status: u16, code: &str, why: &str) -> Taken {
        self.violations.push(why.to_owned());
        Taken::Reply(xml(status, code))
    }

    fn at(&mut self, url: &str) -> &mut Given {
        let (_, rest) = url.split_once(PATH).expect("a ResponseURL");
        let given = self.given.get_mut(&format!("{PATH}{rest}"));
        given.expect("a ResponseURL of this stub")
    }
}

impl Given {
    /// Keeps a valid answer; the same answer sent again because nobody acknowledged it is still one answer.
    fn accept(&mut self, body: &[u8]) -> Vec<String> {
        let answer = match Answer::read(&self.ids, body) {
            Ok(answer) => answer,
            Err(wrong) => return wrong,
        };
        if !self.acknowledged && self.answers.last() == Some(&answer) {
            return Vec::new();
        }
        if self.answers.len() >= self.allowed {
            return vec!["the request has been answered already".to_owned()];
        }
        self.acknowledged = false;
        self.answers.push(answer);
        Vec::new()
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs())
}

/// S3's error document.
fn xml(status: u16, code: &str) -> Reply {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
    Reply { status, headers: vec![("content-type", "application/xml".to_owned())], body }
}
