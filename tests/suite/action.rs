//! `action.yml`: its steps as GitHub Actions runs them, with a stand-in for `gh` that says what it was asked.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use serde::Deserialize;

use crate::cli::sandbox::{BEFORE, GOOD, REFUSED, Sandbox};

#[derive(Deserialize)]
struct Action {
    inputs: BTreeMap<String, Input>,
    runs: Runs,
}

#[derive(Deserialize)]
struct Input {
    default: String,
}

#[derive(Deserialize)]
struct Runs {
    using: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    name: String,
    shell: Option<String>,
    run: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// Prints its arguments and the comment to a file, and answers a question with the ids of `answer`.
const GH: &str = r#"#!/bin/bash
printf '%s\n' "$*" >> "$RUNNER_TEMP/asked"
all=$*
case "$all" in
  *--paginate*) cat "$RUNNER_TEMP/answer" 2> /dev/null || true ;;
  *body=@*) cp "${all##*body=@}" "$RUNNER_TEMP/posted" ;;
esac
"#;

fn action() -> Action {
    serde_saphyr::from_str(include_str!("../../action.yml")).unwrap()
}

/// Runs the step of that name with these values of what GitHub fills in.
fn run(sandbox: &Sandbox, name: &str, given: &[(&str, &str)]) -> Output {
    let action = action();
    let steps = action.runs.steps.iter();
    let step = { steps }.find(|step| step.name == name).unwrap();
    sandbox.write("temp/bin/gh", GH);
    make_executable(sandbox, "temp/bin/gh");
    sandbox.write(
        "temp/dockeropt/bin/dockeropt",
        concat!(
            "#!/bin/sh\nexec '",
            env!("CARGO_BIN_EXE_dockeropt"),
            "' \"$@\"\n"
        ),
    );
    make_executable(sandbox, "temp/dockeropt/bin/dockeropt");
    assert_eq!(step.shell.as_deref(), Some("bash"));
    let path = format!("{}:{}", sandbox.path("temp/bin").display(), env!("PATH"));
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c"]);
    command.arg(step.run.as_deref().unwrap()).env("PATH", path);
    command.env("RUNNER_TEMP", sandbox.path("temp"));
    command.env("GITHUB_REPOSITORY", "team/app");
    for (variable, expression) in &step.env {
        command.env(variable, filled_in(&action, expression, given));
    }
    command
        .current_dir(sandbox.path("repository"))
        .output()
        .unwrap()
}

/// The value of an expression: what is given, or the default of the input.
fn filled_in(action: &Action, expression: &str, given: &[(&str, &str)]) -> String {
    let name = expression
        .trim_start_matches("${{ ")
        .trim_end_matches(" }}");
    if let Some((_, value)) = given.iter().find(|(of, _)| *of == name) {
        return (*value).to_owned();
    }
    match name.strip_prefix("inputs.") {
        Some(input) => action.inputs[input].default.clone(),
        None => String::new(),
    }
}

#[cfg(unix)]
fn make_executable(sandbox: &Sandbox, path: &str) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(sandbox.path(path), mode).unwrap();
}

fn repository(files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new();
    for (path, text) in files {
        sandbox.write(format!("repository/{path}"), text);
    }
    sandbox
}

const COMMENT: &str = "Comment on the pull request";
const PULL: (&str, &str) = ("github.event.pull_request.number", "7");

#[test]
fn it_is_a_composite_action_and_its_inputs_reach_the_scripts_as_variables() {
    let action = action();
    assert_eq!(action.runs.using, "composite");
    for step in &action.runs.steps {
        let script = step.run.as_deref().unwrap_or_default();
        assert!(
            !script.contains("${{"),
            "{}: a script is no template",
            step.name
        );
    }
}

#[test]
fn lines_are_annotated_and_findings_fail() {
    let sandbox = repository(&[("a b/Dockerfile", BEFORE), ("c/Dockerfile", BEFORE)]);
    let given = [
        ("inputs.paths", "a b\n"),
        ("inputs.arguments", "--select=copy-not-add\n"),
    ];
    let output = run(&sandbox, "Annotate lines", &given);
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        out.contains("::warning file=a b/Dockerfile,line=2"),
        "{out}"
    );
    assert!(
        !out.contains("c/Dockerfile") && !out.contains("apt-no-recommends"),
        "{out}"
    );
    let good = repository(&[("Dockerfile", GOOD)]);
    let output = run(&good, "Annotate lines", &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn the_patch_is_a_comment_that_is_written_again() {
    let sandbox = repository(&[("Dockerfile", BEFORE)]);
    let output = run(&sandbox, COMMENT, &[PULL]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let asked = sandbox.text("temp/asked");
    assert!(
        asked.contains("--method POST repos/team/app/issues/7/comments"),
        "{asked}"
    );
    assert!(
        sandbox
            .text("temp/posted")
            .contains("+COPY requirements.txt /app/")
    );

    sandbox.write("temp/answer", "41\n42\n");
    run(&sandbox, COMMENT, &[PULL]);
    let asked = sandbox.text("temp/asked");
    assert!(
        asked.contains("--method PATCH repos/team/app/issues/comments/41 "),
        "{asked}"
    );
}

#[test]
fn nothing_to_say_is_said_only_where_something_was() {
    let sandbox = repository(&[("Dockerfile", GOOD)]);
    let output = run(&sandbox, COMMENT, &[PULL]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let asked = sandbox.text("temp/asked");
    assert!(!asked.contains("--method"), "{asked}");
    sandbox.write("temp/answer", "41\n");
    run(&sandbox, COMMENT, &[PULL]);
    assert!(sandbox.text("temp/asked").contains("--method PATCH"));
}

#[test]
fn a_file_that_is_refused_fails_behind_the_comment() {
    let sandbox = repository(&[("Dockerfile", BEFORE), ("b/Dockerfile", REFUSED)]);
    let output = run(&sandbox, COMMENT, &[PULL]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(sandbox.text("temp/posted").contains("b/Dockerfile"));
}

#[test]
fn a_comment_needs_a_pull_request() {
    let sandbox = repository(&[("Dockerfile", BEFORE)]);
    let output = run(&sandbox, COMMENT, &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains("on: pull_request"), "{out}");
}
