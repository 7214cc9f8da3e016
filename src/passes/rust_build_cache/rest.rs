//! What the step of a build does beside it with the folders that are mounted: emptying them is left to the mounts.

use super::Found;
use crate::pass::cache_folder::CacheMount;
use crate::pass::cache_paths::{self, Assigned, Lies, lies, path_of};
use crate::pass::command;
use crate::pass::list::remove_statement;
use crate::syntax::shell::CommandAt;
use crate::text::Edit;

/// The edits that take out the commands which delete what `mounts` cover.
///
/// # Errors
/// A command does anything else with a folder that is mounted, or cannot be taken out.
pub(super) fn without_cleaning(
    found: &Found<'_>,
    mounts: &[CacheMount],
) -> Result<Vec<Edit>, String> {
    let mut edits = Vec::new();
    for at in found.script.commands() {
        let deletes = command::name(at.command) == Some("rm");
        if deletes && only_empties(found, &at, mounts)? {
            let (step, script) = (found.step(), found.script);
            let gone = remove_statement(step.instruction, script, at.top, found.cx.text)
                .filter(|_| at.inside.is_none());
            edits.extend(gone.ok_or("`rm` of the cache cannot be taken out of its list")?);
        }
        if !deletes {
            check_words(found, &at, mounts)?;
        }
    }
    Ok(edits)
}

/// Whether an `rm` deletes folders that are mounted, and nothing else.
fn only_empties(
    found: &Found<'_>,
    at: &CommandAt<'_>,
    mounts: &[CacheMount],
) -> Result<bool, String> {
    let assigned = Assigned::of(found.script);
    let state = found.step().before;
    let directory = found.place().started_in(found.script, at);
    let arguments = at.command.words.iter().skip(1);
    let arguments = arguments.filter(|word| !word.text.starts_with('-'));
    let (mut inside, mut apart) = (0, 0);
    for word in arguments {
        let text = &word.text;
        let path = path_of(word, &assigned, state, directory.as_deref());
        let Some(path) = path else {
            apart += 1;
            continue;
        };
        let of = |mount: &CacheMount| lies(path.trim_end_matches('/'), &mount.target);
        match mounts.iter().map(of).find(|one| *one != Lies::Apart) {
            Some(Lies::Inside) => inside += 1,
            Some(_) => return Err(format!("`rm` of `{text}` deletes a mount point")),
            None => apart += 1,
        }
    }
    match (inside, apart) {
        (0, _) => Ok(false),
        (_, 0) => Ok(true),
        _ => Err("`rm` deletes the cache and something else".to_owned()),
    }
}

fn check_words(found: &Found<'_>, at: &CommandAt<'_>, mounts: &[CacheMount]) -> Result<(), String> {
    let redirects = at.command.redirects.iter().map(|one| &one.target);
    let words = at.command.assignments.iter().chain(&at.command.words);
    for word in words.chain(redirects) {
        for mount in mounts {
            let spellings =
                cache_paths::spellings(&mount.target, &found.rule.caches, found.step().before);
            if cache_paths::names(&word.text, &spellings) {
                let name = at.command.name().unwrap_or_default();
                return Err(format!("`{name}` works on `{}`", mount.target));
            }
        }
    }
    Ok(())
}
