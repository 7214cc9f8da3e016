//! The flags of a RUN: all as before, but for cache mounts over the caches of package managers.

use super::{Allowed, Fault};
use crate::model::Step;
use crate::model::managers;
use crate::model::mount::{Kind, Mount};
use crate::rule::Effect;
use crate::syntax::{Flag, Instruction};

/// The cache mounts that `new` has and `old` has not.
///
/// # Errors
/// Any other flag that comes, goes or changes.
pub(super) fn added(
    old: &Instruction,
    new: &Instruction,
    step: &Step<'_>,
    escape: u8,
    allowed: Allowed<'_>,
) -> Result<Vec<Mount>, Fault> {
    let mut mounts = Vec::new();
    let mut ours = old.flags.iter().peekable();
    for flag in &new.flags {
        if ours.next_if(|one| is_same(one, flag)).is_some() {
            continue;
        }
        let value = flag.value.as_deref().filter(|_| flag.name == "mount");
        let mount = value
            .filter(|_| allowed.has(&Effect::Caches))
            .and_then(|value| {
                let expand = |word: &str| step.before.expand(word, escape);
                Mount::parse(value, &expand).ok()
            });
        match mount.filter(|mount| is_cache(mount, step)) {
            Some(mount) => mounts.push(mount),
            None => {
                return Err(Fault::new(
                    format!("the flag `--{}` of RUN changes", flag.name),
                    flag.span,
                ));
            }
        }
    }
    match ours.next() {
        None => Ok(mounts),
        Some(gone) => Err(Fault::new(
            format!("a flag `--{}` of RUN is gone", gone.name),
            new.keyword_span,
        )),
    }
}

/// All cache mounts of an instruction that can be read.
pub(super) fn caches(instruction: &Instruction, step: &Step<'_>, escape: u8) -> Vec<Mount> {
    let mounts = instruction.flags.iter().filter(|flag| flag.name == "mount");
    let values = mounts.filter_map(|flag| flag.value.as_deref());
    let expand = |word: &str| step.before.expand(word, escape);
    let mounts = values.filter_map(|value| Mount::parse(value, &expand).ok());
    mounts.filter(|mount| mount.kind == Kind::Cache).collect()
}

fn is_same(one: &Flag, other: &Flag) -> bool {
    (&one.name, &one.value) == (&other.name, &other.value)
}

/// Whether a mount is an empty, writable cache at the cache of a package manager. apt's differ between distributions
/// and cannot be shared by two builds at once.
fn is_cache(mount: &Mount, step: &Step<'_>) -> bool {
    let target = mount
        .target
        .as_deref()
        .and_then(|target| step.before.absolute(target));
    let owner = target.and_then(|target| managers::cache_owner(&target, step.before.home()));
    let plain = mount.kind == Kind::Cache
        && mount.from.is_none()
        && mount.source.is_none()
        && !mount.readonly
        && mount
            .others
            .iter()
            .all(|(key, _)| matches!(key.as_str(), "uid" | "gid" | "mode"));
    let Some(owner) = owner.filter(|_| plain) else {
        return false;
    };
    owner.name != "apt" || (mount.id.is_some() && mount.sharing.as_deref() == Some("locked"))
}
