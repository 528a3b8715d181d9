//! ARNs, taken apart in this one place. Whoever needs an ARN of one kind, such as a key's, checks the parts.

/// The parts of an ARN, `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`. Each may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub(crate) partition: &'a str,
    /// `kms`, `iam`, `ssm`, …
    pub(crate) service: &'a str,
    /// `eu-west-1`, …; empty for a global service.
    pub(crate) region: &'a str,
    /// Twelve digits; empty for what belongs to AWS.
    pub(crate) account: &'a str,
    /// The rest, further colons included: `key/ID`, `function:NAME:ALIAS`.
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads an ARN; `None` for a text that does not begin with `arn`, has fewer than six parts, or is longer than any
    /// ARN (2,048 bytes; IAM API reference, `Arn`).
    #[must_use]
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        if text.len() > 2048 {
            return None;
        }
        let mut parts = text.splitn(6, ':');
        let prefix = parts.next()?;
        let arn = Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        (prefix == "arn").then_some(arn)
    }

    /// The name in a resource such as `function:NAME` or `function:NAME:ALIAS`; `None` for a resource without a
    /// colon.
    #[must_use]
    pub(crate) fn name_after_type(&self) -> Option<&'a str> {
        self.resource.split(':').nth(1)
    }
}

/// What stands behind the last slash: the name of a role or an instance profile, without its path or the rest of its
/// ARN. A text without a slash is the name.
#[must_use]
pub(crate) fn base_name(text: &str) -> &str {
    text.rsplit_once('/').map_or(text, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_five_parts_behind_its_prefix() {
        let arn = Arn::parse("arn:aws-cn:kms:cn-north-1:111122223333:key/1-2").unwrap();
        assert_eq!((arn.partition, arn.service, arn.region), ("aws-cn", "kms", "cn-north-1"));
        assert_eq!((arn.account, arn.resource), ("111122223333", "key/1-2"));
    }

    #[test]
    fn parts_may_be_empty() {
        let arn = Arn::parse("arn:aws:s3:::bucket").unwrap();
        assert_eq!((arn.region, arn.account, arn.resource), ("", "", "bucket"));
        let arn = Arn::parse("arn:::::").unwrap();
        assert_eq!((arn.partition, arn.service, arn.resource), ("", "", ""));
    }

    #[test]
    fn the_resource_may_hold_colons() {
        for (text, resource, name) in [
            ("arn:aws:lambda:eu-west-1:111122223333:function:f", "function:f", Some("f")),
            ("arn:aws:lambda:eu-west-1:111122223333:function:f:live", "function:f:live", Some("f")),
            ("arn:aws:lambda:eu-west-1:111122223333:function:", "function:", Some("")),
            ("arn:aws:kms:eu-west-1:111122223333:key/1-2", "key/1-2", None),
        ] {
            let arn = Arn::parse(text).unwrap();
            assert_eq!((arn.resource, arn.name_after_type()), (resource, name), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not_arns() {
        for text in [
            "",
            "arn",
            "session-kms",
            "arn:aws:lambda:eu-west-1:111122223333",
            "ARN:aws:kms:eu-west-1:111122223333:key/1-2",
            " arn:aws:kms:eu-west-1:111122223333:key/1-2",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_base_name_has_neither_path_nor_arn() {
        for (text, name) in [
            ("arn:aws:iam::111122223333:role/team/App", "App"),
            ("team/App", "App"),
            ("App", "App"),
            ("team/", ""),
            ("", ""),
        ] {
            assert_eq!(base_name(text), name, "{text}");
        }
    }
}
