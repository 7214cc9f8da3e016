//! A build directory of cargo that is kept in a cache mount: which commands are told to build there, what the step copies
//! out of it, and that nobody needs more of it than that.

use super::command::Comparison;
use super::directories::{self, resolved};
use super::later::{self, Place};
use super::mounts::{self as flags, covers};
use super::script::Shell;
use super::{Fault, Verdict};
use crate::model::expand::Lookup;
use crate::model::managers::{self, Invocation, Role, invocation};
use crate::model::mount::Mount;
use crate::model::{Base, Stage, Step};
use crate::rule::Effect;
use crate::syntax::shell::Command;
use crate::syntax::{Instruction, Keyword};
use crate::text::contains;

/// The variables and the option that move cargo's build directory.
const MOVED_BY: [&str; 3] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "--target-dir"];

/// No more steps than these of one file are looked at.
const MOST_STEPS: usize = 32;

/// The target of a mount that may keep a build directory: an empty, writable cache apart from where the step works.
pub(super) fn target(mount: &Mount, step: &Step<'_>) -> Option<String> {
    let target = step.before.absolute(mount.target.as_deref()?)?;
    let workdir = step.before.workdir()?;
    let has_owner = mount.others.iter().any(|(key, _)| key == "uid");
    let aside = !covers(&target, workdir) && (workdir == "/" || !covers(workdir, &target));
    let deep = target.trim_matches('/').contains('/');
    let writable = step.before.is_root() == Some(true) || has_owner;
    (flags::is_plain_cache(mount) && aside && deep && writable).then_some(target)
}

/// `new` as it would be without the build directory that it is given and `old` is not.
pub(super) fn without_directory(
    cx: &Comparison<'_>,
    old: &Command,
    new: &Command,
) -> Option<Command> {
    if !cx.allowed.has(&Effect::BuildCache) || cx.builds.is_empty() || is_moved(old) {
        return None;
    }
    cargo(new)?;
    directory_of(new).filter(|directory| cx.builds.contains(directory))?;
    let set_elsewhere = MOVED_BY
        .iter()
        .any(|name| cx.step.before.variable(name).is_some());
    let mut plain = new.clone();
    plain
        .assignments
        .retain(|word| !word.text.starts_with("CARGO_TARGET_DIR="));
    let mut words = plain.words.drain(..).peekable();
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        match word.text.as_str() {
            "--target-dir" => drop(words.next()),
            text if text.starts_with("--target-dir=") => {}
            _ => kept.push(word),
        }
    }
    drop(words);
    plain.words = kept;
    let parts = |command: &Command| command.assignments.len() + command.words.len();
    let fewer = new.assignments.len() + new.words.len() - parts(&plain);
    (!set_elsewhere && (1..=2).contains(&fewer)).then_some(plain)
}

/// Whether an added command makes the directory that cargo would have made, copies into it what the build left, or
/// deletes from the mount what an earlier build left there of single packages.
pub(super) fn is_copied_out(cx: &Comparison<'_>, command: &Command) -> bool {
    let has_mount = cx.allowed.has(&Effect::BuildCache) && !cx.builds.is_empty();
    let copies = || copied_out(cx.after, cx.step, cx.builds, command).is_some();
    has_mount && (is_cleaned(cx.builds, command) || copies())
}

/// Whether a command is `cargo clean` for packages that it names, in a mount.
fn is_cleaned(mounts: &[String], command: &Command) -> bool {
    const KNOWN: [&str; 9] = [
        "-p",
        "--package",
        "--release",
        "-r",
        "--profile",
        "--target",
        "--target-dir",
        "--locked",
        "--manifest-path",
    ];
    let Some(one) = invocation(&command.words) else {
        return false;
    };
    let mut flags = one.flags.iter();
    let is_known = flags.all(|flag| KNOWN.contains(&flag.name.as_str()));
    let names = one.flags.iter();
    let mut names = names.filter(|flag| matches!(flag.name.as_str(), "-p" | "--package"));
    one.manager.name == "cargo"
        && one.command == 0
        && one.subcommand_name == "clean"
        && !one.dynamic
        && is_known
        && names.next().is_some()
        && command.assignments.is_empty()
        && command.redirects.is_empty()
        && directory_of(command).is_some_and(|directory| mounts.contains(&directory))
}

