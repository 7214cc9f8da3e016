//! What a stage that is split in two starts and checks by programs that packages bring: the stage that ships installs them.

use super::was_installed;
use crate::model::Stage;
use crate::syntax::Keyword;

/// Programs that start the rest of their words, with their options that a value follows.
const INITS: [(&str, [&str; 2]); 2] = [("tini", ["-e", "-p"]), ("dumb-init", ["--rewrite", "-r"])];

/// Commands that health checks call, and the packages of which one brings it.
const CALLED: [(&str, &[&str]); 8] = [
    ("curl", &["curl"]),
    ("jq", &["jq"]),
    (
        "nc",
        &["netcat", "netcat-openbsd", "netcat-traditional", "ncat"],
    ),
    ("pgrep", &["procps"]),
    ("ping", &["iputils-ping"]),
    ("ps", &["procps"]),
    ("redis-cli", &["redis-tools"]),
    ("wget", &["wget"]),
];

/// The words of what an init starts, where the stage that ships installs it; other words as they are. `None` where it does
/// not, or starts nothing.
pub(super) fn behind_init(words: Vec<String>, runtime: &Stage<'_>) -> Option<Vec<String>> {
    let program = words.first()?;
    let name = program.strip_prefix("/usr/bin/").unwrap_or(program);
    let Some((name, valued)) = INITS.iter().find(|(init, _)| *init == name) else {
        return Some(words);
    };
    if !was_installed(name, runtime) {
        return None;
    }
    let mut at = 1;
    loop {
        let word = words.get(at)?.as_str();
        match word {
            "--" => return words.get(at + 1).map(|_| words[at + 1..].to_vec()),
            _ if !word.starts_with('-') => return Some(words[at..].to_vec()),
            _ if valued.contains(&word) => at += 2,
            _ => at += 1,
        }
    }
}

/// A command that the health check calls and a package of the old stage brings, where the stage that ships installs none
/// that does.
pub(super) fn forgotten(shipped: &Stage<'_>, runtime: &Stage<'_>) -> Option<&'static str> {
    let mut steps = shipped.steps.iter().rev();
    let check = steps.find(|step| step.instruction.keyword == Keyword::Healthcheck)?;
    let text = String::from_utf8_lossy(check.instruction.args_text());
    let is_end = |ch: char| ch.is_whitespace() || "[]\",;&|()'".contains(ch);
    let names: Vec<&str> = text
        .split(is_end)
        .filter_map(|word| word.rsplit('/').next())
        .collect();
    let mut called = CALLED.iter().filter(|(name, _)| names.contains(name));
    let is_forgotten = |packages: &[&str]| {
        let had = |name: &&str| was_installed(name, shipped);
        packages.iter().any(had) && !packages.iter().any(|name| was_installed(name, runtime))
    };
    called
        .find(|(_, packages)| is_forgotten(packages))
        .map(|(name, _)| *name)
}
