//! Rust: the runtime stage takes over what `cargo build` and `cargo install` make.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::assets::Sorting;
use super::libraries::{CERTIFICATES, CERTIFICATES_FILE};
use super::made::Made;
use super::parts::Parts;
use super::{At, Base, For, Language, Runtime, SplitStages, known_to_scratch, small};
use crate::context::path;
use crate::model::managers::{Invocation, invocation};
use crate::pass::cargo_packages::Packages;
use crate::pass::health;
use crate::pass::program::Program;
use crate::pass::project_place::first_words;
use crate::pass::reasons::Reasons;
use crate::pass::runs::Stage;
use crate::pass::{PassContext, command};
use crate::project::Project;
use crate::project::rust::{cargo_bins, cargo_config};

/// What the rule knows of Rust.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Knowledge {
    /// Patterns of files that a compiled program does not read.
    sources: Vec<String>,
    /// Variables that only the compiler reads.
    compiler_variables: Vec<String>,
    /// Crates that are called like those that link a library of the system, and link none, or one that each image has.
    links_nothing: Vec<String>,
    /// Packages of distributions that only builds need.
    build_packages: Vec<String>,
    /// Crates that link a library of the system, and the package that they are built with.
    links: BTreeMap<String, String>,
    /// Crates that bring the library themselves: by the feature that a crate above asks for.
    vendored: BTreeMap<String, [String; 2]>,
}

pub(super) struct Rust<'p> {
    rule: &'p SplitStages,
    cx: &'p PassContext<'p>,
    made: Made,
    /// The directories of the context that hold the projects.
    projects: Vec<String>,
    /// The packages that are installed to build with a library.
    packages: BTreeSet<String>,
    /// For what each build is made, where it says so.
    targets: Vec<Option<String>>,
}

impl<'p> Rust<'p> {
    pub(super) fn new(rule: &'p SplitStages, cx: &'p PassContext<'p>) -> Self {
        Self {
            rule,
            cx,
            made: Made::default(),
            projects: Vec::new(),
            packages: BTreeSet::new(),
            targets: Vec::new(),
        }
    }

    /// What `cargo build` makes.
    fn build(&mut self, at: &At<'_, '_>, cargo: &Invocation) -> Result<(), String> {
        let shown = first_words(&at.place.cx.shown(at.found.command.span));
        let unknown = || format!("what `{shown}` makes is not known");
        let odd = [
            "--target-dir",
            "--manifest-path",
            "--config",
            "-Z",
            "-C",
            "--artifact-dir",
            "--out-dir",
        ];
        let is_odd = |cargo: &Invocation| {
            cargo
                .flags
                .iter()
                .any(|flag| odd.contains(&flag.name.as_str()))
        };
        let assigns =
            |name: &str| name.starts_with("CARGO_TARGET_DIR=") || name.starts_with("CARGO_BUILD_");
        let mut assignments = at.found.command.assignments.iter();
        if cargo.dynamic || is_odd(cargo) || assignments.any(|word| assigns(&word.text)) {
            return Err(unknown());
        }
        let state = at.place.step().before;
        if state
            .variables()
            .any(|(name, _)| name == "CARGO_TARGET_DIR" || name.starts_with("CARGO_BUILD_"))
        {
            return Err(unknown());
        }
        let directory = at
            .place
            .started_in(at.script, &at.found)
            .ok_or_else(unknown)?;
        let names = self.programs(at, &directory)?;
        let value = |name: &str| {
            let flag = cargo.flags.iter().find(|flag| flag.name == name);
            flag.map(|flag| {
                flag.value
                    .as_ref()
                    .and_then(|value| value.text.clone())
                    .ok_or_else(unknown)
            })
            .transpose()
        };
        let is_release = cargo
            .flags
            .iter()
            .any(|flag| matches!(flag.name.as_str(), "--release" | "-r"));
        let profile = match value("--profile")?.as_deref() {
            Some("dev") => "debug".to_owned(),
            Some(profile) => profile.to_owned(),
            None if is_release => "release".to_owned(),
            None => "debug".to_owned(),
        };
        let target = value("--target")?;
        self.targets.push(target.clone());
        let target = target
            .map(|target| format!("/{target}"))
            .unwrap_or_default();
        for name in names {
            self.made.add(format!(
                "{}/target{target}/{profile}/{name}",
                directory.trim_end_matches('/')
            ));
        }
        Ok(())
    }

