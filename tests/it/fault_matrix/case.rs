//! One case: the event comes while AWS has a fault, then what follows comes without faults, and then the schedule.

use super::faults::{CallId, Kind};
use super::flow::FlowEvent;
use super::invariants::{broken_by_delivery, not_as_wanted, not_ended_alike, not_quiet, unnamed_call};
use super::questions::false_answers;
use super::sample::{Case, seed};
use super::stage::{Delivery, Patience, Stage};
use super::told::untold;
use crate::effort;
use crate::stub::World;

/// The flow without a fault: what it calls, and what comes of it.
pub struct Baseline {
    pub calls: Vec<CallId>,
    pub first: Delivery,
    /// `None` if the flow only asks, so that there is nothing to converge.
    pub schedule: Option<Delivery>,
}

impl Baseline {
    /// Runs the flow without a fault. Returns what is wrong with it too.
    pub async fn of(stage: &Stage) -> (Self, Vec<String>) {
        stage.reset();
        let first = stage.deliver(&stage.event, Patience::Unlimited).await;
        let mut problems = broken_by_delivery(stage, &first, "first");
        problems.extend(not_as_wanted(&first, stage.flow.wanted));
        if first.is_remediation() {
            problems.extend(untold(stage, &first, &[&first]));
        }
        let mut schedule = None;
        if !stage.flow.only_asks() {
            let delivery = stage.deliver(&Stage::schedule(), Patience::Unlimited).await;
            problems.extend(broken_by_delivery(stage, &delivery, "schedule"));
            problems.extend(not_quiet(&delivery));
            schedule = Some(delivery);
        }
        let outcome = first.outcome();
        problems = problems.into_iter().map(|problem| format!("{problem}: {outcome}")).collect();
        (Self { calls: CallId::each(&first.calls), first, schedule }, problems)
    }
}

/// What comes after the first delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The event again: Lambda tries again, or delivers twice.
    Again,
    /// What CloudFormation sends after a request that failed.
    Rollback,
    /// Nothing but the schedule.
    Schedule,
}

/// Runs a case, and returns what it breaks, and what came of each delivery.
pub async fn run_case(stage: &Stage, baseline: &Baseline, case: Case) -> Vec<String> {
    let Case { call, kind } = case;
    let Some(fault) = kind.fault(&call) else { return Vec::new() };
    stage.reset();
    stage.fixture.stub.fault(kind.when(&call), fault);
    let patience = match kind {
        Kind::SlowOnce => Patience::Attempt,
        kind if kind.hangs() => Patience::Run,
        _ => Patience::Unlimited,
    };
    let first = stage.deliver(&stage.event, patience).await;
    let mut problems = broken_by_delivery(stage, &first, "first");
    problems.extend(false_answers(stage, &baseline.first, &first, kind));
    if kind.hangs() {
        problems.extend(unnamed_call(&first, &baseline.first, &call));
    }
    if kind.is_absorbed() {
        problems.extend(not_ended_alike(&first, &baseline.first));
    }
    let after = stage.world();
    let mut broken = described(problems, &[&first]);
    for next in follow_ups(stage, &first, case) {
        broken.extend(Box::pin(follow(stage, baseline, &first, &after, next)).await);
    }
    broken
}

/// What may come after this delivery. In the bounded run it is one of them.
fn follow_ups(stage: &Stage, first: &Delivery, case: Case) -> Vec<Next> {
    if stage.event.request.is_none() {
        // Lambda tries again only after an error.
        return vec![if matches!(first.handled, Some(Ok(_))) { Next::Schedule } else { Next::Again }];
    }
    let may_be_undone = matches!(stage.flow.event, FlowEvent::Create(_) | FlowEvent::Update(_));
    match first.responses.first() {
        Some(response) if !response.success && may_be_undone => {
            let is_odd = seed(case.kind.name()).wrapping_add(seed(case.call.operation)) % 2 == 1;
            let one = if is_odd { Next::Again } else { Next::Rollback };
            effort::amount(vec![one], vec![Next::Again, Next::Rollback])
        }
        _ => vec![Next::Again],
    }
}

/// Delivers what follows the first delivery, and then the schedule's event.
async fn follow(
    stage: &Stage,
    baseline: &Baseline,
    first: &Delivery,
    after: &World,
    next: Next,
) -> Vec<String> {
    stage.restore(after);
    let (event, wanted) = match next {
        Next::Schedule => (None, stage.flow.wanted),
        Next::Again => (Some(stage.event.clone()), stage.flow.wanted),
        Next::Rollback => {
            let id = first.responses.first().map_or("", |response| &response.physical_resource_id);
            (stage.rollback(id), stage.flow.undone)
        }
    };
    let mut problems = Vec::new();
    let mut second = None;
    if let Some(event) = event {
        let delivery = stage.deliver(&event, Patience::Unlimited).await;
        problems.extend(broken_by_delivery(stage, &delivery, "second"));
        problems.extend(not_as_wanted(&delivery, wanted));
        if next == Next::Again {
            problems.extend(not_ended_alike(&delivery, &baseline.first));
        } else if !delivery.responses.iter().all(|response| response.success) {
            problems.push("CloudFormation cannot undo it".to_owned());
        }
        second = Some(delivery);
    }
    let mut last = None;
    if let Some(undisturbed) = &baseline.schedule {
        let delivery = stage.deliver(&Stage::schedule(), Patience::Unlimited).await;
        problems.extend(broken_by_delivery(stage, &delivery, "schedule"));
        problems.extend(not_as_wanted(&delivery, wanted));
        if second.is_some() {
            problems.extend(not_quiet(&delivery));
        }
        if next != Next::Rollback && undisturbed.is_alert() && !delivery.is_alert() {
            problems.push("the schedule does not alert as it does without a fault".to_owned());
        }
        last = Some(delivery);
    }
    let deliveries: Vec<_> = [Some(first), second.as_ref(), last.as_ref()].into_iter().flatten().collect();
    if baseline.first.is_remediation() {
        problems.extend(untold(stage, &baseline.first, &deliveries));
    }
    described(problems, &deliveries)
}

/// The problems, and what came of the deliveries if there are problems.
fn described(mut problems: Vec<String>, deliveries: &[&Delivery]) -> Vec<String> {
    if !problems.is_empty() {
        problems.extend(deliveries.iter().map(|delivery| format!("> {}", delivery.outcome())));
    }
    problems
}
