//! What a Python application starts: Python, a command of a package, or a manager that starts one of them.

use super::{At, For, MANAGERS, Python, is_copied, is_python};
use crate::context::path;
use crate::model::managers::Invocation;
use crate::pass::health;
use crate::pass::program::Program;
use crate::pass::project_place::{Place, first_words};
use crate::pass::python_packages;
use crate::pass::runs::Stage;
use crate::syntax::Instruction;

/// Options of `run` that change nothing of what is started.
const PLAIN: [&str; 10] = [
    "--frozen",
    "--locked",
    "--no-cache",
    "--no-dev",
    "--no-progress",
    "--no-python-downloads",
    "--no-sync",
    "--offline",
    "--quiet",
    "-q",
];

/// The command that poetry writes its settings for the user to.
const SETTINGS: &str = "/root/.config/pypoetry";

impl Python<'_> {
    /// The container starts Python, or a command that a package of it brings; the manager that starts it, if one does.
    pub(super) fn starts_with_python(&self, stage: &Stage<'_>) -> Result<Option<String>, String> {
        let program = Program::of(self.cx, stage)?;
        let manager = manager_of(&program);
        let program = match manager {
            Some(manager) => {
                self.has_manager(stage, manager, &program)?;
                behind_run(manager, &program.arguments)
                    .ok_or_else(|| format!("what `{manager}` starts is not known"))?
            }
            None => program,
        };
        let name = self.own_name(stage, &program.name);
        let mut words = program.arguments.iter().map(String::as_str);
        let is_plain =
            |word: &&str| matches!(*word, "-u" | "-B" | "-O" | "-OO" | "-s" | "-E" | "-I");
        let first = words.find(|word| !is_plain(word));
        let is_module = first == Some("-m");
        let is_known = match is_python(&name) {
            true => is_module || first.is_some_and(|word| !word.starts_with('-')),
            false => self.is_command(&name),
        };
        if !is_known {
            return Err(format!(
                "what `{}` needs when it runs is not known",
                program.name
            ));
        }
        if let Some(file) =
            first.filter(|file| is_python(&name) && !is_module && !is_copied(stage, file))
        {
            return Err(format!("`{file}`, which `{name}` runs, is not copied"));
        }
        health::check(stage, |word| is_python(word) || self.kept.has(word))?;
        Ok(manager.map(str::to_owned))
    }

    /// The name of a program that lies where Python has its own, in the image or an environment.
    fn own_name(&self, stage: &Stage<'_>, program: &str) -> String {
        let absolute = stage.model.end.absolute(program);
        let absolute = absolute.filter(|_| program.contains('/'));
        let directory = absolute.as_deref().map(path::parent);
        let is_own = directory.is_some_and(|directory| {
            let environment = directory.strip_suffix("/bin").unwrap_or_default();
            environment == "/usr/local" || self.environments.contains(environment)
        });
        match is_own {
            true => path::file_name(program).to_owned(),
            false => program.to_owned(),
        }
    }

    /// Whether a package of Python, or the project itself, brings a command.
    pub(super) fn is_command(&self, name: &str) -> bool {
        python_packages::is_script(name) || self.scripts.contains(name)
    }

    /// The manager that starts the application will be there, and change nothing.
    fn has_manager(
        &self,
        stage: &Stage<'_>,
        manager: &str,
        program: &Program,
    ) -> Result<(), String> {
        let brings = |one: &Instruction| brings_manager(one, manager);
        let mut steps = stage.steps.iter();
        if !self.tools.contains(manager) && !steps.any(|step| brings(step.instruction)) {
            return Err(format!("where `{manager}` comes from is not known"));
        }
        if manager != "uv" || program.arguments.iter().any(|word| word == "--no-sync") {
            return Ok(());
        }
        let place = self.end(stage);
        let directory = stage.model.end.workdir().unwrap_or("/");
        let is_locked = place.source(&path::join(directory, "uv.lock")).is_some();
        match is_locked && !self.environments.is_empty() {
            true => Ok(()),
            false => Err("`uv run` installs packages when it starts".to_owned()),
        }
    }

    /// Behind the last step.
    fn end(&self, stage: &Stage<'_>) -> Place<'_> {
        Place {
            cx: self.cx,
            stage: 0,
            step: stage.steps.len(),
        }
    }

    /// No environment lies where the build context has one.
    pub(super) fn is_alone(&self, stage: &Stage<'_>) -> Result<(), String> {
        let place = self.end(stage);
        let mut environments = self.environments.iter();
        let brought = environments.find(|one| {
            let marker = path::join(one, "pyvenv.cfg");
            place.source(one).is_some() || place.source(&marker).is_some()
        });
        match brought {
            Some(one) => Err(format!("the build context has its own `{one}`")),
            None => Ok(()),
        }
    }

    /// What `poetry run`, `uv run` or `pipenv run` starts in a step.
    pub(super) fn started_by_manager(
        &mut self,
        at: &At<'_, '_>,
        asked: &Invocation,
    ) -> Result<For, String> {
        let command = at.found.command;
        let shown = first_words(&at.place.cx.shown(command.span));
        let words = command.words.iter().skip(asked.command + 1);
        let words: Vec<String> = words.map(|word| word.text.clone()).collect();
        let manager = asked.manager.name.as_str();
        let program = behind_run(manager, &words);
        let is_own = |name: &str| is_python(name) || self.is_command(name);
        if !program.is_some_and(|program| is_own(&program.name)) {
            return Err(format!("what `{shown}` leaves behind is not known"));
        }
        if manager == "uv" && !words.iter().any(|word| word == "--no-sync") {
            return Err(format!("`{shown}` may install packages"));
        }
        self.starters.insert(manager.to_owned());
        self.runs.push((at.place.step, shown));
        Ok(For::Both)
    }

    /// `poetry config`.
    pub(super) fn configured(&mut self, at: &At<'_, '_>) -> Result<For, String> {
        let command = at.found.command;
        let shown = first_words(&at.place.cx.shown(command.span));
        let unknown = || Err(format!("what `{shown}` changes is not known"));
        let words = command.words.iter().map(|word| word.literal.as_deref());
        let Some(words) = words.collect::<Option<Vec<&str>>>() else {
            return unknown();
        };
        let is_local = words.contains(&"--local");
        let plain: Vec<&str> = words
            .into_iter()
            .filter(|word| !word.starts_with('-'))
            .collect();
        let ["poetry", "config", name, value] = plain.as_slice() else {
            return unknown();
        };
        let is_known = matches!(*name, "virtualenvs.create" | "virtualenvs.in-project")
            || name.starts_with("installer.");
        if !is_known || at.place.step().before.home() != Some("/root") {
            return unknown();
        }
        self.made.is_told_locally |= is_local;
        let settings = &mut self.made.settings;
        settings.insert((*name).to_owned(), (*value).to_owned());
        Ok(For::Build)
    }

    /// What a manager that starts the application was told in the build.
    pub(super) fn configuration(&self, starter: Option<&str>) -> Result<Option<String>, String> {
        let runs = self.starters.iter().map(String::as_str).chain(starter);
        if !runs.into_iter().any(|one| one == "poetry") || self.made.settings.is_empty() {
            return Ok(None);
        }
        match self.made.is_told_locally {
            true => Err("`poetry config --local` writes into the project".to_owned()),
            false => Ok(Some(SETTINGS.to_owned())),
        }
    }

    /// Whether a COPY takes over a manager of projects from its image, and nothing that ships runs it.
    pub(super) fn brings_unused_manager(&self, copy: &Instruction) -> bool {
        let stage = &self.cx.stages[0];
        let program = Program::of(self.cx, stage).ok();
        let started = program.as_ref().and_then(manager_of);
        brings_manager(copy, "uv") && started != Some("uv") && !self.starters.contains("uv")
    }
}

