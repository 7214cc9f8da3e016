//! One pattern of an ignore file: how BuildKit's matcher decides. Not Go's `filepath.Match`, which only validates it:
//! the matcher compares texts where it can and makes a regular expression where it must, and the two differ in corners
//! (a class may hold `/`, `**x` matches the end of any name, `*` inside a class is not a star).

use regex::Regex;

/// A cleaned pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// Whether it begins with `!`: what matches is not ignored.
    pub(super) exception: bool,
    text: String,
    matcher: Matcher,
}

#[derive(Debug, Clone)]
enum Matcher {
    /// The whole path.
    Exact,
    /// `dir/**`: how the path begins.
    Prefix(String),
    /// `**/name`, `**name`: how the path ends.
    Suffix(String),
    Expression(Regex),
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "{}{}",
            if self.exception { "!" } else { "" },
            self.text
        )
    }
}

impl Pattern {
    /// Compiles a pattern that `filepath.Match` finds well formed.
    ///
    /// # Errors
    /// What Go's regular expressions refuse, and escapes that they read in their own way.
    pub(super) fn new(text: &str, exception: bool) -> Result<Self, String> {
        let (shape, expression) = translate(text);
        let cut = |from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
        let matcher = match shape {
            Shape::Exact => Matcher::Exact,
            Shape::Prefix => Matcher::Prefix(cut(0, text.len() - 2)),
            Shape::Suffix => Matcher::Suffix(cut(2, text.len())),
            Shape::Expression => Matcher::Expression(
                compile(&expression).map_err(|why| format!("pattern `{text}`: {why}"))?,
            ),
        };
        Ok(Self {
            exception,
            text: text.to_owned(),
            matcher,
        })
    }

    /// Whether the pattern matches `path` itself.
    pub(super) fn matches(&self, path: &str) -> bool {
        match &self.matcher {
            Matcher::Exact => path == self.text,
            Matcher::Prefix(prefix) => path.starts_with(prefix.as_str()),
            // `**/foo` matches `foo` too
            Matcher::Suffix(suffix) => {
                path.ends_with(suffix.as_str()) || suffix.strip_prefix('/') == Some(path)
            }
            Matcher::Expression(expression) => expression.is_match(path),
        }
    }

    /// Whether the pattern may match something below a directory, given with its `/`. `true` where only trying tells.
    pub(super) fn may_match_below(&self, directory: &str) -> bool {
        match &self.matcher {
            Matcher::Exact => self.text.starts_with(directory),
            Matcher::Prefix(prefix) => {
                prefix.starts_with(directory) || directory.starts_with(prefix.as_str())
            }
            Matcher::Suffix(_) => true,
            Matcher::Expression(_) => {
                let literal = self
                    .text
                    .split(['*', '?', '[', '\\', '^'])
                    .next()
                    .unwrap_or_default();
                literal.starts_with(directory) || directory.starts_with(literal)
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Exact,
    Prefix,
    Suffix,
    Expression,
}

/// How the pattern is matched, and the regular expression that Go would compile for it.
fn translate(pattern: &str) -> (Shape, String) {
    let mut shape = Shape::Exact;
    let mut expression = String::from("^");
    let mut characters = pattern.chars().peekable();
    let mut first = true;
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.next_if_eq(&'*').is_some() => {
                characters.next_if_eq(&'/');
                if characters.peek().is_some() {
                    expression.push_str("(.*/)?");
                    shape = Shape::Expression;
                } else if shape == Shape::Exact {
                    shape = Shape::Prefix;
                } else {
                    expression.push_str(".*");
                    shape = Shape::Expression;
                }
                if first {
                    shape = Shape::Suffix;
                }
            }
            '*' | '?' => {
                expression.push_str(if character == '*' { "[^/]*" } else { "[^/]" });
                shape = Shape::Expression;
            }
            '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => expression.extend(['\\', character]),
            '\\' => {
                expression.push('\\');
                if let Some(escaped) = characters.next() {
                    expression.push(escaped);
                    shape = Shape::Expression;
                }
            }
            '[' | ']' => {
                expression.push(character);
                shape = Shape::Expression;
            }
            _ => expression.push(character),
        }
        first = false;
    }
    expression.push('$');
    (shape, expression)
}

/// Compiles an expression in Go's syntax. Outside classes the two syntaxes agree on all that [`translate`] writes, save
/// for escapes.
fn compile(expression: &str) -> Result<Regex, String> {
    let mut ours = String::new();
    let mut rest = expression.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => ours.push_str(&escape(rest.next())?.in_expression()),
            '[' => ours.push_str(&class(&mut rest)?),
            _ => ours.push(character),
        }
    }
    Regex::new(&ours).map_err(|_| "an expression that is too large".to_owned())
}

