//! A fix changed by hand: its hunks in an editor, and what comes back made into a text again.
//!
//! Takes nothing that does not stand in its place: lines that the author of the Dockerfile wrote are found again as they
//! are, and what BuildKit would refuse is given back with the reason.

use std::env;
use std::fs;
use std::io::Write;
use std::process::Command;

use crate::render::{Look, diff};
use crate::syntax::Dockerfile;

const HOW: &str = "\
# To keep a line that starts with '-', make that '-' a space.
# To leave out a line that starts with '+', delete it; change such lines as you like.
# Lines that start with '#' are left out. What BuildKit would refuse is not taken.
# Without any line the fix is as it was.
";

/// What the editor begins with.
pub(super) fn text(before: &[u8], after: &[u8]) -> Vec<u8> {
    let mut text = diff::hunks(before, after, Look::default());
    text.extend_from_slice(HOW.as_bytes());
    text
}

/// `text` after somebody changed it in the editor that VISUAL or EDITOR names.
///
/// # Errors
/// Where there is no editor, or it fails.
pub(super) fn edited(text: &[u8]) -> Result<Vec<u8>, String> {
    let named = ["VISUAL", "EDITOR"].into_iter().find_map(|name| {
        let value = env::var(name).ok()?;
        (!value.trim().is_empty()).then_some(value)
    });
    let named = named.unwrap_or_else(|| "vi".to_owned());
    let words = shlex::split(&named).unwrap_or_default();
    let [program, args @ ..] = words.as_slice() else {
        return Err(format!("`{named}` names no editor"));
    };
    let io_error = |error: std::io::Error| format!("the editor `{named}`: {error}");
    let mut file = tempfile::Builder::new()
        .prefix("dockeropt-")
        .suffix(".diff")
        .tempfile()
        .map_err(io_error)?;
    file.write_all(text).map_err(io_error)?;
    let path = file.into_temp_path();
    let status = Command::new(program).args(args).arg(&path).status();
    let status = status.map_err(io_error)?;
    if !status.success() {
        return Err(format!("the editor `{named}` ended with {status}"));
    }
    fs::read(&path).map_err(io_error)
}

/// The text that the hunks in `edited` make of `before`; `None` where there are none.
///
/// # Errors
/// Why they cannot be taken.
pub(super) fn applied(edited: &[u8], before: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let old: Vec<&[u8]> = before.split_inclusive(|byte| *byte == b'\n').collect();
    let hunks = hunks(edited)?;
    if hunks.is_empty() {
        return Ok(None);
    }
    let (mut after, mut at) = (Vec::new(), 0);
    for hunk in hunks {
        let end = hunk.start + hunk.old.len();
        let is_there = hunk.start >= at
            && old
                .get(hunk.start..end)
                .is_some_and(|lines| lines == hunk.old);
        if !is_there {
            let line = hunk.start + 1;
            return Err(format!(
                "the lines of the hunk at line {line} that start with a space or '-' are not those of the file"
            ));
        }
        after.extend(old[at..hunk.start].concat());
        after.extend(hunk.new.concat());
        at = end;
    }
    after.extend(old[at..].concat());
    let file = Dockerfile::parse(&after);
    match file.errors.first() {
        Some(error) => Err(format!("BuildKit would refuse the file: {}", error.message)),
        None => Ok(Some(after)),
    }
}

/// Lines of the file that make way for others.
#[derive(Default)]
struct Hunk {
    /// How many lines stand before it.
    start: usize,
    old: Vec<Vec<u8>>,
    new: Vec<Vec<u8>>,
    /// What the line before was.
    sign: u8,
}

fn hunks(text: &[u8]) -> Result<Vec<Hunk>, String> {
    let mut hunks: Vec<Hunk> = Vec::new();
    for (line, number) in text.split_inclusive(|byte| *byte == b'\n').zip(1..) {
        if line.starts_with(b"#") {
            continue;
        }
        if line.starts_with(b"@@") {
            let start = start(line).ok_or_else(|| format!("line {number} heads no hunk"))?;
            hunks.push(Hunk {
                start,
                ..Hunk::default()
            });
            continue;
        }
        match hunks.last_mut() {
            Some(hunk) => hunk.push(line, number)?,
            None if line.trim_ascii().is_empty() => {}
            None => return Err(format!("line {number} stands before the first hunk")),
        }
    }
    hunks.retain(|hunk| !hunk.old.is_empty() || !hunk.new.is_empty());
    Ok(hunks)
}

