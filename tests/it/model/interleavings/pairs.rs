//! The pairs of runs that meet.

use super::scenario::{Before, Scenario, drift_event, establish, record_change, release, request, schedule};
use crate::model::in_memory_aws::KeyState;
use crate::model::outside_change::OutsideChange;
use crate::model::run::{OwnerRequest, Run, TroubleResponse};

/// The end is none to which the runs come one after the other. A Create that wrote the document, crashed after a Delete
/// had removed its record, and is delivered again takes its own key for the key before. And a promotion that is out of
/// date, of a run that crashes then, keeps somebody's settings out of force.
const OTHER_END: &str = "the end is";

fn created() -> Before {
    Before::Run(establish(0, 0))
}

fn off() -> Before {
    Before::Outside(OutsideChange::Off { promotes: true })
}

fn takes_over(owner: usize, key: usize) -> Run {
    Run::Establish(OwnerRequest { takes_over: true, ..request(owner, Some(key)) })
}

/// A pair in which somebody asks for encryption to be off, since a Delete puts back that there was no key.
fn with_delete(name: &'static str, runs: [Run; 2], known_faults: &'static [&'static str]) -> Scenario {
    Scenario { may_turn_off: true, known_faults, ..Scenario::new(name, runs) }
}

/// Requests of owners.
pub fn of_owners() -> Vec<Scenario> {
    let setting = OutsideChange::Setting { promotes: true };
    vec![
        with_delete("create and delete", [establish(0, 0), release(0)], &[OTHER_END]),
        with_delete("create and delete without a document", [establish(0, 0), release(0)], &[OTHER_END])
            .without_document(),
        Scenario::new("two creates", [establish(0, 0), establish(0, 0)]),
        Scenario::new("two creates on a hard AWS", [establish(0, 0), establish(0, 0)]).on_a_hard_aws(),
        Scenario {
            known_faults: &[OTHER_END],
            ..Scenario::new("create while somebody changes a setting", [establish(0, 0), schedule()])
        }
        .with_outside(setting),
        Scenario::new("two stacks", [establish(0, 0), establish(1, 1)]),
        Scenario::new("two stacks, one takes over", [takes_over(0, 0), establish(1, 1)]),
        Scenario::new("two stacks, both take over", [takes_over(0, 0), takes_over(1, 1)]),
        Scenario::new("two stacks without a document", [establish(0, 0), establish(1, 1)]).without_document(),
        Scenario::new("update and its rollback", [establish(0, 1), establish(0, 0)]).after([created()]),
        Scenario::new("two updates", [establish(0, 1), establish(0, 1)]).after([created()]),
        Scenario {
            after_failure: [Some(establish(0, 0)), None],
            ..Scenario::new("update that may be rolled back, twice", [establish(0, 1), establish(0, 1)])
        }
        .after([created()]),
        with_delete("two deletes", [release(0), release(0)], &[]).after([created()]),
        with_delete("update and delete", [establish(0, 1), release(0)], &[OTHER_END]).after([created()]),
        with_delete("delete and create of another stack", [release(0), establish(1, 1)], &[])
            .after([created()]),
        with_delete("delete and take-over", [release(0), takes_over(1, 1)], &[OTHER_END]).after([created()]),
    ]
}

/// Repairs, with each other and with requests of owners.
pub fn of_repairs() -> Vec<Scenario> {
    let drifted = || [created(), off()];
    let standby = || {
        let on_key_trouble = TroubleResponse::Standby(2);
        Before::Run(Run::Establish(OwnerRequest { on_key_trouble, ..request(0, Some(0)) }))
    };
    let disabled = OutsideChange::KeyState { key: 0, state: KeyState::Disabled };
    vec![
        Scenario::new("two schedules", [schedule(), schedule()]).after(drifted()),
        Scenario::new("two drift events", [drift_event(), drift_event()]).after(drifted()),
        Scenario::new("schedule and record change", [schedule(), record_change()]).after(drifted()),
        Scenario::new("update and drift event", [establish(0, 1), drift_event()]).after(drifted()),
        Scenario::new("create and record change", [establish(0, 0), record_change()]),
        with_delete("drift event and delete", [drift_event(), release(0)], &[]).after(drifted()),
        Scenario {
            key_change: Some((disabled, [false, true])),
            ..Scenario::new("repair and standby", [drift_event(), schedule()])
        }
        .after([standby(), off()]),
    ]
}
