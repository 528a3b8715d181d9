//! A stack, and the requests for its resource.

use crate::fixture::{id_of, resource};
use crate::histories::account::DOCUMENTS;
use crate::histories::model::{Ask, Kind, Owner};
use crate::histories::player::Player;
use crate::histories::properties::Properties;
use crate::stub::{ReceivedResponse, Request, Resource};

/// A stack.
pub(super) struct Stack {
    pub(super) name: &'static str,
    pub(super) resource: Resource,
    pub(super) status: Status,
}

/// The resource in a stack.
#[derive(Clone, Debug)]
pub(super) enum Status {
    None,
    Deployed(Deployed),
    /// A Delete failed, so the stack can only be deleted.
    ToDelete {
        deployed: Deployed,
        request_id: String,
    },
    /// An Update failed and its rollback too.
    ToRollBack {
        deployed: Deployed,
        new: Properties,
        request_id: String,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Deployed {
    pub(super) id: String,
    pub(super) properties: Properties,
}

impl Stack {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, resource: resource(name), status: Status::None }
    }

    pub(super) fn owner(&self) -> Owner {
        (self.resource.stack_id.clone(), self.resource.logical_id.clone())
    }

    pub(super) fn create(&self, player: &Player<'_>, properties: &Properties) -> (Request, Ask) {
        let request = self.resource.create(player.stub, &properties.to_json());
        (request, Ask { owner: self.owner(), kind: Kind::Create, properties: properties.clone() })
    }

    pub(super) fn update(
        &self,
        player: &Player<'_>,
        id: &str,
        new: &Properties,
        old: &Properties,
    ) -> (Request, Ask) {
        let request = self.resource.update(player.stub, id, &new.to_json(), &old.to_json());
        let names_new_document = id == id_of(DOCUMENTS[new.document]);
        let kind = Kind::Update { old: old.clone(), names_new_document };
        (request, Ask { owner: self.owner(), kind, properties: new.clone() })
    }

    pub(super) fn delete(&self, player: &Player<'_>, deployed: &Deployed) -> (Request, Ask) {
        let request = self.resource.delete(player.stub, &deployed.id, &deployed.properties.to_json());
        (request, Ask { owner: self.owner(), kind: Kind::Delete, properties: deployed.properties.clone() })
    }
}

pub(super) fn after_delete(deployed: Deployed, delete: &Request, answer: Option<ReceivedResponse>) -> Status {
    if answer.is_some_and(|answer| answer.success) {
        return Status::None;
    }
    let request_id = delete.payload["RequestId"].as_str().unwrap_or_default().to_owned();
    Status::ToDelete { deployed, request_id }
}
