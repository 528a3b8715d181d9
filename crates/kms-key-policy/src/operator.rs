//! Condition operators and what their names are made of.

/// A condition operator: what is compared, and how many values and absent keys count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) base: Base,
    /// `…Not…`: none of the listed values may match.
    pub(super) negated: bool,
    /// `…IfExists`: true where the key is absent.
    pub(super) if_exists: bool,
    pub(super) quantifier: Quantifier,
}

/// How many of the request's values must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// The operator is for keys with one value.
    Single,
    /// `ForAllValues:`.
    All,
    /// `ForAnyValue:`.
    Any,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    String,
    StringIgnoreCase,
    StringLike,
    /// `ArnEquals` and `ArnLike`, which are the same.
    Arn,
    Numeric(Order),
    Date(Order),
    Bool,
    IpAddress,
    Binary,
    /// Tests presence only.
    Null,
    /// An operator that does not exist: no Allow applies for it, every Deny does.
    Unknown,
}

/// How the request's value must stand to the listed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub(super) const fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Operator {
    const UNKNOWN: Self =
        Self { base: Base::Unknown, negated: false, if_exists: false, quantifier: Quantifier::Single };

    /// Reads an operator's name. Names are case-sensitive, as the grammar writes them.
    pub(super) fn parse(name: &str) -> Self {
        let (quantifier, rest) = if let Some(rest) = name.strip_prefix("ForAllValues:") {
            (Quantifier::All, rest)
        } else if let Some(rest) = name.strip_prefix("ForAnyValue:") {
            (Quantifier::Any, rest)
        } else {
            (Quantifier::Single, name)
        };
        let (rest, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |rest| (rest, true));
        let Some((base, negated)) = Self::base(rest) else {
            return Self::UNKNOWN;
        };
        if base == Base::Null && (if_exists || quantifier != Quantifier::Single) {
            return Self::UNKNOWN;
        }
        Self { base, negated, if_exists, quantifier }
    }

    fn base(name: &str) -> Option<(Base, bool)> {
        Some(match name {
            "StringEquals" => (Base::String, false),
            "StringNotEquals" => (Base::String, true),
            "StringEqualsIgnoreCase" => (Base::StringIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Base::StringIgnoreCase, true),
            "StringLike" => (Base::StringLike, false),
            "StringNotLike" => (Base::StringLike, true),
            "ArnEquals" | "ArnLike" => (Base::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Base::Arn, true),
            "NumericEquals" => (Base::Numeric(Order::Equal), false),
            "NumericNotEquals" => (Base::Numeric(Order::Equal), true),
            "NumericLessThan" => (Base::Numeric(Order::Less), false),
            "NumericLessThanEquals" => (Base::Numeric(Order::LessOrEqual), false),
            "NumericGreaterThan" => (Base::Numeric(Order::Greater), false),
            "NumericGreaterThanEquals" => (Base::Numeric(Order::GreaterOrEqual), false),
            "DateEquals" => (Base::Date(Order::Equal), false),
            "DateNotEquals" => (Base::Date(Order::Equal), true),
            "DateLessThan" => (Base::Date(Order::Less), false),
            "DateLessThanEquals" => (Base::Date(Order::LessOrEqual), false),
            "DateGreaterThan" => (Base::Date(Order::Greater), false),
            "DateGreaterThanEquals" => (Base::Date(Order::GreaterOrEqual), false),
            "Bool" => (Base::Bool, false),
            "IpAddress" => (Base::IpAddress, false),
            "NotIpAddress" => (Base::IpAddress, true),
            "BinaryEquals" => (Base::Binary, false),
            "Null" => (Base::Null, false),
            _ => return None,
        })
    }

    /// Whether the case of texts does not matter.
    pub(super) const fn ignores_case(self) -> bool {
        matches!(self.base, Base::StringIgnoreCase | Base::Bool)
    }

    /// Whether policy variables are put in.
    pub(super) const fn takes_variables(self) -> bool {
        matches!(self.base, Base::String | Base::StringIgnoreCase | Base::StringLike | Base::Arn | Base::Bool)
    }

    /// Whether the condition is false where its key is absent.
    pub(super) const fn needs_key(self) -> bool {
        match self.quantifier {
            Quantifier::Single => {
                !self.negated && !self.if_exists && !matches!(self.base, Base::Null | Base::Unknown)
            }
            Quantifier::Any => !self.if_exists,
            Quantifier::All => false,
        }
    }
}
