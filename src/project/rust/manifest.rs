//! `Cargo.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::project::{ManifestError, read};

/// What a `Cargo.toml` says. Paths are relative to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CargoToml {
    /// `[package]`; `None` for a workspace without a root package.
    pub package: Option<CargoPackage>,
    /// `[[bin]]`, as it stands; [`super::cargo_bins`] adds those that Cargo finds by itself.
    pub bins: Vec<CargoBin>,
    /// `[workspace]`
    pub workspace: Option<CargoWorkspace>,
    /// Dependencies of every kind and target, patches and replacements that are directories.
    pub path_dependencies: Vec<PathDependency>,
    /// Whether a dependency comes from a repository.
    pub has_git_dependencies: bool,
    /// The features that are asked for of dependencies that are always there, by name.
    pub features_of: BTreeMap<String, Vec<String>>,
}

/// `[package]`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CargoPackage {
    /// Name.
    pub name: String,
    /// Version; `None` where it is missing or inherited from the workspace.
    pub version: Option<String>,
    /// Edition; `None` where it is missing (2015) or inherited.
    pub edition: Option<String>,
    /// Whether the edition is inherited from the workspace.
    pub inherits_edition: bool,
    /// `build`
    pub build: BuildScript,
    /// `autobins`
    pub autobins: Option<bool>,
    /// `default-run`
    pub default_run: Option<String>,
}

/// `package.build`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BuildScript {
    /// Not set: `build.rs`, if it exists.
    #[default]
    Auto,
    /// These files.
    Paths(Vec<String>),
    /// `false`
    Disabled,
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CargoBin {
    /// Its name, which is the file's name under `target/<profile>/`.
    pub name: String,
    /// Its source; `None` where the manifest leaves it to Cargo.
    pub path: Option<String>,
}

/// `[workspace]`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CargoWorkspace {
    /// Globs of the members.
    pub members: Vec<String>,
    /// Directories that are no members.
    pub exclude: Vec<String>,
    /// What a command without `-p` builds.
    pub default_members: Vec<String>,
}

/// A dependency that is a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathDependency {
    /// Name of the dependency.
    pub name: String,
    /// The directory.
    pub path: String,
}

/// What the `Cargo.toml` of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not TOML, or a table is not of the shape that Cargo asks for.
pub fn cargo_toml(path: &str, bytes: &[u8]) -> Result<CargoToml, ManifestError> {
    let file: File = read::toml(path, bytes)?;
    let mut facts = CargoToml::default();
    let inherited = file.workspace.as_ref().map(|table| &table.dependencies);
    let own = [
        &file.dependencies,
        &file.dev_dependencies,
        &file.build_dependencies,
        &file.replace,
    ];
    let targets = file.target.values().flat_map(Dependencies::tables);
    let tables = own
        .into_iter()
        .chain(inherited)
        .chain(targets)
        .chain(file.patch.values());
    for (name, dependency) in tables.flatten() {
        let Dependency::Table { path, git, .. } = dependency else {
            continue;
        };
        facts.has_git_dependencies |= git.is_some();
        facts
            .path_dependencies
            .extend(path.as_ref().map(|path| PathDependency {
                name: name.clone(),
                path: path.clone(),
            }));
    }
    for (name, dependency) in &file.dependencies {
        if let Dependency::Table {
            optional: false,
            features,
            ..
        } = dependency
        {
            facts.features_of.insert(name.clone(), features.clone());
        }
    }
    facts.path_dependencies.sort();
    facts.path_dependencies.dedup();
    facts.workspace = file.workspace.map(CargoWorkspace::from);
    facts.bins = file.bin.into_iter().map(CargoBin::from).collect();
    facts.package = file.package.map(CargoPackage::from);
    Ok(facts)
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
struct File {
    #[serde(alias = "project")]
    package: Option<Package>,
    bin: Vec<Bin>,
    workspace: Option<WorkspaceTable>,
    dependencies: Table,
    #[serde(alias = "dev_dependencies")]
    dev_dependencies: Table,
    #[serde(alias = "build_dependencies")]
    build_dependencies: Table,
    target: BTreeMap<String, Dependencies>,
    patch: BTreeMap<String, Table>,
    replace: Table,
}

type Table = BTreeMap<String, Dependency>;

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
struct Dependencies {
    dependencies: Table,
    #[serde(alias = "dev_dependencies")]
    dev_dependencies: Table,
    #[serde(alias = "build_dependencies")]
    build_dependencies: Table,
}

impl Dependencies {
    fn tables(&self) -> [&Table; 3] {
        [
            &self.dependencies,
            &self.dev_dependencies,
            &self.build_dependencies,
        ]
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Dependency {
    Version(#[expect(dead_code, reason = "only its shape counts")] String),
    Table {
        path: Option<String>,
        git: Option<String>,
        #[serde(default)]
        optional: bool,
        #[serde(default)]
        features: Vec<String>,
    },
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
struct WorkspaceTable {
    members: Vec<String>,
    exclude: Vec<String>,
    default_members: Vec<String>,
    dependencies: Table,
}

impl From<WorkspaceTable> for CargoWorkspace {
    fn from(table: WorkspaceTable) -> Self {
        Self {
            members: table.members,
            exclude: table.exclude,
            default_members: table.default_members,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: String,
    version: Option<Inheritable>,
    edition: Option<Inheritable>,
    build: Option<Build>,
    autobins: Option<bool>,
    default_run: Option<String>,
}

/// A text, or `{ workspace = true }`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Inheritable {
    Text(String),
    Inherited {
        #[serde(rename = "workspace")]
        _workspace: bool,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Build {
    Switch(bool),
    Path(String),
    Paths(Vec<String>),
}

#[derive(Deserialize)]
struct Bin {
    name: String,
    path: Option<String>,
}

impl From<Bin> for CargoBin {
    fn from(bin: Bin) -> Self {
        Self {
            name: bin.name,
            path: bin.path,
        }
    }
}

impl From<Package> for CargoPackage {
    fn from(package: Package) -> Self {
        let inherits_edition = matches!(package.edition, Some(Inheritable::Inherited { .. }));
        let text = |value| match value {
            Some(Inheritable::Text(text)) => Some(text),
            _ => None,
        };
        Self {
            name: package.name,
            version: text(package.version),
            edition: text(package.edition),
            inherits_edition,
            build: match package.build {
                None | Some(Build::Switch(true)) => BuildScript::Auto,
                Some(Build::Switch(false)) => BuildScript::Disabled,
                Some(Build::Path(path)) => BuildScript::Paths(vec![path]),
                Some(Build::Paths(paths)) => BuildScript::Paths(paths),
            },
            autobins: package.autobins,
            default_run: package.default_run,
        }
    }
}

#[cfg(test)]
mod tests;
