//! Reads Dockerfiles, with bounds. Opens regular files only: never a device, a socket or a named pipe.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Found, PathError};
use crate::text::Source;

/// The longest Dockerfile that is read, in bytes. The longest real ones are below 1 MiB.
pub const SIZE_LIMIT: u64 = 16 << 20;

/// The bytes of a Dockerfile, under the path that reports name.
///
/// # Errors
/// Where it is not a regular file, too long, or cannot be read.
pub fn read(found: &Found) -> Result<Source, PathError> {
    let text = read_regular(&found.target).map_err(|error| PathError {
        path: found.path.clone(),
        ..error
    })?;
    let path = found.path.clone();
    Ok(Source { path, text })
}

/// A Dockerfile from standard input, under `path`.
///
/// # Errors
/// Where it is too long or cannot be read.
pub fn read_stdin(path: PathBuf) -> Result<Source, PathError> {
    let text = bounded(io::stdin().lock(), 0, &path)?;
    Ok(Source { path, text })
}

/// The bytes of the regular file at `path`.
///
/// # Errors
/// As [`read`].
pub fn read_regular(path: &Path) -> Result<Vec<u8>, PathError> {
    let io_error = |error: io::Error| PathError::io(path, &error);
    // Opening a pipe waits for its writer, opening a device may act: look before.
    check_regular(&fs::metadata(path).map_err(io_error)?, path)?;
    let file = File::open(path).map_err(io_error)?;
    let metadata = file.metadata().map_err(io_error)?;
    check_regular(&metadata, path)?;
    bounded(file, metadata.len(), path)
}

fn check_regular(metadata: &fs::Metadata, path: &Path) -> Result<(), PathError> {
    if metadata.is_dir() {
        return Err(PathError::new(path, "is a folder"));
    }
    if !metadata.is_file() {
        return Err(PathError::new(path, "is not a regular file"));
    }
    Ok(())
}

/// All of `input`, which is about `length` bytes long.
fn bounded(input: impl Read, length: u64, path: &Path) -> Result<Vec<u8>, PathError> {
    let length = length.min(SIZE_LIMIT);
    // Reading stops at the first read that finds nothing: it needs room too.
    let mut text = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 32);
    let mut input = input.take(SIZE_LIMIT + 1);
    input
        .read_to_end(&mut text)
        .map_err(|error| PathError::io(path, &error))?;
    if text.len() as u64 > SIZE_LIMIT {
        let message = format!("is longer than {} MiB", SIZE_LIMIT >> 20);
        return Err(PathError::new(path, message));
    }
    Ok(text)
}
