//! Grants on a key, as `ListGrants` returns them. A grant adds an Allow, and never overrides a Deny.

use crate::applicability::Applicability;
use crate::arn::AccountId;
use crate::context::{KeyState, RequestView};
use crate::error::{JsonPath, ParseError, ParseProblem, ParseResult};
use crate::json::{JsonKind, JsonReader};
use crate::policy::Pools;
use crate::principal::{Coverage, PrincipalMatcher};
use crate::request::ENCRYPTION_CONTEXT;
use crate::text::hash_folded;

/// The grants on a key.
///
/// ```
/// use kms_key_policy::Grants;
///
/// let grants = Grants::parse(
///     r#"{"Grants": [{
///         "GrantId": "1a2b", "GranteePrincipal": "arn:aws:iam::444455556666:role/App", "Operations": ["Decrypt"],
///         "Constraints": {"EncryptionContextSubset": {"team": "red"}}}], "Truncated": false}"#,
/// )?;
/// assert_eq!(Grants::parse("{}").unwrap_err().to_string(), "$: has no Grants");
/// # Ok::<(), kms_key_policy::ParseError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Grants {
    pub(crate) pools: Pools,
    pub(crate) list: Vec<Grant>,
    truncated: bool,
}

/// One grant.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) id: Option<String>,
    /// The key that the grant is on. A list of one key's grants may leave it out.
    pub(crate) key: Option<String>,
    /// The grantees. There is none if the grant does not name one, and two if it names a principal and a service.
    grantees: Vec<PrincipalMatcher>,
    /// The operations in lower case; `None` if the grant does not name them.
    operations: Option<Vec<String>>,
    retiring: Vec<PrincipalMatcher>,
    pub(crate) constraints: Constraints,
    /// Why it is undocumented what the grant allows.
    pub(crate) undocumented: Option<&'static str>,
}

/// The conditions that a request must meet for the grant to apply.
#[derive(Debug, Clone, Default)]
pub(crate) struct Constraints {
    /// The pairs that the encryption context must consist of.
    pub(crate) equals: Option<Vec<(String, String)>>,
    /// Pairs that the encryption context must have.
    pub(crate) subset: Vec<(String, String)>,
    /// The resource for which a service must make the call.
    pub(crate) source_arn: Option<String>,
    /// The name of a constraint that this reader does not know.
    pub(crate) unknown: Option<String>,
}

impl Grants {
    /// No grants.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads the answer of `ListGrants`, or the list in it, from JSON. A grant that cannot be read does not fail the
    /// list: requests that it may allow get the decision *depends*. The same holds for a grant that does not name its
    /// grantee or its operations.
    ///
    /// # Errors
    /// [`ParseError`] names the position and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut grants = Self::default();
        let mut reader = JsonReader::new(text);
        let root = JsonPath::Root;
        if reader.peek() == JsonKind::Array {
            grants.read_list(&mut reader, &root)?;
        } else {
            let mut listed = false;
            reader.object(&root, "a list of grants", |reader, name| {
                let path = root.member(&name);
                match &*name {
                    "Grants" => {
                        listed = true;
                        grants.read_list(reader, &path)
                    }
                    "Truncated" => {
                        grants.truncated = &*reader.scalar(&path)? == "true";
                        Ok(())
                    }
                    _ => reader.skip(&path),
                }
            })?;
            if !listed {
                return Err(root.error(ParseProblem::Missing("Grants")));
            }
        }
        reader.end()?;
        Ok(grants)
    }

    /// Whether `ListGrants` said that there are more grants.
    pub(crate) const fn is_truncated(&self) -> bool {
        self.truncated
    }

    fn read_list(&mut self, reader: &mut JsonReader<'_>, path: &JsonPath<'_>) -> ParseResult<()> {
        reader.one_or_many(path, |reader, path| {
            // A grant that cannot be read may be for anybody. It must not make the other grants unreadable.
            let mut own = JsonReader::new(reader.raw(path)?);
            let grant = self.read_grant(&mut own, path).unwrap_or_else(|_| Grant::unreadable());
            self.list.push(grant);
            Ok(())
        })
    }

    fn read_grant(&mut self, reader: &mut JsonReader<'_>, grant: &JsonPath<'_>) -> ParseResult<Grant> {
        let (mut id, mut key, mut principal, mut service) = (None, None, None, None);
        let (mut operations, mut retiring, mut retiring_service) = (None, None, None);
        let mut constraints = Constraints::default();
        reader.object(grant, "a grant (an object)", |reader, name| {
            let path = grant.member(&name);
            if reader.peek() == JsonKind::Null {
                return reader.skip(&path);
            }
            let before = match &*name {
                "GrantId" => id.replace(reader.text(&path)?.into_owned()).is_some(),
                "KeyId" => key.replace(reader.text(&path)?.into_owned()).is_some(),
                "GranteePrincipal" => {
                    let text = reader.text(&path)?;
                    principal.replace(self.pools.grantee(&text)).is_some()
                }
                "GranteeServicePrincipal" => {
                    let name = self.pools.add_text(&reader.text(&path)?);
                    service.replace(PrincipalMatcher::Service { name }).is_some()
                }
                "RetiringPrincipal" => {
                    let text = reader.text(&path)?;
                    retiring.replace(self.pools.grantee(&text)).is_some()
                }
                "RetiringServicePrincipal" => {
                    let name = self.pools.add_text(&reader.text(&path)?);
                    retiring_service.replace(PrincipalMatcher::Service { name }).is_some()
                }
                "Operations" => operations.replace(read_operations(reader, &path)?).is_some(),
                "Constraints" => {
                    constraints = Constraints::read(reader, &path)?;
                    false
                }
                _ => {
                    reader.skip(&path)?;
                    false
                }
            };
            if before { Err(grant.error(ParseProblem::Duplicate { name: name.into() })) } else { Ok(()) }
        })?;
        let undocumented = match (&principal, &service, &operations) {
            (None, None, _) => Some("names no grantee"),
            (Some(_), Some(_), _) => Some("names two grantees, a principal and a service"),
            (_, _, None) => Some("names no operations"),
            _ => None,
        };
        Ok(Grant {
            id,
            key,
            grantees: principal.into_iter().chain(service).collect(),
            operations,
            retiring: retiring.into_iter().chain(retiring_service).collect(),
            constraints,
            undocumented,
        })
    }
}

