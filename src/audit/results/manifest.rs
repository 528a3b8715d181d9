//! The manifest of the ResultWriter: it names the files that hold the results.

use serde::Deserialize;

/// The manifest of the ResultWriter of Step Functions: `manifest.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultManifest {
    /// The bucket that holds the files.
    pub bucket: String,
    /// The files: those of executions that succeeded, then those that failed, then those that did not run.
    pub files: Vec<ResultFile>,
}

/// A file of results.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResultFile {
    /// Its key in the bucket.
    pub key: String,
    /// Its size in bytes.
    #[serde(default)]
    pub size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ManifestText {
    destination_bucket: String,
    result_files: ResultFiles,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct ResultFiles {
    #[serde(default)]
    succeeded: Vec<ResultFile>,
    #[serde(default)]
    failed: Vec<ResultFile>,
    #[serde(default)]
    pending: Vec<ResultFile>,
}

impl ResultManifest {
    /// Reads `manifest.json`.
    ///
    /// # Errors
    ///
    /// If the text is no manifest.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        let ManifestText { destination_bucket: bucket, result_files } = serde_json::from_slice(text)?;
        let ResultFiles { succeeded, failed, pending } = result_files;
        Ok(Self { bucket, files: [succeeded, failed, pending].concat() })
    }
}
