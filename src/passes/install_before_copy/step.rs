//! What a RUN does, as far as it matters for its place: whether it calls package managers of the distribution for
//! packages that it names, and does nothing else.

use super::InstallBeforeCopy;
use crate::context::glob;
use crate::model::managers::{Flag, Invocation, Kind, Role, invocation};
use crate::model::mount::{self, Mount};
use crate::pass::PassContext;
use crate::pass::command;
use crate::pass::runs::Step;
use crate::syntax::shell::{Command, Operator, Word};

/// What a step is.
pub(super) enum Found {
    /// No install of system packages, as far as can be seen.
    Nothing,
    /// One that may do more, and why.
    Other(String),
    /// One that does nothing else.
    System(System),
}

/// A step that only calls package managers of the distribution and cleans up.
#[derive(Debug, Default)]
pub(super) struct System {
    /// Whether it installs packages, or newer versions of them.
    pub(super) installs: bool,
    /// Whether it only fetches the package lists.
    pub(super) only_updates: bool,
    /// The packages that it names.
    pub(super) packages: Vec<String>,
    /// The paths that it deletes.
    pub(super) deleted: Vec<String>,
}

impl InstallBeforeCopy {
    pub(super) fn read(&self, cx: &PassContext<'_>, step: &Step<'_>) -> Found {
        let Some(script) = step.script() else {
            return Found::Nothing;
        };
        let all = script.commands();
        let is_install = |one: Invocation| {
            one.manager.kind == Kind::System && matches!(one.role, Role::Install | Role::Upgrade)
        };
        let installs = all.iter().any(|at| {
            invocation(&at.command.words).is_some_and(is_install)
                || command::is_any(at.command, &self.installers)
        });
        let plain = || {
            takes_nothing(cx, step)?;
            let mut system = System {
                installs,
                only_updates: true,
                ..System::default()
            };
            for statement in &script.statements {
                let goes_on = matches!(
                    statement.operator,
                    None | Some((Operator::And | Operator::Semicolon | Operator::Newline, _))
                );
                let simple = statement
                    .command()
                    .filter(|_| goes_on && !statement.negated);
                let simple = simple.ok_or("the step is more than a list of commands")?;
                self.command(step, simple, &mut system)?;
            }
            Ok(system)
        };
        match plain() {
            Ok(system) if !script.statements.is_empty() => Found::System(system),
            Err(reason) if installs => Found::Other(reason),
            _ => Found::Nothing,
        }
    }

    fn command(
        &self,
        step: &Step<'_>,
        command: &Command,
        system: &mut System,
    ) -> Result<(), String> {
        let is_nowhere = |target: &str| matches!(target, "/dev/null" | "1" | "2" | "&1" | "&2");
        let mut redirects = command.redirects.iter();
        if !redirects.all(|one| is_nowhere(&one.target.text)) {
            return Err("a command of the step reads or writes a file".to_owned());
        }
        if let Some(one) = invocation(&command.words).filter(|one| one.manager.kind == Kind::System)
        {
            return self.invocation(&one, command, system);
        }
        let shown = || {
            let words = command.words.iter().take(2).map(|word| word.text.as_str());
            words.collect::<Vec<_>>().join(" ")
        };
        let mut arguments = command.words.iter().skip(1);
        let known = match command.name() {
            Some("set") => {
                arguments.all(|word| word.text.starts_with('-') || word.text == "pipefail")
            }
            Some("rm") => {
                let paths = arguments.filter(|word| !word.text.starts_with('-'));
                let paths: Vec<String> = paths.map(|word| absolute(&word.text, step)).collect();
                system.only_updates = false;
                let may_go = |path: &String| {
                    let starts = |one: &String| path.starts_with(one.as_str());
                    is_plain_path(path) && self.scratch.iter().any(starts)
                };
                let all = !paths.is_empty() && paths.iter().all(may_go);
                system.deleted.extend(paths);
                all
            }
            _ => {
                system.only_updates = false;
                let literal = |word: &Word| word.literal.as_deref().is_some_and(is_no_path);
                let listed = [&self.beside, &self.installers];
                listed.iter().any(|list| command::is_any(command, list))
                    && command.assignments.is_empty()
                    && command.words.iter().skip(1).all(literal)
            }
        };
        match known {
            true => Ok(()),
            false if command.words.is_empty() => Err("the step sets a variable".to_owned()),
            false => Err(format!("`{}` runs in the same step", shown())),
        }
    }

