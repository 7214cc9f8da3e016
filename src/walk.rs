//! Which Dockerfiles a run is about: finds them under the paths that the user named, and reads them.
//!
//! A walk never follows a symlink, and a file that was named is never followed out of its workspace. Only regular
//! files are ever opened.

pub mod disk;
mod name;
mod source;

use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};

use ignore::WalkBuilder;

pub use name::{has_other_ending, is_dockerfile};
pub use source::{SIZE_LIMIT, read, read_regular, read_stdin};

/// A Dockerfile of the run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The path that reports name, relative where the user's path was.
    pub path: PathBuf,
    /// The file itself, at the end of all symlinks; relative to the current folder where it lies below it.
    pub target: PathBuf,
}

/// Why a path could not be done. The rest of the run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// The path, as the user named it or as the walk found it.
    pub path: PathBuf,
    /// The 1-based line of it, where one is known.
    pub line: Option<u32>,
    /// What is wrong with it, lower case.
    pub message: String,
}

impl fmt::Display for PathError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.path.display())?;
        if let Some(line) = self.line {
            write!(formatter, "{line}:")?;
        }
        write!(formatter, " {}", self.message)
    }
}

impl std::error::Error for PathError {}

impl PathError {
    /// An error about `path`.
    pub fn new(path: impl Into<PathBuf>, message: impl fmt::Display) -> Self {
        Self {
            path: path.into(),
            line: None,
            message: message.to_string(),
        }
    }

    /// An error about a 1-based line of `path`.
    pub fn at_line(path: impl Into<PathBuf>, line: u32, message: impl fmt::Display) -> Self {
        Self {
            line: Some(line),
            ..Self::new(path, message)
        }
    }

    /// An error of the operating system about `path`.
    pub fn io(path: impl Into<PathBuf>, error: &io::Error) -> Self {
        let message = match error.kind() {
            io::ErrorKind::NotFound => "no such file or folder".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            io::ErrorKind::StorageFull => "no space left on the device".to_owned(),
            io::ErrorKind::QuotaExceeded => "the disk quota is exceeded".to_owned(),
            io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
            _ => error.to_string(),
        };
        Self::new(path, message)
    }
}

/// The folder that documents for other programs name their files from, and the current folder.
#[derive(Debug, Clone)]
pub struct Root {
    here: PathBuf,
    root: PathBuf,
}

impl Root {
    /// The workspace of the current folder.
    ///
    /// # Errors
    /// Where the current folder is gone.
    pub fn here() -> io::Result<Self> {
        let here = std::env::current_dir()?;
        let root = workspace(&here);
        Ok(Self { here, root })
    }

    /// `path` from the root of the workspace; absolute where it is outside.
    pub fn place(&self, path: &Path) -> PathBuf {
        let named = absolute(&self.here, path);
        let below = named.strip_prefix(&self.root).map(Path::to_owned);
        below.unwrap_or(named)
    }
}

/// The Dockerfiles at and below `paths`, each once, in path order.
///
/// A file that is named is taken whatever its name. In folders, `takes` is asked about each file; what `.gitignore`
/// ignores is left out, and so is `.git`.
pub fn dockerfiles(
    paths: &[PathBuf],
    takes: &mut dyn FnMut(&Path) -> Result<bool, PathError>,
) -> (Vec<Found>, Vec<PathError>) {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        match resolve(path) {
            Ok(target) if target.is_dir() => {
                walk(path, &target, takes, &mut found, &mut errors);
            }
            Ok(target) => found.push(Found {
                path: plain(path),
                target,
            }),
            Err(error) => errors.push(error),
        }
    }
    // Of several names for one file, the shortest.
    found.sort_by_cached_key(|file| (file.target.clone(), file.path.as_os_str().len()));
    found.dedup_by(|second, first| second.target == first.target);
    found.sort();
    (found, errors)
}

/// Adds the Dockerfiles below `folder`, whose own place is `target`.
fn walk(
    folder: &Path,
    target: &Path,
    takes: &mut dyn FnMut(&Path) -> Result<bool, PathError>,
    found: &mut Vec<Found>,
    errors: &mut Vec<PathError>,
) {
    let entries = WalkBuilder::new(folder)
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    for entry in entries {
        match entry {
            Ok(entry) => {
                let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
                if !is_file {
                    continue;
                }
                let path = entry.path();
                let rest = path.strip_prefix(folder).unwrap_or(path);
                let target = plain(&target.join(rest));
                match takes(&target) {
                    Ok(true) => found.push(Found {
                        path: plain(path),
                        target,
                    }),
                    Ok(false) => {}
                    Err(error) => errors.push(error),
                }
            }
            Err(error) => errors.push(walk_error(folder, &error)),
        }
    }
}

fn walk_error(folder: &Path, error: &ignore::Error) -> PathError {
    let path = match error {
        ignore::Error::WithDepth { err, .. } => return walk_error(folder, err),
        ignore::Error::WithPath { path, .. } => path.clone(),
        _ => folder.to_owned(),
    };
    match error.io_error() {
        Some(error) => PathError::io(path, error),
        None => PathError::new(path, error),
    }
}

/// The file or folder that `path` names, symlinks followed inside the workspace only; as [`Found::target`].
///
/// That is the workspace of the current folder; for a path outside of it, the workspace of the folder that it is in.
fn resolve(path: &Path) -> Result<PathBuf, PathError> {
    let target = path
        .canonicalize()
        .map_err(|error| PathError::io(path, &error))?;
    let here = Path::new(".")
        .canonicalize()
        .map_err(|error| PathError::io(path, &error))?;
    let named = absolute(&here, path);
    let mut root = workspace(&here);
    if !named.starts_with(&root) {
        let parent = named.parent().unwrap_or(&named);
        let parent = parent
            .canonicalize()
            .map_err(|error| PathError::io(path, &error))?;
        root = workspace(&parent);
    }
    if !target.starts_with(&root) {
        let message = format!(
            "is a symlink that leaves `{}`; name its target instead",
            root.display()
        );
        return Err(PathError::new(path, message));
    }
    Ok(from_here(&here, target))
}

/// The absolute path `target`, relative to folder `here` where it lies below it.
pub fn from_here(here: &Path, target: PathBuf) -> PathBuf {
    match target.strip_prefix(here) {
        Ok(below) if below.as_os_str().is_empty() => PathBuf::from("."),
        Ok(below) => below.to_owned(),
        Err(_) => target,
    }
}

/// The workspace of an absolute `folder`: its repository, which is the nearest folder at or above it that holds `.git`,
/// else `folder` itself.
pub fn workspace(folder: &Path) -> PathBuf {
    let mut above = folder.ancestors();
    let found = above.find(|folder| folder.join(".git").exists());
    found.unwrap_or(folder).to_owned()
}

/// `path` from folder `here`, without `.` and `..`, by its text alone.
pub fn absolute(here: &Path, path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in here.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            _ => out.push(component),
        }
    }
    out
}

/// `path` without a leading `./`.
fn plain(path: &Path) -> PathBuf {
    let plain = path.strip_prefix(".").unwrap_or(path);
    if plain.as_os_str().is_empty() {
        return path.to_owned();
    }
    plain.to_owned()
}
