//! The decision on a request, with its reasons.

use std::sync::LazyLock;

use super::answer::{Admitted, Answer, Caveat, Decider, Decision, Dependency, Missing};
use super::arn::is_opt_in;
use super::completions::{self, Settled};
use super::context::View;
use super::document::{Effect, Policy, PolicyKind};
use super::grant::Grants;
use super::layers::{Hit, Layers, Tally, crosses};
use super::open;
use super::principal::{PrincipalKind, Via};
use super::request::Request;
use super::tri::Tri;

/// Decides on a request: allowed, denied, or depends on what.
///
/// The answer is *depends* only if values of what is unknown exist that lead to both, or if no source settles what AWS
/// does, or (with a caveat) if there are too many combinations to try.
#[must_use]
pub fn decide<'p>(request: &Request, layers: &Layers<'p>) -> Answer<'p> {
    let view = View::new(request);
    let mut hits = Vec::new();
    let tally = Tally::take(layers, &view, |hit| hits.push(hit));
    let allowed = tally.allowed(request);
    let mut answer = Answer {
        decision: decision(allowed),
        explicit: tally.deny == Tri::Yes,
        statements: Vec::new(),
        depends_on: Vec::new(),
        allowed_if: Vec::new(),
        missing: Vec::new(),
        caveats: caveats(request, layers, &tally),
    };
    if allowed == Tri::Maybe || tally.deny == Tri::Maybe {
        settle(&mut answer, request, layers, &hits);
    }
    answer.statements = hits
        .iter()
        .filter(|hit| decides(hit, &answer, &tally, request))
        .map(|hit| decider(hit, layers))
        .collect();
    if answer.decision == Decision::Denied && !answer.explicit {
        answer.missing = missing(&tally, request);
    }
    if answer.decision != Decision::Denied && rests_on_key_alone(request, layers) {
        answer.caveats.push(Caveat::IdentityUnknown);
    }
    answer
}

/// What [`decide`] answers, without its reasons and without allocating where nothing is unknown.
#[must_use]
pub fn verdict(request: &Request, layers: &Layers<'_>) -> Decision {
    let tally = Tally::take(layers, &View::new(request), |_| {});
    match tally.allowed(request) {
        Tri::Maybe => decide(request, layers).decision,
        settled => decision(settled),
    }
}

/// How the key's side alone stands to a caller: its policy and its grants, with the caller's own policies left open.
#[derive(Debug, Clone, PartialEq)]
pub struct KeySide<'p> {
    /// How it stands.
    pub standing: Standing,
    /// The answer for a caller whose own policies allow everything, which says why.
    pub answer: Answer<'p>,
}

/// How a key stands to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The key admits the caller by itself: nothing else needs to allow.
    Admits,
    /// The key admits the caller if its own policies allow too.
    NeedsIdentityPolicy,
    /// A Deny of the key policy refuses the caller.
    RefusesExplicitly,
    /// Nothing of the key's side admits the caller.
    DoesNotAdmit,
    /// It depends on unknown condition keys, or on what no source settles.
    Depends,
}

/// Says how the key's policy and grants alone stand to a request.
#[must_use]
pub fn key_side<'p>(request: &Request, key_policy: &'p Policy, grants: &'p Grants) -> KeySide<'p> {
    static ALLOWS_ALL: LazyLock<Vec<Policy>> = LazyLock::new(|| {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        Policy::parse(PolicyKind::Identity, text).into_iter().collect()
    });
    let key = Layers::of_key(key_policy, grants);
    // A federated user has only what its session policies allow too.
    let is_federated = request.principal.kind() == PrincipalKind::FederatedUser;
    let session_policies = if is_federated { ALLOWS_ALL.as_slice() } else { &[] };
    let own = Layers { identity_policies: Some(&ALLOWS_ALL), session_policies, ..key };
    let mut answer = decide(request, &own);
    let of_own = |layer| matches!(layer, PolicyKind::Identity | PolicyKind::Session);
    answer.statements.retain(|s| !matches!(s, Decider::Statement { layer, .. } if of_own(*layer)));
    let standing = match answer.decision {
        Decision::Denied if answer.explicit => Standing::RefusesExplicitly,
        Decision::Denied => Standing::DoesNotAdmit,
        Decision::Depends => Standing::Depends,
        Decision::Allowed => match verdict(request, &Layers { identity_policies: Some(&[]), ..key }) {
            Decision::Allowed => Standing::Admits,
            Decision::Denied | Decision::Depends => Standing::NeedsIdentityPolicy,
        },
    };
    KeySide { standing, answer }
}

const fn decision(allowed: Tri) -> Decision {
    match allowed {
        Tri::Yes => Decision::Allowed,
        Tri::No => Decision::Denied,
        Tri::Maybe => Decision::Depends,
    }
}

/// Tries the values of the unknown keys, and says what the answer depends on.
fn settle(answer: &mut Answer<'_>, request: &Request, layers: &Layers<'_>, hits: &[Hit]) {
    let Settled { decision, explicit, keys, cases, identity, open, caveat } =
        completions::settle(request, layers, hits);
    answer.explicit = explicit;
    if answer.decision == Decision::Denied {
        // Nothing grants it, whatever the unknown keys are; open was only whether a Deny applies as well.
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
        let questions = open::questions(request, layers, hits);
        answer.depends_on.extend(questions.into_iter().map(Dependency::Open));
    }
    answer.allowed_if = cases;
}

