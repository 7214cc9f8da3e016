//! A stage on a smaller base: the small image of the same tag, on which the stage ends in the same state, and where no
//! step calls a tool that comes with the full image.

use std::collections::BTreeSet;

use super::{Fault, Side, Verdict};
use crate::model::{Base, Stage, Step};
use crate::syntax::Keyword;

type At<'a, 'f> = (&'a Side<'f>, &'a Stage<'f>);

/// Tools that full images bring, and small ones do not.
const TOOLS: [&str; 22] = [
    "autoconf", "automake", "bzr", "c++", "cc", "convert", "cpp", "curl", "g++", "gcc", "git",
    "gpg", "hg", "identify", "jar", "javac", "jlink", "make", "ssh", "svn", "unzip", "wget",
];

/// Whether the stage may go onto the base that it has now.
///
/// # Errors
/// The base is no smaller one of the same image, or something of the stage may not work there.
pub(super) fn shrinks((before, old): At<'_, '_>, (after, new): At<'_, '_>) -> Verdict {
    let image = |stage: &Stage<'_>| {
        let word = stage.from.words().first();
        word.map(|word| word.text.clone()).unwrap_or_default()
    };
    let (full, small) = (image(old), image(new));
    if full == small {
        return Ok(());
    }
    let fault = |reason: String| Err(Fault::new(reason, new.from.span));
    if !is_small(&full, &small) {
        return fault(format!("`{small}` is not the small image of `{full}`"));
    }
    let (left, right) = (&old.end, &new.end);
    if left.user() != right.user()
        || left.workdir() != right.workdir()
        || left.shell() != right.shell()
    {
        return fault("the stage ends in another state on the new base".to_owned());
    }
    for (name, variable) in left.variables() {
        let other = right.variable(name).map(|other| &other.value);
        if other != Some(&variable.value) {
            return fault(format!("the variable `{name}` changes with the base"));
        }
    }
    if new.end.base().is_family("python")
        && let Some(library) = lost_library(after, new)
    {
        return fault(format!(
            "the small image may not have the library of `{library}`"
        ));
    }
    // Debian's small image has the same packages.
    let same_packages = right.base().is_family("debian");
    match missing(after, new, small.contains("jre")).filter(|_| !same_packages) {
        Some(tool) => fault(format!("the small image may not have `{tool}`")),
        None if before.model.stages.len() != after.model.stages.len() => {
            fault("the number of stages changes".to_owned())
        }
        None => Ok(()),
    }
}

/// Whether the tag of `small` is that of `full` with `slim` or `jre` in it.
fn is_small(full: &str, small: &str) -> bool {
    let parts = |image: &str| {
        let start = image.rfind('/').unwrap_or_default();
        let (repository, tag) = match image[start..].split_once(':') {
            Some((name, tag)) => (format!("{}{name}", &image[..start]), tag.to_owned()),
            None => (image.to_owned(), String::new()),
        };
        let words = tag
            .split('-')
            .filter(|word| !matches!(*word, "" | "latest" | "jdk"));
        (
            repository,
            words.map(str::to_owned).collect::<BTreeSet<_>>(),
        )
    };
    let ((old, full_words), (new, small_words)) = (parts(full), parts(small));
    let added: Vec<&str> = small_words
        .difference(&full_words)
        .map(String::as_str)
        .collect();
    old == new
        && full_words.is_subset(&small_words)
        && matches!(added.as_slice(), ["slim"] | ["jre"])
}

/// A tool that some RUN, or what the container starts, names and none installs.
fn missing(after: &Side<'_>, stage: &Stage<'_>, is_java: bool) -> Option<String> {
    let runs = || {
        let steps = stage.steps.iter();
        let runs = steps.filter(|step| step.instruction.keyword == Keyword::Run);
        runs.map(|step| String::from_utf8_lossy(step.instruction.span.of(after.text)).into_owned())
    };
    let words = |text: &str| -> Vec<String> {
        let parts = text.split(|ch: char| ch.is_whitespace() || ";&|()`\"'[],".contains(ch));
        parts
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let mut installed = BTreeSet::new();
    for text in runs() {
        let text = text.replace("\\\n", " ");
        let commands = text.split(['&', ';', '|', '\n']);
        let installs = commands.filter(|one| one.contains(" install ") || one.contains(" add "));
        installed.extend(installs.flat_map(words));
    }
    let mut called = runs().chain(started(stage)).flat_map(|text| words(&text));
    called.find(|word| {
        let name = word.rsplit('/').next().unwrap_or(word);
        // The run-time images of Java hold both.
        let stays = is_java && matches!(name, "curl" | "wget");
        TOOLS.contains(&name) && !stays && !installed.contains(name)
    })
}

/// Packages to compile with that leave nothing behind which the small image of Python does not have.
const WITHOUT_LIBRARY: [&str; 14] = [
    "libbz2-dev",
    "libc-dev",
    "libc6-dev",
    "libffi-dev",
    "liblzma-dev",
    "libncurses-dev",
    "libncurses5-dev",
    "libncursesw5-dev",
    "libpython3-dev",
    "libreadline-dev",
    "libsqlite3-dev",
    "libssl-dev",
    "uuid-dev",
    "zlib1g-dev",
];

/// A package to compile with that a stage from which this one copies installs, where this one installs nothing that is
/// called like it.
fn lost_library(after: &Side<'_>, stage: &Stage<'_>) -> Option<String> {
    let text = |step: &Step<'_>| String::from_utf8_lossy(step.instruction.args_text()).into_owned();
    let names = |stage: &Stage<'_>| -> Vec<String> {
        let runs = stage.steps.iter();
        let runs = runs.filter(|step| step.instruction.keyword == Keyword::Run);
        let texts = runs.map(text).filter(|text| text.contains("install"));
        let words = texts.flat_map(|text| {
            let words = text.split(|ch: char| ch.is_whitespace() || ";&|=".contains(ch));
            words.map(str::to_owned).collect::<Vec<_>>()
        });
        words.collect()
    };
    let own = names(stage);
    let has = |package: &str| {
        let stem = package
            .trim_end_matches("-dev")
            .trim_end_matches(char::is_numeric);
        // The library of MySQL is MariaDB's.
        let stem = if stem.contains("mysql") {
            "libmariadb"
        } else {
            stem
        };
        own.iter().any(|name| name.starts_with(stem))
    };
    let mut sources = stage.steps.iter().flat_map(|step| &step.sources);
    sources.find_map(|source| {
        let Base::Stage(index) = source else {
            return None;
        };
        let mut index = *index;
        loop {
            let taken = after.model.stages.get(index)?;
            let mut compiled = names(taken).into_iter().filter(|name| {
                let is_library = name.starts_with("lib") || name.contains("libmysql");
                is_library && name.ends_with("-dev") && !WITHOUT_LIBRARY.contains(&name.as_str())
            });
            if let Some(lost) = compiled.find(|name| !has(name)) {
                return Some(lost);
            }
            match taken.base {
                Base::Stage(below) if below < index => index = below,
                _ => return None,
            }
        }
    })
}

/// What the container and its health check start.
fn started(stage: &Stage<'_>) -> impl Iterator<Item = String> {
    let steps = stage.steps.iter().map(|step| step.instruction);
    let starts = steps.filter(|one| {
        matches!(
            one.keyword,
            Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck
        )
    });
    starts.map(|one| String::from_utf8_lossy(one.args_text()).into_owned())
}
