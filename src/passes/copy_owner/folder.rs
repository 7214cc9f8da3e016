//! What a folder of the image holds before something is copied into it, judged by its path and by the steps above.

use crate::context::path::is_at_or_below;
use crate::model::{Stage, Step};
use crate::pass::PassContext;
use crate::pass::runs;
use crate::syntax::Keyword;

/// A folder of the image.
pub(super) struct Folder<'a> {
    /// Absolute.
    pub(super) path: &'a str,
    /// Folders that base images and packages fill.
    pub(super) system: &'a [String],
}

impl Folder<'_> {
    /// Whether WORKDIR made the folder, which is empty before step `start`; else the COPY does, if it may.
    ///
    /// # Errors
    /// Why it may not be empty, or what made it is not known.
    pub(super) fn made_by_workdir(
        &self,
        cx: &PassContext<'_>,
        stage: &runs::Stage<'_>,
        start: usize,
        by_copy: bool,
    ) -> Result<bool, String> {
        let path = self.path;
        let in_home = path
            .rsplit_once('/')
            .is_some_and(|(above, _)| above == "/home");
        let known = stage.model.end.base().family.is_some();
        if in_home || !known || self.system.iter().any(|one| one == path) {
            return Err(format!(
                "the base image or a package may hold more below `{path}`"
            ));
        }
        let own = stage.model.steps[..start].iter().rev();
        let bases = std::iter::successors(stage.base, |base| cx.stages.get(*base)?.base);
        let bases = bases.filter_map(|base| cx.model.stages.get(base));
        let inherited = bases.flat_map(|stage: &Stage<'_>| stage.steps.iter().rev());
        let mut by_workdir = false;
        for step in own.chain(inherited) {
            by_workdir |= self.is_made_by(step, cx.file.escape.byte())?;
        }
        match by_workdir || by_copy {
            true => Ok(by_workdir),
            false => Err(format!("what made `{path}` is not known")),
        }
    }

    /// Whether a step makes the folder as WORKDIR does, and puts nothing into it.
    fn is_made_by(&self, step: &Step<'_>, escape: u8) -> Result<bool, String> {
        let (one, path) = (step.instruction, self.path);
        let word = match one.keyword {
            Keyword::Workdir => one.words().first(),
            Keyword::Copy | Keyword::Add => one.words().last(),
            Keyword::Run if self.is_named_by(step) => {
                return Err(format!("an earlier RUN may have written below `{path}`"));
            }
            _ => return Ok(false),
        };
        let place = word.and_then(|word| step.before.expand(&word.text, escape).ok());
        let place = place.and_then(|place| step.before.absolute(&place));
        let place = place.ok_or("where an earlier step writes is not known")?;
        match one.keyword {
            Keyword::Workdir if place == path => Ok(true),
            Keyword::Workdir if !is_at_or_below(&place, path) => Ok(false),
            Keyword::Copy | Keyword::Add
                if !is_at_or_below(&place, path) && !is_at_or_below(path, &place) =>
            {
                Ok(false)
            }
            keyword => Err(format!(
                "an earlier {keyword} may have written below `{path}`"
            )),
        }
    }

    /// Whether a RUN stands in the folder, or names it: as it is, or by a variable.
    fn is_named_by(&self, step: &Step<'_>) -> bool {
        let text = String::from_utf8_lossy(step.instruction.args_text()).into_owned();
        let is_named =
            |name: &str| text.contains(&format!("${name}")) || text.contains(&format!("${{{name}"));
        let mut variables = step.before.variables();
        let by_variable = variables.any(|(name, variable)| {
            let value = variable.value.as_deref();
            value.is_none_or(|value| {
                is_at_or_below(value, self.path) || is_at_or_below(self.path, value)
            }) && is_named(name)
        });
        let inside = step
            .before
            .workdir()
            .is_none_or(|place| is_at_or_below(place, self.path));
        inside || by_variable || text.contains(self.path)
    }
}
