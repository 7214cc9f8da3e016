//! The rules that are part of the program: the files of `rules/`, embedded when it is compiled.

use std::path::Path;
use std::sync::LazyLock;

use super::{Rule, parse};

/// Embeds `rules/<id>.toml` for each id. The list is written by hand, since a macro cannot read a folder, and a folder
/// that an embedding crate reads is not read again when a file is added. A test compares it with the folder.
macro_rules! embed {
    ($($id:literal,)*) => {
        [$((
            concat!("rules/", $id, ".toml"),
            include_str!(concat!("../../rules/", $id, ".toml")),
        )),*]
    };
}

/// Path and content of each file of `rules/`, sorted.
const FILES: &[(&str, &str)] = &embed![
    "apk-no-cache",
    "apt-get",
    "apt-lists",
    "apt-no-recommends",
    "apt-yes",
    "archive-cleanup",
    "as-case",
    "bundle-without-dev",
    "cache-mounts",
    "cargo-registry",
    "composer-cache",
    "composer-no-dev",
    "conda-clean",
    "continuation-without-blanks",
    "copy-chmod",
    "copy-chown",
    "copy-manifests-first",
    "copy-not-add",
    "dead-step",
    "dnf-clean",
    "dockerignore",
    "env-key-value",
    "exec-form",
    "gem-cache",
    "gem-no-document",
    "go-modcache",
    "healthcheck",
    "install-before-copy",
    "join-apt-update",
    "join-cleanup",
    "join-runs",
    "keyword-case",
    "label-maintainer",
    "nonroot-user",
    "npm-cache",
    "npm-ci",
    "npm-omit-dev",
    "pin-base",
    "pip-no-cache",
    "pnpm-store",
    "poetry-without-dev",
    "prune-dev",
    "redundant-platform",
    "rust-build-cache",
    "secret-in-arg",
    "slim-base",
    "split-stages",
    "stage-name-case",
    "unused-copy",
    "unused-stage",
    "volatile-last",
    "yarn-cache",
    "yum-yes",
];

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(path, text)| match parse(Path::new(path), text) {
            Ok(rule) => rule,
            // Not input but part of the program; the test below parses every file.
            Err(error) => panic!("{error}"),
        })
        .collect()
});

/// Every rule that is part of the program, by id, as shipped. Parsed at the first call.
pub fn builtin() -> &'static [Rule] {
    &RULES
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_list_is_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".toml"))
            .map(|name| format!("rules/{name}"))
            .collect();
        names.sort();
        let listed: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        assert_eq!(listed, names);
    }

    #[test]
    fn every_shipped_rule_loads() {
        for (path, text) in FILES {
            if let Err(error) = parse(Path::new(path), text) {
                panic!("{error}");
            }
        }
    }
}
