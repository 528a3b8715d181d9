use cloudformation_custom_resource::Backoff;
use serde_json::json;

use super::*;
use crate::access::PrincipalArn;
use crate::intent::{Encryption, Intent, OnConflict, OnDelete, Safeguards};
use crate::key::example_arn;
use crate::preflight::{Check, Finding, KeyFault, KeyStanding, Verdict};
use crate::session::DocumentName;

fn reason(remedies: Remedies) -> String {
    let blocking = vec![Finding::new(Check::Identities, Verdict::Fail, "role", "it lacks an Allow")];
    refusal(blocking, remedies)
}

fn refusal(blocking: Vec<Finding>, remedies: Remedies) -> String {
    let fault = KeyFault::Blocked { key: example_arn(), standing: KeyStanding::NotOn, blocking, remedies };
    let report = WholeReport { request_id: "1", log_group: Some("/aws/lambda/f"), command: &command() };
    failure(&ReconcileError::Key(fault), report).reason
}

fn command() -> CheckCommand {
    let intent = Intent {
        document: DocumentName::default(),
        encryption: Encryption::Disabled,
        on_delete: OnDelete::Restore,
        on_conflict: OnConflict::Fail,
        create_document: false,
        safeguards: Safeguards::default(),
    };
    CheckCommand::of_intent(&intent, "eu-west-1")
}

fn identity_remedy(arn: &str, permission_set: Option<&str>, instead: Option<Value>) -> IdentityRemedy {
    IdentityRemedy {
        principals: vec![PrincipalArn::parse(arn).unwrap()],
        policy: json!({ "Statement": [] }),
        permission_set: permission_set.map(str::to_owned),
        instead,
    }
}

fn resource_remedy(command: Option<&str>, snippet: Value) -> ResourceRemedy {
    ResourceRemedy {
        resource: "vpc-1".to_owned(),
        title: "Add an endpoint to vpc-1".to_owned(),
        command: command.map(str::to_owned),
        snippet,
    }
}

#[test]
fn the_reason_of_a_failure_says_what_to_do_with_each_remedy() {
    let of_identity_center =
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_1";
    let reason = reason(Remedies {
        key_policy_statements: vec![json!({
            "Sid": "A",
            "Principal": { "AWS": ["arn:aws:iam::111122223333:role/App", "arn:aws:iam::111122223333:user/ann"] }
        })],
        identity_policies: vec![
            identity_remedy("arn:aws:iam::111122223333:role/App", None, None),
            identity_remedy(of_identity_center, None, None),
            identity_remedy(of_identity_center, Some("Ops"), Some(json!({ "Sid": "B" }))),
        ],
        resources: vec![
            resource_remedy(Some("aws ec2 create-vpc-endpoint"), json!({ "Type": "unseen" })),
            resource_remedy(None, json!({ "Type": "AWS::EC2::VPCEndpoint" })),
        ],
    });
    let (refusal, remedies) = reason.split_once("request 1").unwrap();
    assert!(
        refusal.ends_with("; the whole report is in the function's log group /aws/lambda/f, "),
        "{refusal}"
    );
    let remedies = remedies.strip_suffix(&command().ask_again(example_arn().as_str())).unwrap();
    assert_eq!(
        remedies,
        "; add to the list Statement of the key policy, for role/App and user/ann: \
         {\"Sid\":\"A\",\"Principal\":{\"AWS\":[\"arn:aws:iam::111122223333:role/App\",\
         \"arn:aws:iam::111122223333:user/ann\"]}}\
         ; attach as a policy to arn:aws:iam::111122223333:role/App: {\"Statement\":[]}\
         ; add to the permission set, in IAM Identity Center, of \
         arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_1: {\"Statement\":[]}\
         ; add to permission set Ops: {\"Statement\":[]}\
         ; in place of that for permission set Ops, add to the key policy: {\"Sid\":\"B\"}\
         ; Add an endpoint to vpc-1: aws ec2 create-vpc-endpoint\
         ; Add an endpoint to vpc-1: {\"Type\":\"AWS::EC2::VPCEndpoint\"}"
    );
}

#[test]
fn a_reason_holds_the_remedies_that_fit_whole_and_no_part_of_another() {
    let long = resource_remedy(None, json!("\"".repeat(LONGEST)));
    let resources = vec![long, resource_remedy(Some("a command"), Value::Null)];
    let reason = reason(Remedies { resources, ..Remedies::default() });
    let command = command().ask_again(example_arn().as_str());
    assert!(
        reason.ends_with(&format!("request 1; Add an endpoint to vpc-1: a command{command}")),
        "{reason}"
    );
    let many = vec![resource_remedy(Some(&"c".repeat(100)), Value::Null); 100];
    let reason = super::tests::reason(Remedies { resources: many, ..Remedies::default() });
    assert!(reason.ends_with(&command), "{reason}");
    assert!(Value::from(reason).to_string().len() <= LONGEST);
}

#[test]
fn a_refusal_that_is_too_long_is_cut_and_still_ends_in_the_command() {
    let long = "\"é".repeat(LONGEST);
    let reason =
        refusal(vec![Finding::new(Check::Identities, Verdict::Fail, "role", long)], Remedies::default());
    assert!(reason.contains("…; the whole report is in"), "{reason}");
    assert!(reason.ends_with(&command().ask_again(example_arn().as_str())), "{reason}");
    let length = Value::from(reason).to_string().len();
    assert!((LONGEST - 10..=LONGEST).contains(&length), "{length}");
}

#[test]
fn a_fresh_role_is_waited_for_as_long_as_iam_takes() {
    // The pauses of the deployed function.
    let backoff = Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(3) };
    let waits = (0..1000)
        .map(|_| (1..=RETRIES_OF_FRESH_ROLE).map(|attempt| backoff.pause(attempt)).sum::<Duration>());
    let mut waits: Vec<_> = waits.collect();
    waits.sort();
    let usual = Duration::from_secs(30)..Duration::from_secs(40);
    assert!(usual.contains(&waits[50]) && usual.contains(&waits[950]), "{:?} to {:?}", waits[50], waits[950]);
}
