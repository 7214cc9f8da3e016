//! `--only-changed`: files that git knows otherwise, or not at all.

use super::history::{commit, git};
use super::sandbox::{AFTER, BEFORE, Ran, Sandbox};

/// Two Dockerfiles in a commit, and another with nothing to find.
fn repository() -> Sandbox {
    let sandbox = Sandbox::with(&[("a/Dockerfile", BEFORE), ("b/Dockerfile", BEFORE)]);
    git(&sandbox, "", &["init", "--quiet", "-b", "main"]);
    commit(&sandbox, "");
    sandbox
}

/// The files that were looked at.
fn files(ran: &Ran) -> Vec<&str> {
    let lines = ran
        .out
        .lines()
        .filter(|line| line.contains(": copy-not-add: "));
    lines.filter_map(|line| line.split(':').next()).collect()
}

fn check(sandbox: &Sandbox, option: &str) -> Ran {
    sandbox.run(&["check", option])
}

#[test]
fn what_is_as_in_the_last_commit_is_left_out() {
    let sandbox = repository();
    let ran = check(&sandbox, "--only-changed").ended(0);
    assert_eq!(
        (ran.out.as_str(), ran.last()),
        ("", "no Dockerfile differs from `HEAD`")
    );
    let changed = format!("{BEFORE}# more\n");
    sandbox.write("b/Dockerfile", &changed);
    sandbox.write("c/Dockerfile", BEFORE);
    let ran = check(&sandbox, "--only-changed").ended(1);
    assert_eq!(files(&ran), ["b/Dockerfile", "c/Dockerfile"]);
    git(&sandbox, "", &["add", "--all"]);
    assert_eq!(
        files(&check(&sandbox, "--only-changed")),
        ["b/Dockerfile", "c/Dockerfile"]
    );
    let inside = sandbox.run_in("b", &["check", "--only-changed", "../a", "."], b"");
    assert_eq!(files(&inside), ["Dockerfile"]);
    sandbox.run(&["fix", "--write", "--only-changed"]).ended(0);
    assert_eq!(sandbox.text("a/Dockerfile"), BEFORE);
    assert_eq!(sandbox.text("c/Dockerfile"), AFTER);
}

#[test]
fn another_commit_is_named_as_in_git() {
    let sandbox = repository();
    git(&sandbox, "", &["tag", "-a", "-m", "x", "v1"]);
    git(&sandbox, "", &["branch", "topic/one"]);
    sandbox.write("c/Dockerfile", BEFORE);
    commit(&sandbox, "");
    sandbox.write("d/Dockerfile", BEFORE);
    commit(&sandbox, "");
    let first = sandbox
        .other("git", &["rev-parse", "HEAD~2"], b"")
        .expect("git");
    let id = first.out.trim();
    for name in [
        "v1",
        "topic/one",
        "refs/tags/v1",
        "HEAD~2",
        "@^^",
        "main~2",
        id,
        &id[..7],
    ] {
        let ran = check(&sandbox, &format!("--only-changed={name}")).ended(1);
        assert_eq!(files(&ran), ["c/Dockerfile", "d/Dockerfile"], "{name}");
    }
    git(&sandbox, "", &["pack-refs", "--all"]);
    git(&sandbox, "", &["gc", "--quiet"]);
    let ran = check(&sandbox, "--only-changed=v1").ended(1);
    assert_eq!(files(&ran), ["c/Dockerfile", "d/Dockerfile"]);
    assert_eq!(
        files(&check(&sandbox, "--only-changed=main^").ended(1)),
        ["d/Dockerfile"]
    );
    for name in ["nothing", "HEAD~9", "HEAD^2", "..", "-", &id[..3]] {
        let ran = check(&sandbox, &format!("--only-changed={name}")).ended(2);
        assert!(
            ran.err.contains(&format!("has no commit `{name}`")),
            "{ran:#?}"
        );
    }
}

#[test]
fn line_endings_that_git_changes_are_no_change() {
    let sandbox = repository();
    sandbox.write("a/Dockerfile", BEFORE.replace('\n', "\r\n"));
    check(&sandbox, "--only-changed").ended(0);
}

#[test]
fn before_the_first_commit_all_is_new() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let ran = check(&sandbox, "--only-changed").ended(2);
    assert!(ran.err.contains("is in no git repository"), "{ran:#?}");
    git(&sandbox, "", &["init", "--quiet"]);
    assert_eq!(
        files(&check(&sandbox, "--only-changed").ended(1)),
        ["Dockerfile"]
    );
    sandbox
        .pipe(&["check", "--only-changed", "-"], BEFORE)
        .ended(2);
}

#[test]
fn a_repository_in_a_repository_has_commits_of_its_own() {
    let sandbox = repository();
    sandbox.write("sub/Dockerfile", BEFORE);
    git(&sandbox, "sub", &["init", "--quiet"]);
    assert_eq!(
        files(&check(&sandbox, "--only-changed")),
        ["sub/Dockerfile"]
    );
    git(&sandbox, "sub", &["add", "--all"]);
    git(&sandbox, "sub", &["commit", "--quiet", "-m", "x"]);
    check(&sandbox, "--only-changed").ended(0);
}

#[test]
fn findings_about_other_lines_are_not_shown() {
    let sandbox = repository();
    let changed = format!("# moved\n{BEFORE}ADD more /more\n");
    sandbox.write("b/Dockerfile", &changed);
    let ran = check(&sandbox, "--only-changed-lines").ended(1);
    assert_eq!(ran.out.lines().count(), 1, "{ran:#?}");
    assert!(
        ran.out.starts_with("b/Dockerfile:5:1: copy-not-add: "),
        "{ran:#?}"
    );
    let hidden = "2 findings not shown: about lines that are as in `HEAD`";
    assert_eq!(ran.last(), hidden);
    let args = ["check", "--only-changed-lines=HEAD", "--format", "json"];
    let ran = sandbox.run(&args).ended(1);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let file = &document["files"][0];
    assert_eq!(file["findings"].as_array().unwrap().len(), 1);
    assert!(file["diff"].is_null(), "{file}");
    // A file that git does not know is new in every line.
    sandbox.write("c/Dockerfile", BEFORE);
    let ran = sandbox
        .run(&["check", "--only-changed-lines", "c"])
        .ended(1);
    assert_eq!(ran.out.lines().count(), 2, "{ran:#?}");
    let ran = check(&sandbox, "--only-changed-lines=nothing").ended(2);
    assert!(ran.err.starts_with("error: "), "{ran:#?}");
}
