//! COPYs and ADDs at the end of a stage that does not ship, of which no other stage takes anything.
//!
//! Only those that nothing follows: what a RUN reads is not known. Never where a stage is built on this one, or mounts it.

use std::cell::LazyCell;

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
        // What stages take is read where it may matter only.
        let takings = LazyCell::new(|| takings(cx));
        let built = cx.stages.iter().filter(|stage| !stage.ships);
        for stage in built {
            let last = stage.steps.last();
            let ends_with_copy = last.is_some_and(|step| place(cx, step).is_some());
            if !ends_with_copy || makes_links(stage) {
                continue;
            }
            match &takings[stage.model.index] {
                Some(taken) if !taken.is_empty() => report(cx, stage, taken, out),
                _ => {}
            }
        }
    }
}

/// Says of each COPY at the end of a stage that it is for none of the paths that are `taken` from there.
fn report(cx: &PassContext<'_>, stage: &Stage<'_>, taken: &[String], out: &mut Findings) {
    for step in stage.steps.iter().rev() {
        let is_for = |place: &str, one: &String| {
            path::is_at_or_below(one, place) || path::is_at_or_below(place, one)
        };
        let place = place(cx, step);
        let is_unused = place.is_some_and(|place| !taken.iter().any(|one| is_for(&place, one)));
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
        for path in taken {
            reasons.say(path, "all that other stages copy from this one");
        }
        let fix = fix.map(|fix| fix.because(reasons.sentences()));
        let message = "no step and no stage reads what this copies into the build stage";
        out.report(span, message, fix);
    }
}

/// For each stage the paths that others copy from it; `None` where one is built on it, mounts it, or takes what is not known.
fn takings(cx: &PassContext<'_>) -> Vec<Option<Vec<String>>> {
    let mut takings = vec![Some(Vec::new()); cx.stages.len()];
    for stage in cx.stages {
        if let Base::Stage(base) = stage.model.base {
            takings[base] = None;
        }
        for step in &stage.steps {
            let paths = LazyCell::new(|| paths(cx, step));
            for source in step.sources() {
                let Base::Stage(from) = source else { continue };
                let known = takings[*from].take();
                takings[*from] = known.zip(paths.clone()).map(|(mut known, paths)| {
                    known.extend(paths);
                    known
                });
            }
        }
    }
    takings
}

/// The paths that a COPY names, absolute; `None` for a RUN, and where they are not known.
fn paths(cx: &PassContext<'_>, step: &Step<'_>) -> Option<Vec<String>> {
    if step.is_run() {
        return None;
    }
    let (_, sources) = step.instruction.words().split_last()?;
    let paths = sources.iter().map(|source| {
        let source = step.before.expand(&source.text, cx.file.escape.byte());
        let source = source.ok().filter(|source| !source.contains(".."))?;
        let plain = source.find(['*', '?', '[', '\\']).unwrap_or(source.len());
        // Of a pattern, the directory in which it looks.
        let known = match plain < source.len() {
            true => path::parent(&source[..plain]),
            false => source.as_str(),
        };
        Some(path::clean(&format!("/{known}")))
    });
    paths.collect()
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
