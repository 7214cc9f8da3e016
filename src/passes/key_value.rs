//! `ENV KEY value` becomes `ENV KEY=value`, quoted so that the builder arrives at the same value.

use serde::Deserialize;

use crate::pass::runs::shown_span;
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::{Instruction, Keyword, Pair};
use crate::text::{Edit, Span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyValue {}

impl Pass for KeyValue {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        for instruction in cx.file.instructions() {
            let has_pairs = [Keyword::Env, Keyword::Label].contains(&instruction.keyword);
            let [pair] = instruction.pairs() else {
                continue;
            };
            if !has_pairs || !pair.legacy {
                continue;
            }
            let span = shown_span(instruction);
            match edits(cx, instruction, pair) {
                Err(reason) => out.decline(span, reason),
                Ok(edits) => {
                    let title = format!("write `{}=…`", pair.key.text);
                    let keyword = instruction.keyword;
                    let message = format!("`{keyword} key value` is the legacy form");
                    out.report(span, message, cx.fix(title, edits));
                }
            }
        }
    }
}

fn edits(
    cx: &PassContext<'_>,
    instruction: &Instruction,
    pair: &Pair,
) -> Result<Vec<Edit>, String> {
    let value = &pair.value;
    let between = Span::new(pair.key.span.end, value.span.start);
    let region = between.cover(value.span);
    if instruction
        .comments
        .iter()
        .any(|comment| region.contains(*comment))
    {
        return Err("a comment stands inside the value".to_owned());
    }
    if pair.key.text.contains(['"', '\'', '\\', '`']) {
        return Err("the key is quoted".to_owned());
    }
    let escape = char::from(cx.file.escape.byte());
    match quoting(&value.text, escape) {
        Quoting::None => Ok(vec![Edit::replace(between, "=")]),
        Quoting::Double => Ok(vec![
            Edit::replace(between, "=\""),
            Edit::insert(value.span.end, "\""),
        ]),
        Quoting::Unclear => Err(
            "the value mixes blanks with quotes or escapes that the two forms read differently"
                .to_owned(),
        ),
    }
}

/// What a value needs to be read as one word.
enum Quoting {
    /// Nothing: it is one word as it stands, and the builder expands both forms alike.
    None,
    /// Double quotes, in which variables expand as they do without.
    Double,
    /// It cannot be said.
    Unclear,
}

fn quoting(value: &str, escape: char) -> Quoting {
    let mut quote = None;
    let mut escaped = false;
    let mut blanks = false;
    for c in value.chars() {
        match quote {
            _ if escaped => escaped = false,
            Some('\'') if c != '\'' => {}
            _ if c == escape => escaped = true,
            Some(open) if c == open => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if c.is_whitespace() => blanks = true,
            _ => {}
        }
    }
    let special = |c: char| matches!(c, '\'' | '"') || c == escape;
    match blanks {
        _ if quote.is_some() || escaped => Quoting::Unclear,
        false => Quoting::None,
        true if value.contains(special) => Quoting::Unclear,
        true => Quoting::Double,
    }
}
