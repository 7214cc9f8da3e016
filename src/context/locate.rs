//! Which directory is the build context of a Dockerfile, and which of its stages are built.
//!
//! `--context` says it; else the compose, bake and CI files of the workspace that build this Dockerfile; else the
//! directory of the Dockerfile or one above it in which everything exists that its COPYs and ADDs name. Where two
//! directories are left, or none, the context is not known, and the reason is a value. Nothing is evaluated or run.

use super::copy::{Copy, is_remote};
use super::{BuildContext, Entry, Subdirectory, ignore, path};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

mod bake;
mod compose;
mod declared;
pub mod inline;
mod script;
mod value;
mod workflow;

pub use declared::{Declared, DeclaredBuild, Place, Text};

/// What the workspace says of one Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The context directory, as a path of the workspace; `None` where it is not known.
    pub directory: Option<String>,
    /// How it was found, or why it was not. Its text is a sentence.
    pub how: How,
    /// The stages that some file builds, besides the last one, which every build without a target makes. `None` where
    /// some build's target cannot be read, or the workspace was too large to be searched.
    pub targets: Option<BTreeSet<String>>,
    /// The build arguments that some build gives; `None` for a value that is not known or not the same in all builds.
    pub args: BTreeMap<String, Option<String>>,
    /// The named contexts that some build gives; `None` likewise.
    pub named_contexts: BTreeMap<String, Option<Place>>,
    /// The stage that all builds build; `None` likewise, and for the last one.
    pub target: Option<String>,
    /// Who builds it: files, and the part of each.
    pub built_by: Vec<(String, String)>,
}

/// How a context was found, or why it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// By `--context`.
    Given,
    /// Named by a part of a file: its path, the part.
    Named(String, String),
    /// The Dockerfile's own directory holds all that it copies.
    OwnDirectory,
    /// The only directory above the Dockerfile that holds all that it copies.
    Above,
    /// Not known: files name several directories.
    NamedSeveral(Vec<String>),
    /// Not known: a part of a file builds it from a place that cannot be read.
    NamedElsewhere(String, String, Place),
    /// Not known: a file beside or above the Dockerfile that might name it is broken: its path, the reason.
    Broken(String, String),
    /// Not known: several directories above the Dockerfile hold all that it copies.
    Several(Vec<String>),
    /// Not known: no directory from the Dockerfile upwards holds this source, among others.
    Missing(String),
    /// Not known: the Dockerfile copies whole directories from one that holds nothing but Dockerfiles.
    Empty,
}

impl fmt::Display for How {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => write!(out, "the build context was given"),
            Self::Named(file, part) => {
                write!(out, "the build context is named by {part} of `{file}`")
            }
            Self::OwnDirectory => write!(
                out,
                "the build context is the Dockerfile's directory: it holds every source"
            ),
            Self::Above => write!(
                out,
                "the build context is the only directory above the Dockerfile that holds every source"
            ),
            Self::NamedSeveral(directories) => write!(
                out,
                "several build contexts are named: {}",
                listed(directories)
            ),
            Self::NamedElsewhere(file, part, place) => {
                write!(out, "{part} of `{file}` builds from {place}")
            }
            Self::Broken(file, reason) => write!(
                out,
                "`{file}` might name the build context but cannot be read: {reason}"
            ),
            Self::Several(directories) => {
                write!(
                    out,
                    "several directories hold every source and nothing says which is the build context: {}",
                    listed(directories)
                )
            }
            Self::Missing(source) => write!(
                out,
                "no directory from the Dockerfile upwards holds every source (`{source}`)"
            ),
            Self::Empty => write!(
                out,
                "the Dockerfile's directory holds nothing to copy and nothing names the build context"
            ),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inside(path) => write!(out, "`{}`", shown(path)),
            Self::Outside(path) => write!(out, "`{path}`, outside the workspace"),
            Self::Remote(url) => write!(out, "`{url}`, which is no directory"),
            Self::Unreadable(text) => write!(out, "`{text}`, which only the tool can evaluate"),
        }
    }
}

