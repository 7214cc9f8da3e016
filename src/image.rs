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
pub use self::history::{Lines, Step, Written};
pub use self::layer::{Entry, Hash, Keep, Kind};
pub use self::layout::{Files, read_layout};
pub use self::manifest::Choice;
pub use self::paths::{PathId, Paths};
pub use self::savings::SavingRow;
pub use self::stack::{Changes, Stack, Waste, WasteKind};

use self::layer::{Entries, LayerFiles, Sizes};
use self::manifest::Plan;
use self::provenance::Provenance;

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
    /// Where the step of each layer stands, as far as provenance says.
    places: Vec<Vec<Lines>>,
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
            places: Vec::new(),
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
            image.attest(&provenance, &plan.layers);
        }
        Ok(image)
    }

    fn attest(&mut self, provenance: &Provenance, blobs: &[String]) {
        let diff_ids = self.layers.iter().map(|layer| layer.diff_id.as_deref());
        let layers: Vec<_> = blobs.iter().map(String::as_str).zip(diff_ids).collect();
        self.places = provenance.places(&layers);
        provenance::place(&self.places, &mut self.steps);
    }

    /// Takes the provenance that its build wrote down: the predicate that BuildKit would attach.
    pub fn attested(&mut self, predicate: &serde_json::Value) {
        if let Some(provenance) = Provenance::of(predicate) {
            self.attest(&provenance, &vec![String::new(); self.layers.len()]);
        }
    }

    /// Whether provenance says where its layers come from.
    pub fn is_attested(&self) -> bool {
        self.places.iter().any(|places| !places.is_empty())
    }

    /// Says on which lines of its Dockerfile the last steps stand: `written` are the instructions of the stage that ships,
    /// and of the stages that it is built on. Provenance, where the image has it, knows better.
    ///
    /// # Errors
    /// Why they do not fit; then only provenance counts.
    pub fn place_steps(&mut self, written: &[Written]) -> Result<(), String> {
        let placed = history::place(&mut self.steps, written);
        provenance::place(&self.places, &mut self.steps);
        placed
    }
}
