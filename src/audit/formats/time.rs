//! Times as numbers.

/// Milliseconds since 1970 of a time in UTC as RFC 3339 writes it: `2026-03-01T12:00:00Z`.
pub(super) fn milliseconds(time: &str) -> Option<i64> {
    let part = |from: usize, to: usize| -> Option<i64> {
        let digits = time.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    let is_date =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let fraction = time.get(19..)?.strip_suffix('Z')?;
    let thousandths = match fraction.strip_prefix('.') {
        None if fraction.is_empty() => 0,
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.chars().chain("000".chars()).take(3).collect::<String>().parse().ok()?
        }
        _ => return None,
    };
    // The year begins in March, so that the leap day is its last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 1;
    // 1970-01-01 is day 719,468 since the first of March of the year 0.
    let seconds = ((days - 719_468) * 24 + hour) * 3600 + minute * 60 + second;
    is_date.then_some(seconds * 1000 + thousandths)
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn times_are_milliseconds_since_1970() {
        for (time, wanted) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T23:59:59Z", Some(951_868_799_000)),
            ("2026-03-01T12:00:00Z", Some(1_772_366_400_000)),
            ("2026-03-01T12:00:00.25Z", Some(1_772_366_400_250)),
            ("2026-03-01T12:00:00.123456Z", Some(1_772_366_400_123)),
            ("2026-13-01T12:00:00Z", None),
            ("2026-03-01T12:00:00+01:00", None),
            ("", None),
            ("yesterday", None),
            ("2026-03-01T12:00:00.Z", None),
        ] {
            assert_eq!(milliseconds(time), wanted, "{time}");
        }
    }
}