/// What a backslash and the character after it mean to Go.
enum Escape {
    Character(char),
    /// The inside of a class, and whether it is negated: `\d`, `\D`.
    Class(&'static str, bool),
    WordBoundary,
}

impl Escape {
    fn in_expression(&self) -> String {
        match self {
            Self::Character(character) => regex::escape(&character.to_string()),
            Self::Class(inside, false) => format!("[{inside}]"),
            Self::Class(inside, true) => format!("[^{inside}]"),
            Self::WordBoundary => r"(?-u:\b)".to_owned(),
        }
    }
}

const DIGITS: &str = "0-9";
const SPACES: &str = r"\t\n\x0C\r ";
const WORD: &str = "0-9A-Za-z_";

fn escape(character: Option<char>) -> Result<Escape, String> {
    let character = character.ok_or("a `\\` at the end")?;
    Ok(match character {
        'd' | 'D' => Escape::Class(DIGITS, character == 'D'),
        's' | 'S' => Escape::Class(SPACES, character == 'S'),
        'w' | 'W' => Escape::Class(WORD, character == 'W'),
        'a' => Escape::Character('\x07'),
        'f' => Escape::Character('\x0C'),
        'n' => Escape::Character('\n'),
        'r' => Escape::Character('\r'),
        't' => Escape::Character('\t'),
        'v' => Escape::Character('\x0B'),
        'b' => Escape::WordBoundary,
        _ if character.is_ascii_punctuation()
            || character.is_ascii_whitespace()
            || character.is_ascii_control() =>
        {
            Escape::Character(character)
        }
        _ => {
            return Err(format!(
                "`\\{character}` is no plain escape (use `/` between directories)"
            ));
        }
    })
}

/// The class that begins after `[`, in this crate's syntax, which would read a `[`, `&&`, `--` or `~~` inside as an
/// operator.
fn class(rest: &mut std::str::Chars<'_>) -> Result<String, String> {
    let mut ours = String::from("[");
    let mut empty = true;
    if rest.as_str().starts_with('^') {
        ours.push('^');
        rest.next();
    }
    loop {
        if rest.as_str().starts_with("[:") && rest.as_str().contains(":]") {
            return Err("a `[:name:]` class".to_owned());
        }
        let low = match rest.next().ok_or("a class without an end")? {
            ']' if !empty => break,
            '\\' => match escape(rest.next())? {
                Escape::Character(character) => character,
                Escape::WordBoundary => return Err("`\\b` in a class".to_owned()),
                named @ Escape::Class(..) => {
                    ours.push_str(&named.in_expression());
                    empty = false;
                    continue;
                }
            },
            character => character,
        };
        let high = range_end(rest)?.unwrap_or(low);
        if high < low {
            return Err(format!("the range `{low}-{high}` runs backwards"));
        }
        push_range(&mut ours, low, high);
        empty = false;
    }
    ours.push(']');
    Ok(ours)
}

/// The end of a range, where one begins here.
fn range_end(rest: &mut std::str::Chars<'_>) -> Result<Option<char>, String> {
    let mut ahead = rest.as_str().chars();
    if ahead.next() != Some('-') || matches!(ahead.next(), None | Some(']')) {
        return Ok(None);
    }
    rest.next();
    match rest.next() {
        Some('\\') => match escape(rest.next())? {
            Escape::Character(character) => Ok(Some(character)),
            _ => Err("a range that ends in a class".to_owned()),
        },
        end => Ok(end),
    }
}

fn push_range(ours: &mut String, low: char, high: char) {
    let hexadecimal = |character: char| format!("\\u{{{:X}}}", u32::from(character));
    ours.push_str(&hexadecimal(low));
    ours.push('-');
    ours.push_str(&hexadecimal(high));
}
