//! The value of a shell word, where it can be known from the text alone.

/// The value of `word` after quote removal; `None` where the shell would expand something in it: a variable, a
/// substitution, a glob, a brace list, a tilde.
pub(super) fn literal(word: &str) -> Option<String> {
    let mut value = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    if chars.peek() == Some(&'~') {
        return None;
    }
    while let Some(c) = chars.next() {
        match c {
            '\'' => loop {
                match chars.next()? {
                    '\'' => break,
                    c => value.push(c),
                }
            },
            '"' => double_quoted(&mut chars, &mut value)?,
            '\\' => match chars.next()? {
                '\n' => {}
                c => value.push(c),
            },
            '$' | '`' | '*' | '?' | '[' => return None,
            '=' | ':' if chars.peek() == Some(&'~') => return None,
            c => value.push(c),
        }
    }
    (!has_brace_list(word)).then_some(value)
}

fn double_quoted(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    value: &mut String,
) -> Option<()> {
    loop {
        match chars.next()? {
            '"' => return Some(()),
            '$' | '`' => return None,
            '\\' => match chars.next()? {
                c @ ('"' | '$' | '`' | '\\') => value.push(c),
                '\n' => {}
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
}

/// Whether Bash would expand `{a,b}` or `{1..9}` in `word`. Quotes are not looked at: saying yes too often is safe.
fn has_brace_list(word: &str) -> bool {
    let Some(open) = word.find('{') else {
        return false;
    };
    let inside = &word[open..];
    inside.contains('}') && (inside.contains(',') || inside.contains(".."))
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn quotes_and_escapes_are_removed() {
        for (word, value) in [
            ("curl", "curl"),
            ("'a b'", "a b"),
            (r#""a \"b\"""#, "a \"b\""),
            (r"a\ b", "a b"),
            ("a'b'\"c\"", "abc"),
            ("--x={}", "--x={}"),
            ("''", ""),
            (r#""\n""#, r"\n"),
        ] {
            assert_eq!(literal(word).as_deref(), Some(value), "{word}");
        }
    }

    #[test]
    fn what_expands_is_not_literal() {
        for word in [
            "$x", "${x}", "\"$x\"", "`x`", "$(x)", "*", "a?", "[ab]", "~", "~/x", "a=~/b", "{a,b}",
            "{1..3}", "'open", "\"open",
        ] {
            assert_eq!(literal(word), None, "{word}");
        }
    }
}
