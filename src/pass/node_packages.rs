//! What packages of Node need of the image that they are installed in, or run in, and what is for development: the table `rules/data/node.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::development::Tools;
use crate::project::Project;
use crate::project::node::PackageJson;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    /// Packages with install scripts that need nothing else.
    self_contained: Vec<String>,
    /// Packages that need more than the small image has.
    needs_more: Vec<String>,
    /// Packages whose install scripts may call a compiler.
    may_compile: Vec<String>,
    /// Programs that load what a project has for development.
    builders: Vec<String>,
    /// Commands of packages for development that are not called like these.
    build_commands: Vec<String>,
    /// The commands of packages that are not called like their package.
    commands: BTreeMap<String, Vec<String>>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(data!("node")).unwrap_or_default());

/// The scripts of a project that an install of it runs.
pub const OWN_SCRIPTS: [&str; 4] = ["preinstall", "install", "postinstall", "prepare"];

/// What is known of Node's packages for development.
pub fn tools(manager: &str) -> Tools<'_> {
    Tools {
        manager,
        builders: &TABLE.builders,
        commands: &TABLE.commands,
    }
}

/// Whether a command comes with a package for development that is called otherwise.
pub fn is_build_command(name: &str) -> bool {
    TABLE.build_commands.iter().any(|one| one == name)
}

/// No package needs programs or libraries at run time that only the full image has.
///
/// # Errors
/// Which one does, or of which that is not known.
pub fn need_only_node(package: &PackageJson, project: &Project<'_>) -> Result<(), String> {
    let needs_more = |name: &&String| TABLE.needs_more.contains(*name);
    if let Some((name, _)) = all(package).find(|(name, _)| needs_more(name)) {
        return Err(format!("`{name}` needs more than the small image has"));
    }
    let is_plain = OWN_SCRIPTS.iter().all(|name| {
        let script = package.scripts.get(*name);
        script.is_none_or(|script| runs_only_node(script))
    });
    let lock = project.package_lock().ok().flatten();
    let mut scripts = lock.into_iter().flat_map(|lock| &lock.install_scripts);
    let is_known = |place: &str| place.is_empty() && is_plain || is_self_contained(name_of(place));
    match scripts.find(|place| !is_known(place)) {
        Some(place) if place.is_empty() => Err(
            "the project runs a script when it is installed: what that needs is not known"
                .to_owned(),
        ),
        Some(place) => Err(format!(
            "`{place}` runs a script when it is installed: which libraries it takes is not known"
        )),
        None => Ok(()),
    }
}

/// No package needs a compiler, or `git`, when it is installed.
///
/// # Errors
/// Which one does, or of which that is not known.
pub fn install_without_tools(package: &PackageJson, project: &Project<'_>) -> Result<(), String> {
    let lock = project.package_lock().map_err(|error| error.to_string())?;
    let lock = lock.ok_or(
        "which packages run a script when they are installed is not known without a lock file of npm",
    )?;
    let compiles = |place: &&String| TABLE.may_compile.iter().any(|one| one == name_of(place));
    if let Some(place) = lock.install_scripts.iter().find(compiles) {
        return Err(format!("`{place}` may be compiled when it is installed"));
    }
    let by_git =
        |source: &str| source.contains("git") || source.contains('/') && !source.contains(':');
    match all(package).find(|(_, source)| by_git(source)) {
        Some((name, source)) => Err(format!("`{name}` may be fetched with git, from `{source}`")),
        None => Ok(()),
    }
}

/// The packages that a manifest names, and their versions or sources.
fn all(package: &PackageJson) -> impl Iterator<Item = (&String, &String)> {
    let kinds = [
        &package.dependencies,
        &package.optional_dependencies,
        &package.dev_dependencies,
    ];
    kinds.into_iter().flatten()
}

/// Whether a script runs nothing but programs of Node on files of the project.
fn runs_only_node(script: &str) -> bool {
    let mut commands = script.split("&&").map(str::split_whitespace);
    commands.all(|mut words| {
        words
            .next()
            .is_some_and(|word| matches!(word, "node" | "husky" | "patch-package"))
    })
}

fn is_self_contained(name: &str) -> bool {
    TABLE.self_contained.iter().any(|one| one == name)
        || name.starts_with("@esbuild/")
        || name.starts_with("@prisma/engines")
}

/// The name of a package by its place in the tree.
fn name_of(place: &str) -> &str {
    place.rsplit("node_modules/").next().unwrap_or(place)
}

/// The name of a package as a command writes it: `typescript` of `typescript@5`.
pub fn without_version(name: &str) -> &str {
    match name.get(1..).and_then(|rest| rest.find('@')) {
        Some(at) => &name[..=at],
        None => name,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_read_whole() {
        let table = serde_json::from_str::<super::Table>(data!("node"));
        let table = table.expect("node.toml");
        let mut all = table.may_compile.iter();
        let unknown = all.find(|name| !table.self_contained.contains(name));
        assert_eq!(unknown, None, "not in `self-contained`");
    }
}
