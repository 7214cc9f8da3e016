//! A RUN that was added to fetch early what a later step of its stage would fetch anyway.
//!
//! A closed list of commands that fetch and do nothing else. Each must be told of the same packages as the command that
//! it fetches for, by the same manager, in the same directory and state.

use super::mounts::covers;
use super::script::Shell;
use super::variables::is_looked_for;
use super::{Side, directories, instruction, manifests, needs, parts};
use crate::model::Step;
use crate::model::expand::Lookup;
use crate::model::managers::{Invocation, Role, invocation};
use crate::syntax::Keyword;
use crate::syntax::shell::{Command, Statement, Word};

type At<'a, 'f> = (&'a Step<'f>, &'a Side<'f>);

/// An invocation, its command, and the directory that it runs in.
struct Call<'s> {
    one: Invocation,
    command: &'s Command,
    directory: String,
}

/// Whether `step` only fetches what one of `later`, the steps behind it, installs or builds with, and finds the manifests
/// that it reads in what `copied` brings.
pub(super) fn is_prefetch(
    (step, side): At<'_, '_>,
    copied: &[At<'_, '_>],
    later: &[Step<'_>],
) -> bool {
    let Some(needs) = needs::of((step, side)) else {
        return false;
    };
    let copies = |one: &&Step<'_>| matches!(one.instruction.keyword, Keyword::Copy | Keyword::Add);
    let later_copies = || later.iter().filter(copies).take(MOST_LATER);
    let found = needs.manifests.iter().all(|need| {
        let brings = |path: &String| copied.iter().any(|copy| parts::may_bring(*copy, path));
        // What no COPY brings is in the base.
        let comes = |path: &String| later_copies().any(|copy| parts::may_bring((copy, side), path));
        let is_in_base = |path: &String| lies_aside(path, step) && !comes(path);
        need.iter().any(brings) || need.iter().all(is_in_base)
    });
    let Some(shell) = Shell::of(side, step, step.instruction) else {
        return false;
    };
    let Some(fetch) = only_call(&shell, step).filter(|fetch| found && only_fetches(fetch)) else {
        return false;
    };
    let runs = later
        .iter()
        .filter(|one| one.instruction.keyword == Keyword::Run);
    runs.take(MOST_LATER).any(|other| {
        let same_flags = instruction::have_same_flags(step.instruction, other.instruction);
        same_flags && is_same_state(step, other) && has_call(side, other, &fetch)
    })
}

/// No more RUNs than these behind an added one are looked at.
const MOST_LATER: usize = 64;

/// Whether a path lies aside of where a step works.
fn lies_aside(path: &str, step: &Step<'_>) -> bool {
    let workdir = step.before.workdir().unwrap_or("/");
    !covers(workdir, path)
}

/// The only command of a script but for those that go to its directory.
fn only_call<'s>(shell: &'s Shell, step: &Step<'_>) -> Option<Call<'s>> {
    let commands = directories::commands(shell, step.before.workdir());
    let (Some(directory), command) = commands.last()? else {
        return None;
    };
    let statements = &shell.script.statements;
    let leads = |statement: &Statement| match statement.command() {
        Some(one) => one.name() == Some("cd") || makes_runnable(one, command),
        None => false,
    };
    let leads = statements.iter().take(statements.len() - 1).all(leads);
    let plain = command.redirects.is_empty();
    let one = invocation(&command.words)?;
    (leads && plain).then(|| Call {
        one,
        command,
        directory: directory.clone(),
    })
}

/// Whether `chmod` only makes the very script runnable that is called.
fn makes_runnable(chmod: &Command, call: &Command) -> bool {
    let words = chmod.words.iter().map(|word| word.literal.as_deref());
    let called = call.words.first().and_then(|word| word.literal.as_deref());
    let bare = |path: &str| path.trim_start_matches("./").to_owned();
    match words.collect::<Option<Vec<&str>>>().as_deref() {
        Some(["chmod", "+x" | "a+x" | "u+x" | "755" | "775" | "777", file]) => {
            let plain = chmod.redirects.is_empty() && chmod.assignments.is_empty();
            plain && called.is_some_and(|called| called.contains('/') && bare(called) == bare(file))
        }
        _ => false,
    }
}

/// Whether a command is one of the list.
fn only_fetches(fetch: &Call<'_>) -> bool {
    let one = &fetch.one;
    let sub = one.subcommand_name.as_str();
    let has = |flags: &[&str]| {
        one.flags
            .iter()
            .any(|flag| flags.contains(&flag.name.as_str()))
    };
    let bare = || manifests::rest(one, &fetch.command.words).next().is_none();
    match one.manager.name.as_str() {
        "go" => sub == "mod download" && bare(),
        "maven" | "gradle" => one.role == Role::Install || sub.contains("dependency:"),
        "dotnet" => sub == "restore",
        "poetry" => matches!(sub, "install" | "sync") && has(&["--no-root"]),
        "uv" => sub == "sync" && has(&["--no-install-project", "--no-install-workspace"]),
        "composer" => {
            matches!(sub, "install" | "i") && has(&["--no-scripts"]) && has(&["--no-autoloader"])
        }
        "pnpm" => sub == "fetch" && bare(),
        "pipenv" => sub == "sync" || sub == "install" && has(&["--deploy", "--ignore-pipfile"]),
        _ => false,
    }
}

/// Whether two steps run as the same user, in the same shell, with the same variables as far as programs look for them.
fn is_same_state(step: &Step<'_>, other: &Step<'_>) -> bool {
    let (ours, theirs) = (&step.before, &other.before);
    let same = ours.user() == theirs.user()
        && ours.shell() == theirs.shell()
        && ours.home() == theirs.home();
    same && theirs.variables().all(|(name, variable)| {
        let was = ours.variable(name).map(|one| one.value.as_deref());
        !is_looked_for(name) || was == Some(variable.value.as_deref())
    })
}

/// Whether a step has the command that `fetch` fetches for.
fn has_call(side: &Side<'_>, step: &Step<'_>, fetch: &Call<'_>) -> bool {
    let Some(shell) = Shell::of(side, step, step.instruction) else {
        return false;
    };
    let commands = directories::commands(&shell, step.before.workdir()).into_iter();
    let mut calls = commands.filter_map(|(directory, command)| {
        Some(Call {
            one: invocation(&command.words)?,
            command,
            directory: directory?,
        })
    });
    calls.any(|call| {
        let by_project = fetch.one.manager.name == "dotnet";
        let same = call.one.manager.name == fetch.one.manager.name
            && (by_project || call.directory == fetch.directory);
        same && uses(&call, step) && installs_the_same(fetch, &call)
    })
}

/// Whether a command would fetch by itself what it installs or builds with.
fn uses(call: &Call<'_>, step: &Step<'_>) -> bool {
    let one = &call.one;
    let sub = one.subcommand_name.as_str();
    let has = |flags: &[&str]| {
        one.flags
            .iter()
            .any(|flag| flags.contains(&flag.name.as_str()))
    };
    let builds = matches!(one.role, Role::Build | Role::Run);
    match one.manager.name.as_str() {
        "go" => {
            let is_vendored = |text: &str| text.contains("vendor");
            let flags = one.flags.iter().filter(|flag| flag.name == "-mod");
            let by_flag = flags.filter_map(|flag| flag.text()).any(is_vendored);
            let by_variable =
                matches!(step.before.lookup("GOFLAGS"), Lookup::Set(text) if is_vendored(text));
            let elsewhere = call
                .command
                .words
                .iter()
                .any(|word| word.text.contains('@'));
            let installs =
                matches!(sub, "install" | "get" | "mod vendor" | "mod tidy") && !elsewhere;
            (builds || installs) && !by_flag && !by_variable
        }
        "maven" | "gradle" => builds,
        "dotnet" => builds && !has(&["--no-restore", "--no-build"]),
        "poetry" => matches!(sub, "install" | "sync"),
        "uv" => sub == "sync",
        "composer" | "pnpm" => matches!(sub, "install" | "i"),
        "pipenv" => matches!(sub, "install" | "sync"),
        _ => false,
    }
}

/// Whether both are told of the same packages, in the same surroundings.
fn installs_the_same(fetch: &Call<'_>, call: &Call<'_>) -> bool {
    let name = fetch.one.manager.name.as_str();
    let assigned = |call: &Call<'_>| -> Vec<String> {
        call.command
            .assignments
            .iter()
            .map(|word| word.text.clone())
            .collect()
    };
    let (ours, theirs) = (assigned(fetch), assigned(call));
    let builds = matches!(name, "go" | "maven" | "gradle" | "dotnet");
    let same_program = name != "maven" && name != "gradle" || program(fetch) == program(call);
    let same_project = match name {
        "dotnet" => is_same_project(fetch, call),
        _ => builds || projects(fetch) == projects(call),
    };
    let told = ours.iter().all(|word| theirs.contains(word));
    (ours == theirs || builds && told)
        && same_program
        && same_project
        && choices(fetch) == choices(call)
}

