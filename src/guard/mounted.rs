//! Steps that got cache mounts: they neither empty nor lose them, and nobody else needs what the mounts hide.

use super::later::{self, Place};
use super::mounts::{self, CacheMount, covers};
use super::script::Shell;
use super::{Fault, Verdict, caches};
use crate::model::managers::{Manager, Role, invocation};
use crate::model::mount::Mount;
use crate::model::{Base, Step};
use crate::syntax::Keyword;
use crate::syntax::shell::Command;
use crate::text::Span;

/// The new mounts of a step, whose script is `shell`.
pub(super) fn check(
    added: &[CacheMount],
    shell: &Shell,
    step: &Step<'_>,
    place: Place<'_>,
) -> Verdict {
    let commands = shell.script.commands();
    let moves = commands
        .iter()
        .any(|found| found.command.name() == Some("cd"));
    for mount in added {
        for found in &commands {
            is_left_alone(mount, found.command, moves, step)?;
        }
        has_index(mount.manager, shell)?;
        if mount.target.starts_with("/var/cache/apt") {
            caches_at_all(shell, step.instruction.keyword_span)?;
        }
        let at = step.instruction.keyword_span;
        later::check_index(mount.manager, shell, place)?;
        if !is_known(mount, place) {
            is_not_taken(mount, at, place)?;
            is_refreshed_here(mount, at, place)?;
            later::check_mounted(mount, at, shell, place)?;
        }
    }
    Ok(())
}

/// Whether the mount was looked at in an earlier step of the stage, or of one that it is built on.
fn is_known(mount: &CacheMount, place: Place<'_>) -> bool {
    let mut known = place.side.mounted.borrow_mut();
    let mut stage = place.stage;
    loop {
        if known.contains(&(stage, mount.target.clone())) {
            return true;
        }
        match place.side.model.stages.get(stage).map(|stage| &stage.base) {
            Some(Base::Stage(base)) if *base < stage => stage = *base,
            _ => break,
        }
    }
    known.insert((place.stage, mount.target.clone()));
    false
}

/// What is deleted from a mount is gone for all builds that share it, and a mount point cannot be deleted.
fn is_left_alone(mount: &CacheMount, command: &Command, moves: bool, step: &Step<'_>) -> Verdict {
    let words = match command.words.split_first() {
        Some((first, rest)) if first.text == "sudo" => rest,
        _ => command.words.as_slice(),
    };
    let cleans = invocation(&command.words)
        .is_some_and(|one| one.manager.name == mount.manager.name && one.role == Role::Clean);
    let name = words.first().and_then(|word| word.literal.as_deref());
    let deletes = match name {
        Some("rm" | "rmdir" | "mv") => true,
        Some("find") => words.iter().any(|word| word.text == "-delete"),
        _ => false,
    };
    // Into what is around the mount files may move.
    let into = usize::from(name == Some("mv"));
    let words = words.iter().take(words.len().saturating_sub(into)).skip(1);
    let is_placed =
        |text: &str| !moves || text.trim_matches(['"', '\'']).starts_with(['/', '~', '$']);
    let words = words.filter(|word| is_placed(&word.text));
    let mut paths = words.filter_map(|word| caches::path(word, step));
    let hits = paths.any(|path| {
        let fixed = path.split(['*', '?', '[', '{']).next().unwrap_or_default();
        let whole = fixed.len() == path.len();
        let around = match whole {
            true => covers(&path, &mount.target) && name != Some("find"),
            false => mount.target.starts_with(fixed) && is_globbed(&path, &mount.target),
        };
        around || covers(&mount.target, &path)
    });
    match cleans || deletes && hits {
        false => Ok(()),
        true => Err(Fault::new(
            "what the cache mount keeps is deleted again",
            command.span,
        )),
    }
}

/// Whether a path with globs may be `target`, or a directory around it.
fn is_globbed(path: &str, target: &str) -> bool {
    let parts = path.trim_end_matches('/').split('/').zip(target.split('/'));
    let enough = path.trim_end_matches('/').matches('/').count() <= target.matches('/').count();
    let fits = |(ours, theirs): (&str, &str)| match ours.find(['*', '?', '[', '{']) {
        None => ours == theirs,
        Some(0) => !theirs.starts_with('.'),
        Some(at) => theirs.starts_with(&ours[..at]),
    };
    enough && parts.into_iter().all(fits)
}

