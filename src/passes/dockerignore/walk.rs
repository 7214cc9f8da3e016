//! What the build context holds, as far as an ignore file is concerned, and how much of it a build sends.

use crate::context::ignore::{self, Ignore, Verdict};
use crate::context::{BuildContext, Entry, Kind, path};
use crate::report::Sent;

/// How many names of the context are looked at, in each of the two walks.
const MAX_NAMES: usize = 100_000;

/// Everything that is there, without what stands inside of `closed` directories.
pub(super) struct Contents {
    pub(super) entries: Vec<Found>,
    /// Whether there is more than was looked at.
    pub(super) truncated: bool,
}

/// One name of the context.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) kind: Kind,
    /// Whether the ignore file keeps it out already.
    pub(super) ignored: bool,
}

impl Contents {
    /// Lists the context. Nothing is listed below a directory for which `closed` says so.
    pub(super) fn of(
        context: &dyn BuildContext,
        ignore: &Ignore,
        closed: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut contents = Self {
            entries: Vec::new(),
            truncated: false,
        };
        let mut pending = vec![(String::new(), ignore.root())];
        while let Some((directory, verdict)) = pending.pop() {
            for (name, kind) in context.children(&directory) {
                if contents.entries.len() == MAX_NAMES {
                    contents.truncated = true;
                    return contents;
                }
                let path = path::join(&directory, &name);
                let verdict = ignore.enter(&verdict, &path);
                let ignored = verdict.ignored;
                if kind == Kind::Directory && !closed(&path) {
                    pending.push((path.clone(), verdict));
                }
                contents.entries.push(Found {
                    path,
                    kind,
                    ignored,
                });
            }
        }
        contents
            .entries
            .sort_by(|one, other| one.path.cmp(&other.path));
        contents
    }

    /// Whether something has the name of an ignore file of the Dockerfile at `path` alone.
    pub(super) fn has_own(&self, path: &str) -> bool {
        let own = format!("{path}{}", ignore::FILE_NAME);
        let found = self.entries.binary_search_by(|one| one.path.cmp(&own));
        found.is_ok()
    }
}

/// What is sent of `directories`, none of them in another, under two ignore files.
pub(super) fn sizes(
    context: &dyn BuildContext,
    ignores: [&Ignore; 2],
    directories: &[String],
) -> [Sent; 2] {
    let mut sizes = [Sent::default(); 2];
    let verdict_on = |ignore: &Ignore, directory: &str| {
        let inner = path::prefixes(directory);
        inner.fold(ignore.root(), |parent, inner| ignore.enter(&parent, inner))
    };
    let roots = directories.iter();
    let mut pending: Vec<(String, [Verdict; 2])> = roots
        .map(|root| (root.clone(), ignores.map(|ignore| verdict_on(ignore, root))))
        .collect();
    let mut left = MAX_NAMES;
    while let Some((directory, verdicts)) = pending.pop() {
        for (name, kind) in context.children(&directory) {
            if left == 0 {
                sizes.iter_mut().for_each(|size| size.at_least = true);
                return sizes;
            }
            left -= 1;
            let path = path::join(&directory, &name);
            let inner = [0, 1].map(|at| ignores[at].enter(&verdicts[at], &path));
            let goes_on = inner[0].ignored && !ignores[0].may_except_below(&path);
            if goes_on {
                continue;
            }
            if kind == Kind::Directory {
                pending.push((path, inner));
                continue;
            }
            let bytes = match context.entry(&path).filter(|_| kind == Kind::File) {
                Some(Entry::File(bytes)) => bytes,
                _ => 0,
            };
            for (size, verdict) in sizes.iter_mut().zip(&inner) {
                if !verdict.ignored {
                    size.bytes += bytes;
                    size.files += 1;
                }
            }
        }
    }
    sizes
}

/// What is sent, in words.
pub(super) fn shown(sent: Sent) -> String {
    let least = if sent.at_least { "at least " } else { "" };
    let plural = if sent.files == 1 { "" } else { "s" };
    let (bytes, files) = (in_units(sent.bytes), sent.files);
    format!("{least}{bytes} in {files} file{plural}")
}

/// Bytes as Docker shows them: in units of 1,000, one decimal below ten.
fn in_units(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let Some((unit, name)) = units.into_iter().find(|(unit, _)| bytes >= *unit) else {
        return format!("{bytes} bytes");
    };
    let tenths = (bytes + unit / 20) / (unit / 10);
    match tenths {
        0..100 if !tenths.is_multiple_of(10) => format!("{}.{} {name}", tenths / 10, tenths % 10),
        _ => format!("{} {name}", (tenths + 5) / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::MemoryContext;

    #[test]
    fn what_is_sent_is_counted_once() {
        let context = MemoryContext::from([
            ("a/x.log", vec![0u8; 1_500]),
            ("a/y", vec![0; 20]),
            ("b/.git/z", vec![0; 3_000_000]),
        ]);
        let before = Ignore::parse(b"*.md").expect("patterns");
        let after = Ignore::parse(b"**/.git").expect("patterns");
        let [one, other] = sizes(
            &context,
            [&before, &after],
            &["a".to_owned(), "b".to_owned()],
        );
        assert_eq!(shown(one), "3 MB in 3 files");
        assert_eq!(shown(other), "1.5 kB in 2 files");
        let [part, _] = sizes(&context, [&before, &after], &["a".to_owned()]);
        assert_eq!(part.files, 2);
    }
}
