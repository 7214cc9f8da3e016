//! The list of a shell script: which commands may leave it, and how.

use crate::syntax::Instruction;
use crate::syntax::shell::{Operator, Script, Statement};
use crate::text::{Edit, Span};

/// The edit that takes top-level statement `index` out of its list, with one operator beside it; `None` where what
/// remains would mean something else, or where a comment would go with it.
pub fn remove_statement(instruction: &Instruction, script: &Script, index: usize) -> Option<Edit> {
    use Operator::{And, Semicolon};
    let statement = script.statements.get(index)?;
    let before = index
        .checked_sub(1)
        .and_then(|before| script.statements.get(before));
    let operator = |one: &Statement| one.operator.map(|(operator, _)| operator);
    let with_before = before.map(|before| Span::new(before.span.end, statement.span.end));
    let next = script.statements.get(index + 1);
    let with_next = next.map(|next| Span::new(statement.span.start, next.span.start));
    let span = match (before.and_then(operator), operator(statement)) {
        (None | Some(Semicolon), Some(And | Semicolon)) => with_next?,
        // `a && b; c`: what is left is `a; c`.
        (Some(And), Some(And | Semicolon) | None) if next.is_some() => with_before?,
        (Some(And), None) => with_before?,
        // `a; b`: a failure of `a` counts for nothing, unless the shell was told so.
        (Some(Semicolon), None) if script.sets_errexit_before(index) => with_before?,
        _ => return None,
    };
    let crosses = |comment: &Span| comment.start < span.end && span.start < comment.end;
    if instruction.comments.iter().any(crosses) {
        return None;
    }
    Some(Edit::delete(span))
}
