//! What a project of poetry, pipenv or uv installs: the names and versions of its lock file, or else what it requires.

use std::collections::BTreeSet;

use super::own_python::takes_own_python;
use super::project_place::Place;
use super::python_packages::{self, Needs};
use crate::context::path;
use crate::model::managers::Invocation;
use crate::project::Project;
use crate::project::python::{
    GroupItem, LockedPackage, Origin, Pyproject, Requirement, Source, normalize_name,
};

/// Backends that leave nothing beside the sources, as long as no hook is named.
const BACKENDS: [&str; 8] = [
    "flit_core.buildapi",
    "hatchling.build",
    "pdm.backend",
    "poetry.core.masonry.api",
    "setuptools.build_meta",
    "uv_build",
    "flit.buildapi",
    "poetry.masonry.api",
];

impl Needs {
    /// Adds the packages of the project in `directory` that a manager is to install; the commands that the project itself
    /// brings.
    ///
    /// # Errors
    /// Something is installed from the source, or what is installed is not known.
    pub fn project(
        &mut self,
        place: Place<'_>,
        asked: &Invocation,
        directory: &str,
    ) -> Result<BTreeSet<String>, String> {
        let manager = asked.manager.name.as_str();
        let manifest = match manager {
            "pipenv" => "Pipfile",
            _ => "pyproject.toml",
        };
        let copied = |name: &str| place.source(&path::join(directory, name));
        let source = copied(manifest)
            .filter(|source| path::file_name(source) == manifest)
            .ok_or_else(|| format!("`{manifest}` is not copied before the install"))?;
        let project = Project::new(place.cx.context, path::parent(&source));
        let lock = asked
            .manager
            .locks
            .iter()
            .find(|lock| copied(lock).is_some());
        let mut scripts = BTreeSet::new();
        if manager == "pipenv" {
            return self.pipfile(&project, lock.is_some()).map(|()| scripts);
        }
        let facts = project.pyproject().map_err(|error| error.to_string())?;
        let facts = facts.ok_or("`pyproject.toml` cannot be read")?;
        if manager == "uv" {
            let flags: Vec<&str> = asked.flags.iter().map(|flag| flag.name.as_str()).collect();
            takes_own_python(place, directory, &flags)?;
        }
        if installs_itself(asked, facts) {
            builds_nothing_beside(facts, &project)?;
            let standard = facts.project.iter().flat_map(|one| one.scripts.keys());
            let of_poetry = facts.poetry.iter().flat_map(|one| &one.scripts);
            scripts.extend(standard.chain(of_poetry).cloned());
        }
        needs_no_directory(facts)?;
        let packages = match lock.map(String::as_str) {
            Some("poetry.lock") => project.poetry_lock(),
            Some("uv.lock") => project.uv_lock(),
            _ => Ok(None),
        };
        match packages.map_err(|error| error.to_string())? {
            Some(packages) => self.locked(packages, &development(facts))?,
            None => self.declared(facts)?,
        }
        Ok(scripts)
    }

    /// What a lock file lists. A tool that only development asks for may lack what it needs.
    fn locked(
        &mut self,
        packages: &[LockedPackage],
        development: &BTreeSet<String>,
    ) -> Result<(), String> {
        for one in packages {
            let local = one.local.as_deref().filter(|local| *local != ".");
            if let Some(local) = local.filter(|local| !local.ends_with(".whl")) {
                return Err(format!("`{local}` is installed from the source"));
            }
            let needs_more = python_packages::needs_more(&one.name);
            if needs_more && development.contains(&one.name) {
                continue;
            }
            let version = one.version.clone().unwrap_or_default();
            self.add(one.name.clone(), version);
        }
        Ok(())
    }

    /// What `pyproject.toml` requires.
    fn declared(&mut self, facts: &Pyproject) -> Result<(), String> {
        if let Some(standard) = &facts.project {
            let is_computed = standard.dynamic.iter().any(|one| one == "dependencies");
            if is_computed && facts.poetry.is_none() {
                return Err("what the project requires is computed".to_owned());
            }
            for one in &standard.dependencies {
                self.require(one, "pyproject.toml")?;
            }
        }
        let of_poetry = facts.poetry.iter().flat_map(|one| &one.dependencies);
        for (name, _) in of_poetry {
            self.require_any(name);
        }
        Ok(())
    }

