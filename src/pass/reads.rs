//! What a dependency install reads of the project that it installs for: which files of the build context must be there
//! before it. One file an ecosystem; pure functions over [`Project`], which never look at the Dockerfile's other steps.

use std::collections::BTreeSet;

use crate::context::BuildContext;
use crate::model::managers::Invocation;
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
    let _ = install;
    None
}
