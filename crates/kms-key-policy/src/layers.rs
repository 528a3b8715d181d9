//! The policies and grants that decide on a request, and how their results are combined.

use crate::applicability::Applicability;
use crate::context::RequestView;
use crate::grant::Grants;
use crate::policy::{Effect, Policy, PolicyKind};
use crate::principal::{Coverage, PrincipalKind};
use crate::request::Request;

/// The policies and grants that decide on a request. A layer that is left out does not exist; only identity policies
/// can be unknown.
///
/// ```
/// use kms_key_policy::{Grants, Layers, Policy, PolicyKind};
///
/// let key_policy = Policy::parse(
///     PolicyKind::Key,
///     r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}}"#,
/// )?;
/// let boundary = Policy::parse(
///     PolicyKind::Boundary,
///     r#"{"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}}"#,
/// )?;
/// let grants = Grants::none();
/// let layers = Layers { permissions_boundary: Some(&boundary), ..Layers::of_key(&key_policy, &grants) };
/// assert!(layers.identity_policies.is_none(), "they are unknown");
/// # Ok::<(), kms_key_policy::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Layers<'p> {
    /// The policy of the key.
    pub key_policy: &'p Policy,
    /// The grants on the key.
    pub grants: &'p Grants,
    /// The caller's own policies, with those of its groups. `None` means that they are unknown, and an empty list that
    /// there are none.
    pub identity_policies: Option<&'p [Policy]>,
    /// The caller's permissions boundary, if it has one.
    pub permissions_boundary: Option<&'p Policy>,
    /// The policies that were passed when the session began. An empty list means that none were passed. That limits
    /// nobody but a federated user, who then has only the permissions that a policy gives to it by name
    /// (see `sts:GetFederationToken`).
    pub session_policies: &'p [Policy],
    /// The service control policies of the caller's account, in one list for each level, from the root to the account.
    /// No levels mean that the account has no organization, that it is the management account, or that the policies are
    /// unknown.
    pub service_control_policies: &'p [Vec<Policy>],
    /// The resource control policies of the key's account, in one list for each level. `RCPFullAWSAccess`, which nobody
    /// can detach, may be left out.
    pub resource_control_policies: &'p [Vec<Policy>],
}

impl<'p> Layers<'p> {
    /// The layers of the key's side alone: the caller's policies are unknown, and there is no organization.
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

    /// The policy at a position.
    pub(crate) fn policy(&self, position: PolicyPosition) -> Option<&'p Policy> {
        let at = position.policy;
        match position.kind {
            PolicyKind::Key => Some(self.key_policy),
            PolicyKind::Identity => self.identity_policies.and_then(|policies| policies.get(at)),
            PolicyKind::Boundary => self.permissions_boundary,
            PolicyKind::Session => self.session_policies.get(at),
            PolicyKind::ServiceControl => self.service_control_policies.get(position.level)?.get(at),
            PolicyKind::ResourceControl => self.resource_control_policies.get(position.level)?.get(at),
        }
    }

    /// Every policy that applies to this caller, with its position.
    pub(crate) fn policies(
        &self,
        request: &Request,
    ) -> impl Iterator<Item = (PolicyPosition, &'p Policy)> + use<'p> {
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
            policies.iter().enumerate().map(move |(policy, p)| (PolicyPosition { kind, level: 0, policy }, p))
        };
        let levels = |kind, levels: &'p [Vec<Policy>]| {
            levels.iter().enumerate().flat_map(move |(level, policies)| {
                policies
                    .iter()
                    .enumerate()
                    .map(move |(policy, p)| (PolicyPosition { kind, level, policy }, p))
            })
        };
        let one = |kind, policy: Option<&'p Policy>| {
            policy.into_iter().map(move |p| (PolicyPosition { kind, level: 0, policy: 0 }, p))
        };
        one(PolicyKind::Key, Some(self.key_policy))
            .chain(list(PolicyKind::Identity, identity))
            .chain(one(PolicyKind::Boundary, boundary))
            .chain(list(PolicyKind::Session, session))
            .chain(levels(PolicyKind::ServiceControl, scps))
            .chain(levels(PolicyKind::ResourceControl, rcps))
    }
}