    /// What `cargo install` makes.
    fn install(&mut self, at: &At<'_, '_>, cargo: &Invocation) -> Result<(), String> {
        let shown = first_words(&at.place.cx.shown(at.found.command.span));
        let unknown = || format!("what `{shown}` makes is not known");
        let value = |name: &str| {
            let flag = cargo.flags.iter().find(|flag| flag.name == name)?;
            flag.value.as_ref()?.text.clone()
        };
        self.targets.push(value("--target"));
        let directory = at
            .place
            .started_in(at.script, &at.found)
            .ok_or_else(unknown)?;
        let home = at
            .place
            .step()
            .before
            .variable("CARGO_HOME")
            .and_then(|home| home.value.clone());
        let root = match value("--root") {
            Some(root) => path::absolute(&directory, &root),
            None => home.ok_or_else(unknown)?.to_string(),
        };
        let names = match value("--path") {
            Some(path) if !cargo.dynamic => {
                self.programs(at, &path::absolute(&directory, &path))?
            }
            // A tool of the registry: called like its crate, most often.
            None if !cargo.dynamic => cargo
                .packages
                .iter()
                .map(|index| at.found.command.words[*index].text.clone())
                .collect(),
            _ => return Err(unknown()),
        };
        for name in names {
            self.made.add(format!("{root}/bin/{name}"));
        }
        Ok(())
    }

    /// The names of the programs of the project in `directory` of the image.
    fn programs(&mut self, at: &At<'_, '_>, directory: &str) -> Result<Vec<String>, String> {
        let context = self.cx.context;
        let root = at.place.project(directory, "Cargo.toml")?;
        let project = Project::new(context, &root);
        let facts = project
            .cargo_toml()
            .map_err(|error| error.to_string())?
            .ok_or("there is no `Cargo.toml`")?;
        for above in path::prefixes(&root) {
            for name in [".cargo/config.toml", ".cargo/config"] {
                let file = path::join(above, name);
                let Ok(bytes) = context.read(&file, 1 << 20) else {
                    continue;
                };
                let set = cargo_config(&file, &bytes).map_err(|error| error.to_string())?;
                if set.target_dir.is_some() || set.build_dir.is_some() || set.has_target {
                    return Err(format!("`{file}` says where cargo builds"));
                }
            }
        }
        if facts.workspace.is_none() {
            let mut outer = path::prefixes(path::parent(&root))
                .chain([""])
                .filter(|one| *one != root);
            let has_workspace = |directory: &str| {
                let project = Project::new(context, directory);
                let facts = project.cargo_toml().ok().flatten();
                facts.is_some_and(|facts| facts.workspace.is_some())
            };
            if let Some(directory) = outer.find(|directory| has_workspace(directory)) {
                let file = path::join(directory, "Cargo.toml");
                return Err(format!(
                    "the project may belong to the workspace of `{file}`"
                ));
            }
        }
        let packages = Packages::of(context, path::join(&root, "Cargo.toml"))?;
        let asked = packages.asked(&[]);
        let bins = asked
            .iter()
            .flat_map(|(manifest, facts)| cargo_bins(context, manifest, facts));
        let names = bins.map(|bin| bin.name).collect();
        self.projects.push(root);
        Ok(names)
    }

    /// The packages of the distribution that the program needs when it runs.
    ///
    /// # Errors
    /// A crate links a library that is not known, or the release is not.
    fn libraries(
        &self,
        stage: &Stage<'_>,
        reasons: &mut Reasons,
    ) -> Result<BTreeSet<String>, String> {
        let rust = &self.rule.rust;
        let installed = self.packages.iter();
        let installed = installed.map(|package| (package.clone(), String::new()));
        let mut packages: BTreeMap<String, String> = installed.collect();
        for root in &self.projects {
            let project = Project::new(self.cx.context, root);
            let lock = project.cargo_lock().map_err(|error| error.to_string())?;
            let lock = lock.ok_or("which crates are linked is not known without `Cargo.lock`")?;
            for found in lock.sys_crates() {
                let name = &found.name;
                if rust.links_nothing.contains(name) || self.is_vendored(&project, name) {
                    continue;
                }
                let package = rust.links.get(name).ok_or_else(|| {
                    format!("`{name}` links a library that the small image may not have")
                })?;
                packages.insert(package.clone(), format!(", which `{name}` links"));
            }
        }
        self.rule.libraries_behind(&packages, stage, reasons)
    }

