//! Plays a sequence of events, and holds the software to its promises after each.

use std::cell::RefCell;

use futures_util::FutureExt;
use session_kms::change_event::{ChangeEvent, ChangeSource};
use session_kms::reconcile::{Record, read_record};
use session_kms::remediation::{Remediation, RemediationOutcome};

use super::action::{Action, Delivery, Setting, What};
use super::intended::Intended;
use super::judge::Before;
use super::line::{Fate, Line};
use super::rival::{Deed, event_of, name};
use super::run::{Ask, Came, Run, alone, both};
use super::world::{KEYS, World};

/// A play, as far as it has come.
pub struct Play {
    pub world: RefCell<World>,
    runs: usize,
    late: Vec<ChangeEvent>,
    last_ask: Option<Ask>,
    /// What is on record.
    pub intended: Option<Intended>,
    /// When runs put the document right since the owner's last change of mind.
    pub repairs: Vec<u64>,
    /// The key that was there when the owner adopted the document.
    pub adopted: Option<String>,
    /// What any run may ever put back: the keys that were there before somebody adopted the document.
    pub befores: Vec<String>,
}

pub type Told = Result<(), String>;

impl Play {
    pub fn new(setting: Setting) -> Self {
        let mut world = World::new(setting.duplicates, setting.pending);
        world.most_versions = setting.most_versions;
        if setting.has_document {
            Deed::Create.play(&mut world);
        }
        Self {
            world: RefCell::new(world),
            runs: 0,
            late: Vec::new(),
            last_ask: None,
            intended: None,
            repairs: Vec::new(),
            adopted: None,
            befores: Vec::new(),
        }
    }

    pub fn act(&mut self, action: &Action) -> Told {
        match action {
            Action::Deed(deed, delivery) => {
                let Some(event) = deed.play(&mut self.world.borrow_mut()) else { return Ok(()) };
                match delivery {
                    Delivery::Now => self.one(Run::Remediate(event), Fate::default()).map(drop),
                    Delivery::Later => {
                        self.late.push(event);
                        Ok(())
                    }
                    Delivery::Twice => {
                        self.late.push(event.clone());
                        self.one(Run::Remediate(event), Fate::default()).map(drop)
                    }
                    Delivery::Never => Ok(()),
                }
            }
            Action::Run(what, fate) => match self.run(what) {
                Some(run) => self.one(run, *fate).map(drop),
                None => Ok(()),
            },
            Action::Both([(left, left_fate), (right, right_fate)], order, midst) => {
                match (self.run(left), self.run(right)) {
                    // CloudFormation asks for one thing at a time of a resource, and perhaps twice.
                    (Some(Run::Establish(ask)), Some(Run::Establish(other))) if ask.owner == other.owner => {
                        let runs =
                            [(Run::Establish(ask.clone()), *left_fate), (Run::Establish(ask), *right_fate)];
                        self.two(runs, order, *midst)
                    }
                    (Some(left), Some(right)) => {
                        self.two([(left, *left_fate), (right, *right_fate)], order, *midst)
                    }
                    (Some(run), None) => self.one(run, *left_fate).map(drop),
                    (None, Some(run)) => self.one(run, *right_fate).map(drop),
                    (None, None) => Ok(()),
                }
            }
            Action::Pass(minutes) => {
                self.world.borrow_mut().now += minutes * 60;
                Ok(())
            }
            Action::FailNext => {
                self.world.borrow_mut().fail_next = true;
                Ok(())
            }
            Action::Meddle(version) => {
                self.meddle(*version);
                Ok(())
            }
            Action::Answer(answers) => {
                self.world.borrow_mut().answer = answers.then_some(Deed::Overwrite { promotes: true });
                Ok(())
            }
        }
    }

    /// Somebody deletes the record, or puts back one of its versions: that is what is wanted from now on.
    fn meddle(&mut self, version: Option<usize>) {
        {
            let mut world = self.world.borrow_mut();
            let Some(parameter) = &mut world.parameter else { return };
            match version {
                Some(which) => {
                    let text = parameter.history[which % parameter.history.len()].clone();
                    parameter.history.push(text);
                }
                None => world.parameter = None,
            }
            world.count("record meddled with");
        }
        let record = self.record();
        self.intended = record.as_ref().map(Intended::of);
        self.adopted = record.map(|record| String::from(record.before_adoption));
        self.befores.extend(self.adopted.clone());
        self.repairs.clear();
        self.late.push(event_of(ChangeSource::RecordChange));
    }

    fn run(&mut self, what: &What) -> Option<Run> {
        Some(match what {
            What::Schedule => Run::Remediate(event_of(ChangeSource::Schedule)),
            What::RecordChange => Run::Remediate(event_of(ChangeSource::RecordChange)),
            What::Late(which) if self.late.is_empty() => {
                _ = which;
                return None;
            }
            What::Late(which) => Run::Remediate(self.late.remove(which % self.late.len())),
            What::Ask(ask) => {
                self.last_ask = Some(ask.clone());
                Run::Establish(ask.clone())
            }
            What::AskAgain => Run::Establish(self.last_ask.clone()?),
            What::Release { owner, on_delete } => Run::Release { owner: *owner, on_delete: *on_delete },
        })
    }

