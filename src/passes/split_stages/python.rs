//! Python: the packages of the application are installed into a prefix of their own, which the runtime stage takes over
//! to where they were, and the files of the build context come from there again. An environment is taken over as it is.

mod environment;
mod left;
mod started;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::kept::Kept;
use super::parts::{self, BUILD_ONLY, Parts};
use super::{At, Base, For, Language, Runtime, SplitStages};
use crate::context::path;
use crate::model::managers::{Invocation, Kind, Role, invocation};
use crate::model::state::{Origin, State};
use crate::pass::project_place::first_words;
use crate::pass::python_packages::{self, Needs, minor, numbers};
use crate::pass::runs::Stage;
use crate::pass::slim_image::{Order, slim};
use crate::pass::{PassContext, command};
use crate::project::python::{Requirement, Source, requirement_files};
use crate::syntax::{Instruction, Keyword};
use crate::text::Edit;
use environment::{Environments, Home};

/// Where the builder puts packages, and where the images of Python have them.
const PREFIX: [&str; 2] = ["/install", "/usr/local"];

/// What the rule knows of Python.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Knowledge {
    /// Packages of distributions that only builds need.
    build_packages: Vec<String>,
    /// Those of them that commands of the application may run.
    tools: Vec<String>,
    /// The options of managers of projects that say nothing of where packages go.
    flags: BTreeMap<String, Vec<String>>,
}

/// Packages that install others, and come with the image.
const INSTALLERS: [&str; 3] = ["pip", "setuptools", "wheel"];

/// Managers of projects, which pip installs.
const MANAGERS: [&str; 3] = ["pipenv", "poetry", "uv"];

/// The first release of Python 3 whose images come with pip alone.
const WITHOUT_SETUPTOOLS: u32 = 12;

/// Commands that work on the files that they name.
const ON_FILES: [&str; 9] = [
    "chmod", "chown", "cp", "ln", "mkdir", "mv", "rm", "sed", "touch",
];

/// Directories in which installs leave what is taken over, or what stays in the builder.
const INSTALLED: [&str; 3] = ["/usr/local/lib", "/usr/lib", "/install"];

/// Variables that have pip install elsewhere.
const ELSEWHERE: [&str; 7] = [
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONHOME",
    "PYTHONUSERBASE",
    "VIRTUAL_ENV",
];

/// An install of packages for the application.
struct Install {
    step: usize,
    /// Behind the word `install`.
    place: u32,
    /// Whether it installs managers of projects alone.
    is_tool: bool,
}

pub(super) struct Python<'p> {
    rule: &'p SplitStages,
    cx: &'p PassContext<'p>,
    installs: Vec<Install>,
    /// The packages of Python that are named, and those of the distribution.
    needs: Needs,
    /// Those that the runtime stage installs too.
    kept: Kept,
    /// Where the application itself runs in the build: the step, and the command.
    runs: Vec<(usize, String)>,
    /// Managers of projects that pip installs.
    tools: BTreeSet<String>,
    /// Managers that start what runs, in a step that both stages have.
    starters: BTreeSet<String>,
    made: Environments,
    /// Environments that hold packages of the application.
    environments: BTreeSet<String>,
    /// Whether a manager installs where the image has its own packages.
    fills_image: bool,
    /// The commands that the project itself brings.
    scripts: BTreeSet<String>,
}

impl<'p> Python<'p> {
    pub(super) fn new(rule: &'p SplitStages, cx: &'p PassContext<'p>) -> Self {
        Self {
            rule,
            cx,
            installs: Vec::new(),
            needs: Needs::default(),
            kept: Kept::default(),
            runs: Vec::new(),
            tools: BTreeSet::new(),
            starters: BTreeSet::new(),
            made: Environments::default(),
            environments: BTreeSet::new(),
            fills_image: false,
            scripts: BTreeSet::new(),
        }
    }

