//! Tests of `manifest`.

use super::*;
use crate::project::testing::survives;

const MANIFEST: &str = r#"
[package]
name = "app"
version.workspace = true
edition = "2021"
build = "build/main.rs"
default-run = "server"

[[bin]]
name = "server"
path = "src/server.rs"

[[bin]]
name = "worker"

[features]
default = []

[dependencies]
serde = { version = "1", features = ["derive"] }
anyhow = "1"
shared = { path = "../shared" }
core.workspace = true

[dev-dependencies]
fixtures = { path = "fixtures" }

[target.'cfg(unix)'.dependencies]
unix = { git = "https://github.com/a/unix" }

[patch.crates-io]
tokio = { path = "../tokio" }

[workspace]
members = ["crates/*", "tools/cli"]
exclude = ["crates/old"]
resolver = "2"

[workspace.package]
version = "1.0.0"

[workspace.dependencies]
core = { path = "crates/core" }

[profile.release]
lto = true
"#;

fn read(text: &str) -> CargoToml {
    cargo_toml("Cargo.toml", text.as_bytes()).unwrap()
}

#[test]
fn reads_a_package_that_is_a_workspace() {
    let facts = read(MANIFEST);
    let package = facts.package.unwrap();
    assert_eq!((package.name.as_str(), package.version), ("app", None));
    assert_eq!(package.edition.as_deref(), Some("2021"));
    assert_eq!(
        package.build,
        BuildScript::Paths(vec!["build/main.rs".to_owned()])
    );
    assert_eq!(package.default_run.as_deref(), Some("server"));
    let bins: Vec<_> = facts
        .bins
        .iter()
        .map(|bin| (bin.name.as_str(), bin.path.as_deref()))
        .collect();
    assert_eq!(bins, [("server", Some("src/server.rs")), ("worker", None)]);
    let workspace = facts.workspace.unwrap();
    assert_eq!(workspace.members, ["crates/*", "tools/cli"]);
    assert_eq!(workspace.exclude, ["crates/old"]);
    let paths: Vec<_> = facts
        .path_dependencies
        .iter()
        .map(|d| d.path.as_str())
        .collect();
    assert_eq!(paths, ["crates/core", "fixtures", "../shared", "../tokio"]);
    assert!(facts.has_git_dependencies);
}

#[test]
fn reads_the_smallest_ones() {
    let facts = read("[package]\nname = 'a'\nedition.workspace = true\nbuild = false\n");
    let package = facts.package.unwrap();
    assert!(package.inherits_edition && package.edition.is_none());
    assert_eq!(package.build, BuildScript::Disabled);
    assert_eq!(facts.workspace, None);
    let root = read("[workspace]\nmembers = ['a']\n");
    assert!(root.package.is_none() && root.workspace.is_some());
}

#[test]
fn names_the_line_of_a_mistake() {
    let line = |text: &str| cargo_toml("Cargo.toml", text.as_bytes()).unwrap_err().line;
    assert_eq!(line("[package]\nversion = '1'\n"), Some(1));
    assert_eq!(line("[package]\nname = 'a'\n\n[dependencies\n"), Some(4));
    assert_eq!(line("[dependencies]\na = '1'\nb = 1\n"), Some(3));
    assert_eq!(line("[workspace]\nmembers = 'a'\n"), Some(2));
}

#[test]
fn never_panics() {
    survives(&[MANIFEST], |bytes| drop(cargo_toml("Cargo.toml", bytes)));
}

#[test]
fn tells_the_features_of_dependencies_that_are_always_there() {
    let text = "[dependencies]\na = { version = \"1\", features = [\"x\"] }\nb = { version = \"1\", optional = true, features = [\"y\"] }\nc = \"1\"\n[dev-dependencies]\nd = { version = \"1\", features = [\"z\"] }\n";
    let facts = cargo_toml("Cargo.toml", text.as_bytes()).unwrap();
    let expected = [("a".to_owned(), vec!["x".to_owned()])];
    assert_eq!(facts.features_of, expected.into());
}
