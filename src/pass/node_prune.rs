//! Deletes what only the development of a Node project needs, where all is installed and built. Only by the package
//! manager itself, and not where what is started may need it.

use super::development::Development;
use super::node_packages::{self, OWN_SCRIPTS};
use super::node_version::has_npm_7;
use super::program::Program;
use super::project_place::Place;
use crate::project::Project;
use crate::project::node::{PackageJson, YarnFlavor};

/// The command by which `manager`, which installed the project at `install`, deletes what is for development.
///
/// # Errors
/// Why there is none that does nothing else.
pub fn command(
    manager: &str,
    install: &Place<'_>,
    package: &PackageJson,
    project: &Project<'_>,
) -> Result<&'static str, String> {
    if package.workspaces.is_some() {
        may_prune_members(manager, project)?;
    }
    match manager {
        "npm" => match has_npm_7(install) {
            Some(true) => Ok("npm prune --omit=dev"),
            Some(false) => Err("npm before 7 (Node before 15) does not know `--omit`".to_owned()),
            None => Err("whether npm is 7 or newer is not known".to_owned()),
        },
        "yarn" => match project.yarn_flavor() {
            Ok(Some(YarnFlavor::Classic)) => {
                Ok("yarn install --production --frozen-lockfile --ignore-scripts --prefer-offline")
            }
            _ => Err("yarn is not known to be of version 1, which can leave them out".to_owned()),
        },
        // It runs the scripts of the project again, which may need what it deletes.
        "pnpm" => match OWN_SCRIPTS
            .iter()
            .find(|name| package.scripts.contains_key(**name))
        {
            None => Ok("pnpm prune --prod"),
            Some(name) => Err(format!(
                "`pnpm prune` runs the script `{name}`, which may need development packages"
            )),
        },
        _ => Err(format!("`{manager}` cannot delete development packages")),
    }
}

/// npm deletes what the members of a workspace have for development too, and runs the scripts of their own again.
fn may_prune_members(manager: &str, project: &Project<'_>) -> Result<(), String> {
    if manager != "npm" {
        return Err(
            "the project is a workspace: its members have packages of their own".to_owned(),
        );
    }
    let members = project.node_member_packages();
    for (manifest, member) in members.map_err(|error| error.to_string())? {
        let mut own = OWN_SCRIPTS.iter();
        if let Some(name) = own.find(|name| member.scripts.contains_key(**name)) {
            return Err(format!(
                "`npm prune` runs the script `{name}` of `{manifest}`, which may need development packages"
            ));
        }
    }
    Ok(())
}

/// Why what is started may need something that is for development; `None` where it is not seen to.
pub fn need(program: &Program, package: &PackageJson, project: &Project<'_>) -> Option<String> {
    if program.name == "node" {
        let mut options = program.arguments.iter();
        let option = options.find(|word| word.starts_with("-r") || word.starts_with("--"))?;
        return Some(format!("`node {option}` may load development packages"));
    }
    match script_of(program, package) {
        None => Some(format!("what `{}` starts is not known", program.name)),
        Some(script) => need_of_script(script, package, project),
    }
}

/// The script of the manifest that the container starts; `None` where it is not that of this manifest, or not known.
pub fn script_of<'s>(program: &Program, package: &'s PackageJson) -> Option<&'s str> {
    let elsewhere = [
        "-w",
        "--workspace",
        "-C",
        "--prefix",
        "--dir",
        "--filter",
        "--cwd",
        "-F",
    ];
    let is_elsewhere = |word: &String| {
        let name = word.split('=').next().unwrap_or(word);
        elsewhere.contains(&name)
    };
    if program.arguments.iter().any(is_elsewhere) {
        return None;
    }
    let mut words = program
        .arguments
        .iter()
        .filter(|word| !word.starts_with('-'));
    let first = words.next()?;
    let name = match first.as_str() {
        "run" | "run-script" => words.next()?,
        _ => first,
    };
    package.scripts.get(name).map(String::as_str)
}

/// A script of the manifest runs what only development has, or something of which that is not known.
fn need_of_script(script: &str, package: &PackageJson, project: &Project<'_>) -> Option<String> {
    let development = Development::of_node(package, project, false);
    let is_command = |word: &str| {
        development.commands.contains_key(word)
            || development.packages.contains(word)
            || node_packages::is_build_command(word)
    };
    let runs_other = |word: &str| {
        matches!(
            word,
            "npm" | "yarn" | "pnpm" | "npx" | "run-s" | "run-p" | "sh" | "bash"
        )
    };
    let mut words = script.split(|ch: char| ch.is_whitespace() || "&|;()".contains(ch));
    let found = words.find(|word| {
        is_command(word) || runs_other(word) || word.starts_with("./") && !word.ends_with("js")
    })?;
    Some(format!(
        "`{found}` of the script that is started may need development packages"
    ))
}

/// Whether the environment of a step has package managers leave out what only development needs.
pub fn is_for_production(place: Place<'_>) -> bool {
    let value = place
        .step()
        .before
        .variable("NODE_ENV")
        .and_then(|one| one.value.clone());
    value.as_deref() == Some("production")
}
