//! Where a RUN may be cut in two: what runs early comes before the source, the rest stays behind it.
//!
//! Never cuts where the halves would do something else than the whole, or where a layer would keep what it deleted.

use crate::context::path;
use crate::model::managers::{Role, invocation};
use crate::pass::command;
use crate::pass::project_place::{Place, first_words};
use crate::pass::runs::Step;
use crate::syntax::shell::{Command, Node, Operator, Script, Statement};

/// The `cd`s of the statements, to run again in front of others: empty where they lead back.
pub(super) fn moved_to(statements: &[Statement]) -> String {
    let mut gone = String::new();
    let mut place = String::from("/.");
    for command in statements
        .iter()
        .filter(|one| is_cd(one))
        .filter_map(Statement::command)
    {
        let Some(to) = command.words.get(1) else {
            continue;
        };
        let text = to.literal.as_deref().unwrap_or_default();
        place = match text.starts_with('/') {
            true => format!("//{}", path::clean(text)),
            false => format!("{place}/{text}"),
        };
        gone.push_str(&format!("cd {} && ", to.text));
    }
    let back = !place.starts_with("//") && path::clean(&place) == "/";
    if back { String::new() } else { gone }
}

/// Whether a statement only says how the shell goes on (`set -ex`).
pub(super) fn is_set(statement: &Statement) -> bool {
    matches!(&statement.node, Node::Command(command) if command.name() == Some("set"))
}

pub(super) fn is_cd(statement: &Statement) -> bool {
    matches!(&statement.node, Node::Command(command) if command.name() == Some("cd"))
}

/// Whether the list may be cut in front of statement `at`, with its `cd`s run again behind the cut.
///
/// # Errors
/// Why not.
pub(super) fn splittable(step: &Step<'_>, script: &Script, at: usize) -> Result<(), String> {
    let refuse = |what: &str| {
        Err(format!(
            "{what} keeps the install and what follows it in one RUN"
        ))
    };
    let (head, rest) = script.statements.split_at(at);
    let and = |one: &Statement| matches!(one.operator, Some((Operator::And, _)));
    if !head.iter().all(and) || !rest.iter().all(|one| one.operator.is_none() || and(one)) {
        return refuse("a list that is not joined by `&&`");
    }
    let leaks = |one: &Statement| match one.command() {
        Some(command) => {
            let name = command.name().unwrap_or_default();
            let states = [
                "set", "export", "umask", "trap", "ulimit", "exec", "exit", "source", ".", "pushd",
                "popd", "alias", "eval",
            ];
            command.words.is_empty() || states.contains(&name)
        }
        None => !matches!(one.node, Node::Pipeline(_)),
    };
    if head.iter().any(leaks) {
        return refuse("the state of the shell");
    }
    let gap = (
        head.last().map(|one| one.span.end),
        rest.first().map(|one| one.span.start),
    );
    let (Some(start), Some(end)) = gap else {
        return refuse("the list");
    };
    let commented = step
        .instruction
        .comments
        .iter()
        .any(|comment| comment.start < end && start < comment.end);
    let above = step
        .instruction
        .comments
        .iter()
        .any(|comment| comment.end <= script.span.start);
    if commented || above {
        return refuse("a comment");
    }
    Ok(())
}

/// Whether a layer of what stands before statement `at` would keep nothing that the rest deletes.
///
/// # Errors
/// What deletes.
pub(super) fn stays_small(
    place: Place<'_>,
    script: &Script,
    at: usize,
    deletes: impl Fn(&Command) -> bool,
) -> Result<(), String> {
    let commands = script.commands();
    let mut rest = commands.iter().filter(|one| one.top >= at);
    let deleting = rest.find(|one| place.stage().ships && deletes(one.command));
    let Some(deleting) = deleting else {
        return Ok(());
    };
    let shown = first_words(&place.cx.shown(deleting.command.span));
    Err(format!(
        "`{shown}` deletes in the same step what a layer of its own would keep in the image"
    ))
}

/// Whether a command deletes files.
pub(super) fn deletes(command: &Command) -> bool {
    let has = |text: &str| command.words.iter().any(|word| word.text == text);
    match command::name(command) {
        Some("rm" | "rmdir" | "unlink") => true,
        Some("find") => has("-delete") || has("rm"),
        _ => invocation(&command.words)
            .is_some_and(|one| matches!(one.role, Role::Clean | Role::Remove)),
    }
}
