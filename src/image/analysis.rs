//! What is to be said of an image: the rows of its tables, in the words that JSON has for them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::compression::Compression;
use super::folders::{Folder, Totals};
use super::history::{self, Lines};
use super::layer::{Hash, Kind};
use super::paths::PathId;
use super::savings::{SavingRow, savings};
use super::stack::{Changes, Stack, WasteKind};
use super::{Entry, Image};

/// As many rows has a list of files or folders.
const ROWS: usize = 20;
/// As many paths of one content are named.
const PATHS: usize = 10;
/// What is smaller than this share of all is not shown in a tree.
const SHARE: u64 = 2000;
const LAYER_SHARE: u64 = 400;

/// An image, added up. Sizes are in bytes. Keys are stable once released.
#[derive(Debug, Clone, Serialize)]
pub struct Analysis {
    /// The image's name.
    pub image: Option<String>,
    /// `linux/amd64`.
    pub platform: String,
    /// What the files of all layers have, as `docker history` sums it up.
    pub size: u64,
    /// What the layers have as they are transferred, where the image holds them like that.
    pub compressed: Option<u64>,
    /// What the layers' archives have.
    pub archives: u64,
    /// What of `size` nobody sees: overwritten and deleted files.
    pub wasted: u64,
    /// What contents have that are there several times, the first time aside; no part of `wasted`.
    pub duplicated: u64,
    /// 1 where nothing is wasted.
    pub efficiency: f64,
    /// The layers, the first first.
    pub layers: Vec<LayerRow>,
    /// The steps that the image records, the first first.
    pub steps: Vec<StepRow>,
    /// What was written in vain, by the layers that wrote and that wasted it.
    pub waste: Vec<WasteRow>,
    /// The largest files that were written in vain.
    pub wasted_files: Vec<WastedFile>,
    /// Contents that are there several times, by what they waste.
    pub duplicates: Vec<DuplicateRow>,
    /// The largest files of the image.
    pub largest_files: Vec<FileRow>,
    /// The largest folders of the image.
    pub largest_folders: Vec<FolderRow>,
    /// What can be won back.
    pub savings: Vec<SavingRow>,
    /// What is unusual about the image.
    pub notes: Vec<String>,
    /// The image's folders; left out of JSON.
    #[serde(skip)]
    pub tree: Folder,
}

/// A layer.
#[derive(Debug, Clone, Serialize)]
pub struct LayerRow {
    /// Its position, from 1 on: what other rows call it.
    pub number: usize,
    /// The hash of its archive.
    pub diff_id: Option<String>,
    /// The bytes of its files.
    pub size: u64,
    /// The bytes of its archive.
    pub archive: u64,
    /// The bytes of the compressed archive.
    pub compressed: Option<u64>,
    /// How it is compressed.
    pub compression: Compression,
    /// What it does to the files below it.
    #[serde(flatten)]
    pub changes: Changes,
    /// What of it later layers waste.
    pub wasted: u64,
    /// What it wastes of the layers below it.
    pub wastes: u64,
    /// What it holds of contents that are there already.
    pub duplicated: u64,
    /// The step that made it, an index into [`Analysis::steps`].
    pub step: Option<usize>,
    /// What it writes, by folder; left out of JSON.
    #[serde(skip)]
    pub tree: Folder,
}

/// A step of the build.
#[derive(Debug, Clone, Serialize)]
pub struct StepRow {
    /// What the builder wrote down.
    pub created_by: String,
    /// The same as an instruction.
    pub instruction: String,
    /// When.
    pub created: Option<String>,
    /// The number of the layer that it made.
    pub layer: Option<usize>,
    /// The lines of the Dockerfile that it stands on.
    pub lines: Option<Lines>,
}

/// Files of one layer that another one wasted.
#[derive(Debug, Clone, Serialize)]
pub struct WasteRow {
    /// The layer that wrote them.
    pub layer: usize,
    /// The layer that wasted them.
    pub by: usize,
    /// How.
    pub kind: WasteKind,
    /// Their bytes.
    pub bytes: u64,
    /// How many they are.
    pub files: u64,
    /// The largest.
    pub largest: String,
}

/// A file that was written in vain.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct WastedFile {
    pub path: String,
    pub bytes: u64,
    pub layer: usize,
    pub by: usize,
    pub kind: WasteKind,
}

/// A content that is there several times.
#[derive(Debug, Clone, Serialize)]
pub struct DuplicateRow {
    /// The bytes of all but the first.
    pub wasted: u64,
    /// The bytes of one.
    pub bytes: u64,
    /// How often it is there.
    pub count: u64,
    /// Where; not all of them, where they are many.
    pub copies: Vec<Copies>,
}

