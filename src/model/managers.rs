//! Package managers: the data table `rules/data/managers.toml`, and what a command asks of one of them.
//!
//! Reads words only: it never looks at files and never guesses what a variable holds.

mod invocation;
mod reader;

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

pub use invocation::{Flag, Invocation, Value, invocation};

/// What a sub-command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs the project or one of its scripts (`npm run`, `cargo test`).
    Run,
    /// Builds the project (`go build`, `mvn package`).
    Build,
    /// Installs packages, or the dependencies of the project.
    Install,
    /// Fetches the package index.
    UpdateIndex,
    /// Replaces what is installed by newer versions, or rewrites the lock file.
    Upgrade,
    /// Removes packages.
    Remove,
    /// Empties caches.
    Clean,
    /// Anything else.
    Other,
}

/// What a package manager serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Kind {
    /// The distribution's own.
    System,
    Python,
    Node,
    Ruby,
    Php,
    Go,
    Rust,
    Java,
    Dotnet,
}

/// A package manager. The fields are those of the table, which explains each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[allow(missing_docs)]
pub struct Manager {
    /// `apt`, `pip`, `npm`, …: the table's name.
    #[serde(skip)]
    pub name: String,
    pub kind: Kind,
    pub commands: Vec<String>,
    pub module: Option<String>,
    pub bare: Option<Role>,
    pub named: Option<Role>,
    #[serde(default)]
    pub goals: bool,
    #[serde(default)]
    pub clusters: bool,
    #[serde(default)]
    pub slash_options: bool,
    /// Each role's sub-commands, the words of one joined by blanks.
    pub roles: BTreeMap<Role, Vec<String>>,
    #[serde(default)]
    pub global_values: Vec<String>,
    #[serde(default)]
    pub values: Vec<String>,
    #[serde(default)]
    pub manifest_options: Vec<String>,
    #[serde(default)]
    pub target_options: Vec<String>,
    #[serde(default)]
    pub without_packages: Vec<String>,
    #[serde(default)]
    pub yes: Vec<String>,
    #[serde(default)]
    pub yes_first: bool,
    #[serde(default)]
    pub no_cache: Vec<String>,
    #[serde(default)]
    pub lean: Vec<String>,
    #[serde(default)]
    pub dev: Vec<String>,
    #[serde(default)]
    pub registries: Vec<String>,
    #[serde(default)]
    pub index_paths: Vec<String>,
    #[serde(default)]
    pub cache_paths: Vec<String>,
    #[serde(default)]
    pub cache_env: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub no_cache_env: Vec<String>,
    #[serde(default)]
    pub clean: Vec<String>,
    #[serde(default)]
    pub manifests: Vec<String>,
    #[serde(default)]
    pub locks: Vec<String>,
    pub upgrades_in_place: Option<Vec<String>>,
}

impl Manager {
    /// The role of the sub-command made of these words; `None` where the table does not list it.
    pub fn role(&self, subcommand: &str) -> Option<Role> {
        self.roles
            .iter()
            .find(|(_, listed)| listed.iter().any(|one| one == subcommand))
            .map(|(role, _)| *role)
    }

    /// Whether `path` is an index or cache directory of this manager, or lies below one. A last component that is a
    /// glob counts (`/var/lib/apt/lists/*`); `home` is the user's home, without which `~` paths do not match.
    pub fn owns_cache(&self, path: &str, home: Option<&str>) -> bool {
        self.index_paths
            .iter()
            .chain(&self.cache_paths)
            .any(|cache| is_at_or_below(path, cache, home))
    }

    /// What every command of it has in it: its names without a version, and that of its module.
    pub fn marks(&self) -> impl Iterator<Item = &str> {
        let commands = self.commands.iter();
        let names = commands.map(|name| name.trim_end_matches('*'));
        names.chain(self.module.as_deref())
    }

    fn has_command(&self, name: &str) -> bool {
        self.commands.iter().any(|command| {
            let Some(stem) = command.strip_suffix('*') else {
                return command == name;
            };
            name.strip_prefix(stem).is_some_and(|version| {
                version.starts_with(|ch: char| ch.is_ascii_digit()) && is_version(version)
            })
        })
    }

    /// Whether some listed sub-command starts with these words and goes on.
    fn goes_on(&self, words: &str) -> bool {
        self.roles.values().flatten().any(|listed| {
            listed
                .strip_prefix(words)
                .is_some_and(|rest| rest.starts_with(' '))
        })
    }
}

/// The package manager whose command is called `name` (without directories).
pub fn by_command(name: &str) -> Option<&'static Manager> {
    if let Some(index) = TABLE.by_command.get(name) {
        return TABLE.managers.get(*index);
    }
    // Names with a version (`pip3.11`) are few, and all end in a digit.
    let versioned = name.ends_with(|ch: char| ch.is_ascii_digit());
    let mut managers = TABLE.managers.iter().filter(|_| versioned);
    managers.find(|manager| manager.has_command(name))
}

