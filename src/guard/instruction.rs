//! Whether two instructions say the same to the builder, given the same state before them. RUN is not looked into here.

use std::collections::BTreeMap;

use super::{Fault, Side, Verdict};
use crate::model::expand::{Lookup, expand};
use crate::model::mount;
use crate::syntax::{Args, Flag, Instruction, Keyword, Pair};
use crate::text::Span;

/// An instruction and the text that it stands in.
pub(super) type At<'a> = (&'a Instruction, &'a Side<'a>);

/// Whether they are the same byte for byte; continuations, comments, the order of flags and the case of the stages that
/// they name aside.
pub(super) fn is_same_text((old, before): At<'_>, (new, after): At<'_>) -> bool {
    old.keyword == new.keyword
        && old.args_text() == new.args_text()
        && name_the_same((old, before), (new, after))
        && has_same_heredocs((old, before), (new, after))
        && match (&old.args, &new.args) {
            (Args::Onbuild(old), Args::Onbuild(new)) => is_same_text((old, before), (new, after)),
            _ => true,
        }
}

/// Whether they mean the same.
///
/// # Errors
/// What differs.
pub(super) fn same(old: At<'_>, new: At<'_>) -> Verdict {
    if is_same_text(old, new) {
        return Ok(());
    }
    let ((old, before), (new, after)) = (old, new);
    let changed = |what: &str| {
        let reason = format!("{what} of {} changes", old.keyword);
        Err(Fault::new(reason, new.span))
    };
    if old.keyword != new.keyword {
        return add_as_copy((old, before), (new, after));
    }
    if old.keyword != Keyword::From && !name_the_same((old, before), (new, after)) {
        return changed("a flag");
    }
    if !has_same_heredocs((old, before), (new, after)) {
        return changed("a here-document");
    }
    let same = match (&old.args, &new.args) {
        (Args::Pairs(old), Args::Pairs(new)) => same_pairs(old, new, before.escape),
        _ if old.keyword == Keyword::From => {
            same_platform((old, before), (new, after))
                && same_stage_name(old, new)
                && first(old) == first(new)
        }
        (Args::Words(_), Args::Words(_)) | (Args::Exec(_), Args::Exec(_)) => same_words(old, new),
        // COPY, ADD and VOLUME take a JSON array for words.
        (Args::Words(_), Args::Exec(_)) | (Args::Exec(_), Args::Words(_)) => same_words(old, new),
        _ => false,
    };
    match same {
        true => Ok(()),
        false => changed("what is written behind the keyword"),
    }
}

/// Whether the stages that two FROMs begin have the same name.
pub(super) fn same_stage_name(old: &Instruction, new: &Instruction) -> bool {
    let name = |from: &Instruction| from.words().get(2).map(|word| word.text.to_lowercase());
    name(old) == name(new)
}

/// Whether two FROMs ask for the same platform; `$TARGETPLATFORM` is what a FROM without the flag gets, unless the file
/// says otherwise.
pub(super) fn same_platform((old, before): At<'_>, (new, after): At<'_>) -> bool {
    let is_set = before.sets_platform || after.sets_platform;
    let is_target = |value: &str| matches!(value, "$TARGETPLATFORM" | "${TARGETPLATFORM}");
    let platform = |from: &Instruction| {
        let value = from.flag("platform")?.value.clone();
        value.filter(|value| is_set || !is_target(value))
    };
    platform(old) == platform(new)
}

/// Whether both have the same flags, in whatever case these write the names of stages.
fn name_the_same((old, before): At<'_>, (new, after): At<'_>) -> bool {
    have_same_flags(old, new) || flags_in_lower_case(old, before) == flags_in_lower_case(new, after)
}

fn flags_in_lower_case<'f>(
    one: &'f Instruction,
    side: &Side<'_>,
) -> Vec<(&'f str, Option<String>)> {
    let flags = sorted(&one.flags).into_iter();
    let in_lower_case = |name: &str, value: &str| {
        let from = match name {
            "from" => Some(value.to_owned()),
            "mount" => mount::from(value),
            _ => None,
        };
        let Some(stage) = from.filter(|stage| side.model.stage(stage).is_some()) else {
            return value.to_owned();
        };
        let lower = stage.to_lowercase();
        match name {
            "from" => lower,
            _ => value.replace(&format!("from={stage}"), &format!("from={lower}")),
        }
    };
    flags
        .map(|(name, value)| (name, value.map(|value| in_lower_case(name, value))))
        .collect()
}

/// Whether both have the same flags; their order counts among flags of one name only.
pub(super) fn have_same_flags(old: &Instruction, new: &Instruction) -> bool {
    sorted(&old.flags) == sorted(&new.flags)
}

