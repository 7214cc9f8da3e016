//! What keeps a cache where it is: commands that need or empty it, mounts over it, and what puts it elsewhere.

use super::{CleanCache, Fill, Image, Pointless, Unless};
use crate::model::Base;
use crate::model::managers::{self, Invocation, Manager, Role};
use crate::model::state::Origin;
use crate::pass::runs::{Stage, Step, shown_span};
use crate::pass::{command, later};
use crate::syntax::Keyword;
use crate::syntax::shell::Command;
use crate::text::Span;

impl CleanCache {
    /// Whether a step needs what steps before it left in the cache, or may.
    pub(super) fn needs_cache(&self, step: &Step<'_>) -> bool {
        match (step.script(), step.instruction.keyword) {
            (Some(script), _) => script
                .commands()
                .iter()
                .any(|at| self.command_needs(at.command)),
            (None, Keyword::Run | Keyword::Onbuild | Keyword::Cmd | Keyword::Entrypoint) => {
                self.may_need(&String::from_utf8_lossy(step.instruction.args_text()))
            }
            (None, _) => false,
        }
    }

    /// Whether a command needs the cache, or may.
    pub(super) fn command_needs(&self, command: &Command) -> bool {
        let ours = self.ours(command);
        let Some(last) = &self.last else {
            return ours.is_some() && self.is_offline(command);
        };
        if let Some(ours) = ours {
            return ours.role != Role::Clean && !asks_for_help(&ours);
        }
        let name = command::name(command).unwrap_or_default();
        let builds = last.builders.iter().any(|builder| builder == name);
        // `xargs go build`, `su app -c "cargo build"`.
        let mut words = command.words.iter().skip(1);
        builds || later::runs_script(command) || words.any(|word| self.calls(&word.text))
    }

    /// Whether a text has the name of one of the managers as a word.
    fn calls(&self, text: &str) -> bool {
        let words = text.split([' ', '"', '\'']);
        let mut names = self.tables().flat_map(|one| &one.commands);
        names.any(|name| words.clone().any(|word| word == name))
    }

    /// Whether a command installs from the cache alone, and so adds nothing to it.
    pub(super) fn is_offline(&self, command: &Command) -> bool {
        let is_need = |text: &String| self.needs.contains(text);
        command.words.iter().any(|word| is_need(&word.text))
    }

    /// For each stage, the instruction that copies the cache out of it, or out of one that is built on it.
    pub(super) fn copied(&self, stages: &[Stage<'_>]) -> Vec<Option<Span>> {
        let mut copied = vec![None; stages.len()];
        let steps = stages.iter().flat_map(|stage| &stage.steps);
        for step in steps.filter(|step| self.names_cache(step)) {
            for source in step.sources() {
                if let Some(place) = stage_of(source).and_then(|at| copied.get_mut(at)) {
                    *place = Some(shown_span(step.instruction));
                }
            }
        }
        // A stage comes after its base.
        for (at, stage) in stages.iter().enumerate().rev() {
            let found = copied[at];
            if let Some(below) = stage.base.and_then(|base| copied.get_mut(base)) {
                *below = below.or(found);
            }
        }
        copied
    }

    fn names_cache(&self, step: &Step<'_>) -> bool {
        let flags = step.instruction.flags.iter();
        let mut flags = flags.filter_map(|flag| flag.value.as_deref());
        let apart = |ch: char| ch == '=' || ch == ',';
        let mut words = step.instruction.words().iter();
        flags.any(|value| value.split(apart).any(|part| self.is_cache(part)))
            || words.any(|word| self.is_cache(&word.text))
    }

    /// Whether commands that are not read may need the cache, by their words.
    fn may_need(&self, text: &str) -> bool {
        let apart = |ch: char| ch.is_whitespace() || "\"',;&|()[]".contains(ch);
        let mut words = text.split(apart);
        let Some(last) = &self.last else {
            return words.any(|word| self.needs.iter().any(|one| one == word));
        };
        words.any(|word| {
            let name = word.rsplit('/').next().unwrap_or(word);
            let manager = || {
                self.tables()
                    .any(|one| one.commands.iter().any(|own| own == name))
            };
            name.ends_with(".sh") || last.builders.iter().any(|one| one == name) || manager()
        })
    }

    /// Whether a command empties the cache, or is its author's way to do so.
    pub(super) fn empties(&self, command: &Command) -> bool {
        if let Some(ours) = self.ours(command) {
            return ours.role == Role::Clean && ours.subcommand_name != "cache verify";
        }
        let deletes = matches!(command::name(command), Some("rm" | "find"));
        deletes
            && command
                .words
                .iter()
                .skip(1)
                .any(|word| self.is_cache(&word.text))
    }

    /// Whether the deletion of `path` empties the cache.
    fn is_cache(&self, path: &str) -> bool {
        let path = path.trim_end_matches(['*', '/', '"', '\'']);
        let covers = |cache: &String| match cache.strip_prefix('~') {
            None => path.contains(cache.as_str()) || path.len() > 1 && lies_in(cache, path),
            Some(below) => {
                path.contains(below) || path.ends_with(parent(below)) && !parent(below).is_empty()
            }
        };
        self.emptied.iter().any(|end| path.ends_with(end.as_str()))
            || self
                .tables()
                .any(|one| one.cache_paths.iter().chain(&one.index_paths).any(covers))
    }

    /// Whether the first command of a step empties the cache.
    pub(super) fn only_empties(&self, step: &Step<'_>) -> bool {
        let first = step
            .script()
            .and_then(|script| script.top_commands().next());
        first.is_some_and(|(_, command)| self.empties(command))
    }

    /// What is written in the stage that makes the cache something else.
    pub(super) fn unless(&self, stage: &Stage<'_>) -> Option<&Unless> {
        let steps = stage.steps.iter();
        let mut texts = steps.map(|step| String::from_utf8_lossy(step.instruction.args_text()));
        texts.find_map(|text| {
            let is_there = |one: &&Unless| one.texts.iter().any(|wanted| text.contains(wanted));
            self.unless.iter().find(is_there)
        })
    }

    /// The flag or variable of a command that puts its cache elsewhere.
    pub(super) fn moved<'a>(&'a self, fill: &Fill<'a>) -> Option<&'a str> {
        let flags = fill.invocation.flags.iter().map(|flag| flag.name.as_str());
        let command = fill.at.command;
        let words = command.assignments.iter().chain(&command.words);
        let variables = words.filter_map(|word| Some(word.text.split_once('=')?.0));
        let set: Vec<&str> = flags.chain(variables).collect();
        let moves = self.moves.iter().find(|one| set.contains(&one.as_str()));
        moves.map(String::as_str)
    }

    /// Why cleaning wins nothing, whatever command it follows.
    pub(super) fn pointless(&self, fills: &[Fill<'_>]) -> Option<&str> {
        let reason = |fill: &Fill<'_>| {
            let lists =
                |one: &&Pointless| one.subcommands.contains(&fill.invocation.subcommand_name);
            self.pointless
                .iter()
                .find(lists)
                .map(|one| one.reason.as_str())
        };
        let reasons: Option<Vec<&str>> = fills.iter().map(reason).collect();
        reasons?.first().copied()
    }

    fn tables(&self) -> impl Iterator<Item = &'static Manager> {
        let names = self.managers.iter();
        names.filter_map(|name| managers::by_name(name))
    }
}

