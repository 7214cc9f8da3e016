//! `dockeropt.toml`: which rules run, how sure their fixes may claim to be, and with which options.
//!
//! The command line's `--select` and `--ignore` go through the same type. Nothing here reads a disk: the file comes as
//! text, and [`nearest`] asks its caller.
//!
//! ```toml
//! preset = "recommended"          # what runs where nothing else is said
//! select = ["apt-lists"]          # only these rules
//! ignore = ["copy-not-add"]       # not these
//! extend = ["ci/dockeropt"]       # folders with rules of your own, beside this file, and configurations: `base.toml`
//! exclude = ["vendor"]            # Dockerfiles that are not looked for
//! include = ["docker/*.build"]    # files that are Dockerfiles, whatever their names
//! baseline = "known.json"         # findings that are known
//! cache = "clean"                 # or "mount"
//! [rules.join-runs]
//! enabled = true
//! applicability = "suggestion"
//! options = { when = "all" }
//! [[overrides]]                   # for these Dockerfiles
//! paths = ["legacy"]
//! ignore = ["exec-form"]
//! [budget]
//! "backend/Dockerfile" = "400MB"
//! max-wasted = "20MB"
//! ```

mod apply;
mod budget;
mod parse;
mod paths;
mod preset;
mod schema;

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use crate::rule::{Applicability, CacheStyle};

pub use self::apply::{Decision, Origin, admit};
pub use self::budget::{Budget, Excess, Measured};
pub use self::paths::{Paths, Scoped, Taken};
pub use self::preset::Preset;
pub use self::schema::schema;

/// The name of the file.
pub const FILE_NAME: &str = "dockeropt.toml";

/// What a user has decided. The default decides nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// `preset`: which rules run where nothing else says so; `None`: those that are on by default.
    pub preset: Option<Placed<Preset>>,
    /// `select`: these rules run, even those that are off by default, and no others. `None`: those that are on.
    pub select: Option<Placed<Vec<Placed<String>>>>,
    /// `ignore`: these rules do not run.
    pub ignore: Vec<Placed<String>>,
    /// `extend`: folders with declarative rules, and configurations that this one is laid over ([`is_file`]); relative to
    /// the folder of the file.
    pub extend: Vec<Placed<PathBuf>>,
    /// `include`: files that are taken for Dockerfiles where a folder is searched.
    pub include: Vec<Placed<Paths>>,
    /// `exclude`: Dockerfiles, and folders of some, that are left out where a folder is searched.
    pub exclude: Vec<Placed<Paths>>,
    /// `baseline`: the file of the findings that are known, relative to the folder of the file.
    pub baseline: Option<Placed<PathBuf>>,
    /// `cache`: what becomes of the caches of package managers; `None`: they are cleaned.
    pub cache: Option<Placed<CacheStyle>>,
    /// `[rules.<id>]`.
    pub rules: Vec<Override>,
    /// `[[overrides]]`, in the order of the file.
    pub overrides: Vec<Scoped>,
    /// `[budget]`.
    pub budget: Budget,
}

/// `[rules.<id>]`: what a user has decided about one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// The rule.
    pub id: Placed<String>,
    /// `enabled`: whether it runs.
    pub enabled: Option<Placed<bool>>,
    /// `applicability`: less than the rule claims, never more.
    pub applicability: Option<Placed<Applicability>>,
    /// `options`: each one's name and value.
    pub options: Vec<(String, Placed<toml::Value>)>,
}

/// A value and where the user wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl Placed<PathBuf> {
    /// The path that a user wrote, from where the path of the file that it stands in is relative to.
    pub fn path(&self) -> PathBuf {
        let folder = self.place.folder().unwrap_or(Path::new(""));
        folder.join(&self.value)
    }
}

/// Whether what `extend` names is a configuration, not a folder with rules.
pub fn is_file(extended: &Path) -> bool {
    extended.extension().is_some_and(|ending| ending == "toml")
}

impl<T> Placed<T> {
    fn by_flag(flag: &'static str, value: T) -> Self {
        let place = Place::Flag(flag);
        Self { value, place }
    }
}

