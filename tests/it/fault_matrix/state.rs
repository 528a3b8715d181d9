//! The state of the documents of a flow in words.

use serde_json::Value;

use super::flow::{K1, K2, OTHER_DOCUMENT};
use super::stage::Stage;
use crate::fixture::{NAME, key_in};
use crate::stub::World;

impl Stage {
    /// The documents and their records: `latest k1, default k1; demo wants k1, before alias/old`. The second document
    /// follows after ` | ` if there is one.
    pub fn state(&self) -> String {
        let [first, other] =
            self.fixture.stub.world(|world| [NAME, OTHER_DOCUMENT].map(|name| state_of(world, name)));
        if other == "no document; no record" { first } else { format!("{first} | {other}") }
    }

    /// The names of the documents, and the contents of all their versions.
    pub fn contents(&self) -> Vec<(String, String)> {
        self.fixture.stub.world(|world| {
            let named = [NAME, OTHER_DOCUMENT].map(|name| (name, world.document(name)));
            let documents = named.into_iter().filter_map(|(name, document)| Some((name, document?)));
            let versions = documents.flat_map(|(name, document)| {
                document.versions.iter().map(move |version| (name.to_owned(), version.content.clone()))
            });
            versions.collect()
        })
    }

    /// A key as the state names it.
    pub fn short(&self, key: &str) -> String {
        short(key).to_owned()
    }
}

fn state_of(world: &World, name: &str) -> String {
    let document = world.document(name).map_or("no document".to_owned(), |document| {
        let [latest, default] = [document.latest_content(), document.default_content()].map(key_in);
        format!("latest {}, default {}", short(&latest), short(&default))
    });
    let record = world.parameter(&format!("/session-kms/{name}"));
    let record = record.map_or("no record".to_owned(), |text| {
        let record: Value = serde_json::from_str(text).unwrap();
        let owner = record["owner"]["stackId"].as_str().unwrap();
        let [wanted, before] = ["wanted", "before"].map(|member| short(record[member].as_str().unwrap()));
        format!("{} wants {wanted}, before {before}", owner.split('/').nth(1).unwrap_or(owner))
    });
    format!("{document}; {record}")
}

fn short(key: &str) -> &str {
    match key {
        "" => "none",
        K1 => "k1",
        K2 => "k2",
        other => other,
    }
}
