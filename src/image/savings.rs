//! Which rules would win which bytes back: the table `rules/data/contents.toml`, held against the files of an image.
//!
//! A figure is what is there, not a promise: it says what to look at.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use super::Image;
use super::layer::Kind;
use super::paths::PathId;
use super::stack::{Stack, WasteKind};
use crate::model::managers;

/// Bytes that can be won back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SavingRow {
    /// What they are.
    pub what: String,
    /// The rules that win them back.
    pub rules: Vec<String>,
    /// What to do where no rule does it.
    pub advice: Option<String>,
    /// How many they are.
    pub bytes: u64,
    /// Of how many files.
    pub files: u64,
    /// The layers that wrote them, with the bytes of each.
    pub layers: BTreeMap<usize, u64>,
    /// The largest of the files.
    pub largest: String,
}

/// Files below that size are not held against globs one by one.
const SMALL: u64 = 4096;

/// What can be won back in `layers`, the most first.
pub(super) fn savings(image: &Image, stack: &Stack, layers: &BTreeSet<usize>) -> Vec<SavingRow> {
    let contents = Contents::new(image);
    let mut sums: HashMap<Reason, Sum> = HashMap::new();
    let wasted: HashMap<u32, WasteKind> = stack
        .waste
        .iter()
        .map(|one| (one.entry, one.kind))
        .collect();
    for layer in layers {
        for index in image.layers[*layer].entries.clone() {
            let index = index as u32;
            let entry = image.entry(index);
            if entry.size == 0 || !matches!(entry.kind, Kind::File(_)) {
                continue;
            }
            let kind = wasted.get(&index).map(|kind| Reason::Wasted(*kind));
            let content = contents.of(image, entry.path, entry.size);
            let Some(reason) = content.map(Reason::Content).or(kind) else {
                continue;
            };
            sums.entry(reason)
                .or_default()
                .add(*layer, entry.size, entry.path);
        }
    }
    let rows = sums
        .into_iter()
        .filter_map(|(reason, sum)| sum.row(reason, image));
    let mut rows: Vec<SavingRow> = rows.collect();
    rows.sort_by(|a, b| (b.bytes, &a.what).cmp(&(a.bytes, &b.what)));
    rows
}

/// Why bytes can be won back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Reason {
    /// What they are: an index into the table.
    Content(usize),
    Wasted(WasteKind),
}

#[derive(Default)]
struct Sum {
    bytes: u64,
    files: u64,
    layers: BTreeMap<usize, u64>,
    largest: Option<(u64, PathId)>,
}

impl Sum {
    fn add(&mut self, layer: usize, size: u64, path: PathId) {
        self.bytes += size;
        self.files += 1;
        *self.layers.entry(layer).or_default() += size;
        if self.largest.is_none_or(|(largest, _)| largest < size) {
            self.largest = Some((size, path));
        }
    }

    fn row(self, reason: Reason, image: &Image) -> Option<SavingRow> {
        let (what, rules, advice) = match reason {
            Reason::Content(index) => {
                let content = TABLE.content.get(index)?;
                let rules = content.rule.iter().cloned().collect();
                (content.what.clone(), rules, content.advice.clone())
            }
            Reason::Wasted(kind) => {
                let rules = TABLE.wasted.get(&kind)?.clone();
                let what = match kind {
                    WasteKind::Deleted => "files that a later step deletes",
                    WasteKind::Rewritten => "files that a later step writes again as they are",
                    WasteKind::Overwritten => return None,
                };
                (what.to_owned(), rules, None)
            }
        };
        Some(SavingRow {
            what,
            rules,
            advice,
            bytes: self.bytes,
            files: self.files,
            layers: self.layers,
            largest: self
                .largest
                .map(|(_, path)| image.paths.show(path))
                .unwrap_or_default(),
        })
    }
}

/// Which paths lie in a folder of the table.
struct Contents {
    /// By path: 1 more than the index of the content; 0 for none.
    folders: Vec<u8>,
}

impl Contents {
    fn new(image: &Image) -> Self {
        let paths = &image.paths;
        let mut folders = vec![0; paths.count()];
        for path in paths.all() {
            let above = usize::from(folders[paths.parent(path).index()]).checked_sub(1);
            let own = paths.children(path).next().and_then(|_| {
                let shown = paths.show(path);
                TABLE.match_of(&TABLE.folders, &shown)
            });
            let first = above.into_iter().chain(own).min();
            folders[path.index()] = first.map_or(0, |index| index as u8 + 1);
        }
        Self { folders }
    }

