//! pnpm: the version of its lock file, and `pnpm-workspace.yaml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::project::{ManifestError, read};

/// What the head of a `pnpm-lock.yaml` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PnpmLock {
    /// `lockfileVersion`, such as `5.4` or `9.0`; `None` where there is none.
    pub version: Option<String>,
}

/// What a `pnpm-workspace.yaml` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PnpmWorkspace {
    /// Globs of the members, those with `!` taking away; `None` where the file holds settings only.
    pub packages: Option<Vec<String>>,
    /// Package to patch file, relative to the file.
    pub patched_dependencies: BTreeMap<String, String>,
    /// `overrides`: package to spec.
    pub overrides: BTreeMap<String, String>,
}

/// The version of the `pnpm-lock.yaml` of these bytes; `path` is for the error only. Reads its top level only: lock files
/// are large.
///
/// # Errors
/// It is not UTF-8, or holds the marks of a merge that was not finished.
pub fn pnpm_lock(path: &str, bytes: &[u8]) -> Result<PnpmLock, ManifestError> {
    let text = read::text(path, bytes)?;
    let mut lock = PnpmLock::default();
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>") {
            return Err(ManifestError::new(
                path,
                Some(number),
                "holds marks of a merge",
            ));
        }
        if let Some(version) = line.strip_prefix("lockfileVersion:") {
            let version = version.trim().trim_matches(['\'', '"']);
            lock.version = Some(version.to_owned());
        }
    }
    Ok(lock)
}

/// What the `pnpm-workspace.yaml` of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not YAML, or a setting is not of the shape that pnpm asks for.
pub fn pnpm_workspace(path: &str, bytes: &[u8]) -> Result<PnpmWorkspace, ManifestError> {
    let file: File = read::yaml(path, bytes)?;
    Ok(PnpmWorkspace {
        packages: file.packages,
        patched_dependencies: file.patched_dependencies.unwrap_or_default(),
        overrides: file.overrides.unwrap_or_default(),
    })
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct File {
    packages: Option<Vec<String>>,
    patched_dependencies: Option<BTreeMap<String, String>>,
    overrides: Option<BTreeMap<String, String>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::survives;

    const WORKSPACE: &str = "packages:\n  - 'packages/*'\n  - '!**/test/**'\n\
        catalog:\n  react: ^18.2.0\n\
        patchedDependencies:\n  is-odd@1.0.0: patches/is-odd.patch\n\
        overrides:\n  foo: link:../foo\nonlyBuiltDependencies: [esbuild]\n";

    #[test]
    fn reads_a_workspace() {
        let workspace = pnpm_workspace("pnpm-workspace.yaml", WORKSPACE.as_bytes()).unwrap();
        assert_eq!(workspace.packages.unwrap(), ["packages/*", "!**/test/**"]);
        assert_eq!(
            workspace.patched_dependencies["is-odd@1.0.0"],
            "patches/is-odd.patch"
        );
        assert_eq!(workspace.overrides["foo"], "link:../foo");
        let settings = pnpm_workspace("x", b"onlyBuiltDependencies: []\npackages:\n").unwrap();
        assert_eq!(settings, PnpmWorkspace::default());
    }

    #[test]
    fn reads_the_version_of_a_lock() {
        let version = |text: &str| {
            pnpm_lock("pnpm-lock.yaml", text.as_bytes())
                .unwrap()
                .version
        };
        assert_eq!(
            version("lockfileVersion: '9.0'\n\nsettings:\n").as_deref(),
            Some("9.0")
        );
        assert_eq!(
            version("# x\r\nlockfileVersion: 5.4\r\n").as_deref(),
            Some("5.4")
        );
        assert_eq!(version(""), None);
        let error = pnpm_lock("pnpm-lock.yaml", b"a:\n>>>>>>> main\n").unwrap_err();
        assert_eq!(error.line, Some(2));
    }

    #[test]
    fn names_the_line_of_a_mistake() {
        let error = pnpm_workspace("x", b"packages:\n  a: b\n").unwrap_err();
        assert_eq!((error.path.as_str(), error.line), ("x", Some(2)));
    }

    #[test]
    fn never_panics() {
        survives(&[WORKSPACE], |bytes| {
            drop(pnpm_workspace("x", bytes));
            drop(pnpm_lock("x", bytes));
        });
    }
}
