//! What is checked after each delivery: the state is one that the model allows, all other settings are as they were, and
//! the answers are such as CloudFormation can go on with.

use serde_json::Value;

use super::{Checked, Player};
use crate::fixture::{assert_nothing_secret, id_of};
use crate::histories::account::{DOCUMENTS, Seen, latest_settings, settings_of};
use crate::histories::lambda::Trouble;
use crate::histories::model::{Ask, Kind, State};
use crate::histories::properties::Flaw;
use crate::stub::{ReceivedResponse, Request};

impl Player<'_> {
    /// Keeps those of the next states that look like what can be seen.
    pub(super) fn narrow(
        &mut self,
        mut next: Vec<State>,
        is_changed: bool,
        what: impl Fn() -> String,
    ) -> Checked<()> {
        let before = self.seen.clone();
        self.look();
        for document in [0, 1] {
            let (was, is) = (&before[document], &self.seen[document]);
            if is_changed && is_overtaken(was, is) {
                for state in &mut next {
                    if let (Some([_, default]), Some([_, found])) =
                        (&mut state.documents[document].carried, &is.carried)
                    {
                        default.clone_from(found);
                    }
                }
            }
        }
        next.sort();
        next.dedup();
        let allowed: Vec<_> = next.iter().filter(|state| state.is_as_seen(&self.seen)).cloned().collect();
        if allowed.is_empty() {
            let allowed: Vec<String> = next.iter().map(|state| format!("\n    {state:?}")).collect();
            return Err(format!(
                "{}\n  was {before:?}\n  is {:?}\n  and not one of{}\n  from {:?}",
                what(),
                self.seen,
                allowed.concat(),
                self.states
            ));
        }
        self.states = allowed;
        self.check_settings(&before, is_changed).map_err(|wrong| {
            let calls: Vec<_> = self.stub.calls().into_iter().map(|call| call.operation).collect();
            format!("{}: {wrong}; was {before:?}, is {:?}; calls {calls:?}", what(), self.seen)
        })?;
        let violations = self.stub.violations();
        match violations.get(self.violations) {
            Some(violation) => Err(format!("{}: {violation}", what())),
            None => Ok(()),
        }
    }

    /// All other settings are as they were, in each version that was written and in the default version.
    fn check_settings(&mut self, before: &[Seen; 2], is_changed: bool) -> Checked<()> {
        let mut others = self.others.lock().unwrap();
        for document in [0, 1] {
            let (was, is) = (&before[document], &self.seen[document]);
            let expected = &mut others[document];
            let found = self.stub.world(|world| latest_settings(world, document));
            if expected.is_none() {
                expected.clone_from(&found);
            }
            if *expected != found {
                return Err(format!(
                    "the settings of document {document} are {found:?} and not {expected:?}"
                ));
            }
            let of_default = self.stub.world(|world| {
                world.document(DOCUMENTS[document]).map(|held| settings_of(held.default_content()))
            });
            // Two versions with the same settings are as good as one.
            let is_moved = is.default != was.default && is.default != is.latest && of_default != found;
            if is_moved && was.default != 0 && !(is_changed && is_overtaken(was, is)) {
                return Err(format!("version {} became the default of document {document}", is.default));
            }
            let written = self.stub.world(|world| {
                let held = world.document(DOCUMENTS[document]);
                let versions = held.into_iter().flat_map(|held| held.versions.clone());
                versions
                    .filter(|version| version.number > was.latest)
                    .map(|version| settings_of(&version.content))
                    .collect::<Vec<_>>()
            });
            // A change in the middle of a request has its own settings.
            if written.last() != expected.as_ref() && !written.is_empty() {
                return Err(format!("a version of document {document} has {written:?} and not {expected:?}"));
            }
        }
        Ok(())
    }

    /// The answers are such as CloudFormation can go on with.
    pub(super) fn check_answers(
        &mut self,
        request: &Request,
        ask: &Ask,
        answers: &[ReceivedResponse],
    ) -> Checked<()> {
        for answer in answers {
            assert_nothing_secret(&answer.body);
            let own = id_of(DOCUMENTS[ask.properties.document]);
            let sent = request.payload["PhysicalResourceId"].as_str().unwrap_or_default();
            let is_right = match (&ask.kind, answer.success) {
                (Kind::Create, _) if ask.properties.flaw == Some(Flaw::ImpossibleDocumentName) => true,
                (Kind::Create, _) | (Kind::Update { .. }, true) => answer.physical_resource_id == own,
                (Kind::Update { .. }, false) | (Kind::Delete, _) => answer.physical_resource_id == sent,
            };
            if !is_right {
                return Err(format!("{ask:?} is answered with the id {}", answer.physical_resource_id));
            }
            if answer.success && !matches!(ask.kind, Kind::Delete) {
                self.check_attributes(ask, answer)?;
            }
        }
        Ok(())
    }

    /// The attributes are true: the key that was asked for, and the key that a Delete would restore.
    fn check_attributes(&mut self, ask: &Ask, answer: &ReceivedResponse) -> Checked<()> {
        let text = |name: &str| answer.data.get(name).and_then(Value::as_str).unwrap_or_default();
        let document = ask.properties.document;
        let agrees = |state: &State| match &state.documents[document].owned {
            Some(owned) if owned.owner == ask.owner => {
                owned.asked == text("KeyArn") && owned.before == text("PreviousKmsKeyId")
            }
            // Somebody else has it by now.
            _ => true,
        };
        if text("DocumentName") != DOCUMENTS[document] {
            return Err(format!("the attributes name the document {}", text("DocumentName")));
        }
        if !self.states.iter().any(agrees) {
            let calls: Vec<_> = self.stub.calls().into_iter().map(|call| call.operation).collect();
            return Err(format!(
                "the attributes {:?} are none of {:?} after {calls:?}",
                answer.data, self.states
            ));
        }
        self.states.retain(agrees);
        Ok(())
    }

    /// A request that was alone does not blame a Delete.
    pub(super) fn check_reason(
        &self,
        answer: &ReceivedResponse,
        ask: &Ask,
        trouble: Option<Trouble>,
    ) -> Checked<()> {
        if answer.reason.contains("a Delete of the same resource came") {
            return Err(format!(
                "{ask:?} [{trouble:?}] was alone, and gives as its reason {}",
                answer.reason
            ));
        }
        Ok(())
    }
}

/// A known fault: a run promotes its version after somebody has written and promoted a later one, and leaves it so.
fn is_overtaken(was: &Seen, is: &Seen) -> bool {
    is.default != is.latest && is.default > was.latest
}
