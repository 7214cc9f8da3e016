//! Which differences of two images the effects of the applied rules declare, and which any two builds have.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use super::Side;
use super::tree::{Change, Tree};
use crate::model::managers;
use crate::rule::Effect;

/// The directories of the distribution: what another base image brings and leaves out.
const SYSTEM: [&str; 13] = [
    "/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/opt", "/root", "/run", "/sbin", "/usr",
    "/var", "/libx32",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    noise: Vec<String>,
    not_always_there: Vec<String>,
    package_state: Vec<String>,
    libraries: Vec<Library>,
    documents: Vec<String>,
}

/// A folder of packages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Library {
    folder: String,
    /// So many folders name a package.
    names: usize,
}

/// The table with its globs read.
struct Known {
    noise: GlobSet,
    not_always_there: GlobSet,
    package_state: GlobSet,
    documents: GlobSet,
    libraries: Vec<Library>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let text = include_str!("../../rules/data/differences.toml");
    let table: Table =
        toml::from_str(text).expect("the table that is compiled in is read by a test");
    Known {
        noise: globs(&table.noise),
        not_always_there: globs(&table.not_always_there),
        package_state: globs(&table.package_state),
        documents: globs(&table.documents),
        libraries: table.libraries,
    }
});

fn globs(patterns: &[String]) -> GlobSet {
    let globs = patterns.iter().filter_map(|pattern| {
        let mut glob = GlobBuilder::new(pattern);
        glob.literal_separator(true).build().ok()
    });
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(glob);
    }
    set.build().unwrap_or_default()
}

/// What the applied rules may change between two images.
pub(super) struct Declared<'s> {
    before: &'s Tree,
    after: &'s Tree,
    effects: &'s [Effect],
    dockerfile: &'s str,
    ignored: &'s [String],
    /// The folders of the caches and indexes of package managers.
    caches: Vec<String>,
    /// The files of the Debian packages that are no longer there.
    dropped: BTreeSet<String>,
}

impl<'s> Declared<'s> {
    pub(super) fn new(
        before: &'s Side,
        after: &'s Side,
        effects: &'s [Effect],
        dockerfile: &'s str,
        ignored: &'s [String],
    ) -> Self {
        let env = before.config["Env"].as_array().into_iter().flatten();
        let env: Vec<&str> = env.filter_map(serde_json::Value::as_str).collect();
        Self {
            caches: caches(before.tree.directories_in("/home"), &env),
            dropped: dropped(&before.tree, &after.tree),
            before: &before.tree,
            after: &after.tree,
            effects,
            dockerfile,
            ignored,
        }
    }

    /// Whether any two builds of one Dockerfile may differ so.
    pub(super) fn is_noise(&self, path: &str, change: Change) -> bool {
        let both = |cache: &str| self.before.has_below(cache) && self.after.has_below(cache);
        KNOWN.not_always_there.is_match(path)
            || (change == Change::Content && KNOWN.noise.is_match(path))
            || self.cache_of(path).is_some_and(both)
    }

    /// The first effect that declares it.
    pub(super) fn effect(&self, path: &str, change: Change) -> Option<Effect> {
        let covers = |effect: &&Effect| match effect {
            Effect::Caches => self.is_cache(path, change),
            Effect::Packages | Effect::Prune => self.is_package(path, change),
            Effect::Temp => self.is_download(path, change),
            Effect::CopyMode => change == Change::Mode,
            Effect::BuildCache => {
                is_gone(change) && is_build_output(path) || self.is_cache(path, change)
            }
            Effect::Stages => {
                is_system(path) || is_gone(change) || self.is_compiled_anew(path, change)
            }
            Effect::Base | Effect::SmallBase => {
                is_system(path) || is_gone(change) && is_build_output(path) || is_home(path, change)
            }
            Effect::File(_) => is_gone(change) && self.is_ignored(path),
            _ => false,
        };
        self.effects.iter().find(covers).cloned()
    }

    /// Something in a cache, or a folder that stands for nothing but caches: `~/.cache` above `~/.cache/pip`.
    fn is_cache(&self, path: &str, change: Change) -> bool {
        let above = format!("{path}/");
        let is_above = self.caches.iter().any(|cache| cache.starts_with(&above));
        let is_directory = change == Change::DirectoryGone || change == Change::New;
        // The setting which deletes the archives that a cache mount is to keep.
        let deletes_archives = path == "/etc/apt/apt.conf.d/docker-clean";
        self.cache_of(path).is_some()
            || (is_above && is_directory)
            || (deletes_archives && change == Change::Gone)
            || self.is_compiled(path)
    }

    /// Python keeps what it compiles of the modules that it runs, and a cache that is off runs fewer.
    fn is_compiled(&self, path: &str) -> bool {
        let source = source_of(path);
        source.is_some_and(|source| self.before.has(&source) && self.after.has(&source))
    }

    /// A program that the stage which ships takes over by its name, and that was compiled without C.
    fn is_compiled_anew(&self, path: &str, change: Change) -> bool {
        let is_taken =
            |line: &str| line.contains("--from=") && line.ends_with(&format!(" {path} {path}"));
        let changes = self.dockerfile.contains("CGO_ENABLED=0 go ");
        change == Change::Content && changes && self.dockerfile.lines().any(is_taken)
    }

