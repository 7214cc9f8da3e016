//! Paths as text: `/`-separated, cleaned as Go's `path.Clean` cleans them. No file system is asked.

/// `path` as Go's `filepath.Clean` writes it: no doubled slash, no `.`, inner `..` taken back, no trailing slash; `.`
/// for nothing. A leading `/` and leading `..` of a relative path stay.
#[must_use]
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            _ => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// `path` below a root, as `path.Join("/", path)` without its first slash: `..` stops at the root (BuildKit's reading of
/// COPY sources). Empty for the root itself.
#[must_use]
pub fn clean_in_root(path: &str) -> String {
    let is_clean = |part: &str| !matches!(part, "" | "." | "..");
    if path.is_empty() || path.split('/').all(is_clean) {
        return path.to_owned();
    }
    let mut rooted = clean(&format!("/{path}"));
    rooted.remove(0);
    rooted
}

/// `path` relative to `directory`, both relative to one root: `None` where it leaves that root or is absolute. Empty
/// for the root.
#[must_use]
pub fn resolve_from(directory: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let cleaned = clean(&format!("./{directory}/{path}"));
    match cleaned.as_str() {
        "." => Some(String::new()),
        leaves if leaves == ".." || leaves.starts_with("../") => None,
        _ => Some(cleaned),
    }
}

/// The absolute path that `to` is in `directory`, which is absolute.
#[must_use]
pub fn absolute(directory: &str, to: &str) -> String {
    match to.starts_with('/') {
        true => clean(to),
        false => clean(&format!("{directory}/{to}")),
    }
}

/// The same where the directory may not be known; `None` where it matters.
#[must_use]
pub fn against(directory: Option<&str>, to: &str) -> Option<String> {
    match to.starts_with('/') {
        true => Some(clean(to)),
        false => Some(absolute(directory?, to)),
    }
}

/// `directory/name`, either of which may be empty.
#[must_use]
pub fn join(directory: &str, name: &str) -> String {
    match (directory, name) {
        ("", _) => name.to_owned(),
        (_, "") => directory.to_owned(),
        ("/", _) => format!("/{name}"),
        _ => format!("{directory}/{name}"),
    }
}

/// What follows `directory` in `path`; empty when they are equal, `None` when `path` is not below it.
#[must_use]
pub fn below<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    if directory.is_empty() {
        return Some(path);
    }
    match path.strip_prefix(directory)? {
        "" => Some(""),
        rest => rest.strip_prefix('/'),
    }
}

/// Whether the absolute `path` is the absolute `directory` or lies below it; a `/` at the directory's end counts for
/// nothing.
#[must_use]
pub fn is_at_or_below(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The directory that holds `path`; empty for a name without one.
#[must_use]
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The last name of `path`.
#[must_use]
pub fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Every directory on the way to `path` and `path` itself, outermost first: `a`, `a/b`, `a/b/c`.
pub fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let ends = path
        .match_indices('/')
        .map(|(at, _)| at)
        .chain([path.len()]);
    ends.filter_map(|end| path.get(..end))
        .filter(|prefix| !prefix.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of Go's `path.Clean` documentation: its four rules, and the empty path.
    #[test]
    fn cleans_as_go_does() {
        let table = [
            ("", "."),
            (".", "."),
            ("a//b", "a/b"),
            ("a/./b/", "a/b"),
            ("a/../b", "b"),
            ("a/..", "."),
            ("..", ".."),
            ("../../a", "../../a"),
            ("a/../../b", "../b"),
            ("/", "/"),
            ("/..", "/"),
            ("/../a", "/a"),
            ("//a", "/a"),
            ("**/../b", "b"),
        ];
        for (path, expected) in table {
            assert_eq!(clean(path), expected, "{path}");
        }
    }

    #[test]
    fn the_root_is_never_left() {
        for (path, expected) in [
            ("../x", "x"),
            ("/a/./b", "a/b"),
            (".", ""),
            ("a/../..", ""),
            ("/", ""),
        ] {
            assert_eq!(clean_in_root(path), expected, "{path}");
        }
    }

    #[test]
    fn relative_to_a_directory() {
        assert_eq!(resolve_from("a/b", "../c").as_deref(), Some("a/c"));
        assert_eq!(resolve_from("a", "..").as_deref(), Some(""));
        assert_eq!(resolve_from("", ".").as_deref(), Some(""));
        assert_eq!(resolve_from("a", "../.."), None);
        assert_eq!(resolve_from("a", "/b"), None);
    }

    #[test]
    fn parts_of_a_path() {
        assert_eq!(prefixes("a/b/c").collect::<Vec<_>>(), ["a", "a/b", "a/b/c"]);
        assert_eq!(prefixes("").count(), 0);
        assert_eq!(below("a/b", "a"), Some("b"));
        assert_eq!(below("ab", "a"), None);
        assert_eq!(below("a", "a"), Some(""));
        assert_eq!(
            (parent("a/b"), file_name("a/b"), parent("a")),
            ("a", "b", "")
        );
        assert_eq!(
            (join("/", "a"), join("", "a"), join("a", "")),
            ("/a".into(), "a".into(), "a".into())
        );
    }
}
