use proptest::prelude::*;

use super::*;

const GOOD: &str = "https://cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com/arn%3Aaws%3Acloudformation%7CThing%7C5b6c?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260131T235959Z&X-Amz-Expires=7200&X-Amz-Signature=s3cr3t";

fn allowed(url: &str) -> bool {
    let endpoints = [Origin::parse("http://127.0.0.1:4566/").unwrap()];
    ResponseUrl::parse(url).is_ok_and(|url| url.is_allowed(&endpoints))
}

fn epoch(seconds: u64) -> Option<SystemTime> {
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[test]
fn trap_19_the_url_shows_nothing_but_its_host() {
    let url = ResponseUrl::parse(GOOD).unwrap();
    for shown in [format!("{url}"), format!("{url:?}"), format!("{url:#?}")] {
        assert!(shown.contains("s3.us-east-1.amazonaws.com/…"), "{shown}");
        assert!(!shown.contains("arn") && !shown.contains("s3cr3t"), "{shown}");
    }
    let error = ResponseUrl::parse("https://user:s3cr3t@h.amazonaws.com/s3cr3t").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cr3t"));
}

#[test]
fn the_text_stays_as_received() {
    assert_eq!(ResponseUrl::parse(GOOD).unwrap().reveal(), GOOD);
}

#[test]
fn hosts_below_each_partition_are_allowed() {
    for suffix in AWS_SUFFIXES {
        assert!(allowed(&format!("https://bucket.s3.region.{suffix}/k?s")), "{suffix}");
        assert!(allowed(&format!("HTTPS://Bucket.S3.{}:443/k", suffix.to_uppercase())), "{suffix}");
    }
}

#[test]
fn the_configured_endpoint_is_allowed_with_its_scheme_host_and_port_alone() {
    assert!(allowed("http://127.0.0.1:4566/bucket?x"));
    for other in [
        "https://127.0.0.1:4566/",
        "http://127.0.0.1:4567/",
        "http://127.0.0.1/",
        "http://localhost:4566/",
        "http://127.0.0.1:4566.evil.org/",
    ] {
        assert!(!allowed(other), "{other}");
    }
}

#[test]
fn lookalikes_of_aws_hosts_are_refused() {
    for url in [
        "http://s3.amazonaws.com/",
        "ftp://s3.amazonaws.com/",
        "https://s3.amazonaws.com:8443/",
        "https://amazonaws.com/",
        "https://.amazonaws.com/",
        "https://evilamazonaws.com/",
        "https://s3.evil-amazonaws.com/",
        "https://s3.amazonaws.com.evil.org/",
        "https://s3.amazonaws.com./",
        "https://s3.amazonaws.co/",
        "https://amazonaws.com@evil.org/",
        "https://s3.amazonaws.com:443@evil.org/",
        "https://user@s3.amazonaws.com/",
        "https://:pw@s3.amazonaws.com/",
        "https://evil.org/s3.amazonaws.com",
        "https://evil.org?s3.amazonaws.com",
        "https://evil.org#.amazonaws.com",
        "https://evil.org\\.amazonaws.com/",
        "https://evil.org%2f.amazonaws.com/",
        "https://s3%2eamazonaws.com/",
        "https:///s3.amazonaws.com/",
        "https:s3.amazonaws.com/",
        "https:/s3.amazonaws.com/",
        "https:////s3.amazonaws.com/",
        "https://s3.amazonaws.com/a b",
        "https://s3\t.amazonaws.com/",
        "https://s3.amazonaws.com/ü",
        "https://s3。amazonaws.com/",
        "//s3.amazonaws.com/",
        "s3.amazonaws.com",
        "",
    ] {
        assert!(!allowed(url), "{url}");
    }
}

#[test]
fn the_expiry_is_read_from_both_kinds_of_signature() {
    for (query, expires) in [
        ("Expires=1769904000&Signature=x", epoch(1_769_904_000)),
        ("X-Amz-Date=20260201T000000Z&X-Amz-Expires=7200", epoch(1_769_904_000 + 7200)),
        ("X-Amz-Expires=1&X-Amz-Date=20240229T235959Z", epoch(1_709_251_200)),
        ("X-Amz-Date=20260201T000000Z", None),
        ("X-Amz-Date=20260231T000000Z&X-Amz-Expires=1", None),
        ("X-Amz-Date=2026-02-01&X-Amz-Expires=1", None),
        ("X-Amz-Date=20260201T000000Z&X-Amz-Expires=18446744073709551615", None),
        ("Expires=18446744073709551615", None),
        ("Expires=-1", None),
        ("", None),
    ] {
        let url = ResponseUrl::parse(&format!("https://b.s3.amazonaws.com/k?{query}")).unwrap();
        assert_eq!(url.expires(), expires, "{query}");
    }
}

#[test]
fn trap_16_a_url_is_expired_from_its_last_second_on_and_never_without_an_expiry() {
    let url = ResponseUrl::parse("https://b.s3.amazonaws.com/k?Expires=1000").unwrap();
    assert!(!url.is_expired(epoch(999).unwrap()));
    assert!(url.is_expired(epoch(1000).unwrap()));
    let open = ResponseUrl::parse("https://b.s3.amazonaws.com/k").unwrap();
    assert!(!open.is_expired(epoch(4_000_000_000).unwrap()));
}

proptest! {
    #[test]
    fn no_text_gets_past_but_an_https_url_whose_host_the_text_shows(text in "(https|http)?:?/{0,3}[a-z.@:\\\\%2e#?/ ]{0,12}\\.?(amazonaws\\.com)?[a-z.@:\\\\%2e#?/]{0,9}") {
        if let Ok(url) = ResponseUrl::parse(&text) && url.is_allowed(&[]) {
            let rest = text.strip_prefix("https://").unwrap();
            let authority = rest.split(['/', '?']).next().unwrap();
            let host = authority.strip_suffix(":443").or(authority.strip_suffix(':')).unwrap_or(authority);
            prop_assert!(AWS_SUFFIXES.iter().any(|suffix| host.ends_with(&format!(".{suffix}"))), "{}", text);
            prop_assert!(host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')), "{}", text);
        }
    }

    #[test]
    fn any_text_at_all_is_read_without_panic(text in ".*") {
        let _ = ResponseUrl::parse(&text);
    }
}
