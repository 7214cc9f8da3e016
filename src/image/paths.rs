//! The paths of an image, each stored once: its last component and its parent. A path is a number from then on.
//!
//! Never touches a disk: `..` and leading slashes are resolved here, inside the image's root.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::fault::{Fault, Limit};
use super::limits;

/// A path of one [`Paths`]. A parent's number is lower than those of what lies below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(u32);

impl PathId {
    /// `/`.
    pub const ROOT: Self = Self(0);

    /// Its position among all paths.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All paths that the layers of an image name, and the directories above them.
#[derive(Debug)]
pub struct Paths {
    nodes: Vec<Node>,
    /// The last components, one behind the other.
    names: Vec<u8>,
    by_name: HashTable<u32>,
    hasher: RandomState,
    /// The directory that was asked for last, as it was written: archives list one directory after another.
    last: (Vec<u8>, PathId),
}

#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    name: u32,
    length: u32,
    /// The newest child, and the next older child of the same parent; 0 where there is none.
    child: u32,
    sibling: u32,
}

impl Paths {
    pub(super) fn new() -> Self {
        let root = Node {
            parent: 0,
            name: 0,
            length: 0,
            child: 0,
            sibling: 0,
        };
        Self {
            nodes: vec![root],
            names: Vec::new(),
            by_name: HashTable::new(),
            hasher: RandomState::new(),
            last: (Vec::new(), PathId::ROOT),
        }
    }

    /// How many there are: every [`PathId::index`] is below it.
    pub(super) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Every path but the root, parents before what lies below them.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = PathId> + use<> {
        (1..self.nodes.len() as u32).map(PathId)
    }

    /// The path that an archive writes like this, which is added where it is new.
    pub(super) fn add(&mut self, written: &[u8]) -> Result<PathId, Fault> {
        if written.len() > limits::PATH {
            return Err(Fault::limit(Limit::Path));
        }
        let trimmed = trim_slashes(written);
        let (folder, name) = match trimmed.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (&trimmed[..at], &trimmed[at + 1..]),
            None => (&trimmed[..0], trimmed),
        };
        if matches!(name, b"" | b"." | b"..") {
            return self.add_parts(trimmed);
        }
        if self.last.0 != folder {
            let id = self.add_parts(folder)?;
            self.last.0.clear();
            self.last.0.extend_from_slice(folder);
            self.last.1 = id;
        }
        self.add_child(self.last.1, name)
    }

    fn add_parts(&mut self, written: &[u8]) -> Result<PathId, Fault> {
        let mut at = PathId::ROOT;
        for part in written.split(|byte| *byte == b'/') {
            at = match part {
                b"" | b"." => at,
                b".." => self.parent(at),
                name => self.add_child(at, name)?,
            };
        }
        Ok(at)
    }

    pub(super) fn add_child(&mut self, parent: PathId, name: &[u8]) -> Result<PathId, Fault> {
        let hash = self.hasher.hash_one((parent.0, name));
        let same = |id: &u32| {
            let node = &self.nodes[*id as usize];
            node.parent == parent.0 && self.name_of(node) == name
        };
        if let Some(id) = self.by_name.find(hash, same) {
            return Ok(PathId(*id));
        }
        if self.nodes.len() >= limits::PATHS {
            return Err(Fault::limit(Limit::Paths));
        }
        // The limits keep both below 4 GiB.
        let id = self.nodes.len() as u32;
        let node = Node {
            parent: parent.0,
            name: self.names.len() as u32,
            length: name.len() as u32,
            child: 0,
            sibling: self.nodes[parent.index()].child,
        };
        if self.names.len() + name.len() > limits::NAMES {
            return Err(Fault::limit(Limit::Paths));
        }
        self.names.extend_from_slice(name);
        self.nodes.push(node);
        self.nodes[parent.index()].child = id;
        let (nodes, names, hasher) = (&self.nodes, &self.names, &self.hasher);
        self.by_name.insert_unique(hash, id, |id| {
            let node = &nodes[*id as usize];
            let name = &names[node.name as usize..][..node.length as usize];
            hasher.hash_one((node.parent, name))
        });
        Ok(PathId(id))
    }

    /// The directory that it lies in; the root's is the root.
    pub fn parent(&self, path: PathId) -> PathId {
        PathId(self.nodes[path.index()].parent)
    }

    /// The last component; the root has none.
    pub fn name(&self, path: PathId) -> &[u8] {
        self.name_of(&self.nodes[path.index()])
    }

    /// The paths right below it.
    pub(super) fn children(&self, path: PathId) -> impl Iterator<Item = PathId> + '_ {
        let some = |id: u32| (id != 0).then_some(PathId(id));
        let first = some(self.nodes[path.index()].child);
        std::iter::successors(first, move |id| some(self.nodes[id.index()].sibling))
    }

    /// The path itself and everything below it. Without recursion: a hostile archive nests deeply.
    pub(super) fn below(&self, path: PathId) -> impl Iterator<Item = PathId> + '_ {
        let mut stack = vec![path];
        std::iter::from_fn(move || {
            let next = stack.pop()?;
            stack.extend(self.children(next));
            Some(next)
        })
    }

    /// The path as text, from `/` on; bytes that are not UTF-8 are replaced.
    pub fn show(&self, path: PathId) -> String {
        let mut parts = Vec::new();
        let mut at = path;
        while at != PathId::ROOT {
            parts.push(String::from_utf8_lossy(self.name(at)));
            at = self.parent(at);
        }
        match parts.is_empty() {
            true => "/".to_owned(),
            false => parts.iter().rev().fold(String::new(), |mut path, part| {
                path.push('/');
                path.push_str(part);
                path
            }),
        }
    }

    fn name_of(&self, node: &Node) -> &[u8] {
        &self.names[node.name as usize..][..node.length as usize]
    }
}

