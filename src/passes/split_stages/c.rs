//! C and C++: the runtime stage takes over the program that a compiler, `make`, CMake or autotools make, or the directory
//! into which they install it, on the small image of the same release, with the libraries that it is linked with.
//!
//! Never splits a program that may link what no table has: a library that the build makes itself, or one that the
//! distribution does not have.

mod autotools;
mod cmake;
mod links;
mod makefile;
mod tools;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::assets::Sorting;
use super::libraries::{CERTIFICATES, CERTIFICATES_FILE};
use super::made::{Made, operands};
use super::parts::{self, Parts};
use super::{At, Base, For, Language, Runtime, SAME, SplitStages, small};
use crate::context::path;
use crate::pass::health;
use crate::pass::program::Program;
use crate::pass::project_place::Place;
use crate::pass::reasons::Reasons;
use crate::pass::runs::Stage;
use crate::pass::slim_image::named_base;
use crate::pass::{PassContext, command};
use crate::syntax::Keyword;
use links::Links;
use tools::{Install, Tool};

const COMPILERS: [&str; 6] = ["c++", "cc", "clang", "clang++", "g++", "gcc"];

/// Programs that start others, or that people work with: what they need is all that there is.
const SHELLS: [&str; 6] = ["bash", "dash", "gdb", "sh", "tail", "zsh"];

/// Directories that hold what the base has.
const OF_BASE: [&str; 14] = [
    "/",
    "/bin",
    "/etc",
    "/home",
    "/lib",
    "/opt",
    "/root",
    "/sbin",
    "/srv",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/sbin",
    "/var",
];

/// What the rule knows of C and C++.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Knowledge {
    /// Patterns of files that a compiled program does not read.
    sources: Vec<String>,
    /// Variables that only the build reads.
    compiler_variables: Vec<String>,
    /// Packages of distributions that only builds need.
    build_packages: Vec<String>,
    /// Libraries that each image has, as `-l` names them.
    libraries: Vec<String>,
    /// Libraries of the compiler, and the packages that hold them.
    compiler_libraries: BTreeMap<String, String>,
    /// Libraries as tools name them, and the packages that programs are built with.
    links: BTreeMap<String, String>,
}

pub(super) struct C<'p> {
    rule: &'p SplitStages,
    cx: &'p PassContext<'p>,
    made: Made,
    links: Links<'p>,
    /// The directories in which `make` and CMake make something, and with what.
    tools: BTreeMap<String, Tool>,
    installs: Vec<Install>,
    /// What makefiles and the like say: it names the programs.
    said: String,
    /// Directories that are made to build in.
    directories: Vec<String>,
    /// Whether a compiler, or what starts it, ran.
    builds: bool,
    /// Whether anything may be linked with a library that is loaded.
    loads: bool,
    /// Whether the certificates of authorities are there, asked for or not.
    has_certificates: bool,
}

impl<'p> C<'p> {
    /// Whether a stage compiles files of the build context, on an image that is there for nothing else, and starts
    /// something.
    pub(super) fn is_of(stage: &Stage<'_>) -> bool {
        let base = stage.model.end.base();
        let families = ["buildpack-deps", "debian", "gcc", "ubuntu"];
        let builds = || {
            let mut scripts = stage.steps.iter().filter_map(|step| step.script());
            scripts.any(|script| {
                let commands = script.commands();
                let mut names = commands.iter().filter_map(|at| command::name(at.command));
                names.any(|name| COMPILERS.contains(&name) || matches!(name, "cmake" | "make"))
            })
        };
        let has = |keywords: [Keyword; 2]| {
            let mut steps = stage.steps.iter();
            steps.any(|step| keywords.contains(&step.instruction.keyword))
        };
        families.iter().any(|family| base.is_family(family))
            && has([Keyword::Cmd, Keyword::Entrypoint])
            && has([Keyword::Copy, Keyword::Add])
            && builds()
    }

