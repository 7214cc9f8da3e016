//! How a report looks: as a diff, as text for people, as a document for other programs. Renders into bytes; never prints.

pub mod baseline;
pub mod diff;
pub mod document;
pub mod explain;
mod fingerprint;
pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
pub mod layers;
pub mod markdown;
pub mod page;
pub mod sarif;
pub mod snippet;
mod tally;
pub mod verified;

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

pub use tally::Tally;

/// Whom the output is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Write colours.
    pub color: bool,
    /// It goes to a terminal, which would act on control characters.
    pub terminal: bool,
}

pub(crate) const ADDED: Style = AnsiColor::Green.on_default();
pub(crate) const REMOVED: Style = AnsiColor::Red.on_default();
pub(crate) const HUNK: Style = AnsiColor::Cyan.on_default();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const RULE: Style = AnsiColor::Yellow.on_default();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();

impl Look {
    /// `text` in that style, where colours are wanted.
    pub fn paint(self, style: Style, text: impl std::fmt::Display) -> String {
        if self.color {
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }

    /// Whether a person looks at it: on a terminal, or where colours are asked for, in a pager. What goes elsewhere is
    /// for other programs.
    pub fn is_for_people(self) -> bool {
        self.terminal || self.color
    }

    /// `bytes` as they go out: unchanged, or with what a terminal would act on shown instead. Coloured output is
    /// taken for that of a terminal: it may reach one through a pager.
    pub fn show(self, bytes: &[u8]) -> std::borrow::Cow<'_, [u8]> {
        if self.terminal || self.color {
            visible(bytes).into_bytes().into()
        } else {
            bytes.into()
        }
    }
}

/// `bytes` as text that is safe on a terminal: control characters, characters that change the direction of text, and
/// bytes that are not UTF-8 are written as escapes. Tabs and line endings stay.
pub fn visible(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut chars = chunk.valid().chars().peekable();
        while let Some(char) = chars.next() {
            let ends_line = char == '\r' && chars.peek() == Some(&'\n');
            if matches!(char, '\t' | '\n') || ends_line || !is_hidden(char) {
                out.push(char);
            } else {
                out.extend(char.escape_default());
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// Like [`visible`], and on one line: for paths and messages.
pub fn visible_line(text: &str) -> String {
    visible(text.as_bytes())
        .replace('\r', "\\r")
        .replace('\n', "\\n")
}

/// Text on one line for people, its end cut off where it has more than 72 characters.
pub fn shortened(text: &str) -> String {
    const SHOWN: usize = 72;
    let text = visible_line(text);
    match text.chars().count() > SHOWN {
        true => text.chars().take(SHOWN - 1).chain(['…']).collect(),
        false => text,
    }
}

fn is_hidden(char: char) -> bool {
    char.is_control() || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_shown() {
        assert_eq!(visible(b"a\x1b[2Jb\r\n\tc\rd"), "a\\u{1b}[2Jb\r\n\tc\\rd");
        assert_eq!(
            visible("é \u{202e}x \u{9b}1m".as_bytes()),
            "é \\u{202e}x \\u{9b}1m"
        );
        assert_eq!(visible(b"caf\xe9"), "caf\\xe9");
        assert_eq!(visible_line("a\nb"), "a\\nb");
    }
}
