//! Makes the rows of callers and rules from what the key's side says.

use serde_json::Value;

use super::{CallAdmission, CallerAdmission, ListedCaller, ListedRule, NamedAs};
use crate::access::{DecidingRule, KeyAdmission, KeyCaller, KeyVerdict, RuleApplies, SessionRule};
use crate::preflight::Verdict;

impl ListedCaller {
    pub(super) fn new(admission: &KeyAdmission, statements: &[Value]) -> Self {
        let [user, node] = [&admission.user, &admission.node].map(CallerAdmission::new);
        let (named_as, caller) = match &admission.caller {
            KeyCaller::Principal(arn) => (NamedAs::Name, arn.clone()),
            KeyCaller::Account(account) => (NamedAs::Account, format!("account {account}")),
            KeyCaller::Everyone => match organizations(&[&user, &node], statements) {
                Some(names) => (NamedAs::Organization, format!("everyone in {names}")),
                None => (NamedAs::Everyone, "everyone".to_owned()),
            },
        };
        Self { caller, named_as, user, node }
    }

    /// What the key says, in the order of the columns.
    pub(in crate::report) fn cells(&self) -> [&CallerAdmission; 2] {
        [&self.user, &self.node]
    }

    pub(super) fn is_refused(&self) -> bool {
        self.cells().iter().all(|cell| cell.admission >= CallAdmission::NotAdmitted)
    }

    pub(super) fn is_not_admitted(&self) -> bool {
        self.cells().iter().all(|cell| cell.admission == CallAdmission::NotAdmitted)
    }

    pub(super) fn depends(&self) -> bool {
        self.cells().iter().any(|cell| cell.admission == CallAdmission::Depends)
    }
}

impl CallerAdmission {
    pub(super) fn new(verdict: &KeyVerdict) -> Self {
        let (admission, by, depends_on) = match verdict {
            KeyVerdict::Allows { is_sufficient: true, by } => (CallAdmission::Admitted, by.as_slice(), None),
            KeyVerdict::Allows { is_sufficient: false, by } => {
                (CallAdmission::OwnPoliciesDecide, by.as_slice(), None)
            }
            KeyVerdict::Depends { on, by, .. } => (CallAdmission::Depends, by.as_slice(), Some(on.clone())),
            KeyVerdict::ImplicitDeny { .. } => (CallAdmission::NotAdmitted, [].as_slice(), None),
            KeyVerdict::ExplicitDeny { by } => (CallAdmission::Denied, by.as_slice(), None),
        };
        Self {
            admission,
            by: by.iter().map(|rule| rule.name.clone()).collect(),
            key_policy_statements: by.iter().filter_map(|rule| rule.key_policy_statement).collect(),
            depends_on,
        }
    }

    pub(in crate::report) const fn verdict(&self) -> Verdict {
        match self.admission {
            CallAdmission::Admitted | CallAdmission::OwnPoliciesDecide => Verdict::Pass,
            CallAdmission::Depends => Verdict::Unknown,
            CallAdmission::NotAdmitted => Verdict::Warning,
            CallAdmission::Denied => Verdict::Fail,
        }
    }

    /// The words of the cell: `own policies decide`.
    pub(in crate::report) const fn words(&self) -> &'static str {
        match self.admission {
            CallAdmission::Admitted => "admitted",
            CallAdmission::OwnPoliciesDecide => "own policies decide",
            CallAdmission::Depends => "depends",
            CallAdmission::NotAdmitted => "not admitted",
            CallAdmission::Denied => "denied",
        }
    }

    /// By what, and on what it depends, in one line; empty if there is nothing to say.
    pub(in crate::report) fn reason(&self) -> String {
        let by = self.by.join(", ");
        match &self.depends_on {
            Some(on) if by.is_empty() => format!("depends on {on}"),
            Some(on) => format!("{by}; depends on {on}"),
            None => by,
        }
    }
}

