//! The model: what a document may carry, and who owns it, after each request. It is written from the promises and not
//! from the code. If several outcomes are allowed, there are several possible states, and what is seen rules states out.

mod races;

pub use self::races::Act;

use super::account::{Change, Keys, Seen, arn};
use super::properties::{Flaw, KeyTrouble, OnDelete, Properties, Reference};

/// One resource in one stack.
pub type Owner = (String, String);

/// A possible state of both documents.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    pub documents: [DocumentState; 2],
}

/// A possible state of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DocumentState {
    /// The keys in the latest and the default version; `None` if there is no document.
    pub carried: Option<[String; 2]>,
    pub owned: Option<Owned>,
}

/// What is known of a document by its owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owned {
    pub owner: Owner,
    /// The key that the owner asked for.
    pub asked: String,
    /// What happens if that key cannot be used: the standby key or, to clear, no key.
    pub instead: Option<String>,
    /// The keys that were set for the owner, and that a Delete takes away.
    pub set: Vec<String>,
    /// The key that a Delete restores.
    pub before: String,
    /// What the last request said that a Delete does.
    pub on_delete: OnDelete,
    /// What was last answered with SUCCESS.
    pub granted: Option<Granted>,
    /// Whether a later request was cut off.
    pub is_unfinished: bool,
    /// Whether a Delete was cut off. Until it comes again, the document is nobody else's.
    pub is_releasing: bool,
}

/// What an owner was told that it has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Granted {
    pub properties: Properties,
    pub asked: String,
    pub instead: Option<String>,
    /// The key that the document carries: the one that was asked for, or what stands in.
    pub carried: String,
}

/// A request for the resource.
#[derive(Clone, Debug)]
pub struct Ask {
    pub owner: Owner,
    pub kind: Kind,
    pub properties: Properties,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Create,
    Update {
        old: Properties,
        /// Whether the physical id is that of the document that is asked for. If it is and the old properties name
        /// another document, then the Update rolls back.
        names_new_document: bool,
    },
    Delete,
}

/// What comes of a request: whether it succeeds, and the state then.
pub type Outcome = (bool, State);

impl State {
    pub fn is_as_seen(&self, seen: &[Seen; 2]) -> bool {
        self.documents.iter().zip(seen).all(|(document, seen)| {
            document.carried == seen.carried
                && document.owned.as_ref().map(|owned| &owned.owner) == seen.owner.as_ref()
        })
    }

    fn with(&self, document: usize, state: DocumentState) -> Self {
        let mut with = self.clone();
        with.documents[document] = state;
        with
    }

    /// The outcomes of a request that nothing disturbs.
    pub fn after(&self, ask: &Ask, keys: &Keys) -> Vec<Outcome> {
        match &ask.kind {
            Kind::Delete => self.after_delete(ask, keys),
            Kind::Create => self.after_create_or_update(ask, keys),
            Kind::Update { old, names_new_document } => {
                let outcomes = self.after_create_or_update(ask, keys);
                if !names_new_document || old.document == ask.properties.document {
                    return outcomes;
                }
                // No Delete follows for the other document: a failed Update may have left it half done.
                let left = Ask { kind: Kind::Delete, properties: old.clone(), ..ask.clone() };
                let mut all = Vec::new();
                for (success, state) in outcomes {
                    if success && old.flaw != Some(Flaw::ImpossibleDocumentName) {
                        all.extend(state.after_delete(&left, keys));
                    } else {
                        all.push((success, state));
                    }
                }
                all
            }
        }
    }

    /// The states in which a request may be cut off.
    pub fn amid(&self, ask: &Ask, keys: &Keys) -> Vec<Self> {
        let mut states = vec![self.clone()];
        for (success, after) in self.after(ask, keys) {
            if success {
                let [first, second] = [0, 1].map(|document| {
                    let (before, after) = (&self.documents[document], &after.documents[document]);
                    between(before, after, &ask.owner)
                });
                for one in first {
                    states.extend(second.iter().map(|two| Self { documents: [one.clone(), two.clone()] }));
                }
            }
        }
        states.sort();
        states.dedup();
        states
    }

