//! The packages of a project of cargo: those that a command asks for, and all that are compiled from the build context.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::{BuildContext, path};
use crate::project::Project;
use crate::project::rust::{CargoToml, cargo_members};

/// So many packages are named in one command.
const MOST_OWN: usize = 12;

/// The packages at and around one manifest.
pub struct Packages<'a> {
    context: &'a dyn BuildContext,
    root: String,
    /// The manifests of the root, of the members of its workspace, and of what those depend on by path.
    all: BTreeMap<String, CargoToml>,
    /// Those that are no members.
    beside: BTreeSet<String>,
}

impl<'a> Packages<'a> {
    /// Those of the project whose manifest is the file `root` of the build context.
    ///
    /// # Errors
    /// A manifest is broken, or lies outside of the build context.
    pub fn of(context: &'a dyn BuildContext, root: String) -> Result<Self, String> {
        let facts = facts_of(context, &root)?.ok_or_else(|| format!("`{root}` cannot be read"))?;
        let members = cargo_members(context, &root, &facts).map_err(|error| error.to_string())?;
        let mut todo = vec![root.clone()];
        todo.extend(members.iter().cloned());
        let mut packages = Self {
            context,
            beside: BTreeSet::new(),
            all: BTreeMap::new(),
            root,
        };
        while let Some(manifest) = todo.pop() {
            if packages.all.contains_key(&manifest) {
                continue;
            }
            let Some(found) = facts_of(context, &manifest)? else {
                continue;
            };
            for one in &found.path_dependencies {
                let directory = path::resolve_from(path::parent(&manifest), &one.path);
                let outside = || format!("`{}` lies outside of the build context", one.path);
                todo.push(path::join(&directory.ok_or_else(outside)?, "Cargo.toml"));
            }
            if manifest != packages.root && !members.contains(&manifest) {
                packages.beside.insert(manifest.clone());
            }
            packages.all.insert(manifest, found);
        }
        Ok(packages)
    }

    /// The packages that a command builds which names these, or none; the root first.
    pub fn asked(&self, names: &[String]) -> Vec<(&str, &CargoToml)> {
        let root = self.all.get_key_value(&self.root);
        let is_workspace = root.is_some_and(|(_, facts)| facts.workspace.is_some());
        let others = self
            .all
            .iter()
            .filter(|(manifest, _)| is_workspace && **manifest != self.root);
        let all = root.into_iter().chain(others);
        let asked = all.filter(|(_, facts)| {
            facts.package.is_some() && (names.is_empty() || names.contains(&name_of(facts)))
        });
        asked
            .map(|(manifest, facts)| (manifest.as_str(), facts))
            .collect()
    }

    /// The names of all packages that are compiled from the build context, sorted.
    ///
    /// # Errors
    /// Why they are not known, or too many.
    pub fn own(&self) -> Result<Vec<String>, String> {
        let packages = self.all.values().filter(|facts| facts.package.is_some());
        let found: BTreeSet<String> = packages.map(name_of).collect();
        let project = Project::new(self.context, path::parent(&self.root));
        let lock = project.cargo_lock().map_err(|error| error.to_string())?;
        let own: BTreeSet<String> = match lock.filter(|lock| !lock.crates.is_empty()) {
            Some(lock) => {
                let own = lock.crates.iter().filter(|one| one.source.is_none());
                own.map(|one| one.name.clone()).collect()
            }
            None if self.beside.is_empty() => found.clone(),
            None => {
                return Err("which packages are part of the build, no `Cargo.lock` says".to_owned());
            }
        };
        if let Some(name) = own.iter().find(|name| !found.contains(*name)) {
            return Err(format!(
                "`Cargo.lock` names `{name}`, which has no manifest here"
            ));
        }
        match own.len() {
            0 => Err("no package is known of the project".to_owned()),
            1..=MOST_OWN => Ok(own.into_iter().collect()),
            many => Err(format!("the project has {many} packages")),
        }
    }
}

/// The name of the package.
pub fn name_of(facts: &CargoToml) -> String {
    let package = facts.package.as_ref();
    package.map_or_else(String::new, |package| package.name.clone())
}

fn facts_of(context: &dyn BuildContext, manifest: &str) -> Result<Option<CargoToml>, String> {
    let project = Project::new(context, path::parent(manifest));
    let facts = project.cargo_toml().map_err(|error| error.to_string())?;
    Ok(facts.cloned())
}
