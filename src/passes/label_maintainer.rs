//! `MAINTAINER name` becomes `LABEL …="name"`. Quotes around the name are no part of it.

use serde::Deserialize;

use crate::model::{Base, Stage};
use crate::pass::runs::shown_span;
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::{Instruction, Keyword};
use crate::text::{Edit, Span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelMaintainer {
    /// The label that names the authors.
    label: String,
}

impl Pass for LabelMaintainer {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for stage in &cx.model.stages {
            let steps = stage.steps.iter().map(|step| step.instruction);
            let named: Vec<&Instruction> = steps
                .filter(|one| one.keyword == Keyword::Maintainer)
                .collect();
            for maintainer in &named {
                let span = shown_span(maintainer);
                let edits = match named.len() {
                    1 => self.edits(cx, stage, maintainer),
                    _ => Err(
                        "the stage names its authors twice, and the last time counts".to_owned(),
                    ),
                };
                match edits {
                    Err(reason) => out.decline(span, reason),
                    Ok(edits) => {
                        let fix = cx.fix(format!("write `LABEL {}`", self.label), edits);
                        out.report(span, "`MAINTAINER` is deprecated", fix);
                    }
                }
            }
        }
    }
}

impl LabelMaintainer {
    fn edits(
        &self,
        cx: &PassContext<'_>,
        stage: &Stage<'_>,
        maintainer: &Instruction,
    ) -> Result<Vec<Edit>, String> {
        if self.is_set(cx, stage) {
            return Err(format!("the stage sets the label `{}` already", self.label));
        }
        if maintainer.lines.0 != maintainer.lines.1 {
            return Err("the name is written over several lines".to_owned());
        }
        let name = maintainer.args_span;
        let Some(quotes) = quotes(name.of(cx.text), cx.file.escape.byte()) else {
            return Err("the name has characters that LABEL would act on".to_owned());
        };
        let keyword = match maintainer.keyword_span.of(cx.text) {
            word if word.iter().all(u8::is_ascii_lowercase) => "label",
            _ => "LABEL",
        };
        let head = Span::new(maintainer.keyword_span.start, name.start);
        Ok(vec![
            Edit::replace(head, format!("{keyword} {}={quotes}", self.label)),
            Edit::insert(name.end, quotes),
        ])
    }

    /// Whether the stage, or one that it is built on, has the label.
    fn is_set(&self, cx: &PassContext<'_>, stage: &Stage<'_>) -> bool {
        let mut next = Some(stage);
        while let Some(stage) = next {
            let mut pairs = stage.steps.iter().flat_map(|step| step.instruction.pairs());
            let sets = |key: &str| key.trim_matches(['"', '\'']) == self.label;
            if pairs.any(|pair| sets(&pair.key.text)) {
                return true;
            }
            next = match stage.base {
                Base::Stage(base) => cx.model.stages.get(base),
                _ => None,
            };
        }
        false
    }
}

/// The quotes to put around `name` so that the builder takes it as it is: none where it has its own.
fn quotes(name: &[u8], escape: u8) -> Option<&'static str> {
    let is_free_of = |text: &[u8], special: &[u8]| !text.iter().any(|byte| special.contains(byte));
    let is_double = |text: &[u8]| is_free_of(text, &[b'"', b'$', escape]);
    let is_single = |text: &[u8]| is_free_of(text, &[b'\'', escape]);
    let own = |quote: u8| name.starts_with(&[quote]) && name.ends_with(&[quote]);
    match name {
        // Two quoted names, of which the quotes at both ends would be taken for those of one.
        [_, inner @ .., _] if own(b'"') && inner.contains(&b'"') => None,
        [_, inner @ .., _] if own(b'\'') && inner.contains(&b'\'') => None,
        [b'"', inner @ .., b'"'] if is_double(inner) => Some(""),
        [b'\'', inner @ .., b'\''] if is_single(inner) => Some(""),
        _ if is_double(name) => Some("\""),
        _ if is_single(name) => Some("'"),
        _ => None,
    }
}
