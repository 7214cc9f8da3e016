//! Every command of README and the book, run as it stands there.

use std::fs;
use std::path::Path;

use super::sandbox::Sandbox;
use crate::files::{files_under, name_of, repository};

/// What asks a container engine is run by the tests of engines; here it only has to be a command.
const OF_ENGINES: [&str; 3] = ["layers", "verify", "--verify"];

/// A place with this project's examples, under git.
fn place() -> Sandbox {
    let sandbox = Sandbox::new();
    for path in files_under(&repository("examples")) {
        sandbox.write(name_of(&path), fs::read(&path).unwrap());
    }
    sandbox.write(
        "Dockerfile",
        fs::read(repository("examples/backend/Dockerfile")).unwrap(),
    );
    sandbox
}

/// The commands of a page: lines of `sh` blocks, and lines behind a prompt in `console` blocks, each with what the page
/// shows of its output.
fn commands(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut kind = "";
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("```") {
            kind = if kind.is_empty() { name } else { "" };
            continue;
        }
        let command = match kind {
            "console" => line.strip_prefix("$ "),
            "sh" => Some(line),
            _ => continue,
        };
        match (command, found.last_mut()) {
            (Some(command), _) => found.push((command.to_owned(), String::new())),
            (None, Some((_, shown))) => shown.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    found
}

/// The arguments of a line that runs dockeropt by itself.
fn arguments(line: &str) -> Option<Vec<String>> {
    let line = line.split(" #").next().unwrap_or_default().trim();
    let rest = line
        .strip_prefix("dockeropt ")
        .or_else(|| line.strip_prefix("cargo run --release -- "))?;
    let rest = rest.split([';', '|', '>']).next().unwrap_or_default();
    shlex::split(rest)
}

fn run(page: &str, line: &str, args: &[String], shown: &str) {
    let ran = place().run(args);
    assert!(!ran.err.contains("Usage:"), "{page}: `{line}`: {}", ran.err);
    if args.iter().any(|arg| OF_ENGINES.contains(&arg.as_str())) {
        return;
    }
    assert_ne!(ran.status, 2, "{page}: `{line}`: {}", ran.err);
    let said = [ran.out, ran.err].concat();
    for part in shown.split("…\n").filter(|part| !part.trim().is_empty()) {
        assert!(
            said.contains(part),
            "{page}: `{line}` prints no\n{part}\nbut\n{said}"
        );
    }
}

#[test]
fn every_command_of_the_documentation_runs() {
    let mut pages = files_under(&repository("docs"));
    pages.retain(|page| {
        !page
            .parent()
            .is_some_and(|folder| folder.ends_with("docs/rules"))
    });
    pages.push(repository("README.md"));
    let mut tried = 0;
    for page in pages.iter().filter(|page| is_markdown(page)) {
        let text = fs::read_to_string(page).unwrap();
        for (line, shown) in commands(&text) {
            if let Some(args) = arguments(&line) {
                run(&name_of(page), &line, &args, &shown);
                tried += 1;
            }
        }
    }
    assert!(tried > 10, "only {tried} commands are found");
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "md")
}

/// The rule that the book writes does what the book says.
#[test]
fn the_rule_of_the_book_works() {
    let text = fs::read_to_string(repository("docs/adding-a-rule.md")).unwrap();
    let (_, block) = text.split_once("```toml\n").unwrap();
    let (toml, _) = block.split_once("```\n").unwrap();
    let (_, dockerfile) = text.split_once("```dockerfile\n").unwrap();
    let (dockerfile, _) = dockerfile.split_once("```\n").unwrap();
    let name = "ci/zypper-no-recommends.toml";
    let sandbox = Sandbox::with(&[
        (
            "dockeropt.toml",
            "extend = ['ci']\nselect = ['zypper-no-recommends']\n",
        ),
        (name, toml),
        ("Dockerfile", dockerfile),
    ]);
    let ran = sandbox.run(&["fix", "--unsafe", "--write"]).ended(0);
    assert_eq!(
        sandbox.text("Dockerfile"),
        dockerfile.replace("install git", "install --no-recommends git"),
        "{ran:#?}"
    );
}
