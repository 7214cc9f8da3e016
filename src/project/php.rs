//! PHP: `composer.json` and `composer.lock`.
//!
//! Source: Composer's manual ("The composer.json schema", "Scripts"). No script is run.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{ManifestError, read};

/// What a `composer.json` says. Paths are relative to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComposerJson {
    /// `name`
    pub name: Option<String>,
    /// `type`, such as `project` or `library`.
    pub package_type: Option<String>,
    /// `require`: packages and platform requirements such as `php` and `ext-intl`.
    pub require: BTreeMap<String, String>,
    /// `require-dev`
    pub require_dev: BTreeMap<String, String>,
    /// `scripts`: event or name to its commands, in order.
    pub scripts: BTreeMap<String, Vec<String>>,
    /// `path` and `artifact` repositories: directories or globs of the project.
    pub local_repositories: Vec<String>,
    /// Files and directories that `autoload` names: the class map is made of them.
    pub autoload: Vec<String>,
    /// `autoload.files` alone: loaded by `vendor/autoload.php` always.
    pub autoload_files: Vec<String>,
    /// `config.vendor-dir`
    pub vendor_directory: Option<String>,
}

/// What a `composer.lock` records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComposerLock {
    /// `content-hash` of the `composer.json` it was made of.
    pub content_hash: Option<String>,
    /// Names of the packages.
    pub packages: Vec<String>,
    /// Names of the packages for development.
    pub dev_packages: Vec<String>,
    /// Directories of the project that packages come from.
    pub local_paths: Vec<String>,
    /// Names of the packages that are plugins of Composer: their code runs during an install, without any script.
    pub plugins: Vec<String>,
}

impl ComposerJson {
    /// The scripts that `composer install` runs, in its order: event and command. Those of the autoloader run only where
    /// it is made.
    pub fn install_scripts(&self) -> impl Iterator<Item = (&str, &str)> {
        const EVENTS: [&str; 13] = [
            "init",
            "command",
            "pre-command-run",
            "pre-install-cmd",
            "pre-pool-create",
            "pre-dependencies-solving",
            "post-dependencies-solving",
            "pre-operations-exec",
            "pre-package-install",
            "post-package-install",
            "pre-autoload-dump",
            "post-autoload-dump",
            "post-install-cmd",
        ];
        EVENTS.iter().flat_map(|event| {
            let commands = self.scripts.get(*event).into_iter().flatten();
            commands.map(move |command| (*event, command.as_str()))
        })
    }

    /// The PHP extensions that it requires, without `ext-`.
    pub fn extensions(&self) -> impl Iterator<Item = &str> {
        self.require
            .keys()
            .filter_map(|name| name.strip_prefix("ext-"))
    }
}

/// What the `composer.json` of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not JSON, or a field is not of the shape that Composer asks for.
pub fn composer_json(path: &str, bytes: &[u8]) -> Result<ComposerJson, ManifestError> {
    let file: File = read::json(path, bytes)?;
    let mut autoload = texts(
        file.autoload
            .psr4
            .values()
            .chain(file.autoload.psr0.values()),
    );
    autoload.extend(file.autoload.classmap);
    autoload.extend(file.autoload.files.iter().cloned());
    let scripts = file.scripts.into_inner();
    let scripts = scripts
        .into_iter()
        .map(|(name, value)| (name, texts([&value])));
    Ok(ComposerJson {
        name: file.name,
        package_type: file.package_type,
        require: file.require.into_inner(),
        require_dev: file.require_dev.into_inner(),
        scripts: scripts.collect(),
        local_repositories: local_repositories(&file.repositories),
        autoload,
        autoload_files: file.autoload.files,
        vendor_directory: file.config.into_inner().get("vendor-dir").and_then(text),
    })
}

/// What the `composer.lock` of these bytes records; `path` is for the error only.
///
/// # Errors
/// It is not JSON, or not of the shape that Composer writes.
pub fn composer_lock(path: &str, bytes: &[u8]) -> Result<ComposerLock, ManifestError> {
    let file: Lock = read::json(path, bytes)?;
    let all = file.packages.iter().chain(&file.packages_dev);
    let local = all.filter_map(|package| package.dist.as_ref());
    let local = local.filter(|dist| dist.kind.as_deref() == Some("path"));
    let local_paths = local.filter_map(|dist| dist.url.clone()).collect();
    let all = file.packages.iter().chain(&file.packages_dev);
    let plugins = all.filter(|package| package.kind.as_deref() == Some("composer-plugin"));
    let plugins = plugins.map(|package| package.name.clone()).collect();
    let names = |packages: Vec<Package>| packages.into_iter().map(|package| package.name).collect();
    Ok(ComposerLock {
        content_hash: file.content_hash,
        local_paths,
        plugins,
        packages: names(file.packages),
        dev_packages: names(file.packages_dev),
    })
}

