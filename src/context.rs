//! The build context: the files that COPY and ADD may bring, and which directory holds them.
//!
//! A port: the chain asks a [`BuildContext`] and never touches a disk by itself. `.dockerignore` is in [`ignore`],
//! Go's file name patterns in [`glob`], what a COPY brings and where it lands in [`copy`], which directory is the
//! context in [`locate`], where a Dockerfile stands in [`site`]. Nothing here writes, and nothing is listed unless it is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

pub mod copy;
pub mod glob;
pub mod ignore;
pub mod locate;
pub mod overlay;
pub mod past;
pub mod path;
pub mod site;

/// A read-only view of one build context directory. Paths are relative to it, `/`-separated, without a leading `/`;
/// the empty path is the context itself. Nothing outside the directory is ever read, not through symlinks either.
pub trait BuildContext {
    /// Whether the context is known at all. When it is not, all other answers are empty and rules that need files
    /// decline.
    fn is_known(&self) -> bool;

    /// What stands at `path`, symlinks followed inside the context only; `None` where nothing does.
    fn entry(&self, path: &str) -> Option<Entry>;

    /// The names in directory `path`, sorted; empty where it is not a directory.
    fn list(&self, path: &str) -> Vec<String>;

    /// The bytes of the file at `path`, at most `limit` of them.
    ///
    /// # Errors
    /// As the file system reports them; `NotFound` for what is not a regular file.
    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>>;

    /// `path` with every symlink on the way followed inside the context; `None` where nothing stands, or where a
    /// symlink leaves the context. A context without symlinks need not say more than this.
    fn resolve(&self, path: &str) -> Option<String> {
        self.entry(path).map(|_| path::clean_in_root(path))
    }

    /// What stands in directory `path`, sorted by name, symlinks *not* followed. A context without symlinks need not
    /// say more than this.
    fn children(&self, path: &str) -> Vec<(String, Kind)> {
        let kind_of = |name: &str| match self.entry(&path::join(path, name)) {
            Some(Entry::File(_)) => Kind::File,
            Some(Entry::Directory) => Kind::Directory,
            Some(Entry::Other) | None => Kind::Other,
        };
        self.list(path)
            .into_iter()
            .map(|name| (name.clone(), kind_of(&name)))
            .collect()
    }
}

/// What a path of the context is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A regular file and its size in bytes.
    File(u64),
    /// A directory.
    Directory,
    /// Anything else: a device, a socket, a symlink that leaves the context.
    Other,
}

/// What a name in a directory is, a symlink being a symlink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symlink, wherever it leads.
    Symlink,
    /// A device, a pipe or a socket.
    Other,
}

/// The context that is not known.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoContext;

impl BuildContext for NoContext {
    fn is_known(&self) -> bool {
        false
    }

    fn entry(&self, _: &str) -> Option<Entry> {
        None
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn read(&self, path: &str, _: usize) -> io::Result<Vec<u8>> {
        Err(not_found(path))
    }
}

/// A context held in memory: path to content. Directories are implied.
#[derive(Debug, Clone, Default)]
pub struct MemoryContext {
    /// Path of each file, and its bytes.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl<P: AsRef<str>, B: Into<Vec<u8>>> FromIterator<(P, B)> for MemoryContext {
    /// Builds a context from pairs of a path (`./` and doubled slashes are cleaned) and the bytes of its file.
    fn from_iter<I: IntoIterator<Item = (P, B)>>(pairs: I) -> Self {
        let files = pairs
            .into_iter()
            .map(|(path, bytes)| (path::clean_in_root(path.as_ref()), bytes.into()))
            .collect();
        Self { files }
    }
}

impl<P: AsRef<str>, B: Into<Vec<u8>>, const N: usize> From<[(P, B); N]> for MemoryContext {
    fn from(pairs: [(P, B); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl BuildContext for MemoryContext {
    fn is_known(&self) -> bool {
        true
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        let path = path::clean_in_root(path);
        if let Some(bytes) = self.files.get(&path) {
            return Some(Entry::File(bytes.len() as u64));
        }
        let prefix = directory_prefix(&path);
        let holds_a_file = self
            .files
            .range(prefix.clone()..)
            .next()
            .is_some_and(|(file, _)| file.starts_with(&prefix));
        (path.is_empty() || holds_a_file).then_some(Entry::Directory)
    }

    fn list(&self, path: &str) -> Vec<String> {
        let prefix = directory_prefix(&path::clean_in_root(path));
        let mut names = BTreeSet::new();
        let mut from = prefix.clone();
        while let Some((file, _)) = self.files.range(from.clone()..).next() {
            let Some(rest) = file.strip_prefix(&prefix) else {
                break;
            };
            let name = rest.split('/').next().unwrap_or_default();
            // The first text after everything below `name`: `0` follows `/`. A file `name` itself ends one step on.
            from = if rest == name {
                format!("{file}\0")
            } else {
                format!("{prefix}{name}0")
            };
            names.insert(name.to_owned());
        }
        names.into_iter().collect()
    }

    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        let bytes = self
            .files
            .get(&path::clean_in_root(path))
            .ok_or_else(|| not_found(path))?;
        Ok(bytes.iter().copied().take(limit).collect())
    }
}

/// A directory of another context as a context of its own. It adds no protection: a symlink of the directory that
/// leads elsewhere in the outer context is followed, so use it for questions about what exists and not for reading.
#[derive(Clone, Copy)]
pub struct Subdirectory<'a> {
    outer: &'a dyn BuildContext,
    directory: &'a str,
}

impl<'a> Subdirectory<'a> {
    /// The directory `directory` (a path in `outer`, without a trailing `/`) of `outer`.
    #[must_use]
    pub fn new(outer: &'a dyn BuildContext, directory: &'a str) -> Self {
        Self { outer, directory }
    }

