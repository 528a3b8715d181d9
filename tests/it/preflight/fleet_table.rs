//! The tables about who uses the key: instance profiles, Default Host Management and the network of nodes; documents and
//! targets of sessions; just-in-time access. Each row runs through the function and is compared with the oracle.

use serde_json::json;

use super::fleet_oracle::{
    Ability, Host, Kind, NodeSituation, Profile, Reach, Tag, truth_of_just_in_time, truth_of_owner,
};
use super::oracle::Truth;
use super::{AGENT, BEFORE, admit_function, create, function, key_in_document, reset_with_key};
use crate::stub::{ACCOUNT, Document, Fault, Format, SimulatedAnswer, Stub, When, World};

const ABILITIES: [Ability; 3] = [Ability::Can, Ability::Cannot, Ability::Unclear];
const REGISTER: &str = "ssm:UpdateInstanceInformation";

/// Runs a row in the modes that tell its truth from the other two, and returns what is wrong. `named` must stand in the
/// reason if a row is refused because it certainly fails.
async fn run(
    stub: &Stub,
    truth: Truth,
    named: &[String],
    what: &str,
    set: impl Fn(&mut World) -> String,
) -> Option<String> {
    let modes: &[&str] = match truth {
        Truth::Can => &["Strict"],
        Truth::Cannot => &["Enforce"],
        Truth::Unknown => &["Enforce", "Strict"],
    };
    for mode in modes {
        let key = stub.world(|world| {
            let key = set(world);
            admit_function(world, &key);
            key
        });
        stub.forget_calls();
        let properties = json!({"KmsKeyId": key, "Preflight": mode});
        let answer = create(stub, &function(stub), &properties).await;
        let right = if truth.refuses(mode) {
            let untouched = stub.writes().is_empty() && key_in_document(stub).as_deref() == Some(BEFORE);
            let is_named = truth != Truth::Cannot || named.iter().all(|name| answer.reason.contains(name));
            !answer.success && untouched && is_named
        } else {
            answer.success && key_in_document(stub).as_deref() == Some(&key)
        };
        if !right {
            let said = if answer.success { answer.data["Findings"].to_string() } else { answer.reason };
            return Some(format!("{mode}, {what}: it is {truth:?}, and the function says: {said}"));
        }
    }
    None
}

/// Gives a principal the ability to make its call.
pub(super) fn able(world: &mut World, principal: &str, ability: Ability) {
    let answer = match ability {
        Ability::Can => SimulatedAnswer::allowed("Kms"),
        Ability::Cannot => SimulatedAnswer::default(),
        Ability::Unclear => {
            SimulatedAnswer { asks_for: vec!["aws:SourceIp".to_owned()], ..SimulatedAnswer::allowed("Kms") }
        }
    };
    for call in ["kms:Decrypt", "kms:GenerateDataKey"] {
        world.simulates(principal, call, "*", answer.clone());
    }
}

pub(super) fn set_node(world: &mut World, situation: NodeSituation) -> String {
    let key = reset_with_key(world, ACCOUNT);
    world.add_node("i-1", AGENT);
    let profile = match situation.profile {
        Profile::None => None,
        Profile::WithoutRole => Some(world.add_instance_profile("Profile", None)),
        Profile::RoleGone => {
            let gone = format!("arn:aws:iam::{ACCOUNT}:role/Gone");
            Some(world.add_instance_profile("Profile", Some(&gone)))
        }
        Profile::Role(ability, may_register) => {
            let role = world.add_role("team/Web");
            able(world, &role, ability);
            let answer = match may_register {
                Some(true) => SimulatedAnswer::allowed("Ssm"),
                Some(false) => SimulatedAnswer::default(),
                None => SimulatedAnswer {
                    asks_for: vec!["aws:SourceIp".to_owned()],
                    ..SimulatedAnswer::allowed("Ssm")
                },
            };
            world.simulates(&role, REGISTER, "*", answer);
            Some(world.add_instance_profile("Profile", Some(&role)))
        }
    };
    if let Some(profile) = profile {
        world.associate("i-1", &profile);
    }
    if let Host::On(ability) = situation.host {
        let role = world.add_role("service-role/Host");
        able(world, &role, ability);
        world.set_default_host_role("service-role/Host");
    }
    match situation.reach {
        Reach::Yes => {}
        Reach::No => {
            world.add_subnet("subnet-private", "vpc-private");
            world.add_instance("i-1", "subnet-private");
            world.add_endpoint("vpce-messages", "subnet-private", "ssmmessages");
        }
        Reach::Unknown => {
            world.add_subnet("subnet-hub", "vpc-hub");
            world.add_route("vpc-hub", "0.0.0.0/0", "tgw-1");
            world.add_instance("i-1", "subnet-hub");
            world.add_endpoint("vpce-messages", "subnet-hub", "ssmmessages");
        }
    }
    key
}

