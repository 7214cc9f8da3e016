//! A stage that no known target needs: nothing copies from it, is built on it, or asks for it.
//!
//! Only suggested: who else asks for a stage by name, the file and the context do not tell.

use serde::Deserialize;

use crate::pass::runs::shown_span;
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::Item;
use crate::text::{Edit, Span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnusedStage {}

impl Pass for UnusedStage {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let stages = &cx.model.stages;
        let comments = cx.file.items.iter().filter_map(|item| match item {
            Item::Comment(span) => Some(*span),
            _ => None,
        });
        let comments: Vec<Span> = comments.collect();
        for (stage, next) in stages.iter().zip(stages.iter().skip(1)) {
            if stage.used {
                continue;
            }
            let shown = match &stage.name {
                Some(name) => format!("the stage `{name}`"),
                None => "this stage".to_owned(),
            };
            let last = stage
                .steps
                .last()
                .map_or(stage.from, |step| step.instruction);
            // The comments above the next FROM stay with it; the blank lines between go.
            let blank = cx.text[last.span.end as usize..next.from.span.start as usize].iter();
            let blank = blank.take_while(|byte| byte.is_ascii_whitespace()).count() as u32;
            let gone = Span::new(
                described_from(&comments, stage.from.span.start),
                last.span.end + blank,
            );
            let fix = cx.fix(format!("remove {shown}"), vec![Edit::delete(gone)]);
            let message = format!("no target that is known needs {shown}");
            out.report(shown_span(stage.from), message, fix);
        }
    }
}

/// Where the comments begin that stand right above `start`; `comments` are all, in order.
fn described_from(comments: &[Span], mut start: u32) -> u32 {
    let above = comments.partition_point(|comment| comment.end <= start);
    for comment in comments[..above].iter().rev() {
        if comment.end != start {
            break;
        }
        start = comment.start;
    }
    start
}
