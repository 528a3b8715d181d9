//! A key policy of a given length, which the benchmarks of checks share.

use serde_json::{Value, json};

/// The account of the key and of all principals.
pub(crate) const ACCOUNT: &str = "111122223333";

/// The ARN of a principal of the account.
pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{name}")
}

/// A key policy of at most as many bytes as given: statements for other teams, and the delegation to the account's
/// policies at the end.
pub(crate) fn key_policy(bytes: usize) -> String {
    let delegation =
        json!({"Effect": "Allow", "Principal": {"AWS": arn("root")}, "Action": "kms:*", "Resource": "*"});
    let mut statements: Vec<Value> = Vec::new();
    loop {
        let number = statements.len();
        let team = json!({
            "Sid": format!("Allow use of the key by team {number}"),
            "Effect": "Allow",
            "Principal": {"AWS": [arn(&format!("role/team-{number}/App")), arn(&format!("role/team-{number}/Batch"))]},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:ViaService": ["s3.eu-west-1.amazonaws.com"]}},
        });
        let longer: Vec<&Value> = statements.iter().chain([&team, &delegation]).collect();
        if json!({"Version": "2012-10-17", "Statement": longer}).to_string().len() > bytes {
            statements.push(delegation);
            return json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        }
        statements.push(team);
    }
}
