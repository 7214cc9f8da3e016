//! Who answers what a package manager asks, and what its failure means where nobody does.

use super::Place;
use crate::syntax::shell::{Node, Redirect, Statement};
use crate::text::Span;

/// Why a prompt is answered, or may be: the command has an input of its own.
pub(super) fn answered(place: &Place<'_>) -> Option<String> {
    let command = place.found.command;
    let statement = place.script.statements.get(place.found.top)?;
    let redirected = is_redirected(&command.redirects).then_some("redirect");
    let input = redirected.or_else(|| input_around(statement, command.span))?;
    Some(format!("a {input} may answer"))
}

/// Whether the step fails where the command does: a step that succeeded was then not asked anything.
pub(super) fn must_succeed(place: &Place<'_>) -> bool {
    let found = place.found;
    found.inside.is_none() && place.script.failure_fails(found.top)
}

/// What stands around the command at `span` and gives it its input.
fn input_around(statement: &Statement, span: Span) -> Option<&'static str> {
    if is_redirected(&statement.redirects) {
        return Some("redirect");
    }
    let holds = |one: &Statement| one.span.start <= span.start && span.end <= one.span.end;
    match &statement.node {
        Node::Command(_) => None,
        Node::Pipeline(members) => {
            let at = members.iter().position(holds)?;
            let inner = input_around(members.get(at)?, span);
            inner.or((at > 0).then_some("pipe"))
        }
        Node::Compound(compound) => {
            let mut inner = compound.lists.iter().flatten();
            input_around(inner.find(|one| holds(one))?, span)
        }
    }
}

fn is_redirected(redirects: &[Redirect]) -> bool {
    let mut operators = redirects.iter().map(|one| one.operator.as_str());
    operators.any(|operator| operator.trim_start_matches('0').starts_with('<'))
}
