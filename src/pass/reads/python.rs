//! pip, uv, poetry and pipenv: requirements files, `pyproject.toml` or `Pipfile`, and their lock files.

use super::{Early, Install, Reads, from_project, without_lock};
use crate::context::{Entry, path};
use crate::model::managers::{Invocation, Role};
use crate::project::Project;
use crate::project::python::{self, Origin, Pyproject, requirement_files};

pub(super) fn reads(install: &Install<'_>) -> Option<Result<Reads, String>> {
    let one = install.invocation;
    if one.role != Role::Install {
        return None;
    }
    match (one.manager.name.as_str(), one.subcommand_name.as_str()) {
        ("pip", "install") | ("uv", "pip install") => takes_files(install).then(|| pip(install)),
        ("uv", "pip sync") => Some(pip(install)),
        ("uv", "sync") => Some(uv(install)),
        ("poetry", "install" | "sync") => Some(poetry(install)),
        ("pipenv", "install" | "sync") => one.packages.is_empty().then(|| pipenv(install)),
        _ => None,
    }
}

/// The options of pip that name something of the project, besides those of requirements files.
const LOCAL_OPTIONS: [&str; 6] = [
    "-e",
    "--editable",
    "-c",
    "--constraint",
    "--constraints",
    "--group",
];

/// Whether pip is given more than names of packages.
fn takes_files(install: &Install<'_>) -> bool {
    let one = install.invocation;
    let local = one
        .flags
        .iter()
        .any(|flag| LOCAL_OPTIONS.contains(&flag.name.as_str()));
    !one.manifests.is_empty() || local || one.packages.iter().any(|word| is_local(install, *word))
}

/// Whether a word that pip is to install is a file or directory.
fn is_local(install: &Install<'_>, word: usize) -> bool {
    let word = install.command.words.get(word);
    let Some(text) = word.and_then(|word| word.literal.as_deref()) else {
        return true;
    };
    let name = text.split('[').next().unwrap_or(text);
    let starts = text.starts_with(['.', '/', '~']) || text.starts_with("file:");
    starts
        || name.ends_with(".whl")
        || !text.contains("://") && text.contains('/') && !text.contains('@')
}

fn pip(install: &Install<'_>) -> Result<Reads, String> {
    let one = install.invocation;
    if one.dynamic {
        return Err("a word of the install is not literal".to_owned());
    }
    let mut reads = Reads::of_itself();
    let is_sync = one.subcommand_name == "pip sync";
    if let Some(word) = one
        .packages
        .iter()
        .find(|word| !is_sync && is_local(install, **word))
    {
        let shown = install
            .command
            .words
            .get(*word)
            .map_or("", |word| &word.text);
        return Err(format!("`{shown}` builds a package from the source"));
    }
    for flag in &one.flags {
        let value = flag
            .value
            .as_ref()
            .and_then(|value| value.text.as_deref())
            .unwrap_or_default();
        match flag.name.as_str() {
            "-e" | "--editable" if !value.contains("://") => {
                return Err(format!(
                    "`{} {value}` builds a package from the source",
                    flag.name
                ));
            }
            "--group" => return Err("`--group` may name any file".to_owned()),
            "-c" | "--constraint" | "--constraints" => requirements(install, &mut reads, value)?,
            _ => {}
        }
    }
    target(install)?;
    named_requirements(install, &mut reads)?;
    for word in one.packages.iter().filter(|_| is_sync) {
        let word = install
            .command
            .words
            .get(*word)
            .and_then(|word| word.literal.as_deref());
        requirements(install, &mut reads, word.ok_or("a word is not literal")?)?;
    }
    if one.manager.name == "uv" {
        reads.add_files(install, &["pyproject.toml", "uv.toml"]);
    }
    Ok(reads)
}

/// Packages must not be put where the source is copied to.
fn target(install: &Install<'_>) -> Result<(), String> {
    let top = |path: &str| path.split('/').nth(1).map(str::to_owned);
    let source = top(install.directory).filter(|name| !name.is_empty());
    let is_apart = |target: &str| {
        let target = path::clean(target);
        target.starts_with('/') && source.is_some() && top(&target) != source
    };
    let mut targets = install.invocation.targets.iter();
    match targets.all(|target| target.text.as_deref().is_some_and(is_apart)) {
        true => Ok(()),
        false => Err("the install writes where the source may be copied to".to_owned()),
    }
}

