//! The history of a git repository: which files each commit changed, and what a file was in one of them.
//!
//! Walks the first parents of HEAD, so that a merge counts once, with all that it brought. Reads references and objects
//! and nothing else: no configuration of git's, no hooks, no network; it never runs git and never writes. A submodule
//! that moved counts as one file at its path.

mod revision;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use gix_diff::tree::{Recorder, State, recorder::Change};
use gix_discover::repository;
use gix_hash::{Kind, ObjectId};
use gix_object::{CommitRefIter, Find, FindExt, TreeRefIter};
use gix_ref::{PartialNameRef, Target, file::Store};

pub use revision::Revision;

/// The last commits of a repository that have a parent, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// What each of them changed against its first parent: paths in the directory that was asked about, sorted.
    pub commits: Vec<Vec<String>>,
    /// Why there are no more.
    pub end: End,
}

/// Where a history ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// There are as many commits as were asked for.
    Enough,
    /// The first commit is reached.
    First,
    /// The clone is shallow: the parents of the last commit are not in it.
    Shallow,
    /// The next commit cannot be read.
    Unreadable(String),
}

/// Why there is no history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryError {
    /// No git repository is around the directory.
    NoRepository,
    /// The repository is bare: no files are checked out.
    Bare,
    /// Nothing was committed yet.
    Unborn,
    /// The directory that is asked about is neither in the repository's work tree nor around it.
    Outside(PathBuf),
    /// The repository has no commit of that name.
    NoCommit(String),
    /// The repository cannot be read.
    Unreadable(String),
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRepository => write!(f, "is in no git repository"),
            Self::Bare => write!(f, "is in a bare git repository"),
            Self::Unborn => write!(f, "is in a git repository without a commit"),
            Self::NoCommit(name) => {
                write!(f, "is in a git repository that has no commit `{name}`")
            }
            Self::Outside(root) => {
                let root = root.display();
                write!(f, "its build context is not in its git repository `{root}`")
            }
            Self::Unreadable(reason) => write!(f, "the git repository cannot be read: {reason}"),
        }
    }
}

impl std::error::Error for HistoryError {}

/// What the last `most` commits of the repository around `place` changed in `directory`; both are directories, real and
/// absolute. `step` is called after each commit.
///
/// # Errors
/// Where there is no such history at all.
pub fn read(
    place: &Path,
    directory: &Path,
    most: usize,
    step: &mut dyn FnMut(),
) -> Result<History, HistoryError> {
    let repository = Repository::around(place)?;
    let scope = repository.scope(directory)?;
    let shallow = repository.shallow()?;
    let objects = gix_odb::at(repository.common.join("objects"), Kind::Sha1);
    let mut walk = Walk {
        objects: objects.map_err(unreadable)?,
        scope,
        state: State::default(),
    };
    let mut history = History {
        commits: Vec::new(),
        end: End::Enough,
    };
    let head = repository.head()?;
    let mut commit = walk.commit(head).map_err(HistoryError::Unreadable)?;
    let mut id = head;
    while history.commits.len() < most {
        let Some(parent) = commit.parent else {
            history.end = End::First;
            break;
        };
        if shallow.contains(&id) {
            history.end = End::Shallow;
            break;
        }
        let before = walk.commit(parent);
        let changed = before.and_then(|before| Ok((walk.changed(&before, &commit)?, before)));
        match changed {
            Ok((changed, before)) => {
                history.commits.push(changed);
                (id, commit) = (parent, before);
            }
            Err(reason) => {
                history.end = End::Unreadable(format!("commit {id}: {reason}"));
                break;
            }
        }
        step();
    }
    Ok(history)
}

fn unreadable(error: impl fmt::Display) -> HistoryError {
    HistoryError::Unreadable(error.to_string())
}

/// A repository with a work tree.
struct Repository {
    work_tree: PathBuf,
    /// HEAD is here.
    git: PathBuf,
    /// All else is here: for a linked work tree another directory.
    common: PathBuf,
}

impl Repository {
    fn around(place: &Path) -> Result<Self, HistoryError> {
        let found = gix_discover::upwards(place);
        let (found, _) = found.map_err(|_| HistoryError::NoRepository)?;
        let (work_tree, git) = match found {
            repository::Path::LinkedWorkTree { work_dir, git_dir } => (work_dir, git_dir),
            repository::Path::WorkTree(work_dir) => {
                let git = work_dir.join(gix_discover::DOT_GIT_DIR);
                (work_dir, git)
            }
            repository::Path::Repository(_) => return Err(HistoryError::Bare),
        };
        let common = gix_discover::path::from_plain_file_relative_to_file(&git.join("commondir"));
        let common = common.transpose().map_err(unreadable)?;
        Ok(Self {
            work_tree: work_tree.canonicalize().map_err(unreadable)?,
            common: common.unwrap_or_else(|| git.clone()),
            git,
        })
    }

    /// How paths of the repository become paths in `directory`.
    fn scope(&self, directory: &Path) -> Result<Scope, HistoryError> {
        let parts = |path: &Path| -> Vec<String> {
            let parts = path.iter();
            parts
                .map(|part| part.to_string_lossy().into_owned())
                .collect()
        };
        if let Ok(inside) = directory.strip_prefix(&self.work_tree) {
            return Ok(Scope::Below(parts(inside)));
        }
        match self.work_tree.strip_prefix(directory) {
            Ok(outside) => Ok(Scope::Above(parts(outside).join("/") + "/")),
            Err(_) => Err(HistoryError::Outside(self.work_tree.clone())),
        }
    }

