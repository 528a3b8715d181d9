//! Decimal numbers of any length, compared exactly.

use std::cmp::Ordering;

/// A decimal number, borrowed from its text: `-12.50e3`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number<'a> {
    negative: bool,
    /// The digits before and after the point, without leading and trailing zeros.
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Number<'a> {
    /// Reads `[+-]digits[.digits][e[+-]digits]`. Any other text is no number.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (digits, exponent) = match rest.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, parse_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let sound = all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
        sound.then(|| Self {
            negative,
            whole: whole.trim_start_matches('0'),
            fraction: fraction.trim_end_matches('0'),
            exponent,
        })
    }

    /// The digits without leading zeros, and how many of them stand before the point.
    fn significant(&self) -> (impl Iterator<Item = u8> + use<'a>, i64) {
        let zeros =
            if self.whole.is_empty() { self.fraction.bytes().take_while(|b| *b == b'0').count() } else { 0 };
        let digits = self.whole.bytes().chain(self.fraction.bytes()).skip(zeros);
        let length = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        (digits, self.exponent.saturating_add(length(self.whole.len())).saturating_sub(length(zeros)))
    }

    fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    /// Compares the values, not the texts: `1.50` equals `1.5`, and `-0` equals `0`.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if other.negative { Ordering::Greater } else { Ordering::Less },
            (false, true) => return if self.negative { Ordering::Less } else { Ordering::Greater },
            (false, false) => {}
        }
        if self.negative != other.negative {
            return if self.negative { Ordering::Less } else { Ordering::Greater };
        }
        let (digits, magnitude) = self.significant();
        let (other_digits, other_magnitude) = other.significant();
        let size = magnitude.cmp(&other_magnitude).then_with(|| compare_digits(digits, other_digits));
        if self.negative { size.reverse() } else { size }
    }
}

/// Compares two rows of digits after the point. Zeros follow the shorter one.
fn compare_digits(mut one: impl Iterator<Item = u8>, mut other: impl Iterator<Item = u8>) -> Ordering {
    loop {
        match (one.next(), other.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => match a.unwrap_or(b'0').cmp(&b.unwrap_or(b'0')) {
                Ordering::Equal => {}
                different => return different,
            },
        }
    }
}

/// A number just below the given one, the number itself, and a number just above it. No number with as many digits
/// after the point as the given one lies between them.
///
/// `None` if the number is too long, or has an exponent.
pub(crate) fn neighbours(text: &str) -> Option<[String; 3]> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let size: i128 = format!("{whole}{fraction}").parse().ok()?;
    let size = if text.starts_with('-') { -size } else { size };
    // The unit is a tenth of the last digit.
    let units = size.checked_mul(10).filter(|units| units.unsigned_abs() < u128::MAX / 4)?;
    Some([units - 1, units, units + 1].map(|units| decimal(units, fraction.len() + 1)))
}

/// Writes a number. `10^scale` units make 1.
fn decimal(units: i128, scale: usize) -> String {
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at_checked(digits.len() - scale).unwrap_or((&digits, ""));
    format!("{}{whole}.{fraction}", if units < 0 { "-" } else { "" })
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sound = !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|b| b.is_ascii_digit());
    if sound { text.parse().ok() } else { None }
}
