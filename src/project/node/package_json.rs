//! `package.json`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Spec, texts};
use crate::project::{ManifestError, read};

/// What a `package.json` says. Texts of dependencies are verbatim; [`PackageJson::specs`] takes them apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageJson {
    /// `name`
    pub name: Option<String>,
    /// `version`
    pub version: Option<String>,
    /// `private`
    pub private: bool,
    /// `scripts`, name to command.
    pub scripts: BTreeMap<String, String>,
    /// `dependencies`
    pub dependencies: BTreeMap<String, String>,
    /// `devDependencies`
    pub dev_dependencies: BTreeMap<String, String>,
    /// `optionalDependencies`
    pub optional_dependencies: BTreeMap<String, String>,
    /// `peerDependencies`
    pub peer_dependencies: BTreeMap<String, String>,
    /// Globs of the workspace's members, from either form; `None` where it is no workspace.
    pub workspaces: Option<Vec<String>>,
    /// `packageManager`
    pub package_manager: Option<Manager>,
    /// `bin`: name to path; a single path has the package's name without its scope.
    pub bin: BTreeMap<String, String>,
    /// `main`
    pub main: Option<String>,
    /// `type`: `module` or `commonjs`.
    pub module_type: Option<String>,
    /// `engines`
    pub engines: BTreeMap<String, String>,
    /// Texts of `overrides` (npm, pnpm) and `resolutions` (yarn), however deep.
    pub overrides: Vec<String>,
    /// `pnpm.patchedDependencies`: package to patch file.
    pub patched_dependencies: BTreeMap<String, String>,
}

/// `packageManager`: which one corepack runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manager {
    /// `npm`, `yarn`, `pnpm` or `bun`.
    pub name: String,
    /// The version, without a hash.
    pub version: String,
}

impl Manager {
    /// The first number of the version.
    pub fn major(&self) -> Option<u32> {
        self.version.split('.').next()?.parse().ok()
    }
}

/// Where a dependency stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `dependencies`
    Production,
    /// `devDependencies`
    Dev,
    /// `optionalDependencies`
    Optional,
    /// `peerDependencies`
    Peer,
}

impl PackageJson {
    /// The scripts that an install of this directory runs, in npm's order. Where there is neither `preinstall` nor
    /// `install`, a `binding.gyp` beside the file makes npm run `node-gyp rebuild`.
    pub fn lifecycle_scripts(&self) -> impl Iterator<Item = (&str, &str)> {
        const NAMES: [&str; 8] = [
            "preinstall",
            "install",
            "postinstall",
            "prepublish",
            "preprepare",
            "prepare",
            "postprepare",
            "dependencies",
        ];
        NAMES.iter().filter_map(|name| {
            let (name, command) = self.scripts.get_key_value(*name)?;
            Some((name.as_str(), command.as_str()))
        })
    }

    /// All dependencies: where each stands, its name and what it names.
    pub fn specs(&self) -> impl Iterator<Item = (Section, &str, Spec)> {
        let sections = [
            (Section::Production, &self.dependencies),
            (Section::Dev, &self.dev_dependencies),
            (Section::Optional, &self.optional_dependencies),
            (Section::Peer, &self.peer_dependencies),
        ];
        sections.into_iter().flat_map(|(section, table)| {
            let entries = table.iter();
            entries.map(move |(name, text)| (section, name.as_str(), Spec::parse(text)))
        })
    }

    /// The files and directories of the project that dependencies, overrides and patches name, relative to it.
    pub fn local_paths(&self) -> Vec<String> {
        let overrides = self.overrides.iter().map(|text| Spec::parse(text));
        let specs = self.specs().map(|(_, _, spec)| spec).chain(overrides);
        let mut paths: Vec<String> = specs.flat_map(|spec| spec.local_paths().to_vec()).collect();
        paths.extend(self.patched_dependencies.values().cloned());
        paths
    }
}

/// What the `package.json` of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not JSON, or a field is not of the shape that npm asks for.
pub fn package_json(path: &str, bytes: &[u8]) -> Result<PackageJson, ManifestError> {
    let file: File = read::json(path, bytes)?;
    let name = text(file.name);
    let bare = name
        .as_deref()
        .map(|name| name.rsplit('/').next().unwrap_or(name));
    let bin = match file.bin {
        Some(Value::String(path)) => bare
            .map(|bare| (bare.to_owned(), path))
            .into_iter()
            .collect(),
        Some(value) => entries(value),
        None => BTreeMap::new(),
    };
    let mut overrides = Vec::new();
    for value in [file.overrides, file.pnpm.overrides, file.resolutions] {
        collect_texts(value, &mut overrides);
    }
    Ok(PackageJson {
        bin,
        name,
        version: text(file.version),
        private: matches!(file.private, Some(Value::Bool(true))),
        scripts: file.scripts,
        dependencies: file.dependencies,
        dev_dependencies: file.dev_dependencies,
        optional_dependencies: file.optional_dependencies,
        peer_dependencies: file.peer_dependencies,
        workspaces: file.workspaces.map(|workspaces| match workspaces {
            Workspaces::List(packages) | Workspaces::Table { packages } => packages,
        }),
        package_manager: text(file.package_manager).and_then(|text| manager(&text)),
        main: text(file.main),
        module_type: text(file.module_type),
        engines: file.engines.map(entries).unwrap_or_default(),
        overrides,
        patched_dependencies: file.pnpm.patched_dependencies,
    })
}

/// The fields as they stand. What npm tolerates in any shape is a [`Value`].
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct File {
    name: Option<Value>,
    version: Option<Value>,
    private: Option<Value>,
    #[serde(deserialize_with = "texts")]
    scripts: BTreeMap<String, String>,
    #[serde(deserialize_with = "texts")]
    dependencies: BTreeMap<String, String>,
    #[serde(deserialize_with = "texts")]
    dev_dependencies: BTreeMap<String, String>,
    #[serde(deserialize_with = "texts")]
    optional_dependencies: BTreeMap<String, String>,
    #[serde(deserialize_with = "texts")]
    peer_dependencies: BTreeMap<String, String>,
    workspaces: Option<Workspaces>,
    package_manager: Option<Value>,
    bin: Option<Value>,
    main: Option<Value>,
    #[serde(rename = "type")]
    module_type: Option<Value>,
    engines: Option<Value>,
    overrides: Option<Value>,
    resolutions: Option<Value>,
    pnpm: Pnpm,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Workspaces {
    List(Vec<String>),
    Table {
        #[serde(default)]
        packages: Vec<String>,
    },
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Pnpm {
    overrides: Option<Value>,
    #[serde(deserialize_with = "texts")]
    patched_dependencies: BTreeMap<String, String>,
}

fn text(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// The entries of an object that are texts.
fn entries(value: Value) -> BTreeMap<String, String> {
    let Value::Object(object) = value else {
        return BTreeMap::new();
    };
    let entries = object.into_iter();
    entries
        .filter_map(|(name, value)| Some((name, text(Some(value))?)))
        .collect()
}

/// `name@version+hash`
fn manager(text: &str) -> Option<Manager> {
    let (name, version) = text.split_once('@')?;
    let version = version.split('+').next()?;
    Some(Manager {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

/// All texts below `value`; its depth is bounded by the JSON reader.
fn collect_texts(value: Option<Value>, texts: &mut Vec<String>) {
    match value {
        Some(Value::String(text)) => texts.push(text),
        Some(Value::Object(object)) => {
            for (_, value) in object {
                collect_texts(Some(value), texts);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
