//! What a COPY or ADD brings out of the build context, and where it lands.
//!
//! BuildKit's rules: a source is a path or a pattern below the context, `..` stops at its root; of a directory the
//! *contents* are copied; a destination that ends in `/` or `/.` is a directory, another one is a directory only if one
//! stands there already. Symlinks named by a source are followed inside the context, those inside a copied directory
//! are copied as they are.
//!
//! This module reads no file. It lists nothing for a question about one path ([`Copy::brings`]), and directory by
//! directory for all of them ([`Copy::files`]). It does not know `--parents` and `--exclude`, nor that ADD unpacks
//! archives: the caller does.

use super::glob;
use super::ignore::Ignore;
use super::path;
use super::{BuildContext, Entry, Kind};

mod destination;
mod files;

pub use destination::{Destination, ImagePath, Landing};
pub use files::Files;

/// The local sources and the destination of one COPY or ADD, over one context.
#[derive(Clone)]
pub struct Copy<'a> {
    context: &'a dyn BuildContext,
    ignore: &'a Ignore,
    sources: Vec<Source>,
    destination: Destination,
}

/// What would fail the build, or cannot be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyError {
    /// The context is not known.
    UnknownContext,
    /// A source that is not there, or that the ignore file keeps out. Never a pattern that matches nothing: that brings
    /// nothing and is no error.
    NotFound(String),
    /// A malformed pattern.
    BadPattern(String),
    /// A source that is neither a file nor a directory, or a symlink that leaves the context.
    Special(String),
    /// Several sources and a destination that does not end in `/`: the manual forbids it.
    NotADirectory,
}

impl std::fmt::Display for CopyError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownContext => write!(out, "the build context is not known"),
            Self::NotFound(source) => write!(out, "`{source}` is not in the build context"),
            Self::BadPattern(source) => write!(out, "`{source}` is a malformed pattern"),
            Self::Special(source) => write!(
                out,
                "`{source}` is no plain file or directory of the build context"
            ),
            Self::NotADirectory => {
                write!(out, "several sources need a destination that ends in `/`")
            }
        }
    }
}

impl std::error::Error for CopyError {}

/// A local source: a path, or a path and the pattern below it.
#[derive(Debug, Clone)]
struct Source {
    written: String,
    /// The part before the first component that holds a wildcard; cleaned, relative to the context.
    base: String,
    pattern: Option<String>,
}

/// How a path is reached through a source.
enum Reach {
    /// It is the file that the source names, called so.
    Named(String),
    /// It is this path inside a directory whose contents are copied; empty for the directory itself.
    Inside(String),
}

impl<'a> Copy<'a> {
    /// A COPY of `sources` (expanded, as the builder has them) to `destination`, in a stage whose working directory is
    /// `workdir`: absolute and made by a WORKDIR, or not known. Remote sources ([`is_remote`]) bring nothing of the
    /// context and are left out.
    pub fn new<S: AsRef<str>>(
        sources: impl IntoIterator<Item = S>,
        destination: &str,
        workdir: Option<&str>,
        context: &'a dyn BuildContext,
        ignore: &'a Ignore,
    ) -> Self {
        let local = sources
            .into_iter()
            .filter(|source| !is_remote(source.as_ref()));
        let sources = local.map(|source| Source::new(source.as_ref())).collect();
        Self {
            context,
            ignore,
            sources,
            destination: Destination::new(destination, workdir),
        }
    }

    /// The destination.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Whether the build gets past this COPY, as far as its sources tell. Lists nothing but what an ignored source with
    /// exceptions below it needs.
    ///
    /// # Errors
    /// The first source that fails, and why.
    pub fn check(&self) -> Result<(), CopyError> {
        if !self.context.is_known() {
            return Err(CopyError::UnknownContext);
        }
        for source in &self.sources {
            self.check_source(source)?;
        }
        if self.sources.len() > 1 && !self.destination.is_directory() {
            return Err(CopyError::NotADirectory);
        }
        Ok(())
    }

    /// Where the file or directory at `path` lands, once for each source that brings it; empty if none does. `None`
    /// where it cannot be known: no context, a malformed pattern, a source that leaves the context. A file that a
    /// wildcard reaches only through a symlink is found by the symlink's path, not by its own.
    #[must_use]
    pub fn brings(&self, path: &str) -> Option<Vec<Landing>> {
        if !self.context.is_known() {
            return None;
        }
        let path = path::clean_in_root(path);
        let mut landings = Vec::new();
        for source in &self.sources {
            if let Some(reach) = self.reach(source, &path)? {
                landings.push(self.landing(&reach));
            }
        }
        Some(landings)
    }

