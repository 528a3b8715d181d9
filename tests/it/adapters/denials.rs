//! Errors of AWS, in the protocol and the words of each service.

use std::collections::BTreeSet;
use std::time::SystemTime;

use session_kms::access::PrincipalArn;
use session_kms::ports::{
    AwsError, AwsErrorKind, Compliance as _, Fleet as _, Identities as _, KeyAccess as _, Organizations as _,
    ReadRecords as _, SessionCall,
};

use super::{REPORT, TOKEN, aws, foreign_key, key, reader};
use crate::fixture::Logs;
use crate::stub::{Fault, Stub, When};

/// Calls of the ports: service, operation and IAM action.
const CALLS: [(&str, &str, &str); 19] = [
    ("kms", "GetKeyPolicy", "kms:GetKeyPolicy"),
    ("kms", "ListGrants", "kms:ListGrants"),
    ("kms", "ListKeys", "kms:ListKeys"),
    ("kms", "ListAliases", "kms:ListAliases"),
    ("kms", "GenerateDataKey", "kms:GenerateDataKey"),
    ("sts", "AssumeRole", "sts:AssumeRole"),
    ("iam", "SimulatePrincipalPolicy", "iam:SimulatePrincipalPolicy"),
    ("iam", "GetAccountAuthorizationDetails", "iam:GetAccountAuthorizationDetails"),
    ("iam", "GetRole", "iam:GetRole"),
    ("iam", "GetInstanceProfile", "iam:GetInstanceProfile"),
    ("iam", "GetUser", "iam:GetUser"),
    ("kms", "ListResourceTags", "kms:ListResourceTags"),
    ("organizations", "DescribeOrganization", "organizations:DescribeOrganization"),
    ("ec2", "DescribeIamInstanceProfileAssociations", "ec2:DescribeIamInstanceProfileAssociations"),
    ("ssm", "DescribeInstanceInformation", "ssm:DescribeInstanceInformation"),
    ("ssm", "DescribeSessions", "ssm:DescribeSessions"),
    ("ssm", "GetServiceSetting", "ssm:GetServiceSetting"),
    ("ssm", "GetParametersByPath", "ssm:GetParametersByPath"),
    ("config", "PutEvaluations", "config:PutEvaluations"),
];

/// A stub in which each of the calls succeeds.
async fn world() -> Stub {
    let stub = Stub::start().await;
    stub.world(|world| {
        world.add_key("own");
        let role = world.add_role("Node");
        world.add_instance_profile("Profile", Some(&role));
        world.add_user("ann");
        world.organization = Some("o-1".to_owned());
        world.asks_rule(TOKEN);
    });
    foreign_key(&stub);
    stub
}

/// Makes a call with its port.
#[expect(clippy::panic, reason = "a test that panics has failed")]
async fn ask(stub: &Stub, operation: &str) -> Result<(), AwsError> {
    let ports = aws(stub);
    let own = key("arn:aws:kms:eu-west-1:123456789012:key/own");
    let foreign = key("arn:aws:kms:eu-west-1:210987654321:key/foreign");
    let role = "arn:aws:iam::123456789012:role/Node";
    match operation {
        "GetKeyPolicy" => ports.key_policy(&own, None).await.map(drop),
        "ListGrants" => ports.grants(&own, None).await.map(drop),
        "ListKeys" | "ListAliases" => ports.keys().await.map(drop),
        "GenerateDataKey" => ports.dry_run(&own, SessionCall::GenerateDataKey).await.map(drop),
        "AssumeRole" => ports.key_policy(&foreign, Some(&reader())).await.map(drop),
        "SimulatePrincipalPolicy" => ports.simulate(role, "kms:Decrypt", own.as_str(), &[]).await.map(drop),
        "GetAccountAuthorizationDetails" => ports.account_policies(&BTreeSet::new()).await.map(drop),
        "GetUser" => {
            let user = PrincipalArn::parse("arn:aws:iam::123456789012:user/ann").unwrap();
            ports.principal_tags(&user).await.map(drop)
        }
        "ListResourceTags" => ports.key_tags(&own, None).await.map(drop),
        "DescribeOrganization" => ports.organization_id().await.map(drop),
        "GetRole" => ports.role_arn("Node").await.map(drop),
        "GetInstanceProfile" => ports.role_of_profile("Profile").await.map(drop),
        "DescribeIamInstanceProfileAssociations" => ports.instance_profiles().await.map(drop),
        "DescribeInstanceInformation" => ports.nodes().await.map(drop),
        "DescribeSessions" => ports.sessions(SystemTime::UNIX_EPOCH).await.map(drop),
        "GetServiceSetting" => ports.default_host_role().await.map(drop),
        "GetParametersByPath" => ports.recorded().await.map(drop),
        "PutEvaluations" => ports.report_compliance(&REPORT).await,
        other => panic!("{other} is no call of these ports"),
    }
}