    fn outer_path(&self, path: &str) -> String {
        path::join(self.directory, &path::clean_in_root(path))
    }
}

impl BuildContext for Subdirectory<'_> {
    fn is_known(&self) -> bool {
        self.outer.is_known()
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        self.outer.entry(&self.outer_path(path))
    }

    fn list(&self, path: &str) -> Vec<String> {
        self.outer.list(&self.outer_path(path))
    }

    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.outer.read(&self.outer_path(path), limit)
    }

    fn resolve(&self, path: &str) -> Option<String> {
        let root = self.outer.resolve(self.directory)?;
        let real = self.outer.resolve(&self.outer_path(path))?;
        path::below(&real, &root).map(str::to_owned)
    }

    fn children(&self, path: &str) -> Vec<(String, Kind)> {
        self.outer.children(&self.outer_path(path))
    }
}

fn directory_prefix(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("{path}/")
    }
}

fn not_found(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> MemoryContext {
        MemoryContext::from([
            ("a/b.txt", "one"),
            ("a-c", "22"),
            ("./a/d//e", ""),
            ("z", "333"),
            ("a.x", ""),
        ])
    }

    #[test]
    fn entries_of_a_memory_context() {
        let context = sample();
        assert_eq!(context.entry(""), Some(Entry::Directory));
        assert_eq!(context.entry("a"), Some(Entry::Directory));
        assert_eq!(context.entry("a/"), Some(Entry::Directory));
        assert_eq!(context.entry("./a/b.txt"), Some(Entry::File(3)));
        assert_eq!(context.entry("a/d/e"), Some(Entry::File(0)));
        assert_eq!(
            context.entry("a/b"),
            None,
            "a prefix of a name is not a path"
        );
        assert_eq!(context.entry("b.txt"), None);
        assert_eq!(MemoryContext::default().entry(""), Some(Entry::Directory));
    }

    #[test]
    fn lists_are_sorted_by_name_and_hold_each_name_once() {
        let context = sample();
        assert_eq!(context.list(""), ["a", "a-c", "a.x", "z"]);
        assert_eq!(context.list("a"), ["b.txt", "d"]);
        assert_eq!(context.list("z"), Vec::<String>::new());
        let kinds = vec![
            ("b.txt".to_owned(), Kind::File),
            ("d".to_owned(), Kind::Directory),
        ];
        assert_eq!(context.children("a"), kinds);
    }

    #[test]
    fn reading_stops_at_the_limit() {
        let context = sample();
        assert_eq!(context.read("z", 2).expect("a file"), b"33");
        assert_eq!(
            context.read("a", 2).expect_err("a directory").kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn the_unknown_context_knows_nothing() {
        assert!(!NoContext.is_known());
        assert_eq!(NoContext.entry(""), None);
        assert_eq!(NoContext.resolve(""), None);
        assert!(NoContext.read("a", 1).is_err());
    }

    #[test]
    fn a_subdirectory_is_a_context() {
        let outer = sample();
        let inner = Subdirectory::new(&outer, "a");
        assert_eq!(inner.list(""), ["b.txt", "d"]);
        assert_eq!(inner.entry("b.txt"), Some(Entry::File(3)));
        assert_eq!(inner.entry("../z"), None, "the directory is its root");
        assert_eq!(inner.resolve("d/e").as_deref(), Some("d/e"));
    }
}
