//! How the arguments of an instruction are cut into flags, words, pairs and JSON strings.
//!
//! Works on the joined line; offsets are those of the joined line. Never decides whether the result is allowed.

use super::bytes::{first_char, is_blank, is_latin1_space, leading_space, lossy};
use super::{Escape, Flag, Logical, Pair, Word};
use crate::text::Span;

/// A piece of the joined line: `start..end`.
pub(super) type Range = std::ops::Range<usize>;

/// Cuts `--name=value` words off the front of `range`: the flags, and where the rest starts.
///
/// Bytes are read as Latin-1 and quotes and escapes are removed, as BuildKit's `extractBuilderFlags` does. A bare
/// `--` ends the flags and is swallowed.
pub(super) fn flags(logical: &Logical, range: Range, escape: Escape) -> (Vec<Flag>, usize) {
    let text = &logical.text[..range.end];
    let mut flags = Vec::new();
    let mut at = range.start;
    loop {
        while text.get(at).copied().is_some_and(is_latin1_space) {
            at += 1;
        }
        if !text[at..].starts_with(b"--") {
            return (flags, at);
        }
        let (word, end) = flag_word(text, at, escape);
        if word == "--" {
            return (flags, end);
        }
        let body = word.get(2..).unwrap_or_default();
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (body, None),
        };
        flags.push(Flag {
            span: logical.file_span(at as u32, end as u32),
            name: name.to_owned(),
            value,
        });
        at = end;
    }
}

/// The flag word at `at`, quotes and escapes removed, and where it ends.
fn flag_word(text: &[u8], mut at: usize, escape: Escape) -> (String, usize) {
    let mut word = String::new();
    let mut quote = None;
    while let Some(&byte) = text.get(at) {
        if quote.is_none() && is_latin1_space(byte) {
            break;
        }
        at += 1;
        if quote == Some(byte) {
            quote = None;
        } else if quote.is_none() && matches!(byte, b'\'' | b'"') {
            quote = Some(byte);
        } else if byte == escape.byte() {
            let Some(&next) = text.get(at) else {
                break;
            };
            word.push(char::from(next));
            at += 1;
        } else {
            word.push(char::from(byte));
        }
    }
    (word, at)
}

/// A word of `range`, as it stands in the joined line.
pub(super) fn word(logical: &Logical, range: Range) -> Word {
    Word {
        span: logical.file_span(range.start as u32, range.end as u32),
        text: lossy(&logical.text[range]),
    }
}

/// Splits at `[\t\v\f\r ]+`, without any quoting: FROM, EXPOSE, COPY, ADD, VOLUME.
pub(super) fn split_blanks(logical: &Logical, range: Range) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let rest = &logical.text[at..range.end];
        let length = rest.iter().take_while(|byte| !is_blank(**byte)).count();
        words.push(word(logical, at..at + length));
        at += length;
        let blanks = logical.text[at..range.end].iter();
        at += blanks.take_while(|byte| is_blank(**byte)).count();
    }
    words
}

/// Splits at Unicode white space outside quotes, quotes and escapes kept: ARG, ENV, LABEL.
pub(super) fn split_quoted(logical: &Logical, range: Range, escape: Escape) -> Vec<Range> {
    let text = &logical.text[..range.end];
    let mut words = Vec::new();
    let mut at = range.start;
    loop {
        at += leading_space(&text[at..]);
        if at >= text.len() {
            return words;
        }
        let end = quoted_word_end(text, at, escape);
        let trailing_escape = text.len() == end && ends_in_escape(&text[at..end], escape);
        let word = at..end - usize::from(trailing_escape);
        if !word.is_empty() {
            words.push(word);
        }
        at = end;
    }
}

/// Where the word at `at` ends: at white space outside quotes, or the end. An unclosed quote runs to the end.
fn quoted_word_end(text: &[u8], mut at: usize, escape: Escape) -> usize {
    let mut quote = None;
    while let Some((c, width)) = first_char(&text[at..]) {
        if quote.is_none() && c.is_whitespace() {
            break;
        }
        at += width;
        if quote == Some(c) {
            quote = None;
        } else if c == char::from(escape.byte()) && quote != Some('\'') {
            at += first_char(&text[at..]).map_or(0, |(_, width)| width);
        } else if quote.is_none() && matches!(c, '\'' | '"') {
            quote = Some(c);
        }
    }
    at
}

/// Whether a word ends in an escape character that escapes nothing: BuildKit drops it.
fn ends_in_escape(word: &[u8], escape: Escape) -> bool {
    let mut quote = None;
    let mut at = 0;
    while let Some((c, width)) = first_char(&word[at..]) {
        at += width;
        if quote == Some(c) {
            quote = None;
        } else if c == char::from(escape.byte()) && quote != Some('\'') {
            match first_char(&word[at..]) {
                Some((_, width)) => at += width,
                None => return true,
            }
        } else if quote.is_none() && matches!(c, '\'' | '"') {
            quote = Some(c);
        }
    }
    false
}

