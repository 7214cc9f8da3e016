//! Fixes that write the ignore file of a build context: one patch, written together, one file for all who share it.

use super::sandbox::{Ran, Sandbox};

/// Copies a directory as a whole, and is changed itself too.
const WHOLE: &str = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nADD app.py /start.py\n";
const MENDED: &str = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nCOPY app.py /start.py\n";

fn sandbox(files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("app.py", "print(1)\n"),
        (".git/HEAD", "ref: refs/heads/main\n"),
        ("lib/__pycache__/a.pyc", "x"),
    ]);
    for (path, text) in files {
        sandbox.write(path, text);
    }
    sandbox
}

fn fix(sandbox: &Sandbox, args: &[&str]) -> Ran {
    sandbox.run(&[&["fix", "--unsafe"], args].concat()).ended(0)
}

#[test]
fn the_patch_holds_both_files_and_applies_there_and_back() {
    let old = [("Dockerfile", WHOLE), (".dockerignore", "*.md")];
    for files in [&old[..1], &old[..]] {
        for (tool, forth, back) in [
            ("patch", &["-p1"][..], &["-p1", "-R"][..]),
            ("git", &["apply", "-"], &["apply", "-R", "-"]),
        ] {
            let sandbox = sandbox(files);
            // git refuses a repository that is none.
            std::fs::remove_file(sandbox.path(".git/HEAD")).unwrap();
            sandbox.write(".git/x", "");
            let patch = fix(&sandbox, &[]).bytes;
            let Some(ran) = sandbox.other(tool, forth, &patch) else {
                continue;
            };
            ran.ended(0);
            assert_eq!(sandbox.text("Dockerfile"), MENDED);
            let ignore = sandbox.text(".dockerignore");
            assert!(
                ignore.ends_with(".git\n**/__pycache__\nDockerfile\n"),
                "{ignore}"
            );
            fix(&sandbox, &["--exit-code"]);
            if let Some(ran) = sandbox.other(tool, back, &patch) {
                ran.ended(0);
            }
            assert_eq!(sandbox.text("Dockerfile"), WHOLE);
            match files.get(1) {
                Some((_, text)) => assert_eq!(sandbox.text(".dockerignore"), *text),
                None => assert!(!sandbox.path(".dockerignore").exists()),
            }
        }
    }
}

#[test]
fn both_files_are_written_and_a_second_run_changes_nothing() {
    let sandbox = sandbox(&[("Dockerfile", WHOLE)]);
    let ran = fix(&sandbox, &["--write"]);
    assert!(ran.out.contains("writes .dockerignore"), "{ran:#?}");
    assert_eq!(sandbox.text("Dockerfile"), MENDED);
    assert_eq!(
        sandbox.text(".dockerignore"),
        ".git\n**/__pycache__\nDockerfile\n"
    );
    let ran = fix(&sandbox, &["--write"]);
    assert!(ran.err.starts_with("nothing to change"), "{ran:#?}");
}

#[cfg(unix)]
#[test]
fn one_file_that_cannot_be_written_stops_the_other() {
    let sandbox = sandbox(&[("Dockerfile", WHOLE), ("elsewhere", "*.md\n")]);
    std::os::unix::fs::symlink("elsewhere", sandbox.path(".dockerignore")).unwrap();
    let ran = fix(&sandbox, &["--write"]);
    assert!(!ran.out.contains("writes"), "{ran:#?}");
    assert_eq!(sandbox.text("elsewhere"), "*.md\n");
}

