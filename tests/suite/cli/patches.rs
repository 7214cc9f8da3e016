//! The dry run's patch is the change that `--write` makes, for `patch -p1` and for `git apply`, and back.

use super::sandbox::{BEFORE, Sandbox};

/// Dockerfiles that are hard to patch, under names that are hard to name.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let bytes = |text: &str| text.as_bytes().to_vec();
    vec![
        ("Dockerfile", bytes(BEFORE)),
        ("crlf.Dockerfile", bytes(&BEFORE.replace('\n', "\r\n"))),
        ("no-newline/Dockerfile", bytes("FROM scratch\nADD a /a")),
        (
            "latin/Dockerfile",
            b"FROM scratch\n# caf\xe9\nADD a /a\n# \x1b[31m \x07 \r \x0c\n".to_vec(),
        ),
        (
            "bom/Dockerfile",
            b"\xef\xbb\xbfFROM scratch\nADD a /a\n".to_vec(),
        ),
        ("with space/my app.Dockerfile", bytes(BEFORE)),
        ("h\u{f6}he/\"quoted\".Dockerfile", bytes(BEFORE)),
        ("back\\slash/Dockerfile", bytes(BEFORE)),
        ("tab\there/Dockerfile", bytes(BEFORE)),
        (
            "far/Dockerfile",
            bytes(&format!(
                "FROM scratch\nADD a /a\n{}ADD b /b\n",
                "# far\n".repeat(20)
            )),
        ),
    ]
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for (path, text) in files() {
        sandbox.write(path, text);
    }
    sandbox
}

#[track_caller]
fn assert_round_trip(program: &str, forth: &[&str], back: &[&str]) {
    let written = sandbox();
    written.run(&["fix", "--write"]).ended(0);
    let patched = sandbox();
    let patch = patched.run(&["fix"]).ended(0).bytes;
    let Some(ran) = patched.other(program, forth, &patch) else {
        return;
    };
    ran.ended(0);
    for (path, before) in files() {
        assert_ne!(patched.read(path), before, "{path}");
        assert_eq!(patched.read(path), written.read(path), "{path}");
    }
    patched.run(&["fix", "--exit-code"]).ended(0);
    if let Some(ran) = patched.other(program, back, &patch) {
        ran.ended(0);
    }
    for (path, before) in files() {
        assert_eq!(patched.read(path), before, "{path}");
    }
}

#[test]
fn patch_applies_it() {
    assert_round_trip("patch", &["-p1"], &["-p1", "-R"]);
}

#[test]
fn git_applies_it() {
    assert_round_trip("git", &["apply", "-"], &["apply", "-R", "-"]);
}

#[test]
fn a_patch_names_files_below_the_current_folder() {
    let sandbox = Sandbox::with(&[("app/Dockerfile", BEFORE)]);
    let absolute = sandbox.path("app");
    let ran = sandbox
        .run(&["fix".as_ref(), absolute.as_os_str()])
        .ended(0);
    assert!(
        ran.out
            .starts_with("--- a/app/Dockerfile\n+++ b/app/Dockerfile\n"),
        "{ran:#?}"
    );
}