    fn after_create_or_update(&self, ask: &Ask, keys: &Keys) -> Vec<Outcome> {
        let Properties { document, key, on_key_trouble, flaw, takes_over, .. } = ask.properties;
        let refused = vec![(false, self.clone())];
        let known = &self.documents[document];
        let is_same = |standby: Reference| key == Some(standby);
        if flaw.is_some()
            || matches!(on_key_trouble, KeyTrouble::Standby(standby) if is_same(standby)) && key.is_some()
        {
            return refused;
        }
        let named = |reference: Option<Reference>| reference.map(Reference::text);
        let standby = match on_key_trouble {
            KeyTrouble::Standby(standby) if key.is_some() => Some(standby),
            _ => None,
        };
        let is_owned_by_other = known.owned.as_ref().is_some_and(|owned| owned.owner != ask.owner);
        if is_owned_by_other && !takes_over {
            return refused;
        }
        let [wanted, spare] = [key, standby].map(|key| named(key).map(|name| keys.arn(&name)));
        let can_be_used = wanted.iter().chain(&spare).all(|key| keys.is_usable(key));
        let differ = wanted.is_none() || wanted != spare;
        if !can_be_used || !differ {
            // A rollback never fails on what was granted before. A known fault: it does after a request that was cut off.
            let Some(state) = self.back_to_granted(ask) else { return refused };
            let is_unfinished = known.owned.as_ref().is_some_and(|owned| owned.is_unfinished);
            let failed = refused.into_iter().filter(|_| is_unfinished);
            return failed.chain([(true, state)]).collect();
        }
        let wanted = wanted.unwrap_or_default();
        let instead = match (key, on_key_trouble) {
            (Some(_), KeyTrouble::Clear) => Some(String::new()),
            _ => spare,
        };
        let carried = match &known.carried {
            None if wanted.is_empty() => None,
            _ => Some([wanted.clone(), wanted.clone()]),
        };
        let before = match (&known.owned, &known.carried) {
            (Some(owned), _) => owned.before.clone(),
            (None, Some([latest, _])) => latest.clone(),
            (None, None) => String::new(),
        };
        let owned = Owned {
            owner: ask.owner.clone(),
            asked: wanted.clone(),
            set: vec![wanted.clone()],
            is_unfinished: false,
            is_releasing: false,
            before,
            on_delete: ask.properties.on_delete(),
            granted: Some(Granted {
                properties: ask.properties.clone(),
                asked: wanted.clone(),
                instead: instead.clone(),
                carried: wanted,
            }),
            instead,
        };
        let is_releasing = known.owned.as_ref().is_some_and(|owned| owned.is_releasing);
        let state = self.with(document, DocumentState { carried, owned: Some(owned) });
        refused.into_iter().filter(|_| is_releasing).chain([(true, state)]).collect()
    }

    /// The state after an Update to what was granted last, if the document still carries the key for it. Such an Update
    /// is a rollback, and nothing of the document changes.
    fn back_to_granted(&self, ask: &Ask) -> Option<Self> {
        let document = ask.properties.document;
        let DocumentState { carried: Some(carried), owned: Some(owned) } = &self.documents[document] else {
            return None;
        };
        let granted = owned.granted.as_ref().filter(|granted| granted.properties == ask.properties)?;
        let is_so = matches!(ask.kind, Kind::Update { .. })
            && owned.owner == ask.owner
            && ask.properties.key.is_some()
            && carried.iter().all(|carried| *carried == granted.carried);
        let Granted { asked, instead, .. } = granted.clone();
        let owned = Owned { asked, instead, ..owned.clone() };
        let state = DocumentState { carried: Some(carried.clone()), owned: Some(owned) };
        is_so.then(|| self.with(document, state))
    }

    fn after_delete(&self, ask: &Ask, keys: &Keys) -> Vec<Outcome> {
        let Properties { document, flaw, .. } = ask.properties;
        let known = &self.documents[document];
        let nothing = vec![(true, self.clone())];
        let Some(owned) = known.owned.as_ref().filter(|owned| owned.owner == ask.owner) else {
            return nothing;
        };
        if flaw == Some(Flaw::ImpossibleDocumentName) {
            return nothing;
        }
        // If the Delete does not say what it does, the record decides, which holds the last request.
        let said = ask.properties.on_delete.is_none().then_some(owned.on_delete);
        let all = [Some(ask.properties.on_delete()), said].into_iter().flatten();
        all.flat_map(|on_delete| self.after_release(document, owned, on_delete, keys)).collect()
    }

