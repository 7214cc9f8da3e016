//! What the commands of one step leave to those of the next one, once both run in one shell.

use super::script::{Joint, Shell, joint, lists};
use crate::model::image::Facts;
use crate::model::managers::invocation;
use crate::syntax::shell::{Command, Compound, CompoundKind, Node, Statement};
use crate::text::contains;

/// Commands that change the shell that runs them, or end it.
const CHANGING: [&str; 57] = [
    ".",
    "alias",
    "bg",
    "break",
    "builtin",
    "cd",
    "command",
    "continue",
    "coproc",
    "deactivate",
    "declare",
    "dirs",
    "disown",
    "emulate",
    "enable",
    "eval",
    "exec",
    "exit",
    "export",
    "fg",
    "getopts",
    "hash",
    "history",
    "jobs",
    "let",
    "local",
    "logout",
    "mapfile",
    "module",
    "nvm",
    "popd",
    "pushd",
    "rbenv",
    "read",
    "readarray",
    "readonly",
    "return",
    "rvm",
    "sdk",
    "set",
    "setopt",
    "shift",
    "shopt",
    "source",
    "suspend",
    "times",
    "trap",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "unsetopt",
    "wait",
    "workon",
    "pyenv",
    "nodenv",
];

/// What of `statements` would reach a command that runs after them in the same shell: the reason, or `None`.
/// `next` is the text of what runs after them.
pub(super) fn leak(shell: &Shell, statements: &[Statement], next: &[u8]) -> Option<String> {
    statements.iter().find_map(|one| of(shell, one, next))
}

/// Whether the commands of `shell` put a newer package manager beside the one that they have run, and `next` calls it:
/// the reason. `base` is the base image, where the place may be the same.
pub(super) fn shadowed(shell: &Shell, next: &Shell, base: &Facts) -> Option<String> {
    let is_family = |name: &str| base.is_family(name);
    shell.script.commands().into_iter().find_map(|found| {
        let words = &found.command.words;
        let one = invocation(words).filter(|one| one.shadows_itself(words, is_family))?;
        let calls = |other: &Command| {
            invocation(&other.words).is_some_and(|other| other.manager.name == one.manager.name)
        };
        let mut others = next.script.commands().into_iter();
        let quoted = shell.quote(found.command.span);
        let called = others.any(|other| calls(other.command));
        called.then(|| {
            format!(
                "after `{quoted}` the shell goes on with the old `{}`",
                one.manager.name
            )
        })
    })
}

fn of(shell: &Shell, statement: &Statement, next: &[u8]) -> Option<String> {
    let quoted = || format!("`{}`", shell.quote(statement.span));
    if joint(statement) == Joint::Background {
        return Some(format!("{} still runs in the background", quoted()));
    }
    match &statement.node {
        Node::Command(command) => changes_shell(command)
            .then(|| format!("{} changes the shell for what follows", quoted())),
        // Each member runs in a shell of its own.
        Node::Pipeline(_) => None,
        Node::Compound(Compound { kind, .. }) => match kind {
            CompoundKind::Subshell => None,
            CompoundKind::Function => Some(format!("{} defines a function", quoted())),
            CompoundKind::Other if !is_test(shell, statement) => {
                Some(format!("{} may set a variable", quoted()))
            }
            CompoundKind::Loop if loop_variable_is_read(shell, statement, next) => {
                Some(format!("{} sets a variable", quoted()))
            }
            _ => lists(statement)
                .into_iter()
                .find_map(|list| leak(shell, list, next)),
        },
    }
}

fn changes_shell(command: &Command) -> bool {
    let Some(first) = command.words.first() else {
        // Assignments alone stay; redirects alone do nothing.
        return !command.assignments.is_empty();
    };
    // `[` reads as the start of a glob.
    let Some(name) = first
        .literal
        .as_deref()
        .or((first.text == "[").then_some("["))
    else {
        return true;
    };
    let second = command
        .words
        .get(1)
        .and_then(|word| word.literal.as_deref());
    match name {
        // A special builtin: what is assigned before it stays.
        ":" => !command.assignments.is_empty(),
        "command" => second != Some("-v"),
        "conda" | "mamba" | "micromamba" => {
            matches!(second, Some("activate" | "deactivate") | None)
        }
        "printf" => second == Some("-v"),
        _ => CHANGING.contains(&name),
    }
}

/// `[[ … ]]`, or `time` before a command.
fn is_test(shell: &Shell, statement: &Statement) -> bool {
    let text = shell.slice(statement.span);
    let text = text.strip_prefix(b"!").unwrap_or(text).trim_ascii_start();
    text.starts_with(b"[[") && !text.windows(2).any(|pair| pair == b"=~")
        || text.starts_with(b"time ")
}

/// Whether the variable of a `for` is named by what runs next.
fn loop_variable_is_read(shell: &Shell, statement: &Statement, next: &[u8]) -> bool {
    let text = shell.slice(statement.span);
    let Some(rest) = text.strip_prefix(b"for") else {
        return false;
    };
    let name = rest.trim_ascii_start();
    let length = name
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    let name = &name[..length];
    name.is_empty() || contains(next, name)
}
