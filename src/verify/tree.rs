//! The files of an image, and the paths at which two images differ. Times are no part of it: every build sets its own.

use std::collections::BTreeMap;
use std::fmt;

use super::Difference;
use crate::image::{Entry, Image, Kind};

/// What stands at each absolute path of an image.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: BTreeMap<String, Node>,
    /// The text of files that were kept while the image was read, by path.
    texts: BTreeMap<String, String>,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Permissions, with the set-user-id bit and its kin.
    pub mode: u16,
    /// User and group.
    pub owner: (u32, u32),
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// A file with that hash of its content.
    File([u8; 16]),
    /// A directory.
    Directory,
    /// A symbolic link, and a hash of where it leads.
    Symlink([u8; 16]),
    /// A device or a pipe.
    Special,
}

/// In what two images differ at one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Something stands there that did not.
    New,
    /// A directory that was there is gone.
    DirectoryGone,
    /// Something else that was there is gone.
    Gone,
    /// It is something else: a file where a directory was.
    Kind,
    /// A file's content, or where a link leads.
    Content,
    /// Permissions or owner.
    Mode,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "is new",
            Self::DirectoryGone | Self::Gone => "is gone",
            Self::Kind => "is something else",
            Self::Content => "has another content",
            Self::Mode => "has another mode or owner",
        })
    }
}

impl Tree {
    /// The files of `image` when all its layers lie on each other.
    pub fn of(image: &Image) -> Self {
        let stack = image.stack();
        let mut nodes = BTreeMap::new();
        let mut texts = BTreeMap::new();
        let mut links = Vec::new();
        for index in stack.entries() {
            let entry = image.entry(index);
            let path = image.paths.show(entry.path);
            if let Some(text) = image.text(index) {
                texts.insert(path.clone(), String::from_utf8_lossy(text).into_owned());
            }
            match entry.kind {
                Kind::HardLink(target) => links.push((path, image.paths.show(target))),
                _ => drop(nodes.insert(path, node(entry))),
            }
        }
        // A further name of a file that has, or had, another one.
        for (path, target) in links {
            if let Some(node) = nodes.get(&target).cloned() {
                nodes.insert(path, node);
            }
        }
        Self { texts, nodes }
    }

    /// How many paths there are.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Whether anything stands at `path`.
    pub fn has(&self, path: &str) -> bool {
        self.nodes.contains_key(path)
    }

    /// Whether anything stands below the directory `path`.
    pub(super) fn has_below(&self, path: &str) -> bool {
        let prefix = format!("{path}/");
        let first = self.nodes.range(prefix.clone()..).next();
        first.is_some_and(|(path, _)| path.starts_with(&prefix))
    }

    /// The directories in `folder`.
    pub(super) fn directories_in<'t>(&'t self, folder: &'t str) -> impl Iterator<Item = &'t str> {
        let below = self.starting_with(folder);
        below.filter(move |path| {
            let rest = path[folder.len()..].strip_prefix('/');
            rest.is_some_and(|name| !name.is_empty() && !name.contains('/'))
        })
    }

    /// The paths that start with that text.
    pub(super) fn starting_with<'t>(&'t self, start: &'t str) -> impl Iterator<Item = &'t str> {
        let from = self.nodes.range(start.to_owned()..);
        from.map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(start))
    }

    /// The files whose text was kept.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.texts.iter();
        texts.map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The paths at which the two differ, in order.
    pub(super) fn differences(&self, after: &Self) -> Vec<Difference> {
        let before = self.nodes.iter();
        let changed = before.filter_map(|(path, node)| {
            let change = change(node, after.nodes.get(path))?;
            Some((path.clone(), change))
        });
        let new = after.nodes.keys().filter(|path| !self.has(path));
        let new = new.map(|path| (path.clone(), Change::New));
        let mut all: Vec<(String, Change)> = changed.chain(new).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all.into_iter()
            .map(|(path, change)| Difference::File { path, change })
            .collect()
    }
}

impl<P: Into<String>> FromIterator<(P, Node)> for Tree {
    /// A tree of these paths.
    fn from_iter<I: IntoIterator<Item = (P, Node)>>(nodes: I) -> Self {
        let nodes = nodes.into_iter().map(|(path, node)| (path.into(), node));
        Self {
            nodes: nodes.collect(),
            texts: BTreeMap::new(),
        }
    }
}

fn node(entry: &Entry) -> Node {
    let kind = match entry.kind {
        Kind::File(hash) => NodeKind::File(hash),
        Kind::Symlink(hash) => NodeKind::Symlink(hash),
        Kind::Directory => NodeKind::Directory,
        Kind::Special | Kind::HardLink(_) => NodeKind::Special,
    };
    Node {
        kind,
        mode: entry.mode,
        owner: (entry.user, entry.group),
    }
}

fn change(before: &Node, after: Option<&Node>) -> Option<Change> {
    let Some(after) = after else {
        return Some(match before.kind {
            NodeKind::Directory => Change::DirectoryGone,
            _ => Change::Gone,
        });
    };
    if std::mem::discriminant(&before.kind) != std::mem::discriminant(&after.kind) {
        return Some(Change::Kind);
    }
    if before.kind != after.kind {
        return Some(Change::Content);
    }
    // The mode of a link means nothing.
    let is_link = matches!(before.kind, NodeKind::Symlink(_));
    let same = before.owner == after.owner && (is_link || before.mode == after.mode);
    (!same).then_some(Change::Mode)
}