/// The position of a policy among the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PolicyPosition {
    pub(crate) kind: PolicyKind,
    /// The level of a service or resource control policy.
    pub(crate) level: usize,
    /// Position in its list.
    pub(crate) policy: usize,
}

/// A statement or grant that applies or may apply.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ApplicableRule {
    Statement {
        position: PolicyPosition,
        index: usize,
        effect: Effect,
        applies: Applicability,
        coverage: Coverage,
    },
    Grant {
        index: usize,
        applies: Applicability,
        coverage: Coverage,
    },
}

/// What each layer says about a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerResults {
    /// A Deny of any layer.
    pub(crate) deny: Applicability,
    /// An Allow of the key policy. Each kind of coverage has a field of its own.
    pub(crate) key_direct: Applicability,
    pub(crate) key_role: Applicability,
    pub(crate) key_account: Applicability,
    pub(crate) grant_named: Applicability,
    pub(crate) grant_account: Applicability,
    pub(crate) identity: Applicability,
    pub(crate) boundary: Applicability,
    pub(crate) session: Applicability,
    pub(crate) has_session_policies: bool,
    /// An Allow at every level of the service control policies.
    pub(crate) scp: Applicability,
    /// Whether a statement names another session of the role that calls.
    pub(crate) other_session: bool,
}

impl LayerResults {
    /// Evaluates every layer. Calls `on_rule` with each statement and grant that applies or may apply.
    pub(crate) fn evaluate(
        layers: &Layers<'_>,
        view: &RequestView<'_>,
        mut on_rule: impl FnMut(ApplicableRule),
    ) -> Self {
        let request = view.request;
        let caller = &request.principal;
        let own = caller.kind() != PrincipalKind::Service;
        let bounded = layers.permissions_boundary.is_some();
        let mut results = Self {
            deny: Applicability::DoesNotApply,
            key_direct: Applicability::DoesNotApply,
            key_role: Applicability::DoesNotApply,
            key_account: Applicability::DoesNotApply,
            grant_named: Applicability::DoesNotApply,
            grant_account: Applicability::DoesNotApply,
            identity: if layers.identity_policies.is_none() {
                Applicability::Unknown
            } else {
                Applicability::DoesNotApply
            },
            boundary: if bounded && own { Applicability::DoesNotApply } else { Applicability::Applies },
            session: if layers.session_policies.is_empty() || !own {
                Applicability::Applies
            } else {
                Applicability::DoesNotApply
            },
            has_session_policies: !layers.session_policies.is_empty(),
            scp: Applicability::Applies,
            other_session: false,
        };
        // A level without an Allow denies. The policies come level by level.
        let mut level = Applicability::Applies;
        let mut level_at = None;
        let scp_levels = layers.service_control_policies;
        let scps_apply = own && !caller.is_service_linked();
        if scps_apply && scp_levels.iter().any(Vec::is_empty) {
            results.scp = Applicability::DoesNotApply;
        }
        for (position, policy) in layers.policies(request) {
            if position.kind == PolicyKind::ServiceControl && level_at != Some(position.level) {
                results.scp = results.scp.and(level);
                (level, level_at) = (Applicability::DoesNotApply, Some(position.level));
            }
            for found in policy.matches(view, bounded && own) {
                results.other_session |= found.other_session;
                let (effect, applies, coverage) = (found.effect, found.applies, found.coverage);
                if applies == Applicability::DoesNotApply {
                    continue;
                }
                on_rule(ApplicableRule::Statement {
                    position,
                    index: found.index,
                    effect,
                    applies,
                    coverage,
                });
                let slot = match (effect, position.kind) {
                    (Effect::Deny, _) => &mut results.deny,
                    (Effect::Allow, PolicyKind::Key) => match coverage {
                        Coverage::Direct => &mut results.key_direct,
                        Coverage::Role => &mut results.key_role,
                        Coverage::Account => &mut results.key_account,
                    },
                    (Effect::Allow, PolicyKind::Identity) => &mut results.identity,
                    (Effect::Allow, PolicyKind::Boundary) => &mut results.boundary,
                    (Effect::Allow, PolicyKind::Session) => &mut results.session,
                    (Effect::Allow, PolicyKind::ServiceControl) => &mut level,
                    // Every level of resource control policies has `RCPFullAWSAccess`, so an Allow changes nothing.
                    (Effect::Allow, PolicyKind::ResourceControl) => continue,
                };
                *slot = slot.or(applies);
            }
        }
        results.scp = results.scp.and(level);
        for (index, grant) in layers.grants.list.iter().enumerate() {
            if let Some((coverage, applies)) = grant.admits(&layers.grants.pools, view)
                && applies != Applicability::DoesNotApply
            {
                on_rule(ApplicableRule::Grant { index, applies, coverage });
                let named = coverage != Coverage::Account;
                let slot = if named { &mut results.grant_named } else { &mut results.grant_account };
                *slot = slot.or(applies);
            }
        }
        results
    }

