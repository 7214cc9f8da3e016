//! One directory of the context as a project: every manifest is read when it is first asked for, and once.

use std::cell::OnceCell;

use super::dotnet::{self, GlobalJson};
use super::go::{self, GoMod, GoSources, GoWork};
use super::java::{self, GradleBuild, GradleSettings, Pom};
use super::node::{
    self, LockStep, PackageJson, PackageLock, PnpmLock, PnpmWorkspace, YarnFlavor, YarnRc,
};
use super::php::{self, ComposerJson, ComposerLock};
use super::python::{self, LockedPackage, Pipfile, PipfileLock, Pyproject, VersionSource};
use super::ruby::{self, Gemfile, GemfileLock};
use super::rust::{self, CargoLock, CargoToml};
use super::{ManifestError, path, read};
use crate::context::BuildContext;

/// A directory of the context, with the facts of the manifests that lie in it.
///
/// Each method answers `Ok(None)` where there is no such file.
///
/// # Errors
/// Each method answers the [`ManifestError`] of a file that is broken or cannot be read.
pub struct Project<'c> {
    context: &'c dyn BuildContext,
    directory: String,
    facts: Facts,
}

/// Facts of one manifest, once it was asked for.
type Lazy<T> = OnceCell<Result<Option<T>, ManifestError>>;

/// What a method of [`Project`] answers.
type Answer<'p, T> = Result<Option<&'p T>, ManifestError>;

#[derive(Default)]
struct Facts {
    cargo_lock: Lazy<CargoLock>,
    cargo_toml: Lazy<CargoToml>,
    composer_json: Lazy<ComposerJson>,
    composer_lock: Lazy<ComposerLock>,
    gemfile: Lazy<Gemfile>,
    gemfile_lock: Lazy<GemfileLock>,
    global_json: Lazy<GlobalJson>,
    go_mod: Lazy<GoMod>,
    go_sources: Lazy<GoSources>,
    go_work: Lazy<GoWork>,
    gradle_build: Lazy<GradleBuild>,
    gradle_settings: Lazy<GradleSettings>,
    package_json: Lazy<PackageJson>,
    package_lock: Lazy<PackageLock>,
    pipfile: Lazy<Pipfile>,
    pipfile_lock: Lazy<PipfileLock>,
    pnpm_lock: Lazy<PnpmLock>,
    pnpm_workspace: Lazy<PnpmWorkspace>,
    poetry_lock: Lazy<Vec<LockedPackage>>,
    pom: Lazy<Pom>,
    pyproject: Lazy<Pyproject>,
    uv_lock: Lazy<Vec<LockedPackage>>,
    yarn_lock: Lazy<Option<YarnFlavor>>,
    yarn_rc: Lazy<YarnRc>,
}

impl<'c> Project<'c> {
    /// The project at `directory` of the context; nothing is read yet.
    pub fn new(context: &'c dyn BuildContext, directory: &str) -> Self {
        Self {
            context,
            directory: directory.to_owned(),
            facts: Facts::default(),
        }
    }

    /// The path in the context of the file `name` of this directory, if it is there; `name` may go further down.
    pub fn file(&self, name: &str) -> Option<String> {
        let path = path::join(&self.directory, name)?;
        read::is_file(self.context, &path).then_some(path)
    }

