//! The builder's variable expansion: `$x`, `${x}` and its modifiers, quotes and escapes, in one word.
//!
//! Follows `ProcessWord` of BuildKit's `frontend/dockerfile/shell`. It never guesses: what depends on a variable that
//! cannot be known has no value. The shell's own expansion inside RUN is not this module's.

mod output;
mod pattern;

use output::{Expanded, Output};

/// What is known about a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// It has this value.
    Set(&'a str),
    /// It is certainly not set.
    Unset,
    /// It may be set, or its value cannot be known.
    Unknown,
}

/// Why a word has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoValue {
    /// It needs a variable that is unknown, or it is longer or deeper than [`MAX_LEN`] and [`MAX_DEPTH`].
    Unknown,
    /// BuildKit refuses the word: what is wrong, such as `${x?}` with `x` unset.
    Refused(String),
}

/// The longest result, in bytes; more counts as unknown (`ENV a=$a$a` repeated doubles each time).
pub const MAX_LEN: usize = 64 * 1024;

/// The deepest nesting of `${…}`; more counts as unknown.
pub const MAX_DEPTH: usize = 64;

/// Expands `word`: variables are replaced, quotes and escape characters removed.
///
/// # Errors
/// [`NoValue`]; `.ok()` where only the value matters.
pub fn expand<'a>(
    word: &str,
    escape: u8,
    lookup: &dyn Fn(&str) -> Lookup<'a>,
) -> Result<String, NoValue> {
    if is_plain(word, escape) {
        return Ok(word.to_owned());
    }
    Ok(Scanner::new(word, escape, true, lookup).whole()?.text)
}

/// Expands `word` as [`expand`] and splits it at white space that was not quoted (EXPOSE).
///
/// # Errors
/// [`NoValue`].
pub fn expand_words<'a>(
    word: &str,
    escape: u8,
    lookup: &dyn Fn(&str) -> Lookup<'a>,
) -> Result<Vec<String>, NoValue> {
    let mut scanner = Scanner::new(word, escape, true, lookup);
    scanner.split = true;
    Ok(scanner.whole()?.words)
}

/// Expands the body of a here-document of COPY or ADD: quotes stay, the escape character is always `\`.
///
/// # Errors
/// [`NoValue`].
pub fn expand_body<'a>(body: &str, lookup: &dyn Fn(&str) -> Lookup<'a>) -> Result<String, NoValue> {
    Ok(Scanner::new(body, b'\\', false, lookup).whole()?.text)
}

fn is_plain(word: &str, escape: u8) -> bool {
    word.len() <= MAX_LEN
        && !word.starts_with('\u{feff}')
        && !word
            .bytes()
            .any(|byte| matches!(byte, b'$' | b'\'' | b'"') || byte == escape)
}

/// A piece whose value may be unknown while the text around it is still read for errors.
type Piece = Result<Option<String>, NoValue>;

struct Scanner<'w, 'a> {
    rest: std::iter::Peekable<std::str::Chars<'w>>,
    escape: char,
    quotes: bool,
    split: bool,
    depth: usize,
    lookup: &'w dyn Fn(&str) -> Lookup<'a>,
}

impl<'w, 'a> Scanner<'w, 'a> {
    fn new(
        word: &'w str,
        escape: u8,
        quotes: bool,
        lookup: &'w dyn Fn(&str) -> Lookup<'a>,
    ) -> Self {
        // Go's scanner drops a byte order mark at the start.
        let word = word.strip_prefix('\u{feff}').unwrap_or(word);
        Self {
            rest: word.chars().peekable(),
            escape: char::from(escape),
            quotes,
            split: false,
            depth: 0,
            lookup,
        }
    }

    fn whole(mut self) -> Result<Expanded, NoValue> {
        self.until(None, false)?.ok_or(NoValue::Unknown)
    }

    /// Reads up to `stop`, which is consumed, or to the end. `raw` keeps escape characters (patterns).
    fn until(&mut self, stop: Option<char>, raw: bool) -> Result<Option<Expanded>, NoValue> {
        let mut out = Output::new(self.split && stop.is_none());
        while let Some(&ch) = self.rest.peek() {
            if out.text.len() > MAX_LEN {
                return Err(NoValue::Unknown);
            }
            if stop == Some(ch) {
                self.rest.next();
                return Ok(out.finish());
            }
            match ch {
                '$' => {
                    let value = self.dollar()?;
                    out.piece(value, true);
                }
                '\'' if self.quotes => {
                    let value = self.single_quoted()?;
                    out.piece(Some(value), false);
                }
                '"' if self.quotes => {
                    let value = self.double_quoted(raw)?;
                    out.piece(value, false);
                }
                _ if ch == self.escape => {
                    self.rest.next();
                    if raw {
                        out.literal(ch);
                    }
                    let Some(escaped) = self.rest.next() else {
                        break;
                    };
                    out.literal(escaped);
                }
                _ => {
                    self.rest.next();
                    out.splitting(ch);
                }
            }
        }
        match stop {
            Some(stop) => refuse(format!("`{stop}` is missing")),
            None if out.text.len() > MAX_LEN => Err(NoValue::Unknown),
            None => Ok(out.finish()),
        }
    }

