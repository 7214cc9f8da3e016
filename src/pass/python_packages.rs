//! What packages of Python need of the image in which they run, where they are compiled against libraries of the
//! distribution: the table `rules/data/python.toml`.
//!
//! Of a package that no table names nothing is known: it is taken to bring what it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::reasons::Reasons;
use crate::model::state::State;
use crate::project::python::{Requirement, Source};

/// The libraries of packages of the distribution, by release.
type Libraries = BTreeMap<String, BTreeMap<String, Vec<String>>>;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    /// Commands that come with packages of Python.
    scripts: Vec<String>,
    /// Packages of Python that need more than the small image has.
    needs_more: Vec<String>,
    /// What packages of Python are compiled with, which the full image has.
    compiled_with: BTreeMap<String, String>,
    /// The first version of a package that comes compiled, by the second number of the version of Python 3.
    wheels: BTreeMap<String, BTreeMap<String, String>>,
    /// The libraries that programs need which were compiled with a package: the same in all releases.
    libraries: BTreeMap<String, Vec<String>>,
    /// Those that are called differently, by release.
    libraries_of: Libraries,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(data!("python")).unwrap_or_default());

/// Whether a command comes with a package of Python.
pub fn is_script(name: &str) -> bool {
    TABLE.scripts.iter().any(|one| one == name)
}

/// Whether a package of Python needs more than the small image has.
pub fn needs_more(name: &str) -> bool {
    TABLE.needs_more.iter().any(|one| one == name)
}

/// Whether a package of the distribution is known to be there to compile with a library, or with none.
pub fn has_libraries(package: &str) -> bool {
    let mut releases = TABLE.libraries_of.values();
    TABLE.libraries.contains_key(package) || releases.any(|one| one.contains_key(package))
}

/// The second number of a version of Python 3.
pub fn minor(version: Option<&str>) -> Option<u32> {
    version?.strip_prefix("3.")?.split('.').next()?.parse().ok()
}

/// The numbers of a version, up to the first part that is none.
pub fn numbers(version: &str) -> Vec<u32> {
    let numbers = version.split('.').map_while(|part| part.parse().ok());
    numbers.collect()
}

/// What a stage installs of Python, and what it compiles that with.
#[derive(Debug, Default)]
pub struct Needs {
    /// The packages of Python that are named, those of requirements files too.
    required: BTreeSet<String>,
    /// Those of them of which an old version may be asked for, with the version.
    held: Vec<(String, String)>,
    /// Packages of the distribution.
    pub system: BTreeSet<String>,
}

impl Needs {
    /// Adds what a requirement names; `shown` installs it.
    ///
    /// # Errors
    /// It is installed from the source, or is not known.
    pub fn require(&mut self, one: &Requirement, shown: &str) -> Result<(), String> {
        match &one.source {
            _ if one.editable => Err(format!("`{shown}` installs from the source")),
            Source::Local(_) => Err(format!("`{shown}` installs from the source")),
            Source::Computed(text) => Err(format!("what `{text}` is is not known")),
            Source::Url(_) | Source::Vcs(_) => Ok(()),
            Source::Index {
                name,
                extras,
                specifier,
            } => {
                let held = specifier.split(',').map(str::trim);
                let held = held.filter(|one| !one.starts_with(['>', '!']) && !one.is_empty());
                self.held.extend(held.map(|one| {
                    let version = one.trim_start_matches(['=', '<', '~', ' ']);
                    (name.clone(), version.to_owned())
                }));
                // The binary package has its library.
                if !extras.iter().any(|extra| extra == "binary") {
                    self.required.insert(name.clone());
                }
                let with = extras.iter().map(|extra| format!("{name}[{extra}]"));
                self.required.extend(with);
                Ok(())
            }
        }
    }

    /// Adds a version of a package; an empty one stands for any.
    pub fn add(&mut self, name: String, version: String) {
        self.held.push((name.clone(), version));
        self.required.insert(name);
    }

    /// The packages of the distribution with the libraries that the packages of Python need, in a stage that ends in this
    /// state.
    ///
    /// # Errors
    /// One needs more, or what it needs is not known.
    pub fn libraries(
        &self,
        end: &State,
        reasons: &mut Reasons,
    ) -> Result<BTreeSet<String>, String> {
        let mut libraries = BTreeSet::new();
        let release = end.release();
        for (package, compiled) in self.compiled_with(end)? {
            for library in libraries_of(&package, release)? {
                let why = format!("installed: the library of `{package}`{compiled}");
                reasons.say(library.clone(), why);
                libraries.insert(library);
            }
        }
        match release.filter(|release| !TABLE.libraries_of.contains_key(*release)) {
            Some(release) if !libraries.is_empty() => Err(format!(
                "what `{release}` calls the library `{}` is not known",
                libraries.first().map(String::as_str).unwrap_or_default()
            )),
            _ => Ok(libraries),
        }
    }

    /// The packages of the distribution that packages of Python are compiled with, each with who is.
    fn compiled_with(&self, end: &State) -> Result<BTreeMap<String, String>, String> {
        let installed = self.system.iter();
        let installed = installed.map(|package| (package.clone(), String::new()));
        let mut packages: BTreeMap<String, String> = installed.collect();
        let compiled = |name: &str| format!(", with which `{name}` is compiled");
        for name in &self.required {
            if needs_more(name) {
                return Err(format!("`{name}` needs more than the small image has"));
            }
            let with = TABLE.compiled_with.get(name);
            let with = with.filter(|_| !TABLE.wheels.contains_key(name));
            packages.extend(with.map(|with| (with.clone(), compiled(name))));
        }
        let minor = minor(end.base().version.as_deref());
        for (name, version) in &self.held {
            if is_compiled(name, version, minor) {
                continue;
            }
            let with = TABLE.compiled_with.get(name).cloned();
            let with = with.ok_or_else(|| {
                format!("whether `{name}` {version} is compiled when it is installed is not known")
            })?;
            packages.insert(with, compiled(name));
        }
        Ok(packages)
    }
}

/// Whether this version of a package comes compiled for the Python, where that matters.
fn is_compiled(name: &str, version: &str, minor: Option<u32>) -> bool {
    let Some(wheels) = TABLE.wheels.get(name) else {
        return true;
    };
    let first = minor.and_then(|minor| wheels.get(&minor.to_string()));
    first.is_some_and(|first| numbers(version) >= numbers(first))
}

/// The libraries of a package for building, in this release; none where it has none.
fn libraries_of(package: &str, release: Option<&str>) -> Result<Vec<String>, String> {
    if let Some(libraries) = TABLE.libraries.get(package) {
        return Ok(libraries.clone());
    }
    if !has_libraries(package) {
        return Ok(Vec::new());
    }
    let release = release.and_then(|release| TABLE.libraries_of.get(release));
    let libraries = release.and_then(|release| release.get(package));
    let libraries = libraries.cloned();
    libraries.ok_or_else(|| {
        format!("what the library of `{package}` is called in the release of the base image is not known")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let table = serde_json::from_str::<Table>(data!("python"));
        assert_eq!(table.err().map(|error| error.to_string()), None);
    }
}
