//! The layers laid on each other: what the image's files are in the end, and which bytes were written in vain.
//!
//! The bytes of a file count as wasted when no name of it is left: overwritten or deleted by a later layer. They are in the
//! layer that wrote them, and a later one wasted them. Contents that are in the image several times are another matter,
//! and counted apart.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::layer::{Entry, Kind};
use super::paths::PathId;
use super::{Image, Layer};

/// What remains when every layer is laid on those before it.
#[derive(Debug)]
pub struct Stack {
    /// The entry at each path, 1 more than its index; 0 where there is none.
    live: Vec<u32>,
    /// The file behind a hard link.
    files: HashMap<u32, u32>,
    /// How many names a file has, where it has had more than one.
    names: HashMap<u32, u32>,
    /// The layer of the first entry after each layer's: `layers[i]..layers[i + 1]` are those of layer `i`.
    ends: Vec<u32>,
    /// What was written in vain.
    pub waste: Vec<Waste>,
    /// What each layer does to the files below it.
    pub changes: Vec<Changes>,
    /// The smallest size that a file of that path had; 0 where it was deleted.
    smallest: Vec<u64>,
}

/// A file that was written in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waste {
    /// The file, among all entries of the image.
    pub entry: u32,
    /// The layer that wasted it.
    pub by: u32,
    /// How.
    pub kind: WasteKind,
}

/// What became of a file that was written in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WasteKind {
    /// Another content took its place.
    Overwritten,
    /// It was written once more, the same: another mode, owner or time, or just a copy.
    Rewritten,
    /// It was deleted.
    Deleted,
}

/// How many files, directories aside, a layer added, changed and removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Changes {
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
}

impl Image {
    /// Lays the layers on each other.
    pub fn stack(&self) -> Stack {
        let mut stack = Stack {
            live: vec![0; self.paths.count()],
            files: HashMap::new(),
            names: HashMap::new(),
            ends: self
                .layers
                .iter()
                .map(|layer| layer.entries.end as u32)
                .collect(),
            waste: Vec::new(),
            changes: Vec::new(),
            smallest: vec![u64::MAX; self.paths.count()],
        };
        for (index, layer) in self.layers.iter().enumerate() {
            stack.lay(self, index as u32, layer);
        }
        stack
    }

    /// The entry at that index among those of all layers.
    pub fn entry(&self, index: u32) -> &Entry {
        &self.entries[index as usize]
    }
}

impl Stack {
    /// The files, directories and links of the image, by path, each as the index of its entry.
    pub fn entries(&self) -> impl Iterator<Item = u32> + '_ {
        self.live
            .iter()
            .filter(|live| **live != 0)
            .map(|live| live - 1)
    }

    /// The layer that an entry belongs to.
    pub fn layer_of(&self, entry: u32) -> usize {
        self.ends.partition_point(|end| *end <= entry)
    }

    /// The smallest size that the file of each path had, summed: dive's measure of what an image needs.
    pub(super) fn smallest(&self) -> u64 {
        self.smallest.iter().filter(|size| **size != u64::MAX).sum()
    }

    fn lay(&mut self, image: &Image, index: u32, layer: &Layer) {
        let mut change = Change {
            index,
            changes: Changes::default(),
            gone: HashMap::new(),
            lost: Vec::new(),
        };
        // What a layer takes away it takes from those below it, wherever its archive says so.
        for path in &layer.whiteouts {
            image
                .paths
                .below(*path)
                .for_each(|path| self.remove(path, &mut change));
        }
        for folder in &layer.opaque {
            let below = image.paths.below(*folder).filter(|path| path != folder);
            below.for_each(|path| self.remove(path, &mut change));
        }
        for entry in layer.entries.clone() {
            self.put(image, entry as u32, &mut change);
        }
        self.settle(image, change);
    }

    fn remove(&mut self, path: PathId, change: &mut Change) {
        let live = std::mem::take(&mut self.live[path.index()]);
        if live != 0 {
            change.gone.insert(path, live - 1);
        }
    }

    fn put(&mut self, image: &Image, index: u32, change: &mut Change) {
        let entry = image.entry(index);
        let place = entry.path.index();
        let before = match std::mem::replace(&mut self.live[place], index + 1) {
            0 => change.gone.remove(&entry.path),
            live => Some(live - 1),
        };
        if let Some(before) = before {
            let old = image.entry(before);
            if !old.is_file() && entry.is_file() {
                let below = image
                    .paths
                    .below(entry.path)
                    .filter(|path| *path != entry.path);
                below.for_each(|path| self.remove(path, change));
            }
            change.lost.push((before, Some(index)));
        }
        if let Kind::HardLink(target) = entry.kind {
            self.link(index, target);
        }
        if entry.is_file() {
            let below = image.entry(before.unwrap_or(index));
            match before {
                Some(_) if below.is_file() => change.changes.changed += 1,
                _ => change.changes.added += 1,
            }
            let smallest = &mut self.smallest[place];
            *smallest = (*smallest).min(entry.size);
        }
    }

    /// Another name for the file at `target`.
    fn link(&mut self, index: u32, target: PathId) {
        let Some(target) = self.live[target.index()].checked_sub(1) else {
            return;
        };
        let file = self.files.get(&target).copied().unwrap_or(target);
        if file != index {
            self.files.insert(index, file);
            *self.names.entry(file).or_insert(1) += 1;
        }
    }

    /// Counts what lost its last name.
    fn settle(&mut self, image: &Image, mut change: Change) {
        let mut gone: Vec<u32> = change.gone.into_values().collect();
        gone.sort_unstable();
        for entry in gone {
            let removed = image.entry(entry);
            if removed.is_file() {
                change.changes.removed += 1;
                self.smallest[removed.path.index()] = 0;
            }
            change.lost.push((entry, None));
        }
        for (entry, over) in change.lost {
            let file = self.files.get(&entry).copied().unwrap_or(entry);
            if let Some(names) = self.names.get_mut(&file) {
                *names -= 1;
                if *names > 0 {
                    continue;
                }
            }
            let wasted = image.entry(file);
            if wasted.size == 0 {
                continue;
            }
            let kind = match over.map(|over| image.entry(over)) {
                None => WasteKind::Deleted,
                Some(over) if (over.kind, over.size) == (wasted.kind, wasted.size) => {
                    WasteKind::Rewritten
                }
                Some(_) => WasteKind::Overwritten,
            };
            let (entry, by) = (file, change.index);
            self.waste.push(Waste { entry, by, kind });
        }
        self.changes.push(change.changes);
    }
}

/// A layer while it is laid on those before it.
struct Change {
    index: u32,
    changes: Changes,
    /// What it took away and has not put back.
    gone: HashMap<PathId, u32>,
    /// What is at its path no longer, and what is there instead.
    lost: Vec<(u32, Option<u32>)>,
}
