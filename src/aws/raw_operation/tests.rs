use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_types::origin::Origin;
use aws_types::sdk_config::Builder;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::endpoint::endpoint;
use super::*;
use crate::aws::iam_service::IAM;

const EC2: Service = Service { id: "EC2", name: "ec2", endpoint_region: |region| region };
const CONFIG: Service = Service { id: "Config Service", name: "config", endpoint_region: |region| region };
const ACT: OperationSpec = OperationSpec {
    service: CONFIG,
    name: "Act",
    iam_action: "config:Act",
    protocol: Protocol::Json { target: "Target.Act" },
    attempt: None,
};

/// Settings that name an endpoint for all services.
fn with_endpoint() -> Builder {
    SdkConfig::builder().endpoint_url("http://127.0.0.1:1")
}

async fn endpoint_in(service: &Service, region: &'static str, fips: bool, dual_stack: bool) -> String {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .use_fips(fips)
        .use_dual_stack(dual_stack)
        .build();
    endpoint(&config, service, region).await.unwrap()
}

#[tokio::test]
async fn every_partition_has_its_endpoint() {
    for (service, region, fips, dual_stack, expected) in [
        (&EC2, "eu-west-1", false, false, "https://ec2.eu-west-1.amazonaws.com"),
        (&EC2, "cn-north-1", false, false, "https://ec2.cn-north-1.amazonaws.com.cn"),
        (&EC2, "us-gov-west-1", false, false, "https://ec2.us-gov-west-1.amazonaws.com"),
        (&EC2, "us-gov-east-1", true, false, "https://ec2.us-gov-east-1.amazonaws.com"),
        (&EC2, "us-east-1", true, false, "https://ec2-fips.us-east-1.amazonaws.com"),
        (&EC2, "eu-west-1", false, true, "https://ec2.eu-west-1.api.aws"),
        (&CONFIG, "eu-west-1", false, false, "https://config.eu-west-1.amazonaws.com"),
        (&CONFIG, "cn-north-1", false, false, "https://config.cn-north-1.amazonaws.com.cn"),
        (&CONFIG, "us-east-1", true, false, "https://config-fips.us-east-1.amazonaws.com"),
        (&CONFIG, "eu-west-1", false, true, "https://config.eu-west-1.api.aws"),
        // The endpoints of IAM are those in the rules of the SDK's client for it.
        (&IAM, "us-east-1", false, false, "https://iam.amazonaws.com"),
        (&IAM, "us-east-1", true, false, "https://iam-fips.amazonaws.com"),
        (&IAM, "us-east-1", false, true, "https://iam.global.api.aws"),
        (&IAM, "us-east-1", true, true, "https://iam-fips.global.api.aws"),
        (&IAM, "us-gov-west-1", false, false, "https://iam.us-gov.amazonaws.com"),
        (&IAM, "us-gov-west-1", true, false, "https://iam.us-gov.amazonaws.com"),
        (&IAM, "us-gov-west-1", false, true, "https://iam.us-gov.api.aws"),
        (&IAM, "cn-north-1", false, false, "https://iam.cn-north-1.amazonaws.com.cn"),
        (&IAM, "cn-north-1", false, true, "https://iam.global.api.amazonwebservices.com.cn"),
        (&IAM, "us-iso-east-1", false, false, "https://iam.us-iso-east-1.c2s.ic.gov"),
        (&IAM, "us-isob-east-1", false, false, "https://iam.us-isob-east-1.sc2s.sgov.gov"),
        (&IAM, "us-isof-south-1", false, false, "https://iam.us-isof-south-1.csp.hci.ic.gov"),
        (&IAM, "eu-isoe-west-1", false, false, "https://iam.eu-isoe-west-1.cloud.adc-e.uk"),
        (&IAM, "eusc-de-east-1", false, false, "https://iam.eusc-de-east-1.amazonaws.eu"),
    ] {
        let endpoint = endpoint_in(service, region, fips, dual_stack).await;
        assert_eq!(endpoint, expected, "{} {region} {fips} {dual_stack}", service.id);
    }
}

#[tokio::test]
async fn an_endpoint_in_the_settings_wins() {
    let config = with_endpoint().build();
    assert_eq!(endpoint(&config, &EC2, "eu-west-1").await.unwrap(), "http://127.0.0.1:1");
}

/// The setting `AWS_ENDPOINT_URL_CONFIG_SERVICE` of an environment or a profile.
#[derive(Debug)]
struct ConfigServiceEndpoint;

impl LoadServiceConfig for ConfigServiceEndpoint {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let (env, profile) = (key.env(), key.profile());
        assert_eq!((env, profile), ("AWS_ENDPOINT_URL", "endpoint_url"));
        (key.service_id() == CONFIG.id)
            .then(|| "https://vpce-1.config.eu-west-1.vpce.amazonaws.com".to_owned())
    }
}

#[tokio::test]
async fn a_service_s_own_endpoint_wins_over_that_of_all_services() {
    let config = with_endpoint().service_config(ConfigServiceEndpoint).build();
    let own = endpoint(&config, &CONFIG, "eu-west-1").await.unwrap();
    assert_eq!(own, "https://vpce-1.config.eu-west-1.vpce.amazonaws.com");
    assert_eq!(endpoint(&config, &EC2, "eu-west-1").await.unwrap(), "http://127.0.0.1:1");
}