/// The files that an added command puts where cargo would have, below `target`; `None` where it does anything else.
fn copied_out(
    shell: &Shell,
    step: &Step<'_>,
    mounts: &[String],
    command: &Command,
) -> Option<Vec<String>> {
    let commands = directories::commands(shell, step.before.workdir());
    let at = commands
        .iter()
        .position(|(_, one)| one.span == command.span)?;
    let (directory, _) = commands.get(at)?;
    let words = command.words.iter().map(|word| word.literal.as_deref());
    let words = words.collect::<Option<Vec<&str>>>()?;
    let builds: Vec<Build> = commands[..at]
        .iter()
        .filter_map(|(directory, command)| build(directory.as_deref()?, command, step, mounts))
        .collect();
    let place = |path: &str| resolved(directory.as_deref(), path);
    match words.as_slice() {
        ["mkdir", "-p", paths @ ..] if !paths.is_empty() => {
            let is_made = |path: &&str| {
                let path = place(path);
                builds
                    .iter()
                    .any(|build| path.as_ref() == Some(&build.output()))
            };
            paths.iter().all(is_made).then(Vec::new)
        }
        ["cp", rest @ ..] => {
            let rest = match rest {
                ["-p" | "-a" | "-f" | "-v", rest @ ..] => rest,
                all => all,
            };
            let (into, files) = rest.split_last()?;
            let into_directory = into.ends_with('/');
            let into = place(into)?;
            let build = builds.iter().find(|build| {
                let output = build.output();
                into_directory && into == output
                    || files.len() == 1
                        && files[0]
                            .rsplit_once('/')
                            .is_some_and(|(_, name)| into == format!("{output}/{name}"))
            })?;
            let of_build = |file: &&str| {
                let name = file.strip_prefix(&format!("{}/{}/", build.mount, build.profile))?;
                let plain = !name.is_empty() && !name.contains(['/', '*', '?', '[']);
                plain.then(|| format!("{}/{name}", build.profile))
            };
            let copied: Vec<String> = files.iter().map(of_build).collect::<Option<_>>()?;
            (!copied.is_empty()).then_some(copied)
        }
        _ => None,
    }
}

/// A command that builds into a mount.
struct Build {
    mount: String,
    /// The directory that it would have built into.
    target: String,
    /// The directories in there where the programs end up.
    profile: String,
}

impl Build {
    fn output(&self) -> String {
        format!("{}/{}", self.target, self.profile)
    }
}

fn build(directory: &str, command: &Command, step: &Step<'_>, mounts: &[String]) -> Option<Build> {
    let one = cargo(command)?;
    let mount = directory_of(command).filter(|target| mounts.contains(target))?;
    let value = |names: &[&str]| {
        let mut flags = one.flags.iter();
        let flag = flags.find(|flag| names.contains(&flag.name.as_str()))?;
        flag.text().map(str::to_owned)
    };
    let has = |names: &[&str]| {
        one.flags
            .iter()
            .any(|flag| names.contains(&flag.name.as_str()))
    };
    let profile = match value(&["--profile"]) {
        Some(profile) if matches!(profile.as_str(), "dev" | "test") => "debug".to_owned(),
        Some(profile) if profile == "bench" => "release".to_owned(),
        Some(profile) => profile,
        None if has(&["--release", "-r"]) => "release".to_owned(),
        None => "debug".to_owned(),
    };
    let by_variable = match step.before.lookup("CARGO_BUILD_TARGET") {
        Lookup::Set(target) => Some(target.to_owned()),
        _ => None,
    };
    let profile = match value(&["--target"]).or(by_variable) {
        Some(target) => format!("{target}/{profile}"),
        None => profile,
    };
    let root = match value(&["--manifest-path"]) {
        Some(manifest) => {
            let up = manifest.rsplit_once('/').map_or(".", |(up, _)| up);
            resolved(Some(directory), up)?
        }
        None => directory.to_owned(),
    };
    let target = format!("{}/target", root.trim_end_matches('/'));
    Some(Build {
        mount,
        target,
        profile,
    })
}

fn cargo(command: &Command) -> Option<Invocation> {
    let one = invocation(&command.words)?;
    let builds = matches!(one.role, Role::Build | Role::Run | Role::Install);
    (one.manager.name == "cargo" && builds && one.command == 0).then_some(one)
}

fn is_moved(command: &Command) -> bool {
    let mut words = command.assignments.iter().chain(&command.words);
    words.any(|word| MOVED_BY.iter().any(|name| word.text.starts_with(name)))
}

/// The build directory that a command is given by an assignment or an option of its own.
fn directory_of(command: &Command) -> Option<String> {
    let mut assignments = command.assignments.iter();
    let assigned = assignments.find_map(|word| word.text.strip_prefix("CARGO_TARGET_DIR="));
    let one = invocation(&command.words)?;
    let mut flags = one.flags_named("--target-dir");
    let flag = flags.next().and_then(|flag| flag.text());
    match (assigned, flag) {
        (Some(directory), None) | (None, Some(directory)) => Some(directory.to_owned()),
        _ => None,
    }
}

