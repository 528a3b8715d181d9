//! The journal: every AWS call that arrived, and its outcome.

use serde_json::Value;

use super::call::{Call, Outcome};
use super::services::{self, Kind};

/// One call that arrived.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// Counts the calls that arrived at the stub from 1; also the end of the answer's request id.
    pub id: usize,
    pub service: &'static str,
    pub operation: String,
    pub body: Value,
    pub account: String,
    pub region: String,
    /// Whether the operation may change the world. Unknown operations count as reads.
    pub writes: bool,
    /// Whether the service executed the call, even if the caller got no answer.
    pub executed: bool,
    /// The HTTP status of the answer; none if there is no answer, because the call is held or was cut off.
    pub status: Option<u16>,
    /// The error code of the answer.
    pub code: Option<String>,
}

impl CallRecord {
    pub fn arrived(id: usize, call: &Call) -> Self {
        let kind = services::operation(call.service, &call.operation).map(|operation| operation.kind);
        Self {
            id,
            service: call.service,
            operation: call.operation.clone(),
            body: call.body.clone(),
            account: call.caller.account.clone(),
            region: call.region.clone(),
            writes: kind == Some(Kind::Write),
            executed: false,
            status: None,
            code: None,
        }
    }

    /// Records the answer that is sent.
    pub fn answered(&mut self, outcome: &Outcome) {
        match outcome {
            Ok(_) => self.status = Some(200),
            Err(refusal) => {
                self.status = Some(refusal.status);
                self.code = Some(refusal.code.clone());
            }
        }
    }
}
