use proptest::prelude::*;

use super::*;

const ARRIVED: u64 = 1_000_000;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn ends(function: u64, service_timeout: u64, response_url: Option<u64>) -> Deadline {
    Deadline::of(&Ends {
        arrived: at(ARRIVED),
        function: at(function),
        service_timeout: Duration::from_secs(service_timeout),
        response_url: response_url.map(at),
    })
}

#[test]
fn trap_7_the_earliest_end_decides_and_a_margin_is_kept_for_the_answer() {
    for (function, service_timeout, url, bound, to_work) in [
        (ARRIVED + 120, 3600, None, Bound::Function, 110),
        (ARRIVED + 120, 3600, Some(ARRIVED + 7200), Bound::Function, 110),
        (ARRIVED + 900, 300, Some(ARRIVED + 7200), Bound::ServiceTimeout, 290),
        (ARRIVED + 900, 3600, Some(ARRIVED + 60), Bound::ResponseUrl, 50),
        // Little time: a quarter is kept.
        (ARRIVED + 20, 3600, None, Bound::Function, 15),
        (ARRIVED + 900, 4, None, Bound::ServiceTimeout, 3),
        // Local runtimes give a constant, long past.
        (600, 3600, None, Bound::ServiceTimeout, 3590),
        (600, 3600, Some(ARRIVED + 100), Bound::ResponseUrl, 90),
        // An expired URL leaves nothing.
        (ARRIVED + 120, 3600, Some(ARRIVED - 1), Bound::ResponseUrl, 0),
    ] {
        let deadline = ends(function, service_timeout, url);
        assert_eq!(deadline.bound(), bound, "{function} {service_timeout} {url:?}");
        assert_eq!(deadline.left_to_work(at(ARRIVED)), Duration::from_secs(to_work));
    }
}

#[test]
fn what_is_left_runs_out() {
    let deadline = ends(ARRIVED + 120, 3600, None);
    assert_eq!(deadline.elapsed(at(ARRIVED + 7)), Duration::from_secs(7));
    assert_eq!(deadline.left_to_work(at(ARRIVED + 100)), Duration::from_secs(10));
    assert_eq!(deadline.left_to_work(at(ARRIVED + 111)), Duration::ZERO);
    assert_eq!(deadline.left_to_answer(at(ARRIVED + 111)), Duration::from_secs(8));
    assert_eq!(deadline.left_to_answer(at(ARRIVED + 120)), Duration::ZERO);
}

#[test]
fn the_bound_is_told_in_words() {
    let shown = [Bound::Function, Bound::ServiceTimeout, Bound::ResponseUrl].map(|b| b.to_string());
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
    fn trap_7_the_answer_always_comes_after_the_work_and_before_every_known_end(
        function in 0..ARRIVED + 1000,
        service_timeout in 1..=3600_u64,
        url in proptest::option::of(ARRIVED - 10..ARRIVED + 8000),
    ) {
        let deadline = ends(function, service_timeout, url);
        let now = at(ARRIVED);
        let answer = now + deadline.left_to_answer(now);
        let known = [Some(function).filter(|f| *f > ARRIVED), Some(ARRIVED + service_timeout), url.map(|u| u.max(ARRIVED))];
        for end in known.into_iter().flatten() {
            prop_assert!(answer <= at(end));
        }
        prop_assert!(deadline.left_to_work(now) <= deadline.left_to_answer(now));
        let kept = deadline.left_to_answer(now) - deadline.left_to_work(now);
        prop_assert!(kept >= Duration::from_secs(9).min(deadline.left_to_work(now) / 4));
    }
}