/// What the mounts over build directories keep from the image, nobody needs, but for what is copied out of them.
pub(super) fn check(
    mounts: &[String],
    shell: &Shell,
    step: &Step<'_>,
    place: Place<'_>,
) -> Verdict {
    if mounts.is_empty() {
        return Ok(());
    }
    let at = step.instruction.keyword_span;
    let steps = place.side.builds.get() + 1;
    place.side.builds.set(steps);
    if steps > MOST_STEPS {
        return Err(Fault::new("too many steps keep a build directory", at));
    }
    let commands = shell.script.commands();
    for mount in mounts {
        let is_used = |command: &Command| {
            cargo(command).is_some() && directory_of(command).as_deref() == Some(mount)
        };
        if !commands.iter().any(|found| is_used(found.command)) {
            return Err(Fault::new("no command builds into the mount", at));
        }
    }
    let mut files = Vec::new();
    let built = commands
        .iter()
        .position(|found| cargo(found.command).is_some());
    for (index, found) in commands.iter().enumerate() {
        if Some(index) > built && is_cleaned(mounts, found.command) {
            return Err(missing(found.command.span));
        }
        match copied_out(shell, step, mounts, found.command) {
            Some(copied) => files.extend(copied),
            None if cargo(found.command).is_some() || is_cleaned(mounts, found.command) => {}
            None => {
                let text = shell.slice(found.command.span);
                let of_mount = mounts.iter().any(|mount| contains(text, mount));
                // `rustup target add` has the word, and nothing to do with the directory.
                let is_apart = matches!(found.command.name(), Some("rm" | "rustup"));
                let text = String::from_utf8_lossy(text).into_owned();
                if of_mount || !is_apart && !names_only(&text, &files) {
                    return Err(missing(found.command.span));
                }
            }
        }
    }
    nothing_else_is_named(&files, mounts, place)?;
    match managers::by_name("cargo").is_some_and(|cargo| later::is_launched(cargo, place)) {
        true => Err(Fault::new(
            "the image runs what needs the build directory",
            at,
        )),
        false => Ok(()),
    }
}

fn missing(at: crate::text::Span) -> Fault {
    Fault::new("what the build leaves in the mount is missing here", at)
}

/// The steps behind this one, and those of stages that take from its stage, name nothing of the build directory but
/// `files`.
fn nothing_else_is_named(files: &[String], mounts: &[String], place: Place<'_>) -> Verdict {
    let stages = &place.side.model.stages;
    let mut takes = vec![false; stages.len()];
    for stage in stages.iter().skip(place.stage) {
        let is_own = stage.index == place.stage;
        takes[stage.index] = is_own || is_fed_by(stage, &takes);
        if !takes[stage.index] {
            continue;
        }
        let steps = stage.steps.iter().filter(|step| {
            let starts = matches!(
                step.instruction.keyword,
                Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck
            );
            !is_own || step.index > place.step || starts
        });
        for step in steps {
            let text = step.instruction.span.of(place.side.text);
            let of_mount = mounts.iter().any(|mount| contains(text, mount));
            let targets = flags::targets(step.instruction, step, place.side.escape);
            let builds_again = targets.iter().any(|target| mounts.contains(target));
            let named = of_mount || !is_content(step.instruction, files);
            if named && !builds_again {
                return Err(missing(step.instruction.keyword_span));
            }
        }
    }
    Ok(())
}

fn is_fed_by(stage: &Stage<'_>, takes: &[bool]) -> bool {
    let is_taken =
        |base: &Base| matches!(base, Base::Stage(index) if takes.get(*index) == Some(&true));
    let mut steps = stage.triggers.iter().chain(&stage.steps);
    is_taken(&stage.base) || steps.any(|step| step.sources.iter().any(is_taken))
}

/// Whether an instruction names nothing of the build directory but `files`.
fn is_content(instruction: &Instruction, files: &[String]) -> bool {
    let text = String::from_utf8_lossy(&instruction.logical.text).into_owned();
    // In a mount, `target=` is a key.
    let text = match instruction.keyword {
        Keyword::Run => text
            .replace(",target=", ",to=")
            .replace("--mount=target=", "--mount=to="),
        _ => text,
    };
    names_only(&text, files)
}

fn names_only(text: &str, files: &[String]) -> bool {
    let is_end = |ch: char| ch.is_whitespace() || "\"',=:;&|()<>`[]".contains(ch);
    text.split(is_end).all(|word| {
        let parts: Vec<&str> = word.split('/').filter(|part| *part != ".").collect();
        let Some(at) = parts.iter().position(|part| *part == "target") else {
            return true;
        };
        files.contains(&parts[at + 1..].join("/"))
    })
}
