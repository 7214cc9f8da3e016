//! Where poetry, pipenv, uv and `venv` leave the packages that they install: in the image's own Python, or in an
//! environment, which is one directory. Knows a directory only where each setting that moves it is known.

use std::collections::{BTreeMap, BTreeSet};

use super::{At, ELSEWHERE};
use crate::context::path;
use crate::model::managers::Invocation;
use crate::model::state::{Origin, State};
use crate::pass::own_python::{takes_own_python, value};
use crate::pass::project_place::Place;
use crate::syntax::shell::Command;

/// Variables that have the managers find or put something elsewhere.
const MOVES: [&str; 17] = [
    "CONDA_PREFIX",
    "PIPENV_DEFAULT_PYTHON_VERSION",
    "PIPENV_PIPFILE",
    "PIPENV_PYTHON",
    "POETRY_CONFIG_DIR",
    "POETRY_VIRTUALENVS_PATH",
    "UV_MANAGED_PYTHON",
    "UV_PROJECT",
    "UV_PYTHON",
    "UV_PYTHON_INSTALL_DIR",
    "UV_PYTHON_PREFERENCE",
    "UV_TARGET",
    "UV_WORKING_DIRECTORY",
    "WORKON_HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
];

/// Options of `venv` that change nothing of where packages are.
const PLAIN: [&str; 5] = [
    "--clear",
    "--copies",
    "--symlinks",
    "--upgrade-deps",
    "--seed",
];

/// Where packages are installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Home {
    /// Where the image has its own.
    Image,
    /// In an environment.
    Directory(String),
}

/// What the commands up to now made of the environments.
#[derive(Default)]
pub(super) struct Environments {
    /// Those that `venv` made.
    pub(super) made: BTreeSet<String>,
    /// What `poetry config` was told, for the user: names of settings and their values.
    pub(super) settings: BTreeMap<String, String>,
    /// Whether it was told something for the project alone.
    pub(super) is_told_locally: bool,
}

impl Environments {
    /// `venv` of Python, `virtualenv` and `uv venv`; `None` where the command is none of them.
    pub(super) fn make(&mut self, at: &At<'_, '_>) -> Option<Result<(), String>> {
        let command = at.found.command;
        let texts: Vec<&str> = command
            .words
            .iter()
            .map(|word| word.text.as_str())
            .collect();
        let makes = texts
            .iter()
            .position(|word| matches!(*word, "venv" | "virtualenv"))?;
        let is_known = match &texts[..makes] {
            [] => true,
            [python, "-m"] => super::is_python(python),
            ["uv"] => true,
            _ => false,
        };
        if !is_known {
            return None;
        }
        Some(self.made_by(at, command, makes, texts.first() == Some(&"uv")))
    }

    fn made_by(
        &mut self,
        at: &At<'_, '_>,
        command: &Command,
        makes: usize,
        by_uv: bool,
    ) -> Result<(), String> {
        let unknown = || "where an environment of Python is made is not known".to_owned();
        let state = at.place.step().before;
        let words = command.words[makes + 1..]
            .iter()
            .map(|word| word.text.as_str());
        let (options, places): (Vec<&str>, Vec<&str>) =
            words.partition(|word| word.starts_with('-'));
        let place = match places.as_slice() {
            [place] => state.expand(place, b'\\').map_err(|_| unknown())?,
            [] if by_uv => ".venv".to_owned(),
            _ => return Err(unknown()),
        };
        let directory = at.place.started_in(at.script, &at.found);
        let place = path::against(directory.as_deref(), &place).ok_or_else(unknown)?;
        if options.iter().any(|option| !PLAIN.contains(option)) || moved(state)?.is_some() {
            return Err(unknown());
        }
        if by_uv {
            let directory = directory.ok_or_else(unknown)?;
            takes_own_python(at.place, &directory, &[])?;
        }
        self.made.insert(place);
        Ok(())
    }

    /// The environment that pip installs into, if any.
    pub(super) fn of_pip(&self, state: &State, program: &str) -> Option<String> {
        let active = state.variable("VIRTUAL_ENV").map(|one| one.value.clone());
        let search = state.variable("PATH").and_then(|path| path.value.clone());
        let directory = match program.rsplit_once('/') {
            Some((directory, _)) => directory.to_owned(),
            None => search?.split(':').next()?.to_owned(),
        };
        let environment = directory.strip_suffix("/bin")?;
        let fits = active.is_none_or(|active| active.as_deref() == Some(environment));
        (fits && self.made.contains(environment)).then(|| environment.to_owned())
    }

