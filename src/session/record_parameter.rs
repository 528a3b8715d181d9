//! The names of the parameters that hold the records, one for each document: `/session-kms/<document>`.

use super::name::DocumentName;

/// The path in Parameter Store that all records are under.
pub const RECORDS_PATH: &str = "/session-kms";

/// The name of the parameter that holds the record of a document.
#[must_use]
pub fn record_parameter(document: &DocumentName) -> String {
    format!("{RECORDS_PATH}/{document}")
}

/// The document whose record a parameter holds; `None` for any other parameter.
#[must_use]
pub fn document_of_record(parameter: &str) -> Option<DocumentName> {
    DocumentName::parse(parameter.strip_prefix(RECORDS_PATH)?.strip_prefix('/')?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_names_its_document() {
        let document = DocumentName::default();
        let parameter = record_parameter(&document);
        assert_eq!(parameter, "/session-kms/SSM-SessionManagerRunShell");
        assert_eq!(document_of_record(&parameter), Some(document));
    }

    #[test]
    fn other_parameters_hold_no_record() {
        for parameter in [
            "",
            "/session-kms",
            "/session-kms/",
            "/session-kms/a",
            "/session-kms/Doc/x",
            "/session-kms-2/Doc",
        ] {
            assert_eq!(document_of_record(parameter), None, "{parameter}");
        }
    }
}
