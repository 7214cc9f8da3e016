//! The archive that `java` starts, and whether it holds all that the program depends on.

use crate::context::{BuildContext, path};
use crate::project::Project;
use crate::project::java::{GradleBuild, Pom};

/// What builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Maven,
    Gradle,
}

impl Tool {
    /// Where it puts archives, seen from the module.
    pub(super) fn output(self) -> &'static str {
        match self {
            Self::Maven => "/target",
            Self::Gradle => "/build/libs",
        }
    }
}

/// The archive that these arguments of `java` start.
///
/// # Errors
/// They start something else, or more.
pub(super) fn started(arguments: &[String]) -> Result<&str, String> {
    const MORE: [&str; 5] = [
        "-agent",
        "-javaagent",
        "-Dloader.",
        "-Xbootclasspath",
        "--module-path",
    ];
    let unknown = || "which archive `java` starts is not known".to_owned();
    let mut words = arguments.iter().map(String::as_str);
    let mut archive = None;
    let mut is_archive = false;
    while let Some(word) = words.next() {
        if MORE.iter().any(|one| word.starts_with(one)) || matches!(word, "-p" | "-m") {
            return Err(format!("`{word}` may need more than the archive"));
        }
        match word {
            // Other options may follow.
            "-jar" => is_archive = true,
            "-cp" | "-classpath" | "--class-path" => archive = words.next(),
            "--add-opens" | "--add-exports" | "--add-modules" | "--add-reads" => {
                words.next();
            }
            _ if word.starts_with(['-', '$', '@']) => {}
            _ if is_archive => return Ok(word),
            // The main class of a class path that is one archive.
            _ => break,
        }
    }
    let archive = archive.ok_or_else(unknown)?;
    match archive.contains(':') || !archive.ends_with(".jar") {
        true => Err(format!("`java` runs more than one archive: `{archive}`")),
        false => Ok(archive),
    }
}

/// A module of a build.
pub(super) struct Module<'c> {
    pub(super) context: &'c dyn BuildContext,
    /// The directory of the build in the context.
    pub(super) root: &'c str,
    /// The module's, seen from there.
    pub(super) module: &'c str,
}

impl Module<'_> {
    /// The archive `name` (or a pattern of it) holds all that the program depends on.
    ///
    /// # Errors
    /// It does not, or that is not known.
    pub(super) fn holds_all(
        &self,
        tool: Tool,
        name: &str,
        packers: &[String],
    ) -> Result<(), String> {
        self.reads_no_sources()?;
        let directories = self.directories();
        let projects = directories
            .iter()
            .map(|directory| Project::new(self.context, directory));
        let projects: Vec<Project<'_>> = projects.collect();
        let is_known = match tool {
            Tool::Maven => {
                let poms = projects.iter().map(|project| project.pom().ok().flatten());
                maven(&poms.collect::<Vec<_>>(), name, packers)?
            }
            Tool::Gradle => {
                let builds = projects.iter();
                let builds = builds.filter_map(|project| project.gradle_build().ok().flatten());
                gradle(&builds.collect::<Vec<_>>(), name)
            }
        };
        match is_known {
            true => Ok(()),
            false => Err(format!(
                "whether `{name}` holds all that the program depends on is not known"
            )),
        }
    }

    /// The directories of the context from the module's up to that of the build.
    fn directories(&self) -> Vec<String> {
        let mut directories = vec![self.root.to_owned()];
        let inner = path::prefixes(self.module);
        directories.extend(inner.map(|inner| path::join(self.root, inner)));
        directories.reverse();
        directories
    }

    /// No source names a path of the sources: a program that reads those needs more than its archive.
    ///
    /// # Errors
    /// One does, or there are too many.
    pub(super) fn reads_no_sources(&self) -> Result<(), String> {
        let start = path::join(&path::join(self.root, self.module), "src/main");
        let mut open = vec![start];
        let mut count = 0;
        while let Some(directory) = open.pop() {
            for name in self.context.list(&directory) {
                let file = path::join(&directory, &name);
                count += 1;
                if count > MOST_FILES {
                    return Err("the sources are too many to be looked through".to_owned());
                }
                if !SOURCES.iter().any(|ending| name.ends_with(ending)) {
                    if !name.contains('.') || !self.context.list(&file).is_empty() {
                        open.push(file);
                    }
                    continue;
                }
                let bytes = self.context.read(&file, LIMIT).unwrap_or_default();
                if String::from_utf8_lossy(&bytes).contains("src/main/") {
                    return Err(format!("`{file}` names a path of the sources"));
                }
            }
        }
        Ok(())
    }
}

