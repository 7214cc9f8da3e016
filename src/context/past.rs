//! A build context as it was: with files that stood in it once, beside those that do today.
//!
//! For questions about what a COPY would have brought. What stands there today has the last word on a path.

use std::collections::BTreeMap;
use std::io;

use super::{BuildContext, Entry, Kind, MemoryContext};

/// A context with files of the past. They are empty.
#[derive(Clone)]
pub struct Past<'a> {
    today: &'a dyn BuildContext,
    once: MemoryContext,
}

impl<'a> Past<'a> {
    /// `today`, and what stood at `files`.
    pub fn new<'f>(
        today: &'a dyn BuildContext,
        files: impl IntoIterator<Item = &'f String>,
    ) -> Self {
        let once = files.into_iter().map(|file| (file, Vec::new())).collect();
        Self { today, once }
    }
}

impl BuildContext for Past<'_> {
    fn is_known(&self) -> bool {
        self.today.is_known()
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        self.today.entry(path).or_else(|| self.once.entry(path))
    }

    fn list(&self, path: &str) -> Vec<String> {
        let children = self.children(path).into_iter();
        children.map(|(name, _)| name).collect()
    }

    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        match self.today.entry(path) {
            Some(_) => self.today.read(path, limit),
            None => self.once.read(path, limit),
        }
    }

    fn resolve(&self, path: &str) -> Option<String> {
        match self.today.entry(path) {
            Some(_) => self.today.resolve(path),
            None => self.once.resolve(path),
        }
    }

    fn children(&self, path: &str) -> Vec<(String, Kind)> {
        let once: BTreeMap<_, _> = self.once.children(path).into_iter().collect();
        let mut all = once;
        all.extend(self.today.children(path));
        all.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::copy::Copy;
    use crate::context::ignore::Ignore;

    #[test]
    fn files_that_are_gone_are_brought() {
        let today = MemoryContext::from([("src/a", "1"), ("b", "2")]);
        let gone = ["src/old", "lib/x", "b/c", "src/a"].map(str::to_owned);
        let past = Past::new(&today, &gone);
        let ignore = Ignore::parse(b"lib\n").expect("patterns");
        let brings = |source: &str, path: &str| {
            let copy = Copy::new([source], "/", None, &past, &ignore);
            copy.brings(path).is_some_and(|found| !found.is_empty())
        };
        assert!(brings(".", "src/old") && brings("src", "src/old") && brings("src/*", "src/old"));
        assert!(!brings("b", "src/old"));
        assert!(!brings(".", "lib/x"), "it is ignored");
        assert!(brings(".", "b/c"), "today it would be in a file");
        assert_eq!(past.list("src"), ["a", "old"]);
        assert_eq!(past.entry("src/a"), Some(Entry::File(1)));
        assert_eq!(past.read("src/a", 9).expect("a file"), b"1");
        assert_eq!(past.read("src/old", 9).expect("a file"), b"");
    }
}