/// Finds the context of `dockerfile`, a path of `workspace`. `given` is the value of `--context` as a path of the
/// workspace. `copies` holds the sources of each COPY and ADD from the context, expanded; a source that still holds a
/// `$` tells nothing and is left out.
#[must_use]
pub fn locate(
    workspace: &dyn BuildContext,
    declared: &Declared,
    dockerfile: &str,
    copies: &[Vec<String>],
    given: Option<&str>,
) -> Location {
    let search = Search {
        workspace,
        dockerfile,
        copies,
    };
    let builds: Vec<&DeclaredBuild> = declared
        .builds
        .iter()
        .filter(|build| search.is_built_by(build))
        .collect();
    let (directory, how) = match given {
        Some(given) => (Some(path::clean_in_root(given)), How::Given),
        None => search
            .named(&builds)
            .or_else(|| search.blocked_by(declared))
            .unwrap_or_else(|| search.among_ancestors()),
    };
    Location {
        directory,
        how,
        targets: targets(&builds).filter(|_| !declared.truncated),
        args: agreed(&builds, |build| &build.args, true),
        named_contexts: agreed(&builds, |build| &build.named_contexts, false),
        target: one_target(&builds),
        built_by: builds
            .iter()
            .map(|build| (build.file.clone(), build.part.clone()))
            .collect(),
    }
}

/// What the workspace says of the Dockerfile that `service` of the compose file `file` holds itself.
#[must_use]
pub fn locate_inline(declared: &Declared, file: &str, service: &str) -> Option<Location> {
    let part = compose::part(service);
    let is_same = |build: &&DeclaredBuild| {
        build.part == part && path::parent(&build.file) == path::parent(file)
    };
    let builds: Vec<&DeclaredBuild> = declared.inline.iter().filter(is_same).collect();
    let build = builds.iter().find(|build| build.file == file)?;
    let named = |build: &DeclaredBuild| (build.file.clone(), build.part.clone());
    let (named_file, part) = named(build);
    let mut contexts = builds.iter().map(|build| &build.context);
    let (directory, how) = match &build.context {
        Place::Inside(directory) if contexts.all(|one| *one == build.context) => {
            (Some(directory.clone()), How::Named(named_file, part))
        }
        other => (None, How::NamedElsewhere(named_file, part, other.clone())),
    };
    Some(Location {
        directory,
        how,
        targets: targets(&builds).filter(|_| !declared.truncated),
        args: agreed(&builds, |build| &build.args, true),
        named_contexts: agreed(&builds, |build| &build.named_contexts, false),
        target: one_target(&builds),
        built_by: builds.iter().map(|build| named(build)).collect(),
    })
}

type Found = (Option<String>, How);

struct Search<'a> {
    workspace: &'a dyn BuildContext,
    dockerfile: &'a str,
    copies: &'a [Vec<String>],
}

