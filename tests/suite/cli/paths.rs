//! Which files a run takes, and which it refuses.

use super::sandbox::{AFTER, BEFORE, REFUSED, Sandbox};

/// The paths that `fix` would change.
fn changed(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let args = [&["fix", "--format=json"], args].concat();
    let ran = sandbox.run(&args);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let files = document["files"].as_array().unwrap();
    let path = |file: &serde_json::Value| file["path"].as_str().unwrap().to_owned();
    files.iter().map(path).collect()
}

#[test]
fn folders_are_searched_by_name() {
    let taken = [
        ".devcontainer/Dockerfile",
        "Dockerfile",
        "api/Containerfile",
        "api/Dockerfile.dev",
        "api/worker.Dockerfile",
        "web/DOCKERFILE",
        "web/dev.dockerfile",
    ];
    let left = [
        ".git/Dockerfile",
        "Dockerfile.j2",
        "Dockerfile.tmpl",
        "api/Dockerfile.dockerignore",
        "api/Makefile",
        "web/dockerfile.go",
    ];
    let sandbox = Sandbox::new();
    for path in taken.iter().chain(&left) {
        sandbox.write(path, BEFORE);
    }
    assert_eq!(changed(&sandbox, &[]), taken);
    assert_eq!(changed(&sandbox, &["web", "api"]), &taken[2..]);
    assert_eq!(
        changed(&sandbox, &["Dockerfile.j2", "api/Makefile"]),
        ["Dockerfile.j2", "api/Makefile"]
    );
}

#[test]
fn what_git_ignores_is_left_out_unless_named() {
    let ignore = "/build/\n*.dev\n";
    let files = [
        (".gitignore", ignore),
        ("build/Dockerfile", BEFORE),
        ("Dockerfile", BEFORE),
        ("Dockerfile.dev", BEFORE),
        ("api/.gitignore", "Dockerfile\n"),
        ("api/Dockerfile", BEFORE),
    ];
    let sandbox = Sandbox::with(&files);
    assert_eq!(changed(&sandbox, &[]), ["Dockerfile"]);
    assert_eq!(
        changed(&sandbox, &["Dockerfile.dev", "api/Dockerfile"]),
        ["Dockerfile.dev", "api/Dockerfile"]
    );
}

#[test]
fn a_file_is_taken_once() {
    let sandbox = Sandbox::with(&[("app/Dockerfile", BEFORE)]);
    let paths = [".", "app", "./app/Dockerfile", "app/../app/Dockerfile"];
    assert_eq!(changed(&sandbox, &paths), ["app/Dockerfile"]);
}

