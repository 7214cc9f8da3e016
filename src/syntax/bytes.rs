//! Runes in bytes, as Go's `unicode/utf8` sees them: every byte that is not part of valid UTF-8 is one U+FFFD.

/// The first character of `bytes` and its width; U+FFFD and 1 for a byte that is not UTF-8. `None` at the end.
pub(crate) fn first_char(bytes: &[u8]) -> Option<(char, usize)> {
    let first = *bytes.first()?;
    if first.is_ascii() {
        return Some((char::from(first), 1));
    }
    let decoded = (2..=4).find_map(|width| {
        let text = std::str::from_utf8(bytes.get(..width)?).ok()?;
        Some((text.chars().next()?, width))
    });
    decoded.or(Some((char::REPLACEMENT_CHARACTER, 1)))
}

/// `bytes` as text, one U+FFFD for each byte that is not UTF-8.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

/// How many bytes of Unicode white space `bytes` starts with.
pub(crate) fn leading_space(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some((c, width)) = first_char(&bytes[at..]) {
        if !c.is_whitespace() {
            break;
        }
        at += width;
    }
    at
}

/// The length of `bytes` without trailing Unicode white space.
pub(crate) fn trimmed_len(bytes: &[u8]) -> usize {
    let mut end = bytes.len();
    while let Some(width) = last_space(&bytes[..end]) {
        end -= width;
    }
    end
}

/// The width of the white-space character at the end of `bytes`, if there is one.
fn last_space(bytes: &[u8]) -> Option<usize> {
    let last = *bytes.last()?;
    if last.is_ascii() {
        return char::from(last).is_whitespace().then_some(1);
    }
    (2..=3).find(|width| {
        let start = bytes.len().checked_sub(*width);
        start.is_some_and(|start| {
            first_char(&bytes[start..]).is_some_and(|(c, w)| w == *width && c.is_whitespace())
        })
    })
}

/// The separator class of BuildKit's word splitting, `[\t\v\f\r ]`.
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x0b | 0x0c | b'\r' | b' ')
}

/// Go's `unicode.IsSpace` of a byte taken as Latin-1, as BuildKit's flag scanner does.
pub(crate) const fn is_latin1_space(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'\n' | 0x85 | 0xa0)
}