    fn invocation(
        &self,
        one: &Invocation,
        command: &Command,
        system: &mut System,
    ) -> Result<(), String> {
        use Role as R;
        system.only_updates &= one.role == R::UpdateIndex;
        let words = &command.words;
        if !matches!(
            one.role,
            R::Install | R::UpdateIndex | R::Upgrade | R::Clean | R::Remove
        ) {
            let name = words.get(one.command).map_or("", |word| word.text.as_str());
            let name = format!("{name} {}", one.subcommand_name);
            return Err(format!("`{}` runs in the same step", name.trim_end()));
        }
        let before = words.get(..one.command).unwrap_or_default();
        let is_plain = |word: &&Word| {
            let known = matches!(word.text.as_str(), "sudo" | "-E" | "-H" | "env");
            known || word.text.contains('=') && word.literal.is_some()
        };
        let assigned = command.assignments.iter();
        let mut odd = before.iter().filter(|word| !is_plain(word));
        let mut unknown = assigned.filter(|word| word.literal.is_none());
        if let Some(word) = odd.next().or(unknown.next()) {
            return Err(format!("`{}` stands before the command", word.text));
        }
        if let Some(flag) = one
            .flags
            .iter()
            .find(|flag| self.local.contains(&flag.name))
        {
            return Err(format!("`{}` may name a file", flag.name));
        }
        for (index, word) in words.iter().enumerate().skip(one.command) {
            let is_option = |flag: &Flag| {
                let value = flag.value.as_ref();
                flag.word == index || value.is_some_and(|value| value.word == index)
            };
            let is_option = one.flags.iter().any(is_option);
            let literal = word.literal.as_deref();
            let (fine, what) = match index == one.command {
                true => (literal.is_some_and(is_program), "is a program of its own"),
                false if is_option => (literal.is_some_and(is_no_file), "may name a file"),
                false => (self.is_package(word), "is not the name of a package"),
            };
            if !fine {
                return Err(format!("`{}` {what}", word.text));
            }
        }
        let packages = one.packages.iter().filter_map(|index| words.get(*index));
        system
            .packages
            .extend(packages.map(|word| word.text.clone()));
        Ok(())
    }

    /// Whether a word is a package, with a version that a variable may hold, and no file.
    fn is_package(&self, word: &Word) -> bool {
        let Some(text) = &word.literal else {
            let text = word.text.trim_matches('"');
            let name = text.split_once("=$").map(|(name, _)| name);
            let is_name = |ch: char| ch.is_ascii_alphanumeric() || "+-._:".contains(ch);
            return word.substitutions.is_empty()
                && !text.contains(['*', '`', '(', '?'])
                && name.is_some_and(|name| !name.is_empty() && name.chars().all(is_name));
        };
        let is_file = self
            .files
            .iter()
            .any(|ending| text.ends_with(ending.as_str()));
        let is_remote = text.contains("://") && !text.starts_with("file:");
        let is_name = !text.contains('/') && !text.starts_with('.') && !is_file;
        !text.is_empty() && (is_remote || is_name)
    }
}

/// Whether no flag of a RUN brings files: caches and secrets do not.
fn takes_nothing(cx: &PassContext<'_>, step: &Step<'_>) -> Result<(), String> {
    let expand = |word: &str| step.before.expand(word, cx.file.escape.byte());
    for flag in &step.instruction.flags {
        let value = flag.value.as_deref().unwrap_or_default();
        let mount = Mount::parse(value, &expand);
        let is_own = |mount: &Mount| {
            use mount::Kind as K;
            let known = matches!(mount.kind, K::Cache | K::Secret | K::Ssh);
            known && mount.from.is_none() && mount.source.is_none()
        };
        let fine =
            flag.name == "network" || flag.name == "mount" && mount.is_ok_and(|one| is_own(&one));
        if !fine {
            return Err(format!("`--{}={value}` may bring files", flag.name));
        }
    }
    Ok(())
}

/// A command's own name, or its place in the system.
fn is_program(text: &str) -> bool {
    !text.contains('/') || text.starts_with('/')
}

fn is_no_file(text: &str) -> bool {
    text.contains("://") || !text.contains('/')
}

/// Whether a word names no file: an option, or no path.
fn is_no_path(text: &str) -> bool {
    text.starts_with('-') || !text.contains('/') && !text.starts_with('.')
}

fn absolute(path: &str, step: &Step<'_>) -> String {
    match (path.strip_prefix("~/"), step.before.home()) {
        (Some(rest), Some(home)) => format!("{}/{rest}", home.trim_end_matches('/')),
        _ => path.to_owned(),
    }
}

fn is_plain_path(path: &str) -> bool {
    let is_plain = |ch: char| ch.is_ascii_alphanumeric() || "/._-*".contains(ch);
    path.starts_with('/') && !path.contains("..") && path.chars().all(is_plain)
}

/// Whether `name` is that of a package which the pattern means; a version behind it is not looked at.
pub(super) fn matches_name(pattern: &str, name: &str) -> bool {
    let name = name.split(['=', ':']).next().unwrap_or(name);
    glob::matches(pattern, name).unwrap_or(true)
}
