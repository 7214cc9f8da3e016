//! What a person sees on a terminal, and another program does not.

use super::sandbox::{BEFORE, Sandbox};
use super::terminal::Terminal;

#[test]
fn above_each_hunk_stands_why_it_is_made() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let note = "copy-not-add: `ADD` copies local files [safe]\n";
    let plain = sandbox.run(&["fix"]).ended(0);
    assert!(!plain.out.contains("copy-not-add"), "{plain:#?}");
    let coloured = sandbox.run(&["fix", "--color=always"]).ended(0);
    let text = anstream::adapter::strip_str(&coloured.out).to_string();
    assert!(
        text.contains(&format!("+++ b/Dockerfile\n{note}@@ -1,3 +1,3 @@\n")),
        "{text}"
    );
    let Some(terminal) = Terminal::start(&sandbox, "fix") else {
        return;
    };
    let screen = terminal.shows("status 0", 1);
    assert!(
        screen.contains(&format!("{note}@@ -1,3 +1,3 @@\n")),
        "{screen}"
    );
    assert!(
        screen.contains("\n-ADD requirements.txt /app/\n+COPY requirements.txt /app/\n"),
        "{screen}"
    );
    // The words that changed are inverted.
    assert!(
        terminal.coloured().contains("\u{1b}[7m"),
        "{:?}",
        terminal.coloured()
    );
}

#[test]
fn the_summary_counts_what_is_left_out_and_left_alone() {
    let text = format!("{BEFORE}ADD https://example.com/x /x\nRUN apt-get install -y tree\n");
    let sandbox = Sandbox::with(&[("Dockerfile", &text)]);
    let ran = sandbox.run(&["fix"]).ended(0);
    let left_alone = " left alone: `dockeropt explain FILE` says why\n";
    assert!(ran.err.contains(left_alone), "{ran:#?}");
    let left_out =
        "not included: apt-no-recommends 2 (up to an estimated 940 MB); see with `--unsafe`";
    assert!(ran.last().contains(left_out), "{ran:#?}");
}

/// What `dockeropt` says in colours, without them.
fn seen(sandbox: &Sandbox, args: &[&str]) -> (String, String) {
    let ran = sandbox.run(&[args, &["--color=always"]].concat());
    let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
    (plain(&ran.out), plain(&ran.err))
}

#[test]
fn findings_stand_below_their_lines() {
    let text = "FROM debian:12\nADD \u{1b}a /app/\n";
    let sandbox = Sandbox::with(&[("Dockerfile", text)]);
    let (out, _) = seen(&sandbox, &["check", "--select", "copy-not-add"]);
    let expected = "\
warning[copy-not-add]: `ADD` copies local files
 --> Dockerfile:2:1
  |
2 | ADD \\u{1b}a /app/
  | ^^^^^^^^^^^^^^^^^
  |
  = help: copy with COPY [safe]

";
    assert_eq!(out, expected);
    let Some(terminal) = Terminal::start(&sandbox, "check --select copy-not-add") else {
        return;
    };
    let screen = terminal.shows("status 1", 1);
    assert!(screen.starts_with(expected), "{screen}");
}

#[test]
fn what_is_said_of_a_file_stands_below_its_findings() {
    let text = "FROM alpine:3.20\nRUN apk add git\n";
    let sandbox = Sandbox::with(&[("a/Dockerfile", text), ("b/Dockerfile", text)]);
    let Some(terminal) = Terminal::start(&sandbox, "check --select apk-no-cache") else {
        return;
    };
    let screen = terminal.shows("status 1", 1);
    let parts = [
        "--> a/",
        "a/Dockerfile: saves",
        "--> b/",
        "b/Dockerfile: saves",
    ];
    let places = parts.map(|part| screen.find(part));
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{screen}"
    );
}

#[test]
fn errors_stand_below_their_lines() {
    let sandbox = Sandbox::with(&[
        ("Dockerfile", "FROM debian:12\nRNU true\n"),
        (
            "dockeropt.toml",
            "ignore = []\n  selct = ['apt-lists'] # only\n",
        ),
    ]);
    let expected = "\
error: unknown key `selct`
 --> dockeropt.toml:2:3
  |
2 |   selct = ['apt-lists'] # only
  |   ^^^^^
  |
  = help: did you mean `select`?
  = help: allowed: `preset`, `select`";
    for command in ["check", "config"] {
        let (_, err) = seen(&sandbox, &[command]);
        assert!(err.starts_with(expected), "{err}");
    }
    sandbox.write("dockeropt.toml", "");
    let (_, err) = seen(&sandbox, &["check"]);
    let expected = "\
error: BuildKit refuses this file: unknown instruction: `RNU`
 --> Dockerfile:2:1
  |
2 | RNU true
  | ^^^^^^^^
";
    assert!(err.starts_with(expected), "{err}");
}

#[test]
fn both_sides_stand_beside_each_other() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let patch = sandbox.run(&["fix"]).ended(0).out;
    let args = ["fix", "--side-by-side"];
    assert_eq!(sandbox.run(&args).ended(0).out, patch);
    let Some(terminal) = Terminal::start(&sandbox, "fix --side-by-side") else {
        return;
    };
    let screen = terminal.shows("status 0", 1);
    let row = format!(
        "   2 {:<48} │    2 COPY requirements.txt /app/\n",
        "ADD requirements.txt /app/"
    );
    assert!(screen.contains(&row), "{screen}");
    // What another program reads has no width of its own.
    let mut command = sandbox.command();
    command
        .args(["fix", "--side-by-side", "--color=always"])
        .env("COLUMNS", "60");
    let ran = super::sandbox::Ran::new(command.output().unwrap());
    let warning = "`--side-by-side` needs 100 columns, the terminal has 60";
    assert!(ran.err.contains(warning), "{ran:#?}");
}

#[test]
fn a_long_run_shows_how_far_it_is() {
    let sandbox = Sandbox::new();
    let step = "RUN apt-get update && apt-get install -y tini curl git\n";
    let text = format!("FROM debian:12\n{}", step.repeat(8));
    for number in 0..300 {
        sandbox.write(format!("{number}/Dockerfile"), &text);
    }
    let Some(terminal) = Terminal::start(&sandbox, "fix --write --color=never >out") else {
        return;
    };
    terminal.shows(" of 300 files ", 1);
    let screen = terminal.shows("status 0", 1);
    assert!(!screen.contains(" of 300 files "), "{screen}");
    assert!(screen.contains("300 files changed: "), "{screen}");
}
