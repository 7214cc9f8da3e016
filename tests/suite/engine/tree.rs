//! The file tree of an image, and the differences of two. Times are no part of it: every build sets its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};
use tar::{Archive, EntryType};

use super::docker;

/// What stands at each absolute path.
#[derive(Default)]
pub(crate) struct Tree {
    entries: BTreeMap<String, Entry>,
    /// The text of dpkg's lists, by path: they say which files belong to which package.
    package_lists: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    mode: u32,
    owner: (u64, u64),
    /// Extended attributes, such as capabilities.
    attributes: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file with the digest of its content.
    File([u8; 32]),
    Directory,
    Symlink(String),
    /// A device or a pipe.
    Special,
}

/// A path at which two trees differ.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    pub(crate) path: String,
    pub(crate) before: Option<Entry>,
    pub(crate) after: Option<Entry>,
}

impl Tree {
    /// The tree of an image.
    pub(crate) fn of_image(image: &str) -> Self {
        Self::exported(image, |container| {
            ["export".to_owned(), container.to_owned()].into()
        })
    }

    /// The tree of a folder of an image, which is there; its paths start at the folder.
    pub(crate) fn of_folder(image: &str, folder: &str) -> Self {
        Self::exported(image, |container| {
            [
                "cp".to_owned(),
                format!("{container}:{folder}/."),
                "-".to_owned(),
            ]
            .into()
        })
    }

    fn exported(image: &str, command: impl Fn(&str) -> Vec<String>) -> Self {
        // Nothing runs: an image without a command needs some word here.
        let created = docker(&["create", image, "nothing"]);
        let container = String::from_utf8(created.stdout).unwrap();
        let mut export = Command::new("docker")
            .args(command(container.trim()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let tree = Self::of_archive(export.stdout.take().unwrap()).unwrap();
        assert!(export.wait().unwrap().success());
        docker(&["rm", container.trim()]);
        tree
    }

    fn of_archive(archive: impl Read) -> io::Result<Self> {
        let mut tree = Self::default();
        for entry in Archive::new(archive).entries()? {
            tree.add(entry?)?;
        }
        Ok(tree)
    }

    fn add(&mut self, mut file: tar::Entry<'_, impl Read>) -> io::Result<()> {
        let path = absolute(&file.path_bytes());
        let target = file.link_name_bytes();
        let target = target.map(|name| String::from_utf8_lossy(&name).into_owned());
        let header = file.header().clone();
        let mut attributes = BTreeMap::new();
        for extension in file.pax_extensions()?.into_iter().flatten() {
            let extension = extension?;
            if let Some(name) = extension
                .key()
                .unwrap_or_default()
                .strip_prefix("SCHILY.xattr.")
            {
                attributes.insert(name.to_owned(), extension.value_bytes().to_vec());
            }
        }
        let kind = match header.entry_type() {
            EntryType::Directory => Kind::Directory,
            EntryType::Symlink => Kind::Symlink(target.unwrap_or_default()),
            EntryType::Link => {
                // The same file under a further name.
                let same = self.entries[&absolute(target.unwrap_or_default().as_bytes())].clone();
                self.entries.insert(path, same);
                return Ok(());
            }
            EntryType::Regular => {
                let mut content = Vec::new();
                file.read_to_end(&mut content)?;
                let digest = Sha256::digest(&content).into();
                if path.starts_with("/var/lib/dpkg/info/") && path.ends_with(".list") {
                    let text = String::from_utf8_lossy(&content).into_owned();
                    self.package_lists.insert(path.clone(), text);
                }
                Kind::File(digest)
            }
            _ => Kind::Special,
        };
        let entry = Entry {
            kind,
            mode: header.mode()?,
            owner: (header.uid()?, header.gid()?),
            attributes,
        };
        self.entries.insert(path, entry);
        Ok(())
    }

    /// A tree of files of the superuser. A path that ends in `/` is a folder.
    pub(crate) fn of_files(files: &[(&str, &str)]) -> Self {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_size(content.len() as u64);
            if path.ends_with('/') {
                header.set_entry_type(EntryType::Directory);
            }
            let path = path.trim_start_matches('/');
            archive
                .append_data(&mut header, path, content.as_bytes())
                .unwrap();
        }
        Self::of_archive(archive.into_inner().unwrap().as_slice()).unwrap()
    }

    /// Whether something stands at the path.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    /// Whether something stands below the path.
    pub(crate) fn has_below(&self, path: &str) -> bool {
        self.starting_with(&format!("{path}/")).next().is_some()
    }

    /// The paths that start with this text.
    pub(crate) fn starting_with(&self, text: &str) -> impl Iterator<Item = &str> {
        let paths = self
            .entries
            .range(text.to_owned()..)
            .map(|(path, _)| path.as_str());
        paths.take_while(move |path| path.starts_with(text))
    }

    /// The lists of the files of each Debian package: their paths, and their texts.
    pub(crate) fn package_lists(&self) -> &BTreeMap<String, String> {
        &self.package_lists
    }

    /// The folders directly in a folder.
    pub(crate) fn folders_in(&self, folder: &str) -> Vec<&str> {
        let below = format!("{folder}/");
        let mut paths: Vec<&str> = self.starting_with(&below).collect();
        paths.retain(|path| {
            !path[below.len()..].contains('/') && self.entries[*path].kind == Kind::Directory
        });
        paths
    }
}

/// Where two trees differ, in path order.
pub(crate) fn differences(before: &Tree, after: &Tree) -> Vec<Difference> {
    let paths: BTreeSet<&String> = before.entries.keys().chain(after.entries.keys()).collect();
    let pairs = paths.into_iter().map(|path| Difference {
        path: path.clone(),
        before: before.entries.get(path).cloned(),
        after: after.entries.get(path).cloned(),
    });
    pairs.filter(|pair| pair.before != pair.after).collect()
}

impl Difference {
    /// Whether both are files that differ in their content only.
    pub(crate) fn is_content(&self) -> bool {
        let (Some(before), Some(after)) = (&self.before, &self.after) else {
            return false;
        };
        let mut same = after.clone();
        same.kind = before.kind.clone();
        let files = [before, after].map(|entry| matches!(entry.kind, Kind::File(_)));
        files == [true; 2] && same == *before
    }

    /// Whether something stood there, and nothing does now.
    pub(crate) fn is_gone(&self) -> bool {
        self.after.is_none()
    }

    /// Whether a file stood there.
    pub(crate) fn was_file(&self) -> bool {
        let before = self.before.as_ref();
        before.is_some_and(|entry| matches!(entry.kind, Kind::File(_)))
    }

    /// Whether a file of this content stood there.
    pub(crate) fn was(&self, content: &[u8]) -> bool {
        let kind = Kind::File(Sha256::digest(content).into());
        self.before.as_ref().is_some_and(|entry| entry.kind == kind)
    }

    /// Whether every side that there is is a directory.
    pub(crate) fn is_directory(&self) -> bool {
        let mut sides = self.before.iter().chain(&self.after);
        sides.all(|entry| entry.kind == Kind::Directory)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (Some(_), None) => write!(f, "{} is gone", self.path),
            (None, Some(_)) => write!(f, "{} is new", self.path),
            _ if self.is_content() => write!(f, "{} has another content", self.path),
            (before, after) => write!(f, "{}: {before:?}, then {after:?}", self.path),
        }
    }
}

fn absolute(path: &[u8]) -> String {
    let path = String::from_utf8_lossy(path);
    format!("/{}", path.trim_start_matches("./").trim_matches('/'))
}
