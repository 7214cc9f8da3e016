//! What a dependency install reads of the project that it installs for: which files of the build context must be there
//! before it. One file an ecosystem; pure functions over [`Project`], which never look at the Dockerfile's other steps.

mod dotnet;
mod go;
mod gradle;
mod maven;
mod node;
mod node_locks;
mod node_scripts;
mod php;
mod python;
mod ruby;
#[cfg(test)]
mod testing;
mod words;

use std::collections::BTreeSet;

use crate::context::{BuildContext, Entry, path};
use crate::model::managers::{Invocation, Kind, Manager};
use crate::project::Project;
use crate::syntax::shell::Command;

/// What must be in place before dependencies can be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reads {
    /// Files and directories, relative to the project's directory (`../` leads out of it), all of them there in the
    /// build context.
    pub paths: BTreeSet<String>,
    /// Directories and files below the project's directory that [`Early::Itself`] writes: what the build context holds
    /// of the same name must not be copied over them later. Empty for [`Early::Fetch`].
    pub writes: BTreeSet<String>,
    /// Why the install may read more than [`Reads::paths`], or why running it early may leave something else behind:
    /// copying these first is unsafe then, and this is said.
    pub doubt: Option<String>,
    /// Whether the command itself may run before the rest of the source is there.
    pub early: Early,
}

/// What runs before the source is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Early {
    /// The command: it reads nothing but [`Reads::paths`].
    Itself,
    /// The command needs the source and stays behind it. This one, run in the same directory, fetches what it installs.
    Fetch(String),
}

/// A command that installs dependencies of a project, or builds it and installs them on the way.
#[derive(Clone, Copy)]
pub struct Install<'a> {
    /// The command.
    pub command: &'a Command,
    /// How it was read.
    pub invocation: &'a Invocation,
    /// The directory in which it runs, in the image: absolute and clean.
    pub directory: &'a str,
    /// The build context.
    pub context: &'a dyn BuildContext,
    /// The directory of the build context that is copied to [`Install::directory`].
    pub root: &'a str,
    /// The project in that directory.
    pub project: &'a Project<'a>,
}

/// What `install` reads; `None` where it installs nothing for a project of the build context.
///
/// # Errors
/// Why that is not known, or why nothing can be installed before the source is there.
pub fn reads(install: &Install<'_>) -> Option<Result<Reads, String>> {
    reader(install.invocation.manager)?(install)
}

/// Whether a package manager installs for projects of the build context at all.
pub fn is_read(manager: &Manager) -> bool {
    reader(manager).is_some()
}

type Reader = fn(&Install<'_>) -> Option<Result<Reads, String>>;

fn reader(manager: &Manager) -> Option<Reader> {
    Some(match manager.kind {
        Kind::Dotnet => dotnet::reads,
        Kind::Go => go::reads,
        Kind::Java if manager.name == "gradle" => gradle::reads,
        Kind::Java => maven::reads,
        Kind::Node => node::reads,
        Kind::Php => php::reads,
        Kind::Python => python::reads,
        Kind::Ruby if manager.name == "bundler" => ruby::reads,
        _ => return None,
    })
}

impl Reads {
    /// An install that reads and writes nothing yet, and may run early.
    fn of_itself() -> Self {
        Self {
            paths: BTreeSet::new(),
            writes: BTreeSet::new(),
            doubt: None,
            early: Early::Itself,
        }
    }

    /// Adds what of `names` is a file of the project.
    fn add_files(&mut self, install: &Install<'_>, names: &[&str]) {
        let there = names
            .iter()
            .filter(|name| install.project.file(name).is_some());
        self.paths.extend(there.map(|name| (*name).to_owned()));
    }

    /// Adds the file or directory at `path`, seen from the project's directory.
    ///
    /// # Errors
    /// It is the project itself, or is not there.
    fn add_path(&mut self, install: &Install<'_>, path: &str) -> Result<(), String> {
        let path = path::clean(path);
        if path == "." || path == ".." || path.ends_with("/..") {
            return Err("the install takes the project itself, which is the source".to_owned());
        }
        let found = path::resolve_from(install.root, &path);
        match found.and_then(|found| install.context.entry(&found)) {
            Some(Entry::File(_) | Entry::Directory) => {
                self.paths.insert(path);
                Ok(())
            }
            _ => Err(format!("`{path}` is not in the build context")),
        }
    }

    /// Keeps the first doubt.
    fn doubt(&mut self, doubt: impl FnOnce() -> String) {
        self.doubt.get_or_insert_with(doubt);
    }
}

/// Why an install that takes what the lock file says does not run early: it fails as it is.
fn without_lock(name: &str) -> String {
    format!("it fails without `{name}`, which is not in the build context")
}

/// The path of a file of the build context, seen from the project's directory.
fn from_project(install: &Install<'_>, file: &str) -> String {
    let mut up = String::new();
    let mut directory = install.root;
    loop {
        if let Some(below) = path::below(file, directory) {
            return format!("{up}{below}");
        }
        up.push_str("../");
        directory = path::parent(directory);
    }
}
