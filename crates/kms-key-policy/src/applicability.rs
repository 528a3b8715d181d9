//! Whether a statement, a condition or a layer's Allow applies, if some condition keys are unknown.

/// Whether something applies to a request.
///
/// The values are those of Kleene's three-valued logic. Their order is the order of truth, so that `and` is the lesser
/// and `or` the greater of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Applicability {
    /// It does not apply, whatever the unknown keys are.
    DoesNotApply,
    /// It depends on what is unknown, or no source says whether it applies.
    Unknown,
    /// It applies, whatever the unknown keys are.
    Applies,
}

impl Applicability {
    pub(crate) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    pub(crate) const fn not(self) -> Self {
        match self {
            Self::DoesNotApply => Self::Applies,
            Self::Unknown => Self::Unknown,
            Self::Applies => Self::DoesNotApply,
        }
    }

    /// Whether any of the values applies. Of no values none does.
    pub(crate) fn any(values: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::DoesNotApply;
        for value in values {
            result = result.or(value);
            if result == Self::Applies {
                break;
            }
        }
        result
    }

    /// Whether all of the values apply. Of no values all do.
    pub(crate) fn all(values: impl IntoIterator<Item = Self>) -> Self {
        Self::any(values.into_iter().map(Self::not)).not()
    }
}

impl From<bool> for Applicability {
    fn from(value: bool) -> Self {
        if value { Self::Applies } else { Self::DoesNotApply }
    }
}
