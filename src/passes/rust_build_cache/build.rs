//! What a command of cargo builds, and where it leaves it: the options, the manifests, the configuration.

use std::collections::BTreeSet;

use super::Found;
use crate::context::path;
use crate::model::expand::Lookup;
use crate::model::managers::Invocation;
use crate::pass::cargo_packages::{Packages, name_of};
use crate::pass::project_place::{Place, first_words};
use crate::project::Project;
use crate::project::rust::{CargoToml, cargo_bins, cargo_config};

/// A build.
pub(super) struct Build {
    /// What it is of: the name of a package.
    pub(super) package: String,
    /// The packages of the project itself: those that are compiled from the build context.
    pub(super) own: Vec<String>,
    /// The build directory as cargo chooses it.
    pub(super) directory: String,
    /// The programs that it may build.
    pub(super) programs: BTreeSet<String>,
    /// Where it leaves them there; `None` where it installs them elsewhere.
    pub(super) output: Option<Output>,
}

/// Where a build leaves programs.
pub(super) struct Output {
    /// The directories below the build directory: `release`.
    pub(super) profile: String,
    /// The directory of the programs, as the step may write it.
    pub(super) shown: String,
}

/// What the command builds.
///
/// # Errors
/// Why that is not known, or why it is left elsewhere.
pub(super) fn read(found: &Found<'_>) -> Result<Build, String> {
    check_words(found)?;
    check_variables(found)?;
    let one = found.invocation;
    let place = found.place();
    let started = place.started_in(found.script, &found.at);
    let mut directory = started.ok_or("the directory of the build is not known")?;
    let installs = one.subcommand_name == "install";
    if installs {
        let to = value(one, &["--path"])?.unwrap_or_default();
        directory = path::absolute(&directory, &to);
    }
    check_configuration(found, &place, &directory)?;
    let root = manifest_of(&place, &directory)?;
    let Some(root) = root else {
        return Err(format!(
            "no `Cargo.toml` of the build context stands in `{directory}`"
        ));
    };
    check_above(&place, &directory, &root)?;
    let project = Packages::of(found.cx.context, root)?;
    let asked = values(one, &["-p", "--package"])?;
    let packages = project.asked(&asked);
    let programs = programs(found, &packages)?;
    let package = packages.first().map(|(_, facts)| name_of(facts));
    let output = match installs {
        true => None,
        false => Some(Output {
            shown: format!("target/{}", profile(one)?),
            profile: profile(one)?,
        }),
    };
    Ok(Build {
        package: package.ok_or("no package is known of the workspace")?,
        directory: path::join(&directory, "target"),
        programs,
        own: project.own()?,
        output,
    })
}

/// The command that deletes from the build directory what earlier builds left there of the project itself, so that no
/// file counts as unchanged for its time.
pub(super) fn cleaning(found: &Found<'_>, build: &Build) -> String {
    let one = found.invocation;
    let words = &found.at.command.words;
    let leading = one.subcommand.first().copied().unwrap_or(1);
    let leading = words.iter().take(leading).map(|word| word.text.as_str());
    let mut clean: Vec<String> = leading.map(str::to_owned).collect();
    clean.push(format!("clean --target-dir {}", found.rule.target));
    let is_debug = one.has_any(&["--debug".to_owned()]);
    let has_profile = one.flags_named("--profile").next().is_some();
    if one.subcommand_name == "install" && !is_debug && !has_profile {
        clean.push("--release".to_owned());
    }
    const KEPT: [&str; 5] = ["--release", "-r", "--profile", "--target", "--locked"];
    let kept = one
        .flags
        .iter()
        .filter(|flag| KEPT.contains(&flag.name.as_str()));
    for flag in kept {
        clean.push(match flag.text() {
            Some(value) => format!("{}={value}", flag.name),
            None => flag.name.clone(),
        });
    }
    let path = one.flags_named("--path").find_map(|flag| flag.text());
    if let Some(path) = path.filter(|path| !matches!(*path, "." | "./")) {
        let path = path.trim_end_matches('/');
        clean.push(format!("--manifest-path={path}/Cargo.toml"));
    }
    clean.extend(build.own.iter().map(|name| format!("-p {name}")));
    clean.join(" ")
}

/// The options of the command.
fn check_words(found: &Found<'_>) -> Result<(), String> {
    let (one, rule) = (found.invocation, found.rule);
    let mut flags = one.flags.iter();
    let words = found.at.command.words.iter().enumerate();
    let is_free = |word: usize| {
        let mut flags = one
            .flags
            .iter()
            .filter(|flag| rule.free.contains(&flag.name));
        flags.any(|flag| flag.value.as_ref().is_some_and(|value| value.word == word))
    };
    let mut unknown = words.filter(|(index, word)| word.literal.is_none() && !is_free(*index));
    if let Some((_, word)) = unknown.next() {
        return Err(format!("what `{}` holds is not known", word.text));
    }
    if let Some(flag) = flags.find(|flag| rule.moved_by.contains(&flag.name)) {
        return Err(format!("`{}` moves what the build leaves", flag.name));
    }
    let mut flags = one.flags.iter();
    match flags.find(|flag| rule.offline.contains(&flag.name)) {
        Some(flag) => Err(format!(
            "`{}` needs what an earlier step left in the cache",
            flag.name
        )),
        None => Ok(()),
    }
}

