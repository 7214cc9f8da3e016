//! A COPY in front of the COPY that it is part of: the same files at the same places, so that the later one puts down
//! what is there already. What the context holds is not known: a name must say by itself that it is a file.

use super::Side;
use super::copies::{destination, sources};
use super::instruction::have_same_flags;
use super::mounts::covers;
use crate::model::Step;
use crate::syntax::{Instruction, Keyword};

type At<'a, 'f> = (&'a Step<'f>, &'a Side<'f>);

/// Whether `part` is a COPY of files that `whole` copies too, to the same places: `whole` copies the whole context, a
/// directory that they are in, or the very same sources.
pub(super) fn is_part_of(part: At<'_, '_>, whole: At<'_, '_>) -> bool {
    let (one, all) = (part.0.instruction, whole.0.instruction);
    // A file that is no archive is added as it is copied.
    let copies = |one: &Instruction| matches!(one.keyword, Keyword::Copy | Keyword::Add);
    let unpacks = one.keyword == Keyword::Add && !sources(one).iter().all(|one| is_file(one));
    if !copies(one)
        || !copies(all)
        || unpacks
        || !have_same_flags(one, all)
        || !is_plain(one)
        || !is_plain(all)
    {
        return false;
    }
    let (Some((from, to)), Some((into, is_directory))) = (place(part), place(whole)) else {
        return false;
    };
    let wholes = sources(all);
    let parts = sources(one);
    let alone = parts.len() == 1;
    !parts.is_empty()
        && parts.iter().all(|source| {
            let listed = wholes.contains(source) && wholes.len() > 1;
            let is_same = listed && is_directory && to && from == into && is_file(source);
            // Of two sources the later one wins, and what they hold is not known.
            let only = wholes.first().filter(|_| wholes.len() == 1);
            let below = only.and_then(|whole| below(whole, source));
            is_same || below.is_some_and(|below| is_placed(below, &into, (&from, to), alone))
        })
}

/// The destination of a COPY, and whether it is a directory: one that is written as such, or that WORKDIR has made.
fn place(copy: At<'_, '_>) -> Option<(String, bool)> {
    let (path, is_written) = destination(copy)?;
    let is_made = copy.0.before.workdir() == Some(path.as_str());
    Some((path, is_written || is_made))
}

/// Whether a COPY may put something at `path`, of which the last component may be a pattern. Unknown is yes.
pub(super) fn may_bring(copy: At<'_, '_>, path: &str) -> bool {
    let Some((into, to)) = place(copy) else {
        return true;
    };
    let sources = sources(copy.0.instruction);
    let in_directory = to || sources.len() > 1;
    sources.iter().any(|source| match name_of(source) {
        name if !is_file(source) || !in_directory && name.contains('*') => covers(&into, path),
        name if in_directory => fits(&join(&into, name), path),
        _ => fits(&into, path) || fits(&join(&into, name_of(source)), path),
    })
}

/// Whether two COPYs put things at places of which none is in another.
pub(super) fn are_disjoint(one: At<'_, '_>, other: At<'_, '_>) -> bool {
    let (Some(ours), Some(theirs)) = (places(one), places(other)) else {
        return false;
    };
    let apart = |one: &String, other: &String| !covers(one, other) && !covers(other, one);
    let mut ours = ours.iter();
    ours.all(|one| theirs.iter().all(|other| apart(one, other)))
}

/// The files and directories that a COPY fills; patterns fill their directory.
fn places(copy: At<'_, '_>) -> Option<Vec<String>> {
    const MOST: usize = 32;
    let (into, to) = place(copy)?;
    let sources = sources(copy.0.instruction);
    let named = to && sources.len() <= MOST;
    let exact = |source: &&str| is_file(source) && !source.contains('*');
    match named && sources.iter().all(exact) {
        false => Some(vec![into]),
        true => {
            let named = sources.iter().map(|source| join(&into, name_of(source)));
            Some(named.collect())
        }
    }
}

/// Flags that say nothing of which files are copied, or from where.
fn is_plain(instruction: &Instruction) -> bool {
    let mut flags = instruction.flags.iter();
    instruction.heredocs.is_empty()
        && flags.all(|flag| matches!(flag.name.as_str(), "chown" | "chmod" | "link"))
}

/// What `source` is called inside of `whole`, which is the context or a directory of it.
fn below<'s>(whole: &str, source: &'s str) -> Option<&'s str> {
    let known = |text: &str| {
        let odd = ['$', '"', '\'', '\\', '?', '[', ':'];
        let mut parts = text.split('/');
        !text.is_empty()
            && !text.starts_with('-')
            && !text.contains(odd)
            && !parts.any(|part| part == "..")
    };
    if !known(source) || !known(whole) || whole.contains('*') {
        return None;
    }
    let (whole, source) = (relative(whole), relative(source));
    let below = match whole.trim_end_matches('/') {
        "" | "." => source,
        directory => source.strip_prefix(directory)?.strip_prefix('/')?,
    };
    let in_pattern = below
        .rsplit_once('/')
        .is_some_and(|(up, _)| up.contains('*'));
    (!below.is_empty() && below != "." && !in_pattern && !is_archive(below)).then_some(below)
}

