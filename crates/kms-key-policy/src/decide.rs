//! The decision on a request, with its reasons.

use std::sync::LazyLock;

use crate::answer::{Admitted, Answer, Caveat, Decider, Decision, Dependency, MissingAllow};
use crate::applicability::Applicability;
use crate::arn::is_opt_in;
use crate::context::RequestView;
use crate::grant::Grants;
use crate::layers::{ApplicableRule, LayerResults, Layers, crosses};
use crate::open_questions;
use crate::policy::{Effect, Policy, PolicyKind};
use crate::principal::{Coverage, PrincipalKind};
use crate::request::Request;
use crate::unknown_keys::{self, SearchResult};

/// Decides on a request: it is allowed, it is denied, or it depends on something that is unknown.
///
/// The decision is *depends* if different values of what is unknown lead to different decisions, if no source settles
/// what AWS does, or if there are too many combinations of values to try. In the last case the answer has a [`Caveat`].
///
/// ```
/// use kms_key_policy::{
///     Action, Context, Decision, Grants, KeyArn, Layers, OtherKeys, Policy, PolicyKind, Principal, Request, decide,
/// };
///
/// // The key policy leaves the decision to the account's own policies.
/// let key_policy = Policy::parse(
///     PolicyKind::Key,
///     r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}}"#,
/// )?;
/// let grants = Grants::none();
/// let request = Request::new(
///     Principal::parse("arn:aws:iam::111122223333:user/ann")?,
///     Action::parse("kms:Encrypt")?,
///     KeyArn::parse("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")?,
///     Context::new(OtherKeys::Absent),
/// );
/// // The user has no policy of its own.
/// let layers = Layers { identity_policies: Some(&[]), ..Layers::of_key(&key_policy, &grants) };
/// let answer = decide(&request, &layers);
/// assert_eq!(answer.decision, Decision::Denied);
/// assert_eq!(
///     answer.missing[0].to_string(),
///     "the key policy admits account 111122223333; the user's own policy does not"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn decide<'p>(request: &Request, layers: &Layers<'p>) -> Answer<'p> {
    let view = RequestView::new(request);
    let mut rules = Vec::new();
    let results = LayerResults::evaluate(layers, &view, |rule| rules.push(rule));
    let allowed = results.allowed(request);
    let mut answer = Answer {
        decision: decision(allowed),
        explicit: results.deny == Applicability::Applies,
        statements: Vec::new(),
        depends_on: Vec::new(),
        allowed_if: Vec::new(),
        missing: Vec::new(),
        caveats: caveats(request, layers, &results),
    };
    if allowed == Applicability::Unknown || results.deny == Applicability::Unknown {
        search_unknown_keys(&mut answer, request, layers, &rules);
    }
    answer.statements = rules
        .iter()
        .filter(|rule| decides(rule, &answer, &results, request))
        .map(|rule| decider(rule, layers))
        .collect();
    if answer.decision == Decision::Denied && !answer.explicit {
        answer.missing = missing(&results, request);
    }
    if answer.decision != Decision::Denied && rests_on_key_alone(request, layers) {
        answer.caveats.push(Caveat::IdentityUnknown);
    }
    answer
}

/// The decision of [`decide`] without the reasons. Allocates nothing if nothing is unknown.
#[must_use]
pub fn verdict(request: &Request, layers: &Layers<'_>) -> Decision {
    let results = LayerResults::evaluate(layers, &RequestView::new(request), |_| {});
    match results.allowed(request) {
        Applicability::Unknown => decide(request, layers).decision,
        certain => decision(certain),
    }
}

/// What the key's side alone says about a caller: the key policy and the grants, whatever the caller's own policies
/// are.
#[derive(Debug, Clone, PartialEq)]
pub struct KeySide<'p> {
    /// What the key's side says.
    pub decision: KeySideDecision,
    /// The answer for a caller whose own policies allow everything. It has the reasons.
    pub answer: Answer<'p>,
}

/// What the key policy and the grants say about a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySideDecision {
    /// They admit the caller. Nothing else needs to allow the call.
    Admits,
    /// They admit the caller if the caller's own policies allow the call too.
    NeedsIdentityPolicy,
    /// A Deny of the key policy refuses the caller.
    RefusesExplicitly,
    /// Neither the key policy nor a grant admits the caller.
    DoesNotAdmit,
    /// The answer depends on unknown condition keys, or on what no source settles.
    Depends,
}

