//! Go's `filepath.Match` on Linux, byte for byte: the patterns of COPY and ADD sources.
//!
//! No crate is equal to it: a class may hold `/`, `**` is only `*`, `\` escapes, `^` (never `!`) negates, a bad pattern
//! is an error even where the name already differs, and a star may stop inside a UTF-8 sequence. It never backtracks
//! past the last star, so its time is the product of the two lengths at most.

/// The pattern is malformed: an open or empty class, a range without an end, a `\` at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPattern;

/// Whether the whole of `name` matches `pattern`. `*` and `?` do not cross `/`.
///
/// # Errors
/// [`BadPattern`] wherever Go returns `ErrBadPattern`, whatever the name is.
pub fn matches(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    if is_literal(pattern.as_bytes()) {
        return Ok(pattern == name);
    }
    let mut pattern = pattern.as_bytes();
    let mut name = name.as_bytes();
    while !pattern.is_empty() {
        let (star, chunk, rest) = next_chunk(pattern);
        if star && chunk.is_empty() {
            return Ok(!name.contains(&b'/'));
        }
        pattern = rest;
        let Some(after) = match_starred(star, chunk, name, rest.is_empty())? else {
            check(rest)?;
            return Ok(false);
        };
        name = after;
    }
    Ok(name.is_empty())
}

/// Whether `pattern` holds a character that makes it a pattern, as BuildKit decides whether a source is one: an
/// unescaped `*`, `?` or `[`. What it does not find is taken literally, backslashes included.
#[must_use]
pub fn has_wildcard(pattern: &str) -> bool {
    let mut bytes = pattern.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'*' | b'?' | b'[' => return true,
            _ => {}
        }
    }
    false
}

/// Whether a class or an escape of a well-formed `pattern` matches a `/`, so that what it matches may be deeper or less
/// deep than it looks.
#[must_use]
pub fn crosses_directories(pattern: &str) -> bool {
    let mut rest = pattern.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'\\' if after.starts_with(b"/") => return true,
            b'\\' => after.get(1..).unwrap_or_default(),
            b'[' => match match_class(after, u32::from(b'/')) {
                Ok((false, after)) => after,
                Ok((true, _)) | Err(BadPattern) => return true,
            },
            _ => after,
        };
    }
    false
}

/// Whether `pattern` is well formed.
///
/// # Errors
/// [`BadPattern`] if it is not.
pub fn validate(pattern: &str) -> Result<(), BadPattern> {
    check(pattern.as_bytes())
}

fn check(mut pattern: &[u8]) -> Result<(), BadPattern> {
    while !pattern.is_empty() {
        let (_, chunk, rest) = next_chunk(pattern);
        match_chunk(chunk, b"")?;
        pattern = rest;
    }
    Ok(())
}

/// Whether it matches itself and nothing else: of most patterns, or of what is behind their star, that is so.
fn is_literal(pattern: &[u8]) -> bool {
    let mut bytes = pattern.iter();
    bytes.all(|byte| !matches!(byte, b'*' | b'?' | b'[' | b'\\'))
}

/// Leading stars, then everything up to the next star outside a class.
fn next_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|byte| **byte == b'*').count();
    let (_, pattern) = pattern.split_at(stars);
    let mut in_class = false;
    let mut end = 0;
    while let Some(byte) = pattern.get(end) {
        match byte {
            b'\\' if end + 1 < pattern.len() => end += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => break,
            _ => {}
        }
        end += 1;
    }
    let (chunk, rest) = pattern.split_at(end);
    (stars > 0, chunk, rest)
}

/// What of `name` is left after `chunk`, which after a star may begin later in the same path component. The last chunk
/// must reach the end of the name.
fn match_starred<'a>(
    star: bool,
    chunk: &[u8],
    name: &'a [u8],
    last: bool,
) -> Result<Option<&'a [u8]>, BadPattern> {
    if star && last && is_literal(chunk) {
        let passed = name.strip_suffix(chunk);
        return Ok(passed
            .filter(|passed| !passed.contains(&b'/'))
            .map(|_| &[][..]));
    }
    let mut skipped = 0;
    loop {
        let here = name.get(skipped..).unwrap_or_default();
        if let Some(after) = match_chunk(chunk, here)?
            && (after.is_empty() || !last)
        {
            return Ok(Some(after));
        }
        match here.first() {
            Some(byte) if star && *byte != b'/' => skipped += 1,
            _ => return Ok(None),
        }
    }
}

