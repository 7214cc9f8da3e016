//! What the runtime stage of a Python application does without.

use super::{BUILD_ONLY, Python};
use crate::pass::reasons::Reasons;
use crate::pass::runs::{Stage, shown_span};
use crate::syntax::Instruction;

impl Python<'_> {
    /// Says what stays in the builder.
    pub(super) fn tell_left(&self, stage: &Stage<'_>, reasons: &mut Reasons) {
        for package in &self.needs.system {
            reasons.say(package, BUILD_ONLY);
        }
        let mut steps = stage.steps.iter();
        let brings = |copy: &Instruction| self.brings_unused_manager(copy);
        if let Some(copy) = steps.find(|step| brings(step.instruction)) {
            let shown = self.cx.shown(shown_span(copy.instruction));
            reasons.say(shown, "left behind: nothing that runs calls `uv`");
        }
    }
}