    /// Every file that is brought, and where it lands; symlinks count as files. Directories are read as the iterator
    /// reaches them, those that are ignored as a whole never.
    #[must_use]
    pub fn files(&'a self) -> Files<'a> {
        Files::new(self)
    }

    fn landing(&self, reach: &Reach) -> Landing {
        match reach {
            Reach::Named(name) => self.destination.of_file(name),
            Reach::Inside(rest) => self.destination.of_contents(rest),
        }
    }

    fn check_source(&self, source: &Source) -> Result<(), CopyError> {
        let not_found = || CopyError::NotFound(source.written.clone());
        if let Some(pattern) = &source.pattern {
            glob::validate(pattern).map_err(|_| CopyError::BadPattern(source.written.clone()))?;
        }
        match self.context.entry(&source.base).ok_or_else(not_found)? {
            Entry::Other => Err(CopyError::Special(source.written.clone())),
            Entry::File(_) if self.ignore.ignores(&source.base) => Err(not_found()),
            Entry::Directory if !self.directory_is_there(&source.base) => Err(not_found()),
            Entry::File(_) | Entry::Directory => Ok(()),
        }
    }

    /// Whether the directory reaches the builder: it is not ignored, or something below it is not.
    fn directory_is_there(&self, directory: &str) -> bool {
        !self.ignore.ignores(directory)
            || (self.ignore.may_except_below(directory)
                && Files::below(self, directory).next().is_some())
    }

    /// How `path` is reached through `source`, if it is; the outer `None` where that cannot be known.
    fn reach(&self, source: &Source, path: &str) -> Option<Option<Reach>> {
        match self.context.entry(&source.base) {
            None => Some(None),
            Some(Entry::Other) => None,
            Some(_) => match &source.pattern {
                None => Some(self.reach_named(&source.base, path)),
                Some(pattern) => {
                    glob::validate(pattern).ok()?;
                    Some(self.reach_matched(&source.base, pattern, path))
                }
            },
        }
    }

    /// Through the file or directory `named`, which may be, or be behind, a symlink.
    fn reach_named(&self, named: &str, path: &str) -> Option<Reach> {
        let real = self.context.resolve(named)?;
        if real != named && self.ignore.ignores(named) {
            return None;
        }
        let rest = path::below(path, named).or_else(|| path::below(path, &real))?;
        match self.context.entry(&real)? {
            Entry::File(_) if rest.is_empty() && !self.ignore.ignores(&real) => {
                Some(Reach::Named(path::file_name(named).to_owned()))
            }
            Entry::Directory if self.stands_at(&path::join(&real, rest)) => {
                Some(Reach::Inside(rest.to_owned()))
            }
            _ => None,
        }
    }

    /// Through the first name on the way from `base` to `path` that `pattern` matches: BuildKit looks no deeper.
    fn reach_matched(&self, base: &str, pattern: &str, path: &str) -> Option<Reach> {
        let real = self.context.resolve(base)?;
        let rest = path::below(path, base).or_else(|| path::below(path, &real))?;
        let matched =
            path::prefixes(rest).find(|inner| glob::matches(pattern, inner) == Ok(true))?;
        let named = path::join(&real, matched);
        if !self.stands_at(&named) {
            return None;
        }
        let below = path::below(rest, matched)?;
        self.reach_named(&named, &path::join(&named, below))
    }

    /// Whether something stands at `path` that reaches the builder, with no symlink on the way to it.
    fn stands_at(&self, path: &str) -> bool {
        let parent = path::parent(path);
        let is_there = match self.context.entry(path) {
            Some(Entry::Directory) => self.directory_is_there(path),
            _ => self.is_listed(path) && !self.ignore.ignores(path),
        };
        is_there && self.context.resolve(parent).as_deref() == Some(parent)
    }

    /// Whether `path` is there, if only as a symlink that leads nowhere.
    fn is_listed(&self, path: &str) -> bool {
        if self.context.entry(path).is_some() {
            return true;
        }
        let name = path::file_name(path);
        self.context
            .children(path::parent(path))
            .iter()
            .any(|(child, kind)| child == name && *kind == Kind::Symlink)
    }
}

impl Source {
    fn new(written: &str) -> Self {
        let cleaned = path::clean_in_root(written);
        let wild = cleaned.split('/').position(glob::has_wildcard);
        let (base, pattern) = match wild {
            None => (cleaned, None),
            Some(at) => {
                let parts: Vec<&str> = cleaned.split('/').collect();
                let (base, pattern) = parts.split_at(at);
                (base.join("/"), Some(pattern.join("/")))
            }
        };
        Self {
            written: written.to_owned(),
            base,
            pattern,
        }
    }
}

/// Whether a source names something outside the build context: a URL or a git repository, which only ADD takes.
#[must_use]
pub fn is_remote(source: &str) -> bool {
    let has_scheme = source.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
    });
    let is_scp = source.split_once(':').is_some_and(|(host, _)| {
        host.split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('/'))
    });
    has_scheme || is_scp
}

#[cfg(test)]
mod tests;
