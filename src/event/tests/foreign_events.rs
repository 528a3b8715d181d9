//! Events of each source that are not about this function's documents, keys and records. Each ends ignored, with a
//! reason that is safe for the log.

use super::*;

/// A sample with other values, by their JSON pointers. Null removes the value.
fn changed(text: &str, changes: &[(&str, Value)]) -> Value {
    let mut event = parsed(text);
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = event.pointer_mut(parent).unwrap();
        match (parent, value) {
            (Value::Array(items), value) => items[name.parse::<usize>().unwrap()] = value.clone(),
            (Value::Object(fields), Value::Null) => drop(fields.remove(name)),
            (parent, value) => parent[name] = value.clone(),
        }
    }
    event
}

fn check_ignored(text: &str, changes: &[(&str, Value)], expected: &str) {
    let event = changed(text, changes);
    for identity in [function(), FunctionIdentity { role_arn: None, ..function() }] {
        let Event::Ignored(why) = read(&event, identity) else { panic!("{changes:?} is not ignored") };
        assert_eq!(why, expected, "{changes:?}");
        assert!(is_fit_for_a_log(&why));
    }
}

#[test]
fn calls_of_systems_manager_that_change_no_document_are_ignored() {
    let text = sample!("document-update-call");
    for call in [
        "AddTagsToResource",
        "RemoveTagsFromResource",
        "LabelParameterVersion",
        "UnlabelParameterVersion",
        "PutParameter",
        "ModifyDocumentPermission",
        "UpdateDocumentMetadata",
        "StartSession",
        "TerminateSession",
        "UpdateServiceSetting",
        "SendCommand",
        "PutComplianceItems",
    ] {
        for resource in ["SSM-SessionManagerRunShell", "/session-kms/SSM-SessionManagerRunShell"] {
            let parameters = json!({"name": resource, "resourceId": resource, "resourceType": "Document"});
            let changes = [("/detail/eventName", json!(call)), ("/detail/requestParameters", parameters)];
            check_ignored(text, &changes, &format!("{call} changes no document"));
        }
    }
    for (changes, expected) in [
        (vec![("/account", json!("222222222222"))], "UpdateDocument was made in another account or Region"),
        (vec![("/region", json!("us-east-1"))], "UpdateDocument was made in another account or Region"),
        (
            vec![(
                "/detail/requestParameters/name",
                json!("arn:aws:ssm:eu-west-1::document/AWS-RunShellScript"),
            )],
            "UpdateDocument is about a document of another account or Region",
        ),
        (
            vec![("/detail/requestParameters/name", json!("/session-kms/x"))],
            "UpdateDocument is about `/session-kms/x`, which is no document of an account",
        ),
        (vec![("/detail", Value::Null)], "the record names no call"),
        (
            vec![("/detail-type", json!("AWS Service Event via CloudTrail"))],
            "`AWS Service Event via CloudTrail` of aws.ssm says nothing of session documents and their keys",
        ),
    ] {
        check_ignored(text, &changes, expected);
    }
}

#[test]
fn calls_of_kms_that_change_nobody_s_use_of_a_key_are_ignored() {
    let text = sample!("key-disable-call");
    for call in [
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "DescribeKey",
        "CreateKey",
        "ListAliases",
        "EnableKeyRotation",
        "DisableKeyRotation",
        "RotateKey",
        "RotateKeyOnDemand",
        "UpdateKeyDescription",
        "ReplicateKey",
        "UpdatePrimaryRegion",
        "SynchronizeMultiRegionKey",
        "GetParametersForImport",
        "CreateCustomKeyStore",
    ] {
        let changes = [("/detail/eventName", json!(call))];
        check_ignored(text, &changes, &format!("{call} does not change who can use a key"));
    }
    for call in ["CreateAlias", "UpdateAlias", "DeleteAlias", "TagResource", "UntagResource", "PutKeyPolicy"]
    {
        let changes = [("/detail/eventName", json!(call)), ("/detail/errorCode", json!("AccessDenied"))];
        check_ignored(text, &changes, &format!("{call} failed with AccessDenied, so nothing has changed"));
    }
    for kind in ["KMS CMK Rotation", "AWS Health Event"] {
        let expected = format!("`{kind}` leaves the key usable as it was");
        check_ignored(sample!("key-deletion-event"), &[("/detail-type", json!(kind))], &expected);
    }
}

/// Aliases and tags of a key are about the documents that have it, and about no other. Who has an alias after
/// UpdateAlias is not known, as it names one of the two keys only.
#[test]
fn aliases_and_tags_of_a_key_that_no_document_uses_are_about_that_key_only() {
    let other = "arn:aws:kms:eu-west-1:123456789012:key/99999999-12ab-34cd-56ef-1234567890ab";
    for call in ["CreateAlias", "DeleteAlias", "TagResource", "UntagResource"] {
        let resources = json!([{"type": "AWS::KMS::Alias", "ARN": "arn:aws:kms:eu-west-1:123456789012:alias/x"}, {"ARN": other}]);
        let event = changed(
            sample!("key-disable-call"),
            &[("/detail/eventName", json!(call)), ("/detail/resources", resources)],
        );
        let Event::ChangeEvent(change) = read(&event, function()) else { panic!("{call}") };
        assert_eq!(change.scope, Scope::Key(KeyArn::parse(other).unwrap()), "{call}");
    }
}