/// Decides what the key policy and the grants alone say about a request.
///
/// ```
/// use kms_key_policy::{
///     Action, Context, Grants, KeyArn, KeySideDecision, OtherKeys, Policy, PolicyKind, Principal, Request, key_side,
/// };
///
/// let key_policy = Policy::parse(
///     PolicyKind::Key,
///     r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}}"#,
/// )?;
/// let request = Request::new(
///     Principal::parse("arn:aws:iam::111122223333:user/ann")?,
///     Action::parse("kms:Encrypt")?,
///     KeyArn::parse("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")?,
///     Context::default(),
/// );
/// let grants = Grants::none();
/// let side = key_side(&request, &key_policy, &grants);
/// assert_eq!(side.decision, KeySideDecision::NeedsIdentityPolicy);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn key_side<'p>(request: &Request, key_policy: &'p Policy, grants: &'p Grants) -> KeySide<'p> {
    static ALLOWS_ALL: LazyLock<Vec<Policy>> = LazyLock::new(|| {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        Policy::parse(PolicyKind::Identity, text).into_iter().collect()
    });
    let key = Layers::of_key(key_policy, grants);
    // A federated user has only the permissions that its session policies allow too.
    let is_federated = request.principal.kind() == PrincipalKind::FederatedUser;
    let session_policies = if is_federated { ALLOWS_ALL.as_slice() } else { &[] };
    let own = Layers { identity_policies: Some(&ALLOWS_ALL), session_policies, ..key };
    let mut answer = decide(request, &own);
    let of_own = |layer| matches!(layer, PolicyKind::Identity | PolicyKind::Session);
    answer.statements.retain(|s| !matches!(s, Decider::Statement { layer, .. } if of_own(*layer)));
    let decision = match answer.decision {
        Decision::Denied if answer.explicit => KeySideDecision::RefusesExplicitly,
        Decision::Denied => KeySideDecision::DoesNotAdmit,
        Decision::Depends => KeySideDecision::Depends,
        Decision::Allowed => match verdict(request, &Layers { identity_policies: Some(&[]), ..key }) {
            Decision::Allowed => KeySideDecision::Admits,
            Decision::Denied | Decision::Depends => KeySideDecision::NeedsIdentityPolicy,
        },
    };
    KeySide { decision, answer }
}

const fn decision(allowed: Applicability) -> Decision {
    match allowed {
        Applicability::Applies => Decision::Allowed,
        Applicability::DoesNotApply => Decision::Denied,
        Applicability::Unknown => Decision::Depends,
    }
}

/// Tries the values of the unknown keys, and adds to the answer what it depends on.
fn search_unknown_keys(
    answer: &mut Answer<'_>,
    request: &Request,
    layers: &Layers<'_>,
    rules: &[ApplicableRule],
) {
    let SearchResult { decision, explicit, keys, cases, identity, open, caveat } =
        unknown_keys::search(request, layers, rules);
    answer.explicit = explicit;
    if answer.decision == Decision::Denied {
        // Nothing grants the request, whatever the unknown keys are. The search only found out whether a Deny applies
        // too.
        return;
    }
    answer.decision = decision;
    answer.caveats.extend(caveat);
    if decision != Decision::Depends {
        return;
    }
    answer.depends_on.extend(keys.into_iter().map(Dependency::Key));
    if identity {
        answer.depends_on.push(Dependency::IdentityPolicies);
    }
    if open {
        let questions = open_questions::collect(request, layers, rules);
        answer.depends_on.extend(questions.into_iter().map(Dependency::Open));
    }
    answer.allowed_if = cases;
}

/// Whether a statement or grant that applies, or may apply, is one of those that decided.
fn decides(rule: &ApplicableRule, answer: &Answer<'_>, results: &LayerResults, request: &Request) -> bool {
    let (applies, deny) = match rule {
        ApplicableRule::Statement { applies, effect, .. } => (*applies, *effect == Effect::Deny),
        ApplicableRule::Grant { applies, .. } => (*applies, false),
    };
    match answer.decision {
        Decision::Denied => {
            answer.explicit
                && deny
                && (applies == Applicability::Applies || results.deny == Applicability::Unknown)
        }
        Decision::Allowed => !deny && is_needed(rule, results, request),
        Decision::Depends if deny => true,
        Decision::Depends => applies == Applicability::Unknown || is_granting(rule),
    }
}

fn is_granting(rule: &ApplicableRule) -> bool {
    match rule {
        ApplicableRule::Grant { .. } => true,
        ApplicableRule::Statement { position, .. } => {
            matches!(position.kind, PolicyKind::Key | PolicyKind::Identity)
        }
    }
}