    /// Where a manager installs the packages of the project in `directory`.
    pub(super) fn home(
        &self,
        at: &At<'_, '_>,
        asked: &Invocation,
        directory: &str,
    ) -> Result<Home, String> {
        let state = at.place.step().before;
        if let Some(name) = moved(state)? {
            return Err(format!("`{name}` has packages installed elsewhere"));
        }
        let own = path::join(directory, ".venv");
        let manager = asked.manager.name.as_str();
        let has = |name: &str| asked.flags_named(name).next().is_some();
        let by_pip = asked.subcommand_name.starts_with("pip ");
        let is_system = match manager {
            "pipenv" => has("--system"),
            "uv" if by_pip => has("--system") || switch(state, "UV_SYSTEM_PYTHON")? == Some(true),
            "poetry" => self.setting(at.place, directory, "create")? == Some(false),
            _ => false,
        };
        if manager == "uv" && !by_pip {
            let named = value(state, "UV_PROJECT_ENVIRONMENT")?;
            let environment = named.map_or(own, |named| path::absolute(directory, &named));
            return Ok(match environment.as_str() {
                "/usr/local" => Home::Image,
                _ => Home::Directory(environment),
            });
        }
        if is_system {
            let is_set = |one: &str| {
                state
                    .variable(one)
                    .is_some_and(|one| one.origin != Origin::Base)
            };
            return match is_set("PATH") || is_set("VIRTUAL_ENV") {
                true => Err("which Python is found first is not known".to_owned()),
                false => Ok(Home::Image),
            };
        }
        if let Some(active) = value(state, "VIRTUAL_ENV")? {
            return match self.made.contains(&active) {
                true => Ok(Home::Directory(active)),
                false => Err("`VIRTUAL_ENV` is an environment that nothing makes".to_owned()),
            };
        }
        if self.made.contains(&own) {
            return Ok(Home::Directory(own));
        }
        let in_project = match manager {
            "poetry" => self.setting(at.place, directory, "in-project")?,
            "pipenv" => switch(state, "PIPENV_VENV_IN_PROJECT")?,
            _ => return Err("no environment is made, and `--system` is not asked for".to_owned()),
        };
        if in_project == Some(true) {
            return Ok(Home::Directory(own));
        }
        if state.home() != Some("/root") || value(state, "POETRY_CACHE_DIR")?.is_some() {
            return Err(format!("where {manager} makes an environment is not known"));
        }
        Ok(Home::Directory(match manager {
            "poetry" => "/root/.cache/pypoetry/virtualenvs".to_owned(),
            _ => "/root/.local/share/virtualenvs".to_owned(),
        }))
    }

    /// A setting of poetry: its variable, what the file of the project says, or what `poetry config` was told.
    fn setting(
        &self,
        place: Place<'_>,
        directory: &str,
        name: &str,
    ) -> Result<Option<bool>, String> {
        let upper = name.to_uppercase().replace('-', "_");
        let variable = format!("POETRY_VIRTUALENVS_{upper}");
        if let Some(value) = switch(place.step().before, &variable)? {
            return Ok(Some(value));
        }
        let file = place.text(&path::join(directory, "poetry.toml"));
        let file = file.map(|text| text.parse::<toml::Table>());
        let file = file
            .transpose()
            .map_err(|_| "`poetry.toml` cannot be read")?;
        let virtualenvs = file.as_ref().and_then(|table| table.get("virtualenvs"));
        if let Some(value) = virtualenvs.and_then(|table| table.get(name)) {
            let value = value.as_bool();
            return value
                .map(Some)
                .ok_or_else(|| "`poetry.toml` cannot be read".to_owned());
        }
        let told = self.settings.get(&format!("virtualenvs.{name}"));
        told.map(|told| truth(told).ok_or_else(|| format!("what `{told}` means is not known")))
            .transpose()
    }
}

/// A variable that has the managers install elsewhere, or that links what a cache holds.
fn moved(state: &State) -> Result<Option<&'static str>, String> {
    let is_set = |name: &str| {
        let variable = state.variable(name);
        variable.is_some_and(|one| one.origin != Origin::Base)
    };
    if value(state, "UV_LINK_MODE")?.as_deref() == Some("symlink") {
        return Ok(Some("UV_LINK_MODE"));
    }
    let others = ELSEWHERE.into_iter().filter(|name| *name != "VIRTUAL_ENV");
    Ok(MOVES.into_iter().chain(others).find(|name| is_set(name)))
}

/// Whether a variable that is set switches something on.
fn switch(state: &State, name: &str) -> Result<Option<bool>, String> {
    let told = value(state, name)?;
    let known =
        told.map(|told| truth(&told).ok_or_else(|| format!("what `{name}` is is not known")));
    known.transpose()
}

fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}
