//! Fixes on their own: each as a patch of the text that was read, where it can be made without the ones before it.

use crate::guard;
use crate::report::Finding;
use crate::rule::Rule;
use crate::text::{Edit, Patch, WayBack};

/// `patch`, of the text that `history` leads to, as a patch of the text that was read; `None` where it touches what an
/// earlier patch wrote.
pub(super) fn of_the_source(patch: &Patch, history: &[WayBack]) -> Option<Patch> {
    let edits = patch.edits().iter().map(|edit| {
        let mut patches = history.iter().rev();
        let span = patches.try_fold(edit.span, |span, patch| patch.span(span))?;
        let insert = edit.insert.clone();
        Some(Edit { span, insert })
    });
    Patch::new(edits.collect::<Option<_>>()?).ok()
}

/// Drops what the guard does not let through when it is all that changes `source`.
pub(super) fn check(findings: &mut [Finding], rules: &[Rule], source: &[u8]) {
    for finding in findings {
        let rule = rules.iter().find(|rule| rule.id == finding.rule);
        finding.alone = finding.alone.take().filter(|patch| {
            let is_let_through =
                |rule: &Rule| guard::check(source, &patch.apply(source), &rule.effects).is_ok();
            !patch.is_empty() && rule.is_some_and(is_let_through)
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::text::Span;

    fn patch(edits: &[(u32, u32, &str)]) -> Patch {
        let edits = edits.iter().map(|(start, end, text)| {
            let span = Span::new(*start, *end);
            Edit::replace(span, *text)
        });
        Patch::new(edits.collect()).unwrap()
    }

    #[test]
    fn what_no_earlier_patch_touched_is_found_again() {
        // `one two three four`: `one` grows, `three` goes.
        let first = patch(&[(0, 3, "eleven"), (8, 14, "")]);
        assert_eq!(first.apply(b"one two three four"), b"eleven two four");
        let ways = [first.way_back()];
        let of_the_source = |start, end| of_the_source(&patch(&[(start, end, "X")]), &ways);
        assert_eq!(of_the_source(8, 9), Some(patch(&[(5, 6, "X")])));
        assert_eq!(of_the_source(12, 15), Some(patch(&[(15, 18, "X")])));
        // What was written, what stands beside it, and across the place where something went.
        for (start, end) in [(0, 6), (2, 2), (6, 7), (10, 11), (11, 12), (9, 13)] {
            assert_eq!(of_the_source(start, end), None, "{start}..{end}");
        }
    }

    #[test]
    fn patches_are_undone_from_the_last_one() {
        let ways = [patch(&[(0, 0, "abc ")]), patch(&[(0, 4, "")])].map(|one| one.way_back());
        assert_eq!(
            of_the_source(&patch(&[(2, 3, "X")]), &ways),
            Some(patch(&[(2, 3, "X")]))
        );
        assert_eq!(of_the_source(&patch(&[(0, 1, "X")]), &ways), None);
    }
}