/// The package manager of that name in the table.
pub fn by_name(name: &str) -> Option<&'static Manager> {
    TABLE.managers.iter().find(|manager| manager.name == name)
}

/// [`Manager::marks`] of the package managers of these names.
pub fn marks<'n>(names: impl IntoIterator<Item = &'n String>) -> Vec<&'static str> {
    let managers = names.into_iter().filter_map(|name| by_name(name));
    managers.flat_map(Manager::marks).collect()
}

/// All package managers, by name.
pub fn all() -> &'static [Manager] {
    &TABLE.managers
}

/// The package manager whose index or cache `path` is, or lies in: deleting it loses nothing that a later install
/// could not fetch again. `home` as in [`Manager::owns_cache`].
pub fn cache_owner(path: &str, home: Option<&str>) -> Option<&'static Manager> {
    let mut managers = TABLE.managers.iter();
    managers.find(|manager| manager.owns_cache(path, home))
}

/// A command that runs the command behind it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Wrapper {
    values: Vec<String>,
    words: usize,
    not_run: Vec<String>,
    other_user: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    manager: BTreeMap<String, Manager>,
    wrapper: HashMap<String, Wrapper>,
}

#[derive(Default)]
struct Table {
    managers: Vec<Manager>,
    by_command: HashMap<String, usize>,
    wrappers: HashMap<String, Wrapper>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    // A test holds that the table parses.
    let text = data!("managers");
    let file: File = serde_json::from_str(text).unwrap_or_default();
    let mut table = Table {
        wrappers: file.wrapper,
        ..Table::default()
    };
    for (name, manager) in file.manager {
        let index = table.managers.len();
        let commands = manager.commands.iter().cloned();
        table
            .by_command
            .extend(commands.map(|command| (command, index)));
        table.managers.push(Manager { name, ..manager });
    }
    table
});

fn is_version(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn is_at_or_below(path: &str, directory: &str, home: Option<&str>) -> bool {
    if path.split('/').any(|part| part == "..") {
        return false;
    }
    let rest = match directory.strip_prefix('~') {
        None => path.strip_prefix(directory),
        Some(below) => path
            .strip_prefix('~')
            .or_else(|| path.strip_prefix(home?.trim_end_matches('/')))
            .and_then(|path| path.strip_prefix(below)),
    };
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_parses() {
        let text = data!("managers");
        let file: Result<File, _> = serde_json::from_str(text);
        let file = file.unwrap();
        assert_eq!(file.manager.len(), 23);
        for (name, manager) in &file.manager {
            assert!(manager.role("nonsense").is_none());
            let listed: Vec<_> = manager.roles.values().flatten().collect();
            let mut once = listed.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), listed.len(), "{name}: a sub-command twice");
            assert!(!manager.commands.is_empty(), "{name}");
            for sub in &manager.without_packages {
                assert!(manager.role(sub).is_some(), "{name} {sub}");
            }
        }
    }

    #[test]
    fn commands() {
        let name = |command| by_command(command).map(|manager| manager.name.as_str());
        assert_eq!(name("apt-get"), Some("apt"));
        assert_eq!(name("yum"), Some("dnf"));
        assert_eq!(name("pip"), Some("pip"));
        assert_eq!(name("pip3"), Some("pip"));
        assert_eq!(name("pip3.11"), Some("pip"));
        assert_eq!(name("gem2.7"), Some("gem"));
        assert_eq!(name("go1.21"), Some("go"));
        assert_eq!(name("mvnw"), Some("maven"));
        assert_eq!(name("pipx"), None);
        assert_eq!(name("pip-compile"), None);
        assert_eq!(name(""), None);
        assert!(by_name("bundler").is_some());
        assert_eq!(all().len(), 23);
    }

    #[test]
    fn caches() {
        let owner = |path| cache_owner(path, Some("/root")).map(|manager| manager.name.as_str());
        assert_eq!(owner("/var/lib/apt/lists/*"), Some("apt"));
        assert_eq!(owner("/var/lib/apt/lists"), Some("apt"));
        assert_eq!(owner("/var/cache/apt/archives/*.deb"), Some("apt"));
        assert_eq!(owner("/root/.cache/pip"), Some("pip"));
        assert_eq!(owner("~/.npm/_cacache"), Some("npm"));
        assert_eq!(owner("/go/pkg/mod"), Some("go"));
        assert_eq!(owner("/usr/local/cargo/registry/"), Some("cargo"));
        for path in [
            "/var/lib/apt",
            "/var/lib/apt/listsx",
            "/var/lib/apt/lists/../../dpkg",
            "/root/.cache",
            "/home/app/.cache/pip",
            "/go/pkg",
            "/root",
            "",
        ] {
            assert_eq!(owner(path), None, "{path}");
        }
        assert!(cache_owner("/home/app/.cache/pip", Some("/home/app/")).is_some());
        assert!(cache_owner("~/.cache/pip", None).is_some());
        assert!(cache_owner("/root/.cache/pip", None).is_none());
    }
}
