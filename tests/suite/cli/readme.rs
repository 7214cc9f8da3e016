//! What README promises.

use super::sandbox::Sandbox;

const README: &str = include_str!("../../../README.md");

#[test]
fn the_diff_is_what_fix_prints() {
    let (_, rest) = README.split_once("```diff\n").unwrap();
    let (shown, _) = rest.split_once("```\n").unwrap();
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.args(["fix", "examples/backend"]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        shown, printed,
        "README shows another diff than the one that is printed"
    );
}

#[test]
fn what_is_won_is_what_fix_says_beside_the_diff() {
    let (_, rest) = README.split_once("```text\n").unwrap();
    let (shown, _) = rest.split_once("```\n").unwrap();
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.args(["fix", "examples/backend"]).output().unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(
        printed.starts_with(shown),
        "README shows other figures than are printed:\n{printed}"
    );
}

#[test]
fn the_commands_and_options_are_there() {
    let sandbox = Sandbox::new();
    let help = |args: &[&str]| sandbox.run(args).ended(0).out;
    let commands = ["fix", "check", "rules", "explain", "layers", "init"];
    let helps: String = commands
        .iter()
        .map(|command| help(&[command, "--help"]))
        .collect();
    let (_, section) = README.split_once("## Commands").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let words = section.split(['`', ' ', ',']);
    let options: Vec<&str> = words
        .filter(|word| word.starts_with("--") && !word.starts_with("---"))
        .collect();
    assert!(
        options.contains(&"--select") && options.contains(&"--context"),
        "{options:?}"
    );
    for option in options {
        assert!(helps.contains(option), "{option} is in README only");
    }
}

/// The TOML files of README that begin with their path.
fn shown_rules() -> Vec<(String, String)> {
    let blocks = README.split("```toml\n# ci/dockeropt/").skip(1);
    let files = blocks.map(|block| {
        let (name, rest) = block.split_once('\n').unwrap();
        let (text, _) = rest.split_once("```\n").unwrap();
        (format!("ci/dockeropt/{name}"), text.to_owned())
    });
    files.collect()
}

#[test]
fn the_rules_of_a_team_work_as_shown() {
    let rules = shown_rules();
    assert_eq!(rules.len(), 3);
    let mut files: Vec<(&str, &str)> = vec![("dockeropt.toml", "extend = ['ci/dockeropt']\n")];
    files.extend(
        rules
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str())),
    );
    let before = "FROM python:3.12\nRUN pip install --no-cache-dir flask\n\nFROM centos:7\n";
    files.push(("app/Dockerfile", before));
    let sandbox = Sandbox::with(&files);
    let ran = sandbox.run(&["check", "app"]).ended(1);
    assert!(
        ran.out.contains(
            "app/Dockerfile:4:1: no-centos: CentOS gets no updates any more [suggestion]"
        ),
        "{ran:#?}"
    );
    sandbox.run(&["fix", "--unsafe", "--write"]).ended(0);
    let text = sandbox.text("app/Dockerfile");
    assert!(
        text.starts_with("FROM mirror.example.com/hub/library/python:3.12\n"),
        "{text}"
    );
    assert!(
        text.contains(
            "pip install --no-cache-dir --index-url=https://pypi.example.com/simple flask\n"
        ) || text.contains(
            "pip install --index-url=https://pypi.example.com/simple --no-cache-dir flask\n"
        ),
        "{text}"
    );
}

#[test]
fn the_examples_of_the_rules_of_a_team_hold() {
    for (path, text) in shown_rules() {
        let rule = dockeropt::rule::parse_declarative(std::path::Path::new(&path), &text).unwrap();
        let examples = rule.examples.clone();
        let chain = dockeropt::chain::Chain::new(vec![rule]).unwrap();
        for example in examples.iter() {
            let report = crate::run::run(
                &chain,
                &dockeropt::context::NoContext,
                example.before.as_bytes(),
            );
            assert_eq!(
                String::from_utf8_lossy(&report.output),
                example.after,
                "{path}"
            );
        }
    }
}
