//! Where the commands of a script run.

use super::parts::join;
use super::script::{Joint, Shell, joint};
use crate::syntax::shell::Command;

/// The simple commands of the top-level list, each with the directory that it runs in where that is certain; the script
/// starts in `workdir`.
pub(super) fn commands<'s>(
    shell: &'s Shell,
    workdir: Option<&str>,
) -> Vec<(Option<String>, &'s Command)> {
    let mut cwd = workdir.map(str::to_owned);
    let mut commands = Vec::new();
    for statement in &shell.script.statements {
        let Some(command) = statement.command() else {
            // What is inside may go elsewhere, and stay there.
            let moves = |text: &[u8]| {
                text.windows(2)
                    .any(|pair| matches!(pair, b"cd" | b"hd" | b"pd"))
            };
            if moves(shell.slice(statement.span)) {
                cwd = None;
            }
            continue;
        };
        match command.words.first().map(|word| word.text.as_str()) {
            Some("cd") => {
                let goes_on = matches!(joint(statement), Joint::And | Joint::Then);
                let certain = goes_on && command.words.len() == 2;
                let directory = command
                    .words
                    .get(1)
                    .and_then(|word| word.literal.as_deref());
                cwd = directory
                    .filter(|_| certain)
                    .and_then(|to| resolved(cwd.as_deref(), to));
            }
            Some("pushd" | "popd" | "eval" | "." | "source") => cwd = None,
            _ => commands.push((cwd.clone(), command)),
        }
    }
    commands
}

/// `path` against `cwd`; `None` where it climbs, or where that is not known.
pub(super) fn resolved(cwd: Option<&str>, path: &str) -> Option<String> {
    let odd = path.split('/').any(|part| part == "..") || path.contains(['$', '*', '~', '`']);
    if odd || path.is_empty() || path == "-" {
        return None;
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let below = parts.join("/");
    match (path.starts_with('/'), below.as_str()) {
        (true, below) => Some(format!("/{below}")),
        (false, "") => Some(cwd?.to_owned()),
        (false, below) => Some(join(cwd?, below)),
    }
}
