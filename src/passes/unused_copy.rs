//! COPYs and ADDs at the end of a stage that does not ship, of which no other stage takes anything.
//!
//! Only those that nothing follows: what a RUN reads is not known. Never where a stage is built on this one, or mounts it.

use serde::Deserialize;

use crate::context::path;
use crate::model::Base;
use crate::pass::moves;
use crate::pass::reasons::Reasons;
use crate::pass::runs::{Stage, Step, shown_span};
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::{Item, Keyword};
use crate::text::Span;

/// Directories that another path may lead to: images have links between them.
const LINKED: [&str; 10] = [
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/run",
    "/sbin",
    "/usr",
    "/var/lock",
    "/var/run",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnusedCopy {}

impl Pass for UnusedCopy {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let built = cx.stages.iter().filter(|stage| !stage.ships);
        let ends_with_copy = |stage: &&Stage<'_>| {
            let last = stage.steps.last();
            last.is_some_and(|step| place(cx, step).is_some())
        };
        // Who takes from a stage is looked for where it may matter only.
        for stage in built
            .filter(ends_with_copy)
            .filter(|stage| !makes_links(stage))
        {
            let Some(taken) = taken(cx, stage) else {
                continue;
            };
            for step in stage.steps.iter().rev() {
                let is_unused = place(cx, step).is_some_and(|place| {
                    let mut taken = taken.iter();
                    !taken.any(|one| {
                        path::is_at_or_below(one, &place) || path::is_at_or_below(&place, one)
                    })
                });
                if !is_unused {
                    break;
                }
                let span = shown_span(step.instruction);
                let edit = moves::removal(cx, step.instruction);
                if has_comment(cx, step, edit.span) {
                    out.decline(span, "a comment speaks of it");
                    break;
                }
                let fix = cx.fix("remove it", vec![edit]);
                let mut reasons = Reasons::default();
                for path in &taken {
                    reasons.say(path, "all that other stages copy from this one");
                }
                let fix = fix.map(|fix| fix.because(reasons.sentences()));
                let message = "no step and no stage reads what this copies into the build stage";
                out.report(span, message, fix);
            }
        }
    }
}

/// The paths that other stages copy from a stage; `None` where one is built on it, mounts it, or takes what is not known, and
/// where none takes anything.
fn taken(cx: &PassContext<'_>, stage: &Stage<'_>) -> Option<Vec<String>> {
    let own = Base::Stage(stage.model.index);
    let mut taken = Vec::new();
    for other in cx.stages {
        if other.model.base == own {
            return None;
        }
        for step in other
            .steps
            .iter()
            .filter(|step| step.sources().contains(&own))
        {
            if step.is_run() {
                return None;
            }
            let (_, sources) = step.instruction.words().split_last()?;
            for source in sources {
                let source = step
                    .before
                    .expand(&source.text, cx.file.escape.byte())
                    .ok()?;
                if source.contains("..") {
                    return None;
                }
                let plain = source.find(['*', '?', '[', '\\']).unwrap_or(source.len());
                // Of a pattern, the directory in which it looks.
                let known = match plain < source.len() {
                    true => path::parent(&source[..plain]),
                    false => source.as_str(),
                };
                taken.push(path::clean(&format!("/{known}")));
            }
        }
    }
    (!taken.is_empty()).then_some(taken)
}

/// Whether a comment would go with the step, whose removal takes `gone`.
fn has_comment(cx: &PassContext<'_>, step: &Step<'_>, gone: Span) -> bool {
    let is_inside = |item: &Item| matches!(item, Item::Comment(span) if gone.contains(*span));
    !step.instruction.comments.is_empty() || cx.file.items.iter().any(is_inside)
}

/// Whether a RUN of the stage may make a link, so that another path leads to what is copied.
fn makes_links(stage: &Stage<'_>) -> bool {
    let mut runs = stage.steps.iter().filter(|step| step.is_run());
    runs.any(|step| {
        let text = String::from_utf8_lossy(step.instruction.args_text()).into_owned();
        let mut words = text.split(|ch: char| !ch.is_alphanumeric() && ch != '-');
        step.script().is_none() || words.any(|word| word == "ln")
    })
}

/// Where a COPY or ADD puts what it copies; `None` for other steps, and where that is not known.
fn place(cx: &PassContext<'_>, step: &Step<'_>) -> Option<String> {
    let instruction = step.instruction;
    if !matches!(instruction.keyword, Keyword::Copy | Keyword::Add) {
        return None;
    }
    let to = instruction.words().last()?;
    let to = step.before.expand(&to.text, cx.file.escape.byte()).ok()?;
    let place = step.before.absolute(&to)?;
    let mut linked = LINKED.iter();
    let is_linked = linked.any(|one| path::is_at_or_below(&place, one));
    (!is_linked).then_some(place)
}
