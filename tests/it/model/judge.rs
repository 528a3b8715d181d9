//! Whether what runs did is what they may do.

use session_kms::intent::{Mode, OnDelete};
use session_kms::reconcile::{HOUR, Record, RecordedKeyTrouble};

use super::intended::Intended;
use super::play::{Play, Told};
use super::run::{Ask, Came, LIMIT, Run, owner};
use super::world::{KEYS, World, Write, others};

/// What was there before runs began.
pub struct Before {
    pub intended: Option<Intended>,
    /// Whether others do something while runs go on.
    pub has_midst: bool,
    /// Whether there is one run, and AWS answers all its calls.
    pub is_smooth: bool,
    /// Whether AWS answers all calls.
    pub answered: bool,
    /// Whether writes fail, or somebody answers each.
    pub fails: bool,
    /// The key that was wanted, where the document carried it.
    pub carried: Option<String>,
    pub now: u64,
    /// The key in the document, which who adopts it gives back.
    pub key: Option<String>,
    pub enabled: Vec<&'static str>,
    pub accepted: Option<(String, Vec<String>)>,
}

impl Write {
    fn key(&self) -> Option<&str> {
        match self {
            Self::Create { key } | Self::Update { key } | Self::Promote { key } => Some(key),
            Self::DeleteVersion(_) | Self::Record | Self::DeleteRecord => None,
        }
    }
}

impl Play {
    /// Whether what runs did is what they may do.
    pub fn judge(&mut self, before: &Before, runs: &[(usize, Run, Option<Came>)]) -> Told {
        let record = self.record();
        let now = record.as_ref().map(Intended::of);
        self.judge_record(now.as_ref(), runs)?;
        let accepted = record.as_ref().map(|record| (record.owner.stack_id.clone(), record.accepted.clone()));
        let begins_anew = accepted != before.accepted;
        if begins_anew {
            self.repairs.clear();
        }
        self.judge_adoption(before, record, runs)?;
        for (number, run, _) in runs {
            self.judge_writes(before, now.as_ref(), runs, *number, run)?;
        }
        if begins_anew {
            // A repair beside an owner's request may have come before it.
            self.repairs.clear();
        }
        self.intended = now;
        self.judge_leavings(before, runs)?;
        let world = self.world.borrow();
        let there = world.document.as_ref().map(|document| others(document.latest_content()));
        if there != world.others {
            return Err(format!("other settings are {there:?} and not {:?}", world.others));
        }
        world.wrongs.first().map_or(Ok(()), |wrong| Err(wrong.clone()))
    }

    /// The record knows the key that was there before the document was adopted, as long as it is.
    fn judge_adoption(
        &mut self,
        before: &Before,
        record: Option<Record>,
        runs: &[(usize, Run, Option<Came>)],
    ) -> Told {
        // What was there in between, where one owner goes and another comes, nobody but the record knows.
        let is_plain =
            !before.has_midst && (runs.len() == 1 || !runs.iter().any(|(_, run, _)| run.is_release()));
        let key = record.map(|record| String::from(record.before_adoption));
        match (&self.adopted, &key) {
            (Some(adopted), Some(key)) if is_plain && adopted != key => {
                return Err(format!("the key before is `{key}` now, and was `{adopted}`"));
            }
            (None, Some(key)) if is_plain && before.key.as_ref() != Some(key) => {
                return Err(format!("`{key}` is taken for the key before, and was {:?}", before.key));
            }
            _ => {}
        }
        self.befores.extend(key.clone());
        self.adopted = key;
        Ok(())
    }

    /// Whether an answer is the one that is due: of a run that was alone, and that AWS answered.
    pub fn judge_answer(&self, before: &Before, run: &Run, came: &Came) -> Told {
        if before.fails {
            return Ok(());
        }
        match (run, came) {
            (Run::Establish(ask), Came::Established(answer)) => {
                let obstacle = self.obstacle(before, ask);
                match (answer, obstacle) {
                    (Err(error), None) => Err(format!("{ask:?} was refused for nothing: {error}")),
                    (Ok(_), Some(obstacle)) => Err(format!("{ask:?} was granted, though {obstacle}")),
                    (Ok(_), None) | (Err(_), Some(_)) => Ok(()),
                }
            }
            (Run::Release { owner: number, on_delete }, Came::Released(Ok(_))) => {
                let Some(was) = &self.intended else { return Ok(()) };
                let (Some(carried), true) = (&before.carried, was.stack == owner(*number).stack_id) else {
                    return Ok(());
                };
                let left = match on_delete.unwrap_or(was.on_delete) {
                    OnDelete::Restore => self.adopted.clone().unwrap_or_default(),
                    OnDelete::Clear => String::new(),
                    OnDelete::Retain => carried.clone(),
                };
                if self.record().is_some() {
                    return Err("the owner is gone, and the record is not".to_owned());
                }
                self.carries(&left).map_err(|wrong| format!("after {run:?} {wrong}"))
            }
            (Run::Release { .. }, Came::Released(Err(error))) => {
                let unusable = |key: &str| !key.is_empty() && !self.world.borrow().is_enabled(key);
                match &self.adopted {
                    Some(adopted) if unusable(adopted) => Ok(()),
                    _ => Err(format!("{run:?} failed for nothing: {error}")),
                }
            }
            _ => Ok(()),
        }
    }

