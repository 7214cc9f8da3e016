//! Java: the runtime stage takes over the one archive that Maven or Gradle makes and `java` starts, on the image of the
//! same version and vendor that only runs.
//!
//! Never takes over an archive of which it is not known that it holds what the program depends on.

mod archive;

use serde::Deserialize;

use super::assets::Sorting;
use super::parts::{self, Parts};
use super::{At, Base, For, Language, Runtime, SplitStages};
use crate::context::path;
use crate::model::managers::{Invocation, Kind, Role, invocation};
use crate::pass::health;
use crate::pass::java_runtime::java_runtime;
use crate::pass::program::Program;
use crate::pass::project_place::first_words;
use crate::pass::runs::Stage;
use crate::pass::slim_image::named_base;
use crate::pass::{PassContext, command};
use crate::syntax::Keyword;
use archive::{Module, Tool};

/// Commands that make a file of the build one that can be run.
const MENDERS: [&str; 3] = ["chmod", "dos2unix", "sed"];

/// What the rule knows of Java.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Knowledge {
    /// Patterns of files that a packed program does not read.
    sources: Vec<String>,
    /// Variables that only the build reads.
    compiler_variables: Vec<String>,
    /// Packages of distributions that only builds need.
    build_packages: Vec<String>,
    /// Plugins of Maven whose archive holds all that the program depends on.
    packers: Vec<String>,
}

pub(super) struct Java<'p> {
    rule: &'p SplitStages,
    cx: &'p PassContext<'p>,
    /// Where Maven or Gradle packs something.
    builds: Vec<Build>,
    /// Archives that were copied or moved: where they are, and where they come from.
    copied: Vec<(String, Made)>,
}

/// A build: its tool, and its directory in the image and in the context.
struct Build {
    tool: Tool,
    directory: String,
    root: String,
    /// Whether it makes a whole installation, too.
    installs: bool,
}

/// An archive that a build makes.
#[derive(Clone)]
struct Made {
    /// Which build.
    build: usize,
    /// The module's directory, seen from that of the build.
    module: String,
    /// Its name, or a pattern of it.
    name: String,
}

impl<'p> Java<'p> {
    /// Whether a stage builds a program of Java: on many images of the compiler one only runs.
    pub(super) fn is_of(stage: &Stage<'_>) -> bool {
        let base = stage.model.end.base();
        let families = [
            "maven",
            "gradle",
            "eclipse-temurin",
            "openjdk",
            "amazoncorretto",
        ];
        let mut runs = stage.steps.iter().filter(|step| step.is_run());
        families.iter().any(|family| base.is_family(family))
            && runs.any(|step| {
                let text = String::from_utf8_lossy(step.instruction.args_text());
                text.contains("mvn") || text.contains("gradle")
            })
    }

    pub(super) fn new(rule: &'p SplitStages, cx: &'p PassContext<'p>) -> Self {
        Self {
            rule,
            cx,
            builds: Vec::new(),
            copied: Vec::new(),
        }
    }

    /// What Maven or Gradle makes.
    fn build(&mut self, at: &At<'_, '_>, asked: &Invocation) -> Result<(), String> {
        if asked.role != Role::Build {
            return Ok(());
        }
        let shown = first_words(&at.place.cx.shown(at.found.command.span));
        let unknown = || format!("what `{shown}` makes is not known");
        let tool = match asked.manager.name.as_str() {
            "maven" => Tool::Maven,
            _ => Tool::Gradle,
        };
        let mut directory = at
            .place
            .started_in(at.script, &at.found)
            .ok_or_else(unknown)?;
        for option in asked.manifests.iter().chain(&asked.targets) {
            let named = option.text.as_deref().ok_or_else(unknown)?;
            directory = path::absolute(&directory, named.trim_end_matches("pom.xml"));
        }
        let files: &[&str] = match tool {
            Tool::Maven => &["pom.xml"],
            Tool::Gradle => &[
                "build.gradle",
                "build.gradle.kts",
                "settings.gradle",
                "settings.gradle.kts",
            ],
        };
        let mut found = files.iter().map(|file| at.place.project(&directory, file));
        let first = found.next().ok_or_else(unknown)?;
        let root = found.fold(first, |found, next| found.or(next))?;
        let mut goals = asked.subcommand_name.split(' ');
        let installs = goals.any(|goal| goal.rsplit(':').next() == Some("installDist"));
        self.builds.push(Build {
            tool,
            directory,
            root,
            installs,
        });
        Ok(())
    }

