use aws_config::{BehaviorVersion, Region};
use aws_types::service_config::LoadServiceConfig;

use super::*;

async fn endpoint_in(region: &'static str, fips: bool, dual_stack: bool) -> String {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .use_fips(fips)
        .use_dual_stack(dual_stack)
        .build();
    endpoint(&config, region).await.unwrap()
}

#[tokio::test]
async fn every_partition_has_its_endpoint() {
    for (region, fips, dual_stack, expected) in [
        ("eu-west-1", false, false, "https://ec2.eu-west-1.amazonaws.com"),
        ("cn-north-1", false, false, "https://ec2.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", false, false, "https://ec2.us-gov-west-1.amazonaws.com"),
        ("us-gov-east-1", true, false, "https://ec2.us-gov-east-1.amazonaws.com"),
        ("us-east-1", true, false, "https://ec2-fips.us-east-1.amazonaws.com"),
        ("eu-west-1", false, true, "https://ec2.eu-west-1.api.aws"),
    ] {
        assert_eq!(endpoint_in(region, fips, dual_stack).await, expected, "{region} {fips} {dual_stack}");
    }
}

#[tokio::test]
async fn the_settings_endpoint_goes_first() {
    let config = SdkConfig::builder().endpoint_url("http://127.0.0.1:1").build();
    assert_eq!(endpoint(&config, "eu-west-1").await.unwrap(), "http://127.0.0.1:1");
}

/// As the environment or a profile would have them: `AWS_ENDPOINT_URL_EC2`.
#[derive(Debug)]
struct Settings;

impl LoadServiceConfig for Settings {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let is_ec2s =
            (key.service_id(), key.env(), key.profile()) == ("EC2", "AWS_ENDPOINT_URL", "endpoint_url");
        is_ec2s.then(|| "https://vpce-1.ec2.eu-west-1.vpce.amazonaws.com".to_owned())
    }
}

#[tokio::test]
async fn ec2s_own_endpoint_goes_before_that_of_all_services() {
    let config = SdkConfig::builder().endpoint_url("http://127.0.0.1:1").service_config(Settings).build();
    let endpoint = endpoint(&config, "eu-west-1").await.unwrap();
    assert_eq!(endpoint, "https://vpce-1.ec2.eu-west-1.vpce.amazonaws.com");
}