/// What of `name` is left after `chunk`, which has no star. A failed match still reads the chunk to its end, because
/// a malformed pattern is an error whatever the name is.
fn match_chunk<'a>(mut chunk: &[u8], name: &'a [u8]) -> Result<Option<&'a [u8]>, BadPattern> {
    let mut left = Some(name);
    while let Some((&byte, mut rest)) = chunk.split_first() {
        left = left.filter(|name| !name.is_empty());
        match byte {
            b'[' => {
                let character = left.map_or((0, 0), first_character);
                let (holds, after) = match_class(rest, character.0)?;
                left = left
                    .filter(|_| holds)
                    .and_then(|name| name.get(character.1..));
                rest = after;
            }
            b'?' => {
                left = left
                    .filter(|name| !name.starts_with(b"/"))
                    .and_then(|name| name.get(first_character(name).1..))
            }
            _ => {
                let mut literal = byte;
                if byte == b'\\' {
                    let (&escaped, after) = rest.split_first().ok_or(BadPattern)?;
                    (literal, rest) = (escaped, after);
                }
                left = left.and_then(|name| name.strip_prefix(&[literal]));
            }
        }
        chunk = rest;
    }
    Ok(left)
}

/// Whether the class that begins after `[` holds `character`, and what follows its `]`.
fn match_class(chunk: &[u8], character: u32) -> Result<(bool, &[u8]), BadPattern> {
    let (negated, mut chunk) = chunk
        .strip_prefix(b"^")
        .map_or((false, chunk), |rest| (true, rest));
    let mut holds = false;
    let mut ranges = 0;
    loop {
        if ranges > 0
            && let Some(rest) = chunk.strip_prefix(b"]")
        {
            return Ok((holds != negated, rest));
        }
        let (low, mut rest) = class_character(chunk)?;
        let mut high = low;
        if let Some(end) = rest.strip_prefix(b"-") {
            (high, rest) = class_character(end)?;
        }
        holds |= (low..=high).contains(&character);
        ranges += 1;
        chunk = rest;
    }
}

/// One character of a class, perhaps escaped; something must follow it.
fn class_character(chunk: &[u8]) -> Result<(u32, &[u8]), BadPattern> {
    let chunk = match chunk.split_first() {
        None | Some((b'-' | b']', _)) => return Err(BadPattern),
        Some((b'\\', rest)) => rest,
        Some(_) => chunk,
    };
    let (character, width) = first_character(chunk);
    let invalid = character == REPLACEMENT && width == 1;
    match chunk.get(width..) {
        Some(rest) if !rest.is_empty() && !invalid => Ok((character, rest)),
        _ => Err(BadPattern),
    }
}

const REPLACEMENT: u32 = 0xFFFD;

