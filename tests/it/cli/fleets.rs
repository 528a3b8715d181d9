//! The report on an account whose fleets a key would lock out, in the four formats.

use serde_json::json;
use session_kms::cli::Exit;

use super::{Terminal, on};
use crate::fixture::Fixture;
use crate::stub::{ACCOUNT, SimulatedAnswer, SimulatedDecision, World};

const AGENT: &str = "3.3.808.0";

/// Nodes under Default Host Management, nodes that cannot reach KMS, stopped instances, just-in-time node access, a role of
/// IAM Identity Center, and sessions that do not count.
fn populate(world: &mut World) {
    let allowed = SimulatedAnswer::allowed("Kms");
    let web = world.add_role("Web");
    world.simulates(&web, "kms:Decrypt", "*", allowed.clone());
    let profile = world.add_instance_profile("Web", Some(&web));
    world.add_role("service-role/Host");
    world.set_default_host_role("service-role/Host");
    for id in ["i-1", "i-2"] {
        world.add_node(id, AGENT);
        world.associate(id, &profile);
    }
    let private = world.add_role("Private");
    world.simulates(&private, "*", "*", allowed);
    let profile = world.add_instance_profile("Private", Some(&private));
    world.add_subnet("subnet-private", "vpc-private");
    world.add_endpoint("vpce-messages", "subnet-private", "ssmmessages");
    for id in ["i-3", "i-4"] {
        world.add_node(id, AGENT);
        world.add_instance(id, "subnet-private");
        world.associate(id, &profile);
    }
    let batch = world.add_role("Batch");
    world.simulates(&batch, "ssm:UpdateInstanceInformation", "*", SimulatedAnswer::allowed("Ssm"));
    let profile = world.add_instance_profile("Batch", Some(&batch));
    for number in 10..22 {
        let id = format!("i-{number}");
        world.add_instance(&id, "subnet-private").state = "stopped";
        world.associate(&id, &profile);
    }
    let tag = "aws:ResourceTag/SystemsManagerJustInTimeNodeAccessManaged".to_owned();
    let token_role = world.add_role("SSM-JustInTimeAccessTokenRole");
    let on_tag = SimulatedAnswer {
        asks_for: vec![tag.clone()],
        decisions: vec![(tag, vec!["true".to_owned()], SimulatedDecision::Allowed)],
        ..SimulatedAnswer::default()
    };
    world.simulates(&token_role, "kms:GenerateDataKey", "*", on_tag);
    world.add_role("aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Ops_0123456789abcdef");
    let owner = |name: &str| format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/jane");
    let ops = owner("AWSReservedSSO_Ops_0123456789abcdef");
    world.add_session("s-1", &ops, 4_000_000_000.0);
    for (id, document) in [("s-2", "AWS-StartSSHSession"), ("s-3", "AWS-StartPortForwardingSession")] {
        world.add_session(id, &owner("Forwarder"), 4_000_000_000.0).document = Some(document);
    }
    world.add_session("s-4", &ops, 4_000_000_000.0).is_just_in_time = true;
    world.add_session("s-5", &owner("Vendor"), 4_000_000_000.0).document = Some("Vendor-Shell");
}

#[tokio::test]
async fn the_report_on_locked_out_fleets_comes_in_four_formats() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(populate);
    for (format, extension) in [("text", "txt"), ("json", "json"), ("markdown", "md"), ("html", "html")] {
        let ran = on(&fixture, &["check", "--key", &fixture.k1, "--format", format], &Terminal::None).await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Fails, ""), "{format}");
        for word in [
            "role/service-role/Host",
            "by Default Host Management",
            "vpc-private",
            "subnet-private",
            "create-vpc-endpoint",
            "12 stopped instances, such as i-10",
            "SSM-JustInTimeAccessTokenRole",
            "aws kms tag-resource",
            "permission set Ops",
            "Vendor-Shell",
        ] {
            // JSON names the permission set in a member of its own.
            let word = if format == "json" { word.trim_start_matches("permission set ") } else { word };
            assert!(ran.out.contains(word), "{format}: `{word}` is not in {}", ran.out);
        }
        crate::golden::check(&format!("fleets.{extension}"), &ran.out);
    }
    let json = on(&fixture, &["check", "--key", &fixture.k1, "--format", "json"], &Terminal::None).await.out;
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(!json.contains("role/Web"), "nobody works by the role of that profile");
    let resources = report["remedies"]["resources"].as_array().unwrap();
    let titles: Vec<_> = resources.iter().map(|remedy| &remedy["resource"]).collect();
    assert_eq!(titles, [&json!(fixture.k1), &json!("vpc-private")]);
}