fn read_operations(reader: &mut JsonReader<'_>, path: &JsonPath<'_>) -> ParseResult<Vec<String>> {
    let mut operations = Vec::new();
    reader.one_or_many(path, |reader, path| {
        operations.push(reader.text(path)?.to_ascii_lowercase());
        Ok(())
    })?;
    Ok(operations)
}

impl Constraints {
    fn read(reader: &mut JsonReader<'_>, path: &JsonPath<'_>) -> ParseResult<Self> {
        let mut constraints = Self::default();
        reader.object(path, "an object of constraints", |reader, name| {
            let path = path.member(&name);
            if reader.peek() == JsonKind::Null {
                return reader.skip(&path);
            }
            match &*name {
                "EncryptionContextEquals" => constraints.equals = Some(read_pairs(reader, &path)?),
                "EncryptionContextSubset" => constraints.subset = read_pairs(reader, &path)?,
                "SourceArn" => constraints.source_arn = Some(reader.text(&path)?.into_owned()),
                _ => {
                    reader.skip(&path)?;
                    constraints.unknown = Some(name.into_owned());
                }
            }
            Ok(())
        })?;
        Ok(constraints)
    }

    /// The pairs that the encryption context must have.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &(String, String)> {
        self.subset.iter().chain(self.equals.iter().flatten())
    }

    /// Whether the request meets the constraints.
    fn hold(&self, view: &RequestView<'_>) -> Applicability {
        let action = &view.request.action;
        let encryption = if action.is_cryptographic() {
            let exact =
                self.equals.as_ref().map_or(Applicability::Applies, |pairs| has_no_other_keys(pairs, view));
            Applicability::all(self.pairs().map(|(key, value)| has_pair(key, value, view))).and(exact)
        } else if action.operation() == "creategrant" && self.pairs().next().is_some() {
            // The new grant must have constraints that are as strict. The request's context does not have them.
            Applicability::Unknown
        } else {
            Applicability::Applies
        };
        let source = match &self.source_arn {
            None => Applicability::Applies,
            Some(arn) => has_value("aws:sourcearn", arn, view),
        };
        let unknown = if self.unknown.is_some() { Applicability::Unknown } else { Applicability::Applies };
        encryption.and(source).and(unknown)
    }
}

fn read_pairs(reader: &mut JsonReader<'_>, path: &JsonPath<'_>) -> ParseResult<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    reader.object(path, "an object of texts", |reader, name| {
        if pairs.iter().any(|(known, _)| *known == *name) {
            return Err(path.error(ParseProblem::Duplicate { name: name.into() }));
        }
        let value = reader.text(&path.member(&name))?.into_owned();
        pairs.push((name.into_owned(), value));
        Ok(())
    })?;
    Ok(pairs)
}

fn has_value(lower: &str, wanted: &str, view: &RequestView<'_>) -> Applicability {
    match view.find(hash_folded(lower), lower).1 {
        KeyState::Known { values: [value], .. } => (value == wanted).into(),
        KeyState::Known { .. } | KeyState::Absent => Applicability::DoesNotApply,
        KeyState::Present | KeyState::Unknown | KeyState::SessionRole(_) => Applicability::Unknown,
    }
}