    fn of(&self, image: &Image, path: PathId, size: u64) -> Option<usize> {
        let folder = usize::from(self.folders[path.index()]).checked_sub(1);
        if size < SMALL || TABLE.files.globs.is_empty() {
            return folder;
        }
        let file = TABLE.match_of(&TABLE.files, &image.paths.show(path));
        file.into_iter().chain(folder).min()
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let text = include_str!("../../rules/data/contents.toml");
    match Table::parse(text) {
        Ok(table) => table,
        // Not input but part of the program; a test reads it.
        Err(error) => panic!("rules/data/contents.toml: {error}"),
    }
});

struct Table {
    content: Vec<Content>,
    wasted: HashMap<WasteKind, Vec<String>>,
    folders: Globs,
    files: Globs,
}

/// Globs, and the content that each belongs to.
struct Globs {
    globs: GlobSet,
    contents: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    content: Vec<Content>,
    wasted: HashMap<WasteKind, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    what: String,
    rule: Option<String>,
    advice: Option<String>,
    #[serde(default)]
    managers: Vec<String>,
    paths: Option<Which>,
    #[serde(default)]
    folders: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Which {
    Index,
    Cache,
}

impl Table {
    fn parse(text: &str) -> Result<Self, String> {
        let Written { content, wasted } =
            toml::from_str(text).map_err(|error| error.to_string())?;
        let mut folders = Vec::new();
        let mut files = Vec::new();
        for (index, one) in content.iter().enumerate() {
            folders.extend(one.folders()?.into_iter().map(|glob| (index, glob)));
            files.extend(one.files.iter().map(|glob| (index, glob.clone())));
        }
        Ok(Self {
            content,
            wasted,
            folders: Globs::new(&folders)?,
            files: Globs::new(&files)?,
        })
    }

    /// The first content of which a glob fits.
    fn match_of(&self, globs: &Globs, path: &str) -> Option<usize> {
        let fitting = globs.globs.matches(path);
        fitting.into_iter().map(|glob| globs.contents[glob]).min()
    }
}

impl Content {
    fn folders(&self) -> Result<Vec<String>, String> {
        let mut folders = self.folders.clone();
        for name in &self.managers {
            let manager = managers::by_name(name).ok_or(format!("no manager `{name}`"))?;
            folders.extend_from_slice(match self.paths {
                Some(Which::Index) => &manager.index_paths,
                Some(Which::Cache) => &manager.cache_paths,
                None => return Err(format!("`{}` does not say which paths", self.what)),
            });
        }
        let anywhere = |folder: String| match folder.strip_prefix('~') {
            Some(below) => format!("{{/root,/home/*}}{below}"),
            None => folder,
        };
        Ok(folders.into_iter().map(anywhere).collect())
    }
}

impl Globs {
    fn new(globs: &[(usize, String)]) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for (_, glob) in globs {
            let glob = GlobBuilder::new(glob).literal_separator(true).build();
            set.add(glob.map_err(|error| error.to_string())?);
        }
        Ok(Self {
            globs: set.build().map_err(|error| error.to_string())?,
            contents: globs.iter().map(|(content, _)| *content).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        let found = TABLE
            .match_of(&TABLE.folders, path)
            .or(TABLE.match_of(&TABLE.files, path));
        let found = found.map(|index| TABLE.content[index].what.as_str());
        assert_eq!(found.unwrap_or("nothing"), expected, "{path}");
    }

    #[test]
    fn the_rules_of_the_table_are_there() {
        let rules: Vec<&str> = crate::rule::builtin()
            .iter()
            .map(|rule| rule.id.as_str())
            .collect();
        let named = TABLE.content.iter().filter_map(|one| one.rule.as_ref());
        for rule in named.chain(TABLE.wasted.values().flatten()) {
            assert!(rules.contains(&rule.as_str()), "no rule `{rule}`");
        }
        for one in &TABLE.content {
            assert!(one.rule.is_some() != one.advice.is_some(), "{}", one.what);
        }
    }

    #[test]
    fn contents_are_told_by_their_path() {
        check("/var/lib/apt/lists", "package lists of apt");
        check("/root/.cache/pip", "pip's cache");
        check("/home/app/.npm", "npm's cache");
        check("/root/.cache", "caches in home directories");
        check("/app/.git", "version control");
        check("/app/node_modules/@types", "Node packages for development");
        check("/tmp/a.tar.gz", "archives that were downloaded");
        check("/usr/share/a.tar.gz", "nothing");
        check("/app/var/lib/apt/lists", "nothing");
    }
}
