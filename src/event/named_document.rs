//! A document as events name it: by its name or its ARN.

use super::FunctionIdentity;
use super::event_bridge::is_elsewhere;
use crate::arn::Arn;
use crate::session::DocumentName;

/// A document, with its account and Region if it is named by its ARN.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NamedDocument<'a> {
    pub(super) name: DocumentName,
    account: Option<&'a str>,
    region: Option<&'a str>,
}

impl<'a> NamedDocument<'a> {
    /// Reads a name or an ARN; `None` if the text cannot name a document of an account.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if let Some(named) = Self::of_arn(text) {
            return Some(named);
        }
        Some(Self { name: DocumentName::parse(text).ok()?, account: None, region: None })
    }

    /// Reads `arn:aws:ssm:REGION:ACCOUNT:document/NAME`.
    pub(super) fn of_arn(text: &'a str) -> Option<Self> {
        let arn = Arn::parse(text).filter(|arn| arn.service == "ssm")?;
        let name = DocumentName::parse(arn.resource.strip_prefix("document/")?).ok()?;
        Some(Self { name, account: Some(arn.account), region: Some(arn.region) })
    }

    /// Whether its ARN has another account or Region than the function's own. The ARNs of AWS's documents have no
    /// account.
    pub(super) fn is_elsewhere(&self, function: FunctionIdentity<'_>) -> bool {
        function.location.is_some_and(|location| is_elsewhere(location, self.account, self.region))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Location;

    #[test]
    fn a_name_and_an_arn_name_the_same_document() {
        let of = |text| NamedDocument::read(text).map(|named| named.name.as_str().to_owned());
        assert_eq!(of("My-Document").as_deref(), Some("My-Document"));
        assert_eq!(
            of("arn:aws:ssm:eu-west-1:123456789012:document/My-Document").as_deref(),
            Some("My-Document")
        );
        for text in ["", "a/b", "arn:aws:ssm:eu-west-1:123456789012:parameter/x", "arn:aws:s3:::document/abc"]
        {
            assert_eq!(of(text), None, "{text}");
        }
        assert_eq!(NamedDocument::of_arn("My-Document"), None);
    }

    #[test]
    fn an_arn_tells_the_account_and_region() {
        let location =
            Location { partition: "aws".into(), region: "eu-west-1".into(), account: "123456789012".into() };
        let function = FunctionIdentity { role_arn: None, location: Some(&location) };
        let elsewhere = |text, function| NamedDocument::read(text).unwrap().is_elsewhere(function);
        assert!(!elsewhere("My-Document", function));
        assert!(!elsewhere("arn:aws:ssm:eu-west-1:123456789012:document/abc", function));
        assert!(elsewhere("arn:aws:ssm:eu-west-1:222222222222:document/abc", function));
        assert!(elsewhere("arn:aws:ssm:us-east-1:123456789012:document/abc", function));
        assert!(elsewhere("arn:aws:ssm:eu-west-1::document/AWS-RunShellScript", function));
        assert!(!elsewhere("arn:aws:ssm:us-east-1:123456789012:document/abc", FunctionIdentity::default()));
    }
}
