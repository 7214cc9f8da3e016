//! What Gradle reads to fetch dependencies: build files, settings and `gradle/`, never the sources. Build files are
//! programs: one that reads files or starts programs while it is read is declined, and what goes before a build fetches
//! Gradle itself, plugins and the descriptions of dependencies, so there is a doubt always.

use super::{Early, Install, Reads};
use crate::context::path;
use crate::model::managers::{Flag, Role};
use crate::project::Value;
use crate::project::java::{GradleBuild, gradle_build};

/// Options that decide what is fetched, and how it is told; `-D…` and `-P…` besides.
const KEPT: [&str; 11] = [
    "-b",
    "--build-file",
    "-c",
    "--settings-file",
    "-g",
    "--gradle-user-home",
    "--console",
    "--no-daemon",
    "--refresh-dependencies",
    "--stacktrace",
    "-q",
];

/// Files of one project of a build.
const OF_PROJECT: [&str; 4] = [
    "build.gradle",
    "build.gradle.kts",
    "gradle.properties",
    "gradle.lockfile",
];

/// Files of the whole build.
const OF_BUILD: [&str; 5] = [
    "buildscript-gradle.lockfile",
    "gradle",
    "settings-gradle.lockfile",
    "settings.gradle",
    "settings.gradle.kts",
];

/// What a build file says where it reads files or starts programs.
const READING: [&str; 18] = [
    ".text",
    "readText",
    "readLines",
    "eachLine",
    "withReader",
    "newReader",
    "InputStream",
    "FileReader",
    "new File(",
    "java.io.File",
    ".exists()",
    ".execute()",
    "ProcessBuilder",
    "providers.exec",
    "listFiles",
    "eachFile",
    "JsonSlurper",
    ".load(",
];

/// Parts of the names of plugins that read more of the project while the build files are read.
const READING_PLUGINS: [&str; 5] = ["android", "axion", "git", "grgit", "nebula"];

/// See [`super::reads`].
pub(super) fn reads(install: &Install<'_>) -> Option<Result<Reads, String>> {
    let role = install.invocation.role;
    matches!(role, Role::Install | Role::Build | Role::Run).then(|| dependencies(install))
}

fn dependencies(install: &Install<'_>) -> Result<Reads, String> {
    refuse_modes(install)?;
    let mut reads = Reads::of_itself();
    for file in OF_BUILD {
        install.add(&path::join(install.root, file), &mut reads);
    }
    install.add_wrapper(
        "gradlew",
        &["gradle/wrapper/gradle-wrapper.properties"],
        &mut reads,
    )?;
    build_source(install, &mut reads)?;
    let projects = projects(install)?;
    for (index, project) in projects.iter().enumerate() {
        let found = add_project(install, project, &mut reads)?;
        // The root of several projects needs no build file.
        if !found && (index > 0 || projects.len() == 1) {
            let project = path::below(project, install.root).filter(|below| !below.is_empty());
            return Err(format!(
                "there is no build file in `{}`",
                project.unwrap_or(".")
            ));
        }
    }
    settings(install, &mut reads)?;
    let mut words = install.start(|name| name == "GRADLE_OPTS" || name == "GRADLE_USER_HOME")?;
    if !install.has(&["--no-daemon"]) {
        words.push("--no-daemon".to_owned());
    }
    words.extend(install.options(is_kept)?);
    words.push(listing(install));
    reads.doubt = Some(
        "`gradle dependencies` fetches Gradle's plugins and what describes the dependencies, but not their archives"
            .to_owned(),
    );
    reads.early = Early::Fetch(words.join(" "));
    if install.invocation.role == Role::Install {
        reads.doubt = Some("a build file may read other files of the project".to_owned());
        reads.early = Early::Itself;
    }
    Ok(reads)
}

fn refuse_modes(install: &Install<'_>) -> Result<(), String> {
    install.refuse_computed(|_| false)?;
    if install.has(&["--offline"]) {
        return Err("it works offline".to_owned());
    }
    let others = [
        "-I",
        "--init-script",
        "-p",
        "--project-dir",
        "--include-build",
    ];
    let mut flags = install.invocation.flags.iter();
    if let Some(flag) = flags.find(|flag| others.contains(&flag.name.as_str())) {
        return Err(format!("`{}` names other files", flag.name));
    }
    Ok(())
}

/// The project that is built before all others, and read with its sources.
fn build_source(install: &Install<'_>, reads: &mut Reads) -> Result<(), String> {
    let directory = path::join(install.root, "buildSrc");
    if install.context.entry(&directory).is_none() {
        return Ok(());
    }
    for name in [
        "build.gradle",
        "build.gradle.kts",
        "settings.gradle",
        "settings.gradle.kts",
    ] {
        let file = path::join(&directory, name);
        if install.context.entry(&file).is_some() {
            refuse_reading(&file, &install.text(&file)?)?;
        }
    }
    reads.add_path(install, "buildSrc")
}