impl ListedRule {
    pub(super) fn new(rule: &SessionRule, statements: &[Value], grants: &[Value]) -> Self {
        let DecidingRule { name, key_policy_statement } = rule.rule.clone();
        let of_grant = || {
            let named = |grant: &&Value| {
                grant.get("GrantId").and_then(Value::as_str).is_some_and(|id| name == format!("grant {id}"))
            };
            grants.iter().find(named)?.get("Constraints")
        };
        let conditions = match key_policy_statement {
            Some(index) => statements.get(index).and_then(|statement| statement.get("Condition")),
            None => of_grant(),
        };
        let applies = |applies: &RuleApplies| match applies {
            RuleApplies::Always => "always".to_owned(),
            RuleApplies::Never => "never".to_owned(),
            RuleApplies::Depends(on) => format!("depends on {}", on.join(", ")),
        };
        Self {
            key_policy_statement,
            denies: rule.denies,
            callers: rule.callers.iter().map(ToString::to_string).collect(),
            is_all_but: rule.is_all_but,
            user: rule.user.as_ref().map(applies),
            node: rule.node.as_ref().map(applies),
            conditions: conditions.filter(|value| **value != Value::Object(serde_json::Map::new())).cloned(),
            name,
        }
    }

    /// What the rule does and about whom, in one line.
    pub(in crate::report) fn line(&self) -> String {
        let effect = if self.denies { "denies" } else { "allows" };
        let whom = match (self.is_all_but, self.callers.is_empty()) {
            (true, true) => "everyone".to_owned(),
            (true, false) => format!("everyone but {}", self.callers.join(", ")),
            (false, true) => "nobody who could start sessions".to_owned(),
            (false, false) => self.callers.join(", "),
        };
        format!("{} {effect} {whom}", self.name)
    }

    /// When the rule applies to each call that it is about, in one line.
    pub(in crate::report) fn scope(&self) -> String {
        let sides = [("users", &self.user), ("nodes", &self.node)];
        let sides: Vec<_> = sides
            .iter()
            .filter_map(|(side, applies)| applies.as_ref().map(|applies| format!("{side}: {applies}")))
            .collect();
        sides.join("; ")
    }
}

/// The organizations to which each Allow that may admit everybody is limited; `None` if one is not.
fn organizations(cells: &[&CallerAdmission], statements: &[Value]) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    let mut is_limited = false;
    for index in cells.iter().flat_map(|cell| &cell.key_policy_statements) {
        let statement = statements.get(*index)?;
        if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
            continue;
        }
        let found = values_of(statement, "aws:PrincipalOrgID", "organization")
            .or_else(|| values_of(statement, "aws:PrincipalOrgPaths", "organizational unit"))?;
        is_limited = true;
        names.extend(found);
    }
    let is_by_grant = cells.iter().any(|cell| cell.by.len() > cell.key_policy_statements.len());
    names.sort();
    names.dedup();
    (is_limited && !is_by_grant).then(|| names.join(" or "))
}

/// The values that a statement's conditions ask of a key, by an operator that asks for equality or likeness.
fn values_of(statement: &Value, key: &str, what: &str) -> Option<Vec<String>> {
    let conditions = statement.get("Condition")?.as_object()?;
    let asks = |operator: &str| {
        let operator = operator.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
        matches!(operator.as_str(), "stringequals" | "stringlike" | "stringequalsignorecase")
    };
    for (_, keys) in conditions.iter().filter(|(operator, _)| asks(operator)) {
        let found = keys.as_object().into_iter().flatten().find(|(name, _)| name.eq_ignore_ascii_case(key));
        let values = match found {
            Some((_, Value::Array(values))) => values.iter().filter_map(Value::as_str).collect(),
            Some((_, Value::String(value))) => vec![value.as_str()],
            _ => continue,
        };
        return Some(values.into_iter().map(|value| format!("{what} {value}")).collect());
    }
    None
}
