//! For the tests of this crate: one request whose response goes to a local receiver.

use std::time::Duration;

use aws_https::{HttpsClient, Trust};
use serde_json::{Value, json};

use crate::ids::Ids;
use crate::sender::{ResponseSender, RetryPolicy};
use crate::testing::{LocalReceiver, PutFault};
use crate::{Backoff, Origin};

/// The secret part of the response URL, encoded so that a second encoding or a decoding would show.
const QUERY: &str = "Expires=32503680000&Signature=s3cr%2Bt%3D%3D&x=a+b";

/// A request, and the receiver of its response.
pub(crate) struct Exchange {
    pub(crate) receiver: LocalReceiver,
    pub(crate) url: String,
}

pub(crate) fn ids() -> Ids {
    Ids {
        stack_id: "arn:aws:cloudformation:eu-central-1:111122223333:stack/s/5b6cc040".to_owned(),
        request_id: "8f4c1b8e-2d8f-4f2e-9c38-0b0a4d7a2b11".to_owned(),
        logical_resource_id: "Thing".to_owned(),
    }
}

impl Exchange {
    /// Starts a receiver, whose first PUTs meet these faults.
    pub(crate) async fn start(faults: &[PutFault]) -> Self {
        let receiver = LocalReceiver::start().await.unwrap();
        let url = receiver.response_url(&ids(), Some(QUERY));
        receiver.put_faults(&url, faults);
        Self { receiver, url }
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.receiver.endpoint()
    }

    /// The endpoint to which a provider may send.
    pub(crate) fn origin(&self) -> Origin {
        Origin::parse(self.endpoint()).unwrap()
    }

    /// A request as CloudFormation sends it.
    pub(crate) fn request(&self, request_type: &str) -> Value {
        let ids = ids();
        let mut payload = json!({
            "RequestType": request_type,
            "ServiceToken": "arn:aws:lambda:eu-central-1:111122223333:function:thing",
            "ResponseURL": self.url,
            "StackId": ids.stack_id,
            "RequestId": ids.request_id,
            "LogicalResourceId": ids.logical_resource_id,
            "ResourceType": "Custom::Thing",
            "ResourceProperties": {"ServiceToken": "arn:aws:lambda:…", "Colour": "red"},
        });
        if request_type != "Create" {
            payload["PhysicalResourceId"] = "thing-of-before".into();
        }
        if request_type == "Update" {
            payload["OldResourceProperties"] = json!({"ServiceToken": "arn:aws:lambda:…", "Colour": "blue"});
        }
        payload
    }

    /// The body of the one response. Fails the test if there is another number of them, or a violation.
    pub(crate) fn response(&self) -> Value {
        assert_eq!(self.receiver.violations(), [""; 0]);
        let responses = self.receiver.responses(&self.url);
        let [response] = responses.as_slice() else { panic!("not one response: {responses:?}") };
        serde_json::from_str(&response.body).unwrap()
    }

    pub(crate) fn attempts(&self) -> usize {
        self.receiver.puts(&self.url)
    }
}

/// A sender over the network that hardly pauses and ignores the proxy of the environment.
pub(crate) fn quick_sender() -> ResponseSender {
    let backoff = Backoff { first: Duration::from_millis(1), ..RetryPolicy::default().backoff };
    let connector = HttpsClient::without_proxy(Trust::System).connection_per_request();
    ResponseSender::new(connector, RetryPolicy { backoff, ..RetryPolicy::default() })
}
