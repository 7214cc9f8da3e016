//! What may clean up behind a command of a step: why nothing can be written there, and the command that is written.
//!
//! Never looks behind the step: what later steps need is for [`super::later`].

use crate::model::managers::Invocation;
use crate::pass::command;
use crate::pass::runs::Step;
use crate::syntax::shell::{Command, CommandAt, Inside, Operator, Script};

/// Why a command at the end of the step, or behind one of `made`, would not run right after them, once and always.
pub fn obstacle(step: &Step<'_>, script: &Script, made: &[CommandAt<'_>]) -> Option<&'static str> {
    let nested =
        |at: &CommandAt<'_>| matches!(at.inside, Some(Inside::Compound(_) | Inside::Substitution));
    if made.iter().any(nested) {
        return Some("the install is inside an `if`, a loop or a subshell");
    }
    let mut operators = script.statements.iter().map(|one| one.operator);
    if operators.any(|one| matches!(one, Some((Operator::Background, _)))) {
        return Some("part of the script runs in the background");
    }
    let leaves = |at: &CommandAt<'_>| {
        command::name(at.command) == Some("exit") || at.command.name() == Some("exec")
    };
    if script.commands().iter().any(leaves) {
        return Some("the script may end before its last command");
    }
    if !step.instruction.heredocs.is_empty() {
        return Some("the script is a here-document");
    }
    None
}

/// `clean`, a sub-command with its options, as `command` calls its package manager: by the same path, as the same user.
pub fn own_command(command: &Command, invocation: &Invocation, clean: &str) -> String {
    let wrappers = match invocation.other_user {
        true => invocation.wrappers.as_slice(),
        false => &[],
    };
    let indexes = wrappers.iter().chain([&invocation.command]);
    let words = indexes.filter_map(|index| command.words.get(*index));
    let words: Vec<&str> = words
        .map(|word| word.text.as_str())
        .chain([clean])
        .collect();
    words.join(" ")
}
