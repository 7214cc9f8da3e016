//! `explain --history`: repositories of every kind, made with git.

use std::process::Command;

use serde_json::{Value, json};

use super::sandbox::Sandbox;

/// Installs after everything was copied, so that every commit installs.
const DOCKERFILE: &str = "\
FROM python:3.12
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt
RUN apt-get update && apt-get install -y tini
";

/// git in a folder of the sandbox, at a time and by an author of its own, without anybody's configuration.
pub(super) fn git(sandbox: &Sandbox, folder: &str, args: &[&str]) {
    let mut command = Command::new("git");
    let nobody = ["GIT_AUTHOR", "GIT_COMMITTER"];
    for who in nobody {
        command.env(format!("{who}_NAME"), "a");
        command.env(format!("{who}_EMAIL"), "a@example.com");
        command.env(format!("{who}_DATE"), "2024-01-01T00:00:00Z");
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_CONFIG_SYSTEM", "/dev/null");
    let safe = ["-c", "protocol.file.allow=always"];
    let command = command
        .current_dir(sandbox.path(folder))
        .args(safe)
        .args(args);
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {args:?}: {output:?}");
}

pub(super) fn commit(sandbox: &Sandbox, folder: &str) {
    git(sandbox, folder, &["add", "--all"]);
    git(
        sandbox,
        folder,
        &["commit", "--quiet", "--allow-empty", "-m", "x"],
    );
}

/// Six commits behind the first: source, source, manifest, ignored file, deleted file, renamed file.
fn repository() -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("Dockerfile", DOCKERFILE),
        (".dockerignore", "docs\n.git\n"),
        ("requirements.txt", "flask"),
        ("src/a.py", "1"),
        ("src/old.py", "1"),
    ]);
    git(&sandbox, "", &["init", "--quiet", "-b", "main"]);
    commit(&sandbox, "");
    let changes = [
        ("src/a.py", "2"),
        ("src/a.py", "3"),
        ("requirements.txt", "django"),
        ("docs/a.md", "x"),
    ];
    for (path, text) in changes {
        sandbox.write(path, text);
        commit(&sandbox, "");
    }
    std::fs::remove_file(sandbox.path("src/old.py")).unwrap();
    commit(&sandbox, "");
    git(&sandbox, "", &["mv", "src/a.py", "src/b.py"]);
    commit(&sandbox, "");
    sandbox
}

fn told(sandbox: &Sandbox, args: &[&str]) -> Value {
    let args = [&["explain", "Dockerfile", "--format=json"], args].concat();
    serde_json::from_str(&sandbox.run(&args).ended(0).out).unwrap()
}

/// Line, certainly before, certainly after; 99 for what is not there before.
fn rows(told: &Value) -> Vec<(u64, u64, u64)> {
    let number = |value: &Value| value.as_u64().unwrap_or(99);
    let rows = told["steps"].as_array().unwrap().iter().map(|row| {
        let side = |side: &str| number(&row[side]["certainly"]);
        (number(&row["line"]), side("before"), side("after"))
    });
    rows.collect()
}

