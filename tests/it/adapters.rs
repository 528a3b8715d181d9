//! The ports on the AWS SDK, tested against the stub: their requests, what they read from answers, and their errors.

mod compliance;
mod denials;
mod fleet;
mod identities;
mod key_access;
mod key_states;
mod network;
mod records;

use std::time::Duration;

use session_kms::aws::Aws;
use session_kms::intent::KeyPolicyReader;
use session_kms::key::KeyArn;
use session_kms::ports::{ComplianceReport, ComplianceType};

use crate::stub::{Location, REGION, Stub};

/// The role of the function.
const FUNCTION: &str = "arn:aws:iam::123456789012:role/session-kms";

/// The result token of [`REPORT`].
const TOKEN: &str = "eyJlbmNyeXB0ZWREYXRhIjpbLTE1Nl0=";

/// A report on the preferences document.
const REPORT: ComplianceReport<'static> = ComplianceReport {
    resource_type: "AWS::SSM::Document",
    resource_id: "SSM-SessionManagerRunShell",
    compliance: ComplianceType::NonCompliant,
    annotation: "the document does not have the key that is wanted",
    ordering: "2026-01-02T03:04:05.678Z",
    result_token: TOKEN,
    test_mode: false,
};

/// The account of [`foreign_key`].
const OTHER: &str = "210987654321";

/// The ports as the function has them, with short pauses.
fn aws(stub: &Stub) -> Aws {
    Aws::new(&stub.sdk_config(5, None), Duration::from_millis(1))
}

fn key(arn: &str) -> KeyArn {
    KeyArn::parse(arn).unwrap()
}

/// Adds a key of [`OTHER`], and a role there that may read its policy and trusts the function.
fn foreign_key(stub: &Stub) -> (String, KeyPolicyReader) {
    stub.world(|world| {
        let arn = world.add_key_at(&Location::new(OTHER, REGION), "foreign");
        let reader = reader();
        let role_arn = world.add_role_in(OTHER, "readers/Reader");
        assert_eq!(role_arn, reader.role_arn);
        let role = world.role(&role_arn);
        role.trusted = vec![FUNCTION.to_owned()];
        role.external_id.clone_from(&reader.external_id);
        (arn, reader)
    })
}

/// The reader of [`foreign_key`].
fn reader() -> KeyPolicyReader {
    KeyPolicyReader {
        role_arn: format!("arn:aws:iam::{OTHER}:role/readers/Reader"),
        external_id: Some("secret-word".to_owned()),
    }
}