#[tokio::test]
async fn a_denial_names_the_action() {
    for (service, operation, action) in CALLS {
        // For a dry run a denial is an answer and not an error.
        if operation == "GenerateDataKey" {
            continue;
        }
        let stub = world().await;
        ask(&stub, operation).await.unwrap();
        stub.forget_calls();
        stub.fault(When::operation(service, operation), Fault::AccessDenied { action });
        let error = ask(&stub, operation).await.unwrap_err();
        let AwsErrorKind::Denied { action: named, answer } = &error.kind else {
            panic!("{operation}: {error}");
        };
        assert_eq!((*named, error.operation), (action, action));
        assert!(answer.message.as_ref().unwrap().contains("is not authorized to perform"), "{error}");
        assert!(answer.request_id.is_some(), "{error}");
        assert!(error.to_string().contains(&format!("allow {action} on it")), "{error}");
        assert_eq!(stub.calls_of(operation).len(), 1, "{operation}: a denial is not tried again");
        assert_eq!(stub.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn after_throttling_and_errors_of_the_service_the_call_is_tried_again() {
    for (service, operation, action) in CALLS {
        for fault in [Fault::Throttle, Fault::InternalError, Fault::Unavailable, Fault::CutBefore] {
            let stub = world().await;
            stub.fault(When::operation(service, operation).first(2), fault);
            ask(&stub, operation).await.unwrap_or_else(|error| panic!("{action}: {error}"));
            assert!(stub.calls_of(operation).len() >= 3, "{action}");
        }
    }
}

#[tokio::test]
async fn endless_throttling_is_a_refusal() {
    for (service, operation, action) in CALLS {
        let stub = world().await;
        stub.fault(When::operation(service, operation), Fault::Throttle);
        let error = ask(&stub, operation).await.unwrap_err();
        assert!(matches!(error.kind, AwsErrorKind::Refused(_)), "{error}");
        assert_eq!(error.operation, action);
        assert!(
            error.code().contains("Thrott")
                || ["RequestLimitExceeded", "TooManyRequestsException"].contains(&error.code()),
            "{error}"
        );
        assert_eq!(stub.calls_of(operation).len(), 5, "{action}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_no_answer() {
    for (service, operation, action) in CALLS {
        let stub = world().await;
        stub.fault(When::operation(service, operation), Fault::Garbage);
        let error = ask(&stub, operation).await.unwrap_err();
        assert!(matches!(error.kind, AwsErrorKind::NoAnswer(_)), "{error}");
        assert_eq!(error.operation, action);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn each_call_is_logged_with_its_duration() {
    for (_, operation, action) in CALLS {
        let stub = world().await;
        let logs = Logs::captured();
        ask(&stub, operation).await.unwrap();
        let text = logs.text();
        let line = text.lines().find(|line| line.contains(&format!(r#""operation":"{action}""#)));
        let line = line.unwrap_or_else(|| panic!("{action} is not in {text}"));
        assert!(line.contains(r#""ms":"#) && line.contains("called AWS"), "{line}");
        assert!(
            !text.contains("session-token") && !text.contains(TOKEN) && !text.contains("ASIA"),
            "no credentials in {text}"
        );
    }
}
