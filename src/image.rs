//! What a built image holds: its layers, what each adds and removes, which bytes nobody ever sees, and who wrote them.
//!
//! Reads what `docker save` writes, old and new, and OCI layouts, as archives or folders, and tells them apart by their
//! content. An image is read once, from front to back, without holding a layer: what is kept of a file is its path, size,
//! mode, owner and hash. Nothing is ever written, run or fetched, and no path of an image becomes one of this machine; what
//! an image may hold is bounded.

mod analysis;
mod archive;
mod compression;
mod fault;
mod folders;
mod history;
mod layer;
mod layout;
mod limits;
mod manifest;
mod paths;
mod provenance;
mod savings;
mod stack;
mod tape;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use self::analysis::{
    Analysis, Copies, DuplicateRow, FileRow, FolderRow, LayerRow, StepRow, WasteRow, WastedFile,
};
pub use self::archive::{read_archive, read_archive_keeping};
pub use self::compression::Compression;
pub use self::fault::Fault;
pub use self::folders::Folder;
pub use self::history::{Lines, Step, Written, place};
pub use self::layer::{Entry, Hash, Keep, Kind};
pub use self::layout::{Files, read_layout};
pub use self::manifest::Choice;
pub use self::paths::{PathId, Paths};
pub use self::savings::SavingRow;
pub use self::stack::{Changes, Stack, Waste, WasteKind};

use self::layer::{Entries, LayerFiles, Sizes};
use self::manifest::Plan;

/// An image, read.
#[derive(Debug)]
pub struct Image {
    /// Its name, where the archive gives one.
    pub name: Option<String>,
    /// `linux/amd64`.
    pub platform: String,
    /// The configuration as the image has it: `architecture`, `config`, `history` and the rest.
    pub config: serde_json::Value,
    /// From the first that was written to the last.
    pub layers: Vec<Layer>,
    /// What built it, in order: one for each layer, and those that made none.
    pub steps: Vec<Step>,
    /// What is unusual about it, whole sentences.
    pub notes: Vec<String>,
    /// The paths that its layers name.
    pub paths: Paths,
    entries: Vec<Entry>,
    /// The contents that were asked for, by their entry's index.
    texts: HashMap<u32, Vec<u8>>,
}

/// A layer of an image.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The hash of its archive, `sha256:…`, as the configuration names it.
    pub diff_id: Option<String>,
    entries: Entries,
    whiteouts: Vec<PathId>,
    opaque: Vec<PathId>,
    sizes: Sizes,
}

impl Image {
    /// What a layer puts into the image, in the order of its archive.
    pub fn entries(&self, layer: &Layer) -> &[Entry] {
        &self.entries[layer.entries.clone()]
    }

    /// The content of the file at that index among the entries of all layers, where it was kept.
    pub fn text(&self, entry: u32) -> Option<&[u8]> {
        self.texts.get(&entry).map(Vec::as_slice)
    }

    /// The image of `plan`; `take` gives the layer of that path, whose uses are counted.
    fn assemble(
        plan: Plan,
        paths: Paths,
        take: &mut dyn FnMut(&str) -> Result<LayerFiles, Fault>,
    ) -> Result<Self, Fault> {
        let mut image = Self {
            name: plan.name,
            platform: plan.platform,
            config: plan.config,
            layers: Vec::new(),
            steps: Vec::new(),
            notes: Vec::new(),
            paths,
            entries: Vec::new(),
            texts: HashMap::new(),
        };
        for (index, blob) in plan.layers.iter().enumerate() {
            let files = take(blob)?;
            let start = image.entries.len();
            image.entries.extend(files.entries);
            let texts = files.texts.into_iter();
            image
                .texts
                .extend(texts.map(|(index, text)| ((start + index) as u32, text)));
            image.layers.push(Layer {
                diff_id: plan.diff_ids.get(index).cloned(),
                entries: start..image.entries.len(),
                whiteouts: files.whiteouts,
                opaque: files.opaque,
                sizes: files.sizes,
            });
        }
        let (steps, note) = history::steps(plan.history, image.layers.len());
        image.steps = steps;
        image.notes.extend(note);
        if let Some(provenance) = plan.provenance {
            provenance.place(&plan.layers, &mut image.steps);
        }
        Ok(image)
    }
}
