//! Any bytes as a Dockerfile in a small project: what the whole chain makes of it is accepted, settled, and not held back by
//! our own checks.
#![no_main]

use std::sync::LazyLock;

use dockeropt::chain::{Build, Chain, optimize};
use dockeropt::config::Config;
use dockeropt::context::MemoryContext;
use dockeropt::report::Report;
use dockeropt::rule::{self, Applicability};
use dockeropt::syntax::Dockerfile;
use dockeropt::text::Source;
use libfuzzer_sys::fuzz_target;

static CHAIN: LazyLock<Chain> = LazyLock::new(|| {
    let rules = Config::default().apply(rule::builtin().to_vec());
    Chain::new(rules.expect("the rules")).expect("the chain")
});

static CONTEXT: LazyLock<MemoryContext> = LazyLock::new(|| {
    MemoryContext::from([
        ("package.json", r#"{"name": "a", "version": "1.0.0", "dependencies": {"b": "1"}, "devDependencies": {"c": "1"}}"#),
        ("package-lock.json", r#"{"name": "a", "lockfileVersion": 3, "packages": {"": {}}}"#),
        ("requirements.txt", "flask==3.0.0\n"),
        ("app.py", "import flask\n"),
        ("go.mod", "module a\n\ngo 1.22\n"),
        ("main.go", "package main\n\nfunc main() {}\n"),
        ("Cargo.toml", "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("Cargo.lock", "version = 3\n\n[[package]]\nname = \"a\"\nversion = \"0.1.0\"\n"),
        ("src/main.rs", "fn main() {}\n"),
    ])
});

fn run(text: &[u8]) -> Report {
    let source = Source {
        path: "Dockerfile".into(),
        text: text.to_vec(),
    };
    optimize(&CHAIN, &Build::of(&*CONTEXT), source, Applicability::Unsafe)
}

fuzz_target!(|text: &[u8]| {
    let report = run(text);
    if let Some(stopped) = report.withheld.first() {
        panic!("withheld: {}: {}", stopped.rule, stopped.reason);
    }
    if report.output == text {
        return;
    }
    assert!(Dockerfile::parse(text).errors.is_empty(), "a refused file is changed");
    let error = Dockerfile::parse(&report.output).errors.into_iter().next();
    assert!(error.is_none(), "refused afterwards: {error:?}");
    let again = run(&report.output).output;
    assert!(again == report.output, "changes again");
});
