//! Physical lines: where they end, what they continue, and which of them are comments or parser directives.
//!
//! Never looks at what an instruction says.

use super::Escape;
use super::bytes::{leading_space, lossy};
use crate::text::Span;

/// BuildKit's longest line, its `\n` included (Go's `bufio.MaxScanTokenSize`).
pub(super) const MAX_LINE: usize = 65_536;

/// One physical line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// With its ending, and the byte order mark of the first line.
    pub(super) span: Span,
    /// Without the ending (all trailing `\r` and `\n`) and without the byte order mark.
    pub(super) content: Span,
    /// 1-based.
    pub(super) number: u32,
}

/// The lines of a text, in order. Lines end at `\n` only.
pub(super) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    number: u32,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            number: 0,
        }
    }

    /// Number of the last line that was returned.
    pub(super) fn number(&self) -> u32 {
        self.number
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = memchr(rest).map_or(rest.len(), |end| end + 1);
        let line = &rest[..length];
        let bom = match self.at {
            0 if line.starts_with(b"\xef\xbb\xbf") => 3,
            _ => 0,
        };
        let ending = line[bom..].iter().rev();
        let ending = ending
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let start = self.at as u32;
        self.at += length;
        self.number += 1;
        Some(Line {
            span: Span::new(start, self.at as u32),
            content: Span::new(start + bom as u32, (self.at - ending) as u32),
            number: self.number,
        })
    }
}

fn memchr(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

/// Whether the first character that is not white space is `#`.
pub(super) fn is_comment(line: &[u8]) -> bool {
    line.get(leading_space(line)) == Some(&b'#')
}

/// Whether there is nothing but white space.
pub(super) fn is_blank_line(line: &[u8]) -> bool {
    leading_space(line) == line.len()
}

/// The length of `line` without the escape character that continues it (and the blanks after that), or `None` where
/// the line ends the instruction. An escape character behind another one does not continue.
pub(super) fn continued(line: &[u8], escape: Escape) -> Option<usize> {
    let blanks = line.iter().rev();
    let blanks = blanks
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let (last, before) = line[..line.len() - blanks].split_last()?;
    let escaped = before.last() == Some(&escape.byte());
    (*last == escape.byte() && !escaped).then_some(before.len())
}

/// The name (lower case) and value of a line that has the shape of a parser directive that BuildKit knows:
/// `#`, white space, a name, `=`, a value.
pub(super) fn directive(line: &[u8]) -> Option<(String, String)> {
    let line = &line[leading_space(line)..];
    let body = line.strip_prefix(b"#")?;
    let body = &body[leading_space(body)..];
    let name_len = body
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    let name = std::str::from_utf8(&body[..name_len])
        .ok()?
        .to_ascii_lowercase();
    if !matches!(name.as_str(), "syntax" | "escape" | "check") {
        return None;
    }
    let rest = body[name_len..].trim_ascii_start().strip_prefix(b"=")?;
    let value = match rest.trim_ascii() {
        // `\s*(.+?)\s*$` wants one character: of blanks alone it takes the last.
        [] => &rest[rest.len().checked_sub(1)?..],
        value => value,
    };
    Some((name, lossy(value)))
}
