//! A step that is added in front of the source and only fetches what an install behind it needs.

use super::between::{Between, Fate, Moves};
use super::cut::{self, is_cd, is_set, moved_to};
use super::installs::Found;
use crate::context::path;
use crate::model::expand::Lookup;
use crate::model::managers::{self, Kind, Manager, Role, invocation};
use crate::pass::command;
use crate::pass::reads::Early;
use crate::pass::runs::Step;
use crate::syntax::Keyword;
use crate::syntax::shell::{Command, Script, Statement, Word};

impl Between<'_> {
    /// Whether an install that runs early fetches what install `install` needs.
    pub(super) fn is_fetched(&self, install: usize, moves: &Moves) -> bool {
        let install = &self.found[install];
        let mut early = moves.installs.iter().map(|one| &self.found[*one]);
        early.any(|one| install.finds_what_is_fetched_by(one))
    }

    /// What fetches, in the directory to which the list has gone.
    pub(super) fn fetch(
        &self,
        script: &Script,
        at: usize,
        command: &str,
        install: usize,
        moves: &mut Moves,
    ) -> Result<Fate, String> {
        let step = self.step(self.found[install].step);
        let other_tool = moves
            .tool
            .is_some_and(|tool| tool != self.found[install].manager);
        if let Some(blocked) = moves.blocked.as_ref().filter(|_| other_tool) {
            return Err(blocked.clone());
        }
        let stores = Stores::of(self.found[install].manager, step);
        if stores.are_mounted(step) {
            return Err("a cache mount keeps what it fetches".to_owned());
        }
        cut::stays_small(self.place, script, at, |command| stores.lose(command))?;
        let before = &script.statements[..at];
        let mut gone = self.way_to(&self.found[install], moves, before)?;
        let wrapper = wrapper(command);
        gone.push_str(&self.made_runnable(wrapper, moves, before)?);
        let runnable = |one: &Statement| makes_runnable(one, wrapper);
        let stays = |one: &Statement| is_cd(one) || is_set(one) || runnable(one);
        let fate = match before.iter().all(stays) {
            // What fetches needs nothing of these: the list stays whole.
            true => Fate::Late,
            false => {
                if let Some(blocked) = &moves.blocked {
                    return Err(blocked.clone());
                }
                cut::splittable(step, script, at)?;
                cut::stays_small(self.place, script, at, cut::deletes)?;
                Fate::Split(at)
            }
        };
        moves.fetch = Some((format!("{gone}{command}"), install));
        Ok(fate)
    }

    /// Whether the statements from `from` up to an install only make the script runnable that fetches for it.
    pub(super) fn leads_to(&self, script: &Script, from: usize, install: usize) -> bool {
        let found = &self.found[install];
        let Ok(needs) = &found.reads else {
            return false;
        };
        let Early::Fetch(command) = &needs.reads.early else {
            return false;
        };
        let between = script.statements.get(from..found.top).unwrap_or_default();
        between
            .iter()
            .all(|one| makes_runnable(one, wrapper(command)))
    }

    /// What makes `wrapper` runnable, a script of the project, where something before the install does.
    ///
    /// # Errors
    /// What stands before the install may do something else to it.
    fn made_runnable(
        &self,
        wrapper: &str,
        moves: &Moves,
        before: &[Statement],
    ) -> Result<String, String> {
        if wrapper.is_empty() {
            return Ok(String::new());
        }
        let late = moves.fates.iter().filter(|one| one.1 == Fate::Late);
        let scripts = late.filter_map(|one| Some((one.0, self.step(one.0).script()?)));
        let scripts = scripts.filter(|(step, script)| !self.gives_modes(*step, script));
        let all = scripts
            .flat_map(|(_, script)| &script.statements)
            .chain(before);
        let mut all = all.filter(|one| !is_cd(one) && !is_set(one)).peekable();
        if all.peek().is_none() {
            return Ok(String::new());
        }
        match all.all(|one| makes_runnable(one, wrapper)) {
            true => Ok(format!("chmod +x {} && ", wrapper.trim_start_matches("./"))),
            false => Err(format!("a step before it may change `{wrapper}`")),
        }
    }

    /// The `cd`s that lead to where an install works, from where what runs early is.
    fn way_to(
        &self,
        install: &Found,
        moves: &Moves,
        before: &[Statement],
    ) -> Result<String, String> {
        let is_late = |one: &&(usize, Fate)| {
            one.1 == Fate::Late && self.step(one.0).instruction.keyword == Keyword::Workdir
        };
        let Some((first, _)) = moves.fates.iter().find(is_late) else {
            let started_in = self.step(install.step).before.workdir();
            let is_there = started_in == Some(&install.directory);
            return Ok(if is_there {
                String::new()
            } else {
                moved_to(before)
            });
        };
        let from = self.step(*first).before.workdir().unwrap_or_default();
        let way = path::below(&install.directory, from.trim_end_matches('/'));
        let way = way.map_or(install.directory.as_str(), |way| {
            way.trim_start_matches('/')
        });
        let plain = |ch: char| ch.is_alphanumeric() || "/._-@+".contains(ch);
        match way.chars().all(plain) {
            true if way.is_empty() => Ok(String::new()),
            true => Ok(format!("cd {way} && ")),
            false => Err(format!(
                "`{}` cannot be named in a RUN as it is",
                install.directory
            )),
        }
    }
}