    /// Whether the key policy or a grant allows the request, and so does every layer that must allow it too. Denies do
    /// not count here.
    pub(crate) fn granted(&self, request: &Request) -> Applicability {
        self.granted_below(request).and(self.scp)
    }

    /// [`LayerResults::granted`] without the service control policies.
    pub(crate) fn granted_below(&self, request: &Request) -> Applicability {
        self.key_grants(request).or(self.grant_grants(request))
    }

    /// Whether the request is allowed.
    pub(crate) fn allowed(&self, request: &Request) -> Applicability {
        self.granted(request).and(self.deny.not())
    }

    /// Whether the layers that limit the caller's own policies allow the request.
    pub(crate) fn limits(&self) -> Applicability {
        self.boundary.and(self.session)
    }

    /// Whether the caller is a federated user without session policies, who has no permissions of its own.
    pub(crate) fn lacks_session_policy(&self, caller: PrincipalKind) -> bool {
        caller == PrincipalKind::FederatedUser && !self.has_session_policies
    }

    /// Whether the caller's account allows the request. The account's root user needs no policy.
    pub(crate) fn trusted(&self, request: &Request) -> Applicability {
        match request.principal.kind() {
            PrincipalKind::Root => Applicability::Applies,
            caller if self.lacks_session_policy(caller) => Applicability::DoesNotApply,
            _ => self.identity.and(self.limits()),
        }
    }

    /// Whether the key policy allows the request, and so do the layers that must allow it too.
    pub(crate) fn key_grants(&self, request: &Request) -> Applicability {
        if request.principal.kind() == PrincipalKind::Service {
            return self.key_direct;
        }
        if request.is_same_account() {
            return self
                .key_direct
                .or(self.key_role.and(self.limits()))
                .or(self.key_account.and(self.trusted(request)));
        }
        if crosses(request) {
            self.key_side().and(self.trusted(request))
        } else {
            Applicability::DoesNotApply
        }
    }

    /// Whether the key policy names the caller, its role or its account.
    pub(crate) fn key_side(&self) -> Applicability {
        self.key_direct.or(self.key_role).or(self.key_account)
    }

    fn grant_grants(&self, request: &Request) -> Applicability {
        let service = request.principal.kind() == PrincipalKind::Service;
        if !service && !request.is_same_account() && !crosses(request) {
            return Applicability::DoesNotApply;
        }
        // No source says whether a permissions boundary or a session policy limits a grant, nor whether a grant to an
        // account covers the principals whose own policies allow the action.
        let named = if self.limits() == Applicability::Applies {
            Applicability::Applies
        } else {
            Applicability::Unknown
        };
        let account = self.grant_account.and(self.trusted(request)).and(Applicability::Unknown);
        self.grant_named.and(named).or(account)
    }
}

/// Whether a call on another account's key can work at all: in the same partition, and for one of few operations.
pub(crate) fn crosses(request: &Request) -> bool {
    request.principal.same_partition(&request.key) && request.action.works_across_accounts()
}