/// Whether an Allow is one of those that are needed to allow the request.
fn is_needed(rule: &ApplicableRule, results: &LayerResults, request: &Request) -> bool {
    let ApplicableRule::Statement { position, coverage, .. } = rule else {
        // The key policy comes first. A grant is named only if the policy is not enough.
        return results.key_grants(request) != Applicability::Applies;
    };
    let trusted = results.trusted(request);
    let same = request.principal.kind() == PrincipalKind::Service || request.is_same_account();
    let direct = same && results.key_direct == Applicability::Applies;
    let role = same && !direct && results.key_role.and(results.limits()) == Applicability::Applies;
    // Whether the caller's own policies are needed.
    let own = if same {
        !direct && !role && results.key_account.and(trusted) != Applicability::DoesNotApply
    } else {
        results.key_side().and(trusted) != Applicability::DoesNotApply
    };
    match position.kind {
        PolicyKind::Key if same => match coverage {
            Coverage::Direct => true,
            Coverage::Role => !direct,
            Coverage::Account => own,
        },
        PolicyKind::Key | PolicyKind::Identity => own,
        PolicyKind::Boundary | PolicyKind::Session => own || role,
        PolicyKind::ServiceControl => true,
        PolicyKind::ResourceControl => false,
    }
}

fn decider<'p>(rule: &ApplicableRule, layers: &Layers<'p>) -> Decider<'p> {
    match *rule {
        ApplicableRule::Grant { index, .. } => {
            let id = layers.grants.list.get(index).and_then(|grant| grant.id.as_deref());
            Decider::Grant { index, id }
        }
        ApplicableRule::Statement { position, index, .. } => Decider::Statement {
            layer: position.kind,
            level: position.level,
            policy: position.policy,
            index,
            sid: layers.policy(position).and_then(|policy| policy.sid(index)),
        },
    }
}

fn caveats(request: &Request, layers: &Layers<'_>, results: &LayerResults) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    let region = request.key.region();
    if let Some(account) = request.principal.account()
        && !request.is_same_account()
        && is_opt_in(region)
    {
        caveats.push(Caveat::OptInRegion { account, region: region.to_owned() });
    }
    caveats.extend(request.overruled.iter().map(|key| Caveat::Overruled(key.clone())));
    if results.other_session {
        caveats.push(Caveat::SingleSessions);
    }
    if layers.grants.is_truncated() {
        caveats.push(Caveat::GrantsTruncated);
    }
    let (key, grants) = (&request.key, layers.grants.list.iter().enumerate());
    let elsewhere = grants.filter(|(_, grant)| !grant.is_on(key.as_str(), key.id()));
    caveats.extend(elsewhere.map(|(index, _)| Caveat::GrantOnOtherKey(index)));
    caveats
}

/// Whether the caller has policies of its own, and these are unknown.
fn rests_on_key_alone(request: &Request, layers: &Layers<'_>) -> bool {
    let has_own = matches!(
        request.principal.kind(),
        PrincipalKind::User | PrincipalKind::Role | PrincipalKind::Session | PrincipalKind::FederatedUser
    );
    has_own && layers.identity_policies.is_none()
}

/// The layers that lack an Allow.
fn missing(results: &LayerResults, request: &Request) -> Vec<MissingAllow> {
    let caller = request.principal.kind();
    let same = request.is_same_account();
    if caller != PrincipalKind::Service && !same && !crosses(request) {
        let partition = request.principal.same_partition(&request.key);
        return vec![if partition { MissingAllow::NotAcrossAccounts } else { MissingAllow::OtherPartition }];
    }
    let mut missing = Vec::new();
    let key_side = results.key_side().or(results.grant_named).or(results.grant_account);
    if key_side == Applicability::DoesNotApply {
        missing.push(MissingAllow::KeyPolicy);
    }
    // In the key's own account an identity policy has no power without the key policy.
    let own_counts = caller != PrincipalKind::Service && (!same || key_side != Applicability::DoesNotApply);
    if own_counts && results.granted_below(request) == Applicability::DoesNotApply {
        let admitted = match (results.key_account, request.principal.account()) {
            _ if key_side == Applicability::DoesNotApply => Admitted::Nothing,
            (account, Some(id)) if account != Applicability::DoesNotApply => Admitted::Account(id),
            _ => Admitted::Caller,
        };
        // In the key's own account a key policy that names the role makes an identity policy unnecessary.
        let needs_own = !same || results.key_account != Applicability::DoesNotApply;
        if results.identity == Applicability::DoesNotApply && caller != PrincipalKind::Root && needs_own {
            missing.push(MissingAllow::Identity { admitted, caller });
        }
        if results.boundary == Applicability::DoesNotApply {
            missing.push(MissingAllow::Boundary);
        }
        if results.session == Applicability::DoesNotApply || results.lacks_session_policy(caller) {
            missing.push(MissingAllow::Session);
        }
    }
    if results.scp == Applicability::DoesNotApply {
        missing.push(MissingAllow::ServiceControl);
    }
    if missing.is_empty() {
        missing.push(MissingAllow::Together);
    }
    missing
}
