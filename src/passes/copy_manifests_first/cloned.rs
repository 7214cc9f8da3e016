//! Sources that a RUN clones: no file of the build context tells what an install behind it reads.

use super::installs;
use crate::pass::project_place::first_words;
use crate::pass::runs::Stage;
use crate::pass::{Findings, PassContext};
use crate::syntax::Keyword;

/// Points at the first install of a project behind `git clone`, where nothing of the build context comes before it.
pub(super) fn decline(cx: &PassContext<'_>, stage: &Stage<'_>, out: &mut Findings) {
    let mut clone = None;
    for step in &stage.steps {
        if matches!(step.instruction.keyword, Keyword::Copy | Keyword::Add) {
            return;
        }
        let Some(script) = step.script() else {
            continue;
        };
        for found in script.commands() {
            let mut words = found.command.words.iter();
            let mut next = || words.next().and_then(|word| word.literal.as_deref());
            if next() == Some("git") && next() == Some("clone") {
                clone = clone.or(Some(found.command.span));
            }
            let Some(clone) = clone.filter(|_| installs::is_of_a_project(found.command)) else {
                continue;
            };
            let shown = first_words(&cx.shown(clone));
            let reason = format!("`{shown}` brings the source, and not the build context");
            return out.decline(found.command.span, reason);
        }
    }
}