    /// What the package manager of the distribution is asked for; `None` where Python makes no difference.
    fn system(&mut self, at: &At<'_, '_>, asked: &Invocation) -> Option<Result<For, String>> {
        match asked.role {
            Role::Remove => return Some(Ok(For::Build)),
            Role::Install if !asked.dynamic => {}
            _ => return None,
        }
        let words = &at.found.command.words;
        let names = asked.packages.iter().map(|index| &words[*index].text);
        let names = names.map(|name| plain(name));
        let names: Vec<&str> = names
            .filter(|name| !self.kept.keep(self.cx, &asked.manager.name, name))
            .collect();
        let python = &self.rule.python;
        let builds = |name: &str| {
            let mut known = self
                .rule
                .build_packages
                .iter()
                .chain(&python.build_packages);
            known.any(|one| one == name) || python_packages::has_libraries(name)
        };
        if let Some(name) = names.iter().find(|name| !builds(name)) {
            return Some(Err(parts::may_need(name)));
        }
        self.needs
            .system
            .extend(names.into_iter().map(str::to_owned));
        Some(Ok(For::Build))
    }

    /// What pip is asked for.
    fn pip(&mut self, at: &At<'_, '_>, asked: &Invocation) -> Result<For, String> {
        let shown = first_words(&at.place.cx.shown(at.found.command.span));
        match asked.role {
            Role::Install => {}
            Role::Clean => return Ok(For::Build),
            _ => return Err(format!("what `{shown}` leaves behind is not known")),
        }
        let step = at.place.step();
        if asked.other_user || step.before.is_root() != Some(true) {
            return Err(format!("`{shown}` does not install as root"));
        }
        let words = &at.found.command.words;
        let program = &words[asked.wrappers.first().copied().unwrap_or(0)].text;
        let is_elsewhere =
            |flag: &str| matches!(flag, "--user" | "--break-system-packages" | "--src");
        let has = |name: &dyn Fn(&str) -> bool| asked.flags.iter().any(|flag| name(&flag.name));
        if asked.dynamic {
            return Err(format!("what `{shown}` installs is not known"));
        }
        let environment = self.made.of_pip(step.before, program);
        let is_elsewhere = !asked.targets.is_empty() || has(&is_elsewhere);
        let is_of_image = !program.contains('/') && !installs_elsewhere(step.before);
        if is_elsewhere || environment.is_none() && !is_of_image {
            return Err(format!("`{shown}` installs elsewhere than the image does"));
        }
        if has(&|name| matches!(name, "-e" | "--editable" | "--group")) {
            return Err(format!("`{shown}` installs from the source"));
        }
        let directory = at.place.directory(at.script, &at.found, asked);
        let named = asked
            .packages
            .iter()
            .filter_map(|index| words[*index].literal.as_deref());
        let (itself, named): (Vec<&str>, Vec<&str>) =
            named.partition(|name| matches!(*name, "." | "./"));
        if !itself.is_empty() {
            let directory = directory.as_deref();
            let directory = directory.ok_or("which project is installed is not known")?;
            self.project(at, asked, directory)?;
        }
        let mut required = Vec::new();
        for text in &named {
            required.push(Requirement::parse(0, text, false)?);
        }
        let is_installer = |one: &Requirement| matches!(&one.source, Source::Index { name, .. } if INSTALLERS.contains(&name.as_str()));
        let is_known = named.iter().all(|name| name.starts_with("pip"))
            || minor(stage_version(step.before)).is_some_and(|minor| minor < WITHOUT_SETUPTOOLS);
        let installs_application =
            !itself.is_empty() || !asked.manifests.is_empty() || !required.iter().all(is_installer);
        for value in &asked.manifests {
            required.extend(self.requirements(at, value.text.as_deref(), directory.as_deref())?);
            if required.iter().any(is_installer) {
                return Err(format!(
                    "`{shown}` may install another version of what the image has"
                ));
            }
        }
        for one in &required {
            self.needs.require(one, &shown)?;
        }
        if let Some(environment) = environment {
            self.environments.insert(environment);
            return Ok(For::Build);
        }
        let managers = required.iter().filter_map(named_manager);
        let managers: Vec<&str> = managers.collect();
        let is_tool = !managers.is_empty()
            && itself.is_empty()
            && required
                .iter()
                .all(|one| is_installer(one) || named_manager(one).is_some());
        self.tools.extend(managers.into_iter().map(str::to_owned));
        if installs_application || !is_known {
            let last = asked.subcommand.last().copied().unwrap_or(asked.command);
            self.installs.push(Install {
                step: at.place.step,
                place: words[last].span.end,
                is_tool,
            });
        }
        Ok(For::Build)
    }

