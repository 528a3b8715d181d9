use proptest::prelude::*;

use super::*;

const ARRIVED: u64 = 1_000_000;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn deadline(function: u64, service_timeout: u64, response_url: Option<u64>) -> Deadline {
    Deadline::of(&TimeLimits {
        arrived: at(ARRIVED),
        function: at(function),
        service_timeout: Duration::from_secs(service_timeout),
        response_url: response_url.map(at),
    })
}

#[test]
fn trap_7_the_earliest_limit_decides_and_time_for_the_response_is_reserved() {
    for (function, service_timeout, url, limit, to_work) in [
        (ARRIVED + 120, 3600, None, Limit::Function, 110),
        (ARRIVED + 120, 3600, Some(ARRIVED + 7200), Limit::Function, 110),
        (ARRIVED + 900, 300, Some(ARRIVED + 7200), Limit::ServiceTimeout, 290),
        (ARRIVED + 900, 3600, Some(ARRIVED + 60), Limit::ResponseUrl, 50),
        // If there is little time, a quarter is reserved.
        (ARRIVED + 20, 3600, None, Limit::Function, 15),
        (ARRIVED + 900, 4, None, Limit::ServiceTimeout, 3),
        // Local runtimes send a constant that is long past.
        (600, 3600, None, Limit::ServiceTimeout, 3590),
        (600, 3600, Some(ARRIVED + 100), Limit::ResponseUrl, 90),
        // An expired URL leaves nothing.
        (ARRIVED + 120, 3600, Some(ARRIVED - 1), Limit::ResponseUrl, 0),
    ] {
        let deadline = deadline(function, service_timeout, url);
        assert_eq!(deadline.limit(), limit, "{function} {service_timeout} {url:?}");
        assert_eq!(deadline.left_to_work(at(ARRIVED)), Duration::from_secs(to_work));
    }
}

#[test]
fn the_time_that_is_left_runs_out() {
    let deadline = deadline(ARRIVED + 120, 3600, None);
    assert_eq!(deadline.elapsed(at(ARRIVED + 7)), Duration::from_secs(7));
    assert_eq!(deadline.left_to_work(at(ARRIVED + 100)), Duration::from_secs(10));
    assert_eq!(deadline.left_to_work(at(ARRIVED + 111)), Duration::ZERO);
    assert_eq!(deadline.left_to_respond(at(ARRIVED + 111)), Duration::from_secs(8));
    assert_eq!(deadline.left_to_respond(at(ARRIVED + 120)), Duration::ZERO);
}

#[test]
fn each_limit_has_a_name_for_people() {
    let shown = [Limit::Function, Limit::ServiceTimeout, Limit::ResponseUrl].map(|b| b.to_string());
    assert_eq!(
        shown,
        [
            "the time-out of the Lambda function",
            "the ServiceTimeout of the resource",
            "the expiry of the response URL"
        ]
    );
}

proptest! {
    #[test]
    fn trap_7_the_response_is_due_after_the_work_and_before_every_known_limit(
        function in 0..ARRIVED + 1000,
        service_timeout in 1..=3600_u64,
        url in proptest::option::of(ARRIVED - 10..ARRIVED + 8000),
    ) {
        let deadline = deadline(function, service_timeout, url);
        let now = at(ARRIVED);
        let response = now + deadline.left_to_respond(now);
        let known = [Some(function).filter(|f| *f > ARRIVED), Some(ARRIVED + service_timeout), url.map(|u| u.max(ARRIVED))];
        for end in known.into_iter().flatten() {
            prop_assert!(response <= at(end));
        }
        prop_assert!(deadline.left_to_work(now) <= deadline.left_to_respond(now));
        let reserved = deadline.left_to_respond(now) - deadline.left_to_work(now);
        prop_assert!(reserved >= Duration::from_secs(9).min(deadline.left_to_work(now) / 4));
    }
}
