//! All that has a say in a decision, and how the parts are put together.

use super::context::View;
use super::document::{Effect, Policy, PolicyKind};
use super::grant::Grants;
use super::principal::{PrincipalKind, Via};
use super::request::Request;
use super::tri::Tri;

/// The policies and grants that decide on a request. What is left out is not there; identity policies alone can be
/// unknown.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'p> {
    /// The policy of the key.
    pub key_policy: &'p Policy,
    /// The grants on the key.
    pub grants: &'p Grants,
    /// The caller's own policies, with those of its groups. `None`: nobody knows them; empty: there are none.
    pub identity_policies: Option<&'p [Policy]>,
    /// The caller's permissions boundary, where it has one.
    pub permissions_boundary: Option<&'p Policy>,
    /// The policies passed when the session began. Empty: none were. That limits nobody but a federated user, who then
    /// has no permissions but those that a policy gives to it by name [sts:GetFederationToken].
    pub session_policies: &'p [Policy],
    /// The service control policies of the caller's account: a list for each level, from the root to the account.
    /// Empty: the account is of no organization, or is its management account, or nobody knows.
    pub service_control_policies: &'p [Vec<Policy>],
    /// The resource control policies of the key's account, a list for each level. `RCPFullAWSAccess`, which nobody can
    /// detach, need not be among them.
    pub resource_control_policies: &'p [Vec<Policy>],
}

impl<'p> Layers<'p> {
    /// The key's side alone: nothing known of the caller's policies, no organization.
    #[must_use]
    pub const fn of_key(key_policy: &'p Policy, grants: &'p Grants) -> Self {
        Self {
            key_policy,
            grants,
            identity_policies: None,
            permissions_boundary: None,
            session_policies: &[],
            service_control_policies: &[],
            resource_control_policies: &[],
        }
    }

    /// The policy at a place.
    pub(super) fn policy(&self, place: Place) -> Option<&'p Policy> {
        let at = place.policy;
        match place.kind {
            PolicyKind::Key => Some(self.key_policy),
            PolicyKind::Identity => self.identity_policies.and_then(|policies| policies.get(at)),
            PolicyKind::Boundary => self.permissions_boundary,
            PolicyKind::Session => self.session_policies.get(at),
            PolicyKind::ServiceControl => self.service_control_policies.get(place.level)?.get(at),
            PolicyKind::ResourceControl => self.resource_control_policies.get(place.level)?.get(at),
        }
    }

    /// Every policy that has a say for this caller, with its place.
    pub(super) fn policies(&self, request: &Request) -> impl Iterator<Item = (Place, &'p Policy)> + use<'p> {
        let caller = &request.principal;
        let has_own = caller.kind() != PrincipalKind::Service;
        let linked = caller.is_service_linked();
        let identity = if has_own { self.identity_policies.unwrap_or_default() } else { &[] };
        let boundary = self.permissions_boundary.filter(|_| has_own);
        let session = if has_own { self.session_policies } else { &[] };
        let scps = if has_own && !linked { self.service_control_policies } else { &[] };
        let exempt = linked || request.action.operation() == "retiregrant";
        let rcps = if exempt { &[] } else { self.resource_control_policies };
        let list = |kind, policies: &'p [Policy]| {
            policies.iter().enumerate().map(move |(policy, p)| (Place { kind, level: 0, policy }, p))
        };
        let levels = |kind, levels: &'p [Vec<Policy>]| {
            levels.iter().enumerate().flat_map(move |(level, policies)| {
                policies.iter().enumerate().map(move |(policy, p)| (Place { kind, level, policy }, p))
            })
        };
        let one = |kind, policy: Option<&'p Policy>| {
            policy.into_iter().map(move |p| (Place { kind, level: 0, policy: 0 }, p))
        };
        one(PolicyKind::Key, Some(self.key_policy))
            .chain(list(PolicyKind::Identity, identity))
            .chain(one(PolicyKind::Boundary, boundary))
            .chain(list(PolicyKind::Session, session))
            .chain(levels(PolicyKind::ServiceControl, scps))
            .chain(levels(PolicyKind::ResourceControl, rcps))
    }
}

/// Where among the layers a policy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) kind: PolicyKind,
    /// The level of a service or resource control policy.
    pub(super) level: usize,
    /// Position in its list.
    pub(super) policy: usize,
}

/// A statement or grant that applies or may apply.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hit {
    Statement { place: Place, index: usize, effect: Effect, applies: Tri, via: Via },
    Grant { index: usize, applies: Tri, via: Via },
}

/// What each layer says of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    /// A Deny, anywhere.
    pub(super) deny: Tri,
    /// The key policy's Allow, by whom it names.
    pub(super) key_direct: Tri,
    pub(super) key_role: Tri,
    pub(super) key_account: Tri,
    pub(super) grant_named: Tri,
    pub(super) grant_account: Tri,
    pub(super) identity: Tri,
    pub(super) boundary: Tri,
    pub(super) session: Tri,
    pub(super) has_session_policies: bool,
    /// An Allow at every level.
    pub(super) scp: Tri,
    /// A statement names another session of the role that calls.
    pub(super) other_session: bool,
}

