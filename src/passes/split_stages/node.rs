//! Node: the runtime stage takes over the directory of the application, without what only development needs.

use serde::Deserialize;

use super::assets::{Landed, Sorting};
use super::parts::{self, BUILD_ONLY, Parts};
use super::{At, Base, For, Language, Runtime, SplitStages};
use crate::context::path;
use crate::model::managers::{Invocation, Kind, Role, invocation};
use crate::pass::development::Development;
use crate::pass::health;
use crate::pass::node_packages;
use crate::pass::node_prune;
use crate::pass::program::Program;
use crate::pass::project_place::{Place, first_words};
use crate::pass::reasons::Reasons;
use crate::pass::runs::Stage;
use crate::pass::slim_image::{Order, slim};
use crate::pass::{PassContext, command};
use crate::project::Project;
use crate::project::node::PackageJson;
use crate::syntax::Keyword;

/// Directories that hold more than an application.
const SHARED: [&str; 11] = [
    "/", "/etc", "/home", "/mnt", "/opt", "/root", "/srv", "/tmp", "/usr", "/usr/src", "/var",
];

/// Commands that work on the files that they name.
const ON_FILES: [&str; 9] = [
    "chmod", "cp", "ln", "mkdir", "mv", "rm", "rmdir", "sed", "touch",
];

/// Package managers of Node.
const MANAGERS: [&str; 3] = ["npm", "pnpm", "yarn"];

/// What the rule knows of Node.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Knowledge {
    /// Packages of distributions that only builds need.
    build_packages: Vec<String>,
    /// Packages for all that only builds need.
    build_tools: Vec<String>,
}

pub(super) struct Node<'p> {
    rule: &'p SplitStages,
    cx: &'p PassContext<'p>,
    /// The directory of the application in the image.
    app: &'p str,
    /// Where dependencies are installed: the manager, the directory in the image, and the step.
    installs: Vec<(&'static str, String, usize)>,
    /// Whether no install brings what only development needs.
    is_lean: bool,
    /// Whether a script builds something.
    builds: bool,
    /// Whom the application belongs to.
    owner: Option<String>,
    reasons: Reasons,
}

impl<'p> Node<'p> {
    pub(super) fn new(
        rule: &'p SplitStages,
        cx: &'p PassContext<'p>,
        stage: &'p Stage<'_>,
    ) -> Self {
        Self {
            rule,
            cx,
            app: stage.model.end.workdir().unwrap_or("/"),
            installs: Vec::new(),
            is_lean: true,
            builds: false,
            owner: None,
            reasons: Reasons::default(),
        }
    }

    fn is_in_app(&self, path: &str) -> bool {
        path::is_at_or_below(path, self.app)
    }

    /// What a package manager of Node is asked for.
    fn managed(&mut self, at: &At<'_, '_>, asked: &Invocation) -> Result<For, String> {
        let shown = first_words(&at.place.cx.shown(at.found.command.span));
        let words = &at.found.command.words;
        if asked.is_global() {
            let names = asked
                .packages
                .iter()
                .map(|index| words[*index].text.as_str());
            let names: Vec<&str> = names.map(node_packages::without_version).collect();
            let tools = &self.rule.node.build_tools;
            // Where Node itself is started, a manager is there for the build.
            let starts_node = Program::of(self.cx, &self.cx.stages[0])
                .is_ok_and(|program| program.name == "node");
            let is_manager = |name: &str| starts_node && MANAGERS.contains(&name);
            let builds = names
                .iter()
                .all(|name| is_manager(name) || tools.iter().any(|one| one == name));
            let is_known = !asked.dynamic && !names.is_empty();
            if !builds || !is_known {
                return Ok(For::Both);
            }
            for name in names {
                self.reasons.say(name, BUILD_ONLY);
            }
            return Ok(For::Build);
        }
        let directory = at.place.directory(at.script, &at.found, asked);
        let directory = directory.filter(|directory| self.is_in_app(directory));
        let directory =
            directory.ok_or_else(|| format!("`{shown}` works outside of `{}`", self.app))?;
        match asked.role {
            Role::Install => {
                let installs_dev = !asked.is_lean() && !node_prune::is_for_production(at.place);
                self.is_lean &= !installs_dev;
                self.installs
                    .push((&asked.manager.name, directory, at.place.step));
            }
            Role::Run | Role::Build => self.builds = true,
            Role::Clean | Role::Remove | Role::Other => {}
            Role::Upgrade | Role::UpdateIndex => self.is_lean = false,
        }
        Ok(For::Build)
    }

