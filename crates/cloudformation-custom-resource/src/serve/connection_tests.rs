//! The connection for the response is opened while the work runs.

use std::time::Duration;

use aws_https::{HttpsClient, Trust};
use serde_json::Value;

use super::*;
use crate::test_support::Exchange;

/// What the receiver and the work do, one after the other.
#[derive(Clone, Copy)]
enum During {
    /// The work waits until this many connections were opened in all.
    Connections(usize),
    Step,
    ReceiverClosesAll,
}

struct Work<'a> {
    exchange: &'a Exchange,
    course: &'a [During],
}

impl CustomResource for Work<'_> {
    type Request = Value;

    fn physical_id_of_create(&self, _: &Value) -> Result<PhysicalResourceId, Failure> {
        Ok(PhysicalResourceId::new("thing").unwrap())
    }

    async fn handle(&self, _: &Value, _: &Deadline, progress: &Progress) -> Result<Success, Failure> {
        let receiver = &self.exchange.receiver;
        for during in self.course {
            match during {
                During::Connections(number) => {
                    while receiver.connections() < *number {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
                During::Step => progress.set("step"),
                During::ReceiverClosesAll => receiver.close_connections(),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(self.exchange.attempts(), 0, "the response came before the end of the work");
        }
        Ok(Success::new(PhysicalResourceId::new("thing").unwrap()))
    }
}

/// Serves a request over the network, and returns the number of connections. There is exactly one request.
async fn connections(course: &[During]) -> usize {
    let exchange = Exchange::start(&[]).await;
    let sender = ResponseSender::over(&HttpsClient::without_proxy(Trust::System));
    let work = Work { exchange: &exchange, course };
    let provider = Provider::new(work, sender, vec![exchange.origin()], SystemTime::now);
    let invocation = Invocation { request_id: "1", deadline: SystemTime::now() + Duration::from_secs(60) };
    let served = provider.serve(Envelope::read(&exchange.request("Create")), invocation).await;
    assert_eq!(served, Ok(ServeOutcome::Responded(Status::Success)));
    exchange.response();
    assert_eq!(exchange.attempts(), 1);
    exchange.receiver.connections()
}

#[tokio::test]
async fn the_response_takes_the_connection_that_was_opened_during_the_work() {
    let course = [During::Connections(1), During::Step, During::Step];
    assert_eq!(connections(&course).await, 1);
}

#[tokio::test]
async fn the_response_waits_for_the_connection_that_is_being_opened() {
    assert_eq!(connections(&[]).await, 1);
}

#[tokio::test]
async fn a_connection_that_the_receiver_has_closed_is_opened_again_at_the_next_step() {
    let course = [
        During::Connections(1),
        During::ReceiverClosesAll,
        During::Step,
        During::Connections(2),
        During::Step,
    ];
    assert_eq!(connections(&course).await, 2);
}

#[tokio::test]
async fn if_the_receiver_has_closed_the_connection_the_response_goes_over_a_new_one_at_once() {
    assert_eq!(connections(&[During::Connections(1), During::ReceiverClosesAll]).await, 2);
}

#[tokio::test]
async fn no_connection_is_opened_to_a_foreign_host_or_for_an_expired_url() {
    let (exchange, elsewhere) = (Exchange::start(&[]).await, Exchange::start(&[]).await);
    let mut expired = exchange.request("Create");
    expired["ResponseURL"] = format!("{}/k?Expires=1", exchange.endpoint()).into();
    for request in [elsewhere.request("Create"), expired] {
        let sender = ResponseSender::over(&HttpsClient::without_proxy(Trust::System));
        let work = Work { exchange: &exchange, course: &[] };
        let provider = Provider::new(work, sender, vec![exchange.origin()], SystemTime::now);
        let invocation = Invocation { request_id: "1", deadline: SystemTime::UNIX_EPOCH };
        let _ = provider.serve(Envelope::read(&request), invocation).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!((exchange.receiver.connections(), elsewhere.receiver.connections()), (0, 0));
}