/// The pairs of ENV and LABEL in `range`.
///
/// # Errors
/// The word that has no `=` although the first one has; `None` where the `KEY value` form has no value.
pub(super) fn pairs(
    logical: &Logical,
    range: Range,
    escape: Escape,
) -> Result<Vec<Pair>, Option<Word>> {
    let words = split_quoted(logical, range.clone(), escape);
    let Some(first) = words.first() else {
        return Ok(Vec::new());
    };
    if !logical.text[first.clone()].contains(&b'=') {
        return legacy_pair(logical, range)
            .map(|pair| vec![pair])
            .ok_or(None);
    }
    let pair = |range: Range| {
        let equals = logical.text[range.clone()].iter().position(|b| *b == b'=');
        let Some(equals) = equals else {
            return Err(Some(word(logical, range)));
        };
        Ok(Pair {
            key: word(logical, range.start..range.start + equals),
            value: word(logical, range.start + equals + 1..range.end),
            legacy: false,
        })
    };
    words.into_iter().map(pair).collect()
}

/// `KEY rest`, the rest verbatim.
fn legacy_pair(logical: &Logical, range: Range) -> Option<Pair> {
    let text = &logical.text[range.clone()];
    let key = text.iter().take_while(|byte| !is_blank(**byte)).count();
    let blanks = text[key..]
        .iter()
        .take_while(|byte| is_blank(**byte))
        .count();
    (blanks > 0).then(|| Pair {
        key: word(logical, range.start..range.start + key),
        value: word(logical, range.start + key + blanks..range.end),
        legacy: true,
    })
}

/// What a text that may be a JSON array turned out to be.
pub(super) enum Json {
    /// An array of strings.
    Strings(Vec<Word>),
    /// Not JSON: the shell or word form.
    No,
    /// An array that holds something else than strings; BuildKit refuses it.
    NotStrings,
}

/// Reads `range` as a JSON array of strings, as Go's `encoding/json` does.
pub(super) fn json(logical: &Logical, range: Range) -> Json {
    let start = range.start + leading_space(&logical.text[range.clone()]);
    let text = &logical.text[start..range.end];
    if text.first() != Some(&b'[') {
        return Json::No;
    }
    let mut reader = JsonReader { text, at: 1 };
    match reader.strings() {
        Some(strings) => Json::Strings(
            strings
                .into_iter()
                .map(|(range, text)| Word {
                    span: logical
                        .file_span((start + range.start) as u32, (start + range.end) as u32),
                    text,
                })
                .collect(),
        ),
        None if serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() => Json::NotStrings,
        None => Json::No,
    }
}

struct JsonReader<'a> {
    text: &'a [u8],
    at: usize,
}

impl JsonReader<'_> {
    /// The strings behind `[`, each with its range (quotes included); `None` when anything else stands there.
    fn strings(&mut self) -> Option<Vec<(Range, String)>> {
        let mut strings = Vec::new();
        if self.next_token()? != b']' {
            self.at -= 1;
            loop {
                (self.next_token()? == b'"').then_some(())?;
                let start = self.at - 1;
                let text = self.string()?;
                strings.push((start..self.at, text));
                match self.next_token()? {
                    b',' => {}
                    b']' => break,
                    _ => return None,
                }
            }
        }
        self.text[self.at..].trim_ascii().is_empty().then_some(())?;
        Some(strings)
    }

    fn next_token(&mut self) -> Option<u8> {
        while matches!(self.text.get(self.at)?, b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
        self.at += 1;
        self.text.get(self.at - 1).copied()
    }

    /// The string whose opening quote has been read, decoded.
    fn string(&mut self) -> Option<String> {
        let mut decoded = String::new();
        loop {
            let (c, width) = first_char(&self.text[self.at..])?;
            self.at += width;
            match c {
                '"' => return Some(decoded),
                '\\' => decoded.push(self.escaped()?),
                c if c < ' ' => return None,
                c => decoded.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode()?,
            _ => return None,
        })
    }

    /// `\uXXXX`, with its surrogate pair; a lone surrogate is U+FFFD, as in Go.
    fn unicode(&mut self) -> Option<char> {
        let high = self.hex4()?;
        if let Some(c) = char::from_u32(high) {
            return Some(c);
        }
        let after = self.at;
        if (0xd800..0xdc00).contains(&high) && self.text[self.at..].starts_with(b"\\u") {
            self.at += 2;
            let low = self.hex4()?;
            if (0xdc00..0xe000).contains(&low) {
                return char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            self.at = after;
        }
        Some(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let digits = std::str::from_utf8(digits).ok()?;
        self.at += 4;
        let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain
            .then(|| u32::from_str_radix(digits, 16).ok())
            .flatten()
    }
}

/// The empty span behind the joined line's byte `at`: where arguments would stand.
pub(super) fn empty_after(logical: &Logical, at: usize) -> Span {
    match at.checked_sub(1) {
        Some(last) => Span::at(logical.to_file(last as u32) + 1),
        None => Span::at(logical.to_file(0)),
    }
}
