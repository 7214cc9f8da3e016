//! Who needs what the build leaves: its own step, the steps behind it, stages that copy from its stage, the image when it
//! runs. Only programs that are named by their path can be copied out for them.

use std::collections::BTreeSet;

use super::build::Build;
use super::names::{Look, Search};
use super::{Found, builds, cargo};
use crate::context::path;
use crate::model::Base;
use crate::model::managers::{self, Invocation, Kind, invocation};
use crate::pass::cache_folder::CacheMount;
use crate::pass::cache_paths::Assigned;
use crate::pass::command;
use crate::pass::later::runs_script;
use crate::pass::sites::Site;
use crate::syntax::shell::CommandAt;
use crate::syntax::{Args, Instruction, Keyword};

/// The steps that may need what a build leaves.
pub(super) struct Needs<'a> {
    found: &'a Found<'a>,
    /// The steps of the stages that are built on one another, the build's among them: their numbers in the file.
    family: Vec<usize>,
}

impl<'a> Needs<'a> {
    pub(super) fn of(found: &'a Found<'a>) -> Self {
        let family = found.sites.families.get(found.site.root);
        let family = family.map(|(own, _)| own.clone()).unwrap_or_default();
        Self { found, family }
    }

    fn steps(&self) -> impl Iterator<Item = (usize, &'a Site<'a>)> {
        let sites = &self.found.sites.all;
        self.family
            .iter()
            .filter_map(|index| Some((*index, sites.get(*index)?)))
    }

    /// No other command of cargo builds in the same stages: it would need what this one leaves, or left what this one
    /// starts from. What was installed from elsewhere, or only fetched, before it stands for itself.
    pub(super) fn builds_alone(&self) -> Result<(), String> {
        for (index, site) in self.steps() {
            let step = site.step;
            let Some(script) = step.script() else {
                if step.opaque().is_some() && names_cargo(&text_of(step.instruction)) {
                    return Err("a step that cannot be read names `cargo`".to_owned());
                }
                continue;
            };
            for at in script.commands() {
                let own =
                    index == self.found.index && at.command.span == self.found.at.command.span;
                let Some(one) = cargo(&at).filter(|_| !own) else {
                    continue;
                };
                if self.counts(&one, &at, index) {
                    let shown = format!("cargo {}", one.subcommand_name);
                    return Err(match index == self.found.index {
                        true => format!("`{shown}` in the same step uses the build directory"),
                        false => format!("`{shown}` in another step uses the build directory"),
                    });
                }
            }
        }
        Ok(())
    }

    fn counts(&self, one: &Invocation, at: &CommandAt<'_>, index: usize) -> bool {
        let idle = one.subcommand.is_empty()
            || self.found.rule.idle.contains(&one.subcommand_name) && index != self.found.index;
        let stands_alone = match one.subcommand_name.as_str() {
            "fetch" => true,
            "install" | "binstall" => builds(at).is_none(),
            _ => false,
        };
        let before = at.command.span.start < self.found.at.command.span.start;
        !(idle || stands_alone && before)
    }

    /// Whether a step before the build fetches the crates: they are in the image then.
    pub(super) fn fetches_before(&self) -> bool {
        let mut before = self.steps().filter(|(index, _)| *index < self.found.index);
        before.any(|(_, site)| {
            let commands = site.step.script().map(|script| script.commands());
            let mut commands = commands.into_iter().flatten();
            commands.any(|at| cargo(&at).is_some_and(|one| one.subcommand_name == "fetch"))
        })
    }

    /// The programs that are needed, sorted.
    ///
    /// # Errors
    /// Why that is not known, or what else is needed.
    pub(super) fn programs(
        &self,
        build: &Build,
        folders: &[CacheMount],
    ) -> Result<Vec<String>, String> {
        let mut search = Search::new(build, folders);
        for (index, site) in self.steps() {
            self.step(index, site, &mut search)?;
        }
        let all = &self.found.sites.all;
        let fed = self.fed();
        for site in all.iter().filter(|site| fed[site.stage]) {
            search.taken(self, site)?;
        }
        self.launched(&build.programs)?;
        if build.output.is_some() && search.programs.is_empty() {
            return Err("nothing names a program that the build leaves".to_owned());
        }
        Ok(search.programs.into_iter().collect())
    }

