//! One AWS call as the services see it: the caller, the account and Region, the input, and the form of a refusal.

use serde_json::Value;

/// An account in a Region. It owns documents, parameters, keys and aliases.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    pub account: String,
    pub region: String,
}

impl Location {
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: account.to_owned(), region: region.to_owned() }
    }
}

/// The principal of a call. Only the access key names it; signatures are not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: String,
    pub arn: String,
}

/// A call that was understood, whichever protocol brought it.
#[derive(Clone, Debug)]
pub struct Call {
    /// The signing name: `ssm`, `kms`.
    pub service: &'static str,
    pub operation: String,
    pub body: Value,
    pub caller: Caller,
    pub region: String,
}

impl Call {
    /// The account and Region whose resources the call means.
    pub fn location(&self) -> Location {
        Location::new(&self.caller.account, &self.region)
    }

    /// A string member. Absent and `null` are the same.
    pub fn text(&self, member: &str) -> Result<Option<&str>, Refusal> {
        match self.body.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::wrong_type(member)),
        }
    }

    /// A string member that the service model marks as required.
    pub fn required(&self, member: &str) -> Result<&str, Refusal> {
        self.text(member)?.ok_or_else(|| {
            Refusal::validation(format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy \
                constraint: Member must not be null"
            ))
        })
    }

    /// Refuses members that the operation does not have, or that the stub does not implement.
    pub fn only(&self, members: &[&str]) -> Result<(), Refusal> {
        let present = self.body.as_object().into_iter().flat_map(|body| body.keys());
        match present.into_iter().find(|member| !members.contains(&member.as_str())) {
            Some(member) => Err(Refusal::validation(format!("Unknown parameter in input: `{member}`"))),
            None => Ok(()),
        }
    }

    /// A boolean member; absent is false.
    pub fn flag(&self, member: &str) -> Result<bool, Refusal> {
        match self.body.get(member) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Refusal::wrong_type(member)),
        }
    }

    /// A whole number.
    pub fn number(&self, member: &str) -> Result<Option<usize>, Refusal> {
        match self.body.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64().and_then(|number| usize::try_from(number).ok()) {
                Some(number) => Ok(Some(number)),
                None => Err(Refusal::wrong_type(member)),
            },
        }
    }
}

/// What a service answers.
pub type Outcome = Result<Value, Refusal>;

/// An error answer: its HTTP status, its exact code, its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl Refusal {
    /// The caller's fault, HTTP 400: all modelled exceptions of SSM and KMS but the internal ones.
    pub fn client(code: &str, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.to_owned(), message: message.into() }
    }

    /// The service's fault.
    pub fn server(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned() }
    }

    pub fn validation(message: impl Into<String>) -> Self {
        Self::client("ValidationException", message)
    }

    /// IAM's message, which names the missing action.
    pub fn access_denied(caller: &str, action: &str, resource: &str, because: &str) -> Self {
        Self::client(
            "AccessDeniedException",
            format!(
                "User: {caller} is not authorized to perform: {action} on resource: {resource} because {because}"
            ),
        )
    }

    /// The same message with another status and code.
    pub fn coded(self, status: u16, code: &str) -> Self {
        Self { status, code: code.to_owned(), ..self }
    }

    pub fn wrong_type(member: &str) -> Self {
        Self::client("SerializationException", format!("Member `{member}` has the wrong type"))
    }
}
