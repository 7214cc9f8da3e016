//! Java in a stage that is split in two: the stage that ships is built on the image of the same version and vendor that
//! only runs, and takes over the archive that it starts.

use super::super::mounts;
use super::image;
use crate::model::Stage;
use crate::syntax::Keyword;

/// What a tag may say behind the version of Java.
const FLAVOURS: [&str; 12] = [
    "alpine", "bullseye", "buster", "centos7", "focal", "jammy", "jessie", "minimal", "noble",
    "slim", "stretch", "ubi9",
];

/// Whether the old base is an image that builds programs of Java.
pub(super) fn is_old(shipped: &Stage<'_>) -> bool {
    let families = ["maven", "gradle", "eclipse-temurin", "openjdk"];
    let base = shipped.end.base();
    families.iter().any(|family| base.is_family(family))
}

/// Whether the stage that ships has Java, and takes over what it is to run: these words.
pub(super) fn holds(
    (shipped, builder, runtime): (&Stage<'_>, &Stage<'_>, &Stage<'_>),
    carried: &[String],
    words: &[String],
) -> bool {
    let Some(runner) = runner(&image(shipped)) else {
        return false;
    };
    if runner != image(runtime) && !is_on_alpine(&runner, runtime) {
        return false;
    }
    let Some((program, arguments)) = words.split_first() else {
        return false;
    };
    let is_below = |path: &str| {
        let path = runtime.end.absolute(path);
        path.is_some_and(|path| carried.iter().any(|one| mounts::covers(one, &path)))
    };
    if program != "java" {
        let is_installed =
            program.contains("/build/install/") || program.starts_with("build/install/");
        return is_installed && is_below(program);
    }
    let behind = |option: &str| {
        let at = arguments.iter().position(|word| word == option)?;
        let mut rest = arguments.get(at + 1..)?.iter();
        rest.find(|word| !word.starts_with('-'))
    };
    let archive = behind("-jar").or_else(|| behind("-cp"));
    let archive = archive.or_else(|| behind("-classpath"));
    archive.is_some_and(|archive| {
        let is_plain = !archive.contains([':', '*', '$', '?', '[']);
        is_plain && is_below(archive) && is_made(builder, archive)
    })
}

/// Whether the stage is built on the image of the same version on Alpine, and runs no command there.
fn is_on_alpine(runner: &str, runtime: &Stage<'_>) -> bool {
    let version = runner.split_once("-jre").map(|(version, _)| version);
    let is_version = version.is_some_and(|version| {
        version.contains("eclipse-temurin:") && image(runtime) == format!("{version}-jre-alpine")
    });
    let mut steps = runtime.steps.iter();
    is_version && !steps.any(|step| step.instruction.keyword == Keyword::Run)
}

/// Whether the builder may make the archive: where the tools put them, or a command names it.
fn is_made(builder: &Stage<'_>, archive: &str) -> bool {
    let name = archive.rsplit('/').next().unwrap_or(archive);
    let mut runs = builder
        .steps
        .iter()
        .filter(|step| step.instruction.keyword == Keyword::Run);
    let is_put = ["target/", "build/libs/"]
        .iter()
        .any(|one| archive.contains(one));
    let directory = builder.end.workdir().unwrap_or_default();
    let stands_there = directory.ends_with("/target") || directory.ends_with("/build/libs");
    is_put
        || stands_there
        || runs.any(|step| String::from_utf8_lossy(step.instruction.args_text()).contains(name))
}

/// The image that only runs, for one that builds.
fn runner(image: &str) -> Option<String> {
    let (registry, name) = match image.rfind('/') {
        Some(slash) => image.split_at(slash + 1),
        None => ("", image),
    };
    let (name, tag) = name.split_once(':')?;
    let words: Vec<&str> = tag.split('-').collect();
    let (runner, version, rest) = match (name, words.as_slice()) {
        ("eclipse-temurin" | "openjdk", [version, "jdk", rest @ ..] | [version, rest @ ..]) => {
            (name, *version, rest)
        }
        ("maven", [_, "eclipse", "temurin", version, rest @ ..]) => {
            ("eclipse-temurin", *version, rest)
        }
        ("maven", [_, "jdk" | "openjdk", version, rest @ ..]) => ("openjdk", *version, rest),
        ("gradle", [java, rest @ ..]) if java.starts_with("jdk") => {
            ("eclipse-temurin", java.trim_start_matches("jdk"), rest)
        }
        ("gradle", [_, java, rest @ ..]) => ("eclipse-temurin", java.strip_prefix("jdk")?, rest),
        _ => return None,
    };
    let number: u32 = version.split(['.', 'u', '_']).next()?.parse().ok()?;
    let is_kept = match (runner, name) {
        ("openjdk", _) => matches!(number, 7 | 8 | 11),
        (_, "gradle") => number >= 17,
        _ => number >= 8,
    };
    // `alpine3.9`, `alpine-3.20`.
    let is_known = |word: &&str| FLAVOURS.contains(word) || is_alpine(word);
    if !is_kept || !rest.iter().all(is_known) {
        return None;
    }
    let rest: String = rest.iter().map(|word| format!("-{word}")).collect();
    Some(format!("{registry}{runner}:{version}-jre{rest}"))
}

/// Whether a word of a tag is a release of Alpine: `alpine3.9`, or what stands behind `alpine-`.
fn is_alpine(word: &str) -> bool {
    let release = word.strip_prefix("alpine").unwrap_or(word);
    let minor = release.strip_prefix("3.");
    minor.is_some_and(|minor| minor.parse::<u32>().is_ok())
}