/// Of a list, or an object whose values are the repositories.
fn local_repositories(repositories: &Value) -> Vec<String> {
    let list = repositories.as_array().into_iter().flatten();
    let object = repositories
        .as_object()
        .into_iter()
        .flat_map(|object| object.values());
    let local = list.chain(object).filter(|repository| {
        let kind = repository.get("type").and_then(Value::as_str);
        matches!(kind, Some("path" | "artifact"))
    });
    local
        .filter_map(|repository| repository.get("url").and_then(text))
        .collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The texts of values that are texts or lists of them.
fn texts<'v>(values: impl IntoIterator<Item = &'v Value>) -> Vec<String> {
    let mut texts = Vec::new();
    for value in values {
        texts.extend(text(value));
        texts.extend(value.as_array().into_iter().flatten().filter_map(text));
    }
    texts
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
struct File {
    name: Option<String>,
    #[serde(rename = "type")]
    package_type: Option<String>,
    require: Object<String>,
    require_dev: Object<String>,
    scripts: Object<Value>,
    repositories: Value,
    autoload: Autoload,
    config: Object<Value>,
}

/// An object; PHP writes an empty one as `[]`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Object<T> {
    Entries(BTreeMap<String, T>),
    Empty([(); 0]),
}

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self::Empty([])
    }
}

impl<T> Object<T> {
    fn into_inner(self) -> BTreeMap<String, T> {
        match self {
            Self::Entries(entries) => entries,
            Self::Empty(_) => BTreeMap::new(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Autoload {
    #[serde(rename = "psr-4")]
    psr4: BTreeMap<String, Value>,
    #[serde(rename = "psr-0")]
    psr0: BTreeMap<String, Value>,
    classmap: Vec<String>,
    files: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
struct Lock {
    content_hash: Option<String>,
    packages: Vec<Package>,
    packages_dev: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    dist: Option<Dist>,
}

#[derive(Deserialize)]
struct Dist {
    #[serde(rename = "type")]
    kind: Option<String>,
    url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::survives;

    const COMPOSER: &str = r#"{
    "name": "acme/shop",
    "type": "project",
    "require": { "php": "^8.2", "ext-intl": "*", "laravel/framework": "^11.0", "acme/lib": "@dev" },
    "require-dev": { "phpunit/phpunit": "^11" },
    "repositories": [ { "type": "path", "url": "packages/*" }, { "type": "vcs", "url": "https://example.com/x.git" } ],
    "autoload": {
        "psr-4": { "App\\": "app/", "Two\\": ["a/", "b/"] },
        "classmap": ["database"],
        "files": ["app/helpers.php"]
    },
    "scripts": {
        "post-autoload-dump": [ "Illuminate\\Foundation\\ComposerScripts::postAutoloadDump", "@php artisan package:discover" ],
        "post-install-cmd": "echo done",
        "test": "phpunit"
    },
    "config": { "vendor-dir": "lib", "platform": { "php": "8.2" } },
    "extra": []
}"#;

    const LOCK: &str = r#"{
    "_readme": ["x"], "content-hash": "abc",
    "packages": [
        { "name": "laravel/framework", "type": "composer-plugin", "version": "v11", "dist": { "type": "zip", "url": "https://example.com/a.zip" } },
        { "name": "acme/lib", "version": "dev-main", "dist": { "type": "path", "url": "packages/lib" } }
    ],
    "packages-dev": [ { "name": "phpunit/phpunit", "version": "11" } ],
    "platform": []
}"#;

    #[test]
    fn reads_a_manifest() {
        let composer = composer_json("composer.json", COMPOSER.as_bytes()).unwrap();
        assert_eq!(composer.package_type.as_deref(), Some("project"));
        assert_eq!(composer.extensions().collect::<Vec<_>>(), ["intl"]);
        assert_eq!(composer.local_repositories, ["packages/*"]);
        assert_eq!(
            composer.autoload,
            ["app/", "a/", "b/", "database", "app/helpers.php"]
        );
        assert_eq!(composer.autoload_files, ["app/helpers.php"]);
        assert_eq!(composer.vendor_directory.as_deref(), Some("lib"));
        let scripts: Vec<_> = composer.install_scripts().map(|(event, _)| event).collect();
        assert_eq!(
            scripts,
            [
                "post-autoload-dump",
                "post-autoload-dump",
                "post-install-cmd"
            ]
        );
    }

    #[test]
    fn reads_what_php_writes_for_nothing() {
        let text = r#"{"require": [], "scripts": [], "config": [], "repositories": {"a": {"type": "path", "url": "../a"}, "packagist.org": false}}"#;
        let composer = composer_json("composer.json", text.as_bytes()).unwrap();
        assert!(composer.require.is_empty() && composer.scripts.is_empty());
        assert_eq!(composer.local_repositories, ["../a"]);
    }

    #[test]
    fn reads_a_lock() {
        let lock = composer_lock("composer.lock", LOCK.as_bytes()).unwrap();
        assert_eq!(lock.content_hash.as_deref(), Some("abc"));
        assert_eq!(lock.packages, ["laravel/framework", "acme/lib"]);
        assert_eq!(lock.dev_packages, ["phpunit/phpunit"]);
        assert_eq!(lock.local_paths, ["packages/lib"]);
        assert_eq!(lock.plugins, ["laravel/framework"]);
    }

    #[test]
    fn names_the_line_of_a_mistake() {
        let error =
            composer_json("composer.json", b"{\n\"require\": {\n\"a\": \"1\",\n}}").unwrap_err();
        assert_eq!(error.line, Some(4));
        assert!(composer_lock("composer.lock", b"<<<<<<<").is_err());
    }

    #[test]
    fn never_panics() {
        survives(&[COMPOSER], |bytes| drop(composer_json("c", bytes)));
        survives(&[LOCK], |bytes| drop(composer_lock("c", bytes)));
    }
}
