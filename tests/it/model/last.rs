//! After the last event the document is as wanted, or an alert says why not.

use session_kms::intent::Mode;
use session_kms::reconcile::{Kept, OnTrouble};

use super::intended::Intended;
use super::play::Play;
use super::world::World;

/// What may keep a document from its owner's first choice.
#[derive(Debug)]
struct Obstacles {
    first: bool,
    standby: bool,
    /// Nodes are locked out of a key in question, and that matters.
    locked_out: bool,
    /// The content is not one to rewrite.
    content: bool,
}

/// Lets the last event come, and judges what is there then.
pub fn ends_well(play: &mut Play) -> Result<(), String> {
    {
        let mut world = play.world.borrow_mut();
        world.fail_next = false;
        world.now += 7200;
    }
    let mut kept = play.schedule()?;
    if play.record().is_some_and(|record| record.watch.breaker.is_some()) {
        if kept.alerts.is_empty() && !kept.drift.is_empty() {
            return Err("the breaker is open, and no alert says so".to_owned());
        }
        play.world.borrow_mut().now += 7200;
        kept = play.schedule()?;
    }
    let Some(record) = play.record() else { return Ok(()) };
    let intended = play.intended.clone().ok_or("a record without an intent")?;
    // With no key to write, or nowhere to write it, nothing is put right that the breaker could be closed for.
    let there = Obstacles::of(&play.world.borrow(), &intended);
    let no_key = there.content
        || there.locked_out
        || there.first && (there.standby || intended.on_trouble == OnTrouble::Alert);
    if record.watch.breaker.is_some() && !no_key {
        return Err("the breaker does not close".to_owned());
    }
    is_as_wanted(play, &intended, &kept).map_err(|wrong| format!("in the end {wrong}; {kept:?}"))?;
    let writes = play.number_of_writes();
    play.schedule()?;
    if play.number_of_writes() > writes {
        let log = play.world.borrow_mut().log.split_off(writes);
        return Err(format!("the last event once more wrote {log:?}"));
    }
    Ok(())
}

fn is_as_wanted(play: &Play, intended: &Intended, kept: &Kept) -> Result<(), String> {
    let first = intended.first.as_str();
    let there = Obstacles::of(&play.world.borrow(), intended);
    if kept.alerts.is_empty() {
        if there.first || there.standby || there.locked_out {
            return Err(format!("no alert tells of {there:?}"));
        }
        return play.carries(first);
    }
    if !(there.first || there.standby || there.locked_out || there.content) {
        return Err("an alert tells of nothing that is so".to_owned());
    }
    let blocks = matches!(intended.mode, Mode::Strict | Mode::Enforce) && there.locked_out;
    if there.content || blocks {
        return Ok(());
    }
    match (&intended.on_trouble, there.first) {
        (_, false) => play.carries(first),
        (OnTrouble::Standby(standby), true) if !there.standby => play.carries(standby),
        (OnTrouble::Clear, true) => play.carries(""),
        (OnTrouble::Alert | OnTrouble::Standby(_), true) => Ok(()),
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
            OnTrouble::Standby(standby) => Some(standby.as_str()),
            OnTrouble::Alert | OnTrouble::Clear => None,
        };
        let in_force = if unusable(first) { standby.unwrap_or_default() } else { first };
        let content = world.document.as_ref().is_some_and(|document| {
            [document.latest_content(), document.default_content()]
                .iter()
                .any(|one| one.kms_key_id().is_err())
        });
        Self {
            first: unusable(first),
            standby: !first.is_empty() && standby.is_some_and(unusable),
            locked_out: locked(in_force),
            content,
        }
    }
}
