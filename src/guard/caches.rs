//! Commands that delete nothing but what a package manager would fetch again: which they are, and where they may come
//! and go.

use super::command::{Comparison, Note};
use super::script::{Shell, plain_words};
use super::{Fault, Verdict};
use crate::model::managers::{self, Kind, Manager, Role, invocation};
use crate::rule::Effect;
use crate::syntax::shell::{Command, Word};
use crate::text::Span;

/// The script of Docker's own Debian images that keeps apt from caching.
const DOCKER_CLEAN: &str = "/etc/apt/apt.conf.d/docker-clean";

/// What a cleanup deletes.
struct Cleanup {
    manager: &'static Manager,
    /// Whether the index is part of it.
    index: bool,
    /// The paths, where the command names them.
    paths: Vec<String>,
}

/// Whether an added command is one of `caches`; if so, it is noted.
pub(super) fn is_added_cleanup(cx: &Comparison<'_>, command: &Command) -> bool {
    if !cx.allowed.has(&Effect::Caches) {
        return false;
    }
    if plain_words(command).is_some_and(|words| words == ["rm", "-f", DOCKER_CLEAN]) {
        return cx.is_mounted("/var/cache/apt");
    }
    let Some((cleanups, true)) = cleanups(command, cx.home) else {
        return false;
    };
    // The cache of a mount is there for the next build.
    let empties_mount =
        |cleanup: &Cleanup| cleanup.paths.iter().any(|path| cx.is_mounted(parent(path)));
    if cleanups.iter().any(empties_mount) {
        return false;
    }
    let notes = cleanups.into_iter().map(|cleanup| Note::Cleaned {
        manager: cleanup.manager,
        index: cleanup.index,
        at: command.span,
    });
    cx.notes.borrow_mut().extend(notes);
    true
}

/// Whether a command that went has nothing left to do; if so, it is noted.
pub(super) fn is_dropped(cx: &Comparison<'_>, command: &Command) -> bool {
    if !cx.allowed.has(&Effect::Caches) {
        return false;
    }
    let updates =
        invocation(&command.words).filter(|one| one.role == Role::UpdateIndex && !one.dynamic);
    let manager = match updates {
        Some(update) => update.manager,
        None => {
            let Some((cleanups, _)) = cleanups(command, cx.home) else {
                return false;
            };
            let covered = |cleanup: &Cleanup| {
                let mut paths = cleanup.paths.iter();
                !cleanup.paths.is_empty() && paths.all(|path| cx.is_mounted(parent(path)))
            };
            if cleanups.iter().all(covered) {
                return true;
            }
            match cleanups.as_slice() {
                [only] if only.index => only.manager,
                _ => return false,
            }
        }
    };
    if manager.kind != Kind::System || manager.no_cache.is_empty() {
        return false;
    }
    cx.notes.borrow_mut().push(Note::Dropped { manager });
    true
}

/// Every install of the manager in the script goes without a cache, and there is one.
pub(super) fn check_dropped(after: &Shell, manager: &Manager) -> Verdict {
    let mut installs = 0;
    for at in after.script.commands() {
        let Some(one) = invocation(&at.command.words) else {
            continue;
        };
        if one.manager.name != manager.name || !matches!(one.role, Role::Install | Role::Upgrade) {
            continue;
        }
        installs += 1;
        if !one.keeps_no_cache() {
            let quoted = after.quote(at.command.span);
            let reason = format!("`{quoted}` relies on the index that is no longer fetched");
            return Err(Fault::new(reason, at.command.span));
        }
    }
    match installs {
        0 => Err(Fault::new(
            "nothing takes the place of the index that went",
            after.script.span,
        )),
        _ => Ok(()),
    }
}

/// An install that may fill a cache again finds an index: it, or a command before it, fetches one.
pub(super) fn check_cached(after: &Shell, manager: &Manager, at: Span) -> Verdict {
    if manager.name != "apk" {
        return Ok(());
    }
    let fetches = after.script.commands().into_iter().any(|found| {
        let Some(one) = invocation(&found.command.words) else {
            return false;
        };
        let updates = one.role == Role::UpdateIndex && found.command.span.start < at.start;
        let flags = ["-U", "--update-cache", "--update"].map(str::to_owned);
        one.manager.name == "apk" && (updates || found.command.span == at && one.has_any(&flags))
    });
    match fetches {
        true => Ok(()),
        false => Err(Fault::new(
            "`apk add` would find no index on an empty cache",
            at,
        )),
    }
}

/// What a command deletes where that is package caches and indexes only, and whether it works on whatever is there.
fn cleanups(command: &Command, home: Option<&str>) -> Option<(Vec<Cleanup>, bool)> {
    let words = match command.words.split_first() {
        Some((first, rest)) if first.text == "sudo" => rest,
        _ => command.words.as_slice(),
    };
    match words.first()?.literal.as_deref()? {
        "rm" => removed_paths(words.get(1..)?, home),
        _ => own_cleanup(words).map(|cleanup| (vec![cleanup], true)),
    }
}

fn removed_paths(words: &[Word], home: Option<&str>) -> Option<(Vec<Cleanup>, bool)> {
    let mut cleanups = Vec::new();
    let (mut recursive, mut force) = (false, false);
    for word in words {
        let text = word.text.as_str();
        if let Some(letters) = text.strip_prefix('-') {
            let known = matches!(letters, "-recursive" | "-force")
                || letters.chars().all(|letter| "rRfv".contains(letter));
            known.then_some(())?;
            recursive |= letters.contains(['r', 'R']) && letters != "-force";
            force |= letters.contains('f');
            continue;
        }
        let is_plain = |ch: char| ch.is_ascii_alphanumeric() || "/._-*~".contains(ch);
        let path = text.trim_end_matches('/');
        text.chars().all(is_plain).then_some(())?;
        let manager = managers::cache_owner(path, home)?;
        let is_index = |index: &String| path.starts_with(index.as_str());
        cleanups.push(Cleanup {
            manager,
            index: manager.index_paths.iter().any(is_index),
            paths: vec![path.to_owned()],
        });
    }
    // Without both it fails where there is a directory, or nothing.
    let always_works = recursive && force;
    (!cleanups.is_empty()).then_some((cleanups, always_works))
}

/// The manager's own way to empty its cache.
fn own_cleanup(words: &[Word]) -> Option<Cleanup> {
    let invocation = invocation(words)?;
    let literal = |word: &Word| word.literal.clone();
    let rest = words.get(invocation.command + 1..)?;
    let rest: Vec<String> = rest.iter().map(literal).collect::<Option<_>>()?;
    let manager = invocation.manager;
    let is_listed = manager.clean.contains(&rest.join(" "));
    let is_system = manager.kind == Kind::System && invocation.role == Role::Clean;
    let index = manager.name != "apt" || invocation.subcommand_name == "distclean";
    (is_listed || is_system).then_some(Cleanup {
        manager,
        index: index && manager.kind == Kind::System,
        paths: Vec::new(),
    })
}

/// The directory that a glob stands in, or the path itself.
fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((directory, last)) if last.contains('*') => directory,
        _ => path,
    }
}
