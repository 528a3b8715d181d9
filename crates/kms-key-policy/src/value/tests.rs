//! Typed values: which texts are values of a type, and how two values compare.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::binary::{is_base64, same_bytes};
use super::date;
use super::network::Network;
use super::number::{Number, neighbours};

fn compare(one: &str, other: &str) -> Ordering {
    Number::parse(one).unwrap().compare(&Number::parse(other).unwrap())
}

#[test]
fn numbers_compare_by_value() {
    for (one, other) in
        [("1.50", "01.5"), ("-0", "0.0"), ("1e3", "1000"), ("12.5E-1", "1.25"), (".5", "0.5"), ("+7", "7.")]
    {
        assert_eq!(compare(one, other), Ordering::Equal, "{one} {other}");
    }
    for (less, more) in [
        ("9", "10"),
        ("-2", "-1"),
        ("-1", "0"),
        ("0.09", "0.1"),
        ("9007199254740992", "9007199254740993"),
        ("0.30000000000000000", "0.30000000000000001"),
        ("999e2", "1e5"),
        ("-1e9", "1e-9"),
    ] {
        assert_eq!(compare(less, more), Ordering::Less, "{less} {more}");
        assert_eq!(compare(more, less), Ordering::Greater, "{less} {more}");
    }
}

#[test]
fn other_texts_are_no_numbers() {
    for text in [
        "",
        "12abc",
        "abc",
        ".",
        "-",
        "1.2.3",
        "1e",
        "1e+",
        "0x10",
        " 1",
        "1 ",
        "NaN",
        "inf",
        "--1",
        "1e9999999999",
    ] {
        assert!(Number::parse(text).is_none(), "{text}");
    }
}

#[test]
fn neighbours_lie_next_to_the_number() {
    for text in ["0", "5", "-5", "0.1", "-0.01", "1200", "99.99"] {
        let near = neighbours(text).unwrap();
        assert_eq!(compare(&near[0], text), Ordering::Less, "{near:?}");
        assert_eq!(compare(&near[1], text), Ordering::Equal, "{near:?}");
        assert_eq!(compare(&near[2], text), Ordering::Greater, "{near:?}");
    }
    for text in ["1e3", &"9".repeat(50), &"1".repeat(39)] {
        assert_eq!(neighbours(text), None);
    }
}

#[test]
fn dates_of_every_form() {
    let second = 1_000_000_000;
    for (text, seconds) in [
        ("1970", 0),
        ("1970-01", 0),
        ("1970-01-01", 0),
        ("1970-01-01T00:00Z", 0),
        ("1970-01-01T00:00:01Z", 1),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1969-12-31T23:00:00-01:00", 0),
        ("2000-02-29", 951_782_400),
        ("2020-01-01T00:00:00Z", 1_577_836_800),
        ("1577836800", 1_577_836_800),
        ("-1", -1),
        ("0", 0),
        ("99999", 99_999),
    ] {
        assert_eq!(date::parse(text), Some(seconds * second), "{text}");
    }
    assert_eq!(date::parse("1970-01-01T00:00:00.25Z"), Some(second / 4));
    assert_eq!(date::parse("0.5"), Some(second / 2));
}

#[test]
fn other_texts_are_no_dates() {
    for text in [
        "",
        "yesterday",
        "2019-02-29",
        "1900-02-29",
        "2020-13-01",
        "2020-00-01",
        "2020-01-32",
        "2020-1-1",
        "2020-01-01T00:00:00",
        "2020-01-01T24:00:00Z",
        "2020-01-01T00:60Z",
        "2020-01T00:00Z",
        "2020-01-01T00:00:00+0200",
        "2020-01-01T",
        "2020-01-01Z",
        "1e3",
        "2020-01-01T00:00:00.Z",
        "12345678901234567890",
        "-",
        "٠",
    ] {
        assert_eq!(date::parse(text), None, "{text}");
    }
}

#[test]
fn networks_hold_addresses() {
    let holds = |network: &str, address: &str| {
        Network::parse(network).unwrap().contains(&Network::parse(address).unwrap())
    };
    for (network, address) in [
        ("10.0.0.0/8", "10.255.255.255"),
        ("10.9.9.9/8", "10.0.0.0"),
        ("0.0.0.0/0", "255.255.255.255"),
        ("2001:db8::/32", "2001:DB8:ffff::1"),
        ("::/0", "ffff::"),
        ("2001:db8::1", "2001:0db8:0:0:0:0:0:1"),
    ] {
        assert!(holds(network, address), "{network} {address}");
    }
    for (network, address) in [
        ("10.0.0.0/8", "11.0.0.0"),
        ("::/0", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2"),
        ("10.0.0.0/9", "10.0.0.0/8"),
    ] {
        assert!(!holds(network, address), "{network} {address}");
    }
    for text in [
        "",
        "10.0.0",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "::/129",
        "10.0.0.256",
        "a",
        "10.0.0.0/8/8",
        "10.0.0.0/0008",
    ] {
        assert!(Network::parse(text).is_none(), "{text}");
    }
}

#[test]
fn binary_values_compare_by_their_bytes() {
    assert!(same_bytes("QmluYXJ5", "QmluYXJ5"));
    assert!(same_bytes("QQ==", "QR=="), "the bits beyond the last byte do not count");
    assert!(!same_bytes("QQ==", "Qg=="));
    assert!(same_bytes("", ""));
    for text in ["Q", "QQ", "QQ=", "Q===", "QQ==QQ==", "Q Q=", "é==="] {
        assert!(!is_base64(text), "{text}");
    }
}

proptest! {
    #[test]
    fn numbers_compare_like_integers(one in -100_000i64..100_000, other in -100_000i64..100_000, zeros in 0usize..3) {
        let written = format!("{one}.{}", "0".repeat(zeros + 1));
        prop_assert_eq!(compare(&written, &other.to_string()), one.cmp(&other));
    }

    #[test]
    fn epoch_seconds_and_calendar_agree(days in -200_000i64..200_000) {
        // This walks through the calendar, month by month.
        let (mut year, mut month, mut left) = (1970, 1, days);
        let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
        let length = |y: i64, m: i64| [31, if leap(y) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][m as usize - 1];
        while left < 0 {
            (year, month) = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
            left += length(year, month);
        }
        while left >= length(year, month) {
            left -= length(year, month);
            (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        }
        let text = format!("{year:04}-{month:02}-{:02}", left + 1);
        prop_assert_eq!(date::parse(&text), Some(i128::from(days) * 86_400_000_000_000), "{}", text);
    }
}
