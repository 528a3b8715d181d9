//! The request that is decided on: who calls what on which key, and the condition keys that follow from these.

use std::fmt;

use crate::arn::{AccountId, KeyArn};
use crate::condition_keys;
use crate::context::{Context, ContextEntry, EntryState, KeyState, OtherKeys, SessionRole, lower};
use crate::error::RequestError;
use crate::principal::{Principal, PrincipalKind};
use crate::text::hash;

/// An action such as `kms:Decrypt`. Its case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    written: String,
    lower: String,
}

impl Action {
    /// Reads `service:name`.
    ///
    /// # Errors
    /// [`RequestError::Action`] if `text` has another form or a wildcard.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        let plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        match text.split_once(':') {
            Some((service, name)) if plain(service) && plain(name) => {
                Ok(Self { written: text.to_owned(), lower: text.to_ascii_lowercase() })
            }
            _ => Err(RequestError::Action(text.to_owned())),
        }
    }

    /// The condition keys that a call of this action never has, in lower case. A name that ends with `:` or `/` stands
    /// for all keys whose names begin with it. Empty for an action of another service.
    pub fn absent_keys(&self) -> impl Iterator<Item = &'static str> {
        condition_keys::absent_from(self.operation())
    }

    pub(crate) fn lower(&self) -> &str {
        &self.lower
    }

    /// The name of the KMS operation in lower case. It is empty for an action of another service.
    pub(crate) fn operation(&self) -> &str {
        self.lower.strip_prefix("kms:").unwrap_or_default()
    }

    /// Whether it is one of the cryptographic operations, to which the constraints of grants apply.
    pub(crate) fn is_cryptographic(&self) -> bool {
        matches!(
            self.operation(),
            "encrypt"
                | "decrypt"
                | "reencryptfrom"
                | "reencryptto"
                | "generatedatakey"
                | "generatedatakeywithoutplaintext"
                | "generatedatakeypair"
                | "generatedatakeypairwithoutplaintext"
                | "sign"
                | "verify"
                | "generatemac"
                | "verifymac"
                | "derivesharedsecret"
        )
    }

    /// Whether the action can ever work on another account's key (KMS developer guide, "Allowing users in other accounts to use a
    /// KMS key").
    pub(crate) fn works_across_accounts(&self) -> bool {
        self.is_cryptographic()
            || matches!(
                self.operation(),
                "creategrant"
                    | "describekey"
                    | "getkeyrotationstatus"
                    | "getpublickey"
                    | "listgrants"
                    | "retiregrant"
                    | "revokegrant"
            )
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// A request: who calls what on which key, and in which context.
///
/// ```
/// use kms_key_policy::{
///     Action, Context, Decision, Grants, KeyArn, Layers, OtherKeys, Policy, PolicyKind, Principal, Request, verdict,
/// };
///
/// // The session belongs to a role with a path.
/// let request = Request::new(
///     Principal::parse("arn:aws:sts::111122223333:assumed-role/App/i-0123456789abcdef0")?,
///     Action::parse("kms:Decrypt")?,
///     KeyArn::parse("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")?,
///     Context::new(OtherKeys::Absent).value("aws:PrincipalArn", "arn:aws:iam::111122223333:role/team/App"),
/// );
/// let key_policy = Policy::parse(
///     PolicyKind::Key,
///     r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
///         "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/team/*"}}}}"#,
/// )?;
/// assert_eq!(verdict(&request, &Layers::of_key(&key_policy, &Grants::none())), Decision::Allowed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) principal: Principal,
    pub(crate) action: Action,
    pub(crate) key: KeyArn,
    pub(crate) context: Context,
    pub(crate) selectors: [u64; 3],
    pub(crate) action_hash: u64,
    /// The names in `kms:EncryptionContextKeys`, in lower case, if they are known.
    encryption_keys: Option<Vec<String>>,
    /// The keys whose given value the request ignores, because another value follows from the request itself.
    pub(crate) overruled: Vec<String>,
}

