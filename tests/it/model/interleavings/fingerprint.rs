//! Fingerprints of 128 bits, by which states and histories are told apart. That two of ten million differ and share
//! one has a chance of 1 in 10^24.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use session_kms::ports::AwsError;

use crate::model::in_memory_aws::InMemoryAws;
use crate::model::ports::call::{Answer, Call};

pub type Fingerprint = u128;

/// The fingerprint of a value.
pub fn fingerprint(value: &impl Hash) -> Fingerprint {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        value.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}

pub fn fingerprint_of_call(call: &Call) -> Fingerprint {
    match call {
        // The debug form of a content withholds its text.
        Call::Create(content) => fingerprint(&("create", content.text())),
        Call::Update { content, latest } => fingerprint(&("update", content.text(), latest)),
        other => fingerprint(&format!("{other:?}")),
    }
}

pub fn fingerprint_of_answer(answer: &Result<Answer, AwsError>) -> Fingerprint {
    match answer {
        Ok(Answer::Version(Some(version))) => {
            fingerprint(&(version.content.text(), format!("{:?}", version.status)))
        }
        other => fingerprint(&format!("{other:?}")),
    }
}

/// The fingerprint of what calls and outside changes can alter.
pub fn fingerprint_of_aws(aws: &InMemoryAws) -> Fingerprint {
    let document = aws.document.as_ref().map(|document| {
        let versions = document.versions.iter();
        let versions: Vec<_> = versions
            .map(|(number, version)| (number, version.content.text(), version.pending, version.failed))
            .collect();
        (versions, document.default)
    });
    let keys: Vec<_> = aws.keys.iter().map(|(key, known)| (key, format!("{:?}", known.state))).collect();
    let record = aws.parameter.as_ref().map(|parameter| &parameter.history);
    fingerprint(&(document, record, aws.now, &aws.expected_settings, keys))
}