/// Where a content is.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct Copies {
    pub path: String,
    pub layer: usize,
}

/// A file of the image.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct FileRow {
    pub path: String,
    pub bytes: u64,
    pub layer: usize,
}

/// A folder of the image.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct FolderRow {
    pub path: String,
    pub bytes: u64,
    pub files: u64,
}

impl Image {
    /// Adds the image up.
    pub fn analyze(&self) -> Analysis {
        let stack = self.stack();
        let live: Vec<u32> = stack
            .entries()
            .filter(|entry| self.is_content(*entry))
            .collect();
        let duplicates = Duplicates::new(self, &stack, &live);
        let (waste, wasted_files) = waste(self, &stack);
        let mut analysis = Analysis {
            image: self.name.clone(),
            platform: self.platform.clone(),
            size: sum(self.layers.iter().map(|layer| layer.sizes.files)),
            compressed: self.compressed(),
            archives: sum(self.layers.iter().map(|layer| layer.sizes.archive)),
            wasted: sum(waste.iter().map(|row| row.bytes)),
            duplicated: sum(duplicates.by_layer.values().copied()),
            efficiency: 1.0,
            layers: Vec::new(),
            steps: self.step_rows(),
            savings: savings(self, &stack, &self.own_layers()),
            wasted_files,
            largest_files: self.largest_files(&stack, &live),
            largest_folders: Vec::new(),
            notes: self.notes.clone(),
            tree: Folder::default(),
            waste,
            duplicates: duplicates.rows(self, &stack),
        };
        if analysis.size > 0 {
            analysis.efficiency = stack.smallest() as f64 / analysis.size as f64;
        }
        let totals = Totals::new(&self.paths, live.iter().map(|entry| self.place(*entry)));
        analysis.tree = totals.tree(SHARE);
        let folders = totals.largest(ROWS).into_iter();
        let row = |(path, bytes, files)| FolderRow {
            path: self.paths.show(path),
            bytes,
            files,
        };
        analysis.largest_folders = folders.map(row).collect();
        analysis.layers = self.layer_rows(&stack, &analysis.waste, &duplicates);
        analysis
    }

    /// Whether it is a file with bytes of its own.
    fn is_content(&self, entry: u32) -> bool {
        let entry = self.entry(entry);
        matches!(entry.kind, Kind::File(_)) && entry.size > 0
    }

    fn place(&self, entry: u32) -> (PathId, u64) {
        let Entry { path, size, .. } = *self.entry(entry);
        (path, size)
    }

    /// What the layers have compressed, where all of them are.
    fn compressed(&self) -> Option<u64> {
        let blobs = self.layers.iter().map(|layer| layer.sizes.compressed());
        blobs.sum()
    }

    /// The layers that the Dockerfile made, where that is known; else all.
    fn own_layers(&self) -> BTreeSet<usize> {
        let placed = self.steps.iter().filter(|step| step.lines.is_some());
        let own: BTreeSet<usize> = placed.filter_map(|step| step.layer).collect();
        match own.is_empty() {
            true => (0..self.layers.len()).collect(),
            false => own,
        }
    }

    fn step_rows(&self) -> Vec<StepRow> {
        let row = |step: &super::Step| StepRow {
            created_by: step.created_by.clone(),
            instruction: match step.created_by.is_empty() {
                true => step.comment.clone(),
                false => history::instruction(&step.created_by),
            },
            created: step.created.clone(),
            layer: step.layer.map(|layer| layer + 1),
            lines: step.lines,
        };
        self.steps.iter().map(row).collect()
    }

    fn layer_rows(
        &self,
        stack: &Stack,
        waste: &[WasteRow],
        duplicates: &Duplicates,
    ) -> Vec<LayerRow> {
        let row = |(index, layer): (usize, &super::Layer)| {
            let number = index + 1;
            let files = layer.entries.clone().map(|entry| self.place(entry as u32));
            let totals = Totals::new(&self.paths, files.filter(|(_, size)| *size > 0));
            let wasted = waste.iter().filter(|row| row.layer == number);
            let wastes = waste.iter().filter(|row| row.by == number);
            LayerRow {
                number,
                diff_id: layer.diff_id.clone(),
                size: layer.sizes.files,
                archive: layer.sizes.archive,
                compressed: layer.sizes.compressed(),
                compression: layer.sizes.compression,
                changes: stack.changes.get(index).copied().unwrap_or_default(),
                wasted: wasted.map(|row| row.bytes).sum(),
                wastes: wastes.map(|row| row.bytes).sum(),
                duplicated: duplicates.by_layer.get(&index).copied().unwrap_or(0),
                step: self.steps.iter().position(|step| step.layer == Some(index)),
                tree: totals.tree(LAYER_SHARE),
            }
        };
        self.layers.iter().enumerate().map(row).collect()
    }

