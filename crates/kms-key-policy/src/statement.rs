//! Whether a statement applies to a request.

use super::context::View;
use super::document::{Effect, Element, Policy, Pools, Statement};
use super::pattern::Pattern;
use super::principal::{PrincipalKind, PrincipalMatcher, Via};
use super::tri::Tri;

/// How far a statement applies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Match {
    /// Position in the policy, from 0.
    pub(super) index: usize,
    pub(super) effect: Effect,
    pub(super) applies: Tri,
    pub(super) via: Via,
    /// It would apply, but for naming another session of the role that calls.
    pub(super) other_session: bool,
}

impl Policy {
    /// The statements that apply or may apply to the request, in their order.
    ///
    /// `bounded`: the caller has a permissions boundary, which NotPrincipal looks at.
    pub(super) fn matches<'a>(
        &'a self,
        view: &'a View<'a>,
        bounded: bool,
    ) -> impl Iterator<Item = Match> + 'a {
        let request = view.request;
        self.index.candidates(&request.selectors, request.action_hash).filter_map(move |index| {
            let statement = self.statements.get(index)?;
            let (applies, via, other_session) = statement.apply(&self.pools, view, bounded);
            let counts = applies != Tri::No || other_session;
            counts.then_some(Match { index, effect: statement.effect, applies, via, other_session })
        })
    }
}

impl Statement {
    fn apply(&self, pools: &Pools, view: &View<'_>, bounded: bool) -> (Tri, Via, bool) {
        const NOT: (Tri, Via, bool) = (Tri::No, Via::Direct, false);
        let action = self.action.covers_action(view, pools);
        let Some(resource) = self.resource.filter(|_| action) else { return NOT };
        let (principal, via) = self.principal_applies(pools, view, bounded);
        if principal == Tri::No {
            let caller = &view.request.principal;
            let other = self.principal.filter(|p| !p.negated).is_some_and(|p| {
                p.entries.of(&pools.principals).iter().any(|p| p.is_session_of(caller, &pools.text))
            });
            return (Tri::No, via, other);
        }
        let resource = resource.covers_key(view, pools);
        let mut applies = principal.and(resource);
        for condition in self.conditions.of(&pools.conditions) {
            if applies == Tri::No {
                break;
            }
            applies = applies.and(condition.holds(self.effect, pools, view));
        }
        (applies, via, false)
    }

    /// Whether the statement is for the caller. A statement without principals is for whoever the policy is attached to.
    pub(super) fn principal_applies(&self, pools: &Pools, view: &View<'_>, bounded: bool) -> (Tri, Via) {
        let Some(principal) = self.principal else { return (Tri::Yes, Via::Direct) };
        let (caller, key) = (&view.request.principal, &view.request.key);
        let listed = principal.entries.of(&pools.principals);
        let found = listed.iter().filter_map(|p| p.covers(caller, key, &pools.text));
        if !principal.negated {
            let mut best = None;
            for via in found {
                best = match (best, via) {
                    (_, Via::Direct) | (Some(Via::Direct), _) => Some(Via::Direct),
                    (_, Via::Role) | (Some(Via::Role), _) => Some(Via::Role),
                    _ => Some(Via::Account),
                };
            }
            return best.map_or((Tri::No, Via::Direct), |via| (Tri::Yes, via));
        }
        let (mut direct, mut role, mut account) = (false, false, false);
        for via in found {
            match via {
                Via::Direct => direct = true,
                Via::Role => role = true,
                Via::Account => account = true,
            }
        }
        let everyone = listed.iter().any(|p| matches!(p, PrincipalMatcher::Everyone));
        let all = everyone
            || match caller.kind() {
                PrincipalKind::Root | PrincipalKind::Service => direct,
                PrincipalKind::User | PrincipalKind::FederatedUser => direct && account,
                PrincipalKind::Session => direct && role && account,
                // Which session calls is not known, so it cannot be listed.
                PrincipalKind::Role => false,
            };
        let applies = match self.effect {
            Effect::Deny if bounded => Tri::Yes,
            _ if all => Tri::No,
            // AWS does not support Allow with NotPrincipal, and does not say what it does.
            Effect::Allow => Tri::Maybe,
            Effect::Deny if direct || role || account => Tri::Maybe,
            Effect::Deny => Tri::Yes,
        };
        (applies, Via::Direct)
    }
}

impl Element<Pattern> {
    fn covers_action(&self, view: &View<'_>, pools: &Pools) -> bool {
        let action = view.request.action.lower();
        let listed = self.entries.of(&pools.patterns);
        // An action holds no variables, so a match is never in doubt.
        listed.iter().any(|pattern| pattern.matches_like(action, pools, view) == Tri::Yes) != self.negated
    }

    /// Whether the element covers the key. `*` is this key.
    pub(super) fn covers_key(&self, view: &View<'_>, pools: &Pools) -> Tri {
        let key = view.request.key.as_str();
        let listed = self.entries.of(&pools.patterns);
        let matched = Tri::any(listed.iter().map(|pattern| pattern.matches_arn(key, pools, view)));
        if !self.negated {
            return matched;
        }
        let valued = Tri::any(listed.iter().map(|pattern| pattern.lacks_value(pools, view))).not();
        matched.not().and(valued)
    }
}
