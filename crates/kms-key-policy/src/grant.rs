//! Grants on a key, as `ListGrants` returns them. A grant adds an Allow and never overrides a Deny.

use super::arn::AccountId;
use super::context::{KeyState, View};
use super::document::{Pools, hash_folded};
use super::error::{ParseError, Path, Problem};
use super::json::{Kind, Reader};
use super::principal::{PrincipalMatcher, Via};
use super::request::ENCRYPTION_CONTEXT;
use super::tri::Tri;

type Result<T> = std::result::Result<T, ParseError>;

/// The grants on a key.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    pub(super) pools: Pools,
    pub(super) list: Vec<Grant>,
    truncated: bool,
}

/// One grant.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) id: Option<String>,
    /// The key that it is on; a list of one key's grants may leave it out.
    pub(super) key: Option<String>,
    /// Whom it may be for: none if it does not say, more than one if it names a principal and a service.
    grantees: Vec<PrincipalMatcher>,
    /// In lower case; `None` if it does not say.
    operations: Option<Vec<String>>,
    retiring: Vec<PrincipalMatcher>,
    pub(super) constraints: Constraints,
    /// Why nobody can tell what it allows.
    pub(super) oddity: Option<&'static str>,
}

/// What a request must carry for a grant to count.
#[derive(Debug, Clone, Default)]
pub(super) struct Constraints {
    /// The whole encryption context.
    pub(super) equals: Option<Vec<(String, String)>>,
    /// A part of the encryption context.
    pub(super) subset: Vec<(String, String)>,
    /// The resource that a service must call for.
    pub(super) source_arn: Option<String>,
    /// A constraint that this reader does not know.
    pub(super) unknown: Option<String>,
}

impl Grants {
    /// No grants.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads the answer of `ListGrants`, or the list in it, from JSON. A grant that cannot be read, or that does not say
    /// to whom it allows what, makes depend only what it could allow.
    ///
    /// # Errors
    /// [`ParseError`] names the place and what is wrong there.
    pub fn parse(text: &str) -> Result<Self> {
        let mut grants = Self::default();
        let mut reader = Reader::new(text);
        let root = Path::Root;
        if reader.peek() == Kind::Array {
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
                return Err(root.error(Problem::Missing("Grants")));
            }
        }
        reader.end()?;
        Ok(grants)
    }

    /// How many grants there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// Whether `ListGrants` said that there are more.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }

    fn read_list(&mut self, reader: &mut Reader<'_>, path: &Path<'_>) -> Result<()> {
        reader.one_or_many(path, |reader, path| {
            // A grant that cannot be read leaves the others as they are. Nobody can tell whom it is for.
            let mut own = Reader::new(reader.raw(path)?);
            let grant = self.read_grant(&mut own, path).unwrap_or_else(|_| Grant::unreadable());
            self.list.push(grant);
            Ok(())
        })
    }

    fn read_grant(&mut self, reader: &mut Reader<'_>, grant: &Path<'_>) -> Result<Grant> {
        let (mut id, mut key, mut principal, mut service) = (None, None, None, None);
        let (mut operations, mut retiring, mut retiring_service) = (None, None, None);
        let mut constraints = Constraints::default();
        reader.object(grant, "a grant (an object)", |reader, name| {
            let path = grant.member(&name);
            if reader.peek() == Kind::Null {
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
                    let name = self.pools.keep(&reader.text(&path)?);
                    service.replace(PrincipalMatcher::Service { name }).is_some()
                }
                "RetiringPrincipal" => {
                    let text = reader.text(&path)?;
                    retiring.replace(self.pools.grantee(&text)).is_some()
                }
                "RetiringServicePrincipal" => {
                    let name = self.pools.keep(&reader.text(&path)?);
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
            if before { Err(grant.error(Problem::Duplicate { name: name.into() })) } else { Ok(()) }
        })?;
        let oddity = match (&principal, &service, &operations) {
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
            oddity,
        })
    }
}

fn read_operations(reader: &mut Reader<'_>, path: &Path<'_>) -> Result<Vec<String>> {
    let mut operations = Vec::new();
    reader.one_or_many(path, |reader, path| {
        operations.push(reader.text(path)?.to_ascii_lowercase());
        Ok(())
    })?;
    Ok(operations)
}

