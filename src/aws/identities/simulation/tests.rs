use super::*;
use crate::aws::query_answer::read_result;

use SimulatedDecision::{Allowed, ExplicitDeny, ImplicitDeny, NotReported};

/// A decision, by its name in the API.
type Iam = &'static str;

const ALLOWED: Iam = "allowed";
const IMPLICIT_DENY: Iam = "implicitDeny";
const EXPLICIT_DENY: Iam = "explicitDeny";

fn result(decision: Iam, details: &[(&str, Iam)], of_resource: &[(&str, Iam)]) -> Evaluation {
    let details_of = |details: &[(&str, Iam)]| {
        details.iter().map(|(name, decision)| ((*name).to_owned(), (*decision).to_owned())).collect()
    };
    let resource = Evaluation {
        decision: Some(decision.to_owned()),
        details: details_of(of_resource),
        ..Evaluation::default()
    };
    Evaluation {
        decision: Some(decision.to_owned()),
        details: details_of(details),
        of_resources: vec![resource],
        ..Evaluation::default()
    }
}

#[test]
fn across_accounts_the_identity_entry_counts_wherever_it_is_and_whatever_its_name() {
    for name in ["IAM Policy", "Identity-based policies", "IdentityPolicy", "role", "user-managed"] {
        for (entry, expected) in
            [(ALLOWED, Allowed), (IMPLICIT_DENY, ImplicitDeny), (EXPLICIT_DENY, ExplicitDeny)]
        {
            let both = if entry == EXPLICIT_DENY { EXPLICIT_DENY } else { IMPLICIT_DENY };
            let identity = [(name, entry), ("Resource-based policy", IMPLICIT_DENY)];
            for (details, of_resource) in
                [(&identity[..], &[][..]), (&[], &identity[..]), (&identity[..], &identity[..])]
            {
                let read = simulation(result(both, details, of_resource), true).unwrap();
                assert_eq!(read.decision, expected, "{name}: {details:?} {of_resource:?}");
            }
        }
    }
}

#[test]
fn across_accounts_an_implicit_deny_without_an_identity_entry_is_not_reported() {
    for details in [
        &[][..],
        &[("Resource-based IAM policy", IMPLICIT_DENY)],
        &[("Permissions boundary of the role", ALLOWED)],
        &[("Service control policy of users", ALLOWED), ("IAM Policy", "later")],
    ] {
        for (both, expected) in
            [(ALLOWED, Allowed), (IMPLICIT_DENY, NotReported), (EXPLICIT_DENY, ExplicitDeny)]
        {
            let read = simulation(result(both, details, &[]), true).unwrap();
            assert_eq!(read.decision, expected, "{both:?} {details:?}");
        }
    }
}

#[test]
fn one_policy_allows_for_all_types_of_identity_policies_and_one_denies_for_all() {
    let of = |group| {
        let details = [("user", ALLOWED), ("group", group)];
        simulation(result(IMPLICIT_DENY, &details, &[]), true).unwrap().decision
    };
    assert_eq!(of(IMPLICIT_DENY), Allowed);
    assert_eq!(of(EXPLICIT_DENY), ExplicitDeny);
}

#[test]
fn an_explicit_deny_that_the_identity_policies_do_not_make_is_no_pass() {
    let of = |own| simulation(result(EXPLICIT_DENY, &[("IAM Policy", own)], &[]), true).unwrap().decision;
    assert_eq!(of(ALLOWED), NotReported);
    assert_eq!(of(IMPLICIT_DENY), ImplicitDeny);
}

#[test]
fn in_one_account_the_decision_alone_counts() {
    for (decision, expected) in
        [(ALLOWED, Allowed), (IMPLICIT_DENY, ImplicitDeny), (EXPLICIT_DENY, ExplicitDeny)]
    {
        for other in [ALLOWED, EXPLICIT_DENY] {
            let details = [("IAM Policy", other)];
            let read = simulation(result(decision, &details, &details), false).unwrap();
            assert_eq!(read.decision, expected);
        }
    }
    assert_eq!(simulation(result("later", &[], &[]), false), None);
}

#[test]
fn a_boundary_that_refuses_in_either_place_refuses() {
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
            let mut result = result(IMPLICIT_DENY, &[], &[]);
            result.boundary_allows = top;
            for resource in &mut result.of_resources {
                resource.boundary_allows = of_resource;
            }
            let read = simulation(result, is_across_accounts).unwrap();
            assert_eq!(read.boundary_allows, expected, "{top:?} {of_resource:?}");
        }
    }
}

#[test]
fn every_member_of_an_answer_is_read_in_both_places() {
    let places = |decision: &str, id: &str| {
        format!(
            "<{decision}>implicitDeny</{decision}>\
             <EvalDecisionDetails><entry><key>IAM Policy</key><value>allowed</value></entry></EvalDecisionDetails>\
             <MatchedStatements><member><SourcePolicyId>{id}</SourcePolicyId><StartPosition><Line>1</Line></StartPosition>\
             </member><member><SourcePolicyId>both</SourcePolicyId></member></MatchedStatements>\
             <MissingContextValues><member>aws:{id}</member><member>aws:both</member></MissingContextValues>\
             <PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>true</AllowedByPermissionsBoundary>\
             </PermissionsBoundaryDecisionDetail>"
        )
    };
    let answer = format!(
        "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated>\
         <EvaluationResults><member><EvalActionName>kms:Decrypt</EvalActionName>{}\
         <OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations></OrganizationsDecisionDetail>\
         <ResourceSpecificResults><member>{}</member></ResourceSpecificResults></member></EvaluationResults>\
         </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>",
        places("EvalDecision", "top"),
        places("EvalResourceDecision", "resource")
    );
    let evaluation = read_result("SimulatePrincipalPolicy", answer.as_bytes(), read).unwrap();
    assert_eq!(
        simulation(evaluation, true),
        Some(Simulation {
            decision: Allowed,
            policies: ["top", "both", "resource"].map(str::to_owned).into(),
            organizations_allow: Some(false),
            boundary_allows: Some(true),
            missing_context: ["aws:top", "aws:both", "aws:resource"].map(str::to_owned).into(),
        })
    );
    let empty = "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults/>\
                 </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>";
    assert!(read_result("SimulatePrincipalPolicy", empty.as_bytes(), read).is_err());
}
