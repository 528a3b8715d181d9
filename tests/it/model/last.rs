//! After the last event the document is as wanted, or an alert says why not.

use session_kms::change_event::{ChangeEvent, ChangeSource};
use session_kms::intent::Mode;
use session_kms::reconcile::RecordedKeyTrouble;
use session_kms::remediation::Remediation;

use super::intended::Intended;
use super::line::Fate;
use super::play::Play;
use super::run::{Came, Run};
use super::world::{NODE, World};

/// What may keep a document from its owner's first choice, and what else there is to tell.
#[derive(Debug)]
struct Obstacles {
    first: bool,
    standby: bool,
    /// Nodes are locked out of the key in question, and that matters.
    locked_out: bool,
    /// Nodes are locked out of the key that stands by.
    standby_locked_out: bool,
    /// The content is not one to rewrite.
    content: bool,
    /// There is no document, and one is wanted.
    deleted: bool,
}

/// Lets the last event come, then the clock strike, and judges what is there after each.
pub fn ends_well(play: &mut Play, last: &ChangeEvent) -> Result<(), String> {
    {
        let mut world = play.world.borrow_mut();
        world.fail_next = false;
        world.answer = None;
        world.now += 7200;
    }
    let there = play.obstacles();
    let kept = told(play, last)?;
    let is_open = |play: &Play| play.record().is_some_and(|record| record.remediation.breaker.is_some());
    if let (Some(there), Some(intended), false) = (&there, play.intended.clone(), is_open(play)) {
        let hears = matches!(last.source, ChangeSource::Schedule | ChangeSource::DirectCall);
        is_as_wanted(play, &intended, there, &kept, hears)
            .map_err(|wrong| format!("after the last event {wrong}; {kept:?}"))?;
    }
    let mut there = play.obstacles();
    let mut kept = play.schedule()?;
    if is_open(play) {
        if kept.alerts.is_empty() && !kept.drift.is_empty() {
            return Err("the breaker is open, and no alert says so".to_owned());
        }
        play.world.borrow_mut().now += 7200;
        there = play.obstacles();
        kept = play.schedule()?;
    }
    let (Some(record), Some(there)) = (play.record(), there) else { return Ok(()) };
    play.world.borrow_mut().count("ended with a record");
    let intended = play.intended.clone().ok_or("a record without an intent")?;
    // With no key to write, or nowhere to write it, nothing is put right that the breaker could be closed for.
    let no_key = there.content
        || there.locked_out
        || there.first && (there.standby || intended.on_trouble == RecordedKeyTrouble::Alert);
    if record.remediation.breaker.is_some() && !no_key {
        return Err("the breaker does not close".to_owned());
    }
    is_as_wanted(play, &intended, &there, &kept, true)
        .map_err(|wrong| format!("in the end {wrong}; {kept:?}"))?;
    let writes = play.number_of_writes();
    play.schedule()?;
    if play.number_of_writes() > writes {
        let log = play.world.borrow_mut().log.split_off(writes);
        return Err(format!("the last event once more wrote {log:?}"));
    }
    Ok(())
}

fn told(play: &mut Play, event: &ChangeEvent) -> Result<Remediation, String> {
    match play.one(Run::Remediate(event.clone()), Fate::default())? {
        Some(Came::Remediated(Ok(kept))) => Ok(kept),
        other => Err(format!("the run of {event:?} came to {other:?}")),
    }
}

/// `hears` tells whether the event is one at which access is looked at though nothing is to be written.
fn is_as_wanted(
    play: &Play,
    intended: &Intended,
    there: &Obstacles,
    kept: &Remediation,
    hears: bool,
) -> Result<(), String> {
    let first = intended.first.as_str();
    let told = kept.alerts.join("\n");
    let standby = match &intended.on_trouble {
        RecordedKeyTrouble::Standby(standby) => standby.as_str(),
        RecordedKeyTrouble::Alert | RecordedKeyTrouble::Clear => "",
    };
    let is_given_up = there.first && (there.standby || intended.on_trouble == RecordedKeyTrouble::Alert);
    for (is_so, words) in [
        (there.first, first),
        (there.standby, standby),
        (there.locked_out && hears, NODE),
        (there.standby_locked_out && hears && !there.first, standby),
        (there.content && !is_given_up, "mend it by hand"),
        (there.deleted && kept.changed, "put back its other settings"),
    ] {
        if is_so && !told.contains(words) {
            return Err(format!("no alert tells of `{words}` with {there:?}"));
        }
    }
    let is_obstructed = there.first || there.standby || there.locked_out || there.content;
    if !kept.alerts.is_empty() && !is_obstructed && !there.deleted && !there.standby_locked_out {
        return Err("an alert tells of nothing that is so".to_owned());
    }
    let blocks = matches!(intended.mode, Mode::Strict | Mode::Enforce) && there.locked_out;
    if there.content || blocks {
        return Ok(());
    }
    match (&intended.on_trouble, there.first) {
        (_, false) => play.carries(first),
        (RecordedKeyTrouble::Standby(standby), true) if !there.standby => play.carries(standby),
        (RecordedKeyTrouble::Clear, true) => play.carries(""),
        (RecordedKeyTrouble::Alert | RecordedKeyTrouble::Standby(_), true) => Ok(()),
    }
}

impl Play {
    fn obstacles(&self) -> Option<Obstacles> {
        self.intended.as_ref().map(|intended| Obstacles::of(&self.world.borrow(), intended))
    }
}

impl Obstacles {
    fn of(world: &World, intended: &Intended) -> Self {
        let first = intended.first.as_str();
        let unusable = |key: &str| !key.is_empty() && !world.is_enabled(key);
        let locked = |key: &str| {
            !key.is_empty()
                && world.is_enabled(key)
                && !world.lets_nodes_in(key)
                && intended.mode != Mode::Off
        };
        let standby = match &intended.on_trouble {
            RecordedKeyTrouble::Standby(standby) => Some(standby.as_str()),
            RecordedKeyTrouble::Alert | RecordedKeyTrouble::Clear => None,
        };
        let in_force = if unusable(first) { standby.unwrap_or_default() } else { first };
        let latest = world.document.as_ref().map(|document| document.latest_content().kms_key_id());
        Self {
            first: unusable(first),
            standby: !first.is_empty() && standby.is_some_and(unusable),
            locked_out: locked(in_force),
            standby_locked_out: standby.is_some_and(locked),
            content: latest.is_some_and(|key| key.is_err()),
            deleted: world.document.is_none() && !first.is_empty(),
        }
    }
}