impl Constraints {
    fn read(reader: &mut Reader<'_>, path: &Path<'_>) -> Result<Self> {
        let mut constraints = Self::default();
        reader.object(path, "an object of constraints", |reader, name| {
            let path = path.member(&name);
            if reader.peek() == Kind::Null {
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

    /// The pairs that the encryption context must hold.
    pub(super) fn pairs(&self) -> impl Iterator<Item = &(String, String)> {
        self.subset.iter().chain(self.equals.iter().flatten())
    }

    /// Whether the request meets the constraints.
    fn hold(&self, view: &View<'_>) -> Tri {
        let action = &view.request.action;
        let encryption = if action.is_cryptographic() {
            let exact = self.equals.as_ref().map_or(Tri::Yes, |pairs| has_no_other_keys(pairs, view));
            Tri::all(self.pairs().map(|(key, value)| has_pair(key, value, view))).and(exact)
        } else if action.operation() == "creategrant" && self.pairs().next().is_some() {
            // The grant to be made must be as strict, which the request's context does not tell.
            Tri::Maybe
        } else {
            Tri::Yes
        };
        let source = match &self.source_arn {
            None => Tri::Yes,
            Some(arn) => has_value("aws:sourcearn", arn, view),
        };
        let unknown = if self.unknown.is_some() { Tri::Maybe } else { Tri::Yes };
        encryption.and(source).and(unknown)
    }
}

fn read_pairs(reader: &mut Reader<'_>, path: &Path<'_>) -> Result<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    reader.object(path, "an object of texts", |reader, name| {
        if pairs.iter().any(|(known, _)| *known == *name) {
            return Err(path.error(Problem::Duplicate { name: name.into() }));
        }
        let value = reader.text(&path.member(&name))?.into_owned();
        pairs.push((name.into_owned(), value));
        Ok(())
    })?;
    Ok(pairs)
}

fn has_value(lower: &str, wanted: &str, view: &View<'_>) -> Tri {
    match view.find(hash_folded(lower), lower).1 {
        KeyState::Known { values: [value], .. } => (value == wanted).into(),
        KeyState::Known { .. } | KeyState::Absent => Tri::No,
        KeyState::Present | KeyState::Unknown | KeyState::SessionRole(_) => Tri::Maybe,
    }
}

/// Whether the encryption context holds a pair, case-sensitively in key and value.
fn has_pair(key: &str, value: &str, view: &View<'_>) -> Tri {
    let mut lower = String::from(ENCRYPTION_CONTEXT);
    lower.extend(super::document::folded(key));
    let (written, _) = view.find(hash_folded(&lower), &lower);
    let other_case = written.and_then(|w| w.get(ENCRYPTION_CONTEXT.len()..)).is_some_and(|name| name != key);
    if other_case || lists_key(key, view) == Tri::No {
        return Tri::No;
    }
    has_value(&lower, value, view)
}

/// Whether the names of the encryption context hold this one.
fn lists_key(key: &str, view: &View<'_>) -> Tri {
    match encryption_keys(view) {
        Some(keys) => keys.iter().any(|k| k == key).into(),
        None => Tri::Maybe,
    }
}

fn has_no_other_keys(pairs: &[(String, String)], view: &View<'_>) -> Tri {
    match encryption_keys(view) {
        Some(keys) => keys.iter().all(|key| pairs.iter().any(|(k, _)| k == key)).into(),
        None => Tri::Maybe,
    }
}

/// The names of the encryption context, where they are known.
fn encryption_keys<'a>(view: &View<'a>) -> Option<&'a [String]> {
    const KEYS: &str = "kms:encryptioncontextkeys";
    match view.find(hash_folded(KEYS), KEYS).1 {
        KeyState::Known { values, .. } => Some(values),
        KeyState::Absent => Some(&[]),
        KeyState::Present | KeyState::Unknown | KeyState::SessionRole(_) => None,
    }
}

impl Grant {
    /// How the grant covers the request, and whether its constraints hold.
    pub(super) fn admits(&self, pools: &Pools, view: &View<'_>) -> Option<(Via, Tri)> {
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
            && let Some(via) = covers(&self.retiring)
        {
            // Whoever may retire a grant needs nothing else to do so [KMS developer guide: grant-delete].
            return Some((via, Tri::Yes));
        }
        let lists_operation = self.operations.as_ref().is_none_or(|list| list.iter().any(|o| o == operation));
        if operation.is_empty() || !lists_operation {
            return None;
        }
        let via = if self.grantees.is_empty() { Via::Direct } else { covers(&self.grantees)? };
        let certain = if self.oddity.is_some() { Tri::Maybe } else { Tri::Yes };
        Some((via, self.constraints.hold(view).and(certain)))
    }

    /// A grant of which nothing is known but that it is there.
    fn unreadable() -> Self {
        Self {
            id: None,
            key: None,
            grantees: Vec::new(),
            operations: None,
            retiring: Vec::new(),
            constraints: Constraints::default(),
            oddity: Some("cannot be read"),
        }
    }

    /// Whether it is on this key.
    pub(super) fn is_on(&self, arn: &str, id: &str) -> bool {
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
            PrincipalMatcher::Service { name: self.keep(text) }
        }
    }
}
