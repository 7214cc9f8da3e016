//! Places of one text in the terms of the protocol: a line, and a column in UTF-16 code units or bytes.
//!
//! To the protocol `\n`, `\r\n` and a lone `\r` end a line, and no place is inside of one of them.

use lsp_types::{Position, PositionEncodingKind, Range, TextEdit};

use crate::text::{Edit, Patch, Span};

/// What columns count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
}

/// The lines of one text.
pub(super) struct Places<'t> {
    text: &'t str,
    /// Where each line starts, and where it ends, its ending aside.
    lines: Vec<(usize, usize)>,
    encoding: Encoding,
}

impl Encoding {
    /// Bytes where the client offers them, else what every client knows.
    pub(super) fn agreed(offered: Option<&[PositionEncodingKind]>) -> Self {
        match offered.is_some_and(|all| all.contains(&PositionEncodingKind::UTF8)) {
            true => Self::Utf8,
            false => Self::Utf16,
        }
    }

    /// Its name.
    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn units(self, char: char) -> usize {
        match self {
            Self::Utf8 => char.len_utf8(),
            Self::Utf16 => char.len_utf16(),
        }
    }
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str, encoding: Encoding) -> Self {
        let bytes = text.as_bytes();
        let (mut lines, mut start, mut at) = (Vec::new(), 0, 0);
        while at < bytes.len() {
            let ending = match (bytes[at], bytes.get(at + 1)) {
                (b'\r', Some(b'\n')) => 2,
                (b'\r' | b'\n', _) => 1,
                _ => 0,
            };
            if ending > 0 {
                lines.push((start, at));
                start = at + ending;
            }
            at += ending.max(1);
        }
        lines.push((start, bytes.len()));
        Self {
            text,
            lines,
            encoding,
        }
    }

    /// The byte at `position`; what lies behind the end of its line, or of the text, is at that end.
    pub(super) fn offset(&self, position: Position) -> usize {
        let line = usize::try_from(position.line).ok();
        let Some((start, end)) = line.and_then(|line| self.lines.get(line)) else {
            return self.text.len();
        };
        let mut left = position.character as usize;
        for (at, char) in self.text[*start..*end].char_indices() {
            let units = self.encoding.units(char);
            if units > left {
                return start + at;
            }
            left -= units;
        }
        *end
    }

    /// Where byte `offset` is.
    pub(super) fn position(&self, offset: usize) -> Position {
        let after = self.lines.partition_point(|(start, _)| *start <= offset);
        let line = after.saturating_sub(1);
        let (start, end) = self.lines.get(line).copied().unwrap_or_default();
        let before = self.text[start..end].char_indices();
        let before = before.take_while(|(at, char)| start + at + char.len_utf8() <= offset);
        let column: usize = before.map(|(_, char)| self.encoding.units(char)).sum();
        let number = |value| u32::try_from(value).unwrap_or(u32::MAX);
        Position::new(number(line), number(column))
    }

    /// Where `span` is. What ends with a line ends on it.
    pub(super) fn range(&self, span: Span) -> Range {
        let (start, end) = (span.start as usize, span.end as usize);
        let text = self.text.as_bytes().get(start..end).unwrap_or_default();
        let ending = text.iter().rev().take_while(|byte| b"\r\n".contains(byte));
        let end = end - ending.count();
        Range::new(self.position(start), self.position(end.max(start)))
    }

    /// `patch` as edits of the protocol; `None` where one of them is not text.
    pub(super) fn edits(&self, patch: &Patch) -> Option<Vec<TextEdit>> {
        let (mut edits, mut last) = (Vec::new(), 0);
        for edit in patch.edits() {
            let (start, end, insert) = self.whole(edit)?;
            if start < last {
                return None;
            }
            last = end;
            let range = Range::new(self.position(start), self.position(end));
            edits.push(TextEdit::new(range, insert));
        }
        Some(edits)
    }

    /// An edit that cuts no line ending: where one does, it takes in the other half, and writes it again.
    fn whole(&self, edit: &Edit) -> Option<(usize, usize, String)> {
        let (mut start, mut end) = (edit.span.start as usize, edit.span.end as usize);
        let mut insert = String::from_utf8(edit.insert.clone()).ok()?;
        if !self.text.is_char_boundary(start) || !self.text.is_char_boundary(end) {
            return None;
        }
        if self.cuts_ending(start) {
            start -= 1;
            insert.insert(0, '\r');
        }
        if self.cuts_ending(end) {
            end += 1;
            insert.push('\n');
        }
        Some((start, end, insert))
    }

    fn cuts_ending(&self, at: usize) -> bool {
        let (before, after) = self.text.as_bytes().split_at(at.min(self.text.len()));
        before.ends_with(b"\r") && after.starts_with(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, offset: usize, utf16: (u32, u32), utf8: (u32, u32)) {
        for (encoding, (line, column)) in [(Encoding::Utf16, utf16), (Encoding::Utf8, utf8)] {
            let places = Places::new(text, encoding);
            let position = Position::new(line, column);
            assert_eq!(places.position(offset), position, "{encoding:?}");
            assert_eq!(places.offset(position), offset, "{encoding:?}");
        }
    }

    #[test]
    fn columns_count_code_units_or_bytes() {
        let text = "\u{feff}a\r\né😀x\n\rb";
        check(text, 0, (0, 0), (0, 0));
        check(text, 3, (0, 1), (0, 3));
        check(text, 6, (1, 0), (1, 0));
        check(text, 8, (1, 1), (1, 2));
        check(text, 12, (1, 3), (1, 6));
        check(text, 14, (2, 0), (2, 0));
        check(text, 15, (3, 0), (3, 0));
        check(text, text.len(), (3, 1), (3, 1));
    }

    #[test]
    fn what_is_behind_an_end_is_at_it() {
        let places = Places::new("é😀\r\nb", Encoding::Utf16);
        let offset = |line, column| places.offset(Position::new(line, column));
        assert_eq!(offset(0, 9), 6);
        assert_eq!(offset(7, 0), 9);
        // In the middle of a surrogate pair.
        assert_eq!(offset(0, 2), 2);
        assert_eq!(places.position(7), Position::new(0, 3));
    }

    #[test]
    fn an_edit_never_cuts_a_line_ending() {
        let text = "a\r\nb\r\n";
        let places = Places::new(text, Encoding::Utf16);
        let patch = Patch::new(vec![
            Edit::insert(2, "x"),
            Edit::replace(Span::new(3, 5), "c"),
        ]);
        let edits = places.edits(&patch.unwrap()).unwrap();
        let told: Vec<_> = edits
            .iter()
            .map(|edit| (edit.range, edit.new_text.as_str()))
            .collect();
        let range = |a, b, c, d| Range::new(Position::new(a, b), Position::new(c, d));
        assert_eq!(
            told,
            [(range(0, 1, 1, 0), "\rx\n"), (range(1, 0, 2, 0), "c\n")]
        );
    }
}