fn relative(source: &str) -> &str {
    let mut source = source.trim_start_matches('/');
    while let Some(rest) = source.strip_prefix("./") {
        source = rest.trim_start_matches('/');
    }
    source
}

/// Whether a COPY to `from` (a directory if `to`) puts `below` where a COPY of what it is in to `into` does.
fn is_placed(below: &str, into: &str, (from, to): (&str, bool), alone: bool) -> bool {
    let path = below.trim_end_matches('/');
    let is_directory = path.len() < below.len();
    let place = join(into, path);
    let around = place.rsplit_once('/').map_or("/", |(up, _)| up);
    let around = if around.is_empty() { "/" } else { around };
    let as_file = is_file(below) && to && from == around;
    let named = alone && from == place && !path.contains('*');
    // A directory's contents go to the place that is named; so does a file, unless that is written as a directory.
    as_file || named && (!to || is_directory || !is_file(below))
}

/// Whether a source is certainly a file, or a pattern that only files fit: a directory would leave its contents.
pub(super) fn is_file(source: &str) -> bool {
    const NAMES: [&str; 33] = [
        "Gemfile",
        "Pipfile",
        "Makefile",
        "Procfile",
        "Rakefile",
        "Dockerfile",
        "LICENSE",
        "README",
        "gradlew",
        "mvnw",
        "artisan",
        "WORKSPACE",
        "rust-toolchain",
        ".npmrc",
        ".yarnrc",
        ".nvmrc",
        ".node-version",
        ".python-version",
        ".ruby-version",
        ".go-version",
        ".tool-versions",
        ".terraform-version",
        ".env",
        ".babelrc",
        ".bowerrc",
        ".browserslistrc",
        ".eslintrc",
        ".prettierrc",
        ".swcrc",
        ".editorconfig",
        ".gemrc",
        ".sequelizerc",
        ".netrc",
    ];
    const ENDINGS: [&str; 47] = [
        "bat",
        "bzl",
        "c",
        "cfg",
        "cjs",
        "cnf",
        "conf",
        "config",
        "cs",
        "csproj",
        "cts",
        "env",
        "fsproj",
        "gemspec",
        "go",
        "gradle",
        "html",
        "in",
        "ini",
        "jar",
        "java",
        "js",
        "json",
        "json5",
        "kts",
        "lock",
        "lockb",
        "md",
        "mjs",
        "mod",
        "mts",
        "php",
        "pl",
        "properties",
        "props",
        "py",
        "rb",
        "rs",
        "sh",
        "sln",
        "slnx",
        "sum",
        "targets",
        "toml",
        "ts",
        "txt",
        "vbproj",
    ];
    const MORE: [&str; 8] = ["xml", "yaml", "yml", "cjsx", "tsx", "jsx", "sql", "whl"];
    if source.ends_with('/') {
        return false;
    }
    let name = name_of(source);
    // `yarn.lock*` is a file that need not be there.
    let name = name.strip_suffix('*').unwrap_or(name);
    let ends = name.rsplit_once('.').is_some_and(|(stem, ending)| {
        let ending = ending.to_ascii_lowercase();
        let mut known = ENDINGS.iter().chain(&MORE);
        !stem.is_empty() && known.any(|one| *one == ending)
    });
    ends || NAMES.contains(&name)
}

fn is_archive(name: &str) -> bool {
    const ARCHIVES: [&str; 9] = [
        ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".tbz", ".txz", ".z",
    ];
    let name = name.to_ascii_lowercase();
    ARCHIVES.iter().any(|ending| name.ends_with(ending))
}

pub(super) fn name_of(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

pub(super) fn join(directory: &str, name: &str) -> String {
    format!("{}/{name}", directory.trim_end_matches('/'))
}

/// Whether two paths may be the same; the last component of each may be a pattern.
pub(super) fn fits(one: &str, other: &str) -> bool {
    let split = |path: &str| {
        let (up, last) = path.rsplit_once('/').unwrap_or(("", path));
        (up.to_owned(), last.to_owned())
    };
    let ((up, last), (other_up, other_last)) = (split(one), split(other));
    up == other_up && (is_like(&last, &other_last) || is_like(&other_last, &last))
}

/// Whether `name` fits a pattern of stars and literal pieces.
fn is_like(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        if let Some(piece) = last.replace(piece) {
            let Some(at) = rest.find(piece) else {
                return false;
            };
            rest = &rest[at + piece.len()..];
        }
    }
    match last {
        None => rest.is_empty(),
        Some(piece) => rest.ends_with(piece),
    }
}
