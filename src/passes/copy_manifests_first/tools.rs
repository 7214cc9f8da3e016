//! Which commands read nothing of the source: those that set up tools, or go to a directory.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::between::is_shared_with_system;
use crate::context::path;
use crate::model::managers::{Invocation, Kind, Role, invocation};
use crate::model::state::State;
use crate::pass::command;
use crate::syntax::shell::{Command, CommandAt, Node, Redirect, Script, Statement, Word};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::passes) struct Tools {
    /// Commands that read nothing of the source.
    free: Vec<String>,
    /// Commands that read nothing of it where all their paths lie elsewhere.
    elsewhere: Vec<String>,
    /// What `rm` may delete.
    scratch: Vec<String>,
    /// Sub-commands that change settings of the user.
    settings: Vec<String>,
    /// Commands that write settings with what they print.
    writers: Vec<String>,
    /// Commands that change files of the source and no tool that installs.
    aside: Vec<String>,
    /// Sub-commands that change no manifest, nor what is fetched.
    steady: Vec<String>,
    /// Where installers are fetched from that are piped into a shell.
    installers: Vec<String>,
    /// The variables of each manager that name other files than it looks for by itself; behind a `=` what the value
    /// must hold to do so.
    naming: BTreeMap<String, Vec<String>>,
}

impl Tools {
    /// Whether a command reads and writes nothing at, above or below `source`, a directory of the image.
    pub(super) fn is_tool(&self, at: &CommandAt<'_>, source: &str) -> bool {
        let command = at.command;
        let name = command::name(command);
        let writes = name.is_some_and(|name| self.writers.iter().any(|one| one == name));
        let quiet = |one: &Redirect| {
            let target = one.target.literal.as_deref();
            let settings = writes && one.target.text.contains('/') && is_aside(&one.target, source);
            matches!(target, Some("/dev/null" | "1" | "2")) || settings
        };
        let substitutes = |word: &Word| !word.substitutions.is_empty();
        let words = command.words.iter().chain(&command.assignments);
        let plain = at.inside.is_none()
            && command.redirects.iter().all(quiet)
            && !words.into_iter().any(substitutes);
        if !plain {
            return false;
        }
        if let Some(one) = invocation(&command.words) {
            // A project there may bring the settings and keys of package managers of the distribution.
            let may_configure = is_shared_with_system(source);
            let is_of_system = one.manager.kind == Kind::System;
            return !(is_of_system && may_configure) && self.is_install_of_tools(command, &one);
        }
        let Some(name) = name else {
            return false;
        };
        let listed = |list: &[String]| list.iter().any(|one| one == name);
        let mut words = command.words.iter().skip(1);
        match name {
            "rm" => words.all(|word| {
                let mut scratch = self.scratch.iter();
                word.text.starts_with('-')
                    || scratch.any(|start| word.text.starts_with(start.as_str()))
            }),
            "export" => words.all(|word| word.literal.is_some()),
            "python" | "python3" | "node" => {
                let words: Vec<&str> = words.map(|word| word.text.as_str()).collect();
                matches!(words.as_slice(), ["-V" | "-v" | "--version"])
            }
            "corepack" => matches!(
                words.next().map(|word| word.text.as_str()),
                Some("enable" | "prepare" | "disable")
            ),
            _ => {
                listed(&self.free)
                    || listed(&self.elsewhere) && words.all(|word| is_aside(word, source))
            }
        }
    }

