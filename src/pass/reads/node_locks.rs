//! The lock files of npm, yarn, pnpm and bun: which one an install reads, and whether it would change it.

use super::{Install, Reads, without_lock};
use crate::context::path;
use crate::model::managers::Invocation;
use crate::project::Project;
use crate::project::node::{LockStep, PackageJson};

/// The lock file, and whether the install leaves it as it is: what is copied over it later puts it back.
pub(super) fn lock(install: &Install<'_>, reads: &mut Reads) -> Result<(), String> {
    let (project, one) = (install.project, install.invocation);
    let own: &[&str] = match one.manager.name.as_str() {
        "npm" => &["npm-shrinkwrap.json", "package-lock.json"],
        "yarn" => &["yarn.lock"],
        "pnpm" => &["pnpm-lock.yaml"],
        _ => &["bun.lock", "bun.lockb"],
    };
    let found = own.iter().find(|name| project.file(name).is_some());
    let Some(found) = found else {
        if is_strict(one) {
            let usual = own.iter().rfind(|name| !name.ends_with("lockb"));
            return Err(without_lock(usual.unwrap_or(&"")));
        }
        // npm and bun read the lock files of others where they have none.
        if matches!(one.manager.name.as_str(), "npm" | "bun") {
            let others = ["package-lock.json", "yarn.lock", "pnpm-lock.yaml"];
            reads.add_files(install, &others);
        }
        if one.manager.name == "npm" && project.file("yarn.lock").is_some() {
            reads.doubt(|| changes("yarn.lock"));
        }
        return Ok(());
    };
    reads.add_files(install, own);
    if is_frozen(one) || is_in_step(install, found)? {
        return Ok(());
    }
    reads.doubt(|| changes(found));
    Ok(())
}

fn changes(lock: &str) -> String {
    format!("the install may change `{lock}`, and the COPY behind it puts the old one back")
}

/// Whether an install fails without a lock file.
fn is_strict(one: &Invocation) -> bool {
    const FLAGS: [&str; 3] = ["--frozen-lockfile", "--immutable", "--immutable-cache"];
    const COMMANDS: [&str; 4] = ["ci", "clean-install", "install-clean", "fetch"];
    COMMANDS.contains(&one.subcommand_name.as_str()) || has_flag(one, &FLAGS)
}

fn is_frozen(one: &Invocation) -> bool {
    const FLAGS: [&str; 4] = [
        "--no-package-lock",
        "--no-lockfile",
        "--pure-lockfile",
        "--no-save",
    ];
    is_strict(one) || has_flag(one, &FLAGS)
}

fn has_flag(one: &Invocation, names: &[&str]) -> bool {
    let mut flags = one.flags.iter();
    flags.any(|flag| names.contains(&flag.name.as_str()))
}

/// Whether the lock file has an entry for each range that the project and its members name.
fn is_in_step(install: &Install<'_>, lock: &str) -> Result<bool, String> {
    const LIMIT: usize = 8 << 20;
    let project = install.project;
    if install.invocation.manager.name == "npm" {
        let step = project.npm_lock_step().map_err(|error| error.to_string())?;
        return Ok(step == Some(LockStep::InStep));
    }
    let bytes = install.context.read(&path::join(install.root, lock), LIMIT);
    let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
    let members = project.node_members().map_err(|error| error.to_string())?;
    let members = members
        .iter()
        .map(|file| Project::new(install.context, path::parent(file)));
    let members: Vec<Project<'_>> = members.collect();
    let mut all = members.iter().chain([project]);
    all.try_fold(true, |so_far, one| {
        let package = one.package_json().map_err(|error| error.to_string())?;
        Ok(so_far && package.is_some_and(|package| has_all(package, lock, &text)))
    })
}

fn has_all(package: &PackageJson, lock: &str, text: &str) -> bool {
    let tables = [
        &package.dependencies,
        &package.dev_dependencies,
        &package.optional_dependencies,
    ];
    let mut all = tables.into_iter().flatten();
    all.all(|(name, range)| has_entry(lock, text, name, range))
}

/// Whether the text of a lock file has an entry for that range of a package, as its manager writes it.
fn has_entry(lock: &str, text: &str, name: &str, range: &str) -> bool {
    let is = |line: &str, wanted: &str| {
        let line = line.trim();
        line == wanted || line.replace(['\'', '"'], "") == wanted
    };
    match lock {
        "yarn.lock" => {
            let keys = [format!("{name}@{range}"), format!("{name}@npm:{range}")];
            keys.iter().any(|key| text.contains(key))
        }
        "bun.lock" => text.contains(&format!("\"{name}\": \"{range}\"")),
        "pnpm-lock.yaml" => {
            let (key, specifier) = (format!("{name}:"), format!("specifier: {range}"));
            let next = text.lines().skip(1);
            let mut pairs = text.lines().zip(next);
            let old = format!("{name}: {range}");
            pairs.any(|(line, next)| is(line, &old) || is(line, &key) && is(next, &specifier))
        }
        _ => false,
    }
}
