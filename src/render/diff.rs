//! Unified diffs, byte for byte: what `patch -p1` and `git apply` take, and reverse.

mod side;
mod words;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Component, Path};
use std::time::{Duration, Instant};

use anstyle::Style;
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices_deadline, group_diff_ops};

pub use side::{NARROWEST, side_by_side};

use super::{ADDED, BOLD, HUNK, Look, REMOVED, RULE};
use crate::text::{Edit, Patch, Span};

/// Unchanged lines around a change.
const CONTEXT_LINES: usize = 3;

/// The search for the shortest diff ends here; what it has by then is coarser, and applies as well.
const SEARCH_TIME: Duration = Duration::from_millis(500);

/// The unified diff from `before` to `after` of the file at `path`; empty where they are equal. `None` before: the
/// file is made.
///
/// Lines end at `\n` only, so that a `\r` before it, or anywhere else, is content.
pub fn unified(path: &Path, before: Option<&[u8]>, after: &[u8], look: Look) -> Vec<u8> {
    explained(path, before, after, &[], look)
}

/// What a person is told of a change: a line above the hunk that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The lines that it is about in the text before, from 0.
    pub lines: Range<usize>,
    /// On one line.
    pub text: String,
}

/// The same with notes for somebody who reads it. With any, it is no patch any more.
pub fn explained(
    path: &Path,
    before: Option<&[u8]>,
    after: &[u8],
    notes: &[Note],
    look: Look,
) -> Vec<u8> {
    let hunks = hunks_with(before.unwrap_or_default(), after, notes, look);
    if hunks.is_empty() {
        return hunks;
    }
    let from = match before {
        Some(_) => header_name("a", path),
        None => "/dev/null".to_owned(),
    };
    let to = header_name("b", path);
    let mut out = Vec::new();
    push_line(&mut out, BOLD, format!("--- {from}").as_bytes(), look);
    push_line(&mut out, BOLD, format!("+++ {to}").as_bytes(), look);
    out.extend(hunks);
    out
}

/// A diff without the names of the files.
pub fn hunks(before: &[u8], after: &[u8], look: Look) -> Vec<u8> {
    hunks_with(before, after, &[], look)
}

fn hunks_with(before: &[u8], after: &[u8], notes: &[Note], look: Look) -> Vec<u8> {
    let (old, new) = (lines(before), lines(after));
    let deadline = Instant::now() + SEARCH_TIME;
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &old, &new, Some(deadline));
    let mut out = Vec::new();
    let mut notes = notes.iter().peekable();
    let hunks = group_diff_ops(ops, CONTEXT_LINES);
    for (hunk, left) in hunks.iter().zip((0..hunks.len()).rev()) {
        let end = hunk.last().map_or(0, |op| op.old_range().end);
        // What is about no line of a hunk stands above the next one, or above the last; what is said twice stands once.
        let mut said = BTreeSet::new();
        while let Some(note) = notes.next_if(|note| note.lines.start < end || left == 0) {
            if said.insert(&note.text) {
                push_line(&mut out, RULE, note.text.as_bytes(), look);
            }
        }
        push_hunk(&mut out, hunk, &old, &new, look);
    }
    out
}

/// The patch that makes `after` of `before`: of the lines that differ, what lies between their common ends.
pub fn patch(before: &[u8], after: &[u8]) -> Patch {
    let (old, new) = (lines(before), lines(after));
    let deadline = Instant::now() + SEARCH_TIME;
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &old, &new, Some(deadline));
    let length = |lines: &[&[u8]]| lines.iter().map(|line| line.len()).sum::<usize>();
    let changes = ops.iter().filter(|op| op.tag() != DiffTag::Equal);
    let edits = changes.map(|op| {
        let start = length(&old[..op.old_range().start]);
        narrow(
            start,
            &old[op.old_range()].concat(),
            &new[op.new_range()].concat(),
        )
    });
    Patch::new(edits.collect()).unwrap_or_default()
}