    /// What a manager of projects is asked for.
    fn managed(&mut self, at: &At<'_, '_>, asked: &Invocation) -> Result<For, String> {
        let shown = first_words(&at.place.cx.shown(at.found.command.span));
        let unknown = || {
            Err(format!(
                "where `{shown}` leaves what it installs is not known"
            ))
        };
        match asked.role {
            Role::Install => {}
            Role::Run => return self.started_by_manager(at, asked),
            Role::Clean => return Ok(For::Build),
            _ => return unknown(),
        }
        let state = at.place.step().before;
        let known = self.rule.python.flags.get(&asked.manager.name);
        let is_known = |name: &str| known.is_some_and(|flags| flags.iter().any(|one| one == name));
        let by_pip = asked.subcommand_name == "pip install";
        let is_install = by_pip || matches!(asked.subcommand_name.as_str(), "install" | "sync");
        let directory = at.place.directory(at.script, &at.found, asked);
        let Some(directory) = directory.filter(|_| is_install && !asked.dynamic) else {
            return unknown();
        };
        if asked.other_user || state.is_root() != Some(true) {
            return Err(format!("`{shown}` does not install as root"));
        }
        if let Some(flag) = asked.flags.iter().find(|flag| !is_known(&flag.name)) {
            return Err(format!(
                "what `{}` changes for `{shown}` is not known",
                flag.name
            ));
        }
        match by_pip {
            true => self.required_of_uv(at, asked, &directory)?,
            false if asked.packages.is_empty() && asked.manifests.is_empty() => {
                self.project(at, asked, &directory)?;
            }
            false => return unknown(),
        }
        match self.made.home(at, asked, &directory)? {
            Home::Image => self.fills_image = true,
            Home::Directory(environment) => drop(self.environments.insert(environment)),
        }
        Ok(For::Build)
    }

    /// What the project in `directory` requires.
    fn project(
        &mut self,
        at: &At<'_, '_>,
        asked: &Invocation,
        directory: &str,
    ) -> Result<(), String> {
        let scripts = self.needs.project(at.place, asked, directory)?;
        self.scripts.extend(scripts);
        Ok(())
    }

    /// What `uv pip install` names.
    fn required_of_uv(
        &mut self,
        at: &At<'_, '_>,
        asked: &Invocation,
        directory: &str,
    ) -> Result<(), String> {
        let words = &at.found.command.words;
        let shown = first_words(&at.place.cx.shown(at.found.command.span));
        for index in &asked.packages {
            let one = Requirement::parse(0, &words[*index].text, false)?;
            self.needs.require(&one, &shown)?;
        }
        for value in &asked.manifests {
            let file = value.text.as_deref();
            if file.is_some_and(|file| path::file_name(file) == "pyproject.toml") {
                self.project(at, asked, directory)?;
                continue;
            }
            for one in self.requirements(at, file, Some(directory))? {
                self.needs.require(&one, &shown)?;
            }
        }
        Ok(())
    }

    /// What a requirements file names, and those that it brings.
    fn requirements(
        &self,
        at: &At<'_, '_>,
        file: Option<&str>,
        directory: Option<&str>,
    ) -> Result<Vec<Requirement>, String> {
        let file = file.ok_or("which requirements file is installed is not known")?;
        let unknown = || format!("what `{file}` requires is not known");
        let target = path::against(directory, file).ok_or_else(unknown)?;
        let source = at.place.source(&target).ok_or_else(unknown)?;
        let files =
            requirement_files(self.cx.context, &source).map_err(|error| error.to_string())?;
        match files.unknown() {
            Some(_) => Err(unknown()),
            None => Ok(files.requirements().map(|(_, one)| one.clone()).collect()),
        }
    }
}