impl Image {
    /// Why the command may not work in the image that the step runs in.
    pub(super) fn obstacle(&self, step: &Step<'_>) -> Option<String> {
        let Image {
            family,
            since,
            variable,
        } = self;
        let base = step.before.base();
        if !base.is_family(family) {
            return Some(format!(
                "only of the official image `{family}` is it known where the cache is"
            ));
        }
        if let (Some(since), Some(version)) = (since, &base.version)
            && !is_at_least(version, since)
        {
            return Some(format!("`{family}` before {since} cleans differently"));
        }
        let origin = step.before.variable(variable).map(|one| one.origin);
        (origin != Some(Origin::Base)).then(|| format!("`{variable}` puts the cache elsewhere"))
    }
}

fn stage_of(source: &Base) -> Option<usize> {
    match source {
        Base::Stage(at) => Some(*at),
        _ => None,
    }
}

/// Whether a mount of the step covers the cache of the invocation's manager, wherever a variable puts it. A cache mount
/// that names the manager is taken for one.
pub(super) fn is_mounted(step: &Step<'_>, invocation: &Invocation) -> bool {
    let manager = invocation.manager;
    let flags = step.instruction.flags.iter();
    let mut mounts = flags.filter_map(|flag| flag.value.as_deref());
    if mounts.any(|value| value.contains("type=cache") && value.contains(&manager.name)) {
        return true;
    }
    let mut listed = manager.cache_paths.iter().chain(&manager.index_paths);
    if listed.any(|path| step.mounts_over_cache(path)) {
        return true;
    }
    let variables = manager.cache_env.keys();
    let mut set = variables.filter_map(|name| step.before.variable(name));
    set.any(|variable| match &variable.value {
        Some(path) => step.mounts_over(path),
        None => step
            .instruction
            .flags
            .iter()
            .any(|flag| flag.name == "mount"),
    })
}

/// Whether `path` is `directory`, or lies below it.
fn lies_in(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The directory that `path` lies in; empty at the top.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Whether version `found` is `since` or later, as far as it is written.
fn is_at_least(found: &str, since: &str) -> bool {
    let number = |part: &str| part.parse::<u32>().unwrap_or(0);
    let pairs = found
        .split('.')
        .map(number)
        .zip(since.split('.').map(number));
    pairs
        .map(|(found, since)| found.cmp(&since))
        .find(|order| order.is_ne())
        .is_none_or(std::cmp::Ordering::is_gt)
}

/// Whether a command only says what it could do.
pub(super) fn asks_for_help(invocation: &Invocation) -> bool {
    const HELP: [&str; 3] = ["--help", "--version", "-h"];
    let mut flags = invocation.flags.iter();
    let bare = invocation.subcommand.is_empty();
    flags.any(|flag| HELP.contains(&flag.name.as_str()) || bare && flag.name == "-v")
}

/// The words that make a command run as another user.
pub(super) fn user<'a>(fill: &Fill<'a>) -> Vec<&'a str> {
    let wrappers = fill
        .invocation
        .wrappers
        .iter()
        .filter(|_| fill.invocation.other_user);
    let words = wrappers.filter_map(|index| fill.at.command.words.get(*index));
    words.map(|word| word.text.as_str()).collect()
}
