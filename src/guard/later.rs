//! What runs behind a command: in its step, in the steps after it, and in the stages that are built on its stage.

use super::command::Note;
use super::mounts::{self, CacheMount, covers};
use super::script::Shell;
use super::{Fault, Side, Verdict, caches, mounted, packages, takers};
use crate::model::managers::{self, Invocation, Kind, Manager, Role, invocation};
use crate::model::{Base, Step};
use crate::syntax::{Args, Instruction, Keyword};
use crate::text::{Span, contains};

/// A step of the file after the patch.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) side: &'a Side<'a>,
    pub(super) stage: usize,
    pub(super) step: usize,
}

/// The rest of the file bears what was noted of one step, whose script is `shell`.
pub(super) fn check(notes: &[Note], shell: &Shell, place: Place<'_>) -> Verdict {
    let mut cached: Vec<&Manager> = Vec::new();
    for note in notes {
        match note {
            Note::Cleaned { manager, index, at } => {
                if *index && needs_update(manager) {
                    index_is_not_needed(manager, *at, shell, place)?;
                }
                if keeps_packages_in_cache(manager) {
                    is_done(manager, *at, shell, place)?;
                }
                takers::check(manager, *at, shell, place)?;
            }
            Note::Dropped { manager } => caches::check_dropped(shell, manager)?,
            Note::Cached { manager } => cached.push(*manager),
            Note::Lean {
                manager,
                packages,
                at,
            } => packages::check(manager, packages, *at, shell, place)?,
            Note::Deleted { files, at } => are_not_named(files, *at, place)?,
        }
    }
    cached.dedup_by_key(|manager| &manager.name);
    cached
        .into_iter()
        .try_for_each(|manager| mounted::has_index(manager, shell))
}

/// Whether the manager installs nothing without an index that was fetched before.
fn needs_update(manager: &Manager) -> bool {
    matches!(manager.name.as_str(), "apt" | "pacman")
}

/// Whether what the manager installs is used from where it caches it.
pub(super) fn keeps_packages_in_cache(manager: &Manager) -> bool {
    matches!(
        manager.kind,
        Kind::Go | Kind::Rust | Kind::Java | Kind::Dotnet
    )
}

/// What a step leaves in a mount, a step behind it does not find: none needs the index that this one fetched.
pub(super) fn check_index(manager: &'static Manager, shell: &Shell, place: Place<'_>) -> Verdict {
    match needs_update(manager) {
        true => index_is_not_needed(manager, Span::at(shell.script.span.end), shell, place),
        false => Ok(()),
    }
}

/// A mount hides its directory from the steps behind this one that have it not, as if it were deleted.
pub(super) fn check_mounted(
    mount: &CacheMount,
    at: Span,
    shell: &Shell,
    place: Place<'_>,
) -> Verdict {
    let (manager, end) = (mount.manager, Span::at(shell.script.span.end));
    let offline = || {
        first_behind(end, shell, place, manager, None, |one| {
            is_offline(one).then_some(true)
        })
    };
    if place.side.may_be_offline() && offline().is_some() {
        return Err(Fault::new(
            "a later step takes from the cache what it does not fetch",
            at,
        ));
    }
    if !keeps_packages_in_cache(manager) {
        return Ok(());
    }
    let target = Some(mount.target.as_str());
    if first_behind(end, shell, place, manager, target, is_use).is_some() {
        let reason = "what is installed into the mount is missing from the steps behind it";
        return Err(Fault::new(reason, at));
    }
    match is_launched(manager, place) {
        false => Ok(()),
        true => Err(Fault::new("the image runs what needs the mount", at)),
    }
}

/// Whether a command is told to fetch nothing.
fn is_offline(one: &Invocation) -> bool {
    let flags = match one.manager.name.as_str() {
        "maven" => ["--offline", "-o"],
        "cargo" => ["--offline", "--frozen"],
        "dotnet" => ["--no-restore", "--no-build"],
        _ => ["--offline", "--offline"],
    };
    one.has_any(&flags.map(str::to_owned))
}

/// Whether CMD or ENTRYPOINT of the stage, or of one that is built on it, names the manager.
pub(super) fn is_launched(manager: &Manager, place: Place<'_>) -> bool {
    let stages = &place.side.model.stages;
    let mut todo = vec![place.stage];
    while let Some(index) = todo.pop() {
        let Some(stage) = stages.get(index) else {
            continue;
        };
        let launches = stage.steps.iter().map(|step| step.instruction);
        let mut launches =
            launches.filter(|one| matches!(one.keyword, Keyword::Cmd | Keyword::Entrypoint));
        let names = |one: &Instruction| {
            let text = String::from_utf8_lossy(one.args_text()).into_owned();
            let is_part = |ch: char| ch.is_alphanumeric() || matches!(ch, '-' | '_' | '.' | '/');
            let words = text.split(|ch| !is_part(ch));
            let mut names = words.filter_map(|word| word.rsplit('/').next());
            names.any(|word| {
                managers::by_command(word).is_some_and(|found| found.name == manager.name)
            })
        };
        if (stage.ships || !stage.used) && launches.any(names) {
            return true;
        }
        let above = stages.iter().skip(index + 1);
        let built_on = above.filter(|other| other.base == Base::Stage(index));
        todo.extend(built_on.map(|other| other.index));
    }
    false
}