impl Hunk {
    fn push(&mut self, line: &[u8], number: usize) -> Result<(), String> {
        let (sign, content) = match line {
            // Editors may take away a space at the end of a line.
            b"\n" | b"\r\n" => (b' ', line),
            [sign, content @ ..] => (*sign, content),
            [] => return Ok(()),
        };
        let mut content = content.to_vec();
        if !content.ends_with(b"\n") && sign != b'\\' {
            content.push(b'\n');
        }
        match sign {
            b' ' => {
                self.old.push(content.clone());
                self.new.push(content);
            }
            b'-' => self.old.push(content),
            b'+' => self.new.push(content),
            b'\\' => self.without_newline(),
            _ => {
                return Err(format!(
                    "line {number} starts with neither a space, '-' nor '+'"
                ));
            }
        }
        self.sign = sign;
        Ok(())
    }

    /// The line before has no newline.
    fn without_newline(&mut self) {
        if self.sign != b'+' {
            self.old.last_mut().map(Vec::pop);
        }
        if self.sign != b'-' {
            self.new.last_mut().map(Vec::pop);
        }
    }
}

/// How many lines stand before the hunk with this head.
fn start(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    let range = head.strip_prefix("@@ -")?.split(' ').next()?;
    let (line, length) = range.split_once(',').unwrap_or((range, "1"));
    let line: usize = line.parse().ok()?;
    match length {
        "0" => Some(line),
        _ => line.checked_sub(1),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const BEFORE: &str = "FROM a\nENV A 1\nRUN x";
    const AFTER: &str = "FROM a\nENV A=1\nRUN x && y";

    /// What becomes of the file when these replacements are made in the editor.
    fn by_hand(changes: &[(&str, &str)]) -> Result<Option<String>, String> {
        let mut text = String::from_utf8(text(BEFORE.as_bytes(), AFTER.as_bytes())).unwrap();
        for (old, new) in changes {
            assert!(text.contains(old), "{text}");
            text = text.replace(old, new);
        }
        let after = applied(text.as_bytes(), BEFORE.as_bytes())?;
        Ok(after.map(|text| String::from_utf8(text).unwrap()))
    }

    #[test]
    fn a_hunk_that_is_not_changed_is_the_fix() {
        assert_eq!(by_hand(&[]), Ok(Some(AFTER.to_owned())));
    }

    #[test]
    fn lines_are_changed_kept_and_left_out() {
        let after = by_hand(&[("+ENV A=1", "+ENV A=2\n+ENV B=3")]);
        assert_eq!(
            after,
            Ok(Some("FROM a\nENV A=2\nENV B=3\nRUN x && y".to_owned()))
        );
        let after = by_hand(&[("-ENV A 1", " ENV A 1"), ("+ENV A=1\n", "")]);
        assert_eq!(after, Ok(Some("FROM a\nENV A 1\nRUN x && y".to_owned())));
        let after = by_hand(&[("+RUN x && y\n\\ No newline at end of file", "+RUN x && y")]);
        assert_eq!(after, Ok(Some("FROM a\nENV A=1\nRUN x && y\n".to_owned())));
    }

    #[test]
    fn what_does_not_fit_is_given_back() {
        for (old, new, reason) in [
            ("-ENV A 1", "-ENV A 3", "the lines of the hunk at line 1"),
            ("-ENV A 1\n", "", "the lines of the hunk at line 1"),
            ("+ENV A=1", "+ENW A=1", "BuildKit would refuse the file"),
            ("+ENV A=1", "ENV A=1", "line 6 starts with neither"),
            ("@@ -1", "@@ 1", "line 1 heads no hunk"),
            ("@@ -1,3", "@@ -2,3", "the lines of the hunk at line 2"),
        ] {
            let error = by_hand(&[(old, new)]).unwrap_err();
            assert!(error.starts_with(reason), "{error}");
        }
    }

    #[test]
    fn without_any_line_nothing_is_said() {
        assert_eq!(applied(b"# nothing\n\n", BEFORE.as_bytes()), Ok(None));
    }
}
