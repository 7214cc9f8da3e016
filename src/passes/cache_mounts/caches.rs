//! Where a package manager keeps its cache in a step: the mounts that cover it, or why that is not known.

use super::data::{Needs, is_system};
use crate::model::managers::{Invocation, Manager};
use crate::model::state::State;
use crate::pass::cache_folder::{Cache, CacheMount, release};
use crate::pass::runs::Step;
use crate::syntax::shell::Command;

/// A use of a manager in a step.
pub(super) struct Use<'a> {
    pub(super) command: &'a Command,
    pub(super) invocation: Invocation,
}

/// The mounts for the uses of one manager in one step.
///
/// # Errors
/// Why there can be none.
pub(super) fn mounts(
    manager: &Manager,
    needs: &Needs,
    step: &Step<'_>,
    uses: &[Use<'_>],
) -> Result<Vec<CacheMount>, String> {
    let state = step.before;
    if state.base().family.is_none() {
        return Err("nothing is known of the base image".to_owned());
    }
    if let Some(reason) = too_old(needs, state).or_else(|| moved(manager, needs, state, uses)) {
        return Err(reason);
    }
    let no_network = step.instruction.flag("network");
    if no_network.is_some_and(|flag| flag.value.as_deref() == Some("none")) {
        return Err("the step has no network".to_owned());
    }
    let owner = owner(manager, state, uses)?;
    let mut mounts: Vec<CacheMount> = Vec::new();
    for one in uses {
        let name = one.command.words.get(one.invocation.command);
        let name = name.map_or("", |word| word.text.as_str());
        let name = name.rsplit('/').next().unwrap_or(name);
        if needs.keeps_nothing.iter().any(|one| one == name) {
            return Err(format!("`{name}` deletes what it downloads"));
        }
        let applies = |cache: &&Cache| applies(cache, name, state);
        let mut found = needs.caches.iter().filter(applies).peekable();
        if found.peek().is_none() {
            return Err(format!("where `{name}` keeps its cache is not known"));
        }
        for cache in found {
            let mount = CacheMount::over(cache, state, needs.sharing.as_deref(), &owner)?;
            if !mounts.contains(&mount) {
                mounts.push(mount);
            }
        }
    }
    Ok(mounts)
}

fn too_old(needs: &Needs, state: &State) -> Option<String> {
    let since = needs.since.as_ref()?;
    let base = state.base();
    let version = base
        .version
        .as_deref()
        .filter(|_| base.is_family(&since.family))?;
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let major = parts.next()??;
    let minor = parts.next().flatten().unwrap_or(u32::MAX);
    let old = (major, minor) < since.version;
    old.then(|| format!("`{}` {version} has no such cache", since.family))
}

/// Why the cache is in another place than it seems, or is not kept at all.
fn moved(manager: &Manager, needs: &Needs, state: &State, uses: &[Use<'_>]) -> Option<String> {
    for one in uses {
        let mut flags = one.invocation.flags.iter();
        if let Some(flag) = flags.find(|flag| needs.moved_by.contains(&flag.name)) {
            return Some(format!(
                "`{}` changes where the cache is, or how it is used",
                flag.name
            ));
        }
    }
    let is_set = |name: &&String| state.variable(name).is_some();
    let mut all = manager.no_cache_env.iter();
    if let Some(name) = all.find(is_set) {
        return Some(format!("`{name}` is set: it would have to go"));
    }
    let name = needs.moved_by_env.iter().find(is_set)?;
    Some(format!(
        "`{name}` may change where the cache is, or how it is used"
    ))
}

fn applies(cache: &Cache, command: &str, state: &State) -> bool {
    let named = cache.commands.is_empty() || cache.commands.iter().any(|one| one == command);
    let release = || {
        let release = release(state);
        release.is_some_and(|release| cache.releases.contains(&release))
    };
    named && (cache.releases.is_empty() || release())
}

/// Who owns the cache: nobody is named for root.
fn owner(manager: &Manager, state: &State, uses: &[Use<'_>]) -> Result<String, String> {
    let sudo = uses.iter().filter(|one| one.invocation.other_user).count();
    if is_system(manager) {
        let by_root = state.is_root() != Some(false) || sudo == uses.len();
        return match by_root {
            true => Ok(String::new()),
            false => Err("the user is not root".to_owned()),
        };
    }
    if sudo > 0 {
        return Err("another user runs it, whose home is not known".to_owned());
    }
    match state.is_root() {
        None => Err("the user of the step is not known".to_owned()),
        Some(true) => Ok(String::new()),
        Some(false) => {
            let user = state.user().unwrap_or_default();
            number_of(user, state)
                .ok_or_else(|| format!("the number of the user `{user}` is not known"))
        }
    }
}

/// `,uid=1000`, and `,gid=…` where the group is given by number.
fn number_of(user: &str, state: &State) -> Option<String> {
    let is_number =
        |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (name, group) = user.split_once(':').unwrap_or((user, ""));
    let accounts = &state.base().family?.accounts;
    let number = match is_number(&name) {
        true => name,
        false => {
            let home = accounts.get(name)?;
            let mut same = accounts.iter().filter(|(_, other)| *other == home);
            same.find_map(|(number, _)| Some(number.as_str()).filter(is_number))?
        }
    };
    Some(match is_number(&group) {
        true => format!(",uid={number},gid={group}"),
        false => format!(",uid={number}"),
    })
}
