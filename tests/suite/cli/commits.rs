//! `fix --per-rule-commits`, in repositories of git.

use super::history::{commit, git};
use super::sandbox::{BEFORE, Ran, Sandbox};

const OTHER: &str = "FROM scratch\nENV A 1\nADD x /x\n";

/// Two Dockerfiles in a commit, by somebody with a name.
fn repository() -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("a/Dockerfile", BEFORE),
        ("b/Dockerfile", OTHER),
        ("b/x", ""),
    ]);
    git(&sandbox, "", &["init", "--quiet", "-b", "main"]);
    git(&sandbox, "", &["config", "user.name", "Somebody"]);
    git(
        &sandbox,
        "",
        &["config", "user.email", "somebody@example.com"],
    );
    git(&sandbox, "", &["config", "commit.gpgsign", "false"]);
    commit(&sandbox, "");
    sandbox
}

fn fix(sandbox: &Sandbox, more: &[&str]) -> Ran {
    sandbox.run(&[&["fix", "--per-rule-commits"], more].concat())
}

/// What git prints.
fn said(sandbox: &Sandbox, args: &[&str]) -> String {
    sandbox.other("git", args, b"").expect("git").ended(0).out
}

#[test]
fn each_rule_has_a_commit_that_says_why() {
    let sandbox = repository();
    let ran = fix(&sandbox, &["--unsafe"]).ended(0);
    let log = said(
        &sandbox,
        &["log", "--format=%h %s", "--reverse", "HEAD", "^HEAD~3"],
    );
    assert_eq!(ran.out, log);
    let subjects: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(_, one)| one)
        .collect();
    let expected = [
        "Copy local files with COPY instead of ADD",
        "Write ENV and LABEL as key=value",
        "Install only the packages that are named",
    ];
    assert_eq!(subjects, expected);
    let message = said(&sandbox, &["log", "-1", "--format=%an%n%b"]);
    assert!(message.starts_with("Somebody\n"), "{message}");
    assert!(
        message.contains("\nSaves up to an estimated 470 MB.\n\n- a/Dockerfile: "),
        "{message}"
    );
    assert!(
        message.contains("\nMade by dockeropt: apt-no-recommends\n"),
        "{message}"
    );
    assert!(
        message
            .lines()
            .skip(1)
            .take(2)
            .all(|line| line.chars().count() <= 72),
        "{message}"
    );
    let files = said(&sandbox, &["show", "--format=", "--name-only", "HEAD~2"]);
    assert_eq!(files, "a/Dockerfile\nb/Dockerfile\n");
    assert_eq!(said(&sandbox, &["status", "--porcelain"]), "");
    let same = repository();
    same.run(&["fix", "--write", "--unsafe"]).ended(0);
    for file in ["a/Dockerfile", "b/Dockerfile"] {
        assert_eq!(sandbox.text(file), same.text(file));
    }
    let again = fix(&sandbox, &["--unsafe"]).ended(0);
    assert_eq!(
        (again.out.as_str(), again.last()),
        ("", "nothing to change")
    );
}

#[test]
fn other_changes_are_never_committed() {
    let sandbox = repository();
    sandbox.write("b/x", "changed");
    let ran = fix(&sandbox, &[]).ended(2);
    assert!(
        ran.err.contains("changes that are not committed"),
        "{ran:#?}"
    );
    git(&sandbox, "", &["add", "--all"]);
    fix(&sandbox, &[]).ended(2);
    commit(&sandbox, "");
    sandbox.write("c/Dockerfile", OTHER);
    let ran = fix(&sandbox, &[]).ended(2);
    assert!(ran.err.contains("c/Dockerfile"), "{ran:#?}");
    assert_eq!(sandbox.text("b/Dockerfile"), OTHER);
    // What stands about and is not changed does not matter.
    fix(&sandbox, &["b"]).ended(0);
    assert_eq!(said(&sandbox, &["status", "--porcelain"]), "?? c/\n");
    let none = Sandbox::with(&[("Dockerfile", BEFORE)]);
    fix(&none, &[]).ended(2);
    assert_eq!(none.text("Dockerfile"), BEFORE);
}

#[test]
fn a_hook_that_refuses_ends_it() {
    let sandbox = repository();
    sandbox.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n");
    let hook = sandbox.path(".git/hooks/pre-commit");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(hook, mode).unwrap();
    let ran = fix(&sandbox, &[]).ended(2);
    assert!(
        ran.err
            .contains("what `copy-not-add` changes is written and added, and not committed"),
        "{ran:#?}"
    );
    assert_eq!(said(&sandbox, &["rev-list", "--count", "HEAD"]), "1\n");
}

#[test]
fn it_goes_together_with_no_other_way_to_write() {
    let sandbox = repository();
    for other in [
        "-i",
        "--dry-run",
        "--verify",
        "--exit-code",
        "--format=json",
        "-",
    ] {
        fix(&sandbox, &[other]).ended(2);
    }
}