    /// What a Delete of the owner's does.
    fn after_release(
        &self,
        document: usize,
        owned: &Owned,
        on_delete: OnDelete,
        keys: &Keys,
    ) -> Vec<Outcome> {
        let known = &self.documents[document];
        let left = |carried: Option<[String; 2]>| {
            (true, self.with(document, DocumentState { carried, owned: None }))
        };
        let target = match on_delete {
            OnDelete::Retain => return vec![left(known.carried.clone())],
            OnDelete::Restore => &owned.before,
            OnDelete::Clear => "",
        };
        let Some([latest, default]) = &known.carried else { return vec![left(None)] };
        let is_own = |key: &String| key != target && owned.set.contains(key);
        // What somebody else has set since stays as it is.
        let restored = || left(Some([target.to_owned(), target.to_owned()]));
        if !(is_own(latest) || latest == target && is_own(default)) {
            let as_it_is = left(known.carried.clone());
            // The default version may be what an earlier request left half done, or what somebody has chosen.
            return if latest == target { vec![as_it_is, restored()] } else { vec![as_it_is] };
        }
        if on_delete == OnDelete::Restore && !keys.is_usable(target) {
            return vec![(false, self.clone())];
        }
        let mut all = vec![restored()];
        if !is_own(default) && default != target {
            // Somebody has chosen an older version for the default.
            all.push(left(Some([target.to_owned(), default.clone()])));
        }
        all
    }

    /// The state after the schedule has come.
    pub fn after_schedule(&self, keys: &Keys) -> Self {
        let mut after = self.clone();
        for document in &mut after.documents {
            let Some(owned) = &mut document.owned else { continue };
            let wanted = match (&owned.instead, keys.is_usable(&owned.asked)) {
                (_, true) => owned.asked.clone(),
                (Some(instead), false) if keys.is_usable(instead) => instead.clone(),
                (_, false) => continue,
            };
            if document.carried.is_some() || !wanted.is_empty() {
                document.carried = Some([wanted.clone(), wanted.clone()]);
            }
            owned.set = vec![wanted.clone()];
            let (asked, instead) = (&owned.asked, &owned.instead);
            if let Some(granted) = &mut owned.granted
                && (&granted.asked, &granted.instead) == (asked, instead)
            {
                granted.carried = wanted;
            }
        }
        after
    }

    /// A known fault: a Delete takes what somebody sets meanwhile for a repair's, if a repair may set that key.
    pub fn with_all_keys_own(&self) -> Self {
        let mut state = self.clone();
        for owned in state.documents.iter_mut().filter_map(|document| document.owned.as_mut()) {
            owned.set.extend([Some(owned.asked.clone()), owned.instead.clone()].into_iter().flatten());
        }
        state
    }

    /// The state after a change in the middle of a request.
    pub fn after_change(&self, change: Change) -> Self {
        match change {
            Change::SetKey { document, key } => {
                let mut after = self.clone();
                if let Some(carried) = &mut after.documents[document].carried {
                    let key = key.map_or_else(String::new, arn);
                    *carried = [key.clone(), key];
                }
                after
            }
            Change::SetAnother { document } => {
                let mut after = self.clone();
                if let Some([latest, default]) = &mut after.documents[document].carried {
                    default.clone_from(latest);
                }
                after
            }
            _ => self.clone(),
        }
    }
}

/// The states of a document between the one before a request and the one after it.
fn between(before: &DocumentState, after: &DocumentState, owner: &Owner) -> Vec<DocumentState> {
    if before == after {
        return vec![before.clone()];
    }
    // The record is written ahead, and removed last. What is cut off has not been granted.
    let owned = match (&after.owned, &before.owned) {
        (Some(after), known) => {
            let mut set = after.set.clone();
            set.extend(known.iter().flat_map(|known| known.set.clone()));
            set.sort();
            set.dedup();
            let granted = known.as_ref().filter(|known| known.owner == *owner);
            let granted = granted.and_then(|known| known.granted.clone());
            Some(Owned { set, granted, is_unfinished: true, ..after.clone() })
        }
        (None, known) => known.clone().map(|known| Owned { is_releasing: true, ..known }),
    };
    let half = match (&before.carried, &after.carried) {
        (Some([_, default]), Some([latest, _])) => Some([latest.clone(), default.clone()]),
        (_, after) => after.clone(),
    };
    let cut_off = [before.carried.clone(), half, after.carried.clone()]
        .map(|carried| DocumentState { carried, owned: owned.clone() });
    [before.clone(), after.clone()].into_iter().chain(cut_off).collect()
}
