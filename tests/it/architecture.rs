//! The structure of the code: the module table and the invariants of `src/lib.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;
/// The crates of the workspace, as imports name them.
const CRATES: [&str; 3] = ["aws_https", "cloudformation_custom_resource", "kms_key_policy"];
/// The files of the preflight that do not read: the preflight as a whole does.
const PURE_PARTS_OF_PREFLIGHT: [&str; 6] = [
    "preflight/assessment",
    "preflight/assessor",
    "preflight/checks",
    "preflight/finding",
    "preflight/key_error",
    "preflight/observation.rs",
];

/// A row of the module table.
struct Module {
    name: String,
    is_pure: bool,
    may_import: BTreeSet<String>,
}

/// The module table of `src/lib.rs`, from top to bottom.
fn table() -> Vec<Module> {
    let text = text(&root().join("src/lib.rs"));
    // Modules that others see are links, and so have brackets.
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | "));
    let rows = rows.map(|row| row.trim_start_matches('[')).filter_map(|row| row.strip_prefix('`'));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let (name, holds, imports) = (cells[0], cells[1], cells[2]);
        let imports = imports.split(',').map(|import| import.trim().trim_matches('`').to_owned());
        Module {
            name: name.trim_end_matches(['`', ']']).to_owned(),
            is_pure: holds.ends_with("pure"),
            may_import: imports.filter(|import| !import.is_empty()).collect(),
        }
    })
    .collect()
}

/// The modules and crates that each module imports outside of its tests, each with a file that imports it.
fn imports() -> BTreeMap<String, BTreeMap<String, PathBuf>> {
    let mut imports: BTreeMap<String, BTreeMap<String, PathBuf>> = BTreeMap::new();
    for file in sources().into_iter().filter(|file| is_in_a_module(file) && !is_test(file)) {
        let of_module = imports.entry(module(&file)).or_default();
        let code = code_without_tests(&file);
        let own = code.split("crate::").skip(1).map(first_word).filter(|name| *name != module(&file));
        let of_workspace = CRATES.into_iter().filter(|name| code.contains(&format!("{name}::")));
        for name in own.chain(of_workspace) {
            of_module.entry(name.to_owned()).or_insert_with(|| file.clone());
        }
    }
    imports
}

#[test]
fn the_module_table_lists_every_module_once() {
    let lib = text(&root().join("src/lib.rs"));
    let mut declared: Vec<_> =
        lib.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")).collect();
    let mut listed: Vec<_> = table().into_iter().map(|module| format!("{};", module.name)).collect();
    declared.sort_unstable();
    listed.sort_unstable();
    assert_eq!(declared, listed);
}

#[test]
fn no_module_imports_what_its_row_does_not_name() {
    let imports = imports();
    for module in table() {
        let Some(found) = imports.get(&module.name) else { continue };
        for (name, file) in found {
            assert!(
                module.may_import.contains(name),
                "{} imports {name}, which the row of {} does not name",
                file.display(),
                module.name
            );
        }
    }
}

#[test]
fn no_row_names_what_its_module_does_not_import() {
    let imports = imports();
    for module in table() {
        let found: BTreeSet<_> =
            imports.get(&module.name).into_iter().flat_map(BTreeMap::keys).cloned().collect();
        let unused: Vec<_> = module.may_import.difference(&found).collect();
        assert!(unused.is_empty(), "{} does not import {unused:?}", module.name);
    }
}

#[test]
fn a_module_imports_only_what_stands_below_it() {
    let table = table();
    for (row, module) in table.iter().enumerate() {
        let below: BTreeSet<_> = table[row + 1..].iter().map(|module| module.name.as_str()).collect();
        for import in module.may_import.iter().filter(|import| !CRATES.contains(&import.as_str())) {
            assert!(below.contains(import.as_str()), "{import} does not stand below {}", module.name);
        }
    }
}

#[test]
fn the_crates_import_nothing_of_the_root_package() {
    for name in CRATES {
        let manifest = text(&root().join("crates").join(name.replace('_', "-")).join("Cargo.toml"));
        for dependency in manifest.lines().filter(|line| line.contains("path =")) {
            // The sender of responses is built on the HTTPS client, which is a crate by itself for both.
            let is_client =
                name == "cloudformation_custom_resource" && dependency.starts_with("aws-https = ");
            assert!(is_client, "{name} depends on a crate of this repository: {dependency}");
        }
    }
}

