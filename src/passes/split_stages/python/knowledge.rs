//! What the rule knows of packages of Python: which are compiled, what with, and which libraries that leaves them with.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What the rule knows of Python.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in super::super) struct Knowledge {
    /// Packages of distributions that only builds need.
    pub(super) build_packages: Vec<String>,
    /// Those of them that commands of the application may run.
    pub(super) tools: Vec<String>,
    /// Commands that come with packages of Python.
    pub(super) scripts: Vec<String>,
    /// Packages of Python that need more than the small image has.
    pub(super) needs_more: Vec<String>,
    /// The options of managers of projects that say nothing of where packages go.
    pub(super) flags: BTreeMap<String, Vec<String>>,
    /// What packages of Python are compiled with, which the full image has.
    pub(super) compiled_with: BTreeMap<String, String>,
    /// The first version of a package that comes compiled, by the second number of the version of Python 3.
    pub(super) wheels: BTreeMap<String, BTreeMap<String, String>>,
    /// The libraries that programs need which were compiled with a package: the same in all releases.
    libraries: BTreeMap<String, Vec<String>>,
    /// Those that are called differently, by release.
    pub(super) libraries_of: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Knowledge {
    /// Whether this version of a package comes compiled for the Python, where that matters.
    pub(super) fn is_compiled(&self, name: &str, version: &str, minor: Option<u32>) -> bool {
        let Some(wheels) = self.wheels.get(name) else {
            return true;
        };
        let first = minor.and_then(|minor| wheels.get(&minor.to_string()));
        first.is_some_and(|first| numbers(version) >= numbers(first))
    }

    pub(super) fn has_libraries(&self, package: &str) -> bool {
        let mut releases = self.libraries_of.values();
        self.libraries.contains_key(package) || releases.any(|one| one.contains_key(package))
    }

    /// The libraries of a package for building, in this release; none where it has none.
    pub(super) fn libraries_of(
        &self,
        package: &str,
        release: Option<&str>,
    ) -> Result<Vec<String>, String> {
        if let Some(libraries) = self.libraries.get(package) {
            return Ok(libraries.clone());
        }
        if !self.has_libraries(package) {
            return Ok(Vec::new());
        }
        let release = release.and_then(|release| self.libraries_of.get(release));
        let libraries = release.and_then(|release| release.get(package));
        let libraries = libraries.cloned();
        libraries.ok_or_else(|| {
            format!("what the library of `{package}` is called in the release of the base image is not known")
        })
    }
}

pub(super) fn numbers(version: &str) -> Vec<u32> {
    let numbers = version.split('.').map_while(|part| part.parse().ok());
    numbers.collect()
}
