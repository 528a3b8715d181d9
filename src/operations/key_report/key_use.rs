//! Who uses a key, as an audit found it, and what the key says about them.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{
    CallerKind, DecidingRule, KeyAdmission, KeyCaller, KeyRules, KeyRulesError, KeyVerdict, PrincipalArn,
};
use crate::audit::{Audit, AuditLine, Rating};
use crate::key::KeyArn;
use crate::report::{AccountAdmission, AccountUse, KeyUse, RefusedPrincipal};

/// How many accounts and Regions a line names.
const MOST_NAMED: usize = 20;

/// The accounts of an audit that use a key, and those of them whom the key refuses.
pub(super) fn key_use(
    rules: &KeyRules,
    admissions: &[KeyAdmission],
    key: &KeyArn,
    source: &str,
    audit: &Audit,
) -> Result<KeyUse, KeyRulesError> {
    let mut by_account: BTreeMap<&str, Vec<&AuditLine>> = BTreeMap::new();
    for line in audit.lines().filter(|line| has_key(line, key.as_str())) {
        by_account.entry(&line.place.account).or_default().push(line);
    }
    // In a Region that is not enabled, nothing can use the key.
    let is_unseen = |line: &&AuditLine| line.unreadable.is_some() && line.rating() == Rating::Unknown;
    let unreadable = audit.lines().filter(is_unseen).count();
    let accounts =
        by_account.into_iter().map(|(account, lines)| account_use(rules, admissions, account, &lines));
    Ok(KeyUse {
        audit: source.to_owned(),
        places: audit.len(),
        unreadable,
        accounts: accounts.collect::<Result<_, _>>()?,
    })
}

/// Whether a version of the document has the key, or its owner wants it.
fn has_key(line: &AuditLine, key: &str) -> bool {
    let of_document = line.document.iter().flat_map(|document| {
        [Some(&document.kms_key_id), document.default_kms_key_id.as_ref()].into_iter().flatten()
    });
    let described = line.keys.iter().filter_map(|key| key.arn.as_ref());
    of_document.chain(described).chain(&line.wanted).any(|named| named == key)
}

fn account_use(
    rules: &KeyRules,
    admissions: &[KeyAdmission],
    account: &str,
    lines: &[&AuditLine],
) -> Result<AccountUse, KeyRulesError> {
    let mut refused = BTreeSet::new();
    for (principal, side) in lines.iter().flat_map(|line| known_principals(line)).collect::<BTreeSet<_>>() {
        if let Some(why) = refusal(&rules.evaluate(&principal, side)?) {
            refused.insert(RefusedPrincipal { principal: principal.to_string(), side, why });
        }
    }
    Ok(AccountUse {
        account: account.to_owned(),
        name: lines.iter().find_map(|line| line.place.account_name.clone()),
        regions: lines.iter().map(|line| line.place.region.clone()).collect(),
        users: account_admission(rules, admissions, account, CallerKind::User)?,
        nodes: account_admission(rules, admissions, account, CallerKind::Node)?,
        refused: refused.into_iter().collect(),
    })
}

/// Those of whom the line says that they need the key, exempt principals aside. Of those who can use it, it says nothing.
fn known_principals(line: &AuditLine) -> impl Iterator<Item = (PrincipalArn, CallerKind)> {
    let locked_out = line.locked_out.iter().map(|one| (one.principal.as_str(), one.side));
    let found = line.findings.iter().filter(|finding| !finding.exempt);
    let found = found.filter_map(|finding| Some((finding.subject.as_str(), finding.side?)));
    locked_out.chain(found).filter_map(|(arn, side)| Some((PrincipalArn::parse(arn).ok()?, side)))
}

/// Why the key refuses, if it does.
fn refusal(verdict: &KeyVerdict) -> Option<String> {
    match verdict {
        KeyVerdict::ExplicitDeny { by } => Some(format!("{} denies it", DecidingRule::names(by))),
        KeyVerdict::ImplicitDeny { why } => Some(why.clone()),
        KeyVerdict::Allows { .. } | KeyVerdict::Depends { .. } => None,
    }
}

fn account_admission(
    rules: &KeyRules,
    admissions: &[KeyAdmission],
    account: &str,
    side: CallerKind,
) -> Result<AccountAdmission, KeyRulesError> {
    let of_account = KeyCaller::Account(account.to_owned());
    Ok(match rules.evaluate_caller(&of_account, side)? {
        KeyVerdict::Allows { .. } => AccountAdmission::Admitted,
        KeyVerdict::Depends { .. } => AccountAdmission::Depends,
        KeyVerdict::ExplicitDeny { .. } | KeyVerdict::ImplicitDeny { .. } => {
            let by_name = |one: &KeyAdmission| {
                let verdict = if side == CallerKind::User { &one.user } else { &one.node };
                let is_principal = matches!(one.caller, KeyCaller::Principal(_));
                is_principal && one.caller.account() == Some(account) && !verdict.refuses()
            };
            if admissions.iter().any(by_name) {
                AccountAdmission::ByNameOnly
            } else {
                AccountAdmission::Refused
            }
        }
    })
}

/// What breaks if the key cannot be used any more, and what does not.
pub(super) fn consequences(key_use: Option<&KeyUse>) -> Vec<String> {
    let mut lines = vec!["Rotating the key's material keeps its ARN: sessions notice nothing.".to_owned()];
    let Some(key_use) = key_use else { return lines };
    let places: Vec<String> = key_use
        .accounts
        .iter()
        .flat_map(|account| account.regions.iter().map(|region| format!("{} in {region}", account.account)))
        .collect();
    let named = |places: &[String]| {
        let more = match places.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let first: Vec<_> = places.iter().take(MOST_NAMED).map(String::as_str).collect();
        format!("{}{more}", first.join(", "))
    };
    if places.is_empty() {
        lines.push(match key_use.unreadable {
            0 => "No account and Region of the audit uses the key: disabling it breaks no session there.".to_owned(),
            unreadable => format!(
                "No account and Region of the audit is known to use the key, but {unreadable} could not be looked at."
            ),
        });
        return lines;
    }
    lines.push(format!(
        "If the key is disabled, deleted or withdrawn from these accounts, every session fails in account {}.",
        named(&places)
    ));
    lines.push(
        "If another key takes its place, its policy has to admit the same users and nodes before the documents are changed \
         to it; then change the documents, and disable this key last."
            .to_owned(),
    );
    lines.push(
        "Whoever may change the key's policy decides whether sessions work in all of these accounts."
            .to_owned(),
    );
    lines
}
