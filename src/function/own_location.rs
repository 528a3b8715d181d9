//! Where the function is: the account that its ARN names, and the Region of its environment.
//!
//! In Lambda the ARN always names the account. Runtimes for trying a function, such as `cargo lambda watch`, give an ARN
//! that names none. Then the account is that of the credentials, because all calls reach it. An event says less: one
//! that another account has forwarded names that account.

use std::time::SystemTime;

use serde_json::Value;

use crate::location::Location;
use crate::ports::{CallerIdentity, Calls, Clock, LastStep, TimeLimit, left_to_work, within};

/// The location of the function, or why it is not known. AWS is asked only if the ARN names no account.
pub(super) async fn own_location<P: CallerIdentity + Calls + Clock>(
    ports: &P,
    function_arn: &str,
    region: &str,
    payload: &Value,
    deadline: SystemTime,
) -> Result<Location, String> {
    if let Some(location) = Location::of_arn(function_arn, region) {
        return Ok(location);
    }
    let step = LastStep::default();
    step.set("finding out the account");
    let limit = TimeLimit { time: left_to_work(ports, deadline) / 4, step: &step };
    let why = match within(ports, limit, Box::pin(ports.caller_arn())).await {
        Ok(Ok(caller)) => match Location::of_arn(&caller, region) {
            Some(location) => return Ok(location),
            None => "that of the credentials names none either".to_owned(),
        },
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    let location = of_event(payload, region).ok_or_else(|| why.clone())?;
    tracing::warn!(account = location.account, why, "going by the account that the event names");
    Ok(location)
}

/// The location that an event of EventBridge or AWS Config names, if it is of this Region.
fn of_event(payload: &Value, region: &str) -> Option<Location> {
    let text = |name| payload.get(name).and_then(Value::as_str);
    let account = text("account").or_else(|| text("accountId"))?;
    let is_here = text("region").is_none_or(|of_event| of_event == region);
    (is_here && Location::is_account(account)).then(|| Location {
        partition: Location::partition_of_region(region).to_owned(),
        region: region.to_owned(),
        account: account.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_of_this_region_names_the_account() {
        let account = |event: Value, region| of_event(&event, region).map(|location| location.to_string());
        let here = Some("account 123456789012, Region eu-west-1".to_owned());
        for event in [
            json!({"account": "123456789012", "region": "eu-west-1"}),
            json!({"account": "123456789012"}),
            json!({"accountId": "123456789012"}),
        ] {
            assert_eq!(account(event, "eu-west-1"), here);
        }
        for event in [
            json!({"account": "123456789012", "region": "us-east-1"}),
            json!({"account": "12", "region": "eu-west-1"}),
            json!({"account": 123_456_789_012_u64}),
            json!({"action": "status"}),
            json!("text"),
        ] {
            assert_eq!(account(event, "eu-west-1"), None);
        }
    }

    #[test]
    fn the_region_has_its_partition() {
        for (region, partition) in
            [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
        {
            let event = json!({"account": "123456789012", "region": region});
            assert_eq!(of_event(&event, region).unwrap().partition, partition);
        }
    }
}
