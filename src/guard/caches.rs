//! Commands that delete nothing but what a package manager would fetch again: which they are, and where they may come
//! and go.

use super::command::{Comparison, Note};
use super::mounts::covers;
use super::script::{Shell, plain_words};
use super::{Fault, Verdict};
use crate::model::Step;
use crate::model::expand::{Lookup, expand};
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
    let empties_mount = |cleanup: &Cleanup| match cleanup.paths.as_slice() {
        [] => {
            let mut caches = cleanup.manager.cache_paths.iter();
            caches.any(|path| cx.is_mounted(path))
        }
        paths => paths.iter().any(|path| cx.is_mounted(parent(path))),
    };
    if cleanups.iter().any(empties_mount) || !cleanups.iter().all(|one| is_filled(cx, one, command))
    {
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

/// Whether a command in front of `command` may have filled what that cleans up.
fn is_filled(cx: &Comparison<'_>, cleanup: &Cleanup, command: &Command) -> bool {
    let fillers = cx.fillers.get_or_init(|| {
        let mut fillers: Vec<(&'static Manager, Span)> = Vec::new();
        for found in cx.after.script.commands() {
            let one = invocation(&found.command.words).filter(|one| one.role != Role::Clean);
            let Some(one) = one else { continue };
            if !fillers
                .iter()
                .any(|(manager, _)| manager.name == one.manager.name)
            {
                fillers.push((one.manager, found.command.span));
            }
        }
        fillers
    });
    let fills = |manager: &Manager| {
        let mut paths = cleanup.paths.iter();
        manager.name == cleanup.manager.name
            || !cleanup.paths.is_empty() && paths.all(|path| manager.owns_cache(path, cx.home))
    };
    let mut fillers = fillers.iter();
    fillers.any(|(manager, at)| at.start < command.span.start && fills(manager))
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
            if only_empties_mounts(cx, command) {
                return true;
            }
            let Some((cleanups, _)) = cleanups(command, cx.home) else {
                return false;
            };
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

/// Whether a command does nothing but empty what the step mounts.
fn only_empties_mounts(cx: &Comparison<'_>, command: &Command) -> bool {
    if let Some(one) = invocation(&command.words) {
        let rest = command.words.get(one.command + 1..).unwrap_or_default();
        let words: Vec<&str> = rest.iter().map(|word| word.text.as_str()).collect();
        let cleans = one.role == Role::Clean || one.manager.clean.contains(&words.join(" "));
        return cleans && cx.has_mount_of(one.manager);
    }
    let words = match command.words.split_first() {
        Some((first, rest)) if first.text == "sudo" => rest,
        _ => command.words.as_slice(),
    };
    let Some((name, rest)) = words.split_first() else {
        return false;
    };
    let mut paths = rest
        .iter()
        .filter(|word| !word.text.starts_with('-'))
        .peekable();
    name.text == "rm" && paths.peek().is_some() && paths.all(|word| is_covered(cx, word))
}

/// Whether a path is in what the step mounts, or nothing but a cache around it.
pub(super) fn is_covered(cx: &Comparison<'_>, word: &Word) -> bool {
    let Some(path) = path(word, cx.step) else {
        return false;
    };
    let path = path.trim_end_matches('/');
    // apk keeps its index where it keeps packages, if it keeps any.
    let is_apk_index = path.starts_with("/var/cache/apk") && cx.is_mounted("/etc/apk/cache");
    let home = cx.home.map(|home| home.trim_end_matches('/'));
    let is_dot_cache = home.is_some_and(|home| path == format!("{home}/.cache"));
    cx.is_mounted(parent(path))
        || is_apk_index
        || is_dot_cache && cx.mounts.iter().any(|target| covers(path, target))
}

/// The path that a word of a command names, absolute as if the script never left its directory; globs in it are left.
pub(super) fn path(word: &Word, step: &Step<'_>) -> Option<String> {
    let text: String = word
        .text
        .chars()
        .filter(|ch| !matches!(ch, '"' | '\''))
        .collect();
    let home = step.before.home().map(|home| home.trim_end_matches('/'));
    let text = match ["~", "$HOME", "${HOME}"]
        .iter()
        .find_map(|start| text.strip_prefix(start))
    {
        Some(below) => format!("{}{below}", home?),
        None => text,
    };
    let text = match text.contains('$') {
        true => expand(&text, b'\\', &|name| match step.before.lookup(name) {
            // It may be one of the script's.
            Lookup::Unset => Lookup::Unknown,
            known => known,
        })
        .ok()?,
        false => text,
    };
    match text.starts_with('/') {
        true => Some(text),
        false => Some(format!("{}/{text}", step.before.workdir()?)),
    }
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

/// What a command deletes where that is package caches and indexes only, and whether it works on whatever is there.
fn cleanups(command: &Command, home: Option<&str>) -> Option<(Vec<Cleanup>, bool)> {
    let words = match command.words.split_first() {
        Some((first, rest)) if first.text == "sudo" => rest,
        _ => command.words.as_slice(),
    };
    match words.first()?.literal.as_deref()? {
        "rm" => removed_paths(words.get(1..)?, home),
        _ => own_cleanup(&command.words).map(|cleanup| (vec![cleanup], true)),
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
    let (before, rest) = words.split_at_checked(invocation.command + 1)?;
    // These say who does it; a variable or another wrapper may say what.
    const AS_SOMEONE: [&str; 4] = ["sudo", "doas", "gosu", "su-exec"];
    let is_plain = |word: &Word| !word.text.contains('=');
    let as_someone = before.len() == 1 || AS_SOMEONE.contains(&before.first()?.text.as_str());
    (as_someone && before.iter().all(is_plain)).then_some(())?;
    let rest: Vec<String> = rest.iter().map(literal).collect::<Option<_>>()?;
    let manager = invocation.manager;
    let is_listed = manager.clean.contains(&rest.join(" "));
    // `clean packages` leaves the rest, and that is all that there is to say.
    const WHAT: [&str; 5] = ["all", "packages", "metadata", "dbcache", "expire-cache"];
    let named = invocation
        .arguments
        .iter()
        .filter_map(|index| words.get(*index));
    let is_known = named.clone().all(|word| WHAT.contains(&word.text.as_str()));
    let says_what = manager.name != "dnf" || named.clone().next().is_some();
    let is_clean = invocation.role == Role::Clean && is_known && says_what;
    let is_system = manager.kind == Kind::System && is_clean;
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