    /// What is in the way of a request.
    fn obstacle(&self, before: &Before, ask: &Ask) -> Option<&'static str> {
        let world = self.world.borrow();
        let keys: Vec<&str> = match ask.on_trouble() {
            RecordedKeyTrouble::Standby(ref standby) => {
                vec![ask.wanted(), KEYS.iter().find(|key| *key == standby)?]
            }
            RecordedKeyTrouble::Alert | RecordedKeyTrouble::Clear => vec![ask.wanted()],
        };
        let keys: Vec<&str> = keys.into_iter().filter(|key| !key.is_empty()).collect();
        let blocks = matches!(ask.mode, Mode::Strict | Mode::Enforce);
        let was_accepted = before.accepted.as_ref().is_some_and(|(stack, accepted)| {
            *stack == owner(ask.owner).stack_id && accepted.contains(&ask.digest())
        });
        let is_settled = was_accepted && before.carried.as_deref() == Some(ask.wanted());
        if keys.len() == 2 && keys.first() == keys.last() {
            Some("the standby key is the key itself")
        } else if keys.iter().any(|key| !world.is_enabled(key)) {
            Some("a key cannot be used")
        } else if blocks && !is_settled && keys.iter().any(|key| !world.lets_nodes_in(key)) {
            Some("the nodes are locked out")
        } else if before.key.is_none() {
            Some("the content is not one to rewrite")
        } else if self.intended.as_ref().is_some_and(|was| was.stack != owner(ask.owner).stack_id)
            && !ask.takes_over
        {
            Some("the document is another owner's")
        } else {
            None
        }
    }

    /// The record says what an owner asked for, and nothing but an owner changes that.
    fn judge_record(&self, now: Option<&Intended>, runs: &[(usize, Run, Option<Came>)]) -> Told {
        let mut allowed = vec![self.intended.clone().map(Intended::but_for_before)];
        let owners: Vec<_> = runs.iter().filter(|(_, run, _)| !matches!(run, Run::Remediate(_))).collect();
        for (_, run, came) in &owners {
            let alone = owners.len() == 1 && came.as_ref().is_some_and(Came::is_ok);
            let new = match run {
                Run::Establish(ask) => Some(Intended::asked(ask)),
                Run::Release { owner: number, .. } => match &self.intended {
                    Some(intended) if intended.stack != owner(*number).stack_id && owners.len() == 1 => {
                        continue;
                    }
                    _ => None,
                },
                Run::Remediate(_) => continue,
            };
            if alone {
                allowed.clear();
            }
            allowed.push(new);
        }
        let now = now.cloned().map(Intended::but_for_before);
        if allowed.contains(&now) {
            return Ok(());
        }
        Err(format!("the record wants {now:?}, and not one of {allowed:?}"))
    }

    /// What runs wrote while the owner went is not left behind, unless that was asked for.
    fn judge_leavings(&self, before: &Before, runs: &[(usize, Run, Option<Came>)]) -> Told {
        let world = self.world.borrow();
        let (Some(was), None, Some(document)) = (&before.intended, &self.intended, &world.document) else {
            return Ok(());
        };
        let given_back = runs.iter().all(|(_, run, came)| {
            let is_retained = match run {
                Run::Release { on_delete, .. } => on_delete.unwrap_or(was.on_delete) == OnDelete::Retain,
                Run::Establish(ask) => ask.on_delete == OnDelete::Retain,
                Run::Remediate(_) => was.on_delete == OnDelete::Retain,
            };
            came.as_ref().is_some_and(Came::ended) && !is_retained
        });
        let wrote = runs.iter().any(|(number, ..)| !world.document_writes(*number).is_empty());
        let there = document.latest_content().kms_key_id().unwrap_or_default();
        let known = there.is_empty() || self.befores.iter().chain(&before.key).any(|key| *key == there);
        if before.has_midst || !given_back || !wrote || known {
            return Ok(());
        }
        Err(format!("nobody owns the document, and `{there}` was left in it"))
    }

    fn judge_writes(
        &mut self,
        before: &Before,
        now: Option<&Intended>,
        runs: &[(usize, Run, Option<Came>)],
        number: usize,
        run: &Run,
    ) -> Told {
        let world = self.world.borrow();
        let writes = world.document_writes(number);
        let was_off = |key: &str| !before.enabled.contains(&key) || !world.is_enabled(key);
        let mut may: Vec<&str> = self.befores.iter().chain(&before.key).map(String::as_str).collect();
        let cleared = |intended: &Intended| intended.on_delete == OnDelete::Clear;
        match run {
            Run::Establish(ask) => {
                may.push(ask.wanted());
                // What a Delete overtook is undone as the record said.
                if now.is_none() && ask.on_delete == OnDelete::Clear || self.intended.iter().any(cleared) {
                    may.push("");
                }
            }
            Run::Release { on_delete, .. } => {
                if *on_delete == Some(OnDelete::Clear) || self.intended.iter().chain(now).any(cleared) {
                    may.push("");
                }
            }
            Run::Remediate(_) => {
                // What a repair wrote while the owner went is undone, unless the owner leaves it.
                let retains = |intended: &Intended| intended.on_delete == OnDelete::Retain;
                let gone = now.is_none() && !self.intended.iter().any(retains);
                if !gone {
                    may.clear();
                }
                let asked: Vec<_> = runs
                    .iter()
                    .filter_map(|(_, run, _)| match run {
                        Run::Establish(ask) => Some(Intended::asked(ask)),
                        Run::Release { .. } | Run::Remediate(_) => None,
                    })
                    .collect();
                let mut allowed = Vec::new();
                for intended in self.intended.iter().chain(&asked) {
                    allowed.push(intended.first.clone());
                    match &intended.on_trouble {
                        RecordedKeyTrouble::Standby(key) if was_off(&intended.first) => {
                            allowed.push(key.clone())
                        }
                        RecordedKeyTrouble::Clear if was_off(&intended.first) => allowed.push(String::new()),
                        RecordedKeyTrouble::Alert
                        | RecordedKeyTrouble::Standby(_)
                        | RecordedKeyTrouble::Clear => {}
                    }
                    if gone {
                        allowed.push(String::new());
                    }
                }
                for write in &writes {
                    if let Some(key) = write.key()
                        && !allowed.iter().any(|allowed| allowed == key)
                        && !may.contains(&key)
                    {
                        return Err(format!("a repair did {write:?}, and may write {allowed:?} only"));
                    }
                }
                if self.intended.is_none() && asked.is_empty() && world.wrote(number) {
                    return Err("something was written without a record".to_owned());
                }
                // Two runs that begin in the same second and do the same are one repair.
                self.judge_repair(&world, before.is_smooth, number)?;
                if !writes.is_empty() && self.repairs.last() != Some(&before.now) {
                    self.repairs.push(before.now);
                }
                let recent = self.repairs.iter().filter(|at| before.now - **at < HOUR - 300).count();
                if recent > LIMIT {
                    return Err(format!("{recent} repairs within an hour"));
                }
                return Ok(());
            }
        }
        if let Run::Establish(ask) = run
            && matches!(ask.mode, Mode::Strict | Mode::Enforce)
            && before.answered
            && !before.has_midst
            && writes.iter().any(|write| write.key() == Some(ask.wanted()))
            && world.keys.contains_key(ask.wanted())
            && !world.lets_nodes_in(ask.wanted())
            && !self.befores.iter().any(|key| key == ask.wanted())
        {
            return Err(format!("{run:?} wrote the key, which locks the nodes out"));
        }
        for write in writes {
            if let Some(key) = write.key()
                && !may.contains(&key)
            {
                return Err(format!("{run:?} did {write:?}, and may write {may:?} only"));
            }
        }
        Ok(())
    }

    /// A repair is counted before it is made, and locks nobody out where that blocks.
    fn judge_repair(&self, world: &World, is_smooth: bool, number: usize) -> Told {
        let Some(intended) = self.intended.as_ref().filter(|_| is_smooth) else { return Ok(()) };
        let of_run: Vec<_> =
            world.log.iter().filter(|entry| entry.run == number).map(|entry| &entry.write).collect();
        let first = of_run.iter().find(|write| !matches!(write, Write::DeleteVersion(_)));
        // One that was cut off has counted it, where it got no further.
        let last_before = world.log.iter().rev().find(|entry| entry.run < number);
        let is_counted = last_before.is_some_and(|entry| entry.write == Write::Record);
        if !is_counted && first.is_some_and(|write| write.key().is_some()) {
            return Err(format!("{first:?} was not counted before"));
        }
        let blocks = matches!(intended.mode, Mode::Strict | Mode::Enforce);
        let locks_out = |key: &&str| world.keys.contains_key(*key) && !world.lets_nodes_in(key);
        match of_run.iter().filter_map(|write| write.key()).find(locks_out) {
            Some(key) if blocks => Err(format!("`{key}` was written, and locks the nodes out")),
            _ => Ok(()),
        }
    }
}
