//! An ARG that nothing can see: no step names it, and no RUN, whose programs would find it, follows.
//!
//! ENV is never one: the program that runs may read it.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::pass::runs::shown_span;
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::{Instruction, Keyword};
use crate::text::Edit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeadStep {}

impl Pass for DeadStep {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let all: Vec<&Instruction> = cx.file.instructions().collect();
        let first = all.iter().position(|one| one.keyword == Keyword::From);
        let (global, rest) = all.split_at(first.unwrap_or(all.len()));
        let mut read = BTreeSet::new();
        for one in rest {
            read.extend(mentioned(cx, one));
            // A stage sees it where it declares it again, a FROM without that.
            read.extend(
                declared(one)
                    .filter(|_| one.keyword == Keyword::Arg)
                    .map(str::to_owned),
            );
        }
        look(cx, out, global, read);
        let bases: BTreeSet<usize> = cx.stages.iter().filter_map(|stage| stage.base).collect();
        for stage in &cx.model.stages {
            if !bases.contains(&stage.index) {
                let steps: Vec<&Instruction> =
                    stage.steps.iter().map(|step| step.instruction).collect();
                look(cx, out, &steps, BTreeSet::new());
            }
        }
    }
}

/// Reports the ARGs of `steps` that no later one of them names, and that are not in `read`.
fn look(
    cx: &PassContext<'_>,
    out: &mut Findings,
    steps: &[&Instruction],
    mut read: BTreeSet<String>,
) {
    for one in steps.iter().rev() {
        if one.keyword == Keyword::Run {
            return;
        }
        let is_alive = |name: &str| is_for_builder(name) || read.contains(name);
        let mut names = declared(one).peekable();
        if one.keyword == Keyword::Arg && names.peek().is_some() && !names.any(is_alive) {
            report(cx, out, one);
        }
        read.extend(mentioned(cx, one));
    }
}

/// Arguments that BuildKit itself reads.
fn is_for_builder(name: &str) -> bool {
    name.starts_with("BUILDKIT_")
        || name == "SOURCE_DATE_EPOCH"
        || name.to_ascii_uppercase().ends_with("_PROXY")
}

fn declared(arg: &Instruction) -> impl Iterator<Item = &str> {
    let words = arg.words().iter().map(|word| word.text.as_str());
    words.map(|word| word.split('=').next().unwrap_or(word))
}

/// The variables that an instruction names.
fn mentioned(cx: &PassContext<'_>, one: &Instruction) -> Vec<String> {
    let text = cx.shown(one.span);
    let parts = text.split('$').skip(1);
    let names = parts.map(|part| {
        let part = part.strip_prefix('{').unwrap_or(part);
        let end = part.find(|ch: char| !ch.is_ascii_alphanumeric() && ch != '_');
        part[..end.unwrap_or(part.len())].to_owned()
    });
    names.collect()
}

fn report(cx: &PassContext<'_>, out: &mut Findings, arg: &Instruction) {
    let fix = cx.fix("remove it", vec![Edit::delete(arg.span)]);
    let shown = cx.shown(arg.args_span);
    out.report(
        shown_span(arg),
        format!("nothing reads `{}`", shown.trim()),
        fix,
    );
}