    /// The image on which the program ships.
    fn base(
        &self,
        stage: &Stage<'_>,
        parts: &Parts,
        program: &Program,
        libraries: &BTreeSet<String>,
    ) -> Result<Base, String> {
        // The C library of Debian 12 is as new as that of these.
        let is_old = matches!(stage.model.end.release(), Some("bullseye" | "bookworm"));
        let needs_more = parts.runs || program.by_shell;
        let installs = !parts.kept.is_empty() || !libraries.is_empty();
        let is_static = self.is_static(stage);
        match self.cx.rule.text("runtime-rust") {
            Some("scratch") if !is_static => Err(
                "`scratch` has no C library, and the program is not known to be built for musl"
                    .to_owned(),
            ),
            Some("scratch") if !needs_more && !installs => {
                known_to_scratch(stage)?;
                Ok(Base::new("scratch", "the program brings its C library"))
            }
            Some("distroless") if is_static && !needs_more && !installs => Ok(Base::new(
                "gcr.io/distroless/static-debian12",
                "the program brings its C library, and needs no shell",
            )),
            Some("distroless") if is_old && !needs_more && !installs => Ok(Base::new(
                "gcr.io/distroless/cc-debian12",
                "a C library that is not older than the builder's, and no shell",
            )),
            _ => small(stage),
        }
    }

    /// Whether all programs are built for musl, whose library they bring then.
    fn is_static(&self, stage: &Stage<'_>) -> bool {
        let is_musl = |target: &Option<String>| {
            let target = target.as_deref();
            target.is_some_and(|target| target.ends_with("-musl"))
        };
        let mut steps = stage.steps.iter();
        let is_told = steps.any(|step| {
            let text = String::from_utf8_lossy(step.instruction.args_text());
            text.contains("crt-static")
        });
        !is_told && !self.targets.is_empty() && self.targets.iter().all(is_musl)
    }

    /// Whether the manifest asks for a feature with which the crate brings the library itself.
    fn is_vendored(&self, project: &Project<'_>, name: &str) -> bool {
        let Some([above, feature]) = self.rule.rust.vendored.get(name) else {
            return false;
        };
        let manifest = project.cargo_toml().ok().flatten();
        let features = manifest.and_then(|manifest| manifest.features_of.get(above));
        features.is_some_and(|features| features.contains(feature))
    }
}

impl Language for Rust<'_> {
    fn builds_with(&self, package: &str) -> bool {
        let rust = &self.rule.rust;
        rust.build_packages.iter().any(|one| one == package) || self.rule.is_for_library(package)
    }

    fn only_builds(&self, variable: &str) -> bool {
        self.rule
            .rust
            .compiler_variables
            .iter()
            .any(|one| one == variable)
    }

    fn command(&mut self, at: &At<'_, '_>) -> Option<Result<For, String>> {
        let found = at.found.command;
        if let Some(cargo) = invocation(&found.words) {
            self.packages.extend(self.rule.packages_for_libraries(at));
            if cargo.manager.name != "cargo" {
                return None;
            }
            let done = match cargo.subcommand_name.as_str() {
                "build" | "b" | "rustc" => self.build(at, &cargo),
                "install" => self.install(at, &cargo),
                _ => Ok(()),
            };
            return Some(done.map(|()| For::Build));
        }
        match command::name(found) {
            Some("rustup") => Some(Ok(For::Build)),
            _ => self.made.command(at).map(Ok),
        }
    }

    fn runtime(&mut self, stage: &Stage<'_>, parts: &Parts) -> Result<Runtime, String> {
        let program = Program::of(self.cx, stage)?;
        let path = self.made.find(&program, stage.model)?;
        health::check(stage, |word| parts.kept.has(word))?;
        let mut reasons = Reasons::default();
        let libraries = self.libraries(stage, &mut reasons)?;
        let sorting = Sorting {
            rule: self.rule,
            options: self.cx.rule,
            sources: &self.rule.rust.sources,
            embedded: &[],
        };
        let assets = sorting.assets(self.cx, parts, &program)?;
        let home = path::parent(&path);
        let is_found = !program.name.contains('/') && home.ends_with("/cargo/bin");
        let search = is_found.then(|| format!("ENV PATH={home}:$PATH"));
        let base = self.base(stage, parts, &program, &libraries)?;
        let mut runtime = Runtime::of_program(base, path, assets);
        if runtime.base.image == "scratch" {
            let why = "servers may be checked, and `scratch` has nothing";
            runtime.carry(CERTIFICATES_FILE, why);
            runtime.is_suggested = true;
        }
        runtime.install(&libraries);
        if !libraries.contains(CERTIFICATES) {
            runtime = runtime.with_certificates();
        }
        if let Some(search) = search {
            runtime.line(search, "as in the old base");
        }
        runtime.reasons.append(reasons);
        Ok(runtime)
    }
}