#[test]
fn steps_are_counted_over_the_commits() {
    let sandbox = repository();
    let told = told(&sandbox, &["--history"]);
    assert_eq!(
        (&told["commits"], &told["end"]),
        (&json!(6), &json!("first"))
    );
    let manifests = [(99, 99, 1), (4, 5, 1)];
    assert_eq!(
        rows(&told),
        [&manifests[..], &[(5, 5, 1), (3, 5, 5)]].concat()
    );
    assert_eq!(
        told["total"]["before"],
        json!({"certainly": 15, "perhaps": 0})
    );
    let ran = sandbox
        .run(&["explain", "Dockerfile", "--history", "2"])
        .ended(0);
    for part in [
        "Dockerfile: the last 2 commits, as if today's Dockerfile had been there; before → after 4 fixes; \
         1 unsafe fix not included, see with `--unsafe`\n",
        "    4  RUN pip install -r requirements.txt\n       rebuilt in 2 of 2 commits → 0 of 2 commits\n",
        "\nall steps together: rebuilt 6 times → 2 times\n",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing: {ran:#?}");
    }
    assert!(!ran.out.contains("no longer"), "{ran:#?}");
}

#[test]
fn a_good_file_rebuilds_only_what_changed() {
    let sandbox = repository();
    let good = "FROM python:3.12\nWORKDIR /app\nCOPY requirements.txt .\n\
                RUN pip install --no-cache-dir -r requirements.txt\nCOPY . .\n";
    sandbox.write("Dockerfile", good);
    let told = told(&sandbox, &["--history", "--unsafe"]);
    assert_eq!(told["changed"], false);
    assert_eq!(rows(&told), [(3, 1, 1), (4, 1, 1), (5, 5, 5)]);
}

#[test]
fn a_merge_counts_once_with_all_that_it_brought() {
    let sandbox = repository();
    git(
        &sandbox,
        "",
        &["checkout", "--quiet", "-b", "side", "HEAD~1"],
    );
    for text in ["4", "5"] {
        sandbox.write("src/side.py", text);
        commit(&sandbox, "");
    }
    git(&sandbox, "", &["checkout", "--quiet", "main"]);
    git(
        &sandbox,
        "",
        &["merge", "--quiet", "--no-ff", "-m", "x", "side"],
    );
    let told = told(&sandbox, &["--history"]);
    assert_eq!(told["commits"], 7);
    assert!(rows(&told).contains(&(3, 6, 6)));
}

#[test]
fn a_directory_of_the_repository_is_a_context() {
    let sandbox = Sandbox::with(&[
        ("web/app/Dockerfile", DOCKERFILE),
        ("web/app/requirements.txt", "x"),
    ]);
    git(&sandbox, "", &["init", "--quiet"]);
    commit(&sandbox, "");
    for path in ["web/app/x", "web/y", "z", "web/app/sub/x"] {
        sandbox.write(path, "x");
        commit(&sandbox, "");
    }
    let args = [
        "explain",
        "web/app/Dockerfile",
        "--context",
        "web/app",
        "--history",
        "--format=json",
    ];
    let ran = sandbox.run(&args).ended(0);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["commits"], 4);
    assert!(rows(&told).contains(&(3, 2, 2)));
}

#[test]
fn a_shallow_clone_says_so() {
    let sandbox = repository();
    let from = format!("file://{}", sandbox.path("").display());
    for (depth, folder) in [("3", "three"), ("1", "one")] {
        git(
            &sandbox,
            "",
            &["clone", "--quiet", "--depth", depth, &from, folder],
        );
    }
    let ran = sandbox
        .run_in("three", &["explain", "Dockerfile", "--history"], b"")
        .ended(0);
    assert!(ran.out.contains("the last 2 commits"), "{ran:#?}");
    assert!(
        ran.out.contains("no more is known: the clone is shallow"),
        "{ran:#?}"
    );
    let ran = sandbox
        .run_in("one", &["explain", "Dockerfile", "--history"], b"")
        .ended(2);
    assert_eq!(
        (ran.out.as_str(), ran.err.contains("the clone is shallow")),
        ("", true),
        "{ran:#?}"
    );
}

#[test]
fn work_trees_submodules_and_detached_heads_have_a_history() {
    let sandbox = repository();
    git(
        &sandbox,
        "",
        &["worktree", "add", "--quiet", "--detach", "tree", "HEAD~2"],
    );
    let outer = Sandbox::with(&[("file", "x")]);
    git(&outer, "", &["init", "--quiet"]);
    let from = sandbox.path("").display().to_string();
    git(&outer, "", &["submodule", "--quiet", "add", &from, "inner"]);
    let commits = |sandbox: &Sandbox, path: &str| {
        let ran = sandbox
            .run(&["explain", path, "--history", "--format=json"])
            .ended(0);
        serde_json::from_str::<Value>(&ran.out).unwrap()["commits"].clone()
    };
    assert_eq!(commits(&sandbox, "tree/Dockerfile"), 4);
    assert_eq!(commits(&outer, "inner/Dockerfile"), 6);
    git(&sandbox, "", &["checkout", "--quiet", "--detach", "HEAD~1"]);
    assert_eq!(commits(&sandbox, "Dockerfile"), 5);
    git(&sandbox, "", &["pack-refs", "--all"]);
    git(&sandbox, "", &["gc", "--quiet"]);
    git(&sandbox, "", &["checkout", "--quiet", "main"]);
    assert_eq!(commits(&sandbox, "Dockerfile"), 6);
}

