//! Two runs at the same time: the outcomes that the model allows.

use super::{Ask, Kind, State};
use crate::histories::account::Keys;
use crate::histories::properties::OnDelete;

/// What runs at the same time as something else.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    Ask(&'a Ask),
    Schedule,
}

impl State {
    fn after_act(&self, act: Act<'_>, keys: &Keys) -> Vec<(Option<bool>, Self)> {
        match act {
            Act::Ask(ask) => {
                let outcomes = self.after(ask, keys).into_iter();
                outcomes.map(|(success, state)| (Some(success), state)).collect()
            }
            Act::Schedule => vec![(None, self.after_schedule(keys))],
        }
    }

    fn amid_act(&self, act: Act<'_>, keys: &Keys) -> Vec<Self> {
        match act {
            Act::Ask(ask) => self.amid(ask, keys),
            Act::Schedule => vec![self.clone(), self.after_schedule(keys)],
        }
    }

    /// The outcomes of two runs at the same time: one after the other, or one in the middle of the other. A run that is
    /// overtaken by a Delete, or by a stack that takes over, fails.
    pub fn after_both(&self, acts: [Act<'_>; 2], keys: &Keys) -> Vec<([Option<bool>; 2], Self)> {
        let mut all = Vec::new();
        for (first, second) in [(0, 1), (1, 0)] {
            let mut add = |of_first, of_second, state| {
                let mut results = [None; 2];
                (results[first], results[second]) = (of_first, of_second);
                all.push((results, state));
            };
            for cut in self.amid_act(acts[first], keys) {
                // A change that did not come to its end leaves nothing, whatever the Delete would retain.
                if let (Act::Ask(_), Act::Ask(delete @ Ask { kind: Kind::Delete, .. })) =
                    (acts[first], acts[second])
                {
                    let mut restores = delete.clone();
                    restores.properties.on_delete = Some(OnDelete::Restore);
                    for (of_second, state) in cut.after(&restores, keys) {
                        add(Some(false), Some(of_second), state);
                    }
                }
                for (of_second, amid) in cut.after_act(acts[second], keys) {
                    for (of_first, state) in amid.after_act(acts[first], keys) {
                        add(of_first, of_second, state);
                    }
                    if matches!(acts[second], Act::Ask(_)) {
                        add(Some(false), of_second, amid);
                    }
                }
            }
            for (of_first, amid) in self.after_act(acts[first], keys) {
                for (of_second, state) in amid.after_act(acts[second], keys) {
                    add(of_first, of_second, state);
                }
            }
        }
        all
    }
}