impl Request {
    /// Puts a request together. Some condition keys follow from the principal, the action and the key. They always have
    /// their derived value, whatever `context` says: `aws:PrincipalArn`, `aws:PrincipalAccount`, `kms:CallerAccount`,
    /// `aws:PrincipalType`, `aws:PrincipalIsAWSService`, `aws:username`, `aws:ResourceAccount`, `aws:RequestedRegion`,
    /// `kms:MultiRegion`. If the action has none, `kms:GrantIsForAWSResource` and the encryption context are absent.
    /// Other keys of KMS that the action never has are absent unless the context names them. `kms:KeySpec`,
    /// `kms:KeyUsage` and `kms:KeyOrigin` do not follow from an ARN, so the context should have them if they are known.
    /// The ARN of a session does not have the path of its role, so the context should have `aws:PrincipalArn` if the
    /// path is known.
    #[must_use]
    pub fn new(principal: Principal, action: Action, key: KeyArn, context: Context) -> Self {
        let derived = derived(&principal, &action, &key);
        let mut request = Self {
            selectors: principal.selectors(),
            action_hash: hash(action.lower()),
            encryption_keys: None,
            overruled: Vec::new(),
            principal,
            action,
            key,
            context,
        };
        request.context.entries.reserve(derived.len() + 1);
        for entry in derived {
            request.derive(entry);
        }
        if !condition_keys::takes_encryption_context(request.action.operation()) {
            request.drop_encryption_context();
        } else if request.context.others == OtherKeys::Absent && !request.context.names(ENCRYPTION_KEYS) {
            // If all keys are given, the names of the encryption context are known.
            let names: Vec<String> = request.given_encryption_keys().map(str::to_owned).collect();
            if !names.is_empty() {
                request.context.set(ENCRYPTION_KEYS, EntryState::Known { values: names, list: true });
            }
        }
        request.encryption_keys = request.known_encryption_keys();
        request
    }

    /// Whether caller and key are in the same account.
    pub(crate) fn is_same_account(&self) -> bool {
        self.principal.same_account(&self.key)
    }

    fn derive(&mut self, entry: ContextEntry) {
        let given = self.context.entry(&entry.lower);
        // Only the context can have the path of a session's role.
        if let (EntryState::SessionRole(role), Some(given)) = (&entry.state, given)
            && let EntryState::Known { values, .. } = &given.state
            && let [arn] = values.as_slice()
            && role.may_have(arn)
        {
            return;
        }
        let overrules = given.is_some_and(|given| match &entry.state {
            EntryState::SessionRole(role) => given.state != known(&role.arn),
            other => given.state != *other,
        });
        if overrules {
            self.overruled.push(entry.written.clone().into_owned());
        }
        self.context.put(entry);
    }

    fn drop_encryption_context(&mut self) {
        for entry in &mut self.context.entries {
            let dropped = is_encryption_context(&entry.lower);
            if dropped && entry.state != EntryState::Absent {
                entry.state = EntryState::Absent;
                self.overruled.push(entry.written.clone().into_owned());
            }
        }
        self.context.set(ENCRYPTION_KEYS, EntryState::Absent);
    }

    fn known_encryption_keys(&self) -> Option<Vec<String>> {
        match &self.context.entry("kms:encryptioncontextkeys")?.state {
            EntryState::Known { values, .. } => Some(values.iter().map(|v| lower(v)).collect()),
            EntryState::Absent => Some(Vec::new()),
            EntryState::Present | EntryState::SessionRole(_) => None,
        }
    }

    /// What is known of a key that the context does not name. The names in `kms:EncryptionContextKeys` say which keys
    /// `kms:EncryptionContext:…` are present.
    pub(crate) fn unnamed(&self, lower: &str) -> KeyState<'static> {
        match (lower.strip_prefix(ENCRYPTION_CONTEXT), &self.encryption_keys) {
            (Some(name), Some(names)) if names.iter().any(|n| n == name) => KeyState::Present,
            (Some(_), Some(_)) => KeyState::Absent,
            _ if self.context.is_absent_by_prefix(lower) => KeyState::Absent,
            _ if condition_keys::is_absent(self.action.operation(), lower) => KeyState::Absent,
            _ => KeyState::Unknown,
        }
    }

    /// The names of the encryption context to which the context gives a value.
    pub(crate) fn given_encryption_keys(&self) -> impl Iterator<Item = &str> {
        let given = self.context.entries.iter().filter(|entry| entry.state != EntryState::Absent);
        given
            .filter(|entry| entry.lower.starts_with(ENCRYPTION_CONTEXT))
            .filter_map(|entry| entry.written.get(ENCRYPTION_CONTEXT.len()..))
    }
}

