//! `poetry.lock` and `uv.lock`, which list packages in the same way.

use serde::Deserialize;

use super::normalize_name;
use crate::project::{ManifestError, read};

/// A package that a lock file lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// Normalized (PEP 503).
    pub name: String,
    /// Missing where the package's own build computes it.
    pub version: Option<String>,
    /// The file or directory that it comes from, relative to the lock file; `.` for the project itself.
    pub local: Option<String>,
}

/// The packages of the lock file of these bytes; `path` is for the error only.
///
/// # Errors
/// It is not TOML, or not of the shape that poetry and uv write.
pub fn locked_packages(path: &str, bytes: &[u8]) -> Result<Vec<LockedPackage>, ManifestError> {
    let lock: Lock = read::toml(path, bytes)?;
    let packages = lock.package.into_iter().map(|package| LockedPackage {
        name: normalize_name(&package.name),
        version: package.version,
        local: package.source.and_then(Source::local),
    });
    Ok(packages.collect())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Option<String>,
    source: Option<Source>,
}

/// poetry says `type` and `url`; uv has a key for each kind.
#[derive(Deserialize)]
struct Source {
    r#type: Option<String>,
    url: Option<String>,
    path: Option<String>,
    directory: Option<String>,
    editable: Option<String>,
    r#virtual: Option<String>,
}

impl Source {
    fn local(self) -> Option<String> {
        let of_poetry = match self.r#type.as_deref() {
            Some("directory" | "file") => self.url,
            _ => None,
        };
        let of_uv = self.path.or(self.directory).or(self.editable);
        of_poetry.or(of_uv).or(self.r#virtual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::survives;

    const POETRY: &str = r#"
[[package]]
name = "Flask_Login"
version = "0.6.3"
optional = false

[[package]]
name = "lib"
version = "1.0"
[package.source]
type = "directory"
url = "libs/lib"
"#;

    const UV: &str = r#"
version = 1
requires-python = ">=3.11"

[[package]]
name = "app"
source = { virtual = "." }

[[package]]
name = "six"
version = "1.16.0"
source = { registry = "https://index.example.com/simple" }
"#;

    #[test]
    fn reads_both_locks() {
        let read = |text: &str| {
            let packages = locked_packages("lock", text.as_bytes()).unwrap();
            let told = packages.into_iter();
            told.map(|one| (one.name, one.version, one.local))
                .collect::<Vec<_>>()
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            read(POETRY),
            [
                ("flask-login".to_owned(), text("0.6.3"), None),
                ("lib".to_owned(), text("1.0"), text("libs/lib")),
            ]
        );
        assert_eq!(
            read(UV),
            [
                ("app".to_owned(), None, text(".")),
                ("six".to_owned(), text("1.16.0"), None),
            ]
        );
    }

    #[test]
    fn never_panics() {
        let run = |bytes: &[u8]| drop(locked_packages("lock", bytes));
        survives(&[POETRY, UV], run);
    }
}
