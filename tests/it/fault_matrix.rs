//! Every flow, with every fault at every AWS call that the flow makes. The cases are generated from the calls of an
//! undisturbed run, so that a new call is tested without a change here.
//!
//! - [`flow`] is the declaration of a flow, [`flows`] the lists of them.
//! - [`faults`] lists the kinds of faults, and the calls that can have them.
//! - [`stage`] sets a world up and delivers events, [`case`] runs a case: the fault, the event again, the schedule.
//! - [`invariants`] says what must be true of each delivery, [`questions`] what an answer may say, [`told`] what
//!   remediation must tell.
//! - [`deadlines`] lets every call hang for ever.
//! - [`known`] lists what is known and being mended.
//! - [`sample`] chooses the cases of the bounded run, and [`run`] runs a group and reports its figures.
//!
//! `FAULT_CASE="<flow>/<call>/<kind>"` runs one case, for example
//! `FAULT_CASE="a create/ssm:GetDocument#1/throttled once"`, and `FAULT_CASE="a create/"` all cases of a flow.

mod case;
mod deadlines;
mod faults;
pub mod flow;
pub mod flows;
pub mod invariants;
pub mod known;
mod questions;
mod run;
mod sample;
pub mod stage;
mod state;
pub mod told;

use run::run;

#[tokio::test]
async fn creates_survive_every_fault() {
    run("creates", flows::creates()).await;
}

#[tokio::test]
async fn updates_and_deletes_survive_every_fault() {
    run("updates", flows::updates()).await;
}

#[tokio::test]
async fn change_events_survive_every_fault() {
    run("changes", flows::changes()).await;
}

#[tokio::test]
async fn events_about_keys_survive_every_fault() {
    run("keys", flows::keys()).await;
}

#[tokio::test]
async fn direct_calls_and_questions_survive_every_fault() {
    run("direct", flows::direct()).await;
}

#[tokio::test]
async fn calls_of_terraform_survive_every_fault() {
    run("terraform", flows::terraform()).await;
}
