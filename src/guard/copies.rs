//! COPY and ADD: where they put things, what of one is in another, and the owner that they give.

use super::Side;
use super::instruction::{has_same_heredocs, have_same_flags};
use super::script::Shell;
use crate::model::Step;
use crate::syntax::{Instruction, Keyword};

type At<'a, 'f> = (&'a Step<'f>, &'a Side<'f>);

/// Whether two COPYs (or two ADDs) differ only in how they write their destination.
pub(super) fn have_same_places((old, before): At<'_, '_>, (new, after): At<'_, '_>) -> bool {
    let (ours, theirs) = (old.instruction, new.instruction);
    let same = matches!(ours.keyword, Keyword::Copy | Keyword::Add)
        && ours.keyword == theirs.keyword
        && have_same_flags(ours, theirs)
        && has_same_heredocs((ours, before), (theirs, after))
        && sources(ours) == sources(theirs);
    let place = destination((old, before));
    same && place.is_some() && place == destination((new, after))
}

/// Whether `part` is a COPY of files that `whole` copies too, to the same places: `whole` copies the whole context, or
/// the very same source, and the destination is a directory.
pub(super) fn is_part_of(part: At<'_, '_>, whole: At<'_, '_>) -> bool {
    let (one, all) = (part.0.instruction, whole.0.instruction);
    let copies =
        one.keyword == Keyword::Copy && matches!(all.keyword, Keyword::Copy | Keyword::Add);
    if !copies || !have_same_flags(one, all) || !one.heredocs.is_empty() || !all.heredocs.is_empty()
    {
        return false;
    }
    let (Some((from, to)), Some((into, is_directory))) = (destination(part), destination(whole))
    else {
        return false;
    };
    let is_plain = |source: &&str| {
        !source.contains("..")
            && !source.contains("://")
            && !source.starts_with('-')
            && !source.is_empty()
    };
    let sources = sources(one);
    if !sources.iter().all(is_plain) {
        return false;
    }
    let wholes = self::sources(all);
    let whole_context = wholes
        .iter()
        .any(|source| matches!(*source, "." | "./" | "/"));
    if !whole_context {
        let listed = |source: &&str| wholes.contains(source);
        return from == into && to && is_directory && sources.iter().all(listed);
    }
    sources.iter().all(|source| {
        let path = source.trim_start_matches("./").trim_start_matches('/');
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let below = format!("{}/{directory}", into.trim_end_matches('/'));
        let place = below.trim_end_matches('/');
        let named = format!("{}/{path}", into.trim_end_matches('/'));
        let into_directory = to && from.trim_end_matches('/') == place && !path.contains('*')
            || to
                && from.trim_end_matches('/') == place
                && path
                    .rsplit('/')
                    .next()
                    .is_some_and(|last| last.contains('*'));
        into_directory || sources.len() == 1 && !to && from == named
    })
}

/// Whether the second of `steps` is a RUN that only gives what the first one copies the owner or mode that `new` gives.
pub(super) fn takes_mode(before: &Side<'_>, steps: &[&Step<'_>], new: At<'_, '_>) -> bool {
    let [copy, run, ..] = steps else { return false };
    let (ours, theirs) = (copy.instruction, new.0.instruction);
    let copies =
        matches!(ours.keyword, Keyword::Copy | Keyword::Add) && ours.keyword == theirs.keyword;
    if !copies || run.instruction.keyword != Keyword::Run || !run.instruction.flags.is_empty() {
        return false;
    }
    let added: Vec<_> = theirs
        .flags
        .iter()
        .filter(|flag| {
            !ours
                .flags
                .iter()
                .any(|one| (&one.name, &one.value) == (&flag.name, &flag.value))
        })
        .collect();
    let [flag] = added.as_slice() else {
        return false;
    };
    let kept = theirs.flags.len() == ours.flags.len() + 1 && ours.flag(&flag.name).is_none();
    let same = kept
        && sources(ours) == sources(theirs)
        && destination((copy, before)) == destination(new)
        && has_same_heredocs((ours, before), (theirs, new.1));
    let Some(value) = flag.value.as_deref().filter(|_| same) else {
        return false;
    };
    let Some(shell) = Shell::of(before, run, run.instruction) else {
        return false;
    };
    let [statement] = shell.script.statements.as_slice() else {
        return false;
    };
    let Some(command) = statement
        .command()
        .filter(|command| command.redirects.is_empty())
    else {
        return false;
    };
    let words: Option<Vec<&str>> = command
        .words
        .iter()
        .map(|word| word.literal.as_deref())
        .collect();
    let place = |path: &str| copy.before.absolute(path);
    let target = destination((copy, before));
    let is_target = |path: &str| {
        target
            .as_ref()
            .is_some_and(|(target, _)| place(path).as_ref() == Some(target))
    };
    let is_octal = !value.is_empty() && value.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    match (flag.name.as_str(), words.unwrap_or_default().as_slice()) {
        ("chown", ["chown", "-R", owner, path]) => *owner == value && is_target(path),
        ("chmod", ["chmod", "-R", mode, path]) => is_octal && *mode == value && is_target(path),
        // The mode of one file.
        ("chmod", ["chmod", mode, path]) => {
            let one_file = target.as_ref().is_some_and(|(_, directory)| !directory);
            is_octal && *mode == value && one_file && sources(ours).len() == 1 && is_target(path)
        }
        _ => false,
    }
}

fn sources(instruction: &Instruction) -> Vec<&str> {
    let words = instruction.words().split_last();
    words.map_or_else(Vec::new, |(_, sources)| {
        sources.iter().map(|word| word.text.as_str()).collect()
    })
}

/// The absolute destination, and whether it is written as a directory.
pub(super) fn destination((step, side): At<'_, '_>) -> Option<(String, bool)> {
    let word = step.instruction.words().last()?;
    let path = step.before.expand(&word.text, side.escape).ok()?;
    let is_directory = path.ends_with('/') || matches!(path.rsplit('/').next(), Some("." | ".."));
    Some((step.before.absolute(&path)?, is_directory))
}
