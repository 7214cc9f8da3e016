//! Paths of the build context, as text: `/`-separated, relative to it, the empty path being the context itself.
//! Never looks at a disk.

/// The directory of the file at `path`; empty for one that stands at the top.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The path that `relative` names seen from `directory`, without `.` and `..`; `None` where it is absolute, starts
/// with `~/`, or leaves the context.
pub(super) fn join(directory: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') || relative.starts_with("~/") {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(relative.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_and_cleans() {
        assert_eq!(join("a/b", "../c.txt").as_deref(), Some("a/c.txt"));
        assert_eq!(join("", "./x//y/").as_deref(), Some("x/y"));
        assert_eq!(join("a", ".").as_deref(), Some("a"));
        assert_eq!(join("a", "..").as_deref(), Some(""));
    }

    #[test]
    fn refuses_what_leaves_the_context() {
        assert_eq!(join("a", "../../b"), None);
        assert_eq!(join("a", "/etc/x"), None);
        assert_eq!(join("a", "~/x"), None);
    }

    #[test]
    fn finds_the_parent() {
        assert_eq!((parent("a/b/c"), parent("c")), ("a/b", ""));
    }
}