impl Tally {
    /// Asks every layer. `on_hit` is told of each statement and grant that applies or may apply.
    pub(super) fn take(layers: &Layers<'_>, view: &View<'_>, mut on_hit: impl FnMut(Hit)) -> Self {
        let request = view.request;
        let caller = &request.principal;
        let own = caller.kind() != PrincipalKind::Service;
        let bounded = layers.permissions_boundary.is_some();
        let mut tally = Self {
            deny: Tri::No,
            key_direct: Tri::No,
            key_role: Tri::No,
            key_account: Tri::No,
            grant_named: Tri::No,
            grant_account: Tri::No,
            identity: if layers.identity_policies.is_none() { Tri::Maybe } else { Tri::No },
            boundary: if bounded && own { Tri::No } else { Tri::Yes },
            session: if layers.session_policies.is_empty() || !own { Tri::Yes } else { Tri::No },
            has_session_policies: !layers.session_policies.is_empty(),
            scp: Tri::Yes,
            other_session: false,
        };
        // A level without an Allow denies; levels come one after the other.
        let mut level = Tri::Yes;
        let mut level_at = None;
        let scp_levels = layers.service_control_policies;
        let scps_apply = own && !caller.is_service_linked();
        if scps_apply && scp_levels.iter().any(Vec::is_empty) {
            tally.scp = Tri::No;
        }
        for (place, policy) in layers.policies(request) {
            if place.kind == PolicyKind::ServiceControl && level_at != Some(place.level) {
                tally.scp = tally.scp.and(level);
                (level, level_at) = (Tri::No, Some(place.level));
            }
            for found in policy.matches(view, bounded && own) {
                tally.other_session |= found.other_session;
                let (effect, applies, via) = (found.effect, found.applies, found.via);
                if applies == Tri::No {
                    continue;
                }
                on_hit(Hit::Statement { place, index: found.index, effect, applies, via });
                let slot = match (effect, place.kind) {
                    (Effect::Deny, _) => &mut tally.deny,
                    (Effect::Allow, PolicyKind::Key) => match via {
                        Via::Direct => &mut tally.key_direct,
                        Via::Role => &mut tally.key_role,
                        Via::Account => &mut tally.key_account,
                    },
                    (Effect::Allow, PolicyKind::Identity) => &mut tally.identity,
                    (Effect::Allow, PolicyKind::Boundary) => &mut tally.boundary,
                    (Effect::Allow, PolicyKind::Session) => &mut tally.session,
                    (Effect::Allow, PolicyKind::ServiceControl) => &mut level,
                    // Every level of resource control policies has an Allow that nobody can take away.
                    (Effect::Allow, PolicyKind::ResourceControl) => continue,
                };
                *slot = slot.or(applies);
            }
        }
        tally.scp = tally.scp.and(level);
        for (index, grant) in layers.grants.list.iter().enumerate() {
            if let Some((via, applies)) = grant.admits(&layers.grants.pools, view)
                && applies != Tri::No
            {
                on_hit(Hit::Grant { index, applies, via });
                let named = via != Via::Account;
                let slot = if named { &mut tally.grant_named } else { &mut tally.grant_account };
                *slot = slot.or(applies);
            }
        }
        tally
    }

    /// Whether something grants the request and nothing that must agree does not. A Deny is not looked at.
    pub(super) fn granted(&self, request: &Request) -> Tri {
        self.granted_below(request).and(self.scp)
    }

    /// [`Tally::granted`] without the organization's say.
    pub(super) fn granted_below(&self, request: &Request) -> Tri {
        self.key_grants(request).or(self.grant_grants(request))
    }

    /// Whether the request is allowed.
    pub(super) fn allowed(&self, request: &Request) -> Tri {
        self.granted(request).and(self.deny.not())
    }

    /// The layers that limit what the caller's own policies allow.
    pub(super) fn limits(&self) -> Tri {
        self.boundary.and(self.session)
    }

    /// Whether the caller is a federated user without session policies, whose own permissions are none.
    pub(super) fn lacks_session_policy(&self, caller: PrincipalKind) -> bool {
        caller == PrincipalKind::FederatedUser && !self.has_session_policies
    }

    /// What the caller's account says: its root user needs no policy.
    pub(super) fn trusted(&self, request: &Request) -> Tri {
        match request.principal.kind() {
            PrincipalKind::Root => Tri::Yes,
            caller if self.lacks_session_policy(caller) => Tri::No,
            _ => self.identity.and(self.limits()),
        }
    }

    /// Whether the key policy grants the request, with whatever must agree.
    pub(super) fn key_grants(&self, request: &Request) -> Tri {
        if request.principal.kind() == PrincipalKind::Service {
            return self.key_direct;
        }
        if request.is_same_account() {
            return self
                .key_direct
                .or(self.key_role.and(self.limits()))
                .or(self.key_account.and(self.trusted(request)));
        }
        if crosses(request) { self.key_side().and(self.trusted(request)) } else { Tri::No }
    }

    /// Whether the key policy names the caller, its role or its account.
    pub(super) fn key_side(&self) -> Tri {
        self.key_direct.or(self.key_role).or(self.key_account)
    }

    fn grant_grants(&self, request: &Request) -> Tri {
        let service = request.principal.kind() == PrincipalKind::Service;
        if !service && !request.is_same_account() && !crosses(request) {
            return Tri::No;
        }
        // No source says whether a boundary or a session policy limits a grant, nor whether a grant to an account
        // covers those whose own policies allow the action.
        let named = if self.limits() == Tri::Yes { Tri::Yes } else { Tri::Maybe };
        let account = self.grant_account.and(self.trusted(request)).and(Tri::Maybe);
        self.grant_named.and(named).or(account)
    }
}

/// Whether a call from another account can work at all: the same partition, and one of the few operations.
pub(super) fn crosses(request: &Request) -> bool {
    request.principal.same_partition(&request.key) && request.action.works_across_accounts()
}