    /// Whether all paths that a command names are those of the application.
    fn is_about_app(&self, at: &At<'_, '_>) -> bool {
        let directory = at.place.started_in(at.script, &at.found);
        let mut words = at.found.command.words.iter().skip(1);
        words.all(|word| {
            let text = word.text.as_str();
            if text.starts_with('-')
                || !text.starts_with('/') && word.literal.is_none() && text.contains('$')
            {
                return text.starts_with('-');
            }
            let path = path::against(directory.as_deref(), text);
            path.is_some_and(|path| self.is_in_app(&path))
        })
    }

    /// `chown -R OWNER` of the whole application.
    fn owns(&mut self, at: &At<'_, '_>) -> Option<For> {
        let words = &at.found.command.words;
        let literal: Option<Vec<&str>> = words
            .iter()
            .skip(1)
            .map(|word| word.literal.as_deref())
            .collect();
        let literal = literal?;
        let [options @ .., owner, directory] = literal.as_slice() else {
            return None;
        };
        let started = at.place.started_in(at.script, &at.found);
        let directory = path::against(started.as_deref(), directory)?;
        let is_whole = directory == self.app && options.iter().any(|option| option.contains('R'));
        is_whole.then(|| {
            self.owner = Some((*owner).to_owned());
            For::Build
        })
    }
}

impl Language for Node<'_> {
    fn builds_with(&self, package: &str) -> bool {
        self.rule
            .node
            .build_packages
            .iter()
            .any(|one| one == package)
    }

    fn only_builds(&self, _variable: &str) -> bool {
        false
    }

    fn command(&mut self, at: &At<'_, '_>) -> Option<Result<For, String>> {
        let found = at.found.command;
        if let Some(asked) = invocation(&found.words) {
            return (asked.manager.kind == Kind::Node).then(|| self.managed(at, &asked));
        }
        let name = command::name(found)?;
        if name == "corepack" {
            return Some(Ok(For::Both));
        }
        let is_own = matches!(name, "node" | "npx")
            || name.starts_with("./node_modules/.bin/")
            || node_packages::is_build_command(name);
        let is_inside = at
            .place
            .started_in(at.script, &at.found)
            .is_some_and(|directory| self.is_in_app(&directory));
        if is_own && is_inside {
            self.builds = true;
            return Some(Ok(For::Build));
        }
        if name == "chown" {
            return self.owns(at).map(Ok);
        }
        let is_plain = ON_FILES.contains(&name) && !parts::writes(found) && self.is_about_app(at);
        is_plain.then_some(Ok(For::Build))
    }

    fn runtime(&mut self, stage: &Stage<'_>, parts: &Parts) -> Result<Runtime, String> {
        if SHARED.contains(&self.app) {
            return Err(format!("`{}` may hold more than the application", self.app));
        }
        let base = slim(stage, Order::Last)?;
        let base = base.ok_or("the base image is small already, or has no small one")?;
        let program = Program::of(self.cx, stage)?;
        health::check(stage, |word| {
            matches!(word, "node" | "npm") || parts.kept.has(word)
        })?;
        let project = self.project()?;
        let package = project.package_json().map_err(|error| error.to_string())?;
        let package = package.ok_or("there is no `package.json`")?;
        node_packages::need_only_node(package, &project)?;
        self.starts_with_node(&program, package)?;
        let owner = self.owner(stage, parts)?;
        let last = self.pruned(&program, package, &project);
        if !self.builds && last.is_none() {
            return Err("nothing would be left behind: there is neither a build nor a package for development".to_owned());
        }
        let sorting = Sorting {
            rule: self.rule,
            options: self.cx.rule,
            sources: &[],
            embedded: &[],
        };
        let landed = Landed::of(self.cx, parts.last, &sorting)?;
        let mut elsewhere = landed.carried(None, &[])?;
        elsewhere.leave(|path| self.is_in_app(path));
        let why = "the same version and release, without compilers";
        let mut runtime = Runtime::new(Base::new(base, why));
        runtime.carry(self.app, "the application, with its packages");
        runtime.carried.extend(elsewhere.carried);
        runtime.reasons.append(elsewhere.reasons);
        let has_development = !self.is_lean && !package.dev_dependencies.is_empty();
        if has_development && last.is_none() {
            let why = "carried over: may be needed when the program runs";
            runtime.reasons.say("devDependencies", why);
        }
        if let Some(command) = &last {
            let why = "what is started needs no package for development";
            runtime.reasons.say(command.clone(), why);
        }
        runtime.reasons.append(std::mem::take(&mut self.reasons));
        Ok(Runtime {
            // A directory that WORKDIR makes first stays root's.
            first: owner.is_some(),
            owner,
            last,
            ..runtime
        })
    }
}

