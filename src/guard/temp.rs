//! Files that a step downloads, unpacks and need not keep.

use super::command::{Comparison, Note};
use super::script::{Joint, joint};
use crate::rule::Effect;
use crate::syntax::shell::{Command, Statement, Word};
use crate::text::contains;

/// Whether statement `at` of the list only deletes a file that a command before it in the list downloaded to the
/// working directory or a literal path, that was read since, and that nothing behind it names.
pub(super) fn is_leftover(cx: &Comparison<'_>, list: &[Statement], at: usize) -> bool {
    if !cx.allowed.has(&Effect::Temp) {
        return false;
    }
    let Some(command) = list.get(at).and_then(Statement::command) else {
        return false;
    };
    // What the operators around it do is for the list to judge.
    let joined = at > 0
        && list
            .get(at - 1)
            .is_some_and(|before| matches!(joint(before), Joint::And | Joint::Then));
    let Some(("rm", files)) = name_and_rest(command) else {
        return false;
    };
    let files: Vec<&str> = files
        .iter()
        .map(|word| word.text.as_str())
        .filter(|text| *text != "-f")
        .collect();
    let before = &list[..at];
    let is_leftover = joined
        && !files.is_empty()
        && files.iter().all(|file| {
            let Some(from) = before.iter().rposition(|one| downloads(one, file)) else {
                return false;
            };
            let name = file.rsplit('/').next().unwrap_or(file);
            let mentions = |statement: &Statement| contains(cx.after.slice(statement.span), name);
            let users = || before[from + 1..].iter().filter(|one| mentions(one));
            let moves = |statement: &Statement| {
                let command = statement.command();
                command.is_none_or(|command| changes_path(command, file))
            };
            users().count() > 0
                && !before[from + 1..].iter().any(moves)
                && !users().any(deletes_or_moves)
                && !list[at + 1..].iter().any(mentions)
        });
    if is_leftover {
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        let note = Note::Deleted {
            files,
            at: command.span,
        };
        cx.notes.borrow_mut().push(note);
    }
    is_leftover
}

fn name_and_rest(command: &Command) -> Option<(&str, &[Word])> {
    let (name, rest) = command.words.split_first()?;
    let name = name.literal.as_deref()?;
    Some((name.rsplit('/').next().unwrap_or(name), rest))
}

/// Whether a command changes, or may, which file a path names.
fn changes_path(command: &Command, path: &str) -> bool {
    let varies = path.contains('$');
    match name_and_rest(command) {
        None => varies || !command.words.is_empty(),
        Some(("cd" | "pushd" | "popd", _)) => varies || !path.starts_with('/'),
        Some((name, _)) => matches!(
            name,
            "eval" | "." | "source" | "exec" | "read" | "export" | "unset" | "set"
        ),
    }
}

fn deletes_or_moves(statement: &Statement) -> bool {
    let name = statement
        .command()
        .and_then(name_and_rest)
        .map(|(name, _)| name);
    matches!(name, Some("rm" | "mv" | "cp" | "ln" | "unlink" | "install"))
}

/// Whether a statement is `curl -o file`, `curl -O …/file`, `wget …/file` or `wget -O file`.
fn downloads(statement: &Statement, file: &str) -> bool {
    let Some((name, words)) = statement.command().and_then(name_and_rest) else {
        return false;
    };
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let named = |flags: &[&str]| {
        texts.windows(2).any(|pair| {
            let is_flag = flags.contains(&pair[0])
                || pair[0].starts_with('-')
                    && !pair[0].starts_with("--")
                    && pair[0].ends_with(flags[0].trim_start_matches('-'));
            is_flag && pair[1] == file
        })
    };
    let by_url = || {
        let mut urls = texts.iter().filter(|text| text.contains("://"));
        urls.any(|url| url.trim_matches(['"', '\'']).rsplit('/').next() == Some(file))
    };
    let remote_name = |text: &&str| {
        *text == "--remote-name"
            || text.starts_with('-') && !text.starts_with("--") && text.contains('O')
    };
    match name {
        "curl" => named(&["-o", "--output"]) || texts.iter().any(remote_name) && by_url(),
        "wget" => {
            named(&["-O", "--output-document"])
                || !texts.iter().any(remote_name) && !texts.contains(&"-P") && by_url()
        }
        _ => false,
    }
}
