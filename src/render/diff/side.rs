//! A change with both sides beside each other, for a person at a wide terminal: no patch.
//!
//! Nothing is cut off: a line that is too long goes on below.

use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use anstyle::Style;
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices_deadline, group_diff_ops};
use unicode_width::UnicodeWidthChar as _;

use super::{CONTEXT_LINES, Note, SEARCH_TIME, lines, words};
use crate::render::{ADDED, BOLD, HUNK, Look, REMOVED, RULE, visible, visible_line};

/// A terminal with fewer columns has no place for two sides.
pub const NARROWEST: usize = 100;

/// What stands before a line: its number and a space.
const MARGIN: usize = 5;

/// The change of the file at `path` in `width` columns, with notes above the hunks.
pub fn side_by_side(
    path: &Path,
    before: Option<&[u8]>,
    after: &[u8],
    notes: &[Note],
    (look, width): (Look, usize),
) -> String {
    let before = before.unwrap_or_default();
    let (old, new) = (lines(before), lines(after));
    let deadline = Instant::now() + SEARCH_TIME;
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &old, &new, Some(deadline));
    let hunks = group_diff_ops(ops, CONTEXT_LINES);
    if hunks.is_empty() {
        return String::new();
    }
    let column = (width.saturating_sub(3) / 2).max(MARGIN + 1);
    let name = visible_line(&path.to_string_lossy());
    let mut out = format!("{}\n", look.paint(BOLD, name));
    let mut notes = notes.iter().peekable();
    for (hunk, left) in hunks.iter().zip((0..hunks.len()).rev()) {
        out.push_str(&format!(
            "{}\n",
            look.paint(HUNK, "─".repeat(2 * column + 3))
        ));
        let end = hunk.last().map_or(0, |op| op.old_range().end);
        let mut said = Vec::new();
        while let Some(note) = notes.next_if(|note| note.lines.start < end || left == 0) {
            if !said.contains(&&note.text) {
                out.push_str(&format!("{}\n", look.paint(RULE, &note.text)));
                said.push(&note.text);
            }
        }
        for op in hunk {
            push_rows(&mut out, op, [&old, &new], (look, column));
        }
    }
    out
}

/// The rows of lines that are the same, or that differ.
fn push_rows(
    out: &mut String,
    op: &DiffOp,
    [old, new]: [&[&[u8]]; 2],
    (look, column): (Look, usize),
) {
    let (removed, added) = (&old[op.old_range()], &new[op.new_range()]);
    let is_same = op.tag() == DiffTag::Equal;
    let [gone, come] = match is_same {
        true => Default::default(),
        false => words::differences(removed, added),
    };
    let style = |style| if is_same { Style::new() } else { style };
    let left = Side::new(removed, op.old_range().start, &gone, style(REMOVED));
    let right = Side::new(added, op.new_range().start, &come, style(ADDED));
    for at in 0..removed.len().max(added.len()) {
        let cells = [left.cells(at, column), right.cells(at, column)];
        for row in 0..cells[0].len().max(cells[1].len()) {
            let [left, right] = [&cells[0], &cells[1]].map(|cells| cells.get(row));
            let empty = Cell::default();
            let (left, right) = (left.unwrap_or(&empty), right.unwrap_or(&empty));
            let line = format!("{} │ {}", left.shown(look, column), right.shown(look, 0));
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// Lines of one side, and what stands out in them.
struct Side<'a> {
    lines: &'a [&'a [u8]],
    /// How many lines stand before them.
    first: usize,
    /// Bytes of all lines together.
    marks: &'a [Range<usize>],
    style: Style,
}

/// What stands in one row of one side.
#[derive(Default)]
struct Cell {
    margin: String,
    /// Parts of the line, each with whether it stands out.
    parts: Vec<(String, bool)>,
    width: usize,
    style: Style,
}

impl<'a> Side<'a> {
    fn new(lines: &'a [&'a [u8]], first: usize, marks: &'a [Range<usize>], style: Style) -> Self {
        Self {
            lines,
            first,
            marks,
            style,
        }
    }

    /// The cells of the line `at`: one, or more where it is too long; none where there is no such line.
    fn cells(&self, at: usize, column: usize) -> Vec<Cell> {
        let Some(line) = self.lines.get(at) else {
            return Vec::new();
        };
        let start: usize = self.lines[..at].iter().map(|line| line.len()).sum();
        let number = format!("{:>4} ", self.first + at + 1);
        let mut cells = vec![Cell::new(number, self.style)];
        for (offset, char) in shown(line) {
            let is_marked = self
                .marks
                .iter()
                .any(|mark| mark.contains(&(start + offset)));
            let width = char.width().unwrap_or(0);
            let is_full = |cell: &Cell| cell.width + width > column;
            if cells.last().is_some_and(is_full) {
                cells.push(Cell::new(" ".repeat(MARGIN), self.style));
            }
            if let Some(cell) = cells.last_mut() {
                cell.push(char, width, is_marked);
            }
        }
        cells
    }
}

/// The characters of a line as they are safe on a terminal, each with the byte that it is of.
fn shown(line: &[u8]) -> Vec<(usize, char)> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut out = Vec::new();
    let mut at = 0;
    for chunk in line.utf8_chunks() {
        let mut take = |bytes: &[u8]| {
            let text = visible(bytes).replace('\t', "    ").replace('\r', "\\r");
            out.extend(text.chars().map(|char| (at, char)));
            at += bytes.len();
        };
        let valid = chunk.valid();
        let chars = valid.char_indices();
        chars.for_each(|(at, char)| take(&valid.as_bytes()[at..at + char.len_utf8()]));
        take(chunk.invalid());
    }
    out
}

impl Cell {
    fn new(margin: String, style: Style) -> Self {
        Self {
            width: margin.len(),
            margin,
            parts: Vec::new(),
            style,
        }
    }

    fn push(&mut self, char: char, width: usize, is_marked: bool) {
        self.width += width;
        match self.parts.last_mut() {
            Some((text, marked)) if *marked == is_marked => text.push(char),
            _ => self.parts.push((char.to_string(), is_marked)),
        }
    }

    fn shown(&self, look: Look, column: usize) -> String {
        let parts = self.parts.iter().map(|(text, is_marked)| {
            let style = if *is_marked {
                self.style.invert()
            } else {
                self.style
            };
            match style == Style::new() {
                true => text.clone(),
                false => look.paint(style, text),
            }
        });
        let text: String = parts.collect();
        let blank = " ".repeat(column.saturating_sub(self.width));
        format!("{}{text}{blank}", self.margin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_stand_beside_each_other() {
        let before = "FROM a\nADD x /y\nRUN \u{1b}z\nCMD a\n";
        let after = "FROM a\nCOPY x /y\nCOPY x /a/name/that/is/long\nRUN \u{1b}z\nCMD a\n";
        let notes = [1, 1].map(|line| Note {
            lines: line..line + 1,
            text: "copy-not-add".to_owned(),
        });
        let shown = side_by_side(
            Path::new("a/Dockerfile"),
            Some(before.as_bytes()),
            after.as_bytes(),
            &notes,
            (Look::default(), 51),
        );
        let rule = "─".repeat(51);
        let expected = format!(
            "\
a/Dockerfile
{rule}
copy-not-add
   1 FROM a              │    1 FROM a
   2 ADD x /y            │    2 COPY x /y
                         │    3 COPY x /a/name/that
                         │      /is/long
   3 RUN \\u{{1b}}z         │    4 RUN \\u{{1b}}z
   4 CMD a               │    5 CMD a
"
        );
        assert_eq!(shown, expected);
    }
}
