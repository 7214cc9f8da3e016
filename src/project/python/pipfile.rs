//! `Pipfile` and `Pipfile.lock`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Described, Origin, origins};
use crate::project::{ManifestError, read};

/// What a `Pipfile` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pipfile {
    /// `[packages]` by name.
    pub packages: BTreeMap<String, Vec<Origin>>,
    /// `[dev-packages]` by name.
    pub dev_packages: BTreeMap<String, Vec<Origin>>,
    /// `[requires]`: `python_full_version`, else `python_version`.
    pub python: Option<String>,
    /// `[scripts]`: name to command; those that are tables of a call are left out.
    pub scripts: BTreeMap<String, String>,
}

/// What a `Pipfile.lock` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PipfileLock {
    /// SHA-256 of the `Pipfile` that it was made of, in pipenv's own normal form.
    pub hash: Option<String>,
    /// Packages of `default`.
    pub packages: BTreeMap<String, Vec<Origin>>,
    /// The versions of those that have one, such as `==4.2`.
    pub versions: BTreeMap<String, String>,
    /// Packages of `develop`.
    pub dev_packages: BTreeMap<String, Vec<Origin>>,
}

/// What the `Pipfile` of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not TOML, or a table is not of the shape that pipenv asks for.
pub fn pipfile(path: &str, bytes: &[u8]) -> Result<Pipfile, ManifestError> {
    let file: File = read::toml(path, bytes)?;
    let script = |(name, value): (String, toml::Value)| Some((name, value.as_str()?.to_owned()));
    Ok(Pipfile {
        packages: origins(file.packages),
        dev_packages: origins(file.dev_packages),
        python: file
            .requires
            .python_full_version
            .or(file.requires.python_version),
        scripts: file.scripts.into_iter().filter_map(script).collect(),
    })
}

/// What the `Pipfile.lock` of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not JSON, or not of the shape that pipenv writes.
pub fn pipfile_lock(path: &str, bytes: &[u8]) -> Result<PipfileLock, ManifestError> {
    let lock: Lock = read::json(path, bytes)?;
    let version =
        |(name, one): (&String, &Described)| Some((name.clone(), one.version()?.to_owned()));
    Ok(PipfileLock {
        versions: lock.default.iter().filter_map(version).collect(),
        hash: lock.meta.hash.get("sha256").cloned(),
        packages: origins(lock.default),
        dev_packages: origins(lock.develop),
    })
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
struct File {
    packages: BTreeMap<String, Described>,
    dev_packages: BTreeMap<String, Described>,
    requires: Requires,
    scripts: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Requires {
    python_version: Option<String>,
    python_full_version: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Lock {
    #[serde(rename = "_meta")]
    meta: Meta,
    default: BTreeMap<String, Described>,
    develop: BTreeMap<String, Described>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Meta {
    hash: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::survives;

    const PIPFILE: &str = r#"
[[source]]
url = "https://index.example.com/simple"
verify_ssl = true
name = "pypi"

[packages]
django = "*"
"psycopg2" = {version = ">=2.9", extras = ["binary"]}
app = {editable = true, path = "."}

[dev-packages]
lib = {git = "https://github.com/a/lib.git", ref = "main"}

[requires]
python_version = "3.11"

[scripts]
serve = "python manage.py runserver"
call = {call = "app.cli:main"}
"#;

    const LOCK: &str = r#"{
        "_meta": {"hash": {"sha256": "abc"}, "pipfile-spec": 6, "requires": {"python_version": "3.11"}},
        "default": {"django": {"hashes": ["sha256:x"], "version": "==4.2"}, "app": {"editable": true, "path": "."}},
        "develop": {}
    }"#;

    #[test]
    fn reads_a_pipfile() {
        let facts = pipfile("Pipfile", PIPFILE.as_bytes()).unwrap();
        assert_eq!(facts.packages["app"], [Origin::Path(".".to_owned())]);
        assert_eq!(facts.packages["psycopg2"], [Origin::Index]);
        assert!(matches!(facts.dev_packages["lib"][0], Origin::Vcs(_)));
        assert_eq!(facts.python.as_deref(), Some("3.11"));
        assert_eq!(facts.scripts.len(), 1);
    }

    #[test]
    fn reads_a_lock() {
        let facts = pipfile_lock("Pipfile.lock", LOCK.as_bytes()).unwrap();
        assert_eq!(facts.hash.as_deref(), Some("abc"));
        assert_eq!(facts.packages["app"], [Origin::Path(".".to_owned())]);
        assert_eq!(facts.packages["django"], [Origin::Index]);
        assert_eq!(facts.versions["django"], "==4.2");
    }

    #[test]
    fn names_the_line_of_a_mistake() {
        let error = pipfile("Pipfile", b"[packages]\na = \"*\"\nb = 3\n").unwrap_err();
        assert_eq!(error.line, Some(3));
        assert!(pipfile_lock("Pipfile.lock", b"{\"default\": []\n").is_err());
    }

    #[test]
    fn never_panics() {
        survives(&[PIPFILE], |bytes| drop(pipfile("Pipfile", bytes)));
        survives(&[LOCK], |bytes| drop(pipfile_lock("Pipfile.lock", bytes)));
    }
}