fn sorted(flags: &[Flag]) -> Vec<(&str, Option<&str>)> {
    let flags = flags.iter();
    let mut flags: Vec<_> = flags
        .map(|flag| (flag.name.as_str(), flag.value.as_deref()))
        .collect();
    flags.sort_by_key(|(name, _)| *name);
    flags
}

/// Whether the here-documents have the same names and bodies.
pub(super) fn has_same_heredocs((old, before): At<'_>, (new, after): At<'_>) -> bool {
    old.heredocs.len() == new.heredocs.len()
        && old.heredocs.iter().zip(&new.heredocs).all(|(one, other)| {
            (&one.name, one.fd, one.chomp, one.expand)
                == (&other.name, other.fd, other.chomp, other.expand)
                && one.body.of(before.text) == other.body.of(after.text)
        })
}

pub(super) fn same_words(old: &Instruction, new: &Instruction) -> bool {
    let texts = |one: &Instruction| -> Vec<String> {
        one.words().iter().map(|word| word.text.clone()).collect()
    };
    texts(old) == texts(new)
}

fn first(instruction: &Instruction) -> Option<&str> {
    let word = instruction.words().first();
    word.map(|word| word.text.as_str())
}

/// ADD may become COPY where no source is one that only ADD fetches or unpacks. What a source holds is not looked at.
fn add_as_copy((old, before): At<'_>, (new, after): At<'_>) -> Verdict {
    let changed = |reason: String, span: Span| Err(Fault::new(reason, span));
    if (old.keyword, new.keyword) != (Keyword::Add, Keyword::Copy) {
        let reason = format!("{} becomes {}", old.keyword, new.keyword);
        return changed(reason, new.span);
    }
    let same = have_same_flags(old, new)
        && same_words(old, new)
        && has_same_heredocs((old, before), (new, after));
    if !same {
        let reason = "more than the keyword of ADD changes".to_owned();
        return changed(reason, new.span);
    }
    let Some((_, sources)) = new.words().split_last() else {
        return Ok(());
    };
    match sources.iter().find(|source| only_add_reads(&source.text)) {
        None => Ok(()),
        Some(source) => changed(
            format!("`{}` may be fetched or unpacked by ADD only", source.text),
            source.span,
        ),
    }
}

/// Whether a source is remote, not known, or a pattern for archives. Whether a file that is named is an archive depends
/// on its content alone, which the rule has seen and the guard has not.
fn only_add_reads(source: &str) -> bool {
    const REMOTE: [&str; 5] = ["http://", "https://", "git://", "ssh://", "git@"];
    const ARCHIVES: [&str; 15] = [
        "bz2", "gz", "lzma", "tar", "taz", "tb2", "tbz", "tbz2", "tgz", "tlz", "txz", "tzst", "xz",
        "z", "zst",
    ];
    let source = source.to_ascii_lowercase();
    let is_archive = source
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ARCHIVES.contains(&ending));
    REMOTE.iter().any(|scheme| source.starts_with(scheme))
        || source.ends_with(".git")
        || source.contains(".git#")
        || source.contains('$')
        || source.contains(['*', '?', '[']) && is_archive
}

/// Whether ENV or LABEL sets the same names to the same values, whatever the variables in them hold.
fn same_pairs(old: &[Pair], new: &[Pair], escape: u8) -> bool {
    old.len() == new.len()
        && old.iter().zip(new).all(|(old, new)| {
            let key = |pair: &Pair| pair.key.text.clone();
            same_value(&key(old), &key(new), escape)
                && same_value(&old.value.text, &new.value.text, escape)
        })
}

/// Whether two words expand to the same. Each variable is tried unset, empty, and with two values of its own, of which
/// one has everything in it that quoting could touch.
fn same_value(old: &str, new: &str, escape: u8) -> bool {
    if old == new {
        return true;
    }
    let names = names_in(old).chain(names_in(new));
    let plain: BTreeMap<&str, String> = names.map(|name| (name, format!("<{name}>"))).collect();
    let odd = plain.keys();
    let odd: BTreeMap<&str, String> = odd
        .map(|name| (*name, format!(" {name} '\"$x\\ /*`#% ")))
        .collect();
    let empty: BTreeMap<&str, String> = plain.keys().map(|name| (*name, String::new())).collect();
    let unset = BTreeMap::new();
    [plain, odd, empty, unset].iter().all(|values| {
        let lookup = |name: &str| match values.get(name) {
            Some(value) => Lookup::Set(value),
            None => Lookup::Unset,
        };
        let expand = |word| expand(word, escape, &lookup);
        match (expand(old), expand(new)) {
            (Ok(old), Ok(new)) => old == new,
            (old, new) => old.is_err() && new.is_err() && !values.contains_key(""),
        }
    })
}

fn names_in(word: &str) -> impl Iterator<Item = &str> {
    let pieces = word.split(|ch: char| !ch.is_alphanumeric() && ch != '_');
    pieces.filter(|piece| !piece.is_empty())
}
