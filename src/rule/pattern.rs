//! The closed vocabulary of declarative rules: `[match]` says which instructions or commands, `[rewrite]` what becomes
//! of them.
//!
//! Every key of `[match]` that is given must hold. There is no `or` between keys, no loop and no second instruction: a
//! rule that needs one names a coded pass. What cannot be known from the file (a variable in a word, an unknown base
//! image) never matches.

mod parse;

/// A declarative rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pattern {
    /// `[match]`.
    pub on: Match,
    /// `[rewrite]`; `None` for a rule that only reports.
    pub rewrite: Option<Rewrite>,
    /// What is there, in words; always given where there is no rewrite.
    pub message: Option<String>,
}

/// `[match]`: what a rule is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Match {
    /// `instruction`: its keyword, in capitals. Always given.
    pub instruction: String,
    /// `command`: the leading words of a command of a RUN, name first, each a word or a list of words that stand for
    /// each other. Flags between them are passed over, unless the pattern names one there:
    /// `["apt-get", "install"]` also finds `apt-get -y install`.
    pub command: Vec<Vec<String>>,
    /// `flag`: one of these is there: `--name` with any value, `--name=value` with this one. A flag of the command
    /// where there is a `command`, else of the instruction.
    pub flag: Vec<String>,
    /// `lacks-flag`: none of these is there.
    pub lacks_flag: Vec<String>,
    /// `value`: one of the other words is this: of the command (after its leading words, flags passed over), else of
    /// the instruction (for ENV, LABEL and ARG the values).
    pub value: Option<Glob>,
    /// `distro`: the distribution of the stage's base image is one of these, see [`DISTROS`].
    pub distro: Vec<String>,
    /// `user`: the step runs as this user; `root` is also the user of a base image that sets none.
    pub user: Option<String>,
    /// `stage = "shipped"`: the stage's layers reach a final image.
    pub shipped: bool,
    /// `base`: the base image of the stage (of the FROM itself, where that is the instruction). Holds where it is the
    /// image's name as people write it (`python`) or in full (`docker.io/library/python`), each with the tag
    /// (`python:latest` where none is written) or without.
    pub base: Option<Glob>,
}

/// `[rewrite]`: what becomes of what was matched. One key, or `drop-flag` together with `add-flag`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// `add-flag`: this flag, with its value if it has one, after the matched words of the command or after the
    /// instruction's other flags.
    pub add_flag: Option<String>,
    /// `drop-flag`: this flag goes, whatever its value.
    pub drop_flag: Option<String>,
    /// `keyword`: the instruction's new keyword.
    pub keyword: Option<String>,
    /// `command`: the words that take the place of the command's name, its first word.
    pub command: Vec<String>,
    /// `append-command`: a command that joins the end of the step with `&&`, once, unless the step already ends so.
    pub append_command: Vec<String>,
    /// `delete = true`: the command leaves its list, or the instruction the file.
    pub delete: bool,
    /// `base`: the new name of the base image; a `*` stands for what the `*` of the match's `base` stood for. Tag and
    /// digest stay, unless that pattern names a tag.
    pub base: Option<String>,
}

/// A word in which at most one `*` stands for any text, `/` and nothing included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    head: String,
    tail: Option<String>,
}

/// The distributions that `distro` may name.
pub const DISTROS: [&str; 8] = [
    "alpine",
    "amazonlinux",
    "arch",
    "debian",
    "fedora",
    "rhel",
    "suse",
    "ubuntu",
];

impl Glob {
    /// The pattern written as `text`; `None` where it has more than one `*`.
    pub fn new(text: &str) -> Option<Self> {
        let (head, tail) = match text.split_once('*') {
            Some((_, tail)) if tail.contains('*') => return None,
            Some((head, tail)) => (head, Some(tail.to_owned())),
            None => (text, None),
        };
        let head = head.to_owned();
        Some(Self { head, tail })
    }

    /// What the `*` stands for in `text`, nothing where there is no `*`; `None` where `text` is something else.
    pub fn capture<'t>(&self, text: &'t str) -> Option<&'t str> {
        let rest = text.strip_prefix(self.head.as_str())?;
        match &self.tail {
            Some(tail) => rest.strip_suffix(tail.as_str()),
            None => rest.is_empty().then_some(""),
        }
    }

    /// Whether the pattern covers the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.capture(text).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let hub = Glob::new("docker.io/*").unwrap();
        assert_eq!(
            hub.capture("docker.io/library/python"),
            Some("library/python")
        );
        assert!(!hub.matches("ghcr.io/docker.io/x"));
        let latest = Glob::new("*:latest").unwrap();
        assert!(latest.matches("node:latest"));
        assert!(!latest.matches("node:latest-slim"));
        assert!(Glob::new("node").unwrap().matches("node"));
        assert!(!Glob::new("node").unwrap().matches("nodejs"));
        assert!(!Glob::new("ab*ba").unwrap().matches("aba"));
        assert_eq!(Glob::new("*a*"), None);
    }
}