impl Language for Python<'_> {
    fn only_builds(&self, _variable: &str) -> bool {
        false
    }

    fn kept(&self) -> Kept {
        self.kept.clone()
    }

    fn repeats(&self, copy: &Instruction) -> bool {
        !self.brings_unused_manager(copy)
    }

    fn command(&mut self, at: &At<'_, '_>) -> Option<Result<For, String>> {
        let found = at.found.command;
        let shown = first_words(&at.place.cx.shown(found.span));
        if parts::writes(found) {
            return None;
        }
        if let Some(made) = self.made.make(at) {
            return Some(made.map(|()| For::Build));
        }
        if matches!(found.words.as_slice(), [_, word, ..] if word.text == "config") {
            return (command::name(found) == Some("poetry")).then(|| self.configured(at));
        }
        if let Some(asked) = invocation(&found.words) {
            return match asked.manager.kind {
                Kind::System => self.system(at, &asked),
                Kind::Python if asked.manager.name == "pip" => Some(self.pip(at, &asked)),
                Kind::Python => Some(self.managed(at, &asked)),
                _ => None,
            };
        }
        let name = command::name(found)?;
        if name == "mkdir" && parts::makes_nothing_new(at) {
            return Some(Ok(For::Build));
        }
        if ON_FILES.contains(&name) {
            return works_on_files(at).then_some(Ok(For::Both));
        }
        let is_own = is_python(name) || python_packages::is_script(name);
        let mut words = found.words.iter().map(|word| word.text.as_str());
        let installs =
            words.any(|word| matches!(word, "venv" | "virtualenv" | "ensurepip" | "setup.py"));
        if !is_own || installs {
            return None;
        }
        self.runs.push((at.place.step, shown));
        Some(Ok(For::Both))
    }

    fn runtime(&mut self, stage: &Stage<'_>, parts: &Parts) -> Result<Runtime, String> {
        let written = stage.model.from.words().first().map(|word| &word.text);
        let base = match slim(stage, Order::BeforeRelease)? {
            Some(base) => Base::new(
                base,
                "the same version and release, without compilers and headers",
            ),
            None if self.needs.system.is_empty() => {
                return Err("nothing would be left behind: the base is small, and no package is for the build alone".to_owned());
            }
            None => Base::new(
                written.cloned().unwrap_or_default(),
                "it is small already, without the packages for the build",
            ),
        };
        let starter = self.starts_with_python(stage)?;
        if let Some((_, shown)) = self.runs.iter().find(|(step, _)| *step <= parts.last) {
            return Err(format!("`{shown}` runs before all packages are installed"));
        }
        let python = &self.rule.python;
        let tool = self
            .needs
            .system
            .iter()
            .find(|one| python.tools.contains(one));
        if let (Some(tool), Some((_, shown))) = (tool, self.runs.first()) {
            return Err(format!("`{shown}` may run `{tool}`"));
        }
        let mut runtime = Runtime::new(base);
        runtime.first = true;
        let libraries = self
            .needs
            .libraries(&stage.model.end, &mut runtime.reasons)?;
        runtime.packages = libraries;
        let ships_manager = self
            .starters
            .iter()
            .chain(&starter)
            .any(|one| self.tools.contains(one));
        let is_managed = self.fills_image || !self.environments.is_empty();
        let installs = self
            .installs
            .iter()
            .filter(|one| !(one.is_tool && is_managed));
        match installs.collect::<Vec<_>>().as_slice() {
            // Each has to see what the others installed.
            _ if self.fills_image => {
                runtime.carry(PREFIX[1], "where the manager installs the packages");
            }
            _ if ships_manager => {
                runtime.carry(
                    PREFIX[1],
                    "the packages, and the manager that starts the program",
                );
            }
            [] if is_managed => {}
            [] => return Err("no step installs what the application needs".to_owned()),
            [_] if has_old_pip(stage_version(&stage.model.end)) => {
                return Err("the pip of the base image may not know `--prefix`".to_owned());
            }
            [one] => {
                let option = format!(" --prefix={}", PREFIX[0]);
                runtime.edits.push(Edit::insert(one.place, option));
                runtime.moved = Some(PREFIX);
                let why = "carried over to `/usr/local`: what is installed for the program";
                runtime.reasons.say(PREFIX[0], why);
            }
            _ => runtime.carry(
                PREFIX[1],
                "what several installs leave, each of which sees the others",
            ),
        }
        for environment in &self.environments {
            runtime.carry(environment, "the environment of the program");
        }
        if let Some(settings) = self.configuration(starter.as_deref())? {
            runtime.carry(settings, "what the manager was told");
        }
        self.tell_left(stage, &mut runtime.reasons);
        self.is_alone(stage)?;
        debug_assert!(self.installs.iter().all(|one| one.step <= parts.last));
        Ok(runtime)
    }
}

