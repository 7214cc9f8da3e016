//! What decides about the cache of a package manager: variables, mounts, and the commands that read or empty it.

use super::Place;
use crate::model::managers::{Manager, Role, invocation};
use crate::pass::command;
use crate::pass::runs::Step;
use crate::syntax::Keyword;
use crate::syntax::shell::{Command, Script};

/// Why the cache is wanted, or decided about.
pub(super) fn decline(place: &Place<'_>, manager: &'static Manager) -> Option<String> {
    let exported = exported(place.script, place.found.top, manager);
    let here = || variables(manager).find(|name| is_assigned(place.found.command, name));
    if let Some(name) = exported.or_else(here).or(place.known.set) {
        return Some(format!("`{name}` is set"));
    }
    let caches = manager.cache_paths.iter();
    let mut caches = caches.cloned().chain(moved_caches(place.step, manager));
    if caches.any(|cache| place.step.mounts_over_cache(&cache)) {
        return Some("a mount of the step covers the cache".to_owned());
    }
    let is_read = place.is_read;
    is_read.then(|| "a later step reads the cache".to_owned())
}

/// The variables that switch the cache off, or say where it is.
fn variables(manager: &'static Manager) -> impl Iterator<Item = &'static str> {
    let is_cache = |(_, below): &(&String, &Vec<String>)| below.iter().any(String::is_empty);
    let moves = manager.cache_env.iter().filter(is_cache);
    let off = manager.no_cache_env.iter();
    off.chain(moves.map(|(name, _)| name)).map(String::as_str)
}

/// The variable that an ENV or ARG sets.
pub(super) fn sets(step: &Step<'_>, manager: &'static Manager) -> Option<&'static str> {
    variables(manager).find(|name| sets_variable(step, name))
}

fn sets_variable(step: &Step<'_>, name: &str) -> bool {
    let instruction = step.instruction;
    match instruction.keyword {
        Keyword::Env => instruction.pairs().iter().any(|pair| pair.key.text == name),
        Keyword::Arg => instruction
            .words()
            .iter()
            .any(|word| word.text.split('=').next() == Some(name)),
        _ => false,
    }
}

/// The variable that the script exports before statement `before`.
fn exported(script: &Script, before: usize, manager: &'static Manager) -> Option<&'static str> {
    let earlier = script.top_commands().take_while(|(at, _)| *at < before);
    let mut exports = earlier.filter(|(_, command)| command::name(command) == Some("export"));
    exports.find_map(|(_, command)| variables(manager).find(|name| is_assigned(command, name)))
}

/// Whether `NAME=…` stands before a command or among its words.
fn is_assigned(command: &Command, name: &str) -> bool {
    let mut words = command.assignments.iter().chain(&command.words);
    words.any(|word| {
        let pair = word.text.split_once('=');
        pair.is_some_and(|(key, _)| key == name)
    })
}

/// The caches where the variables of the step put them.
fn moved_caches(step: &Step<'_>, manager: &Manager) -> Vec<String> {
    let places = manager.cache_env.iter().flat_map(|(name, below)| {
        let parent = step.before.variable(name)?.value.as_deref()?;
        let parent = parent.trim_end_matches('/');
        Some(below.iter().map(move |below| format!("{parent}/{below}")))
    });
    places.flatten().collect()
}

/// Whether a step runs a command that reads the cache.
pub(super) fn reads(step: &Step<'_>, manager: &Manager) -> bool {
    let commands = step.script().map(Script::commands).unwrap_or_default();
    commands.iter().any(|at| uses_cache(at.command, manager))
}

/// Whether a command of the manager is about its cache (`pip cache …`), or installs from it (`--offline`).
fn uses_cache(command: &Command, manager: &Manager) -> bool {
    let asked = invocation(&command.words).filter(|asked| asked.manager.name == manager.name);
    asked.is_some_and(|asked| {
        let first = asked.subcommand.first();
        let first = first.and_then(|index| command.words.get(*index));
        asked.role == Role::Clean
            || first.is_some_and(|word| word.text == "cache")
            || asked.flags_named("--offline").next().is_some()
    })
}

/// Whether a later command of the same step deletes the cache.
pub(super) fn is_emptied(place: &Place<'_>, manager: &Manager) -> bool {
    let later = place.script.commands().into_iter();
    let mut later = later.filter(|at| at.top > place.found.top);
    later.any(|at| {
        let deletes = matches!(command::name(at.command), Some("rm" | "find"));
        let names_cache = |text: &str| text.contains("/.cache") || text.contains("/root/.*");
        let mut words = at.command.words.iter();
        uses_cache(at.command, manager) || deletes && words.any(|word| names_cache(&word.text))
    })
}