/// The task that lists the dependencies of what is built: those of one project where all tasks are of that one.
fn listing(install: &Install<'_>) -> String {
    let tasks = install.invocation.subcommand_name.split(' ');
    let mut projects = tasks.map(|task| task.rsplit_once(':').map_or("", |(project, _)| project));
    let first = projects.next().unwrap_or_default();
    match first.is_empty() || projects.any(|project| project != first) {
        true => "dependencies".to_owned(),
        false => format!("{first}:dependencies"),
    }
}

fn is_kept(flag: &Flag) -> bool {
    let name = flag.name.as_str();
    KEPT.contains(&name) || name.starts_with("-D") || name.starts_with("-P")
}

/// The directories in the context of the projects of the build, the root first.
fn projects(install: &Install<'_>) -> Result<Vec<String>, String> {
    let mut projects = vec![install.root.to_owned()];
    let settings = install.project.gradle_settings();
    let Some(settings) = settings.map_err(|error| error.to_string())? else {
        return Ok(projects);
    };
    if settings
        .included_builds
        .as_ref()
        .is_none_or(|builds| !builds.is_empty())
    {
        return Err("the settings include another build".to_owned());
    }
    let Some(includes) = &settings.includes else {
        return Err("which projects the settings include is not known".to_owned());
    };
    projects.extend(
        includes
            .iter()
            .map(|directory| path::join(install.root, directory)),
    );
    Ok(projects)
}

/// Whether there is a build file.
fn add_project(install: &Install<'_>, directory: &str, reads: &mut Reads) -> Result<bool, String> {
    let mut found = false;
    for name in OF_PROJECT {
        let file = path::join(directory, name);
        if install.add(&file, reads) && name.starts_with("build.") {
            found = true;
            let text = install.text(&file)?;
            refuse_reading(&file, &text)?;
            let build = gradle_build(&file, text.as_bytes()).map_err(|error| error.to_string())?;
            add_named(install, &file, &build, reads)?;
        }
    }
    Ok(found)
}

fn refuse_reading(file: &str, text: &str) -> Result<(), String> {
    match READING.iter().find(|word| text.contains(**word)) {
        Some(word) => Err(format!("`{file}` may read other files (`{word}`)")),
        None => Ok(()),
    }
}

/// The scripts that a build file applies, and the archives that it names.
fn add_named(
    install: &Install<'_>,
    file: &str,
    build: &GradleBuild,
    reads: &mut Reads,
) -> Result<(), String> {
    let reading = |plugin: &&String| {
        let mut parts = plugin.split(['.', '-']);
        parts.any(|part| READING_PLUGINS.contains(&part))
    };
    if let Some(plugin) = build.plugins.iter().find(reading) {
        return Err(format!(
            "the plugin `{plugin}` of `{file}` may read other files"
        ));
    }
    for named in &build.files {
        add_file(install, file, named, reads)?;
    }
    Ok(())
}

/// The files that the settings name.
fn settings(install: &Install<'_>, reads: &mut Reads) -> Result<(), String> {
    let settings = install.project.gradle_settings();
    let Some(settings) = settings.map_err(|error| error.to_string())? else {
        return Ok(());
    };
    for name in ["settings.gradle", "settings.gradle.kts"] {
        let file = path::join(install.root, name);
        if install.context.entry(&file).is_none() {
            continue;
        }
        refuse_reading(&file, &install.text(&file)?)?;
        for named in &settings.files {
            add_file(install, &file, named, reads)?;
        }
    }
    Ok(())
}

