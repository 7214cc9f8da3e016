//! `FROM --platform=$TARGETPLATFORM` loses the flag: FROM builds for the target platform anyway.
//!
//! Never where the file or the build gives the variable a value of its own: then the flag is a decision.

use serde::Deserialize;

use crate::model::Base;
use crate::model::expand::Lookup;
use crate::pass::runs::shown_span;
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::Keyword;
use crate::text::{Edit, Span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RedundantPlatform {}

const TARGET: &str = "TARGETPLATFORM";

impl Pass for RedundantPlatform {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in &cx.model.stages {
            let from = stage.from;
            let Some(flag) = from.flag("platform") else {
                continue;
            };
            let value = flag.value.as_deref().unwrap_or_default();
            if !matches!(value, "$TARGETPLATFORM" | "${TARGETPLATFORM}") {
                continue;
            }
            let span = shown_span(from);
            if is_given_a_value(cx) {
                out.decline(span, format!("`{TARGET}` is given a value of its own"));
                continue;
            }
            if let (Base::Stage(_), Some(base)) = (&stage.base, from.words().first()) {
                let reason = format!("`{}` is a stage, with a platform of its own", base.text);
                out.decline(span, reason);
                continue;
            }
            let gone = Span::new(from.keyword_span.end, flag.span.end);
            if from.comments.iter().any(|comment| gone.contains(*comment)) {
                out.decline(span, "a comment stands before the flag");
                continue;
            }
            let edit = Edit::delete(gone);
            let fix = cx.fix("leave the platform to FROM", vec![edit]);
            out.report(span, format!("`{value}` is the platform anyway"), fix);
        }
    }

    fn marks(&self) -> Vec<&str> {
        vec![TARGET]
    }
}

/// Whether an ARG of the global scope, or the build, sets the variable that the builder sets otherwise.
fn is_given_a_value(cx: &PassContext<'_>) -> bool {
    let instructions = cx.file.instructions();
    let global = instructions.take_while(|one| one.keyword != Keyword::From);
    let mut words = global.flat_map(|one| one.words());
    let is_default = |word: &str| {
        word.strip_prefix(TARGET)
            .is_some_and(|rest| rest.starts_with('='))
    };
    matches!(cx.model.global(TARGET), Lookup::Set(_)) || words.any(|word| is_default(&word.text))
}