    /// A file of a package that is no longer there, or of what is made out of the set of packages.
    fn is_package(&self, path: &str, change: Change) -> bool {
        let path = source_of(path).unwrap_or_else(|| path.to_owned());
        KNOWN.package_state.is_match(&path) || is_gone(change) && self.is_dropped(&path)
    }

    /// Whether a path belongs to a package that is no longer there.
    fn is_dropped(&self, path: &str) -> bool {
        let mut packages = KNOWN.libraries.iter();
        self.dropped.contains(path)
            || KNOWN.documents.is_match(path)
            || packages.any(|library| {
                let package = package_of(path, &library.folder, library.names);
                package.is_some_and(|package| !self.after.has(&package))
            })
    }

    /// A file that the Dockerfile names, and that is gone.
    fn is_download(&self, path: &str, change: Change) -> bool {
        let name = last_component(path);
        let mut named = self.dockerfile.split_whitespace().map(last_component);
        change == Change::Gone && named.any(|one| one == name)
    }

    /// A file that the context no longer hands out, or a folder of nothing else.
    fn is_ignored(&self, path: &str) -> bool {
        let ends = |file: &String| {
            let ends_so = path
                .strip_suffix(file.as_str())
                .is_some_and(|rest| rest.ends_with('/'));
            ends_so || file.split('/').count() > 1 && is_above(path, file)
        };
        self.ignored.iter().any(ends)
    }

    /// The folder of the cache that a path lies in.
    fn cache_of(&self, path: &str) -> Option<&str> {
        let is_in = |cache: &&String| path.strip_prefix(*cache).is_some_and(is_end_or_below);
        self.caches.iter().find(is_in).map(String::as_str)
    }
}

fn is_gone(change: Change) -> bool {
    matches!(change, Change::Gone | Change::DirectoryGone)
}

/// Whether the last folders of `path` are the first ones of `file`.
fn is_above(path: &str, file: &str) -> bool {
    let folders: Vec<&str> = file.split('/').collect();
    (1..folders.len()).any(|depth| {
        let folder = folders[..depth].join("/");
        path.strip_suffix(&folder)
            .is_some_and(|rest| rest.ends_with('/'))
    })
}

/// Where builds leave what nobody needs any more.
fn is_build_output(path: &str) -> bool {
    const FOLDERS: [&str; 4] = ["target", "node_modules", "obj", ".gradle"];
    path.split('/').any(|part| FOLDERS.contains(&part))
}

/// The home of a user that another base image brings.
fn is_home(path: &str, change: Change) -> bool {
    let name = path.strip_prefix("/home/");
    change == Change::New && name.is_some_and(|name| !name.contains('/'))
}

fn is_system(path: &str) -> bool {
    let mut folders = SYSTEM.iter();
    folders.any(|folder| path.strip_prefix(folder).is_some_and(is_end_or_below))
}

fn last_component(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_end_or_below(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

/// The caches of all package managers, for the superuser and those who have one of these homes.
fn caches<'t>(homes: impl Iterator<Item = &'t str>, env: &[&str]) -> Vec<String> {
    let homes: Vec<&str> = homes.chain(["/root"]).collect();
    let mut caches = Vec::new();
    for manager in managers::all() {
        for path in manager.index_paths.iter().chain(&manager.cache_paths) {
            match path.strip_prefix('~') {
                Some(rest) => caches.extend(homes.iter().map(|home| format!("{home}{rest}"))),
                None => caches.push(path.clone()),
            }
        }
        let moved = env.iter().filter_map(|pair| pair.split_once('='));
        for (name, value) in moved {
            let below = manager.cache_env.get(name).into_iter().flatten();
            caches.extend(below.map(|rest| {
                let path = format!("{value}/{rest}");
                path.trim_end_matches('/').to_owned()
            }));
        }
    }
    caches
}

/// The files of the Debian packages that are no longer there, with what dpkg knows of those packages.
fn dropped(before: &Tree, after: &Tree) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for (list, text) in before.texts() {
        if after.has(list) {
            continue;
        }
        let info = list.trim_end_matches("list");
        files.extend(before.starting_with(info).map(str::to_owned));
        files.extend(text.lines().map(resolved));
    }
    files
}

/// A path as dpkg has it, where `/bin`, `/sbin` and `/lib` are links into `/usr`.
fn resolved(path: &str) -> String {
    let is_link = |folder: &&str| path.strip_prefix(*folder).is_some_and(is_end_or_below);
    match ["/bin", "/sbin", "/lib", "/lib64"].iter().any(is_link) {
        true => format!("/usr{path}"),
        false => path.to_owned(),
    }
}

/// The module that a file of compiled Python is made of.
fn source_of(compiled: &str) -> Option<String> {
    let (folder, name) = compiled
        .strip_suffix(".pyc")?
        .rsplit_once("/__pycache__/")?;
    let (module, _) = name.split_once('.')?;
    Some(format!("{folder}/{module}.py"))
}

/// The folder of the package that a path below such a library belongs to: `/a/node_modules/@scope/b/c.js` to
/// `/a/node_modules/@scope/b`. What `.bin` links to goes with it.
fn package_of(path: &str, library: &str, names: usize) -> Option<String> {
    let start = path.rfind(library)? + library.len();
    let (root, rest) = path.split_at(start);
    let is_scope = rest.starts_with('@') || rest.starts_with(".bin/");
    let names = rest.split('/').take(names + usize::from(is_scope));
    Some(format!("{root}{}", names.collect::<Vec<_>>().join("/")))
}