    fn largest_files(&self, stack: &Stack, live: &[u32]) -> Vec<FileRow> {
        let files = largest(live.to_vec(), |entry| self.entry(*entry).size);
        let row = |entry: u32| FileRow {
            path: self.paths.show(self.entry(entry).path),
            bytes: self.entry(entry).size,
            layer: stack.layer_of(entry) + 1,
        };
        files.into_iter().map(row).collect()
    }
}

/// What was written in vain: by layers, and the largest files.
fn waste(image: &Image, stack: &Stack) -> (Vec<WasteRow>, Vec<WastedFile>) {
    let mut sums: BTreeMap<(usize, usize, WasteKind), (u64, u64, u32)> = BTreeMap::new();
    for one in &stack.waste {
        let key = (stack.layer_of(one.entry) + 1, one.by as usize + 1, one.kind);
        let (bytes, files, largest) = sums.entry(key).or_insert((0, 0, one.entry));
        let size = image.entry(one.entry).size;
        *bytes += size;
        *files += 1;
        if image.entry(*largest).size < size {
            *largest = one.entry;
        }
    }
    let row = |((layer, by, kind), (bytes, files, largest)): (_, (u64, u64, u32))| WasteRow {
        layer,
        by,
        kind,
        bytes,
        files,
        largest: image.paths.show(image.entry(largest).path),
    };
    let mut rows: Vec<WasteRow> = sums.into_iter().map(row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.bytes));
    let files = largest(stack.waste.clone(), |one| image.entry(one.entry).size);
    let file = |one: super::Waste| WastedFile {
        path: image.paths.show(image.entry(one.entry).path),
        bytes: image.entry(one.entry).size,
        layer: stack.layer_of(one.entry) + 1,
        by: one.by as usize + 1,
        kind: one.kind,
    };
    (rows, files.into_iter().map(file).collect())
}

/// Contents that the image has several times.
struct Duplicates {
    /// The entries of each content, in their order.
    groups: Vec<Vec<u32>>,
    /// The bytes that each layer writes again.
    by_layer: BTreeMap<usize, u64>,
}

impl Duplicates {
    fn new(image: &Image, stack: &Stack, live: &[u32]) -> Self {
        let content = |entry: u32| match image.entry(entry).kind {
            Kind::File(hash) => Some((hash, image.entry(entry).size)),
            _ => None,
        };
        let mut all: Vec<(Hash, u64, u32)> = Vec::new();
        let known = live
            .iter()
            .filter_map(|entry| content(*entry).map(|one| (one, *entry)));
        all.extend(known.map(|((hash, size), entry)| (hash, size, entry)));
        all.sort_unstable();
        let same = all
            .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
            .filter(|group| group.len() > 1);
        let mut groups: Vec<Vec<u32>> = same
            .map(|group| group.iter().map(|one| one.2).collect())
            .collect();
        let wasted = |group: &Vec<u32>| image.entry(group[0]).size * (group.len() as u64 - 1);
        groups.sort_by_key(|group| (std::cmp::Reverse(wasted(group)), group[0]));
        let mut by_layer = BTreeMap::new();
        for entry in groups.iter().flat_map(|group| &group[1..]) {
            *by_layer.entry(stack.layer_of(*entry)).or_default() += image.entry(*entry).size;
        }
        Self { groups, by_layer }
    }

    fn rows(&self, image: &Image, stack: &Stack) -> Vec<DuplicateRow> {
        let place = |entry: &u32| Copies {
            path: image.paths.show(image.entry(*entry).path),
            layer: stack.layer_of(*entry) + 1,
        };
        let row = |group: &Vec<u32>| {
            let (bytes, count) = (image.entry(group[0]).size, group.len() as u64);
            DuplicateRow {
                wasted: bytes * (count - 1),
                bytes,
                count,
                copies: group.iter().take(PATHS).map(place).collect(),
            }
        };
        self.groups.iter().take(ROWS).map(row).collect()
    }
}

/// The first rows by size.
fn largest<T: Copy>(mut all: Vec<T>, size: impl Fn(&T) -> u64) -> Vec<T> {
    all.sort_by_key(|one| std::cmp::Reverse(size(one)));
    all.truncate(ROWS);
    all
}

fn sum(all: impl Iterator<Item = u64>) -> u64 {
    all.fold(0, u64::saturating_add)
}