    fn single_quoted(&mut self) -> Result<String, NoValue> {
        self.rest.next();
        let mut text = String::new();
        for ch in self.rest.by_ref() {
            if ch == '\'' {
                return Ok(text);
            }
            text.push(ch);
        }
        refuse("a single quote is not closed")
    }

    fn double_quoted(&mut self, raw: bool) -> Piece {
        self.rest.next();
        let mut out = Output::default();
        while let Some(&ch) = self.rest.peek() {
            if out.text.len() > MAX_LEN {
                return Err(NoValue::Unknown);
            }
            match ch {
                '"' => {
                    self.rest.next();
                    return Ok(out.finish().map(|expanded| expanded.text));
                }
                '$' => {
                    let value = self.dollar()?;
                    out.piece(value, false);
                }
                _ => {
                    self.rest.next();
                    self.quoted_char(ch, raw, &mut out);
                }
            }
        }
        refuse("a double quote is not closed")
    }

    /// Inside double quotes the escape character quotes `"`, `$` and itself only.
    fn quoted_char(&mut self, ch: char, raw: bool, out: &mut Output) {
        if ch != self.escape {
            return out.literal(ch);
        }
        if raw {
            out.literal(ch);
        }
        match self.rest.peek() {
            None => {}
            Some(&next) if next == '"' || next == '$' || next == self.escape => {
                self.rest.next();
                out.literal(next);
            }
            Some(_) => out.literal(ch),
        }
    }

    fn dollar(&mut self) -> Piece {
        self.rest.next();
        if self.rest.peek() != Some(&'{') {
            let name = self.name();
            if name.is_empty() {
                return Ok(Some("$".to_owned()));
            }
            return Ok(self.value(&name).map(Option::unwrap_or_default));
        }
        self.rest.next();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(NoValue::Unknown);
        }
        let piece = self.braced();
        self.depth -= 1;
        piece
    }

    /// `name}`, `name:-word}` and the like, behind `${`.
    fn braced(&mut self) -> Piece {
        if matches!(self.rest.peek(), None | Some('{' | '}' | ':')) {
            return refuse("bad substitution");
        }
        let name = self.name();
        match self.rest.next() {
            Some('}') => Ok(self.value(&name).map(Option::unwrap_or_default)),
            Some(':') => match self.rest.next() {
                Some(modifier @ ('-' | '+' | '?')) => self.conditional(&name, modifier, true),
                _ => refuse("unsupported modifier in a substitution"),
            },
            Some(modifier @ ('-' | '+' | '?')) => self.conditional(&name, modifier, false),
            Some(modifier @ ('#' | '%')) => self.trimmed(&name, modifier),
            Some('/') => self.replaced(&name),
            _ => refuse("unsupported modifier in a substitution"),
        }
    }

    /// `-`, `+` and `?`; with `colon` an empty variable counts as unset. BuildKit reads the word first, so an error in
    /// it is an error even where the word is not used.
    fn conditional(&mut self, name: &str, modifier: char, colon: bool) -> Piece {
        let word = self.until(Some('}'), false)?.map(|expanded| expanded.text);
        let Some(value) = self.value(name) else {
            let either_way_empty = modifier == '+' && word.as_deref() == Some("");
            return Ok(either_way_empty.then(String::new));
        };
        let value = value.filter(|value| !(colon && value.is_empty()));
        match (modifier, value) {
            ('-', None) | ('+', Some(_)) => Ok(word),
            ('+', None) => Ok(Some(String::new())),
            (_, Some(value)) => Ok(Some(value)),
            (_, None) => refuse(match word {
                Some(message) if !message.is_empty() => format!("`{name}`: {message}"),
                _ => format!("`{name}` must be set"),
            }),
        }
    }

    fn trimmed(&mut self, name: &str, modifier: char) -> Piece {
        let word = self.until(Some('}'), true)?.map(|expanded| expanded.text);
        let (Some(value), Some(word)) = (self.value(name), word) else {
            return Ok(None);
        };
        let value = value.unwrap_or_default();
        let (pattern, greedy) = match word.strip_prefix(modifier) {
            Some(pattern) => (pattern, true),
            None => (word.as_str(), false),
        };
        let trimmed = match modifier {
            '#' => pattern::trim_prefix(pattern, &value, greedy),
            _ => pattern::trim_suffix(pattern, &value, greedy),
        };
        trimmed.map(Some)
    }

    fn replaced(&mut self, name: &str) -> Piece {
        let all = self.rest.peek() == Some(&'/');
        if all {
            self.rest.next();
        }
        let pattern = self.until(Some('/'), true)?.map(|expanded| expanded.text);
        let with = self.until(Some('}'), true)?.map(|expanded| expanded.text);
        let (Some(value), Some(pattern), Some(with)) = (self.value(name), pattern, with) else {
            return Ok(None);
        };
        let value = value.unwrap_or_default();
        pattern::replace(&pattern, &value, &with, all).map(Some)
    }

    /// A name, digits, or one special parameter; empty where neither stands there.
    fn name(&mut self) -> String {
        let mut name = String::new();
        match self.rest.peek() {
            Some(&ch @ ('@' | '*' | '#' | '?' | '-' | '$' | '!')) => {
                self.rest.next();
                name.push(ch);
            }
            Some(ch) if ch.is_numeric() => {
                while let Some(digit) = self.rest.next_if(|ch| ch.is_numeric()) {
                    name.push(digit);
                }
            }
            _ => {
                let in_name = |ch: &char| ch.is_alphanumeric() || *ch == '_';
                while let Some(ch) = self.rest.next_if(in_name) {
                    name.push(ch);
                }
            }
        }
        name
    }

    /// `None` where unknown; `Some(None)` where unset.
    fn value(&self, name: &str) -> Option<Option<String>> {
        // Positional and special parameters are never set in a Dockerfile.
        if !name.starts_with(|ch: char| ch.is_alphabetic() || ch == '_') {
            return Some(None);
        }
        match (self.lookup)(name) {
            Lookup::Set(value) => Some(Some(value.to_owned())),
            Lookup::Unset => Some(None),
            Lookup::Unknown => None,
        }
    }
}

