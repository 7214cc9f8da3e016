//! Other COPYs between the source and the installs behind it: which of them come before the source, and which stay.

use super::between::{Between, Fate};
use super::tools::is_elsewhere;
use crate::pass::project_place::first_words;
use crate::pass::runs::shown_span;

impl Between<'_> {
    /// Whether another COPY belongs in front of the source or behind it.
    ///
    /// # Errors
    /// It belongs neither here nor there.
    pub(super) fn copy(&self, index: usize) -> Result<Fate, String> {
        let instruction = self.step(index).instruction;
        let shown = || first_words(&self.place.cx.shown(shown_span(instruction)));
        let unclear = || format!("`{}` may bring what the install reads", shown());
        let Some(one) = self.brought.iter().find(|one| one.step == index) else {
            return self.of_another_stage(index).ok_or_else(unclear);
        };
        if one.is_empty() {
            return Err(format!(
                "what `{}` copies is not in the build context",
                shown()
            ));
        }
        if !one.brings_more_than(self.reads) {
            one.check()?;
            return match one.agrees_with(self.source) {
                true => Ok(Fate::Early),
                false => Err(format!("`{}` may replace what the COPY brings", shown())),
            };
        }
        let reached = self.places().any(|to| one.reaches(to));
        let whole =
            one.directories.len() == 1 && one.to == self.source.to && one.has_flags_of(self.source);
        if !one.is_of_the_system() && (!reached || whole) {
            return Ok(Fate::Late);
        }
        let early = is_elsewhere(&one.to, &self.source.to).then_some(Fate::Early);
        early.ok_or_else(unclear)
    }

    /// Where the installs find what they read.
    pub(super) fn places(&self) -> impl Iterator<Item = &str> {
        let needs = self.found.iter().filter_map(|one| one.reads.as_ref().ok());
        needs.flat_map(|needs| needs.places.iter().map(|(_, to)| to.as_str()))
    }

    /// What another stage brings may be the tool that installs.
    fn of_another_stage(&self, index: usize) -> Option<Fate> {
        let instruction = self.step(index).instruction;
        instruction
            .flag("from")
            .filter(|_| instruction.heredocs.is_empty())?;
        let word = instruction.words().last()?;
        let state = self.step(index).before;
        let to = state
            .expand(&word.text, self.place.cx.file.escape.byte())
            .ok()?;
        let to = state.absolute(&to)?;
        is_elsewhere(&to, &self.source.to).then_some(Fate::Early)
    }
}
