//! The lines and options of a requirements file, as pip's `req_file.py` takes them apart.

/// The lines as pip joins them: continuations first, then comments go (`req_file.py`, `join_lines`, `ignore_comments`).
pub(super) fn logical_lines(text: &str) -> Vec<(u32, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(u32, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let comment = line.trim_start().starts_with('#');
        let (first, mut joined) = open.take().unwrap_or((number, String::new()));
        if line.ends_with('\\') && !comment {
            joined.push_str(line.trim_matches('\\'));
            open = Some((first, joined));
            continue;
        }
        if comment {
            joined.push(' ');
        }
        joined.push_str(line);
        lines.push((first, joined));
    }
    lines.extend(open);
    for (_, line) in &mut lines {
        *line = without_comment(line).trim().to_owned();
    }
    lines.retain(|(_, line)| !line.is_empty());
    lines
}

/// `line` up to a `#` that starts it or follows a blank.
fn without_comment(line: &str) -> &str {
    let bytes = line.as_bytes();
    let starts = |at: &usize| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        before.is_none_or(u8::is_ascii_whitespace)
    };
    let at = line.match_indices('#').map(|(at, _)| at).find(starts);
    at.and_then(|at| line.get(..at)).unwrap_or(line)
}

/// A line up to its first word that starts with `-`, and the rest (`break_args_options`).
pub(super) fn split_options(line: &str) -> (&str, &str) {
    if line.starts_with('-') {
        return ("", line);
    }
    let at = line.match_indices(" -").map(|(at, _)| at).next();
    let at = at.or_else(|| line.find("\t-")).unwrap_or(line.len());
    let (requirement, options) = line.split_at_checked(at).unwrap_or((line, ""));
    (requirement.trim_end(), options.trim_start())
}

/// Options and their values; the value is empty where there is none.
pub(super) fn parse_options(text: &str) -> Result<Vec<(String, String)>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let words = shlex::split(text).ok_or("has a quote that is not closed")?;
    let mut options = Vec::new();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            return Err(format!("`{word}` is not an option"));
        }
        let (name, attached) = split_option(&word);
        let value = match attached {
            Some(value) => value,
            None => words
                .next_if(|next| !next.starts_with('-'))
                .unwrap_or_default(),
        };
        let needs_value = matches!(
            name.as_str(),
            "-r" | "--requirement" | "-c" | "--constraint" | "-e" | "--editable"
        );
        if needs_value && value.is_empty() {
            return Err(format!("`{name}` names nothing"));
        }
        options.push((name, value));
    }
    Ok(options)
}

/// `--name=value`, `-rvalue`, or a bare name.
fn split_option(word: &str) -> (String, Option<String>) {
    if word.starts_with("--") {
        return match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word.to_owned(), None),
        };
    }
    match word.char_indices().nth(2) {
        Some((at, _)) => {
            let (name, value) = word.split_at_checked(at).unwrap_or((word, ""));
            let value = value.strip_prefix('=').unwrap_or(value);
            (name.to_owned(), Some(value.to_owned()))
        }
        None => (word.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_continuations_and_drops_comments() {
        let lines = logical_lines("a \\\n  b # c\n\n# d\ne#f\n");
        let lines: Vec<_> = lines
            .iter()
            .map(|(at, line)| (*at, line.as_str()))
            .collect();
        assert_eq!(lines, [(1, "a   b"), (5, "e#f")]);
    }

    #[test]
    fn reads_every_spelling_of_an_option() {
        let options = |text| parse_options(text).unwrap();
        let expected = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert_eq!(options("-r a.txt"), expected("-r", "a.txt"));
        assert_eq!(options("-ra.txt"), expected("-r", "a.txt"));
        assert_eq!(
            options("--requirement=a.txt"),
            expected("--requirement", "a.txt")
        );
        assert_eq!(options("--pre"), expected("--pre", ""));
        assert!(parse_options("-c").is_err());
        assert!(parse_options("-r 'a").is_err());
    }
}