/// Where a user decided something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this file, on this 1-based line.
    File(PathBuf, u32),
    /// With this flag of the command line.
    Flag(&'static str),
}

impl Place {
    /// The folder of the file.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::File(path, _) => Some(path.parent().unwrap_or(Path::new(""))),
            Self::Flag(_) => None,
        }
    }
}

/// A decision that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where it was made.
    pub place: Place,
    /// What is wrong, and what is allowed.
    pub message: String,
}

impl Config {
    /// The decisions of the command line: the rule ids of each `--select` (`None` where it was not given) and
    /// `--ignore`.
    pub fn from_flags(select: Option<Vec<String>>, ignore: Vec<String>) -> Self {
        let place = |ids: Vec<String>, flag| {
            let ids = ids.into_iter().map(|id| Placed::by_flag(flag, id));
            ids.collect::<Vec<_>>()
        };
        Self {
            select: select.map(|ids| Placed::by_flag("--select", place(ids, "--select"))),
            ignore: place(ignore, "--ignore"),
            ..Self::default()
        }
    }

    /// These decisions, where `over` has not made its own. An `over` that selects rules replaces everything that says
    /// which rules run; one that only ignores rules takes more away.
    pub fn overlay(mut self, over: Config) -> Self {
        if over.select.is_some() {
            self.select = over.select;
            self.ignore.clear();
            for rule in &mut self.rules {
                rule.enabled = None;
            }
        }
        self.preset = over.preset.or(self.preset);
        self.ignore.extend(over.ignore);
        self.extend.extend(over.extend);
        self.include.extend(over.include);
        self.exclude.extend(over.exclude);
        self.baseline = over.baseline.or(self.baseline);
        self.cache = over.cache.or(self.cache);
        self.rules.extend(over.rules);
        self.overrides.extend(over.overrides);
        if !over.budget.is_empty() {
            self.budget = over.budget;
        }
        self
    }
}

/// What `read` has for the `dockeropt.toml` nearest to `file`: in its folder, else in the nearest folder above that has
/// one. `file` is absolute, else the search ends where its path begins. `read` answers `None` where there is no file.
pub fn nearest<T>(file: &Path, read: &dyn Fn(&Path) -> Option<T>) -> Option<T> {
    file.ancestors()
        .skip(1)
        .find_map(|folder| read(&folder.join(FILE_NAME)))
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

impl Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(placed: &[Placed<String>]) -> Vec<&str> {
        placed.iter().map(|id| id.value.as_str()).collect()
    }

    #[test]
    fn the_nearest_file_wins() {
        let there = |path: &Path| {
            let has = ["/w/dockeropt.toml", "/w/a/b/dockeropt.toml"].map(Path::new);
            has.contains(&path).then(|| path.to_owned())
        };
        let find = |file: &str| nearest(Path::new(file), &there);
        assert_eq!(
            find("/w/a/b/Dockerfile"),
            Some("/w/a/b/dockeropt.toml".into())
        );
        assert_eq!(find("/w/a/Dockerfile"), Some("/w/dockeropt.toml".into()));
        assert_eq!(find("/elsewhere/Dockerfile"), None);
    }

    #[test]
    fn selecting_on_the_command_line_replaces_the_files_choice() {
        let text = "select = ['a']\nignore = ['b']\n[rules.c]\nenabled = true\n";
        let file = Config::parse(Path::new(FILE_NAME), text).unwrap();
        let flags = Config::from_flags(Some(vec!["b".into()]), Vec::new());
        let both = file.clone().overlay(flags);
        assert_eq!(ids(&both.select.unwrap().value), ["b"]);
        assert!(both.ignore.is_empty());
        assert_eq!(both.rules[0].enabled, None);

        let less = file.overlay(Config::from_flags(None, vec!["a".into()]));
        assert_eq!(ids(&less.select.unwrap().value), ["a"]);
        assert_eq!(ids(&less.ignore), ["b", "a"]);
        let enabled = less.rules[0].enabled.as_ref();
        assert!(enabled.is_some_and(|enabled| enabled.value));
    }
}
