//! Each failure of the network in its own words.

use super::*;

#[derive(Debug)]
struct Text(&'static str);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Text {}

fn shown(host: &str, error: ConnectorError) -> String {
    let named = naming(host.to_owned(), error);
    let found = chain(&named).find_map(|error| error.downcast_ref::<Unreachable>());
    found.unwrap().to_string()
}

#[test]
fn each_failure_has_its_own_words_and_names_the_host() {
    let io = |kind| ConnectorError::io(io::Error::from(kind).into());
    let text = |text| ConnectorError::io(Text(text).into());
    let inside = io::Error::new(io::ErrorKind::InvalidData, Text("invalid peer certificate: UnknownIssuer"));
    let table = [
        (text("dns error: failed to lookup address information"), "the name of the Region right"),
        (io(io::ErrorKind::ConnectionRefused), "refuses connections"),
        (io(io::ErrorKind::NetworkUnreachable), "no network leads to"),
        (io(io::ErrorKind::TimedOut), "took too long"),
        (ConnectorError::timeout(Text("HTTP connect timeout").into()), "took too long"),
        (ConnectorError::io(inside.into()), "no TLS connection"),
        (text("received corrupt message of type InvalidContentType"), "no TLS connection"),
        (io(io::ErrorKind::ConnectionReset), "failed or was cut"),
        (ConnectorError::other(Text("connection closed").into(), None), "failed or was cut"),
    ];
    for (error, words) in table {
        let host = "sts.eu-west-9.amazonaws.com";
        let shown = shown(host, error);
        assert!(shown.contains(words) && shown.contains(host), "{words}: {shown}");
    }
    let elsewhere = shown("aws.internal:4566", text("dns error"));
    assert!(elsewhere.contains("the endpoint right"), "{elsewhere}");
}

#[test]
fn the_kind_of_an_error_stays_so_that_it_is_tried_again_as_before() {
    let source = || BoxError::from("cut");
    assert!(naming(String::new(), ConnectorError::timeout(source())).is_timeout());
    assert!(naming(String::new(), ConnectorError::io(source())).is_io());
    assert!(naming(String::new(), ConnectorError::user(source())).is_user());
    let kind = aws_smithy_types::retry::ErrorKind::TransientError;
    assert_eq!(naming(String::new(), ConnectorError::other(source(), Some(kind))).as_other(), Some(kind));
}
