//! The flags of a RUN: all as before, but for cache mounts over the caches of package managers.

use super::{Allowed, Fault, builds};
use crate::model::Step;
use crate::model::expand::Lookup;
use crate::model::managers::{self, Manager};
use crate::model::mount::{Kind, Mount};
use crate::rule::Effect;
use crate::syntax::{Flag, Instruction};

/// A cache mount over the cache of a package manager.
#[derive(Debug, Clone)]
pub(super) struct CacheMount {
    pub(super) manager: &'static Manager,
    /// Absolute.
    pub(super) target: String,
}

/// The mounts that a RUN got.
#[derive(Debug, Default)]
pub(super) struct Added {
    pub(super) caches: Vec<CacheMount>,
    /// The targets of those that keep a build directory.
    pub(super) builds: Vec<String>,
}

/// The mounts that `new` has and `old` has not.
///
/// # Errors
/// Any other flag that comes, goes or changes; two mounts that share one cache.
pub(super) fn added(
    old: &Instruction,
    new: &Instruction,
    step: &Step<'_>,
    escape: u8,
    allowed: Allowed<'_>,
) -> Result<Added, Fault> {
    let mut added = Added::default();
    let mut ids: Vec<Option<String>> = Vec::new();
    let mut ours = old.flags.iter().peekable();
    for flag in &new.flags {
        if ours.next_if(|one| is_same(one, flag)).is_some() {
            continue;
        }
        let mount = read(flag, step, escape).filter(|_| allowed.has(&Effect::Caches));
        let changes = || {
            let reason = format!("the flag `--{}` of RUN changes", flag.name);
            Fault::new(reason, flag.span)
        };
        let mount = mount.ok_or_else(changes)?;
        let build = || builds::target(&mount, step).filter(|_| allowed.has(&Effect::BuildCache));
        match is_cache(&mount, step) {
            Some(cache) => added.caches.push(cache),
            None => added.builds.push(build().ok_or_else(changes)?),
        }
        if mount.id.is_some() && ids.contains(&mount.id) {
            return Err(Fault::new("two mounts share one cache", flag.span));
        }
        ids.push(mount.id);
    }
    match ours.next() {
        None => Ok(added),
        Some(gone) => Err(Fault::new(
            format!("a flag `--{}` of RUN is gone", gone.name),
            new.keyword_span,
        )),
    }
}

/// The targets of all cache mounts of an instruction that can be read, absolute.
pub(super) fn targets(instruction: &Instruction, step: &Step<'_>, escape: u8) -> Vec<String> {
    let flags = instruction.flags.iter();
    let mounts = flags.filter_map(|flag| read(flag, step, escape));
    let caches = mounts.filter(|mount| mount.kind == Kind::Cache);
    caches
        .filter_map(|mount| step.before.absolute(&mount.target?))
        .collect()
}

/// The package manager whose cache `target` is, or lies in, given the variables of the step.
pub(super) fn owner(target: &str, step: &Step<'_>) -> Option<&'static Manager> {
    let state = &step.before;
    if let Some(manager) = managers::cache_owner(target, state.home()) {
        return Some(manager);
    }
    let workdir = state.workdir().unwrap_or("/");
    managers::all().iter().find(|manager| {
        manager.cache_env.iter().any(|(name, below)| {
            let Lookup::Set(value) = state.lookup(name) else {
                return false;
            };
            let value = value.trim_end_matches('/');
            below.iter().any(|below| {
                let cache = match below.as_str() {
                    "" => value.to_owned(),
                    below => format!("{value}/{below}"),
                };
                // A variable that names a directory of many uses does not make it a cache.
                let roomy =
                    below.is_empty() && value.matches('/').count() < 2 && !value.contains("cache");
                !roomy && covers(&cache, target) && !covers(&cache, workdir)
            })
        })
    })
}

/// Whether `path` is `directory` or lies below it.
pub(super) fn covers(directory: &str, path: &str) -> bool {
    let below = path.strip_prefix(directory.trim_end_matches('/'));
    below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

fn read(flag: &Flag, step: &Step<'_>, escape: u8) -> Option<Mount> {
    let value = flag.value.as_deref().filter(|_| flag.name == "mount")?;
    let expand = |word: &str| step.before.expand(word, escape);
    Mount::parse(value, &expand).ok()
}

fn is_same(one: &Flag, other: &Flag) -> bool {
    (&one.name, &one.value) == (&other.name, &other.value)
}

/// Whether a mount is an empty, writable cache, of which only owner and mode may be set.
pub(super) fn is_plain_cache(mount: &Mount) -> bool {
    let known = |key: &str| matches!(key, "uid" | "gid" | "mode");
    mount.kind == Kind::Cache
        && mount.from.is_none()
        && mount.source.is_none()
        && !mount.readonly
        && mount.others.iter().all(|(key, _)| known(key))
}

/// Whether a mount is an empty, writable cache at the cache of a package manager, for a user who can write to it. The
/// distribution's own cannot be used by two builds at once, and all but apk's differ between releases.
fn is_cache(mount: &Mount, step: &Step<'_>) -> Option<CacheMount> {
    let target = step.before.absolute(mount.target.as_deref()?)?;
    let manager = owner(&target, step)?;
    let has = |wanted: &str| mount.others.iter().any(|(key, _)| key == wanted);
    // Yarn 2 and later run programs from their cache.
    let runs_from_it = manager.name == "yarn" && target.contains("/berry/");
    let fits = match manager.kind {
        managers::Kind::System => {
            let locked = mount.sharing.as_deref() == Some("locked");
            locked && (manager.name == "apk" || names_release(mount.id.as_deref()?, step))
        }
        _ => step.before.is_root() == Some(true) || has("uid"),
    };
    (is_plain_cache(mount) && fits && !runs_from_it).then_some(CacheMount { manager, target })
}

/// Whether the name of a cache has both the distribution and its release.
fn names_release(id: &str, step: &Step<'_>) -> bool {
    let distribution = step.before.distribution().map(|one| one.name());
    let (Some(name), Some(release)) = (distribution, step.before.release()) else {
        return false;
    };
    id.ends_with(&format!("-{name}-{release}"))
}