impl Node<'_> {
    /// The one project that is installed.
    fn project(&self) -> Result<Project<'_>, String> {
        let first = self.installs.first();
        let (_, directory, step) = first.ok_or("no step installs what the application needs")?;
        if self.installs.iter().any(|(_, other, _)| other != directory) {
            return Err("several projects are installed".to_owned());
        }
        let place = self.place(*step);
        let root = place.project(directory, "package.json")?;
        Ok(Project::new(self.cx.context, &root))
    }

    fn place(&self, step: usize) -> Place<'_> {
        Place {
            cx: self.cx,
            stage: 0,
            step,
        }
    }

    /// The container starts Node, or a script of the manifest.
    fn starts_with_node(&self, program: &Program, package: &PackageJson) -> Result<(), String> {
        let unknown = || {
            Err(format!(
                "what `{}` needs when it runs is not known",
                program.name
            ))
        };
        match program.name.as_str() {
            "node" => Ok(()),
            "npm" | "yarn" | "pnpm" => match node_prune::script_of(program, package) {
                Some(_) => Ok(()),
                None => unknown(),
            },
            _ => unknown(),
        }
    }

    /// Whom the application belongs to in the runtime stage; root where it is nobody.
    fn owner(&self, stage: &Stage<'_>, parts: &Parts) -> Result<Option<String>, String> {
        let several = || Err("files of the application belong to several users".to_owned());
        let mut owner = self.owner.clone();
        let copies = stage.steps[..parts.last]
            .iter()
            .filter(|step| matches!(step.instruction.keyword, Keyword::Copy | Keyword::Add));
        for flag in copies.filter_map(|step| step.instruction.flag("chown")) {
            if owner.is_some() && flag.value.is_some() && owner != flag.value {
                return several();
            }
            owner = owner.or_else(|| flag.value.clone());
        }
        let by_root = stage.steps[..=parts.last]
            .iter()
            .all(|step| !step.is_run() || step.before.is_root() == Some(true));
        match by_root || owner.is_some() {
            true => Ok(owner),
            false => several(),
        }
    }

    /// The command that deletes what only development needs, where there is something and nothing that runs needs it.
    fn pruned(
        &self,
        program: &Program,
        package: &PackageJson,
        project: &Project<'_>,
    ) -> Option<String> {
        let [.., (manager, _, step)] = self.installs[..] else {
            return None;
        };
        let development = Development::of_node(package, project, false);
        let is_lean = self.is_lean || development.packages.is_empty();
        if is_lean || node_prune::need(program, package, project).is_some() {
            return None;
        }
        let command = node_prune::command(manager, &self.place(step), package, project);
        command.ok().map(str::to_owned)
    }
}