impl Search<'_> {
    /// Whether a build uses this Dockerfile. `dockerfile` stands in for a `Dockerfile` that is not there.
    fn is_built_by(&self, build: &DeclaredBuild) -> bool {
        let Some(dockerfile) = &build.dockerfile else {
            return false;
        };
        let is_fallback = path::file_name(dockerfile) == "Dockerfile"
            && path::join(path::parent(dockerfile), "dockerfile") == self.dockerfile
            && self.workspace.entry(dockerfile).is_none();
        dockerfile == self.dockerfile || is_fallback
    }

    /// The directory that the builds name; `None` without builds.
    fn named(&self, builds: &[&DeclaredBuild]) -> Option<Found> {
        let inside = |build: &DeclaredBuild| {
            if let Place::Inside(path) = &build.context {
                Some(path.clone())
            } else {
                None
            }
        };
        let is_there =
            |directory: &String| self.workspace.entry(directory) == Some(Entry::Directory);
        let mut directories: BTreeSet<String> = builds
            .iter()
            .filter_map(|build| inside(build))
            .filter(is_there)
            .collect();
        if directories.len() > 1 {
            let holding: BTreeSet<String> = directories
                .iter()
                .filter(|directory| self.lacks(directory).is_none())
                .cloned()
                .collect();
            if holding.len() != 1 {
                return Some((None, How::NamedSeveral(directories.into_iter().collect())));
            }
            directories = holding;
        }
        let Some(directory) = directories.pop_first() else {
            let build = builds.first()?;
            let how = How::NamedElsewhere(
                build.file.clone(),
                build.part.clone(),
                build.context.clone(),
            );
            return Some((None, how));
        };
        let build = builds
            .iter()
            .find(|build| inside(build).as_ref() == Some(&directory))?;
        Some((
            Some(directory),
            How::Named(build.file.clone(), build.part.clone()),
        ))
    }

    /// A broken file beside or above the Dockerfile, which might have named it.
    fn blocked_by(&self, declared: &Declared) -> Option<Found> {
        let is_near = |file: &str| {
            let directory = path::parent(file);
            let root = directory
                .strip_suffix(".github/workflows")
                .unwrap_or(directory)
                .trim_end_matches('/');
            path::below(self.dockerfile, root).is_some()
        };
        let (file, reason) = declared.broken.iter().find(|(file, _)| is_near(file))?;
        Some((None, How::Broken(file.clone(), reason.clone())))
    }

    fn among_ancestors(&self) -> Found {
        let own = path::parent(self.dockerfile);
        let missing = self.lacks(own);
        if missing.is_none() && self.copies_all_of_nothing(own) {
            return (None, How::Empty);
        }
        let Some(missing) = missing else {
            return (Some(own.to_owned()), How::OwnDirectory);
        };
        let above = std::iter::successors(Some(own), |directory| {
            (!directory.is_empty()).then(|| path::parent(directory))
        });
        let mut holding: Vec<String> = above
            .skip(1)
            .filter(|directory| self.lacks(directory).is_none())
            .map(str::to_owned)
            .collect();
        match holding.len() {
            0 => (None, How::Missing(missing)),
            1 => (holding.pop(), How::Above),
            _ => (None, How::Several(holding)),
        }
    }

    /// A source that `directory` does not hold, if there is one: the build would fail, or a COPY bring nothing.
    fn lacks(&self, directory: &str) -> Option<String> {
        let Ok((_, ignore)) = ignore::load(self.workspace, directory, self.dockerfile) else {
            return Some(ignore::FILE_NAME.to_owned());
        };
        let context = Subdirectory::new(self.workspace, directory);
        for sources in self.copies {
            let local: Vec<&String> = sources
                .iter()
                .filter(|source| !source.contains('$') && !is_remote(source))
                .collect();
            let copy = |sources: &[&String]| {
                Copy::new(sources, "/", None, &context, &ignore)
                    .check()
                    .is_err()
            };
            if let Some(missing) = local.iter().find(|source| copy(&[source])) {
                return Some((*missing).clone());
            }
            let only_patterns = local.iter().all(|source| super::glob::has_wildcard(source));
            let first = local
                .first()
                .filter(|_| only_patterns && local.len() == sources.len());
            if let Some(first) = first
                && Copy::new(&local, "/", None, &context, &ignore)
                    .files()
                    .next()
                    .is_none()
            {
                return Some((*first).clone());
            }
        }
        None
    }

    /// Whether the COPYs take whole directories, which exist everywhere, and `directory` (not the workspace) holds
    /// nothing but Dockerfiles and their like: it is then a place for Dockerfiles and hardly the context.
    fn copies_all_of_nothing(&self, directory: &str) -> bool {
        let is_whole = |source: &String| path::clean_in_root(source).is_empty();
        let is_docker = |name: &String| {
            let name = name.to_ascii_lowercase();
            name.contains("dockerfile") || name.ends_with(ignore::FILE_NAME)
        };
        !directory.is_empty()
            && self.copies.iter().flatten().any(is_whole)
            && self.workspace.list(directory).iter().all(is_docker)
    }
}

/// The targets that builds name; `None` where one cannot be read.
fn targets(builds: &[&DeclaredBuild]) -> Option<BTreeSet<String>> {
    let name = |text: &Text| {
        if let Text::Literal(name) = text {
            Some(name.clone())
        } else {
            None
        }
    };
    builds
        .iter()
        .filter_map(|build| build.target.as_ref())
        .map(name)
        .collect()
}

/// The stage that every one of them builds.
fn one_target(builds: &[&DeclaredBuild]) -> Option<String> {
    let mut targets = builds.iter().map(|build| build.target.as_ref());
    let first = targets.next()?;
    match first? {
        Text::Literal(name) if targets.all(|target| target == first) => Some(name.clone()),
        _ => None,
    }
}

/// What all builds say under each key; `None` where they differ, and, if `everywhere`, where one of them is silent.
fn agreed<'a, V: Clone + PartialEq + 'a>(
    builds: &[&'a DeclaredBuild],
    of: impl Fn(&'a DeclaredBuild) -> &'a BTreeMap<String, Option<V>>,
    everywhere: bool,
) -> BTreeMap<String, Option<V>> {
    let mut agreed: BTreeMap<String, Option<V>> = BTreeMap::new();
    for key in builds.iter().flat_map(|build| of(build).keys()) {
        let mut values = builds
            .iter()
            .map(|build| of(build).get(key))
            .filter(|value| everywhere || value.is_some());
        let first = values.next().flatten();
        let is_same = first.is_some() && values.all(|value| value == first);
        agreed.insert(key.clone(), first.filter(|_| is_same).cloned().flatten());
    }
    agreed
}

fn shown(directory: &str) -> &str {
    if directory.is_empty() { "." } else { directory }
}

fn listed(directories: &[String]) -> String {
    let quoted: Vec<String> = directories
        .iter()
        .map(|directory| format!("`{}`", shown(directory)))
        .collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests;