#[test]
fn json_names_the_files_that_are_written() {
    let sandbox = sandbox(&[("Dockerfile", WHOLE)]);
    let ran = fix(&sandbox, &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let file = &json["files"][0];
    assert_eq!(file["writes"], serde_json::json!([".dockerignore"]));
    let sizes: Vec<&serde_json::Value> = file["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| &finding["context"])
        .filter(|context| !context.is_null())
        .collect();
    assert_eq!(
        sizes,
        [&serde_json::json!({
            "before": { "bytes": 91, "files": 4, "at_least": false },
            "after": { "bytes": 9, "files": 1, "at_least": false },
        })]
    );
    let diff = file["diff"].as_str().unwrap();
    assert!(
        diff.contains("--- /dev/null\n+++ b/.dockerignore\n"),
        "{diff}"
    );
    assert!(diff.contains("+COPY app.py /start.py\n"), "{diff}");
}

#[test]
fn dockerfiles_that_share_a_context_write_its_ignore_file_once() {
    let other = "FROM python:3.12\nCOPY . /srv\nCOPY .git/HEAD /version\n";
    let sandbox = sandbox(&[
        ("a.Dockerfile", WHOLE),
        ("b.Dockerfile", WHOLE),
        ("c.Dockerfile", other),
    ]);
    let patch = fix(&sandbox, &[]).out;
    assert_eq!(patch.matches("+++ b/.dockerignore").count(), 1, "{patch}");
    fix(&sandbox, &["--write"]);
    // One of them needs `.git`.
    let ignore = "**/__pycache__\na.Dockerfile\nb.Dockerfile\nc.Dockerfile\n";
    assert_eq!(sandbox.text(".dockerignore"), ignore);
    assert_eq!(sandbox.text("b.Dockerfile"), MENDED);
    let ran = fix(&sandbox, &["--write"]);
    assert!(ran.err.starts_with("nothing to change"), "{ran:#?}");
}

#[test]
fn hundreds_of_dockerfiles_of_a_context_are_not_read_for_each_of_them() {
    let sandbox = sandbox(&[]);
    for number in 0..101 {
        sandbox.write(format!("{number}.Dockerfile"), WHOLE);
    }
    let explain = |sandbox: &Sandbox| sandbox.run(&["explain", "0.Dockerfile"]).ended(0).out;
    let found = explain(&sandbox);
    assert!(found.contains("the build context shrinks"), "{found}");
    sandbox.write("101.Dockerfile", WHOLE);
    let found = explain(&sandbox);
    let reason =
        "dockerignore: left alone: more than 100 other Dockerfiles may share the build context";
    assert!(found.contains(reason), "{found}");
}

#[test]
fn a_dockerfile_that_compose_builds_from_the_same_context_counts() {
    let compose =
        "services:\n  web:\n    build:\n      context: ./app\n      dockerfile: ../web/image\n";
    let sandbox = sandbox(&[
        ("compose.yml", compose),
        ("web/image", "FROM nginx\nCOPY cache/.idea/x /x\n"),
        ("app/Dockerfile", "FROM nginx\nCOPY . /srv\n"),
        ("app/cache/.idea/x", ""),
        ("app/.vscode/x", ""),
    ]);
    let path = "app/Dockerfile";
    fix(&sandbox, &["--write", path]);
    assert_eq!(sandbox.text("app/.dockerignore"), ".vscode\nDockerfile\n");
}

#[test]
fn standard_input_writes_no_file() {
    let sandbox = sandbox(&[]);
    let args = ["fix", "--unsafe", "--context", ".", "-"];
    let ran = sandbox.pipe(&args, WHOLE).ended(0);
    assert_eq!(ran.out, MENDED);
    assert!(ran.err.contains("1 unsafe fix not included"), "{ran:#?}");
    assert!(!sandbox.path(".dockerignore").exists());
}

#[test]
fn the_ignore_file_beside_a_dockerfile_is_the_one_that_grows() {
    let sandbox = sandbox(&[
        ("docker/Dockerfile", WHOLE),
        ("docker/Dockerfile.dockerignore", "*.md\n"),
        (".dockerignore", ".git\n"),
    ]);
    fix(
        &sandbox,
        &["--write", "--context", ".", "docker/Dockerfile"],
    );
    let own = sandbox.text("docker/Dockerfile.dockerignore");
    assert_eq!(own, "*.md\n.git\n**/__pycache__\n");
    assert_eq!(sandbox.text(".dockerignore"), ".git\n");
}