impl SessionRole {
    /// Whether the role may have this ARN, which differs in the path at most.
    fn may_have(&self, arn: &str) -> bool {
        let path = arn.strip_prefix(&self.prefix).and_then(|rest| rest.strip_suffix(&self.name));
        path.is_some_and(|path| path.is_empty() || path.ends_with('/'))
    }
}

/// The beginning of the condition keys of the encryption context, in lower case.
pub(crate) const ENCRYPTION_CONTEXT: &str = "kms:encryptioncontext:";

/// The condition key that lists the names of the encryption context.
pub(crate) const ENCRYPTION_KEYS: &str = "kms:EncryptionContextKeys";

fn is_encryption_context(lower: &str) -> bool {
    lower == "kms:encryptioncontextkeys" || lower.starts_with(ENCRYPTION_CONTEXT)
}

fn known(value: impl Into<String>) -> EntryState {
    EntryState::Known { values: vec![value.into()], list: false }
}

/// The condition keys that follow from the request itself.
fn derived(principal: &Principal, action: &Action, key: &KeyArn) -> Vec<ContextEntry> {
    let mut derived = Vec::with_capacity(12);
    let mut add = |written, lower, state| derived.push(ContextEntry::derived(written, lower, state));
    add("aws:ResourceAccount", "aws:resourceaccount", known(key.account().to_string()));
    add("aws:RequestedRegion", "aws:requestedregion", known(key.region()));
    add("kms:MultiRegion", "kms:multiregion", known(key.is_multi_region().to_string()));
    if !matches!(action.operation(), "creategrant" | "listgrants" | "revokegrant") {
        add("kms:GrantIsForAWSResource", "kms:grantisforawsresource", EntryState::Absent);
    }
    let is_service = principal.kind() == PrincipalKind::Service;
    add("aws:PrincipalIsAWSService", "aws:principalisawsservice", known(is_service.to_string()));
    let Some(account) = principal.account() else {
        add("aws:PrincipalServiceName", "aws:principalservicename", known(principal.as_str()));
        return derived;
    };
    let partition = principal.partition().unwrap_or(key.partition());
    add("aws:PrincipalAccount", "aws:principalaccount", known(account.to_string()));
    add("kms:CallerAccount", "kms:calleraccount", known(account.to_string()));
    add("aws:PrincipalArn", "aws:principalarn", principal_arn(principal, partition, account));
    let (kind, user) = match principal.kind() {
        PrincipalKind::Root => ("Account", EntryState::Absent),
        PrincipalKind::User => ("User", known(principal.name())),
        PrincipalKind::FederatedUser => ("FederatedUser", EntryState::Absent),
        PrincipalKind::Role | PrincipalKind::Session | PrincipalKind::Service => {
            ("AssumedRole", EntryState::Absent)
        }
    };
    add("aws:PrincipalType", "aws:principaltype", known(kind));
    add("aws:username", "aws:username", user);
    derived
}

/// The value of `aws:PrincipalArn`. For a session it is the ARN of its role.
fn principal_arn(principal: &Principal, partition: &str, account: AccountId) -> EntryState {
    match principal.kind() {
        PrincipalKind::Session => {
            let prefix = format!("arn:{partition}:iam::{account}:role/");
            let name = principal.name().to_owned();
            EntryState::SessionRole(SessionRole { arn: format!("{prefix}{name}"), prefix, name })
        }
        PrincipalKind::Root => known(format!("arn:{partition}:iam::{account}:root")),
        _ => known(principal.as_str()),
    }
}
