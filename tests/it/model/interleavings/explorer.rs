//! Explores every interleaving of two runs, call by call, with the crash of a run at any point.
//!
//! Between two calls that change something, the reads of both runs commute. So a step is one call that changes something,
//! with all reads of its run before it, and the other run has got anywhere by its own reads. Each such step stands for
//! all orders of these reads. A state is what AWS holds and how far each run has come, and each is visited once, whatever
//! led to it. So all interleavings are covered.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::checks::Checks;
use super::fingerprint::{Fingerprint, fingerprint, fingerprint_of_aws};
use super::run_tree::{Answered, NodeId, RunTree, Waiting};
use super::scenario::Scenario;
use super::store::Store;
use crate::model::in_memory_aws::InMemoryAws;
use crate::model::ports::call::{Call, Caller};
use crate::model::ports::gate::Ticket;
use crate::model::run::RunResult;

/// How far an exploration goes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most crashes.
    pub crashes: u8,
    /// The most states.
    pub states: usize,
    /// How often the run that changes something may alternate; `None` for any number.
    pub alternations: Option<u8>,
}

/// What was explored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// The different states in which something was about to change.
    pub states: usize,
    /// The different orders of calls that change something, of what was read between them, and of crashes.
    pub schedules: u128,
    /// The different ends, after which events were delivered again.
    pub ends: usize,
    /// The different histories of answers of both runs.
    pub histories: usize,
    /// The ends that break an invariant in a way that is known.
    pub known_faults: usize,
    /// Whether there are more states than the limit.
    pub is_cut_short: bool,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    Running {
        node: NodeId,
        /// Whether what SUCCESS stands for was so at some time since the run began to observe last.
        held: bool,
    },
    /// The result, by its number.
    Over(usize),
    Crashed,
}

#[derive(Clone, Debug)]
struct State {
    store: Rc<Store>,
    stages: [Stage; 2],
    outside_is_left: bool,
    crashes_left: u8,
    /// Which run changed something last, and how often that may still alternate. `None` if it is not counted.
    turn: Option<(usize, u8)>,
}

/// How far a run can come by reads alone.
#[derive(Debug)]
struct Reach {
    stages: Vec<Stage>,
    /// Where it would change something next.
    changes: Vec<(NodeId, bool, Ticket)>,
}

/// A step on the way to a state.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A run makes a call that changes something, and the other run has come this far.
    Change(usize, NodeId, Ticket, Stage),
    Crash(usize),
    Outside,
}

pub struct Explorer<'a> {
    scenario: &'a Scenario,
    trees: [RunTree<'a>; 2],
    callers: [Caller; 2],
    checks: Checks<'a>,
    results: Vec<Rc<RunResult>>,
    by_result: HashMap<String, usize>,
    reaches: HashMap<(Fingerprint, usize, Stage), Rc<Reach>>,
    /// The number of ways from each state to an end.
    visited: HashMap<Fingerprint, u128>,
    path: Vec<Step>,
    limits: Limits,
    is_cut_short: bool,
}

/// Explores a scenario.
///
/// # Errors
/// If an invariant breaks, with the steps that lead there.
pub fn explore(scenario: &Scenario, limits: Limits) -> Result<Figures, String> {
    let initial = scenario.initial_aws()?;
    let old = RefCell::new(initial.clone());
    let mut current = initial;
    let ticks_before = current.ticks;
    let sees = scenario.key_change.map_or([true; 2], |(change, sees)| {
        change.apply(&mut current);
        sees
    });
    let new = RefCell::new(current.clone());
    let views = sees.map(|sees| if sees { &new } else { &old });
    let began = sees.map(|sees| if sees { current.ticks } else { ticks_before });
    let [left, right] = &scenario.runs;
    let mut explorer = Explorer {
        scenario,
        trees: [RunTree::new(left, views[0], 1), RunTree::new(right, views[1], 2)],
        callers: [1, 2].map(|run| Caller { run, began_at: began[run - 1] }),
        checks: Checks::new(scenario, &current)?,
        results: Vec::new(),
        by_result: HashMap::new(),
        reaches: HashMap::new(),
        visited: HashMap::new(),
        path: Vec::new(),
        limits,
        is_cut_short: false,
    };
    explorer.explore(current).map_err(|wrong| explorer.with_path(&wrong))
}

impl Figures {
    /// The figures of two explorations together.
    pub fn and(self, other: Self) -> Self {
        Self {
            states: self.states + other.states,
            schedules: self.schedules.saturating_add(other.schedules),
            ends: self.ends + other.ends,
            histories: self.histories + other.histories,
            known_faults: self.known_faults + other.known_faults,
            is_cut_short: self.is_cut_short || other.is_cut_short,
        }
    }
}

