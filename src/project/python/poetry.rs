//! `[tool.poetry]` of a `pyproject.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Described, Origin, one_or_more, origins};

/// What poetry's own table says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Poetry {
    /// Name of the package.
    pub name: Option<String>,
    /// Whether poetry installs the project itself (`package-mode`, true unless it says false).
    pub package_mode: bool,
    /// Main dependencies by name, without `python`; several origins where markers choose.
    pub dependencies: BTreeMap<String, Vec<Origin>>,
    /// The other groups by name; `dev-dependencies` of old files is group `dev`.
    pub groups: BTreeMap<String, PoetryGroup>,
    /// The names of its console scripts.
    pub scripts: Vec<String>,
    /// Readme files, which a build of the package reads.
    pub readme: Vec<String>,
}

/// A group of dependencies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoetryGroup {
    /// Installed only when it is asked for.
    pub optional: bool,
    /// Dependencies by name.
    pub dependencies: BTreeMap<String, Vec<Origin>>,
}

impl Poetry {
    /// The dependencies of all groups that are files or directories: name and path, relative to the manifest.
    pub fn path_dependencies(&self) -> impl Iterator<Item = (&str, &str)> {
        let groups = self.groups.values().map(|group| &group.dependencies);
        let tables = std::iter::once(&self.dependencies).chain(groups);
        tables.flatten().flat_map(|(name, origins)| {
            origins.iter().filter_map(move |origin| match origin {
                Origin::Path(path) => Some((name.as_str(), path.as_str())),
                _ => None,
            })
        })
    }
}

/// The table as it stands.
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Table {
    name: Option<String>,
    package_mode: Option<bool>,
    build: Option<toml::Value>,
    scripts: BTreeMap<String, toml::Value>,
    dependencies: BTreeMap<String, Described>,
    dev_dependencies: BTreeMap<String, Described>,
    group: BTreeMap<String, Group>,
    #[serde(deserialize_with = "one_or_more")]
    readme: Vec<String>,
}

impl Table {
    /// Whether a script builds part of the package.
    pub(super) fn has_script(&self) -> bool {
        self.build.is_some()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Group {
    optional: bool,
    dependencies: BTreeMap<String, Described>,
}

impl From<Table> for Poetry {
    fn from(table: Table) -> Self {
        let mut dependencies = origins(table.dependencies);
        dependencies.remove("python");
        let mut groups: BTreeMap<String, PoetryGroup> = BTreeMap::new();
        for (name, group) in table.group {
            let dependencies = origins(group.dependencies);
            let optional = group.optional;
            groups.insert(
                name,
                PoetryGroup {
                    optional,
                    dependencies,
                },
            );
        }
        let dev = origins(table.dev_dependencies);
        if !dev.is_empty() {
            let group = groups.entry("dev".to_owned()).or_default();
            group.dependencies.extend(dev);
        }
        Self {
            name: table.name,
            package_mode: table.package_mode.unwrap_or(true),
            dependencies,
            groups,
            scripts: table.scripts.into_keys().collect(),
            readme: table.readme,
        }
    }
}