#[test]
fn parameters_that_are_no_records_are_ignored() {
    let text = sample!("record-change");
    for operation in ["Create", "Update", "Delete", "LabelParameterVersion"] {
        for name in [
            "/session-kms/SSM-SessionManagerRunShell/key-arn",
            "/session-kms/SSM-SessionManagerRunShell/",
            "/session-kms/SSM-SessionManagerRunShell/a/b",
            "/session-kms//SSM-SessionManagerRunShell",
            "/session-kms/",
            "/session-kms",
            "session-kms/SSM-SessionManagerRunShell",
            "/session-kms-other/SSM-SessionManagerRunShell",
            "/other/session-kms/SSM-SessionManagerRunShell",
            "/session-kms/a b",
            "arn:aws:ssm:eu-west-1:123456789012:parameter/session-kms/x/key-arn",
            "",
        ] {
            let changes = [("/detail/name", json!(name)), ("/detail/operation", json!(operation))];
            check_ignored(text, &changes, &format!("parameter `{name}` is no record of this function"));
        }
    }
    let record = "SSM-SessionManagerRunShell";
    for (changes, expected) in [
        (
            vec![("/detail/operation", json!("LabelParameterVersion"))],
            format!("`LabelParameterVersion` leaves the record of {record} as it was"),
        ),
        (
            vec![("/account", json!("222222222222"))],
            format!("the record of {record} is of another account or Region"),
        ),
        (
            vec![("/detail-type", json!("Parameter Store Policy Action"))],
            "`Parameter Store Policy Action` of aws.ssm says nothing of session documents and their keys"
                .to_owned(),
        ),
    ] {
        check_ignored(text, &changes, &expected);
    }
}

#[test]
fn results_of_aws_config_on_other_resources_are_ignored() {
    let text = sample!("config-compliance-change");
    for (kind, id, expected) in [
        (
            "AWS::S3::Bucket",
            "example-bank",
            "a resource of type AWS::S3::Bucket, which is no document, no key and no account",
        ),
        (
            "AWS::SSM::ManagedInstanceInventory",
            "i-0123456789abcdef0",
            "a resource of type AWS::SSM::ManagedInstanceInventory, which is no document, no key and no account",
        ),
        (
            "AWS::KMS::Alias",
            "alias/x",
            "a resource of type AWS::KMS::Alias, which is no document, no key and no account",
        ),
        ("AWS::KMS::Key", "alias/x", "`alias/x`, which is no key of an account"),
        ("AWS::SSM::Document", "a/b", "`a/b`, which is no document of an account"),
        (
            "AWS::SSM::Document",
            "arn:aws:ssm:us-east-1:123456789012:document/SSM-SessionManagerRunShell",
            "a document of another account or Region",
        ),
        ("AWS::::Account", "222222222222", "another account or Region"),
    ] {
        let changes = [("/detail/resourceType", json!(kind)), ("/detail/resourceId", json!(id))];
        check_ignored(text, &changes, &format!("rule session-encryption is about {expected}"));
    }
    for (field, value) in [("/detail/awsAccountId", "222222222222"), ("/detail/awsRegion", "us-east-1")] {
        check_ignored(
            text,
            &[(field, json!(value))],
            "rule session-encryption is about another account or Region",
        );
    }
    for kind in [
        "AWS API Call via CloudTrail",
        "Config Configuration Item Change",
        "Config Rules Re-evaluation Status",
    ] {
        let expected = format!("`{kind}` of aws.config says nothing of session documents and their keys");
        check_ignored(text, &[("/detail-type", json!(kind))], &expected);
    }
}

#[test]
fn findings_of_security_hub_on_other_resources_are_ignored() {
    let title = "finding: Session Manager sessions are not encrypted with a KMS key";
    let neither = format!("{title} is about neither a document, nor a key, nor the account of this function");
    for (text, pointer) in [
        (sample!("security-hub-imported"), "/detail/findings/0/Resources/0/Id"),
        (sample!("security-hub-imported-v2"), "/detail/findings/0/resources/0/uid"),
    ] {
        for id in [
            "arn:aws:s3:::example-bank",
            "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0",
            "arn:aws:kms:eu-west-1:123456789012:alias/x",
            "arn:aws:ssm:eu-west-1:123456789012:parameter/session-kms/SSM-SessionManagerRunShell",
            "arn:aws:ssm:eu-west-1:222222222222:document/SSM-SessionManagerRunShell",
            "AWS::::Account:222222222222",
        ] {
            check_ignored(text, &[(pointer, json!(id))], &neither);
        }
        for kind in ["Security Hub Insight Results", "AWS API Call via CloudTrail"] {
            let expected =
                format!("`{kind}` of aws.securityhub says nothing of session documents and their keys");
            check_ignored(text, &[("/detail-type", json!(kind))], &expected);
        }
    }
}