    /// The commits whose parents the clone does not have.
    fn shallow(&self) -> Result<BTreeSet<ObjectId>, HistoryError> {
        let commits = gix_shallow::read(&self.common.join("shallow")).map_err(unreadable)?;
        Ok(commits.into_iter().flatten().collect())
    }

    /// The commit that is checked out.
    fn head(&self) -> Result<ObjectId, HistoryError> {
        let references = self.references()?;
        let head = references.find("HEAD").map_err(unreadable)?;
        followed(&references, head.target)
    }

    /// What a reference leads to; `None` where there is none of that name.
    fn reference(&self, name: &str) -> Result<Option<ObjectId>, HistoryError> {
        let references = self.references()?;
        let Ok(name) = <&PartialNameRef>::try_from(name) else {
            return Ok(None);
        };
        let found = references.try_find(name).map_err(unreadable)?;
        found
            .map(|found| followed(&references, found.target))
            .transpose()
    }

    fn references(&self) -> Result<Store, HistoryError> {
        if self.common.join("reftable").exists() {
            return Err(unreadable("its references are kept in reftables"));
        }
        let (git, common) = (self.git.clone(), self.common.clone());
        Ok(Store::for_linked_worktree(git, common, Kind::Sha1))
    }
}

/// Where a reference leads.
fn followed(references: &Store, mut target: Target) -> Result<ObjectId, HistoryError> {
    // As many hops as git takes.
    for _ in 0..5 {
        let name = match target {
            Target::Object(id) => return Ok(id),
            Target::Symbolic(name) => name,
        };
        let found = references.try_find(name.as_ref()).map_err(unreadable)?;
        target = found.ok_or(HistoryError::Unborn)?.target;
    }
    Err(unreadable("HEAD leads nowhere"))
}

/// Where the directory that is asked about is.
enum Scope {
    /// In the repository: the directories on the way to it.
    Below(Vec<String>),
    /// Around the repository, which has this path in it.
    Above(String),
}

struct Walk {
    objects: gix_odb::Handle,
    scope: Scope,
    state: State,
}

struct Commit {
    tree: ObjectId,
    /// The first one.
    parent: Option<ObjectId>,
}

impl Walk {
    fn commit(&self, id: ObjectId) -> Result<Commit, String> {
        let mut buffer = Vec::new();
        let data = self.objects.try_find(&id, &mut buffer);
        let data = data.map_err(|error| error.to_string())?;
        let data = data.ok_or_else(|| format!("object {id} is missing"))?;
        let mut commit = CommitRefIter::from_bytes(data.data, Kind::Sha1);
        let tree = commit.tree_id().map_err(|error| error.to_string())?;
        let parent = commit.parent_ids().next();
        Ok(Commit { tree, parent })
    }

    /// The files of the scope that differ.
    fn changed(&mut self, before: &Commit, after: &Commit) -> Result<Vec<String>, String> {
        let (before, after) = (self.directory(before.tree)?, self.directory(after.tree)?);
        if before == after {
            return Ok(Vec::new());
        }
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let mut recorder = Recorder::default();
        let (left, right) = (self.tree(before, &mut left)?, self.tree(after, &mut right)?);
        gix_diff::tree(left, right, &mut self.state, &self.objects, &mut recorder)
            .map_err(|error| error.to_string())?;
        let prefix = match &self.scope {
            Scope::Below(_) => "",
            Scope::Above(prefix) => prefix,
        };
        let paths = recorder
            .records
            .into_iter()
            .filter_map(|change| file(&change));
        let mut paths: Vec<String> = paths.map(|path| format!("{prefix}{path}")).collect();
        paths.sort();
        Ok(paths)
    }

    /// The tree of the directory that is asked about; `None` where the commit does not have it.
    fn directory(&self, root: ObjectId) -> Result<Option<ObjectId>, String> {
        let Scope::Below(parts) = &self.scope else {
            return Ok(Some(root));
        };
        let mut tree = root;
        for part in parts {
            let mut buffer = Vec::new();
            let mut entries = self.tree(Some(tree), &mut buffer)?;
            let is_there = |entry: &gix_object::tree::EntryRef<'_>| {
                entry.filename == part.as_bytes() && entry.mode.is_tree()
            };
            let found = entries.find_map(|entry| entry.ok().filter(is_there));
            let Some(entry) = found else {
                return Ok(None);
            };
            tree = entry.oid.to_owned();
        }
        Ok(Some(tree))
    }

    fn tree<'b>(
        &self,
        id: Option<ObjectId>,
        buffer: &'b mut Vec<u8>,
    ) -> Result<TreeRefIter<'b>, String> {
        let Some(id) = id else {
            return Ok(TreeRefIter::from_bytes(&[], Kind::Sha1));
        };
        let found = self.objects.find_tree_iter(&id, buffer);
        found.map_err(|error| error.to_string())
    }
}

/// The path of what changed, if it is no directory.
fn file(change: &Change) -> Option<String> {
    let (is_directory, path) = match change {
        Change::Addition {
            entry_mode, path, ..
        }
        | Change::Deletion {
            entry_mode, path, ..
        } => (entry_mode.is_tree(), path),
        Change::Modification {
            previous_entry_mode,
            entry_mode,
            path,
            ..
        } => (entry_mode.is_tree() && previous_entry_mode.is_tree(), path),
    };
    (!is_directory).then(|| path.to_string())
}
