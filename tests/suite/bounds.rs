//! What is bounded, so that what a file costs grows with its size alone: a rule says that it leaves what is too much.

use dockeropt::context::MemoryContext;
use dockeropt::report::Report;

use crate::run::{chain_of_rules, run};

/// A chain of one rule over so many COPYs, the COPY of the source, and an install with these commands behind it.
fn report(copies: usize, commands: &str) -> Report {
    let context = MemoryContext::from([
        ("package.json", r#"{"name": "a", "version": "1.0.0"}"#),
        (
            "package-lock.json",
            r#"{"name": "a", "lockfileVersion": 3, "packages": {"": {}}}"#,
        ),
        ("app.js", ""),
    ]);
    let copies: String = (0..copies)
        .map(|at| format!("COPY app.js /srv/{at}/\n"))
        .collect();
    let text = format!(
        "FROM node:20\nWORKDIR /app\n{copies}COPY . .\nRUN <<END\nset -e\nnpm ci\n{commands}END\n"
    );
    let chain = chain_of_rules(&["copy-manifests-first"]);
    run(&chain, &context, text.as_bytes())
}

fn reasons(report: &Report) -> Vec<&str> {
    let declined = report.declined.iter();
    declined.map(|decline| decline.reason.as_str()).collect()
}

#[test]
fn copies_and_installs_are_held_against_each_other_up_to_a_count() {
    const TOO_MANY: &str = "the stage has more than 500 COPYs or installs";
    assert!(!reasons(&report(100, "")).contains(&TOO_MANY));
    assert_eq!(reasons(&report(500, "")), [TOO_MANY]);
    let installs = "npm ci\n".repeat(500);
    assert_eq!(reasons(&report(0, &installs)), [TOO_MANY]);
    // What is not for a project does not count.
    let packages = "apt-get install -y curl\n".repeat(2000);
    assert!(!reasons(&report(0, &packages)).contains(&TOO_MANY));
}