    /// The stages outside of the family that take from it, or from one that does, or are built on one that does; those
    /// that may, too.
    fn fed(&self) -> Vec<bool> {
        let (sites, root) = (self.found.sites, self.found.site.root);
        let stages = self.found.cx.stages;
        let mut fed = vec![false; stages.len()];
        for (index, stage) in stages.iter().enumerate() {
            let is_own = sites.roots.get(index) == Some(&root);
            let takes = |base: &Base| match base {
                Base::Stage(other) => {
                    fed.get(*other) == Some(&true) || sites.roots.get(*other) == Some(&root)
                }
                Base::Unknown => true,
                _ => false,
            };
            let takes_files = stage
                .steps
                .iter()
                .any(|step| step.sources().iter().any(takes));
            fed[index] = !is_own && (takes(&stage.model.base) || takes_files);
        }
        fed
    }

    /// What one step of the family names and does.
    fn step(&self, index: usize, site: &Site<'_>, search: &mut Search<'_>) -> Result<(), String> {
        let (step, own) = (site.step, index == self.found.index);
        let later = index > self.found.index;
        let instruction = step.instruction;
        let text = text_of(instruction);
        if contains_path(&text, &self.found.rule.target) {
            return Err(format!("`{}` is in use", self.found.rule.target));
        }
        search.mounted(self, site)?;
        match instruction.keyword {
            Keyword::Run => {}
            Keyword::Onbuild => {
                return Err("a trigger of ONBUILD may need what the build leaves".to_owned());
            }
            Keyword::Copy | Keyword::Add => return search.copied(self, site),
            _ => return search.text(&text, step.before.workdir(), instruction),
        }
        let Some(script) = step.script() else {
            let may_need = step.opaque().is_some() && (later || own);
            return match may_need {
                true => Err("a step that cannot be read may need what the build leaves".to_owned()),
                false => search.text(&text, step.before.workdir(), instruction),
            };
        };
        let place = self.found.place_of(site);
        let assigned = Assigned::of(script);
        for at in script.commands() {
            let (build, span) = (self.found.at.command.span, at.command.span);
            let is_build = own && span == build;
            let behind = later || own && span.start >= build.end;
            if is_build {
                continue;
            }
            let directory = place.started_in(script, &at);
            let look = Look {
                at: &at,
                step,
                assigned: &assigned,
                directory: directory.as_deref(),
                behind,
            };
            self.command(&look, search)?;
        }
        Ok(())
    }

    /// What a command names, and whether it is one that needs nothing else.
    fn command(&self, look: &Look<'_>, search: &mut Search<'_>) -> Result<(), String> {
        let command = look.at.command;
        let name = command::name(command);
        if name == Some("rustup") {
            return Ok(());
        }
        let words = command.assignments.iter().chain(&command.words);
        let redirects = command.redirects.iter().map(|one| &one.target);
        let rule = self.found.rule;
        let is_one_of =
            |list: &[String]| name.is_some_and(|name| list.iter().any(|one| one == name));
        let (copies, bulk) = (is_one_of(&rule.copies), is_one_of(&rule.bulk));
        let deletes = name == Some("rm");
        // What is copied to takes nothing.
        let last = command.words.last().filter(|_| copies);
        let mut runs_program = false;
        for (index, word) in words.chain(redirects).enumerate() {
            let takes = look.behind && (copies || bulk) && last != Some(word);
            let is_program = search.word(look, word, takes, deletes)?;
            runs_program |= is_program && index == command.assignments.len();
        }
        let is_harmless = command.words.is_empty()
            || runs_program
            || is_one_of(&rule.harmless)
            || deletes
            || copies
            || bulk
            || invocation(&command.words).is_some_and(|one| one.manager.kind == Kind::System);
        let idle = cargo(look.at).is_some();
        match look.behind && !idle && (!is_harmless || runs_script(command)) {
            true => Err(format!(
                "`{}`, which follows, may need what the build leaves",
                command.words.first().map_or("", |word| word.text.as_str())
            )),
            false => Ok(()),
        }
    }

