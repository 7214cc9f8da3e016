//! How stages refer to each other, and which of them a build reaches.

use std::collections::{BTreeSet, HashMap};

use super::image::ImageRef;
use super::{Base, Model, mount};
use crate::syntax::{Dockerfile, Instruction, Keyword};

/// The names of a file's stages, lower case, each with the numbers of the stages that bear it, ascending.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_name: HashMap<String, Vec<usize>>,
    count: usize,
}

impl Names {
    /// The names of the stages of `file`.
    pub(super) fn of(file: &Dockerfile) -> Self {
        let mut names = Self::default();
        let all = file.instructions();
        for (index, from) in all.filter(|one| one.keyword == Keyword::From).enumerate() {
            if let Some(name) = stage_name(from) {
                names.by_name.entry(name).or_default().push(index);
            }
            names.count = index + 1;
        }
        names
    }

    /// The last stage of that name above stage `index`, as FROM finds it.
    pub(super) fn before(&self, name: &str, index: usize) -> Option<usize> {
        let stages = self.by_name.get(name)?;
        let above = stages.partition_point(|stage| *stage < index);
        stages.get(above.checked_sub(1)?).copied()
    }

    /// The last stage of that name in the file, as COPY finds it.
    fn last(&self, name: &str) -> Option<usize> {
        self.by_name.get(&name.to_lowercase())?.last().copied()
    }
}

/// The name that FROM gives its stage, lower case.
pub(super) fn stage_name(from: &Instruction) -> Option<String> {
    match from.words() {
        [_, _, name] => Some(name.text.to_lowercase()),
        _ => None,
    }
}

/// `scratch` or an image, of an expanded name.
pub(super) fn image_or_scratch(name: &str) -> Base {
    if name == "scratch" {
        return Base::Scratch;
    }
    ImageRef::parse(name).map_or(Base::Unknown, Base::Image)
}

/// Where the files of an instruction in stage `stage` come from, besides the build context and the stage.
pub(super) fn sources(
    instruction: &Instruction,
    stage: usize,
    names: &Names,
    contexts: &BTreeSet<String>,
) -> Vec<Base> {
    let resolve = |from: &str, found: Option<usize>| {
        if contexts.contains(from) {
            return Base::Unknown;
        }
        match found {
            Some(index) if index < stage => Base::Stage(index),
            // BuildKit refuses a stage that is not built yet.
            Some(_) => Base::Unknown,
            None => image_or_scratch(from),
        }
    };
    let flags = instruction.flags.iter();
    match instruction.keyword {
        Keyword::Copy => {
            let from = flags.filter(|flag| flag.name == "from");
            let values = from.filter_map(|flag| flag.value.as_deref());
            let values = values.filter(|value| !value.is_empty());
            values
                .map(|from| match from.parse::<usize>() {
                    Ok(index) if index >= names.count => Base::Unknown,
                    Ok(index) => resolve(from, Some(index)),
                    Err(_) => resolve(from, names.last(from)),
                })
                .collect()
        }
        Keyword::Run => {
            let mounts = flags.filter(|flag| flag.name == "mount");
            let from = mounts.filter_map(|flag| mount::from(flag.value.as_deref()?));
            // A mount finds a stage by its name only, not by its number.
            from.map(|from| resolve(&from, names.last(&from))).collect()
        }
        _ => Vec::new(),
    }
}

impl Model<'_> {
    /// Marks the stages that ship and those that are used.
    pub(super) fn mark_reached(&mut self, targets: &[String]) {
        let named = targets.iter().filter_map(|target| self.stage(target));
        let last = self.stages.last();
        let mut targets: Vec<usize> = named.chain(last).map(|stage| stage.index).collect();
        // Bases stand above what is built on them, so one walk from the last stage up reaches all.
        targets.sort_unstable();
        for target in targets {
            self.stages[target].ships = true;
        }
        for index in (0..self.stages.len()).rev() {
            let stage = &mut self.stages[index];
            stage.used |= stage.ships;
            let (ships, used) = (stage.ships, stage.used);
            let needs: Vec<usize> = if used {
                stage.needs().collect()
            } else {
                Vec::new()
            };
            if let (true, Base::Stage(base)) = (ships, &self.stages[index].base) {
                let base = *base;
                self.stages[base].ships = true;
            }
            for need in needs {
                self.stages[need].used = true;
            }
        }
    }
}
