//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3, and whether they are in step with `package.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{PackageJson, Spec, texts};
use crate::project::{ManifestError, read};

/// What a `package-lock.json` records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageLock {
    /// `lockfileVersion`; `None` where it is missing.
    pub version: Option<u32>,
    /// What the manifests asked for when it was written: the directory of each (empty for the root) and its ranges.
    /// Empty for version 1, which does not record them.
    pub importers: BTreeMap<String, Ranges>,
    /// Names of the packages at the top of `node_modules`.
    pub installed: BTreeSet<String>,
    /// Packages that have install scripts, by their place such as `node_modules/esbuild`; unknown for version 1.
    pub install_scripts: Vec<String>,
    /// Directories of the project that are linked into `node_modules`: workspace members and `file:` directories.
    pub links: Vec<String>,
    /// Archives of the project that are installed: `file:` texts without the scheme.
    pub archives: Vec<String>,
    /// The commands of packages that only development needs, each with its package; unknown for version 1.
    pub development_commands: BTreeMap<String, String>,
}

/// The ranges of one manifest, verbatim, as npm records them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranges {
    /// `dependencies`, without those that are also optional.
    pub dependencies: BTreeMap<String, String>,
    /// `devDependencies`
    pub dev_dependencies: BTreeMap<String, String>,
    /// `optionalDependencies`
    pub optional_dependencies: BTreeMap<String, String>,
    /// `peerDependencies`
    pub peer_dependencies: BTreeMap<String, String>,
}

/// Whether a lock file answers what a manifest asks: if not, `npm ci` fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockStep {
    /// The ranges are the same, and each has its package.
    InStep,
    /// They differ; what, for a message.
    Behind(String),
    /// The lock does not record the ranges.
    Unknown,
}

impl From<&PackageJson> for Ranges {
    fn from(package: &PackageJson) -> Self {
        let mut dependencies = package.dependencies.clone();
        dependencies.retain(|name, _| !package.optional_dependencies.contains_key(name));
        Self {
            dependencies,
            dev_dependencies: package.dev_dependencies.clone(),
            optional_dependencies: package.optional_dependencies.clone(),
            peer_dependencies: package.peer_dependencies.clone(),
        }
    }
}

impl PackageLock {
    /// Whether the lock is in step with the `package.json` of `directory`, relative to the lock and empty for the root.
    pub fn step(&self, directory: &str, package: &PackageJson) -> LockStep {
        let wanted = Ranges::from(package);
        if self.version.is_none_or(|version| version < 2) || self.importers.is_empty() {
            return match self.missing(&wanted) {
                Some(name) => LockStep::Behind(format!("`{name}` is not in the lock file")),
                None => LockStep::Unknown,
            };
        }
        let Some(recorded) = self.importers.get(directory) else {
            return LockStep::Behind(format!("`{directory}` is not in the lock file"));
        };
        let mut recorded = recorded.clone();
        let optional = &recorded.optional_dependencies;
        recorded
            .dependencies
            .retain(|name, _| !optional.contains_key(name));
        if let Some(name) = wanted.differs(&recorded) {
            return LockStep::Behind(format!("`{name}` differs from the lock file"));
        }
        if directory.is_empty()
            && let Some(name) = self.missing(&wanted)
        {
            return LockStep::Behind(format!("`{name}` is not in the lock file"));
        }
        LockStep::InStep
    }

    /// A dependency of the root that has no package in the lock.
    fn missing(&self, wanted: &Ranges) -> Option<String> {
        let mut names = wanted
            .dependencies
            .keys()
            .chain(wanted.dev_dependencies.keys());
        names.find(|name| !self.installed.contains(*name)).cloned()
    }
}

impl Ranges {
    /// A dependency that one has and the other has not, or with another range.
    fn differs(&self, other: &Self) -> Option<String> {
        let pairs = [
            (&self.dependencies, &other.dependencies),
            (&self.dev_dependencies, &other.dev_dependencies),
            (&self.optional_dependencies, &other.optional_dependencies),
            (&self.peer_dependencies, &other.peer_dependencies),
        ];
        pairs.into_iter().find_map(|(left, right)| {
            let changed = left
                .iter()
                .find(|(name, range)| right.get(*name) != Some(range));
            let gone = || right.keys().find(|name| !left.contains_key(*name));
            changed.map(|(name, _)| name).or_else(gone).cloned()
        })
    }
}

/// What the lock file of these bytes records; `path` is for the error only.
///
/// # Errors
/// It is not JSON, or not of the shape that npm writes.
pub fn package_lock(path: &str, bytes: &[u8]) -> Result<PackageLock, ManifestError> {
    let file: File = read::json(path, bytes)?;
    let mut lock = PackageLock {
        version: file.lockfile_version,
        ..PackageLock::default()
    };
    if file.packages.is_empty() {
        for (name, entry) in file.dependencies {
            match entry.version.as_deref().map(Spec::parse) {
                Some(Spec::File(path)) if path.ends_with(".tgz") || path.ends_with(".tar.gz") => {
                    lock.archives.push(path)
                }
                Some(Spec::File(path)) => lock.links.push(path),
                _ => {}
            }
            lock.installed.insert(name);
        }
        return Ok(lock);
    }
    for (place, entry) in file.packages {
        lock.record(place, entry);
    }
    Ok(lock)
}

impl PackageLock {
    fn record(&mut self, place: String, entry: Package) {
        if entry.has_install_script == Some(true) {
            self.install_scripts.push(place.clone());
        }
        let resolved = entry.resolved.unwrap_or_default();
        let in_modules = place.starts_with("node_modules/") || place.contains("/node_modules/");
        if !in_modules {
            let ranges = Ranges {
                dependencies: entry.dependencies,
                dev_dependencies: entry.dev_dependencies,
                optional_dependencies: entry.optional_dependencies,
                peer_dependencies: entry.peer_dependencies,
            };
            self.importers.insert(place, ranges);
            return;
        }
        if let Some(name) = place.strip_prefix("node_modules/")
            && !name.contains("/node_modules/")
        {
            self.installed.insert(name.to_owned());
        }
        if let (Some(true), Some(Value::Object(commands))) = (entry.dev, entry.bin) {
            let package = place.rsplit("node_modules/").next().unwrap_or(&place);
            let commands = commands.into_iter();
            self.development_commands
                .extend(commands.map(|(name, _)| (name, package.to_owned())));
        }
        if entry.link == Some(true) {
            self.links.push(resolved);
        } else if let Some(archive) = resolved.strip_prefix("file:") {
            self.archives.push(archive.to_owned());
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct File {
    lockfile_version: Option<u32>,
    packages: BTreeMap<String, Package>,
    dependencies: BTreeMap<String, OldPackage>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Package {
    resolved: Option<String>,
    link: Option<bool>,
    dev: Option<bool>,
    bin: Option<Value>,
    has_install_script: Option<bool>,
    #[serde(deserialize_with = "texts")]
    dependencies: BTreeMap<String, String>,
    #[serde(deserialize_with = "texts")]
    dev_dependencies: BTreeMap<String, String>,
    #[serde(deserialize_with = "texts")]
    optional_dependencies: BTreeMap<String, String>,
    #[serde(deserialize_with = "texts")]
    peer_dependencies: BTreeMap<String, String>,
}

/// An entry of version 1.
#[derive(Deserialize, Default)]
#[serde(default)]
struct OldPackage {
    version: Option<String>,
}

#[cfg(test)]
mod tests;
