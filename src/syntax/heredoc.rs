//! Which words of a joined line open here-documents, found as BuildKit finds them: by shell-lexing the whole line.
//!
//! The lexer is that of BuildKit's `shell.Lex` with an empty environment: quotes and escapes kept, variables left as
//! they stand. Where it fails (an unbalanced quote), there are no here-documents and no error.

use super::bytes::first_char;

/// A here-document that a word opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opener {
    pub(super) name: String,
    pub(super) fd: u32,
    pub(super) chomp: bool,
    pub(super) expand: bool,
}

/// The here-documents that `line` opens, in order.
pub(super) fn openers(line: &[u8]) -> Vec<Opener> {
    let words = Lexer::new(line, true).words().unwrap_or_default();
    words.iter().filter_map(|word| opener(word)).collect()
}

/// The here-document that `word` opens: `^(\d*)<<(-?)\s*([^<]*)$` with exactly one word behind it.
pub(super) fn opener(word: &str) -> Option<Opener> {
    let digits = word
        .bytes()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (fd, rest) = word.split_at(digits);
    let rest = rest.strip_prefix("<<")?;
    let chomp = rest.starts_with('-');
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let rest = rest.trim_start_matches(['\t', '\n', '\x0c', '\r', ' ']);
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let plain = Lexer::new(rest.as_bytes(), false).words()?;
    let [name] = plain.as_slice() else {
        return None;
    };
    let mut raw = Lexer::new(rest.as_bytes(), false);
    raw.keep_quotes = true;
    let raw = raw.words()?;
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    Some(Opener {
        expand: quotes(name) == raw.first().map_or(0, |word| quotes(word)),
        name: name.clone(),
        fd: fd.parse().unwrap_or(0),
        chomp,
    })
}

/// Bounds the nesting of `${a:-${b:-…}}`; BuildKit has no bound but its stack.
const MAX_DEPTH: usize = 200;

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    keep_quotes: bool,
    keep_escapes: bool,
    /// The word being read. BuildKit shares one buffer with nested substitutions, which empty it; so do we.
    word: String,
    depth: usize,
}