/// Where a manager keeps what it fetches.
struct Stores {
    manager: Option<&'static Manager>,
    /// Directories of the image.
    paths: Vec<String>,
}

/// What the project itself keeps of what is fetched.
const IN_PROJECT: [&str; 3] = ["vendor", ".venv", "*"];

impl Stores {
    fn of(manager: &str, step: &Step<'_>) -> Self {
        let manager = managers::all().iter().find(|one| one.name == manager);
        let home = step.before.home().unwrap_or("/root");
        let listed = manager.iter().flat_map(|one| &one.cache_paths);
        let mut paths: Vec<String> = listed
            .map(|path| match path.strip_prefix('~') {
                Some(below) => format!("{home}{below}"),
                None => path.clone(),
            })
            .collect();
        for (name, below) in manager.iter().flat_map(|one| &one.cache_env) {
            if let Lookup::Set(value) = step.before.lookup(name) {
                paths.extend(
                    below
                        .iter()
                        .map(|below| path::clean(&format!("{value}/{below}"))),
                );
            }
        }
        // What Go builds is no module.
        let builds = step
            .before
            .variable("GOCACHE")
            .and_then(|one| one.value.as_deref());
        paths.retain(|path| !is_of_builds(path) && Some(path.as_str()) != builds);
        Self { manager, paths }
    }

    /// Whether a mount of the step holds all that is fetched: the layer would be empty.
    fn are_mounted(&self, step: &Step<'_>) -> bool {
        let keeps_all = |one: &Manager| matches!(one.kind, Kind::Go | Kind::Java | Kind::Dotnet);
        // Whose home it is need not be known.
        let of_home = |path: &String| path.starts_with("~/.") && step.mounts_over_cache(path);
        self.manager.is_some_and(|one| {
            let homes = one.cache_paths.iter().filter(|path| !is_of_builds(path));
            let mut homes = homes.filter(|path| of_home(path));
            let is_mounted = |path: &String| step.mounts_over(path);
            keeps_all(one) && (homes.next().is_some() || self.paths.iter().any(is_mounted))
        })
    }

    /// Whether a command deletes what was fetched.
    fn lose(&self, command: &Command) -> bool {
        if command::name(command) == Some("rm") {
            return command
                .words
                .iter()
                .skip(1)
                .any(|word| self.are_named(word));
        }
        let one = invocation(&command.words);
        let own = |name: &str| self.manager.is_some_and(|manager| manager.name == name);
        one.is_some_and(|one| one.role == Role::Clean && own(&one.manager.name))
    }

    fn are_named(&self, word: &Word) -> bool {
        let text = word.text.trim_matches(['"', '\'']);
        let text = match text.strip_prefix('~') {
            Some(below) => format!("/root{below}"),
            None => text.to_owned(),
        };
        let fixed = text.split(['*', '?', '[']).next().unwrap_or_default();
        if text.contains('$') || !text.starts_with('/') {
            let computed = text.contains('$');
            return computed || IN_PROJECT.contains(&text.trim_end_matches('/'));
        }
        let fixed = path::clean(fixed);
        let meets = |path: &String| {
            path::below(path, &fixed).is_some() || path::below(&fixed, path).is_some()
        };
        self.paths.iter().any(meets)
    }
}

/// Whether what Go builds is kept there.
fn is_of_builds(path: &str) -> bool {
    path.ends_with("/go-build")
}

/// The script of the project that a command calls; empty for a program of the image.
fn wrapper(command: &str) -> &str {
    let called = command.split(' ').find(|word| !word.contains('='));
    called.filter(|word| word.contains('/')).unwrap_or_default()
}

/// Whether a statement only makes `wrapper` runnable, a script of the project.
fn makes_runnable(statement: &Statement, wrapper: &str) -> bool {
    let bare = |path: &str| path.trim_start_matches("./").to_owned();
    let words = statement.command().map(|command| command.words.as_slice());
    let Some([chmod, mode, file]) = words else {
        return false;
    };
    let modes = ["+x", "a+x", "u+x", "755", "775", "777"];
    chmod.text == "chmod"
        && modes.contains(&mode.text.as_str())
        && !wrapper.is_empty()
        && file.literal.as_deref().map(bare) == Some(bare(wrapper))
}