/// A requirements file and all that it brings.
fn requirements(install: &Install<'_>, reads: &mut Reads, named: &str) -> Result<(), String> {
    if named.contains("://") {
        return Ok(());
    }
    let file =
        place(install, named).ok_or_else(|| format!("`{named}` is not in the build context"))?;
    if path::file_name(&file) == "pyproject.toml" {
        reads.paths.insert(from_project(install, &file));
        let facts = install
            .project
            .pyproject()
            .map_err(|error| error.to_string())?;
        return static_dependencies(facts);
    }
    let files = requirement_files(install.context, &file).map_err(|error| error.to_string())?;
    if let Some((path, line, text)) = files.unknown() {
        return Err(format!("`{path}` line {line} names `{text}`"));
    }
    for (path, content) in &files.files {
        reads.paths.insert(from_project(install, path));
        for links in content
            .find_links
            .iter()
            .filter(|links| !links.contains("://"))
        {
            reads.add_path(install, links)?;
        }
    }
    for (path, requirement) in files.requirements() {
        let Some(local) = requirement.local_path() else {
            continue;
        };
        if matches!(path::clean(local).as_str(), "." | "..") || local.starts_with('/') {
            return Err(format!(
                "`{path}` line {} installs the source itself",
                requirement.line
            ));
        }
        reads.add_path(install, local)?;
    }
    Ok(())
}

/// The path in the build context of a file that a command names: relative to the project's directory, or absolute.
fn place(install: &Install<'_>, named: &str) -> Option<String> {
    let is_file = |path: &String| matches!(install.context.entry(path), Some(Entry::File(_)));
    let relative = match named.strip_prefix('/') {
        Some(_) => {
            path::below(&path::clean(named), install.directory.trim_end_matches('/'))?.to_owned()
        }
        None => named.to_owned(),
    };
    path::resolve_from(install.root, relative.trim_start_matches('/')).filter(is_file)
}

/// Whether the dependencies stand in `pyproject.toml`; else the package is built to know them.
fn static_dependencies(facts: Option<&Pyproject>) -> Result<(), String> {
    let project = facts.and_then(|facts| facts.project.as_ref());
    let mut dynamic = project.iter().flat_map(|project| &project.dynamic);
    match dynamic.any(|field| field.ends_with("dependencies")) {
        true => {
            Err("`pyproject.toml` leaves its dependencies to the build of the package".to_owned())
        }
        false => Ok(()),
    }
}

/// `pyproject.toml`, with the files and directories that it takes dependencies from.
fn project(install: &Install<'_>, reads: &mut Reads) -> Result<Pyproject, String> {
    let facts = install
        .project
        .pyproject()
        .map_err(|error| error.to_string())?;
    let facts = facts.ok_or("there is no `pyproject.toml` in the build context")?;
    reads.paths.insert("pyproject.toml".to_owned());
    for (_, local) in facts.path_dependencies() {
        reads.add_path(install, local)?;
    }
    Ok(facts.clone())
}

/// The command with `flag` behind it.
fn with_flag(install: &Install<'_>, flag: &str) -> String {
    let command = install.command;
    let words = command.assignments.iter().chain(&command.words);
    let words: Vec<&str> = words.map(|word| word.text.as_str()).collect();
    format!("{} {flag}", words.join(" "))
}

fn has_flag(one: &Invocation, names: &[&str]) -> bool {
    one.flags
        .iter()
        .any(|flag| names.contains(&flag.name.as_str()))
}

/// Sets what runs early: the command itself, or the command with the flag that leaves the project out.
fn leave_out(install: &Install<'_>, reads: &mut Reads, flag: Option<&str>) -> Result<(), String> {
    let Some(flag) = flag else {
        reads.writes.insert(".venv".to_owned());
        return Ok(());
    };
    if install.invocation.dynamic || !install.command.redirects.is_empty() {
        return Err("a word of the install is not literal".to_owned());
    }
    reads.early = Early::Fetch(with_flag(install, flag));
    Ok(())
}

