//! Cuts a script into commands and their words. It expands nothing: a word in which a shell would put something is
//! unreadable.

use super::Text;
use std::iter::Peekable;
use std::str::Chars;

/// A piece of a script.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// The words of one command, redirections left out.
    Command(Vec<Text>),
    /// A subshell begins.
    Open,
    /// A subshell ends.
    Close,
    /// A here-document begins, which is not followed.
    Stop,
}

/// The tokens of a script.
pub(super) struct Tokens<'a> {
    rest: Peekable<Chars<'a>>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(script: &'a str) -> Self {
        Self {
            rest: script.chars().peekable(),
        }
    }

    /// One word, and whether a shell would put something in.
    fn word(&mut self) -> Text {
        let mut text = String::new();
        let mut is_literal = true;
        let mut quote = None;
        while let Some(&next) = self.rest.peek() {
            if quote.is_none()
                && (is_blank(next) || ends_command(next) || matches!(next, '<' | '>'))
            {
                break;
            }
            self.rest.next();
            match (quote, next) {
                (None, '\'' | '"') => quote = Some(next),
                (Some(open), _) if open == next => quote = None,
                (None | Some('"'), '\\') => {
                    text.extend(self.rest.next().filter(|escaped| *escaped != '\n'))
                }
                (None | Some('"'), '$' | '`') => {
                    is_literal = false;
                    text.push(next);
                    self.substitution(next, &mut text);
                }
                _ => {
                    is_literal &= quote.is_some() || !matches!(next, '*' | '?' | '[' | '~');
                    text.push(next);
                }
            }
        }
        if is_literal {
            Text::Literal(text)
        } else {
            Text::Unreadable(text)
        }
    }

    /// Takes what belongs to a `$(`, `${` or backtick, nested ones included.
    fn substitution(&mut self, opened: char, text: &mut String) {
        if opened == '$' && !matches!(self.rest.peek(), Some('(' | '{')) {
            return;
        }
        let mut depth = 0_usize;
        for next in self.rest.by_ref() {
            text.push(next);
            match (opened, next) {
                ('`', '`') => return,
                ('$', '(' | '{') => depth += 1,
                ('$', ')' | '}') if depth <= 1 => return,
                ('$', ')' | '}') => depth -= 1,
                _ => {}
            }
        }
    }

    /// Takes a redirection with its file; whether it is a here-document.
    fn redirection(&mut self) -> bool {
        let opened = self.rest.next();
        if opened == Some('<') && self.rest.peek() == Some(&'<') {
            return true;
        }
        while self
            .rest
            .next_if(|next| matches!(next, '>' | '&' | '|') || is_blank(*next))
            .is_some()
        {}
        self.word();
        false
    }

    /// Whether a word just read is the number before a redirection: the `2` of `2>&1`.
    fn is_descriptor(&mut self, word: &Text) -> bool {
        let is_number =
            matches!(word, Text::Literal(text) if text.bytes().all(|byte| byte.is_ascii_digit()));
        is_number && matches!(self.rest.peek(), Some('<' | '>'))
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let mut words = Vec::new();
        while let Some(&next) = self.rest.peek() {
            if ends_command(next) && !words.is_empty() {
                return Some(Token::Command(words));
            }
            match next {
                '(' | ')' => {
                    self.rest.next();
                    return Some(if next == '(' {
                        Token::Open
                    } else {
                        Token::Close
                    });
                }
                '#' => while self.rest.next_if(|next| *next != '\n').is_some() {},
                '<' | '>' => {
                    if self.redirection() {
                        return Some(Token::Stop);
                    }
                }
                _ if is_blank(next) || ends_command(next) => drop(self.rest.next()),
                _ => {
                    let word = self.word();
                    // A backslash at the end of a line leaves an empty word.
                    if word != Text::Literal(String::new()) && !self.is_descriptor(&word) {
                        words.push(word);
                    }
                }
            }
        }
        (!words.is_empty()).then_some(Token::Command(words))
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r')
}

fn ends_command(character: char) -> bool {
    matches!(character, '\n' | ';' | '&' | '|' | '(' | ')')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One token a string: its words between `|`, those that are unreadable after a `?`.
    fn tokens(script: &str) -> Vec<String> {
        let show = |word: &Text| match word {
            Text::Literal(text) => text.clone(),
            Text::Unreadable(text) => format!("?{text}"),
        };
        let tokens = Tokens::new(script).map(|token| match token {
            Token::Command(words) => words.iter().map(show).collect::<Vec<_>>().join("|"),
            Token::Open => "(".to_owned(),
            Token::Close => ")".to_owned(),
            Token::Stop => "<<".to_owned(),
        });
        tokens.collect()
    }

    #[test]
    fn words_and_commands() {
        for (script, expected) in [
            ("a b;c && d\n\n|| e", &["a|b", "c", "d", "e"][..]),
            (
                "'a b'\"c $\"d e\\ f 'g$h' \"i\\\"j\"",
                &["?a bc $d|e f|g$h|i\"j"],
            ),
            ("a \\\n b \\\n\nc", &["a|b", "c"]),
            ("a # b ; c\nd#e", &["a", "d#e"]),
            ("a $(b; c $(d)) e", &["a|?$(b; c $(d))|e"]),
            (
                "a ${b:-${c}} `d; e` *.x ~",
                &["a|?${b:-${c}}|?`d; e`|?*.x|?~"],
            ),
            ("(a; b) c", &["(", "a", "b", ")", "c"]),
            ("a > b 2>&1 c 3 <d", &["a|c|3"]),
            ("a <<EOF", &["<<"]),
            ("'a", &["a"]),
            ("$(a", &["?$(a"]),
            ("", &[]),
        ] {
            assert_eq!(tokens(script), expected, "{script}");
        }
    }
}
