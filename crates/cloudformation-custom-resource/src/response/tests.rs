use proptest::prelude::*;
use serde_json::json;

use super::*;

const HINT: &str = "whole text in the function's log, request 8f4c1b8e-2d8f-4f2e-9c38-0b0a4d7a2b11";

fn ids(fill: &str) -> Ids {
    Ids { stack_id: fill.repeat(512), request_id: fill.repeat(128), logical_resource_id: fill.repeat(255) }
}

fn id(text: &str) -> PhysicalResourceId {
    PhysicalResourceId::new(text).unwrap()
}

fn success(reason: &str, data: &[(&str, Attribute)]) -> Response {
    let data = data.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let reason = Some(reason.to_owned());
    let done = Success { physical_resource_id: id("thing"), data, reason, no_echo: false };
    Response::success(ids("i"), done)
}

fn parsed(response: &Response) -> Value {
    let body = response.body();
    assert!(body.len() <= LONGEST_BODY, "{} bytes", body.len());
    serde_json::from_str(&body).unwrap()
}

#[test]
fn the_body_has_the_fields_of_the_protocol() {
    let ids =
        Ids { stack_id: "stack".into(), request_id: "request".into(), logical_resource_id: "Thing".into() };
    let data =
        [("B", "2"), ("A", "1")].map(|(name, value)| (name.to_owned(), Attribute::Exact(value.into())));
    let done = Success { physical_resource_id: id("thing"), data: data.into(), reason: None, no_echo: true };
    let done = Response::success(ids.clone(), done);
    assert_eq!(
        done.body(),
        r#"{"Status":"SUCCESS","PhysicalResourceId":"thing","StackId":"stack","RequestId":"request","LogicalResourceId":"Thing","NoEcho":true,"Data":{"A":"1","B":"2"}}"#
    );
    let failed = Response::failed(ids.clone(), id("thing"), "no \"key\"");
    assert_eq!(
        failed.body(),
        r#"{"Status":"FAILED","Reason":"no \"key\"","PhysicalResourceId":"thing","StackId":"stack","RequestId":"request","LogicalResourceId":"Thing"}"#
    );
    assert_eq!(Response::failed(ids, id("thing"), " ").reason(), Some("failed without a reason"));
}

#[test]
fn a_response_that_fits_is_not_changed() {
    let response = success("reason", &[("Text", Attribute::FreeText("text".into()))]);
    assert_eq!(response.clone().shortened_to_fit(HINT), response);
}

#[test]
fn trap_10_the_reason_is_shortened_first_and_says_where_to_find_the_whole_reason() {
    let exact = "x".repeat(1000);
    let response = success(
        &"grün ".repeat(600),
        &[("Exact", Attribute::Exact(exact.clone())), ("Text", Attribute::FreeText("y".repeat(500)))],
    );
    let fitted = response.shortened_to_fit(HINT);
    let body = parsed(&fitted);
    assert!(fitted.reason().unwrap().starts_with("grün grün"));
    assert!(fitted.reason().unwrap().ends_with(&format!("… {HINT}")));
    assert_eq!(body["Data"], json!({"Exact": exact, "Text": "y".repeat(500)}));
    // No more was removed than necessary.
    assert!(fitted.body().len() > LONGEST_BODY - 4);
}

#[test]
fn trap_10_free_texts_are_shortened_next_and_exact_attributes_never() {
    let exact = "x".repeat(1000);
    let fitted = success(
        &"r".repeat(100),
        &[("Exact", Attribute::Exact(exact.clone())), ("Text", Attribute::FreeText("ü".repeat(3000)))],
    )
    .shortened_to_fit(HINT);
    let body = parsed(&fitted);
    assert_eq!(fitted.status(), Status::Success);
    assert_eq!(body["Data"]["Exact"], exact);
    let text = body["Data"]["Text"].as_str().unwrap();
    assert!(text.starts_with("üü") && text.ends_with("ü…"));
}

#[test]
fn trap_10_attributes_that_cannot_fit_make_the_response_failed_instead_of_incomplete() {
    let fitted =
        success("", &[("A", Attribute::Exact("x".repeat(2000))), ("B", Attribute::Exact("y".repeat(3000)))])
            .shortened_to_fit(HINT);
    assert_eq!(fitted.status(), Status::Failed);
    assert_eq!(
        parsed(&fitted)["Reason"],
        "done, but the attributes do not fit in an answer of 4096 bytes: `A` 2000 bytes, `B` 3000 bytes"
    );
}

#[test]
fn trap_10_the_longest_ids_leave_space_for_a_reason() {
    let fitted = Response::failed(ids("\""), id(&"\\".repeat(1024)), "the reason is long ".repeat(500))
        .shortened_to_fit(HINT);
    assert!(parsed(&fitted)["Reason"].as_str().unwrap().starts_with("the reason"));
}

proptest! {
    #[test]
    fn trap_10_every_response_fits_and_holds_its_ids_and_exact_attributes(
        reason in "(?s)[\\x00-\\x1f\"\\\\a-zé€😀\u{fffe}]{0,5000}",
        fill in "[a\"\\\\]",
        exact in proptest::collection::btree_map("[A-Z]{1,4}", "(?s).{0,600}", 0..4),
        free in proptest::collection::btree_map("[a-z]{1,4}", "(?s).{0,3000}", 0..3),
        fails in any::<bool>(),
        hint in ".{0,200}",
    ) {
        let physical = id(&fill.repeat(1024));
        let exact_data = exact.iter().map(|(name, text)| (name.clone(), Attribute::Exact(text.clone())));
        let free_data = free.iter().map(|(name, text)| (name.clone(), Attribute::FreeText(text.clone())));
        let response = if fails {
            Response::failed(ids(&fill), physical.clone(), reason.clone())
        } else {
            let data = exact_data.chain(free_data).collect();
            let reason = Some(reason.clone());
            let done = Success { physical_resource_id: physical.clone(), data, reason, no_echo: true };
            Response::success(ids(&fill), done)
        };
        let fitted = response.clone().shortened_to_fit(&hint);
        let body = fitted.body();
        prop_assert!(body.len() <= LONGEST_BODY, "{} bytes", body.len());
        let parsed: Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(parsed["PhysicalResourceId"].as_str(), Some(physical.as_str()));
        prop_assert_eq!(&parsed["StackId"], &Value::from(fill.repeat(512)));
        match fitted.status() {
            Status::Failed => prop_assert!(!parsed["Reason"].as_str().unwrap().is_empty()),
            Status::Success => {
                prop_assert!(!fails);
                for (name, text) in &exact {
                    prop_assert_eq!(parsed["Data"][name].as_str(), Some(text.as_str()));
                }
                for name in free.keys() {
                    prop_assert!(parsed["Data"][name].is_string());
                }
            }
        }
        if response.body().len() <= LONGEST_BODY {
            prop_assert_eq!(fitted, response);
        }
    }

    #[test]
    fn the_escaped_length_is_the_serialisers(text in "(?s).{0,50}") {
        prop_assert_eq!(escaped_len(&text) + 2, Value::from(text).to_string().len());
    }
}
