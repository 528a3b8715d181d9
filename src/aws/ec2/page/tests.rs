use super::*;

fn of(inside: &str) -> Result<AssociationsPage, XmlDecodeError> {
    let xmlns = "http://ec2.amazonaws.com/doc/2016-11-15/";
    page(
        format!(r#"<?xml version="1.0" encoding="UTF-8"?><{ANSWER} xmlns="{xmlns}">{inside}</{ANSWER}>"#)
            .as_bytes(),
    )
}

#[test]
fn associations_are_read_and_other_elements_skipped() {
    let answer = of("<requestId>r</requestId>
        <iamInstanceProfileAssociationSet>
            <item>
                <associationId>iip-assoc-1</associationId>
                <iamInstanceProfile><id>AIPA1</id><arn>arn:aws:iam::123456789012:instance-profile/a&amp;b/P</arn></iamInstanceProfile>
                <state>associated</state>
                <instanceId>i-1</instanceId>
            </item>
            <item>
                <instanceId>i-2</instanceId>
                <iamInstanceProfile><arn>arn:aws:iam::123456789012:instance-profile/P</arn></iamInstanceProfile>
            </item>
        </iamInstanceProfileAssociationSet>
        <nextToken>token==</nextToken>");
    let association = |instance: &str, profile: &str| {
        (instance.to_owned(), format!("arn:aws:iam::123456789012:instance-profile/{profile}"))
    };
    assert_eq!(
        answer.unwrap(),
        AssociationsPage {
            associations: vec![association("i-1", "a&b/P"), association("i-2", "P")],
            next_token: Some("token==".to_owned()),
        }
    );
}

#[test]
fn the_last_page_has_no_token() {
    for inside in [
        "<iamInstanceProfileAssociationSet/>",
        "<iamInstanceProfileAssociationSet/><nextToken/>",
        "<iamInstanceProfileAssociationSet></iamInstanceProfileAssociationSet><nextToken></nextToken>",
    ] {
        assert_eq!(
            of(inside).unwrap(),
            AssociationsPage { associations: Vec::new(), next_token: None },
            "{inside}"
        );
    }
}

#[test]
fn an_answer_without_associations_is_an_error() {
    for inside in [
        "",
        "<iamInstanceProfileAssociationSet><item><instanceId>i-1</instanceId></item></iamInstanceProfileAssociationSet>",
        "<iamInstanceProfileAssociationSet><item><iamInstanceProfile><arn>a</arn></iamInstanceProfile></item></iamInstanceProfileAssociationSet>",
    ] {
        assert!(of(inside).is_err(), "{inside}");
    }
    for body in ["", "{}", "<html>sign in here</html>", "<Response><Errors/></Response>"] {
        assert!(page(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn a_refusal_has_code_and_message() {
    let body = b"<?xml version=\"1.0\"?><Response><Errors><Error><Code>UnauthorizedOperation</Code>\
        <Message>You &lt;may&gt; not</Message></Error></Errors><RequestID>r</RequestID></Response>";
    let (code, message) = refusal(body).unwrap();
    assert_eq!((code.as_deref(), message.as_deref()), (Some("UnauthorizedOperation"), Some("You <may> not")));
}
