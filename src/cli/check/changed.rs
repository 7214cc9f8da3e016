//! `check --only-changed-lines`: findings about lines that differ from a commit, and no others.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use similar::{Algorithm, capture_diff_slices};

use super::super::inputs::changed::{committed, lines};
use super::super::run::Done;
use crate::render::human;
use crate::text::{LineIndex, Span};

/// What is compared with, and how much is not shown.
pub(super) struct ChangedLines<'a> {
    commit: &'a str,
    hidden: AtomicUsize,
}

impl<'a> ChangedLines<'a> {
    /// The lines that differ from `commit`.
    pub(super) fn since(commit: &'a str) -> Self {
        let hidden = AtomicUsize::new(0);
        Self { commit, hidden }
    }

    /// Takes from a report the findings about lines that are as the commit has them.
    pub(super) fn narrow(&self, done: &mut Done<'_>) {
        // A file that cannot be compared is no longer here; one that the commit has not is new in every line.
        let Ok(Some(before)) = committed(done.input.target(), self.commit) else {
            return;
        };
        let text = &done.report.source.text;
        let (changes, index) = (changes(&before, text), LineIndex::new(text));
        let hidden = done.keep(|finding| changes.touch(&lines_of(&index, finding.span)));
        self.hidden.fetch_add(hidden, Ordering::Relaxed);
    }

    /// How much is not shown.
    pub(super) fn summary(&self) -> String {
        match self.hidden.load(Ordering::Relaxed) {
            0 => String::new(),
            hidden => {
                let findings = human::count(hidden, "finding");
                let commit = self.commit;
                format!("{findings} not shown: about lines that are as in `{commit}`\n")
            }
        }
    }
}

/// What differs between two texts, in lines of the later one, from 0.
#[derive(Debug, PartialEq)]
struct Changes {
    /// Lines that come or are others.
    new: Vec<Range<usize>>,
    /// Lines before which some went.
    gone: Vec<usize>,
}

fn changes(before: &[u8], after: &[u8]) -> Changes {
    let (before, after) = (lines(before), lines(after));
    let split = |text: &[u8]| -> Vec<Vec<u8>> {
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        lines.map(<[u8]>::to_vec).collect()
    };
    let (old, new) = (split(&before), split(&after));
    let mut changes = Changes {
        new: Vec::new(),
        gone: Vec::new(),
    };
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let range = op.new_range();
        match op.tag() {
            similar::DiffTag::Equal => {}
            similar::DiffTag::Delete => changes.gone.push(range.start),
            _ => changes.new.push(range),
        }
    }
    changes
}

impl Changes {
    /// Whether one of these lines is new, or something between them went.
    fn touch(&self, lines: &Range<usize>) -> bool {
        let is_new = |new: &Range<usize>| new.start < lines.end && lines.start < new.end;
        let is_gone = |at: &usize| lines.start < *at && *at < lines.end;
        self.new.iter().any(is_new) || self.gone.iter().any(is_gone)
    }
}

/// The lines that a span touches, from 0.
fn lines_of(index: &LineIndex, span: Span) -> Range<usize> {
    let last = span.end.saturating_sub(1).max(span.start);
    index.line(span.start) as usize - 1..index.line(last) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_come_and_go_are_told() {
        let before = b"a\r\nb\r\nc\r\nd\r\n";
        let found = changes(before, b"a\nx\nc\nd\n");
        assert_eq!(
            (&found.new[..], &found.gone[..]),
            (std::slice::from_ref(&(1..2)), &[][..])
        );
        assert!(found.touch(&(0..2)) && !found.touch(&(2..4)));
        let found = changes(before, b"a\nb\nd\n");
        assert_eq!((&found.new[..], &found.gone[..]), (&[][..], &[2][..]));
        assert!(found.touch(&(1..3)) && !found.touch(&(0..2)) && !found.touch(&(2..3)));
    }
}