/// Whether the encryption context has a pair. The case of name and value matters.
fn has_pair(key: &str, value: &str, view: &RequestView<'_>) -> Applicability {
    let mut lower = String::from(ENCRYPTION_CONTEXT);
    lower.extend(crate::text::folded(key));
    let (written, _) = view.find(hash_folded(&lower), &lower);
    let other_case = written.and_then(|w| w.get(ENCRYPTION_CONTEXT.len()..)).is_some_and(|name| name != key);
    if other_case || lists_key(key, view) == Applicability::DoesNotApply {
        return Applicability::DoesNotApply;
    }
    has_value(&lower, value, view)
}

/// Whether the encryption context has this name.
fn lists_key(key: &str, view: &RequestView<'_>) -> Applicability {
    match encryption_keys(view) {
        Some(keys) => keys.iter().any(|k| k == key).into(),
        None => Applicability::Unknown,
    }
}

fn has_no_other_keys(pairs: &[(String, String)], view: &RequestView<'_>) -> Applicability {
    match encryption_keys(view) {
        Some(keys) => keys.iter().all(|key| pairs.iter().any(|(k, _)| k == key)).into(),
        None => Applicability::Unknown,
    }
}

/// The names of the encryption context, if they are known.
fn encryption_keys<'a>(view: &RequestView<'a>) -> Option<&'a [String]> {
    const KEYS: &str = "kms:encryptioncontextkeys";
    match view.find(hash_folded(KEYS), KEYS).1 {
        KeyState::Known { values, .. } => Some(values),
        KeyState::Absent => Some(&[]),
        KeyState::Present | KeyState::Unknown | KeyState::SessionRole(_) => None,
    }
}

impl Grant {
    /// How the grant covers the caller, and whether its constraints are met; `None` if it does not cover the request.
    pub(crate) fn admits(&self, pools: &Pools, view: &RequestView<'_>) -> Option<(Coverage, Applicability)> {
        let request = view.request;
        if !self.is_on(request.key.as_str(), request.key.id()) {
            return None;
        }
        let operation = request.action.operation();
        let covers = |list: &[PrincipalMatcher]| {
            let mut found =
                list.iter().filter_map(|p| p.covers(&request.principal, &request.key, &pools.text));
            found.next()
        };
        if operation == "retiregrant"
            && let Some(coverage) = covers(&self.retiring)
        {
            // A retiring principal needs nothing else to retire the grant (KMS developer guide, grant-delete).
            return Some((coverage, Applicability::Applies));
        }
        let applies = self.concerns(view)?;
        let coverage = if self.grantees.is_empty() { Coverage::Direct } else { covers(&self.grantees)? };
        Some((coverage, applies))
    }

    /// Whether the grant's constraints are met, whoever calls; `None` if it is not about the request's action on the
    /// request's key.
    pub(crate) fn concerns(&self, view: &RequestView<'_>) -> Option<Applicability> {
        let request = view.request;
        let operation = request.action.operation();
        let lists_operation = self.operations.as_ref().is_none_or(|list| list.iter().any(|o| o == operation));
        if operation.is_empty() || !lists_operation || !self.is_on(request.key.as_str(), request.key.id()) {
            return None;
        }
        let certain =
            if self.undocumented.is_some() { Applicability::Unknown } else { Applicability::Applies };
        Some(self.constraints.hold(view).and(certain))
    }

    /// The grantees. There is none if the grant does not name one.
    pub(crate) fn grantees(&self) -> &[PrincipalMatcher] {
        &self.grantees
    }

    /// Whether the grant applies to some requests only.
    pub(crate) fn has_constraints(&self) -> bool {
        let Constraints { equals, subset, source_arn, unknown } = &self.constraints;
        equals.is_some() || !subset.is_empty() || source_arn.is_some() || unknown.is_some()
    }

    /// A grant of which only the existence is known.
    fn unreadable() -> Self {
        Self {
            id: None,
            key: None,
            grantees: Vec::new(),
            operations: None,
            retiring: Vec::new(),
            constraints: Constraints::default(),
            undocumented: Some("cannot be read"),
        }
    }

    /// Whether the grant is on this key.
    pub(crate) fn is_on(&self, arn: &str, id: &str) -> bool {
        self.key.as_deref().is_none_or(|key| key == arn || key == id)
    }
}

impl Pools {
    fn grantee(&mut self, text: &str) -> PrincipalMatcher {
        if let Some(account) = AccountId::parse(text) {
            PrincipalMatcher::Account { partition: None, account }
        } else if text.contains(':') {
            self.named_principal(text).unwrap_or(PrincipalMatcher::Nobody)
        } else {
            PrincipalMatcher::Service { name: self.add_text(text) }
        }
    }
}
