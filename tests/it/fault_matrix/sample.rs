//! The cases of a flow: all of them, or in the bounded run one for each kind of fault, with calls that a fixed seed draws.

use super::faults::{CallId, Kind};

/// A fault at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub call: CallId,
    pub kind: Kind,
}

/// Every fault at every call that can have it.
pub fn all(calls: &[CallId]) -> Vec<Case> {
    let each = calls.iter().flat_map(|call| Kind::ALL.map(|kind| Case { call: *call, kind }));
    each.filter(|case| case.kind.fault(&case.call).is_some()).collect()
}

/// One case for each kind of fault, if a call can have it. The kinds have different calls, as far as there are enough.
pub fn drawn(flow: &str, calls: &[CallId]) -> Vec<Case> {
    let mut calls = calls.to_vec();
    calls.sort();
    fastrand::Rng::with_seed(seed(flow)).shuffle(&mut calls);
    let mut cases = Vec::new();
    for kind in Kind::ALL {
        let possible = calls.iter().position(|call| kind.fault(call).is_some());
        if let Some(position) = possible {
            // A call that was drawn goes to the end.
            let call = calls.remove(position);
            calls.push(call);
            cases.push(Case { call, kind });
        }
    }
    cases
}

/// A seed that differs from flow to flow and stays the same from run to run.
pub fn seed(flow: &str) -> u64 {
    flow.bytes().fold(17, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)))
}
