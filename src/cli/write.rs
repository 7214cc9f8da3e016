//! Writes changed files: atomically, with the mode, owner and extended attributes that they had, several files all or none.
//!
//! Never overwrites a file that changed since it was read, and never leaves half a file.

#[cfg(unix)]
mod attributes;
mod leftovers;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::walk::{self, PathError};
pub(super) use leftovers::Leftovers;

/// The new content of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// The file itself: no symlink.
    pub(super) path: PathBuf,
    /// Its bytes as they were read; `None` for a file that is made.
    pub(super) before: Option<Vec<u8>>,
    /// Its bytes afterwards.
    pub(super) after: Vec<u8>,
}

/// Makes all of `changes`, or none of them.
///
/// # Errors
/// Where a file changed since it was read, or cannot be written with the mode and owner that it has.
pub(super) fn write(changes: &[Change]) -> Result<(), PathError> {
    let staged: Vec<Staged> = changes.iter().map(stage).collect::<Result<_, _>>()?;
    for change in changes {
        check_unchanged(change)?;
    }
    for (done, staged) in staged.into_iter().enumerate() {
        if let Err(error) = put(staged) {
            changes[..done].iter().for_each(take_back);
            return Err(error);
        }
    }
    Ok(())
}

/// A temporary file that holds what `path` is going to hold.
struct Staged {
    file: NamedTempFile,
    path: PathBuf,
    is_new: bool,
}

fn stage(change: &Change) -> Result<Staged, PathError> {
    let io_error = |error: io::Error| PathError::io(&change.path, &error);
    let original = match change.before {
        // Opened for writing, and not written to: whether that is allowed is the system's to say.
        Some(_) => {
            let file = File::options().read(true).write(true).open(&change.path);
            Some(file.map_err(io_error)?)
        }
        None => None,
    };
    let mut file = leftovers::temporary(&change.path).map_err(io_error)?;
    file.write_all(&change.after).map_err(io_error)?;
    take_on(file.as_file(), original.as_ref()).map_err(|error| {
        PathError::new(
            &change.path,
            format!("its mode, owner or attributes cannot be kept: {error}"),
        )
    })?;
    file.as_file().sync_all().map_err(io_error)?;
    Ok(Staged {
        file,
        path: change.path.clone(),
        is_new: original.is_none(),
    })
}

/// Gives `file` the owner, extended attributes and mode of `original`, or the mode of a new file.
#[cfg(unix)]
fn take_on(file: &File, original: Option<&File>) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let Some(original) = original else {
        return file.set_permissions(fs::Permissions::from_mode(0o644));
    };
    let (own, metadata) = (file.metadata()?, original.metadata()?);
    if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
        fchown(file, Some(metadata.uid()), Some(metadata.gid()))?;
    }
    attributes::copy(original, file)?;
    // After the owner: a change of owner clears mode bits.
    file.set_permissions(metadata.permissions())
}

#[cfg(not(unix))]
fn take_on(file: &File, original: Option<&File>) -> io::Result<()> {
    original.map_or(Ok(()), |original| {
        file.set_permissions(original.metadata()?.permissions())
    })
}

fn check_unchanged(change: &Change) -> Result<(), PathError> {
    let is_same = match &change.before {
        Some(before) => walk::read_regular(&change.path)? == *before,
        None => fs::symlink_metadata(&change.path).is_err(),
    };
    if !is_same {
        let message = "changed while it was worked on; left as it is";
        return Err(PathError::new(&change.path, message));
    }
    Ok(())
}

/// The rename, and its way to the disk.
fn put(staged: Staged) -> Result<(), PathError> {
    let Staged { file, path, is_new } = staged;
    let persisted = if is_new {
        file.persist_noclobber(&path)
    } else {
        file.persist(&path)
    };
    persisted.map_err(|error| PathError::io(&path, &error.error))?;
    // Some file systems cannot sync a folder; the file itself is complete.
    if let Ok(folder) = File::open(folder(&path)) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Puts back what `change` replaced. What fails here was already reported: the error that led here.
fn take_back(change: &Change) {
    let _ = match &change.before {
        Some(before) => write(&[Change {
            path: change.path.clone(),
            before: Some(change.after.clone()),
            after: before.clone(),
        }]),
        None => fs::remove_file(&change.path).map_err(|error| PathError::io(&change.path, &error)),
    };
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn change(path: PathBuf, before: Option<&str>, after: &str) -> Change {
        Change {
            path,
            before: before.map(|text| text.as_bytes().to_vec()),
            after: after.as_bytes().to_vec(),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_changed_since_it_was_read_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Dockerfile");
        fs::write(&path, "FROM other\n").unwrap();
        let error = write(&[change(path.clone(), Some("FROM a\n"), "FROM b\n")]).unwrap_err();
        assert_eq!(error.path, path);
        assert!(
            error.message.starts_with("changed while"),
            "{}",
            error.message
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "FROM other\n");
        assert_eq!(names(folder.path()), ["Dockerfile"]);
    }

    #[test]
    fn one_file_that_cannot_be_written_stops_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let dockerfile = folder.path().join("Dockerfile");
        fs::write(&dockerfile, "FROM a\n").unwrap();
        let other = folder.path().join("missing/.dockerignore");
        let changes = [
            change(dockerfile.clone(), Some("FROM a\n"), "FROM b\n"),
            change(other, None, ".git\n"),
        ];
        write(&changes).unwrap_err();
        assert_eq!(fs::read_to_string(&dockerfile).unwrap(), "FROM a\n");
        assert_eq!(names(folder.path()), ["Dockerfile"]);
    }

    #[test]
    fn a_file_is_made_and_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".dockerignore");
        let change = change(path.clone(), None, ".git\n");
        write(std::slice::from_ref(&change)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), ".git\n");
        write(std::slice::from_ref(&change)).unwrap_err();
        take_back(&change);
        assert!(names(folder.path()).is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn extended_attributes_are_kept() {
        use rustix::fs::{XattrFlags, getxattr, setxattr};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Dockerfile");
        fs::write(&path, "FROM a\n").unwrap();
        setxattr(&path, "user.note", b"mine", XattrFlags::empty()).unwrap();
        write(&[change(path.clone(), Some("FROM a\n"), "FROM b\n")]).unwrap();
        let mut value = [0; 16];
        let length = getxattr(&path, "user.note", &mut value[..]).unwrap();
        assert_eq!(&value[..length], b"mine");
    }

    #[cfg(unix)]
    #[test]
    fn another_name_of_the_file_keeps_what_it_had() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (
            folder.path().join("Dockerfile"),
            folder.path().join("other"),
        );
        fs::write(&path, "FROM a\n").unwrap();
        fs::hard_link(&path, &other).unwrap();
        write(&[change(path.clone(), Some("FROM a\n"), "FROM b\n")]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "FROM b\n");
        assert_eq!(fs::read_to_string(&other).unwrap(), "FROM a\n");
    }

    #[cfg(unix)]
    #[test]
    fn the_mode_is_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Dockerfile");
        fs::write(&path, "FROM a\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write(&[change(path.clone(), Some("FROM a\n"), "FROM b\n")]).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640);
    }
}
