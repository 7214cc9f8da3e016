//! The words of a Gradle file, in Groovy or Kotlin: comments gone, strings whole. Never fails.

/// A word of a Gradle file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A name or a number.
    Word(&'t str),
    /// A string, without its quotes; whether it holds an expression.
    Text(&'t str, bool),
    /// Any other character that is no blank. A line end is `\n`.
    Mark(char),
}

/// The words of `text`, in linear time.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '/' if rest.starts_with("//") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => {
                let end = rest.get(2..).and_then(|rest| rest.find("*/"));
                (None, end.map_or(rest.len(), |end| end + 4))
            }
            '"' | '\'' => string(rest, first),
            '`' => match rest.get(1..).and_then(|rest| rest.split_once('`')) {
                Some((word, _)) => (Some(Token::Word(word)), word.len() + 2),
                None => (None, 1),
            },
            _ if is_word(first) => {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                (rest.get(..end).map(Token::Word), end)
            }
            '\n' => (Some(Token::Mark('\n')), 1),
            _ if first.is_whitespace() => (None, first.len_utf8()),
            _ => (Some(Token::Mark(first)), first.len_utf8()),
        };
        tokens.extend(token);
        rest = rest.get(length..).unwrap_or_default();
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The string at the start of `rest`, and its length with quotes; one that is not closed ends with its line, or with the
/// file if its quotes are three.
fn string(rest: &str, quote: char) -> (Option<Token<'_>>, usize) {
    let triple: String = [quote; 3].iter().collect();
    let fence = if rest.starts_with(&triple) { 3 } else { 1 };
    let body = rest.get(fence..).unwrap_or_default();
    let mut escaped = false;
    let mut end = body.len();
    let mut closing = 0;
    for (at, c) in body.char_indices() {
        let closes = match fence {
            3 => body.get(at..).is_some_and(|rest| rest.starts_with(&triple)),
            _ => c == quote || c == '\n',
        };
        if closes && !escaped {
            end = at;
            closing = if c == quote { fence } else { 0 };
            break;
        }
        escaped = c == '\\' && !escaped;
    }
    let text = body.get(..end).unwrap_or_default();
    let computed = quote == '"' && text.contains('$');
    (Some(Token::Text(text, computed)), fence + end + closing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_text_apart() {
        let found = tokens("a.b 'c/*' // d\n/* e */ \"f$g\" \"\"\"h\"i\"\"\" `j-k` 1");
        assert_eq!(
            found,
            [
                Token::Word("a"),
                Token::Mark('.'),
                Token::Word("b"),
                Token::Text("c/*", false),
                Token::Mark('\n'),
                Token::Text("f$g", true),
                Token::Text("h\"i", false),
                Token::Word("j-k"),
                Token::Word("1"),
            ]
        );
    }

    #[test]
    fn survives_what_is_not_closed() {
        assert_eq!(tokens("'a\\'b"), [Token::Text("a\\'b", false)]);
        assert_eq!(tokens("/* a"), []);
        assert_eq!(tokens("/*/ a */ b"), [Token::Word("b")]);
        assert_eq!(
            tokens("'a\nb"),
            [Token::Text("a", false), Token::Mark('\n'), Token::Word("b")]
        );
        assert_eq!(tokens("`a"), [Token::Word("a")]);
        assert_eq!(tokens("\"\"\"é"), [Token::Text("é", false)]);
    }
}
