//! Lists what a COPY brings, one directory at a time.

use super::{Copy, Landing, Reach, Source};
use crate::context::ignore::Verdict;
use crate::context::path;
use crate::context::{Entry, Kind, glob};

/// An iterator over the files that a COPY brings: path in the context (symlinks of the source followed) and where it
/// lands. Sources in their order, each in the order of names.
pub struct Files<'a> {
    copy: &'a Copy<'a>,
    sources: std::slice::Iter<'a, Source>,
    /// What is still to be looked at, the next one last.
    pending: Vec<Pending>,
}

struct Pending {
    path: String,
    reach: Reach,
    work: Work,
}

enum Work {
    /// A file or symlink that is brought.
    Yield,
    /// A directory with this verdict, whose contents are brought.
    Open(Verdict),
}

impl<'a> Files<'a> {
    pub(super) fn new(copy: &'a Copy<'a>) -> Self {
        Self {
            copy,
            sources: copy.sources.iter(),
            pending: Vec::new(),
        }
    }

    /// What of the directory at `directory` reaches the builder, as if its contents were copied.
    pub(super) fn below(copy: &'a Copy<'a>, directory: &str) -> Self {
        let mut files = Self {
            copy,
            sources: [].iter(),
            pending: Vec::new(),
        };
        files.push_directory(directory);
        files
    }

    fn push_source(&mut self, source: &Source) {
        match &source.pattern {
            None => self.push_named(&source.base),
            Some(pattern) => {
                let mut matched = self.matches(&source.base, pattern);
                matched.reverse();
                for named in matched {
                    self.push_named(&named);
                }
            }
        }
    }

    /// The file or directory that a source names or matches, symlinks followed.
    fn push_named(&mut self, named: &str) {
        let context = self.copy.context;
        let Some(real) = context.resolve(named) else {
            return;
        };
        if real != named && self.copy.ignore.ignores(named) {
            return;
        }
        match context.entry(&real) {
            Some(Entry::Directory) => self.push_directory(&real),
            Some(Entry::File(_)) if !self.copy.ignore.ignores(&real) => {
                let reach = Reach::Named(path::file_name(named).to_owned());
                self.pending.push(Pending {
                    path: real,
                    reach,
                    work: Work::Yield,
                });
            }
            _ => {}
        }
    }

    fn push_directory(&mut self, directory: &str) {
        let ignore = self.copy.ignore;
        let verdict = path::prefixes(directory)
            .fold(ignore.root(), |parent, inner| ignore.enter(&parent, inner));
        if verdict.ignored && !ignore.may_except_below(directory) {
            return;
        }
        let reach = Reach::Inside(String::new());
        self.pending.push(Pending {
            path: directory.to_owned(),
            reach,
            work: Work::Open(verdict),
        });
    }

    /// Queues what is in a directory, the first name last.
    fn open(&mut self, directory: &str, inside: &str, verdict: &Verdict) {
        let ignore = self.copy.ignore;
        for (name, kind) in self.copy.context.children(directory).into_iter().rev() {
            let path = path::join(directory, &name);
            let verdict = ignore.enter(verdict, &path);
            let work = match kind {
                Kind::Directory if !verdict.ignored || ignore.may_except_below(&path) => {
                    Work::Open(verdict)
                }
                Kind::File | Kind::Symlink | Kind::Other if !verdict.ignored => Work::Yield,
                _ => continue,
            };
            let reach = Reach::Inside(path::join(inside, &name));
            self.pending.push(Pending { path, reach, work });
        }
    }

    /// The paths below `base` that `pattern` matches, in order. Only the directories are read that its components match,
    /// unless a class of it matches a `/`.
    fn matches(&self, base: &str, pattern: &str) -> Vec<String> {
        let context = self.copy.context;
        let Some(real) = context.resolve(base) else {
            return Vec::new();
        };
        let parts: Vec<&str> = pattern.split('/').collect();
        let is_even = !glob::crosses_directories(pattern);
        let mut found = Vec::new();
        let mut pending = vec![String::new()];
        while let Some(inside) = pending.pop() {
            let depth = path::prefixes(&inside).count();
            let part = parts.get(depth).filter(|_| is_even);
            if is_even && part.is_none() {
                continue;
            }
            for (name, kind) in context
                .children(&path::join(&real, &inside))
                .into_iter()
                .rev()
            {
                let rest = path::join(&inside, &name);
                if part.is_some_and(|part| glob::matches(part, &name) != Ok(true)) {
                    continue;
                }
                if glob::matches(pattern, &rest) == Ok(true) {
                    found.push(path::join(&real, &rest));
                } else if kind == Kind::Directory {
                    pending.push(rest);
                }
            }
        }
        found.sort_unstable();
        found
    }
}

impl Iterator for Files<'_> {
    type Item = (String, Landing);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(Pending { path, reach, work }) = self.pending.pop() else {
                let source = self.sources.next()?;
                self.push_source(source);
                continue;
            };
            match (work, &reach) {
                (Work::Yield, _) => {
                    let landing = self.copy.landing(&reach);
                    return Some((path, landing));
                }
                (Work::Open(verdict), Reach::Inside(inside)) => self.open(&path, inside, &verdict),
                (Work::Open(_), Reach::Named(_)) => {}
            }
        }
    }
}
