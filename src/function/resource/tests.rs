use cloudformation_custom_resource::Backoff;
use serde_json::json;

use super::*;
use crate::access::PrincipalArn;
use crate::key::example_arn;
use crate::preflight::{Check, Finding, KeyFault, Verdict};

fn reason(remedies: Remedies) -> String {
    let blocking = vec![Finding::new(Check::Identities, Verdict::Fail, "role", "it lacks an Allow")];
    let fault = KeyFault::Blocked { key: example_arn(), blocking, remedies };
    failure(&ReconcileError::Key(fault), "1").reason
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
        key_policy_statements: vec![json!({ "Sid": "A" })],
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
    let (_, remedies) = reason.split_once("request 1").unwrap();
    assert_eq!(
        remedies,
        "; add to the key policy: {\"Sid\":\"A\"}\
         ; attach to whom it fails: {\"Statement\":[]}\
         ; add to the permission set of whom it fails: {\"Statement\":[]}\
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
    assert!(reason.ends_with("request 1; Add an endpoint to vpc-1: a command"), "{reason}");
    let many = vec![resource_remedy(Some(&"c".repeat(100)), Value::Null); 100];
    let reason = super::tests::reason(Remedies { resources: many, ..Remedies::default() });
    assert!(Value::from(reason).to_string().len() <= LONGEST);
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
