//! What `.gitignore` files of the context keep out of git: that is in no clone, and made anew by whoever needs it.
//!
//! Reads the plain patterns only. What a pattern that is not read might say counts as not said.

use crate::context::{BuildContext, glob, path};

/// How much of a `.gitignore` is read, in bytes.
const MAX_FILE: usize = 1 << 20;

/// Whether a `.gitignore` at or above `path` keeps it out of git.
pub(super) fn is_untracked(context: &dyn BuildContext, path: &str) -> bool {
    let above = path::prefixes(path).map(path::parent);
    let mut untracked = false;
    for directory in above {
        let file = path::join(directory, ".gitignore");
        let Ok(bytes) = context.read(&file, MAX_FILE) else {
            continue;
        };
        let below = path::below(path, directory).unwrap_or(path);
        for line in String::from_utf8_lossy(&bytes).lines() {
            let line = line.trim_end();
            match line.strip_prefix('!') {
                // An exception counts for more than it says.
                Some(exception) if is_meant(exception, below) => untracked = false,
                None if is_meant(line, below) => untracked = true,
                _ => {}
            }
        }
    }
    untracked
}

/// Whether a pattern means `path`, or a directory that it is in.
fn is_meant(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_end_matches('/');
    let anywhere = pattern.strip_prefix("**/");
    let bare = anywhere.unwrap_or(pattern);
    if pattern.is_empty() || pattern.starts_with('#') || bare.contains("**") {
        return false;
    }
    let matches = |pattern: &str, name: &str| glob::matches(pattern, name) == Ok(true);
    if !bare.contains('/') {
        return path.split('/').any(|name| matches(bare, name));
    }
    let anchored = bare.trim_start_matches('/');
    anywhere.is_none() && path::prefixes(path).any(|inner| matches(anchored, inner))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::MemoryContext;

    #[test]
    fn plain_patterns_are_read() {
        let context = MemoryContext::from([
            (
                ".gitignore",
                "# x\ndist/\n/build\n*.log\n!keep.log\nweb/out\n**/tmp\nx/**/y\n",
            ),
            ("web/.gitignore", "!dist\n"),
        ]);
        let cases = [
            ("dist", true),
            ("app/dist", true),
            ("dist/a.js", true),
            ("web/dist", false),
            ("build", true),
            ("app/build", false),
            ("a.log", true),
            ("keep.log", false),
            ("web/out", true),
            ("out", false),
            ("a/tmp", true),
            ("x/z/y", false),
            ("# x", false),
        ];
        for (path, expected) in cases {
            assert_eq!(is_untracked(&context, path), expected, "{path}");
        }
    }
}