const SOURCES: [&str; 4] = [".java", ".kt", ".scala", ".groovy"];

/// The most files of one module that are looked at, and the most bytes of each.
const MOST_FILES: usize = 20_000;
const LIMIT: usize = 1 << 20;

/// Whether this archive of the first POM holds all; the others stand above it.
fn maven(poms: &[Option<&Pom>], name: &str, packers: &[String]) -> Result<bool, String> {
    let Some(Some(own)) = poms.first() else {
        return Err("the module that is started has no `pom.xml`".to_owned());
    };
    let all = || poms.iter().flatten();
    if all().any(|pom| pom.sets_class_path) {
        return Err(format!(
            "the manifest of `{name}` names other archives that it needs"
        ));
    }
    let has_tools = |pom: &&&Pom| pom.system_paths.iter().any(|one| one.contains("tools.jar"));
    if all().any(|pom| has_tools(&pom)) {
        return Err("the program uses the compiler of Java".to_owned());
    }
    let mut plugins = all().flat_map(|pom| &pom.plugins);
    if plugins.any(|plugin| packers.contains(plugin)) {
        return Ok(!name.starts_with("original-"));
    }
    if all().any(|pom| pom.descriptors.iter().any(|one| one == WHOLE)) {
        let plain = own.artifact();
        let is_plain = plain.is_none_or(|plain| plain == format!("target/{name}"));
        let replaces = all().any(|pom| pom.replaces_archive);
        return Ok(name.contains(WHOLE) || replaces || !is_plain && !name.contains('*'));
    }
    Ok(own.parent.is_none() && all().all(|pom| pom.dependencies.is_empty()))
}

/// What the assembly plugin calls an archive that holds all.
const WHOLE: &str = "jar-with-dependencies";

/// Whether this archive of the first build file holds all; the others stand above it.
fn gradle(builds: &[&GradleBuild], name: &str) -> bool {
    let has = |wanted: &[&str]| {
        let mut plugins = builds.iter().flat_map(|build| &build.plugins);
        plugins.any(|plugin| {
            let plain = plugin.trim_start_matches("libs.plugins.").replace('.', "");
            wanted
                .iter()
                .any(|one| plugin == one || plain.eq_ignore_ascii_case(one))
        })
    };
    if has(&[
        "org.springframework.boot",
        "springboot",
        "springframeworkboot",
    ]) {
        return !name.ends_with("-plain.jar");
    }
    let shadows = has(&[
        "com.github.johnrengelman.shadow",
        "com.gradleup.shadow",
        "io.ktor.plugin",
        "shadow",
        "shadowjar",
        "ktor",
    ]);
    let mut archives = builds.iter().flat_map(|build| &build.archives);
    let is_named = archives.any(|archive| {
        let task = archive.task.to_ascii_lowercase();
        let value = archive.value.literal();
        let is_whole = task.contains("shadow") || task.contains("fatjar");
        let is_it = match archive.property.as_str() {
            "archiveFileName" => value == Some(name),
            "archiveClassifier" => value
                .is_some_and(|value| value.is_empty() || name.ends_with(&format!("-{value}.jar"))),
            _ => false,
        };
        is_whole && is_it
    });
    shadows && (name.ends_with("-all.jar") || is_named)
}
