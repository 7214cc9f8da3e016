//! COPY and ADD: where they put things, and the owner that they give.

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
    // The contents of a directory go to the place that is named, however that is written.
    let of_directory = matches!(sources(ours).as_slice(), [only] if is_directory(only));
    match (destination((old, before)), destination((new, after))) {
        (Some((ours, was)), Some((theirs, is))) => {
            same && ours == theirs && (was == is || of_directory)
        }
        _ => false,
    }
}

fn is_directory(source: &str) -> bool {
    source.ends_with('/') && !source.contains("://") || matches!(source, "." | "..")
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
        sources.iter().map(|word| unquoted(&word.text)).collect()
    })
}

/// A word without the quotes around it, where those are all that it has.
fn unquoted(word: &str) -> &str {
    let inner = |quote: char| word.strip_prefix(quote)?.strip_suffix(quote);
    let inner = inner('"').or_else(|| inner('\''));
    inner
        .filter(|text| !text.contains(['"', '\'', '\\', '$']))
        .unwrap_or(word)
}

/// The absolute destination, and whether it is written as a directory.
pub(super) fn destination((step, side): At<'_, '_>) -> Option<(String, bool)> {
    let word = step.instruction.words().last()?;
    let path = step.before.expand(&word.text, side.escape).ok()?;
    let is_directory = path.ends_with('/') || matches!(path.rsplit('/').next(), Some("." | ".."));
    Some((step.before.absolute(&path)?, is_directory))
}
