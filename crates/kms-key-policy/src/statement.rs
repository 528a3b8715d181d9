//! Whether a statement applies to a request.

use crate::applicability::Applicability;
use crate::context::RequestView;
use crate::pattern::Pattern;
use crate::policy::{Effect, Element, Policy, Pools, Statement};
use crate::principal::{Coverage, PrincipalKind, PrincipalMatcher};

/// A statement that applies, may apply, or names another session of the role that calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StatementMatch {
    /// Position in the policy, from 0.
    pub(crate) index: usize,
    pub(crate) effect: Effect,
    pub(crate) applies: Applicability,
    pub(crate) coverage: Coverage,
    /// Whether it does not apply only because it names another session of the role that calls.
    pub(crate) other_session: bool,
}

impl Policy {
    /// The statements that apply or may apply to the request, in their order.
    ///
    /// `bounded` says whether the caller has a permissions boundary. NotPrincipal works differently then.
    pub(crate) fn matches<'a>(
        &'a self,
        view: &'a RequestView<'a>,
        bounded: bool,
    ) -> impl Iterator<Item = StatementMatch> + 'a {
        let request = view.request;
        self.index.candidates(&request.selectors, request.action_hash).filter_map(move |index| {
            let statement = self.statements.get(index)?;
            let (applies, coverage, other_session) = statement.apply(&self.pools, view, bounded);
            let counts = applies != Applicability::DoesNotApply || other_session;
            counts.then_some(StatementMatch {
                index,
                effect: statement.effect,
                applies,
                coverage,
                other_session,
            })
        })
    }
}

impl Statement {
    fn apply(&self, pools: &Pools, view: &RequestView<'_>, bounded: bool) -> (Applicability, Coverage, bool) {
        const NOT: (Applicability, Coverage, bool) = (Applicability::DoesNotApply, Coverage::Direct, false);
        let action = self.action.covers_action(view, pools);
        let Some(resource) = self.resource.filter(|_| action) else { return NOT };
        let (principal, coverage) = self.principal_applies(pools, view, bounded);
        if principal == Applicability::DoesNotApply {
            let caller = &view.request.principal;
            let other = self.principal.filter(|p| !p.negated).is_some_and(|p| {
                p.entries.of(&pools.principals).iter().any(|p| p.is_session_of(caller, &pools.text))
            });
            return (Applicability::DoesNotApply, coverage, other);
        }
        let resource = resource.covers_key(view, pools);
        let mut applies = principal.and(resource);
        for condition in self.conditions.of(&pools.conditions) {
            if applies == Applicability::DoesNotApply {
                break;
            }
            applies = applies.and(condition.holds(self.effect, pools, view));
        }
        (applies, coverage, false)
    }

    /// Whether the statement covers the caller. A statement without principals covers whoever the policy is attached
    /// to.
    pub(crate) fn principal_applies(
        &self,
        pools: &Pools,
        view: &RequestView<'_>,
        bounded: bool,
    ) -> (Applicability, Coverage) {
        let Some(principal) = self.principal else { return (Applicability::Applies, Coverage::Direct) };
        let (caller, key) = (&view.request.principal, &view.request.key);
        let listed = principal.entries.of(&pools.principals);
        let found = listed.iter().filter_map(|p| p.covers(caller, key, &pools.text));
        if !principal.negated {
            let mut best = None;
            for coverage in found {
                best = match (best, coverage) {
                    (_, Coverage::Direct) | (Some(Coverage::Direct), _) => Some(Coverage::Direct),
                    (_, Coverage::Role) | (Some(Coverage::Role), _) => Some(Coverage::Role),
                    _ => Some(Coverage::Account),
                };
            }
            return best.map_or((Applicability::DoesNotApply, Coverage::Direct), |coverage| {
                (Applicability::Applies, coverage)
            });
        }
        let (mut direct, mut role, mut account) = (false, false, false);
        for coverage in found {
            match coverage {
                Coverage::Direct => direct = true,
                Coverage::Role => role = true,
                Coverage::Account => account = true,
            }
        }
        let everyone = listed.iter().any(|p| matches!(p, PrincipalMatcher::Everyone));
        let all = everyone
            || match caller.kind() {
                PrincipalKind::Root | PrincipalKind::Service => direct,
                PrincipalKind::User | PrincipalKind::FederatedUser => direct && account,
                PrincipalKind::Session => direct && role && account,
                // The name of the session is unknown, so no statement can list it.
                PrincipalKind::Role => false,
            };
        let applies = match self.effect {
            Effect::Deny if bounded => Applicability::Applies,
            _ if all => Applicability::DoesNotApply,
            // AWS does not support Allow with NotPrincipal, and does not say what it does.
            Effect::Allow => Applicability::Unknown,
            Effect::Deny if direct || role || account => Applicability::Unknown,
            Effect::Deny => Applicability::Applies,
        };
        (applies, Coverage::Direct)
    }
}

impl Element<Pattern> {
    /// Whether the element covers the request's action.
    pub(crate) fn covers_action(&self, view: &RequestView<'_>, pools: &Pools) -> bool {
        let action = view.request.action.lower();
        let listed = self.entries.of(&pools.patterns);
        // An action has no variables, so a match is never unknown.
        listed.iter().any(|pattern| pattern.matches_like(action, pools, view) == Applicability::Applies)
            != self.negated
    }

    /// Whether the element covers the key. `*` covers it.
    pub(crate) fn covers_key(&self, view: &RequestView<'_>, pools: &Pools) -> Applicability {
        let key = view.request.key.as_str();
        let listed = self.entries.of(&pools.patterns);
        let matched = Applicability::any(listed.iter().map(|pattern| pattern.matches_arn(key, pools, view)));
        if !self.negated {
            return matched;
        }
        let valued = Applicability::any(listed.iter().map(|pattern| pattern.lacks_value(pools, view))).not();
        matched.not().and(valued)
    }
}
