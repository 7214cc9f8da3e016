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
fn the_commands_and_options_are_there() {
    let sandbox = Sandbox::new();
    let help = |args: &[&str]| sandbox.run(args).ended(0).out;
    let commands = ["fix", "check", "rules", "explain"];
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
