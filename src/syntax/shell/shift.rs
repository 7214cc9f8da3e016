//! Scripts whose instruction stands elsewhere by now.

use super::{Command, Compound, Node, Redirect, Script, Statement, Word};
use crate::text::Span;

impl Script {
    /// Moves every span by `by` bytes, which wraps around: a large number leads back.
    pub(in crate::syntax) fn shift(&mut self, by: u32) {
        span(&mut self.span, by);
        statements(&mut self.statements, by);
    }
}

fn span(span: &mut Span, by: u32) {
    span.start = span.start.wrapping_add(by);
    span.end = span.end.wrapping_add(by);
}

fn statements(list: &mut [Statement], by: u32) {
    for statement in list {
        span(&mut statement.span, by);
        redirects(&mut statement.redirects, by);
        if let Some((_, operator)) = &mut statement.operator {
            span(operator, by);
        }
        match &mut statement.node {
            Node::Command(one) => command(one, by),
            Node::Pipeline(members) => statements(members, by),
            Node::Compound(Compound {
                kind: _,
                lists,
                substitutions,
            }) => {
                statements(substitutions, by);
                lists.iter_mut().for_each(|list| statements(list, by));
            }
        }
    }
}

fn command(command: &mut Command, by: u32) {
    span(&mut command.span, by);
    words(&mut command.assignments, by);
    words(&mut command.words, by);
    redirects(&mut command.redirects, by);
}

fn redirects(list: &mut [Redirect], by: u32) {
    for redirect in list {
        span(&mut redirect.span, by);
        words(std::slice::from_mut(&mut redirect.target), by);
    }
}

fn words(list: &mut [Word], by: u32) {
    for word in list {
        span(&mut word.span, by);
        statements(&mut word.substitutions, by);
    }
}