#[test]
fn no_dockerfiles_is_a_warning() {
    let sandbox = Sandbox::with(&[("README.md", "")]);
    let ran = sandbox.run(&["fix"]).ended(0);
    assert_eq!(
        (ran.out.as_str(), ran.last()),
        ("", "warning: no Dockerfiles found")
    );
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    std::fs::create_dir(sandbox.path("Dockerfile.dev")).unwrap();
    assert_eq!(changed(&sandbox, &[]), ["Dockerfile"]);
    let ran = sandbox.run(&["fix", "missing"]).ended(2);
    assert!(
        ran.err
            .starts_with("error: missing: no such file or folder"),
        "{ran:#?}"
    );
    let long = format!("FROM scratch\n{}", "#\n".repeat(9 << 20));
    sandbox.write("long.Dockerfile", long);
    let ran = sandbox.run(&["fix"]).ended(2);
    assert!(
        ran.err
            .contains("error: long.Dockerfile: is longer than 16 MiB"),
        "{ran:#?}"
    );
    assert!(ran.out.starts_with("--- a/Dockerfile\n"), "{ran:#?}");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn named_pipes_are_not_opened() {
        let sandbox = Sandbox::with(&[("app/Dockerfile", BEFORE)]);
        let Some(made) = sandbox.other("mkfifo", &["Dockerfile"], b"") else {
            return;
        };
        made.ended(0);
        assert_eq!(changed(&sandbox, &[]), ["app/Dockerfile"]);
        let ran = sandbox.run(&["fix", "Dockerfile"]).ended(2);
        assert!(
            ran.err
                .starts_with("error: Dockerfile: is not a regular file"),
            "{ran:#?}"
        );
        sandbox.run(&["fix", "/dev/null"]).ended(2);
    }

    #[test]
    fn a_file_without_permission_is_an_error() {
        let sandbox = Sandbox::with(&[("a/Dockerfile", BEFORE), ("b/Dockerfile", BEFORE)]);
        let path = sandbox.path("a/Dockerfile");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o0)).unwrap();
        if std::fs::read(&path).is_ok() {
            eprintln!("skipped: this user reads everything");
            return;
        }
        let ran = sandbox.run(&["fix", "--write"]).ended(2);
        assert!(
            ran.err.contains("error: a/Dockerfile: permission denied"),
            "{ran:#?}"
        );
        assert_eq!(sandbox.text("b/Dockerfile"), AFTER);
    }

    #[test]
    fn a_walk_follows_no_symlinks() {
        let sandbox = Sandbox::with(&[("app/Dockerfile", BEFORE), ("other/text", BEFORE)]);
        symlink("../other/text", sandbox.path("app/Dockerfile.link")).unwrap();
        symlink("app", sandbox.path("linked")).unwrap();
        symlink(".", sandbox.path("app/loop")).unwrap();
        assert_eq!(changed(&sandbox, &[]), ["app/Dockerfile"]);
    }

    #[test]
    fn a_symlink_that_is_named_is_written_through() {
        let sandbox = Sandbox::with(&[("docker/app", BEFORE)]);
        symlink("docker/app", sandbox.path("Dockerfile")).unwrap();
        let ran = sandbox.run(&["fix", "Dockerfile"]).ended(0);
        assert!(
            ran.out.starts_with("--- a/docker/app\n+++ b/docker/app\n"),
            "{ran:#?}"
        );
        sandbox.run(&["fix", "--write", "Dockerfile"]).ended(0);
        assert_eq!(sandbox.text("docker/app"), AFTER);
        assert!(sandbox.path("Dockerfile").is_symlink());
    }

    #[test]
    fn a_symlink_that_leaves_the_workspace_is_refused() {
        let outside = Sandbox::with(&[("text", BEFORE), ("app/Dockerfile", BEFORE)]);
        let sandbox = Sandbox::with(&[("api/Dockerfile", BEFORE)]);
        symlink(outside.path("text"), sandbox.path("Dockerfile")).unwrap();
        symlink(outside.path("app"), sandbox.path("app")).unwrap();
        symlink("nowhere", sandbox.path("Dockerfile.broken")).unwrap();
        for path in ["Dockerfile", "app", "app/Dockerfile"] {
            let ran = sandbox.run(&["fix", "--write", path]).ended(2);
            assert!(ran.err.contains("is a symlink that leaves"), "{ran:#?}");
        }
        sandbox.run(&["fix", "Dockerfile.broken"]).ended(2);
        assert_eq!(outside.text("text"), BEFORE);
        assert_eq!(outside.text("app/Dockerfile"), BEFORE);
        sandbox.run(&["fix", "--write"]).ended(0);
        assert_eq!(sandbox.text("api/Dockerfile"), AFTER);
    }

    #[test]
    fn a_repository_is_one_workspace() {
        let sandbox = Sandbox::with(&[
            (".git/HEAD", ""),
            ("shared/app", BEFORE),
            ("api/README.md", ""),
        ]);
        symlink("../shared/app", sandbox.path("api/Dockerfile")).unwrap();
        let ran = sandbox
            .run_in("api", &["fix", "--write", "Dockerfile"], b"")
            .ended(0);
        assert_eq!(ran.out, "Dockerfile: copy-not-add 1\n");
        assert_eq!(sandbox.text("shared/app"), AFTER);
    }

    #[test]
    fn names_need_not_be_text_and_reach_no_terminal_raw() {
        let sandbox = Sandbox::new();
        let name = std::ffi::OsStr::from_bytes(b"caf\xe9.Dockerfile");
        sandbox.write(name, BEFORE);
        sandbox.write("\x1b[31m.Dockerfile", REFUSED);
        let ran = sandbox.run(&["fix", "--write"]).ended(2);
        assert!(
            ran.err.contains("error: \\u{1b}[31m.Dockerfile:2:1: "),
            "{ran:#?}"
        );
        assert_eq!(sandbox.text(name), AFTER);
    }
}