/// An install finds an index although the mount may be empty.
pub(super) fn has_index(manager: &Manager, shell: &Shell) -> Verdict {
    let missing = match manager.name.as_str() {
        "apt" => "`apt-get` would find no lists in an empty cache",
        "apk" => "`apk add` would find no index on an empty cache",
        _ => return Ok(()),
    };
    let flags = ["-U", "--update-cache", "--update"].map(str::to_owned);
    let mut fetched = false;
    for found in shell.script.commands() {
        let one = invocation(&found.command.words);
        let Some(one) = one.filter(|one| one.manager.name == manager.name) else {
            continue;
        };
        let installs = matches!(one.role, Role::Install | Role::Upgrade);
        let updates = one.role == Role::UpdateIndex && !one.keeps_no_cache();
        fetched |= updates || manager.name == "apk" && one.has_any(&flags);
        if installs && !fetched && !one.keeps_no_cache() {
            return Err(Fault::new(missing, found.command.span));
        }
    }
    Ok(())
}

/// Docker's own images delete what apt downloads, unless they are kept from it before apt runs.
fn caches_at_all(shell: &Shell, at: Span) -> Verdict {
    for found in shell.script.commands() {
        let deletes = |name: &str| found.command.words.iter().any(|word| word.text == name);
        if deletes("rm")
            && found
                .command
                .words
                .iter()
                .any(|word| word.text.ends_with("/docker-clean"))
        {
            return Ok(());
        }
        if invocation(&found.command.words).is_some_and(|one| one.manager.name == "apt") {
            break;
        }
    }
    Err(Fault::new(
        "`docker-clean` empties the cache that is mounted",
        at,
    ))
}

/// zypper's repositories are refreshed where they are mounted: with which keys, only that step says.
fn is_refreshed_here(mount: &CacheMount, at: Span, place: Place<'_>) -> Verdict {
    if mount.manager.name != "zypper" {
        return Ok(());
    }
    let escape = place.side.escape;
    let above = std::iter::successors(
        place.side.model.stages.get(place.stage),
        |stage| match stage.base {
            Base::Stage(base) if base < stage.index => place.side.model.stages.get(base),
            _ => None,
        },
    );
    let mut elsewhere = above.flat_map(|stage| &stage.steps).filter(|step| {
        let mut targets = mounts::targets(step.instruction, step, escape).into_iter();
        step.instruction.keyword == Keyword::Run && !targets.any(|one| covers(&one, &mount.target))
    });
    let refreshes = |step: &Step<'_>| {
        let shell = Shell::of(place.side, step, step.instruction);
        shell.is_some_and(|shell| {
            shell.script.commands().into_iter().any(|found| {
                let one = invocation(&found.command.words);
                one.is_some_and(|one| one.manager.name == "zypper" && one.role == Role::UpdateIndex)
            })
        })
    };
    match elsewhere.any(refreshes) {
        false => Ok(()),
        true => Err(Fault::new(
            "a step refreshes the repositories without the mount",
            at,
        )),
    }
}

/// No step takes the cache, or what is around it, from the stage or one that is built on it.
fn is_not_taken(mount: &CacheMount, at: Span, place: Place<'_>) -> Verdict {
    let stages = &place.side.model.stages;
    let mut ours = vec![false; stages.len()];
    for stage in stages {
        let on_ours = matches!(stage.base, Base::Stage(base) if ours.get(base) == Some(&true));
        if let Some(own) = ours.get_mut(stage.index) {
            *own = stage.index == place.stage || on_ours;
        }
    }
    let is_ours =
        |base: &Base| matches!(base, Base::Stage(stage) if ours.get(*stage) == Some(&true));
    let takers = stages
        .iter()
        .flat_map(|stage| stage.triggers.iter().chain(&stage.steps));
    for step in takers.filter(|step| step.sources.iter().any(is_ours)) {
        let needed = later::keeps_packages_in_cache(mount.manager);
        let is_broad = |path: &str| path.trim_matches('/').matches('/').count() == 0;
        let takes = |path: &String| {
            let around = covers(path, &mount.target) && (needed || !is_broad(path));
            around || covers(&mount.target, path)
        };
        if taken(step).iter().any(takes) {
            return Err(Fault::new("a step copies what the mount hides", at));
        }
    }
    Ok(())
}

/// The paths that a step takes from other stages; `/` where that is not known.
fn taken(step: &Step<'_>) -> Vec<String> {
    let expand = |word: &str| step.before.expand(word, b'\\');
    let known = |path: Option<String>| path.unwrap_or_else(|| "/".to_owned());
    let instruction = step.instruction;
    match instruction.keyword {
        Keyword::Run => {
            let values = instruction
                .flags
                .iter()
                .filter_map(|flag| flag.value.as_deref());
            let mounts = values.filter_map(|value| Mount::parse(value, &expand).ok());
            let from = mounts.filter(|mount| mount.from.is_some());
            from.map(|mount| known(mount.source)).collect()
        }
        _ => {
            let words = instruction.words();
            let sources = words
                .get(..words.len().saturating_sub(1))
                .unwrap_or_default();
            let sources = sources.iter().map(|word| known(expand(&word.text).ok()));
            sources
                .map(|path| format!("/{}", path.trim_start_matches('/')))
                .collect()
        }
    }
}