/// The first character and its width in bytes; a byte that begins none counts as one replacement character, as in Go.
fn first_character(bytes: &[u8]) -> (u32, usize) {
    let decode = |width: usize| {
        std::str::from_utf8(bytes.get(..width)?)
            .ok()?
            .chars()
            .next()
    };
    let found = (1..=4).find_map(|width| Some((u32::from(decode(width)?), width)));
    found.unwrap_or((REPLACEMENT, bytes.len().min(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules of the documentation of Go's `filepath.Match`, one block each.
    #[test]
    #[rustfmt::skip]
    fn matches_as_go_does() {
        let yes = Ok(true);
        let no = Ok(false);
        let bad = Err(BadPattern);
        let table = [
            // "Match requires pattern to match all of name, not just a substring."
            ("abc", "abc", yes), ("abc", "abcd", no), ("bc", "abc", no), ("", "", yes), ("", "a", no), ("a", "", no),
            // "'*' matches any sequence of non-Separator characters"
            ("*", "abc", yes), ("*", "", yes), ("*c", "abc", yes), ("a*", "a", yes), ("a*", "abc", yes),
            ("a*", "ab/c", no), ("a*/b", "abc/b", yes), ("a*/b", "a/c/b", no), ("*/*", "a/b", yes), ("*", "a/b", no),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", yes), ("a*b*c*d*e*/f", "axbxcxdxexxx/f", yes),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", no), ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", no),
            ("a*b?c*x", "abxbbxdbxebxczzx", yes), ("a*b?c*x", "abxbbxdbxebxczzy", no), ("*x", "xxx", yes),
            ("**", "abc", yes), ("**/b", "a/b", yes), ("**/b", "a/c/b", no),
            // "'?' matches any single non-Separator character"
            ("a?b", "a☺b", yes), ("a???b", "a☺b", no), ("a?b", "a/b", no), ("?", "", no),
            // "'[' [ '^' ] { character-range } ']' character class (must be non-empty)"; it may hold the separator
            ("ab[c]", "abc", yes), ("ab[b-d]", "abc", yes), ("ab[e-g]", "abc", no), ("ab[^c]", "abc", no),
            ("ab[^b-d]", "abc", no), ("ab[^e-g]", "abc", yes), ("a[^a]b", "a☺b", yes), ("a[^a][^a][^a]b", "a☺b", no),
            ("[a-ζ]*", "α", yes), ("*[a-ζ]", "A", no), ("a[/]b", "a/b", yes), ("a[^x]b", "a/b", yes), ("[!a]", "!", yes),
            ("arr[[]0].txt", "arr[0].txt", yes), ("[b-a]", "a", no),
            // "'\\' c matches character c", in and out of a class
            ("a\\*b", "a*b", yes), ("a\\*b", "ab", no), ("[\\]a]", "]", yes), ("[\\-]", "-", yes), ("[x\\-]", "x", yes),
            ("[x\\-]", "-", yes), ("[x\\-]", "z", no), ("[\\-x]", "x", yes), ("[\\-x]", "-", yes), ("[\\-x]", "a", no),
            ("a\\bc", "abc", yes),
            // "The only possible returned error is ErrBadPattern, when pattern is malformed."
            ("[]a]", "]", bad), ("[-]", "-", bad), ("[x-]", "x", bad), ("[x-]", "-", bad), ("[x-]", "z", bad),
            ("[-x]", "x", bad), ("[-x]", "-", bad), ("[-x]", "a", bad), ("\\", "a", bad), ("[a-b-c]", "a", bad),
            ("[", "a", bad), ("[^", "a", bad), ("[^bc", "a", bad), ("a[", "a", bad), ("a[", "ab", bad), ("a[", "x", bad),
            ("a/b[", "x", bad), ("b*[", "x", bad), ("*[", "/", bad),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
            assert_eq!(validate(pattern), expected.map(drop), "{pattern}");
        }
    }

    /// All texts of up to four of these characters.
    fn texts(alphabet: &str) -> Vec<String> {
        let mut texts = vec![String::new()];
        for from in 0.. {
            let Some(text) = texts.get(from).filter(|text| text.len() < 4).cloned() else {
                return texts;
            };
            texts.extend(alphabet.chars().map(|char| format!("{text}{char}")));
        }
        texts
    }

    /// What needs no search is found as by searching: an escape makes it necessary.
    #[test]
    fn short_cuts_lead_to_the_same_place() {
        let names = texts("ab/");
        for pattern in texts("ab/*") {
            let escaped = ["a", "b", "/"]
                .iter()
                .fold(pattern.clone(), |pattern, char| {
                    pattern.replace(char, &format!("\\{char}"))
                });
            for name in &names {
                let found = matches(&pattern, name);
                assert_eq!(found, matches(&escaped, name), "{pattern} {name}");
            }
        }
    }

    /// Go skips bytes, not characters: `*` may stop inside `☺`, whose bytes then count as one character each.
    #[test]
    fn a_star_counts_bytes() {
        assert_eq!(
            matches("a*???", "a☺"),
            Ok(false),
            "a chunk at once matches `☺` with one `?` and then has none left"
        );
        assert_eq!(matches("a*??", "a☺"), Ok(true));
    }

    #[test]
    fn what_is_a_pattern() {
        for pattern in ["*", "a?", "[a]", "a\\\\*", "["] {
            assert!(has_wildcard(pattern), "{pattern}");
        }
        for literal in ["", "a\\*", "a]b", "{a,b}", "a\\[0]", "!", "\\"] {
            assert!(!has_wildcard(literal), "{literal}");
        }
    }

    #[test]
    fn what_may_match_a_slash() {
        for pattern in ["a[^b]c", "a[+-9]", "[/]", "a\\/b", "["] {
            assert!(crosses_directories(pattern), "{pattern}");
        }
        for pattern in ["yarn.loc[k]", "[a-z]*/?", "[^+-9]", "a\\[/", "**"] {
            assert!(!crosses_directories(pattern), "{pattern}");
        }
    }

    #[test]
    fn stars_do_not_explode() {
        let pattern = "*a".repeat(2_000) + "b";
        assert_eq!(matches(&pattern, &"a".repeat(20_000)), Ok(false));
    }
}