/// Whom the reason must name if the node certainly cannot use the key.
fn named(situation: NodeSituation) -> Vec<String> {
    if situation.reach == Reach::No {
        return vec!["vpc-private".to_owned(), "subnet-private".to_owned(), "i-1".to_owned()];
    }
    let host = "role/service-role/Host, i-1".to_owned();
    let web = "role/team/Web, i-1".to_owned();
    let roles = match (situation.profile, situation.host) {
        (Profile::Role(_, Some(true)), _) | (Profile::Role(..), Host::Off) => vec![web],
        (Profile::Role(_, None), _) => vec![web, host],
        _ => vec![host],
    };
    roles.iter().flat_map(|names| names.split(", ")).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_profile_with_every_host_management_and_every_network() {
    let stub = Stub::start().await;
    let registers = [Some(true), Some(false), None];
    let roles = ABILITIES.iter().flat_map(|able| registers.map(|may| Profile::Role(*able, may)));
    let profiles: Vec<_> =
        [Profile::None, Profile::WithoutRole, Profile::RoleGone].into_iter().chain(roles).collect();
    let hosts: Vec<_> = [Host::Off, Host::Unread].into_iter().chain(ABILITIES.map(Host::On)).collect();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (at, (profile, host)) in
        profiles.iter().flat_map(|profile| hosts.iter().map(move |host| (*profile, *host))).enumerate()
    {
        // The network takes turns, so that each reach meets each kind of role.
        for reach in [Reach::Yes, [Reach::No, Reach::Unknown][at % 2]] {
            let situation = NodeSituation { profile, host, reach };
            stub.clear_faults();
            if host == Host::Unread {
                let denied = Fault::AccessDenied { action: "ssm:GetServiceSetting" };
                stub.fault(When::operation("ssm", "GetServiceSetting"), denied);
            }
            let truth = match (situation.truth(), host) {
                // That the setting cannot be read is itself unknown.
                (Truth::Can, Host::Unread) => Truth::Unknown,
                (truth, _) => truth,
            };
            count += 1;
            let what = format!("{situation:?}");
            wrong.extend(
                run(&stub, truth, &named(situation), &what, |world| set_node(world, situation)).await,
            );
        }
    }
    assert!(count >= 100, "{count} rows");
    assert!(wrong.is_empty(), "{} of {count} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(stub.violations(), Vec::<String>::new());
}

/// A document, the target, what a session with both is, and what the document holds if it can be read.
type Started = (Option<&'static str>, &'static str, Kind, Option<&'static str>);

const STARTED: [Started; 17] = [
    (None, "i-1", Kind::Encrypted, None),
    (Some("SSM-SessionManagerRunShell"), "i-1", Kind::Encrypted, None),
    (Some("AWS-StartInteractiveCommand"), "mi-1", Kind::Encrypted, None),
    (Some("AWS-StartNonInteractiveCommand"), "i-1", Kind::Encrypted, None),
    (Some("AWS-PasswordReset"), "i-1", Kind::Encrypted, None),
    (Some("AWS-StartPortForwardingSession"), "i-1", Kind::Other, None),
    (Some("AWS-StartPortForwardingSessionToRemoteHost"), "i-1", Kind::Other, None),
    (Some("AWS-StartPortForwardingSessionToSocket"), "i-1", Kind::Other, None),
    (Some("AWS-StartSSHSession"), "i-1", Kind::Other, None),
    (Some("AmazonECS-ExecuteInteractiveCommand"), "ecs:c_t_r", Kind::Other, None),
    (Some("SSM-SessionManagerRunShell"), "ecs:c_t_r", Kind::Other, None),
    (Some("Team-Shell"), "i-1", Kind::Other, Some(r#"{"sessionType": "Standard_Stream", "inputs": {}}"#)),
    (Some("Team-Port"), "i-1", Kind::Other, Some(r#"{"sessionType": "Port"}"#)),
    (Some("Team-Command"), "i-1", Kind::Encrypted, Some(r#"{"sessionType": "InteractiveCommands"}"#)),
    (
        Some("Team-Own-Key"),
        "i-1",
        Kind::Other,
        Some(r#"{"sessionType": "InteractiveCommands", "inputs": {"kmsKeyId": "alias/own"}}"#),
    ),
    (Some("Team-Future"), "i-1", Kind::Unclear, Some(r#"{"sessionType": "Future"}"#)),
    (Some("Team-Gone"), "i-1", Kind::Unclear, None),
];

#[tokio::test]
async fn every_document_with_every_owner() {
    let stub = Stub::start().await;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (document, target, kind, content) in STARTED {
        for ability in ABILITIES {
            for is_readable in [true, false] {
                stub.clear_faults();
                let is_read = document.is_some_and(|name| name.starts_with("Team-"));
                if !is_readable && is_read {
                    let denied = Fault::AccessDenied { action: "ssm:GetDocument" };
                    let name = document.unwrap_or_default();
                    stub.fault(When::operation("ssm", "GetDocument").on(name), denied);
                }
                let kind = if is_readable || !is_read { kind } else { Kind::Unclear };
                let truth = match (truth_of_owner(kind, ability), kind) {
                    // That the document cannot be read is itself unknown.
                    (Truth::Can, Kind::Unclear) => Truth::Unknown,
                    (truth, _) => truth,
                };
                count += 1;
                let set = |world: &mut World| {
                    let key = reset_with_key(world, ACCOUNT);
                    let ops = world.add_role("team/Ops");
                    able(world, &ops, ability);
                    if let (Some(name), Some(content)) = (document, content) {
                        world.put_document(name, Document::session(Format::Json, content));
                    }
                    let owner = format!("arn:aws:sts::{ACCOUNT}:assumed-role/Ops/jane");
                    let session = world.add_session("s-1", &owner, 4_000_000_000.0);
                    (session.document, session.target) = (document, target.to_owned());
                    key
                };
                let what = format!("{document:?} on {target}, {ability:?}, readable: {is_readable}");
                let named = [format!("arn:aws:iam::{ACCOUNT}:role/team/Ops")];
                wrong.extend(run(&stub, truth, &named, &what, set).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(stub.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn just_in_time_access_with_every_tag() {
    const TAG: &str = "SystemsManagerJustInTimeNodeAccessManaged";
    let stub = Stub::start().await;
    let tagged = [
        (Tag::Right, Some("true")),
        (Tag::OtherValue, Some("false")),
        (Tag::Missing, None),
        (Tag::Unread, Some("true")),
    ];
    let mut wrong = Vec::new();
    for lists_missing in [true, false] {
        for (tag, value) in tagged {
            stub.clear_faults();
            if tag == Tag::Unread {
                let denied = Fault::AccessDenied { action: "kms:ListResourceTags" };
                stub.fault(When::operation("kms", "ListResourceTags"), denied);
            }
            let set = |world: &mut World| {
                let key = reset_with_key(world, ACCOUNT);
                let role = world.add_role("SSM-JustInTimeAccessTokenRole");
                let name = format!("aws:ResourceTag/{TAG}");
                let allowed = SimulatedAnswer {
                    asks_for: if lists_missing { vec![name.clone()] } else { Vec::new() },
                    decisions: vec![(name, vec!["true".to_owned()], crate::stub::SimulatedDecision::Allowed)],
                    ..SimulatedAnswer::default()
                };
                world.simulates(&role, "kms:GenerateDataKey", "*", allowed);
                world.key(&key).tags =
                    value.iter().map(|value| (TAG.to_owned(), (*value).to_owned())).collect();
                // Whoever owns an approved session needs no permission of its own.
                let owner = format!("arn:aws:sts::{ACCOUNT}:assumed-role/Nobody/jane");
                world.add_session("s-1", &owner, 4_000_000_000.0).is_just_in_time = true;
                key
            };
            let named = [
                "SSM-JustInTimeAccessTokenRole".to_owned(),
                format!("TagKey={TAG},TagValue=true"),
                "aws kms tag-resource".to_owned(),
            ];
            let what = format!("{tag:?}");
            wrong.extend(run(&stub, truth_of_just_in_time(tag), &named, &what, set).await);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn just_in_time_sessions_without_their_role_are_unknown() {
    let stub = Stub::start().await;
    let set = |world: &mut World| {
        let key = reset_with_key(world, ACCOUNT);
        let owner = format!("arn:aws:sts::{ACCOUNT}:assumed-role/Ops/jane");
        world.add_session("s-1", &owner, 4_000_000_000.0).is_just_in_time = true;
        key
    };
    assert_eq!(run(&stub, Truth::Unknown, &[], "no role", set).await, None);
}
