//! The invariants of runs: what they may write, what they must answer, and what the record must hold.

use session_kms::intent::{OnDelete, PreflightMode};
use session_kms::reconcile::{HOUR, ReconcileError, Record, RecordedKeyTrouble};

use super::driver::{CheckResult, Driver};
use super::in_memory_aws::{InMemoryAws, KEYS, Write, other_settings};
use super::recorded_intent::RecordedIntent;
use super::run::{LIMIT, OwnerRequest, Run, RunResult, owner};

/// The state before the runs began.
pub struct StateBefore {
    pub intended: Option<RecordedIntent>,
    /// Whether others change something during the runs.
    pub has_interference: bool,
    /// Whether there is one run alone, and AWS answers all of its calls.
    pub is_undisturbed: bool,
    /// Whether AWS answers all calls.
    pub aws_answers: bool,
    /// Whether AWS fails a version, or somebody overwrites each write at once.
    pub writes_are_disturbed: bool,
    /// The key that the record wanted, if the document carried it.
    pub carried: Option<String>,
    pub now: u64,
    /// The key in the document. An owner who adopts the document restores this key in the end.
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

impl Driver {
    /// Checks all invariants after the runs, and takes over the new recorded intent.
    pub fn check_invariants(
        &mut self,
        before: &StateBefore,
        runs: &[(usize, Run, Option<RunResult>)],
    ) -> CheckResult {
        let record = self.record();
        let now = record.as_ref().map(RecordedIntent::of_record);
        self.check_record(now.as_ref(), runs)?;
        let accepted = record.as_ref().map(|record| (record.owner.stack_id.clone(), record.accepted.clone()));
        let is_new_request = accepted != before.accepted;
        if is_new_request {
            self.repairs.clear();
        }
        self.check_adoption(before, record, runs)?;
        for (number, run, _) in runs {
            self.check_writes(before, now.as_ref(), runs, *number, run)?;
        }
        if is_new_request {
            // A repair that ran beside an owner's request may have come before the request.
            self.repairs.clear();
        }
        self.intended = now;
        self.check_left_document(before, runs)?;
        let aws = self.aws.borrow();
        let found = aws.document.as_ref().map(|document| other_settings(document.latest_content()));
        if found != aws.expected_settings {
            return Err(format!("other settings are {found:?} and not {:?}", aws.expected_settings));
        }
        aws.violations.first().map_or(Ok(()), |wrong| Err(wrong.clone()))
    }

    /// The record remembers the key from before the adoption for as long as the document is adopted.
    fn check_adoption(
        &mut self,
        before: &StateBefore,
        record: Option<Record>,
        runs: &[(usize, Run, Option<RunResult>)],
    ) -> CheckResult {
        // If one owner goes and another comes, only the record knows what the document carried in between.
        let is_plain =
            !before.has_interference && (runs.len() == 1 || !runs.iter().any(|(_, run, _)| run.is_release()));
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
        self.keys_before.extend(key.clone());
        self.adopted = key;
        Ok(())
    }

    /// Checks the answer of a run that was alone and to which AWS answered every call.
    pub fn check_answer(&self, before: &StateBefore, run: &Run, result: &RunResult) -> CheckResult {
        if before.writes_are_disturbed {
            return Ok(());
        }
        match (run, result) {
            (Run::Establish(request), RunResult::Established(answer)) => {
                let obstacle = self.obstacle(before, request);
                match (answer, obstacle) {
                    // A Delete that was cut off has to come again, or to be forgotten.
                    (Err(ReconcileError::BeingReleased { .. }), None) => Ok(()),
                    (Err(error), None) => Err(format!("{request:?} was refused without a reason: {error}")),
                    (Ok(_), Some(obstacle)) => Err(format!("{request:?} was granted, though {obstacle}")),
                    (Ok(_), None) | (Err(_), Some(_)) => Ok(()),
                }
            }
            (Run::Release { owner: number, on_delete }, RunResult::Released(Ok(_))) => {
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
                self.check_key(&left).map_err(|wrong| format!("after {run:?} {wrong}"))
            }
            (Run::Release { .. }, RunResult::Released(Err(error))) => {
                let unusable = |key: &str| !key.is_empty() && !self.aws.borrow().is_enabled(key);
                match &self.adopted {
                    Some(adopted) if unusable(adopted) => Ok(()),
                    _ => Err(format!("{run:?} failed without a reason: {error}")),
                }
            }
            _ => Ok(()),
        }
    }