    /// `Cargo.lock`
    pub fn cargo_lock(&self) -> Answer<'_, CargoLock> {
        self.read(&self.facts.cargo_lock, &["Cargo.lock"], rust::cargo_lock)
    }

    /// `Cargo.toml`
    pub fn cargo_toml(&self) -> Answer<'_, CargoToml> {
        self.read(&self.facts.cargo_toml, &["Cargo.toml"], rust::cargo_toml)
    }

    /// `composer.json`
    pub fn composer_json(&self) -> Answer<'_, ComposerJson> {
        self.read(
            &self.facts.composer_json,
            &["composer.json"],
            php::composer_json,
        )
    }

    /// `composer.lock`
    pub fn composer_lock(&self) -> Answer<'_, ComposerLock> {
        self.read(
            &self.facts.composer_lock,
            &["composer.lock"],
            php::composer_lock,
        )
    }

    /// `Gemfile`
    pub fn gemfile(&self) -> Answer<'_, Gemfile> {
        self.read(&self.facts.gemfile, &["Gemfile"], ruby::gemfile)
    }

    /// `Gemfile.lock`
    pub fn gemfile_lock(&self) -> Answer<'_, GemfileLock> {
        self.read(
            &self.facts.gemfile_lock,
            &["Gemfile.lock"],
            ruby::gemfile_lock,
        )
    }

    /// `global.json`
    pub fn global_json(&self) -> Answer<'_, GlobalJson> {
        self.read(
            &self.facts.global_json,
            &["global.json"],
            dotnet::global_json,
        )
    }

    /// `go.mod`
    pub fn go_mod(&self) -> Answer<'_, GoMod> {
        self.read(&self.facts.go_mod, &["go.mod"], go::go_mod)
    }

    /// The Go files of the module; lists the whole module.
    pub fn go_sources(&self) -> Answer<'_, GoSources> {
        let scan = || go::go_sources(self.context, &self.directory).map(Some);
        answer(self.facts.go_sources.get_or_init(scan))
    }

    /// `go.work`
    pub fn go_work(&self) -> Answer<'_, GoWork> {
        self.read(&self.facts.go_work, &["go.work"], go::go_work)
    }

    /// `build.gradle` or `build.gradle.kts`
    pub fn gradle_build(&self) -> Answer<'_, GradleBuild> {
        let names = ["build.gradle", "build.gradle.kts"];
        self.read(&self.facts.gradle_build, &names, java::gradle_build)
    }

    /// `settings.gradle` or `settings.gradle.kts`
    pub fn gradle_settings(&self) -> Answer<'_, GradleSettings> {
        let names = ["settings.gradle", "settings.gradle.kts"];
        self.read(&self.facts.gradle_settings, &names, java::gradle_settings)
    }

    /// `package.json`
    pub fn package_json(&self) -> Answer<'_, PackageJson> {
        self.read(
            &self.facts.package_json,
            &["package.json"],
            node::package_json,
        )
    }

    /// `npm-shrinkwrap.json`, which npm prefers, or `package-lock.json`.
    pub fn package_lock(&self) -> Answer<'_, PackageLock> {
        let names = ["npm-shrinkwrap.json", "package-lock.json"];
        self.read(&self.facts.package_lock, &names, node::package_lock)
    }

    /// `Pipfile`
    pub fn pipfile(&self) -> Answer<'_, Pipfile> {
        self.read(&self.facts.pipfile, &["Pipfile"], python::pipfile)
    }

    /// `Pipfile.lock`
    pub fn pipfile_lock(&self) -> Answer<'_, PipfileLock> {
        self.read(
            &self.facts.pipfile_lock,
            &["Pipfile.lock"],
            python::pipfile_lock,
        )
    }

    /// `pnpm-lock.yaml`
    pub fn pnpm_lock(&self) -> Answer<'_, PnpmLock> {
        self.read(&self.facts.pnpm_lock, &["pnpm-lock.yaml"], node::pnpm_lock)
    }

    /// `pnpm-workspace.yaml`
    pub fn pnpm_workspace(&self) -> Answer<'_, PnpmWorkspace> {
        self.read(
            &self.facts.pnpm_workspace,
            &["pnpm-workspace.yaml"],
            node::pnpm_workspace,
        )
    }

    /// `poetry.lock`
    pub fn poetry_lock(&self) -> Answer<'_, Vec<LockedPackage>> {
        self.read(
            &self.facts.poetry_lock,
            &["poetry.lock"],
            python::locked_packages,
        )
    }

    /// `pom.xml`
    pub fn pom(&self) -> Answer<'_, Pom> {
        self.read(&self.facts.pom, &["pom.xml"], java::pom)
    }

    /// `pyproject.toml`
    pub fn pyproject(&self) -> Answer<'_, Pyproject> {
        self.read(
            &self.facts.pyproject,
            &["pyproject.toml"],
            python::pyproject,
        )
    }

    /// `uv.lock`
    pub fn uv_lock(&self) -> Answer<'_, Vec<LockedPackage>> {
        self.read(&self.facts.uv_lock, &["uv.lock"], python::locked_packages)
    }

    /// `.yarnrc.yml`
    pub fn yarn_rc(&self) -> Answer<'_, YarnRc> {
        self.read(&self.facts.yarn_rc, &[".yarnrc.yml"], node::yarn_rc)
    }

    /// Which yarn the project is for: `packageManager` says, else its `yarn.lock`, else a `.yarnrc.yml`, which only yarn 2+
    /// reads. `None` where nothing tells.
    pub fn yarn_flavor(&self) -> Result<Option<YarnFlavor>, ManifestError> {
        let manager = self
            .package_json()?
            .and_then(|package| package.package_manager.as_ref());
        if let Some(major) = manager
            .filter(|manager| manager.name == "yarn")
            .and_then(node::Manager::major)
        {
            return Ok(Some(match major {
                0 | 1 => YarnFlavor::Classic,
                _ => YarnFlavor::Berry,
            }));
        }
        let parse = |path: &str, bytes: &[u8]| node::yarn_flavor(path, bytes);
        if let Some(Some(flavor)) = self.read(&self.facts.yarn_lock, &["yarn.lock"], parse)? {
            return Ok(Some(*flavor));
        }
        Ok(self.file(".yarnrc.yml").map(|_| YarnFlavor::Berry))
    }

    /// Paths in the context of the `package.json` of the workspace's members: those of `pnpm-workspace.yaml` if there is
    /// one, else those of `package.json`.
    pub fn node_members(&self) -> Result<Vec<String>, ManifestError> {
        let pnpm = self
            .pnpm_workspace()?
            .map(|workspace| workspace.packages.as_deref());
        let (manifest, globs) = match pnpm {
            Some(globs) => ("pnpm-workspace.yaml", globs),
            None => {
                let package = self.package_json()?;
                (
                    "package.json",
                    package.and_then(|package| package.workspaces.as_deref()),
                )
            }
        };
        let manifest = path::join(&self.directory, manifest).unwrap_or_default();
        node::workspace_members(self.context, &manifest, globs.unwrap_or_default())
    }

    /// The `package.json` of each member of the workspace, with its path in the context.
    ///
    /// # Errors
    /// Which members there are is not known, or one cannot be read.
    pub fn node_member_packages(&self) -> Result<Vec<(String, PackageJson)>, ManifestError> {
        let members = self.node_members()?.into_iter().map(|manifest| {
            let bytes = read::file(self.context, &manifest)?.unwrap_or_default();
            let package = node::package_json(&manifest, &bytes)?;
            Ok((manifest, package))
        });
        members.collect()
    }

    /// Whether npm's lock file is in step with the `package.json` of the root and of all members; `None` without a lock
    /// file or a `package.json`.
    pub fn npm_lock_step(&self) -> Result<Option<LockStep>, ManifestError> {
        let (Some(package), Some(lock)) = (self.package_json()?, self.package_lock()?) else {
            return Ok(None);
        };
        let mut step = lock.step("", package);
        for (manifest, member) in self.node_member_packages()? {
            if step != LockStep::InStep {
                break;
            }
            let directory = path::parent(&manifest);
            let below = directory.strip_prefix(&self.directory).unwrap_or(directory);
            step = lock.step(below.trim_start_matches('/'), &member);
        }
        Ok(Some(step))
    }

    /// What computes the version of a Python package from the repository's history: `pyproject.toml`, `setup.py` and
    /// `setup.cfg` are asked, and a `versioneer.py` tells by its name.
    pub fn python_version_source(&self) -> Result<Option<VersionSource>, ManifestError> {
        if let Some(source) = self
            .pyproject()?
            .and_then(|pyproject| pyproject.version_source)
        {
            return Ok(Some(source));
        }
        for name in ["setup.py", "setup.cfg"] {
            let Some(path) = self.file(name) else {
                continue;
            };
            let bytes = read::file(self.context, &path)?.unwrap_or_default();
            if let Some(source) = python::setup_version_source(&bytes) {
                return Ok(Some(source));
            }
        }
        Ok(self
            .file("versioneer.py")
            .map(|_| VersionSource::Versioneer))
    }

    /// The facts of the first of `names` that is there, read at most once.
    fn read<'p, T>(
        &self,
        cell: &'p Lazy<T>,
        names: &[&str],
        parse: impl Fn(&str, &[u8]) -> Result<T, ManifestError>,
    ) -> Answer<'p, T> {
        let first = || {
            for name in names {
                let Some(path) = path::join(&self.directory, name) else {
                    continue;
                };
                if let Some(bytes) = read::file(self.context, &path)? {
                    return parse(&path, &bytes).map(Some);
                }
            }
            Ok(None)
        };
        answer(cell.get_or_init(first))
    }
}

