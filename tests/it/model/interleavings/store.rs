//! What AWS holds at one time, with what the checks ask of it.

use std::cell::RefCell;
use std::collections::HashMap;

use futures_util::FutureExt;
use session_kms::reconcile::{Record, read_record};

use super::fingerprint::{Fingerprint, fingerprint_of_aws};
use super::run_tree::{Answered, Waiting};
use crate::model::in_memory_aws::InMemoryAws;
use crate::model::outside_change::name;
use crate::model::ports::call::Caller;
use crate::model::ports::{FaultPlan, InMemoryPorts};

#[derive(Debug)]
pub struct Store {
    pub aws: InMemoryAws,
    pub key: Fingerprint,
    /// The record that counts, or why it cannot be read.
    pub record: Result<Option<Record>, String>,
    /// The keys of the latest and the default version; `None` if there is no document.
    pub carried: Option<[String; 2]>,
    /// Whether the latest version is in use.
    pub is_active: bool,
    /// Whether what the success of each run stands for is so.
    pub holds: [bool; 2],
    /// What was read, by the call.
    reads: RefCell<HashMap<Fingerprint, Answered>>,
}

impl Store {
    pub fn new(aws: InMemoryAws) -> Self {
        let key = fingerprint_of_aws(&aws);
        let aws = RefCell::new(aws);
        let ports = InMemoryPorts::new(&aws, 0, FaultPlan::default(), false);
        let record = read_record(&ports, &name()).now_or_never().expect("nothing waits");
        let record = record.map_err(|error| error.to_string());
        let aws = aws.into_inner();
        let document = aws.document.as_ref();
        let carried = document.map(|document| {
            [document.latest_content(), document.default_content()]
                .map(|content| content.kms_key_id().unwrap_or_else(|error| error.to_string()))
        });
        let latest = document.and_then(|document| document.versions.values().next_back());
        let is_active = latest.is_none_or(|latest| latest.pending == 0 && !latest.failed);
        let (holds, reads) = ([false; 2], RefCell::default());
        Self { key, record, carried, is_active, holds, reads, aws }
    }

    /// What a call reads, if it does nothing but read.
    pub fn read(&self, caller: Caller, waiting: &Waiting) -> Option<Answered> {
        if !waiting.call.is_read(&self.aws) {
            return None;
        }
        let read = || Answered::new(self.aws.clone().execute(caller, &waiting.call));
        Some(self.reads.borrow_mut().entry(waiting.key).or_insert_with(read).clone())
    }

    /// Whether both versions carry this key, or none.
    pub fn carries(&self, key: &str) -> bool {
        match &self.carried {
            Some(carried) => carried.iter().all(|carried| carried == key),
            None => key.is_empty(),
        }
    }

    pub fn is_breaker_open(&self) -> bool {
        let record = self.record.as_ref().ok().and_then(Option::as_ref);
        record.is_some_and(|record| record.remediation.breaker.is_some())
    }

    pub fn is_encrypted(&self) -> bool {
        self.carried.as_ref().is_some_and(|carried| carried.iter().all(|key| !key.is_empty()))
    }
}
