//! Reads the Principal and NotPrincipal elements.

use super::{Parser, PolicyKind};
use crate::arn::AccountId;
use crate::error::{JsonPath, ParseProblem, ParseResult};
use crate::json::{JsonKind, JsonReader};
use crate::policy::PoolRange;
use crate::principal::PrincipalMatcher;
use crate::warning::WarningKind;

impl<'t> Parser<'t> {
    pub(super) fn principals(
        &mut self,
        reader: &mut JsonReader<'t>,
        path: &JsonPath<'_>,
    ) -> ParseResult<PoolRange<PrincipalMatcher>> {
        let start = self.pools.principals.len();
        let kind = reader.peek();
        if self.kind == PolicyKind::ResourceControl && !matches!(kind, JsonKind::String | JsonKind::Other) {
            return Err(path.error(ParseProblem::OnlyEverybody));
        }
        if kind == JsonKind::String {
            let text = reader.text(path)?;
            if text != "*" && self.kind == PolicyKind::ResourceControl {
                return Err(path.error(ParseProblem::OnlyEverybody));
            }
            if text != "*" {
                return Err(path.error(ParseProblem::BarePrincipal(text.into_owned())));
            }
            self.pools.principals.push(PrincipalMatcher::Everyone);
        } else {
            let mark = self.names.len();
            reader.object(path, "`*` or an object", |reader, name| {
                let member = path.member(&name);
                let read: fn(&mut Self, &str, &JsonPath<'_>) -> PrincipalMatcher = match &*name {
                    "AWS" => Self::aws_principal,
                    "Service" => Self::service,
                    "Federated" => |parser, text, path| parser.never_calls("federated", text, path),
                    "CanonicalUser" => |parser, text, path| parser.never_calls("canonical user", text, path),
                    _ => {
                        let known = "AWS, Service, Federated, CanonicalUser";
                        let of = "a principal";
                        return Err(path.error(ParseProblem::UnknownElement {
                            name: name.into(),
                            of,
                            known,
                        }));
                    }
                };
                reader.one_or_many(&member, |reader, path| {
                    let text = reader.scalar(path)?;
                    let principal = read(self, &text, path);
                    self.pools.principals.push(principal);
                    Ok(())
                })?;
                self.names.push(name);
                Ok(())
            })?;
            self.distinct(mark, false, path)?;
        }
        Ok(PoolRange::since(start, &self.pools.principals))
    }

    fn aws_principal(&mut self, text: &str, path: &JsonPath<'_>) -> PrincipalMatcher {
        if text == "*" {
            return PrincipalMatcher::Everyone;
        }
        if let Some(account) = AccountId::parse(text) {
            return PrincipalMatcher::Account { partition: None, account };
        }
        self.pools.named_principal(text).unwrap_or_else(|| {
            let text = text.to_owned();
            let kind = if is_unique_id(&text) {
                WarningKind::OrphanPrincipal(text)
            } else {
                WarningKind::InvalidPrincipal(text)
            };
            self.warn(path, kind);
            PrincipalMatcher::Nobody
        })
    }

    fn service(&mut self, text: &str, path: &JsonPath<'_>) -> PrincipalMatcher {
        if text.contains(['*', '?']) {
            self.warn(path, WarningKind::InvalidPrincipal(text.to_owned()));
            return PrincipalMatcher::Nobody;
        }
        PrincipalMatcher::Service { name: self.pools.add_text(text) }
    }

    fn never_calls(&mut self, what: &'static str, text: &str, path: &JsonPath<'_>) -> PrincipalMatcher {
        self.warn(path, WarningKind::NeverCalls(what, text.to_owned()));
        PrincipalMatcher::Nobody
    }
}

/// Whether a text is the unique id that replaces a principal after its deletion, such as `AROA…` for a role.
fn is_unique_id(text: &str) -> bool {
    let known = ["AROA", "AIDA", "AGPA", "ANPA", "AIPA"].iter().any(|prefix| text.starts_with(prefix));
    known && text.len() >= 16 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}