fn program<'s>(call: &Call<'s>) -> Option<&'s str> {
    let word: &Word = call.command.words.get(call.one.command)?;
    Some(word.text.as_str())
}

/// The words that name a project or a part of it.
fn projects(call: &Call<'_>) -> Vec<String> {
    let rest = manifests::rest(&call.one, &call.command.words);
    let text = |word: &Word| word.literal.clone().unwrap_or_else(|| word.text.clone());
    rest.map(text).collect()
}

/// Whether both work on one project: a command that names none takes the one in its directory.
fn is_same_project(fetch: &Call<'_>, call: &Call<'_>) -> bool {
    let (ours, theirs) = (projects(fetch), projects(call));
    let at = |call: &Call<'_>, path: &String| directories::resolved(Some(&call.directory), path);
    match (ours.as_slice(), theirs.as_slice()) {
        ([], []) => fetch.directory == call.directory,
        ([one], []) => {
            let path = at(fetch, one).filter(|path| manifests::is_project(path));
            let around = path.as_deref().and_then(|path| path.rsplit_once('/'));
            around.is_some_and(|(around, _)| around == call.directory)
        }
        ([one], [other, ..]) => at(fetch, one).is_some() && at(fetch, one) == at(call, other),
        _ => false,
    }
}

/// The options that decide which packages are fetched, with their values.
fn choices(call: &Call<'_>) -> Vec<String> {
    let name = call.one.manager.name.as_str();
    let decides = |flag: &str| match name {
        "go" => matches!(flag, "-modfile" | "-C"),
        "maven" => matches!(
            flag,
            "-f" | "--file"
                | "-s"
                | "--settings"
                | "-P"
                | "--activate-profiles"
                | "-pl"
                | "--projects"
        ),
        "gradle" => matches!(
            flag,
            "-b" | "--build-file" | "-p" | "--project-dir" | "-g" | "--gradle-user-home" | "-P"
        ),
        "dotnet" => matches!(
            flag,
            "-r" | "--runtime" | "-a" | "--arch" | "--os" | "--packages" | "-s" | "--source"
        ),
        _ => !is_beside(name, flag),
    };
    let flags = call.one.flags.iter().filter(|flag| decides(&flag.name));
    let mut choices: Vec<String> = flags
        .map(|flag| {
            let value = flag.value.as_ref();
            let value = value.and_then(|value| {
                let word = call.command.words.get(value.word)?;
                Some(value.text.clone().unwrap_or_else(|| word.text.clone()))
            });
            format!("{}={}", flag.name, value.unwrap_or_default())
        })
        .collect();
    choices.sort();
    choices
}

/// Whether an option leaves alone which packages are installed: those that leave out the project, too.
fn is_beside(manager: &str, flag: &str) -> bool {
    const OUTPUT: [&str; 9] = [
        "-n",
        "--no-interaction",
        "--no-ansi",
        "--ansi",
        "-q",
        "--quiet",
        "-v",
        "--verbose",
        "--no-progress",
    ];
    let own = match manager {
        "poetry" => &["--no-root", "--no-cache", "--compile"][..],
        "uv" => &[
            "--no-install-project",
            "--no-install-workspace",
            "--no-cache",
            "--compile-bytecode",
            "--no-editable",
        ],
        "composer" => &[
            "--no-scripts",
            "--no-autoloader",
            "-o",
            "--optimize-autoloader",
            "-a",
            "--classmap-authoritative",
            "--apcu-autoloader",
            "--prefer-dist",
            "--no-plugins",
            "--no-cache",
        ],
        "pnpm" => &[
            "--frozen-lockfile",
            "--offline",
            "--prefer-offline",
            "--reporter",
            "-r",
            "--recursive",
        ],
        _ => &[],
    };
    OUTPUT.contains(&flag) || own.contains(&flag)
}
