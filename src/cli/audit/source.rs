//! Reads an audit that was made: a file of lines, a folder that Step Functions wrote, or either of them in Amazon S3.

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::audit::{Audit, AuditSummary, ResultManifest, ResultReader};
use crate::cli::connection::CommandPorts;
use crate::cli::files::text_of;
use crate::cli::utf8_input::in_utf_8;
use crate::cli::{CliError, Connection};
use crate::intent::ObjectAddress;
use crate::operations::{required_object, stored_audit};
use crate::ports::ReadObjects;

/// The file in which the ResultWriter of Step Functions names the files of results.
const MANIFEST: &str = "manifest.json";
/// The file of a report that the next audit is compared with.
const SUMMARY: &str = "summary.json";
/// The beginnings of the names of the files of results.
const RESULTS: [&str; 3] = ["SUCCEEDED_", "FAILED_", "PENDING_"];
/// Files of lines in the folder of a report that are no lines of an audit.
const NO_LINES: [&str; 2] = ["asff.jsonl", "ocsf.jsonl"];
/// How much of a file is read at a time.
const PART: usize = 1 << 20;

/// Reads an audit from a file, a folder, or an address in S3.
pub(in crate::cli) async fn read_audit<P: CommandPorts>(
    source: &str,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Audit, CliError> {
    let audit = if source.starts_with("s3://") {
        let Connection { ports, .. } = connect(None).await?;
        Box::pin(of_objects(source, &ports)).await?
    } else {
        of_files(source)?
    };
    if audit.is_empty() {
        let problem = audit.notes().next();
        return Err(not_one(source, problem.unwrap_or_else(|| "it has no results of an audit".to_owned())));
    }
    Ok(audit)
}

/// Reads what an audit is compared with: the summary of a report, or an earlier audit.
pub(super) async fn read_summary<P: CommandPorts>(
    source: &str,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<AuditSummary, CliError> {
    let found = match source.strip_prefix("s3://") {
        Some(_) if is_object(source) => {
            let Connection { ports, .. } = connect(None).await?;
            Some(required_object(&ports, &address(source)?, "the summary").await?)
        }
        Some(_) => None,
        None => {
            let path = Path::new(source);
            let path = if path.is_dir() { path.join(SUMMARY) } else { path.to_path_buf() };
            // A folder without a summary may have results.
            match fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && Path::new(source).is_dir() => None,
                read => Some(read.map_err(|error| unread(&path, error))?),
            }
        }
    };
    let found = found.map(|bytes| text_of(source, bytes)).transpose()?;
    if let Some(summary) = found.and_then(|text| AuditSummary::parse(text.as_bytes()).ok()) {
        return Ok(summary);
    }
    let audit = read_audit(source, connect).await?;
    let newest = audit.lines().map(|line| line.audited_at.as_str()).max().unwrap_or_default().to_owned();
    Ok(audit.summary(&newest, None))
}

async fn of_objects<P: ReadObjects>(source: &str, ports: &P) -> Result<Audit, CliError> {
    if is_object(source) {
        let object = address(source)?;
        if object.name() == MANIFEST {
            return Ok(stored_audit(ports, &object).await?);
        }
        let bytes = required_object(ports, &object, "the audit").await?;
        let bytes = text_of(source, bytes)?.into_bytes();
        let mut audit = Audit::default();
        let mut reader = ResultReader::default();
        let results = reader.push(&bytes);
        results.into_iter().chain(reader.finish()).for_each(|result| audit.fold_result(result));
        return Ok(audit);
    }
    let folder = ObjectAddress::parse_folder(source).map_err(|error| not_one(source, error.to_string()))?;
    // The ResultWriter makes a folder for each run.
    let names = ports.folder(&folder).await?;
    if names.iter().any(|name| name == MANIFEST) {
        return Ok(stored_audit(ports, &folder.below(MANIFEST)).await?);
    }
    let mut runs = Vec::new();
    for name in names.iter().filter(|name| name.ends_with('/')) {
        let run = folder.below(name);
        if ports.folder(&run).await?.iter().any(|name| name == MANIFEST) {
            runs.push(run);
        }
    }
    match runs.as_slice() {
        [run] => Ok(stored_audit(ports, &run.below(MANIFEST)).await?),
        [] => Err(not_one(
            source,
            format!("there is no {MANIFEST}, which Step Functions writes when a run ends"),
        )),
        runs => {
            let names: Vec<_> = runs.iter().map(ToString::to_string).collect();
            Err(not_one(source, format!("it holds several runs; give one of them: {}", names.join(", "))))
        }
    }
}

/// Whether an address names an object and no folder.
fn is_object(source: &str) -> bool {
    [".json", ".jsonl"].iter().any(|ending| source.ends_with(ending))
}

fn address(source: &str) -> Result<ObjectAddress, CliError> {
    ObjectAddress::parse(source).map_err(|error| not_one(source, error.to_string()))
}

fn of_files(source: &str) -> Result<Audit, CliError> {
    let path = Path::new(source);
    let mut audit = Audit::default();
    let is_folder = fs::metadata(path).map_err(|error| unread(path, error))?.is_dir();
    let files = match (is_folder, path.file_name().is_some_and(|name| name == MANIFEST)) {
        (true, _) => files_of(path)?,
        (false, true) => of_manifest(path)?,
        (false, false) => vec![path.to_path_buf()],
    };
    for file in files {
        fold_file(&mut audit, &file).map_err(|error| unread(&file, error))?;
    }
    Ok(audit)
}

/// The files of results in a folder: those that its manifest names, or else those that have the name of one.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let manifest = folder.join(MANIFEST);
    if manifest.is_file() {
        return of_manifest(&manifest);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unread(folder, error))? {
        let path = entry.map_err(|error| unread(folder, error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        let is_stored = is_json && RESULTS.iter().any(|beginning| name.starts_with(beginning));
        let is_lines = path.extension().is_some_and(|extension| extension == "jsonl");
        if is_stored || (is_lines && !NO_LINES.contains(&&*name)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The files that a manifest names, in the manifest's own folder.
fn of_manifest(manifest: &Path) -> Result<Vec<PathBuf>, CliError> {
    let bytes = fs::read(manifest).map_err(|error| unread(manifest, error))?;
    let read = ResultManifest::parse(&bytes);
    let shown = manifest.to_string_lossy();
    let ResultManifest { files, .. } =
        read.map_err(|error| not_one(&shown, format!("it is no manifest of a ResultWriter: {error}")))?;
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let names = files.iter().filter(|file| file.size > 0).filter_map(|file| file.key.rsplit('/').next());
    Ok(names.map(|name| folder.join(name)).collect())
}

fn fold_file(audit: &mut Audit, path: &Path) -> io::Result<()> {
    let mut file = in_utf_8(BufReader::with_capacity(PART, File::open(path)?))?;
    let mut reader = ResultReader::default();
    let mut part = vec![0; PART];
    loop {
        let read = file.read(&mut part)?;
        let Some(bytes) = part.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        reader.push(bytes).into_iter().for_each(|result| audit.fold_result(result));
    }
    reader.finish().into_iter().for_each(|result| audit.fold_result(result));
    Ok(())
}

fn unread(path: &Path, error: io::Error) -> CliError {
    CliError::File { path: path.to_string_lossy().into_owned(), error }
}

fn not_one(source: &str, why: String) -> CliError {
    CliError::AuditSource { from: source.to_owned(), why }
}
