//! Shell patterns of `${x#…}`, `${x%…}` and `${x/…/…}`: `*` and `?`, no brackets.

use regex::Regex;

use super::{MAX_LEN, NoValue, refuse};

/// `value` without the shortest (`greedy`: longest) start that matches.
pub(super) fn trim_prefix(pattern: &str, value: &str, greedy: bool) -> Result<String, NoValue> {
    let regex = compile(pattern, greedy, true)?;
    let end = regex.find(value).map_or(0, |found| found.end());
    Ok(value.get(end..).unwrap_or_default().to_owned())
}

/// `value` without the shortest (`greedy`: longest) end that matches.
pub(super) fn trim_suffix(pattern: &str, value: &str, greedy: bool) -> Result<String, NoValue> {
    // A regular expression finds the leftmost match; for a suffix both sides are read backwards.
    let backwards: String = value.chars().rev().collect();
    let trimmed = trim_prefix(&reverse(pattern), &backwards, greedy)?;
    Ok(trimmed.chars().rev().collect())
}

/// `value` with the first match, or `all` of them, replaced.
pub(super) fn replace(
    pattern: &str,
    value: &str,
    with: &str,
    all: bool,
) -> Result<String, NoValue> {
    let regex = compile(pattern, true, false)?;
    if all && value.len().saturating_mul(with.len() + 1) > 64 * MAX_LEN {
        return Err(NoValue::Unknown);
    }
    // As in BuildKit, `$` in the replacement is a template where all matches are replaced, and text where one is.
    let value = match all {
        true => regex.replace_all(value, with),
        false => regex.replace(value, regex::NoExpand(with)),
    };
    Ok(value.into_owned())
}

/// `*` and `?` of a shell pattern as a regular expression; `\` quotes them and itself, and vanishes before `}` and `/`.
fn compile(pattern: &str, greedy: bool, anchored: bool) -> Result<Regex, NoValue> {
    let mut out = String::from(if anchored { "^" } else { "" });
    let mut rest = pattern.chars().peekable();
    while let Some(ch) = rest.next() {
        match ch {
            '*' => out.push_str(if greedy { ".*" } else { ".*?" }),
            '?' => out.push('.'),
            '\\' if matches!(rest.peek(), Some('}' | '/')) => {}
            '\\' => match rest.next() {
                Some(quoted @ ('*' | '?' | '\\')) => out.extend(['\\', quoted]),
                _ => return refuse("invalid escape in a pattern"),
            },
            _ => out.push_str(&regex::escape(ch.encode_utf8(&mut [0; 4]))),
        }
    }
    // A pattern too large to compile is not worth knowing.
    Regex::new(&out).map_err(|_| NoValue::Unknown)
}

/// The pattern backwards, each escape still before the character that it quotes.
fn reverse(pattern: &str) -> String {
    let mut pieces = Vec::new();
    let mut rest = pattern.chars();
    while let Some(ch) = rest.next() {
        match rest.clone().next() {
            Some(quoted) if ch == '\\' => {
                rest.next();
                pieces.extend([quoted, '\\']);
            }
            _ => pieces.push(ch),
        }
    }
    pieces.into_iter().rev().collect()
}
