//! The command that asks again what a resource asks of a key, for the reason of a refusal.

use serde_json::Value;

use crate::access::{KnownContext, KnownState, PrincipalArn};
use crate::intent::{Intent, KeyAccessQuestion, PreflightMode};
use crate::quote::shell_word;
use crate::session::DocumentName;

/// How long a command may become, in bytes: a reason has room for little more than 3,000.
const LONGEST: usize = 900;

/// What a resource asks of a key, as the options of `session-kms check`.
#[derive(Debug)]
pub(super) struct CheckCommand {
    /// Those without which the answer would be another one for everybody. There are few.
    needed: String,
    /// One for each principal, pattern and condition key.
    lists: Vec<String>,
    has_key_policy: bool,
}

impl CheckCommand {
    /// What `Custom::SessionEncryption` asks.
    pub(super) fn of_intent(intent: &Intent, region: &str) -> Self {
        let Intent { document, safeguards, .. } = intent;
        let mut needed = option("region", region);
        if *document != DocumentName::default() {
            needed.push_str(&option("document", document.as_str()));
        }
        if safeguards.mode == PreflightMode::Strict {
            needed.push_str(&option("preflight", "strict"));
        }
        for (name, is_on) in [("users", safeguards.discover_users), ("nodes", safeguards.discover_nodes)] {
            if !is_on {
                needed.push_str(&format!(" --no-discover-{name}"));
            }
        }
        if let Some(reader) = &safeguards.reader {
            needed.push_str(&option("reader-role", &reader.role_arn));
            if let Some(id) = &reader.external_id {
                needed.push_str(&option("reader-external-id", id));
            }
        }
        if safeguards.key_policy.is_some() {
            needed.push_str(" --key-policy key-policy.json");
        }
        let exempt = safeguards.exempt.iter().map(|pattern| option("exempt", pattern));
        let lists = principals(&safeguards.users, &safeguards.nodes).into_iter().chain(exempt);
        let lists = lists.chain(of_context(&safeguards.context)).collect();
        Self { needed, lists, has_key_policy: safeguards.key_policy.is_some() }
    }

    /// What `Custom::SessionKeyAccess` asks.
    pub(super) fn of_question(question: &KeyAccessQuestion, region: &str) -> Self {
        let accounts = question.accounts.iter().map(|account| option("account", &account.to_string()));
        let lists = accounts.chain(principals(&question.users, &question.nodes));
        let lists = lists.chain(of_context(&question.context)).collect();
        let needed = option("region", region) + " --no-discover-users --no-discover-nodes";
        Self { needed, lists, has_key_policy: false }
    }

    /// The end of a reason: how to see the whole report about this key.
    pub(super) fn ask_again(&self, key: &str) -> String {
        let mut command = format!("session-kms check{}{}", option("key", key), self.needed);
        let mut left_out = 0;
        for option in &self.lists {
            if command.len() + option.len() <= LONGEST {
                command.push_str(option);
            } else {
                left_out += 1;
            }
        }
        let left_out = match left_out {
            0 => String::new(),
            1 => ", with one more option for what else the properties list".to_owned(),
            more => format!(", with {more} more options for what else the properties list"),
        };
        let file = if self.has_key_policy { ", with property KeyPolicy in key-policy.json" } else { "" };
        format!("; to see it all{file}{left_out}: {command}")
    }
}

fn principals(users: &[PrincipalArn], nodes: &[PrincipalArn]) -> Vec<String> {
    let users = users.iter().map(|user| option("user", user.as_str()));
    users.chain(nodes.iter().map(|node| option("node", node.as_str()))).collect()
}

fn of_context(context: &KnownContext) -> impl Iterator<Item = String> {
    context.iter().map(|known| {
        let value = match known.state() {
            KnownState::Absent => "null".to_owned(),
            KnownState::Values(values) => Value::from(values.as_slice()).to_string(),
        };
        option("context", &format!("{}={value}", known.name()))
    })
}

/// An option, with its value as a shell of Unix reads it.
fn option(name: &str, value: &str) -> String {
    format!(" --{name} {}", shell_word(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::PrincipalArn;
    use crate::intent::{Encryption, KeyPolicyReader, OnConflict, OnDelete, Safeguards};
    use crate::key::KeyRef;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1-2";

    fn command(document: &str, safeguards: Safeguards) -> String {
        let intent = Intent {
            document: DocumentName::parse(document).unwrap(),
            encryption: Encryption::with_key(KeyRef::parse(KEY).unwrap()),
            on_delete: OnDelete::Restore,
            on_conflict: OnConflict::Fail,
            create_document: false,
            safeguards,
        };
        CheckCommand::of_intent(&intent, "eu-west-1").ask_again(KEY)
    }

    fn role(name: &str) -> PrincipalArn {
        PrincipalArn::parse(&format!("arn:aws:iam::111122223333:role/{name}")).unwrap()
    }

    #[test]
    fn the_command_asks_what_the_properties_ask() {
        let discovering = Safeguards { discover_users: true, discover_nodes: true, ..Safeguards::default() };
        assert_eq!(
            command("SSM-SessionManagerRunShell", discovering.clone()),
            format!("; to see it all: session-kms check --key {KEY} --region eu-west-1")
        );
        let context = serde_json::json!({"aws:SourceVpce": null, "aws:PrincipalTag/a b": ["it's", "x"]});
        let everything = Safeguards {
            mode: PreflightMode::Strict,
            users: vec![role("App")],
            nodes: vec![role("Node")],
            exempt: vec!["arn:aws:iam::*:role/Old".to_owned()],
            reader: Some(KeyPolicyReader {
                role_arn: "arn:aws:iam::111122223333:role/Reader".to_owned(),
                external_id: Some("an id".to_owned()),
            }),
            context: serde_json::from_value(context).unwrap(),
            key_policy: Some("{}".to_owned()),
            ..Safeguards::default()
        };
        assert_eq!(
            command("Team", everything),
            format!(
                "; to see it all, with property KeyPolicy in key-policy.json: session-kms check --key {KEY} --region \
                 eu-west-1 --document Team --preflight strict --no-discover-users --no-discover-nodes --reader-role \
                 arn:aws:iam::111122223333:role/Reader --reader-external-id 'an id' --key-policy key-policy.json --user \
                 arn:aws:iam::111122223333:role/App --node arn:aws:iam::111122223333:role/Node --exempt \
                 'arn:aws:iam::*:role/Old' --context aws:SourceVpce=null --context \
                 'aws:PrincipalTag/a b=[\"it'\\''s\",\"x\"]'"
            )
        );
    }

    #[test]
    fn a_long_command_says_that_options_are_left_out() {
        let users = (0..100).map(|number| role(&format!("User{number}"))).collect();
        let text = command("SSM-SessionManagerRunShell", Safeguards { users, ..Safeguards::default() });
        assert!(text.len() < LONGEST + 100, "{text}");
        let named = text.matches("--user").count();
        assert!(text.contains(&format!(", with {} more options", 100 - named)), "{text}");
    }
}
