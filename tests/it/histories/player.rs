//! Plays a history: it sends what CloudFormation sends, and compares what can be seen after each delivery with the
//! states that the model allows.

mod checks;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use session_kms::aws::Aws;
use session_kms::function::Function;

use super::account::{Beginning, Keys, Others, Seen, begin, latest_settings, seen};
use super::history::Turns;
use super::lambda::{Ending, PutTrouble, Trouble, deliver, interleave, new_function};
use super::model::{Act, Ask, DocumentState, Kind, State};
use crate::stub::{ReceivedResponse, Request, Stub};

/// What has to happen now and then, or the test shows nothing.
pub const EXPECTED: [&str; 31] = [
    "Create",
    "Update",
    "Delete",
    "SUCCESS",
    "FAILED",
    "cancelled Create",
    "failed Create",
    "replacement",
    "rollback",
    "rolled back for a sibling",
    "rollback of a replacement",
    "rollback failed",
    "rollback continued",
    "Delete failed",
    "removed and added",
    "renamed",
    "retained by its DeletionPolicy",
    "two stacks at the same time",
    "delivered twice at once",
    "beside the schedule",
    "late duplicates",
    "delivered again after an error",
    "expired URLs",
    "calls refused",
    "calls cut off",
    "calls denied",
    "runs killed",
    "calls that hang",
    "PUTs refused",
    "PUTs that hang",
    "changes in the middle of a request",
];

/// Plays one history.
pub struct Player<'a> {
    pub stub: &'a Stub,
    function: Function<Aws>,
    /// The states that the model allows by now.
    states: Vec<State>,
    others: Others,
    /// What was seen last.
    seen: [Seen; 2],
    pub sent: Vec<Sent>,
    pub tally: BTreeMap<&'static str, usize>,
    violations: usize,
}

/// A request that was sent, and may come late once more.
#[derive(Clone)]
pub struct Sent {
    pub request: Request,
    pub ask: Ask,
}

/// What a step finds wrong.
pub type Checked<T> = Result<T, String>;

impl<'a> Player<'a> {
    pub fn new(stub: &'a Stub, beginning: Beginning) -> Self {
        begin(stub, beginning);
        let seen = stub.world(|world| [0, 1].map(|document| seen(world, document)));
        let others = stub.world(|world| [0, 1].map(|document| latest_settings(world, document)));
        let documents = seen.clone().map(|seen| DocumentState { carried: seen.carried, owned: None });
        Self {
            stub,
            function: new_function(stub),
            states: vec![State { documents }],
            others: Arc::new(Mutex::new(others)),
            seen,
            sent: Vec::new(),
            tally: BTreeMap::new(),
            violations: stub.violations().len(),
        }
    }

    pub fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    fn keys(&self) -> Keys {
        self.stub.world(Keys::now)
    }

    /// Sends a request until Lambda is content. Returns the first answer, which is the one that counts.
    pub async fn send(
        &mut self,
        request: &Request,
        ask: &Ask,
        trouble: Option<Trouble>,
    ) -> Checked<Option<ReceivedResponse>> {
        self.sent.push(Sent { request: request.clone(), ask: ask.clone() });
        for delivery in 0..3 {
            let trouble = trouble.filter(|_| {
                delivery == 0 || matches!(trouble, Some(Trouble::Put(PutTrouble::AlwaysRefused)))
            });
            if self.deliver(request, ask, trouble, delivery == 0).await? == Ending::Done {
                break;
            }
            self.count("delivered again after an error");
        }
        let answer = self.stub.answers(&request.url).into_iter().next();
        let may_be_silent =
            matches!(trouble, Some(Trouble::Expired | Trouble::Put(PutTrouble::AlwaysRefused)));
        if answer.is_none() && !may_be_silent {
            return Err("nobody ever answered".to_owned());
        }
        Ok(answer)
    }