#[test]
fn only_the_aws_module_imports_the_sdk() {
    for file in sources().into_iter().filter(|file| !file.starts_with(root().join("src/aws"))) {
        if file != root().join("src/aws.rs") {
            assert!(!code(&file).contains("aws_sdk_"), "{} names the AWS SDK", file.display());
        }
    }
}

#[test]
fn pure_modules_have_no_clock_no_network_and_no_runtime() {
    let pure: BTreeSet<_> =
        table().into_iter().filter(|module| module.is_pure).map(|module| module.name).collect();
    assert!(pure.len() > 5, "the table says which modules are pure");
    let is_pure = |file: &Path| {
        let inside = file.strip_prefix(root().join("src")).unwrap().to_string_lossy().into_owned();
        pure.contains(&module(file)) || PURE_PARTS_OF_PREFLIGHT.iter().any(|part| inside.starts_with(part))
    };
    for file in sources().into_iter().filter(|file| is_in_a_module(file) && !is_test(file) && is_pure(file)) {
        let code = code_without_tests(&file);
        for word in [
            "tokio::",
            "tracing::",
            "lambda_runtime",
            "SystemTime::now",
            "Instant::now",
            "std::env",
            "TcpStream",
            "UdpSocket",
            "std::fs",
        ] {
            assert!(!code.contains(word), "{} names {word}", file.display());
        }
    }
}

#[test]
fn a_type_name_means_one_thing_in_each_crate() {
    let mut of_crates: BTreeMap<String, BTreeMap<String, Vec<PathBuf>>> = BTreeMap::new();
    for file in sources() {
        let package = file.ancestors().find(|folder| folder.join("Cargo.toml").exists()).unwrap();
        let name_of_crate = package.file_name().unwrap().to_string_lossy().into_owned();
        let defined = of_crates.entry(name_of_crate).or_default();
        // An indented `type` is an associated type of an impl.
        let is_item =
            |line: &&str| !line.starts_with(' ') || is_test(&file) && !line.trim_start().starts_with("type ");
        for line in code(&file).lines().filter(is_item) {
            let line = line.trim_start();
            let item =
                line.split_once("pub").filter(|(before, _)| before.is_empty()).map_or(line, |(_, rest)| {
                    rest.split_once(") ")
                        .filter(|_| rest.starts_with('('))
                        .map_or(rest, |(_, rest)| rest)
                        .trim_start()
                });
            let name =
                ["struct ", "enum ", "trait ", "type "].iter().find_map(|kind| item.strip_prefix(kind));
            if let Some(name) = name.map(first_word) {
                defined.entry(name.to_owned()).or_default().push(file.clone());
            }
        }
    }
    assert_eq!(of_crates.len(), 1 + CRATES.len());
    for (name_of_crate, defined) in of_crates {
        for (name, files) in defined {
            assert!(files.len() == 1, "{name} is defined in {files:?} of `{name_of_crate}`");
        }
    }
}

#[test]
fn no_file_is_too_long() {
    for file in sources() {
        let lines = text(&file).lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", file.display());
    }
}

#[test]
fn every_file_says_what_it_holds() {
    for file in sources().into_iter().filter(|file| !file.ends_with("tests.rs")) {
        assert!(text(&file).starts_with("//!"), "{} does not open with what it holds", file.display());
    }
}

/// The Rust files below `src` and `crates/*/src`.
fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let crates = CRATES.map(|name| root().join("crates").join(name.replace('_', "-")).join("src"));
    let mut folders: Vec<_> = crates.into_iter().chain([root().join("src")]).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 100, "the sources were not found");
    files
}

/// Whether a file belongs to a module of the root package, and not to a binary or to `src/lib.rs`.
fn is_in_a_module(file: &Path) -> bool {
    let src = root().join("src");
    file.starts_with(&src)
        && !file.starts_with(src.join("bin"))
        && !["main.rs", "lib.rs"].iter().any(|name| file == src.join(name))
}

fn is_test(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == "tests.rs" || name == "examples.rs")
}

/// The module of a file of the root package: its first folder, or its own name.
fn module(file: &Path) -> String {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A file's lines without its comments.
fn code(file: &Path) -> String {
    text(file).lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The same without a test module at the file's end.
fn code_without_tests(file: &Path) -> String {
    let code = code(file);
    code.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned()
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap()
}