    /// The variable of the environment that makes a manager read other files.
    pub(super) fn named_by<'t>(&'t self, manager: &str, state: &State) -> Option<&'t str> {
        let mut naming = self.naming.get(manager)?.iter();
        let found = naming.find(|naming| {
            let (name, part) = naming.split_once('=').unwrap_or((naming, ""));
            let value = state.variable(name).map(|one| one.value.as_deref());
            value.is_some_and(|value| {
                value.is_none_or(|value| !value.is_empty() && value.contains(part))
            })
        })?;
        Some(found.split('=').next().unwrap_or(found))
    }

    /// Whether a statement fetches a known installer, and runs it where it reads nothing of `source`.
    pub(super) fn is_installer(&self, statement: &Statement, source: &str) -> bool {
        let Node::Pipeline(members) = &statement.node else {
            return false;
        };
        let [Some(fetch), Some(run)] = [members.first(), members.get(1)].map(|one| one?.command())
        else {
            return false;
        };
        let is_known = |word: &Word| {
            let text = word.literal.as_deref().unwrap_or("/");
            let bare = text.split_once("://").map(|(_, bare)| bare);
            match bare {
                Some(bare) => self
                    .installers
                    .iter()
                    .any(|one| bare.starts_with(one.as_str())),
                None => !text.contains('/'),
            }
        };
        let fetches = matches!(command::name(fetch), Some("curl" | "wget"))
            && fetch.words.iter().skip(1).all(is_known);
        let interpreters = ["sh", "bash", "php", "python", "python3"];
        let runs = command::name(run).is_some_and(|name| interpreters.contains(&name))
            && run.words.iter().skip(1).all(|word| is_aside(word, source));
        // Composer's would put the program where it runs.
        let placed = command::name(run) != Some("php")
            || run
                .words
                .iter()
                .any(|word| word.text.starts_with("--install-dir="));
        let quiet = fetch.redirects.is_empty() && run.redirects.is_empty();
        members.len() == 2 && !statement.negated && quiet && fetches && runs && placed
    }

    /// Whether a script changes nothing that a step which fetches dependencies would find.
    pub(super) fn leaves_installs_alone(&self, script: &Script) -> bool {
        let commands = script.commands();
        let is_aside = |at: &CommandAt<'_>| {
            let name = command::name(at.command).unwrap_or_default();
            self.aside.iter().any(|one| one == name)
        };
        !commands.is_empty() && commands.iter().all(is_aside)
    }

    /// The manager that all commands of a script call, where none changes what it would fetch.
    pub(super) fn steady(&self, script: &Script) -> Option<&'static str> {
        let commands = script.commands();
        let mut managers = commands.iter().map(|at| {
            let one = invocation(&at.command.words).filter(|_| at.inside.is_none())?;
            let said = said(at.command, &one);
            let mut steady = self.steady.iter();
            let listed = steady.any(|listed| said.starts_with(listed.as_str()));
            listed.then_some(one.manager.name.as_str())
        });
        let first = managers.next()??;
        managers.all(|one| one == Some(first)).then_some(first)
    }

    fn is_install_of_tools(&self, command: &Command, one: &Invocation) -> bool {
        let words = |range: &[usize]| -> Vec<&str> {
            let words = range.iter().filter_map(|index| command.words.get(*index));
            words.map(|word| word.text.as_str()).collect()
        };
        let all: Vec<&str> = command
            .words
            .iter()
            .map(|word| word.text.as_str())
            .collect();
        let said = said(command, one);
        // Bundler's settings of a project are among what the install writes.
        let local = all.contains(&"--local") && one.manager.kind != Kind::Ruby;
        let mut settings = self.settings.iter();
        if !local && settings.any(|setting| said.starts_with(setting.as_str())) {
            return true;
        }
        if all.len() == 2
            && all[1] == "--version"
            && matches!(one.manager.name.as_str(), "pip" | "npm" | "poetry")
        {
            return true;
        }
        let named = !one.packages.is_empty()
            && !one.dynamic
            && one.manifests.is_empty()
            && words(&one.packages).iter().all(|word| is_registered(word))
            && !one.flags.iter().any(|flag| {
                matches!(
                    flag.name.as_str(),
                    "-e" | "--editable" | "-c" | "--constraint"
                )
            });
        match (one.manager.kind, one.role) {
            (Kind::System, Role::UpdateIndex | Role::Upgrade | Role::Clean | Role::Remove) => true,
            (Kind::System, Role::Install) => named,
            (Kind::Python, Role::Install) => {
                named
                    && matches!(
                        one.subcommand_name.as_str(),
                        "install" | "pip install" | "tool install" | "self add"
                    )
                    && one.manager.name != "poetry"
            }
            (Kind::Node, Role::Install | Role::Upgrade) => named && one.is_global(),
            (Kind::Go, Role::Install) => {
                named && words(&one.packages).iter().all(|word| word.contains('@'))
            }
            (Kind::Ruby, Role::Install) => named && one.manager.name == "gem",
            (_, Role::Clean) => true,
            _ => false,
        }
    }
}

/// The manager and the words behind its name that are no options.
fn said(command: &Command, one: &Invocation) -> String {
    let words = command.words.iter().skip(one.command + 1);
    let words = words.map(|word| word.text.as_str());
    let said = words.filter(|word| !word.starts_with('-'));
    let said = [one.manager.name.as_str()].into_iter().chain(said);
    said.collect::<Vec<_>>().join(" ")
}

/// Whether a package is named, and no file or directory.
fn is_registered(word: &str) -> bool {
    let name = word.split(['=', '<', '>', '~', '[']).next().unwrap_or(word);
    let scoped = word.starts_with('@') || word.contains("://") || word.contains('@');
    !word.starts_with(['.', '/', '~'])
        && !name.ends_with(".whl")
        && !name.ends_with(".deb")
        && !name.ends_with(".tgz")
        && (scoped || !name.contains('/'))
        && !word.starts_with("file:")
}

/// Whether a word names nothing of the source: an option, a URL, or an absolute path that lies elsewhere.
fn is_aside(word: &Word, source: &str) -> bool {
    let Some(text) = word.literal.as_deref() else {
        // A wildcard or variable behind a path that lies elsewhere.
        let fixed = word
            .text
            .split(['*', '?', '$', '['])
            .next()
            .unwrap_or_default();
        let own = fixed.starts_with("~/") || word.text.starts_with("$HOME/");
        return own || fixed.len() > 1 && is_elsewhere(path::parent(fixed), source);
    };
    let plain = |text: &str| !text.contains('/') && !text.contains('.');
    text.starts_with('-') && (!text.contains('/') || text.contains("=/") && is_elsewhere(text.split_once('=').map_or("", |(_, path)| path), source))
        || text.contains("://")
        || is_elsewhere(text, source)
        // Names of accounts, modes, and what is tested.
        || plain(text)
}

/// Whether an absolute path is neither at, above nor below `source`.
pub(super) fn is_elsewhere(text: &str, source: &str) -> bool {
    let path = path::clean(text);
    let (path, source) = (path.trim_end_matches('/'), source.trim_end_matches('/'));
    text.starts_with('/')
        && path::below(path, source).is_none()
        && (path::below(source, path).is_none())
}
