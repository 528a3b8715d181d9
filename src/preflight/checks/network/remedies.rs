//! What lets nodes reach KMS: an endpoint, or a statement for the policy of one.

use std::collections::BTreeSet;

use serde_json::json;

use crate::access::{PrincipalArn, SessionCall};
use crate::key::KeyArn;
use crate::ports::VpcEndpoint;
use crate::preflight::remedies::ResourceRemedy;

/// An endpoint for KMS beside `ssmmessages`, the VPC's endpoint for ssmmessages: in the same subnets, with the same security
/// groups.
pub(super) fn endpoint_to_add(ssmmessages: &VpcEndpoint, region: &str) -> ResourceRemedy {
    let VpcEndpoint { vpc, subnets, security_groups, .. } = ssmmessages;
    // The service's name has another beginning in some partitions.
    let prefix = ssmmessages.service.rsplit_once('.').map_or("", |(prefix, _)| prefix);
    let service = format!("{prefix}.kms");
    let mut command = format!(
        "aws ec2 create-vpc-endpoint --region {region} --vpc-id {vpc} --vpc-endpoint-type Interface --service-name \
         {service} --private-dns-enabled --subnet-ids {}",
        subnets.join(" ")
    );
    if !security_groups.is_empty() {
        command.push_str(&format!(" --security-group-ids {}", security_groups.join(" ")));
    }
    let letters = vpc.split('-').map(|part| {
        let (first, rest) = part.split_at_checked(1).unwrap_or_default();
        first.to_ascii_uppercase() + rest
    });
    let logical_id = format!("KmsEndpointOf{}", letters.collect::<String>());
    ResourceRemedy {
        resource: vpc.clone(),
        title: format!("Add a VPC endpoint for KMS to {vpc}"),
        command: Some(command),
        snippet: json!({
            logical_id: {
                "Type": "AWS::EC2::VPCEndpoint",
                "Properties": {
                    "VpcEndpointType": "Interface",
                    "VpcId": vpc,
                    "ServiceName": service,
                    "SubnetIds": subnets,
                    "SecurityGroupIds": security_groups,
                    "PrivateDnsEnabled": true
                }
            }
        }),
    }
}

/// The statement for an endpoint's policy that allows these roles to decrypt with the key.
pub(super) fn statement_to_add(
    endpoint: &VpcEndpoint,
    key: &KeyArn,
    roles: &BTreeSet<&PrincipalArn>,
) -> ResourceRemedy {
    ResourceRemedy {
        resource: endpoint.id.clone(),
        title: format!("Add this statement to the policy of VPC endpoint {}", endpoint.id),
        command: None,
        snippet: json!({
            // The policy may get such a statement for another key too.
            "Sid": format!("AllowSessionManagerNodes{}", key.id().replace(|letter: char| !letter.is_ascii_alphanumeric(), "")),
            "Effect": "Allow",
            "Principal": "*",
            "Action": SessionCall::Decrypt.action(),
            "Resource": key.as_str(),
            "Condition": {
                "ArnEquals": { "aws:PrincipalArn": roles }
            }
        }),
    }
}
