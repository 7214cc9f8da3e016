//! A build context with some of its files as a fix would leave them. Nothing is written.

use std::collections::BTreeMap;
use std::io;

use super::path;
use super::{BuildContext, Entry, Kind};

/// A context, and the files that stand in it instead of its own or besides them. Their directories are there already.
#[derive(Clone)]
pub struct Overlay<'a> {
    below: &'a dyn BuildContext,
    files: BTreeMap<String, Vec<u8>>,
}

impl<'a> Overlay<'a> {
    /// `below`, unchanged.
    #[must_use]
    pub fn new(below: &'a dyn BuildContext) -> Self {
        let files = BTreeMap::new();
        Self { below, files }
    }

    /// The file of its own at `path`.
    fn own(&self, path: &str) -> Option<&Vec<u8>> {
        match self.files.is_empty() {
            true => None,
            false => self.files.get(&path::clean_in_root(path)),
        }
    }

    /// Puts `bytes` at `path`.
    pub fn put(&mut self, path: &str, bytes: Vec<u8>) {
        self.files.insert(path::clean_in_root(path), bytes);
    }
}

impl BuildContext for Overlay<'_> {
    fn is_known(&self) -> bool {
        self.below.is_known()
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        match self.own(path) {
            Some(bytes) => Some(Entry::File(bytes.len() as u64)),
            None => self.below.entry(path),
        }
    }

    fn list(&self, path: &str) -> Vec<String> {
        let children = self.children(path).into_iter();
        children.map(|(name, _)| name).collect()
    }

    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        match self.own(path) {
            Some(bytes) => Ok(bytes.iter().copied().take(limit).collect()),
            None => self.below.read(path, limit),
        }
    }

    fn resolve(&self, path: &str) -> Option<String> {
        match self.own(path) {
            Some(_) => Some(path::clean_in_root(path)),
            None => self.below.resolve(path),
        }
    }

    fn children(&self, path: &str) -> Vec<(String, Kind)> {
        let mut children = self.below.children(path);
        let directory = path::clean_in_root(path);
        let own = self.files.keys();
        for file in own.filter(|file| path::parent(file) == directory) {
            let name = path::file_name(file);
            match children.binary_search_by(|(child, _)| child.as_str().cmp(name)) {
                Ok(at) => children[at].1 = Kind::File,
                Err(at) => children.insert(at, (name.to_owned(), Kind::File)),
            }
        }
        children
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::MemoryContext;

    #[test]
    fn files_stand_besides_and_instead_of_others() {
        let below = MemoryContext::from([("a", "one"), ("d/b", "two")]);
        let mut overlay = Overlay::new(&below);
        overlay.put("a", b"other".to_vec());
        overlay.put("./.dockerignore", b".git\n".to_vec());
        assert_eq!(overlay.list(""), [".dockerignore", "a", "d"]);
        assert_eq!(overlay.list("d"), ["b"]);
        assert_eq!(overlay.entry("a"), Some(Entry::File(5)));
        assert_eq!(overlay.read(".dockerignore", 4).expect("a file"), b".git");
        assert_eq!(overlay.resolve("x"), None);
    }
}
