//! A COPY of files by name that the runtime stage need not say: a later one of their whole directory brings them to the
//! same places, and nothing that is run between them reads them.

use std::collections::BTreeSet;

use crate::context::copy::{Copy, ImagePath, Landing, is_remote};
use crate::pass::PassContext;
use crate::syntax::Keyword;

/// As many files are looked at of one step.
const MOST_FILES: usize = 20_000;

/// Files of the context, and where they land.
type Files = BTreeSet<(String, String)>;

/// Whether a later step that is said, the only ones that `is_said` lets through, brings all that the COPY at `at` does.
pub(super) fn is_brought_again(
    cx: &PassContext<'_>,
    at: usize,
    is_said: impl Fn(usize) -> bool,
) -> bool {
    let (sources, own) = match files(cx, at) {
        Some((sources, own)) if !own.is_empty() => (sources, own),
        _ => return false,
    };
    if !sources.iter().all(|source| is_named_file(source)) {
        return false;
    }
    let steps = cx.stages[0].steps.iter().enumerate().skip(at + 1);
    for (other, step) in steps.filter(|(other, _)| is_said(*other)) {
        if step.is_run() {
            return false;
        }
        let is_same = |(sources, files): &(Vec<String>, Files)| {
            matches!(&sources[..], [only] if matches!(only.as_str(), "." | "./"))
                && own.is_subset(files)
        };
        if files(cx, other).as_ref().is_some_and(is_same) {
            return true;
        }
    }
    false
}

/// Whether a source names a file of the directory itself.
fn is_named_file(source: &str) -> bool {
    let name = source.strip_prefix("./").unwrap_or(source);
    let has_ending = name.find('.').is_some_and(|dot| dot > 0);
    (has_ending || name == "Pipfile") && !name.contains(['/', '*', '?', '[', '$', '\\'])
}

/// The sources of a plain COPY, as they are written, and what it brings; `None` where it is another step, gives owners, or that is not known.
fn files(cx: &PassContext<'_>, at: usize) -> Option<(Vec<String>, Files)> {
    let step = cx.stages[0].model.steps.get(at)?;
    let instruction = step.instruction;
    let taken = cx.model.taken(step);
    let is_plain = instruction.keyword == Keyword::Copy
        && instruction.flags.is_empty()
        && instruction.heredocs.is_empty()
        && taken.exact
        && !taken.sources.iter().any(|source| is_remote(source));
    let to = instruction.words().last().filter(|_| is_plain)?;
    let to = step.before.expand(&to.text, cx.file.escape.byte()).ok()?;
    let ignore = cx.site.ignore(cx.context).ok()?.ignore;
    let workdir = step.before.workdir();
    let copy = Copy::new(&taken.sources, &to, workdir, cx.context, &ignore);
    let mut files = Files::new();
    for (file, landing) in copy.files() {
        let Landing::At(ImagePath::Absolute(place)) = landing else {
            return None;
        };
        if files.len() == MOST_FILES {
            return None;
        }
        files.insert((file, place));
    }
    let (_, sources) = instruction.words().split_last()?;
    let sources = sources.iter().map(|word| word.text.clone()).collect();
    Some((sources, files))
}
