//! IAM as a service without a client: one endpoint in each partition, whose host has no Region in most of them.

use super::raw_operation::{Service, partition_region};

/// The version of IAM's API.
pub(super) const VERSION: &str = "2010-05-08";

/// IAM. Its service id is the one by which the pace of its calls is kept.
pub(super) const IAM: Service = Service { id: "IAM", name: "iam", endpoint_region };

/// The Region that IAM's requests are signed for, of which each partition has one (endpoint rules of the SDK).
fn endpoint_region(region: &str) -> &str {
    partition_region(region, "cn-north-1")
}

/// IAM's endpoint, from the one that it would have if the host named the Region.
pub(super) fn iam_endpoint(regional: String) -> String {
    const HOSTS: [(&str, &str); 6] = [
        (".us-east-1.amazonaws.com", ".amazonaws.com"),
        (".us-east-1.api.aws", ".global.api.aws"),
        (".us-gov-west-1.", ".us-gov."),
        ("-fips.cn-north-1.amazonaws.com.cn", "-fips.amazonaws.com.cn"),
        (".cn-north-1.api.", ".global.api."),
        (".eusc-de-east-1.api.", ".global.api."),
    ];
    let host = HOSTS.iter().find(|(named, _)| regional.contains(named));
    let endpoint = host.map(|(named, host)| regional.replacen(named, host, 1)).unwrap_or(regional);
    // There is one host for both kinds of endpoints.
    if endpoint.contains(".us-gov.") { endpoint.replacen("-fips", "", 1) } else { endpoint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_one_region_that_iam_s_requests_are_signed_for() {
        for (region, expected) in [
            ("eu-west-1", "us-east-1"),
            ("us-east-1", "us-east-1"),
            ("cn-northwest-1", "cn-north-1"),
            ("us-gov-east-1", "us-gov-west-1"),
            ("us-iso-west-1", "us-iso-east-1"),
            ("eusc-de-east-1", "eusc-de-east-1"),
        ] {
            assert_eq!(endpoint_region(region), expected, "{region}");
        }
    }
}
