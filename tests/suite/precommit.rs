//! The hooks of `.pre-commit-hooks.yaml`, with the real pre-commit: it builds this project and runs it on commits.

use std::path::Path;
use std::process::{Command, Output};

use crate::cli::sandbox::{AFTER, BEFORE, REFUSED, Sandbox};

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// A repository whose commits run the hook `id` of this project, as it stands on disk.
fn repository(id: &str) -> Option<Sandbox> {
    let missing = |program: &str| Command::new(program).arg("--version").output().is_err();
    if missing("pre-commit") || missing("git") || !Path::new(PROJECT).join(".git").exists() {
        eprintln!("skipped: needs pre-commit, git and this project as a repository");
        return None;
    }
    let sandbox = Sandbox::new();
    git(&sandbox, &["init", "--quiet"]);
    // Git's own variables would be taken for those of this project.
    let variables = "GIT_DIR GIT_INDEX_FILE GIT_PREFIX";
    let hook = format!("#!/bin/sh\nunset {variables}\nexec pre-commit try-repo '{PROJECT}' {id}\n");
    sandbox.write(".git/hooks/pre-commit", hook);
    make_executable(&sandbox.path(".git/hooks/pre-commit"));
    Some(sandbox)
}

fn git(sandbox: &Sandbox, args: &[&str]) -> Output {
    let mut command = Command::new("git");
    command.current_dir(sandbox.path("")).args(args);
    for (name, value) in [("NAME", "a"), ("EMAIL", "a@example.org")] {
        command.env(format!("GIT_AUTHOR_{name}"), value);
        command.env(format!("GIT_COMMITTER_{name}"), value);
    }
    built_once(&mut command);
    command.output().unwrap()
}

/// What is built from this project to be installed is built once and fast, not well.
pub(crate) fn built_once(command: &mut Command) -> &mut Command {
    command
        .env(
            "CARGO_TARGET_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/pre-commit"),
        )
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
}

/// Whether all that is there can be committed, and what was said.
fn commit(sandbox: &Sandbox) -> (bool, String) {
    assert!(git(sandbox, &["add", "."]).status.success());
    let output = git(sandbox, &["commit", "--message", "change"]);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), said)
}

#[cfg(unix)]
fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(not(unix))]
fn make_executable(_: &Path) {}

#[test]
fn a_commit_is_fixed_and_stopped_and_passes_then() {
    let Some(sandbox) = repository("dockeropt") else {
        return;
    };
    let taken = [
        "Dockerfile",
        "app/dev.dockerfile",
        "app/Containerfile",
        "Dockerfile.go",
    ];
    let left = [
        "Dockerfile.j2",
        "app/dockerfile.go",
        "Dockerfile.dockerignore",
        "Makefile",
    ];
    for path in taken.iter().chain(&left) {
        sandbox.write(path, BEFORE);
    }
    let (passed, said) = commit(&sandbox);
    assert!(
        !passed && said.contains("files were modified by this hook"),
        "{said}"
    );
    for path in taken {
        assert_eq!(sandbox.text(path), AFTER, "{path}: {said}");
    }
    for path in left {
        assert_eq!(sandbox.text(path), BEFORE, "{path}");
    }
    let (passed, said) = commit(&sandbox);
    assert!(passed, "{said}");

    sandbox.write("Dockerfile", REFUSED);
    let (passed, said) = commit(&sandbox);
    assert!(
        !passed && said.contains("error: Dockerfile:2:1: BuildKit refuses"),
        "{said}"
    );
}

#[test]
fn a_commit_is_checked_and_stopped() {
    let Some(sandbox) = repository("dockeropt-check") else {
        return;
    };
    sandbox.write("dockeropt.toml", "ignore = ['apt-no-recommends']\n");
    sandbox.write("Dockerfile", BEFORE);
    let (passed, said) = commit(&sandbox);
    assert!(
        !passed && said.contains("Dockerfile:2:1: copy-not-add: "),
        "{said}"
    );
    assert_eq!(sandbox.text("Dockerfile"), BEFORE);
    sandbox.write("Dockerfile", AFTER);
    let (passed, said) = commit(&sandbox);
    assert!(passed, "{said}");
}
