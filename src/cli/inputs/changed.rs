//! `--only-changed`: leaves out the Dockerfiles that are as a commit has them; and what a commit has of one.
//!
//! What counts is the file in the work tree. The repository is only read, and git does not run.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::history::{HistoryError, Revision};
use crate::walk::{self, Found, PathError};

/// Those of `found` that differ from the commit `name` of their repository, and why others cannot be compared, each
/// reason once.
pub(super) fn changed(found: Vec<Found>, name: &str) -> (Vec<Found>, Vec<PathError>) {
    let mut commits = Commits {
        name,
        by_folder: HashMap::new(),
    };
    let (mut kept, mut errors) = (Vec::new(), Vec::new());
    let mut said = BTreeSet::new();
    for found in found {
        match commits.differs(&found.target) {
            Ok(true) => kept.push(found),
            Ok(false) => {}
            Err(error) => {
                if said.insert(error.message.clone()) {
                    errors.push(PathError::new(found.path, error.message));
                }
            }
        }
    }
    (kept, errors)
}

/// The file at `path` as the commit `name` of its repository has it; `None` where it has none.
pub(in crate::cli) fn committed(path: &Path, name: &str) -> Result<Option<Vec<u8>>, PathError> {
    let mut commits = Commits {
        name,
        by_folder: HashMap::new(),
    };
    let real = path.canonicalize();
    let real = real.map_err(|error| PathError::io(path, &error))?;
    commits.before(path, &real)
}

struct Commits<'a> {
    name: &'a str,
    by_folder: HashMap<PathBuf, Result<Revision, HistoryError>>,
}

impl Commits<'_> {
    /// Whether the file at `path` is not the one of the commit.
    fn differs(&mut self, path: &Path) -> Result<bool, PathError> {
        let real = path.canonicalize();
        let real = real.map_err(|error| PathError::io(path, &error))?;
        let Some(before) = self.before(path, &real)? else {
            return Ok(true);
        };
        let now = walk::read_regular(&real)?;
        Ok(now != before && lines(&now) != lines(&before))
    }

    /// The file at `real`, which `path` names, as the commit has it.
    fn before(&mut self, path: &Path, real: &Path) -> Result<Option<Vec<u8>>, PathError> {
        let folder = real.parent().unwrap_or(real);
        let open = || Revision::read(folder, self.name);
        let revision = self.by_folder.entry(folder.to_owned());
        let before = match revision.or_insert_with(open) {
            Ok(revision) => revision.file(real),
            Err(error) => Err(error.clone()),
        };
        before.map_err(|error| PathError::new(path, error))
    }
}

/// `text` with the line endings of a repository: git may have changed them in the work tree.
pub(in crate::cli) fn lines(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}
