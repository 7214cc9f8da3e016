//! `.dockerignore`, as BuildKit reads and applies it.
//!
//! Which file: `<Dockerfile>.dockerignore` beside the Dockerfile, else `.dockerignore` at the root of the context.
//! What it says: each path is decided from the outermost directory inwards, the last pattern that matches it or one of
//! its parents wins. A parent counts where the pattern had a say on it: an exception (`!keep`) below which nothing was
//! ignored yet does not protect `keep/x.log` from `**/*.log`. (BuildKit's client walks the tree this way. Its linter asks
//! about lone paths and answers otherwise there.)
//!
//! This module never lists a directory. What it cannot read as BuildKit would is an error, never a guess.

use super::glob;
use super::path;
use super::{BuildContext, Entry};

mod pattern;
use pattern::Pattern;

/// The name of the file at the root of the context.
pub const FILE_NAME: &str = ".dockerignore";

/// The longest line that BuildKit's reader takes, in bytes without the line feed.
const MAX_LINE: usize = 65_535;

/// How much of an ignore file is read, in bytes; a longer one is an error.
const MAX_FILE: usize = 4 << 20;

/// The patterns of one ignore file, in order.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

/// An ignore file that BuildKit refuses (the build fails), or that cannot be read as BuildKit does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreError {
    /// Path of the file, where it is known.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for IgnoreError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} line {}: {}", self.file, self.line, self.reason)
    }
}

impl std::error::Error for IgnoreError {}

/// What the patterns say of one directory: where the decision on what it holds begins.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Whether the path is ignored. What is below it may still be excepted.
    pub ignored: bool,
    matched: Vec<bool>,
}

impl Ignore {
    /// Reads the text of an ignore file.
    ///
    /// # Errors
    /// A malformed pattern, a `!` with nothing behind it, a line above 65,535 bytes: BuildKit fails the build.
    /// An escape that Go's regular expressions read in their own way (`\x`, `\p`) is refused here too.
    pub fn parse(text: &[u8]) -> Result<Self, IgnoreError> {
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        let mut patterns = Vec::new();
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let error = |reason| IgnoreError {
                file: FILE_NAME.to_owned(),
                line: index + 1,
                reason,
            };
            if line.len() > MAX_LINE {
                return Err(error(format!("a line of {} bytes", line.len())));
            }
            if let Some(pattern) = parse_line(&String::from_utf8_lossy(line)).map_err(error)? {
                patterns.push(pattern);
            }
        }
        Ok(Self { patterns })
    }

    /// Whether `path`, relative to the context, is kept out of it. The context itself never is.
    #[must_use]
    pub fn ignores(&self, path: &str) -> bool {
        let path = path::clean_in_root(path);
        path::prefixes(&path)
            .fold(self.root(), |parent, inner| self.enter(&parent, inner))
            .ignored
    }

    /// The verdict on the context directory.
    #[must_use]
    pub fn root(&self) -> Verdict {
        Verdict {
            ignored: false,
            matched: vec![false; self.patterns.len()],
        }
    }

    /// The verdict on `path`, a cleaned path whose directory has the verdict `parent`. For walks: it costs one match a
    /// pattern.
    #[must_use]
    pub fn enter(&self, parent: &Verdict, path: &str) -> Verdict {
        let mut ignored = false;
        let matched = self
            .patterns
            .iter()
            .zip(&parent.matched)
            .map(|(pattern, parent_matched)| {
                // A pattern that could not change the verdict is not asked, which its children remember.
                let matches =
                    *parent_matched || (pattern.exception == ignored && pattern.matches(path));
                if matches {
                    ignored = !pattern.exception;
                }
                matches
            });
        let matched = matched.collect();
        Verdict { ignored, matched }
    }

    /// Whether something below the ignored directory `path` may be excepted. `true` where only a walk can tell.
    #[must_use]
    pub fn may_except_below(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.patterns
            .iter()
            .any(|pattern| pattern.exception && pattern.may_match_below(&below))
    }

    /// Whether there is no pattern at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns, cleaned, with `!` before exceptions.
    pub fn patterns(&self) -> impl Iterator<Item = String> + '_ {
        self.patterns.iter().map(ToString::to_string)
    }
}

/// The ignore file that holds for a Dockerfile, and its path in `workspace`; none where there is no such file.
/// `directory` is the context and `dockerfile` the Dockerfile, both paths in `workspace`.
///
/// # Errors
/// As [`Ignore::parse`], and a file that cannot be read.
pub fn load(
    workspace: &dyn BuildContext,
    directory: &str,
    dockerfile: &str,
) -> Result<(Option<String>, Ignore), IgnoreError> {
    let candidates = [
        format!("{dockerfile}{FILE_NAME}"),
        path::join(directory, FILE_NAME),
    ];
    let Some((file, size)) = candidates
        .into_iter()
        .find_map(|file| match workspace.entry(&file) {
            Some(Entry::File(size)) => Some((file, size)),
            _ => None,
        })
    else {
        return Ok((None, Ignore::default()));
    };
    let fail = |reason: String| IgnoreError {
        file: file.clone(),
        line: 1,
        reason,
    };
    if size > MAX_FILE as u64 {
        return Err(fail(format!("{size} bytes are more than is read")));
    }
    let text = workspace
        .read(&file, MAX_FILE)
        .map_err(|error| fail(error.to_string()))?;
    let ignore = Ignore::parse(&text).map_err(|error| IgnoreError {
        file: file.clone(),
        ..error
    })?;
    Ok((Some(file), ignore))
}

/// The pattern of one line; `None` for a comment or a blank line.
fn parse_line(line: &str) -> Result<Option<Pattern>, String> {
    if line.starts_with('#') {
        return Ok(None);
    }
    let line = line.trim();
    if line.is_empty() {
        return Ok(None);
    }
    let (exception, text) = match line.strip_prefix('!') {
        Some(rest) => (true, rest.trim()),
        None => (false, line),
    };
    let mut text = relative(text);
    // The matcher cleans `!/` to the `!` that it refuses.
    if exception && matches!(text.as_str(), "" | "/") {
        return Err("`!` with no pattern behind it".to_owned());
    }
    if !exception {
        // The matcher trims and cleans again, which shows where a `/` hid a blank.
        text = relative(text.trim());
        if text.is_empty() {
            return Ok(None);
        }
    }
    glob::validate(&text).map_err(|_| format!("malformed pattern `{text}`"))?;
    Pattern::new(&text, exception).map(Some)
}

/// `text` cleaned and without its leading `/`; a lone `/` stays, and matches nothing.
fn relative(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let cleaned = path::clean(text);
    match cleaned.strip_prefix('/') {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => cleaned,
    }
}

#[cfg(test)]
mod tests;
