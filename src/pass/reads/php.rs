//! What Composer reads to install packages: its manifest, its lock file and what its plugins keep beside them. Scripts and
//! the autoloader read the source: they stay behind it, and packages are installed without them first.

use super::{Early, Install, Reads};
use crate::context::path;
use crate::model::managers::Flag;
use crate::project::php::ComposerJson;

/// Files beside `composer.json`.
const BESIDE: [&str; 3] = ["composer.lock", "auth.json", "symfony.lock"];

/// Options that only shape the autoloader.
const AUTOLOADER: [&str; 6] = [
    "-o",
    "--optimize-autoloader",
    "-a",
    "--classmap-authoritative",
    "--apcu-autoloader",
    "--apcu-autoloader-prefix",
];

/// Scripts that run only while packages are installed: the install behind the source would find nothing to do.
const WHILE_INSTALLING: [&str; 3] = [
    "pre-operations-exec",
    "pre-package-install",
    "post-package-install",
];

/// Plugins that change nothing outside `vendor`, or that hang on files that are copied too.
const HARMLESS_PLUGINS: [&str; 9] = [
    "composer/package-versions-deprecated",
    "dealerdirect/phpcodesniffer-composer-installer",
    "ergebnis/composer-normalize",
    "infection/extension-installer",
    "ocramius/package-versions",
    "pestphp/pest-plugin",
    "php-http/discovery",
    "phpstan/extension-installer",
    "symfony/runtime",
];

/// Plugins that read other files of the project.
const READING_PLUGINS: [&str; 3] = [
    "cweagans/composer-patches",
    "vaimo/composer-patches",
    "wikimedia/composer-merge-plugin",
];

/// See [`super::reads`].
pub(super) fn reads(install: &Install<'_>) -> Option<Result<Reads, String>> {
    let is_install = matches!(install.invocation.subcommand_name.as_str(), "install" | "i");
    let installs = !install.has(&[
        "--dry-run",
        "--download-only",
        "--no-install",
        "--help",
        "-h",
    ]);
    (is_install && installs).then(|| packages(install))
}

fn packages(install: &Install<'_>) -> Result<Reads, String> {
    let composer = manifest(install)?;
    let mut reads = Reads {
        paths: ["composer.json".to_owned()].into(),
        writes: [composer
            .vendor_directory
            .as_deref()
            .unwrap_or("vendor")
            .to_owned()]
        .into(),
        doubt: plugins(install)?,
        ..Reads::of_itself()
    };
    for file in BESIDE {
        if !install.add(&path::join(install.root, file), &mut reads) && file == "composer.lock" {
            reads.writes.insert(file.to_owned());
        }
    }
    install.add_wrapper("composer.phar", &[], &mut reads)?;
    let (scripts, autoloader) = (["--no-scripts"], ["--no-autoloader"]);
    if install.has(&scripts) && install.has(&autoloader) {
        return Ok(reads);
    }
    scripts_may_wait(install, &composer, &mut reads)?;
    let mut words = install.start(|name| name.starts_with("COMPOSER_"))?;
    words.push("install".to_owned());
    words.extend(install.options(|flag| !is_of_autoloader(flag))?);
    for flag in [scripts, autoloader]
        .into_iter()
        .filter(|flag| !install.has(flag))
    {
        words.push(flag[0].to_owned());
    }
    reads.writes.clear();
    reads.early = Early::Fetch(words.join(" "));
    Ok(reads)
}

/// The manifest, where packages come from elsewhere only.
fn manifest(install: &Install<'_>) -> Result<ComposerJson, String> {
    if install.assignments().any(|(name, _)| name == "COMPOSER") {
        return Err("`COMPOSER` names the manifest".to_owned());
    }
    install.refuse_computed(|_| false)?;
    let directory = install.option(&["-d", "--working-dir"])?;
    if directory.is_some_and(|directory| !directory.starts_with('/')) {
        return Err("`--working-dir` names another directory".to_owned());
    }
    let composer = install
        .project
        .composer_json()
        .map_err(|error| error.to_string())?;
    let composer = composer.ok_or("there is no `composer.json`")?;
    let lock = install
        .project
        .composer_lock()
        .map_err(|error| error.to_string())?;
    let locked = lock.into_iter().flat_map(|lock| &lock.local_paths);
    if let Some(local) = composer.local_repositories.iter().chain(locked).next() {
        return Err(format!("packages come from `{local}` of the project"));
    }
    Ok(composer.clone())
}

/// What the plugins of Composer may do besides; they run without any script.
fn plugins(install: &Install<'_>) -> Result<Option<String>, String> {
    if install.has(&["--no-plugins"]) {
        return Ok(None);
    }
    let lock = install
        .project
        .composer_lock()
        .map_err(|error| error.to_string())?;
    let Some(lock) = lock else {
        return Ok(Some(
            "without a lock file, which plugins run is not known".to_owned(),
        ));
    };
    let listed = |names: &[&str], plugin: &String| names.contains(&plugin.as_str());
    if let Some(plugin) = lock
        .plugins
        .iter()
        .find(|one| listed(&READING_PLUGINS, one))
    {
        return Err(format!(
            "the plugin `{plugin}` reads other files of the project"
        ));
    }
    let mut plugins = lock.plugins.iter();
    let other = plugins.find(|one| !listed(&HARMLESS_PLUGINS, one));
    Ok(other.map(|plugin| format!("the plugin `{plugin}` runs before the source is there")))
}

