//! A history: what happens to the stacks of an account, step by step, and the strategies that draw it.

use std::fmt;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::account::{Beginning, Change, beginnings, changes};
use super::lambda::{Trouble, troubles};
use super::properties::{Properties, properties};

#[derive(Clone, Debug)]
pub struct History {
    pub beginning: Beginning,
    pub steps: Vec<Step>,
}

/// Turns of two runs: which of them goes on, and for how many calls.
pub type Turns = Vec<(bool, usize)>;

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    /// A stack is created or updated.
    Deploy {
        stack: usize,
        properties: Properties,
        /// What happens to the other resources of the stack.
        siblings: Siblings,
        beside: Option<Beside>,
        /// What goes wrong with the first delivery of the first request, and with that of the one that follows it.
        troubles: [Option<Trouble>; 2],
    },
    /// Two stacks are created or updated at the same time.
    DeployBoth { properties: [Properties; 2], turns: Turns },
    /// The resource gets another name in its template.
    Rename { stack: usize, properties: Properties, troubles: [Option<Trouble>; 2] },
    /// A stack is deleted, and deleted again if that fails.
    Delete { stack: usize, beside: Option<Beside>, troubles: [Option<Trouble>; 2] },
    /// The resource is removed from the template, and comes back in the same stack.
    RemoveAndAdd { stack: usize, properties: Properties },
    /// A stack is deleted, and the resource has the DeletionPolicy Retain.
    DeleteAndRetain { stack: usize },
    /// Lambda delivers an earlier request once more.
    Late { back: usize },
    /// Others change something.
    Change(Change),
    /// The schedule comes.
    Schedule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Siblings {
    Succeed,
    /// Another resource of the stack fails later, so that the stack rolls back.
    FailLater,
    /// The same. If the resource was replaced, then the Update that rolls back has its new id.
    FailLaterAndNameNewId,
}

/// What runs at the same time as a request.
#[derive(Clone, Debug)]
pub enum Beside {
    /// The Delete of a Create that is cancelled, with a made-up id. Beside other requests it is a duplicate.
    Cancelled(Turns),
    /// The same request.
    Duplicate(Turns),
    Schedule(Turns),
}

impl Beside {
    pub fn turns(&self) -> &Turns {
        match self {
            Self::Cancelled(turns) | Self::Duplicate(turns) | Self::Schedule(turns) => turns,
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.beginning)?;
        for (number, step) in (1..).zip(&self.steps) {
            write!(f, "\n{number}. {step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = |beside: &Option<Beside>, troubles: &[Option<Trouble>; 2]| {
            if let Some(beside) = beside {
                write!(f, " beside {beside:?}:")?;
            }
            let words =
                troubles.map(|trouble| trouble.map_or("all well".to_owned(), |trouble| trouble.to_string()));
            match troubles {
                [None, None] => Ok(()),
                [Some(_), None] => write!(f, " [{}]", words[0]),
                _ => write!(f, " [{}; then {}]", words[0], words[1]),
            }
        };
        match self {
            Self::Deploy { stack, properties, siblings, beside, troubles } => {
                all(beside, troubles)?;
                write!(f, " deploy {stack}: {properties}; siblings {siblings:?}")
            }
            Self::DeployBoth { properties: [one, two], turns } => {
                write!(f, " deploy 0: {one}; and 1: {two}; turns {turns:?}")
            }
            Self::Rename { stack, properties, troubles } => {
                all(&None, troubles)?;
                write!(f, " rename in {stack}: {properties}")
            }
            Self::Delete { stack, beside, troubles } => {
                all(beside, troubles)?;
                write!(f, " delete {stack}")
            }
            Self::RemoveAndAdd { stack, properties } => write!(f, " remove and add in {stack}: {properties}"),
            Self::DeleteAndRetain { stack } => write!(f, " delete {stack} and retain"),
            Self::Late { back } => write!(f, " late: the request {back} before the last"),
            Self::Change(change) => write!(f, " {change}"),
            Self::Schedule => f.write_str(" the schedule"),
        }
    }
}

fn turns() -> impl Strategy<Value = Turns> {
    vec((any::<bool>(), 1..12_usize), 1..6)
}

fn besides() -> impl Strategy<Value = Option<Beside>> {
    option::weighted(
        0.25,
        prop_oneof![
            3 => turns().prop_map(Beside::Cancelled),
            1 => turns().prop_map(Beside::Duplicate),
            1 => turns().prop_map(Beside::Schedule),
        ],
    )
}

fn two_troubles() -> impl Strategy<Value = [Option<Trouble>; 2]> {
    (option::weighted(0.45, troubles()), option::weighted(0.3, troubles())).prop_map(<[_; 2]>::from)
}

fn steps() -> impl Strategy<Value = Step> {
    let stack = || prop_oneof![4 => Just(0_usize), 1 => Just(1)];
    let siblings = prop_oneof![
        6 => Just(Siblings::Succeed),
        1 => Just(Siblings::FailLater),
        1 => Just(Siblings::FailLaterAndNameNewId),
    ];
    prop_oneof![
        12 => (stack(), properties(), siblings, besides(), two_troubles()).prop_map(
            |(stack, properties, siblings, beside, troubles)| Step::Deploy {
                stack, properties, siblings, beside, troubles
            }
        ),
        1 => ([properties(), properties()], turns())
            .prop_map(|(properties, turns)| Step::DeployBoth { properties, turns }),
        2 => (stack(), properties(), two_troubles())
            .prop_map(|(stack, properties, troubles)| Step::Rename { stack, properties, troubles }),
        4 => (stack(), besides(), two_troubles())
            .prop_map(|(stack, beside, troubles)| Step::Delete { stack, beside, troubles }),
        1 => (stack(), properties())
            .prop_map(|(stack, properties)| Step::RemoveAndAdd { stack, properties }),
        1 => stack().prop_map(|stack| Step::DeleteAndRetain { stack }),
        1 => (0..6_usize).prop_map(|back| Step::Late { back }),
        7 => changes().prop_map(Step::Change),
        2 => Just(Step::Schedule),
    ]
}

pub fn histories() -> impl Strategy<Value = History> {
    (beginnings(), vec(steps(), 3..11)).prop_map(|(beginning, steps)| History { beginning, steps })
}