fn poetry(install: &Install<'_>) -> Result<Reads, String> {
    let one = install.invocation;
    let mut reads = Reads::of_itself();
    let facts = project(install, &mut reads)?;
    reads.add_files(install, &["poetry.lock", "poetry.toml"]);
    if has_flag(one, &["--only-root"]) {
        return Err("`--only-root` installs the source alone".to_owned());
    }
    static_dependencies(Some(&facts))?;
    // Without its flag it is not seen from the command that the project stays out.
    let leaves_out = has_flag(one, &["--no-root"]);
    leave_out(install, &mut reads, (!leaves_out).then_some("--no-root"))?;
    Ok(reads)
}

fn uv(install: &Install<'_>) -> Result<Reads, String> {
    let one = install.invocation;
    let mut reads = Reads::of_itself();
    let facts = project(install, &mut reads)?;
    reads.add_files(install, &["uv.lock", "uv.toml", ".python-version"]);
    let members = members(install, &mut reads, &facts)?;
    static_dependencies(Some(&facts))?;
    let (flag, plain) = match members {
        true => ("--no-install-workspace", &["--no-install-workspace"][..]),
        false => (
            "--no-install-project",
            &["--no-install-workspace", "--no-install-project"][..],
        ),
    };
    // Without its flag it is not seen from the command that the project stays out.
    let leaves_out = has_flag(one, plain);
    let versioned = facts
        .project
        .as_ref()
        .is_none_or(|project| project.version.is_some());
    if !versioned && !has_flag(one, &["--frozen"]) {
        reads.doubt(|| "uv may build the package to know its version".to_owned());
    }
    let is_strict = has_flag(one, &["--frozen", "--locked"]);
    let has_lock = install.project.file("uv.lock").is_some();
    if is_strict && !has_lock {
        return Err(without_lock("uv.lock"));
    }
    let locked = !has_lock || is_strict;
    if leaves_out && !locked {
        reads.doubt(|| puts_back("uv", "uv.lock"));
    }
    leave_out(install, &mut reads, (!leaves_out).then_some(flag))?;
    Ok(reads)
}

fn puts_back(tool: &str, lock: &str) -> String {
    format!(
        "{tool} changes a `{lock}` that is out of step, and the COPY behind it puts the old one back"
    )
}

/// The manifests of the members of a uv workspace; whether there are any.
fn members(install: &Install<'_>, reads: &mut Reads, facts: &Pyproject) -> Result<bool, String> {
    let Some(uv) = &facts.uv else {
        return Ok(false);
    };
    let manifest = path::join(install.root, "pyproject.toml");
    let members =
        python::uv_members(install.context, &manifest, uv).map_err(|error| error.to_string())?;
    for member in &members {
        reads.paths.insert(from_project(install, member));
        let project = Project::new(install.context, path::parent(member));
        static_dependencies(project.pyproject().map_err(|error| error.to_string())?)?;
    }
    Ok(!members.is_empty())
}

/// Adds the requirements files that the options of the command name.
fn named_requirements(install: &Install<'_>, reads: &mut Reads) -> Result<(), String> {
    install
        .invocation
        .manifests
        .iter()
        .try_for_each(|manifest| {
            let value = manifest.text.as_deref();
            let value = value.ok_or("the name of a requirements file is not literal")?;
            requirements(install, reads, value)
        })
}

fn pipenv(install: &Install<'_>) -> Result<Reads, String> {
    let one = install.invocation;
    let mut reads = Reads::of_itself();
    named_requirements(install, &mut reads)?;
    let facts = install
        .project
        .pipfile()
        .map_err(|error| error.to_string())?;
    let Some(facts) = facts else {
        return match one.manifests.is_empty() {
            true => Err("there is no `Pipfile` in the build context".to_owned()),
            false => Ok(reads),
        };
    };
    reads.add_files(install, &["Pipfile", "Pipfile.lock"]);
    let origins = facts
        .packages
        .values()
        .chain(facts.dev_packages.values())
        .flatten();
    for origin in origins {
        if let Origin::Path(local) = origin {
            reads.add_path(install, local)?;
        }
    }
    reads.writes.insert(".venv".to_owned());
    let is_strict =
        one.subcommand_name == "sync" || has_flag(one, &["--deploy", "--ignore-pipfile"]);
    let has_lock = install.project.file("Pipfile.lock").is_some();
    if is_strict && !has_lock {
        return Err(without_lock("Pipfile.lock"));
    }
    if has_lock && !is_strict && !has_flag(one, &["--skip-lock"]) {
        reads.doubt(|| puts_back("pipenv", "Pipfile.lock"));
    }
    Ok(reads)
}
