//! Tests of `package_lock`.

use super::*;
use crate::project::node::package_json;
use crate::project::testing::survives;

const LOCK: &str = r#"{
  "name": "web", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
  "packages": {
    "": {
      "name": "web", "version": "1.0.0", "license": "MIT", "hasInstallScript": true,
      "workspaces": ["packages/*"],
      "dependencies": { "express": "^4.18.0", "local": "file:vendor/local-1.0.0.tgz" },
      "devDependencies": { "vite": "^5.0.0" },
      "optionalDependencies": { "fsevents": "^2" },
      "engines": { "node": ">=18" }
    },
    "node_modules/express": { "version": "4.18.2", "resolved": "https://registry.example.com/express.tgz",
      "dependencies": { "accepts": "~1.3.8" }, "engines": { "node": ">= 0.10.0" } },
    "node_modules/express/node_modules/deep": { "version": "1.0.0" },
    "node_modules/local": { "version": "1.0.0", "resolved": "file:vendor/local-1.0.0.tgz" },
    "node_modules/vite": { "version": "5.0.0", "dev": true },
    "node_modules/esbuild": { "version": "0.19.0", "dev": true, "hasInstallScript": true },
    "node_modules/@web/a": { "resolved": "packages/a", "link": true },
    "packages/a": { "name": "@web/a", "version": "1.0.0", "dependencies": { "express": "^4.18.0" } }
  }
}"#;

const OLD: &str = r#"{ "name": "web", "lockfileVersion": 1, "requires": true, "dependencies": {
        "express": { "version": "4.18.2", "requires": { "accepts": "~1.3.8" }, "dependencies": { "x": { "version": "1" } } },
        "lib": { "version": "file:../lib" } } }"#;

const PACKAGE: &str = r#"{ "dependencies": { "express": "^4.18.0", "local": "file:vendor/local-1.0.0.tgz", "fsevents": "1" },
        "devDependencies": { "vite": "^5.0.0" }, "optionalDependencies": { "fsevents": "^2" } }"#;

fn lock(text: &str) -> PackageLock {
    package_lock("package-lock.json", text.as_bytes()).unwrap()
}

fn package(text: &str) -> PackageJson {
    package_json("package.json", text.as_bytes()).unwrap()
}

#[test]
fn reads_a_lock_of_version_3() {
    let lock = lock(LOCK);
    assert_eq!(lock.version, Some(3));
    assert_eq!(
        lock.importers.keys().collect::<Vec<_>>(),
        ["", "packages/a"]
    );
    assert_eq!(lock.install_scripts, ["", "node_modules/esbuild"]);
    assert_eq!(lock.links, ["packages/a"]);
    assert_eq!(lock.archives, ["vendor/local-1.0.0.tgz"]);
    let installed: Vec<_> = lock.installed.iter().map(String::as_str).collect();
    assert_eq!(installed, ["@web/a", "esbuild", "express", "local", "vite"]);
}

#[test]
fn tells_whether_it_is_in_step() {
    let lock = lock(LOCK);
    assert_eq!(lock.step("", &package(PACKAGE)), LockStep::InStep);
    let changed = PACKAGE.replace("^4.18.0", "^4.19.0");
    assert!(
        matches!(lock.step("", &package(&changed)), LockStep::Behind(why) if why.contains("express"))
    );
    let added = PACKAGE.replace("\"vite\"", "\"jest\": \"1\", \"vite\"");
    assert!(
        matches!(lock.step("", &package(&added)), LockStep::Behind(why) if why.contains("jest"))
    );
    let removed = PACKAGE.replace("\"vite\": \"^5.0.0\"", "");
    assert!(
        matches!(lock.step("", &package(&removed)), LockStep::Behind(why) if why.contains("vite"))
    );
    let member = package(r#"{ "dependencies": { "express": "^4.18.0" } }"#);
    assert_eq!(lock.step("packages/a", &member), LockStep::InStep);
    assert!(matches!(
        lock.step("packages/b", &member),
        LockStep::Behind(_)
    ));
}

#[test]
fn a_range_without_its_package_is_behind() {
    let lock = lock(&LOCK.replace("\"node_modules/vite\"", "\"node_modules/vita\""));
    assert!(matches!(
        lock.step("", &package(PACKAGE)),
        LockStep::Behind(_)
    ));
}

#[test]
fn version_1_does_not_say() {
    let lock = lock(OLD);
    assert_eq!(lock.version, Some(1));
    assert_eq!(lock.links, ["../lib"]);
    let known = package(r#"{ "dependencies": { "express": "^4", "lib": "file:../lib" } }"#);
    assert_eq!(lock.step("", &known), LockStep::Unknown);
    let missing = package(r#"{ "dependencies": { "koa": "1" } }"#);
    assert!(matches!(lock.step("", &missing), LockStep::Behind(_)));
}

#[test]
fn commands_of_packages_for_development() {
    let lock = lock(
        r#"{ "lockfileVersion": 3, "packages": { "": {},
            "node_modules/typescript": { "dev": true, "bin": { "tsc": "bin/tsc" } },
            "node_modules/a/node_modules/@x/cli": { "dev": true, "bin": { "x": "x.js" } },
            "node_modules/odd": { "dev": true, "bin": "odd.js" },
            "node_modules/mime": { "bin": { "mime": "cli.js" } } } }"#,
    );
    let commands: Vec<_> = lock.development_commands.iter().collect();
    let pairs = [("tsc", "typescript"), ("x", "@x/cli")];
    let expected = pairs.map(|(name, package)| (name.to_owned(), package.to_owned()));
    assert_eq!(
        commands,
        expected.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>()
    );
}

#[test]
fn names_the_line_of_a_mistake() {
    let error = package_lock("package-lock.json", b"{\n\"lockfileVersion\": 3,\n<<<<").unwrap_err();
    assert_eq!(error.line, Some(3));
}

#[test]
fn never_panics() {
    let package = package(PACKAGE);
    survives(&[LOCK, OLD], |bytes| {
        if let Ok(lock) = package_lock("package-lock.json", bytes) {
            drop(lock.step("", &package));
        }
    });
}