/// Declines scripts that would not run any more, and doubts those that would run later.
fn scripts_may_wait(
    install: &Install<'_>,
    composer: &ComposerJson,
    reads: &mut Reads,
) -> Result<(), String> {
    if install.has(&["--no-scripts"]) {
        return Ok(());
    }
    let has = |event: &str| {
        composer
            .scripts
            .get(event)
            .is_some_and(|script| !script.is_empty())
    };
    if let Some(event) = WHILE_INSTALLING.iter().find(|event| has(event)) {
        return Err(format!(
            "the script `{event}` runs only while packages are installed"
        ));
    }
    if has("pre-install-cmd") {
        let why = "the script `pre-install-cmd` would run after packages were installed";
        reads.doubt.get_or_insert_with(|| why.to_owned());
    }
    Ok(())
}

fn is_of_autoloader(flag: &Flag) -> bool {
    AUTOLOADER.contains(&flag.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Expected, check};

    const JSON: &str = r#"{"require": {"a/b": "^1"}}"#;
    const LOCK: &str = r#"{"packages": [{"name": "a/b"}]}"#;

    #[test]
    fn packages_come_before_scripts_and_autoloader() {
        let files = [
            ("composer.json", JSON),
            ("composer.lock", LOCK),
            ("src/a.php", ""),
        ];
        let paths = ["composer.json", "composer.lock"];
        for (command, fetch) in [
            (
                "composer install",
                "composer install --no-scripts --no-autoloader",
            ),
            (
                "composer install --no-dev -o -n",
                "composer install --no-dev -n --no-scripts --no-autoloader",
            ),
            (
                "composer i --prefer-install dist --no-scripts",
                "composer install --prefer-install dist --no-scripts --no-autoloader",
            ),
            (
                "COMPOSER_ALLOW_SUPERUSER=1 A=b composer install -d /src",
                "COMPOSER_ALLOW_SUPERUSER=1 composer install -d /src --no-scripts --no-autoloader",
            ),
        ] {
            check(&files, command, Expected::Fetch(&paths, fetch, None));
        }
        let itself = Expected::Itself(&paths, &["vendor"], None);
        check(
            &files,
            "composer install --no-autoloader --no-scripts",
            itself,
        );
        for command in [
            "composer update",
            "composer require a/b",
            "composer dump-autoload",
            "composer install --dry-run",
        ] {
            check(&files, command, Expected::Nothing);
        }
    }

    #[test]
    fn plugins_and_scripts_leave_a_doubt() {
        let fetch = "composer install --no-scripts --no-autoloader";
        let with = |json: &str, lock: &str, doubt: Option<&str>| {
            let files = [("composer.json", json), ("composer.lock", lock)];
            check(
                &files,
                "composer install",
                Expected::Fetch(&["composer.json", "composer.lock"], fetch, doubt),
            );
        };
        let plugin = |name: &str| {
            format!(r#"{{"packages": [{{"name": "{name}", "type": "composer-plugin"}}]}}"#)
        };
        with(JSON, &plugin("symfony/runtime"), None);
        with(
            JSON,
            &plugin("symfony/flex"),
            Some("the plugin `symfony/flex` runs before the source is there"),
        );
        let script = r#"{"scripts": {"pre-install-cmd": "mkdir x", "post-install-cmd": "y"}}"#;
        with(
            script,
            LOCK,
            Some("the script `pre-install-cmd` would run after packages were installed"),
        );
        let why = "without a lock file, which plugins run is not known";
        check(
            &[("composer.json", JSON)],
            "composer install",
            Expected::Fetch(&["composer.json"], fetch, Some(why)),
        );
    }

    #[test]
    fn declines() {
        let patches =
            r#"{"packages": [{"name": "cweagans/composer-patches", "type": "composer-plugin"}]}"#;
        let local = r#"{"repositories": [{"type": "path", "url": "packages/*"}]}"#;
        let script = r#"{"scripts": {"post-package-install": "x"}}"#;
        for (json, lock, command, why) in [
            (
                JSON,
                patches,
                "composer install",
                "the plugin `cweagans/composer-patches` reads other files of the project",
            ),
            (
                local,
                LOCK,
                "composer install",
                "packages come from `packages/*` of the project",
            ),
            (
                script,
                LOCK,
                "composer install",
                "the script `post-package-install` runs only while packages are installed",
            ),
            (
                JSON,
                LOCK,
                "composer install $FLAGS",
                "`$FLAGS` is known only when the step runs",
            ),
            (
                JSON,
                LOCK,
                "COMPOSER=x.json composer install",
                "`COMPOSER` names the manifest",
            ),
            (
                JSON,
                LOCK,
                "composer install -d app",
                "`--working-dir` names another directory",
            ),
            (
                "{",
                LOCK,
                "composer install",
                "`composer.json` line 1: EOF while parsing an object",
            ),
        ] {
            check(
                &[("composer.json", json), ("composer.lock", lock)],
                command,
                Expected::Declined(why),
            );
        }
        check(
            &[],
            "composer install",
            Expected::Declined("there is no `composer.json`"),
        );
    }
}
