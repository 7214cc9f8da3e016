//! Where the image comes from: a file, a folder, standard input or a container engine. Nothing is put on the disk.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::engine;
use crate::image::{self, Choice, Image};
use crate::walk::is_dockerfile;

/// The Dockerfile that is called `subject`, if it is one.
pub(super) fn dockerfile(subject: &str) -> Option<&Path> {
    let path = Path::new(subject);
    let is_one = path.is_file() && path.file_name().is_some_and(is_dockerfile);
    is_one.then_some(path)
}

/// Reads the image that is called `subject`.
pub(super) fn read(subject: &str, engine: engine::Choice, choice: &Choice) -> Result<Image> {
    if subject == "-" {
        let read = image::read_archive(io::stdin().lock(), choice);
        return read.context("standard input");
    }
    let path = Path::new(subject);
    if path.is_dir() && path.join("index.json").exists() {
        let folder = Folder(path.to_owned());
        return image::read_layout(&folder, choice).context(subject.to_owned());
    }
    if path.exists() && !path.is_dir() {
        return read_file(path, choice).context(subject.to_owned());
    }
    let looks_like_path = [".", "/"].iter().any(|start| subject.starts_with(start));
    if looks_like_path || subject.is_empty() || subject.starts_with('-') {
        match path.is_dir() {
            true => bail!("`{subject}` holds no OCI layout: there is no `index.json` in it"),
            false => bail!("there is no file `{subject}`"),
        }
    }
    saved(subject, engine, choice)
}

fn read_file(path: &Path, choice: &Choice) -> Result<Image> {
    Ok(image::read_archive(File::open(path)?, choice)?)
}

fn saved(name: &str, engine: engine::Choice, choice: &Choice) -> Result<Image> {
    let archive = engine::find(engine)?.save(name)?;
    let mut image = image::read_archive(archive, choice).context(name.to_owned())?;
    image.name = Some(name.to_owned());
    Ok(image)
}

/// A folder on the disk.
struct Folder(PathBuf);

impl image::Files for Folder {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read>> {
        let path = self.0.join(path);
        // Opening a pipe waits for its writer, and a device may never end.
        if !path.metadata()?.is_file() {
            return Err(io::Error::other("is no regular file"));
        }
        Ok(Box::new(File::open(path)?))
    }
}