    /// One run, alone.
    pub fn one(&mut self, run: Run, fate: Fate) -> Result<Option<Came>, String> {
        self.world.borrow_mut().now += 1;
        let before = self.before(false, fate.fault.is_none(), fate.fault.is_none());
        self.runs += 1;
        let came = alone(&self.world, self.runs, &run, fate)?;
        self.count(came.as_ref());
        if before.is_smooth
            && let Some(came) = &came
        {
            self.judge_answer(&before, &run, came)?;
        }
        if let (Run::Establish(ask), Some(Came::Established(Ok(_)))) = (&run, &came) {
            self.carries(ask.wanted()).map_err(|wrong| format!("answered SUCCESS, and {wrong}"))?;
        }
        let runs = [(self.runs, run, came)];
        self.judge(&before, &runs)?;
        let [(_, _, came)] = runs;
        Ok(came)
    }

    fn two(&mut self, runs: [(Run, Fate); 2], order: &[bool], midst: Option<(usize, Deed)>) -> Told {
        self.world.borrow_mut().now += 1;
        let [(left, left_fate), (right, right_fate)] = runs;
        let answered = left_fate.fault.is_none() && right_fate.fault.is_none();
        let before = self.before(midst.is_some(), false, answered);
        let numbers = [self.runs + 1, self.runs + 2];
        self.runs += 2;
        let mut event = None;
        let (at, deed) = midst.unzip();
        let happens = || event = deed.and_then(|deed: Deed| deed.play(&mut self.world.borrow_mut()));
        let [left_came, right_came] = both(
            &self.world,
            [(numbers[0], &left, left_fate), (numbers[1], &right, right_fate)],
            order,
            (at.unwrap_or(usize::MAX), happens),
        )?;
        self.late.extend(event);
        self.count(left_came.as_ref());
        self.count(right_came.as_ref());
        self.world.borrow_mut().count("two at a time");
        self.judge(&before, &[(numbers[0], left, left_came), (numbers[1], right, right_came)])
    }

    fn count(&self, came: Option<&Came>) {
        let what = match came {
            None => "cut off",
            Some(Came::Established(Ok(_))) => "granted",
            Some(Came::Released(Ok(outcome))) if outcome.changed => "given back",
            Some(Came::Released(Ok(_))) => "nothing to give back",
            Some(Came::Remediated(Ok(kept))) => match kept.outcome {
                RemediationOutcome::Repaired => "repaired",
                RemediationOutcome::StandIn => "stood in",
                RemediationOutcome::Cleared => "cleared",
                RemediationOutcome::Returned => "returned",
                RemediationOutcome::Refused => "left as it was",
                RemediationOutcome::BreakerOpen => "left alone",
                RemediationOutcome::AsWanted
                | RemediationOutcome::NotOurs
                | RemediationOutcome::NotConcerned => "nothing to do",
            },
            Some(came) if came.ended() => "refused",
            Some(_) => "failed",
        };
        self.world.borrow_mut().count(what);
    }

    fn before(&self, has_midst: bool, is_smooth: bool, answered: bool) -> Before {
        let record = self.record();
        let accepted = record.as_ref().map(|record| (record.owner.stack_id.clone(), record.accepted.clone()));
        let wanted = record.map(|record| String::from(record.wanted));
        let world = self.world.borrow();
        Before {
            carried: wanted.filter(|wanted| world.document.is_some() && self.carries(wanted).is_ok()),
            answered,
            fails: world.fail_next || world.answer.is_some(),
            intended: self.intended.clone(),
            has_midst,
            is_smooth,
            now: world.now,
            key: world
                .document
                .as_ref()
                .map_or(Some(String::new()), |d| d.latest_content().kms_key_id().ok()),
            enabled: KEYS.iter().copied().filter(|key| world.is_enabled(key)).collect(),
            accepted,
        }
    }

    /// The record that counts.
    pub fn record(&self) -> Option<Record> {
        let line = Line::new(&self.world, 0, Fate::default(), false);
        read_record(&line, &name()).now_or_never().expect("nothing waits").expect("a record")
    }

    /// Fails where the document does not carry a key.
    pub fn carries(&self, key: &str) -> Told {
        let world = self.world.borrow();
        let Some(document) = &world.document else {
            return if key.is_empty() { Ok(()) } else { Err("there is no document".to_owned()) };
        };
        for content in [document.latest_content(), document.default_content()] {
            if content.kms_key_id().as_deref() != Ok(key) {
                return Err(format!("a version has {:?} and not `{key}`", content.kms_key_id()));
            }
        }
        Ok(())
    }

    /// A schedule's run, uncut.
    pub fn schedule(&mut self) -> Result<Remediation, String> {
        match self.one(Run::Remediate(event_of(ChangeSource::Schedule)), Fate::default())? {
            Some(Came::Remediated(Ok(kept))) => Ok(kept),
            other => Err(format!("the schedule's run came to {other:?}")),
        }
    }

    pub fn number_of_writes(&self) -> usize {
        self.world.borrow().log.len()
    }
}
