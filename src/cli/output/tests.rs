use super::*;

#[test]
fn a_file_s_ending_names_the_format() {
    for (name, format) in [
        ("report.html", Some(FormatOption::Html)),
        ("a/Report.HTM", Some(FormatOption::Html)),
        ("report.md", Some(FormatOption::Markdown)),
        ("report.json", Some(FormatOption::Json)),
        ("report.sarif", Some(FormatOption::Sarif)),
        ("report.sarif.json", Some(FormatOption::Sarif)),
        ("report.txt", Some(FormatOption::Text)),
        ("report", None),
        ("report.pdf", None),
    ] {
        assert_eq!(FormatOption::of_file(Path::new(name)), format, "{name}");
    }
}

#[test]
fn an_address_has_a_host_and_nothing_behind_it() {
    for (given, taken) in [
        ("http://localhost:4566", "http://localhost:4566"),
        (
            "https://vpce-1.kms.eu-west-1.vpce.amazonaws.com/",
            "https://vpce-1.kms.eu-west-1.vpce.amazonaws.com",
        ),
        ("http://[::1]:4566", "http://[::1]:4566"),
    ] {
        assert_eq!(endpoint_url(given).as_deref(), Ok(taken));
    }
    for wrong in [
        "",
        "localhost:4566",
        "ftp://localhost",
        "http://",
        "http://localhost/path",
        "http://localhost?x=1",
        "http://localhost/#x",
        "http://user@localhost",
        "http://user:s3cret@localhost",
    ] {
        let error = endpoint_url(wrong).unwrap_err();
        assert!(error.contains("http://localhost:4566") && !error.contains("s3cret"), "{wrong}: {error}");
    }
}
