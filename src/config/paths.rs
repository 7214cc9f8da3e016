//! `[[overrides]]`: what is decided about some Dockerfiles only.
//!
//! ```toml
//! [[overrides]]
//! paths = ["legacy", "*.dev.Dockerfile"]   # beside this file: folders, files, globs
//! ignore = ["exec-form"]
//! ```

use std::path::Path;

use globset::{Glob, GlobMatcher};

use super::parse::read_rules;
use super::{Config, Place};
use crate::rule::read::{Fault, Item};

/// What is decided about the Dockerfiles at some paths.
#[derive(Debug, Clone, PartialEq)]
pub struct Scoped {
    /// Globs of Dockerfiles, or of folders above them, relative to the folder of the configuration. A `*` goes on over
    /// slashes.
    pub paths: Vec<String>,
    /// Where it starts.
    pub place: Place,
    /// `select`, `ignore` and `rules`.
    pub config: Config,
}

impl Scoped {
    pub(super) fn read(path: &Path, item: Item<'_>) -> Result<Self, Fault> {
        let keys = ["paths", "select", "ignore", "rules"];
        let place = Place::File(path.to_owned(), item.line);
        let mut table = item.table()?.only(&keys)?;
        let paths = table.need("paths")?.list();
        let paths = paths.into_iter().map(read_glob);
        Ok(Self {
            paths: paths.collect::<Result<_, _>>()?,
            place,
            config: read_rules(path, &mut table)?,
        })
    }

    /// Whether it is about the Dockerfile at `path`, relative to the folder of the configuration, with slashes.
    pub fn covers(&self, path: &str) -> bool {
        let matchers: Vec<GlobMatcher> = self
            .paths
            .iter()
            .filter_map(|one| matcher(one).ok())
            .collect();
        let mut places = Path::new(path).ancestors();
        places.any(|place| matchers.iter().any(|one| one.is_match(place)))
    }
}

impl Config {
    /// Which of the overrides are about the Dockerfile at `path`, as [`Scoped::covers`] takes it.
    pub fn covering(&self, path: &str) -> Vec<usize> {
        let overrides = self.overrides.iter().enumerate();
        let covering = overrides.filter(|(_, one)| one.covers(path));
        covering.map(|(at, _)| at).collect()
    }

    /// The decisions with those of these overrides, the last one above all.
    pub fn with(&self, overrides: &[usize]) -> Config {
        let chosen = overrides.iter().filter_map(|at| self.overrides.get(*at));
        chosen.fold(self.clone(), |config, one| {
            config.overlay(one.config.clone())
        })
    }
}

fn read_glob(item: Item<'_>) -> Result<String, Fault> {
    let line = item.line;
    let glob = item.string()?;
    if glob.is_empty() || glob.starts_with('/') {
        let message = "`paths` names Dockerfiles and folders relative to this file";
        return Err(Fault::new(line, message));
    }
    let found = matcher(&glob).map(|_| glob);
    found.map_err(|error| Fault::new(line, format!("in `overrides`: {error}")))
}

fn matcher(glob: &str) -> Result<GlobMatcher, globset::Error> {
    let glob = glob
        .strip_prefix("./")
        .unwrap_or(glob)
        .trim_end_matches('/');
    Ok(Glob::new(glob)?.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        let config = Config::parse(Path::new("dockeropt.toml"), text);
        config.map_err(|error| error.to_string())
    }

    #[test]
    fn folders_files_and_globs_are_covered() {
        let text = "[[overrides]]\npaths = ['legacy/', './web/Dockerfile', '*.dev.Dockerfile']\n\
                    [[overrides]]\npaths = '*'\n";
        let config = parse(text).unwrap();
        assert_eq!(config.covering("legacy/a/Dockerfile"), [0, 1]);
        assert_eq!(config.covering("web/Dockerfile"), [0, 1]);
        assert_eq!(config.covering("a/b.dev.Dockerfile"), [0, 1]);
        assert_eq!(config.covering("Dockerfile"), [1]);
        assert_eq!(config.covering("a/legacy/Dockerfile"), [1]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, expected) in [
            (
                "[[overrides]]\nignore = []",
                "1: `overrides.paths` is missing",
            ),
            (
                "[[overrides]]\npaths = ['/a']",
                "2: `paths` names Dockerfiles and folders relative to this file",
            ),
            (
                "[[overrides]]\npaths = ['a']\ncache = 'mount'",
                "3: in `overrides`: unknown key `cache` (allowed: `paths`, `select`, `ignore`, `rules`)",
            ),
        ] {
            assert_eq!(
                parse(text).unwrap_err(),
                format!("dockeropt.toml:{expected}")
            );
        }
        let error = parse("[[overrides]]\npaths = ['a[']").unwrap_err();
        assert!(
            error.starts_with("dockeropt.toml:2: in `overrides`: "),
            "{error}"
        );
    }
}
