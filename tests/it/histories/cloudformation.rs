//! A strict CloudFormation: which requests it sends for a stack, in which order, and what follows a failure.

mod stack;

use self::stack::{Deployed, Stack, Status, after_delete};
use super::history::{Beside, History, Siblings, Step, Turns};
use super::lambda::{Trouble, readdressed};
use super::model::Ask;
use super::player::{Checked, Player};
use super::properties::Properties;
use crate::stub::{ReceivedResponse, Request};

/// The names of a resource in its template.
const NAMES: [&str; 2] = ["Encryption", "SessionEncryption"];

impl Player<'_> {
    /// Plays a history to its end, where every stack is deleted.
    pub async fn play(&mut self, history: &History) -> Checked<()> {
        let mut stacks = ["first", "second"].map(Stack::new);
        for (number, step) in (1..).zip(&history.steps) {
            Box::pin(self.step(&mut stacks, step))
                .await
                .map_err(|wrong| format!("step {number}: {wrong}"))?;
        }
        self.change(super::account::Change::EnableKeys);
        for stack in &mut stacks {
            self.delete_stack(stack, None, [None; 2])
                .await
                .map_err(|wrong| format!("in the end: {wrong}"))?;
            if !matches!(stack.status, Status::None) {
                return Err(format!("stack {} could not be deleted in the end", stack.name));
            }
        }
        Ok(())
    }

    async fn step(&mut self, stacks: &mut [Stack; 2], step: &Step) -> Checked<()> {
        match step {
            Step::Deploy { stack, properties, siblings, beside, troubles } => {
                let stack = &mut stacks[*stack];
                self.unblock(stack).await?;
                self.deploy(stack, properties, *siblings, beside.as_ref(), *troubles).await
            }
            Step::DeployBoth { properties, turns } => {
                for stack in &mut *stacks {
                    self.unblock(stack).await?;
                }
                self.deploy_both(stacks, properties, turns).await
            }
            Step::Rename { stack, properties, troubles } => {
                let stack = &mut stacks[*stack];
                self.unblock(stack).await?;
                match stack.status {
                    Status::Deployed(_) => self.rename(stack, properties, *troubles).await,
                    _ => self.deploy(stack, properties, Siblings::Succeed, None, *troubles).await,
                }
            }
            Step::Delete { stack, beside, troubles } => {
                self.delete_stack(&mut stacks[*stack], beside.as_ref(), *troubles).await
            }
            Step::RemoveAndAdd { stack, properties } => {
                let stack = &mut stacks[*stack];
                let of_stack = stack.resource.clone();
                self.delete_stack(stack, None, [None; 2]).await?;
                if matches!(stack.status, Status::None) {
                    stack.resource = of_stack;
                    self.count("removed and added");
                    let created = stack.create(self, properties);
                    self.create(stack, properties, created, Siblings::Succeed, None, [None; 2]).await?;
                }
                Ok(())
            }
            Step::DeleteAndRetain { stack } => {
                let stack = &mut stacks[*stack];
                if matches!(stack.status, Status::Deployed(_)) {
                    self.count("retained by its DeletionPolicy");
                    *stack = Stack::new(stack.name);
                }
                Ok(())
            }
            Step::Late { back } => {
                let Some(index) = self.sent.len().checked_sub(back + 1) else { return Ok(()) };
                let late = self.sent[index].clone();
                self.count("late duplicates");
                let is_expired = late.request.url.contains("Expires=1500000000");
                let trouble = is_expired.then_some(Trouble::Expired);
                self.deliver(&late.request, &late.ask, trouble, true).await.map(drop)
            }
            Step::Change(change) => {
                self.count("outside changes");
                self.change(*change);
                Ok(())
            }
            Step::Schedule => self.schedule().await,
        }
    }

    /// Ends what keeps a stack from being updated: the rollback is continued, or what is left is deleted.
    async fn unblock(&mut self, stack: &mut Stack) -> Checked<()> {
        match stack.status.clone() {
            Status::None | Status::Deployed(_) => Ok(()),
            Status::ToDelete { .. } => self.delete_stack(stack, None, [None; 2]).await,
            Status::ToRollBack { deployed, new, request_id } => {
                self.count("rollback continued");
                let (request, ask) = stack.update(self, &deployed.id, &deployed.properties, &new);
                let request = readdressed(self.stub, &request, Some(&request_id), false);
                // If it fails again, the resource is skipped.
                self.send(&request, &ask, None).await?;
                stack.status = Status::Deployed(deployed);
                Ok(())
            }
        }
    }

    async fn deploy(
        &mut self,
        stack: &mut Stack,
        properties: &Properties,
        siblings: Siblings,
        beside: Option<&Beside>,
        troubles: [Option<Trouble>; 2],
    ) -> Checked<()> {
        match stack.status.clone() {
            Status::Deployed(deployed) => {
                let updated = stack.update(self, &deployed.id, properties, &deployed.properties);
                self.update(stack, deployed, properties, updated, (siblings, beside, troubles)).await
            }
            _ => {
                // A stack that was deleted is another when it comes back.
                *stack = Stack::new(stack.name);
                let created = stack.create(self, properties);
                self.create(stack, properties, created, siblings, beside, troubles).await
            }
        }
    }

    /// Creates the resource. If it or a sibling fails, it is deleted.
    async fn create(
        &mut self,
        stack: &mut Stack,
        properties: &Properties,
        (request, ask): (Request, Ask),
        siblings: Siblings,
        beside: Option<&Beside>,
        troubles: [Option<Trouble>; 2],
    ) -> Checked<()> {
        self.count("Create");
        let made_up = Deployed { id: stack.resource.made_up_id(), properties: properties.clone() };
        if let Some(Beside::Cancelled(turns)) = beside {
            self.count("cancelled Create");
            let (delete, ask_delete) = stack.delete(self, &made_up);
            let [_, deleted] = self.send_both([(&request, &ask), (&delete, &ask_delete)], turns).await?;
            stack.status = after_delete(made_up, &delete, deleted);
            return Ok(());
        }
        let answer = self.send_beside(&request, &ask, beside, troubles[0]).await?;
        self.finish_create(stack, made_up, answer, siblings, troubles[1]).await
    }

    async fn finish_create(
        &mut self,
        stack: &mut Stack,
        made_up: Deployed,
        answer: Option<ReceivedResponse>,
        siblings: Siblings,
        trouble: Option<Trouble>,
    ) -> Checked<()> {
        let is_created = answer.as_ref().is_some_and(|answer| answer.success);
        let id = answer.map_or(made_up.id, |answer| answer.physical_resource_id);
        let deployed = Deployed { id, properties: made_up.properties };
        if is_created && siblings == Siblings::Succeed {
            stack.status = Status::Deployed(deployed);
            return Ok(());
        }
        self.count(if is_created { "rolled back for a sibling" } else { "failed Create" });
        let (delete, ask) = stack.delete(self, &deployed);
        let delete = self.addressed(&delete, trouble);
        let deleted = self.send(&delete, &ask, trouble).await?;
        stack.status = after_delete(deployed, &delete, deleted);
        Ok(())
    }

    /// Updates the resource. If its id changes, the old one is deleted. If it or a sibling fails, it is updated back.
    async fn update(
        &mut self,
        stack: &mut Stack,
        old: Deployed,
        properties: &Properties,
        (request, ask): (Request, Ask),
        (siblings, beside, troubles): (Siblings, Option<&Beside>, [Option<Trouble>; 2]),
    ) -> Checked<()> {
        self.count("Update");
        let answer = self.send_beside(&request, &ask, beside, troubles[0]).await?;
        self.finish_update(stack, old, properties, answer, (siblings, troubles[1])).await
    }

    async fn finish_update(
        &mut self,
        stack: &mut Stack,
        old: Deployed,
        properties: &Properties,
        answer: Option<ReceivedResponse>,
        (siblings, trouble): (Siblings, Option<Trouble>),
    ) -> Checked<()> {
        let is_updated = answer.as_ref().is_some_and(|answer| answer.success);
        let id = answer.map_or_else(|| old.id.clone(), |answer| answer.physical_resource_id);
        let new = Deployed { id, properties: properties.clone() };
        let is_replaced = is_updated && new.id != old.id;
        if is_updated && siblings == Siblings::Succeed {
            if is_replaced {
                self.count("replacement");
                let (delete, ask) = stack.delete(self, &old);
                let delete = self.addressed(&delete, trouble);
                // A clean-up that fails does not fail the stack. It is tried three times.
                let mut deleted = self.send(&delete, &ask, trouble).await?;
                for _ in 0..2 {
                    if !deleted.is_some_and(|answer| answer.success) {
                        let (delete, ask) = stack.delete(self, &old);
                        deleted = self.send(&delete, &ask, None).await?;
                    } else {
                        break;
                    }
                }
            }
            stack.status = Status::Deployed(new);
            return Ok(());
        }
        self.count(if is_updated { "rolled back for a sibling" } else { "rollback" });
        let is_by_new_id = siblings == Siblings::FailLaterAndNameNewId && is_replaced;
        let id = if is_by_new_id { &new.id } else { &old.id };
        let (back, ask) = stack.update(self, id, &old.properties, properties);
        let back = self.addressed(&back, trouble);
        let answer = self.send(&back, &ask, trouble).await?;
        let request_id = back.payload["RequestId"].as_str().unwrap_or_default().to_owned();
        if !answer.is_some_and(|answer| answer.success) {
            self.count("rollback failed");
            stack.status = Status::ToRollBack { deployed: old, new: properties.clone(), request_id };
            return Ok(());
        }
        if is_replaced {
            self.count("rollback of a replacement");
            let (delete, ask) = stack.delete(self, &new);
            self.send(&delete, &ask, None).await?;
        }
        stack.status = Status::Deployed(old);
        Ok(())
    }

    /// Updates or creates both stacks at the same time.
    async fn deploy_both(
        &mut self,
        stacks: &mut [Stack; 2],
        properties: &[Properties; 2],
        turns: &Turns,
    ) -> Checked<()> {
        self.count("two stacks at the same time");
        let mut sent = Vec::new();
        for (stack, properties) in stacks.iter_mut().zip(properties) {
            sent.push(match stack.status.clone() {
                Status::Deployed(old) => stack.update(self, &old.id, properties, &old.properties),
                _ => {
                    *stack = Stack::new(stack.name);
                    stack.create(self, properties)
                }
            });
        }
        let [(one, ask_one), (two, ask_two)] = [&sent[0], &sent[1]];
        let answers = self.send_both([(one, ask_one), (two, ask_two)], turns).await?;
        for ((stack, properties), answer) in stacks.iter_mut().zip(properties).zip(answers) {
            match stack.status.clone() {
                Status::Deployed(old) => {
                    self.finish_update(stack, old, properties, answer, (Siblings::Succeed, None)).await?;
                }
                _ => {
                    let made_up =
                        Deployed { id: stack.resource.made_up_id(), properties: properties.clone() };
                    self.finish_create(stack, made_up, answer, Siblings::Succeed, None).await?;
                }
            }
        }
        Ok(())
    }

    /// The resource gets another name: a Create under the new one, then a Delete under the old one.
    async fn rename(
        &mut self,
        stack: &mut Stack,
        properties: &Properties,
        troubles: [Option<Trouble>; 2],
    ) -> Checked<()> {
        let Status::Deployed(old) = stack.status.clone() else { return Ok(()) };
        self.count("renamed");
        let mut renamed = Stack { name: stack.name, resource: stack.resource.clone(), status: Status::None };
        let index = usize::from(stack.resource.logical_id == NAMES[0]);
        NAMES[index].clone_into(&mut renamed.resource.logical_id);
        let created = renamed.create(self, properties);
        self.create(&mut renamed, properties, created, Siblings::Succeed, None, troubles).await?;
        match renamed.status {
            Status::Deployed(_) => {
                let (delete, ask) = stack.delete(self, &old);
                self.send(&delete, &ask, None).await?;
                *stack = renamed;
            }
            // The stack waits for a Delete of the new resource, and then deletes the old one.
            Status::ToDelete { .. } => {
                self.delete_stack(&mut renamed, None, [None; 2]).await?;
            }
            Status::None | Status::ToRollBack { .. } => {}
        }
        Ok(())
    }

    /// Deletes a stack. If that fails, it is deleted once more; a Delete of the same request has the same RequestId.
    async fn delete_stack(
        &mut self,
        stack: &mut Stack,
        beside: Option<&Beside>,
        troubles: [Option<Trouble>; 2],
    ) -> Checked<()> {
        let (deployed, reused) = match stack.status.clone() {
            Status::None => return Ok(()),
            Status::Deployed(deployed) | Status::ToRollBack { deployed, .. } => (deployed, None),
            Status::ToDelete { deployed, request_id } => (deployed, Some(request_id)),
        };
        self.count("Delete");
        let (delete, ask) = stack.delete(self, &deployed);
        let delete = match &reused {
            Some(request_id) => readdressed(self.stub, &delete, Some(request_id), false),
            None => delete,
        };
        let deleted = self.send_beside(&delete, &ask, beside, troubles[0]).await?;
        stack.status = after_delete(deployed, &delete, deleted);
        if let Status::ToDelete { deployed, request_id } = stack.status.clone() {
            self.count("Delete failed");
            let (again, ask) = stack.delete(self, &deployed);
            let again =
                readdressed(self.stub, &again, Some(&request_id), troubles[1] == Some(Trouble::Expired));
            let deleted = self.send(&again, &ask, troubles[1]).await?;
            stack.status = after_delete(deployed, &again, deleted);
        }
        Ok(())
    }

    /// Sends a request, with what runs beside it.
    async fn send_beside(
        &mut self,
        request: &Request,
        ask: &Ask,
        beside: Option<&Beside>,
        trouble: Option<Trouble>,
    ) -> Checked<Option<ReceivedResponse>> {
        match beside {
            None => {
                let request = self.addressed(request, trouble);
                self.send(&request, ask, trouble).await
            }
            Some(Beside::Schedule(turns)) => {
                self.count("beside the schedule");
                self.send_beside_schedule(request, ask, turns).await
            }
            Some(beside) => {
                self.count("delivered twice at once");
                let [answer, _] = self.send_both([(request, ask); 2], beside.turns()).await?;
                Ok(answer)
            }
        }
    }

    /// The request with a URL that has expired, if that is the trouble.
    fn addressed(&self, request: &Request, trouble: Option<Trouble>) -> Request {
        match trouble {
            Some(Trouble::Expired) => readdressed(self.stub, request, None, true),
            _ => request.clone(),
        }
    }
}
