//! The Lambda: wiring only.

use std::env;
use std::time::SystemTime;

use aws_https::{HttpsClient, Trust};
use cloudformation_custom_resource::{Invocation, Origin, ResponseSender};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::Value;
use session_kms::aws::Aws;
use session_kms::function::{Function, FunctionSettings};
use session_kms::log;
use session_kms::session::DocumentName;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start(env::var("LOG_LEVEL").ok().as_deref());
    // INVARIANT: before the first event no certificate is read and no client is made. The clients and the answers share
    // one HTTPS client, which reads what it needs at the first connection.
    let client = HttpsClient::new(Trust::of_environment());
    let ports = Aws::of_function(client.clone());
    let region = ports.region().unwrap_or_default().to_owned();
    let endpoints = env::var("AWS_ENDPOINT_URL").ok().and_then(|url| Origin::parse(&url).ok());
    let function = Function {
        ports,
        sender: ResponseSender::over(&client),
        endpoints: endpoints.into_iter().collect(),
        region,
        settings: settings(),
        write_metrics: log::write_metrics,
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let context = &event.context;
        let invocation = Invocation { request_id: &context.request_id, deadline: deadline(context.deadline) };
        let handled = function.handle(&event.payload, &context.invoked_function_arn, invocation);
        handled.await.map_err(|error| Diagnostic {
            error_type: error.kind().to_owned(),
            error_message: error.to_string(),
        })
    }))
    .await
}

fn settings() -> FunctionSettings {
    let set = |name| env::var(name).ok().filter(|text| !text.is_empty());
    let default = FunctionSettings::default();
    let repairs = set("MAX_REPAIRS_PER_HOUR").map(|text| (text.parse(), text));
    if let Some((Err(_), text)) = &repairs {
        tracing::warn!(
            "MAX_REPAIRS_PER_HOUR is `{text}`, and no whole number; going by {}",
            default.repairs_per_hour
        );
    }
    FunctionSettings {
        role_arn: set("FUNCTION_ROLE_ARN"),
        additional_documents: set("ADDITIONAL_DOCUMENTS"),
        dry_run: set("DRY_RUN").is_some_and(|text| text.eq_ignore_ascii_case("true")),
        log_group: set("AWS_LAMBDA_LOG_GROUP_NAME"),
        document: set("DOCUMENT_NAME").and_then(|name| DocumentName::parse(&name).ok()),
        repairs_per_hour: repairs.and_then(|(number, _)| number.ok()).unwrap_or(default.repairs_per_hour),
    }
}

fn deadline(epoch_millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(epoch_millis)
}