    fn pipfile(&mut self, project: &Project<'_>, is_locked: bool) -> Result<(), String> {
        let facts = project.pipfile().map_err(|error| error.to_string())?;
        let facts = facts.ok_or("`Pipfile` cannot be read")?;
        let lock = project.pipfile_lock().map_err(|error| error.to_string())?;
        let lock = lock.filter(|_| is_locked);
        let named = lock.map_or(&facts.packages, |lock| &lock.packages);
        for (name, origins) in named {
            if origins.iter().any(|one| matches!(one, Origin::Path(_))) {
                return Err(format!("`{name}` is installed from the source"));
            }
            match lock.and_then(|lock| lock.versions.get(name)) {
                Some(version) => {
                    let version = version.trim_start_matches('=').to_owned();
                    self.add(normalize_name(name), version);
                }
                None => self.require_any(name),
            }
        }
        Ok(())
    }

    /// A package of which any version may be installed.
    fn require_any(&mut self, name: &str) {
        self.add(normalize_name(name), String::new());
    }
}

/// Whether a command installs the project itself, too.
fn installs_itself(asked: &Invocation, facts: &Pyproject) -> bool {
    let has = |name: &str| asked.flags_named(name).next().is_some();
    match asked.manager.name.as_str() {
        "poetry" => {
            !has("--no-root")
                && facts
                    .poetry
                    .as_ref()
                    .is_none_or(|poetry| poetry.package_mode)
        }
        "pip" => true,
        _ if asked.subcommand_name != "sync" => false,
        _ => {
            let package = facts.uv.as_ref().and_then(|uv| uv.package);
            let is_package = package.unwrap_or(facts.build_system.is_some());
            is_package && !has("--no-install-project") && !has("--no-install-workspace")
        }
    }
}

/// A build of the project leaves nothing but what is installed: the sources, which are copied again, are as they were.
fn builds_nothing_beside(facts: &Pyproject, project: &Project<'_>) -> Result<(), String> {
    let unknown = || "what the build of the project itself leaves is not known".to_owned();
    let build = facts.build_system.as_ref().ok_or_else(unknown)?;
    let backend = build.backend.as_deref().ok_or_else(unknown)?;
    let is_plain = BACKENDS.contains(&backend)
        && build.backend_path.is_empty()
        && !facts.has_build_hooks
        && facts.version_source.is_none()
        && project.file("setup.py").is_none();
    is_plain.then_some(()).ok_or_else(unknown)
}

/// The project takes nothing from other directories, but from files that are built.
fn needs_no_directory(facts: &Pyproject) -> Result<(), String> {
    let mut paths = facts.path_dependencies().into_iter();
    let uv = facts.uv.as_ref();
    let mut origins = uv.into_iter().flat_map(|uv| uv.sources.values().flatten());
    let has_members = uv.is_some_and(|uv| uv.workspace_members.is_some())
        || origins.any(|one| *one == Origin::Workspace);
    match paths.find(|(_, path)| !path.ends_with(".whl")) {
        Some((_, path)) => Err(format!("`{path}` is installed from the source")),
        None if has_members => Err("the project has other members".to_owned()),
        None => Ok(()),
    }
}

/// What only groups for development ask for.
fn development(facts: &Pyproject) -> BTreeSet<String> {
    let name = |one: &Requirement| match &one.source {
        Source::Index { name, .. } => Some(name.clone()),
        _ => None,
    };
    let of_groups = facts
        .groups
        .values()
        .flatten()
        .filter_map(|item| match item {
            GroupItem::Requirement(one) => name(one),
            GroupItem::Include(_) => None,
        });
    let poetry = facts.poetry.as_ref();
    let groups = poetry.into_iter().flat_map(|one| one.groups.values());
    let of_poetry = groups.flat_map(|group| group.dependencies.keys());
    let mut names: BTreeSet<String> = of_groups.collect();
    names.extend(of_poetry.map(|name| normalize_name(name)));
    let standard = facts.project.iter().flat_map(|one| &one.dependencies);
    let main = poetry.into_iter().flat_map(|one| one.dependencies.keys());
    let needed = standard
        .filter_map(name)
        .chain(main.map(|name| normalize_name(name)));
    for name in needed {
        names.remove(&name);
    }
    names
}
