//! What a run that was killed left behind: its temporary files, which the next run that writes removes.
//!
//! A run holds a lock on each of its temporary files while it needs it, so none is taken from a run that still works.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

use super::folder;

const PREFIX: &str = ".dockeropt-";
const SUFFIX: &str = ".tmp";
/// The characters that `tempfile` puts between the two.
const RANDOM: usize = 6;

/// Removes what was left behind, once for each folder.
#[derive(Debug, Default)]
pub(in crate::cli) struct Leftovers {
    looked: Mutex<HashSet<PathBuf>>,
}

impl Leftovers {
    /// Removes what killed runs left in the folder of `path`. What cannot be removed stays: it is in nobody's way.
    pub(in crate::cli) fn beside(&self, path: &Path) {
        self.remove(folder(path));
    }

    /// As [`Leftovers::beside`], for the folder itself.
    pub(in crate::cli) fn remove(&self, folder: &Path) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = looked.insert(folder.to_owned());
        drop(looked);
        if !is_first {
            return;
        }
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && entry.file_name().to_str().is_some_and(is_temporary) {
                let _ = remove(&entry.path());
            }
        }
    }
}

/// Whether a file of that name is one of [`temporary`].
fn is_temporary(name: &str) -> bool {
    let middle = name.strip_prefix(PREFIX);
    let middle = middle.and_then(|rest| rest.strip_suffix(SUFFIX));
    middle.is_some_and(|random| {
        random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Removes the file at `path`, unless a run holds it.
fn remove(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    // Held until the name is gone: a run that has just made the file waits for it, and then makes another.
    if file.try_lock().is_ok() {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// A new, empty file beside `path`, held by this run.
pub(super) fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    loop {
        let file = tempfile::Builder::new()
            .prefix(PREFIX)
            .rand_bytes(RANDOM)
            .suffix(SUFFIX)
            .tempfile_in(folder(path))?;
        // Where a file system knows no locks, no run removes what it finds either.
        let _ = file.as_file().lock();
        if file.path().exists() {
            return Ok(file);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_is_removed_once() {
        let dir = tempfile::tempdir().unwrap();
        let held = temporary(&dir.path().join("Dockerfile")).unwrap();
        let left = dir.path().join(".dockeropt-0aZ9b1.tmp");
        fs::write(&left, "FROM a\n").unwrap();
        let leftovers = Leftovers::default();
        leftovers.beside(&dir.path().join("Dockerfile"));
        assert!(!left.exists());
        assert!(held.path().exists());
        fs::write(&left, "FROM a\n").unwrap();
        leftovers.remove(dir.path());
        assert!(left.exists());
    }

    #[test]
    fn files_of_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let names = [
            ".dockeropt-.tmp",
            ".dockeropt-0aZ9b1",
            ".dockeropt-0aZ9b-.tmp",
            ".dockeropt-cache.tmp~",
            "dockeropt-0aZ9b1.tmp",
        ];
        for name in names {
            fs::write(dir.path().join(name), "").unwrap();
        }
        fs::create_dir(dir.path().join(".dockeropt-abcdef.tmp")).unwrap();
        Leftovers::default().remove(dir.path());
        for name in names {
            assert!(dir.path().join(name).exists(), "{name}");
        }
        assert!(dir.path().join(".dockeropt-abcdef.tmp").exists());
    }
}