    /// Delivers a request once, and checks what comes of it.
    pub async fn deliver(
        &mut self,
        request: &Request,
        ask: &Ask,
        trouble: Option<Trouble>,
        is_first: bool,
    ) -> Checked<Ending> {
        let before = self.stub.answers(&request.url).len();
        if before > 0 {
            self.stub.redelivered(&request.url);
        }
        self.count("requests");
        self.stub.forget_calls();
        let keys = self.keys();
        let faults = trouble.filter(|_| is_first);
        let url = Some(request.url.as_str());
        let run = deliver(self.stub, &self.function, &request.payload, url, faults, &self.others);
        let (ending, is_changed) = Box::pin(run).await;
        let calls = self.stub.calls().len();
        *self.tally.entry("calls").or_default() += calls;
        let new = self.stub.answers(&request.url).split_off(before);
        if ending == Ending::Failed {
            self.function = new_function(self.stub);
        }
        let heard = new.first().map(|answer| answer.success);
        if let Some(trouble) = faults {
            self.count(trouble.kind());
        }
        if let Some(success) = heard {
            self.count(if success { "SUCCESS" } else { "FAILED" });
        }
        let may_fail = matches!(trouble, Some(Trouble::Killed(..) | Trouble::Put(_)));
        if ending == Ending::Failed && !may_fail {
            return Err(format!("the function failed, and answered {new:?}"));
        }
        if ending == Ending::Done && heard.is_none() && trouble != Some(Trouble::Expired) {
            return Err("the function returned, and did not answer".to_owned());
        }
        if trouble == Some(Trouble::Expired) && calls > 0 {
            return Err(format!("{calls} calls for a request whose URL had expired"));
        }
        let now = self.keys();
        let next: Vec<State> = self
            .states
            .iter()
            .flat_map(|state| after(state, ask, trouble, is_changed, [&keys, &now], heard))
            .collect();
        self.narrow(next, is_changed, || format!("{ask:?} [{trouble:?}] was answered with {}", short(&new)))?;
        self.check_answers(request, ask, &new)?;
        if let Some(answer) = new.first() {
            self.check_reason(answer, ask, trouble)?;
        }
        Ok(ending)
    }

    /// Runs two requests at the same time. Returns the first answer to each.
    pub async fn send_both(
        &mut self,
        both: [(&Request, &Ask); 2],
        turns: &Turns,
    ) -> Checked<[Option<ReceivedResponse>; 2]> {
        let [(one, ask_one), (two, ask_two)] = both;
        for (request, ask) in both {
            self.sent.push(Sent { request: request.clone(), ask: ask.clone() });
        }
        let is_duplicate = one.url == two.url;
        if is_duplicate {
            self.stub.redelivered(&one.url);
        }
        let acts = [Act::Ask(ask_one), Act::Ask(ask_two)];
        self.run_both([&one.payload, &two.payload], acts, turns, [&one.url, &two.url], is_duplicate).await?;
        let answers = [one, two].map(|request| self.stub.answers(&request.url));
        for ((request, ask), answers) in both.into_iter().zip(&answers) {
            self.check_answers(request, ask, answers)?;
        }
        Ok(answers.map(|answers| answers.into_iter().next()))
    }

    /// Runs a request and the schedule at the same time.
    pub async fn send_beside_schedule(
        &mut self,
        request: &Request,
        ask: &Ask,
        turns: &Turns,
    ) -> Checked<Option<ReceivedResponse>> {
        self.sent.push(Sent { request: request.clone(), ask: ask.clone() });
        let acts = [Act::Ask(ask), Act::Schedule];
        let url = request.url.as_str();
        self.run_both([&request.payload, &schedule()], acts, turns, [url, ""], false).await?;
        let answers = self.stub.answers(url);
        self.check_answers(request, ask, &answers)?;
        Ok(answers.into_iter().next())
    }

