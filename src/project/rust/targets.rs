//! What Cargo finds by itself: programs, the build script, the members of a workspace.

use std::collections::BTreeSet;

use super::manifest::{BuildScript, CargoBin, CargoToml};
use crate::context::BuildContext;
use crate::project::{ManifestError, expand, path, read};

/// The programs of the package at `manifest`, sorted by name, with their sources relative to the manifest: those that it
/// names, and `src/main.rs`, `src/bin/*.rs` and `src/bin/*/main.rs` unless discovery is off.
pub fn cargo_bins(context: &dyn BuildContext, manifest: &str, facts: &CargoToml) -> Vec<CargoBin> {
    let Some(package) = &facts.package else {
        return Vec::new();
    };
    let mut bins = facts.bins.clone();
    let is_2015 = match package.edition.as_deref() {
        Some(edition) => edition == "2015",
        None => !package.inherits_edition,
    };
    let found = discovered(context, path::parent(manifest), &package.name);
    for bin in &mut bins {
        let same = found.iter().find(|found| found.name == bin.name);
        bin.path = bin
            .path
            .take()
            .or_else(|| same.and_then(|same| same.path.clone()));
    }
    if package
        .autobins
        .unwrap_or(!is_2015 || facts.bins.is_empty())
    {
        let is_new = |bin: &CargoBin| {
            let taken = |other: &CargoBin| other.name == bin.name || other.path == bin.path;
            !facts.bins.iter().any(taken)
        };
        bins.extend(found.into_iter().filter(is_new));
    }
    bins.sort();
    bins
}

/// The files of the build script of the package at `manifest`, relative to it; empty for none.
pub fn cargo_build_script(
    context: &dyn BuildContext,
    manifest: &str,
    facts: &CargoToml,
) -> Vec<String> {
    match facts.package.as_ref().map(|package| &package.build) {
        Some(BuildScript::Paths(paths)) => paths.clone(),
        Some(BuildScript::Auto) => {
            let script = path::join(path::parent(manifest), "build.rs");
            let exists = script.is_some_and(|script| read::is_file(context, &script));
            exists.then(|| "build.rs".to_owned()).into_iter().collect()
        }
        Some(BuildScript::Disabled) | None => Vec::new(),
    }
}

/// The manifests of the members that the workspace at `manifest` names, in the context, sorted. Cargo also makes every
/// path dependency below the workspace a member: those are in [`CargoToml::path_dependencies`].
///
/// # Errors
/// A glob is malformed or leaves the context, or the tree is too large to walk.
pub fn cargo_members(
    context: &dyn BuildContext,
    manifest: &str,
    facts: &CargoToml,
) -> Result<Vec<String>, ManifestError> {
    let Some(workspace) = &facts.workspace else {
        return Ok(Vec::new());
    };
    let root = path::parent(manifest);
    let globs = workspace.members.iter().map(String::as_str);
    let directories = expand::directories(context, root, globs)
        .map_err(|message| ManifestError::new(manifest, None, message))?;
    let excluded: BTreeSet<String> = workspace
        .exclude
        .iter()
        .filter_map(|directory| path::join(root, directory))
        .collect();
    let is_member = |directory: &String| !excluded.contains(directory) && directory != root;
    let members = directories.into_iter().filter(is_member);
    let manifests = members.filter_map(|directory| path::join(&directory, "Cargo.toml"));
    Ok(manifests
        .filter(|path| read::is_file(context, path))
        .collect())
}

fn discovered(context: &dyn BuildContext, directory: &str, package: &str) -> Vec<CargoBin> {
    let exists = |relative: &str| {
        path::join(directory, relative).is_some_and(|path| read::is_file(context, &path))
    };
    let bin = |name: &str, path: String| CargoBin {
        name: name.to_owned(),
        path: Some(path),
    };
    let mut bins = Vec::new();
    if exists("src/main.rs") {
        bins.push(bin(package, "src/main.rs".to_owned()));
    }
    let programs = path::join(directory, "src/bin").unwrap_or_default();
    for name in context.list(&programs) {
        let (file, nested) = (format!("src/bin/{name}"), format!("src/bin/{name}/main.rs"));
        match name.strip_suffix(".rs") {
            Some(stem) if exists(&file) => bins.push(bin(stem, file)),
            _ if exists(&nested) => bins.push(bin(&name, nested)),
            _ => {}
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::rust::cargo_toml;
    use crate::project::testing::files;

    fn bins(manifest: &str) -> Vec<(String, String)> {
        let context = files(&[
            ("app/src/main.rs", ""),
            ("app/src/bin/worker.rs", ""),
            ("app/src/bin/big/main.rs", ""),
            ("app/src/bin/notes.md", ""),
            ("app/src/bin/data/x.rs", ""),
        ]);
        let facts = cargo_toml("app/Cargo.toml", manifest.as_bytes()).unwrap();
        let bins = cargo_bins(&context, "app/Cargo.toml", &facts).into_iter();
        bins.map(|bin| (bin.name, bin.path.unwrap_or_default()))
            .collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    }

    #[test]
    fn finds_programs() {
        assert_eq!(
            bins("[package]\nname = 'app'\nedition = '2021'\n"),
            pairs(&[
                ("app", "src/main.rs"),
                ("big", "src/bin/big/main.rs"),
                ("worker", "src/bin/worker.rs")
            ])
        );
        assert_eq!(
            bins(
                "[package]\nname = 'app'\nedition = '2021'\n[[bin]]\nname = 'server'\npath = 'src/main.rs'\n"
            ),
            pairs(&[
                ("big", "src/bin/big/main.rs"),
                ("server", "src/main.rs"),
                ("worker", "src/bin/worker.rs")
            ])
        );
        let explicit = "[package]\nname = 'app'\nautobins = false\n[[bin]]\nname = 'worker'\n";
        assert_eq!(bins(explicit), pairs(&[("worker", "src/bin/worker.rs")]));
        assert_eq!(
            bins(&explicit.replace("autobins = false", "")),
            bins(explicit)
        );
        assert_eq!(bins("[workspace]\n"), []);
    }

    #[test]
    fn finds_the_build_script() {
        let context = files(&[("a/build.rs", ""), ("b/src/main.rs", "")]);
        let script = |path: &str, text: &str| {
            let facts = cargo_toml(path, text.as_bytes()).unwrap();
            cargo_build_script(&context, path, &facts)
        };
        assert_eq!(
            script("a/Cargo.toml", "[package]\nname = 'a'\n"),
            ["build.rs"]
        );
        assert!(script("a/Cargo.toml", "[package]\nname = 'a'\nbuild = false\n").is_empty());
        assert!(script("b/Cargo.toml", "[package]\nname = 'b'\n").is_empty());
        assert_eq!(
            script("b/Cargo.toml", "[package]\nname = 'b'\nbuild = 'x.rs'\n"),
            ["x.rs"]
        );
    }

    #[test]
    fn finds_members() {
        let context = files(&[
            ("w/Cargo.toml", ""),
            ("w/crates/a/Cargo.toml", ""),
            ("w/crates/old/Cargo.toml", ""),
            ("w/crates/docs/README.md", ""),
            ("w/cli/Cargo.toml", ""),
        ]);
        let text = "[workspace]\nmembers = ['crates/*', 'cli', '.']\nexclude = ['crates/old']\n";
        let facts = cargo_toml("w/Cargo.toml", text.as_bytes()).unwrap();
        let members = cargo_members(&context, "w/Cargo.toml", &facts).unwrap();
        assert_eq!(members, ["w/cli/Cargo.toml", "w/crates/a/Cargo.toml"]);
    }
}