fn index_is_not_needed(manager: &Manager, at: Span, shell: &Shell, place: Place<'_>) -> Verdict {
    let found = first_behind(at, shell, place, manager, None, |one| match one.role {
        Role::UpdateIndex => Some(false),
        Role::Install | Role::Upgrade => Some(true),
        _ => None,
    });
    match found {
        None => Ok(()),
        Some(span) => {
            let reason = "the package lists are deleted, and a later command installs without an update of its own";
            Err(Fault::new(reason, span))
        }
    }
}

fn is_done(manager: &Manager, at: Span, shell: &Shell, place: Place<'_>) -> Verdict {
    match later_use(manager, at, shell, place) {
        None => Ok(()),
        Some(span) => Err(Fault::new("the cache is deleted before its last use", span)),
    }
}

fn later_use(manager: &Manager, at: Span, shell: &Shell, place: Place<'_>) -> Option<Span> {
    first_behind(at, shell, place, manager, None, is_use)
}

/// Whether a command may take from the cache.
fn is_use(one: &Invocation) -> Option<bool> {
    let asks = matches!(
        one.subcommand_name.as_str(),
        "" | "version" | "env" | "fmt" | "help" | "new" | "init" | "mod init"
    );
    let uses = matches!(
        one.role,
        Role::Run | Role::Build | Role::Install | Role::Upgrade | Role::Other
    );
    let ours = uses && !(asks && one.role == Role::Other);
    ours.then_some(true)
}

/// The first invocation of the manager behind `at` for which `look` says yes, before one for which it says no. Steps with
/// a cache mount over `mounted` are passed over.
fn first_behind(
    at: Span,
    shell: &Shell,
    place: Place<'_>,
    manager: &Manager,
    mounted: Option<&str>,
    look: impl Fn(&Invocation) -> Option<bool>,
) -> Option<Span> {
    let in_script = |shell: &Shell| {
        shell.script.commands().into_iter().find_map(|found| {
            let span = found.command.span;
            if span.start >= at.end && manager.name == "apt" && runs_update(shell, span) {
                return Some(None);
            }
            let one = invocation(&found.command.words)?;
            let counts = span.start >= at.end || span.start < at.start && span.end > at.end;
            let ours = counts && one.manager.name == manager.name;
            ours.then(|| look(&one))
                .flatten()
                .map(|yes| yes.then_some(span))
        })
    };
    if let Some(found) = in_script(shell) {
        return found;
    }
    let names: Vec<&str> = manager
        .commands
        .iter()
        .map(|name| name.trim_end_matches('*'))
        .collect();
    let mut todo = vec![(place.stage, place.step + 1)];
    while let Some((stage, from)) = todo.pop() {
        let Some(one) = place.side.model.stages.get(stage) else {
            continue;
        };
        let steps = one
            .triggers
            .iter()
            .filter(|_| from == 0)
            .chain(one.steps.iter().skip(from));
        let mut shells = steps.filter_map(|step| {
            let run = run_of(step)?;
            let text = run.span.of(place.side.text);
            let named = names
                .iter()
                .chain(&["://"])
                .any(|name| contains(text, name));
            let targets = mounts::targets(run, step, place.side.escape);
            let has_it = mounted.is_some_and(|mount| targets.iter().any(|one| covers(one, mount)));
            (named && !has_it).then(|| Shell::of(place.side, step, run))?
        });
        let found = shells.find_map(|shell| in_script(&shell));
        match found {
            Some(Some(span)) => return Some(span),
            Some(None) => {}
            None => {
                let above = place.side.model.stages.iter().skip(stage + 1);
                let built_on = above.filter(|other| other.base == Base::Stage(stage));
                todo.extend(built_on.map(|other| (other.index, 0)));
            }
        }
    }
    None
}

/// Whether a command fetches a script that updates apt's lists itself: those that vendors tell to pipe into a shell.
fn runs_update(shell: &Shell, span: Span) -> bool {
    const VENDORS: [&str; 3] = [
        "nodesource.com/setup",
        "packagecloud.io/install",
        "get.docker.com",
    ];
    let text = shell.slice(span);
    VENDORS.iter().any(|vendor| contains(text, vendor))
}

/// The RUN of a step, or the one that it triggers in a stage that is built on this one.
pub(super) fn run_of<'a>(step: &Step<'a>) -> Option<&'a Instruction> {
    match (&step.instruction.args, step.instruction.keyword) {
        (_, Keyword::Run) => Some(step.instruction),
        (Args::Onbuild(trigger), _) if trigger.keyword == Keyword::Run => Some(trigger),
        _ => None,
    }
}

fn are_not_named(files: &[String], at: Span, place: Place<'_>) -> Verdict {
    let stages = place.side.model.stages.iter().skip(place.stage);
    let steps = stages.flat_map(|stage| {
        let from = if stage.index == place.stage {
            place.step + 1
        } else {
            0
        };
        stage.steps.iter().skip(from)
    });
    for step in steps {
        let text = step.instruction.span.of(place.side.text);
        let name = |file: &String| file.rsplit('/').next().unwrap_or_default().to_owned();
        if files.iter().any(|file| contains(text, name(file))) {
            return Err(Fault::new("a file is deleted that a later step names", at));
        }
    }
    Ok(())
}
