//! `check --format github` and `--format gitlab`, as those who read them do.

use std::collections::BTreeSet;

use serde_json::Value;

use super::sandbox::{BEFORE, GOOD, REFUSED, Sandbox};

/// A Dockerfile that would end a command early, or act on a terminal, if it could.
const HOSTILE: &str =
    "FROM debian:12-slim\nADD a /a\nARG 100%25,%0A::error::x\u{1b}[2J\u{9b}1m\u{202e}\n";

#[test]
fn github_has_an_annotation_for_each_finding() {
    let sandbox = Sandbox::with(&[("my, app/Dockerfile", BEFORE)]);
    let ran = sandbox.run(&["check", "--format=github"]).ended(1);
    let lines: Vec<&str> = ran.out.lines().collect();
    let [safe, less] = lines[..] else {
        panic!("{ran:#?}")
    };
    let start = "::warning file=my%2C app/Dockerfile,line=2,endLine=2,col=1,endColumn=";
    assert!(safe.starts_with(start), "{safe}");
    assert!(
        safe.contains(",title=dockeropt%3A copy-not-add::"),
        "{safe}"
    );
    assert!(safe.ends_with(" [safe]"), "{safe}");
    assert!(
        less.starts_with("::notice file=my%2C app/Dockerfile,line=3,"),
        "{less}"
    );
    assert_eq!(ran.err, "");
}

/// Columns are of one line: an annotation over several has none.
#[test]
fn github_gets_no_columns_of_several_lines() {
    let text = "FROM debian:12-slim\nRUN apt-get update \\\n && apt-get install -y \\\n    tree\n";
    let sandbox = Sandbox::with(&[("Dockerfile", text)]);
    let ran = sandbox
        .run(&["check", "--format=github", "--select=apt-lists"])
        .ended(1);
    assert!(ran.out.contains(",line=3,endLine=4,title="), "{ran:#?}");
}

#[test]
fn files_that_could_not_be_done_are_errors() {
    let sandbox = Sandbox::with(&[("a/Dockerfile", REFUSED), ("b/Dockerfile", GOOD)]);
    let args = ["check", "--format=github", ".", "missing"];
    let ran = sandbox.run(&args).ended(2);
    let starts = [
        "::error file=missing,title=dockeropt%3A error::no such file",
        "::error file=a/Dockerfile,line=2,title=dockeropt%3A error::BuildKit refuses this file: ",
    ];
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 2, "{ran:#?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    let ran = sandbox
        .run(&["check", "--format=gitlab", ".", "missing"])
        .ended(2);
    let issues = issues(&ran.out);
    let told = issues
        .iter()
        .map(|one| (&one["severity"], &one["location"]["path"]));
    let expected = ["missing", "a/Dockerfile"].map(Value::from);
    let critical = Value::from("critical");
    assert_eq!(
        told.collect::<Vec<_>>(),
        expected.each_ref().map(|path| (&critical, path))
    );
    assert_eq!(issues[1]["location"]["lines"]["begin"], 2);
}

#[test]
fn no_format_prints_what_a_terminal_would_act_on() {
    let sandbox = Sandbox::with(&[
        ("a\u{1b}[1m/Dockerfile", HOSTILE),
        ("b/Dockerfile", "FROM scratch\nR\u{1b}[2J\u{202e}U x\n"),
    ]);
    for format in [
        "text",
        "json",
        "sarif",
        "github",
        "gitlab",
        "markdown",
        "checklist",
    ] {
        let ran = sandbox.run(&["check", "--format", format]).ended(2);
        let acts = |char: char| char != '\n' && (char.is_control() || char == '\u{202e}');
        assert!(!ran.out.is_empty());
        for text in [&ran.out, &ran.err] {
            assert_eq!(text.find(acts), None, "{format}: {text:?}");
        }
    }
    let ran = sandbox.run(&["check", "--format=github"]);
    assert!(
        ran.out.contains("`100%2525,%250A::error::x\\u{1b}[2J"),
        "{ran:#?}"
    );
    for line in ran.out.lines() {
        let levels = ["::warning ", "::notice ", "::error "];
        assert!(levels.iter().any(|level| line.starts_with(level)), "{line}");
    }
}

fn issues(out: &str) -> Vec<Value> {
    serde_json::from_str(out).unwrap()
}

#[test]
fn gitlab_has_an_issue_for_each_finding() {
    let sandbox = Sandbox::with(&[("app/Dockerfile", BEFORE), ("b/Dockerfile", GOOD)]);
    let found = issues(&sandbox.run(&["check", "--format=gitlab"]).ended(1).out);
    assert_eq!(found.len(), 2);
    let first = &found[0];
    assert_eq!(first["check_name"], "copy-not-add");
    assert_eq!(first["severity"], "minor");
    assert_eq!(
        first["location"],
        serde_json::json!({"path": "app/Dockerfile", "lines": {"begin": 2}})
    );
    assert!(
        first["description"]
            .as_str()
            .is_some_and(|text| text.ends_with(" [safe]"))
    );
    assert_eq!(found[1]["severity"], "info");
    let none = sandbox.run(&["check", "--format=gitlab", "b"]).ended(0);
    assert_eq!(issues(&none.out), Vec::<Value>::new());
}

#[test]
fn fingerprints_of_gitlab_are_unique_and_survive_moved_lines() {
    let prints = |sandbox: &Sandbox| {
        let ran = sandbox.run(&["check", "--format=gitlab", ".", "missing"]);
        let found = issues(&ran.out);
        let prints = found
            .iter()
            .map(|one| one["fingerprint"].as_str().unwrap().to_owned());
        prints.collect::<Vec<_>>()
    };
    let twice = format!("{BEFORE}ADD requirements.txt /app/\n");
    let sandbox = Sandbox::with(&[
        ("a/Dockerfile", &twice),
        ("b/Dockerfile", &twice),
        ("c/Dockerfile", REFUSED),
    ]);
    let first = prints(&sandbox);
    assert_eq!(first.len(), 8);
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 8, "{first:#?}");
    for path in ["a/Dockerfile", "b/Dockerfile", "c/Dockerfile"] {
        sandbox.write(path, format!("# moved\n\n{}", sandbox.text(path)));
    }
    assert_eq!(prints(&sandbox), first);
}