fn answer<T>(facts: &Result<Option<T>, ManifestError>) -> Answer<'_, T> {
    match facts {
        Ok(facts) => Ok(facts.as_ref()),
        Err(error) => Err(error.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io;

    use super::*;
    use crate::context::Entry;
    use crate::project::testing::{Files, files};

    /// Counts what is read.
    struct Counting(Files, Cell<usize>);

    impl BuildContext for Counting {
        fn is_known(&self) -> bool {
            true
        }

        fn entry(&self, path: &str) -> Option<Entry> {
            self.0.entry(path)
        }

        fn list(&self, path: &str) -> Vec<String> {
            self.0.list(path)
        }

        fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
            self.1.set(self.1.get() + 1);
            self.0.read(path, limit)
        }
    }

    #[test]
    fn reads_once_and_only_what_is_asked_for() {
        let context = Counting(
            files(&[("a/package.json", "{}"), ("a/go.mod", "module a")]),
            Cell::new(0),
        );
        let project = Project::new(&context, "a");
        assert_eq!(context.1.get(), 0);
        assert!(project.package_json().unwrap().is_some());
        assert!(project.package_json().unwrap().is_some());
        assert_eq!(project.cargo_toml(), Ok(None));
        assert_eq!(context.1.get(), 1);
    }

    #[test]
    fn a_broken_manifest_names_its_path_in_the_context() {
        let context = files(&[("a/b/package.json", "{\n,")]);
        let error = Project::new(&context, "a/b").package_json().unwrap_err();
        assert_eq!(
            (error.path.as_str(), error.line),
            ("a/b/package.json", Some(2))
        );
    }

    #[test]
    fn tells_which_yarn() {
        let flavor =
            |entries: &[(&str, &str)]| Project::new(&files(entries), "").yarn_flavor().unwrap();
        assert_eq!(
            flavor(&[("yarn.lock", "# yarn lockfile v1\n")]),
            Some(YarnFlavor::Classic)
        );
        assert_eq!(
            flavor(&[("yarn.lock", ""), (".yarnrc.yml", "")]),
            Some(YarnFlavor::Berry)
        );
        let package = ("package.json", "{\"packageManager\": \"yarn@1.22.22\"}");
        assert_eq!(
            flavor(&[package, (".yarnrc.yml", "")]),
            Some(YarnFlavor::Classic)
        );
        assert_eq!(flavor(&[("package.json", "{}")]), None);
    }

    #[test]
    fn a_member_that_changed_puts_the_lock_behind() {
        let lock = r#"{"lockfileVersion": 3, "packages": {
            "": {"workspaces": ["p/*"]}, "p/a": {"dependencies": {"x": "1"}}, "node_modules/x": {} }}"#;
        let step = |range: &str| {
            let member = format!("{{\"dependencies\": {{\"x\": \"{range}\"}}}}");
            let context = files(&[
                ("w/package.json", "{\"workspaces\": [\"p/*\"]}"),
                ("w/package-lock.json", lock),
                ("w/p/a/package.json", &member),
            ]);
            Project::new(&context, "w").npm_lock_step().unwrap()
        };
        assert_eq!(step("1"), Some(LockStep::InStep));
        assert!(matches!(step("2"), Some(LockStep::Behind(_))));
        assert_eq!(Project::new(&files(&[]), "").npm_lock_step(), Ok(None));
    }

    #[test]
    fn pnpm_names_its_own_members() {
        let context = files(&[
            ("package.json", "{\"workspaces\": [\"old/*\"]}"),
            ("pnpm-workspace.yaml", "packages: ['new/*']"),
            ("new/a/package.json", "{}"),
            ("old/b/package.json", "{}"),
        ]);
        assert_eq!(
            Project::new(&context, "").node_members().unwrap(),
            ["new/a/package.json"]
        );
    }

    #[test]
    fn finds_what_computes_the_version() {
        let source = |entries: &[(&str, &str)]| {
            Project::new(&files(entries), "")
                .python_version_source()
                .unwrap()
        };
        assert_eq!(
            source(&[("pyproject.toml", ""), ("setup.py", "pbr=True")]),
            Some(VersionSource::Pbr)
        );
        assert_eq!(
            source(&[("versioneer.py", "")]),
            Some(VersionSource::Versioneer)
        );
        assert_eq!(source(&[("setup.py", "setup()")]), None);
    }
}
