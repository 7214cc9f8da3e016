//! What folders hold, their folders included.

use serde::Serialize;

use super::paths::{PathId, Paths};

/// A file or folder, as large as all that is in it. What is too small to be shown is summed up in one without a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Folder {
    /// The last component of its path; `/` for the root, empty for the rest of a folder.
    pub name: String,
    /// The bytes of its files.
    pub bytes: u64,
    /// Its files.
    pub files: u64,
    /// What is in it, the largest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Folder>,
}

/// The bytes and files at and below each path.
pub(super) struct Totals<'p> {
    paths: &'p Paths,
    bytes: Vec<u64>,
    files: Vec<u32>,
}

/// A folder is shown down to that depth.
const DEPTH: usize = 16;
/// As many parts of one folder are shown.
const PARTS: usize = 60;

impl<'p> Totals<'p> {
    /// The totals of these files: path and size.
    pub(super) fn new(paths: &'p Paths, sizes: impl Iterator<Item = (PathId, u64)>) -> Self {
        let mut totals = Self {
            paths,
            bytes: vec![0; paths.count()],
            files: vec![0; paths.count()],
        };
        for (path, size) in sizes {
            let bytes = &mut totals.bytes[path.index()];
            *bytes = bytes.saturating_add(size);
            totals.files[path.index()] += 1;
        }
        for path in paths.all().rev() {
            let parent = paths.parent(path).index();
            let sum = totals.bytes[parent].saturating_add(totals.bytes[path.index()]);
            totals.bytes[parent] = sum;
            totals.files[parent] += totals.files[path.index()];
        }
        totals
    }

    /// The tree, without what is smaller than one `share`th of all.
    pub(super) fn tree(&self, share: u64) -> Folder {
        let least = (self.bytes[PathId::ROOT.index()] / share).max(1);
        self.folder(PathId::ROOT, least, DEPTH)
    }

    fn folder(&self, path: PathId, least: u64, depth: usize) -> Folder {
        let name = match path {
            PathId::ROOT => "/".into(),
            path => String::from_utf8_lossy(self.paths.name(path)),
        };
        let mut folder = Folder {
            name: name.into_owned(),
            bytes: self.bytes[path.index()],
            files: self.files[path.index()].into(),
            children: Vec::new(),
        };
        if depth == 0 {
            return folder;
        }
        let mut parts: Vec<PathId> = self.paths.children(path).collect();
        parts.retain(|part| self.bytes[part.index()] > 0);
        parts.sort_by_key(|part| std::cmp::Reverse(self.bytes[part.index()]));
        let shown = parts.iter().take(PARTS);
        let shown = shown
            .take_while(|part| self.bytes[part.index()] >= least)
            .count();
        let (shown, rest) = parts.split_at(shown);
        if !shown.is_empty() {
            let shown = shown
                .iter()
                .map(|part| self.folder(*part, least, depth - 1));
            folder.children = shown.collect();
            folder.children.extend(self.rest(rest));
        }
        folder
    }

    fn rest(&self, parts: &[PathId]) -> Option<Folder> {
        let sum = |of: &dyn Fn(usize) -> u64| parts.iter().map(|part| of(part.index())).sum();
        (!parts.is_empty()).then(|| Folder {
            name: String::new(),
            bytes: sum(&|index| self.bytes[index]),
            files: sum(&|index| self.files[index].into()),
            children: Vec::new(),
        })
    }

    /// The largest folders: path, bytes, files. One that is little more than one of its folders is not among them: that
    /// folder is.
    pub(super) fn largest(&self, count: usize) -> Vec<(PathId, u64, u64)> {
        let mut folders: Vec<PathId> = self.paths.all().filter(|path| self.tells(*path)).collect();
        folders.sort_by_key(|path| (std::cmp::Reverse(self.bytes[path.index()]), *path));
        let row = |path: PathId| {
            (
                path,
                self.bytes[path.index()],
                self.files[path.index()].into(),
            )
        };
        folders.into_iter().take(count).map(row).collect()
    }

    fn tells(&self, path: PathId) -> bool {
        let bytes = self.bytes[path.index()];
        let mut parts = self.paths.children(path).peekable();
        bytes > 0
            && parts.peek().is_some()
            && parts.all(|part| {
                let is_folder = self.paths.children(part).next().is_some();
                !is_folder || self.bytes[part.index()] < bytes - bytes / 10
            })
    }
}
