//! Condition operators and the parts of their names.

/// A condition operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) comparison: Comparison,
    /// `…Not…`: none of the listed values may match.
    pub(crate) negated: bool,
    /// `…IfExists`: the condition is met if the key is absent.
    pub(crate) if_exists: bool,
    pub(crate) quantifier: Quantifier,
}

/// How many values of the request must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// The operator is for keys with one value.
    Single,
    /// `ForAllValues:`.
    All,
    /// `ForAnyValue:`.
    Any,
}

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
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
    /// Whether the key is absent. Values are not compared.
    Null,
    /// An operator that does not exist. No Allow with it applies, and every Deny does.
    Unknown,
}

/// How the request's value must relate to the listed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub(crate) const fn holds(self, ordering: std::cmp::Ordering) -> bool {
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
    const UNKNOWN: Self = Self {
        comparison: Comparison::Unknown,
        negated: false,
        if_exists: false,
        quantifier: Quantifier::Single,
    };

    /// Reads an operator's name. Names are case-sensitive, as the grammar writes them.
    pub(crate) fn parse(name: &str) -> Self {
        let (quantifier, rest) = if let Some(rest) = name.strip_prefix("ForAllValues:") {
            (Quantifier::All, rest)
        } else if let Some(rest) = name.strip_prefix("ForAnyValue:") {
            (Quantifier::Any, rest)
        } else {
            (Quantifier::Single, name)
        };
        let (rest, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |rest| (rest, true));
        let Some((comparison, negated)) = Self::comparison(rest) else {
            return Self::UNKNOWN;
        };
        if comparison == Comparison::Null && (if_exists || quantifier != Quantifier::Single) {
            return Self::UNKNOWN;
        }
        Self { comparison, negated, if_exists, quantifier }
    }

    fn comparison(name: &str) -> Option<(Comparison, bool)> {
        Some(match name {
            "StringEquals" => (Comparison::String, false),
            "StringNotEquals" => (Comparison::String, true),
            "StringEqualsIgnoreCase" => (Comparison::StringIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Comparison::StringIgnoreCase, true),
            "StringLike" => (Comparison::StringLike, false),
            "StringNotLike" => (Comparison::StringLike, true),
            "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
            "NumericEquals" => (Comparison::Numeric(Order::Equal), false),
            "NumericNotEquals" => (Comparison::Numeric(Order::Equal), true),
            "NumericLessThan" => (Comparison::Numeric(Order::Less), false),
            "NumericLessThanEquals" => (Comparison::Numeric(Order::LessOrEqual), false),
            "NumericGreaterThan" => (Comparison::Numeric(Order::Greater), false),
            "NumericGreaterThanEquals" => (Comparison::Numeric(Order::GreaterOrEqual), false),
            "DateEquals" => (Comparison::Date(Order::Equal), false),
            "DateNotEquals" => (Comparison::Date(Order::Equal), true),
            "DateLessThan" => (Comparison::Date(Order::Less), false),
            "DateLessThanEquals" => (Comparison::Date(Order::LessOrEqual), false),
            "DateGreaterThan" => (Comparison::Date(Order::Greater), false),
            "DateGreaterThanEquals" => (Comparison::Date(Order::GreaterOrEqual), false),
            "Bool" => (Comparison::Bool, false),
            "IpAddress" => (Comparison::IpAddress, false),
            "NotIpAddress" => (Comparison::IpAddress, true),
            "BinaryEquals" => (Comparison::Binary, false),
            "Null" => (Comparison::Null, false),
            _ => return None,
        })
    }

    /// Whether the case of texts does not matter.
    pub(crate) const fn ignores_case(self) -> bool {
        matches!(self.comparison, Comparison::StringIgnoreCase | Comparison::Bool)
    }

    /// Whether policy variables are replaced by their values.
    pub(crate) const fn takes_variables(self) -> bool {
        matches!(
            self.comparison,
            Comparison::String
                | Comparison::StringIgnoreCase
                | Comparison::StringLike
                | Comparison::Arn
                | Comparison::Bool
        )
    }

    /// Whether the condition is not met if its key is absent.
    pub(crate) const fn needs_key(self) -> bool {
        match self.quantifier {
            Quantifier::Single => {
                !self.negated
                    && !self.if_exists
                    && !matches!(self.comparison, Comparison::Null | Comparison::Unknown)
            }
            Quantifier::Any => !self.if_exists,
            Quantifier::All => false,
        }
    }
}