fn trim_slashes(mut path: &[u8]) -> &[u8] {
    while let [b'/', rest @ ..] | [b'.', b'/', rest @ ..] = path {
        path = rest;
    }
    while let [rest @ .., b'/'] = path {
        path = rest;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_same_however_it_is_written() {
        let mut paths = Paths::new();
        let id = paths.add(b"usr/lib/a").unwrap();
        for written in [
            "/usr/lib/a",
            "./usr/lib/a",
            "usr//lib/./a/",
            "usr/x/../lib/a",
        ] {
            assert_eq!(paths.add(written.as_bytes()).unwrap(), id, "{written}");
        }
        assert_eq!(paths.show(id), "/usr/lib/a");
        assert_eq!(paths.show(paths.parent(id)), "/usr/lib");
    }

    #[test]
    fn nothing_leaves_the_root() {
        let mut paths = Paths::new();
        let id = paths.add(b"../../etc/passwd").unwrap();
        assert_eq!(paths.show(id), "/etc/passwd");
        for root in ["", ".", "./", "/", "..", "a/..", "../.."] {
            assert_eq!(paths.add(root.as_bytes()).unwrap(), PathId::ROOT, "{root}");
        }
    }

    #[test]
    fn what_lies_below_is_found() {
        let mut paths = Paths::new();
        let folder = paths.add(b"a").unwrap();
        for file in ["a/b", "a/b/c", "a/d", "e"] {
            paths.add(file.as_bytes()).unwrap();
        }
        let mut below: Vec<String> = paths.below(folder).map(|id| paths.show(id)).collect();
        below.sort();
        assert_eq!(below, ["/a", "/a/b", "/a/b/c", "/a/d"]);
        assert!(paths.all().all(|id| paths.parent(id) < id));
    }

    #[test]
    fn a_path_that_is_too_long_is_refused() {
        let error = Paths::new().add(&[b'a'; limits::PATH + 1]).unwrap_err();
        assert!(error.to_string().contains("path"), "{error}");
    }
}