/// Whether a COPY takes this manager over from its image.
fn brings_manager(copy: &Instruction, manager: &str) -> bool {
    let from = copy.flag("from").and_then(|flag| flag.value.as_deref());
    let image = from.map(|from| from.split([':', '@']).next().unwrap_or(from));
    manager == "uv" && image == Some("ghcr.io/astral-sh/uv")
}

/// The manager that runs a program.
fn manager_of(program: &Program) -> Option<&'static str> {
    let is_run = program.arguments.first().is_some_and(|word| word == "run");
    let mut managers = MANAGERS.into_iter();
    managers.find(|one| is_run && program.name == *one)
}

/// The program behind `run` in the words behind a manager's name.
fn behind_run(manager: &str, words: &[String]) -> Option<Program> {
    let rest = words.strip_prefix(&["run".to_owned()])?;
    let mut rest = rest.iter();
    let mut name = rest.find(|word| !(manager == "uv" && PLAIN.contains(&word.as_str())))?;
    if name == "--" {
        name = rest.next()?;
    }
    let mut arguments: Vec<String> = rest.cloned().collect();
    let mut name = name.clone();
    if manager == "uv" && name.ends_with(".py") {
        arguments.insert(0, name);
        name = "python".to_owned();
    }
    (!name.starts_with('-')).then_some(Program {
        name,
        arguments,
        by_shell: false,
        init: None,
    })
}