/// The variables of the image, and those that the script sets.
fn check_variables(found: &Found<'_>) -> Result<(), String> {
    let state = found.step().before;
    let moves = |name: &str| found.rule.moved_by_env.iter().any(|one| one == name);
    let mut all = state.variables().map(|(name, _)| name);
    if let Some(name) = all.find(|name| moves(name) && state.lookup(name) != Lookup::Unset) {
        return Err(format!("`{name}` is set"));
    }
    for at in found.script.commands() {
        for word in at.command.assignments.iter().chain(&at.command.words) {
            let name = word.text.split_once('=').map(|(name, _)| name);
            if let Some(name) =
                name.filter(|name| moves(name) || *name == "CARGO_HOME" || *name == "HOME")
            {
                return Err(format!("the script sets `{name}`"));
            }
        }
    }
    Ok(())
}

/// The configuration files of cargo for a command that runs in `directory`.
fn check_configuration(
    found: &Found<'_>,
    place: &Place<'_>,
    directory: &str,
) -> Result<(), String> {
    let runs = std::iter::once(*place).chain(place.before());
    let mut runs = runs.filter(|place| place.step().is_run());
    let writes = |place: &Place<'_>| {
        let text = found.cx.shown(place.step().instruction.args_span);
        text.contains("cargo/config") || text.contains("CARGO_HOME/config")
    };
    if let Some(place) = runs.find(writes) {
        let shown = found.cx.shown(place.step().instruction.args_span);
        return Err(format!(
            "`{}` may write cargo's configuration",
            first_words(&shown)
        ));
    }
    let state = found.step().before;
    let home = match state.lookup("CARGO_HOME") {
        Lookup::Set(home) => home.to_owned(),
        _ => path::join(
            state.home().unwrap_or_default().trim_end_matches('/'),
            ".cargo",
        ),
    };
    let above = path::prefixes(directory).map(|one| path::join(one, ".cargo"));
    let folders = above.chain(["/.cargo".to_owned(), home]);
    for folder in folders {
        for name in ["config.toml", "config"] {
            let file = path::join(&folder, name);
            let Some(text) = place.text(&file) else {
                continue;
            };
            let facts = cargo_config(&file, text.as_bytes()).map_err(|error| error.to_string())?;
            let set = [
                (facts.target_dir.is_some(), "build.target-dir"),
                (facts.build_dir.is_some(), "build.build-dir"),
                (facts.has_target, "build.target"),
                (facts.install_root.is_some(), "install.root"),
                (facts.offline, "net.offline"),
                (facts.vendored, "a vendored source"),
            ];
            if let Some((_, what)) = set.iter().find(|(is_set, _)| *is_set) {
                return Err(format!("`{file}` sets {what}"));
            }
        }
    }
    Ok(())
}

/// The file of the build context that is `Cargo.toml` in `directory` of the image; its path in the context.
fn manifest_of(place: &Place<'_>, directory: &str) -> Result<Option<String>, String> {
    place.origin(&path::join(directory, "Cargo.toml"))
}

/// Whether the project is a member of a workspace above it, whose build directory it uses.
fn check_above(place: &Place<'_>, directory: &str, own: &str) -> Result<(), String> {
    let context = place.cx.context;
    let facts = |file: &str| {
        let project = Project::new(context, path::parent(file));
        let facts = project.cargo_toml().map_err(|error| error.to_string())?;
        Ok::<_, String>(facts.cloned())
    };
    if facts(own)?.is_some_and(|facts| facts.workspace.is_some()) {
        return Ok(());
    }
    let mut above = directory;
    while above != "/" && !above.is_empty() {
        above = path::parent(above);
        let shown = if above.is_empty() { "/" } else { above };
        let Some(file) = manifest_of(place, shown)? else {
            continue;
        };
        if facts(&file)?.is_none_or(|facts| facts.workspace.is_some()) {
            return Err(format!("the root of the workspace may be `{shown}`"));
        }
    }
    Ok(())
}

/// The programs that the command may build.
fn programs(
    found: &Found<'_>,
    packages: &[(&str, &CargoToml)],
) -> Result<BTreeSet<String>, String> {
    let asked = values(found.invocation, &["--bin"])?;
    let bins = packages
        .iter()
        .flat_map(|(manifest, facts)| cargo_bins(found.cx.context, manifest, facts));
    let names = bins.map(|bin| bin.name);
    Ok(names
        .filter(|name| asked.is_empty() || asked.contains(name))
        .collect())
}

/// The directories below the build directory where programs end up.
fn profile(one: &Invocation) -> Result<String, String> {
    let release = one.has_any(&["--release".to_owned(), "-r".to_owned()]);
    let profile = match value(one, &["--profile"])?.as_deref() {
        Some("dev" | "test") => "debug".to_owned(),
        Some("bench") => "release".to_owned(),
        Some(name) => name.to_owned(),
        None if release => "release".to_owned(),
        None => "debug".to_owned(),
    };
    let plain = |text: &str| {
        text.chars()
            .all(|ch| ch.is_ascii_alphanumeric() || "-_".contains(ch))
    };
    let target = value(one, &["--target"])?;
    if !target.iter().chain([&profile]).all(|text| plain(text)) {
        return Err("where the build leaves its programs is not known".to_owned());
    }
    Ok(match target {
        Some(target) => format!("{target}/{profile}"),
        None => profile,
    })
}

/// The value of an option that may be given once.
fn value(one: &Invocation, names: &[&str]) -> Result<Option<String>, String> {
    let mut values = values(one, names)?;
    match values.len() {
        0 | 1 => Ok(values.pop()),
        _ => Err(format!("`{}` is given more than once", names.join("`, `"))),
    }
}

fn values(one: &Invocation, names: &[&str]) -> Result<Vec<String>, String> {
    let flags = one
        .flags
        .iter()
        .filter(|flag| names.contains(&flag.name.as_str()));
    let text = |flag: &crate::model::managers::Flag| {
        let text = flag.text().map(str::to_owned);
        text.ok_or_else(|| format!("the value of `{}` is not known", flag.name))
    };
    flags.map(text).collect()
}
