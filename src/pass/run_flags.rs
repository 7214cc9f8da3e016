//! Flags written behind the keyword of a RUN, in the style of its author.

use crate::pass::layout::{self, Layout, MAX_COLUMNS};
use crate::pass::runs::Step;
use crate::syntax::shell::Script;
use crate::text::{Edit, Patch, Span};

/// The edit that gives a step these flags; `others` are the edits of its script. On one line where that fits, else one
/// flag a line.
pub fn insertion(
    text: &[u8],
    step: &Step<'_>,
    script: &Script,
    flags: &[String],
    others: &[Edit],
) -> Option<Edit> {
    let instruction = step.instruction;
    let last = instruction.flags.last().map(|flag| flag.span);
    let at = last.unwrap_or(instruction.keyword_span).end;
    let rest = rest_after(at, instruction.span.end, text, others)?;
    let blanks = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let ends = matches!(rest.get(blanks), Some(b'\\'));
    // Flags that stand on lines of their own get company of their kind.
    let broken = last.is_some_and(|last| {
        Span::new(instruction.keyword_span.end, last.start)
            .of(text)
            .contains(&b'\n')
    });
    let inline = format!(" {}", flags.join(" "));
    let width = layout::columns_before(at, text) + inline.len();
    let fits = width + layout::columns_after(0, &rest) <= MAX_COLUMNS;
    if fits && !broken {
        return Some(Edit::insert(at, inline));
    }
    let layout = Layout::of(instruction, script, text);
    let line = [b" \\", layout.line_ending, &layout.indent].concat();
    let mut insert = Vec::new();
    for (index, flag) in flags.iter().enumerate() {
        match index == 0 && last.is_none() {
            true => insert.push(b' '),
            false => insert.extend_from_slice(&line),
        }
        insert.extend_from_slice(flag.as_bytes());
    }
    if ends {
        return Some(Edit::insert(at, insert));
    }
    insert.extend_from_slice(&line);
    Some(Edit::replace(Span::new(at, at + blanks as u32), insert))
}

/// What stands behind byte `at` of the instruction once `others` are done.
fn rest_after(at: u32, end: u32, text: &[u8], others: &[Edit]) -> Option<Vec<u8>> {
    let shifted = others.iter().map(|edit| {
        let span = Span::new(
            edit.span.start.checked_sub(at)?,
            edit.span.end.checked_sub(at)?,
        );
        Some(Edit::replace(span, edit.insert.clone()))
    });
    let patch = Patch::new(shifted.collect::<Option<_>>()?).ok()?;
    Some(patch.apply(Span::new(at, end).of(text)))
}