/// Whether a step puts something where this file is, or above it.
fn is_copied(stage: &Stage<'_>, file: &str) -> bool {
    let Some(file) = stage.model.end.absolute(file) else {
        return false;
    };
    let mut steps = stage.steps.iter();
    steps.any(|step| {
        let words = step.instruction.words();
        let to = words
            .last()
            .and_then(|word| step.before.expand(&word.text, b'\\').ok());
        let to = to.and_then(|to| step.before.absolute(&to));
        matches!(step.instruction.keyword, Keyword::Copy | Keyword::Add)
            && to.is_some_and(|to| path::is_at_or_below(&file, &to))
    })
}

/// The manager of projects that a requirement is.
fn named_manager(one: &Requirement) -> Option<&'static str> {
    let Source::Index { name, .. } = &one.source else {
        return None;
    };
    MANAGERS.into_iter().find(|manager| manager == name)
}

/// A package of the distribution, without its version.
fn plain(name: &str) -> &str {
    name.split(['=', '/']).next().unwrap_or(name)
}

/// Whether the pip of an image may be older than 8, which learned `--prefix`: the versions that were not built again since.
fn has_old_pip(version: Option<&str>) -> bool {
    let numbers = numbers(version.unwrap_or_default());
    match numbers[..] {
        [2, 7, last] => last < 11,
        [3, minor] => minor < 4,
        [3, 4, last] => last < 4,
        [3, 5, last] => last < 1,
        [3, minor, _] => minor < 4,
        _ => false,
    }
}

fn is_python(name: &str) -> bool {
    let rest = name.strip_prefix("python");
    rest.is_some_and(|rest| {
        rest.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

fn stage_version(state: &State) -> Option<&str> {
    state.base().version.as_deref()
}

/// Whether the environment has packages installed elsewhere, or another Python found first.
fn installs_elsewhere(state: &State) -> bool {
    let is_set = |name: &str| {
        state
            .variable(name)
            .is_some_and(|one| one.origin != Origin::Base)
    };
    ELSEWHERE.into_iter().chain(["PATH"]).any(is_set)
}

/// Whether a command names only files that both stages have.
fn works_on_files(at: &At<'_, '_>) -> bool {
    let directory = at.place.started_in(at.script, &at.found);
    let mut words = at.found.command.words.iter().skip(1);
    words.all(|word| {
        let text = word.text.as_str();
        if text.starts_with('-') {
            return true;
        }
        let Some(path) = path::against(directory.as_deref(), text) else {
            return false;
        };
        let is_cache = path.starts_with("/var/lib/apt/")
            || path.starts_with("/var/cache/")
            || path.contains("/.cache");
        word.literal.is_some()
            && !is_cache
            && !INSTALLED.iter().any(|one| path::is_at_or_below(&path, one))
    })
}