fn add_file(
    install: &Install<'_>,
    from: &str,
    named: &Value,
    reads: &mut Reads,
) -> Result<(), String> {
    let (Value::Literal(text) | Value::Computed(text)) = named;
    if text.contains("://") {
        return Ok(());
    }
    let of_root = [
        "$rootDir/",
        "${rootDir}/",
        "$rootProject.projectDir/",
        "${rootProject.projectDir}/",
    ];
    let of_root = of_root.iter().find_map(|start| text.strip_prefix(start));
    let (directory, relative) = match of_root {
        Some(rest) => (install.root, rest),
        None => (path::parent(from), text.as_str()),
    };
    let is_known = !relative.contains('$') && (of_root.is_some() || named.literal().is_some());
    if !is_known {
        return Err(format!("`{from}` names a file that is computed (`{text}`)"));
    }
    // What is not there is made by the build, or the build fails without it as it does now.
    if let Some(file) = path::resolve_from(directory, relative) {
        install.add(&file, reads);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Expected, check};

    const BUILD: &str = "plugins {\n  id 'java'\n}\ndependencies {\n  implementation 'a:b:1'\n}\n";
    const DOUBT: &str = "`gradle dependencies` fetches Gradle's plugins and what describes the dependencies, but not their archives";

    fn fetch<'e>(paths: &'e [&'e str], command: &'e str) -> Expected<'e> {
        Expected::Fetch(paths, command, Some(DOUBT))
    }

    #[test]
    fn a_build_looks_at_its_dependencies_first() {
        let files = [
            ("build.gradle", BUILD),
            ("settings.gradle", "rootProject.name = 'a'\n"),
            ("gradle/wrapper/gradle-wrapper.properties", ""),
            ("gradlew", ""),
            ("src/A.java", ""),
        ];
        let plain = ["build.gradle", "gradle", "settings.gradle"];
        check(
            &files,
            "gradle build -x test",
            fetch(&plain, "gradle --no-daemon dependencies"),
        );
        let properties = "gradle --no-daemon -Pprod dependencies";
        check(
            &files,
            "gradle clean bootJar -Pprod --no-daemon",
            Expected::Fetch(
                &plain,
                "gradle -Pprod --no-daemon dependencies",
                Some(DOUBT),
            ),
        );
        check(
            &files,
            "gradle clean bootJar -Pprod",
            fetch(&plain, properties),
        );
        let wrapped = ["build.gradle", "gradle", "gradlew", "settings.gradle"];
        check(
            &files,
            "./gradlew bootJar",
            fetch(&wrapped, "./gradlew --no-daemon dependencies"),
        );
        check(&files, "gradle clean", Expected::Nothing);
        let reads = Some("a build file may read other files of the project");
        check(
            &files,
            "gradle dependencies",
            Expected::Itself(&plain, &[], reads),
        );
    }

    #[test]
    fn projects_of_one_build() {
        let files = [
            ("settings.gradle.kts", "include(\":app\", \":core\")\n"),
            (
                "app/build.gradle.kts",
                "apply(from = \"$rootDir/common.gradle\")\n",
            ),
            ("core/build.gradle", BUILD),
            ("build.gradle", ""),
            ("common.gradle", ""),
        ];
        let paths = [
            "app/build.gradle.kts",
            "build.gradle",
            "common.gradle",
            "core/build.gradle",
            "settings.gradle.kts",
        ];
        check(
            &files,
            "gradle :app:bootJar",
            fetch(&paths, "gradle --no-daemon :app:dependencies"),
        );
        let missing = Expected::Declined("there is no build file in `core`");
        check(&files[..2], "gradle build", missing);
        check(
            &files[4..],
            "gradle build",
            Expected::Declined("there is no build file in `.`"),
        );
    }

    #[test]
    fn declines() {
        for (build, command, why) in [
            (
                "version = file('v').text\n",
                "gradle build",
                "`build.gradle` may read other files (`.text`)",
            ),
            (
                "apply from: name\n",
                "gradle build",
                "`build.gradle` names a file that is computed (`name`)",
            ),
            (
                "plugins { id 'com.android.application' }\n",
                "gradle build",
                "the plugin `com.android.application` of `build.gradle` may read other files",
            ),
            (BUILD, "gradle --offline build", "it works offline"),
            (
                BUILD,
                "gradle -I init.gradle build",
                "`-I` names other files",
            ),
            (
                BUILD,
                "gradle build -Pv=$V",
                "`-Pv=$V` is known only when the step runs",
            ),
        ] {
            check(&[("build.gradle", build)], command, Expected::Declined(why));
        }
        let source = [
            ("build.gradle", BUILD),
            ("buildSrc/build.gradle", "file('x').text"),
        ];
        let why = "`buildSrc/build.gradle` may read other files (`.text`)";
        check(&source, "gradle build", Expected::Declined(why));
        let other = [
            ("build.gradle", BUILD),
            ("settings.gradle", "includeBuild 'logic'\n"),
        ];
        check(
            &other,
            "gradle build",
            Expected::Declined("the settings include another build"),
        );
    }

    #[test]
    fn what_one_project_of_several_needs() {
        let files = [
            ("build.gradle", BUILD),
            ("buildSrc/build.gradle", ""),
            ("settings.gradle", "include 'web'\n"),
            ("web/build.gradle", BUILD),
        ];
        let paths = [
            "build.gradle",
            "buildSrc",
            "settings.gradle",
            "web/build.gradle",
        ];
        for (command, task) in [
            ("gradle web:build -x test", "web:dependencies"),
            ("gradle :web:jar", ":web:dependencies"),
            ("gradle web:jar build", "dependencies"),
        ] {
            let fetched = format!("gradle --no-daemon {task}");
            check(&files, command, fetch(&paths, &fetched));
        }
    }

    /// A part of the name of a plugin is looked at, never a part of that.
    #[test]
    fn plugins_that_read_more() {
        let with = |plugin: &str| format!("plugins {{ id '{plugin}' version '1' }}\n");
        let shadow = with("com.github.johnrengelman.shadow");
        let files = [("build.gradle", shadow.as_str())];
        let paths = ["build.gradle"];
        check(
            &files,
            "gradle build",
            fetch(&paths, "gradle --no-daemon dependencies"),
        );
        let version = with("com.palantir.git-version");
        let why = "the plugin `com.palantir.git-version` of `build.gradle` may read other files";
        check(
            &[("build.gradle", &version)],
            "gradle build",
            Expected::Declined(why),
        );
    }
}