fn refuse<T>(message: impl Into<String>) -> Result<T, NoValue> {
    Err(NoValue::Refused(message.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Lookup<'static> {
        match name {
            "app" => Lookup::Set("/srv/app"),
            "ver" => Lookup::Set("1.22.3-rc.1"),
            "empty" => Lookup::Set(""),
            "spaced" => Lookup::Set(" a  b "),
            "stars" => Lookup::Set("a*b*c"),
            "nope" => Lookup::Unset,
            _ => Lookup::Unknown,
        }
    }

    fn value(word: &str) -> Option<String> {
        expand(word, b'\\', &env).ok()
    }

    fn check(cases: &[(&str, &str)]) {
        for (word, expected) in cases {
            assert_eq!(value(word).as_deref(), Some(*expected), "{word}");
        }
    }

    fn refused(word: &str) -> bool {
        matches!(expand(word, b'\\', &env), Err(NoValue::Refused(_)))
    }

    #[test]
    fn quotes_and_escapes() {
        check(&[
            ("plain", "plain"),
            ("a'b c'd", "ab cd"),
            (r#""a'b'""#, "a'b'"),
            (r"a\ b\n", "a bn"),
            (r#""a\n\"\\\$x""#, r#"a\n"\$x"#),
            (r"'a\b'", r"a\b"),
            ("'$app'", "$app"),
            (r"\$app", "$app"),
            (r"\\$app", r"\/srv/app"),
            ("end\\", "end"),
            ("a<<b", "a<<b"),
            ("日'本'語", "日本語"),
        ]);
        for word in ["'open", "\"open", r#""open\""#, r"it\\'s"] {
            assert!(refused(word), "{word}");
        }
    }

    #[test]
    fn the_escape_character_of_the_file() {
        let backtick = |word| expand(word, b'`', &env).ok();
        assert_eq!(backtick(r"C:\x`$app").as_deref(), Some(r"C:\x$app"));
        assert_eq!(
            backtick(r#""c:\`"$app`"""#).as_deref(),
            Some(r#"c:\"/srv/app""#)
        );
    }

    #[test]
    fn names() {
        check(&[
            ("$app/x", "/srv/app/x"),
            ("${app}x", "/srv/appx"),
            ("\"$app\"", "/srv/app"),
            ("$.", "$."),
            ("a$", "a$"),
            ("$1x", "x"),
            ("$12", ""),
            ("$$x", "x"),
            ("${@}", ""),
            ("$nope", ""),
        ]);
        for word in ["${}", "${", "${:-x}", "${app", "${{app}}", "${app.x}"] {
            assert!(refused(word), "{word}");
        }
    }

    #[test]
    fn defaults_and_alternatives() {
        check(&[
            ("${nope:-x}", "x"),
            ("${nope-x}", "x"),
            ("${empty:-x}", "x"),
            ("${empty-x}", ""),
            ("${app:-x}", "/srv/app"),
            ("${app:+x}", "x"),
            ("${empty:+x}", ""),
            ("${empty+x}", "x"),
            ("${nope+x}", ""),
            ("${nope:-${empty:-$app}}", "/srv/app"),
            ("${nope:-'a}b'}", "a}b"),
            (r"${nope:-a\}b}", "a}b"),
            ("${app?}", "/srv/app"),
            ("${empty?}", ""),
        ]);
        for word in ["${nope?}", "${nope:?gone}", "${empty:?}", "${app:=x}"] {
            assert!(refused(word), "{word}");
        }
        let message = expand("${nope:?set $app}", b'\\', &env);
        let expected = NoValue::Refused("`nope`: set /srv/app".to_owned());
        assert_eq!(message, Err(expected));
    }

    #[test]
    fn trims() {
        check(&[
            ("${ver#*.}", "22.3-rc.1"),
            ("${ver##*.}", "1"),
            ("${ver%.*}", "1.22.3-rc"),
            ("${ver%%.*}", "1"),
            ("${ver%-*}", "1.22.3"),
            ("${ver#?}", ".22.3-rc.1"),
            ("${ver#x}", "1.22.3-rc.1"),
            ("${ver#}", "1.22.3-rc.1"),
            ("${nope%x}", ""),
            (r"${stars%\**}", "a*b"),
            (r"${stars%%\**}", "a"),
            (r"${stars#a\*}", "b*c"),
        ]);
        assert!(refused("${ver:%x}"));
        assert!(refused(r"${ver#\x}"));
    }

    #[test]
    fn replacements() {
        check(&[
            ("${ver/./_}", "1_22.3-rc.1"),
            ("${ver//./_}", "1_22_3-rc_1"),
            ("${ver//[0-9]/}", "1.22.3-rc.1"),
            ("${ver/-*/}", "1.22.3"),
            (r"${app//\//-}", "-srv-app"),
            ("${app/$nope/x}", "x/srv/app"),
        ]);
        assert!(refused("${ver/x}"));
    }

    #[test]
    fn unknown_stays_unknown() {
        for word in [
            "$who",
            "a${who}b",
            "${who:-x}",
            "${who:+x}",
            "${who%.*}",
            "${who?}",
            "${app:+$who}",
            "${ver/$who/x}",
            "${nope:-\"$who\"}",
        ] {
            assert_eq!(expand(word, b'\\', &env), Err(NoValue::Unknown), "{word}");
        }
        check(&[
            ("${app:-$who}", "/srv/app"),
            ("${nope:+$who}", ""),
            ("${who:+}", ""),
            ("'$who'", "$who"),
        ]);
        assert!(refused("${who:-'}"), "an error is certain");
    }

    #[test]
    fn words() {
        let words = |word| expand_words(word, b'\\', &env).ok();
        let expected = |words: &[&str]| Some(words.iter().map(|w| (*w).to_owned()).collect());
        assert_eq!(words("80"), expected(&["80"]));
        assert_eq!(words("x${spaced}y"), expected(&["x", "a", "b", "y"]));
        assert_eq!(words("\"$spaced\""), expected(&[" a  b "]));
        assert_eq!(words("$empty"), expected(&[]));
        assert_eq!(words("$who 80"), None);
    }

    #[test]
    fn bodies_keep_their_quotes() {
        let body = expand_body("say \"$app\" '$app' \\$app\n", &env).ok();
        let expected = "say \"/srv/app\" '/srv/app' $app\n";
        assert_eq!(body.as_deref(), Some(expected));
    }

    #[test]
    fn bombs_have_no_value() {
        let big = "x".repeat(MAX_LEN);
        let lookup = |_: &str| Lookup::Set(&big);
        let bomb = "$a".repeat(1000);
        assert_eq!(expand(&bomb, b'\\', &lookup), Err(NoValue::Unknown));
        let quoted = format!("\"{bomb}\"");
        assert_eq!(expand(&quoted, b'\\', &lookup), Err(NoValue::Unknown));
        let replaced = expand("${a//x/$a}", b'\\', &lookup);
        assert_eq!(replaced, Err(NoValue::Unknown));
        let nested = "${nope:-".repeat(100_000);
        assert_eq!(expand(&nested, b'\\', &env), Err(NoValue::Unknown));
    }
}
