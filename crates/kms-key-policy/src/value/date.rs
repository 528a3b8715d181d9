//! Points in time: the W3C profile of ISO 8601, or seconds since 1970.

/// A point in time, in nanoseconds since 1970-01-01T00:00:00Z.
pub(crate) type Instant = i128;

const SECOND: i128 = 1_000_000_000;

/// Reads a date. Four digits are a year, and any other number of digits are seconds since 1970.
pub(crate) fn parse(text: &str) -> Option<Instant> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if number(whole, whole.len()).is_some() && (whole.len() != 4 || text.len() != 4) {
        if whole.len() > 15 {
            return None;
        }
        let size = i128::from(number(whole, whole.len())?) * SECOND + nanoseconds(fraction)?;
        return Some(if text.starts_with('-') { -size } else { size });
    }
    calendar(text)
}

/// Reads `YYYY[-MM[-DD[Thh:mm[:ss[.s]]TZD]]]`.
fn calendar(text: &str) -> Option<Instant> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |m| number(m, 2))?;
    let day = parts.next().map_or(Some(1), |d| number(d, 2))?;
    let whole_date = date.len() == 10;
    if parts.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let midnight = i128::from(days_since_1970(year, month, day)) * 86_400 * SECOND;
    match time {
        None => Some(midnight),
        Some(time) if whole_date => Some(midnight + clock(time)?),
        Some(_) => None,
    }
}

/// Reads `hh:mm[:ss[.s]]TZD` as nanoseconds since midnight UTC.
fn clock(text: &str) -> Option<i128> {
    let zone_at = text.find(['Z', '+', '-'])?;
    let (time, zone) = text.split_at_checked(zone_at)?;
    let offset = match zone.split_at_checked(1)? {
        ("Z", "") => 0,
        (sign, offset) if sign != "Z" => {
            let (hours, minutes) = offset.split_once(':')?;
            let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let size = hours * 3600 + minutes * 60;
            if sign == "-" { -size } else { size }
        }
        _ => return None,
    };
    let mut parts = time.splitn(3, ':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let (second, fraction) = match parts.next() {
        None => (0, 0),
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
            (number(whole, 2)?, nanoseconds(fraction)?)
        }
    };
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(i128::from(hour * 3600 + minute * 60 + second - offset) * SECOND + fraction)
}

/// Reads the digits after a point. Anything finer than a nanosecond is cut off.
fn nanoseconds(fraction: &str) -> Option<i128> {
    number(fraction, fraction.len())?;
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(digits.fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0')))
}

/// Reads exactly `length` digits. If they are too many for a number, the result is the greatest number.
fn number(text: &str, length: usize) -> Option<i64> {
    let sound = length > 0 && text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    sound.then(|| text.parse().unwrap_or(i64::MAX))
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March here, so that the leap day is the
/// last day of a year.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
