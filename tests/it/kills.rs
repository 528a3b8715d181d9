//! The function as a process that is killed between two AWS calls, and the events that come again.
//!
//! - [`runtime_api`] is what Lambda offers to a function's process.
//! - [`process`] runs the Lambda's binary against a stub of AWS, and kills it.
//! - [`memory`] holds the process of a large account to its peak.
//! - [`matrix`] kills it at every call of a flow, delivers the event again, once and twice, and then the schedule's.

mod matrix;
mod memory;
pub mod process;
mod runtime_api;

use crate::fault_matrix::flows;
use matrix::run;

#[tokio::test]
async fn requests_survive_the_kill_of_the_process() {
    let of_bounded = ["a create without a document", "an update to another key", "a delete that restores"];
    run("requests", [flows::creates(), flows::updates()].concat(), &of_bounded).await;
}

#[tokio::test]
async fn change_events_and_calls_survive_the_kill_of_the_process() {
    let of_bounded = ["a call that updates the document", "a call that deletes the document"];
    run(
        "events",
        [flows::changes(), flows::keys(), flows::direct(), flows::terraform()].concat(),
        &of_bounded,
    )
    .await;
}