    pub(super) fn new(rule: &'p SplitStages, cx: &'p PassContext<'p>) -> Self {
        Self {
            rule,
            cx,
            made: Made::default(),
            links: Links::new(&rule.c),
            tools: BTreeMap::new(),
            installs: Vec::new(),
            said: String::new(),
            directories: Vec::new(),
            builds: false,
            loads: false,
            has_certificates: false,
        }
    }

    /// What a compiler makes.
    fn compile(&mut self, at: &At<'_, '_>) -> Result<(), String> {
        let (words, directory) = tools::compiled(at)?;
        let mut output = "a.out";
        let mut compiles_only = false;
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-c" | "-S" | "-E" => compiles_only = true,
                "-o" => output = rest.next().map_or(output, String::as_str),
                word => output = word.strip_prefix("-o").unwrap_or(output),
            }
        }
        let is_static = words.iter().any(|word| word == "-static");
        match is_static && !words.iter().any(|word| word == "-shared") {
            true => {}
            false => {
                self.loads |= !compiles_only;
                self.links.text(&words.join(" "))?;
                self.links.needs_cxx |= command::name(at.found.command)
                    .is_some_and(|name| name.ends_with("++"))
                    && !words.iter().any(|word| word == "-static-libstdc++");
            }
        }
        if !compiles_only {
            self.made.add(path::absolute(&directory, output));
        }
        Ok(())
    }

    /// Whether a tool made a file: it stands where the tool works and is named there, and was not copied.
    fn is_made(&self, place: Place<'_>, file: &str) -> bool {
        let name = path::file_name(file);
        let mut tools = self.tools.iter();
        let makes = |(directory, tool): (&String, &Tool)| {
            let is_named = match tool {
                Tool::Make(made) => made.iter().any(|one| one == name),
                Tool::Generated(_) => tools::names(&self.said, name),
            };
            is_named && path::is_at_or_below(file, directory)
        };
        tools.any(makes) && place.source(file).is_none()
    }

    /// Notes the program that a command copies, moves or strips.
    fn note(&mut self, at: &At<'_, '_>) {
        let Some(directory) = at.place.started_in(at.script, &at.found) else {
            return;
        };
        let files = operands(at.found.command).unwrap_or_default();
        let file = files.first().map(|first| path::absolute(&directory, first));
        if let Some(file) = file.filter(|file| self.is_made(at.place, file)) {
            self.made.add(file);
        }
    }

    /// The base that ships.
    fn base(&self, stage: &Stage<'_>) -> Result<Base, String> {
        let base = stage.model.end.base();
        let word = named_base(stage)?;
        let is_own = base.is_family("gcc");
        if is_own && self.loads && (self.links.needs_cxx || !self.links.of_compiler.is_empty()) {
            return Err(format!(
                "the libraries of the compiler of `{word}` are newer than those of its distribution"
            ));
        }
        match base.is_family("ubuntu") {
            true => Ok(Base::new(word, SAME)),
            false => small(stage),
        }
    }

    /// What the image starts, and all that was installed beside it.
    fn carried(&self, stage: &Stage<'_>, program: &Program) -> Result<Vec<String>, String> {
        let last = Place {
            cx: self.cx,
            stage: 0,
            step: stage.steps.len() - 1,
        };
        let mut carried = Vec::new();
        for install in &self.installs {
            carried.extend(install.carried(stage, self.tools.keys())?);
        }
        carried.sort();
        carried.dedup();
        let is_carried = |file: &String| carried.iter().any(|one| path::is_at_or_below(file, one));
        let is_installed =
            |file: &String| is_carried(file) && tools::names(&self.said, path::file_name(file));
        let places = program.places(stage.model);
        if let Some(place) = places.iter().find(|place| is_installed(place)) {
            // What holds the program comes first.
            carried.sort_by_key(|one| !path::is_at_or_below(place, one));
            return Ok(carried);
        }
        let stands = places
            .into_iter()
            .find(|place| program.name.contains('/') && self.is_made(last, place));
        let file = match stands {
            Some(place) => place,
            None => self.made.find(program, stage.model)?,
        };
        if !is_carried(&file) {
            carried.insert(0, file);
        }
        Ok(carried)
    }
}