    /// The archive that a build makes at this path, or that was copied to there.
    fn made(&self, place: &str) -> Option<Made> {
        if let Some((_, made)) = self.copied.iter().rev().find(|(to, _)| to == place) {
            return Some(made.clone());
        }
        let name = path::file_name(place);
        if !name.ends_with(".jar") && !name.ends_with(".war") {
            return None;
        }
        let builds = self.builds.iter().enumerate();
        let mut found = builds.filter_map(|(build, one)| {
            let output = path::parent(place);
            let module = output.strip_suffix(one.tool.output())?;
            let module = path::below(module, one.directory.trim_end_matches('/'))?;
            Some(Made {
                build,
                module: module.trim_start_matches('/').to_owned(),
                name: name.to_owned(),
            })
        });
        found.next()
    }

    /// `cp` and `mv` of an archive: a pattern that is put into one file stands for one.
    fn copies(&mut self, at: &At<'_, '_>) -> Option<For> {
        let found = at.found.command;
        let moves = match command::name(found)? {
            "cp" => false,
            "mv" => true,
            _ => return None,
        };
        let directory = at.place.started_in(at.script, &at.found)?;
        let words = found.words.iter().skip(1);
        let words: Vec<_> = words.filter(|word| !word.text.starts_with('-')).collect();
        let [from, to] = words.as_slice() else {
            return None;
        };
        if from.text.contains(['$', '`', '"', '\'', '{']) || to.literal.is_none() {
            return None;
        }
        let source = path::absolute(&directory, &from.text);
        let mut target = path::absolute(&directory, &to.text);
        let made = self.made(&source)?;
        let is_archive = |name: &str| name.ends_with(".jar") || name.ends_with(".war");
        if to.text.ends_with('/') || !is_archive(&target) {
            // A directory, whose name says so; what a pattern stands for is not known there.
            let is_known = from.literal.is_some() && matches!(to.text.as_str(), "." | "./" | "/");
            is_known.then_some(())?;
            target = path::join(&target, path::file_name(&source));
        }
        if moves {
            self.copied.retain(|(place, _)| *place != source);
        }
        self.copied.push((target, made));
        Some(For::Build)
    }

    /// Whether a command only touches the wrapper of the build tool.
    fn mends_wrapper(at: &At<'_, '_>) -> bool {
        let found = at.found.command;
        let is_mender = command::name(found).is_some_and(|name| MENDERS.contains(&name));
        let last = found.words.last().and_then(|word| word.literal.as_deref());
        let is_wrapper =
            last.is_some_and(|file| matches!(path::file_name(file), "mvnw" | "gradlew"));
        is_mender && is_wrapper && !parts::writes(found)
    }
}

impl Language for Java<'_> {
    fn builds_with(&self, package: &str) -> bool {
        let mut known = self.rule.java.build_packages.iter();
        known.any(|one| one == package)
    }

    fn only_builds(&self, variable: &str) -> bool {
        let mut known = self.rule.java.compiler_variables.iter();
        known.any(|one| one == variable)
    }

    fn command(&mut self, at: &At<'_, '_>) -> Option<Result<For, String>> {
        let found = at.found.command;
        if let Some(asked) = invocation(&found.words) {
            let is_own = asked.manager.kind == Kind::Java && !parts::writes(found);
            return is_own.then(|| self.build(at, &asked).map(|()| For::Build));
        }
        match Self::mends_wrapper(at) {
            true => Some(Ok(For::Build)),
            false => self.copies(at).map(Ok),
        }
    }

    fn runtime(&mut self, stage: &Stage<'_>, parts: &Parts) -> Result<Runtime, String> {
        let base = java_runtime(named_base(stage)?)?;
        let base = base.ok_or("the base image is small already, or has no small one")?;
        keeps_no_account(stage)?;
        let program = Program::of(self.cx, stage)?.within_shell();
        let carried = self.carried(stage, &program)?;
        health::check(stage, |word| word == "java" || parts.kept.has(word))?;
        let embedded = self.packed();
        let sorting = Sorting {
            rule: self.rule,
            options: self.cx.rule,
            sources: &self.rule.java.sources,
            embedded: &embedded,
        };
        let mut assets = sorting.assets(self.cx, parts, &program)?;
        assets.leave(|asset| path::is_at_or_below(asset, &carried));
        let (base, is_suggested) = self.base(parts, base)?;
        let mut runtime = Runtime::of_program(base, carried, assets);
        runtime.is_suggested = is_suggested;
        if let Some(line) = workdir(stage) {
            runtime.line(line, "as in the old base");
        }
        Ok(runtime)
    }
}

