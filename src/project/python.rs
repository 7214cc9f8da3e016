//! Python: requirements files, `pyproject.toml`, `Pipfile`, and the older `setup.py` and `setup.cfg`.
//!
//! Sources: pip's "Requirements File Format" and `pip/_internal/req/req_file.py`, PEP 508, 517, 621 and 735, the
//! manuals of poetry, uv, hatch, PDM and setuptools_scm. `setup.py` is never run: only what it mentions is told.

mod locked;
mod pipfile;
mod poetry;
mod pyproject;
mod requirement;
mod requirement_files;
mod requirements;
mod setup;
mod workspace;

pub use locked::{LockedPackage, locked_packages};
pub use pipfile::{Pipfile, PipfileLock, pipfile, pipfile_lock};
pub use poetry::{Poetry, PoetryGroup};
pub use pyproject::{BuildSystem, GroupItem, Pyproject, Standard, Uv, pyproject};
pub use requirement::{Requirement, Source};
pub use requirement_files::{RequirementFiles, requirement_files};
pub use requirements::{Include, IncludeKind, Requirements, Target, requirements};
pub use setup::setup_version_source;
pub use workspace::uv_members;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// What computes a package's version from the repository's history: a build needs `.git` then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VersionSource {
    /// setuptools_scm, with whatever build backend.
    SetuptoolsScm,
    /// hatch-vcs.
    HatchVcs,
    /// PDM's `source = "scm"`.
    PdmScm,
    /// poetry-dynamic-versioning.
    PoetryDynamicVersioning,
    /// versioneer.
    Versioneer,
    /// pbr.
    Pbr,
    /// Another plugin that is known to read the repository.
    Other,
}

impl VersionSource {
    /// The source that a distribution, by its normalized name, is.
    fn of_distribution(name: &str) -> Option<Self> {
        Some(match name {
            "setuptools-scm" => Self::SetuptoolsScm,
            "hatch-vcs" => Self::HatchVcs,
            "poetry-dynamic-versioning" => Self::PoetryDynamicVersioning,
            "versioneer" => Self::Versioneer,
            "pbr" => Self::Pbr,
            "setuptools-git-versioning"
            | "setuptools-git"
            | "versioningit"
            | "vcs-versioning"
            | "uv-dynamic-versioning"
            | "hatch-regex-commit"
            | "dunamai"
            | "miniver" => Self::Other,
            _ => return None,
        })
    }
}

/// Where a tool's table says that a dependency comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A package index.
    Index,
    /// A file or directory, relative to the manifest.
    Path(String),
    /// A member of the same uv workspace.
    Workspace,
    /// A repository.
    Vcs(String),
    /// A download.
    Url(String),
}

/// The name of a distribution as package indexes compare it (PEP 503): lower case, `-` for runs of `-`, `_` and `.`.
pub fn normalize_name(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normalized.is_empty() {
            normalized.push('-');
        }
        normalized.push_str(&part.to_ascii_lowercase());
    }
    normalized
}

/// The tables in which poetry, pipenv and uv describe a dependency: a version, a table, or several tables of which the
/// markers choose one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Described {
    Version(String),
    Table(Description),
    Several(Vec<Description>),
}

/// One table of [`Described`]; keys that say neither where the package comes from nor its version are left out.
#[derive(Deserialize, Default)]
struct Description {
    version: Option<String>,
    path: Option<String>,
    file: Option<String>,
    git: Option<String>,
    hg: Option<String>,
    svn: Option<String>,
    url: Option<String>,
    workspace: Option<bool>,
}

impl Described {
    /// The version, where one is given.
    fn version(&self) -> Option<&str> {
        match self {
            Self::Version(version) => Some(version),
            Self::Table(table) => table.version.as_deref(),
            Self::Several(_) => None,
        }
    }

    fn origins(self) -> Vec<Origin> {
        match self {
            Self::Version(_) => vec![Origin::Index],
            Self::Table(table) => vec![table.origin()],
            Self::Several(tables) => tables.into_iter().map(Description::origin).collect(),
        }
    }
}

impl Description {
    fn origin(self) -> Origin {
        let file = |text: String| {
            if text.contains("://") {
                Origin::Url(text)
            } else {
                Origin::Path(text)
            }
        };
        if let Some(path) = self.path {
            return Origin::Path(path);
        }
        if let Some(text) = self.file {
            return file(text);
        }
        if let Some(url) = self.git.or(self.hg).or(self.svn) {
            return Origin::Vcs(url);
        }
        match (self.url, self.workspace) {
            (Some(url), _) => Origin::Url(url),
            (None, Some(true)) => Origin::Workspace,
            (None, _) => Origin::Index,
        }
    }
}

/// Name to origins, from a table of such descriptions.
fn origins(table: BTreeMap<String, Described>) -> BTreeMap<String, Vec<Origin>> {
    let entries = table.into_iter();
    entries
        .map(|(name, entry)| (name, entry.origins()))
        .collect()
}

/// One text, or a list of them.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        One(String),
        More(Vec<String>),
    }
    match Texts::deserialize(deserializer) {
        Ok(Texts::One(text)) => Ok(vec![text]),
        Ok(Texts::More(texts)) => Ok(texts),
        Err(_) => Err(D::Error::custom("expected a string or a list of strings")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalizes_names() {
        assert_eq!(normalize_name("Zope.Interface"), "zope-interface");
        assert_eq!(normalize_name("ruamel__yaml-clib"), "ruamel-yaml-clib");
    }
}
