//! The endpoints of services that have no client here.

use aws_config::SdkConfig;
use aws_sdk_ssm::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_types::service_config::ServiceConfigKey;

use super::{Endpoint, Service};
use crate::aws::iam_service::{IAM, iam_endpoint};
use crate::location::Location;

/// The Region of a service's endpoint for whose partition there is only one. Only in China it differs between services.
pub(in crate::aws) fn partition_region<'a>(region: &'a str, in_china: &'static str) -> &'a str {
    match Location::partition_of_region(region) {
        "aws-cn" => in_china,
        "aws-us-gov" => "us-gov-west-1",
        "aws-iso" => "us-iso-east-1",
        "aws-iso-b" => "us-isob-east-1",
        "aws-iso-f" => "us-isof-south-1",
        "aws-iso-e" => "eu-isoe-west-1",
        "aws-eusc" => "eusc-de-east-1",
        _ => "us-east-1",
    }
}

/// The endpoint that the code names for all services, else the one that the settings name for the service, else the one
/// that they name for all services, else the Region's.
pub(in crate::aws) async fn own_endpoint(
    config: &SdkConfig,
    service: &Service,
) -> Result<Endpoint, &'static str> {
    let own = config.region().ok_or("there is no Region to ask")?;
    let region = (service.endpoint_region)(own.as_ref()).to_owned();
    Ok(Endpoint { url: endpoint(config, service, &region).await?, region })
}

pub(super) async fn endpoint(
    config: &SdkConfig,
    service: &Service,
    region: &str,
) -> Result<String, &'static str> {
    if let Some(url) = set_endpoint(config, service)? {
        return Ok(url);
    }
    let ssm = ssm_endpoint(region, config.use_fips(), config.use_dual_stack()).await?;
    let regional = ssm.replacen("//ssm", &format!("//{}", service.name), 1);
    Ok(if service.name == IAM.name { iam_endpoint(regional) } else { regional })
}

/// The endpoint of a bucket in a Region, and whether its paths begin with the bucket's name: where the settings name the
/// host, and where the bucket's name has dots, for which no certificate holds.
pub(in crate::aws) async fn bucket_endpoint(
    config: &SdkConfig,
    service: &Service,
    bucket: &str,
    region: Option<&str>,
) -> Result<(Endpoint, bool), &'static str> {
    let own = config.region().map(AsRef::as_ref);
    let region = region.or(own).ok_or("there is no Region to ask")?.to_owned();
    if let Some(url) = set_endpoint(config, service)? {
        return Ok((Endpoint { url, region }, true));
    }
    // S3 has its own words for FIPS and dual stack in the host, before a domain that is that of the Region.
    let ssm = ssm_endpoint(&region, None, None).await?;
    let fips = if config.use_fips() == Some(true) { "-fips" } else { "" };
    let dual_stack = if config.use_dual_stack() == Some(true) { ".dualstack" } else { "" };
    let is_in_path = bucket.contains('.');
    let in_host = if is_in_path { String::new() } else { format!("{bucket}.") };
    let url = ssm.replacen("//ssm", &format!("//{in_host}s3{fips}{dual_stack}"), 1);
    Ok((Endpoint { url, region }, is_in_path))
}

/// The endpoint that the settings name, in the order in which the SDK's clients look for it: what the code sets, such as an
/// option of the command line, then the service's own setting, then that for all services.
fn set_endpoint(config: &SdkConfig, service: &Service) -> Result<Option<String>, &'static str> {
    if config.get_origin("endpoint_url").is_client_config() {
        return Ok(config.endpoint_url().map(str::to_owned));
    }
    let key =
        ServiceConfigKey::builder().service_id(service.id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let key = key.build().map_err(|_| "the setting of the service's endpoint has no name")?;
    let set = config.service_config().and_then(|settings| settings.load_config(key));
    Ok(set.or_else(|| config.endpoint_url().map(str::to_owned)))
}

/// The endpoint of SSM: the host of another service differs from it only in the service's name, with FIPS and dual stack
/// too, and SSM's client knows the domains of all partitions.
async fn ssm_endpoint(
    region: &str,
    fips: Option<bool>,
    dual_stack: Option<bool>,
) -> Result<String, &'static str> {
    let params = Params::builder()
        .region(region)
        .set_use_fips(fips)
        .set_use_dual_stack(dual_stack)
        .build()
        .map_err(|_| "there is no endpoint for these settings")?;
    let ssm = DefaultResolver::new().resolve_endpoint(&params).await;
    let ssm = ssm.map_err(|_| "there is no endpoint in this Region for these settings")?;
    Ok(ssm.url().to_owned())
}
