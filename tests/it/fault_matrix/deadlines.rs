//! With a Lambda time-out of 30 seconds and any one AWS call that hangs for ever, the answer is out before the deadline
//! and names the call.

use std::collections::BTreeSet;

use super::case::Baseline;
use super::faults::Kind;
use super::flow::{Flow, FlowEvent};
use super::flows;
use super::invariants::{broken_by_delivery, unnamed_call};
use super::known::{in_words, is_known};
use super::stage::{Patience, Stage};
use crate::effort;
use crate::stub::Stub;

/// How events of one kind are run, as far as deadlines are concerned.
fn kind_of_run(flow: &Flow) -> &'static str {
    match flow.event {
        FlowEvent::Create(_)
        | FlowEvent::Update(_)
        | FlowEvent::Delete
        | FlowEvent::DeleteByMadeUpId
        | FlowEvent::Question(..) => "request",
        FlowEvent::Change(_) => "change event",
        FlowEvent::Call(_) => "direct call",
        FlowEvent::Rule(_) => "question of AWS Config",
    }
}

#[tokio::test]
async fn a_call_that_hangs_for_ever_is_named_before_the_deadline() {
    let flows = [
        flows::direct(),
        flows::changes(),
        flows::keys(),
        flows::creates(),
        flows::updates(),
        flows::terraform(),
    ]
    .concat();
    let (mut seen, mut known, mut cases, mut broken) = (BTreeSet::new(), 0, 0, Vec::new());
    let mut stub = Stub::start().await;
    for flow in &flows {
        let stage = Box::pin(Stage::new(stub, *flow)).await;
        let (baseline, _) = Box::pin(Baseline::of(&stage)).await;
        for call in &baseline.calls {
            // In the bounded run, each operation hangs once in each kind of run.
            let is_new = seen.insert((kind_of_run(flow), call.operation));
            if !is_new && !effort::is_complete() {
                continue;
            }
            cases += 1;
            let mut tries = 0;
            let (delivery, problems) = loop {
                stage.reset();
                stage.fixture.stub.fault(Kind::Hangs.when(call), Kind::Hangs.fault(call).unwrap());
                let delivery = stage.deliver(&stage.event, Patience::Run).await;
                let mut problems = broken_by_delivery(&stage, &delivery, "first");
                problems.extend(unnamed_call(&delivery, &baseline.first, call));
                tries += 1;
                // On a busy machine a call of the case before may arrive now, and be taken for the one that hangs.
                if problems.is_empty() || tries == 3 {
                    break (delivery, problems);
                }
            };
            let name = format!("{}/{call}/hangs", flow.name);
            if !problems.is_empty() && is_known(&name, &problems) {
                known += 1;
            } else if !problems.is_empty() {
                broken.push(format!("{name}: {}: {}", problems.join("; "), delivery.outcome()));
            }
        }
        stub = stage.into_stub();
    }
    let figures = format!("{cases} calls hang, {} break an invariant{}", broken.len(), in_words(known));
    effort::report("deadlines", &figures);
    assert!(broken.is_empty(), "{figures}\n{}", broken.join("\n"));
}