/// The edit at byte `start` that makes `new` of `old`, without their common ends. It cuts no character.
fn narrow(start: usize, old: &[u8], new: &[u8]) -> Edit {
    let is_inside = |byte: &u8| byte & 0xc0 == 0x80;
    let mut head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    while head > 0
        && [old, new]
            .iter()
            .any(|text| text.get(head).is_some_and(is_inside))
    {
        head -= 1;
    }
    let (old, new) = (&old[head..], &new[head..]);
    let pairs = old.iter().rev().zip(new.iter().rev());
    let mut tail = pairs.take_while(|(a, b)| a == b).count();
    while tail > 0 && old.get(old.len() - tail).is_some_and(is_inside) {
        tail -= 1;
    }
    let number = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    let span = Span::new(
        number(start + head),
        number(start + head + old.len() - tail),
    );
    Edit::replace(span, &new[..new.len() - tail])
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

fn push_hunk(out: &mut Vec<u8>, hunk: &[DiffOp], old: &[&[u8]], new: &[&[u8]], look: Look) {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
        return;
    };
    let old_range = range(first.old_range().start, last.old_range().end);
    let new_range = range(first.new_range().start, last.new_range().end);
    let header = format!("@@ -{old_range} +{new_range} @@");
    push_line(out, HUNK, header.as_bytes(), look);
    for op in hunk {
        let removed = &old[op.old_range()];
        let added = &new[op.new_range()];
        if op.tag() == DiffTag::Equal {
            push_text(out, b' ', Style::new(), removed, &[], look);
            continue;
        }
        let [gone, come] = match look.color {
            true => words::differences(removed, added),
            false => Default::default(),
        };
        push_text(out, b'-', REMOVED, removed, &gone, look);
        push_text(out, b'+', ADDED, added, &come, look);
    }
}

/// `start,length` as unified diffs count: from 1, an empty range from the line before it.
fn range(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        length => format!("{},{length}", start + 1),
    }
}

/// Lines with a sign before each; `marks` are bytes of all of them together that stand out.
fn push_text(
    out: &mut Vec<u8>,
    sign: u8,
    style: Style,
    lines: &[&[u8]],
    marks: &[Range<usize>],
    look: Look,
) {
    let mut start = 0;
    for line in lines {
        let content = line.strip_suffix(b"\n");
        let shown = content.unwrap_or(line);
        let marks = marks.iter().map(|mark| {
            let within = |at: usize| at.clamp(start, start + shown.len()) - start;
            within(mark.start)..within(mark.end)
        });
        let marks: Vec<_> = marks.filter(|mark| !mark.is_empty()).collect();
        match marks.as_slice() {
            [] => push_line(out, style, &[&[sign], shown].concat(), look),
            marks => push_marked(out, sign, style, shown, marks, look),
        }
        if content.is_none() {
            out.extend_from_slice(b"\\ No newline at end of file\n");
        }
        start += line.len();
    }
}

/// A line of which some parts stand out.
fn push_marked(
    out: &mut Vec<u8>,
    sign: u8,
    style: Style,
    line: &[u8],
    marks: &[Range<usize>],
    look: Look,
) {
    let (text, cr) = without_cr(line);
    let mut piece = |style: Style, bytes: &[u8]| {
        if !bytes.is_empty() {
            out.extend_from_slice(style.render().to_string().as_bytes());
            out.extend_from_slice(&look.show(bytes));
            out.extend_from_slice(style.render_reset().to_string().as_bytes());
        }
    };
    piece(style, &[sign]);
    let mut at = 0;
    for mark in marks {
        let (start, end) = (mark.start.min(text.len()), mark.end.min(text.len()));
        piece(style, &text[at..start]);
        piece(style.invert(), &text[start..end]);
        at = end;
    }
    piece(style, &text[at..]);
    out.extend_from_slice(cr);
    out.push(b'\n');
}

fn without_cr(line: &[u8]) -> (&[u8], &[u8]) {
    match line.strip_suffix(b"\r") {
        Some(text) => (text, b"\r"),
        None => (line, b""),
    }
}

/// One line, with its ending. A `\r` at the end stays behind the colours.
fn push_line(out: &mut Vec<u8>, style: Style, line: &[u8], look: Look) {
    let (line, cr) = without_cr(line);
    if look.color {
        out.extend_from_slice(style.render().to_string().as_bytes());
    }
    out.extend_from_slice(&look.show(line));
    if look.color {
        out.extend_from_slice(style.render_reset().to_string().as_bytes());
    }
    out.extend_from_slice(cr);
    out.push(b'\n');
}

/// `a/path` as git writes it: in quotes with escapes where it holds odd bytes, with a tab after it where it holds
/// spaces.
fn header_name(side: &str, path: &Path) -> String {
    let mut bytes = side.as_bytes().to_vec();
    for component in path.components() {
        // An absolute path applies from the root, with `patch -p1 -d /`.
        if !matches!(component, Component::RootDir | Component::CurDir) {
            bytes.push(b'/');
            bytes.extend_from_slice(component.as_os_str().as_encoded_bytes());
        }
    }
    let is_odd = |byte: &u8| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\');
    if bytes.iter().any(is_odd) {
        return quoted(&bytes);
    }
    let name = String::from_utf8_lossy(&bytes).into_owned();
    if name.contains(' ') {
        name + "\t"
    } else {
        name
    }
}