#[derive(Default)]
struct Words {
    done: Vec<String>,
    inside: bool,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a [u8], keep: bool) -> Self {
        Self {
            text,
            at: 0,
            keep_quotes: keep,
            keep_escapes: keep,
            word: String::new(),
            depth: 0,
        }
    }

    fn words(&mut self) -> Option<Vec<String>> {
        self.process(None, self.keep_escapes)
            .map(|(_, words)| words)
    }

    fn peek(&self) -> Option<char> {
        first_char(self.text.get(self.at..)?).map(|(c, _)| c)
    }

    fn next(&mut self) -> Option<char> {
        let (c, width) = first_char(self.text.get(self.at..)?)?;
        self.at += width;
        Some(c)
    }

    /// Reads up to `stop` (or the end, which is an error where there is a `stop`): the text and its words.
    fn process(&mut self, stop: Option<char>, keep_escapes: bool) -> Option<(String, Vec<String>)> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let outer_escapes = std::mem::replace(&mut self.keep_escapes, keep_escapes);
        self.word.clear();
        let mut words = Words::default();
        let mut result = String::new();
        let mut closed = stop.is_none();
        while let Some(c) = self.peek() {
            if Some(c) == stop {
                self.next();
                closed = true;
                break;
            }
            match c {
                '$' => {
                    let text = self.dollar()?;
                    text.chars().for_each(|c| self.add(&mut words, c));
                    result.push_str(&text);
                }
                '<' | '\'' | '"' => {
                    let text = match c {
                        '<' => self.less_than(),
                        '\'' => self.single_quoted()?,
                        _ => self.double_quoted()?,
                    };
                    self.word.push_str(&text);
                    words.inside = true;
                    result.push_str(&text);
                }
                '\\' => {
                    self.next();
                    if self.keep_escapes {
                        self.add_raw(&mut words, '\\');
                        result.push('\\');
                    }
                    let Some(c) = self.next() else { break };
                    self.add_raw(&mut words, c);
                    result.push(c);
                }
                c => {
                    self.next();
                    self.add(&mut words, c);
                    result.push(c);
                }
            }
        }
        self.keep_escapes = outer_escapes;
        self.depth -= 1;
        if !closed {
            return None;
        }
        if !self.word.is_empty() {
            words.done.push(std::mem::take(&mut self.word));
        }
        Some((result, words.done))
    }

    fn add(&mut self, words: &mut Words, c: char) {
        if !c.is_whitespace() {
            self.add_raw(words, c);
        } else if words.inside && !self.word.is_empty() {
            words.done.push(std::mem::take(&mut self.word));
            words.inside = false;
        }
    }

    fn add_raw(&mut self, words: &mut Words, c: char) {
        self.word.push(c);
        words.inside = true;
    }

    /// `<`, or `<<` with the blanks behind it, so that `<< EOF` is one word.
    fn less_than(&mut self) -> String {
        self.next();
        if self.peek() != Some('<') {
            return "<".to_owned();
        }
        self.next();
        let mut text = "<<".to_owned();
        while let Some(c @ ('\t' | '\r' | ' ')) = self.peek() {
            text.push(c);
            self.next();
        }
        text
    }

    fn single_quoted(&mut self) -> Option<String> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next()? {
                '\'' => return Some(self.quoted('\'', text)),
                c => text.push(c),
            }
        }
    }

    fn double_quoted(&mut self) -> Option<String> {
        self.next();
        let mut text = String::new();
        loop {
            match self.peek()? {
                '"' => {
                    self.next();
                    return Some(self.quoted('"', text));
                }
                '$' => text.push_str(&self.dollar()?),
                '\\' => {
                    self.next();
                    if self.keep_escapes {
                        text.push('\\');
                    }
                    match self.peek()? {
                        c @ ('"' | '$' | '\\') => {
                            self.next();
                            text.push(c);
                        }
                        _ => text.push('\\'),
                    }
                }
                c => {
                    self.next();
                    text.push(c);
                }
            }
        }
    }

    fn quoted(&self, quote: char, text: String) -> String {
        match self.keep_quotes {
            true => format!("{quote}{text}{quote}"),
            false => text,
        }
    }

    /// A variable, as it stands: nothing is set. `None` for what BuildKit calls a bad substitution.
    fn dollar(&mut self) -> Option<String> {
        self.next();
        if self.peek() != Some('{') {
            return Some(format!("${}", self.name()));
        }
        self.next();
        if matches!(self.peek()?, '{' | '}' | ':') {
            return None;
        }
        let name = self.name();
        let mut operator = String::new();
        let mut c = self.next()?;
        operator.push(c);
        match c {
            '}' => return Some(format!("${{{name}}}")),
            '/' => return self.replacement(&name),
            ':' => {
                c = self.next()?;
                operator.push(c);
                // Other modifiers fail only where the variable is set, and none is.
                if matches!(c, '#' | '%') {
                    return None;
                }
            }
            '+' | '-' | '?' | '#' | '%' => {}
            _ => return None,
        }
        let (word, _) = self.process(Some('}'), matches!(c, '#' | '%'))?;
        Some(format!("${{{name}{operator}{word}}}"))
    }

    fn replacement(&mut self, name: &str) -> Option<String> {
        if self.peek() == Some('/') {
            self.next();
        }
        let (pattern, _) = self.process(Some('/'), true)?;
        let (with, _) = self.process(Some('}'), true)?;
        Some(format!("${{{name}/{pattern}/{with}}}"))
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        let Some(first) = self.peek() else {
            return name;
        };
        if first.is_numeric() {
            while let Some(c) = self.peek().filter(|c| c.is_numeric()) {
                self.next();
                name.push(c);
            }
            return name;
        }
        if matches!(first, '@' | '*' | '#' | '?' | '-' | '$' | '!' | '0') {
            self.next();
            name.push(first);
            return name;
        }
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
            self.next();
            name.push(c);
        }
        name
    }
}