    /// Whether the image, when it runs, needs no more than programs.
    fn launched(&self, programs: &BTreeSet<String>) -> Result<(), String> {
        let (sites, stages) = (self.found.sites, self.found.cx.stages);
        let is_run = |stage: usize| {
            let found = stages.get(stage);
            let ships = found.is_some_and(|stage| stage.model.ships || !stage.model.used);
            ships && sites.roots.get(stage) == Some(&self.found.site.root)
        };
        if !(0..stages.len()).any(is_run) {
            return Ok(());
        }
        let launches: Vec<&Instruction> = self
            .steps()
            .filter(|(_, site)| is_run(site.stage))
            .map(|(_, site)| site.step.instruction)
            .filter(|one| matches!(one.keyword, Keyword::Cmd | Keyword::Entrypoint))
            .collect();
        if launches.is_empty() {
            return Err("the image may be one to build in: it has no CMD of its own".to_owned());
        }
        let has_entry = launches
            .iter()
            .any(|one| one.keyword == Keyword::Entrypoint);
        let plain = |one: &&Instruction| match has_entry && one.keyword == Keyword::Cmd {
            true => are_arguments(one),
            false => are_arguments(one) && is_program(one, programs),
        };
        match launches.iter().find(|one| !plain(one)) {
            Some(one) => Err(format!("{} may need what the build leaves", one.keyword)),
            None => Ok(()),
        }
    }
}

impl Needs<'_> {
    pub(super) fn escape(&self) -> u8 {
        self.found.cx.file.escape.byte()
    }

    /// Whether a step takes files from a stage of the family, or may.
    pub(super) fn takes_from_family(&self, site: &Site<'_>) -> bool {
        let root = self.found.site.root;
        let roots = &self.found.sites.roots;
        let mut sources = site.step.sources().iter();
        sources.any(|base| match base {
            Base::Stage(stage) => roots.get(*stage) == Some(&root),
            Base::Unknown => true,
            _ => false,
        })
    }
}

/// The words of a text, whatever its form.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|ch: char| ch.is_whitespace() || "\"'`,=:;&|()<>[]{}".contains(ch))
}

fn contains_path(text: &str, path: &str) -> bool {
    parts(text).any(|word| path::is_at_or_below(word, path))
}

fn names_cargo(text: &str) -> bool {
    parts(text).any(|word| path::file_name(word) == "cargo")
}

pub(super) fn text_of(instruction: &Instruction) -> String {
    String::from_utf8_lossy(instruction.args_text()).into_owned()
}

fn launch_words(instruction: &Instruction) -> Vec<String> {
    match &instruction.args {
        Args::Exec(words) => words.iter().map(|word| word.text.clone()).collect(),
        _ => text_of(instruction)
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
    }
}

/// Whether CMD or ENTRYPOINT names a program by its path, or one that was built.
fn is_program(instruction: &Instruction, programs: &BTreeSet<String>) -> bool {
    let words = launch_words(instruction);
    let is_built = |word: &String| programs.contains(path::file_name(word));
    words.first().is_none_or(|word| word.contains('/')) || words.iter().any(is_built)
}

/// Whether CMD or ENTRYPOINT has no shell, script or package manager among its words.
fn are_arguments(instruction: &Instruction) -> bool {
    const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "zsh", "env"];
    let is_other = |word: &String| {
        let name = path::file_name(word);
        SHELLS.contains(&name) || managers::by_command(name).is_some() || name.ends_with(".sh")
    };
    !launch_words(instruction).iter().any(is_other)
}
