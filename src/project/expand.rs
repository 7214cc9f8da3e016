//! Workspace globs: the directories of the context that patterns such as `packages/*` name. Lists no directory that a
//! pattern cannot reach, and gives up on trees that are too large to walk.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobMatcher};

use super::{ManifestError, path, read};
use crate::context::BuildContext;

/// The most entries that one expansion looks at.
const ENTRIES: usize = 50_000;

/// The most patterns of one expansion.
const PATTERNS: usize = 1_000;

/// The most directories that a pattern goes down.
const DEPTH: usize = 12;

/// The paths of the files called `name` in the directories that `patterns` name, sorted, without the root's own.
/// `manifest` is the file of the root that holds the patterns.
///
/// # Errors
/// A pattern is malformed or leaves the context, or the tree is too large.
pub(super) fn members<'p>(
    context: &dyn BuildContext,
    manifest: &str,
    patterns: impl IntoIterator<Item = &'p str>,
    name: &str,
) -> Result<Vec<String>, ManifestError> {
    let root = path::parent(manifest);
    let directories = directories(context, root, patterns)
        .map_err(|message| ManifestError::new(manifest, None, message))?;
    let members = directories
        .into_iter()
        .filter(|directory| directory != root);
    let manifests = members.filter_map(|directory| path::join(&directory, name));
    Ok(manifests
        .filter(|path| read::is_file(context, path))
        .collect())
}

/// The directories below `base` that `patterns` name, sorted, relative to the context. A pattern that starts with `!`
/// takes away what the patterns before it named. Never goes into `node_modules` and hidden directories.
///
/// # Errors
/// A message: a pattern is malformed or leaves the context, or the tree is too large.
pub(super) fn directories<'p>(
    context: &dyn BuildContext,
    base: &str,
    patterns: impl IntoIterator<Item = &'p str>,
) -> Result<Vec<String>, String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut budget = ENTRIES;
    for (number, pattern) in patterns.into_iter().enumerate() {
        if number >= PATTERNS {
            return Err("a workspace has more patterns than dockeropt looks at".to_owned());
        }
        if let Some(negated) = pattern.strip_prefix('!') {
            let pattern = Pattern::new(base, negated)?;
            found.retain(|directory| !pattern.matches(directory));
            continue;
        }
        let pattern = Pattern::new(base, pattern)?;
        if !read::is_directory(context, &pattern.root) {
            continue;
        }
        if pattern.depth == 0 {
            found.insert(pattern.root);
            continue;
        }
        let root = pattern.root.clone();
        walk(
            context,
            &pattern,
            &root,
            pattern.depth,
            &mut budget,
            &mut found,
        )?;
    }
    Ok(found.into_iter().collect())
}

/// A pattern of a workspace, seen from the context.
struct Pattern {
    /// The directory that its components without wildcards name.
    root: String,
    /// How many directories below `root` it can name; 0 for no wildcard.
    depth: usize,
    glob: GlobMatcher,
}

impl Pattern {
    fn new(base: &str, text: &str) -> Result<Self, String> {
        let malformed = |reason: &str| format!("the pattern `{text}` {reason}");
        let parts: Vec<&str> = text
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        let plain = |part: &&&str| !part.contains(['*', '?', '[', ']', '{', '}', '(', ')', '\\']);
        let literal: Vec<&str> = parts.iter().take_while(plain).copied().collect();
        let rest = &parts[literal.len()..];
        let root = path::join(base, &literal.join("/"))
            .filter(|_| !text.starts_with('/') && !rest.contains(&".."))
            .ok_or_else(|| malformed("leaves the build context"))?;
        if text.contains('(') {
            return Err(malformed("is an extended glob"));
        }
        if rest.len() > DEPTH {
            return Err(malformed("is too deep"));
        }
        let rest_text = rest.join("/");
        let unbounded = rest.iter().any(|part| part.contains("**"));
        let depth = if unbounded { DEPTH } else { rest.len() };
        let whole = match (root.as_str(), rest_text.as_str()) {
            ("", rest) => rest.to_owned(),
            (root, "") => globset::escape(root),
            (root, rest) => format!("{}/{rest}", globset::escape(root)),
        };
        let glob = GlobBuilder::new(&whole)
            .literal_separator(true)
            .build()
            .map_err(|error| malformed(&format!("is malformed: {}", error.kind())))?;
        Ok(Self {
            root,
            depth,
            glob: glob.compile_matcher(),
        })
    }

    fn matches(&self, directory: &str) -> bool {
        self.glob.is_match(directory)
    }
}

fn walk(
    context: &dyn BuildContext,
    pattern: &Pattern,
    directory: &str,
    depth: usize,
    budget: &mut usize,
    found: &mut BTreeSet<String>,
) -> Result<(), String> {
    if depth == 0 {
        return Ok(());
    }
    for name in context.list(directory) {
        *budget = budget
            .checked_sub(1)
            .ok_or("a workspace pattern reaches more entries than dockeropt looks at")?;
        if name.starts_with('.') || name == "node_modules" {
            continue;
        }
        let Some(child) = path::join(directory, &name) else {
            continue;
        };
        if !read::is_directory(context, &child) {
            continue;
        }
        if pattern.matches(&child) {
            found.insert(child.clone());
        }
        walk(context, pattern, &child, depth - 1, budget, found)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::files;

    fn expand(patterns: &[&str]) -> Vec<String> {
        let context = files(&[
            ("web/packages/a/package.json", ""),
            ("web/packages/b/package.json", ""),
            ("web/packages/b/node_modules/c/package.json", ""),
            ("web/packages/group/d/package.json", ""),
            ("web/packages/.hidden/package.json", ""),
            ("web/packages/README.md", ""),
            ("web/apps/site/package.json", ""),
            ("other/e/package.json", ""),
        ]);
        directories(&context, "web", patterns.iter().copied()).unwrap()
    }

    #[test]
    fn expands_stars_one_level_deep() {
        let found = expand(&["packages/*"]);
        assert_eq!(
            found,
            ["web/packages/a", "web/packages/b", "web/packages/group"]
        );
        assert_eq!(expand(&["./packages/a/"]), ["web/packages/a"]);
        assert!(expand(&["missing/*"]).is_empty());
    }

    #[test]
    fn expands_double_stars_and_braces() {
        assert!(expand(&["packages/**"]).contains(&"web/packages/group/d".to_owned()));
        assert!(!expand(&["packages/**"]).iter().any(|d| d.contains("/c")));
        let braces = expand(&["{packages,apps}/*"]);
        assert!(braces.contains(&"web/apps/site".to_owned()));
        assert!(braces.contains(&"web/packages/a".to_owned()));
    }

    #[test]
    fn takes_away_what_is_negated() {
        let found = expand(&["packages/*", "!packages/b", "!**/group"]);
        assert_eq!(found, ["web/packages/a"]);
    }

    #[test]
    fn a_base_with_glob_characters_is_literal() {
        let context = files(&[("[x]/p/a/package.json", "")]);
        let found = directories(&context, "[x]", ["p/*"]).unwrap();
        assert_eq!(found, ["[x]/p/a"]);
    }

    #[test]
    fn refuses_what_it_cannot_follow() {
        let context = files(&[]);
        for pattern in ["/abs/*", "../*", "a/*/../b", "+(a|b)/*", "a/[z-"] {
            assert!(
                directories(&context, "", [pattern]).is_err(),
                "{pattern} is accepted"
            );
        }
    }
}