fn quoted(bytes: &[u8]) -> String {
    let mut out = String::from('"');
    for byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\r' => out.push_str("\\r"),
            b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(before: &[u8], after: &[u8]) -> String {
        let diff = unified(
            Path::new("Dockerfile"),
            Some(before),
            after,
            Look::default(),
        );
        String::from_utf8_lossy(&diff).into_owned()
    }

    #[test]
    fn equal_texts_have_no_diff() {
        assert_eq!(plain(b"FROM a\n", b"FROM a\n"), "");
        assert_eq!(plain(b"", b""), "");
    }

    #[test]
    fn a_changed_line_stands_between_its_neighbours() {
        let before = b"1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let after = b"1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
        let expected = "--- a/Dockerfile\n+++ b/Dockerfile\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n";
        assert_eq!(plain(before, after), expected);
    }

    #[test]
    fn the_last_newline_and_carriage_returns_are_content() {
        let expected = "--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,2 +1,2 @@\n FROM a\r\n-RUN x\n\\ No newline at end of file\n+RUN y\ry\r\n";
        assert_eq!(
            plain(b"FROM a\r\nRUN x", b"FROM a\r\nRUN y\ry\r\n"),
            expected
        );
    }

    #[test]
    fn a_file_that_is_made_comes_from_nothing() {
        let diff = unified(Path::new(".dockerignore"), None, b".git\n", Look::default());
        assert_eq!(
            diff,
            b"--- /dev/null\n+++ b/.dockerignore\n@@ -0,0 +1 @@\n+.git\n"
        );
    }

    #[test]
    fn names_are_quoted_as_git_does() {
        assert_eq!(
            header_name("a", Path::new("./x/Dockerfile")),
            "a/x/Dockerfile"
        );
        assert_eq!(
            header_name("a", Path::new("/x/Dockerfile")),
            "a/x/Dockerfile"
        );
        assert_eq!(
            header_name("a", Path::new("my app/Dockerfile")),
            "a/my app/Dockerfile\t"
        );
        assert_eq!(
            header_name("b", Path::new("é\"\n/x")),
            r#""b/\303\251\"\n/x""#
        );
    }

    #[test]
    fn on_a_terminal_control_characters_are_shown() {
        let look = Look {
            color: false,
            terminal: true,
        };
        let diff = unified(Path::new("D"), Some(b"a\r\n"), b"\x1b[2J\r\n", look);
        let expected = "--- a/D\n+++ b/D\n@@ -1 +1 @@\n-a\r\n+\\u{1b}[2J\r\n";
        assert_eq!(String::from_utf8_lossy(&diff), expected);
    }

    #[test]
    fn words_that_changed_stand_out_where_there_are_colours() {
        let look = Look {
            color: true,
            terminal: true,
        };
        let diff = hunks(b"ENV A 1\n", b"ENV A=1\n", look);
        let diff = String::from_utf8_lossy(&diff).into_owned();
        let stripped = anstream::adapter::strip_str(&diff).to_string();
        assert_eq!(stripped, "@@ -1 +1 @@\n-ENV A 1\n+ENV A=1\n");
        let inverted = ADDED.invert();
        assert!(
            diff.contains(&format!("{inverted}={inverted:#}")),
            "{diff:?}"
        );
    }

    #[test]
    fn a_note_stands_above_the_hunk_that_it_is_about() {
        let text = |changed: &str| {
            let line = |n| match [2, 30].contains(&n) {
                true => format!("{changed}\n"),
                false => format!("{n}\n"),
            };
            (0..40).map(line).collect::<String>()
        };
        let note = |line, text: &str| Note {
            lines: line..line + 1,
            text: text.to_owned(),
        };
        let notes = [
            note(2, "first"),
            note(3, "too"),
            note(4, "first"),
            note(15, "first"),
            note(15, "between"),
            note(39, "last"),
        ];
        let (before, after) = (text("old"), text("new"));
        let diff = explained(
            Path::new("D"),
            Some(before.as_bytes()),
            after.as_bytes(),
            &notes,
            Look::default(),
        );
        let diff = String::from_utf8_lossy(&diff);
        let is_told = |line: &&str| line.starts_with("@@") || !line.starts_with([' ', '-', '+']);
        let told: Vec<&str> = diff.lines().filter(is_told).collect();
        let expected = [
            "first",
            "too",
            "@@ -1,6 +1,6 @@",
            "first",
            "between",
            "last",
            "@@ -28,7 +28,7 @@",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_great_change_is_found_in_bounded_time() {
        let text = |word: &str| {
            (0..40_000)
                .map(|n| format!("{word} {n}\n"))
                .collect::<String>()
        };
        let start = Instant::now();
        let diff = plain(text("old").as_bytes(), text("new").as_bytes());
        assert_eq!(
            diff.lines().filter(|line| line.starts_with("+new")).count(),
            40_000
        );
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