/// Whether a statement or grant that applies, or may, is one that decided.
fn decides(hit: &Hit, answer: &Answer<'_>, tally: &Tally, request: &Request) -> bool {
    let (applies, deny) = match hit {
        Hit::Statement { applies, effect, .. } => (*applies, *effect == Effect::Deny),
        Hit::Grant { applies, .. } => (*applies, false),
    };
    match answer.decision {
        Decision::Denied => answer.explicit && deny && (applies == Tri::Yes || tally.deny == Tri::Maybe),
        Decision::Allowed => !deny && is_needed(hit, tally, request),
        Decision::Depends if deny => true,
        Decision::Depends => applies == Tri::Maybe || is_granting(hit),
    }
}

fn is_granting(hit: &Hit) -> bool {
    match hit {
        Hit::Grant { .. } => true,
        Hit::Statement { place, .. } => matches!(place.kind, PolicyKind::Key | PolicyKind::Identity),
    }
}

/// Whether an Allow is part of what allows the request.
fn is_needed(hit: &Hit, tally: &Tally, request: &Request) -> bool {
    let Hit::Statement { place, via, .. } = hit else {
        // The key policy comes first; a grant is named where the policy does not do.
        return tally.key_grants(request) != Tri::Yes;
    };
    let trusted = tally.trusted(request);
    let same = request.principal.kind() == PrincipalKind::Service || request.is_same_account();
    let direct = same && tally.key_direct == Tri::Yes;
    let role = same && !direct && tally.key_role.and(tally.limits()) == Tri::Yes;
    // Whether the caller's own policies have a part in it.
    let own = if same {
        !direct && !role && tally.key_account.and(trusted) != Tri::No
    } else {
        tally.key_side().and(trusted) != Tri::No
    };
    match place.kind {
        PolicyKind::Key if same => match via {
            Via::Direct => true,
            Via::Role => !direct,
            Via::Account => own,
        },
        PolicyKind::Key | PolicyKind::Identity => own,
        PolicyKind::Boundary | PolicyKind::Session => own || role,
        PolicyKind::ServiceControl => true,
        PolicyKind::ResourceControl => false,
    }
}

fn decider<'p>(hit: &Hit, layers: &Layers<'p>) -> Decider<'p> {
    match *hit {
        Hit::Grant { index, .. } => {
            let id = layers.grants.list.get(index).and_then(|grant| grant.id.as_deref());
            Decider::Grant { index, id }
        }
        Hit::Statement { place, index, .. } => Decider::Statement {
            layer: place.kind,
            level: place.level,
            policy: place.policy,
            index,
            sid: layers.policy(place).and_then(|policy| policy.sid(index)),
        },
    }
}

fn caveats(request: &Request, layers: &Layers<'_>, tally: &Tally) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    let region = request.key.region();
    if let Some(account) = request.principal.account()
        && !request.is_same_account()
        && is_opt_in(region)
    {
        caveats.push(Caveat::OptInRegion { account, region: region.to_owned() });
    }
    caveats.extend(request.overruled.iter().map(|key| Caveat::Overruled(key.clone())));
    if tally.other_session {
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

/// Whether the caller has policies of its own that nobody knows.
fn rests_on_key_alone(request: &Request, layers: &Layers<'_>) -> bool {
    let has_own = matches!(
        request.principal.kind(),
        PrincipalKind::User | PrincipalKind::Role | PrincipalKind::Session | PrincipalKind::FederatedUser
    );
    has_own && layers.identity_policies.is_none()
}

/// Which layers lack an Allow.
fn missing(tally: &Tally, request: &Request) -> Vec<Missing> {
    let caller = request.principal.kind();
    let same = request.is_same_account();
    if caller != PrincipalKind::Service && !same && !crosses(request) {
        let partition = request.principal.same_partition(&request.key);
        return vec![if partition { Missing::NotAcrossAccounts } else { Missing::OtherPartition }];
    }
    let mut missing = Vec::new();
    let key_side = tally.key_side().or(tally.grant_named).or(tally.grant_account);
    if key_side == Tri::No {
        missing.push(Missing::KeyPolicy);
    }
    // In the key's own account an identity policy without the key policy is powerless.
    let own_counts = caller != PrincipalKind::Service && (!same || key_side != Tri::No);
    if own_counts && tally.granted_below(request) == Tri::No {
        let admitted = match (tally.key_account, request.principal.account()) {
            _ if key_side == Tri::No => Admitted::Nothing,
            (account, Some(id)) if account != Tri::No => Admitted::Account(id),
            _ => Admitted::Caller,
        };
        // In the key's own account a policy that names the role needs no identity policy.
        let needs_own = !same || tally.key_account != Tri::No;
        if tally.identity == Tri::No && caller != PrincipalKind::Root && needs_own {
            missing.push(Missing::Identity { admitted, caller });
        }
        if tally.boundary == Tri::No {
            missing.push(Missing::Boundary);
        }
        if tally.session == Tri::No || tally.lacks_session_policy(caller) {
            missing.push(Missing::Session);
        }
    }
    if tally.scp == Tri::No {
        missing.push(Missing::ServiceControl);
    }
    if missing.is_empty() {
        missing.push(Missing::Together);
    }
    missing
}