impl Language for C<'_> {
    fn builds_with(&self, package: &str) -> bool {
        let mut known = self.rule.c.build_packages.iter();
        known.any(|one| one == package) || self.rule.is_for_library(package)
    }

    fn only_builds(&self, variable: &str) -> bool {
        let mut known = self.rule.c.compiler_variables.iter();
        known.any(|one| one == variable)
    }

    fn command(&mut self, at: &At<'_, '_>) -> Option<Result<For, String>> {
        let packages = self.rule.packages_for_libraries(at).into_iter();
        let packages = packages.map(|package| (package, String::new()));
        self.links.packages.extend(packages);
        let base = at.place.step().before.base();
        self.has_certificates |= base.is_family("buildpack-deps") || base.is_family("gcc");
        let mut words = at.found.command.words.iter();
        self.has_certificates |= words.any(|word| word.text == CERTIFICATES);
        let name = command::name(at.found.command)?;
        if COMPILERS.contains(&name) {
            self.builds = true;
            return Some(self.compile(at).map(|()| For::Build));
        }
        let ran = match name {
            "make" | "gmake" | "ninja" => self.make(at),
            "cmake" => self.cmake(at),
            "configure" => self.configure(at),
            "aclocal" | "autoconf" | "autoheader" | "automake" | "autoreconf" | "ar"
            | "pkg-config" | "pkgconf" | "ranlib" => Ok(()),
            "mkdir" if parts::makes_nothing_new(at) => return None,
            "mkdir" => self.directory(at),
            "cp" | "install" | "mv" | "strip" => {
                self.note(at);
                return self.made.command(at).map(Ok);
            }
            _ => return self.made.command(at).map(Ok),
        };
        Some(ran.map(|()| For::Build))
    }

    fn runtime(&mut self, stage: &Stage<'_>, parts: &Parts) -> Result<Runtime, String> {
        if !self.builds {
            return Err("no step builds anything".to_owned());
        }
        let program = Program::of(self.cx, stage)?;
        if SHELLS.contains(&path::file_name(&program.name)) {
            return Err(format!(
                "`{}` is started, which may run all that the image has",
                program.name
            ));
        }
        let carried = self.carried(stage, &program)?;
        parts::keeps(self.cx, parts.last, &carried)?;
        self.directories_are_built_in(&carried)?;
        health::check(stage, |word| parts.kept.has(word))?;
        let mut reasons = Reasons::default();
        let mut libraries = BTreeSet::new();
        if self.loads {
            let packages = &self.links.packages;
            libraries = self.rule.libraries_behind(packages, stage, &mut reasons)?;
            for library in &self.links.of_compiler {
                reasons.say(library, "installed: a library of the compiler");
                libraries.insert(library.clone());
            }
        }
        let sorting = Sorting {
            rule: self.rule,
            options: self.cx.rule,
            sources: &self.rule.c.sources,
            embedded: &[],
        };
        let mut assets = sorting.assets(self.cx, parts, &program)?;
        assets.leave(|asset| carried.iter().any(|one| path::is_at_or_below(asset, one)));
        let (first, others) = carried.split_first().ok_or("nothing is made")?;
        let mut runtime = Runtime::of_program(self.base(stage)?, first.clone(), assets);
        for other in others {
            runtime.carry(other, "installed beside the program");
        }
        runtime.install(&libraries);
        if self.has_certificates && !libraries.contains(CERTIFICATES) {
            runtime.carry(
                CERTIFICATES_FILE,
                "the builder has certificates to check servers with",
            );
        }
        runtime.reasons.append(reasons);
        Ok(runtime)
    }
}
