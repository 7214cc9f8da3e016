//! npm, yarn, pnpm and bun: package.json, the lock file, settings, patches, and every member of a workspace.
//!
//! Scripts that the install runs are in [`super::node_scripts`].

use super::{Install, Reads, from_project, node_locks, node_scripts};
use crate::context::path;
use crate::model::managers::Role;
use crate::project::Project;
use crate::project::node::{PackageJson, Spec, YarnFlavor};

/// Sub-commands that install what package.json names, when no package is named. Empty is a bare `yarn`.
const SUBCOMMANDS: [&str; 14] = [
    "",
    "install",
    "i",
    "in",
    "ins",
    "inst",
    "insta",
    "instal",
    "isnt",
    "ci",
    "clean-install",
    "install-clean",
    "fetch",
    "workspaces focus",
];

/// The most members of a workspace whose manifests are copied one by one.
const MEMBERS: usize = 40;

pub(super) fn reads(install: &Install<'_>) -> Option<Result<Reads, String>> {
    let one = install.invocation;
    let of_project = one.role == Role::Install
        && SUBCOMMANDS.contains(&one.subcommand_name.as_str())
        && one.packages.is_empty()
        && !one.may_be_global();
    of_project.then(|| of_install(install))
}

fn of_install(install: &Install<'_>) -> Result<Reads, String> {
    let one = install.invocation;
    if one.dynamic {
        return Err("a word of the install is not literal".to_owned());
    }
    if let Some(operand) = install.operands().next() {
        return Err(format!(
            "what `{operand}` means for the install is not known"
        ));
    }
    let project = install.project;
    let package = project.package_json().map_err(|error| error.to_string())?;
    let package = package.ok_or("there is no `package.json` in the build context")?;
    if let Some(root) = workspace_above(install) {
        return Err(format!(
            "the project is a member of the workspace of `{root}`"
        ));
    }
    if project.file("binding.gyp").is_some() {
        return Err("`binding.gyp` makes the install build the source".to_owned());
    }
    let mut reads = Reads::of_itself();
    reads.paths.insert("package.json".to_owned());
    reads.writes.insert("node_modules".to_owned());
    settings(install, &mut reads)?;
    node_locks::lock(install, &mut reads)?;
    local(install, &mut reads, package, "")?;
    node_scripts::of_package(install, &mut reads, package, "")?;
    members(install, &mut reads)?;
    if one.manager.name == "yarn" && project.yarn_flavor() == Ok(Some(YarnFlavor::Berry)) {
        berry(install, &mut reads)?;
    }
    Ok(reads)
}

/// The `package.json` of a directory above, of whose workspace this project is a member.
fn workspace_above(install: &Install<'_>) -> Option<String> {
    let own = path::join(install.root, "package.json");
    let mut directory = install.root;
    while !directory.is_empty() {
        directory = path::parent(directory);
        let above = Project::new(install.context, directory);
        let members = above.node_members().unwrap_or_default();
        if members.contains(&own) {
            return Some(path::join(directory, "package.json"));
        }
    }
    None
}

/// The settings of each manager, and the code that they load.
fn settings(install: &Install<'_>, reads: &mut Reads) -> Result<(), String> {
    let names: &[&str] = match install.invocation.manager.name.as_str() {
        "npm" => &[".npmrc"],
        "yarn" => &[".npmrc", ".yarnrc", ".yarnrc.yml"],
        "pnpm" => &[
            ".npmrc",
            "pnpm-workspace.yaml",
            ".pnpmfile.cjs",
            ".pnpmfile.mjs",
        ],
        _ => &[".npmrc", "bunfig.toml"],
    };
    reads.add_files(install, names);
    let project = install.project;
    if install.invocation.manager.name == "bun" && has(install, "patches") {
        reads.add_path(install, "patches")?;
    }
    let workspace = project
        .pnpm_workspace()
        .map_err(|error| error.to_string())?;
    for patch in workspace
        .into_iter()
        .flat_map(|one| one.patched_dependencies.values())
    {
        patched(install, reads, patch)?;
    }
    Ok(())
}

/// A patch file, with the directory `patches` that holds it.
fn patched(install: &Install<'_>, reads: &mut Reads, patch: &str) -> Result<(), String> {
    let patch = path::clean(patch.strip_prefix("~/").unwrap_or(patch));
    match path::parent(&patch) {
        "patches" => reads.add_path(install, "patches"),
        _ => reads.add_path(install, &patch),
    }
}

/// Whether something of that name stands in the project.
pub(super) fn has(install: &Install<'_>, name: &str) -> bool {
    let found = path::resolve_from(install.root, name);
    found.is_some_and(|path| install.context.entry(&path).is_some())
}

/// What yarn 2+ keeps in `.yarn`.
fn berry(install: &Install<'_>, reads: &mut Reads) -> Result<(), String> {
    for part in ["releases", "plugins", "patches", "cache"] {
        let part = format!(".yarn/{part}");
        if has(install, &part) {
            reads.paths.insert(part);
        }
    }
    reads.add_files(install, &["yarn.config.cjs"]);
    let rc = install
        .project
        .yarn_rc()
        .map_err(|error| error.to_string())?;
    let Some(rc) = rc else {
        return Ok(());
    };
    let plugins = rc.plugins.iter().map(|plugin| plugin.path());
    for file in plugins.chain(rc.yarn_path.as_deref()) {
        let file = path::clean(file);
        let covered = reads
            .paths
            .iter()
            .any(|path| path::below(&file, path).is_some());
        // yarn's own plugins have names that are no files.
        if !covered && !file.starts_with('@') {
            reads.add_path(install, &file)?;
        }
    }
    Ok(())
}

/// Files and directories of the project that dependencies of the package in `directory` name.
fn local(
    install: &Install<'_>,
    reads: &mut Reads,
    package: &PackageJson,
    directory: &str,
) -> Result<(), String> {
    for named in package.local_paths() {
        let path = path::join(directory, &named);
        if path::parent(&path::clean(&path)) == "patches" {
            patched(install, reads, &path)?;
        } else {
            reads.add_path(install, &path)?;
        }
    }
    let exec = |spec: Spec| matches!(spec, Spec::Exec(_));
    if package.specs().any(|(_, _, spec)| exec(spec)) {
        return Err("a dependency is made by a script of the project".to_owned());
    }
    Ok(())
}

/// The manifests of a workspace's members, what these name, and the programs that are linked.
fn members(install: &Install<'_>, reads: &mut Reads) -> Result<(), String> {
    let members = install
        .project
        .node_members()
        .map_err(|error| error.to_string())?;
    if members.len() > MEMBERS {
        return Err(format!("the workspace has {} members", members.len()));
    }
    for manifest in members {
        let file = from_project(install, &manifest);
        let directory = path::parent(&file).to_owned();
        let member = Project::new(install.context, path::parent(&manifest));
        let package = member.package_json().map_err(|error| error.to_string())?;
        let package = package.ok_or_else(|| format!("`{manifest}` cannot be read"))?;
        reads.paths.insert(file);
        reads.writes.insert(path::join(&directory, "node_modules"));
        local(install, reads, package, &directory)?;
        node_scripts::of_package(install, reads, package, &directory)?;
        for program in package.bin.values() {
            let program = path::clean(&path::join(&directory, program));
            if has(install, &program) {
                reads.add_path(install, &program)?;
            }
        }
    }
    Ok(())
}
