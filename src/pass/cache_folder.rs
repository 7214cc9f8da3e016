//! The folders of a package manager's cache as cache mounts: where they are in a step, and what such a mount is called.
//!
//! Never asks who else needs the folder.

use serde::Deserialize;

use super::runs::Step;
use crate::context::path::is_at_or_below;
use crate::model::expand::Lookup;
use crate::model::mount::{Kind, Mount};
use crate::model::state::State;

/// One folder of a manager.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cache {
    /// The commands whose folder it is; empty for all of the manager.
    #[serde(default)]
    pub commands: Vec<String>,
    /// The releases (`fedora-41`) on which it is; empty for all.
    #[serde(default)]
    pub releases: Vec<String>,
    /// Variables that move it, with what lies below their value; the first that is set counts.
    #[serde(default)]
    pub variables: Vec<(String, String)>,
    /// Where it is for root.
    pub root: Option<String>,
    /// Where it is for others; `~` is the user's home.
    pub default: Option<String>,
    /// The name of the cache, to which that of the release is added.
    pub id: Option<String>,
    /// The name of the base image will do.
    #[serde(default)]
    pub id_by_image: bool,
}

/// A mount that a step should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheMount {
    /// The folder, absolute.
    pub target: String,
    /// The name of the cache; that of the folder where there is none.
    pub id: Option<String>,
    /// `locked`: one build at a time.
    pub sharing: Option<String>,
    /// `,uid=…` and `,gid=…`, for a user who is not root.
    pub owner: String,
}

impl CacheMount {
    /// The mount over `cache` in a step with this state, for the user that `owner` names.
    ///
    /// # Errors
    /// Why the folder is not known, or may not be mounted over.
    pub fn over(
        cache: &Cache,
        state: &State,
        sharing: Option<&str>,
        owner: &str,
    ) -> Result<Self, String> {
        let (target, by_variable) = target(cache, state)?;
        check_target(&target, by_variable, state, owner)?;
        Ok(Self {
            id: id(cache, state)?,
            sharing: sharing.map(str::to_owned),
            owner: owner.to_owned(),
            target,
        })
    }

    /// The flag.
    pub fn flag(&self) -> String {
        let mut flag = format!("--mount=type=cache,target={}", self.target);
        for (key, value) in [("id", &self.id), ("sharing", &self.sharing)] {
            if let Some(value) = value {
                flag.push_str(&format!(",{key}={value}"));
            }
        }
        flag + &self.owner
    }
}

/// The cache mounts that a step has.
pub fn existing(step: &Step<'_>) -> Vec<String> {
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

/// `debian-bookworm`.
pub fn release(state: &State) -> Option<String> {
    Some(format!(
        "{}-{}",
        state.distribution()?.name(),
        state.release()?
    ))
}

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
    let parts = image_words(state);
    match parts.len() {
        0 | 1 => Err(
            "which image the base is, is not known: another one could share the cache".to_owned(),
        ),
        _ => Ok(Some(format!("{name}-{}", parts.join("-")))),
    }
}

/// What is known of the name of the base image: its family, version and the other words of its tag.
pub fn image_words(state: &State) -> Vec<&str> {
    let base = state.base();
    let family = base.family.map(|family| family.name.as_str());
    let parts = family.into_iter().chain(base.version.as_deref());
    parts.chain(base.words.iter().map(String::as_str)).collect()
}
