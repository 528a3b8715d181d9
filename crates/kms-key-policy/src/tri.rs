//! Three-valued truth: what holds, what does not, and what depends on something unknown.

/// Kleene's three values, in the order of truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tri {
    No,
    Maybe,
    Yes,
}

impl Tri {
    pub(super) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    pub(super) const fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }

    /// Whether any holds; none at all does not.
    pub(super) fn any(values: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::No;
        for value in values {
            result = result.or(value);
            if result == Self::Yes {
                break;
            }
        }
        result
    }

    /// Whether all hold; none at all do.
    pub(super) fn all(values: impl IntoIterator<Item = Self>) -> Self {
        Self::any(values.into_iter().map(Self::not)).not()
    }
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}
