//! How the tests run dockeropt: the one place that knows where rules, configuration and contexts come from.

use std::fs;
use std::path::{Path, PathBuf};

use dockeropt::chain::{Build, Chain, optimize};
use dockeropt::config::Config;
use dockeropt::context::{BuildContext, MemoryContext, NoContext};
use dockeropt::render::Look;
use dockeropt::render::diff::unified;
use dockeropt::report::Report;
use dockeropt::rule::{self, Applicability, Rule};
use dockeropt::text::Source;

use crate::files::files_under;

/// Every rule that dockeropt has, in the state in which it ships.
pub(crate) fn all_rules() -> Vec<Rule> {
    rule::builtin().to_vec()
}

/// The chain that runs by default.
pub(crate) fn default_chain() -> Chain {
    chain(configured(all_rules()))
}

/// Rules as they run where nothing is configured.
fn configured(rules: Vec<Rule>) -> Vec<Rule> {
    let rules = Config::default().apply(rules);
    rules.unwrap_or_else(|error| panic!("{error}"))
}

/// A chain of all rules that can run together, those that are off by default too.
pub(crate) fn every_rule() -> Chain {
    chain(configured(enabled(all_rules())))
}

/// A chain of these rules, enabled or not.
pub(crate) fn chain_of_rules(ids: &[&str]) -> Chain {
    chain(enabled(rules_named(ids)))
}

fn chain(rules: Vec<Rule>) -> Chain {
    Chain::new(rules).unwrap_or_else(|error| panic!("{error}"))
}

fn enabled(mut rules: Vec<Rule>) -> Vec<Rule> {
    rules.iter_mut().for_each(|rule| rule.enabled = true);
    rules
}

fn rules_named(ids: &[&str]) -> Vec<Rule> {
    let mut rules = all_rules();
    rules.retain(|rule| ids.contains(&rule.id.as_str()));
    assert_eq!(
        rules.len(),
        ids.len(),
        "no rule has one of these ids: {ids:?}"
    );
    rules
}

/// The chain of a case: the rule that its group names, or the default chain for `chain` and `traps`; with what its
/// `dockeropt.toml` says.
pub(crate) fn case_chain(group: &str, case: &Path) -> Chain {
    let rules = match group {
        "chain" | "traps" => all_rules(),
        rule => enabled(rules_named(&[rule])),
    };
    let path = case.join("dockeropt.toml");
    if !path.exists() && !matches!(group, "chain" | "traps") {
        return chain(rules);
    }
    chain_in(case, rules)
}

/// The chain of these rules, with what the `dockeropt.toml` of a folder says, where there is one.
pub(crate) fn chain_in(folder: &Path, rules: Vec<Rule>) -> Chain {
    let path = folder.join("dockeropt.toml");
    let Ok(text) = fs::read_to_string(&path) else {
        return chain(configured(rules));
    };
    let config = Config::parse(&path, &text).unwrap_or_else(|error| panic!("{error}"));
    chain(
        config
            .apply(rules)
            .unwrap_or_else(|error| panic!("{error}")),
    )
}

/// Runs a chain with everything that it would ever write.
pub(crate) fn run(chain: &Chain, context: &dyn BuildContext, text: &[u8]) -> Report {
    let source = Source {
        path: PathBuf::from("Dockerfile"),
        text: text.to_vec(),
    };
    optimize(chain, &Build::of(context), source, Applicability::Unsafe)
}

/// The build context of a case: the files beside its Dockerfile. With a file `no-context`, there is none.
///
/// A name that git would not keep has `dot-` for its dot, or `@` at its end: `dot-git/HEAD`, `node_modules@/x/index.js`.
pub(crate) fn context_of(folder: &Path) -> Box<dyn BuildContext> {
    if folder.join("no-context").exists() {
        return Box::new(NoContext);
    }
    let own = ["Dockerfile", "dockeropt.toml"].map(|name| folder.join(name));
    let files = files_under(folder)
        .into_iter()
        .filter(|path| !own.contains(path));
    let pairs = files.map(|path| {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        let parts = name.iter().map(|part| part.to_string_lossy().into_owned());
        let parts = parts.map(|part| match part.strip_prefix("dot-") {
            Some(rest) => format!(".{rest}"),
            None => part.strip_suffix('@').map_or(part.clone(), str::to_owned),
        });
        let name = parts.collect::<Vec<_>>().join("/");
        (name, fs::read(&path).unwrap())
    });
    Box::new(pairs.collect::<MemoryContext>())
}

/// The bytes of a case's Dockerfile.
pub(crate) fn dockerfile_of(folder: &Path) -> Vec<u8> {
    let path = folder.join("Dockerfile");
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A context that holds the files that generated Dockerfiles name.
pub(crate) fn memory_context() -> Box<dyn BuildContext> {
    let archive: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    Box::new(MemoryContext::from([
        ("a", b"a\n".as_slice()),
        ("b", b"b\n"),
        ("requirements.txt", b"flask\n"),
        ("a.tar.gz", archive),
    ]))
}

/// The diff of a report as `fix` prints it.
pub(crate) fn printed_diff(report: &Report) -> Vec<u8> {
    let before = Some(report.source.text.as_slice());
    unified(&report.source.path, before, &report.output, Look::default())
}
