//! Tests of `package_json`.

use super::*;
use crate::project::testing::survives;

const PACKAGE: &str = r#"{
  "name": "@acme/web",
  "version": "1.2.0",
  "private": true,
  "type": "module",
  "main": "dist/index.js",
  "bin": "./cli.js",
  "packageManager": "yarn@4.1.0+sha256.abc",
  "workspaces": { "packages": ["packages/*"], "nohoist": [] },
  "engines": { "node": ">=18" },
  "scripts": {
    "build": "vite build",
    "prepare": "husky",
    "postinstall": "prisma generate",
    "start": "node dist/index.js"
  },
  "dependencies": { "express": "^4.18.0", "shared": "file:../shared", "lib": "workspace:*" },
  "devDependencies": { "vite": "^5.0.0" },
  "optionalDependencies": { "fsevents": "^2" },
  "peerDependencies": { "react": ">=18" },
  "overrides": { "a": { "b": "file:./vendor/b.tgz" } },
  "resolutions": { "c": "patch:c@npm%3A1.0.0#./.yarn/patches/c.patch" },
  "pnpm": { "patchedDependencies": { "d@1.0.0": "patches/d@1.0.0.patch" } }
}"#;

fn read(text: &str) -> PackageJson {
    package_json("package.json", text.as_bytes()).unwrap()
}

#[test]
fn reads_a_whole_file() {
    let package = read(PACKAGE);
    assert_eq!(package.bin["web"], "./cli.js");
    assert_eq!(
        package.workspaces.as_deref(),
        Some(["packages/*".to_owned()].as_slice())
    );
    assert_eq!(package.module_type.as_deref(), Some("module"));
    assert_eq!(package.engines["node"], ">=18");
    assert!(package.private);
    let manager = package.package_manager.as_ref().unwrap();
    assert_eq!(
        (manager.name.as_str(), manager.version.as_str()),
        ("yarn", "4.1.0")
    );
    assert_eq!(manager.major(), Some(4));
    let scripts: Vec<_> = package.lifecycle_scripts().collect();
    assert_eq!(
        scripts,
        [("postinstall", "prisma generate"), ("prepare", "husky")]
    );
    assert_eq!(
        package.local_paths(),
        [
            "../shared",
            "./vendor/b.tgz",
            "./.yarn/patches/c.patch",
            "patches/d@1.0.0.patch"
        ]
    );
    let dev: Vec<_> = package
        .specs()
        .filter(|(section, ..)| *section == Section::Dev)
        .collect();
    assert_eq!(
        dev,
        [(Section::Dev, "vite", Spec::Registry("^5.0.0".to_owned()))]
    );
}

#[test]
fn tolerates_what_npm_tolerates() {
    let package = read(
        r#"{"dependencies": [], "scripts": null, "engines": ["node"], "main": false,
                "workspaces": ["a", "b/*"], "bin": {"x": "x.js"}, "private": "true"}"#,
    );
    assert!(package.dependencies.is_empty() && package.engines.is_empty());
    assert_eq!(package.workspaces.unwrap().len(), 2);
    assert_eq!(package.bin["x"], "x.js");
    assert_eq!(read("{}"), PackageJson::default());
}

#[test]
fn names_the_line_of_a_mistake() {
    let line = |text: &str| {
        package_json("package.json", text.as_bytes())
            .unwrap_err()
            .line
    };
    assert_eq!(line("{\n\"a\": 1,\n}"), Some(3));
    assert_eq!(line("{\n\"dependencies\": {\n\"a\": 1 } }"), Some(3));
    assert_eq!(line("{\n<<<<<<< HEAD\n"), Some(2));
}

#[test]
fn never_panics() {
    survives(&[PACKAGE], |bytes| {
        if let Ok(package) = package_json("package.json", bytes) {
            drop(package.local_paths());
        }
    });
}
