//! What the tests of all readers share: a context of a few files, and damaged input.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::context::{BuildContext, Entry};

/// A context that holds these files, path and text.
pub(super) fn files(files: &[(&str, &str)]) -> Files {
    let own = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
    Files(files.iter().map(own).collect())
}

/// See [`files`].
pub(super) struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// What comes after `directory/` in the paths below it.
    fn below(&self, directory: &str) -> impl Iterator<Item = &str> {
        let prefix = match directory {
            "" => String::new(),
            _ => format!("{directory}/"),
        };
        self.0
            .keys()
            .filter_map(move |path| path.strip_prefix(&prefix))
    }
}

impl BuildContext for Files {
    fn is_known(&self) -> bool {
        true
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        if let Some(bytes) = self.0.get(path) {
            return Some(Entry::File(bytes.len() as u64));
        }
        self.below(path).next().map(|_| Entry::Directory)
    }

    fn list(&self, path: &str) -> Vec<String> {
        let names: BTreeSet<&str> = self
            .below(path)
            .filter_map(|rest| rest.split('/').next())
            .collect();
        names.into_iter().map(str::to_owned).collect()
    }

    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        let bytes = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(bytes.iter().copied().take(limit).collect())
    }
}

/// Runs `read` over random bytes, and over `valid` texts with bytes dropped, changed and repeated: it must come back.
pub(super) fn survives(valid: &[&str], read: impl Fn(&[u8])) {
    let mut runner = TestRunner::new(Config::with_cases(128));
    let random = proptest::collection::vec(any::<u8>(), 0..512);
    runner
        .run(&random, |bytes| {
            read(&bytes);
            Ok(())
        })
        .expect("random bytes");
    let texts: Vec<Vec<u8>> = valid.iter().map(|text| text.as_bytes().to_vec()).collect();
    let damage = (
        proptest::sample::select(texts),
        proptest::collection::vec((any::<prop::sample::Index>(), damage()), 1..8),
    );
    runner
        .run(&damage, |(mut bytes, damages)| {
            for (at, damage) in damages {
                damage.apply(&mut bytes, at);
            }
            read(&bytes);
            Ok(())
        })
        .expect("damaged text");
}

#[derive(Debug, Clone)]
enum Damage {
    Drop(usize),
    Change(u8),
    Insert(char),
    Repeat(usize),
    Cut,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (1..20_usize).prop_map(Damage::Drop),
        any::<u8>().prop_map(Damage::Change),
        proptest::sample::select(
            "\"'`#\\\n\t {}[]()<>=:;,*/&|$@!-é"
                .chars()
                .collect::<Vec<_>>()
        )
        .prop_map(Damage::Insert),
        (1..40_usize).prop_map(Damage::Repeat),
        Just(Damage::Cut),
    ]
}

impl Damage {
    fn apply(self, bytes: &mut Vec<u8>, at: prop::sample::Index) {
        if bytes.is_empty() {
            return;
        }
        let at = at.index(bytes.len());
        let end = |count: usize| bytes.len().min(at + count);
        match self {
            Self::Drop(count) => drop(bytes.drain(at..end(count))),
            Self::Change(byte) => bytes[at] = byte,
            Self::Insert(char) => {
                let mut buffer = [0; 4];
                let encoded = char.encode_utf8(&mut buffer).as_bytes();
                drop(bytes.splice(at..at, encoded.iter().copied()));
            }
            Self::Repeat(count) => {
                let part = bytes[at..end(count)].to_vec();
                drop(bytes.splice(at..at, part));
            }
            Self::Cut => bytes.truncate(at),
        }
    }
}
