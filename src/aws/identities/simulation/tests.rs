use aws_sdk_iam::types::{PermissionsBoundaryDecisionDetail, ResourceSpecificResult};

use super::*;

use PolicyEvaluationDecisionType as Iam;
use SimulatedDecision::{Allowed, ExplicitDeny, ImplicitDeny, NotReported};

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1-2";

fn result(decision: Iam, details: &[(&str, Iam)], of_resource: &[(&str, Iam)]) -> EvaluationResult {
    let details_of = |details: &[(&str, Iam)]| {
        Some(details.iter().map(|(name, decision)| ((*name).to_owned(), decision.clone())).collect())
    };
    let resource = ResourceSpecificResult::builder()
        .eval_resource_name(KEY)
        .eval_resource_decision(decision.clone())
        .set_eval_decision_details(details_of(of_resource))
        .build()
        .unwrap();
    EvaluationResult::builder()
        .eval_action_name("kms:Decrypt")
        .eval_decision(decision)
        .set_eval_decision_details(details_of(details))
        .resource_specific_results(resource)
        .build()
        .unwrap()
}

#[test]
fn across_accounts_the_identity_entry_counts_wherever_it_is_and_whatever_its_name() {
    for name in ["IAM Policy", "Identity-based policies", "IdentityPolicy", "role", "user-managed"] {
        for (entry, expected) in
            [(Iam::Allowed, Allowed), (Iam::ImplicitDeny, ImplicitDeny), (Iam::ExplicitDeny, ExplicitDeny)]
        {
            let both = if entry == Iam::ExplicitDeny { Iam::ExplicitDeny } else { Iam::ImplicitDeny };
            let identity = [(name, entry.clone()), ("Resource-based policy", Iam::ImplicitDeny)];
            for (details, of_resource) in
                [(&identity[..], &[][..]), (&[], &identity[..]), (&identity[..], &identity[..])]
            {
                let read = simulation(result(both.clone(), details, of_resource), true).unwrap();
                assert_eq!(read.decision, expected, "{name}: {details:?} {of_resource:?}");
            }
        }
    }
}

#[test]
fn across_accounts_an_implicit_deny_without_an_identity_entry_is_not_reported() {
    for details in [
        &[][..],
        &[("Resource-based IAM policy", Iam::ImplicitDeny)],
        &[("Permissions boundary of the role", Iam::Allowed)],
        &[("Service control policy of users", Iam::Allowed), ("IAM Policy", Iam::from("later"))],
    ] {
        for (both, expected) in
            [(Iam::Allowed, Allowed), (Iam::ImplicitDeny, NotReported), (Iam::ExplicitDeny, ExplicitDeny)]
        {
            let read = simulation(result(both.clone(), details, &[]), true).unwrap();
            assert_eq!(read.decision, expected, "{both:?} {details:?}");
        }
    }
}

#[test]
fn one_policy_allows_for_all_types_of_identity_policies_and_one_denies_for_all() {
    let of = |group| {
        let details = [("user", Iam::Allowed), ("group", group)];
        simulation(result(Iam::ImplicitDeny, &details, &[]), true).unwrap().decision
    };
    assert_eq!(of(Iam::ImplicitDeny), Allowed);
    assert_eq!(of(Iam::ExplicitDeny), ExplicitDeny);
}

#[test]
fn an_explicit_deny_that_the_identity_policies_do_not_make_is_no_pass() {
    let of = |own| simulation(result(Iam::ExplicitDeny, &[("IAM Policy", own)], &[]), true).unwrap().decision;
    assert_eq!(of(Iam::Allowed), NotReported);
    assert_eq!(of(Iam::ImplicitDeny), ImplicitDeny);
}

#[test]
fn in_one_account_the_decision_alone_counts() {
    for (decision, expected) in
        [(Iam::Allowed, Allowed), (Iam::ImplicitDeny, ImplicitDeny), (Iam::ExplicitDeny, ExplicitDeny)]
    {
        for other in [Iam::Allowed, Iam::ExplicitDeny] {
            let details = [("IAM Policy", other)];
            let read = simulation(result(decision.clone(), &details, &details), false).unwrap();
            assert_eq!(read.decision, expected);
        }
    }
    assert_eq!(simulation(result(Iam::from("later"), &[], &[]), false), None);
}

#[test]
fn a_boundary_that_refuses_in_either_place_refuses() {
    let detail = |allows: Option<bool>| {
        allows.map(|allows| {
            PermissionsBoundaryDecisionDetail::builder().allowed_by_permissions_boundary(allows).build()
        })
    };
    let (yes, no) = (Some(true), Some(false));
    for is_across_accounts in [false, true] {
        for (top, of_resource, expected) in [
            (None, None, None),
            (no, None, no),
            (None, no, no),
            (no, yes, no),
            (yes, no, no),
            (yes, None, yes),
            (None, yes, yes),
        ] {
            let mut result = result(Iam::ImplicitDeny, &[], &[]);
            result.permissions_boundary_decision_detail = detail(top);
            for resource in result.resource_specific_results.iter_mut().flatten() {
                resource.permissions_boundary_decision_detail = detail(of_resource);
            }
            let read = simulation(result, is_across_accounts).unwrap();
            assert_eq!(read.boundary_allows, expected, "{top:?} {of_resource:?}");
        }
    }
}