impl Java<'_> {
    /// The image on which the program ships, and whether it is for the user to take.
    fn base(&self, parts: &Parts, base: String) -> Result<(Base, bool), String> {
        if self.cx.rule.text("runtime-java") != Some("alpine") || base.contains("-alpine") {
            let why = "the same version of Java, of the same vendor, without the compiler";
            return Ok((Base::new(base, why), false));
        }
        if parts.runs || !parts.kept.is_empty() {
            return Err("what runs in the stage that ships is for Debian".to_owned());
        }
        let (version, _) = base
            .split_once("-jre")
            .filter(|(version, _)| version.contains("eclipse-temurin:"))
            .ok_or("of this vendor no image on Alpine is known that only runs")?;
        let why = "the option `runtime-java` asks for it";
        Ok((Base::new(format!("{version}-jre-alpine"), why), true))
    }

    /// What the runtime stage takes over for the program: an archive, or a whole installation.
    fn carried(&self, stage: &Stage<'_>, program: &Program) -> Result<String, String> {
        match program.name.rsplit('/').next().unwrap_or_default() {
            "java" if !program.name.contains('/') => {}
            "mvn" | "mvnw" | "gradle" | "gradlew" => {
                return Err(format!(
                    "`{}` builds and runs in one: the container needs all that builds",
                    program.name
                ));
            }
            _ => return self.installation(stage, program),
        }
        let file = archive::started(&program.arguments)?;
        let unknown = || format!("that the build makes `{file}`, which is started, is not known");
        let place = stage.model.end.absolute(file).ok_or_else(unknown)?;
        if file.contains(['*', '?', '[', '$']) {
            return Err(format!(
                "which file `{file}` is, which is started, is not known"
            ));
        }
        let made = self.made(&place).ok_or_else(unknown)?;
        let build = &self.builds[made.build];
        let module = Module {
            context: self.cx.context,
            root: &build.root,
            module: &made.module,
        };
        module.holds_all(build.tool, &made.name, &self.rule.java.packers)?;
        Ok(place)
    }

    /// `build/install/NAME` of Gradle, whose script in `bin` is started.
    fn installation(&self, stage: &Stage<'_>, program: &Program) -> Result<String, String> {
        let unknown = || format!("what `{}` needs when it runs is not known", program.name);
        let place = stage
            .model
            .end
            .absolute(&program.name)
            .ok_or_else(unknown)?;
        let directory = path::parent(&place).strip_suffix("/bin");
        let directory = directory.ok_or_else(unknown)?;
        let module = path::parent(directory).strip_suffix("/build/install");
        let module = module.ok_or_else(unknown)?;
        let mut builds = self.builds.iter().filter(|build| build.installs);
        let (root, module) = builds
            .find_map(|build| {
                let inside = path::below(module, build.directory.trim_end_matches('/'))?;
                Some((&build.root, inside.trim_start_matches('/')))
            })
            .ok_or_else(unknown)?;
        let context = self.cx.context;
        let module = Module {
            context,
            root,
            module,
        };
        module.reads_no_sources()?;
        Ok(directory.to_owned())
    }

    /// What an archive holds of the context, and what only the build reads there.
    fn packed(&self) -> Vec<(String, String)> {
        let patterns = [
            "src",
            "target",
            "build",
            "buildSrc",
            "gradle",
            "*/src",
            "*/*/src",
            "config/checkstyle",
            "config/detekt",
            "config/pmd",
            "config/spotbugs",
        ];
        let all = self.builds.iter().flat_map(|build| {
            let root = build.root.clone();
            patterns.map(|pattern| (root.clone(), pattern.to_owned()))
        });
        all.collect()
    }
}

/// No step is run by a user that only the old base has.
fn keeps_no_account(stage: &Stage<'_>) -> Result<(), String> {
    let accounts = stage.model.end.base().family.map(|family| &family.accounts);
    let mut users = stage
        .steps
        .iter()
        .filter(|step| step.instruction.keyword == Keyword::User);
    let own = users.find_map(|step| {
        let word = step.instruction.words().first()?;
        let name = word.text.split(':').next()?;
        accounts?.contains_key(name).then(|| name.to_owned())
    });
    match own {
        Some(name) => Err(format!("the user `{name}` is one of the old base")),
        None => Ok(()),
    }
}

/// The working directory of the old base, where none is set.
fn workdir(stage: &Stage<'_>) -> Option<String> {
    let mut steps = stage.steps.iter();
    if steps.any(|step| step.instruction.keyword == Keyword::Workdir) {
        return None;
    }
    let workdir = stage.model.end.workdir().filter(|workdir| *workdir != "/");
    workdir.map(|workdir| format!("WORKDIR {workdir}"))
}
