//! What a key's policy and grants alone say about a caller.

use kms_key_policy::{
    Action, Context, Decision, Dependency, Grants, KeyArn, KeySideDecision, MissingAllow, OtherKeys, Policy,
    PolicyKind, Principal, Request, key_side,
};

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd";
const OWN: &str = "arn:aws:iam::111111111111:role/App";
const FOREIGN: &str = "arn:aws:iam::222222222222:role/App";

fn request(principal: &str) -> Request {
    let context = Context::new(OtherKeys::Unknown)
        .present("kms:EncryptionContext:aws:ssm:TargetId")
        .absent("kms:ViaService");
    let action = Action::parse("kms:Decrypt").unwrap();
    Request::new(Principal::parse(principal).unwrap(), action, KeyArn::parse(KEY).unwrap(), context)
}

fn allow(principal: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"kms:*","Resource":"*"{condition}}}"#
    )
}

fn standing(statements: &[String], principal: &str) -> KeySideDecision {
    let policy =
        Policy::parse(PolicyKind::Key, &format!(r#"{{"Statement":[{}]}}"#, statements.join(","))).unwrap();
    key_side(&request(principal), &policy, &Grants::none()).decision
}

#[test]
fn a_named_role_of_the_own_account_needs_nothing_else() {
    assert_eq!(standing(&[allow(OWN, "")], OWN), KeySideDecision::Admits);
    assert_eq!(standing(&[allow("*", "")], OWN), KeySideDecision::Admits);
    assert_eq!(standing(&[allow("111111111111", ""), allow(OWN, "")], OWN), KeySideDecision::Admits);
}

#[test]
fn a_delegation_needs_the_identity_policy() {
    assert_eq!(standing(&[allow("111111111111", "")], OWN), KeySideDecision::NeedsIdentityPolicy);
    assert_eq!(standing(&[allow("222222222222", "")], FOREIGN), KeySideDecision::NeedsIdentityPolicy);
    assert_eq!(standing(&[allow(FOREIGN, "")], FOREIGN), KeySideDecision::NeedsIdentityPolicy);
}

#[test]
fn a_federated_user_needs_its_own_policies_unless_it_is_named() {
    let federated = "arn:aws:sts::111111111111:federated-user/Bob";
    assert_eq!(standing(&[allow(federated, "")], federated), KeySideDecision::Admits);
    assert_eq!(standing(&[allow("111111111111", "")], federated), KeySideDecision::NeedsIdentityPolicy);
    assert_eq!(standing(&[allow(OWN, "")], federated), KeySideDecision::DoesNotAdmit);
}

#[test]
fn a_deny_refuses_explicitly() {
    let deny = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#.to_owned();
    assert_eq!(standing(&[allow(OWN, ""), deny], OWN), KeySideDecision::RefusesExplicitly);
}

#[test]
fn a_key_may_admit_nobody() {
    assert_eq!(standing(&[allow(OWN, "")], FOREIGN), KeySideDecision::DoesNotAdmit);
    let through_a_service =
        r#","Condition":{"StringEquals":{"kms:ViaService":"ssm.eu-west-1.amazonaws.com"}}"#;
    assert_eq!(standing(&[allow(OWN, through_a_service)], OWN), KeySideDecision::DoesNotAdmit);
}

#[test]
fn an_answer_may_depend_on_an_unknown_condition_key() {
    let organization = r#","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#;
    let text = format!(r#"{{"Statement":{}}}"#, allow("*", organization));
    let policy = Policy::parse(PolicyKind::Key, &text).unwrap();
    let grants = Grants::none();
    let side = key_side(&request(FOREIGN), &policy, &grants);
    assert_eq!(side.decision, KeySideDecision::Depends);
    assert_eq!(side.answer.depends_on, [Dependency::Key("aws:PrincipalOrgID".to_owned())]);
    assert_eq!(side.answer.allowed_if[0].to_string(), "`aws:PrincipalOrgID` is `o-1`");
}

#[test]
fn a_condition_key_may_be_present_with_an_unknown_value() {
    let any_node = r#","Condition":{"StringLike":{"kms:EncryptionContext:aws:ssm:TargetId":"*"}}"#;
    assert_eq!(standing(&[allow(OWN, any_node)], OWN), KeySideDecision::Admits);
    let some_nodes = r#","Condition":{"StringLike":{"kms:EncryptionContext:aws:ssm:TargetId":"mi-*"}}"#;
    assert_eq!(standing(&[allow(OWN, some_nodes)], OWN), KeySideDecision::Depends);
}

#[test]
fn a_grant_admits_by_itself() {
    let policy = Policy::parse(PolicyKind::Key, &format!(r#"{{"Statement":{}}}"#, allow(OWN, ""))).unwrap();
    let grants = format!(r#"[{{"GrantId":"g","GranteePrincipal":"{FOREIGN}","Operations":["Decrypt"]}}]"#);
    let grants = Grants::parse(&grants).unwrap();
    let side = key_side(&request(FOREIGN), &policy, &grants);
    assert_eq!((side.decision, side.answer.decision), (KeySideDecision::Admits, Decision::Allowed));
}

#[test]
fn the_answer_says_what_is_missing() {
    let policy = Policy::parse(PolicyKind::Key, &format!(r#"{{"Statement":{}}}"#, allow(OWN, ""))).unwrap();
    let grants = Grants::none();
    let side = key_side(&request(FOREIGN), &policy, &grants);
    assert_eq!(side.answer.missing, [MissingAllow::KeyPolicy]);
}

#[test]
fn keys_below_a_prefix_are_absent_unless_the_context_names_them() {
    let tagged = |tag: &str| format!(r#","Condition":{{"StringEquals":{{"aws:PrincipalTag/{tag}":"a"}}}}"#);
    let context = Context::new(OtherKeys::Unknown)
        .value("aws:PrincipalTag/team", "a")
        .absent_below("aws:PrincipalTag/");
    let action = Action::parse("kms:Decrypt").unwrap();
    let key = KeyArn::parse(KEY).unwrap();
    let request = Request::new(Principal::parse(OWN).unwrap(), action, key, context);
    let standing = |tag: &str| {
        let text = format!(r#"{{"Statement":{}}}"#, allow(OWN, &tagged(tag)));
        let policy = Policy::parse(PolicyKind::Key, &text).unwrap();
        assert_eq!(policy.condition_keys().collect::<Vec<_>>(), [format!("aws:PrincipalTag/{tag}")]);
        key_side(&request, &policy, &Grants::none()).decision
    };
    assert_eq!(standing("TEAM"), KeySideDecision::Admits);
    assert_eq!(standing("dept"), KeySideDecision::DoesNotAdmit);
}