impl Explorer<'_> {
    fn explore(&mut self, aws: InMemoryAws) -> Result<Figures, String> {
        let store = self.store(aws);
        let stages = store.holds.map(|held| Stage::Running { node: 0, held });
        let outside_is_left = self.scenario.outside.is_some();
        let state = State { store, stages, outside_is_left, crashes_left: self.limits.crashes, turn: None };
        let mut schedules = self.visit(&state)?;
        // An event that was not handled at all, before the other one.
        if self.limits.crashes > 0 {
            for run in [0, 1] {
                schedules = schedules.saturating_add(self.visit_crash(&state, run)?);
            }
        }
        let [left, right] = &self.trees;
        Ok(Figures {
            states: self.visited.len(),
            schedules,
            ends: self.checks.ends(),
            histories: left.number_of_histories() + right.number_of_histories(),
            known_faults: self.checks.known_faults,
            is_cut_short: self.is_cut_short,
        })
    }

    /// Visits a state and all that follow. Returns the number of ways to an end.
    fn visit(&mut self, state: &State) -> Result<u128, String> {
        let key = state.key();
        if let Some(ways) = self.visited.get(&key) {
            return Ok(*ways);
        }
        if self.visited.len() >= self.limits.states {
            self.is_cut_short = true;
            return Ok(0);
        }
        let mut ways: u128 = 0;
        let reaches = [self.reach(state, 0)?, self.reach(state, 1)?];
        for run in [0, 1] {
            let Some(turn) = self.turn(state, run) else { continue };
            for (node, held, ticket) in &reaches[run].changes {
                self.path.push(Step::Change(run, *node, *ticket, Stage::Crashed));
                let (store, stage) = self.change(&state.store, run, (*node, *held), *ticket)?;
                self.path.pop();
                for other in &reaches[1 - run].stages {
                    self.path.push(Step::Change(run, *node, *ticket, *other));
                    let mut stages = stages_after(&[*other; 2], &store);
                    stages[run] = stage;
                    let next = State { store: Rc::clone(&store), stages, turn, ..*state };
                    ways = ways.saturating_add(self.visit(&next)?);
                    // A crash after a read is the same as one after the last change before it.
                    if state.crashes_left > 0 {
                        ways = ways.saturating_add(self.visit_crash(&next, run)?);
                    }
                    self.path.pop();
                }
            }
        }
        let [left, right] = &reaches;
        if let Some(change) = self.scenario.outside.filter(|_| state.outside_is_left) {
            let mut aws = state.store.aws.clone();
            change.apply(&mut aws);
            let store = self.store(aws);
            self.path.push(Step::Outside);
            for stages in left.stages.iter().flat_map(|left| right.stages.iter().map(|right| [*left, *right]))
            {
                let stages = stages_after(&stages, &store);
                let next = State { store: Rc::clone(&store), stages, outside_is_left: false, ..*state };
                ways = ways.saturating_add(self.visit(&next)?);
            }
            self.path.pop();
        }
        for stages in left.stages.iter().flat_map(|left| right.stages.iter().map(|right| [*left, *right])) {
            let results = stages.map(|stage| match stage {
                Stage::Running { .. } => None,
                Stage::Crashed => Some(None),
                Stage::Over(result) => Some(Some(Rc::clone(&self.results[result]))),
            });
            if let [Some(left), Some(right)] = results {
                let has_outside = self.scenario.outside.is_some() && !state.outside_is_left;
                self.checks.check_end(&state.store, [left, right], has_outside)?;
                ways = ways.saturating_add(1);
            }
        }
        self.visited.insert(key, ways);
        Ok(ways)
    }

    /// The turn after a change by this run; `None` if the other run has to end first.
    fn turn(&self, state: &State, run: usize) -> Option<Option<(usize, u8)>> {
        let Some(most) = self.limits.alternations else { return Some(None) };
        let (last, left) = state.turn.unwrap_or((run, most));
        let alternates = last != run && matches!(state.stages[last], Stage::Running { .. });
        left.checked_sub(u8::from(alternates)).map(|left| Some((run, left)))
    }

    fn visit_crash(&mut self, state: &State, run: usize) -> Result<u128, String> {
        self.path.push(Step::Crash(run));
        let mut state = State { crashes_left: state.crashes_left - 1, ..state.clone() };
        state.stages[run] = Stage::Crashed;
        let ways = self.visit(&state)?;
        self.path.pop();
        Ok(ways)
    }

    /// How far a run can come by reads alone.
    fn reach(&mut self, state: &State, run: usize) -> Result<Rc<Reach>, String> {
        let store = &state.store;
        let from = state.stages[run];
        if let Some(reach) = self.reaches.get(&(store.key, run, from)) {
            return Ok(Rc::clone(reach));
        }
        let mut reach = Reach { stages: vec![from], changes: Vec::new() };
        let mut at = 0;
        while let Some(stage) = reach.stages.get(at).copied() {
            at += 1;
            let Stage::Running { node, held } = stage else { continue };
            for waiting in self.trees[run].node(node).waiting.clone() {
                if let Some(answered) = self.read(store, run, &waiting) {
                    let next = self.after(store, run, (node, held), &waiting, &answered)?;
                    if !reach.stages.contains(&next) {
                        reach.stages.push(next);
                    }
                } else {
                    reach.changes.push((node, held, waiting.ticket));
                }
            }
        }
        let reach = Rc::new(reach);
        self.reaches.insert((store.key, run, from), Rc::clone(&reach));
        Ok(reach)
    }

    /// What a call is answered if it changes nothing.
    fn read(&self, store: &Store, run: usize, waiting: &Waiting) -> Option<Answered> {
        match waiting.call {
            Call::Pause(_) if !self.scenario.time_passes => Some(Answered::done()),
            _ => store.read(self.callers[run], waiting),
        }
    }

    /// How far a run is once a call is answered. AWS holds this then.
    fn after(
        &mut self,
        store: &Store,
        run: usize,
        (node, held): (NodeId, bool),
        waiting: &Waiting,
        answered: &Answered,
    ) -> Result<Stage, String> {
        let held = held || store.holds[run];
        let was_observing = self.trees[run].node(node).observes();
        let next = self.trees[run].after(node, waiting.ticket, answered, store.aws.now)?;
        let next_node = self.trees[run].node(next);
        if let Some(result) = next_node.result.clone() {
            self.checks.check_result(run, &result, held)?;
            return Ok(Stage::Over(self.number_of(result)));
        }
        // A Delete is done once it has removed the record, whoever comes then.
        let is_done = next_node.has_deleted_record && self.scenario.runs[run].is_release();
        let begins = next_node.observes() && (!was_observing || waiting.call == Call::Head) && !is_done;
        Ok(Stage::Running { node: next, held: if begins { store.holds[run] } else { held } })
    }

    /// A call of a run changes something. Returns what AWS holds then, and how far the run is.
    fn change(
        &mut self,
        before: &Rc<Store>,
        run: usize,
        from: (NodeId, bool),
        ticket: Ticket,
    ) -> Result<(Rc<Store>, Stage), String> {
        let waiting = self.trees[run].node(from.0).call(ticket).clone();
        let mut aws = before.aws.clone();
        let answered = Answered::new(aws.execute(self.callers[run], &waiting.call));
        let store = self.store_after(before, aws)?;
        let stage = self.after(&store, run, from, &waiting, &answered)?;
        Ok((store, stage))
    }

    /// What AWS holds after a call that may have changed something.
    fn store_after(&self, before: &Rc<Store>, mut aws: InMemoryAws) -> Result<Rc<Store>, String> {
        aws.log.clear();
        aws.tally.clear();
        if fingerprint_of_aws(&aws) == before.key && aws.violations.is_empty() {
            return Ok(Rc::clone(before));
        }
        let store = self.store(aws);
        self.checks.check_write(before, &store)?;
        Ok(store)
    }

    fn store(&self, aws: InMemoryAws) -> Rc<Store> {
        let mut store = Store::new(aws);
        store.holds = [0, 1].map(|run| self.checks.holds(run, &store));
        Rc::new(store)
    }

    fn number_of(&mut self, result: Rc<RunResult>) -> usize {
        let number = self.results.len();
        let known = *self.by_result.entry(format!("{result:?}")).or_insert(number);
        if known == number {
            self.results.push(result);
        }
        known
    }

    /// What is wrong, with the steps that lead there.
    fn with_path(&self, wrong: &str) -> String {
        let name = |run: usize| ["left", "right"][run];
        let step = |step: &Step| match step {
            Step::Change(run, node, ticket, other) => {
                let call = format!("{:?}", self.trees[*run].node(*node).call(*ticket).call);
                let meanwhile = match other {
                    Stage::Running { node, .. } => {
                        let waiting = self.trees[1 - run].node(*node).waiting.iter();
                        let calls: Vec<_> = waiting.map(|waiting| waiting.call.operation()).collect();
                        format!("is about to call {}", calls.join(", "))
                    }
                    Stage::Over(_) => "is over".to_owned(),
                    Stage::Crashed => "has crashed".to_owned(),
                };
                let (run, other) = (name(*run), name(1 - run));
                format!("\n  {run}: {}, while {other} {meanwhile}", call.chars().take(70).collect::<String>())
            }
            Step::Crash(run) => format!("\n  {} crashes", name(*run)),
            Step::Outside => format!("\n  somebody else: {:?}", self.scenario.outside),
        };
        let steps: String = self.path.iter().map(step).collect();
        format!("{}: {wrong}{steps}\n{:#?}", self.scenario.name, self.scenario)
    }
}

fn stages_after(stages: &[Stage; 2], store: &Store) -> [Stage; 2] {
    [0, 1].map(|run| match stages[run] {
        Stage::Running { node, held } => Stage::Running { node, held: held || store.holds[run] },
        stage => stage,
    })
}

impl State {
    fn key(&self) -> Fingerprint {
        fingerprint(&(self.store.key, self.stages, self.outside_is_left, self.crashes_left, self.turn))
    }
}