    /// The reason for which a request must be refused.
    fn obstacle(&self, before: &StateBefore, request: &OwnerRequest) -> Option<&'static str> {
        let aws = self.aws.borrow();
        let keys: Vec<&str> = match request.recorded_key_trouble() {
            RecordedKeyTrouble::Standby(ref standby) => {
                vec![request.wanted(), KEYS.iter().find(|key| *key == standby)?]
            }
            RecordedKeyTrouble::Alert | RecordedKeyTrouble::Clear => vec![request.wanted()],
        };
        let keys: Vec<&str> = keys.into_iter().filter(|key| !key.is_empty()).collect();
        let blocks = matches!(request.mode, PreflightMode::Strict | PreflightMode::Enforce);
        let was_accepted = before.accepted.as_ref().is_some_and(|(stack, accepted)| {
            *stack == owner(request.owner).stack_id && accepted.contains(&request.digest())
        });
        let is_settled = was_accepted && before.carried.as_deref() == Some(request.wanted());
        if keys.len() == 2 && keys.first() == keys.last() {
            Some("the standby key is the key itself")
        } else if keys.iter().any(|key| !aws.is_enabled(key)) {
            Some("a key cannot be used")
        } else if blocks && !is_settled && keys.iter().any(|key| !aws.admits_nodes(key)) {
            Some("the nodes are locked out")
        } else if before.key.is_none() {
            Some("the content is not one to rewrite")
        } else if self.intended.as_ref().is_some_and(|was| was.stack != owner(request.owner).stack_id)
            && !request.takes_over
        {
            Some("the document is another owner's")
        } else {
            None
        }
    }

