//! `fix --stdin-jsonl`: a Dockerfile a line in, its report a line out.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value, json};

use super::sandbox::{AFTER, BEFORE, GOOD, REFUSED, Ran, Sandbox};

const ARGS: [&str; 2] = ["fix", "--stdin-jsonl"];

fn answers(ran: &Ran) -> Vec<Value> {
    let lines = ran.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn ask(more: &[&str], lines: &[Value]) -> Vec<Value> {
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let ran = Sandbox::new().pipe(&[&ARGS, more].concat(), input).ended(0);
    assert_eq!(ran.err, "");
    answers(&ran)
}

#[test]
fn each_line_is_answered_in_order() {
    let lines = [
        json!({"path": "a/Dockerfile", "text": BEFORE}),
        json!({"path": "b/Dockerfile", "text": GOOD}),
        json!({"path": "c/Dockerfile", "text": REFUSED}),
    ];
    let answers = ask(&[], &lines);
    let field = |name: &str| {
        answers
            .iter()
            .map(|one| one[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        field("path"),
        ["a/Dockerfile", "b/Dockerfile", "c/Dockerfile"]
    );
    assert_eq!(field("version"), [1, 1, 1]);
    assert_eq!(field("text"), [json!(AFTER), Value::Null, Value::Null]);
    assert_eq!(field("error"), [Value::Null, Value::Null, Value::Null]);
    let report = &answers[0]["report"];
    assert_eq!(report["findings"][0]["rule"], "copy-not-add");
    assert!(
        report["diff"]
            .as_str()
            .unwrap()
            .starts_with("--- a/a/Dockerfile\n+++ b/a/Dockerfile\n")
    );
    assert_eq!(answers[2]["report"]["refused"][0]["line"], 2);
}

#[test]
fn a_bad_line_is_answered_and_ends_nothing() {
    let good = json!({"path": "Dockerfile", "text": BEFORE}).to_string();
    let input = format!(
        "nonsense\n{{\"path\": \"x\"}}\n{{\"path\": \"x\", \"text\": \"\", \"txt\": 1}}\n\n{good}"
    );
    let ran = Sandbox::new().pipe(&ARGS, input).ended(0);
    let answers = answers(&ran);
    let errors: Vec<_> = answers.iter().map(|one| one["error"].as_str()).collect();
    let [Some(nonsense), Some(missing), Some(unknown), Some(_), None] = errors[..] else {
        panic!("{errors:?}");
    };
    assert!(nonsense.starts_with("expected ident"), "{nonsense}");
    assert!(missing.contains("missing field `text`"), "{missing}");
    assert!(unknown.contains("unknown field `txt`"), "{unknown}");
    assert_eq!(answers[4]["text"], AFTER);
}

#[test]
fn the_files_of_a_line_are_its_context() {
    let text = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"index.js\"]\n";
    let package = r#"{"name": "app", "version": "1.0.0", "dependencies": {"express": "4.18.2"}}"#;
    let lock = r#"{"name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "app"}}}"#;
    let files = json!({"package.json": package, "package-lock.json": lock, "index.js": null, ".git/HEAD": null});
    let lines = [
        json!({"path": "app/Dockerfile", "text": text, "files": files}),
        json!({"path": "app/Dockerfile", "text": text}),
        json!({"path": "app/docker/web", "text": text, "files": files, "dockerfile": "docker/web"}),
    ];
    let answers = ask(&["--unsafe"], &lines);
    let copies = "COPY package.json package-lock.json ./\n";
    let text_of = |at: usize| answers[at]["text"].as_str().unwrap_or_default();
    assert!(text_of(0).contains(copies), "{}", text_of(0));
    assert!(!text_of(1).contains(copies), "{}", text_of(1));
    assert_eq!(
        answers[0]["files"],
        json!({".dockerignore": ".git\nDockerfile\n"})
    );
    assert_eq!(answers[1]["files"], json!({}));
    let ignore = answers[2]["files"][".dockerignore"].as_str().unwrap();
    assert!(ignore.starts_with(".git\n"), "{ignore}");
}

#[test]
fn the_configuration_of_the_folder_holds() {
    let sandbox = Sandbox::with(&[("dockeropt.toml", "ignore = [\"copy-not-add\"]\n")]);
    let line = json!({"path": "elsewhere/Dockerfile", "text": BEFORE}).to_string();
    let ran = sandbox.pipe(&ARGS, &line).ended(0);
    assert_eq!(answers(&ran)[0]["text"], Value::Null);
    let all = [
        "fix",
        "--stdin-jsonl",
        "--unsafe",
        "--select",
        "apt-no-recommends",
    ];
    let ran = sandbox.pipe(&all, &line).ended(0);
    let text = answers(&ran)[0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("--no-install-recommends"), "{text}");
}

#[test]
fn a_line_is_answered_before_the_next_one_is_written() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    let command = command
        .args(ARGS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for name in ["one", "two"] {
        writeln!(input, "{}", json!({"path": name, "text": BEFORE})).unwrap();
        input.flush().unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["path"], name);
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn no_other_input_goes_with_it() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    for more in [
        "Dockerfile",
        "--write",
        "--format=json",
        "--verify",
        "--context=.",
    ] {
        let ran = sandbox.run(&["fix", "--stdin-jsonl", more]).ended(2);
        assert!(ran.err.contains("--stdin-jsonl"), "{}", ran.err);
    }
}
