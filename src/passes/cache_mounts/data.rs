//! What the rule knows of each package manager beside `rules/data/managers.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::managers::{Invocation, Kind, Manager, Role};
use crate::pass::cache_folder::Cache;
use crate::pass::runs::Step;

/// The rule's `[data]`, which explains the fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::passes) struct CacheMounts {
    /// By the name of the manager's table.
    pub(super) manager: BTreeMap<String, Needs>,
    pub(super) harmless: Vec<String>,
}

/// What the mounts of one manager need.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[derive(Default)]
pub(super) struct Needs {
    pub(super) caches: Vec<Cache>,
    pub(super) sharing: Option<String>,
    pub(super) uses: Vec<Role>,
    pub(super) without_cache: Vec<String>,
    pub(super) keeps_nothing: Vec<String>,
    pub(super) moved_by: Vec<String>,
    pub(super) moved_by_env: Vec<String>,
    pub(super) offline: Vec<String>,
    pub(super) together: bool,
    pub(super) in_place: bool,
    pub(super) launchers: Vec<String>,
    pub(super) publishes: Vec<String>,
    pub(super) since: Option<Since>,
    pub(super) update_first: bool,
    pub(super) update_here: bool,
    pub(super) readers: Vec<String>,
    pub(super) undo: Option<String>,
    pub(super) fetch: Vec<String>,
    pub(super) also_cleaned: Vec<String>,
}

/// The first version of a family of images in which the manager has the cache.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    pub(super) family: String,
    pub(super) version: (u32, u32),
}

impl CacheMounts {
    pub(super) fn needs(&self, manager: &Manager) -> Option<&Needs> {
        self.manager.get(&manager.name)
    }
}

impl Needs {
    /// Whether the command fills the cache, or takes from it.
    pub(super) fn is_use(&self, invocation: &Invocation) -> bool {
        let fills = [Role::Install, Role::Upgrade];
        let uses = match self.uses.is_empty() {
            true => &fills,
            false => self.uses.as_slice(),
        };
        let bare = invocation.subcommand.is_empty() && invocation.role == Role::Other;
        uses.contains(&invocation.role)
            && !bare
            && !self.without_cache.contains(&invocation.subcommand_name)
    }

    /// Whether a step leaves an index in the image where a command fetched one and nothing deletes it.
    pub(super) fn leaves_index(&self, step: &Step<'_>) -> bool {
        let text = String::from_utf8_lossy(step.instruction.args_text()).into_owned();
        let deletes = self.also_cleaned.iter().any(|folder| text.contains(folder));
        !self.fetch.is_empty() && !deletes && !text.contains("--no-cache")
    }

    /// The variables that say where a cache is.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        let caches = self.caches.iter().flat_map(|cache| &cache.variables);
        caches.map(|(name, _)| name.as_str())
    }
}

/// Whether the manager is the distribution's own.
pub(super) fn is_system(manager: &Manager) -> bool {
    manager.kind == Kind::System
}
