//! The list of a shell script: which commands may leave it, and how.

use crate::syntax::Instruction;
use crate::syntax::shell::{Operator, Script, Statement};
use crate::text::{Edit, Span};

/// The edits that take top-level statement `index` out of its list, with one operator beside it; comments stay. `None`
/// where what remains would mean something else, or would leave a comment without its line.
pub fn remove_statement(
    instruction: &Instruction,
    script: &Script,
    index: usize,
    text: &[u8],
) -> Option<Vec<Edit>> {
    use Operator::{And, Semicolon};
    let statement = script.statements.get(index)?;
    let before = index
        .checked_sub(1)
        .and_then(|before| script.statements.get(before));
    let next = script.statements.get(index + 1);
    let joint = |one: &Statement| one.operator;
    let operator = |one: &Statement| one.operator.map(|(operator, _)| operator);
    // Which of the operators beside it may go with it.
    let (mut with_before, mut with_next) = (before, next);
    match (before.and_then(operator), operator(statement)) {
        (None | Some(Semicolon), Some(And | Semicolon)) => with_before = None,
        (Some(And), Some(And)) => {}
        // `a && b; c`: what is left is `a; c`.
        (Some(And), Some(Semicolon)) if next.is_some() => with_next = None,
        (Some(And), None) => with_next = None,
        // `a; b`: a failure of `a` counts for nothing, unless the shell was told so.
        // In `x && a; b` not even then.
        (Some(Semicolon), None)
            if script.sets_errexit_before(index) && !is_in_list(script, index - 1) =>
        {
            with_next = None;
        }
        _ => return None,
    }
    let gone = Removal {
        comments: &instruction.comments,
        text,
        span: statement.span,
    };
    let before = with_before.and_then(|one| Some((one.span.end, joint(one)?.1)));
    let next = with_next.and_then(|one| Some((one.span.start, joint(statement)?.1)));
    let apart = before.map(|(end, _)| Span::new(end, statement.span.end));
    let ahead = next.map(|(start, _)| Span::new(statement.span.start, start));
    // What stands on one line goes first, so that no two lines become one.
    let mut free: Vec<Span> = apart.into_iter().chain(ahead).collect();
    free.sort_by_key(|span| span.of(text).contains(&b'\n'));
    let lines = || {
        let above = before.map(|(_, joint)| Span::new(joint.start, statement.span.end));
        let below = next.map(|(_, joint)| Span::new(statement.span.start, joint.end));
        let mut spans = above.into_iter().chain(below);
        spans.find_map(|span| gone.lines(span))
    };
    free.into_iter()
        .find_map(|span| gone.free(span))
        .or_else(lines)
        .or_else(|| match (before, next) {
            (Some((end, _)), None) if operator(statement).is_none() => gone.below_comments(end),
            (Some((_, joint)), None) => gone.behind_comments(joint),
            (_, Some((start, joint))) => gone.around_comments(joint, start),
            _ => None,
        })
}

/// A statement that goes, and the comments that stay.
struct Removal<'a> {
    comments: &'a [Span],
    text: &'a [u8],
    span: Span,
}

impl Removal<'_> {
    /// Deletes a span without comments.
    fn free(&self, span: Span) -> Option<Vec<Edit>> {
        let crosses = |comment: &Span| comment.start < span.end && span.start < comment.end;
        (!self.comments.iter().any(crosses)).then(|| vec![Edit::delete(span)])
    }

    /// Deletes the lines of a span, where nothing else stands on them but the continuation.
    fn lines(&self, span: Span) -> Option<Vec<Edit>> {
        let above = self.text.get(..span.start as usize)?;
        let indent = above
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        let start = span.start - indent as u32;
        let starts_line = above.get(..start as usize)?.ends_with(b"\n");
        let behind = self.text.get(span.end as usize..)?;
        let width = behind.iter().position(|byte| *byte == b'\n')? + 1;
        let continues = matches!(behind.get(..width)?.trim_ascii(), [b'\\' | b'`']);
        let lines = Span::new(start, span.end + width as u32);
        (starts_line && continues).then(|| self.free(lines))?
    }

    /// Deletes the end of a list from `from`, and leaves the comments in it behind the instruction.
    fn below_comments(&self, from: u32) -> Option<Vec<Edit>> {
        let inside = |comment: &&Span| from < comment.start && comment.end < self.span.end;
        let comments: Vec<&Span> = self.comments.iter().filter(inside).collect();
        let (first, last) = (comments.first()?, comments.last()?);
        let mut pairs = comments.windows(2);
        pairs
            .all(|pair| pair[0].end == pair[1].start)
            .then_some(())?;
        let comment = last.of(self.text);
        let is_ending = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let ending = comment.iter().rev().take_while(is_ending).count();
        let line_ending = &comment[comment.len() - ending..];
        Some(vec![
            Edit::replace(Span::new(from, first.start), line_ending),
            Edit::delete(Span::new(last.end - ending as u32, self.span.end)),
        ])
    }

    /// Deletes the statement and the operator behind it, and leaves the comments between it and `next` where they are.
    fn around_comments(&self, joint: Span, next: u32) -> Option<Vec<Edit>> {
        let same_line = |span: Span| !span.of(self.text).contains(&b'\n');
        let with_blanks = |span: Span| {
            let behind = self.text.get(span.end as usize..).unwrap_or_default();
            let blanks = behind
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'));
            Edit::delete(Span::new(span.start, span.end + blanks.count() as u32))
        };
        let both = Span::new(self.span.start, joint.end);
        if same_line(both) {
            return Some(vec![with_blanks(both)]);
        }
        let operator = Span::new(joint.start, next);
        let apart = same_line(self.span) && same_line(operator);
        apart.then(|| vec![with_blanks(self.span), Edit::delete(operator)])
    }
    /// Deletes the statement and the operator before it, which stand on one line below the comments.
    fn behind_comments(&self, joint: Span) -> Option<Vec<Edit>> {
        let span = Span::new(joint.start, self.span.end);
        let same_line = !span.of(self.text).contains(&b'\n');
        same_line.then(|| vec![Edit::delete(span)])
    }
}

/// Whether statement `index` stands behind a `&&` or `||`.
fn is_in_list(script: &Script, index: usize) -> bool {
    let before = index
        .checked_sub(1)
        .and_then(|before| script.statements.get(before));
    let operator = before.and_then(|before| before.operator);
    matches!(operator, Some((Operator::And | Operator::Or, _)))
}
