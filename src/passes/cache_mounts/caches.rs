//! Where a package manager keeps its cache in a step: the mounts that cover it, or why that is not known.

use super::data::{Cache, Needs, is_system};
use crate::context::path::is_at_or_below;
use crate::model::expand::Lookup;
use crate::model::managers::{Invocation, Manager};
use crate::model::mount::{Kind, Mount};
use crate::model::state::State;
use crate::pass::runs::Step;
use crate::syntax::shell::Command;

/// A mount that a step should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CacheMount {
    pub(super) target: String,
    id: Option<String>,
    sharing: Option<String>,
    /// `uid=…` and `gid=…`, for a user who is not root.
    owner: String,
}

impl CacheMount {
    /// The flag.
    pub(super) fn flag(&self) -> String {
        let mut flag = format!("--mount=type=cache,target={}", self.target);
        for (key, value) in [("id", &self.id), ("sharing", &self.sharing)] {
            if let Some(value) = value {
                flag.push_str(&format!(",{key}={value}"));
            }
        }
        flag + &self.owner
    }
}

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
            let (target, by_variable) = target(cache, state)?;
            check_target(&target, by_variable, state, &owner)?;
            let mount = CacheMount {
                id: id(cache, state)?,
                sharing: needs.sharing.clone(),
                owner: owner.clone(),
                target,
            };
            if !mounts.contains(&mount) {
                mounts.push(mount);
            }
        }
    }
    Ok(mounts)
}

/// The cache mounts that a step has.
pub(super) fn existing(step: &Step<'_>) -> Vec<String> {
    let flags = step.instruction.flags.iter();
    let mounts = flags.filter(|flag| flag.name == "mount");
    let values = mounts.filter_map(|flag| flag.value.as_deref());
    let expand = |word: &str| step.before.expand(word, b'\\');
    let read = values.filter_map(|value| Mount::parse(value, &expand).ok());
    let caches = read.filter(|mount| mount.kind == Kind::Cache && !mount.readonly);
    caches
        .filter_map(|mount| step.before.absolute(&mount.target?))
        .collect()
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

/// `debian-bookworm`.
fn release(state: &State) -> Option<String> {
    Some(format!(
        "{}-{}",
        state.distribution()?.name(),
        state.release()?
    ))
}

/// The folder, and whether it is one that a variable names as it is.
fn target(cache: &Cache, state: &State) -> Result<(String, bool), String> {
    for (name, below) in &cache.variables {
        match state.variable(name).map(|_| state.lookup(name)) {
            None => {}
            Some(Lookup::Set(value)) if value.starts_with('/') => {
                let path = format!("{value}/{below}");
                let path = state.absolute(&path).unwrap_or(path);
                return Ok((path, below.is_empty()));
            }
            Some(_) => return Err(format!("what `{name}` holds is not known")),
        }
    }
    let root = cache
        .root
        .as_ref()
        .filter(|_| state.is_root() == Some(true));
    let Some(default) = root.or(cache.default.as_ref()) else {
        let names: Vec<String> = cache
            .variables
            .iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        return Err(format!(
            "without {} the folder of the cache is not known",
            names.join(" or ")
        ));
    };
    let Some(below) = default.strip_prefix('~') else {
        return Ok((default.clone(), false));
    };
    match state.home() {
        Some(home) => Ok((format!("{}{below}", home.trim_end_matches('/')), false)),
        None => Err(match state.user() {
            Some(user) => format!("the home of the user `{user}` is not known"),
            None => "the user of the step is not known".to_owned(),
        }),
    }
}

/// Whether a folder may be mounted over: a cache and nothing else, written to by the step's user.
fn check_target(target: &str, by_variable: bool, state: &State, owner: &str) -> Result<(), String> {
    let plain = |ch: char| ch.is_ascii_alphanumeric() || "/._-+@".contains(ch);
    if !target.chars().all(plain) {
        return Err(format!("`{target}` is no plain path"));
    }
    let (parent, last) = target.rsplit_once('/').unwrap_or_default();
    let names_a_cache = CACHES
        .iter()
        .any(|name| last.to_ascii_lowercase().contains(name));
    let shared = ["/var/cache", "/.cache"].contains(&target) || last == ".cache";
    if by_variable && (!names_a_cache || shared) {
        return Err(format!("`{target}` may hold more than a cache"));
    }
    let workdir = state.workdir().unwrap_or("/");
    if is_at_or_below(workdir, target) {
        return Err(format!("the working directory is in `{target}`"));
    }
    // What a mount point needs above it is made by root.
    if !owner.is_empty() && state.home().map(|home| home.trim_end_matches('/')) != Some(parent) {
        return Err(format!("`{parent}` would be made by root"));
    }
    Ok(())
}

/// What the last component of a folder that a variable names has in it where that holds a cache and nothing else.
const CACHES: [&str; 14] = [
    "cache", "pip", "npm", "yarn", "pnpm", "store", "uv", "bun", "poetry", "mod", "go-build",
    "registry", "git", "nuget",
];

fn id(cache: &Cache, state: &State) -> Result<Option<String>, String> {
    let Some(name) = &cache.id else {
        return Ok(None);
    };
    if let Some(release) = release(state) {
        return Ok(Some(format!("{name}-{release}")));
    }
    if !cache.id_by_image {
        let reason =
            "the distribution and its release are not known: another one could share the cache";
        return Err(reason.to_owned());
    }
    let base = state.base();
    let family = base.family.map(|family| family.name.as_str());
    let parts = family.into_iter().chain(base.version.as_deref());
    let parts: Vec<&str> = parts.chain(base.words.iter().map(String::as_str)).collect();
    match parts.len() {
        0 | 1 => Err(
            "which image the base is, is not known: another one could share the cache".to_owned(),
        ),
        _ => Ok(Some(format!("{name}-{}", parts.join("-")))),
    }
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
