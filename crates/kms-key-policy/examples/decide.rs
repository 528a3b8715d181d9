//! Reads a key policy and prints whether it allows a call, and what the answer depends on.
//!
//! ```text
//! cargo run -p kms-key-policy --example decide [POLICY.json [PRINCIPAL [ACTION [KEY]]]]
//! ```

#![expect(clippy::print_stdout, reason = "an example prints its answer")]

use std::error::Error;

use kms_key_policy::{
    Action, Answer, Context, Decider, Grants, KeyArn, Layers, OtherKeys, Policy, PolicyKind, Principal,
    Request, decide,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let text = match arguments.next() {
        Some(file) => std::fs::read_to_string(file)?,
        None => include_str!("policy.json").to_owned(),
    };
    let mut argument = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let principal = argument("arn:aws:iam::444455556666:role/App");
    let action = argument("kms:Decrypt");
    let key = argument("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab");

    let key_policy = Policy::parse(PolicyKind::Key, &text)?;
    for warning in key_policy.warnings() {
        println!("warning: {warning}");
    }
    let grants = Grants::none();
    // A direct call to KMS never has kms:ViaService. Nothing is known about the other condition keys.
    let context = Context::new(OtherKeys::Unknown).absent("kms:ViaService");
    let request =
        Request::new(Principal::parse(&principal)?, Action::parse(&action)?, KeyArn::parse(&key)?, context);
    print(&decide(&request, &Layers::of_key(&key_policy, &grants)));
    Ok(())
}

fn print(answer: &Answer<'_>) {
    println!("{}", answer.decision);
    for decider in &answer.statements {
        match decider {
            Decider::Statement { layer, index, sid, .. } => {
                println!("  by statement {index} ({}) of {layer}", sid.unwrap_or("no Sid"));
            }
            Decider::Grant { index, .. } => println!("  by grant {index}"),
        }
    }
    for dependency in &answer.depends_on {
        println!("  depends on {dependency}");
    }
    for case in &answer.allowed_if {
        println!("  allowed if {case}");
    }
    for missing in &answer.missing {
        println!("  {missing}");
    }
    for caveat in &answer.caveats {
        println!("  note: {caveat}");
    }
}
