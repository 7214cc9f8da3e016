//! COPY and ADD: where they put things, what of one is in another, and the owner that they give.

use super::Side;
use super::instruction::{has_same_heredocs, have_same_flags};
use crate::model::Step;
use crate::syntax::{Flag, Instruction, Keyword};

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

/// The owner or mode that `new` gives and `old`, otherwise the same COPY or ADD, does not: the flag and its value.
pub(super) fn given<'n>(
    (old, before): At<'_, '_>,
    (new, after): At<'n, '_>,
) -> Option<(&'n str, &'n str)> {
    let (ours, theirs) = (old.instruction, new.instruction);
    let copies = matches!(ours.keyword, Keyword::Copy | Keyword::Add);
    let is_new = |flag: &&Flag| {
        let mut flags = ours.flags.iter();
        !flags.any(|one| (&one.name, &one.value) == (&flag.name, &flag.value))
    };
    let mut added = theirs.flags.iter().filter(is_new);
    let flag = added.next().filter(|_| added.next().is_none())?;
    let same = copies
        && ours.keyword == theirs.keyword
        && theirs.flags.len() == ours.flags.len() + 1
        && ours.flag(&flag.name).is_none()
        && ours.args_text() == theirs.args_text()
        && has_same_heredocs((ours, before), (theirs, after));
    let value = flag.value.as_deref()?;
    (same && matches!(flag.name.as_str(), "chown" | "chmod")).then_some((flag.name.as_str(), value))
}

pub(super) fn sources(instruction: &Instruction) -> Vec<&str> {
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