#[test]
fn what_has_no_history_says_why() {
    let sandbox = Sandbox::with(&[
        ("Dockerfile", DOCKERFILE),
        ("requirements.txt", "x"),
        ("other/x", "x"),
    ]);
    let fails = |args: &[&str], said: &str| {
        let args = [&["explain", "Dockerfile", "--history"], args].concat();
        let ran = sandbox.run(&args).ended(2);
        assert!(ran.err.contains(said), "{said:?} is missing: {ran:#?}");
        assert_eq!(ran.out, "");
    };
    fails(&[], "error: Dockerfile: is in no git repository");
    git(&sandbox, "", &["init", "--quiet"]);
    fails(&[], "is in a git repository without a commit");
    commit(&sandbox, "");
    fails(&[], "its first commit is the only one");
    let elsewhere = Sandbox::with(&[("requirements.txt", "x")]);
    let context = elsewhere.path("").display().to_string();
    fails(
        &["--context", &context],
        "its build context is not in its git repository",
    );
    std::fs::write(sandbox.path(".git/HEAD"), "ref: refs/heads/none\n").unwrap();
    fails(&[], "is in a git repository without a commit");
    std::fs::remove_dir_all(sandbox.path(".git/objects")).unwrap();
    fails(&[], "error: Dockerfile: ");
    sandbox.run(&["explain", ".", "--history"]).ended(2);
    sandbox.run(&["explain", "Dockerfile", "--unsafe"]).ended(2);
}

#[test]
fn a_bare_repository_has_no_files() {
    let sandbox = repository();
    git(&sandbox, "", &["clone", "--quiet", "--bare", ".", "bare"]);
    sandbox.write("bare/Dockerfile", DOCKERFILE);
    let args = ["explain", "Dockerfile", "--history", "--context", "."];
    let ran = sandbox.run_in("bare", &args, b"").ended(2);
    assert!(ran.err.contains("is in a bare git repository"), "{ran:#?}");
}

#[test]
fn commits_that_cannot_be_read_end_the_history() {
    let sandbox = repository();
    let object = Command::new("git")
        .current_dir(sandbox.path(""))
        .args(["rev-parse", "HEAD~3^{tree}"])
        .output()
        .unwrap();
    let id = String::from_utf8(object.stdout).unwrap();
    let (folder, file) = id.trim().split_at(2);
    std::fs::remove_file(sandbox.path(format!(".git/objects/{folder}/{file}"))).unwrap();
    let told = told(&sandbox, &["--history"]);
    assert_eq!(
        (&told["commits"], &told["end"]),
        (&json!(2), &json!("unreadable"))
    );
    let ran = sandbox
        .run(&["explain", "Dockerfile", "--history"])
        .ended(0);
    assert!(
        ran.out.contains("older commits cannot be read: commit "),
        "{ran:#?}"
    );
}

#[test]
fn the_configuration_of_git_is_not_read() {
    let sandbox = repository();
    let evil = "[core]\n\tfsmonitor = touch owned\n\tsshCommand = touch owned\n[diff]\n\texternal = touch owned\n";
    sandbox.write(".git/config", evil);
    let told = told(&sandbox, &["--history"]);
    assert_eq!(told["commits"], 6);
    assert!(!sandbox.path("owned").exists());
}
