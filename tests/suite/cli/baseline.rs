//! `check --write-baseline` and `--baseline`.

use super::sandbox::{AFTER, BEFORE, GOOD, Ran, Sandbox};

const FILE: &str = "ci/known.json";

/// A folder with four findings, and a baseline that has them.
fn known() -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("a/Dockerfile", BEFORE),
        ("b/Dockerfile", BEFORE),
        ("good/Dockerfile", GOOD),
    ]);
    let ran = sandbox
        .run(&["check", "--write-baseline", "known.json"])
        .ended(0);
    assert_eq!(
        (ran.out.as_str(), ran.err.as_str()),
        ("", "4 findings written to known.json\n")
    );
    sandbox
}

fn check(sandbox: &Sandbox, more: &[&str]) -> Ran {
    sandbox.run(&[&["check", "--baseline", "known.json"], more].concat())
}

#[test]
fn what_is_known_is_neither_shown_nor_counted() {
    let sandbox = known();
    let ran = check(&sandbox, &[]).ended(0);
    let expected = "no findings in 3 files\n4 findings not shown: in the baseline known.json\n";
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", expected));
    let moved = format!("# moved\n\n{}ADD b /b\n", BEFORE.replace("ADD r", "ADD  r"));
    sandbox.write("a/Dockerfile", moved);
    let ran = check(&sandbox, &[]).ended(1);
    assert!(
        ran.out.starts_with("a/Dockerfile:6:1: copy-not-add: "),
        "{ran:#?}"
    );
    assert_eq!(ran.out.lines().count(), 1, "{ran:#?}");
    assert!(ran.err.contains("1 finding in 3 files: 1 safe"), "{ran:#?}");
    let json = check(&sandbox, &["--format=json"]).ended(1);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["summary"]["findings"], 1);
    let inside = sandbox.run_in("a", &["check", "--baseline", "../known.json"], b"");
    assert_eq!(inside.out.lines().count(), 1, "{inside:#?}");
}

#[test]
fn what_was_mended_can_be_dropped() {
    let sandbox = known();
    sandbox.write("a/Dockerfile", AFTER);
    std::fs::remove_file(sandbox.path("b/Dockerfile")).unwrap();
    let ran = check(&sandbox, &[]).ended(0);
    let expected =
        "3 findings of the baseline are no more: `--write-baseline known.json` drops them";
    assert_eq!(ran.last(), expected);
    // Nobody knows that of files and rules that were not looked at.
    let ran = check(&sandbox, &["good"]);
    assert_eq!(
        ran.last(),
        "2 findings of the baseline are no more: `--write-baseline known.json` drops them"
    );
    assert!(
        !check(&sandbox, &["--ignore=copy-not-add"])
            .err
            .contains("no more")
    );
    sandbox
        .run(&["check", "--write-baseline", "known.json"])
        .ended(0);
    let ran = check(&sandbox, &[]).ended(0);
    assert_eq!(
        ran.last(),
        "1 finding not shown: in the baseline known.json"
    );
}

#[test]
fn the_file_is_sorted_and_has_a_finding_a_line() {
    let sandbox = known();
    let text = sandbox.text("known.json");
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("\"rule\""))
        .collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines.is_sorted(), "{text}");
    assert!(
        lines[0].starts_with("    {\"path\":\"a/Dockerfile\",\"rule\":\"apt-no-recommends\","),
        "{text}"
    );
}

#[test]
fn a_baseline_that_cannot_be_used_is_an_error() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE), (FILE, "{}")]);
    for args in [
        &["check", "--baseline", "missing.json"][..],
        &["check", "--baseline", FILE],
        &["check", "--baseline", FILE, "--write-baseline", FILE],
        &["check", "--write-baseline", FILE, "missing"],
        &["check", "--write-baseline", FILE],
        &["check", "--write-baseline", FILE, "--select=copy-not-add"],
    ] {
        sandbox.run(args).ended(2);
    }
    assert_eq!(sandbox.text(FILE), "{}");
}

#[test]
fn a_patch_of_what_is_known_is_not_in_the_document() {
    let sandbox = known();
    sandbox.write("b/Dockerfile", GOOD);
    sandbox.write("c/Dockerfile", BEFORE);
    let ran = check(&sandbox, &["--format", "json"]).ended(1);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let files = document["files"].as_array().unwrap();
    let diff = |path: &str| &files.iter().find(|one| one["path"] == path).unwrap()["diff"];
    assert!(diff("a/Dockerfile").is_null(), "{ran:#?}");
    assert!(diff("c/Dockerfile").is_string(), "{ran:#?}");
}
