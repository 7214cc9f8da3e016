//! Paths in a configuration: `include`, `exclude`, and `[[overrides]]`, what is decided about some Dockerfiles only.
//!
//! ```toml
//! exclude = ["vendor"]                     # beside this file: folders, files, globs
//! [[overrides]]
//! paths = ["legacy", "*.dev.Dockerfile"]
//! ignore = ["exec-form"]
//! ```

use std::fmt::{self, Display};
use std::path::Path;

use globset::{Glob, GlobMatcher};

use super::parse::read_rules;
use super::{Config, Place, Placed};
use crate::rule::read::{Fault, Item};

/// A glob of Dockerfiles, or of folders above them, relative to the folder of the configuration. A `*` goes on over
/// slashes.
#[derive(Debug, Clone)]
pub struct Paths {
    text: String,
    matcher: GlobMatcher,
}

/// What a configuration says of a file that is found in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is a Dockerfile, whatever its name.
    Included,
    /// It is left out.
    Excluded,
    /// Nothing: its name decides.
    ByName,
}

/// What is decided about the Dockerfiles at some paths.
#[derive(Debug, Clone, PartialEq)]
pub struct Scoped {
    /// The paths.
    pub paths: Vec<Paths>,
    /// Where it starts.
    pub place: Place,
    /// `select`, `ignore` and `rules`.
    pub config: Config,
}

impl Paths {
    pub(super) fn read(item: Item<'_>) -> Result<Self, Fault> {
        let (line, name, key) = (item.line, item.name.clone(), item.key.clone());
        let text = item.string()?;
        if text.is_empty() || text.starts_with('/') {
            let message = format!("`{name}` names Dockerfiles and folders relative to this file");
            return Err(Fault::new(line, message));
        }
        let glob = text
            .strip_prefix("./")
            .unwrap_or(&text)
            .trim_end_matches('/');
        let glob = Glob::new(glob);
        let glob = glob.map_err(|error| Fault::new(line, format!("in `{key}`: {error}")))?;
        let matcher = glob.compile_matcher();
        Ok(Self { text, matcher })
    }

    /// Whether the Dockerfile at `path` is one, or in a folder that is. `place` is where the glob stands; both paths are
    /// taken from folder `here`.
    fn covers(&self, place: &Place, here: &Path, path: &Path) -> bool {
        let folder = here.join(place.folder().unwrap_or(here));
        let path = here.join(path);
        let Ok(inside) = path.strip_prefix(folder) else {
            return false;
        };
        // Also on Windows a glob has slashes.
        let inside = inside.to_string_lossy().replace('\\', "/");
        let mut places = Path::new(&inside).ancestors();
        places.any(|place| self.matcher.is_match(place))
    }
}

impl Display for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Paths {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Scoped {
    pub(super) fn read(path: &Path, item: Item<'_>) -> Result<Self, Fault> {
        let keys = ["paths", "select", "ignore", "rules"];
        let place = Place::File(path.to_owned(), item.line);
        let mut table = item.table()?.only(&keys)?;
        let paths = table.need("paths")?.list();
        let paths = paths.into_iter().map(Paths::read);
        Ok(Self {
            paths: paths.collect::<Result<_, _>>()?,
            place,
            config: read_rules(path, &mut table)?,
        })
    }
}

impl Config {
    /// Which of the overrides are about the Dockerfile at `path`. It is taken from folder `here`, and so is the path of
    /// the configuration.
    pub fn covering(&self, here: &Path, path: &Path) -> Vec<usize> {
        let overrides = self.overrides.iter().enumerate();
        let covering = overrides.filter(|(_, one)| {
            let mut paths = one.paths.iter();
            paths.any(|paths| paths.covers(&one.place, here, path))
        });
        covering.map(|(at, _)| at).collect()
    }

    /// Whether the file at `path` is taken where its folder is searched; paths as in [`Config::covering`].
    pub fn takes(&self, here: &Path, path: &Path) -> Taken {
        let is_one = |all: &[Placed<Paths>]| {
            let mut all = all.iter();
            all.any(|one| one.value.covers(&one.place, here, path))
        };
        if is_one(&self.exclude) {
            Taken::Excluded
        } else if is_one(&self.include) {
            Taken::Included
        } else {
            Taken::ByName
        }
    }

    /// The decisions with those of these overrides, the last one above all.
    pub fn with(&self, overrides: &[usize]) -> Config {
        let chosen = overrides.iter().filter_map(|at| self.overrides.get(*at));
        chosen.fold(self.clone(), |config, one| {
            config.overlay(one.config.clone())
        })
    }
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
        let covering = |path: &str| config.covering(Path::new("/w"), Path::new(path));
        assert_eq!(covering("legacy/a/Dockerfile"), [0, 1]);
        assert_eq!(covering("web/Dockerfile"), [0, 1]);
        assert_eq!(covering("a/b.dev.Dockerfile"), [0, 1]);
        assert_eq!(covering("Dockerfile"), [1]);
        assert_eq!(covering("a/legacy/Dockerfile"), [1]);
    }

    #[test]
    fn paths_are_those_beside_the_file() {
        let text = "exclude = ['a', 'docs/*.old']\ninclude = ['docs']";
        let config = Config::parse(Path::new("web/base.toml"), text).unwrap();
        let takes = |path: &str| config.takes(Path::new("/w"), Path::new(path));
        assert_eq!(takes("web/a/Dockerfile"), Taken::Excluded);
        assert_eq!(takes("a/Dockerfile"), Taken::ByName);
        assert_eq!(takes("web/Dockerfile"), Taken::ByName);
        assert_eq!(takes("/w/web/docs/image"), Taken::Included);
        assert_eq!(takes("web/docs/image.old"), Taken::Excluded);
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
            error.starts_with("dockeropt.toml:2: in `overrides.paths`: "),
            "{error}"
        );
    }
}