#[tokio::test]
async fn an_endpoint_that_the_code_names_wins_over_a_service_s_own() {
    let mut builder = with_endpoint().service_config(ConfigServiceEndpoint);
    builder.insert_origin("endpoint_url", Origin::shared_config());
    let config = builder.region(Region::new("eu-west-1")).build();
    for service in [CONFIG, EC2] {
        assert_eq!(endpoint(&config, &service, "eu-west-1").await.unwrap(), "http://127.0.0.1:1");
        let (bucket, is_in_path) = bucket_endpoint(&config, &service, "logs", None).await.unwrap();
        assert_eq!((bucket.url.as_str(), is_in_path), ("http://127.0.0.1:1", true));
    }
    // The settings of an assumed role are made from these, and keep the endpoint.
    let other = config.to_builder().region(Region::new("us-east-1")).build();
    assert_eq!(endpoint(&other, &CONFIG, "us-east-1").await.unwrap(), "http://127.0.0.1:1");
}

#[tokio::test]
async fn an_operation_needs_a_region_and_credentials() {
    for config in [with_endpoint().build(), SdkConfig::builder().region(Region::new("eu-west-1")).build()] {
        assert!(RawOperation::new(&Aws::new(&config, Duration::ZERO), &ACT, "*", |_| Ok(())).await.is_err());
    }
}

#[test]
fn a_request_has_its_protocol_s_headers_and_hides_its_body() {
    let form = "application/x-www-form-urlencoded";
    let query = Protocol::Query { version: "2010-05-08" };
    for (protocol, given, content_type, target, sent) in [
        (ACT.protocol, "secret", "application/x-amz-json-1.1", Some("Target.Act"), "secret"),
        (Protocol::Ec2Query, "secret", form, None, "secret"),
        (query, "secret", form, None, "Action=Act&Version=2010-05-08&secret"),
        (Protocol::Query { version: "1" }, "", form, None, "Action=Act&Version=1"),
    ] {
        let request = request(&OperationSpec { protocol, ..ACT }, Body::Text(given.to_owned())).unwrap();
        assert_eq!((request.method(), request.uri()), ("POST", "/"));
        assert_eq!(request.headers().get("x-amz-target"), target);
        assert_eq!(request.headers().get("content-type"), Some(content_type));
        assert_eq!(request.body().bytes(), Some(sent.as_bytes()));
    }
    assert!(!format!("{:?}", Body::Text("secret".to_owned())).contains("secret"));
}

#[test]
fn json_can_be_sent_to_a_path_and_s3_has_method_path_and_headers_of_its_own() {
    let list = request(
        &OperationSpec { protocol: Protocol::RestJson { path: "/listRegions" }, ..ACT },
        Body::Text("{}".to_owned()),
    )
    .unwrap();
    assert_eq!((list.method(), list.uri()), ("POST", "/listRegions"));
    assert_eq!(list.headers().get("content-type"), Some("application/json"));
    let read = S3Request {
        method: "GET",
        uri: "/a%20b".to_owned(),
        headers: vec![("range", "bytes=0-9".to_owned())],
        body: SdkBody::from("secret"),
    };
    assert!(!format!("{read:?}").contains("secret"));
    let read = request(&OperationSpec { protocol: Protocol::S3, ..ACT }, Body::S3(read)).unwrap();
    assert_eq!((read.method(), read.uri()), ("GET", "/a%20b"));
    assert_eq!(read.headers().get("range"), Some("bytes=0-9"));
}

#[tokio::test]
async fn a_bucket_is_a_host_unless_its_name_has_dots_or_the_settings_name_the_host() {
    const S3: Service = Service { id: "S3", name: "s3", endpoint_region: |region| region };
    for (bucket, region, fips, dual_stack, expected) in [
        ("logs", None, false, false, ("https://logs.s3.eu-west-1.amazonaws.com", false)),
        ("logs", Some("us-east-1"), false, false, ("https://logs.s3.us-east-1.amazonaws.com", false)),
        ("my.logs", None, false, false, ("https://s3.eu-west-1.amazonaws.com", true)),
        ("logs", Some("cn-north-1"), false, false, ("https://logs.s3.cn-north-1.amazonaws.com.cn", false)),
        ("logs", Some("us-east-1"), true, false, ("https://logs.s3-fips.us-east-1.amazonaws.com", false)),
        ("logs", None, false, true, ("https://logs.s3.dualstack.eu-west-1.amazonaws.com", false)),
    ] {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .use_fips(fips)
            .use_dual_stack(dual_stack)
            .build();
        let (endpoint, is_in_path) = bucket_endpoint(&config, &S3, bucket, region).await.unwrap();
        assert_eq!((endpoint.url.as_str(), is_in_path), expected);
        assert_eq!(endpoint.region, region.unwrap_or("eu-west-1"));
    }
    let config = with_endpoint().region(Region::new("eu-west-1")).build();
    let (endpoint, is_in_path) = bucket_endpoint(&config, &S3, "logs", None).await.unwrap();
    assert_eq!((endpoint.url.as_str(), is_in_path), ("http://127.0.0.1:1", true));
}