    async fn run_both(
        &mut self,
        payloads: [&Value; 2],
        acts: [Act<'_>; 2],
        turns: &Turns,
        urls: [&str; 2],
        is_duplicate: bool,
    ) -> Checked<()> {
        *self.tally.entry("requests").or_default() += 2;
        self.stub.forget_calls();
        let keys = self.keys();
        let other = new_function(self.stub);
        let run = interleave(self.stub, [&self.function, &other], payloads, turns);
        let endings = Box::pin(run).await;
        *self.tally.entry("calls").or_default() += self.stub.calls().len();
        if endings != [Ending::Done; 2] {
            return Err(format!("of two runs at the same time one failed: {endings:?}"));
        }
        let heard: Vec<Vec<bool>> = urls
            .iter()
            .map(|url| {
                if url.is_empty() {
                    Vec::new()
                } else {
                    self.stub.answers(url).iter().map(|answer| answer.success).collect()
                }
            })
            .collect();
        let is_heard = |results: [Option<bool>; 2]| match is_duplicate {
            true => {
                let mut expected: Vec<bool> = results.into_iter().flatten().collect();
                let mut heard = heard[0].clone();
                expected.sort_unstable();
                heard.sort_unstable();
                heard == expected || heard.len() == 1 && expected.contains(&heard[0])
            }
            false => results
                .iter()
                .zip(&heard)
                .all(|(result, heard)| result.is_none() || *result == heard.first().copied()),
        };
        let next = self
            .states
            .iter()
            .flat_map(|state| state.after_both(acts, &keys))
            .filter(|(results, _)| is_heard(*results))
            .map(|(_, state)| state)
            .collect();
        let is_race = matches!(acts, [Act::Ask(one), Act::Ask(two)] if one.owner != two.owner);
        self.narrow(next, is_race, || format!("{acts:?} at the same time were answered with {heard:?}"))
    }

    /// The schedule comes.
    pub async fn schedule(&mut self) -> Checked<()> {
        self.count("schedule");
        let keys = self.keys();
        let event = schedule();
        let run = deliver(self.stub, &self.function, &event, None, None, &self.others);
        let (ending, _) = Box::pin(run).await;
        if ending == Ending::Failed {
            return Err("the schedule ended in an error".to_owned());
        }
        let next = self.states.iter().map(|state| state.after_schedule(&keys)).collect();
        self.narrow(next, false, || "the schedule came".to_owned())
    }

    /// Others change something between two requests.
    pub fn change(&mut self, change: super::account::Change) {
        self.stub.world(|world| change.apply(world, &self.others));
        self.look();
        for state in &mut self.states {
            for (document, seen) in state.documents.iter_mut().zip(&self.seen) {
                document.carried.clone_from(&seen.carried);
                if seen.owner.is_none() {
                    document.owned = None;
                }
            }
        }
        self.states.sort();
        self.states.dedup();
    }

    fn look(&mut self) {
        self.seen = self.stub.world(|world| [0, 1].map(|document| seen(world, document)));
    }
}

/// The states after one delivery, of which CloudFormation heard this.
fn after(
    state: &State,
    ask: &Ask,
    trouble: Option<Trouble>,
    is_changed: bool,
    keys: [&Keys; 2],
    heard: Option<bool>,
) -> Vec<State> {
    let matches = |success: bool| heard.is_none_or(|heard| heard == success);
    let mut all = Vec::new();
    match trouble {
        Some(Trouble::Expired) => return vec![state.clone()],
        Some(Trouble::Change(_, change)) if is_changed => {
            for keys in keys {
                all.extend(
                    state
                        .after(ask, keys)
                        .into_iter()
                        .map(|(success, state)| (success, state.after_change(change))),
                );
                all.extend(state.after_change(change).after(ask, keys));
            }
            for cut in state.amid(ask, keys[0]) {
                let changed = cut.after_change(change);
                if matches!(ask.kind, Kind::Delete) {
                    all.extend(changed.with_all_keys_own().after(ask, keys[1]));
                }
                all.extend(changed.after(ask, keys[1]));
                if keys[0] != keys[1] {
                    all.push((false, changed));
                }
            }
        }
        Some(Trouble::Put(_) | Trouble::Change(..)) | None => all = state.after(ask, keys[0]),
        Some(_) => {
            all = state.after(ask, keys[0]);
            all.extend(state.amid(ask, keys[0]).into_iter().map(|state| (false, state)));
        }
    }
    all.into_iter().filter(|(success, _)| matches(*success)).map(|(_, state)| state).collect()
}

/// Answers without what is long and always the same.
fn short(answers: &[ReceivedResponse]) -> String {
    let answers = answers.iter().map(|answer| {
        let reason: String = answer.reason.chars().take(300).collect();
        format!("{} {reason}", if answer.success { "SUCCESS" } else { "FAILED" })
    });
    answers.collect::<Vec<_>>().join("; ")
}

fn schedule() -> Value {
    serde_json::from_str(include_str!("../../../events/schedule.json")).unwrap()
}
