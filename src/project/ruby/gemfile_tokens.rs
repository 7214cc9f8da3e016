//! The statements of a Gemfile as words. Never fails.

/// A word of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a number or a constant.
    Word(String),
    /// A string.
    Text(String),
    /// A string with `#{…}`.
    Computed(String),
    /// `:name`
    Symbol(String),
    /// `name:` of a hash.
    Key(String),
    /// `=>`, or any other character that is no blank.
    Mark(char),
}

/// `=>` as a mark.
pub(super) const ARROW: char = '⇒';

/// The statements of `text`: 1-based line and words. One goes on after a `,`, a `\` and an open bracket.
pub(super) fn statements(text: &str) -> Vec<(u32, Vec<Token>)> {
    let mut statements = Vec::new();
    let mut open: Option<(u32, Vec<Token>)> = None;
    let mut in_comment = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("=begin") || line.starts_with("=end") {
            in_comment = line.starts_with("=begin");
            continue;
        }
        if line.trim_end() == "__END__" {
            break;
        }
        if in_comment {
            continue;
        }
        let (first, mut tokens) = open.take().unwrap_or((number, Vec::new()));
        let before = tokens.len();
        split(line, &mut tokens);
        let blank = before > 0 && tokens.len() == before;
        let goes_on = match tokens.last() {
            Some(Token::Mark('\\')) => {
                tokens.pop();
                true
            }
            Some(Token::Mark(',' | '(' | '[' | '{' | ARROW)) => true,
            _ => blank,
        };
        if goes_on {
            open = Some((first, tokens));
        } else if !tokens.is_empty() {
            statements.push((first, tokens));
        }
    }
    statements.extend(open.filter(|(_, tokens)| !tokens.is_empty()));
    statements
}

/// Adds the words of one line; a comment ends it.
fn split(line: &str, tokens: &mut Vec<Token>) {
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '#' {
            return;
        }
        let length = if let Some((list, length)) = words_literal(rest) {
            tokens.extend(
                list.split_whitespace()
                    .map(|word| Token::Text(word.to_owned())),
            );
            length
        } else {
            let (token, length) = token(rest, first);
            tokens.push(token);
            length
        };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
}

/// The inside of a `%w[…]` or `%i[…]` at the start of `rest`, and its length; it ends with the line at the latest.
fn words_literal(rest: &str) -> Option<(&str, usize)> {
    let after = rest
        .strip_prefix("%w")
        .or_else(|| rest.strip_prefix("%i"))?;
    let close = match after.chars().next()? {
        '[' => ']',
        '(' => ')',
        '{' => '}',
        '<' => '>',
        _ => return None,
    };
    let inside = after.get(1..)?;
    let list = inside.split(close).next()?;
    Some((list, list.len() + "%w[]".len()))
}

/// The word at the start of `rest`, and its length.
fn token(rest: &str, first: char) -> (Token, usize) {
    let after = rest.get(first.len_utf8()..).unwrap_or_default();
    if matches!(first, '"' | '\'') {
        return string(after, first);
    }
    if rest.starts_with("=>") {
        return (Token::Mark(ARROW), 2);
    }
    if first == ':' {
        if let Some(quoted) = after.strip_prefix('"') {
            let (text, length) = string(quoted, '"');
            return match text {
                Token::Text(text) => (Token::Symbol(text), length + 1),
                other => (other, length + 1),
            };
        }
        let name = word(after);
        if !name.is_empty() {
            return (Token::Symbol(name.to_owned()), name.len() + 1);
        }
    }
    let name = word(rest);
    if name.is_empty() {
        return (Token::Mark(first), first.len_utf8());
    }
    let next = rest.get(name.len()..).unwrap_or_default();
    if next.starts_with(':') && !next.starts_with("::") {
        (Token::Key(name.to_owned()), name.len() + 1)
    } else {
        (Token::Word(name.to_owned()), name.len())
    }
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '?' | '!')));
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// A string whose opening quote is gone; it ends with the line at the latest. The length counts both quotes.
fn string(text: &str, quote: char) -> (Token, usize) {
    let mut value = String::new();
    let mut escaped = false;
    let mut length = text.len();
    for (at, c) in text.char_indices() {
        if c == quote && !escaped {
            length = at;
            break;
        }
        escaped = c == '\\' && !escaped;
        if !escaped {
            value.push(c);
        }
    }
    let computed = quote == '"' && value.contains("#{");
    let token = if computed {
        Token::Computed(value)
    } else {
        Token::Text(value)
    };
    (token, length + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Token {
        Token::Word(text.to_owned())
    }

    fn text(text: &str) -> Token {
        Token::Text(text.to_owned())
    }

    #[test]
    fn takes_statements_apart() {
        let found = statements(
            "gem 'a', # first\n\n  '~> 1',\n  group: :dev\nx = \"b#{c}\" if d? # e\n:f => [1]\n",
        );
        let key = Token::Key("group".to_owned());
        let symbol = |text: &str| Token::Symbol(text.to_owned());
        assert_eq!(
            found[0],
            (
                1,
                vec![
                    word("gem"),
                    text("a"),
                    Token::Mark(','),
                    text("~> 1"),
                    Token::Mark(','),
                    key,
                    symbol("dev")
                ]
            )
        );
        assert_eq!(found[1].0, 5);
        assert_eq!(found[1].1[2], Token::Computed("b#{c}".to_owned()));
        assert_eq!(found[1].1[4], word("d?"));
        assert_eq!(found[2].1[..2], [symbol("f"), Token::Mark(ARROW)]);
    }

    #[test]
    fn leaves_comments_and_the_end_out() {
        let found = statements("=begin\ngem 'a'\n=end\ngem 'b'\n__END__\ngem 'c'\n");
        assert_eq!(found, [(4, vec![word("gem"), text("b")])]);
        assert_eq!(statements("%i[a b]")[0].1, [text("a"), text("b")]);
        assert_eq!(statements("gem 'it\\'s'")[0].1[1], text("it's"));
    }

    #[test]
    fn survives_what_is_not_closed() {
        assert_eq!(
            statements("gem 'a,\n\\\n"),
            [(1, vec![word("gem"), text("a,")])]
        );
        assert_eq!(statements(":\"é\n")[0].1, [Token::Symbol("é".to_owned())]);
    }
}
