//! Roles that are assumed: the audit role of another account, by which it is read, and the reader of a key's policy.
//!
//! Roles are always assumed with the credentials that the program was started with, at the endpoint of STS in its own
//! Region. The tokens of such an endpoint are valid in all Regions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::Region;
use aws_sdk_ssm::config::SharedCredentialsProvider;
use serde_json::json;

use super::Aws;
use super::pace::Pace;
use super::security_tokens::{RoleCredentials, RoleRequest};
use crate::intent::AuditRole;
use crate::location::Location;
use crate::ports::{AwsError, Clock, ReachAccounts};

/// The name of the role session, which each account finds in its CloudTrail.
const SESSION_NAME: &str = "session-kms-audit";

/// The longest lifetime that STS allows if a role assumes a role. Every role allows it.
const LIFETIME: Duration = Duration::from_hours(1);

/// Credentials with less than this left are replaced: a function runs for up to a quarter of an hour.
const MARGIN: Duration = Duration::from_mins(17);

/// What the session may do, whatever the role may do: what the audit reads.
const READS: [&str; 24] = [
    "ssm:DescribeDocument",
    "ssm:DescribeInstanceInformation",
    "ssm:DescribeSessions",
    "ssm:GetDocument",
    "ssm:GetServiceSetting",
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:ListAliases",
    "kms:ListGrants",
    "kms:ListResourceTags",
    "iam:GetAccountAuthorizationDetails",
    "iam:GetInstanceProfile",
    "iam:GetRole",
    "iam:GetUser",
    "iam:SimulatePrincipalPolicy",
    "ec2:DescribeIamInstanceProfileAssociations",
    "ec2:DescribeInstances",
    "ec2:DescribeNatGateways",
    "ec2:DescribeRegions",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "organizations:DescribeOrganization",
];

/// The audit roles assumed so far. All Regions of an account share the credentials.
#[derive(Clone, Default)]
pub(super) struct AuditSessions(Arc<Mutex<BTreeMap<AssumedRole, AuditSessionSlot>>>);

/// The role's ARN and the external id.
type AssumedRole = (String, Option<String>);

/// The session of one role, if it was assumed. It is locked while the role is assumed, so that reads that run together
/// assume it once.
type AuditSessionSlot = Arc<tokio::sync::Mutex<Option<AuditSession>>>;

#[derive(Clone)]
struct AuditSession {
    given: RoleCredentials,
    /// The pace of the account's calls of IAM, which throttles each account by itself.
    iam: Pace,
}

/// Whether credentials that were kept may serve again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeptCredentials {
    Serve,
    AreReplaced,
}

impl ReachAccounts for Aws {
    type Ports = Self;

    async fn reach(&self, location: &Location, role: Option<&AuditRole>) -> Result<Self, AwsError> {
        match role {
            Some(role) => self.reached(location, role, KeptCredentials::Serve).await,
            None => Ok(self.in_region(&location.region, None)),
        }
    }

    async fn reach_anew(&self, location: &Location, role: &AuditRole) -> Result<Self, AwsError> {
        self.reached(location, role, KeptCredentials::AreReplaced).await
    }
}

impl Aws {
    async fn reached(
        &self,
        location: &Location,
        role: &AuditRole,
        kept: KeptCredentials,
    ) -> Result<Self, AwsError> {
        let role_arn = role.arn(&location.partition, &location.account);
        let external_id = role.external_id.as_ref().map(|id| id.as_str().to_owned());
        let slot = self.audit_sessions.slot((role_arn.clone(), external_id.clone()), self.now());
        let mut slot = slot.lock().await;
        let soon = self.now() + MARGIN;
        let session =
            slot.take().filter(|session| kept == KeptCredentials::Serve && session.given.expires > soon);
        let session = match session {
            Some(session) => session,
            None => {
                let request = RoleRequest {
                    role_arn: &role_arn,
                    external_id: external_id.as_deref(),
                    session_name: SESSION_NAME,
                    session_policy: session_policy(&location.partition, &location.account),
                    lifetime: LIFETIME,
                };
                AuditSession { given: self.assume_role(request).await?, iam: Pace::default() }
            }
        };
        *slot = Some(session.clone());
        Ok(self.in_region(&location.region, Some(session)))
    }

    /// Clients of this Region, with the credentials of a session or with the own ones. What they assume and count, they
    /// share with these.
    fn in_region(&self, region: &str, session: Option<AuditSession>) -> Self {
        let mut config = self.config.to_builder().region(Region::new(region.to_owned()));
        let mut in_flight = self.in_flight.clone();
        if let Some(AuditSession { given, iam }) = session {
            config = config.credentials_provider(SharedCredentialsProvider::new(given.credentials));
            in_flight.iam = iam;
        }
        let mut reached = Self::counting_in(&config.build(), self.pause, in_flight);
        reached.started_with = self.started_with.clone();
        reached.readers = self.readers.clone();
        reached.audit_sessions = self.audit_sessions.clone();
        reached
    }
}

impl AuditSessions {
    /// The slot of a role. Slots whose credentials have expired, and which nobody uses, are dropped.
    fn slot(&self, key: AssumedRole, now: SystemTime) -> AuditSessionSlot {
        let mut slots = self.slots();
        slots.retain(|_, slot| {
            let is_fresh = |session: &AuditSession| session.given.expires > now;
            Arc::strong_count(slot) > 1
                || slot.try_lock().is_ok_and(|session| session.as_ref().is_some_and(is_fresh))
        });
        Arc::clone(slots.entry(key).or_default())
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<AssumedRole, AuditSessionSlot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session policy: whatever the audit role may do, the audit only reads with it. Of the parameters it reads the records
/// alone.
fn session_policy(partition: &str, account: &str) -> String {
    let records = format!("arn:{partition}:ssm:*:{account}:parameter/session-kms/*");
    let statements = json!([
        {"Effect": "Allow", "Action": READS, "Resource": "*"},
        {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": records},
    ]);
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

impl fmt::Debug for AuditSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditSessions(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_session_policy_fits_and_only_reads() {
        let text = session_policy("aws-us-gov", "111122223333");
        // STS takes 2,048 characters, and counts the packed policy beside them.
        assert!(text.len() < 1_500, "{} characters", text.len());
        let policy: Value = serde_json::from_str(&text).unwrap();
        let actions =
            policy["Statement"].as_array().unwrap().iter().flat_map(|statement| match &statement["Action"] {
                Value::Array(actions) => actions.clone(),
                action => vec![action.clone()],
            });
        for action in actions {
            let (service, name) = action.as_str().unwrap().split_once(':').unwrap();
            assert!(!name.contains('*'), "{action}");
            let reads = ["Describe", "Get", "List", "Simulate"].iter().any(|verb| name.starts_with(verb));
            assert!(reads && !service.is_empty(), "{action} does not only read");
        }
        assert!(!READS.contains(&"ssm:GetParameter"), "a parameter may hold a secret; the records are named");
    }

    #[test]
    fn the_session_policy_allows_what_the_template_of_the_role_allows() {
        let template = include_str!("../../deploy/audit-role.yaml");
        let services = ["ssm:", "kms:", "iam:", "ec2:", "organizations:"];
        let words =
            template.lines().map(|line| line.trim().trim_start_matches("- ").trim_start_matches("Action: "));
        let actions: BTreeSet<_> =
            words.filter(|word| services.iter().any(|service| word.starts_with(service))).collect();
        let allowed: BTreeSet<_> = READS.into_iter().chain(["ssm:GetParameter"]).collect();
        assert_eq!(actions, allowed);
    }
}
