//! Serves one request for `Custom::Greeting` and prints the response that a local receiver accepted.
//!
//! Run it with `cargo run --example custom_resource --features testing`. In a Lambda function, the payload comes
//! from the runtime, and the response goes to the URL that CloudFormation has put into it.

use std::error::Error;
use std::time::{Duration, SystemTime};

use cloudformation_custom_resource::testing::LocalReceiver;
use cloudformation_custom_resource::{
    CustomResource, Deadline, Envelope, Failure, Ids, Invocation, Origin, PhysicalResourceId, Progress,
    Properties, Provider, Request, RequestType, ResponseSender, Success, UnknownProperties,
};
use serde_json::json;

/// A resource that greets somebody. Its attribute `Text` holds the greeting.
struct Greeting;

impl CustomResource for Greeting {
    type Request = Request;

    fn physical_id_of_create(&self, request: &Request) -> Result<PhysicalResourceId, Failure> {
        let id = format!("greeting:{}", request.ids.logical_resource_id);
        PhysicalResourceId::new(&id).map_err(|error| Failure { reason: error.to_string() })
    }

    async fn handle(&self, request: &Request, _: &Deadline, progress: &Progress) -> Result<Success, Failure> {
        let id = match &request.request_type {
            RequestType::Create => self.physical_id_of_create(request)?,
            RequestType::Update { physical_resource_id, .. } => physical_resource_id.clone(),
            RequestType::Delete { physical_resource_id } => {
                return Ok(Success::new(physical_resource_id.clone()));
            }
        };
        let mut properties = Properties::new(&request.properties);
        let name = properties.required_text("Name");
        let polite = properties.flag("Polite").unwrap_or(true);
        properties
            .finish(UnknownProperties::Refuse)
            .map_err(|problems| Failure { reason: problems.to_string() })?;
        progress.set("greeting");
        let text = if polite { format!("Good morning, {name}") } else { format!("Hi {name}") };
        Ok(Success::new(id).with_attribute("Text", &text))
    }
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the example shows its result")]
async fn main() -> Result<(), Box<dyn Error>> {
    let receiver = LocalReceiver::start().await?;
    let ids = Ids {
        stack_id: "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo/5b6cc040".to_owned(),
        request_id: "8f4c1b8e-2d8f-4f2e-9c38-0b0a4d7a2b11".to_owned(),
        logical_resource_id: "Morning".to_owned(),
    };
    let url = receiver.response_url(&ids, None);
    let payload = json!({
        "RequestType": "Create",
        "ResponseURL": url,
        "StackId": ids.stack_id,
        "RequestId": ids.request_id,
        "LogicalResourceId": ids.logical_resource_id,
        "ResourceType": "Custom::Greeting",
        "ResourceProperties": {"Name": "Ada", "Polite": "false"},
    });

    let endpoints = vec![Origin::parse(receiver.endpoint())?];
    let provider = Provider::new(Greeting, ResponseSender::over_network(), endpoints, SystemTime::now);
    let deadline = SystemTime::now() + Duration::from_secs(60);
    let invocation = Invocation { request_id: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", deadline };
    let outcome = provider.serve(Envelope::read(&payload), invocation).await?;

    println!("{outcome:?}");
    for response in receiver.responses(&url) {
        println!("{}", response.body);
    }
    Ok(())
}