    /// The record holds what an owner asked for, and only an owner changes that.
    fn check_record(
        &self,
        now: Option<&RecordedIntent>,
        runs: &[(usize, Run, Option<RunResult>)],
    ) -> CheckResult {
        let mut allowed = vec![self.intended.clone().map(RecordedIntent::without_key_before)];
        let owners: Vec<_> = runs.iter().filter(|(_, run, _)| !matches!(run, Run::Remediate(_))).collect();
        for (_, run, result) in &owners {
            let alone = owners.len() == 1 && result.as_ref().is_some_and(RunResult::is_ok);
            let new = match run {
                Run::Establish(request) => Some(RecordedIntent::of_request(request)),
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
        let now = now.cloned().map(RecordedIntent::without_key_before);
        if allowed.contains(&now) {
            return Ok(());
        }
        Err(format!("the record wants {now:?}, and not one of {allowed:?}"))
    }

    /// A key that runs wrote while the owner released the document does not stay, unless the owner wanted it to.
    fn check_left_document(
        &self,
        before: &StateBefore,
        runs: &[(usize, Run, Option<RunResult>)],
    ) -> CheckResult {
        let aws = self.aws.borrow();
        let (Some(was), None, Some(document)) = (&before.intended, &self.intended, &aws.document) else {
            return Ok(());
        };
        let given_back = runs.iter().all(|(_, run, result)| {
            let is_retained = match run {
                Run::Release { on_delete, .. } => on_delete.unwrap_or(was.on_delete) == OnDelete::Retain,
                Run::Establish(request) => request.on_delete == OnDelete::Retain,
                Run::Remediate(_) => was.on_delete == OnDelete::Retain,
            };
            result.as_ref().is_some_and(RunResult::ended) && !is_retained
        });
        let wrote = runs.iter().any(|(number, ..)| !aws.document_writes(*number).is_empty());
        let key = document.latest_content().kms_key_id().unwrap_or_default();
        let known = key.is_empty() || self.keys_before.iter().chain(&before.key).any(|known| *known == key);
        if before.has_interference || !given_back || !wrote || known {
            return Ok(());
        }
        Err(format!("nobody owns the document, and `{key}` was left in it"))
    }

    fn check_writes(
        &mut self,
        before: &StateBefore,
        now: Option<&RecordedIntent>,
        runs: &[(usize, Run, Option<RunResult>)],
        number: usize,
        run: &Run,
    ) -> CheckResult {
        let aws = self.aws.borrow();
        let writes = aws.document_writes(number);
        let was_off = |key: &str| !before.enabled.contains(&key) || !aws.is_enabled(key);
        let mut may: Vec<&str> = self.keys_before.iter().chain(&before.key).map(String::as_str).collect();
        let cleared = |intended: &RecordedIntent| intended.on_delete == OnDelete::Clear;
        // If another owner takes the document over, the run leaves what that one wants.
        may.extend(runs.iter().filter_map(|(_, other, _)| match other {
            Run::Establish(other) if other.takes_over => Some(other.wanted()),
            _ => None,
        }));
        match run {
            Run::Establish(request) => {
                may.push(request.wanted());
                // If a Delete overtakes the request, the run undoes its writes as the record said.
                if now.is_none() && request.on_delete == OnDelete::Clear || self.intended.iter().any(cleared)
                {
                    may.push("");
                }
            }
            Run::Release { on_delete, .. } => {
                if *on_delete == Some(OnDelete::Clear) || self.intended.iter().chain(now).any(cleared) {
                    may.push("");
                }
            }
            Run::Remediate(_) => {
                // If the owner releases the document meanwhile, the repair is undone, unless OnDelete is Retain.
                let retains = |intended: &RecordedIntent| intended.on_delete == OnDelete::Retain;
                let gone = now.is_none() && !self.intended.iter().any(retains);
                if !gone {
                    may.clear();
                }
                let asked: Vec<_> = runs
                    .iter()
                    .filter_map(|(_, run, _)| match run {
                        Run::Establish(request) => Some(RecordedIntent::of_request(request)),
                        Run::Release { .. } | Run::Remediate(_) => None,
                    })
                    .collect();
                let mut allowed = Vec::new();
                for intended in self.intended.iter().chain(&asked) {
                    allowed.push(intended.first.clone());
                    match &intended.on_key_trouble {
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
                if self.intended.is_none() && asked.is_empty() && aws.wrote(number) {
                    return Err("something was written without a record".to_owned());
                }
                // Two runs that begin in the same second and write the same count as one repair.
                self.check_repair(&aws, before.is_undisturbed, number)?;
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
        if let Run::Establish(request) = run
            && matches!(request.mode, PreflightMode::Strict | PreflightMode::Enforce)
            && before.aws_answers
            && !before.has_interference
            && writes.iter().any(|write| write.key() == Some(request.wanted()))
            && aws.keys.contains_key(request.wanted())
            && !aws.admits_nodes(request.wanted())
            && !self.keys_before.iter().any(|key| key == request.wanted())
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

    /// A repair is counted before it is written, and locks nobody out if the mode blocks.
    fn check_repair(&self, aws: &InMemoryAws, is_undisturbed: bool, number: usize) -> CheckResult {
        let Some(intended) = self.intended.as_ref().filter(|_| is_undisturbed) else { return Ok(()) };
        let of_run: Vec<_> =
            aws.log.iter().filter(|entry| entry.run == number).map(|entry| &entry.write).collect();
        let first = of_run.iter().find(|write| !matches!(write, Write::DeleteVersion(_)));
        // A run that was cut off right after counting the repair has counted it for this run.
        let last_before = aws.log.iter().rev().find(|entry| entry.run < number);
        let is_counted = last_before.is_some_and(|entry| entry.write == Write::Record);
        if !is_counted && first.is_some_and(|write| write.key().is_some()) {
            return Err(format!("{first:?} was not counted before"));
        }
        let blocks = matches!(intended.mode, PreflightMode::Strict | PreflightMode::Enforce);
        let locks_out = |key: &&str| aws.keys.contains_key(*key) && !aws.admits_nodes(key);
        match of_run.iter().filter_map(|write| write.key()).find(locks_out) {
            Some(key) if blocks => Err(format!("`{key}` was written, and locks the nodes out")),
            _ => Ok(()),
        }
    }
}
