//! What helps somebody at a shell: explanations of checks, completions and manual pages.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use session_kms::cli::{self, Exit};

use super::offline;

#[tokio::test]
async fn a_check_is_explained_without_any_other_option() {
    for name in ["key-policy", "KEY-POLICY", "key policy", "keyPolicy"] {
        for arguments in [&["--explain", name][..], &["check", "--explain", name]] {
            let ran = offline(arguments).await;
            assert_eq!((ran.exit, ran.err.as_str()), (Exit::Good, ""), "{arguments:?}");
            for words in ["What it asks", "kms:GetKeyPolicy", "unknown", "What to do", "docs/concepts.md#"] {
                assert!(ran.out.contains(words), "{words}: {}", ran.out);
            }
            assert!(ran.out.lines().all(|line| line.chars().count() <= 82), "{}", ran.out);
        }
    }
    for arguments in [&["--explain", "key-polcy"][..], &["check", "--explain", "key-polcy"]] {
        let ran = offline(arguments).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{arguments:?}");
        for words in ["'key-policy'", "key-fitness", "own-policies", "dry-run", "network", "document"] {
            assert!(ran.err.contains(words), "{words}: {}", ran.err);
        }
    }
    for arguments in [
        &["--explain", "users", "status"][..],
        &["--format", "json", "--explain", "users"],
        &["--format", "json", "check", "--explain", "users"],
        &["check", "--explain", "users", "--key", "alias/x"],
    ] {
        let ran = offline(arguments).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{arguments:?}: {}", ran.err);
    }
    // Without --explain, the key is still needed, and so is a command.
    let ran = offline(&["check"]).await;
    assert!(ran.exit == Exit::BadInput && ran.err.contains("--key <KEY>"), "{}", ran.err);
    let ran = offline(&["--verbose"]).await;
    assert!(ran.exit == Exit::BadInput && ran.err.contains("a command is needed"), "{}", ran.err);
}

/// Whether a program is installed here.
fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[tokio::test]
async fn shells_accept_their_completions() {
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("completions-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let ran = offline(&["completions", shell]).await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Good, ""), "{shell}");
        for words in ["key-report", "identity-policy", "endpoint-url", "sarif", "own-policies"] {
            assert!(ran.out.contains(words), "{shell}: {words}");
        }
        let file = folder.join(shell);
        fs::write(&file, &ran.out).unwrap();
        if is_installed(shell) {
            let checked = Command::new(shell).arg("-n").arg(&file).output().unwrap();
            assert!(checked.status.success(), "{shell}: {}", String::from_utf8_lossy(&checked.stderr));
        }
    }
    if is_installed("bash") {
        let ask = |words: &str, at: usize| {
            let script = format!(
                "source {}; COMP_WORDS=({words}); COMP_CWORD={at}; \
                 complete=$(complete -p session-kms | sed 's/.*-F \\([^ ]*\\) .*/\\1/'); \
                 $complete session-kms \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{at}-1]}}\"; echo \"${{COMPREPLY[@]}}\"",
                folder.join("bash").display()
            );
            let answered = Command::new("bash").args(["-c", &script]).output().unwrap();
            String::from_utf8(answered.stdout).unwrap().trim().to_owned()
        };
        assert_eq!(ask("session-kms check --pol", 2), "--policy");
        assert_eq!(ask("session-kms stat", 1), "status");
        assert_eq!(ask("session-kms status --format sa", 3), "sarif");
        assert_eq!(ask("session-kms --explain netw", 2), "network");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn every_command_has_a_manual_page() {
    let page = offline(&["man"]).await;
    assert_eq!((page.exit, page.err.as_str()), (Exit::Good, ""));
    assert!(page.out.contains(".TH session-kms 1") && page.out.contains("session\\-kms"), "{}", page.out);

    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("man-{}/man1", std::process::id()));
    let ran = offline(&["man", folder.to_str().unwrap()]).await;
    assert_eq!(ran.exit, Exit::Good, "{}", ran.err);
    let mut wanted: Vec<String> = cli::command()
        .get_subcommands()
        .map(|command| format!("session-kms-{}.1", command.get_name()))
        .chain(["session-kms.1".to_owned()])
        .collect();
    wanted.sort();
    let mut found: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, wanted);
    let check = fs::read_to_string(folder.join("session-kms-check.1")).unwrap();
    assert!(check.contains("identity\\-policy") && check.contains("Examples:"), "{check}");
    fs::remove_dir_all(folder.parent().unwrap()).unwrap();
    // A file stands where the folder is to be.
    let ran = offline(&["man", &format!("{}/Cargo.toml/man1", env!("CARGO_MANIFEST_DIR"))]).await;
    assert!(ran.exit == Exit::BadInput && ran.err.contains("cannot write"), "{}", ran.err);
}
